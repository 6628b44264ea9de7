//! Base64, RFC 4648 section 4, as section 4.2 of RFC 6455 uses it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `bytes` in the standard alphabet with padding: four characters for each group of up to three bytes.
pub fn encode(bytes: &[u8]) -> String {
    bytes.chunks(3).flat_map(quantum).collect()
}

/// Four characters for one to three bytes.
fn quantum(bytes: &[u8]) -> [char; 4] {
    let [a, b, c] = [0, 1, 2].map(|i| u32::from(bytes.get(i).copied().unwrap_or(0)));
    let bits = a << 16 | b << 8 | c;
    let character = |i: usize| match i <= bytes.len() {
        true => char::from(ALPHABET[(bits >> (18 - 6 * i)) as usize & 0b11_1111]),
        false => '=',
    };
    [0, 1, 2, 3].map(character)
}

/// The bytes that `text` encodes; `None` if it is not the standard alphabet with padding. The unused bits
/// before the padding may have any value, as in the RFC's own example.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let pads = text.iter().rev().take_while(|character| **character == b'=').count();
    if !text.len().is_multiple_of(4) || 2 < pads {
        return None;
    }
    let (mut bits, mut bytes) = (0u32, Vec::with_capacity(3 * text.len() / 4));
    for (place, character) in text[..text.len() - pads].iter().enumerate() {
        let (value, _) = (0..64).zip(ALPHABET).find(|(_, known)| *known == character)?;
        bits = bits << 6 | value;
        if place % 4 != 0 {
            let [.., byte] = (bits >> (6 - 2 * (place % 4))).to_be_bytes();
            bytes.push(byte);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_section_10_vectors() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
    }

    #[test]
    fn malformed_base64() {
        for text in [
            "Zg",
            "Zg=",
            "Zg===",
            "Zg==Zg==",
            "Z===",
            "====",
            "=",
            "Zm9vYg==\n",
            " Zg==",
            "Zm-v",
            "Zm_v",
            "Zm=v",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decode(b"Zh==").as_deref(), Some(&b"f"[..]), "unused bits may have any value");
    }

    #[test]
    fn every_character_of_the_alphabet_is_used() {
        let bytes = [
            0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41, 0x14,
            0x93, 0x51, 0x55, 0x97, 0x61, 0x96, 0x9b, 0x71, 0xd7, 0x9f, 0x82, 0x18, 0xa3, 0x92,
            0x59, 0xa7, 0xa2, 0x9a, 0xab, 0xb2, 0xdb, 0xaf, 0xc3, 0x1c, 0xb3, 0xd3, 0x5d, 0xb7,
            0xe3, 0x9e, 0xbb, 0xf3, 0xdf, 0xbf,
        ];
        assert_eq!(encode(&bytes).as_bytes(), ALPHABET);
        assert_eq!(decode(ALPHABET).as_deref(), Some(&bytes[..]));
    }
}
