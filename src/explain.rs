//! Values into words: text that a terminal, a log or a JSON reader can be given without harm.

use std::fmt::Write;

use crate::wire::dissect::Frame;
use crate::wire::frame::Opcode;
use finding::{Finding, findings};

pub mod accept;
pub mod accept_errors;
mod digest;
pub mod fields;
pub mod finding;
pub mod frame_text;
pub mod handshake_text;
pub mod hint;
pub mod inspect_json;
pub mod json;
pub mod picture;
pub mod view;

/// `text` with everything escaped that a terminal or a reader could take for something else:
/// control characters, line ends, and the invisible characters that turn or hide text. At most
/// `max` characters of it, then `…`.
pub fn printable(text: &str, max: usize, out: &mut String) {
    let is_plain = |octet: u8| matches!(octet, b' '..=b'~') && octet != b'\\';
    if text.len() <= max && text.bytes().all(is_plain) {
        return out.push_str(text); // most of what a log repeats, at a fraction of the cost
    }
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
pub const EXCERPT_MAX: usize = 48;
/// Octets of a violation that a line shows.
const WRONG_MAX: usize = 16;

/// `text FIN masked 37fa213d len 5 "Hello"`, and a line for each rule that the frame breaks.
#[must_use]
pub fn lines(frame: &Frame) -> Vec<String> {
    let line = frame.header.is_whole().then(|| frame_line(frame));
    let octets = on_the_wire(frame, WRONG_MAX);
    line.into_iter().chain(findings(frame).iter().map(|it| finding_line(it, &octets))).collect()
}

fn frame_line(frame: &Frame) -> String {
    let header = &frame.header;
    let mut line = frame_text::name(frame);
    if header.fin() {
        line.push_str(" FIN");
    }
    let rsv = header.rsv().into_iter().zip([" RSV1", " RSV2", " RSV3"]);
    rsv.filter(|(is_set, _)| *is_set).for_each(|(_, name)| line.push_str(name));
    if let Some(key) = header.key() {
        line.push_str(" masked ");
        push_hex(&key, "", &mut line);
    }
    let _ = write!(line, " len {}", header.length().unwrap_or_default()); // a String takes everything
    if frame.missing() != 0 {
        let _ = write!(line, " of which {} came", frame.arrived);
    }
    let excerpt = frame.payload.get(..EXCERPT_MAX).unwrap_or(&frame.payload);
    match (header.opcode(), frame.close()) {
        (_, Some(close)) => {
            if let Some(code) = close.code() {
                let _ = write!(line, " {code} {}", code.name());
            }
            push_text(close.reason(), 0, &mut line);
        }
        (Some(Opcode::Text | Opcode::Ping | Opcode::Pong | Opcode::Continuation), _) => {
            let more = header.length().unwrap_or_default() - excerpt.len() as u64;
            push_text(&String::from_utf8_lossy(excerpt), more, &mut line);
        }
        (Some(Opcode::Binary | Opcode::Close) | None, _) => {
            line.push(' ');
            push_hex(excerpt, " ", &mut line);
        }
    }
    line
}

fn finding_line(finding: &Finding, octets: &[u8]) -> String {
    let Finding { section, sentence, code, .. } = finding;
    let mut line = format!("violation: {sentence} (RFC 6455, {section})");
    if let Some(code) = code {
        let _ = write!(line, ", fails with {code}");
    }
    line.push_str(": ");
    push_hex(octets, " ", &mut line);
    line
}

/// The first octets of a frame as they were sent.
fn on_the_wire(frame: &Frame, max: usize) -> Vec<u8> {
    frame.header.bytes().iter().copied().chain(frame.wire_payload(max)).take(max).collect()
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
    use crate::wire::dissect::Dissector;
    use crate::wire::frame::Role;

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
            0xc1, // RSV1
        ];
        let expected = [
            "text FIN masked 37fa213d len 5 \"Hello\"",
            "ping FIN masked 37fa213d len 0",
            "binary masked 00000000 len 2 c3 28",
            "violation: reserved bit set without an extension (RFC 6455, 5.2), fails with 1002: c1",
        ];
        for size in 1..=wire.len() {
            let mut dissector = Dissector::new(Some(Role::Client), 0, EXCERPT_MAX);
            let mut told = Vec::new();
            for part in wire.to_vec().chunks_mut(size) {
                dissector.read(part, |frame| told.extend(lines(&frame)));
                told.extend(dissector.broken().iter().flat_map(lines));
            }
            assert_eq!(told, expected);
        }
        for (wire, expected) in [
            (
                &[0x88, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x34, 0x12, 0x43, 0x44, 0x52][..],
                &["close FIN masked 37fa213d len 5 1000 normal closure \"bye\""][..],
            ),
            (
                &[0x81, 0x85, 0, 0, 0, 0, b'H'],
                &["text FIN masked 00000000 len 5 of which 1 came \"H…\""],
            ),
            (
                &[0xf3, 0x81, 0, 0, 0, 1, b'a'],
                &[
                    "reserved opcode 0x3 FIN RSV1 RSV2 RSV3 masked 00000001 len 1 61",
                    "violation: reserved bit set without an extension (RFC 6455, 5.2), fails with 1002: f3 81 00 00 00 01 61",
                    "violation: reserved opcode (RFC 6455, 5.2), fails with 1002: f3 81 00 00 00 01 61",
                ],
            ),
        ] {
            assert_eq!(lines(&frame(wire)), expected);
        }
    }

    #[test]
    fn a_long_payload_is_passed_over() {
        let mut wire = vec![0x81, 0x7e, 0x01, 0x2c];
        wire.extend([b'a'; 300]);
        wire.extend([0x8a, 0x00]);
        for payload_max in [EXCERPT_MAX, 100, 4096] {
            let mut told = Vec::new();
            let mut dissector = Dissector::new(Some(Role::Server), 0, payload_max);
            dissector.read(&mut wire.clone(), |frame| told.extend(lines(&frame)));
            let text = format!("text FIN len 300 \"{}…\"", "a".repeat(48));
            assert_eq!(told, [text.as_str(), "pong FIN len 0"]);
        }
    }
}
