//! One frame, all that can be said of it, as text.

use std::fmt::Write;

use super::fields::{Field, fields, hex, octets};
use super::finding::{Finding, code_name, findings};
use super::hint::hint;
use super::picture::{bits_in, picture, printable_char};
use super::view::{Tone, View};
use crate::wire::close::split_body;
use crate::wire::dissect::{Frame, Message};
use crate::wire::frame::{Opcode, Role};

/// Octets of a payload that are unmasked one by one.
const STEPS_MAX: usize = 8;
/// Characters of a text that are shown.
const TEXT_MAX: usize = 400;
/// Octets of a payload that are shown in hex.
const DUMP_MAX: usize = 64;
/// Columns that a table of the fields takes at least.
const TABLE_MIN: usize = 70;

/// The frame with this number, in full: picture, fields, masking, payload, verdict, message.
#[must_use]
pub fn frame_text(number: u64, frame: &Frame, view: View) -> String {
    let heading = format!("frame {number}, {}", heading(frame));
    let mut out = view.paint(Tone::Heading, view.wrap(&heading, 0).trim_end());
    out.push_str("\n\n");
    out.push_str(&picture(frame, bits_in(view.width)));
    out.push('\n');
    for field in fields(frame) {
        out.push_str(&row(&field, view));
    }
    out.push('\n');
    out.push_str(&steps(frame, view));
    out.push_str(&payload(frame, view));
    out.push_str(&verdict(frame, view));
    if let Some(message) = &frame.message {
        out.push_str(&view.wrap(&message_line(message), 0));
    }
    out
}

/// `octets 0 to 10, from a client: text`.
fn heading(frame: &Frame) -> String {
    let size = frame.header.bytes().len() as u64 + frame.arrived;
    let last = frame.offset + size.saturating_sub(1);
    let place = if size == 1 {
        format!("octet {}", frame.offset)
    } else {
        format!("octets {} to {last}", frame.offset)
    };
    format!("{place}, from a {}: {}", role(frame.sender), name(frame))
}

/// `client` or `server`.
#[must_use]
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}

/// The opcode's own word, or that it has none.
#[must_use]
pub fn name(frame: &Frame) -> String {
    let bits = frame.header.opcode_bits();
    let known = frame.header.opcode().map(|opcode| opcode.name().to_owned());
    known.unwrap_or_else(|| format!("reserved opcode 0x{bits:x}"))
}

/// One field: a row of a table where there is room for one, else a line with its meaning below.
fn row(field: &Field, view: View) -> String {
    let Field { name, bits, value, meaning, section, .. } = field;
    let meaning = match value.is_empty() || value == bits {
        true => format!("{meaning} ({section})"),
        false => format!("{value} = {meaning} ({section})"),
    };
    if view.width < TABLE_MIN {
        let painted = view.paint(Tone::Name, name);
        let first = if name.len() + bits.len() + 4 <= view.width {
            format!("  {painted} {bits}\n")
        } else {
            format!("  {painted}\n{}", view.wrap(bits, 4))
        };
        return format!("{}\n{}", first.trim_end(), view.wrap(&meaning, 4));
    }
    let painted = view.paint(Tone::Name, &format!("{name:<25}"));
    let meaning = view.wrap(&meaning, 38);
    if bits.len() < 10 {
        return format!("  {painted}{bits:<11}{}", meaning.trim_start());
    }
    format!("  {painted}{}{meaning}", view.wrap(bits, 27).trim_start())
}

/// Section 5.3, octet by octet.
fn steps(frame: &Frame, view: View) -> String {
    let Some(key) = frame.header.key().filter(|_| !frame.payload.is_empty()) else {
        return String::new();
    };
    let mut out = view.wrap("unmasking, octet i with octet i modulo 4 of the key (5.3):", 0);
    for (plain, key) in frame.payload.iter().zip(key.iter().cycle()).take(STEPS_MAX) {
        let _ = writeln!(
            out,
            "  {:#04x} xor {key:#04x} = {plain:#04x}{}",
            plain ^ key,
            printable_char(*plain)
        );
    }
    let shown = frame.payload.len().min(STEPS_MAX) as u64;
    if shown < frame.arrived {
        let more = octets(frame.arrived - shown);
        out.push_str(&view.wrap(&format!("and {more} more in the same way"), 2));
    }
    out.push('\n');
    out
}

fn payload(frame: &Frame, view: View) -> String {
    if frame.arrived == 0 {
        return String::new();
    }
    let is_text = match frame.header.opcode() {
        Some(Opcode::Text | Opcode::Continuation | Opcode::Ping | Opcode::Pong) => {
            str::from_utf8(&frame.payload).is_ok() || frame.header.opcode() == Some(Opcode::Text)
        }
        _ => false,
    };
    let what = match frame.header.opcode() {
        Some(Opcode::Close) => close(&frame.payload),
        _ if is_text => quoted(&frame.payload, frame.arrived),
        _ => dump(&frame.payload, frame.arrived),
    };
    view.wrap(&format!("payload: {what}"), 0)
}

/// Section 5.5.1: the status code and the reason.
fn close(body: &[u8]) -> String {
    match split_body(body) {
        Some((code, reason)) => {
            let reason = match reason {
                [] => "no reason".to_owned(),
                reason => format!("reason {}", quoted(reason, reason.len() as u64)),
            };
            format!("status code {code:#06x} = {code}, {}; {reason} (5.5.1, 7.4)", code_name(code))
        }
        None => format!("{} of a status code that takes two (5.5.1)", dump(body, 1)),
    }
}

/// Text in quotes; octets that are no UTF-8 as `\xff`. `all` octets belong to it.
#[must_use]
pub fn quoted(octets: &[u8], all: u64) -> String {
    let mut text = String::from("\"");
    let mut room = TEXT_MAX;
    for chunk in octets.utf8_chunks() {
        super::printable(chunk.valid(), room, &mut text);
        let count = chunk.valid().chars().count();
        if room <= count {
            break;
        }
        room -= count;
        for octet in chunk.invalid() {
            let _ = write!(text, "\\x{octet:02x}"); // a String takes everything
        }
    }
    let is_cut = (octets.len() as u64) < all || TEXT_MAX < octets.len();
    text.push_str(if is_cut && !text.ends_with('…') { "…\"" } else { "\"" });
    text
}

fn dump(payload: &[u8], all: u64) -> String {
    let shown = payload.get(..DUMP_MAX).unwrap_or(payload);
    let more = if (shown.len() as u64) < all { " …" } else { "" };
    format!("{}{more}", hex(shown, " "))
}

fn verdict(frame: &Frame, view: View) -> String {
    let findings = findings(frame);
    let mut out = String::new();
    for finding in &findings {
        out.push_str(&render_finding(finding, view));
    }
    if frame.follows_close && !frame.is_too_late() {
        out.push_str(&view.wrap("it comes after a Close: whoever receives it drops it (5.5.1)", 0));
    }
    if 0 < frame.missing() {
        let missing = format!("incomplete: {} missing at least", octets(frame.missing()));
        let text =
            if frame.header.is_whole() { missing.trim_end_matches(" at least") } else { &missing };
        out.push_str(&view.paint(Tone::Wrong, view.wrap(text, 0).trim_end()));
        out.push('\n');
    }
    if let Some(hint) = hint(frame) {
        out.push_str(&view.wrap(&format!("hint: {hint}"), 0));
    }
    if findings.is_empty() && frame.missing() == 0 {
        let text = "verdict: conforming";
        out.push_str(&view.paint(Tone::Right, text));
        out.push('\n');
    }
    out
}

/// What is wrong, what is required, what answers it.
fn render_finding(finding: &Finding, view: View) -> String {
    let Finding { section, sentence, requirement, code } = finding;
    let first = view.wrap(&format!("VIOLATION of section {section}: {sentence}"), 0);
    let answer = match code {
        Some(code) => format!("a receiver answers with Close {code}, {}", code.name()),
        None => "no Close answers it, that was sent already".to_owned(),
    };
    let first = view.paint(Tone::Wrong, first.trim_end());
    format!("{first}\n{}{}", view.wrap(requirement, 2), view.wrap(&answer, 2))
}

/// What the frames up to this one say together.
#[must_use]
pub fn message_line(message: &Message) -> String {
    let Message { opcode, frames, between, length, .. } = message;
    let what = match frames {
        1 => "of 1 frame".to_owned(),
        many => format!("of {many} frames from octet {} on", message.offset),
    };
    let between = match between {
        0 => String::new(),
        1 => ", 1 control frame between them".to_owned(),
        many => format!(", {many} control frames between them"),
    };
    let content = match (opcode, message.is_utf8) {
        (Opcode::Text, true) => format!("valid UTF-8, {}", quoted(&message.payload, *length)),
        (Opcode::Text, false) => format!("not UTF-8, {}", quoted(&message.payload, *length)),
        _ => dump(&message.payload, *length),
    };
    format!("message: {} {what}{between}, {}: {content}", opcode.name(), octets(*length))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{frame, frames};
    use super::super::view::Colour;
    use super::*;

    fn shown(wire: &[u8], width: usize) -> String {
        frame_text(1, &frame(wire), View { width, colour: Colour::Off })
    }

    #[test]
    fn s5_7_hello_of_a_client() {
        let text = shown(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], 80);
        for line in [
            "frame 1, octets 0 to 10, from a client: text",
            "  FIN                      1          the message is whole in this frame (5.4)",
            "  Payload len              0000101    5 = octets of payload (5.2)",
            "  0x7f xor 0x37 = 0x48 'H'",
            "payload: \"Hello\"",
            "verdict: conforming",
            "message: text of 1 frame, 5 octets: valid UTF-8, \"Hello\"",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn every_line_fits_and_nothing_reaches_the_terminal_raw() {
        let wire = [
            &[0xf9, 0xfe, 0x00, 0x05, 0xff, 1, 2, 3, 0x1b, b'[', 0x9b, 0xff, b'\n'][..],
            &[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 0x1b ^ 9, b'\\', 0xe2, 0x80],
        ];
        for wire in wire {
            for frame in frames(wire) {
                for width in [40, 64, 70, 80, 200] {
                    let text = frame_text(1, &frame, View { width, colour: Colour::Off });
                    assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
                    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
                }
            }
        }
    }

    #[test]
    fn text_that_is_none_is_shown_octet_by_octet() {
        assert_eq!(quoted(b"a\xffb\xe2\x82", 5), "\"a\\xffb\\xe2\\x82\"");
        assert_eq!(quoted(b"\x1b\\x", 3), "\"\\u{1b}\\\\x\"");
        assert_eq!(quoted(b"ab", 3), "\"ab…\"");
        let long = "é".repeat(TEXT_MAX + 1);
        let shown = quoted(long.as_bytes(), long.len() as u64);
        assert!(shown.ends_with("é…\"") && shown.chars().count() == TEXT_MAX + 3, "{shown}");
    }
}
