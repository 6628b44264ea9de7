//! Wrong accept values (section 4.2.2 item 5.4): a table of the mistakes that servers make, and a
//! search for the one or two mistakes that produce a given value.

use super::hex;
use crate::wire::base64;
use crate::wire::handshake::{GUID, accept, concatenation, sha1};
use recipes::{
    GUID_BYTES, WRONG_COPIES, between, cut, decoded, edited_guids, hex_lower, hex_upper, hmac,
    latin_1, lossy, percent_encoded, prefixes, sixteen, text, until_zero, url_safe, utf16,
    windows_guid, with_guid, with_zero, without_padding, words_reversed,
};

mod recipes;

/// A mistake that servers are known to make.
#[derive(Debug)]
pub struct Mistake {
    /// What the server does wrong.
    pub name: &'static str,
    stage: Stage,
}

/// The stage of the computation that goes wrong, with the function that makes its wrong result.
#[derive(Debug)]
enum Stage {
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
    /// One, or two in different stages.
    pub mistakes: Vec<&'static Mistake>,
    /// The bytes that were hashed in place of the right ones.
    pub hashed: Option<Vec<u8>>,
}

/// The number of known mistakes.
#[must_use]
pub fn count() -> usize {
    MISTAKES.len()
}

/// The longest key that is searched: the work grows with its square, and a valid key has 24 characters.
const KEY_MAX: usize = 200;

/// The mistakes that turn `key` into `given`, as few as possible; `None` if `given` is right or no
/// known mistake makes it.
#[must_use]
pub fn find(key: &str, given: &str) -> Option<Cause> {
    if KEY_MAX < key.len() || accept(key.as_bytes()) == given {
        return None;
    }
    for mistake in MISTAKES {
        if let Stage::Value(value) = mistake.stage
            && value(key) == given
        {
            return Some(Cause { mistakes: vec![mistake], hashed: None });
        }
    }
    let mut best: Option<Cause> = None;
    for (first, hashed) in inputs(key) {
        for mistakes in later_mistakes(first, &hashed, given) {
            if best.as_ref().is_none_or(|best| mistakes.len() < best.mistakes.len()) {
                best = Some(Cause { mistakes, hashed: first.map(|_| hashed.clone()) });
            }
        }
    }
    best
}

/// The bytes that may have been hashed: the right ones, and those of each mistake.
fn inputs(key: &str) -> Vec<(Option<&'static Mistake>, Vec<u8>)> {
    let mut all = vec![(None, concatenation(key.as_bytes()))];
    for mistake in MISTAKES {
        if let Stage::Input(inputs) = mistake.stage {
            all.extend(inputs(key).into_iter().map(|input| (Some(mistake), input)));
        }
    }
    all
}

/// Each way to make `given` from the hashed bytes with `first` and at most one mistake more.
fn later_mistakes(
    first: Option<&'static Mistake>,
    hashed: &[u8],
    given: &str,
) -> Vec<Vec<&'static Mistake>> {
    let right = sha1(hashed);
    let mut found = Vec::new();
    if let Some(first) = first.filter(|_| base64::encode(&right) == given) {
        found.push(vec![first]);
    }
    for mistake in MISTAKES {
        let is_it = match mistake.stage {
            Stage::Digest(digest) => base64::encode(&digest(&right)) == given,
            Stage::Encoding(values) => values(&right).iter().any(|value| value == given),
            Stage::Input(_) | Stage::Value(_) => false,
        };
        found.extend(is_it.then(|| first.into_iter().chain([mistake]).collect()));
    }
    found
}

#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    Mistake { name: "a CR after the key is hashed with it", stage: Stage::Input(|key| between(key, "\r")) },
    Mistake { name: "a LF after the key is hashed with it", stage: Stage::Input(|key| between(key, "\n")) },
    Mistake { name: "the CR LF after the key is hashed with it", stage: Stage::Input(|key| between(key, "\r\n")) },
    Mistake { name: "a space after the key is hashed with it", stage: Stage::Input(|key| between(key, " ")) },
    Mistake { name: "a tab after the key is hashed with it", stage: Stage::Input(|key| between(key, "\t")) },
    Mistake { name: "a NUL after the key is hashed with it", stage: Stage::Input(|key| between(key, "\0")) },
    Mistake { name: "a colon stands between the key and the GUID", stage: Stage::Input(|key| between(key, ":")) },
    Mistake { name: "the space before the key is hashed with it", stage: Stage::Input(|key| text(format!(" {key}{GUID}"))) },
    Mistake { name: "the name of the header is hashed with the key", stage: Stage::Input(|key| text(format!("Sec-WebSocket-Key: {key}{GUID}"))) },
    Mistake { name: "quotation marks around the key are hashed with it", stage: Stage::Input(|key| text(format!("\"{key}\"{GUID}"))) },
    Mistake { name: "the key is hashed without its padding", stage: Stage::Input(|key| text(format!("{}{GUID}", key.trim_end_matches('=')))) },
    Mistake { name: "the key is hashed in lower case", stage: Stage::Input(|key| text(format!("{}{GUID}", key.to_ascii_lowercase()))) },
    Mistake { name: "the + in the key became a space, as in an HTML form", stage: Stage::Input(|key| text(format!("{}{GUID}", key.replace('+', " ")))) },
    Mistake { name: "the key is hashed in percent-encoding, as in a URL", stage: Stage::Input(|key| text(format!("{}{GUID}", percent_encoded(key)))) },
    Mistake { name: "the key is encoded in base64 again", stage: Stage::Input(|key| text(format!("{}{GUID}", base64::encode(key.as_bytes())))) },
    Mistake { name: "the key is decoded; it must be hashed as it was sent", stage: Stage::Input(|key| decoded(key, |bytes| [bytes, GUID.as_bytes()].concat())) },
    Mistake { name: "the key is decoded and the GUID is missing", stage: Stage::Input(|key| decoded(key, <[u8]>::to_vec)) },
    Mistake { name: "the key is decoded and written in hex", stage: Stage::Input(|key| decoded(key, |bytes| [&hex_lower(bytes), GUID.as_bytes()].concat())) },
    Mistake { name: "the GUID is missing", stage: Stage::Input(|key| text(key.to_owned())) },
    Mistake { name: "the key is missing", stage: Stage::Input(|_| text(GUID.to_owned())) },
    Mistake { name: "the GUID comes before the key", stage: Stage::Input(|key| text(format!("{GUID}{key}"))) },
    Mistake { name: "the GUID is hashed twice", stage: Stage::Input(|key| text(format!("{key}{GUID}{GUID}"))) },
    Mistake { name: "the GUID is in lower case", stage: Stage::Input(|key| text(format!("{key}{}", GUID.to_ascii_lowercase()))) },
    Mistake { name: "the key and the GUID are in lower case", stage: Stage::Input(|key| text(format!("{key}{GUID}").to_ascii_lowercase())) },
    Mistake { name: "the GUID has no hyphens", stage: Stage::Input(|key| text(format!("{key}{}", GUID.replace('-', "")))) },
    Mistake { name: "the GUID is in braces", stage: Stage::Input(|key| text(format!("{key}{{{GUID}}}"))) },
    Mistake { name: "the GUID is in quotation marks", stage: Stage::Input(|key| text(format!("{key}\"{GUID}\""))) },
    Mistake { name: "the GUID is hashed as 16 bytes, not as text", stage: Stage::Input(|key| vec![[key.as_bytes(), &GUID_BYTES].concat()]) },
    Mistake { name: "the GUID is hashed as 16 bytes in the order of a Windows GUID", stage: Stage::Input(|key| vec![[key.as_bytes(), &windows_guid()].concat()]) },
    Mistake { name: "the GUID is a known wrong copy", stage: Stage::Input(|key| WRONG_COPIES.iter().map(|end| with_guid(key, &format!("258EAFA5-E914-47DA-95CA-{end}"))).collect()) },
    Mistake { name: "one character of the GUID is wrong", stage: Stage::Input(|key| edited_guids(key, |guid, i, c| guid[i] = c)) },
    Mistake { name: "one character of the GUID is missing", stage: Stage::Input(|key| edited_guids(key, |guid, i, _| { guid.remove(i); })) },
    Mistake { name: "the GUID has one character too many", stage: Stage::Input(|key| edited_guids(key, |guid, i, c| guid.insert(i + 1, c))) },
    Mistake { name: "two characters of the GUID are swapped", stage: Stage::Input(|key| edited_guids(key, |guid, i, _| guid.swap(i, (i + 1) % GUID.len()))) },
    Mistake { name: "a LF after the GUID is hashed with it, such as `echo` adds", stage: Stage::Input(|key| text(format!("{key}{GUID}\n"))) },
    Mistake { name: "a CR LF after the GUID is hashed with it", stage: Stage::Input(|key| text(format!("{key}{GUID}\r\n"))) },
    Mistake { name: "the NUL that ends a string in C is hashed with it", stage: Stage::Input(|key| text(format!("{key}{GUID}\0"))) },
    Mistake { name: "the hashed text is cut off", stage: Stage::Input(|key| cut(&format!("{key}{GUID}"))) },
    Mistake { name: "the hashed text is in UTF-16, little-endian", stage: Stage::Input(|key| vec![utf16(key, u16::to_le_bytes)]) },
    Mistake { name: "the hashed text is in UTF-16, big-endian", stage: Stage::Input(|key| vec![utf16(key, u16::to_be_bytes)]) },
    Mistake { name: "the digest is hashed again", stage: Stage::Digest(|digest| sha1(digest).to_vec()) },
    Mistake { name: "the digest is written in hex before base64", stage: Stage::Digest(hex_lower) },
    Mistake { name: "the digest is written in hex, in capitals, before base64", stage: Stage::Digest(hex_upper) },
    Mistake { name: "the digest is converted from Latin-1 to UTF-8 before base64", stage: Stage::Digest(latin_1) },
    Mistake { name: "the digest is decoded as UTF-8, with replacement characters, before base64", stage: Stage::Digest(lossy) },
    Mistake { name: "the digest ends at its first zero byte, as a C string does", stage: Stage::Digest(until_zero) },
    Mistake { name: "the digest has an extra zero byte at its end", stage: Stage::Digest(with_zero) },
    Mistake { name: "the digest is cut to 16 bytes", stage: Stage::Digest(sixteen) },
    Mistake { name: "the bytes of each 32-bit word of the digest are reversed", stage: Stage::Digest(words_reversed) },
    Mistake { name: "the digest is in hex, without base64", stage: Stage::Encoding(|digest| vec![hex::encode(digest, "")]) },
    Mistake { name: "the digest is in hex, in capitals, without base64", stage: Stage::Encoding(|digest| vec![hex::encode(digest, "").to_ascii_uppercase()]) },
    Mistake { name: "the padding is missing", stage: Stage::Encoding(|digest| vec![without_padding(base64::encode(digest))]) },
    Mistake { name: "the base64 is the URL-safe form: - and _ for + and /", stage: Stage::Encoding(|digest| vec![url_safe(digest)]) },
    Mistake { name: "the base64 is the URL-safe form, and the padding is missing", stage: Stage::Encoding(|digest| vec![without_padding(url_safe(digest))]) },
    Mistake { name: "the value is encoded in base64 again", stage: Stage::Encoding(|digest| vec![base64::encode(base64::encode(digest).as_bytes())]) },
    Mistake { name: "the value is in lower case", stage: Stage::Encoding(|digest| vec![base64::encode(digest).to_ascii_lowercase()]) },
    Mistake { name: "the value is in quotation marks", stage: Stage::Encoding(|digest| vec![format!("\"{}\"", base64::encode(digest))]) },
    Mistake { name: "a line end follows the value", stage: Stage::Encoding(|digest| ["\n", "\r", "\r\n"].map(|end| base64::encode(digest) + end).into()) },
    Mistake { name: "the value is cut off", stage: Stage::Encoding(|digest| prefixes(&base64::encode(digest))) },
    Mistake { name: "the value belongs to the RFC's example key, not to this key", stage: Stage::Value(|_| accept(b"dGhlIHNhbXBsZSBub25jZQ==")) },
    Mistake { name: "the value is the key itself", stage: Stage::Value(|key| key.to_owned()) },
    Mistake { name: "the value is the text that must be hashed", stage: Stage::Value(|key| format!("{key}{GUID}")) },
    Mistake { name: "the text is encoded in base64 without being hashed", stage: Stage::Value(|key| base64::encode(&concatenation(key.as_bytes()))) },
    Mistake { name: "the value is HMAC-SHA-1 of the key, with the GUID as secret", stage: Stage::Value(|key| base64::encode(&hmac(GUID.as_bytes(), key.as_bytes()))) },
    Mistake { name: "the value is empty", stage: Stage::Value(|_| String::new()) },
];

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
        cause.iter().flat_map(|cause| &cause.mistakes).map(|mistake| mistake.name).collect()
    }

    #[test]
    fn each_mistake_is_named() {
        assert_eq!(accept(KEY.as_bytes()), "aH/yuzDdVRqhNQD3C5nwK40o0+0=");
        assert_eq!(VALUES.len(), MISTAKES.len());
        for ((name, value), mistake) in VALUES.iter().zip(MISTAKES) {
            assert_eq!(*name, mistake.name);
            assert_eq!(names(KEY, value), [*name], "{value}");
        }
    }

    #[test]
    fn every_wrong_copy_of_the_guid_is_known() {
        for end in WRONG_COPIES {
            let hashed = format!("{KEY}258EAFA5-E914-47DA-95CA-{end}");
            let value = base64::encode(&sha1(hashed.as_bytes()));
            let cause = find(KEY, &value).unwrap();
            assert_eq!(cause.mistakes[0].name, "the GUID is a known wrong copy");
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
            for mistake in MISTAKES {
                if let Stage::Input(inputs) = mistake.stage {
                    inputs(&key);
                }
            }
        }
    }
}
