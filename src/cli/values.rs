//! The values of options. An error is the end of a sentence that starts with the value: what would be right.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::explain::hex;

pub(super) fn address(value: &str) -> Result<SocketAddr, String> {
    let value = value.replacen("localhost:", "127.0.0.1:", 1);
    let hint = "is not ADDR:PORT, such as 127.0.0.1:1984, 0.0.0.0:8080 or [::1]:1984";
    value.parse().map_err(|_| hint.to_owned())
}

/// RFC 6454 section 6.2: scheme, host and port, and nothing after them. Browsers omit a default port.
pub(super) fn origin(value: &str) -> Result<String, String> {
    let value = value.to_ascii_lowercase();
    let (scheme, authority) = value.split_once("://").unwrap_or_default();
    let is_name = |c: char| c.is_ascii_graphic() && !"/?#@*".contains(c);
    let is_complete = !scheme.is_empty() && !authority.is_empty();
    let default_port = match scheme {
        _ if ["null", "*"].contains(&&*value) => "",
        _ if !is_complete || !authority.chars().all(is_name) => {
            return Err(
                "is not an origin, such as https://chat.example.org (no path), null, or *".into()
            );
        }
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    Ok(value.strip_suffix(default_port).unwrap_or(&value).to_owned())
}

/// A size from 1 to 2^40 bytes.
pub(super) fn size(value: &str) -> Result<usize, String> {
    const MAX: u64 = 1 << 40;
    let (count, shift) = match value.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (&value[..value.len() - 1], 10),
        Some(b'M') => (&value[..value.len() - 1], 20),
        Some(b'G') => (&value[..value.len() - 1], 30),
        _ => (value, 0),
    };
    let hint = "is not a size from 1 to 1024G, such as 500000, 64K or 1M";
    integer::<usize>(count, 1..=MAX >> shift, hint).map(|count| count << shift)
}

/// A number of this range, as digits without a sign.
pub(super) fn integer<N: TryFrom<u64>>(
    value: &str,
    range: RangeInclusive<u64>,
    hint: &str,
) -> Result<N, String> {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|number| is_plain && range.contains(number));
    number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| hint.to_owned())
}

/// Bytes in hex, with spaces, commas or colons between them or not.
pub(super) fn bytes(value: &str) -> Result<Vec<u8>, String> {
    let hint = "is not bytes in hex, two digits each, such as 48656c6c6f or '48 65 6c'";
    hex::decode(value).ok_or_else(|| hint.to_owned())
}

/// A time of up to a year, in milliseconds at the finest.
pub(super) fn seconds(value: &str) -> Result<Duration, String> {
    const MAX: u64 = 365 * 86_400;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let hint = "is not a number of seconds up to 31536000, such as 20 or 0.5";
    if matches!(value, "" | ".") || 3 < fraction.len() {
        return Err(hint.to_owned());
    }
    let seconds = integer(&format!("0{whole}"), 0..=MAX, hint)?;
    let milliseconds = integer(&format!("{fraction:0<3}"), 0..=999, hint)?;
    Ok(Duration::from_secs(seconds) + Duration::from_millis(milliseconds))
}

pub(super) fn positive_seconds(value: &str) -> Result<Duration, String> {
    match seconds(value)? {
        Duration::ZERO => Err("is too short; the minimum is 0.001 seconds".to_owned()),
        seconds => Ok(seconds),
    }
}

/// The value of one of these words.
pub(super) fn choice<V: Copy>(words: &[&str], choices: &[(&str, V)]) -> Result<V, String> {
    let word = words.concat();
    let chosen = choices.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    chosen.ok_or_else(|| match names[..] {
        [one, other] => format!("is neither {one} nor {other}"),
        _ => format!("is none of {}", names.join(", ")),
    })
}

/// The value of a switch, which `choices` name `true`, `false` and more.
pub(super) fn switch<V: Copy>(words: &[&str], choices: &[(&str, V)]) -> Result<V, String> {
    match words {
        [] | ["1" | "yes" | "on"] => choice(&["true"], choices),
        ["0" | "no" | "off" | ""] => choice(&["false"], choices),
        words => choice(words, choices),
    }
}

/// Stores a value.
pub(super) fn set<V>(place: &mut V, value: Result<V, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

/// Stores the value of an option that excludes the option `other`.
pub(super) fn choose<V: Default + Eq>(place: &mut V, value: V, other: &str) -> Result<(), String> {
    let is_free = *place == V::default() || *place == value;
    set(place, is_free.then_some(value).ok_or(format!("excludes {other}; give only one of them")))
}
