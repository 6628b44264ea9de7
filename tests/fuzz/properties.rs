//! Properties that hold for every input, one function for each target. The fuzzer searches for an input that
//! breaks a property; `tests/fuzz_seeds.rs` checks them with the stored inputs. A broken property panics.
//!
//! An input is a plain byte string, so a stored input keeps its meaning: a few settings, then the tested
//! bytes.
//!
//! ```text
//! head       limits, reads, a request head and the bytes after it
//! receiver   settings (bit 7: sent by a server; bit 6: the first read is received together with the
//!            handshake; bits 0-2: index of the size limit), reads, frames
//! close      the body of a Close frame
//! utf8       reads, text
//! roundtrip  settings (bit 7: sent by a server), reads, a script of messages
//!
//! reads      their number, then a byte for each: a size of 1 to 128 bytes, or 64 to 8192; used in a cycle
//! ```

mod memory;
mod model;
mod roundtrip;

use wirechat::server::limits::HEAD;
use wirechat::wire::close::{Close, CloseCode};
use wirechat::wire::frame::{self, CONTROL_MAX, Opcode, Role};
use wirechat::wire::handshake::AcceptedHandshake;
use wirechat::wire::head::{HeadLimits, HeadParser};
use wirechat::wire::http::Request;
use wirechat::wire::message::Receiver;
use wirechat::wire::refusal::Refusal;
use wirechat::wire::utf8::Utf8Buffer;
use wirechat::wire::violation::Violation;

use memory::Meter;
use model::{Model, ModelEvent};

/// Panics if the property does not hold for this input.
type Property = fn(&[u8]);

/// The property of each target.
pub(crate) const TARGETS: &[(&str, Property)] = &[
    ("head", head),
    ("receiver", receiver),
    ("close", close),
    ("utf8", utf8),
    ("roundtrip", roundtrip::roundtrip),
];

/// Checks the property of `target` with one input.
///
/// # Panics
/// If the property does not hold.
pub(crate) fn check(target: &str, input: &[u8]) {
    let (_, property) = TARGETS.iter().find(|(name, _)| *name == target).expect("a known target");
    property(input);
}

/// Reads an input from its front. After its end it reads zeros, so every input is usable.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn reads(&mut self) -> Vec<usize> {
        let count = self.byte() % 16;
        self.take(count.into()).iter().map(|byte| size(*byte)).collect()
    }
}

/// A size of 1 to 128, or of 64 to 8192.
fn size(byte: u8) -> usize {
    match byte {
        0..128 => usize::from(byte) + 1,
        128.. => 64 * usize::from(byte - 127),
    }
}

/// The maximum number of reads, and of bytes that are read one at a time: more costs time and finds little.
const READS_MAX: usize = 4096;

/// The ends of reads of these sizes, used in a cycle, over `length` bytes; a single read if there are no
/// sizes.
fn ends(length: usize, reads: &[usize]) -> Vec<usize> {
    let mut end = 0;
    let sums = reads.iter().cycle().map_while(|size| {
        end += size.max(&(length / READS_MAX));
        (end < length).then_some(end)
    });
    sums.chain([length]).collect()
}

// ---- head ------------------------------------------------------------------------------------

/// The debug text of a parsed request and of the answer to it, with the size of the head.
type HeadResult = Result<Option<(String, usize)>, Refusal>;

/// The limits of the server, and smaller ones that short inputs reach.
const LIMITS: [HeadLimits; 2] = [HEAD, HeadLimits { head_max: 300, target_max: 40, fields_max: 6 }];

/// The memory in bytes that one byte of a head may need: a list of one-letter elements needs most.
const MEMORY_PER_BYTE: usize = 32;

/// The result and the size are the same for every division into reads. The memory is proportional to the
/// received bytes. No byte is read more often than [`parse_bytewise`] allows.
fn head(bytes: &[u8]) {
    let mut input = Input(bytes);
    let limits = LIMITS[usize::from(input.byte()) % LIMITS.len()];
    let reads = input.reads();
    let wire = input.0;

    let meter = Meter::start();
    let read = HeadParser::new(limits).advance(wire);
    let memory_max = MEMORY_PER_BYTE * wire.len().min(limits.head_max) + 8 * 1024;
    assert!(meter.peak() <= memory_max, "{} bytes of memory", meter.peak());

    match &read {
        Ok(Some((request, size))) => check_parsed_head(&wire[..*size], limits, request),
        Ok(None) => check_incomplete_head(wire, limits),
        Err(_) => (),
    }
    let whole = head_result(read);
    let mut parser = HeadParser::new(limits);
    let mut cut = ends(wire.len(), &reads).into_iter().map(|end| parser.advance(&wire[..end]));
    let cut = cut.find(|read| !matches!(read, Ok(None))).unwrap_or(Ok(None));
    assert_eq!(head_result(cut), whole, "in reads of {reads:?}");
    assert_eq!(parse_bytewise(limits, wire), whole, "one byte at a time");
}

fn head_result(read: Result<Option<(Request, usize)>, Refusal>) -> HeadResult {
    let text = |request: Request| format!("{request:?} {:?}", AcceptedHandshake::of(&request));
    read.map(|whole| whole.map(|(request, size)| (text(request), size)))
}

/// Checks a parsed head independently: lines end in CRLF, no other CR or LF is present, the limits are kept.
fn check_parsed_head(head: &[u8], limits: HeadLimits, request: &Request) {
    assert!(head.len() <= limits.head_max && head.ends_with(b"\r\n\r\n"));
    let text = String::from_utf8_lossy(head);
    let lines: Vec<&str> = text.trim_start_matches("\r\n").split_terminator("\r\n").collect();
    let fields = &lines[1..lines.len() - 1];
    assert!(fields.len() <= limits.fields_max);
    assert!(lines.iter().all(|line| !line.contains(|c: char| c.is_ascii_control() && c != '\t')));
    assert!(fields.iter().all(|line| line.contains(':') && !line.starts_with([' ', '\t', ':'])));

    let parts: Vec<&str> = lines[0].split(' ').collect();
    let [_, target, version] = parts.as_slice() else { panic!("{parts:?}") };
    assert!(target.len() <= limits.target_max && version.starts_with("HTTP/1."));
    assert!(target.ends_with(request.target.trim_start_matches('/')), "{target}");
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    assert!(request.target.starts_with('/') && request.target.bytes().all(is_plain));
    if let Ok(acceptance) = AcceptedHandshake::of(request) {
        assert!(
            request.fields.has_token("upgrade", "WebSocket")
                && request.fields.values("host").count() == 1
        );
        let response = acceptance.response();
        assert!(response.ends_with("\r\n\r\n") && response.contains(" 101 "));
    }
}

/// Checks an incomplete head: it is below the limits, so the next byte can still be accepted.
fn check_incomplete_head(wire: &[u8], limits: HeadLimits) {
    assert!(wire.len() < limits.head_max);
    let mut lines = wire.split(|byte| b"\r\n".contains(byte)).filter(|line| !line.is_empty());
    let target = lines.next().and_then(|line| line.split(|byte| *byte == b' ').nth(1));
    assert!(target.is_none_or(|target| target.len() <= limits.target_max));
}

/// Replaces the bytes that the parser must not read again.
const ERASED: u8 = 0;

/// Parses a head that is received one byte at a time, and erases what the parser must not read again:
/// complete lines, and all but the last two bytes of an incomplete field line (a CR may wait for its LF).
/// So the parser reads each byte when it is received and once more when its line is complete: the time is
/// linear. (An incomplete request line is not erased: the parser measures its parts from the beginning of
/// the line.)
fn parse_bytewise(limits: HeadLimits, wire: &[u8]) -> HeadResult {
    let mut parser = HeadParser::new(limits);
    let mut shown = Vec::with_capacity(wire.len());
    let (mut line, mut has_request_line) = (0, false);
    for (i, byte) in wire.iter().enumerate() {
        shown.push(*byte);
        let is_whole = line < i && wire[..=i].ends_with(b"\r\n");
        if is_whole {
            shown[line..].copy_from_slice(&wire[line..=i]);
        } else if has_request_line && line + 2 <= i {
            shown[i - 2] = ERASED;
        }
        let read = parser.advance(&shown);
        if !matches!(read, Ok(None)) {
            return head_result(read);
        }
        if is_whole {
            shown[line..].fill(ERASED);
            has_request_line |= line + 2 <= i;
            line = i + 1;
        }
    }
    Ok(None)
}

// ---- receiver --------------------------------------------------------------------------------

/// Size limits on both sides of each length form, and the default of the server.
const MESSAGE_MAX: [usize; 8] = [0, 1, 125, 126, 4000, 65_535, 65_536, 1024 * 1024];

/// The receiver reports the events of [`model`], each at the same byte for every division into reads, and
/// within the allowed memory. If the events are encoded again, the receiver reports the same events.
fn receiver(bytes: &[u8]) {
    let mut input = Input(bytes);
    let settings = input.byte();
    let sender = sender(settings);
    let message_max = MESSAGE_MAX[usize::from(settings & 0b111)];
    let initial = if settings & 0b0100_0000 == 0 { Initial::Nothing } else { Initial::FirstRead };
    let reads = input.reads();
    let wire = input.0;

    let expected = Model::read(sender, message_max, wire);
    check_receiver(sender, message_max, wire, &ends(wire.len(), &reads), initial, &expected);
    check_receiver(sender, message_max, wire, &[wire.len()], Initial::Nothing, &expected);
    if wire.len() <= READS_MAX {
        check_receiver(
            sender,
            message_max,
            wire,
            &ends(wire.len(), &[1]),
            Initial::Nothing,
            &expected,
        );
    }
    check_reencoded(sender, message_max, &expected);
}

/// Encodes each event as one frame, and checks that the receiver reports the same events.
fn check_reencoded(sender: Role, message_max: usize, expected: &Model) {
    let key = (sender == Role::Client).then_some([0x37, 0xfa, 0x21, 0x3d]);
    let mut wire = Vec::new();
    let mut sent = Vec::new();
    for (_, event) in &expected.events {
        let (opcode, payload) = match event {
            ModelEvent::Text(text) => (Opcode::Text, text.clone().into_bytes()),
            ModelEvent::Binary(bytes) => (Opcode::Binary, bytes.clone()),
            ModelEvent::Ping(payload) => (Opcode::Ping, payload.clone()),
            ModelEvent::Pong(payload) => (Opcode::Pong, payload.clone()),
            ModelEvent::Close(None) => (Opcode::Close, Vec::new()),
            ModelEvent::Close(Some((code, reason))) => {
                let code = CloseCode::from_wire(*code).expect("the model reports only valid codes");
                (Opcode::Close, Close::new(code, reason).body())
            }
            ModelEvent::Violation(_) => break,
        };
        frame::encode(opcode, key, &payload, &mut wire);
        sent.push(event);
    }
    let again = Model::read(sender, message_max, &wire);
    assert!(again.events.iter().map(|(_, event)| event).eq(sent), "{:?} again", again.events);
    check_receiver(sender, message_max, &wire, &[wire.len()], Initial::Nothing, &again);
}

fn sender(settings: u8) -> Role {
    if settings & 0b1000_0000 == 0 { Role::Client } else { Role::Server }
}

/// The bytes that are received together with the handshake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Initial {
    Nothing,
    FirstRead,
}

/// The minimum and maximum buffer size. The buffer doubles, and so does the buffer of the message: each is at
/// most twice the received bytes, and neither depends on the length that a header declares.
const BUFFER: (usize, usize) = (2 * 1024, 128 * 1024);
/// Memory for a close reason and the beginning of a character.
const SMALL_BUFFERS: usize = 160;

/// Passes `wire` to a receiver in reads that end at `ends`. After each read the receiver has reported
/// exactly the events that the bytes prove, and its memory is within the limit. When it needs more bytes,
/// its buffer holds at most an incomplete control frame besides the free space.
fn check_receiver(
    sender: Role,
    message_max: usize,
    wire: &[u8],
    ends: &[usize],
    initial: Initial,
    expected: &Model,
) {
    let meter = Meter::start();
    let mut received = match initial {
        Initial::FirstRead => ends[0].min(size(u8::MAX)),
        Initial::Nothing => 0,
    };
    let mut receiver = Receiver::new(sender, message_max, &wire[..received]);
    let mut reported = 0;
    let mut violation = check_events(&mut receiver, received, &expected.events, &mut reported);
    for end in ends {
        while received < *end && violation.is_none() {
            let space = receiver.spare_capacity();
            assert!(!space.is_empty(), "a receiver that needs more bytes has free space");
            let count = space.len().min(end - received);
            space[..count].copy_from_slice(&wire[received..received + count]);
            receiver.advance(count);
            received += count;
            violation = check_events(&mut receiver, received, &expected.events, &mut reported);
            let message = message_max.min(2 * received);
            let peak_max = (2 * received).clamp(BUFFER.0, BUFFER.1) + message + SMALL_BUFFERS;
            assert!(
                meter.peak() <= peak_max,
                "{} bytes of memory at the peak, limit {peak_max}",
                meter.peak()
            );
            if violation.is_none() {
                let held_max =
                    receiver.spare_capacity().len() + CONTROL_MAX + message + SMALL_BUFFERS;
                assert!(
                    meter.held() <= held_max,
                    "{} bytes of memory, limit {held_max}",
                    meter.held()
                );
            }
        }
    }
    assert_eq!(reported, expected.events.len(), "number of events");
    assert_eq!(receiver.take_counts(), expected.counts, "frame counts");
    if let Some(violation) = violation {
        check_stays_failed(&mut receiver, violation, &wire[received..]);
    }
}

/// Checks the events after `received` bytes; gives the violation if there is one.
fn check_events(
    receiver: &mut Receiver,
    received: usize,
    expected: &[(usize, ModelEvent)],
    reported: &mut usize,
) -> Option<Violation> {
    loop {
        let next = expected.get(*reported);
        let violation = match receiver.next() {
            Ok(Some(event)) => {
                assert!(
                    next.is_some_and(|(_, expected)| expected.matches(&event)),
                    "{event:?}, not {next:?}"
                );
                None
            }
            Ok(None) => {
                assert!(
                    next.is_none_or(|(proven, _)| received < *proven),
                    "{received} bytes prove {next:?}, which is not reported"
                );
                return None;
            }
            Err(violation) => {
                let is_expected =
                    |(_, expected): &(_, ModelEvent)| *expected == ModelEvent::Violation(violation);
                assert!(next.is_some_and(is_expected), "{violation:?}, not {next:?}");
                Some(violation)
            }
        };
        assert!(
            next.is_some_and(|(proven, _)| *proven <= received),
            "{next:?} is reported after only {received} bytes"
        );
        *reported += 1;
        if violation.is_some() {
            return violation;
        }
    }
}

/// After a violation the receiver ignores all further bytes, section 7.1.7.
fn check_stays_failed(receiver: &mut Receiver, violation: Violation, rest: &[u8]) {
    for more in [rest, &[0x89, 0x00], &[0x89, 0x80, 0, 0, 0, 0]] {
        assert_eq!(receiver.next(), Err(violation));
        let space = receiver.spare_capacity();
        let count = space.len().min(more.len());
        space[..count].copy_from_slice(&more[..count]);
        receiver.advance(count);
        assert_eq!(receiver.next(), Err(violation));
    }
}

// ---- close -----------------------------------------------------------------------------------

/// A parsed body is encoded to the same bytes, and every body that the server makes is valid.
fn close(body: &[u8]) {
    let read = Close::parse(body);
    match (model::status(body), &read) {
        (Ok(status), Ok(close)) => {
            let code = close.code().map(|code| code.number());
            let (number, reason) = status.unzip();
            assert_eq!((code, close.reason()), (number, reason.as_deref().unwrap_or_default()));
            assert_eq!(close.body(), body);
            let reply = close.reply();
            // A server must not send 1010, so it answers with 1000.
            let answered = code.map(|code| if code == 1010 { 1000 } else { code });
            assert_eq!((reply.code().map(CloseCode::number), reply.reason()), (answered, ""));
            check_close_body(&reply);
        }
        (expected, read) => {
            let violation = read.as_ref().err().copied();
            assert!(violation.is_some() && violation == expected.err(), "{violation:?}");
        }
    }
    match read {
        Ok(close) => close.code().into_iter().for_each(|code| {
            let shortened = Close::new(code, close.reason());
            check_close_body(&shortened);
            let removed = close
                .reason()
                .strip_prefix(shortened.reason())
                .expect("the reason is only shortened");
            let next = removed.chars().next().map_or(usize::MAX, char::len_utf8);
            assert!(
                123 < shortened.reason().len().saturating_add(next),
                "the reason is shortened no more than necessary"
            );
        }),
        Err(violation) => check_close_body(&violation.close()),
    }
}

/// The body fits a control frame (section 5.5) and is parsed to the same value.
fn check_close_body(close: &Close) {
    let body = close.body();
    assert!(body.len() <= 125);
    assert_eq!(Close::parse(&body).as_ref(), Ok(close));
}

// ---- utf8 ------------------------------------------------------------------------------------

/// The result is that of `std`, at the byte that proves it, for every division into fragments.
fn utf8(bytes: &[u8]) {
    let mut input = Input(bytes);
    let reads = input.reads();
    let bytes = input.0;
    let invalid = model::invalid_utf8(bytes);
    for ends in [ends(bytes.len(), &reads), ends(bytes.len(), &[1]), vec![bytes.len()]] {
        let meter = Meter::start();
        let mut text = Utf8Buffer::default();
        let mut received = 0;
        for end in ends {
            let pushed = text.push(&bytes[received..end], bytes.len());
            received = end;
            let is_invalid = invalid.is_some_and(|proven| proven <= received);
            assert_eq!(pushed, if is_invalid { Err(Violation::NotUtf8) } else { Ok(()) });
            if is_invalid {
                break;
            }
            assert_eq!(text.size(), received);
            let rest = &bytes[received.saturating_sub(4)..received];
            let is_cut = (0..rest.len()).any(|at| is_cut_character(&rest[at..]));
            assert_eq!(text.whole().is_err(), is_cut, "after {received}");
        }
        if invalid.is_none() {
            assert_eq!(text.whole().ok(), str::from_utf8(bytes).ok());
        }
        assert!(meter.peak() <= bytes.len() + 64, "{} bytes of memory", meter.peak());
    }
}

/// Is this exactly the beginning of a character?
fn is_cut_character(bytes: &[u8]) -> bool {
    let error = str::from_utf8(bytes).err();
    error.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}
