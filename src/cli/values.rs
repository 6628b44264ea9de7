//! The values of options: a word in, or what would have been right.

use std::net::SocketAddr;
use std::time::Duration;

use crate::server::inspect::Inspection;
use crate::server::log::Format;
use crate::server::trace::Tracing;

pub(super) fn address(value: &str) -> Result<SocketAddr, String> {
    let value = value.replacen("localhost:", "127.0.0.1:", 1);
    let hint = "is not ADDR:PORT, such as 127.0.0.1:1984, 0.0.0.0:8080 or [::1]:1984";
    value.parse().map_err(|_| hint.to_owned())
}

/// RFC 6454, 6.2: scheme, host and port, and nothing behind them.
pub(super) fn origin(value: &str) -> Result<String, String> {
    let value = value.to_ascii_lowercase();
    let has_authority = value.split_once("://").is_some_and(|(scheme, authority)| {
        let is_name = |c: char| c.is_ascii_graphic() && !"/?#@*".contains(c);
        !scheme.is_empty() && !authority.is_empty() && authority.chars().all(is_name)
    });
    if has_authority || value == "null" || value == "*" {
        return Ok(without_default_port(value));
    }
    Err("is not an origin, such as https://chat.example.org (no path), null, or *".to_owned())
}

/// As browsers write it.
fn without_default_port(origin: String) -> String {
    for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
        if origin.starts_with(scheme)
            && let Some(short) = origin.strip_suffix(port)
        {
            return short.to_owned();
        }
    }
    origin
}

/// 1 to 2^40 bytes.
pub(super) fn size(value: &str) -> Result<usize, String> {
    const MAX: u64 = 1 << 40;
    let (digits, unit) = match value.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (&value[..value.len() - 1], 1 << 10),
        Some(b'M') => (&value[..value.len() - 1], 1 << 20),
        Some(b'G') => (&value[..value.len() - 1], 1 << 30),
        _ => (value, 1),
    };
    let size = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
    let size = size.filter(|size| (1..=MAX).contains(size) && is_number(digits));
    match size.and_then(|size| usize::try_from(size).ok()) {
        Some(size) => Ok(size),
        None => Err("is not a size from 1 to 1024G, such as 500000, 64K or 1M".to_owned()),
    }
}

/// 1 to a million.
pub(super) fn number(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(number @ 1..=1_000_000) if is_number(value) => Ok(number),
        _ => Err("is not a number from 1 to 1000000, such as 4096".to_owned()),
    }
}

/// Digits, and no sign.
fn is_number(value: &str) -> bool {
    value.bytes().all(|octet| octet.is_ascii_digit())
}

/// Up to a year, to the millisecond.
pub(super) fn seconds(value: &str) -> Result<Duration, String> {
    const MAX: u64 = 365 * 86_400;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let are_short = whole.len() <= 8 && fraction.len() <= 3;
    let is_plain =
        !matches!(value, "" | ".") && are_short && is_number(whole) && is_number(fraction);
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (format!("0{whole}").parse(), thousandths.parse()) {
        (Ok(whole @ 0..=MAX), Ok(milli)) if is_plain => {
            Ok(Duration::from_secs(whole) + Duration::from_millis(milli))
        }
        _ => Err("is not a number of seconds up to 31536000, such as 20 or 0.5".to_owned()),
    }
}

pub(super) fn some_seconds(value: &str) -> Result<Duration, String> {
    match seconds(value)? {
        less if less < Duration::from_millis(1) => {
            Err("is too short; 0.001 seconds is the least".to_owned())
        }
        enough => Ok(enough),
    }
}

pub(super) fn format(value: &str) -> Result<Format, String> {
    match value {
        "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        _ => Err("is neither text nor json".to_owned()),
    }
}

pub(super) fn switch(value: &str) -> Result<bool, String> {
    match value {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" | "" => Ok(false),
        _ => Err("is neither true nor false".to_owned()),
    }
}

pub(super) fn tracing(value: &str) -> Result<Tracing, String> {
    match (value, switch(value)) {
        ("full", _) => Ok(Tracing::Full),
        (_, Ok(true)) => Ok(Tracing::Summary),
        (_, Ok(false)) => Ok(Tracing::Off),
        (_, Err(_)) => Err("is neither true, false nor full".to_owned()),
    }
}

pub(super) fn inspection(value: &str) -> Result<Inspection, String> {
    match (value, switch(value)) {
        ("any", _) => Ok(Inspection::Any),
        (_, Ok(true)) => Ok(Inspection::Loopback),
        (_, Ok(false)) => Ok(Inspection::Off),
        (_, Err(_)) => Err("is neither true, false nor any".to_owned()),
    }
}

/// Letters to insert, drop or replace to make one word of the other (Levenshtein).
pub(super) fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
