//! One frame as text: picture, fields, unmasking, payload, violations, message.

use std::fmt::Write;

use super::fields::{Field, fields};
use super::finding::{Finding, findings};
use super::hint::hint;
use super::picture::{bits_in, picture};
use super::text::{byte_count, byte_range, printable_char, quoted, wrap};
use super::view::{Tone, View};
use super::{hex, names};
use crate::rfc6455::{Binds, Requirement};
use crate::wire::close::split_body;
use crate::wire::dissect::{Frame, Message};
use crate::wire::frame::Opcode;

/// Bytes of a payload that are unmasked one by one.
const STEPS_MAX: usize = 8;
/// Bytes of a payload that are shown in hex.
const DUMP_MAX: usize = 64;
/// A narrower text shows the fields as lines, not as a table.
const TABLE_MIN: usize = 70;
/// The columns of that table where the bits and the meaning of a field begin.
const BITS: usize = 26;
const MEANING: usize = 35;
/// The columns of the bits, with a space after them; longer bits get lines of their own.
const BITS_WIDTH: usize = MEANING - BITS;

/// Everything about a frame; `number` is its place in the stream, from 1.
pub fn frame_text(number: u64, frame: &Frame, view: View) -> String {
    let size = frame.header.bytes().len() as u64 + frame.arrived;
    let place = byte_range(frame.offset, size);
    let (sender, opcode) = (names::role(frame.sender), names::opcode(&frame.header));
    let heading = format!("frame {number}, {place}, from a {sender}: {opcode}");
    let mut out = view.wrap_painted(Tone::Heading, &heading, 0);
    out = format!("{out}\n{}\n", picture(frame, bits_in(view.width)));
    out.extend(fields(frame).iter().map(|field| row(field, view)));
    out.push('\n');
    out += &unmasking(frame, view);
    out += &payload(frame, view);
    out += &verdict(frame, view);
    out.extend(frame.message.as_ref().map(|message| view.wrap(&message_line(message), 0)));
    out
}

/// A row of the table of fields; in a narrow view two lines.
fn row(field: &Field, view: View) -> String {
    let Field { name, bits, value, meaning, section, .. } = field;
    let equals = if value.is_empty() || value == bits { "" } else { &format!("{value} = ") };
    let meaning = format!("{equals}{meaning} ({section})");
    if view.width < TABLE_MIN {
        let bits = wrap(bits, name.len() + 3, 4, view.width);
        let first = format!("  {} {bits}", view.paint(Tone::Name, name));
        return format!("{}\n{}", first.trim_end(), view.wrap(&meaning, 4));
    }
    let name = view.paint(Tone::Name, &format!("{name:<24}"));
    let meaning = wrap(&meaning, MEANING, MEANING, view.width);
    match bits.len() {
        ..BITS_WIDTH => format!("  {name}{bits:<BITS_WIDTH$}{meaning}\n"),
        _ => {
            let bits = wrap(bits, BITS, BITS, view.width);
            format!("  {name}{bits}\n{:MEANING$}{meaning}\n", "")
        }
    }
}

/// Section 5.3, byte by byte.
fn unmasking(frame: &Frame, view: View) -> String {
    let Some(key) = frame.header.key().filter(|_| !frame.payload.is_empty()) else {
        return String::new();
    };
    let mut out = view.wrap("unmasking: payload byte i XOR key byte i mod 4 (5.3)", 0);
    let wire = frame.wire_payload(STEPS_MAX);
    let steps = wire.iter().zip(key.iter().cycle()).zip(&frame.payload);
    for ((wire, key), plain) in steps {
        let character = printable_char(*plain);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {wire:#04x} xor {key:#04x} = {plain:#04x}{character}");
    }
    let shown = frame.payload.len().min(STEPS_MAX) as u64;
    if shown < frame.arrived {
        let more = byte_count(frame.arrived - shown);
        out += &view.wrap(&format!("and so on for {more} more"), 2);
    }
    out + "\n"
}

fn payload(frame: &Frame, view: View) -> String {
    if frame.arrived == 0 {
        return String::new();
    }
    let is_utf8 = str::from_utf8(&frame.payload).is_ok();
    let content = match frame.header.opcode() {
        Some(Opcode::Close) => close(&frame.payload),
        Some(Opcode::Text) => quoted(&frame.payload, frame.arrived),
        Some(Opcode::Continuation | Opcode::Ping | Opcode::Pong) if is_utf8 => {
            quoted(&frame.payload, frame.arrived)
        }
        _ => dump(&frame.payload, frame.arrived),
    };
    view.wrap(&format!("payload: {content}"), 0)
}

/// The body of a Close (section 5.5.1): the close code and the reason.
fn close(body: &[u8]) -> String {
    let Some((code, reason)) = split_body(body) else {
        return format!("{}, only half of a close code (5.5.1)", dump(body, 1));
    };
    let reason = match reason {
        [] => "no reason".to_owned(),
        reason => format!("reason {}", quoted(reason, reason.len() as u64)),
    };
    let name = names::close_code(code);
    format!("close code {code:#06x} = {code}, {name}; {reason} (5.5.1, 7.4)")
}

fn dump(payload: &[u8], total: u64) -> String {
    let shown = payload.get(..DUMP_MAX).unwrap_or(payload);
    let more = if (shown.len() as u64) < total { " …" } else { "" };
    format!("{}{more}", hex::encode(shown, " "))
}

fn verdict(frame: &Frame, view: View) -> String {
    let findings = findings(frame);
    let mut out: String = findings.iter().map(|it| render_finding(it, view)).collect();
    if frame.follows_close && !frame.is_too_late() {
        out += &view.wrap("it follows a Close: the receiver drops it (5.5.1)", 0);
    }
    if frame.missing() != 0 {
        // A header that is not whole may declare a payload too.
        let least = if frame.header.is_whole() { "" } else { "at least " };
        let text = format!("incomplete: {least}{} missing", byte_count(frame.missing()));
        out += &view.wrap_painted(Tone::Wrong, &text, 0);
    }
    out.extend(hint(frame).map(|hint| view.wrap(&format!("hint: {hint}"), 0)));
    if findings.is_empty() && frame.missing() == 0 {
        out += &view.wrap_painted(Tone::Right, "verdict: conforming", 0);
    }
    out
}

/// What is wrong, what the register requires, and how a receiver answers.
fn render_finding(finding: &Finding, view: View) -> String {
    let Requirement { id, binds, section, sentence, .. } = finding.requirement;
    let first = format!("VIOLATION of section {section} ({id}): {}", finding.sentence);
    let required = match binds {
        Binds::Both => format!("required: {sentence}"),
        one => format!("required of the {}: {sentence}", one.name()),
    };
    let answer = match finding.code {
        Some(code) => format!("a receiver answers with Close {code}, {}", code.name()),
        None => "a receiver sends no Close: the closing handshake has begun".to_owned(),
    };
    let first = view.wrap_painted(Tone::Wrong, &first, 0);
    format!("{first}{}{}", view.wrap(&required, 2), view.wrap(&answer, 2))
}

/// The message that ends with a frame, or the unfinished one at the end of a stream.
pub fn message_line(message: &Message) -> String {
    let Message { opcode, frames, between, length, .. } = message;
    let frames = match frames {
        1 => "of 1 frame".to_owned(),
        many => format!("of {many} frames, the first at byte {}", message.offset),
    };
    let between = match between {
        0 => String::new(),
        1 => ", 1 control frame between them".to_owned(),
        many => format!(", {many} control frames between them"),
    };
    let content = match (opcode, message.is_utf8) {
        (Opcode::Text, true) => format!("valid UTF-8, {}", quoted(&message.payload, *length)),
        (Opcode::Text, false) => format!("invalid UTF-8, {}", quoted(&message.payload, *length)),
        _ => dump(&message.payload, *length),
    };
    format!("message: {} {frames}{between}, {}: {content}", opcode.name(), byte_count(*length))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{frame, frames};
    use super::super::view::Colour;
    use super::*;

    #[test]
    fn s5_7_the_masked_hello() {
        let wire = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let text = frame_text(1, &frame(&wire), View { width: 80, colour: Colour::Off });
        for line in [
            "frame 1, bytes 0 to 10, from a client: text",
            "  FIN                     1        this frame holds the whole message (5.4)",
            "  Payload len             0000101  5 = bytes of payload (5.2)",
            "  0x7f xor 0x37 = 0x48 'H'",
            "payload: \"Hello\"",
            "verdict: conforming",
            "message: text of 1 frame, 5 bytes: valid UTF-8, \"Hello\"",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn every_line_fits_and_no_control_character_reaches_the_terminal() {
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
}
