//! Which web pages may connect (section 10.2). Only a browser sends a trustworthy Origin, and the check
//! protects only a browser's user: any other client can send any Origin (section 10.1).

/// Whether a page of `origin` may connect. A client without an Origin is not a browser and may connect.
///
/// `host` is the authority of the request, in lower case. A page of the same host may connect. On a `local`
/// connection, one over loopback, that host must also be a loopback name, because a foreign site could let
/// its own name resolve to 127.0.0.1. Other origins must be among `allowed`.
pub fn may_connect(origin: Option<&[u8]>, host: &str, local: bool, allowed: &[String]) -> bool {
    let Some(origin) = origin else { return true };
    let Ok(origin) = str::from_utf8(origin).map(str::to_ascii_lowercase) else { return false };
    if allowed.iter().any(|one| one == "*" || *one == origin) {
        return true;
    }
    let same_host = match origin.split_once("://") {
        Some(("http", authority)) => is_same(authority, host, ":80"),
        Some(("https", authority)) => is_same(authority, host, ":443"),
        Some(_) | None => false,
    };
    same_host && (!local || is_loopback_name(host))
}

/// Whether two authorities are the same. Each may have the scheme's default port or leave it out.
fn is_same(authority: &str, host: &str, default_port: &str) -> bool {
    let plain = |name: &str| name.strip_suffix(default_port).unwrap_or(name).to_owned();
    !host.is_empty() && plain(authority) == plain(host)
}

/// Whether `host` is a loopback name: localhost (RFC 6761, 6.3), 127.0.0.0/8 or `[::1]`, with any port.
pub fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.trim_end_matches('.');
    let is_address = |name: &str| name.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback());
    name == "localhost" || name.ends_with(".localhost") || name == "[::1]" || is_address(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: bool = true;

    fn allowed(origin: &str, host: &str, local: bool, list: &[&str]) -> bool {
        let list: Vec<String> = list.iter().map(|one| (*one).to_owned()).collect();
        may_connect(Some(origin.as_bytes()), host, local, &list)
    }

    #[test]
    fn s10_2_without_an_origin_a_client_may_connect() {
        assert!(may_connect(None, "evil.test:1984", LOOPBACK, &[]));
    }

    #[test]
    fn s10_2_over_loopback_the_host_must_be_a_loopback_name() {
        for (origin, host, verdict) in [
            ("http://localhost:1984", "localhost:1984", true),
            ("HTTP://LOCALHOST:1984", "localhost:1984", true),
            ("http://127.0.0.1:1984", "127.0.0.1:1984", true),
            ("http://127.8.0.1", "127.8.0.1:80", true),
            ("http://[::1]:1984", "[::1]:1984", true),
            ("http://chat.localhost:1984", "chat.localhost:1984", true),
            ("https://localhost", "localhost:443", true),
            ("http://localhost:1985", "localhost:1984", false), // another port, another site
            ("http://evil.test:1984", "evil.test:1984", false), // DNS rebinding
            ("http://localhost.evil.test:1984", "localhost.evil.test:1984", false),
            ("http://127.0.0.1.evil.test", "127.0.0.1.evil.test", false),
            ("http://notlocalhost:1984", "notlocalhost:1984", false),
            ("http://evil-localhost", "evil-localhost", false),
            ("http://evil.test", "localhost:1984", false),
            ("null", "localhost:1984", false),
            ("", "", false),
            ("http://", "", false),
            ("file://localhost:1984", "localhost:1984", false),
        ] {
            assert_eq!(allowed(origin, host, LOOPBACK, &[]), verdict, "{origin} {host}");
        }
    }

    #[test]
    fn s10_2_over_the_network_the_same_host_is_enough() {
        assert!(allowed("http://chat.example:1984", "chat.example:1984", !LOOPBACK, &[]));
        assert!(!allowed("http://evil.test:1984", "chat.example:1984", !LOOPBACK, &[]));
    }

    #[test]
    fn s10_2_other_origins_must_be_listed() {
        let list = ["https://chat.example", "null"];
        assert!(allowed("https://chat.example", "chat.example", LOOPBACK, &list));
        assert!(allowed("HTTPS://Chat.Example", "chat.example", LOOPBACK, &list));
        assert!(allowed("null", "localhost:1984", LOOPBACK, &list));
        assert!(!allowed("https://chat.example.evil.test", "x", LOOPBACK, &list));
        assert!(allowed("https://anyone.test", "x", LOOPBACK, &["*"]));
    }
}
