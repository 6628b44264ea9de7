//! What a mistake looks like that many make: a guess, where a frame has the marks of one. It is never
//! part of the verdict.

use super::frame_text::quoted;
use crate::wire::close::{CloseCode, Violation};
use crate::wire::dissect::Frame;
use crate::wire::frame::Opcode;
use crate::wire::mask;

/// A sentence about what the sender probably did, if that can be guessed.
#[must_use]
pub fn hint(frame: &Frame) -> Option<String> {
    let hints = [length, key, close, mask, compression, latin_1, restart];
    hints.into_iter().find_map(|hint| hint(frame))
}

/// A length that does not fit what came, though its octets would in another order or size.
fn length(frame: &Frame) -> Option<String> {
    let extended = frame.header.extended();
    let last = frame.arrived;
    if frame.missing() == 0 || !frame.header.is_whole() {
        return None;
    }
    match *extended {
        [high, low] => {
            let swapped = u64::from(u16::from_le_bytes([high, low]));
            let fits = (126..=last).contains(&swapped);
            fits.then(|| {
                format!("with its low octet first the length is {swapped}, and all of it came")
            })
        }
        [a, b, c, d, e, f, g, h] => {
            let sixteen = u64::from(u16::from_be_bytes([a, b]));
            let thirty_two = u64::from(u32::from_be_bytes([a, b, c, d]));
            let swapped = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
            if (126..=last + 6).contains(&sixteen) {
                Some(format!(
                    "in 16 bits the length is {sixteen}, and all of it came: 126 says so, not 127"
                ))
            } else if (0x1_0000..=last).contains(&swapped) {
                Some(format!(
                    "with its low octet first the length is {swapped}, and all of it came"
                ))
            } else if (0x1_0000..1 << 31).contains(&thirty_two) && [e, f, g, h] != [0; 4] {
                Some(format!("in 32 bits the length is {thirty_two}, but there is no such form"))
            } else {
                None
            }
        }
        _ => None,
    }
}

/// The MASK bit without a key: text takes its place, and its four octets are missing at the end.
fn key(frame: &Frame) -> Option<String> {
    let key = frame.header.key()?;
    let is_text = key.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' ');
    let text = quoted(&key, 4);
    (is_text && (1..=4).contains(&frame.missing()))
        .then(|| format!("the key reads {text}: perhaps no key was sent, and this is the payload"))
}

/// Codes that were written in another way than two octets, the high one first.
fn close(frame: &Frame) -> Option<String> {
    if !frame.violations.contains(&Violation::CloseCode) {
        return None;
    }
    let (code, how) = match *frame.payload.as_slice() {
        [a, b, c, d, ..] if [a, b, c, d].iter().all(u8::is_ascii_digit) => {
            let digits = [a, b, c, d].map(|digit| u16::from(digit - b'0'));
            (digits.iter().fold(0, |code, digit| 10 * code + digit), "as decimal digits")
        }
        [high @ 10..=49, low @ 0..=99] => {
            (100 * u16::from(high) + u16::from(low), "as two decimal halves")
        }
        [low, high, ..] => (u16::from_le_bytes([low, high]), "with its low octet first"),
        _ => return None,
    };
    let known = CloseCode::from_wire(code)?;
    let [high, low] = code.to_be_bytes();
    Some(format!(
        "{code}, {}, was written {how}; its octets are {high:02x} {low:02x}",
        known.name()
    ))
}

/// Text that is text only as it stands on the wire.
fn mask(frame: &Frame) -> Option<String> {
    let key = frame.header.key().filter(|_| frame.violations.contains(&Violation::NotUtf8))?;
    let wire: Vec<u8> =
        frame.payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key).collect();
    let is_text = str::from_utf8(&wire).is_ok_and(|text| !text.contains(char::is_control));
    is_text.then(|| {
        format!(
            "without unmasking it is {}: perhaps it was not masked",
            quoted(&wire, frame.arrived)
        )
    })
}

fn compression(frame: &Frame) -> Option<String> {
    let is_first = matches!(frame.header.opcode(), Some(Opcode::Text | Opcode::Binary));
    (frame.header.rsv() == [true, false, false] && is_first).then(|| {
        "RSV1 is how permessage-deflate marks a compressed message (RFC 7692, 6), if the handshake agreed on it"
            .to_owned()
    })
}

/// Mostly ASCII, and each octet that is no UTF-8 a letter of Latin-1.
fn latin_1(frame: &Frame) -> Option<String> {
    let is_text = frame.header.opcode() == Some(Opcode::Text);
    if !is_text || !frame.violations.contains(&Violation::NotUtf8) || frame.payload.len() < 3 {
        return None;
    }
    let letters = frame.payload.iter().filter(|octet| 0xc0 <= **octet).count();
    let is_plain = |octet: &u8| matches!(octet, b' '..=b'~' | 0xc0..);
    let is_latin = 4 * letters <= frame.payload.len() && frame.payload.iter().all(is_plain);
    let text: String = frame.payload.iter().map(|octet| char::from(*octet)).collect();
    is_latin.then(|| format!("in Latin-1 it reads {}", quoted(text.as_bytes(), text.len() as u64)))
}

/// Octets of a payload that are tried with the key begun anew.
const RESTART_MAX: usize = 4096;
/// So many octets, garbled by the wrong octet of the key, may be UTF-8 by chance before one is not.
const CHANCE_MAX: usize = 32;
/// As many octets as it takes to believe that they are text.
const TEXT_MIN: usize = 6;

/// Text up to a point that is no multiple of 4 from its beginning, and behind it text again if the first
/// octet of the key is the one for that point: each write was masked for itself.
fn restart(frame: &Frame) -> Option<String> {
    let key = frame.header.key().filter(|_| frame.violations.contains(&Violation::NotUtf8))?;
    let payload = frame.payload.get(..RESTART_MAX).unwrap_or(&frame.payload);
    let wrong = str::from_utf8(payload).err().filter(|error| error.error_len().is_some())?;
    let valid = wrong.valid_up_to();
    let last = payload.len().saturating_sub(TEXT_MIN).min(valid + 3); // in the character, at most
    let mut found = (valid.saturating_sub(CHANCE_MAX).max(1)..=last)
        .map(|at| (at, restarted(payload, key, at)))
        .filter(|(_, octets)| is_text(octets));
    let (at, octets) = found.next()?;
    let is_only = found.next().is_none();
    is_only.then(|| {
        let text = quoted(&octets, frame.arrived);
        format!(
            "with the key begun anew at octet {at} of the payload it reads {text}: perhaps each write was masked for itself"
        )
    })
}

/// The payload, unmasked with the key begun anew at octet `at`.
fn restarted(payload: &[u8], key: [u8; 4], at: usize) -> Vec<u8> {
    let mut octets = payload.to_vec();
    let behind = octets.get_mut(at..).unwrap_or_default();
    mask::apply(key, at % 4, behind); // as it came
    mask::apply(key, 0, behind);
    octets
}

/// Is it UTF-8, its last character perhaps cut, without controls but those of lines?
fn is_text(octets: &[u8]) -> bool {
    let valid = match str::from_utf8(octets) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            let valid = octets.get(..error.valid_up_to()).unwrap_or_default();
            str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    valid.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::frame;
    use super::*;

    /// A client's text whose key begins anew at octet `at`.
    fn restarting(text: &[u8], at: usize) -> Vec<u8> {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let (before, behind) = text.split_at(at);
        let masked = [before, behind].map(|part| -> Vec<u8> {
            part.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key).collect()
        });
        let length = 0x80 | u8::try_from(text.len()).unwrap();
        [vec![0x81, length], key.to_vec(), masked.concat()].concat()
    }

    #[test]
    fn known_mistakes_are_recognised_and_right_frames_are_not() {
        let a128 = [b'a'; 128];
        for (wire, sentence) in [
            (
                [&[0x81, 0x7e, 0x80, 0x00][..], &a128].concat(),
                "with its low octet first the length is 128",
            ),
            ([&[0x81, 0x7f, 0x00, 0x80][..], &a128].concat(), "in 16 bits the length is 128"),
            (vec![0x82, 0x7f, 0, 1, 0x11, 0x70, 1, 2, 3, 4, 5], "in 32 bits the length is 70000"),
            (b"\x81\x85Hello".to_vec(), "the key reads \"Hell\""),
            (b"\x88\x041000".to_vec(), "1000, normal closure, was written as decimal digits"),
            (vec![0x88, 2, 10, 3], "1003, unsupported data, was written as two decimal halves"),
            (vec![0x88, 2, 0xe9, 3], "1001, going away, was written with its low octet first"),
            (b"\x81\x85\xff\xff\xff\xffHello".to_vec(), "without unmasking it is \"Hello\""),
            (
                restarting(b"Hello, world", 5),
                "with the key begun anew at octet 5 of the payload it",
            ),
            (restarting("H\u{f6}he".repeat(9).as_bytes(), 3), "with the key begun anew at octet 3"),
            (restarting(b"Hello, world", 4), ""),
            (restarting(b"Hello, world", 9), ""), // what is left is too little to be sure
            (vec![0xc1, 0], "RSV1 is how permessage-deflate"),
            (b"\x81\x04caf\xe9".to_vec(), "in Latin-1 it reads \"caf\u{e9}\""),
            (b"\x81\x05Hello".to_vec(), ""),
            (vec![0x88, 2, 3, 0xed], ""),
            (vec![0x82, 0x7e, 1, 0], ""),
            (vec![0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2], ""),
            (vec![0x81], ""),
        ] {
            let told = hint(&frame(&wire)).unwrap_or_default();
            assert!(told.starts_with(sentence) && told.is_empty() == sentence.is_empty(), "{told}");
        }
    }
}
