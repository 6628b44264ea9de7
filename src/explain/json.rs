//! One frame as a JSON object (RFC 8259), for programs. `decode --json` writes one on each line; the
//! inspector puts more members beside them.
//!
//! | member | what it is |
//! |---|---|
//! | `kind` | `"frame"` |
//! | `from` | `"client"` or `"server"` |
//! | `offset` | octets of the stream before it |
//! | `fin`, `rsv1`, `rsv2`, `rsv3` | the bits, true or false |
//! | `opcode`, `name` | its number, and its word (`"reserved"` if it has none) |
//! | `mask`, `key` | the bit; the key in hex. `null` if it is not there |
//! | `length`, `length_bits` | octets of payload that are declared, and the form: 7, 16 or 64. `null` if it did not come |
//! | `header` | the octets of the header in hex |
//! | `fields` | the fields in the order of the wire, each with `name`, `start` and `size` (in bits), `bits`, `value`, `meaning`, `section` |
//! | `payload` | the payload in hex, unmasked, as far as it is kept |
//! | `text` | the same as text, if it is UTF-8, else `null` |
//! | `arrived`, `kept`, `missing` | octets of payload that came, of these in `payload`; octets that the frame lacks |
//! | `close` | of a Close: `code`, `name` and `reason`; else `null` |
//! | `after_close` | does it come after a Close? |
//! | `violations` | each with `section`, `sentence`, `requirement`, `code` (`null` if no Close answers it) |
//! | `hint` | a guess at the mistake that was made, else `null` |
//! | `message` | of the frame that ends a message: `opcode`, `name`, `offset`, `frames`, `between` (control frames), `length`, `utf8`, `text`; else `null` |
//!
//! Numbers beyond 2^53 are what the wire says; who reads them as floating point loses their end.

use std::fmt::Write;

use super::fields::{Field, fields, hex};
use super::finding::{Finding, code_name, findings};
use super::frame_text::role;
use super::hint::hint;
use super::json_string;
use crate::wire::close::split_body;
use crate::wire::dissect::{Frame, Message};
use crate::wire::frame::Opcode;
use crate::wire::raw::RawHeader;

/// The object, in one line.
#[must_use]
pub fn object(frame: &Frame) -> String {
    format!("{{{}}}", members(frame))
}

/// Its members, without the braces.
#[must_use]
pub fn members(frame: &Frame) -> String {
    let header = &frame.header;
    let mut out = Members::default();
    out.text("kind", "frame");
    out.text("from", role(frame.sender));
    out.raw("offset", frame.offset);
    out.raw("fin", header.fin());
    for (name, is_set) in ["rsv1", "rsv2", "rsv3"].into_iter().zip(header.rsv()) {
        out.raw(name, is_set);
    }
    out.raw("opcode", header.opcode_bits());
    out.text("name", header.opcode().map_or("reserved", Opcode::name));
    out.option("mask", header.mask());
    out.quoted("key", header.key().map(|key| hex(&key, "")));
    out.option("length", header.length());
    out.option("length_bits", length_bits(header));
    out.text("header", &hex(header.bytes(), ""));
    out.raw("fields", list(fields(frame).iter().map(field)));
    out.text("payload", &hex(&frame.payload, ""));
    out.quoted("text", str::from_utf8(&frame.payload).ok());
    out.raw("arrived", frame.arrived);
    out.raw("kept", frame.payload.len());
    out.raw("missing", frame.missing());
    out.raw("close", close(frame));
    out.raw("after_close", frame.follows_close);
    out.raw("violations", list(findings(frame).iter().map(finding)));
    out.quoted("hint", hint(frame));
    out.raw("message", frame.message.as_ref().map_or_else(null, message));
    out.0
}

fn length_bits(header: &RawHeader) -> Option<usize> {
    header.length_7()?;
    Some(if header.extended_size() == 0 { 7 } else { 8 * header.extended_size() })
}

/// The members of an object, with commas between them.
#[derive(Default)]
pub struct Members(pub String);

impl Members {
    /// A number, a truth value, or JSON already.
    pub fn raw(&mut self, name: &str, value: impl std::fmt::Display) {
        let comma = if self.0.is_empty() { "" } else { "," };
        let _ = write!(self.0, "{comma}\"{name}\":{value}"); // a String takes everything
    }

    /// The same, or null.
    pub fn option(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        match value {
            Some(value) => self.raw(name, value),
            None => self.raw(name, "null"),
        }
    }

    /// A string.
    pub fn text(&mut self, name: &str, value: &str) {
        let mut quoted = String::new();
        json_string(value, &mut quoted);
        self.raw(name, quoted);
    }

    /// A string, or null.
    pub fn quoted(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        match value {
            Some(value) => self.text(name, value.as_ref()),
            None => self.raw(name, "null"),
        }
    }

    /// The object that they make.
    #[must_use]
    pub fn object(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// A JSON array.
#[must_use]
pub fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn null() -> String {
    "null".to_owned()
}

fn field(field: &Field) -> String {
    let mut out = Members::default();
    out.text("name", field.name);
    out.raw("start", field.start);
    out.raw("size", field.size);
    out.text("bits", &field.bits);
    out.text("value", &field.value);
    out.text("meaning", &field.meaning);
    out.text("section", field.section);
    out.object()
}

fn finding(finding: &Finding) -> String {
    let mut out = Members::default();
    out.text("section", finding.section);
    out.text("sentence", finding.sentence);
    out.text("requirement", finding.requirement);
    out.option("code", finding.code);
    out.object()
}

fn close(frame: &Frame) -> String {
    let (Some(Opcode::Close), Some((code, reason))) =
        (frame.header.opcode(), split_body(&frame.payload))
    else {
        return null();
    };
    let mut out = Members::default();
    out.raw("code", code);
    out.text("name", code_name(code));
    out.text("reason", &String::from_utf8_lossy(reason));
    out.object()
}

fn message(message: &Message) -> String {
    let mut out = Members::default();
    out.raw("opcode", message.opcode as u8);
    out.text("name", message.opcode.name());
    out.raw("offset", message.offset);
    out.raw("frames", message.frames);
    out.raw("between", message.between);
    out.raw("length", message.length);
    out.raw("utf8", message.is_utf8);
    out.quoted("text", str::from_utf8(&message.payload).ok());
    out.object()
}
