//! From bytes to messages, sections 5.4, 5.6 and 6.2: the receiver joins fragments, and returns the control
//! frames between them.
//!
//! It checks each rule as soon as the bytes that the rule needs are in the buffer: each field of a header; the
//! order of frames and the size after the whole header; text as it arrives; a Close body with the whole frame.

use std::ops::Range;

use super::assembly::Assembly;
use super::close::Close;
use super::frame::{CONTROL_MAX, HEADER_MAX, Header, Opcode, Role};
use super::mask;
use super::rules::ensure;
use super::violation::Violation;

/// The buffer of a quiet peer in bytes: most chat messages fit.
const BUFFER_MIN: usize = 2 * 1024;
/// The buffer of a busy peer in bytes: one `read` takes hundreds of small frames.
const BUFFER_MAX: usize = 128 * 1024;
const _: () = assert!(CONTROL_MAX < BUFFER_MIN && HEADER_MAX < BUFFER_MIN);

/// A message or a control frame of the peer.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text message.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// A Ping with its application data, which the Pong returns (section 5.5.3).
    Ping(&'a [u8]),
    /// A Pong, which needs no reply (section 5.5.3).
    Pong(&'a [u8]),
    /// The last event: bytes after a Close are not processed (section 5.5.1).
    Close(Close),
}

/// Turns the bytes of one peer into events.
///
/// The caller writes bytes into [`spare_capacity`](Self::spare_capacity), passes their number to
/// [`advance`](Self::advance), and calls [`next`](Self::next) until it returns `None`. Memory follows the
/// received bytes, never a length that a header claims: a buffer of 2 to 128 KiB, and at most
/// `max_message` bytes of the current message.
pub struct Receiver {
    sender: Role,
    max_message: usize,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that were received and not consumed.
    unread: Range<usize>,
    /// The data frame whose payload is incomplete, and how many bytes of it were consumed.
    frame: Option<(Header, u64)>,
    /// The message whose last frame has not ended.
    message: Option<Assembly>,
    /// The joined message that the last event borrowed.
    finished: Option<Assembly>,
    /// The end of the stream: a Close, or a violation.
    ended: Option<Result<(), Violation>>,
    counts: FrameCounts,
}

/// The numbers of received frames, in the order of [`Opcode::ALL`].
pub type FrameCounts = [u64; Opcode::ALL.len()];

/// What was consumed from the front of the buffer.
enum Found {
    /// A whole message or control frame in one frame; its payload is unmasked.
    Frame(Opcode, Range<usize>),
    /// The end of a joined message.
    Message,
}

impl Receiver {
    /// A receiver for the frames of `sender`. `max_message` is the longest message in bytes. `early` are
    /// bytes received after the handshake in the same read; they belong to the first frames.
    pub fn new(sender: Role, max_message: usize, early: &[u8]) -> Self {
        // A power of two, as both bounds are: doubling and halving meet them exactly.
        let mut buffer = vec![0; early.len().next_power_of_two().max(BUFFER_MIN)];
        buffer[..early.len()].copy_from_slice(early);
        let unread = 0..early.len();
        let (frame, message, finished, ended) = (None, None, None, None);
        let counts = FrameCounts::default();
        Self { sender, max_message, buffer, unread, frame, message, finished, ended, counts }
    }

    /// Space for the next bytes; never empty after [`next`](Self::next) returned `None`.
    pub fn spare_capacity(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        &mut self.buffer[self.unread.end..]
    }

    /// Takes `count` bytes that the caller wrote to [`spare_capacity`](Self::spare_capacity).
    ///
    /// The buffer doubles when it is full and halves when little was received, so it is large only
    /// while the peer sends much.
    pub fn advance(&mut self, count: usize) {
        self.unread.end = (self.unread.end + count).min(self.buffer.len());
        let length = self.buffer.len();
        if self.unread.end == length && length < BUFFER_MAX {
            self.buffer.resize(2 * length, 0);
        } else if self.unread.end < length / 8 && BUFFER_MIN < length {
            self.buffer.truncate(length / 2);
            self.buffer.shrink_to_fit();
        }
    }

    /// The next event; `None` if it needs more bytes, and always after a Close.
    ///
    /// # Errors
    /// The peer's violation. It is final: every later call returns it again (section 7.1.7).
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend its items")]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Violation> {
        if let Some(end) = self.ended {
            self.unread = 0..0; // 5.5.1, 7.1.7: nothing is processed after the end
            return end.map(|()| None);
        }
        self.finished = None;
        let event = match self.next_item() {
            Ok(None) => return Ok(None),
            Ok(Some(Found::Frame(opcode, payload))) => frame_event(opcode, &self.buffer[payload]),
            Ok(Some(Found::Message)) => message_event(self.finished.as_ref()),
            Err(violation) => Err(violation),
        };
        self.ended = match &event {
            Ok(Event::Close(_)) => Some(Ok(())),
            Ok(_) => None,
            Err(violation) => Some(Err(*violation)),
        };
        event.map(Some)
    }

    /// The numbers of frames received since the last call.
    pub fn take_counts(&mut self) -> FrameCounts {
        std::mem::take(&mut self.counts)
    }

    /// Consumes the buffer up to the end of a message or control frame.
    fn next_item(&mut self) -> Result<Option<Found>, Violation> {
        loop {
            if let Some((header, consumed)) = self.frame.take() {
                if !self.consume_payload(header, consumed)? {
                    return Ok(None);
                }
                if header.fin {
                    self.finished = self.message.take(); // 5.4: FIN ends the message
                    return Ok(Some(Found::Message));
                }
            }
            let unread = &self.buffer[self.unread.clone()];
            let Some(header) = Header::parse(unread, self.sender)? else { return Ok(None) };
            self.check_order_and_size(&header)?;
            // 5.5: control frames may be between the fragments of a message, and are handled at once. A
            // message that is one frame and whole in the buffer is lent without a copy.
            let is_control = header.opcode.is_control();
            if is_control || (header.fin && header.opcode != Opcode::Continuation) {
                if let Some(payload) = self.consume_frame(&header) {
                    return Ok(Some(Found::Frame(header.opcode, payload)));
                }
                if is_control {
                    return Ok(None); // at most 131 bytes: it fits the buffer
                }
            }
            if let Some(begun) = Assembly::new(header.opcode) {
                self.message = Some(begun); // 5.6: the first frame determines the type
            }
            self.count(header.opcode);
            self.unread.start += header.size();
            self.frame = Some((header, 0));
        }
    }

    /// Section 5.4: the order of frames. Section 10.4: the size of the message.
    fn check_order_and_size(&self, header: &Header) -> Result<(), Violation> {
        if header.opcode.is_control() {
            return Ok(());
        }
        check_fragmentation(self.message.is_some(), header.opcode)?;
        let size = self.message.as_ref().map_or(0, Assembly::size);
        ensure(header.length <= self.max_message.saturating_sub(size) as u64, Violation::TooBig)
    }

    /// Consumes one frame if all of it is in the buffer, and returns where its unmasked payload is.
    fn consume_frame(&mut self, header: &Header) -> Option<Range<usize>> {
        let start = self.unread.start + header.size();
        let end = start.checked_add(usize::try_from(header.length).ok()?)?;
        if self.unread.end < end {
            return None;
        }
        unmask(header, 0, &mut self.buffer[start..end]);
        self.count(header.opcode);
        self.unread.start = end;
        Some(start..end)
    }

    fn count(&mut self, opcode: Opcode) {
        self.counts[opcode.index()] += 1;
    }

    /// Consumes the received payload of a data frame. Returns whether the frame is complete.
    fn consume_payload(&mut self, header: Header, consumed: u64) -> Result<bool, Violation> {
        let missing = usize::try_from(header.length - consumed).unwrap_or(usize::MAX);
        let count = missing.min(self.unread.len());
        let payload = &mut self.buffer[self.unread.start..self.unread.start + count];
        unmask(&header, consumed, payload);
        let message = self.message.as_mut().ok_or(Violation::NothingToContinue)?; // cannot fail
        message.push(payload, self.max_message)?; // 8.1: text is checked as it arrives
        self.unread.start += count;
        if count == missing {
            return Ok(true);
        }
        self.frame = Some((header, consumed + count as u64));
        Ok(false)
    }
}

/// Section 5.4: a text or binary frame begins a message, and only a continuation frame continues one.
pub(super) fn check_fragmentation(is_in_message: bool, opcode: Opcode) -> Result<(), Violation> {
    match (is_in_message, opcode) {
        (false, Opcode::Continuation) => Err(Violation::NothingToContinue),
        (true, Opcode::Text | Opcode::Binary) => Err(Violation::MessageInterrupted),
        _ => Ok(()),
    }
}

/// Section 5.3: `payload` begins after `consumed` bytes of the frame's payload.
fn unmask(header: &Header, consumed: u64, payload: &mut [u8]) {
    if let Some(key) = header.key {
        mask::apply(key, (consumed % 4) as usize, payload);
    }
}

/// The event of a whole frame. It is not a continuation: `next_item` joins those, with FIN too.
fn frame_event(opcode: Opcode, payload: &[u8]) -> Result<Event<'_>, Violation> {
    match opcode {
        Opcode::Text => str::from_utf8(payload).map(Event::Text).or(Err(Violation::NotUtf8)), // 8.1
        Opcode::Binary => Ok(Event::Binary(payload)),                                         // 5.6
        Opcode::Close => Close::parse(payload).map(Event::Close), // 5.5.1
        Opcode::Ping => Ok(Event::Ping(payload)),                 // 5.5.2
        Opcode::Pong => Ok(Event::Pong(payload)),                 // 5.5.3
        Opcode::Continuation => Err(Violation::NothingToContinue), // cannot happen
    }
}

/// The event of a joined message, whose last frame has FIN (section 5.4).
fn message_event(message: Option<&Assembly>) -> Result<Event<'_>, Violation> {
    match message {
        Some(Assembly::Text(text)) => text.whole().map(Event::Text), // 8.1
        Some(Assembly::Binary(bytes)) => Ok(Event::Binary(bytes)),   // 5.6
        None => Err(Violation::NothingToContinue), // cannot happen: `next_item` has set it
    }
}

#[cfg(test)]
mod tests {
    use super::super::close::CloseCode;
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    const MESSAGE_MAX: usize = 1 << 20;

    /// First bytes of frames.
    const TEXT_FIRST: u8 = 0b0_000_0001;
    const BINARY_FIRST: u8 = 0b0_000_0010;
    const CONTINUATION: u8 = 0b0_000_0000;
    const LAST: u8 = 0b1_000_0000;
    const TEXT: u8 = 0b1_000_0001;
    const BINARY: u8 = 0b1_000_0010;
    const CLOSE: u8 = 0b1_000_1000;
    const PING: u8 = 0b1_000_1001;
    const PONG: u8 = 0b1_000_1010;

    /// An event that owns its content, or the violation that ends the stream.
    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Outcome {
        Text(String),
        Binary(Vec<u8>),
        Ping(Vec<u8>),
        Pong(Vec<u8>),
        Close(Close),
        Failed(Violation),
    }

    fn text(text: &str) -> Outcome {
        Outcome::Text(text.to_owned())
    }

    impl From<Event<'_>> for Outcome {
        fn from(event: Event<'_>) -> Self {
            match event {
                Event::Text(text) => Self::Text(text.to_owned()),
                Event::Binary(bytes) => Self::Binary(bytes.to_owned()),
                Event::Ping(payload) => Self::Ping(payload.to_owned()),
                Event::Pong(payload) => Self::Pong(payload.to_owned()),
                Event::Close(close) => Self::Close(close),
            }
        }
    }

    fn header(first: u8, key: Option<[u8; 4]>, length: u64) -> Vec<u8> {
        let mask = if key.is_some() { 0b1000_0000 } else { 0 };
        let mut wire = match length {
            0..126 => vec![first, mask | u8::try_from(length).unwrap()],
            126..0x1_0000 => vec![first, mask | 126],
            _ => vec![first, mask | 127],
        };
        match length {
            0..126 => (),
            126..0x1_0000 => wire.extend(u16::try_from(length).unwrap().to_be_bytes()),
            _ => wire.extend(length.to_be_bytes()),
        }
        wire.extend(key.iter().flatten());
        wire
    }

    /// A frame, written without the code that is tested: byte i XOR byte i mod 4 of the key.
    fn frame(first: u8, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
        let mut wire = header(first, key, payload.len() as u64);
        let key = key.unwrap_or_default();
        wire.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]));
        wire
    }

    fn client(first: u8, payload: &[u8]) -> Vec<u8> {
        frame(first, Some(KEY), payload)
    }

    fn from_client(max_message: usize) -> Receiver {
        Receiver::new(Role::Client, max_message, &[])
    }

    /// Every outcome until `receiver` needs more bytes.
    fn drain(receiver: &mut Receiver) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        loop {
            match receiver.next() {
                Ok(Some(event)) => outcomes.push(event.into()),
                Ok(None) => return outcomes,
                Err(violation) => {
                    outcomes.push(Outcome::Failed(violation));
                    return outcomes;
                }
            }
        }
    }

    fn has_failed(receiver: &Receiver) -> bool {
        matches!(receiver.ended, Some(Err(_)))
    }

    /// Gives `wire` to `receiver` in reads as large as its spare capacity, and returns every outcome.
    fn feed(receiver: &mut Receiver, mut wire: &[u8]) -> Vec<Outcome> {
        let mut outcomes = drain(receiver);
        while !wire.is_empty() && !has_failed(receiver) {
            let space = receiver.spare_capacity();
            assert!(!space.is_empty(), "a receiver that needs more bytes has space for them");
            let (now, later) = wire.split_at(wire.len().min(space.len()));
            space[..now.len()].copy_from_slice(now);
            receiver.advance(now.len());
            outcomes.extend(drain(receiver));
            wire = later;
        }
        outcomes
    }

    /// The outcomes of a new receiver that gets `wire` in one piece.
    fn outcomes(sender: Role, wire: &[u8]) -> Vec<Outcome> {
        drain(&mut Receiver::new(sender, MESSAGE_MAX, wire))
    }

    /// The outcomes of a new receiver that gets `wire` in reads of these sizes, repeated.
    fn outcomes_in_reads(sender: Role, wire: &[u8], sizes: &[usize]) -> Vec<Outcome> {
        let mut receiver = Receiver::new(sender, MESSAGE_MAX, &[]);
        let mut outcomes = Vec::new();
        let mut rest = wire;
        for size in sizes.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*size));
            outcomes.extend(feed(&mut receiver, now));
            rest = later;
            if rest.is_empty() || has_failed(&receiver) {
                break;
            }
        }
        outcomes
    }

    /// Bytes that the receiver holds.
    fn memory(receiver: &Receiver) -> usize {
        let messages = [&receiver.message, &receiver.finished];
        let held = messages.into_iter().flatten().map(|message| match message {
            Assembly::Text(text) => text.valid.capacity() + text.incomplete.capacity(),
            Assembly::Binary(bytes) => bytes.capacity(),
        });
        receiver.buffer.capacity() + held.sum::<usize>()
    }

    #[test]
    #[rustfmt::skip]
    fn s5_7_the_examples_of_the_rfc() {
        let k256 = [&[0x82, 0x7e, 0x01, 0x00][..], &[0xa5; 256]].concat();
        let k64 = [&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0][..], &[0xa5; 65_536]].concat();
        let hello = Outcome::Text("Hello".to_owned());
        for (what, sender, wire, event) in [
            ("unmasked text", Role::Server,
                &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f][..], hello.clone()),
            ("masked text", Role::Client,
                &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], hello.clone()),
            ("unmasked fragments", Role::Server,
                &[0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f], hello.clone()),
            ("masked fragments", Role::Client,
                &[0x01, 0x83, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d,
                  0x80, 0x82, 0x37, 0xfa, 0x21, 0x3d, 0x5b, 0x95], hello.clone()),
            ("zero key", Role::Client,
                &[0x81, 0x85, 0, 0, 0, 0, 0x48, 0x65, 0x6c, 0x6c, 0x6f], hello),
            ("unmasked ping", Role::Server,
                &[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], Outcome::Ping(b"Hello".to_vec())),
            ("masked pong", Role::Client,
                &[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
                Outcome::Pong(b"Hello".to_vec())),
            ("binary 00 to 08", Role::Client,
                &[0x82, 0x89, 0x37, 0xfa, 0x21, 0x3d,
                  0x37, 0xfb, 0x23, 0x3e, 0x33, 0xff, 0x27, 0x3a, 0x3f],
                Outcome::Binary((0..=8).collect())),
            ("close 1000 bye", Role::Client,
                &[0x88, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x34, 0x12, 0x43, 0x44, 0x52],
                Outcome::Close(Close::new(CloseCode::NORMAL, "bye"))),
            ("binary of 256", Role::Server, &k256, Outcome::Binary(vec![0xa5; 256])),
            ("binary of 65536", Role::Server, &k64, Outcome::Binary(vec![0xa5; 65_536])),
        ] {
            assert_eq!(outcomes(sender, wire), std::slice::from_ref(&event), "{what}");
            assert_eq!(outcomes_in_reads(sender, wire, &[1]), [event], "{what}, byte by byte");
            let (other, violation) = match sender {
                Role::Client => (Role::Server, Violation::Masked),
                Role::Server => (Role::Client, Violation::Unmasked),
            };
            assert_eq!(outcomes(other, wire), [Outcome::Failed(violation)], "{what} from the other role");
        }
    }

    #[test]
    fn s5_4_control_frames_may_be_between_fragments() {
        let wire = [
            client(TEXT_FIRST, b"Hel"),
            client(PING, b"1"),
            client(CONTINUATION, b""),
            client(PONG, b"2"),
            client(PING, &[0xff; 125]),
            client(LAST, b"lo"),
        ];
        let ping = |payload: &[u8]| Outcome::Ping(payload.to_vec());
        let events = [ping(b"1"), Outcome::Pong(b"2".to_vec()), ping(&[0xff; 125]), text("Hello")];
        assert_eq!(outcomes(Role::Client, &wire.concat()), events);
        assert_eq!(outcomes_in_reads(Role::Client, &wire.concat(), &[1]), events);
        // The Ping is returned before the message ends.
        assert_eq!(outcomes(Role::Client, &wire[..2].concat()), [ping(b"1")]);
    }

    #[test]
    fn s5_4_a_close_may_come_before_the_message_ends() {
        let wire = [client(TEXT_FIRST, b"Hel"), client(CLOSE, &[0x03, 0xe8])].concat();
        assert_eq!(
            outcomes(Role::Client, &wire),
            [Outcome::Close(Close::new(CloseCode::NORMAL, ""))]
        );
    }

    #[test]
    fn s5_4_a_message_has_the_type_of_its_first_frame() {
        let euro = [client(BINARY_FIRST, &[0xe2]), client(LAST, &[0x82])].concat();
        assert_eq!(outcomes(Role::Client, &euro), [Outcome::Binary(vec![0xe2, 0x82])]);
    }

    #[test]
    fn s5_4_fragments_may_be_empty() {
        for wire in [
            vec![client(TEXT_FIRST, b""), client(CONTINUATION, b""), client(LAST, b"")],
            vec![client(TEXT_FIRST, b""), client(LAST, b"")],
            vec![client(TEXT, b"")],
        ] {
            assert_eq!(outcomes(Role::Client, &wire.concat()), [text("")]);
        }
    }

    #[test]
    fn s6_2_messages_follow_each_other() {
        let wire = [
            client(TEXT_FIRST, b"on"),
            client(LAST, b"e"),
            client(BINARY, b"two"),
            client(BINARY_FIRST, b"thr"),
            client(LAST, b"ee"),
            client(TEXT, b"four"),
        ];
        let events = [
            text("one"),
            Outcome::Binary(b"two".to_vec()),
            Outcome::Binary(b"three".to_vec()),
            text("four"),
        ];
        assert_eq!(outcomes(Role::Client, &wire.concat()), events);
    }

    #[test]
    #[rustfmt::skip]
    fn s5_4_wrong_sequences() {
        for (what, violation, wire) in [
            ("5.4 continuation first", Violation::NothingToContinue, vec![client(LAST, b"a")]),
            ("5.4 the same without FIN", Violation::NothingToContinue, vec![client(CONTINUATION, b"a")]),
            ("5.4 the same, empty", Violation::NothingToContinue, vec![client(LAST, b"")]),
            ("5.4 continuation of a whole message", Violation::NothingToContinue,
                vec![client(TEXT, b"a"), client(LAST, b"b")]),
            ("5.4 continuation of a joined message", Violation::NothingToContinue,
                vec![client(TEXT_FIRST, b"a"), client(LAST, b"b"), client(LAST, b"c")]),
            ("5.4 continuation of a ping", Violation::NothingToContinue,
                vec![client(PING, b"a"), client(LAST, b"b")]),
            ("5.4 text in a text", Violation::MessageInterrupted,
                vec![client(TEXT_FIRST, b"a"), client(TEXT, b"b")]),
            ("5.4 first fragment in a text", Violation::MessageInterrupted,
                vec![client(TEXT_FIRST, b"a"), client(TEXT_FIRST, b"b")]),
            ("5.4 binary in a text", Violation::MessageInterrupted,
                vec![client(TEXT_FIRST, b"a"), client(BINARY, b"b")]),
            ("5.4 text in a binary", Violation::MessageInterrupted,
                vec![client(BINARY_FIRST, b"a"), client(CONTINUATION, b"b"), client(TEXT, b"c")]),
            ("5.4 text after an empty fragment", Violation::MessageInterrupted,
                vec![client(TEXT_FIRST, b""), client(TEXT, b"")]),
            ("5.4 text after a ping after a fragment", Violation::MessageInterrupted,
                vec![client(TEXT_FIRST, b"a"), client(PING, b""), client(TEXT, b"b")]),
            ("5.5 ping without FIN in a message", Violation::ControlFragmented,
                vec![client(TEXT_FIRST, b"a"), client(PING & 0x7f, b"")]),
            ("5.5.1 close of one byte", Violation::CloseBody, vec![client(CLOSE, &[0x03])]),
            ("7.4 close 1005", Violation::CloseCodeLocal, vec![client(CLOSE, &[0x03, 0xed])]),
            ("5.5.1 reason ff", Violation::CloseReason, vec![client(CLOSE, &[0x03, 0xe8, 0xff])]),
            ("8.1 c3 28", Violation::NotUtf8, vec![client(TEXT, &[0xc3, 0x28])]),
            ("5.1 unmasked in a message", Violation::Unmasked,
                vec![client(TEXT_FIRST, b"a"), frame(LAST, None, b"b")]),
        ] {
            let wire = wire.concat();
            let whole = outcomes(Role::Client, &wire);
            assert_eq!(whole.last(), Some(&Outcome::Failed(violation)), "{what}");
            assert_eq!(outcomes_in_reads(Role::Client, &wire, &[1]), whole, "{what}, byte by byte");
        }
    }

    #[test]
    fn s7_1_7_a_violation_is_final_and_frames_before_it_are_processed() {
        for (violation, bad) in [
            (Violation::ReservedBits, client(0b1_100_0001, b"RSV1")),
            (Violation::NothingToContinue, client(LAST, b"")),
            (Violation::NotUtf8, client(TEXT, &[0xff])), // consumed before it is checked
            (Violation::CloseBody, client(CLOSE, &[0x03])),
        ] {
            let good = [client(TEXT, b"good"), client(PING, b"good")].concat();
            let late = [client(TEXT, b"late"), client(PING, b"late")].concat();
            let wire = [good, bad, late].concat();
            let mut receiver = Receiver::new(Role::Client, MESSAGE_MAX, &wire);
            let broken = Outcome::Failed(violation);
            let events = [text("good"), Outcome::Ping(b"good".to_vec()), broken.clone()];
            assert_eq!(drain(&mut receiver), events);
            for _ in 0..3 {
                assert_eq!(drain(&mut receiver), std::slice::from_ref(&broken));
            }
            receiver.spare_capacity()[..2].copy_from_slice(&[0x89, 0x80]);
            receiver.advance(2);
            assert_eq!(drain(&mut receiver), [broken]);
        }
    }

    #[test]
    fn s5_4_every_prefix_is_a_cut() {
        let wire = [
            client(TEXT_FIRST, "hé".as_bytes()),
            client(PING, b"abc"),
            client(CONTINUATION, &"€😀".as_bytes()[..4]),
            client(LAST, &"€😀".as_bytes()[4..]),
            client(BINARY, &[0xff; 130]),
            client(PONG, b""),
            client(TEXT, &"ä".repeat(70).into_bytes()),
            client(CLOSE, &[0x03, 0xe8, b'b', b'y', b'e']),
        ]
        .concat();
        let whole = outcomes(Role::Client, &wire);
        assert_eq!(whole.len(), 6);
        for cut in 0..=wire.len() {
            let (first, second) = wire.split_at(cut);
            let mut receiver = from_client(MESSAGE_MAX);
            let mut events = feed(&mut receiver, first);
            assert_eq!(events, whole[..events.len()], "cut {cut}");
            events.extend(feed(&mut receiver, second));
            assert_eq!(events, whole, "cut {cut}");
        }
    }

    /// Boundaries of RFC 3629, each valid.
    const VALID: &[&[u8]] = &[
        &[0x00],
        &[0x7f],
        &[0xc2, 0x80],
        &[0xdf, 0xbf],
        &[0xe0, 0xa0, 0x80],
        &[0xed, 0x9f, 0xbf],
        &[0xee, 0x80, 0x80],
        &[0xef, 0xb7, 0x90],
        &[0xef, 0xbb, 0xbf],
        &[0xef, 0xbf, 0xbd],
        &[0xef, 0xbf, 0xbe],
        &[0xef, 0xbf, 0xbf],
        &[0xf0, 0x90, 0x80, 0x80],
        &[0xf0, 0x9f, 0x98, 0x80],
        &[0xf4, 0x8f, 0xbf, 0xbf],
        &[0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xce, 0xbc, 0xce, 0xb5],
    ];

    /// Invalid text, and the number of the byte that proves it, from 1.
    const INVALID: &[(usize, &[u8])] = &[
        (1, &[0x80]),
        (1, &[0xbf]),
        (1, &[0xc0, 0x80]),
        (1, &[0xc1, 0xbf]),
        (2, &[0xc3, 0x28]),
        (2, &[0xe0, 0x9f, 0xbf]),
        (2, &[0xe2, 0x28, 0xa1]),
        (3, &[0xe2, 0x82, 0x28]),
        (2, &[0xed, 0xa0, 0x80]),
        (2, &[0xed, 0xbf, 0xbf]),
        (2, &[0xf0, 0x8f, 0xbf, 0xbf]),
        (3, &[0xf0, 0x90, 0x28, 0xbc]),
        (4, &[0xf0, 0x90, 0x80, 0xc0]),
        (2, &[0xf4, 0x90, 0x80, 0x80]),
        (1, &[0xf5, 0x80, 0x80, 0x80]),
        (1, &[0xf8, 0x88, 0x80, 0x80, 0x80]),
        (1, &[0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]),
        (1, &[0xfe]),
        (1, &[0xff]),
    ];

    /// Valid so far, but a message must not end here.
    const CUT: &[&[u8]] =
        &[&[0xc2], &[0xe0, 0xa0], &[0xe2, 0x82], &[0xf0, 0x90, 0x80], &[0xf4, 0x8f, 0xbf]];

    /// Text before them, so that they begin anywhere in a word of the fast check.
    const BEFORE: [&str; 4] = ["", "ok ", "h\u{e9}llo \u{20ac} ", "twenty bytes at hand"];

    /// `bytes` as a text message with one byte in each frame.
    fn one_by_one(bytes: &[u8]) -> Vec<u8> {
        let mut wire = client(TEXT_FIRST, b"");
        for byte in bytes {
            wire.extend(client(CONTINUATION, &[*byte]));
        }
        wire.extend(client(LAST, b""));
        wire
    }

    #[test]
    fn s8_1_valid_utf_8_is_accepted_however_it_is_cut() {
        for (before, edge) in
            BEFORE.iter().flat_map(|before| VALID.iter().map(move |v| (before, v)))
        {
            let payload = [before.as_bytes(), edge].concat();
            let event = Outcome::Text(String::from_utf8(payload.clone()).unwrap());
            let frame = client(TEXT, &payload);
            assert_eq!(outcomes(Role::Client, &frame), std::slice::from_ref(&event));
            assert_eq!(outcomes_in_reads(Role::Client, &frame, &[1]), std::slice::from_ref(&event));
            assert_eq!(outcomes(Role::Client, &one_by_one(&payload)), [event]);
        }
    }

    #[test]
    fn s8_1_a_violation_is_detected_at_the_byte_that_proves_it_inside_an_open_frame() {
        for (before, (proof, edge)) in
            BEFORE.iter().flat_map(|b| INVALID.iter().map(move |i| (b, i)))
        {
            let payload = [before.as_bytes(), edge, b" and more"].concat();
            let broken = [Outcome::Failed(Violation::NotUtf8)];
            let wire = client(TEXT, &payload);
            assert_eq!(outcomes(Role::Client, &wire), broken, "{edge:02x?}");
            assert_eq!(outcomes(Role::Client, &one_by_one(&payload)), broken, "{edge:02x?}");

            let proof = wire.len() - payload.len() + before.len() + proof;
            let mut receiver = from_client(MESSAGE_MAX);
            for (i, byte) in wire[..proof].iter().enumerate() {
                let so_far: &[Outcome] = if i + 1 == proof { &broken } else { &[] };
                assert_eq!(feed(&mut receiver, &[*byte]), so_far, "{edge:02x?} at {i}");
            }
        }
    }

    #[test]
    fn s8_1_a_character_cut_by_the_end_is_a_violation() {
        for (before, edge) in
            BEFORE.iter().flat_map(|before| CUT.iter().map(move |cut| (before, cut)))
        {
            let payload = [before.as_bytes(), edge].concat();
            let broken = [Outcome::Failed(Violation::NotUtf8)];
            let open = client(TEXT_FIRST, &payload);
            assert_eq!(outcomes(Role::Client, &open), [], "{edge:02x?}");
            for wire in [
                client(TEXT, &payload),
                [open.clone(), client(LAST, b"")].concat(),
                [open.clone(), client(CONTINUATION, b""), client(LAST, b"")].concat(),
            ] {
                assert_eq!(outcomes(Role::Client, &wire), broken, "{edge:02x?}");
                assert_eq!(outcomes_in_reads(Role::Client, &wire, &[1]), broken, "{edge:02x?}");
            }
        }
    }

    #[test]
    fn s8_1_binary_ping_and_pong_are_not_text() {
        for (first, event) in
            [(BINARY, Outcome::Binary as fn(_) -> _), (PING, Outcome::Ping), (PONG, Outcome::Pong)]
        {
            assert_eq!(
                outcomes(Role::Client, &client(first, &[0xff, 0xfe])),
                [event(vec![0xff, 0xfe])]
            );
        }
    }

    #[test]
    #[rustfmt::skip]
    fn s10_4_both_sides_of_the_limit() {
        let ten = |first| client(first, b"0123456789");
        let outcomes = |wire: &[Vec<u8>]| feed(&mut from_client(10), &wire.concat()).pop();
        for (what, wire, last) in [
            ("10 at once", &[ten(TEXT)][..], text("0123456789")),
            ("10 twice", &[ten(TEXT), ten(TEXT)], text("0123456789")),
            ("6 and 4", &[client(TEXT_FIRST, b"012345"), client(LAST, b"6789")], text("0123456789")),
            ("10 and 0", &[ten(TEXT_FIRST), client(LAST, b"")], text("0123456789")),
            ("8 and half a character, and its other half",
                &[client(TEXT_FIRST, b"01234567\xc3"), client(LAST, b"\xa9")], text("01234567é")),
            ("10 of binary", &[ten(BINARY_FIRST), client(LAST, b"")],
                Outcome::Binary(b"0123456789".to_vec())),
            ("a ping does not count", &[ten(TEXT_FIRST), client(PING, &[0; 125])],
                Outcome::Ping(vec![0; 125])),
        ] {
            assert_eq!(outcomes(wire), Some(last), "{what}");
        }
        // Above the limit, the last byte of the header fails the connection, and takes no memory.
        for (what, before, length) in [
            ("11 at once", vec![], 11),
            ("2^62 at once", vec![], 1 << 62),
            ("2^63 - 1 at once", vec![], u64::MAX >> 1),
            ("6 and 5", client(TEXT_FIRST, b"012345"), 5),
            ("8 and half a character, and 2", client(TEXT_FIRST, b"01234567\xc3"), 2),
            ("10 and 1", ten(TEXT_FIRST), 1),
            ("10 and 2^62", ten(TEXT_FIRST), 1 << 62),
            ("10 and 2^63 - 1", ten(BINARY_FIRST), u64::MAX >> 1),
        ] {
            let first = if before.is_empty() { BINARY } else { LAST };
            let mut receiver = from_client(10);
            assert_eq!(feed(&mut receiver, &before), [], "{what}");
            let header = header(first, Some(KEY), length);
            let (last, most) = header.split_last().unwrap();
            assert_eq!(feed(&mut receiver, most), [], "{what}");
            assert_eq!(feed(&mut receiver, &[*last]), [Outcome::Failed(Violation::TooBig)], "{what}");
            assert!(memory(&receiver) <= BUFFER_MIN + 10 + 8, "{what}");
        }
        let mut receiver = from_client(0);
        assert_eq!(feed(&mut receiver, &client(TEXT, b"")), [text("")]);
        assert_eq!(feed(&mut receiver, &client(TEXT, b"a")), [Outcome::Failed(Violation::TooBig)]);
    }

    #[test]
    fn s10_4_a_claimed_length_takes_no_memory() {
        for first in [TEXT, BINARY, TEXT_FIRST, BINARY_FIRST] {
            let mut receiver = from_client(usize::MAX);
            let header = header(first, Some([0; 4]), u64::MAX >> 1);
            assert_eq!(feed(&mut receiver, &header), []);
            assert_eq!(feed(&mut receiver, b"0123456789"), []);
            assert!(memory(&receiver) <= BUFFER_MIN + 10 + 8);
        }
    }

    #[test]
    fn s10_4_a_million_empty_fragments_take_no_memory() {
        let many = client(CONTINUATION, b"").repeat(10_000);
        for (begins, whole) in
            [(TEXT_FIRST, text("ab")), (BINARY_FIRST, Outcome::Binary(b"ab".to_vec()))]
        {
            let mut receiver = from_client(MESSAGE_MAX);
            assert_eq!(feed(&mut receiver, &client(begins, b"a")), []);
            for _ in 0..100 {
                assert_eq!(feed(&mut receiver, &many), []);
                assert!(memory(&receiver) <= BUFFER_MAX + 16);
            }
            assert_eq!(receiver.take_counts()[0], 1_000_000);
            assert_eq!(feed(&mut receiver, &client(LAST, b"b")), [whole]);
        }
    }

    #[test]
    fn s10_4_memory_stays_within_the_limit_however_the_fragments_fall() {
        // A first fragment that fills the capacity, then a character cut in two, repeated.
        for (limit, first) in [(100_000, 60_000), (4_000, 2_001), (100, 51), (MESSAGE_MAX, 65_500)]
        {
            let mut receiver = from_client(limit);
            let payload = ["a".repeat(first).as_bytes(), &[0xc3]].concat();
            assert_eq!(feed(&mut receiver, &client(TEXT_FIRST, &payload)), []);
            let mut length = payload.len();
            while length + 2 < limit {
                assert_eq!(feed(&mut receiver, &client(CONTINUATION, &[0xa9, 0xc3])), []);
                length += 2;
                let held = memory(&receiver) - receiver.buffer.capacity();
                assert!(held <= limit + 8, "{held} of {limit} at {length}");
            }
            assert_eq!(feed(&mut receiver, &client(LAST, &[0xa9])).len(), 1);
            let pong = client(PONG, b"");
            assert_eq!(feed(&mut receiver, &pong), [Outcome::Pong(vec![])]);
            assert!(memory(&receiver) <= BUFFER_MAX, "a message that was returned is freed");
        }
    }

    #[test]
    fn the_buffer_is_large_only_while_there_is_traffic() {
        for early in [0, 1, 1500, 2048, 2049, 5000, 16 * 1024, 60_000] {
            let pings = client(PING, b"ping").repeat(40_000);
            let (first, rest) = pings.split_at(early);
            let mut receiver = Receiver::new(Role::Client, MESSAGE_MAX, first);
            let mut pongs = feed(&mut receiver, rest).len();
            let capacity = receiver.buffer.capacity();
            assert!((BUFFER_MAX / 2..=BUFFER_MAX).contains(&capacity), "{capacity}, early {early}");
            for _ in 0..100 {
                pongs += feed(&mut receiver, &pings[..10]).len();
            }
            assert_eq!(receiver.buffer.capacity(), BUFFER_MIN, "early {early}");
            assert_eq!(pongs, 40_000 + 100);
        }
    }

    #[test]
    fn s4_2_2_bytes_received_with_the_head_are_the_first_frames() {
        let long = client(TEXT, &[b'a'; 5000]);
        let wire = [client(PING, b"1"), long, client(TEXT, b"last")].concat();
        let events = outcomes_in_reads(Role::Client, &wire, &[1]);
        assert_eq!(events.len(), 3);
        for early in (0..=wire.len()).step_by(7).chain([BUFFER_MIN - 1, BUFFER_MIN, BUFFER_MIN + 1])
        {
            let mut receiver = Receiver::new(Role::Client, MESSAGE_MAX, &wire[..early]);
            assert_eq!(feed(&mut receiver, &wire[early..]), events, "early {early}");
        }
    }

    #[test]
    fn s5_5_1_nothing_after_a_close_is_processed() {
        let close = Outcome::Close(Close::new(CloseCode::NORMAL, ""));
        for more in [client(TEXT, b"late"), client(CLOSE, b""), vec![0xff; 2 * BUFFER_MAX]] {
            let wire = [client(CLOSE, &[0x03, 0xe8]), more].concat();
            for size in [1, 7, wire.len()] {
                let mut receiver = from_client(MESSAGE_MAX);
                let pieces = wire.chunks(size);
                let events: Vec<_> = pieces.flat_map(|piece| feed(&mut receiver, piece)).collect();
                assert_eq!(events, std::slice::from_ref(&close));
                assert_eq!(receiver.take_counts(), [0, 0, 0, 1, 0, 0]);
            }
        }
    }

    #[test]
    fn frames_are_counted_by_opcode() {
        let wire = [
            client(TEXT_FIRST, b"a"),
            client(CONTINUATION, b"b"),
            client(PING, b""),
            client(LAST, b"c"),
            client(TEXT, b"d"),
            client(BINARY, b"e"),
            client(PONG, b""),
            client(PONG, b""),
            client(TEXT, &[b'f'; 3000])[..50].to_vec(),
        ]
        .concat();
        for sizes in [&[wire.len()][..], &[1]] {
            let mut receiver = from_client(MESSAGE_MAX);
            for piece in wire.chunks(sizes[0]) {
                feed(&mut receiver, piece);
            }
            assert_eq!(receiver.take_counts(), [2, 3, 1, 0, 1, 2]); // in the order of Opcode::ALL
            assert_eq!(receiver.take_counts(), [0; 6]);
        }
    }

    /// A message, and where it is cut into frames.
    #[derive(Clone, Debug)]
    struct Sent {
        message: Outcome,
        cuts: Vec<usize>,
        /// The control frames between its frames, or before it.
        between: Vec<Outcome>,
    }

    fn sent() -> impl Strategy<Value = Sent> {
        let payload = || prop::collection::vec(any::<u8>(), 0..=125);
        let message = prop_oneof![
            ".{0,200}".prop_map(Outcome::Text),
            prop::collection::vec(any::<u8>(), 0..3000).prop_map(Outcome::Binary),
        ];
        let control =
            prop_oneof![payload().prop_map(Outcome::Ping), payload().prop_map(Outcome::Pong)];
        let cuts = prop::collection::vec(0usize..3000, 0..6);
        let between = prop::collection::vec(control, 0..4);
        (message, cuts, between).prop_map(|(message, cuts, between)| Sent {
            message,
            cuts,
            between,
        })
    }

    /// The frames of `sent`, and their outcomes.
    fn write(sent: &Sent, mut key: impl FnMut() -> Option<[u8; 4]>) -> (Vec<u8>, Vec<Outcome>) {
        let (opcode, payload) = match &sent.message {
            Outcome::Text(text) => (TEXT_FIRST, text.as_bytes()),
            Outcome::Binary(bytes) => (BINARY_FIRST, bytes.as_slice()),
            other => panic!("{other:?} is not a message"),
        };
        let mut cuts: Vec<usize> = sent.cuts.iter().map(|cut| *cut.min(&payload.len())).collect();
        cuts.extend([0, payload.len()]);
        cuts.sort_unstable();

        let mut wire = Vec::new();
        let mut controls = sent.between.iter();
        for (i, pair) in cuts.windows(2).enumerate() {
            match controls.next() {
                Some(Outcome::Ping(payload)) => wire.extend(frame(PING, key(), payload)),
                Some(Outcome::Pong(payload)) => wire.extend(frame(PONG, key(), payload)),
                _ => (),
            }
            let fin = if i + 2 == cuts.len() { LAST } else { 0 };
            let opcode = if i == 0 { opcode } else { CONTINUATION };
            wire.extend(frame(fin | opcode, key(), &payload[pair[0]..pair[1]]));
        }
        let controls = sent.between.iter().take(cuts.len() - 1).cloned();
        (wire, controls.chain([sent.message.clone()]).collect())
    }

    /// One side of a conversation, with its outcomes.
    fn conversation() -> impl Strategy<Value = (Role, Vec<u8>, Vec<Outcome>)> {
        let sent = prop::collection::vec(sent(), 0..6);
        let keys = prop::collection::vec(any::<[u8; 4]>(), 1..8);
        let sender = prop_oneof![Just(Role::Client), Just(Role::Server)];
        (sender, sent, keys).prop_map(|(sender, sent, keys)| {
            let mut keys = keys.iter().cycle().copied();
            let key = || keys.next().filter(|_| sender == Role::Client);
            let mut key = key;
            let (wires, events): (Vec<_>, Vec<_>) =
                sent.iter().map(|sent| write(sent, &mut key)).unzip();
            (sender, wires.concat(), events.concat())
        })
    }

    fn reads() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(prop_oneof![1usize..10, 1usize..5000], 1..10)
    }

    proptest! {
        #[test]
        fn s6_2_what_is_sent_is_received_however_it_is_cut(
            (sender, wire, events) in conversation(),
            sizes in reads(),
        ) {
            prop_assert_eq!(&outcomes(sender, &wire), &events);
            prop_assert_eq!(&outcomes_in_reads(sender, &wire, &sizes), &events);
        }

        #[test]
        fn s10_7_a_damaged_conversation_has_the_same_outcome_however_it_is_cut(
            (sender, mut wire, _) in conversation(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            sizes in reads(),
        ) {
            for (place, byte) in damage.iter().filter(|_| !wire.is_empty()).collect::<Vec<_>>() {
                let place = place.index(wire.len());
                wire[place] ^= byte;
            }
            let events = outcomes(sender, &wire);
            prop_assert_eq!(&outcomes_in_reads(sender, &wire, &sizes), &events);
            prop_assert_eq!(&outcomes_in_reads(sender, &wire, &[1]), &events);
        }

        #[test]
        fn s10_7_noise_has_the_same_outcome_however_it_is_cut(
            wire in prop::collection::vec(any::<u8>(), 0..100),
            sizes in reads(),
        ) {
            for sender in [Role::Client, Role::Server] {
                prop_assert_eq!(outcomes_in_reads(sender, &wire, &sizes), outcomes(sender, &wire));
            }
        }

        #[test]
        fn s10_4_memory_follows_the_received_bytes(
            (sender, wire, _) in conversation(),
            sizes in reads(),
            limit in 0usize..3000,
        ) {
            let mut receiver = Receiver::new(sender, limit, &[]);
            let mut rest = wire.as_slice();
            for size in sizes.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(*size));
                feed(&mut receiver, now);
                let joined = (wire.len() - later.len()).min(limit);
                prop_assert!(memory(&receiver) <= receiver.buffer.len() + 2 * joined + 16);
                prop_assert!(memory(&receiver) <= BUFFER_MAX + limit + 16);
                rest = later;
                if rest.is_empty() || has_failed(&receiver) {
                    break;
                }
            }
        }

        /// `std` is the oracle: a prefix that is invalid, and not only cut, fails at once.
        #[test]
        fn s8_1_the_same_result_as_std_at_every_byte(
            bytes in prop::collection::vec(
                prop_oneof![
                    4 => prop::sample::select(VALID.to_vec()).prop_map(<[u8]>::to_vec),
                    1 => prop::sample::select(INVALID.to_vec()).prop_map(|(_, v)| v.to_vec()),
                    1 => any::<u8>().prop_map(|byte| vec![byte]),
                ],
                0..12,
            ).prop_map(|pieces| pieces.concat()),
        ) {
            let broken = Outcome::Failed(Violation::NotUtf8);
            let event = str::from_utf8(&bytes).map_or(broken.clone(), text);
            prop_assert_eq!(outcomes(Role::Client, &client(TEXT, &bytes)), std::slice::from_ref(&event));
            prop_assert_eq!(outcomes(Role::Client, &one_by_one(&bytes)), [event]);

            let mut receiver = from_client(MESSAGE_MAX);
            feed(&mut receiver, &header(TEXT, Some([0; 4]), bytes.len() as u64 + 1));
            for end in 1..=bytes.len() {
                let is_broken = match str::from_utf8(&bytes[..end]) {
                    Ok(_) => false,
                    Err(error) => error.error_len().is_some(),
                };
                let outcomes = feed(&mut receiver, &bytes[end - 1..end]);
                prop_assert_eq!(outcomes == std::slice::from_ref(&broken), is_broken);
                if is_broken {
                    break;
                }
            }
        }
    }
}
