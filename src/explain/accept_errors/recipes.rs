//! The wrong computations: what each mistake makes of a key, a text or a digest.

use crate::explain::hex;
use crate::wire::base64;
use crate::wire::handshake::{GUID, sha1};

/// The GUID of section 1.3 as bytes.
pub(super) const GUID_BYTES: [u8; 16] = [
    0x25, 0x8e, 0xaf, 0xa5, 0xe9, 0x14, 0x47, 0xda, 0x95, 0xca, 0xc5, 0xab, 0x0d, 0xc8, 0x5b, 0x11,
];

/// Wrong last groups of the GUID, found in public source code.
#[rustfmt::skip]
pub(super) const WRONG_COPIES: &[&str] = &[
    "5AB0DC85B11", "5AB0DC85B11D", "5AB0DC85B11F", "5AB9DC85B11D", "5AB9DC85B5F5", "5AB5DC085B11",
    "5AB5DC587B41", "5AB5DC11BE85", "5AB5A0BD85B1", "5AB53ADF711E", "5AB53ADF711E2", "5AB9CAD40B11",
    "5AB9DC63B5E0", "5AB9DC11B5AB", "5AB9B54DA35E",
];

/// A shorter prefix of an accept value could belong to another value.
const PREFIX_MIN: usize = 16;

pub(super) fn text(text: String) -> Vec<Vec<u8>> {
    vec![text.into_bytes()]
}

pub(super) fn between(key: &str, separator: &str) -> Vec<Vec<u8>> {
    text(format!("{key}{separator}{GUID}"))
}

pub(super) fn with_guid(key: &str, guid: &str) -> Vec<u8> {
    [key, guid].concat().into_bytes()
}

/// What `make` makes of the decoded key; nothing if the key is not base64.
pub(super) fn decoded(key: &str, make: fn(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    base64::decode(key.as_bytes()).iter().map(|bytes| make(bytes)).collect()
}

/// The key with each edited GUID: `change` gets the right GUID, a place in it and a character.
pub(super) fn edited_guids(key: &str, change: fn(&mut Vec<u8>, usize, u8)) -> Vec<Vec<u8>> {
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
pub(super) fn windows_guid() -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = GUID_BYTES;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

pub(super) fn percent_encoded(key: &str) -> String {
    key.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

pub(super) fn utf16(key: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    key.encode_utf16().chain(GUID.encode_utf16()).flat_map(order).collect()
}

pub(super) fn cut(whole: &str) -> Vec<Vec<u8>> {
    (1..whole.len())
        .filter_map(|end| whole.get(..end).map(|part| part.as_bytes().to_vec()))
        .collect()
}

pub(super) fn prefixes(value: &str) -> Vec<String> {
    (PREFIX_MIN..value.len()).filter_map(|end| value.get(..end).map(str::to_owned)).collect()
}

pub(super) fn hex_lower(digest: &[u8]) -> Vec<u8> {
    hex::encode(digest, "").into_bytes()
}

pub(super) fn hex_upper(digest: &[u8]) -> Vec<u8> {
    hex::encode(digest, "").to_ascii_uppercase().into_bytes()
}

pub(super) fn latin_1(digest: &[u8]) -> Vec<u8> {
    digest.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()
}

pub(super) fn lossy(digest: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(digest).into_owned().into_bytes()
}

pub(super) fn until_zero(digest: &[u8]) -> Vec<u8> {
    digest.iter().copied().take_while(|byte| *byte != 0).collect()
}

pub(super) fn with_zero(digest: &[u8]) -> Vec<u8> {
    [digest, &[0]].concat()
}

pub(super) fn sixteen(digest: &[u8]) -> Vec<u8> {
    digest.iter().copied().take(16).collect()
}

pub(super) fn words_reversed(digest: &[u8]) -> Vec<u8> {
    digest.chunks(4).flat_map(|word| word.iter().rev().copied()).collect()
}

pub(super) fn without_padding(value: String) -> String {
    value.trim_end_matches('=').to_owned()
}

pub(super) fn url_safe(digest: &[u8]) -> String {
    base64::encode(digest).replace('+', "-").replace('/', "_")
}

/// HMAC-SHA-1 (RFC 2104) for a `secret` that fits into one block.
pub(super) fn hmac(secret: &[u8], text: &[u8]) -> [u8; 20] {
    let pad = |pad: u8| {
        let filled = secret.iter().copied().chain(std::iter::repeat(0)).take(64);
        filled.map(|secret| secret ^ pad).collect::<Vec<u8>>()
    };
    let inner = sha1(&[&pad(0x36), text].concat());
    sha1(&[&pad(0x5c), inner.as_slice()].concat())
}
