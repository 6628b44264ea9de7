//! What is sent in place of the right accept value (section 4.2.2 item 5.4): one table of mistakes, and
//! the search for the one, or the two at once, that produced a value.

use super::digest::{md5, sha256};
use crate::wire::base64;
use crate::wire::handshake::{GUID, accept, concatenation, sha1};
use recipes::{
    GUID_OCTETS, MISCOPIED, between, cut, decoded, for_urls, guids, hex, hex_lower, hex_upper,
    hmac, latin_1, lossy, percent_encoded, prefixes, sha1_twice, sixteen, text, until_zero, utf16,
    windows_guid, with_guid, with_zero, without_padding, words_reversed,
};

mod recipes;

/// A mistake that servers are known to make.
#[derive(Debug)]
pub struct Mistake {
    /// What is done in place of the right thing.
    pub name: &'static str,
    step: Step,
}

/// The step of the computation that goes wrong, and what comes of it then.
#[derive(Debug)]
enum Step {
    /// Of the key: the octets that are hashed, where several are possible each of them.
    Hashed(fn(&str) -> Vec<Vec<u8>>),
    /// Another hash of them.
    Hash(fn(&[u8]) -> Vec<u8>),
    /// Of the digest: other octets.
    Digest(fn(&[u8]) -> Vec<u8>),
    /// Of the digest: another way to write it.
    Written(fn(&[u8]) -> Vec<String>),
    /// Of the key: a value that was not computed in these steps.
    Instead(fn(&str) -> String),
}

/// How a wrong value came to be.
#[derive(Debug)]
pub struct Cause {
    /// One, or two of different steps.
    pub mistakes: Vec<&'static Mistake>,
    /// What was hashed, if it was the wrong thing.
    pub hashed: Option<Vec<u8>>,
}

/// How many mistakes are known.
#[must_use]
pub fn count() -> usize {
    MISTAKES.len()
}

/// The longest key that is searched for: the work grows with its square, and a right one has 24 octets.
const KEY_MAX: usize = 200;

/// The mistakes that make `given` of `key`, as few as possible; none if it is right.
#[must_use]
pub fn find(key: &str, given: &str) -> Option<Cause> {
    if KEY_MAX < key.len() || accept(key.as_bytes()) == given {
        return None;
    }
    for mistake in MISTAKES {
        if let Step::Instead(value) = mistake.step
            && value(key) == given
        {
            return Some(Cause { mistakes: vec![mistake], hashed: None });
        }
    }
    let mut best: Option<Cause> = None;
    let hashed = hashed_octets(key);
    for (first, octets) in &hashed {
        for mistakes in rest_of(*first, octets, given) {
            if best.as_ref().is_none_or(|best| mistakes.len() < best.mistakes.len()) {
                best = Some(Cause { mistakes, hashed: first.map(|_| octets.clone()) });
            }
        }
    }
    best
}

/// What may have been hashed: the right octets, and those of each mistake.
fn hashed_octets(key: &str) -> Vec<(Option<&'static Mistake>, Vec<u8>)> {
    let mut all = vec![(None, concatenation(key.as_bytes()))];
    for mistake in MISTAKES {
        if let Step::Hashed(octets) = mistake.step {
            all.extend(octets(key).into_iter().map(|octets| (Some(mistake), octets)));
        }
    }
    all
}

/// The mistakes, `first` and at most one more, with which `octets` become `given`.
fn rest_of(
    first: Option<&'static Mistake>,
    octets: &[u8],
    given: &str,
) -> Vec<Vec<&'static Mistake>> {
    let right = sha1(octets);
    let mut found = Vec::new();
    if first.is_some() && base64::encode(&right) == given {
        found.push(None);
    }
    for mistake in MISTAKES {
        let is_it = match mistake.step {
            Step::Hash(hash) => base64::encode(&hash(octets)) == given,
            Step::Digest(digest) => base64::encode(&digest(&right)) == given,
            Step::Written(written) => written(&right).iter().any(|value| value == given),
            Step::Hashed(_) | Step::Instead(_) => false,
        };
        found.extend(is_it.then_some(Some(mistake)));
    }
    found.into_iter().map(|second| first.into_iter().chain(second).collect()).collect()
}

#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    Mistake { name: "a CR behind the key is hashed with it", step: Step::Hashed(|key| between(key, "\r")) },
    Mistake { name: "a LF behind the key is hashed with it", step: Step::Hashed(|key| between(key, "\n")) },
    Mistake { name: "the CR LF behind the key is hashed with it", step: Step::Hashed(|key| between(key, "\r\n")) },
    Mistake { name: "a space behind the key is hashed with it", step: Step::Hashed(|key| between(key, " ")) },
    Mistake { name: "a tab behind the key is hashed with it", step: Step::Hashed(|key| between(key, "\t")) },
    Mistake { name: "a NUL behind the key is hashed with it", step: Step::Hashed(|key| between(key, "\0")) },
    Mistake { name: "a colon stands between the key and the GUID", step: Step::Hashed(|key| between(key, ":")) },
    Mistake { name: "the space before the key is hashed with it", step: Step::Hashed(|key| text(format!(" {key}{GUID}"))) },
    Mistake { name: "the name of the header is hashed with the key", step: Step::Hashed(|key| text(format!("Sec-WebSocket-Key: {key}{GUID}"))) },
    Mistake { name: "quotation marks around the key are hashed with it", step: Step::Hashed(|key| text(format!("\"{key}\"{GUID}"))) },
    Mistake { name: "the key is hashed without its padding", step: Step::Hashed(|key| text(format!("{}{GUID}", key.trim_end_matches('=')))) },
    Mistake { name: "the key is hashed in lower case", step: Step::Hashed(|key| text(format!("{}{GUID}", key.to_ascii_lowercase()))) },
    Mistake { name: "the + in the key became a space, as in a form of HTML", step: Step::Hashed(|key| text(format!("{}{GUID}", key.replace('+', " ")))) },
    Mistake { name: "the key is hashed in percent-encoding, as in a URL", step: Step::Hashed(|key| text(format!("{}{GUID}", percent_encoded(key)))) },
    Mistake { name: "the key is encoded in base64 once more", step: Step::Hashed(|key| text(format!("{}{GUID}", base64::encode(key.as_bytes())))) },
    Mistake { name: "the key is decoded: it is to be hashed as it was sent", step: Step::Hashed(|key| decoded(key, |octets| [octets, GUID.as_bytes()].concat())) },
    Mistake { name: "the key is decoded and the GUID is missing", step: Step::Hashed(|key| decoded(key, <[u8]>::to_vec)) },
    Mistake { name: "the key is decoded and written in hex", step: Step::Hashed(|key| decoded(key, |octets| [hex(octets).as_bytes(), GUID.as_bytes()].concat())) },
    Mistake { name: "the GUID is missing", step: Step::Hashed(|key| text(key.to_owned())) },
    Mistake { name: "the key is missing", step: Step::Hashed(|_| text(GUID.to_owned())) },
    Mistake { name: "the GUID comes before the key", step: Step::Hashed(|key| text(format!("{GUID}{key}"))) },
    Mistake { name: "the GUID is there twice", step: Step::Hashed(|key| text(format!("{key}{GUID}{GUID}"))) },
    Mistake { name: "the GUID is in lower case", step: Step::Hashed(|key| text(format!("{key}{}", GUID.to_ascii_lowercase()))) },
    Mistake { name: "the key and the GUID are in lower case", step: Step::Hashed(|key| text(format!("{key}{GUID}").to_ascii_lowercase())) },
    Mistake { name: "the GUID has no hyphens", step: Step::Hashed(|key| text(format!("{key}{}", GUID.replace('-', "")))) },
    Mistake { name: "the GUID is in braces", step: Step::Hashed(|key| text(format!("{key}{{{GUID}}}"))) },
    Mistake { name: "the GUID is in quotation marks", step: Step::Hashed(|key| text(format!("{key}\"{GUID}\""))) },
    Mistake { name: "the GUID is taken as 16 octets", step: Step::Hashed(|key| vec![[key.as_bytes(), &GUID_OCTETS].concat()]) },
    Mistake { name: "the GUID is taken as 16 octets, in the order of a Windows GUID", step: Step::Hashed(|key| vec![[key.as_bytes(), &windows_guid()].concat()]) },
    Mistake { name: "the GUID is a miscopied one that goes around", step: Step::Hashed(|key| MISCOPIED.iter().map(|end| with_guid(key, &format!("258EAFA5-E914-47DA-95CA-{end}"))).collect()) },
    Mistake { name: "one character of the GUID is wrong", step: Step::Hashed(|key| guids(key, |guid, i, c| guid[i] = c)) },
    Mistake { name: "one character of the GUID is missing", step: Step::Hashed(|key| guids(key, |guid, i, _| { guid.remove(i); })) },
    Mistake { name: "the GUID has one character too many", step: Step::Hashed(|key| guids(key, |guid, i, c| guid.insert(i + 1, c))) },
    Mistake { name: "two characters of the GUID are swapped", step: Step::Hashed(|key| guids(key, |guid, i, _| guid.swap(i, (i + 1) % GUID.len()))) },
    Mistake { name: "a LF behind the GUID is hashed with it, as `echo` adds one", step: Step::Hashed(|key| text(format!("{key}{GUID}\n"))) },
    Mistake { name: "a CR LF behind the GUID is hashed with it", step: Step::Hashed(|key| text(format!("{key}{GUID}\r\n"))) },
    Mistake { name: "the NUL that ends a string in C is hashed with it", step: Step::Hashed(|key| text(format!("{key}{GUID}\0"))) },
    Mistake { name: "the text to be hashed is cut off", step: Step::Hashed(|key| cut(&format!("{key}{GUID}"))) },
    Mistake { name: "the text to be hashed is in UTF-16, little-endian", step: Step::Hashed(|key| vec![utf16(key, u16::to_le_bytes)]) },
    Mistake { name: "the text to be hashed is in UTF-16, big-endian", step: Step::Hashed(|key| vec![utf16(key, u16::to_be_bytes)]) },
    Mistake { name: "the hash is SHA-256", step: Step::Hash(sha256) },
    Mistake { name: "the hash is MD5", step: Step::Hash(md5) },
    Mistake { name: "the hash is taken twice, of the digest once more", step: Step::Hash(sha1_twice) },
    Mistake { name: "the digest is written in hex before base64", step: Step::Digest(hex_lower) },
    Mistake { name: "the digest is written in hex, in capitals, before base64", step: Step::Digest(hex_upper) },
    Mistake { name: "the digest is taken for text in Latin-1 and encoded in UTF-8 before base64", step: Step::Digest(latin_1) },
    Mistake { name: "the digest is taken for text in UTF-8, and what is none replaced, before base64", step: Step::Digest(lossy) },
    Mistake { name: "the digest ends at its first zero octet, as a string in C", step: Step::Digest(until_zero) },
    Mistake { name: "the digest has a zero octet more at its end", step: Step::Digest(with_zero) },
    Mistake { name: "the digest is cut to 16 octets", step: Step::Digest(sixteen) },
    Mistake { name: "the octets of each word of the digest are in the wrong order", step: Step::Digest(words_reversed) },
    Mistake { name: "the digest is in hex, and there is no base64", step: Step::Written(|digest| vec![hex(digest)]) },
    Mistake { name: "the digest is in hex, in capitals, and there is no base64", step: Step::Written(|digest| vec![hex(digest).to_ascii_uppercase()]) },
    Mistake { name: "the padding is missing", step: Step::Written(|digest| vec![without_padding(base64::encode(digest))]) },
    Mistake { name: "the base64 is that of URLs: - and _ in place of + and /", step: Step::Written(|digest| vec![for_urls(digest)]) },
    Mistake { name: "the base64 is that of URLs, and the padding is missing", step: Step::Written(|digest| vec![without_padding(for_urls(digest))]) },
    Mistake { name: "the value is encoded in base64 once more", step: Step::Written(|digest| vec![base64::encode(base64::encode(digest).as_bytes())]) },
    Mistake { name: "the value is in lower case", step: Step::Written(|digest| vec![base64::encode(digest).to_ascii_lowercase()]) },
    Mistake { name: "the value is in quotation marks", step: Step::Written(|digest| vec![format!("\"{}\"", base64::encode(digest))]) },
    Mistake { name: "a line end stands behind the value", step: Step::Written(|digest| ["\n", "\r", "\r\n"].map(|end| base64::encode(digest) + end).into()) },
    Mistake { name: "the value is cut off", step: Step::Written(|digest| prefixes(&base64::encode(digest))) },
    Mistake { name: "the value is that of the RFC's own example, not of this key", step: Step::Instead(|_| accept(b"dGhlIHNhbXBsZSBub25jZQ==")) },
    Mistake { name: "the value is the key, sent back as it came", step: Step::Instead(|key| key.to_owned()) },
    Mistake { name: "the value is the text that is to be hashed", step: Step::Instead(|key| format!("{key}{GUID}")) },
    Mistake { name: "the text that is to be hashed is in base64 without being hashed", step: Step::Instead(|key| base64::encode(&concatenation(key.as_bytes()))) },
    Mistake { name: "the value is HMAC-SHA-1 of the key under the GUID", step: Step::Instead(|key| base64::encode(&hmac(GUID.as_bytes(), key.as_bytes()))) },
    Mistake { name: "there is no value", step: Step::Instead(|_| String::new()) },
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One whose digest has a zero octet, and both characters that URLs have otherwise.
    const KEY: &str = "vCLxn+xQ/+fHtUs0uek97Q==";

    /// What comes of each mistake with that key, computed with the hashlib and base64 of Python.
    #[rustfmt::skip]
    const VALUES: &[(&str, &str)] = &[
        ("a CR behind the key is hashed with it", "1B9KL5tyG7hmNsocUmShp+H0gUU="),
        ("a LF behind the key is hashed with it", "pzEwR//09p2UjgoX65Sx3Zr/rcA="),
        ("the CR LF behind the key is hashed with it", "8gdM8Vf8eQQ+2F7BlFViVLQQxGE="),
        ("a space behind the key is hashed with it", "xT1Tc59M4zVZ/VPxvRgVHUEhDUI="),
        ("a tab behind the key is hashed with it", "k+TVBQMFcr9TwU+QNIC9gafUktE="),
        ("a NUL behind the key is hashed with it", "vkWL2kcHuGFaFjv58TWgjaBNEhA="),
        ("a colon stands between the key and the GUID", "c+cHcW1tzq9nTSF7LSdKShyBZnM="),
        ("the space before the key is hashed with it", "H/CkrirLAa0SXyvrSNWoqwOpA48="),
        ("the name of the header is hashed with the key", "qbcRKO+ouJ7Pa9GG66+8x9JcxpU="),
        ("quotation marks around the key are hashed with it", "gSs3p6RLeF6e9khFbmk79NaltTI="),
        ("the key is hashed without its padding", "idJpcxKlUAxv7WvyNyQ+0oIdQuU="),
        ("the key is hashed in lower case", "m+Nfsrvnebo+PQjCLfM0OBticy8="),
        ("the + in the key became a space, as in a form of HTML", "3hvRMvQFWillzjacmXFiqjoHZq0="),
        ("the key is hashed in percent-encoding, as in a URL", "sTmnOGfLe+oHKrdub3VYQQHlV5k="),
        ("the key is encoded in base64 once more", "9bKjTdftdeEK0uY4VZF0b20lPCg="),
        ("the key is decoded: it is to be hashed as it was sent", "V9jGk2lDQfezUtnmtiup0cLwF1Y="),
        ("the key is decoded and the GUID is missing", "SUP8hZbxIMRl6DnRRAWxgiD72bE="),
        ("the key is decoded and written in hex", "ZTSgJq/fH2kmW7+v6BLnNRqL+Oc="),
        ("the GUID is missing", "7WYLHxslBZqjbc7KyytWkOeiVfI="),
        ("the key is missing", "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="),
        ("the GUID comes before the key", "bJ4Ez5kUScODWNujkaWE6eN1l6U="),
        ("the GUID is there twice", "g/XAHptXLz4R3jcI4jqcn2MO40E="),
        ("the GUID is in lower case", "HsGnVZ4tguXRQWoXTXpaM/k2Mzc="),
        ("the key and the GUID are in lower case", "7e7UfbykNxXhR5n60H7I6Ogwuac="),
        ("the GUID has no hyphens", "dNgHOq+MnrLLUPHFbHyQEpa4d8s="),
        ("the GUID is in braces", "n21yzY9/72uq10ZV3o7iM+kibIg="),
        ("the GUID is in quotation marks", "NQWHIJO62x+huZavoya5E2lQXFk="),
        ("the GUID is taken as 16 octets", "pOj6gbhPM0wKMVLqiWYYgnMar0A="),
        ("the GUID is taken as 16 octets, in the order of a Windows GUID", "M4SDwRzZV/vLYX+9se/6DOeWIOI="),
        ("the GUID is a miscopied one that goes around", "mif40dVABfodmmrpVl7tIKEpi1U="),
        ("one character of the GUID is wrong", "S2PG3edCH1FflaIxCmvUbCUhK10="),
        ("one character of the GUID is missing", "ItzKYi12Jas6/LW0SmmYI5CSzSo="),
        ("the GUID has one character too many", "5KBLvdz4Aq2H8YrcygEAIS/x/e0="),
        ("two characters of the GUID are swapped", "YS5CT1bGMNtiz4VRxo2NDOXzhkw="),
        ("a LF behind the GUID is hashed with it, as `echo` adds one", "xJw2b54oxhOcwVSH59IPU6wDo0A="),
        ("a CR LF behind the GUID is hashed with it", "YeirtT/zhTXVoYdfw32yBD/P7sM="),
        ("the NUL that ends a string in C is hashed with it", "CGjwNZx6a3d6oiKgcmiYHkn53dQ="),
        ("the text to be hashed is cut off", "5J3yZFr38wixD/tIz0cqJhmI4Zc="),
        ("the text to be hashed is in UTF-16, little-endian", "mRZ26On9SyLt+HDvNS41MHdFca8="),
        ("the text to be hashed is in UTF-16, big-endian", "V+utSgbro2z2lhkLUgUS1tZRdUY="),
        ("the hash is SHA-256", "bAiaT9mA/Y/vnObEeyGoKW5FnHeuQnKTjg9/z+vwMT8="),
        ("the hash is MD5", "JKhE0TjQjatYhfV1uh+InQ=="),
        ("the hash is taken twice, of the digest once more", "+g3cbSFz/vatw/KHyjaMl6xWgTg="),
        ("the digest is written in hex before base64", "Njg3ZmYyYmIzMGRkNTUxYWExMzUwMGY3MGI5OWYwMmI4ZDI4ZDNlZA=="),
        ("the digest is written in hex, in capitals, before base64", "Njg3RkYyQkIzMERENTUxQUExMzUwMEY3MEI5OUYwMkI4RDI4RDNFRA=="),
        ("the digest is taken for text in Latin-1 and encoded in UTF-8 before base64", "aH/DssK7MMOdVRrCoTUAw7cLwpnDsCvCjSjDk8Ot"),
        ("the digest is taken for text in UTF-8, and what is none replaced, before base64", "aH/vv70w77+9VRrvv701AO+/vQvvv73vv70r77+9KO+/ve+/vQ=="),
        ("the digest ends at its first zero octet, as a string in C", "aH/yuzDdVRqhNQ=="),
        ("the digest has a zero octet more at its end", "aH/yuzDdVRqhNQD3C5nwK40o0+0A"),
        ("the digest is cut to 16 octets", "aH/yuzDdVRqhNQD3C5nwKw=="),
        ("the octets of each word of the digest are in the wrong order", "u/J/aBpV3TD3ADWhK/CZC+3TKI0="),
        ("the digest is in hex, and there is no base64", "687ff2bb30dd551aa13500f70b99f02b8d28d3ed"),
        ("the digest is in hex, in capitals, and there is no base64", "687FF2BB30DD551AA13500F70B99F02B8D28D3ED"),
        ("the padding is missing", "aH/yuzDdVRqhNQD3C5nwK40o0+0"),
        ("the base64 is that of URLs: - and _ in place of + and /", "aH_yuzDdVRqhNQD3C5nwK40o0-0="),
        ("the base64 is that of URLs, and the padding is missing", "aH_yuzDdVRqhNQD3C5nwK40o0-0"),
        ("the value is encoded in base64 once more", "YUgveXV6RGRWUnFoTlFEM0M1bndLNDBvMCswPQ=="),
        ("the value is in lower case", "ah/yuzddvrqhnqd3c5nwk40o0+0="),
        ("the value is in quotation marks", "\"aH/yuzDdVRqhNQD3C5nwK40o0+0=\""),
        ("a line end stands behind the value", "aH/yuzDdVRqhNQD3C5nwK40o0+0=\n"),
        ("the value is cut off", "aH/yuzDdVRqhNQD3C5nw"),
        ("the value is that of the RFC's own example, not of this key", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("the value is the key, sent back as it came", "vCLxn+xQ/+fHtUs0uek97Q=="),
        ("the value is the text that is to be hashed", "vCLxn+xQ/+fHtUs0uek97Q==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"),
        ("the text that is to be hashed is in base64 without being hashed", "dkNMeG4reFEvK2ZIdFVzMHVlazk3UT09MjU4RUFGQTUtRTkxNC00N0RBLTk1Q0EtQzVBQjBEQzg1QjEx"),
        ("the value is HMAC-SHA-1 of the key under the GUID", "jZUTDMOkLf0xYCHZauQodzh8nbk="),
        ("there is no value", ""),
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
    fn every_miscopied_guid_is_known() {
        for end in MISCOPIED {
            let hashed = format!("{KEY}258EAFA5-E914-47DA-95CA-{end}");
            let value = base64::encode(&sha1(hashed.as_bytes()));
            let cause = find(KEY, &value).unwrap();
            assert_eq!(cause.mistakes[0].name, "the GUID is a miscopied one that goes around");
            assert_eq!(cause.hashed.as_deref(), Some(hashed.as_bytes()));
        }
    }

    #[test]
    fn two_mistakes_at_once_are_both_named() {
        for (value, expected) in [
            (
                "A1cgD7Pws9LiDmVSMsRYu1RoeeI5KiNaTJCXwp5ZLhQ=",
                ["the GUID is in lower case", "the hash is SHA-256"],
            ),
            (
                "ZDQxZjRhMmY5YjcyMWJiODY2MzZjYTFjNTI2NGExYTdlMWY0ODE0NQ==",
                [
                    "a CR behind the key is hashed with it",
                    "the digest is written in hex before base64",
                ],
            ),
            ("7WYLHxslBZqjbc7KyytWkOeiVfI", ["the GUID is missing", "the padding is missing"]),
        ] {
            assert_eq!(names(KEY, value), expected, "{value}");
        }
    }

    #[test]
    fn what_comes_of_no_mistake_is_not_explained() {
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
        fn no_words_make_it_panic(key in "\\PC{0,30}", given in "\\PC{0,30}") {
            let _ = find(&key, &given); // whatever it is
            for mistake in MISTAKES {
                if let Step::Hashed(octets) = mistake.step {
                    octets(&key);
                }
            }
        }
    }
}
