//! A guess at the mistake in the sender's code, for frames that show the marks of a known one. A hint
//! never changes the verdict.

use super::hex;
use super::text::quoted;
use crate::wire::close::{CloseCode, split_body};
use crate::wire::dissect::Frame;
use crate::wire::frame::Opcode;
use crate::wire::mask;
use crate::wire::violation::Violation;

/// A sentence about the sender's probable mistake.
pub(super) fn hint(frame: &Frame) -> Option<String> {
    let hints = [length, key, close, not_masked, compression, latin_1, restart];
    hints.into_iter().find_map(|hint| hint(frame))
}

/// The frame is incomplete, and its length was perhaps written in another size or byte order. The first two
/// guesses must agree with the received bytes; the third, 32 bits after 127, must only be a plausible size.
fn length(frame: &Frame) -> Option<String> {
    if frame.missing() == 0 || !frame.header.is_whole() {
        return None;
    }
    let extended = frame.header.extended();
    let append = |number, byte: &u8| number << 8 | u64::from(*byte);
    let length_16 = extended.get(..2)?.iter().fold(0, append);
    // With a length of 16 bits, the other six bytes of the extended length are payload.
    if extended.len() == 8 && (126..=frame.arrived + 6).contains(&length_16) {
        return Some(format!(
            "in 16 bits, the length is {length_16}, and all of it was received: 126 announces 16 bits, \
             127 announces 64"
        ));
    }
    let swapped = extended.iter().rev().fold(0, append);
    let least = if extended.len() == 8 { 0x1_0000 } else { 126 };
    if (least..=frame.arrived).contains(&swapped) {
        return Some(format!(
            "with its low byte first, the length is {swapped}, and all of it was received"
        ));
    }
    let (high, low) = extended.split_first_chunk::<4>()?;
    let thirty_two = u32::from_be_bytes(*high);
    // After a length of 32 bits, `low` would be the key or text. Four zeros there are more likely the low half
    // of a real length of 64 bits.
    ((0x1_0000..1 << 31).contains(&thirty_two) && low != [0; 4])
        .then(|| format!("in 32 bits, the length is {thirty_two}, but no length has 32 bits"))
}

/// MASK without a key: the text itself stands in its place, and four bytes are missing at the end.
fn key(frame: &Frame) -> Option<String> {
    let key = frame.header.key()?;
    let is_text = key.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let text = quoted(&key, 4);
    (is_text && (1..=4).contains(&frame.missing())).then(|| {
        format!("the key is the text {text}: perhaps no key was sent, and this is the payload")
    })
}

/// A close code that is not written as two bytes, the high byte first.
fn close(frame: &Frame) -> Option<String> {
    let (code, _) = split_body(&frame.payload)?;
    let violation = CloseCode::from_wire(code).err()?;
    if !frame.violations.contains(&violation) {
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
        _ => (code.swap_bytes(), "with its low byte first"),
    };
    let known = CloseCode::from_wire(code).ok()?.name();
    let bytes = hex::encode(&code.to_be_bytes(), " ");
    Some(format!("{code}, {known}, was written {how}; it must be {bytes}"))
}

/// The payload is text only as it is on the wire.
fn not_masked(frame: &Frame) -> Option<String> {
    frame.header.key().filter(|_| frame.violations.contains(&Violation::NotUtf8))?;
    let wire = frame.wire_payload(usize::MAX);
    is_text(&wire).then(|| {
        let text = quoted(&wire, frame.arrived);
        format!("without unmasking it is {text}: perhaps it was not masked")
    })
}

fn compression(frame: &Frame) -> Option<String> {
    let is_first = matches!(frame.header.opcode(), Some(Opcode::Text | Opcode::Binary));
    let hint = "with permessage-deflate, RSV1 marks a compressed message (RFC 7692, 6), if the \
                handshake agreed on it";
    (frame.header.rsv() == [true, false, false] && is_first).then(|| hint.to_owned())
}

/// Mostly ASCII, and each other byte a letter of Latin-1.
fn latin_1(frame: &Frame) -> Option<String> {
    let is_text = frame.header.opcode() == Some(Opcode::Text) && 3 <= frame.payload.len();
    if !is_text || !frame.violations.contains(&Violation::NotUtf8) {
        return None;
    }
    let letters = frame.payload.iter().filter(|byte| 0xc0 <= **byte).count();
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | 0xc0..);
    let is_latin = 4 * letters <= frame.payload.len() && frame.payload.iter().all(is_plain);
    let text: String = frame.payload.iter().map(|byte| char::from(*byte)).collect();
    is_latin.then(|| format!("in Latin-1 it is {}", quoted(text.as_bytes(), text.len() as u64)))
}

/// Bytes of a payload that are tried with a restarted key.
const RESTART_MAX: usize = 4096;
/// Bytes unmasked with the wrong byte of the key may be valid UTF-8 by chance, but not this many.
const CHANCE_MAX: usize = 32;
/// Fewer bytes are not enough evidence of text.
const TEXT_MIN: usize = 6;

/// Text up to a point that is not a multiple of 4, and after it text again if the key restarts there:
/// the sender masked each of its writes separately.
fn restart(frame: &Frame) -> Option<String> {
    let key = frame.header.key().filter(|_| frame.violations.contains(&Violation::NotUtf8))?;
    let payload = frame.payload.get(..RESTART_MAX).unwrap_or(&frame.payload);
    let invalid = str::from_utf8(payload).err().filter(|error| error.error_len().is_some())?;
    let valid = invalid.valid_up_to();
    // The key can restart after the first byte of the payload; at most CHANCE_MAX bytes before the first
    // invalid character, because bytes after the restart can be valid by chance; and inside this character,
    // which has at most four bytes. If it begins at byte 7, the places 1 to 10 are tried.
    let first_place = valid.saturating_sub(CHANCE_MAX).max(1);
    let last_place = payload.len().saturating_sub(TEXT_MIN).min(valid + 3);
    let mut found = (first_place..=last_place)
        .map(|at| (at, restarted(payload, key, at)))
        .filter(|(_, bytes)| is_text(bytes));
    let (at, bytes) = found.next()?;
    let is_only = found.next().is_none();
    is_only.then(|| {
        let text = quoted(&bytes, frame.arrived);
        format!(
            "with the key restarted at byte {at} of the payload it is {text}: perhaps each write was \
             masked separately"
        )
    })
}

/// The payload, unmasked with the key restarted at byte `at`.
fn restarted(payload: &[u8], key: [u8; 4], at: usize) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    let rest = bytes.get_mut(at..).unwrap_or_default();
    mask::apply(key, at % 4, rest); // as on the wire
    mask::apply(key, 0, rest);
    bytes
}

/// Whether it is UTF-8 without control characters, except tabs and line ends; its last character may be
/// incomplete.
fn is_text(bytes: &[u8]) -> bool {
    let is_invalid = str::from_utf8(bytes).is_err_and(|error| error.error_len().is_some());
    let is_plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    !is_invalid && String::from_utf8_lossy(bytes).chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::super::tests::frame;

    /// A client's text whose masking restarts the key at byte `at`.
    fn restarting(text: &[u8], at: usize) -> Vec<u8> {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let (before, after) = text.split_at(at);
        let masked = [before, after].map(|part| -> Vec<u8> {
            part.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
        });
        let length = 0x80 | u8::try_from(text.len()).unwrap();
        [vec![0x81, length], key.to_vec(), masked.concat()].concat()
    }

    #[test]
    fn known_mistakes_have_a_hint_and_valid_frames_have_none() {
        let a128 = [b'a'; 128];
        for (wire, sentence) in [
            (
                [&[0x81, 0x7e, 0x80, 0x00][..], &a128].concat(),
                "with its low byte first, the length is 128",
            ),
            ([&[0x81, 0x7f, 0x00, 0x80][..], &a128].concat(), "in 16 bits, the length is 128"),
            (vec![0x82, 0x7f, 0, 1, 0x11, 0x70, 1, 2, 3, 4, 5], "in 32 bits, the length is 70000"),
            (b"\x81\x85Hello".to_vec(), "the key is the text \"Hell\""),
            (b"\x88\x041000".to_vec(), "1000, normal closure, was written as decimal digits"),
            (vec![0x88, 2, 10, 3], "1003, unsupported data, was written as two decimal halves"),
            (vec![0x88, 2, 0xe9, 3], "1001, going away, was written with its low byte first"),
            (b"\x81\x85\xff\xff\xff\xffHello".to_vec(), "without unmasking it is \"Hello\""),
            (
                restarting(b"Hello, world", 5),
                "with the key restarted at byte 5 of the payload it is",
            ),
            (restarting("H\u{f6}he".repeat(9).as_bytes(), 3), "with the key restarted at byte 3"),
            (restarting(b"Hello, world", 4), ""),
            (restarting(b"Hello, world", 9), ""), // too few bytes are left as evidence
            (vec![0xc1, 0], "with permessage-deflate, RSV1"),
            (b"\x81\x04caf\xe9".to_vec(), "in Latin-1 it is \"caf\u{e9}\""),
            (b"\x81\x05Hello".to_vec(), ""),
            (vec![0x88, 2, 3, 0xed], ""),
            (vec![0x82, 0x7e, 1, 0], ""),
            (vec![0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2], ""),
            (vec![0x81], ""),
        ] {
            let hint = super::hint(&frame(&wire)).unwrap_or_default();
            assert!(hint.starts_with(sentence) && hint.is_empty() == sentence.is_empty(), "{hint}");
        }
    }
}
