//! Values into words: text that a terminal, a log or a JSON reader can be given without harm.

use std::borrow::Cow;
use std::fmt::Write;
use std::mem;

use crate::wire::close::{Close, Violation};
use crate::wire::frame::{Header, Opcode, Role};
use crate::wire::mask;

pub mod fields;
pub mod finding;
pub mod head;
pub mod hint;
pub mod json;
pub mod page;
pub mod picture;
pub mod view;

/// `text` with everything escaped that a terminal or a reader could take for something else:
/// control characters, line ends, and the invisible characters that turn or hide text. At most
/// `max` characters of it, then `…`.
pub fn printable(text: &str, max: usize, out: &mut String) {
    let end = text.char_indices().nth(max).map_or(text.len(), |(index, _)| index);
    for character in text[..end].chars() {
        if is_deceptive(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    if end < text.len() {
        out.push('…');
    }
}

/// A backslash counts, so that an escape cannot be forged.
fn is_deceptive(character: char) -> bool {
    match character {
        ' '..='~' => character == '\\',
        '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}' | '\u{200e}'..='\u{200f}' => true, // zero width and direction; joiners may stay
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => character.is_control(),
    }
}

/// `text` as a JSON string, its quotes included (RFC 8259, 7).
pub fn json_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if is_deceptive(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}"); // a String takes everything
                }
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Octets of a payload that a line shows.
const EXCERPT_MAX: usize = 48;

/// Frames of one piece of a stream that get a line each; the others are counted, so that a flood of
/// tiny frames cannot keep whoever shows them.
const FRAMES_MAX: usize = 64;

/// One line for each frame of a stream, however the stream is cut.
pub struct FrameLines {
    sender: Role,
    /// What came and is not told.
    pending: Vec<u8>,
    /// Octets of payload that are passed over.
    beyond: u64,
    /// After a violation nobody can say where the next frame begins.
    is_lost: bool,
}

impl FrameLines {
    /// For the frames of `sender`, from the first.
    #[must_use]
    pub fn new(sender: Role) -> Self {
        Self { sender, pending: Vec::new(), beyond: 0, is_lost: false }
    }

    /// Takes more of the stream; `tell` gets a line for each frame that can be told by now. Each octet
    /// is looked at once: what is kept for later is less than a header and an excerpt.
    pub fn read(&mut self, octets: &[u8], mut tell: impl FnMut(&str)) {
        let kept = mem::take(&mut self.pending);
        let stream =
            if kept.is_empty() { Cow::Borrowed(octets) } else { [&kept, octets].concat().into() };
        let mut rest = &*stream;
        let mut frames = 0;
        while !self.is_lost {
            let passed = rest.len().min(usize::try_from(self.beyond).unwrap_or(usize::MAX));
            rest = &rest[passed..];
            self.beyond -= passed as u64;
            match Header::parse(rest, self.sender) {
                Ok(Some(header)) => {
                    let excerpt = header.length.min(EXCERPT_MAX as u64);
                    let end = header.size() + usize::try_from(excerpt).unwrap_or(EXCERPT_MAX);
                    if rest.len() < end {
                        break;
                    }
                    frames += 1;
                    if frames <= FRAMES_MAX {
                        tell(&frame_line(&header, &rest[header.size()..end]));
                    }
                    rest = &rest[end..];
                    self.beyond = header.length - excerpt;
                }
                Ok(None) => break,
                Err(violation) => {
                    self.is_lost = true;
                    tell(&violation_line(violation, rest));
                }
            }
        }
        if FRAMES_MAX < frames {
            tell(&format!("and {} frames more", frames - FRAMES_MAX));
        }
        self.pending = if self.is_lost { Vec::new() } else { rest.to_vec() };
    }
}

/// `text FIN masked 37fa213d len 5 "Hello"`; `excerpt` is the beginning of the payload as it is on
/// the wire.
#[must_use]
pub fn frame_line(header: &Header, excerpt: &[u8]) -> String {
    let mut line = header.opcode.name().to_owned();
    if header.fin {
        line.push_str(" FIN");
    }
    let mut plain = excerpt.to_vec();
    if let Some(key) = header.key {
        line.push_str(" masked ");
        push_hex(&key, "", &mut line);
        mask::apply(key, 0, &mut plain);
    }
    let _ = write!(line, " len {}", header.length); // a String takes everything
    match (header.opcode, Close::parse(&plain)) {
        (Opcode::Close, Ok(close)) => {
            if let Some(code) = close.code() {
                let _ = write!(line, " {code} {}", code.name());
            }
            push_text(close.reason(), 0, &mut line);
        }
        (Opcode::Text | Opcode::Ping | Opcode::Pong | Opcode::Continuation, _) => {
            let more = header.length - excerpt.len() as u64;
            push_text(&String::from_utf8_lossy(&plain), more, &mut line);
        }
        (Opcode::Binary | Opcode::Close, _) => {
            line.push(' ');
            push_hex(&plain, " ", &mut line);
        }
    }
    line
}

fn violation_line(violation: Violation, octets: &[u8]) -> String {
    let (code, section, sentence) = violation.verdict();
    let mut line = format!("violation: {sentence} (RFC 6455, {section}), fails with {code}: ");
    push_hex(&octets[..octets.len().min(16)], " ", &mut line);
    line
}

fn push_text(text: &str, more: u64, line: &mut String) {
    if !text.is_empty() {
        line.push_str(" \"");
        printable(text, EXCERPT_MAX, line);
        line.push_str(if more == 0 { "\"" } else { "…\"" });
    }
}

fn push_hex(octets: &[u8], between: &str, line: &mut String) {
    for (index, octet) in octets.iter().enumerate() {
        let _ = write!(line, "{}{octet:02x}", if index == 0 { "" } else { between });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::wire::dissect::{Dissector, Frame};

    /// The frames of a stream, the cut one at its end too.
    pub(crate) fn frames(wire: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut dissector = Dissector::new(None, 0, 1000);
        dissector.read(&mut wire.to_vec(), |frame| frames.push(frame));
        frames.extend(dissector.finish());
        frames
    }

    /// The first of them.
    pub(crate) fn frame(wire: &[u8]) -> Frame {
        frames(wire).remove(0)
    }

    fn shown(text: &str, max: usize) -> String {
        let mut out = String::new();
        printable(text, max, &mut out);
        out
    }

    #[test]
    fn what_could_deceive_is_escaped() {
        for (text, expected) in [
            ("it's \"fine\", très 🙂", "it's \"fine\", très 🙂"),
            ("\x1b[31m", "\\u{1b}[31m"),
            ("a\r\nb\tc\0", "a\\r\\nb\\tc\\u{0}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("\u{202e}abc\u{2028}", "\\u{202e}abc\\u{2028}"),
            ("\\u{1b}", "\\\\u{1b}"),
            ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
        ] {
            assert_eq!(shown(text, 200), expected);
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(shown("äöü", 3), "äöü");
        assert_eq!(shown("äöüß", 3), "äöü…");
        assert_eq!(shown("", 0), "");
    }

    #[test]
    fn json_strings_are_ascii_where_it_matters() {
        let mut out = String::new();
        json_string("\"\\\n\u{202e}\u{9b}é\u{e0001}", &mut out);
        assert_eq!(out, "\"\\\"\\\\\\u000a\\u202e\\u009bé\\udb40\\udc01\"");
    }

    #[test]
    fn a_frame_is_a_line_however_it_is_cut() {
        let wire = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, // Hello
            0x89, 0x80, 0x37, 0xfa, 0x21, 0x3d, // an empty ping
            0x02, 0x82, 0x00, 0x00, 0x00, 0x00, 0xc3, 0x28, // binary, more to come
            0x88, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x34, 0x12, 0x43, 0x44, 0x52, // 1000 bye
            0xc1, 0x80, // RSV1
        ];
        let expected = [
            "text FIN masked 37fa213d len 5 \"Hello\"",
            "ping FIN masked 37fa213d len 0",
            "binary masked 00000000 len 2 c3 28",
            "close FIN masked 37fa213d len 5 1000 normal closure \"bye\"",
            "violation: reserved bit set without an extension (RFC 6455, 5.2), fails with 1002: c1",
        ];
        for size in 1..=wire.len() {
            let mut lines = FrameLines::new(Role::Client);
            let mut told = Vec::new();
            for part in wire.chunks(size) {
                lines.read(part, |line| told.push(line.to_owned()));
            }
            told[4].truncate(expected[4].len()); // how many octets are shown depends on the cut
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_long_payload_is_passed_over() {
        let mut wire = vec![0x81, 0x7e, 0x01, 0x2c];
        wire.extend([b'a'; 300]);
        wire.extend([0x8a, 0x00]);
        let mut lines = FrameLines::new(Role::Server);
        let mut told = Vec::new();
        lines.read(&wire, |line| told.push(line.to_owned()));
        let text = format!("text FIN len 300 \"{}…\"", "a".repeat(48));
        assert_eq!(told, [text.as_str(), "pong FIN len 0"]);
    }

    #[test]
    fn a_flood_is_counted() {
        let mut told = Vec::new();
        FrameLines::new(Role::Server)
            .read(&[0x81, 0x00].repeat(500_000), |line| told.push(line.to_owned()));
        assert_eq!((told.len(), told[64].as_str()), (65, "and 499936 frames more"));
    }
}
