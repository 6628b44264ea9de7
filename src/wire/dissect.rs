//! A stream of frames read to its end, whatever is wrong with it: section 5 for whoever wants to see
//! all of it and not, as a peer, the first violation alone.
//!
//! The rules are those of [`raw`](super::raw), [`message`](super::message), [`text`](super::utf8) and
//! [`close`](super::close); what is added is how to go on: a frame is as long as it says, and a
//! message that is interrupted is given up for the new one.

use super::close::{Close, Violation};
use super::frame::{CONTROL_MAX, Opcode, Role};
use super::mask;
use super::message::check_fragmentation;
use super::raw::RawHeader;
use super::utf8::Utf8Buffer;

/// One frame, right or wrong, whole or cut off by the end of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Octets of the stream before it.
    pub offset: u64,
    /// Who sent it.
    pub sender: Role,
    /// Everything of it but its payload.
    pub header: RawHeader,
    /// The first octets of its payload, unmasked; of a control frame, all that it may have.
    pub payload: Vec<u8>,
    /// Octets of payload that came.
    pub arrived: u64,
    /// Every rule that it breaks, in the order in which a receiver would notice.
    pub violations: Vec<Violation>,
    /// Did a Close come before it? Then it has no meaning (section 5.5.1).
    pub follows_close: bool,
    /// The message that ends with it.
    pub message: Option<Message>,
}

/// A message as its frames make it (section 5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Text or Binary.
    pub opcode: Opcode,
    /// Octets of the stream before its first frame.
    pub offset: u64,
    /// Its frames.
    pub frames: u64,
    /// Control frames between them.
    pub between: u64,
    /// Octets that came.
    pub length: u64,
    /// The first of them.
    pub payload: Vec<u8>,
    /// Is it UTF-8, as a text has to be (section 8.1)?
    pub is_utf8: bool,
}

impl Frame {
    fn at(offset: u64, sender: Role, follows_close: bool) -> Self {
        Self {
            offset,
            sender,
            header: RawHeader::default(),
            payload: Vec::new(),
            arrived: 0,
            violations: Vec::new(),
            follows_close,
            message: None,
        }
    }

    /// Octets that it lacks, as far as its header tells.
    #[must_use]
    pub fn missing(&self) -> u64 {
        let header = self.header.size() - self.header.bytes().len();
        self.payload_missing().saturating_add(header as u64)
    }

    /// What its Close says, if it is a whole one that is right.
    #[must_use]
    pub fn close(&self) -> Option<Close> {
        let is_close = self.header.opcode() == Some(Opcode::Close) && self.missing() == 0;
        if is_close { Close::parse(&self.payload).ok() } else { None }
    }

    /// Is it a data frame that comes after a Close, which section 5.5.1 forbids?
    #[must_use]
    pub fn is_too_late(&self) -> bool {
        self.follows_close && !self.header.is_control()
    }

    /// Is there no rule that it breaks?
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.violations.is_empty() && !self.is_too_late()
    }

    fn payload_missing(&self) -> u64 {
        self.header.length().unwrap_or_default() - self.arrived
    }
}

/// Turns one peer's octets into [`Frame`]s; memory follows `payload_max`, not the stream.
pub struct Dissector {
    /// Unknown until the first mask bit tells.
    sender: Option<Role>,
    payload_max: usize,
    offset: u64,
    /// The frame that is not whole.
    frame: Option<Frame>,
    /// The message whose last frame has not ended.
    message: Option<Message>,
    /// The judge of that message, if it is text.
    text: Utf8Buffer,
    has_closed: bool,
}

impl Dissector {
    /// For the frames of `sender` (without one, the mask bit of the first frame tells), the first of
    /// them at `offset`; `payload_max` octets are kept of each payload.
    #[must_use]
    pub fn new(sender: Option<Role>, offset: u64, payload_max: usize) -> Self {
        Self {
            sender,
            payload_max,
            offset,
            frame: None,
            message: None,
            text: Utf8Buffer::default(),
            has_closed: false,
        }
    }

    /// Takes more of the stream, unmasking it in place; `tell` gets each frame that is whole by now.
    pub fn read(&mut self, mut octets: &mut [u8], mut tell: impl FnMut(Frame)) {
        while !octets.is_empty() {
            let mut frame = self.frame.take().unwrap_or_else(|| self.next_frame());
            let header = frame.header.take(octets);
            if !frame.header.is_whole() {
                self.frame = Some(frame);
                return self.pass(header);
            }
            if 0 < header {
                self.begin(&mut frame);
            }
            let (_, rest) = octets.split_at_mut(header);
            let missing = usize::try_from(frame.payload_missing()).unwrap_or(usize::MAX);
            let (payload, rest) = rest.split_at_mut(missing.min(rest.len()));
            self.pass(header + payload.len());
            self.take_payload(&mut frame, payload);
            octets = rest;
            if frame.payload_missing() == 0 {
                self.end(&mut frame);
                tell(frame);
            } else {
                self.frame = Some(frame);
            }
        }
    }

    /// The frame that the end of the stream cut off, as far as it came.
    pub fn finish(&mut self) -> Option<Frame> {
        let mut frame = self.frame.take()?;
        if !frame.header.is_whole() {
            self.learn(&mut frame);
        }
        Some(frame)
    }

    /// The frame that is not whole, as far as it came, if it breaks a rule already: a receiver does not
    /// wait for the rest.
    pub fn broken(&mut self) -> Option<Frame> {
        let Frame { header, violations, sender, .. } = self.frame.as_ref()?;
        let is_broken = !violations.is_empty() || header.violations(*sender).next().is_some();
        if is_broken { self.finish() } else { None }
    }

    /// The message that still waits for its last frame.
    #[must_use]
    pub fn unfinished(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    fn pass(&mut self, octets: usize) {
        self.offset += octets as u64;
    }

    fn next_frame(&self) -> Frame {
        Frame::at(self.offset, self.sender.unwrap_or(Role::Client), self.has_closed)
    }

    /// Who sent it, and what its header breaks.
    fn learn(&mut self, frame: &mut Frame) {
        if let (None, Some(mask)) = (self.sender, frame.header.mask()) {
            self.sender = Some(if mask { Role::Client } else { Role::Server });
        }
        frame.sender = self.sender.unwrap_or(Role::Client);
        frame.violations = frame.header.violations(frame.sender).collect();
    }

    /// The header is whole: its own rules, and its place in a message.
    fn begin(&mut self, frame: &mut Frame) {
        self.learn(frame);
        let Some(opcode) = frame.header.opcode() else { return };
        frame.violations.extend(check_fragmentation(self.message.is_some(), opcode).err());
        match (&mut self.message, opcode) {
            (Some(message), Opcode::Continuation) => message.frames += 1,
            (Some(message), Opcode::Close | Opcode::Ping | Opcode::Pong) => message.between += 1,
            (message, Opcode::Text | Opcode::Binary) => {
                self.text.clear();
                *message = Some(Message::begins(opcode, frame.offset));
            }
            (None, _) => (),
        }
    }

    fn take_payload(&mut self, frame: &mut Frame, payload: &mut [u8]) {
        if let Some(key) = frame.header.key() {
            mask::apply(key, (frame.arrived % 4) as usize, payload);
        }
        frame.arrived += payload.len() as u64;
        let max = if frame.header.is_control() { CONTROL_MAX } else { 0 };
        keep(&mut frame.payload, payload, self.payload_max.max(max));
        if let Some(message) = self.message.as_mut().filter(|_| is_data(frame)) {
            message.length += payload.len() as u64;
            keep(&mut message.payload, payload, self.payload_max);
            if message.opcode == Opcode::Text && message.is_utf8 {
                message.is_utf8 = self.text.push(payload, usize::MAX).is_ok();
                self.text.discard_valid();
                frame.violations.extend((!message.is_utf8).then_some(Violation::NotUtf8));
            }
        }
    }

    /// All of the frame came.
    fn end(&mut self, frame: &mut Frame) {
        match frame.header.opcode() {
            Some(Opcode::Close) => {
                self.has_closed = true;
                if frame.payload.len() as u64 == frame.arrived {
                    frame.violations.extend(Close::parse(&frame.payload).err());
                }
            }
            Some(Opcode::Continuation | Opcode::Text | Opcode::Binary) if frame.header.fin() => {
                let Some(mut message) = self.message.take() else { return };
                if message.opcode == Opcode::Text && message.is_utf8 {
                    message.is_utf8 = self.text.whole().is_ok();
                    frame.violations.extend((!message.is_utf8).then_some(Violation::NotUtf8));
                }
                frame.message = Some(message);
            }
            _ => (),
        }
    }
}

impl Message {
    fn begins(opcode: Opcode, offset: u64) -> Self {
        Self {
            opcode,
            offset,
            frames: 1,
            between: 0,
            length: 0,
            payload: Vec::new(),
            is_utf8: true,
        }
    }
}

fn is_data(frame: &Frame) -> bool {
    frame.header.opcode().is_some_and(|opcode| !opcode.is_control())
}

fn keep(kept: &mut Vec<u8>, more: &[u8], max: usize) {
    let room = max.saturating_sub(kept.len());
    kept.extend_from_slice(more.get(..room).unwrap_or(more));
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

    /// What a stream says up to its Close or its first violation.
    #[derive(Debug, PartialEq, Eq)]
    enum QueueState {
        Text(Vec<u8>),
        Binary(Vec<u8>),
        Ping(Vec<u8>),
        Pong(Vec<u8>),
        Close(Close),
        Broken(Violation),
    }

    fn said_by_frames(frames: &[Frame]) -> Vec<QueueState> {
        let mut said = Vec::new();
        for frame in frames {
            if let Some(violation) = frame.violations.first() {
                said.push(QueueState::Broken(*violation));
                break;
            }
            if frame.missing() != 0 {
                break;
            }
            let payload = frame.payload.clone();
            match frame.header.opcode().unwrap() {
                Opcode::Ping => said.push(QueueState::Ping(payload)),
                Opcode::Pong => said.push(QueueState::Pong(payload)),
                Opcode::Close => {
                    said.push(QueueState::Close(frame.close().unwrap()));
                    break;
                }
                Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                    let message = frame.message.as_ref().filter(|_| frame.header.fin());
                    said.extend(message.map(|message| match message.opcode {
                        Opcode::Text => QueueState::Text(message.payload.clone()),
                        _ => QueueState::Binary(message.payload.clone()),
                    }));
                }
            }
        }
        said
    }

    /// The strict reader of the same octets.
    fn said_by_receiver(sender: Role, wire: &[u8]) -> Vec<QueueState> {
        let mut receiver = Receiver::new(sender, usize::MAX, wire);
        let mut said = Vec::new();
        loop {
            let event = match receiver.next() {
                Ok(None) => return said,
                Ok(Some(Event::Text(text))) => QueueState::Text(text.as_bytes().to_vec()),
                Ok(Some(Event::Binary(octets))) => QueueState::Binary(octets.to_vec()),
                Ok(Some(Event::Ping(octets))) => QueueState::Ping(octets.to_vec()),
                Ok(Some(Event::Pong(octets))) => QueueState::Pong(octets.to_vec()),
                Ok(Some(Event::Close(close))) => QueueState::Close(close),
                Err(violation) => QueueState::Broken(violation),
            };
            let is_last = matches!(event, QueueState::Close(_) | QueueState::Broken(_));
            said.push(event);
            if is_last {
                return said;
            }
        }
    }

    #[test]
    fn it_goes_on_behind_each_violation() {
        let wire = [
            &[0xc1, 0x01, b'a'][..],         // RSV1
            &[0x83, 0x01, b'b'],             // opcode 3
            &[0x80, 0x00],                   // nothing to continue
            &[0x01, 0x01, 0xc3],             // half an e acute
            &[0x89, 0x80, 1, 2, 3, 4],       // a masked ping
            &[0x81, 0x01, b'c'],             // interrupts it
            &[0x88, 0x02, 0x03, 0xed],       // 1005
            &[0x82, 0x7e, 0x00, 0x01, 0xff], // one octet in a long form, and too late
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
            vec![Violation::CloseCode],
            vec![Violation::LengthNotMinimal],
        ];
        assert_eq!(broken, expected);
        let offsets: Vec<_> = frames.iter().map(|frame| frame.offset).collect();
        assert_eq!(offsets, [0, 3, 6, 8, 11, 17, 20, 24]);
        assert!(frames.iter().all(|frame| frame.is_too_late() == (frame.offset == 24)));
        assert_eq!(frames[5].message.as_ref().unwrap().payload, b"c");
    }

    #[test]
    fn the_first_mask_bit_tells_who_speaks() {
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
    fn what_is_missing_is_counted() {
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
    fn memory_follows_the_bound_and_not_the_stream() {
        let mut dissector = Dissector::new(Some(Role::Server), 0, 10);
        dissector.read(&mut [0x81, 0x7f, 0, 0, 0, 0, 0x10, 0, 0, 0], |_| panic!("not yet"));
        for _ in 0..1000 {
            dissector.read(&mut [b'a'; 5000], |_| panic!("not yet"));
        }
        let frame = dissector.finish().unwrap();
        assert_eq!((frame.payload.len(), frame.arrived), (10, 5_000_000));
        assert!(dissector.unfinished().unwrap().payload.capacity() < 100);
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
        fn s6_2_up_to_its_first_violation_it_says_what_the_receiver_says(
            frames in prop::collection::vec(frame(), 0..12),
            noise in prop::collection::vec(any::<u8>(), 0..12),
            cut in 0usize..3,
            size in 1usize..40,
        ) {
            let mut wire = [frames.concat(), noise].concat();
            wire.truncate(wire.len().saturating_sub(cut));
            for sender in [Role::Client, Role::Server] {
                let frames = dissect(sender, &wire);
                prop_assert_eq!(said_by_frames(&frames), said_by_receiver(sender, &wire));
                prop_assert_eq!(&dissect_in_reads(sender, &wire, size), &frames);
            }
        }

        #[test]
        fn s10_7_frames_lie_end_to_end(wire in prop::collection::vec(any::<u8>(), 0..300)) {
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
