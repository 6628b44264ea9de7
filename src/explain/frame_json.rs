//! One frame as a JSON object, for programs. `decode --json` writes one a line; the inspector adds
//! members.
//!
//! | member | value |
//! |---|---|
//! | `kind` | `"frame"` |
//! | `from` | `"client"` or `"server"` |
//! | `offset` | bytes of the stream before the frame |
//! | `fin`, `rsv1`, `rsv2`, `rsv3` | the bits, true or false |
//! | `opcode`, `name` | its number, and its name (`"reserved"` if it has none) |
//! | `mask`, `key` | the bit, and the key in hex; `null` if not received |
//! | `length`, `length_bits` | the declared bytes of payload, and the bits of the length field: 7, 16 or 64; `null` if not received |
//! | `header` | the bytes of the header in hex |
//! | `fields` | the fields in the order of the wire, each with `name`, `start` and `size` (in bits), `bits`, `value`, `meaning`, `section` |
//! | `payload` | the payload in hex, unmasked, as far as it is kept |
//! | `text` | the same as text; `null` if it is not UTF-8 |
//! | `arrived`, `kept`, `missing` | received bytes of payload; those of them in `payload`; bytes of the frame that were not received |
//! | `close` | of a Close: `code`, `name` and `reason`; else `null` |
//! | `after_close` | true if the sender has sent a Close before |
//! | `violations` | each with `section` and `id` of the broken requirement, `sentence` (what was seen), `requirement` (its text), `code` (`null` if no Close answers it) |
//! | `hint` | a guess at the sender's mistake, or `null` |
//! | `message` | of the last frame of a message: `opcode`, `name`, `offset`, `frames`, `between` (control frames), `length`, `utf8`, `text`; else `null` |
//!
//! Numbers can be greater than 2^53; a reader that uses floating point loses their last digits.

use super::fields::{Field, fields};
use super::finding::{Finding, findings};
use super::hint::hint;
use super::json::{JsonObject, list};
use super::{hex, names};
use crate::wire::close::split_body;
use crate::wire::dissect::{Frame, Message};
use crate::wire::frame::Opcode;
use crate::wire::raw::RawHeader;

/// The object, in one line.
pub fn object(frame: &Frame) -> String {
    with_members(JsonObject::default(), frame)
}

/// The object that has the members of `out` first.
pub(super) fn with_members(mut out: JsonObject, frame: &Frame) -> String {
    let header = &frame.header;
    out.text("kind", "frame");
    out.text("from", names::role(frame.sender));
    out.raw("offset", frame.offset);
    out.raw("fin", header.fin());
    for (name, is_set) in ["rsv1", "rsv2", "rsv3"].into_iter().zip(header.rsv()) {
        out.raw(name, is_set);
    }
    out.raw("opcode", header.opcode_bits());
    out.text("name", header.opcode().map_or("reserved", Opcode::name));
    out.raw_or_null("mask", header.mask());
    out.text_or_null("key", header.key().map(|key| hex::encode(&key, "")));
    out.raw_or_null("length", header.length());
    out.raw_or_null("length_bits", length_bits(header));
    out.text("header", &hex::encode(header.bytes(), ""));
    out.raw("fields", list(fields(frame).iter().map(field)));
    out.text("payload", &hex::encode(&frame.payload, ""));
    out.text_or_null("text", str::from_utf8(&frame.payload).ok());
    out.raw("arrived", frame.arrived);
    out.raw("kept", frame.payload.len());
    out.raw("missing", frame.missing());
    out.raw_or_null("close", close(frame));
    out.raw("after_close", frame.follows_close);
    out.raw("violations", list(findings(frame).iter().map(finding)));
    out.text_or_null("hint", hint(frame));
    out.raw_or_null("message", frame.message.as_ref().map(message));
    out.finish()
}

fn length_bits(header: &RawHeader) -> Option<usize> {
    header.length_7()?;
    Some(if header.extended_size() == 0 { 7 } else { 8 * header.extended_size() })
}

fn field(field: &Field) -> String {
    let mut out = JsonObject::default();
    out.text("name", field.name);
    out.raw("start", field.start);
    out.raw("size", field.size);
    out.text("bits", &field.bits);
    out.text("value", &field.value);
    out.text("meaning", &field.meaning);
    out.text("section", field.section);
    out.finish()
}

fn finding(finding: &Finding) -> String {
    let mut out = JsonObject::default();
    out.text("section", finding.requirement.section);
    out.text("id", finding.requirement.id);
    out.text("sentence", finding.sentence);
    out.text("requirement", finding.requirement.sentence);
    out.raw_or_null("code", finding.code);
    out.finish()
}

fn close(frame: &Frame) -> Option<String> {
    let is_close = frame.header.opcode() == Some(Opcode::Close);
    let (code, reason) = split_body(&frame.payload).filter(|_| is_close)?;
    let mut out = JsonObject::default();
    out.raw("code", code);
    out.text("name", names::close_code(code));
    out.text("reason", &String::from_utf8_lossy(reason));
    Some(out.finish())
}

fn message(message: &Message) -> String {
    let mut out = JsonObject::default();
    out.raw("opcode", message.opcode as u8);
    out.text("name", message.opcode.name());
    out.raw("offset", message.offset);
    out.raw("frames", message.frames);
    out.raw("between", message.between);
    out.raw("length", message.length);
    out.raw("utf8", message.is_utf8);
    out.text_or_null("text", str::from_utf8(&message.payload).ok());
    out.finish()
}
