//! Wrong accept values (section 4.2.2 item 5.4): a table of the mistakes that servers make, and a
//! search for the one or two mistakes that produce a given value.

use super::hex;
use crate::wire::base64;
use crate::wire::handshake::{GUID, accept, concatenation, sha1};

/// The stage of the computation that goes wrong, with the function that makes its wrong result.
#[derive(Debug)]
pub enum Stage {
    /// Key to hashed bytes; several results if the mistake has variants.
    Input(fn(&str) -> Vec<Vec<u8>>),
    /// Digest to encoded bytes.
    Digest(fn(&[u8]) -> Vec<u8>),
    /// Digest to value, one for each variant.
    Encoding(fn(&[u8]) -> Vec<String>),
    /// Key to value, without these stages.
    Value(fn(&str) -> String),
}

/// The mistakes that explain a wrong value.
#[derive(Debug)]
pub struct Cause {
    /// What the server does wrong: one mistake, or two in different stages.
    pub mistakes: Vec<&'static str>,
    /// The bytes that were hashed in place of the right ones.
    pub hashed: Option<Vec<u8>>,
}

/// The longest key that is searched: the work grows with its square, and a valid key has 24 characters.
const KEY_MAX: usize = 200;

/// The mistakes that turn `key` into `given`, as few as possible; `None` if `given` is right or no
/// known mistake makes it.
pub fn find(key: &str, given: &str) -> Option<Cause> {
    if KEY_MAX < key.len() || accept(key.as_bytes()) == given {
        return None;
    }
    let mut causes = later_mistakes(None, &concatenation(key.as_bytes()), given);
    for (name, stage) in MISTAKES {
        match stage {
            Stage::Value(value) if value(key) == given => {
                return Some(Cause { mistakes: vec![name], hashed: None });
            }
            Stage::Input(inputs) => {
                let inputs = inputs(key).into_iter();
                causes.extend(inputs.flat_map(|input| later_mistakes(Some(name), &input, given)));
            }
            _ => (),
        }
    }
    causes.into_iter().min_by_key(|cause| cause.mistakes.len())
}

/// Each way to make `given` from the hashed bytes with the mistake `first`, if there is one, and at most
/// one mistake more.
fn later_mistakes(first: Option<&'static str>, hashed: &[u8], given: &str) -> Vec<Cause> {
    let digest = sha1(hashed);
    let makes_it = |stage: &Stage| match stage {
        Stage::Digest(change) => base64::encode(&change(&digest)) == given,
        Stage::Encoding(values) => values(&digest).iter().any(|value| value == given),
        Stage::Input(_) | Stage::Value(_) => false,
    };
    let none = (base64::encode(&digest) == given).then_some(None);
    let second = MISTAKES.iter().filter(|(_, stage)| makes_it(stage)).map(|(name, _)| Some(*name));
    let causes = none.into_iter().chain(second).map(|second| Cause {
        mistakes: first.into_iter().chain(second).collect(),
        hashed: first.map(|_| hashed.to_vec()),
    });
    causes.collect()
}

/// The mistakes that servers are known to make: what is wrong, and the stage that it changes.
#[rustfmt::skip]
pub const MISTAKES: &[(&str, Stage)] = &[
    ("a CR after the key is hashed with it", Stage::Input(|key| one_input(format!("{key}\r{GUID}")))),
    ("a LF after the key is hashed with it", Stage::Input(|key| one_input(format!("{key}\n{GUID}")))),
    ("the CR LF after the key is hashed with it", Stage::Input(|key| one_input(format!("{key}\r\n{GUID}")))),
    ("a space after the key is hashed with it", Stage::Input(|key| one_input(format!("{key} {GUID}")))),
    ("a tab after the key is hashed with it", Stage::Input(|key| one_input(format!("{key}\t{GUID}")))),
    ("a NUL after the key is hashed with it", Stage::Input(|key| one_input(format!("{key}\0{GUID}")))),
    ("a colon stands between the key and the GUID", Stage::Input(|key| one_input(format!("{key}:{GUID}")))),
    ("the space before the key is hashed with it", Stage::Input(|key| one_input(format!(" {key}{GUID}")))),
    ("the name of the header is hashed with the key", Stage::Input(|key| one_input(format!("Sec-WebSocket-Key: {key}{GUID}")))),
    ("quotation marks around the key are hashed with it", Stage::Input(|key| one_input(format!("\"{key}\"{GUID}")))),
    ("the key is hashed without its padding", Stage::Input(|key| one_input(format!("{}{GUID}", key.trim_end_matches('='))))),
    ("the key is hashed in lower case", Stage::Input(|key| one_input(format!("{}{GUID}", key.to_ascii_lowercase())))),
    ("the + in the key became a space, as in an HTML form", Stage::Input(|key| one_input(format!("{}{GUID}", key.replace('+', " "))))),
    ("the key is hashed in percent-encoding, as in a URL", Stage::Input(|key| one_input(format!("{}{GUID}", key.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"))))),
    ("the key is encoded in base64 again", Stage::Input(|key| one_input(format!("{}{GUID}", base64::encode(key.as_bytes()))))),
    ("the key is decoded; it must be hashed as it was sent", Stage::Input(|key| decoded(key, |bytes| [bytes, GUID.as_bytes()].concat()))),
    ("the key is decoded and the GUID is missing", Stage::Input(|key| decoded(key, <[u8]>::to_vec))),
    ("the key is decoded and written in hex", Stage::Input(|key| decoded(key, |bytes| format!("{}{GUID}", hex::encode(bytes, "")).into_bytes()))),
    ("the GUID is missing", Stage::Input(|key| one_input(key.to_owned()))),
    ("the key is missing", Stage::Input(|_| one_input(GUID.to_owned()))),
    ("the GUID comes before the key", Stage::Input(|key| one_input(format!("{GUID}{key}")))),
    ("the GUID is hashed twice", Stage::Input(|key| one_input(format!("{key}{GUID}{GUID}")))),
    ("the GUID is in lower case", Stage::Input(|key| one_input(format!("{key}{}", GUID.to_ascii_lowercase())))),
    ("the key and the GUID are in lower case", Stage::Input(|key| one_input(format!("{key}{GUID}").to_ascii_lowercase()))),
    ("the GUID has no hyphens", Stage::Input(|key| one_input(format!("{key}{}", GUID.replace('-', ""))))),
    ("the GUID is in braces", Stage::Input(|key| one_input(format!("{key}{{{GUID}}}")))),
    ("the GUID is in quotation marks", Stage::Input(|key| one_input(format!("{key}\"{GUID}\"")))),
    ("the GUID is hashed as 16 bytes, not as text", Stage::Input(|key| vec![[key.as_bytes(), &GUID_BYTES].concat()])),
    ("the GUID is hashed as 16 bytes in the order of a Windows GUID", Stage::Input(|key| vec![[key.as_bytes(), &windows_guid()].concat()])),
    ("the GUID is a known wrong copy", Stage::Input(|key| WRONG_COPIES.iter().map(|end| format!("{key}258EAFA5-E914-47DA-95CA-{end}").into_bytes()).collect())),
    ("one character of the GUID is wrong", Stage::Input(|key| edited_guids(key, |guid, i, c| guid[i] = c))),
    ("one character of the GUID is missing", Stage::Input(|key| edited_guids(key, |guid, i, _| { guid.remove(i); }))),
    ("the GUID has one character too many", Stage::Input(|key| edited_guids(key, |guid, i, c| guid.insert(i + 1, c)))),
    ("two characters of the GUID are swapped", Stage::Input(|key| edited_guids(key, |guid, i, _| guid.swap(i, (i + 1) % GUID.len())))),
    ("a LF after the GUID is hashed with it, such as `echo` adds", Stage::Input(|key| one_input(format!("{key}{GUID}\n")))),
    ("a CR LF after the GUID is hashed with it", Stage::Input(|key| one_input(format!("{key}{GUID}\r\n")))),
    ("the NUL that ends a string in C is hashed with it", Stage::Input(|key| one_input(format!("{key}{GUID}\0")))),
    ("the hashed text is cut off", Stage::Input(|key| prefixes(&format!("{key}{GUID}"), 1).into_iter().map(String::into_bytes).collect())),
    ("the hashed text is in UTF-16, little-endian", Stage::Input(|key| vec![utf16(key, u16::to_le_bytes)])),
    ("the hashed text is in UTF-16, big-endian", Stage::Input(|key| vec![utf16(key, u16::to_be_bytes)])),
    ("the digest is hashed again", Stage::Digest(|digest| sha1(digest).to_vec())),
    ("the digest is written in hex before base64", Stage::Digest(|digest| hex::encode(digest, "").into_bytes())),
    ("the digest is written in hex, in capitals, before base64", Stage::Digest(|digest| hex::encode(digest, "").to_ascii_uppercase().into_bytes())),
    ("the digest is converted from Latin-1 to UTF-8 before base64", Stage::Digest(|digest| digest.iter().copied().map(char::from).collect::<String>().into_bytes())),
    ("the digest is decoded as UTF-8, with replacement characters, before base64", Stage::Digest(|digest| String::from_utf8_lossy(digest).into_owned().into_bytes())),
    ("the digest ends at its first zero byte, as a C string does", Stage::Digest(|digest| digest.iter().copied().take_while(|byte| *byte != 0).collect())),
    ("the digest has an extra zero byte at its end", Stage::Digest(|digest| [digest, &[0]].concat())),
    ("the digest is cut to 16 bytes", Stage::Digest(|digest| digest.iter().copied().take(16).collect())),
    ("the bytes of each 32-bit word of the digest are reversed", Stage::Digest(|digest| digest.chunks(4).flat_map(|word| word.iter().rev().copied()).collect())),
    ("the digest is in hex, without base64", Stage::Encoding(|digest| vec![hex::encode(digest, "")])),
    ("the digest is in hex, in capitals, without base64", Stage::Encoding(|digest| vec![hex::encode(digest, "").to_ascii_uppercase()])),
    ("the padding is missing", Stage::Encoding(|digest| vec![base64::encode(digest).trim_end_matches('=').to_owned()])),
    ("the base64 is the URL-safe form: - and _ for + and /", Stage::Encoding(|digest| vec![url_safe(digest)])),
    ("the base64 is the URL-safe form, and the padding is missing", Stage::Encoding(|digest| vec![url_safe(digest).trim_end_matches('=').to_owned()])),
    ("the value is encoded in base64 again", Stage::Encoding(|digest| vec![base64::encode(base64::encode(digest).as_bytes())])),
    ("the value is in lower case", Stage::Encoding(|digest| vec![base64::encode(digest).to_ascii_lowercase()])),
    ("the value is in quotation marks", Stage::Encoding(|digest| vec![format!("\"{}\"", base64::encode(digest))])),
    ("a line end follows the value", Stage::Encoding(|digest| ["\n", "\r", "\r\n"].map(|end| base64::encode(digest) + end).into())),
    ("the value is cut off", Stage::Encoding(|digest| prefixes(&base64::encode(digest), PREFIX_MIN))),
    ("the value belongs to the RFC's example key, not to this key", Stage::Value(|_| accept(b"dGhlIHNhbXBsZSBub25jZQ=="))),
    ("the value is the key itself", Stage::Value(|key| key.to_owned())),
    ("the value is the text that must be hashed", Stage::Value(|key| format!("{key}{GUID}"))),
    ("the text is encoded in base64 without being hashed", Stage::Value(|key| base64::encode(&concatenation(key.as_bytes())))),
    ("the value is HMAC-SHA-1 of the key, with the GUID as secret", Stage::Value(|key| base64::encode(&hmac(GUID.as_bytes(), key.as_bytes())))),
    ("the value is empty", Stage::Value(|_| String::new())),
];

/// The GUID of section 1.3 as bytes.
const GUID_BYTES: [u8; 16] = [
    0x25, 0x8e, 0xaf, 0xa5, 0xe9, 0x14, 0x47, 0xda, 0x95, 0xca, 0xc5, 0xab, 0x0d, 0xc8, 0x5b, 0x11,
];

/// Wrong last groups of the GUID, found in public source code.
#[rustfmt::skip]
const WRONG_COPIES: &[&str] = &[
    "5AB0DC85B11", "5AB0DC85B11D", "5AB0DC85B11F", "5AB9DC85B11D", "5AB9DC85B5F5", "5AB5DC085B11",
    "5AB5DC587B41", "5AB5DC11BE85", "5AB5A0BD85B1", "5AB53ADF711E", "5AB53ADF711E2", "5AB9CAD40B11",
    "5AB9DC63B5E0", "5AB9DC11B5AB", "5AB9B54DA35E",
];

/// A shorter prefix of an accept value could belong to another value.
const PREFIX_MIN: usize = 16;

/// The only input that a mistake makes.
fn one_input(text: String) -> Vec<Vec<u8>> {
    vec![text.into_bytes()]
}

/// What `make` makes of the decoded key; nothing if the key is not base64.
fn decoded(key: &str, make: fn(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    base64::decode(key.as_bytes()).iter().map(|bytes| make(bytes)).collect()
}

/// The key with each edited GUID: `change` gets the right GUID, a place in it and a character.
fn edited_guids(key: &str, change: fn(&mut Vec<u8>, usize, u8)) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for place in 0..GUID.len() {
        for character in b"0123456789ABCDEF-" {
            let mut guid = GUID.as_bytes().to_vec();
            change(&mut guid, place, *character);
            all.push([key.as_bytes(), &guid].concat());
        }
    }
    all.dedup();
    all
}

/// Windows stores the first three groups as numbers, least significant byte first.
fn windows_guid() -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = GUID_BYTES;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

fn utf16(key: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    key.encode_utf16().chain(GUID.encode_utf16()).flat_map(order).collect()
}

/// The beginnings of `text` from `min` bytes on, cut between characters.
fn prefixes(text: &str, min: usize) -> Vec<String> {
    (min..text.len()).filter_map(|end| text.get(..end).map(str::to_owned)).collect()
}

fn url_safe(digest: &[u8]) -> String {
    base64::encode(digest).replace('+', "-").replace('/', "_")
}

/// HMAC-SHA-1 (RFC 2104) for a `secret` that fits into one block.
fn hmac(secret: &[u8], text: &[u8]) -> [u8; 20] {
    let pad = |pad: u8| {
        let filled = secret.iter().copied().chain(std::iter::repeat(0)).take(64);
        filled.map(|secret| secret ^ pad).collect::<Vec<u8>>()
    };
    let inner = sha1(&[&pad(0x36), text].concat());
    sha1(&[&pad(0x5c), inner.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Its digest has a zero byte, and its value has both characters that URL-safe base64 replaces.
    const KEY: &str = "vCLxn+xQ/+fHtUs0uek97Q==";

    /// The value that each mistake makes of that key, computed with Python's hashlib and base64.
    #[rustfmt::skip]
    const VALUES: &[(&str, &str)] = &[
        ("a CR after the key is hashed with it", "1B9KL5tyG7hmNsocUmShp+H0gUU="),
        ("a LF after the key is hashed with it", "pzEwR//09p2UjgoX65Sx3Zr/rcA="),
        ("the CR LF after the key is hashed with it", "8gdM8Vf8eQQ+2F7BlFViVLQQxGE="),
        ("a space after the key is hashed with it", "xT1Tc59M4zVZ/VPxvRgVHUEhDUI="),
        ("a tab after the key is hashed with it", "k+TVBQMFcr9TwU+QNIC9gafUktE="),
        ("a NUL after the key is hashed with it", "vkWL2kcHuGFaFjv58TWgjaBNEhA="),
        ("a colon stands between the key and the GUID", "c+cHcW1tzq9nTSF7LSdKShyBZnM="),
        ("the space before the key is hashed with it", "H/CkrirLAa0SXyvrSNWoqwOpA48="),
        ("the name of the header is hashed with the key", "qbcRKO+ouJ7Pa9GG66+8x9JcxpU="),
        ("quotation marks around the key are hashed with it", "gSs3p6RLeF6e9khFbmk79NaltTI="),
        ("the key is hashed without its padding", "idJpcxKlUAxv7WvyNyQ+0oIdQuU="),
        ("the key is hashed in lower case", "m+Nfsrvnebo+PQjCLfM0OBticy8="),
        ("the + in the key became a space, as in an HTML form", "3hvRMvQFWillzjacmXFiqjoHZq0="),
        ("the key is hashed in percent-encoding, as in a URL", "sTmnOGfLe+oHKrdub3VYQQHlV5k="),
        ("the key is encoded in base64 again", "9bKjTdftdeEK0uY4VZF0b20lPCg="),
        ("the key is decoded; it must be hashed as it was sent", "V9jGk2lDQfezUtnmtiup0cLwF1Y="),
        ("the key is decoded and the GUID is missing", "SUP8hZbxIMRl6DnRRAWxgiD72bE="),
        ("the key is decoded and written in hex", "ZTSgJq/fH2kmW7+v6BLnNRqL+Oc="),
        ("the GUID is missing", "7WYLHxslBZqjbc7KyytWkOeiVfI="),
        ("the key is missing", "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="),
        ("the GUID comes before the key", "bJ4Ez5kUScODWNujkaWE6eN1l6U="),
        ("the GUID is hashed twice", "g/XAHptXLz4R3jcI4jqcn2MO40E="),
        ("the GUID is in lower case", "HsGnVZ4tguXRQWoXTXpaM/k2Mzc="),
        ("the key and the GUID are in lower case", "7e7UfbykNxXhR5n60H7I6Ogwuac="),
        ("the GUID has no hyphens", "dNgHOq+MnrLLUPHFbHyQEpa4d8s="),
        ("the GUID is in braces", "n21yzY9/72uq10ZV3o7iM+kibIg="),
        ("the GUID is in quotation marks", "NQWHIJO62x+huZavoya5E2lQXFk="),
        ("the GUID is hashed as 16 bytes, not as text", "pOj6gbhPM0wKMVLqiWYYgnMar0A="),
        ("the GUID is hashed as 16 bytes in the order of a Windows GUID", "M4SDwRzZV/vLYX+9se/6DOeWIOI="),
        ("the GUID is a known wrong copy", "mif40dVABfodmmrpVl7tIKEpi1U="),
        ("one character of the GUID is wrong", "S2PG3edCH1FflaIxCmvUbCUhK10="),
        ("one character of the GUID is missing", "ItzKYi12Jas6/LW0SmmYI5CSzSo="),
        ("the GUID has one character too many", "5KBLvdz4Aq2H8YrcygEAIS/x/e0="),
        ("two characters of the GUID are swapped", "YS5CT1bGMNtiz4VRxo2NDOXzhkw="),
        ("a LF after the GUID is hashed with it, such as `echo` adds", "xJw2b54oxhOcwVSH59IPU6wDo0A="),
        ("a CR LF after the GUID is hashed with it", "YeirtT/zhTXVoYdfw32yBD/P7sM="),
        ("the NUL that ends a string in C is hashed with it", "CGjwNZx6a3d6oiKgcmiYHkn53dQ="),
        ("the hashed text is cut off", "5J3yZFr38wixD/tIz0cqJhmI4Zc="),
        ("the hashed text is in UTF-16, little-endian", "mRZ26On9SyLt+HDvNS41MHdFca8="),
        ("the hashed text is in UTF-16, big-endian", "V+utSgbro2z2lhkLUgUS1tZRdUY="),
        ("the digest is hashed again", "+g3cbSFz/vatw/KHyjaMl6xWgTg="),
        ("the digest is written in hex before base64", "Njg3ZmYyYmIzMGRkNTUxYWExMzUwMGY3MGI5OWYwMmI4ZDI4ZDNlZA=="),
        ("the digest is written in hex, in capitals, before base64", "Njg3RkYyQkIzMERENTUxQUExMzUwMEY3MEI5OUYwMkI4RDI4RDNFRA=="),
        ("the digest is converted from Latin-1 to UTF-8 before base64", "aH/DssK7MMOdVRrCoTUAw7cLwpnDsCvCjSjDk8Ot"),
        ("the digest is decoded as UTF-8, with replacement characters, before base64", "aH/vv70w77+9VRrvv701AO+/vQvvv73vv70r77+9KO+/ve+/vQ=="),
        ("the digest ends at its first zero byte, as a C string does", "aH/yuzDdVRqhNQ=="),
        ("the digest has an extra zero byte at its end", "aH/yuzDdVRqhNQD3C5nwK40o0+0A"),
        ("the digest is cut to 16 bytes", "aH/yuzDdVRqhNQD3C5nwKw=="),
        ("the bytes of each 32-bit word of the digest are reversed", "u/J/aBpV3TD3ADWhK/CZC+3TKI0="),
        ("the digest is in hex, without base64", "687ff2bb30dd551aa13500f70b99f02b8d28d3ed"),
        ("the digest is in hex, in capitals, without base64", "687FF2BB30DD551AA13500F70B99F02B8D28D3ED"),
        ("the padding is missing", "aH/yuzDdVRqhNQD3C5nwK40o0+0"),
        ("the base64 is the URL-safe form: - and _ for + and /", "aH_yuzDdVRqhNQD3C5nwK40o0-0="),
        ("the base64 is the URL-safe form, and the padding is missing", "aH_yuzDdVRqhNQD3C5nwK40o0-0"),
        ("the value is encoded in base64 again", "YUgveXV6RGRWUnFoTlFEM0M1bndLNDBvMCswPQ=="),
        ("the value is in lower case", "ah/yuzddvrqhnqd3c5nwk40o0+0="),
        ("the value is in quotation marks", "\"aH/yuzDdVRqhNQD3C5nwK40o0+0=\""),
        ("a line end follows the value", "aH/yuzDdVRqhNQD3C5nwK40o0+0=\n"),
        ("the value is cut off", "aH/yuzDdVRqhNQD3C5nw"),
        ("the value belongs to the RFC's example key, not to this key", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("the value is the key itself", "vCLxn+xQ/+fHtUs0uek97Q=="),
        ("the value is the text that must be hashed", "vCLxn+xQ/+fHtUs0uek97Q==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"),
        ("the text is encoded in base64 without being hashed", "dkNMeG4reFEvK2ZIdFVzMHVlazk3UT09MjU4RUFGQTUtRTkxNC00N0RBLTk1Q0EtQzVBQjBEQzg1QjEx"),
        ("the value is HMAC-SHA-1 of the key, with the GUID as secret", "jZUTDMOkLf0xYCHZauQodzh8nbk="),
        ("the value is empty", ""),
    ];

    fn names(key: &str, given: &str) -> Vec<&'static str> {
        let cause = find(key, given);
        cause.map_or(vec![], |cause| cause.mistakes)
    }

    #[test]
    fn each_mistake_is_named() {
        assert_eq!(accept(KEY.as_bytes()), "aH/yuzDdVRqhNQD3C5nwK40o0+0=");
        assert_eq!(VALUES.len(), MISTAKES.len());
        for ((name, value), (mistake, _)) in VALUES.iter().zip(MISTAKES) {
            assert_eq!(name, mistake);
            assert_eq!(names(KEY, value), [*name], "{value}");
        }
    }

    #[test]
    fn every_wrong_copy_of_the_guid_is_known() {
        for end in WRONG_COPIES {
            let hashed = format!("{KEY}258EAFA5-E914-47DA-95CA-{end}");
            let value = base64::encode(&sha1(hashed.as_bytes()));
            let cause = find(KEY, &value).unwrap();
            assert_eq!(cause.mistakes[0], "the GUID is a known wrong copy");
            assert_eq!(cause.hashed.as_deref(), Some(hashed.as_bytes()));
        }
    }

    #[test]
    fn two_mistakes_at_once_are_both_named() {
        for (value, expected) in [
            (
                "HsGnVZ4tguXRQWoXTXpaMw==",
                ["the GUID is in lower case", "the digest is cut to 16 bytes"],
            ),
            (
                "ZDQxZjRhMmY5YjcyMWJiODY2MzZjYTFjNTI2NGExYTdlMWY0ODE0NQ==",
                [
                    "a CR after the key is hashed with it",
                    "the digest is written in hex before base64",
                ],
            ),
            ("7WYLHxslBZqjbc7KyytWkOeiVfI", ["the GUID is missing", "the padding is missing"]),
        ] {
            assert_eq!(names(KEY, value), expected, "{value}");
        }
    }

    #[test]
    fn other_values_are_not_explained() {
        for value in [
            "x",
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
            &accept(b"another key"),
            &accept(KEY.as_bytes())[..15],
        ] {
            assert!(find(KEY, value).is_none(), "{value}");
        }
        assert!(find(KEY, &accept(KEY.as_bytes())).is_none(), "the right value");
        let long = "k".repeat(KEY_MAX + 1);
        assert!(find(&long[1..], &long[1..]).is_some() && find(&long, &long).is_none());
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(key in "\\PC{0,30}", given in "\\PC{0,30}") {
            let _ = find(&key, &given); // any result is right here
            for (_, stage) in MISTAKES {
                if let Stage::Input(inputs) = stage {
                    inputs(&key);
                }
            }
        }
    }
}
