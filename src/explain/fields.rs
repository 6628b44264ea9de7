//! The fields of one frame, section 5.2, in the order of the wire: their bits, and what these mean.

use crate::wire::dissect::Frame;
use crate::wire::frame::{Opcode, Role};
use crate::wire::raw::RawHeader;

/// One field of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What section 5.2 calls it.
    pub name: &'static str,
    /// Its first bit, counted from the beginning of the frame.
    pub start: u64,
    /// How many bits of it came.
    pub size: u64,
    /// The bits on the wire, octets apart; none of the payload, which has a dump of its own.
    pub bits: String,
    /// What they are as a number, or as octets in hex.
    pub value: String,
    /// What that says.
    pub meaning: String,
    /// The section of RFC 6455 that says so.
    pub section: &'static str,
}

/// Every field that came, in the order of the wire.
#[must_use]
pub fn fields(frame: &Frame) -> Vec<Field> {
    let header = &frame.header;
    let mut fields = vec![fin(header)];
    fields.extend(header.rsv().into_iter().zip(["RSV1", "RSV2", "RSV3"]).zip(1..).map(rsv));
    fields.push(opcode(header));
    fields.extend(header.mask().map(|mask| masking(mask, frame.sender)));
    fields.extend(header.length_7().map(|length| length_7(length, header)));
    fields.extend(extended(header));
    fields.extend(key(header));
    if header.is_whole() {
        fields.push(payload(frame));
    }
    fields
}

fn flag(
    name: &'static str,
    start: u64,
    is_set: bool,
    meaning: &str,
    section: &'static str,
) -> Field {
    let bits = if is_set { "1" } else { "0" };
    Field {
        name,
        start,
        size: 1,
        bits: bits.to_owned(),
        value: bits.to_owned(),
        meaning: meaning.to_owned(),
        section,
    }
}

fn fin(header: &RawHeader) -> Field {
    let is_continuation = header.opcode() == Some(Opcode::Continuation);
    let (meaning, section) = match (header.fin(), header.is_control()) {
        (true, true) => ("a control frame is always whole", "5.5"),
        (false, true) => ("a control frame in fragments, which must not be", "5.5"),
        (true, false) if is_continuation => ("the last frame of its message", "5.4"),
        (true, false) => ("the message is whole in this frame", "5.4"),
        (false, false) => ("more frames of this message follow", "5.4"),
    };
    flag("FIN", 0, header.fin(), meaning, section)
}

fn rsv(((is_set, name), start): ((bool, &'static str), u64)) -> Field {
    let meaning = if is_set {
        "set, though no extension gives it a meaning"
    } else {
        "for extensions; none uses it"
    };
    flag(name, start, is_set, meaning, "5.2")
}

fn opcode(header: &RawHeader) -> Field {
    let bits = header.opcode_bits();
    let (meaning, section) = match header.opcode() {
        Some(Opcode::Continuation) => ("continuation: more of the message under way", "5.4"),
        Some(Opcode::Text) => ("text: a message in UTF-8 begins", "5.6"),
        Some(Opcode::Binary) => ("binary: a message of any octets begins", "5.6"),
        Some(Opcode::Close) => ("close: the sender will send nothing more", "5.5.1"),
        Some(Opcode::Ping) => ("ping: asks for a pong with the same payload", "5.5.2"),
        Some(Opcode::Pong) => ("pong: the answer to a ping, or a sign of life", "5.5.3"),
        None if header.is_control() => ("reserved for control frames yet to be defined", "5.2"),
        None => ("reserved for data frames yet to be defined", "5.2"),
    };
    Field {
        name: "opcode",
        start: 4,
        size: 4,
        bits: format!("{bits:04b}"),
        value: format!("0x{bits:x}"),
        meaning: meaning.to_owned(),
        section,
    }
}

fn masking(mask: bool, sender: Role) -> Field {
    let meaning = match (mask, sender) {
        (true, Role::Client) => "masked, as every frame of a client must be",
        (false, Role::Client) => "not masked, though every frame of a client must be",
        (true, Role::Server) => "masked, which no frame of a server may be",
        (false, Role::Server) => "not masked: no frame of a server may be",
    };
    flag("MASK", 8, mask, meaning, "5.1")
}

fn length_7(length: u8, header: &RawHeader) -> Field {
    let meaning = match header.extended_size() {
        0 if length == 1 => "octet of payload".to_owned(),
        0 => "octets of payload".to_owned(),
        2 => "the length is in the next 2 octets, 16 bits".to_owned(),
        _ => "the length is in the next 8 octets, 64 bits".to_owned(),
    };
    Field {
        name: "Payload len",
        start: 9,
        size: 7,
        bits: format!("{length:07b}"),
        value: length.to_string(),
        meaning,
        section: "5.2",
    }
}

fn extended(header: &RawHeader) -> Option<Field> {
    let came = header.extended();
    let (value, meaning) = match header.length() {
        Some(length) => (length.to_string(), "octets of payload, high octet first".to_owned()),
        None => {
            let meaning =
                format!("{} of {} came", came.len(), octets(header.extended_size() as u64));
            (hex(came, " "), meaning)
        }
    };
    (!came.is_empty()).then(|| Field {
        name: "Extended payload length",
        start: 16,
        size: 8 * came.len() as u64,
        bits: binary(came),
        value,
        meaning,
        section: "5.2",
    })
}

fn key(header: &RawHeader) -> Option<Field> {
    let came = header.key_bytes();
    let meaning = match header.key() {
        Some([0, 0, 0, 0]) => "four zeros: the payload stays readable".to_owned(),
        Some(_) => "payload octet i is XORed with octet i modulo 4 of these".to_owned(),
        None => format!("{} of 4 octets came", came.len()),
    };
    (!came.is_empty()).then(|| Field {
        name: "Masking-key",
        start: 16 + 8 * header.extended_size() as u64,
        size: 8 * came.len() as u64,
        bits: binary(came),
        value: hex(came, " "),
        meaning,
        section: "5.3",
    })
}

fn payload(frame: &Frame) -> Field {
    let masked = if frame.header.key().is_some() { ", masked" } else { "" };
    let meaning = match frame.missing() {
        0 if frame.arrived == 0 => "empty".to_owned(),
        0 => format!("{}{masked}", octets(frame.arrived)),
        missing => format!("{} came{masked}, {missing} are missing", octets(frame.arrived)),
    };
    Field {
        name: "Payload data",
        start: 8 * frame.header.size() as u64,
        size: frame.arrived.saturating_mul(8),
        bits: String::new(),
        value: String::new(),
        meaning,
        section: if frame.header.is_control() { "5.5" } else { "5.6" },
    }
}

/// `1 octet`, `2 octets`.
#[must_use]
pub fn octets(count: u64) -> String {
    format!("{count} octet{}", if count == 1 { "" } else { "s" })
}

/// Octets in hex, with something between them.
#[must_use]
pub fn hex(octets: &[u8], between: &str) -> String {
    let mut text = String::new();
    super::push_hex(octets, between, &mut text);
    text
}

fn binary(octets: &[u8]) -> String {
    let octets: Vec<String> = octets.iter().map(|octet| format!("{octet:08b}")).collect();
    octets.join(" ")
}
