//! The values of options. An error is the end of a sentence that starts with the value: what would be right.

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

/// RFC 6454 section 6.2: scheme, host and port, and nothing after them.
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

/// An origin as browsers write it.
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

/// A size from 1 to 2^40 bytes.
pub(super) fn size(value: &str) -> Result<usize, String> {
    const MAX: u64 = 1 << 40;
    let (count, unit) = match value.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (&value[..value.len() - 1], 1 << 10),
        Some(b'M') => (&value[..value.len() - 1], 1 << 20),
        Some(b'G') => (&value[..value.len() - 1], 1 << 30),
        _ => (value, 1),
    };
    let size = digits(count, MAX / unit).map(|count| count * unit).filter(|size| *size != 0);
    size.and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| "is not a size from 1 to 1024G, such as 500000, 64K or 1M".to_owned())
}

/// A number from 1 to a million.
pub(super) fn number(value: &str) -> Result<usize, String> {
    let number = digits(value, 1_000_000).filter(|number| *number != 0);
    number
        .and_then(|number| usize::try_from(number).ok())
        .ok_or_else(|| "is not a number from 1 to 1000000, such as 4096".to_owned())
}

/// A number up to `max`, as digits without a sign.
pub(super) fn digits(value: &str, max: u64) -> Option<u64> {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|number| is_plain && *number <= max)
}

/// Bytes in hex, with spaces, commas or colons between them or not.
pub(super) fn bytes(value: &str) -> Result<Vec<u8>, String> {
    let wrong =
        || "is not bytes in hex, two digits each, such as 48656c6c6f or '48 65 6c'".to_owned();
    let mut bytes = Vec::new();
    for group in value.split([' ', ',', ':', '\t', '\n']).filter(|group| !group.is_empty()) {
        let digits = group.strip_prefix("0x").unwrap_or(group);
        let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return Err(wrong()) };
        for [high, low] in pairs {
            let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|d| u8::try_from(d).ok());
            let (Some(high), Some(low)) = (digit(high), digit(low)) else { return Err(wrong()) };
            bytes.push(high << 4 | low);
        }
    }
    Ok(bytes)
}

/// A time of up to a year, in milliseconds at the finest.
pub(super) fn seconds(value: &str) -> Result<Duration, String> {
    const MAX: u64 = 365 * 86_400;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let is_plain = !matches!(value, "" | ".") && whole.len() <= 8 && fraction.len() <= 3;
    match (digits(&format!("0{whole}"), MAX), digits(&format!("{fraction:0<3}"), 999)) {
        (Some(whole), Some(milli)) if is_plain => {
            Ok(Duration::from_secs(whole) + Duration::from_millis(milli))
        }
        _ => Err("is not a number of seconds up to 31536000, such as 20 or 0.5".to_owned()),
    }
}

pub(super) fn positive_seconds(value: &str) -> Result<Duration, String> {
    match seconds(value)? {
        Duration::ZERO => Err("is too short; the minimum is 0.001 seconds".to_owned()),
        seconds => Ok(seconds),
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
        (_, Err(_)) => Err("is none of true, false and full".to_owned()),
    }
}

pub(super) fn inspection(value: &str) -> Result<Inspection, String> {
    match (value, switch(value)) {
        ("any", _) => Ok(Inspection::Any),
        (_, Ok(true)) => Ok(Inspection::Loopback),
        (_, Ok(false)) => Ok(Inspection::Off),
        (_, Err(_)) => Err("is none of true, false and any".to_owned()),
    }
}
