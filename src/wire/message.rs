//! From octets to messages, sections 5.4, 5.6 and 8.1: fragments are joined, control frames may
//! stand between them, and every octet is judged as it arrives.

use std::ops::Range;

use super::close::{Close, Violation};
use super::frame::{CONTROL_MAX, HEADER_MAX, Header, Opcode, Role};
use super::mask;
use super::utf8::{Utf8Buffer, grown_capacity};

/// The buffer of a peer that says little: most chat messages fit.
const BUFFER_MIN: usize = 2 * 1024;
/// The buffer of a peer that says much: one `read` brings hundreds of small frames.
const BUFFER_MAX: usize = 128 * 1024;
const _: () = assert!(CONTROL_MAX < BUFFER_MIN && HEADER_MAX < BUFFER_MIN);

/// What a peer said.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text message.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// A Ping with its application data, to be sent back in a Pong.
    Ping(&'a [u8]),
    /// A Pong; it wants no answer.
    Pong(&'a [u8]),
    /// The peer will say nothing more. What follows it on the wire has no meaning.
    Close(Close),
}

/// Turns one peer's octets into events.
///
/// Octets go into [`spare_capacity`](Self::spare_capacity), their number to [`advance`](Self::advance), and then
/// [`next`](Self::next) tells one event after another until it needs more. Memory follows the
/// octets that came, never a length that a header claims: a buffer of 2 to 128 KiB, and at most
/// `max_message` octets of the message under way.
pub struct Receiver {
    sender: Role,
    max_message: usize,
    buffer: Vec<u8>,
    /// The octets of `buffer` that came and were not consumed.
    unread: Range<usize>,
    /// The data frame whose payload is still arriving, and how much of it did.
    frame: Option<(Header, u64)>,
    /// The message whose last frame has not ended.
    message: Option<Message>,
    /// The joined message that the last event showed.
    finished: Option<Message>,
    failed: Option<Violation>,
    counts: FrameCounts,
}

/// Frames that came, in the order of [`Opcode::ALL`].
pub type FrameCounts = [u64; Opcode::ALL.len()];

/// What lies at the front of the buffer.
enum Found {
    /// A frame that says all in itself, its payload unmasked.
    Whole(Opcode, Range<usize>),
    /// The end of a joined message.
    Joined,
}

impl Receiver {
    /// For what `sender` sends after its handshake; `max_message` octets are the longest message.
    /// `early` came with the handshake and belongs to the first frames already.
    #[must_use]
    pub fn new(sender: Role, max_message: usize, early: &[u8]) -> Self {
        // A power of two, like both bounds: doubling and halving meet them exactly.
        let mut buffer = vec![0; early.len().next_power_of_two().max(BUFFER_MIN)];
        buffer[..early.len()].copy_from_slice(early);
        let unread = 0..early.len();
        Self {
            sender,
            max_message,
            buffer,
            unread,
            frame: None,
            message: None,
            finished: None,
            failed: None,
            counts: FrameCounts::default(),
        }
    }

    /// Where the next octets go; never empty once [`next`](Self::next) has asked for more.
    pub fn spare_capacity(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        &mut self.buffer[self.unread.end..]
    }

    /// `count` octets were put at the front of [`spare_capacity`](Self::spare_capacity).
    ///
    /// The buffer doubles when it was filled to the brim and halves when little came, so that it
    /// is large only while there is traffic for it.
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

    /// The next event; `None` when it takes more octets to tell.
    ///
    /// # Errors
    /// The rule that the peer broke. That is final: every later call says the same.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend its items")]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Violation> {
        if let Some(violation) = self.failed {
            return Err(violation);
        }
        self.finished = None;
        let event = match self.next_item() {
            Ok(None) => return Ok(None),
            Ok(Some(Found::Whole(opcode, payload))) => whole(opcode, &self.buffer[payload]),
            Ok(Some(Found::Joined)) => joined(self.finished.as_ref()),
            Err(violation) => Err(violation),
        };
        self.failed = event.as_ref().err().copied();
        event.map(Some)
    }

    /// The frames that came since the last call.
    pub fn take_counts(&mut self) -> FrameCounts {
        std::mem::take(&mut self.counts)
    }

    /// Consumes the buffer up to the end of a message or control frame.
    fn next_item(&mut self) -> Result<Option<Found>, Violation> {
        loop {
            if let Some((header, arrived)) = self.frame.take() {
                if !self.take_payload(header, arrived)? {
                    return Ok(None);
                }
                if header.fin {
                    self.finished = self.message.take();
                    return Ok(Some(Found::Joined));
                }
            }
            let unread = &self.buffer[self.unread.clone()];
            let Some(header) = Header::parse(unread, self.sender)? else { return Ok(None) };
            self.judge(&header)?;
            if header.opcode.is_control() || (header.fin && header.opcode != Opcode::Continuation) {
                if let Some(payload) = self.take_whole(&header) {
                    return Ok(Some(Found::Whole(header.opcode, payload)));
                }
                if header.opcode.is_control() {
                    return Ok(None); // at most 131 octets: they fit the buffer
                }
            }
            match header.opcode {
                Opcode::Text => self.message = Some(Message::Text(Utf8Buffer::default())),
                Opcode::Binary => self.message = Some(Message::Binary(Vec::new())),
                Opcode::Continuation | Opcode::Close | Opcode::Ping | Opcode::Pong => (),
            }
            self.count(header.opcode);
            self.unread.start += header.size();
            self.frame = Some((header, 0));
        }
    }

    /// Section 5.4: the order of frames. Section 10.4: the size of the message that they make.
    fn judge(&self, header: &Header) -> Result<(), Violation> {
        if header.opcode.is_control() {
            return Ok(());
        }
        check_fragmentation(self.message.is_some(), header.opcode)?;
        let so_far = self.message.as_ref().map_or(0, Message::len);
        if (self.max_message.saturating_sub(so_far) as u64) < header.length {
            return Err(Violation::TooBig);
        }
        Ok(())
    }

    /// Consumes one frame if all of it is in the buffer, and says where its plain payload lies.
    fn take_whole(&mut self, header: &Header) -> Option<Range<usize>> {
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
        for (count, known) in self.counts.iter_mut().zip(Opcode::ALL) {
            *count += u64::from(known == opcode);
        }
    }

    /// Consumes what has come of a data frame's payload. Is the frame complete?
    fn take_payload(&mut self, header: Header, arrived: u64) -> Result<bool, Violation> {
        let missing = usize::try_from(header.length - arrived).unwrap_or(usize::MAX);
        let count = missing.min(self.unread.len());
        let payload = &mut self.buffer[self.unread.start..self.unread.start + count];
        unmask(&header, arrived, payload);
        match &mut self.message {
            Some(Message::Text(text)) => text.push(payload, self.max_message)?,
            Some(Message::Binary(octets)) => push(octets, payload, self.max_message),
            None => return Err(Violation::NothingToContinue),
        }
        self.unread.start += count;
        if count == missing {
            return Ok(true);
        }
        self.frame = Some((header, arrived + count as u64));
        Ok(false)
    }
}

/// Section 5.4: a data frame begins a message where none is under way, and continues the one that is.
pub(super) fn check_fragmentation(is_under_way: bool, opcode: Opcode) -> Result<(), Violation> {
    match (is_under_way, opcode) {
        (false, Opcode::Continuation) => Err(Violation::NothingToContinue),
        (true, Opcode::Text | Opcode::Binary) => Err(Violation::MessageInterrupted),
        _ => Ok(()),
    }
}

fn unmask(header: &Header, arrived: u64, payload: &mut [u8]) {
    if let Some(key) = header.key {
        mask::apply(key, (arrived % 4) as usize, payload);
    }
}

/// The event of a frame that stands alone.
fn whole(opcode: Opcode, payload: &[u8]) -> Result<Event<'_>, Violation> {
    match opcode {
        Opcode::Text => str::from_utf8(payload).map(Event::Text).or(Err(Violation::NotUtf8)),
        Opcode::Binary => Ok(Event::Binary(payload)),
        Opcode::Close => Close::parse(payload).map(Event::Close),
        Opcode::Ping => Ok(Event::Ping(payload)),
        Opcode::Pong => Ok(Event::Pong(payload)),
        Opcode::Continuation => Err(Violation::NothingToContinue),
    }
}

/// The event of a message that was joined.
fn joined(message: Option<&Message>) -> Result<Event<'_>, Violation> {
    match message {
        Some(Message::Text(text)) => text.whole().map(Event::Text),
        Some(Message::Binary(octets)) => Ok(Event::Binary(octets)),
        None => Err(Violation::NothingToContinue),
    }
}

enum Message {
    Text(Utf8Buffer),
    Binary(Vec<u8>),
}

impl Message {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.size(),
            Self::Binary(octets) => octets.len(),
        }
    }
}

fn push(octets: &mut Vec<u8>, more: &[u8], max: usize) {
    let room = grown_capacity(octets.capacity(), octets.len() + more.len(), max);
    octets.reserve_exact(room.saturating_sub(octets.len()));
    octets.extend_from_slice(more);
}

#[cfg(test)]
mod tests {
    use super::super::close::CloseCode;
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    const MESSAGE_MAX: usize = 1 << 20;

    /// First octets of frames.
    const TEXT_BEGINS: u8 = 0b0_000_0001;
    const BINARY_BEGINS: u8 = 0b0_000_0010;
    const GOES_ON: u8 = 0b0_000_0000;
    const ENDS: u8 = 0b1_000_0000;
    const TEXT: u8 = 0b1_000_0001;
    const BINARY: u8 = 0b1_000_0010;
    const CLOSE: u8 = 0b1_000_1000;
    const PING: u8 = 0b1_000_1001;
    const PONG: u8 = 0b1_000_1010;

    /// An event that can be kept.
    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Told {
        Text(String),
        Binary(Vec<u8>),
        Ping(Vec<u8>),
        Pong(Vec<u8>),
        Close(Close),
        Broken(Violation),
    }

    fn text(text: &str) -> Told {
        Told::Text(text.to_owned())
    }

    impl From<Event<'_>> for Told {
        fn from(event: Event<'_>) -> Self {
            match event {
                Event::Text(text) => Self::Text(text.to_owned()),
                Event::Binary(octets) => Self::Binary(octets.to_owned()),
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

    /// A frame, written without the code that is tested: octet i XOR octet i mod 4 of the key.
    fn frame(first: u8, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
        let mut wire = header(first, key, payload.len() as u64);
        let key = key.unwrap_or_default();
        wire.extend(payload.iter().enumerate().map(|(i, octet)| octet ^ key[i % 4]));
        wire
    }

    fn client(first: u8, payload: &[u8]) -> Vec<u8> {
        frame(first, Some(KEY), payload)
    }

    fn from_client(max_message: usize) -> Receiver {
        Receiver::new(Role::Client, max_message, &[])
    }

    /// All that `receiver` tells before it asks for more.
    fn drain(receiver: &mut Receiver) -> Vec<Told> {
        let mut told = Vec::new();
        loop {
            match receiver.next() {
                Ok(Some(event)) => told.push(event.into()),
                Ok(None) => return told,
                Err(violation) => {
                    told.push(Told::Broken(violation));
                    return told;
                }
            }
        }
    }

    /// One read after another, each as large as there is space, until `wire` is told.
    fn inspect_queue(receiver: &mut Receiver, mut wire: &[u8]) -> Vec<Told> {
        let mut told = drain(receiver);
        while !wire.is_empty() && receiver.failed.is_none() {
            let space = receiver.spare_capacity();
            assert!(!space.is_empty(), "who asks for more has space for it");
            let (now, later) = wire.split_at(wire.len().min(space.len()));
            space[..now.len()].copy_from_slice(now);
            receiver.advance(now.len());
            told.extend(drain(receiver));
            wire = later;
        }
        told
    }

    /// What a new receiver tells when `wire` comes in one piece.
    fn told(sender: Role, wire: &[u8]) -> Vec<Told> {
        drain(&mut Receiver::new(sender, MESSAGE_MAX, wire))
    }

    /// What it tells when `wire` comes in reads of these sizes, over and over.
    fn told_in_reads(sender: Role, wire: &[u8], sizes: &[usize]) -> Vec<Told> {
        let mut receiver = Receiver::new(sender, MESSAGE_MAX, &[]);
        let mut told = Vec::new();
        let mut rest = wire;
        for size in sizes.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*size));
            told.extend(inspect_queue(&mut receiver, now));
            rest = later;
            if rest.is_empty() || receiver.failed.is_some() {
                break;
            }
        }
        told
    }

    /// Octets that the receiver holds.
    fn memory(receiver: &Receiver) -> usize {
        let messages = [&receiver.message, &receiver.finished];
        let held = messages.into_iter().flatten().map(|message| match message {
            Message::Text(text) => text.valid.capacity() + text.incomplete.capacity(),
            Message::Binary(octets) => octets.capacity(),
        });
        receiver.buffer.capacity() + held.sum::<usize>()
    }

    #[test]
    #[rustfmt::skip]
    fn s5_7_the_examples_of_the_rfc() {
        let k256 = [&[0x82, 0x7e, 0x01, 0x00][..], &[0xa5; 256]].concat();
        let k64 = [&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0][..], &[0xa5; 65_536]].concat();
        let hello = Told::Text("Hello".to_owned());
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
                &[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], Told::Ping(b"Hello".to_vec())),
            ("masked pong", Role::Client,
                &[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
                Told::Pong(b"Hello".to_vec())),
            ("binary 00 to 08", Role::Client,
                &[0x82, 0x89, 0x37, 0xfa, 0x21, 0x3d,
                  0x37, 0xfb, 0x23, 0x3e, 0x33, 0xff, 0x27, 0x3a, 0x3f],
                Told::Binary((0..=8).collect())),
            ("close 1000 bye", Role::Client,
                &[0x88, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x34, 0x12, 0x43, 0x44, 0x52],
                Told::Close(Close::new(CloseCode::NORMAL, "bye"))),
            ("binary of 256", Role::Server, &k256, Told::Binary(vec![0xa5; 256])),
            ("binary of 65536", Role::Server, &k64, Told::Binary(vec![0xa5; 65_536])),
        ] {
            assert_eq!(told(sender, wire), std::slice::from_ref(&event), "{what}");
            assert_eq!(told_in_reads(sender, wire, &[1]), [event], "{what}, octet by octet");
            let (other, violation) = match sender {
                Role::Client => (Role::Server, Violation::Masked),
                Role::Server => (Role::Client, Violation::Unmasked),
            };
            assert_eq!(told(other, wire), [Told::Broken(violation)], "{what} to its own kind");
        }
    }

    #[test]
    fn s5_4_control_frames_stand_between_fragments() {
        let wire = [
            client(TEXT_BEGINS, b"Hel"),
            client(PING, b"1"),
            client(GOES_ON, b""),
            client(PONG, b"2"),
            client(PING, &[0xff; 125]),
            client(ENDS, b"lo"),
        ];
        let ping = |payload: &[u8]| Told::Ping(payload.to_vec());
        let events = [ping(b"1"), Told::Pong(b"2".to_vec()), ping(&[0xff; 125]), text("Hello")];
        assert_eq!(told(Role::Client, &wire.concat()), events);
        assert_eq!(told_in_reads(Role::Client, &wire.concat(), &[1]), events);
        // The Ping does not wait for the message to end.
        assert_eq!(told(Role::Client, &wire[..2].concat()), [ping(b"1")]);
    }

    #[test]
    fn s5_4_a_close_may_come_before_the_message_ends() {
        let wire = [client(TEXT_BEGINS, b"Hel"), client(CLOSE, &[0x03, 0xe8])].concat();
        assert_eq!(told(Role::Client, &wire), [Told::Close(Close::new(CloseCode::NORMAL, ""))]);
    }

    #[test]
    fn s5_4_a_message_has_the_type_of_its_first_frame() {
        let euro = [client(BINARY_BEGINS, &[0xe2]), client(ENDS, &[0x82])].concat();
        assert_eq!(told(Role::Client, &euro), [Told::Binary(vec![0xe2, 0x82])]);
    }

    #[test]
    fn s5_4_fragments_may_be_empty() {
        for wire in [
            vec![client(TEXT_BEGINS, b""), client(GOES_ON, b""), client(ENDS, b"")],
            vec![client(TEXT_BEGINS, b""), client(ENDS, b"")],
            vec![client(TEXT, b"")],
        ] {
            assert_eq!(told(Role::Client, &wire.concat()), [text("")]);
        }
    }

    #[test]
    fn s6_2_messages_follow_each_other() {
        let wire = [
            client(TEXT_BEGINS, b"on"),
            client(ENDS, b"e"),
            client(BINARY, b"two"),
            client(BINARY_BEGINS, b"thr"),
            client(ENDS, b"ee"),
            client(TEXT, b"four"),
        ];
        let events = [
            text("one"),
            Told::Binary(b"two".to_vec()),
            Told::Binary(b"three".to_vec()),
            text("four"),
        ];
        assert_eq!(told(Role::Client, &wire.concat()), events);
    }

    #[test]
    #[rustfmt::skip]
    fn s5_4_wrong_sequences() {
        for (what, violation, wire) in [
            ("5.4 continuation first", Violation::NothingToContinue, vec![client(ENDS, b"a")]),
            ("5.4 the same without FIN", Violation::NothingToContinue, vec![client(GOES_ON, b"a")]),
            ("5.4 the same, empty", Violation::NothingToContinue, vec![client(ENDS, b"")]),
            ("5.4 continuation of a whole message", Violation::NothingToContinue,
                vec![client(TEXT, b"a"), client(ENDS, b"b")]),
            ("5.4 continuation of a joined message", Violation::NothingToContinue,
                vec![client(TEXT_BEGINS, b"a"), client(ENDS, b"b"), client(ENDS, b"c")]),
            ("5.4 continuation of a ping", Violation::NothingToContinue,
                vec![client(PING, b"a"), client(ENDS, b"b")]),
            ("5.4 text in a text", Violation::MessageInterrupted,
                vec![client(TEXT_BEGINS, b"a"), client(TEXT, b"b")]),
            ("5.4 first fragment in a text", Violation::MessageInterrupted,
                vec![client(TEXT_BEGINS, b"a"), client(TEXT_BEGINS, b"b")]),
            ("5.4 binary in a text", Violation::MessageInterrupted,
                vec![client(TEXT_BEGINS, b"a"), client(BINARY, b"b")]),
            ("5.4 text in a binary", Violation::MessageInterrupted,
                vec![client(BINARY_BEGINS, b"a"), client(GOES_ON, b"b"), client(TEXT, b"c")]),
            ("5.4 text after an empty fragment", Violation::MessageInterrupted,
                vec![client(TEXT_BEGINS, b""), client(TEXT, b"")]),
            ("5.4 text behind a ping behind a fragment", Violation::MessageInterrupted,
                vec![client(TEXT_BEGINS, b"a"), client(PING, b""), client(TEXT, b"b")]),
            ("5.5 ping without FIN in a message", Violation::ControlFragmented,
                vec![client(TEXT_BEGINS, b"a"), client(PING & 0x7f, b"")]),
            ("5.5.1 close of one octet", Violation::CloseBody, vec![client(CLOSE, &[0x03])]),
            ("7.4 close 1005", Violation::CloseCode, vec![client(CLOSE, &[0x03, 0xed])]),
            ("5.5.1 reason ff", Violation::CloseReason, vec![client(CLOSE, &[0x03, 0xe8, 0xff])]),
            ("8.1 c3 28", Violation::NotUtf8, vec![client(TEXT, &[0xc3, 0x28])]),
            ("5.1 unmasked in a message", Violation::Unmasked,
                vec![client(TEXT_BEGINS, b"a"), frame(ENDS, None, b"b")]),
        ] {
            let wire = wire.concat();
            let whole = told(Role::Client, &wire);
            assert_eq!(whole.last(), Some(&Told::Broken(violation)), "{what}");
            assert_eq!(told_in_reads(Role::Client, &wire, &[1]), whole, "{what}, octet by octet");
        }
    }

    #[test]
    fn s7_1_7_a_violation_is_final_and_what_came_before_it_counts() {
        for (violation, bad) in [
            (Violation::ReservedBits, client(0b1_100_0001, b"RSV1")),
            (Violation::NothingToContinue, client(ENDS, b"")),
            (Violation::NotUtf8, client(TEXT, &[0xff])), // consumed before it is judged
            (Violation::CloseBody, client(CLOSE, &[0x03])),
        ] {
            let good = [client(TEXT, b"good"), client(PING, b"good")].concat();
            let late = [client(TEXT, b"late"), client(PING, b"late")].concat();
            let wire = [good, bad, late].concat();
            let mut receiver = Receiver::new(Role::Client, MESSAGE_MAX, &wire);
            let broken = Told::Broken(violation);
            let events = [text("good"), Told::Ping(b"good".to_vec()), broken.clone()];
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
            client(TEXT_BEGINS, "hé".as_bytes()),
            client(PING, b"abc"),
            client(GOES_ON, &"€😀".as_bytes()[..4]),
            client(ENDS, &"€😀".as_bytes()[4..]),
            client(BINARY, &[0xff; 130]),
            client(PONG, b""),
            client(TEXT, &"ä".repeat(70).into_bytes()),
            client(CLOSE, &[0x03, 0xe8, b'b', b'y', b'e']),
        ]
        .concat();
        let whole = told(Role::Client, &wire);
        assert_eq!(whole.len(), 6);
        for cut in 0..=wire.len() {
            let (first, second) = wire.split_at(cut);
            let mut receiver = from_client(MESSAGE_MAX);
            let mut events = inspect_queue(&mut receiver, first);
            assert_eq!(events, whole[..events.len()], "cut {cut}");
            events.extend(inspect_queue(&mut receiver, second));
            assert_eq!(events, whole, "cut {cut}");
        }
    }

    /// Edges of RFC 3629, each valid.
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

    /// Invalid, and which octet proves it, from 1.
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

    /// Nothing wrong yet, but the message must not end here.
    const CUT: &[&[u8]] =
        &[&[0xc2], &[0xe0, 0xa0], &[0xe2, 0x82], &[0xf0, 0x90, 0x80], &[0xf4, 0x8f, 0xbf]];

    /// What stands before them, so that they begin anywhere in a word of the fast check.
    const BEFORE: [&str; 4] = ["", "ok ", "h\u{e9}llo \u{20ac} ", "twenty octets at hand"];

    /// `octets` as a text message of frames of one octet.
    fn one_by_one(octets: &[u8]) -> Vec<u8> {
        let mut wire = client(TEXT_BEGINS, b"");
        for octet in octets {
            wire.extend(client(GOES_ON, &[*octet]));
        }
        wire.extend(client(ENDS, b""));
        wire
    }

    #[test]
    fn s8_1_what_is_utf_8_is_accepted_however_it_is_cut() {
        for (before, edge) in
            BEFORE.iter().flat_map(|before| VALID.iter().map(move |v| (before, v)))
        {
            let payload = [before.as_bytes(), edge].concat();
            let event = Told::Text(String::from_utf8(payload.clone()).unwrap());
            let frame = client(TEXT, &payload);
            assert_eq!(told(Role::Client, &frame), std::slice::from_ref(&event));
            assert_eq!(told_in_reads(Role::Client, &frame, &[1]), std::slice::from_ref(&event));
            assert_eq!(told(Role::Client, &one_by_one(&payload)), [event]);
        }
    }

    #[test]
    fn s8_1_a_breach_is_seen_at_the_octet_that_proves_it_inside_an_open_frame() {
        for (before, (proof, edge)) in
            BEFORE.iter().flat_map(|b| INVALID.iter().map(move |i| (b, i)))
        {
            let payload = [before.as_bytes(), edge, b" and more"].concat();
            let broken = [Told::Broken(Violation::NotUtf8)];
            let wire = client(TEXT, &payload);
            assert_eq!(told(Role::Client, &wire), broken, "{edge:02x?}");
            assert_eq!(told(Role::Client, &one_by_one(&payload)), broken, "{edge:02x?}");

            let proof = wire.len() - payload.len() + before.len() + proof;
            let mut receiver = from_client(MESSAGE_MAX);
            for (i, octet) in wire[..proof].iter().enumerate() {
                let so_far: &[Told] = if i + 1 == proof { &broken } else { &[] };
                assert_eq!(inspect_queue(&mut receiver, &[*octet]), so_far, "{edge:02x?} at {i}");
            }
        }
    }

    #[test]
    fn s8_1_a_character_cut_by_the_end_is_a_breach() {
        for (before, edge) in
            BEFORE.iter().flat_map(|before| CUT.iter().map(move |cut| (before, cut)))
        {
            let payload = [before.as_bytes(), edge].concat();
            let broken = [Told::Broken(Violation::NotUtf8)];
            let open = client(TEXT_BEGINS, &payload);
            assert_eq!(told(Role::Client, &open), [], "{edge:02x?}");
            for wire in [
                client(TEXT, &payload),
                [open.clone(), client(ENDS, b"")].concat(),
                [open.clone(), client(GOES_ON, b""), client(ENDS, b"")].concat(),
            ] {
                assert_eq!(told(Role::Client, &wire), broken, "{edge:02x?}");
                assert_eq!(told_in_reads(Role::Client, &wire, &[1]), broken, "{edge:02x?}");
            }
        }
    }

    #[test]
    fn s8_1_binary_ping_and_pong_are_not_text() {
        for (first, event) in
            [(BINARY, Told::Binary as fn(_) -> _), (PING, Told::Ping), (PONG, Told::Pong)]
        {
            assert_eq!(
                told(Role::Client, &client(first, &[0xff, 0xfe])),
                [event(vec![0xff, 0xfe])]
            );
        }
    }

    #[test]
    #[rustfmt::skip]
    fn s10_4_both_sides_of_the_limit() {
        let ten = |first| client(first, b"0123456789");
        let told = |wire: &[Vec<u8>]| inspect_queue(&mut from_client(10), &wire.concat()).pop();
        for (what, wire, last) in [
            ("10 at once", &[ten(TEXT)][..], text("0123456789")),
            ("10 twice", &[ten(TEXT), ten(TEXT)], text("0123456789")),
            ("6 and 4", &[client(TEXT_BEGINS, b"012345"), client(ENDS, b"6789")], text("0123456789")),
            ("10 and 0", &[ten(TEXT_BEGINS), client(ENDS, b"")], text("0123456789")),
            ("8 and half a character, and its other half",
                &[client(TEXT_BEGINS, b"01234567\xc3"), client(ENDS, b"\xa9")], text("01234567é")),
            ("10 of binary", &[ten(BINARY_BEGINS), client(ENDS, b"")],
                Told::Binary(b"0123456789".to_vec())),
            ("a ping is no part of it", &[ten(TEXT_BEGINS), client(PING, &[0; 125])],
                Told::Ping(vec![0; 125])),
        ] {
            assert_eq!(told(wire), Some(last), "{what}");
        }
        // Beyond it, the last octet of the header is enough, and takes nothing.
        for (what, before, length) in [
            ("11 at once", vec![], 11),
            ("2^62 at once", vec![], 1 << 62),
            ("2^63 - 1 at once", vec![], u64::MAX >> 1),
            ("6 and 5", client(TEXT_BEGINS, b"012345"), 5),
            ("8 and half a character, and 2", client(TEXT_BEGINS, b"01234567\xc3"), 2),
            ("10 and 1", ten(TEXT_BEGINS), 1),
            ("10 and 2^62", ten(TEXT_BEGINS), 1 << 62),
            ("10 and 2^63 - 1", ten(BINARY_BEGINS), u64::MAX >> 1),
        ] {
            let first = if before.is_empty() { BINARY } else { ENDS };
            let mut receiver = from_client(10);
            assert_eq!(inspect_queue(&mut receiver, &before), [], "{what}");
            let header = header(first, Some(KEY), length);
            let (last, most) = header.split_last().unwrap();
            assert_eq!(inspect_queue(&mut receiver, most), [], "{what}");
            assert_eq!(inspect_queue(&mut receiver, &[*last]), [Told::Broken(Violation::TooBig)], "{what}");
            assert!(memory(&receiver) <= BUFFER_MIN + 10 + 8, "{what}");
        }
        let mut receiver = from_client(0);
        assert_eq!(inspect_queue(&mut receiver, &client(TEXT, b"")), [text("")]);
        assert_eq!(inspect_queue(&mut receiver, &client(TEXT, b"a")), [Told::Broken(Violation::TooBig)]);
    }

    #[test]
    fn s10_4_a_length_that_is_claimed_takes_no_memory() {
        for first in [TEXT, BINARY, TEXT_BEGINS, BINARY_BEGINS] {
            let mut receiver = from_client(usize::MAX);
            let header = header(first, Some([0; 4]), u64::MAX >> 1);
            assert_eq!(inspect_queue(&mut receiver, &header), []);
            assert_eq!(inspect_queue(&mut receiver, b"0123456789"), []);
            assert!(memory(&receiver) <= BUFFER_MIN + 10 + 8);
        }
    }

    #[test]
    fn s10_4_a_million_empty_fragments_take_no_memory() {
        let many = client(GOES_ON, b"").repeat(10_000);
        for (begins, whole) in
            [(TEXT_BEGINS, text("ab")), (BINARY_BEGINS, Told::Binary(b"ab".to_vec()))]
        {
            let mut receiver = from_client(MESSAGE_MAX);
            assert_eq!(inspect_queue(&mut receiver, &client(begins, b"a")), []);
            for _ in 0..100 {
                assert_eq!(inspect_queue(&mut receiver, &many), []);
                assert!(memory(&receiver) <= BUFFER_MAX + 16);
            }
            assert_eq!(receiver.take_counts()[0], 1_000_000);
            assert_eq!(inspect_queue(&mut receiver, &client(ENDS, b"b")), [whole]);
        }
    }

    #[test]
    fn s10_4_memory_stays_within_the_limit_however_the_fragments_fall() {
        // A first fragment that leaves no room to spare, then a character cut in two, over and over.
        for (limit, first) in [(100_000, 60_000), (4_000, 2_001), (100, 51), (MESSAGE_MAX, 65_500)]
        {
            let mut receiver = from_client(limit);
            let payload = ["a".repeat(first).as_bytes(), &[0xc3]].concat();
            assert_eq!(inspect_queue(&mut receiver, &client(TEXT_BEGINS, &payload)), []);
            let mut length = payload.len();
            while length + 2 < limit {
                assert_eq!(inspect_queue(&mut receiver, &client(GOES_ON, &[0xa9, 0xc3])), []);
                length += 2;
                let held = memory(&receiver) - receiver.buffer.capacity();
                assert!(held <= limit + 8, "{held} of {limit} at {length}");
            }
            assert_eq!(inspect_queue(&mut receiver, &client(ENDS, &[0xa9])).len(), 1);
            let pong = client(PONG, b"");
            assert_eq!(inspect_queue(&mut receiver, &pong), [Told::Pong(vec![])]);
            assert!(memory(&receiver) <= BUFFER_MAX, "a message that was told is forgotten");
        }
    }

    #[test]
    fn the_buffer_is_large_only_while_there_is_traffic() {
        for early in [0, 1, 1500, 2048, 2049, 5000, 16 * 1024, 60_000] {
            let pings = client(PING, b"ping").repeat(40_000);
            let (first, rest) = pings.split_at(early);
            let mut receiver = Receiver::new(Role::Client, MESSAGE_MAX, first);
            let mut pongs = inspect_queue(&mut receiver, rest).len();
            let capacity = receiver.buffer.capacity();
            assert!((BUFFER_MAX / 2..=BUFFER_MAX).contains(&capacity), "{capacity}, early {early}");
            for _ in 0..100 {
                pongs += inspect_queue(&mut receiver, &pings[..10]).len();
            }
            assert_eq!(receiver.buffer.capacity(), BUFFER_MIN, "early {early}");
            assert_eq!(pongs, 40_000 + 100);
        }
    }

    #[test]
    fn s4_2_2_octets_that_came_with_the_head_are_the_first_frames() {
        let long = client(TEXT, &[b'a'; 5000]);
        let wire = [client(PING, b"1"), long, client(TEXT, b"last")].concat();
        let events = told_in_reads(Role::Client, &wire, &[1]);
        assert_eq!(events.len(), 3);
        for early in (0..=wire.len()).step_by(7).chain([BUFFER_MIN - 1, BUFFER_MIN, BUFFER_MIN + 1])
        {
            let mut receiver = Receiver::new(Role::Client, MESSAGE_MAX, &wire[..early]);
            assert_eq!(inspect_queue(&mut receiver, &wire[early..]), events, "early {early}");
        }
    }

    #[test]
    fn frames_are_counted_by_opcode() {
        let wire = [
            client(TEXT_BEGINS, b"a"),
            client(GOES_ON, b"b"),
            client(PING, b""),
            client(ENDS, b"c"),
            client(TEXT, b"d"),
            client(BINARY, b"e"),
            client(PONG, b""),
            client(PONG, b""),
            client(CLOSE, b""),
            client(TEXT, &[b'f'; 3000])[..50].to_vec(),
        ]
        .concat();
        for sizes in [&[wire.len()][..], &[1]] {
            let mut receiver = from_client(MESSAGE_MAX);
            for piece in wire.chunks(sizes[0]) {
                inspect_queue(&mut receiver, piece);
            }
            assert_eq!(receiver.take_counts(), [2, 3, 1, 1, 1, 2]); // in the order of Opcode::ALL
            assert_eq!(receiver.take_counts(), [0; 6]);
        }
    }

    /// A message as it is said, and the places where it is cut into frames.
    #[derive(Clone, Debug)]
    struct QueueState {
        message: Told,
        cuts: Vec<usize>,
        /// What stands between its frames, or before it.
        between: Vec<Told>,
    }

    fn said() -> impl Strategy<Value = QueueState> {
        let payload = || prop::collection::vec(any::<u8>(), 0..=125);
        let message = prop_oneof![
            ".{0,200}".prop_map(Told::Text),
            prop::collection::vec(any::<u8>(), 0..3000).prop_map(Told::Binary),
        ];
        let control = prop_oneof![payload().prop_map(Told::Ping), payload().prop_map(Told::Pong)];
        let cuts = prop::collection::vec(0usize..3000, 0..6);
        let between = prop::collection::vec(control, 0..4);
        (message, cuts, between).prop_map(|(message, cuts, between)| QueueState {
            message,
            cuts,
            between,
        })
    }

    /// The frames of `said`, and the events that they are.
    fn write(said: &QueueState, mut key: impl FnMut() -> Option<[u8; 4]>) -> (Vec<u8>, Vec<Told>) {
        let (opcode, payload) = match &said.message {
            Told::Text(text) => (TEXT_BEGINS, text.as_bytes()),
            Told::Binary(octets) => (BINARY_BEGINS, octets.as_slice()),
            other => panic!("{other:?} is no message"),
        };
        let mut cuts: Vec<usize> = said.cuts.iter().map(|cut| *cut.min(&payload.len())).collect();
        cuts.extend([0, payload.len()]);
        cuts.sort_unstable();

        let mut wire = Vec::new();
        let mut controls = said.between.iter();
        for (i, pair) in cuts.windows(2).enumerate() {
            match controls.next() {
                Some(Told::Ping(payload)) => wire.extend(frame(PING, key(), payload)),
                Some(Told::Pong(payload)) => wire.extend(frame(PONG, key(), payload)),
                _ => (),
            }
            let fin = if i + 2 == cuts.len() { ENDS } else { 0 };
            let opcode = if i == 0 { opcode } else { GOES_ON };
            wire.extend(frame(fin | opcode, key(), &payload[pair[0]..pair[1]]));
        }
        let controls = said.between.iter().take(cuts.len() - 1).cloned();
        (wire, controls.chain([said.message.clone()]).collect())
    }

    /// A conversation of one side, with its events.
    fn conversation() -> impl Strategy<Value = (Role, Vec<u8>, Vec<Told>)> {
        let said = prop::collection::vec(said(), 0..6);
        let keys = prop::collection::vec(any::<[u8; 4]>(), 1..8);
        let sender = prop_oneof![Just(Role::Client), Just(Role::Server)];
        (sender, said, keys).prop_map(|(sender, said, keys)| {
            let mut keys = keys.iter().cycle().copied();
            let key = || keys.next().filter(|_| sender == Role::Client);
            let mut key = key;
            let (wires, events): (Vec<_>, Vec<_>) =
                said.iter().map(|said| write(said, &mut key)).unzip();
            (sender, wires.concat(), events.concat())
        })
    }

    fn reads() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(prop_oneof![1usize..10, 1usize..5000], 1..10)
    }

    proptest! {
        #[test]
        fn s6_2_what_is_said_is_told_however_it_is_cut(
            (sender, wire, events) in conversation(),
            sizes in reads(),
        ) {
            prop_assert_eq!(&told(sender, &wire), &events);
            prop_assert_eq!(&told_in_reads(sender, &wire, &sizes), &events);
        }

        #[test]
        fn s10_7_a_damaged_conversation_is_judged_the_same_however_it_is_cut(
            (sender, mut wire, _) in conversation(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            sizes in reads(),
        ) {
            for (place, octet) in damage.iter().filter(|_| !wire.is_empty()).collect::<Vec<_>>() {
                let place = place.index(wire.len());
                wire[place] ^= octet;
            }
            let events = told(sender, &wire);
            prop_assert_eq!(&told_in_reads(sender, &wire, &sizes), &events);
            prop_assert_eq!(&told_in_reads(sender, &wire, &[1]), &events);
        }

        #[test]
        fn s10_7_noise_is_judged_the_same_however_it_is_cut(
            wire in prop::collection::vec(any::<u8>(), 0..100),
            sizes in reads(),
        ) {
            for sender in [Role::Client, Role::Server] {
                prop_assert_eq!(told_in_reads(sender, &wire, &sizes), told(sender, &wire));
            }
        }

        #[test]
        fn s10_4_memory_follows_the_octets_that_came(
            (sender, wire, _) in conversation(),
            sizes in reads(),
            limit in 0usize..3000,
        ) {
            let mut receiver = Receiver::new(sender, limit, &[]);
            let mut rest = wire.as_slice();
            for size in sizes.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(*size));
                inspect_queue(&mut receiver, now);
                let joined = (wire.len() - later.len()).min(limit);
                prop_assert!(memory(&receiver) <= receiver.buffer.len() + 2 * joined + 16);
                prop_assert!(memory(&receiver) <= BUFFER_MAX + limit + 16);
                rest = later;
                if rest.is_empty() || receiver.failed.is_some() {
                    break;
                }
            }
        }

        /// `std` is the oracle: a prefix that is invalid, and not merely cut, is a breach at once.
        #[test]
        fn s8_1_the_same_verdict_as_std_at_every_octet(
            octets in prop::collection::vec(
                prop_oneof![
                    4 => prop::sample::select(VALID.to_vec()).prop_map(<[u8]>::to_vec),
                    1 => prop::sample::select(INVALID.to_vec()).prop_map(|(_, v)| v.to_vec()),
                    1 => any::<u8>().prop_map(|octet| vec![octet]),
                ],
                0..12,
            ).prop_map(|pieces| pieces.concat()),
        ) {
            let broken = Told::Broken(Violation::NotUtf8);
            let event = str::from_utf8(&octets).map_or(broken.clone(), text);
            prop_assert_eq!(told(Role::Client, &client(TEXT, &octets)), std::slice::from_ref(&event));
            prop_assert_eq!(told(Role::Client, &one_by_one(&octets)), [event]);

            let mut receiver = from_client(MESSAGE_MAX);
            inspect_queue(&mut receiver, &header(TEXT, Some([0; 4]), octets.len() as u64 + 1));
            for end in 1..=octets.len() {
                let is_broken = match str::from_utf8(&octets[..end]) {
                    Ok(_) => false,
                    Err(error) => error.error_len().is_some(),
                };
                let told = inspect_queue(&mut receiver, &octets[end - 1..end]);
                prop_assert_eq!(told == std::slice::from_ref(&broken), is_broken);
                if is_broken {
                    break;
                }
            }
        }
    }
}
