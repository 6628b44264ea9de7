//! Base64, RFC 4648 section 4: what section 4.2 of RFC 6455 needs of it, and no more.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `octets` in the standard alphabet with padding: four characters for each three octets begun.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    octets.chunks(3).flat_map(quantum).collect()
}

/// Four characters for one to three octets.
fn quantum(octets: &[u8]) -> [char; 4] {
    let [a, b, c] = [0, 1, 2].map(|i| u32::from(octets.get(i).copied().unwrap_or(0)));
    let bits = a << 16 | b << 8 | c;
    let character = |i: usize| match i <= octets.len() {
        true => char::from(ALPHABET[(bits >> (18 - 6 * i)) as usize & 0b11_1111]),
        false => '=',
    };
    [0, 1, 2, 3].map(character)
}

/// Section 4.2.1 item 5: a value that decodes to 16 octets is 22 characters of the alphabet and
/// `==`. The four pad bits may be anything, as in the RFC's own example.
#[must_use]
pub fn is_sixteen_octets(text: &[u8]) -> bool {
    is_padded(text, b"==", 22)
}

/// Section 4.2.2 item 5.4: a SHA-1 in base64 is 27 characters and `=`.
#[must_use]
pub fn is_twenty_octets(text: &[u8]) -> bool {
    is_padded(text, b"=", 27)
}

/// So many characters of the alphabet, and the padding.
fn is_padded(text: &[u8], padding: &[u8], count: usize) -> bool {
    text.strip_suffix(padding).is_some_and(|characters| {
        characters.len() == count && characters.iter().all(|c| ALPHABET.contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_section_10_vectors() {
        for (octets, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(octets.as_bytes()), text);
        }
    }

    #[test]
    fn every_character_of_the_alphabet_is_reached() {
        let octets = [
            0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41, 0x14,
            0x93, 0x51, 0x55, 0x97, 0x61, 0x96, 0x9b, 0x71, 0xd7, 0x9f, 0x82, 0x18, 0xa3, 0x92,
            0x59, 0xa7, 0xa2, 0x9a, 0xab, 0xb2, 0xdb, 0xaf, 0xc3, 0x1c, 0xb3, 0xd3, 0x5d, 0xb7,
            0xe3, 0x9e, 0xbb, 0xf3, 0xdf, 0xbf,
        ];
        assert_eq!(encode(&octets).as_bytes(), ALPHABET);
    }

    #[test]
    fn s4_2_1_a_key_is_sixteen_octets() {
        for good in
            ["dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC==", "+/+/+/+/+/+/+/+/+/+/+/=="]
        {
            assert!(is_sixteen_octets(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ",       // no padding
            "dGhlIHNhbXBsZSBub25jZQ=",      // half of it
            "dGhlIHNhbXBsZSBub25j",         // 15 octets
            "dGhlIHNhbXBsZSBub25jZWU=",     // 17 octets
            "dGhlIHNhbXBsZSBubw==",         // 13 octets
            "dGhlIHNhbXBsZSBub25jZSBhZw==", // 19 octets
            "dGhlIHNhbXBsZSBub25jZ===",     // three pads
            "dGhlIHNhbXBsZSBub2-jZQ==",     // base64url
            "dGhlIHNhbXBsZSBub2_jZQ==",
            "dGhlIHNhbXBs SBub25jZQ==",
            "dGhlIHNhbXBsZSBub25jZQ==\n",
        ] {
            assert!(!is_sixteen_octets(bad.as_bytes()), "{bad}");
        }
    }
}
