//! Hexadecimal text: bytes to digits, and digits to bytes.

use std::fmt::Write;

/// The lowercase digits of `bytes`, two a byte, with `separator` between the bytes.
pub fn encode(bytes: &[u8], separator: &str) -> String {
    let mut text = String::with_capacity(bytes.len() * (2 + separator.len()));
    for (index, byte) in bytes.iter().enumerate() {
        let separator = if index == 0 { "" } else { separator };
        let _ = write!(text, "{separator}{byte:02x}"); // writing to a String cannot fail
    }
    text
}

/// The bytes that `text` writes in hex; `None` if it is not hex.
///
/// Each byte has two digits. Spaces, commas, colons, tabs and newlines may separate groups of
/// bytes, and a group may begin with `0x`.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for group in text.split([' ', ',', ':', '\t', '\n']).filter(|group| !group.is_empty()) {
        let digits = group.strip_prefix("0x").unwrap_or(group);
        let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
        for [high, low] in pairs {
            bytes.push(digit(*high)? << 4 | digit(*low)?);
        }
    }
    Some(bytes)
}

/// The value of one hex digit in ASCII, upper or lower case.
pub fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_with_a_separator() {
        assert_eq!(encode(&[], " "), "");
        assert_eq!(encode(&[0x0a], " "), "0a");
        assert_eq!(encode(&[0x81, 0x05, 0xff], " "), "81 05 ff");
        assert_eq!(encode(&[0x81, 0x05, 0xff], ""), "8105ff");
    }

    #[test]
    fn hex_is_read_with_separators_and_a_prefix() {
        for text in ["8105ff", "81 05 FF", "81,05:ff", "0x81 0x05ff", " 81\t05\nff "] {
            assert_eq!(decode(text).as_deref(), Some(&[0x81, 0x05, 0xff][..]), "{text}");
        }
        assert_eq!(decode("").as_deref(), Some(&[][..]));
        for text in ["8", "815", "zz", "81-05", "é", "+1", "0x8", "81 5"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
