//! The authority of a URI and of Host, RFC 9110 sections 4.2 and 7.2.

use core::net::Ipv6Addr;

/// `uri-host [ ":" port ]` in lower case (RFC 9110, 7.2); the host may be empty. `None` if it is malformed.
pub(super) fn parse(authority: &[u8]) -> Option<String> {
    let authority = str::from_utf8(authority).ok()?.to_ascii_lowercase();
    let end_of_address = authority.find(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority[end_of_address..].find(':') {
        Some(colon) => authority.split_at(end_of_address + colon),
        None => (authority.as_str(), ""),
    };
    let host_is_valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => is_reg_name(host),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    let port_is_valid = port.bytes().all(|byte| byte.is_ascii_digit())
        && (port.is_empty() || port.parse::<u16>().is_ok());
    (host_is_valid && port_is_valid).then_some(authority)
}

/// RFC 3986, 3.2.2: unreserved characters, sub-delims and percent-encoded bytes.
fn is_reg_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    name.split('%').enumerate().all(|(place, part)| {
        let digits = if place == 0 { 0 } else { 2 }; // after a percent sign
        part.as_bytes().split_at_checked(digits).is_some_and(|(hex, rest)| {
            hex.iter().all(u8::is_ascii_hexdigit) && rest.iter().copied().all(is_plain)
        })
    })
}
