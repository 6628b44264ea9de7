//! The first line of a request, RFC 9112 section 3.

use super::authority;
use super::fields::{Fields, is_token};
use super::http::{Method, Request, Version};
use super::lines::HeadLimits;
use super::refusal::Refusal;
use super::rules::ensure;

/// Longer than every registered method, in bytes.
const METHOD_MAX: usize = 32;

/// Checks the sizes of a line, whole or not: the method has at most 32 bytes, the target those of `limits`.
///
/// # Errors
/// [`Refusal::MethodUnknown`] or [`Refusal::TargetTooLong`].
pub(super) fn check_size(line: &[u8], limits: HeadLimits) -> Result<(), Refusal> {
    let method = &line[..line.len().min(METHOD_MAX + 1)];
    let Some(space) = method.iter().position(|byte| *byte == b' ') else {
        return ensure(line.len() <= METHOD_MAX, Refusal::MethodUnknown);
    };
    let target = &line[space + 1..];
    let is_short =
        target.len() <= limits.target_max || target[..=limits.target_max].contains(&b' ');
    ensure(is_short, Refusal::TargetTooLong)
}

/// The request of the line `method SP request-target SP HTTP-version`, without fields. Its host is the
/// authority of a target in absolute-form.
///
/// # Errors
/// The first error in this order: the number of parts, the characters of the method, the version, an unknown
/// method, the target.
pub(super) fn parse(line: &[u8]) -> Result<Request, Refusal> {
    let parts: Vec<&[u8]> = line.splitn(4, |byte| *byte == b' ').collect();
    let [method, target, version] = *parts else { return Err(Refusal::RequestLine) };
    ensure(is_token(method), Refusal::RequestLine)?;
    let version = parse_version(version)?;
    let method = match method {
        b"GET" => Method::Get,
        b"HEAD" => Method::Head,
        // `OPTIONS *` is for the server as a whole (RFC 9110, 9.3.7): it is not implemented.
        b"POST" | b"PUT" | b"DELETE" | b"OPTIONS" | b"TRACE" | b"PATCH" if target != b"*" => {
            Method::Other
        }
        _ => return Err(Refusal::MethodUnknown),
    };
    let (target, host) = parse_target(target)?;
    Ok(Request { method, version, target, host, fields: Fields::default() })
}

/// RFC 9112, 2.3: `HTTP/` in capitals, a digit, a point, a digit.
///
/// # Errors
/// [`Refusal::HttpMajorVersion`] if the first digit is not 1, [`Refusal::RequestLine`] for another form.
fn parse_version(version: &[u8]) -> Result<Version, Refusal> {
    match version.strip_prefix(b"HTTP/") {
        Some(b"1.0") => Ok(Version::Http10),
        Some([b'1', b'.', b'1'..=b'9']) => Ok(Version::Http11),
        Some([b'0'..=b'9', b'.', b'0'..=b'9']) => Err(Refusal::HttpMajorVersion),
        _ => Err(Refusal::RequestLine),
    }
}

/// RFC 9112, 3.2: the path and query, and the authority, which is empty for a target in origin-form.
///
/// # Errors
/// [`Refusal::Target`] unless the target is in origin-form or absolute-form: the other two forms are for
/// methods that the server does not implement.
fn parse_target(target: &[u8]) -> Result<(String, String), Refusal> {
    let target = str::from_utf8(target).map_err(|_| Refusal::Target)?;
    let is_valid = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    ensure(is_valid, Refusal::Target)?;
    if target.starts_with('/') {
        return Ok((target.to_owned(), String::new()));
    }
    let (scheme, rest) = target.split_once("://").ok_or(Refusal::Target)?;
    let is_http = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    ensure(is_http, Refusal::Target)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // RFC 9110, 4.2.1: an http URI without a host is invalid.
    let authority = authority::parse(authority.as_bytes())
        .filter(|authority| !authority.is_empty() && !authority.starts_with(':'));
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok((format!("{slash}{path}"), authority.ok_or(Refusal::Target)?))
}
