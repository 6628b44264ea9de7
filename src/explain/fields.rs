//! The fields of a frame in the order of section 5.2: their bits, their values and their meaning.

use super::hex;
use super::text::byte_count;
use crate::wire::dissect::Frame;
use crate::wire::frame::{Opcode, Role};
use crate::wire::raw::RawHeader;

/// One field of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in section 5.2.
    pub name: &'static str,
    /// The position of its first bit in the frame.
    pub start: u64,
    /// The number of its bits that were received.
    pub size: u64,
    /// The bits on the wire, with a space between bytes; empty for the payload.
    pub bits: String,
    /// The bits as a number, or as bytes in hex.
    pub value: String,
    /// What the value means.
    pub meaning: String,
    /// The section of RFC 6455 that defines this meaning.
    pub section: &'static str,
}

/// The fields that were received, in the order of the wire.
pub fn fields(frame: &Frame) -> Vec<Field> {
    let header = &frame.header;
    let mut fields = vec![fin(header)];
    for (name, is_set) in ["RSV1", "RSV2", "RSV3"].into_iter().zip(header.rsv()) {
        fields.push(flag(name, is_set, RSV_MEANINGS[usize::from(is_set)], "5.2"));
    }
    fields.push(opcode(header));
    fields.extend(header.mask().map(|is_set| mask(is_set, frame.sender)));
    fields.extend(header.length_7().map(|length| length_7(length, header)));
    fields.extend([extended_length(header), masking_key(header)]);
    fields.retain(|field| field.size != 0); // no byte of it was received
    fields.extend(header.is_whole().then(|| payload(frame)));
    let mut start = 0;
    for field in &mut fields {
        field.start = start;
        start += field.size;
    }
    fields
}

/// A field of the header; [`fields`] sets its start.
fn field(
    name: &'static str,
    bits: String,
    value: String,
    meaning: impl Into<String>,
    section: &'static str,
) -> Field {
    let size = bits.bytes().filter(|digit| *digit != b' ').count() as u64;
    Field { name, start: 0, size, bits, value, meaning: meaning.into(), section }
}

fn flag(name: &'static str, is_set: bool, meaning: &str, section: &'static str) -> Field {
    let bit = u8::from(is_set).to_string();
    field(name, bit.clone(), bit, meaning, section)
}

fn fin(header: &RawHeader) -> Field {
    let is_continuation = header.opcode() == Some(Opcode::Continuation);
    let (meaning, section) = match (header.fin(), header.is_control()) {
        (true, true) => ("a control frame is always whole", "5.5"),
        (false, true) => ("more to follow, but a control frame must not be fragmented", "5.5"),
        (true, false) if is_continuation => ("the last frame of its message", "5.4"),
        (true, false) => ("this frame holds the whole message", "5.4"),
        (false, false) => ("more frames of this message follow", "5.4"),
    };
    flag("FIN", header.fin(), meaning, section)
}

/// The meanings of a reserved bit that is 0, and of one that is 1.
const RSV_MEANINGS: [&str; 2] =
    ["reserved for extensions; must be 0 here", "set, but no extension gives it a meaning here"];

fn opcode(header: &RawHeader) -> Field {
    let bits = header.opcode_bits();
    let (meaning, section) = match header.opcode() {
        Some(Opcode::Continuation) => ("continuation: continues the current message", "5.4"),
        Some(Opcode::Text) => ("text: starts a message in UTF-8", "5.6"),
        Some(Opcode::Binary) => ("binary: starts a message of arbitrary bytes", "5.6"),
        Some(Opcode::Close) => ("close: the sender will send nothing more", "5.5.1"),
        Some(Opcode::Ping) => ("ping: requires a pong with the same payload", "5.5.2"),
        Some(Opcode::Pong) => ("pong: answers a ping, or shows that the sender is alive", "5.5.3"),
        None if header.is_control() => ("reserved for future control frames", "5.2"),
        None => ("reserved for future data frames", "5.2"),
    };
    field("opcode", format!("{bits:04b}"), format!("0x{bits:x}"), meaning, section)
}

fn mask(is_set: bool, sender: Role) -> Field {
    let meaning = match (is_set, sender) {
        (true, Role::Client) => "masked: a client must mask every frame",
        (false, Role::Client) => "not masked, but a client must mask",
        (true, Role::Server) => "masked, but a server must not mask",
        (false, Role::Server) => "not masked: a server must not mask",
    };
    flag("MASK", is_set, meaning, "5.1")
}

fn length_7(length: u8, header: &RawHeader) -> Field {
    let meaning = match header.extended_size() {
        0 if length == 1 => "byte of payload",
        0 => "bytes of payload",
        2 => "the next 2 bytes hold the length",
        _ => "the next 8 bytes hold the length",
    };
    field("Payload len", format!("{length:07b}"), length.to_string(), meaning, "5.2")
}

fn extended_length(header: &RawHeader) -> Field {
    let bytes = header.extended();
    let (value, meaning) = match header.length() {
        Some(length) => {
            (length.to_string(), "bytes of payload, most significant byte first".to_owned())
        }
        None => (hex::encode(bytes, " "), received(bytes, header.extended_size())),
    };
    field("Extended payload length", binary(bytes), value, meaning, "5.2")
}

fn masking_key(header: &RawHeader) -> Field {
    let bytes = header.key_bytes();
    let meaning = match header.key() {
        Some([0, 0, 0, 0]) => "all zero: the payload stays readable".to_owned(),
        Some(_) => "payload byte i is XORed with byte i mod 4 of this key".to_owned(),
        None => received(bytes, 4),
    };
    field("Masking-key", binary(bytes), hex::encode(bytes, " "), meaning, "5.3")
}

fn payload(frame: &Frame) -> Field {
    let masked = if frame.header.key().is_some() { ", masked" } else { "" };
    let meaning = match (frame.arrived, frame.missing()) {
        (0, 0) => "empty".to_owned(),
        (count, 0) => format!("{}{masked}", byte_count(count)),
        (count, missing) => format!("{} received{masked}, {missing} missing", byte_count(count)),
    };
    let section = if frame.header.is_control() { "5.5" } else { "5.6" };
    let size = frame.arrived.saturating_mul(8);
    Field { size, ..field("Payload data", String::new(), String::new(), meaning, section) }
}

/// `1 of 4 bytes received`.
fn received(bytes: &[u8], size: usize) -> String {
    format!("{} of {size} bytes received", bytes.len())
}

fn binary(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    bytes.join(" ")
}
