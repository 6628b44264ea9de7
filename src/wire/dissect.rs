//! Lenient parsing of a stream of frames: it continues after a violation, and lists all of them.
//!
//! The rules are those of the strict receiver. To continue, a frame is as long as its header says, and a
//! new message replaces one that it interrupts.

use super::close::Close;
use super::frame::{Opcode, RawHeader, Role};
use super::mask;
use super::message::check_fragmentation;
use super::raw::LENGTH_7_MAX;
use super::utf8::Utf8Buffer;
use super::violation::Violation;

/// One frame, valid or not, whole or cut off by the end of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Bytes of the stream before the frame.
    pub offset: u64,
    /// Who sent it.
    pub sender: Role,
    /// Its header.
    pub header: RawHeader,
    /// The first bytes of its payload, unmasked; all bytes that a control frame may have.
    pub payload: Vec<u8>,
    /// Bytes of its payload that were received.
    pub arrived: u64,
    /// Every violation that is in the table of [`violation`](super::violation), in the order in which a
    /// receiver would detect them.
    pub violations: Vec<Violation>,
    /// The frame comes after a Close, so it has no meaning (section 5.5.1).
    pub follows_close: bool,
    /// The message that ends with the frame.
    pub message: Option<Message>,
}

/// A message that its frames make (section 5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Text or Binary.
    pub opcode: Opcode,
    /// Bytes of the stream before its first frame.
    pub offset: u64,
    /// The number of its frames.
    pub frames: u64,
    /// The number of control frames between them.
    pub between: u64,
    /// Bytes of its payload that were received.
    pub length: u64,
    /// The first of them.
    pub payload: Vec<u8>,
    /// Whether it is UTF-8, as a text must be (section 8.1).
    pub is_utf8: bool,
}

impl Frame {
    /// The number of bytes that are missing, as far as the header says.
    pub fn missing(&self) -> u64 {
        let header = self.header.size() - self.header.bytes().len();
        self.payload_missing().saturating_add(header as u64)
    }

    /// The Close that the frame is, if it is whole and valid.
    pub fn close(&self) -> Option<Close> {
        let is_close = self.header.opcode() == Some(Opcode::Close) && self.missing() == 0;
        Close::parse(&self.payload).ok().filter(|_| is_close)
    }

    /// Whether it is a data frame after a Close, which section 5.5.1 forbids.
    pub fn is_too_late(&self) -> bool {
        self.follows_close && !self.header.is_control()
    }

    /// Whether the frame breaks no rule.
    pub fn conforms(&self) -> bool {
        self.violations.is_empty() && !self.is_too_late()
    }

    /// The first `max` bytes of the payload as they were on the wire: masked, if the frame has a key.
    pub fn wire_payload(&self, max: usize) -> Vec<u8> {
        let mut payload = self.payload.get(..max).unwrap_or(&self.payload).to_vec();
        mask::apply(self.header.key().unwrap_or_default(), 0, &mut payload);
        payload
    }

    fn payload_missing(&self) -> u64 {
        self.header.length().unwrap_or_default() - self.arrived
    }

    fn is_data(&self) -> bool {
        self.header.opcode().is_some_and(|opcode| !opcode.is_control())
    }
}

/// Turns the bytes of one peer into [`Frame`]s. Memory follows `payload_max`, not the stream.
#[derive(Default)]
pub struct Dissector {
    /// Unknown until the first MASK bit.
    sender: Option<Role>,
    payload_max: usize,
    offset: u64,
    /// The frame that is incomplete.
    frame: Option<Frame>,
    /// The message whose last frame has not ended.
    message: Option<Message>,
    /// Checks that message, if it is text.
    text: Utf8Buffer,
    has_closed: bool,
}

impl Dissector {
    /// A dissector for the frames of `sender`, the first of them at `offset`. Without a sender, the MASK
    /// bit of the first frame decides. It keeps `payload_max` bytes of each payload.
    pub fn new(sender: Option<Role>, offset: u64, payload_max: usize) -> Self {
        Self { sender, offset, payload_max, ..Self::default() }
    }

    /// Takes more of the stream and unmasks it in place. `on_frame` gets each frame that is now whole.
    pub fn read(&mut self, mut bytes: &mut [u8], mut on_frame: impl FnMut(Frame)) {
        while !bytes.is_empty() {
            let mut frame = self.frame.take().unwrap_or_else(|| self.next_frame());
            let header = frame.header.append_missing(bytes);
            if !frame.header.is_whole() {
                self.frame = Some(frame);
                self.offset += header as u64;
                return;
            }
            if 0 < header {
                self.begin(&mut frame);
            }
            let (_, rest) = bytes.split_at_mut(header);
            let missing = usize::try_from(frame.payload_missing()).unwrap_or(usize::MAX);
            let (payload, rest) = rest.split_at_mut(missing.min(rest.len()));
            self.offset += (header + payload.len()) as u64;
            self.append_payload(&mut frame, payload);
            bytes = rest;
            if frame.payload_missing() == 0 {
                self.end(&mut frame);
                on_frame(frame);
            } else {
                self.frame = Some(frame);
            }
        }
    }

    /// The frame that the end of the stream cut off, as far as it was received.
    pub fn finish(&mut self) -> Option<Frame> {
        let mut frame = self.frame.take()?;
        if !frame.header.is_whole() {
            self.check_header(&mut frame);
        }
        Some(frame)
    }

    /// Removes the incomplete frame, if it already breaks a rule: a receiver does not wait for the rest.
    pub fn take_broken(&mut self) -> Option<Frame> {
        let Frame { header, violations, sender, .. } = self.frame.as_ref()?;
        let is_broken = !violations.is_empty() || header.violations(*sender).next().is_some();
        if is_broken { self.finish() } else { None }
    }

    /// The message that waits for its last frame.
    pub fn unfinished(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    fn next_frame(&self) -> Frame {
        Frame {
            offset: self.offset,
            sender: self.sender.unwrap_or(Role::Client),
            header: RawHeader::default(),
            payload: Vec::new(),
            arrived: 0,
            violations: Vec::new(),
            follows_close: self.has_closed,
            message: None,
        }
    }

    /// Determines the sender, and lists what its header violates.
    fn check_header(&mut self, frame: &mut Frame) {
        if let (None, Some(mask)) = (self.sender, frame.header.mask()) {
            self.sender = Some(if mask { Role::Client } else { Role::Server });
        }
        frame.sender = self.sender.unwrap_or(Role::Client);
        frame.violations = frame.header.violations(frame.sender).collect();
    }

    /// Handles a whole header: its own rules, and its place in a message (section 5.4).
    fn begin(&mut self, frame: &mut Frame) {
        self.check_header(frame);
        let Some(opcode) = frame.header.opcode() else { return };
        frame.violations.extend(check_fragmentation(self.message.is_some(), opcode).err());
        match (&mut self.message, opcode) {
            (Some(message), Opcode::Continuation) => message.frames += 1,
            (Some(message), Opcode::Close | Opcode::Ping | Opcode::Pong) => message.between += 1,
            (message, Opcode::Text | Opcode::Binary) => {
                self.text = Utf8Buffer::default();
                let (offset, payload) = (frame.offset, Vec::new());
                let (frames, between, length, is_utf8) = (1, 0, 0, true);
                *message =
                    Some(Message { opcode, offset, frames, between, length, payload, is_utf8 });
            }
            (None, _) => (),
        }
    }

    fn append_payload(&mut self, frame: &mut Frame, payload: &mut [u8]) {
        let key = frame.header.key().unwrap_or_default(); // a key of zeros changes nothing
        mask::apply(key, (frame.arrived % 4) as usize, payload);
        frame.arrived += payload.len() as u64;
        let max = if frame.header.is_control() { LENGTH_7_MAX } else { 0 };
        keep(&mut frame.payload, payload, self.payload_max.max(max.into()));
        if let Some(message) = self.message.as_mut().filter(|_| frame.is_data()) {
            message.length += payload.len() as u64;
            keep(&mut message.payload, payload, self.payload_max);
            if message.opcode == Opcode::Text && message.is_utf8 {
                message.is_utf8 = self.text.push(payload, usize::MAX).is_ok();
                self.text.discard_valid();
                frame.violations.extend((!message.is_utf8).then_some(Violation::NotUtf8));
            }
        }
    }

    /// Handles the end of a frame: the body of a Close, or the end of a message.
    fn end(&mut self, frame: &mut Frame) {
        if frame.header.opcode() == Some(Opcode::Close) {
            self.has_closed = true;
            if frame.payload.len() as u64 == frame.arrived {
                frame.violations.extend(Close::parse(&frame.payload).err());
            }
        } else if frame.is_data() && frame.header.fin() {
            let Some(mut message) = self.message.take() else { return };
            if message.opcode == Opcode::Text && message.is_utf8 {
                message.is_utf8 = self.text.whole().is_ok();
                frame.violations.extend((!message.is_utf8).then_some(Violation::NotUtf8));
            }
            frame.message = Some(message);
        }
    }
}

fn keep(kept: &mut Vec<u8>, more: &[u8], max: usize) {
    let free = max.saturating_sub(kept.len());
    kept.extend_from_slice(more.get(..free).unwrap_or(more));
}

#[cfg(test)]
mod tests {
    use super::super::message::{Event, Receiver};
    use super::*;
    use proptest::prelude::*;

    fn dissect_in_reads(sender: Role, wire: &[u8], size: usize) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut dissector = Dissector::new(Some(sender), 0, usize::MAX);
        for part in wire.to_vec().chunks_mut(size.max(1)) {
            dissector.read(part, |frame| frames.push(frame));
        }
        frames.extend(dissector.finish());
        frames
    }

    fn dissect(sender: Role, wire: &[u8]) -> Vec<Frame> {
        dissect_in_reads(sender, wire, usize::MAX)
    }

    /// An event of a stream, up to its Close or its first violation.
    #[derive(Debug, PartialEq, Eq)]
    enum Outcome {
        Text(Vec<u8>),
        Binary(Vec<u8>),
        Ping(Vec<u8>),
        Pong(Vec<u8>),
        Close(Close),
        Failed(Violation),
    }

    fn outcomes_of_frames(frames: &[Frame]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for frame in frames {
            if let Some(violation) = frame.violations.first() {
                outcomes.push(Outcome::Failed(*violation));
                break;
            }
            if frame.missing() != 0 {
                break;
            }
            let payload = frame.payload.clone();
            match frame.header.opcode().unwrap() {
                Opcode::Ping => outcomes.push(Outcome::Ping(payload)),
                Opcode::Pong => outcomes.push(Outcome::Pong(payload)),
                Opcode::Close => {
                    outcomes.push(Outcome::Close(frame.close().unwrap()));
                    break;
                }
                Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                    let message = frame.message.as_ref().filter(|_| frame.header.fin());
                    outcomes.extend(message.map(|message| match message.opcode {
                        Opcode::Text => Outcome::Text(message.payload.clone()),
                        _ => Outcome::Binary(message.payload.clone()),
                    }));
                }
            }
        }
        outcomes
    }

    /// The outcomes of the strict receiver.
    fn outcomes_of_receiver(sender: Role, wire: &[u8]) -> Vec<Outcome> {
        let mut receiver = Receiver::new(sender, usize::MAX, wire);
        let mut outcomes = Vec::new();
        loop {
            let event = match receiver.next() {
                Ok(None) => return outcomes,
                Ok(Some(Event::Text(text))) => Outcome::Text(text.as_bytes().to_vec()),
                Ok(Some(Event::Binary(bytes))) => Outcome::Binary(bytes.to_vec()),
                Ok(Some(Event::Ping(bytes))) => Outcome::Ping(bytes.to_vec()),
                Ok(Some(Event::Pong(bytes))) => Outcome::Pong(bytes.to_vec()),
                Ok(Some(Event::Close(close))) => Outcome::Close(close),
                Err(violation) => Outcome::Failed(violation),
            };
            let is_last = matches!(event, Outcome::Close(_) | Outcome::Failed(_));
            outcomes.push(event);
            if is_last {
                return outcomes;
            }
        }
    }

    #[test]
    fn it_continues_after_each_violation() {
        let wire = [
            &[0xc1, 0x01, b'a'][..],         // RSV1
            &[0x83, 0x01, b'b'],             // opcode 3
            &[0x80, 0x00],                   // nothing to continue
            &[0x01, 0x01, 0xc3],             // half of an e acute
            &[0x89, 0x80, 1, 2, 3, 4],       // a masked ping
            &[0x81, 0x01, b'c'],             // interrupts the message
            &[0x88, 0x02, 0x03, 0xed],       // 1005
            &[0x82, 0x7e, 0x00, 0x01, 0xff], // a length in a long form, after a Close
        ]
        .concat();
        let frames = dissect(Role::Server, &wire);
        let broken: Vec<_> = frames.iter().map(|frame| frame.violations.clone()).collect();
        let expected = [
            vec![Violation::ReservedBits],
            vec![Violation::ReservedOpcode],
            vec![Violation::NothingToContinue],
            vec![],
            vec![Violation::Masked],
            vec![Violation::MessageInterrupted],
            vec![Violation::CloseCodeLocal],
            vec![Violation::Length16NotMinimal],
        ];
        assert_eq!(broken, expected);
        let offsets: Vec<_> = frames.iter().map(|frame| frame.offset).collect();
        assert_eq!(offsets, [0, 3, 6, 8, 11, 17, 20, 24]);
        assert!(frames.iter().all(|frame| frame.is_too_late() == (frame.offset == 24)));
        assert_eq!(frames[5].message.as_ref().unwrap().payload, b"c");
    }

    #[test]
    fn the_first_mask_bit_determines_the_sender() {
        for (wire, sender, broken) in [
            (&[0x81, 0x80, 1, 2, 3, 4, 0x89, 0x00][..], Role::Client, Violation::Unmasked),
            (&[0x81, 0x00, 0x89, 0x80, 1, 2, 3, 4], Role::Server, Violation::Masked),
        ] {
            let mut dissector = Dissector::new(None, 7, 0);
            let mut frames = Vec::new();
            dissector.read(&mut wire.to_vec(), |frame| frames.push(frame));
            assert!(frames.iter().all(|frame| frame.sender == sender));
            assert_eq!((frames[0].offset, frames[1].violations.as_slice()), (7, &[broken][..]));
        }
    }

    #[test]
    fn missing_bytes_are_counted() {
        let wire = [0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4, 5, 6];
        for (cut, missing) in [(1, 1), (2, 6), (3, 5), (4, 260), (7, 257), (8, 256), (10, 254)] {
            let frames = dissect(Role::Client, &wire[..cut]);
            assert_eq!(frames[0].missing(), missing, "cut {cut}");
        }
        let frames =
            dissect(Role::Server, &[0x82, 0x7f, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
        assert_eq!(frames[0].missing(), u64::MAX - 1);
    }

    #[test]
    fn memory_follows_the_bound_not_the_stream() {
        let mut dissector = Dissector::new(Some(Role::Server), 0, 10);
        dissector.read(&mut [0x81, 0x7f, 0, 0, 0, 0, 0x10, 0, 0, 0], |_| {
            panic!("the frame is not whole")
        });
        for _ in 0..1000 {
            dissector.read(&mut [b'a'; 5000], |_| panic!("the frame is not whole"));
        }
        let frame = dissector.finish().unwrap();
        assert_eq!((frame.payload.len(), frame.arrived), (10, 5_000_000));
        assert!(dissector.unfinished().unwrap().payload.capacity() < 100);
    }

    #[test]
    fn s5_3_the_payload_on_the_wire_is_masked() {
        let wire = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let frame = &dissect(Role::Client, &wire)[0];
        assert_eq!(frame.payload, b"Hello");
        assert_eq!(frame.wire_payload(100), [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        assert_eq!(frame.wire_payload(2), [0x7f, 0x9f]);
        let frame = &dissect(Role::Server, &[0x81, 0x02, b'h', b'i'])[0];
        assert_eq!(frame.wire_payload(100), b"hi");
    }

    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let first = prop_oneof![
            9 => prop::sample::select(vec![0x81u8, 0x82, 0x01, 0x02, 0x80, 0x00, 0x89, 0x8a]),
            1 => any::<u8>(),
        ];
        let text = prop_oneof![
            6 => "\\PC{0,9}".prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 0..9),
            1 => prop::sample::select(vec![vec![0xe2, 0x82], vec![0xac], vec![3, 0xe8], vec![3, 0xed]]),
        ];
        (first, any::<Option<[u8; 4]>>(), text).prop_map(|(first, key, mut payload)| {
            let mask = if key.is_some() { 0x80 } else { 0 };
            mask::apply(key.unwrap_or_default(), 0, &mut payload);
            let length = u8::try_from(payload.len()).unwrap();
            [
                &[first, mask | length],
                key.iter().flatten().copied().collect::<Vec<_>>().as_slice(),
                &payload,
            ]
            .concat()
        })
    }

    proptest! {
        #[test]
        fn s6_2_it_agrees_with_the_receiver_up_to_the_first_violation(
            frames in prop::collection::vec(frame(), 0..12),
            noise in prop::collection::vec(any::<u8>(), 0..12),
            cut in 0usize..3,
            size in 1usize..40,
        ) {
            let mut wire = [frames.concat(), noise].concat();
            wire.truncate(wire.len().saturating_sub(cut));
            for sender in [Role::Client, Role::Server] {
                let frames = dissect(sender, &wire);
                prop_assert_eq!(outcomes_of_frames(&frames), outcomes_of_receiver(sender, &wire));
                prop_assert_eq!(&dissect_in_reads(sender, &wire, size), &frames);
            }
        }

        #[test]
        fn s10_7_frames_cover_the_stream(wire in prop::collection::vec(any::<u8>(), 0..300)) {
            let frames = dissect(Role::Client, &wire);
            let mut end = 0;
            for frame in &frames {
                prop_assert_eq!(frame.offset, end);
                end += frame.header.bytes().len() as u64 + frame.arrived;
            }
            prop_assert_eq!(end, wire.len() as u64);
        }
    }
}
