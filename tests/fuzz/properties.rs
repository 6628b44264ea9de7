//! What holds for every input, one function a target: the fuzzer looks for an input that breaks it, and
//! `tests/fuzz_seeds.rs` replays the inputs that are kept. Where it does not hold there is a panic.
//!
//! An input is plain octets, so that a kept one means the same for ever: a few settings, then what is judged.
//!
//! ```text
//! head       limits, reads, what a client sends first
//! receiver   settings (bit 7: from a server; bit 6: the first read came with the handshake; bits 0-2: the
//!            limit), reads, frames
//! close      the body of a Close frame
//! utf8       reads, text
//! roundtrip  settings (bit 7: to a client), reads, a script of messages
//!
//! reads      their number, then an octet for each: 1 to 128 octets, or 64 to 8192; over and over
//! ```

mod memory;
mod model;
mod roundtrip;

use wirechat::server::limits::HEAD;
use wirechat::wire::close::{Close, CloseCode, Violation};
use wirechat::wire::frame::{self, CONTROL_MAX, Opcode, Role};
use wirechat::wire::handshake::AcceptedHandshake;
use wirechat::wire::head::{HeadLimits, HeadParser};
use wirechat::wire::http::Request;
use wirechat::wire::message::Receiver;
use wirechat::wire::refusal::Refusal;
use wirechat::wire::utf8::Utf8Buffer;

use memory::Meter;
use model::{Conversation, Told};

/// Panics where it does not hold.
type Property = fn(&[u8]);

/// What holds for every input, by the name of its target.
pub(crate) const TARGETS: &[(&str, Property)] = &[
    ("head", head),
    ("receiver", receiver),
    ("close", close),
    ("utf8", utf8),
    ("roundtrip", roundtrip::roundtrip),
];

/// Holds `octets` against what `target` promises.
///
/// # Panics
/// If the promise is broken.
pub(crate) fn hold(target: &str, octets: &[u8]) {
    let (_, property) = TARGETS.iter().find(|(name, _)| *name == target).expect("a known target");
    property(octets);
}

/// An input, from its front. Behind its end there are zeros, so that every input says something.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn octet(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn reads(&mut self) -> Vec<usize> {
        let count = self.octet() % 16;
        self.take(count.into()).iter().map(|octet| size(*octet)).collect()
    }
}

/// 1 to 128, or 64 to 8192.
fn size(octet: u8) -> usize {
    match octet {
        0..128 => usize::from(octet) + 1,
        128.. => 64 * usize::from(octet - 127),
    }
}

/// More reads, or longer wires octet by octet, take longer than they teach.
const READS_MAX: usize = 4096;

/// Where reads of these sizes end, over and over, in `length` octets; without sizes it is one read.
fn ends(length: usize, reads: &[usize]) -> Vec<usize> {
    let mut end = 0;
    let sums = reads.iter().cycle().map_while(|size| {
        end += size.max(&(length / READS_MAX));
        (end < length).then_some(end)
    });
    sums.chain([length]).collect()
}

// ---- head ------------------------------------------------------------------------------------

/// A head that was read, all that is known of it and of the answer to it in words; its size.
type Verdict = Result<Option<(String, usize)>, Refusal>;

/// The server's own limits, and some that short inputs reach.
const LIMITS: [HeadLimits; 2] = [HEAD, HeadLimits { head_max: 300, target_max: 40, fields_max: 6 }];

/// Octets of memory for each octet of a head: a list of one-letter elements is the dearest.
const HEAD_COST: usize = 32;

/// The verdict and the size are the same however a head is cut; memory follows what came; no octet is
/// looked at more often than [`trickled`] lets it.
fn head(octets: &[u8]) {
    let mut input = Input(octets);
    let limits = LIMITS[usize::from(input.octet()) % LIMITS.len()];
    let reads = input.reads();
    let wire = input.0;

    let meter = Meter::start();
    let read = HeadParser::new(limits).advance(wire);
    let memory_max = HEAD_COST * wire.len().min(limits.head_max) + 8 * 1024;
    assert!(meter.height() <= memory_max, "{} octets of memory", meter.height());

    match &read {
        Ok(Some((request, size))) => is_sound(&wire[..*size], limits, request),
        Ok(None) => can_go_on(wire, limits),
        Err(_) => (),
    }
    let whole = verdict(read);
    let mut parser = HeadParser::new(limits);
    let mut cut = ends(wire.len(), &reads).into_iter().map(|end| parser.advance(&wire[..end]));
    let cut = cut.find(|read| !matches!(read, Ok(None))).unwrap_or(Ok(None));
    assert_eq!(verdict(cut), whole, "in reads of {reads:?}");
    assert_eq!(trickled(limits, wire), whole, "octet by octet");
}

fn verdict(read: Result<Option<(Request, usize)>, Refusal>) -> Verdict {
    let in_words = |request: Request| format!("{request:?} {:?}", AcceptedHandshake::of(&request));
    read.map(|whole| whole.map(|(request, size)| (in_words(request), size)))
}

/// What any reader would agree on: lines end in CRLF, nothing else has either octet, limits are kept.
fn is_sound(head: &[u8], limits: HeadLimits, request: &Request) {
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
    let is_plain = |octet: u8| octet.is_ascii_graphic() && octet != b'#';
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

/// Who asks for more has room for it: nobody waits for an octet that can only be refused.
fn can_go_on(wire: &[u8], limits: HeadLimits) {
    assert!(wire.len() < limits.head_max);
    let mut lines = wire.split(|octet| b"\r\n".contains(octet)).filter(|line| !line.is_empty());
    let target = lines.next().and_then(|line| line.split(|octet| *octet == b' ').nth(1));
    assert!(target.is_none_or(|target| target.len() <= limits.target_max));
}

/// What the parser has no right to look at once more.
const BLOT: u8 = 0;

/// The head comes octet by octet, and what was looked at is blotted out behind the parser: lines that
/// are whole, and of a field line under way all but the last two octets, as a CR waits for its LF. So
/// each octet is looked at as it comes, and once more when its line is whole: that is linear. (A
/// request line is not blotted: how long its parts are is judged from its beginning.)
fn trickled(limits: HeadLimits, wire: &[u8]) -> Verdict {
    let mut parser = HeadParser::new(limits);
    let mut shown = Vec::with_capacity(wire.len());
    let (mut line, mut has_request_line) = (0, false);
    for (i, octet) in wire.iter().enumerate() {
        shown.push(*octet);
        let is_whole = line < i && wire[..=i].ends_with(b"\r\n");
        if is_whole {
            shown[line..].copy_from_slice(&wire[line..=i]);
        } else if has_request_line && line + 2 <= i {
            shown[i - 2] = BLOT;
        }
        let read = parser.advance(&shown);
        if !matches!(read, Ok(None)) {
            return verdict(read);
        }
        if is_whole {
            shown[line..].fill(BLOT);
            has_request_line |= line + 2 <= i;
            line = i + 1;
        }
    }
    Ok(None)
}

// ---- receiver --------------------------------------------------------------------------------

/// Both sides of what a length is written in, and the server's default.
const MESSAGE_MAX: [usize; 8] = [0, 1, 125, 126, 4000, 65_535, 65_536, 1024 * 1024];

/// What is told is what [`model`] reads, at the same octet whatever the cuts, and within the memory
/// that is allowed; said again, it is told again.
fn receiver(octets: &[u8]) {
    let mut input = Input(octets);
    let settings = input.octet();
    let sender = sender(settings);
    let message_max = MESSAGE_MAX[usize::from(settings & 0b111)];
    let early = if settings & 0b0100_0000 == 0 { Early::Nothing } else { Early::FirstRead };
    let reads = input.reads();
    let wire = input.0;

    let expected = Conversation::read(sender, message_max, wire);
    converse(sender, message_max, wire, &ends(wire.len(), &reads), early, &expected);
    converse(sender, message_max, wire, &[wire.len()], Early::Nothing, &expected);
    if wire.len() <= READS_MAX {
        converse(sender, message_max, wire, &ends(wire.len(), &[1]), Early::Nothing, &expected);
    }
    is_the_same_again(sender, message_max, &expected);
}

/// What was told, each as one frame of our own encoder, is told once more.
fn is_the_same_again(sender: Role, message_max: usize, expected: &Conversation) {
    let key = (sender == Role::Client).then_some([0x37, 0xfa, 0x21, 0x3d]);
    let mut wire = Vec::new();
    let mut said = Vec::new();
    for (_, told) in &expected.told {
        let (opcode, payload) = match told {
            Told::Text(text) => (Opcode::Text, text.clone().into_bytes()),
            Told::Binary(octets) => (Opcode::Binary, octets.clone()),
            Told::Ping(payload) => (Opcode::Ping, payload.clone()),
            Told::Pong(payload) => (Opcode::Pong, payload.clone()),
            Told::Close(None) => (Opcode::Close, Vec::new()),
            Told::Close(Some((code, reason))) => {
                let code = CloseCode::from_wire(*code).expect("such a code was told");
                (Opcode::Close, Close::new(code, reason).body())
            }
            Told::Broken(_) => break,
        };
        frame::encode(opcode, key, &payload, &mut wire);
        said.push(told);
    }
    let again = Conversation::read(sender, message_max, &wire);
    assert!(again.told.iter().map(|(_, told)| told).eq(said), "{:?} again", again.told);
    converse(sender, message_max, &wire, &[wire.len()], Early::Nothing, &again);
}

fn sender(settings: u8) -> Role {
    if settings & 0b1000_0000 == 0 { Role::Client } else { Role::Server }
}

/// What came with the handshake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Early {
    Nothing,
    FirstRead,
}

/// The buffer, at least and at most. It doubles, as the message under way does, so that either is at most
/// twice what came; neither follows a length that is only claimed.
const BUFFER: (usize, usize) = (2 * 1024, 128 * 1024);
/// Small change: a close reason, the beginning of a character.
const CHANGE: usize = 160;

/// Hands `wire` to a receiver in reads that end at `ends`. After each it has told what the octets
/// prove: no less, no more, and it holds no more memory than they justify. Once it asks for more, there
/// waits in its buffer a control frame at most, which is no part of its space.
fn converse(
    sender: Role,
    message_max: usize,
    wire: &[u8],
    ends: &[usize],
    early: Early,
    expected: &Conversation,
) {
    let meter = Meter::start();
    let mut came = match early {
        Early::FirstRead => ends[0].min(size(u8::MAX)),
        Early::Nothing => 0,
    };
    let mut receiver = Receiver::new(sender, message_max, &wire[..came]);
    let mut told = 0;
    let mut violation = hear(&mut receiver, came, &expected.told, &mut told);
    for end in ends {
        while came < *end && violation.is_none() {
            let space = receiver.spare_capacity();
            assert!(!space.is_empty(), "who asks for more has space for it");
            let count = space.len().min(end - came);
            space[..count].copy_from_slice(&wire[came..came + count]);
            receiver.advance(count);
            came += count;
            violation = hear(&mut receiver, came, &expected.told, &mut told);
            let message = message_max.min(2 * came);
            let height_max = (2 * came).clamp(BUFFER.0, BUFFER.1) + message + CHANGE;
            assert!(meter.height() <= height_max, "{} octets, not {height_max}", meter.height());
            if violation.is_none() {
                let held_max = receiver.spare_capacity().len() + CONTROL_MAX + message + CHANGE;
                assert!(meter.held() <= held_max, "{} octets, not {held_max}", meter.held());
            }
        }
    }
    assert_eq!(told, expected.told.len(), "what was told");
    assert_eq!(receiver.take_counts(), expected.counts, "frames");
    if let Some(violation) = violation {
        is_final(&mut receiver, violation, &wire[came..]);
    }
}

/// All that is told now that `came` octets are there; the violation that ends it.
fn hear(
    receiver: &mut Receiver,
    came: usize,
    expected: &[(usize, Told)],
    told: &mut usize,
) -> Option<Violation> {
    loop {
        let next = expected.get(*told);
        let violation = match receiver.next() {
            Ok(Some(event)) => {
                assert!(next.is_some_and(|(_, told)| told.is(&event)), "{event:?}, not {next:?}");
                None
            }
            Ok(None) => {
                assert!(next.is_none_or(|(proven, _)| came < *proven), "{came} prove {next:?}");
                return None;
            }
            Err(violation) => {
                let is_expected = |(_, told): &(_, Told)| *told == Told::Broken(violation);
                assert!(next.is_some_and(is_expected), "{violation:?}, not {next:?}");
                Some(violation)
            }
        };
        assert!(next.is_some_and(|(proven, _)| *proven <= came), "{next:?} after {came}");
        *told += 1;
        if violation.is_some() {
            return violation;
        }
    }
}

/// Section 7.1.7: nothing that follows is heard.
fn is_final(receiver: &mut Receiver, violation: Violation, rest: &[u8]) {
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

/// A body that is read and written again is the same; our own bodies are within the RFC.
fn close(body: &[u8]) {
    let read = Close::parse(body);
    match (model::status(body), &read) {
        (Ok(status), Ok(close)) => {
            let code = close.code().map(|code| code.number());
            let (number, reason) = status.unzip();
            assert_eq!((code, close.reason()), (number, reason.as_deref().unwrap_or_default()));
            assert_eq!(close.body(), body);
            let reply = close.reply();
            let answered = code.map(|code| if code == 1010 { 1000 } else { code }); // a client's alone
            assert_eq!((reply.code().map(CloseCode::number), reply.reason()), (answered, ""));
            is_sent_whole(&reply);
        }
        (expected, read) => {
            let violation = read.as_ref().err().copied();
            assert!(violation.is_some() && violation == expected.err(), "{violation:?}");
        }
    }
    match read {
        Ok(close) => close.code().into_iter().for_each(|code| {
            let cut = Close::new(code, close.reason());
            is_sent_whole(&cut);
            let lost = close.reason().strip_prefix(cut.reason()).expect("it is only cut");
            let next = lost.chars().next().map_or(usize::MAX, char::len_utf8);
            assert!(123 < cut.reason().len().saturating_add(next), "no more than it must");
        }),
        Err(violation) => is_sent_whole(&violation.close()),
    }
}

/// It fits a control frame (section 5.5), and is read as what it is.
fn is_sent_whole(close: &Close) {
    let body = close.body();
    assert!(body.len() <= 125);
    assert_eq!(Close::parse(&body).as_ref(), Ok(close));
}

// ---- utf8 ------------------------------------------------------------------------------------

/// The verdict of `std`, at the octet that proves it, whatever the fragments.
fn utf8(octets: &[u8]) {
    let mut input = Input(octets);
    let reads = input.reads();
    let octets = input.0;
    let breach = model::breach_of_utf8(octets);
    for ends in [ends(octets.len(), &reads), ends(octets.len(), &[1]), vec![octets.len()]] {
        let meter = Meter::start();
        let mut text = Utf8Buffer::default();
        let mut came = 0;
        for end in ends {
            let pushed = text.push(&octets[came..end], octets.len());
            came = end;
            let is_broken = breach.is_some_and(|proven| proven <= came);
            assert_eq!(pushed, if is_broken { Err(Violation::NotUtf8) } else { Ok(()) });
            if is_broken {
                break;
            }
            assert_eq!(text.size(), came);
            let rest = &octets[came.saturating_sub(4)..came];
            let is_cut = (0..rest.len()).any(|at| is_beginning(&rest[at..]));
            assert_eq!(text.whole().is_err(), is_cut, "after {came}");
        }
        if breach.is_none() {
            assert_eq!(text.whole().ok(), str::from_utf8(octets).ok());
        }
        assert!(meter.height() <= octets.len() + 64, "{} octets of memory", meter.height());
    }
}

/// The beginning of a character, and nothing else?
fn is_beginning(octets: &[u8]) -> bool {
    let error = str::from_utf8(octets).err();
    error.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}
