//! The opening handshake, section 4: a request is held against the list of section 4.2.1, item by
//! item, and answered as in section 4.2.2.

use sha1_smol::Sha1;

use super::base64;
use super::http::{Request, Version, is_token};
use super::refusal::Refusal;

/// Section 1.3: what no server that does not know WebSocket would append to a key.
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Section 4.2.2 item 5.4: SHA-1 of the key as it was sent, followed by the GUID, in base64: 28
/// characters. The key is not decoded.
#[must_use]
pub fn accept(key: &[u8]) -> String {
    base64::encode(&sha1(&concatenation(key)))
}

/// The octets that are hashed for the accept value.
#[must_use]
pub fn concatenation(key: &[u8]) -> Vec<u8> {
    [key, GUID.as_bytes()].concat()
}

/// The hash of the accept value.
#[must_use]
pub fn sha1(octets: &[u8]) -> [u8; 20] {
    Sha1::from(octets).digest().bytes()
}

/// A handshake that can be answered with 101.
#[derive(Debug)]
pub struct AcceptedHandshake {
    accept: String,
    /// RFC 9110, 7.8: who expects 100 (Continue) gets it before the 101.
    expects_continue: bool,
}

impl AcceptedHandshake {
    /// Section 4.2.1, the method and the origin aside, which depend on the resource. No subprotocol
    /// and no extension is spoken here; what a client lists of them is checked and declined.
    ///
    /// # Errors
    /// The first item that the request does not meet, in the order of the RFC but for the version,
    /// which is judged before the fields that another version might not have.
    pub fn of(request: &Request) -> Result<Self, Refusal> {
        for (_, _, check) in REQUIREMENTS {
            check(request)?;
        }
        let key = check_key(request)?;
        let expects_continue = request.has_token("Expect", "100-continue");
        Ok(Self { accept: accept(key), expects_continue })
    }

    /// Section 4.2.2 item 5. Neither Content-Length nor content: frames follow.
    #[must_use]
    pub fn response(&self) -> String {
        let first = if self.expects_continue { "HTTP/1.1 100 Continue\r\n\r\n" } else { "" };
        format!(
            "{first}HTTP/1.1 101 Switching Protocols\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            self.accept
        )
    }
}

/// An item of a list of requirements, the header that it is about, and how it is judged.
type Item = (&'static str, &'static str, fn(&Request) -> Result<(), Refusal>);

/// Section 4.2.1. Item 2, Host, has no row: no [`Request`] is made without one.
#[rustfmt::skip]
const REQUIREMENTS: [Item; 8] = [
    ("4.2.1 item 1", "", check_http),
    ("4.2.1 item 3", "Upgrade", check_upgrade),
    ("4.2.1 item 4", "Connection", check_connection),
    ("4.2.1 item 6", "Sec-WebSocket-Version", check_version),
    ("4.2.1 item 5", "Sec-WebSocket-Key", |request| check_key(request).map(drop)),
    ("4.2.1 item 7", "Origin", check_origin),
    ("4.2.1 item 8", "Sec-WebSocket-Protocol", check_protocols),
    ("4.2.1 item 9", "Sec-WebSocket-Extensions", check_extensions),
];

/// Every item of section 4.2.1, right or wrong: its place in the list, the header that it is about
/// (none: the request line), and the verdict. [`AcceptedHandshake::of`] stops at the first that is wrong.
pub fn check_all(
    request: &Request,
) -> impl Iterator<Item = (&'static str, &'static str, Result<(), Refusal>)> {
    REQUIREMENTS.into_iter().map(|(item, header, check)| (item, header, check(request)))
}

fn check_http(request: &Request) -> Result<(), Refusal> {
    if request.version == Version::Http10 { Err(Refusal::HttpTooOld) } else { Ok(()) }
}

fn check_upgrade(request: &Request) -> Result<(), Refusal> {
    let is_there = request.has_token("Upgrade", "websocket");
    if is_there { Ok(()) } else { Err(Refusal::UpgradeMissing) }
}

fn check_connection(request: &Request) -> Result<(), Refusal> {
    let is_there = request.has_token("Connection", "Upgrade");
    if is_there { Ok(()) } else { Err(Refusal::ConnectionMissing) }
}

/// Item 5: one key (section 11.3.1) of 16 octets.
fn check_key(request: &Request) -> Result<&[u8], Refusal> {
    let mut keys = request.values("Sec-WebSocket-Key");
    match (keys.next(), keys.next()) {
        (None, _) => Err(Refusal::KeyMissing),
        (Some(_), Some(_)) => Err(Refusal::KeyRepeated),
        (Some(key), None) if base64::is_sixteen_octets(key) => Ok(key),
        (Some(_), None) => Err(Refusal::KeyInvalid),
    }
}

/// Item 6: one number (section 11.3.5), from 0 to 255 without a leading zero (section 4.3), and 13.
fn check_version(request: &Request) -> Result<(), Refusal> {
    let mut versions = request.values("Sec-WebSocket-Version");
    match (versions.next(), versions.next()) {
        (None, _) => Err(Refusal::VersionMissing),
        (Some(b"13"), None) => Ok(()),
        (Some(other), None) if is_version(other) => Err(Refusal::VersionUnsupported),
        (Some(_), _) => Err(Refusal::VersionInvalid),
    }
}

fn is_version(text: &[u8]) -> bool {
    match text {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
            str::from_utf8(text).is_ok_and(|text| text.parse::<u8>().is_ok())
        }
        _ => false,
    }
}

/// Item 7: there is one origin or none (RFC 6454, 7.3). Whether it may connect is not for here.
fn check_origin(request: &Request) -> Result<(), Refusal> {
    if 1 < request.values("Origin").count() {
        return Err(Refusal::OriginRepeated);
    }
    Ok(())
}

/// Item 8: if it is there, tokens, and at least one.
fn check_protocols(request: &Request) -> Result<(), Refusal> {
    const NAME: &str = "Sec-WebSocket-Protocol";
    let is_there = request.values(NAME).next().is_some();
    if is_there && request.elements(NAME).next().is_none() || !request.elements(NAME).all(is_token)
    {
        return Err(Refusal::ProtocolInvalid);
    }
    Ok(())
}

/// Item 9: if it is there, the grammar of section 9.1, and at least one extension.
fn check_extensions(request: &Request) -> Result<(), Refusal> {
    let mut lines = request.values("Sec-WebSocket-Extensions").peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    let mut extensions = 0;
    for line in lines {
        extensions += count_extensions(line).ok_or(Refusal::ExtensionsInvalid)?;
    }
    if extensions == 0 { Err(Refusal::ExtensionsInvalid) } else { Ok(()) }
}

/// Section 9.1, with the whitespace that RFC 2616 implied between its parts:
///
/// ```text
/// extension-list  = 1#extension
/// extension       = token *( ";" extension-param )
/// extension-param = token [ "=" ( token | quoted-string ) ]
/// ```
fn count_extensions(line: &[u8]) -> Option<usize> {
    let mut scanner = Scanner(line);
    let mut count = 0;
    loop {
        if scanner.token().is_some() {
            count += 1;
            while scanner.eat(b';') {
                scanner.token()?;
                if scanner.eat(b'=') {
                    scanner.token().is_some().then_some(()).or_else(|| scanner.quoted_token())?;
                }
            }
        }
        match scanner.eat(b',') {
            true => (), // an empty element is skipped (RFC 9110, 5.6.1.2)
            false if scanner.0.is_empty() => return Some(count),
            false => return None,
        }
    }
}

/// What is left of a field value.
struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    fn skip_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    /// The one separator, with the whitespace around it.
    fn eat(&mut self, separator: u8) -> bool {
        self.skip_space();
        match self.0.split_first() {
            Some((octet, rest)) if *octet == separator => self.0 = rest,
            _ => return false,
        }
        self.skip_space();
        true
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        self.skip_space();
        let end = self.0.iter().position(|octet| !is_token(&[*octet])).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    /// A quoted-string whose value must be a token once its quotes and backslashes are gone.
    fn quoted_token(&mut self) -> Option<()> {
        self.0 = self.0.strip_prefix(b"\"")?;
        let mut value = Vec::new();
        loop {
            match self.0 {
                [b'"', rest @ ..] => {
                    self.0 = rest;
                    return is_token(&value).then_some(());
                }
                [b'\\', octet, rest @ ..] | [octet, rest @ ..] => {
                    value.push(*octet);
                    self.0 = rest;
                }
                [] => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::head::{HeadLimits, HeadParser};
    use super::*;

    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    const VERSION: &str = "Sec-WebSocket-Version: 13";
    /// The good request, line by line.
    const GOOD: [&str; 5] = ["Host: h", "Upgrade: websocket", "Connection: Upgrade", KEY, VERSION];

    fn request(request_line: &str, fields: &[&str]) -> Request {
        let limits = HeadLimits { head_max: 16 * 1024, target_max: 8000, fields_max: 100 };
        let head = format!("{request_line}\r\n{}\r\n\r\n", fields.join("\r\n"));
        HeadParser::new(limits).advance(head.as_bytes()).unwrap().unwrap().0
    }

    fn judged(request_line: &str, fields: &[&str]) -> Result<(), Refusal> {
        AcceptedHandshake::of(&request(request_line, fields)).map(drop)
    }

    /// The good request with other lines in place of those of `name`.
    fn with(name: &str, lines: &[&str]) -> Result<(), Refusal> {
        let name = format!("{name}:");
        let others = GOOD.into_iter().filter(|line| !line.starts_with(&name));
        judged("GET /chat HTTP/1.1", &others.chain(lines.iter().copied()).collect::<Vec<_>>())
    }

    #[test]
    fn s4_2_2_accept_keys() {
        for (key, expected) in [
            ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), // section 1.3
            ("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
            ("AAECAwQFBgcICQoLDA0ODw==", "Bz3qJYTGdOe8gUSpLosEdiLKDrk="),
            ("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
            ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
            ("AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM="), // as it was sent
        ] {
            assert_eq!(accept(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn s4_2_2_the_answer() {
        let acceptance = AcceptedHandshake::of(&request("GET /chat HTTP/1.1", &GOOD)).unwrap();
        let answer = "HTTP/1.1 101 Switching Protocols\r\n\
                      Upgrade: websocket\r\n\
                      Connection: Upgrade\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        assert_eq!(acceptance.response(), answer);

        for (line, is_heard) in [
            ("Expect: 100-continue", true),
            ("expect: 100-Continue", true),
            ("Expect: x, 100-continue", true),
            ("Expect: 100-continued", false),
            ("Expect: x", false),
            ("Expect:", false),
        ] {
            let fields = [&GOOD[..], &[line]].concat();
            let acceptance =
                AcceptedHandshake::of(&request("GET /chat HTTP/1.1", &fields)).unwrap();
            let first = if is_heard { "HTTP/1.1 100 Continue\r\n\r\n" } else { "" };
            assert_eq!(acceptance.response(), format!("{first}{answer}"), "{line}");
        }
    }

    #[test]
    fn s4_2_1_order_and_case_of_the_lines_do_not_matter() {
        let mut lines = GOOD;
        lines.reverse();
        assert_eq!(judged("GET /chat HTTP/1.1", &lines), Ok(()));
        assert_eq!(judged("GET http://h/chat HTTP/1.1", &GOOD), Ok(()));
        let is_key = |line: &&str| line.starts_with("Sec-WebSocket-Key");
        for case in [str::to_ascii_lowercase, str::to_ascii_uppercase] {
            let others = GOOD.iter().filter(|line| !is_key(line)).map(|line| case(line));
            let key = KEY.split_once(": ").map(|(name, key)| format!("{}: {key}", case(name)));
            let lines: Vec<String> = others.chain(key).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(judged("GET /chat HTTP/1.1", &lines), Ok(()));
        }
    }

    #[test]
    #[rustfmt::skip]
    fn s4_2_1_items_3_and_4_upgrade_and_connection() {
        for (what, name, lines, verdict) in [
            ("4.2.1-i WebSocket", "Upgrade", &["Upgrade: WebSocket"][..], Ok(())),
            ("4.2.1-i WEBSOCKET", "Upgrade", &["Upgrade: WEBSOCKET"], Ok(())),
            ("4.2.1-j list", "Upgrade", &["Upgrade: h2c, websocket"], Ok(())),
            ("4.2.1-j two lines", "Upgrade", &["Upgrade: h2c", "Upgrade: websocket"], Ok(())),
            ("4.2.1-k missing", "Upgrade", &[], Err(Refusal::UpgradeMissing)),
            ("4.2.1-k empty", "Upgrade", &["Upgrade:"], Err(Refusal::UpgradeMissing)),
            ("4.2.1-k another", "Upgrade", &["Upgrade: h2c"], Err(Refusal::UpgradeMissing)),
            ("4.2.1-l part", "Upgrade", &["Upgrade: xwebsocket"], Err(Refusal::UpgradeMissing)),
            ("4.2.1-l part", "Upgrade", &["Upgrade: websocket2"], Err(Refusal::UpgradeMissing)),
            ("4.2.1-l version", "Upgrade", &["Upgrade: websocket/13"], Err(Refusal::UpgradeMissing)),
            ("4.2.1-l two words", "Upgrade", &["Upgrade: web socket"], Err(Refusal::UpgradeMissing)),
            ("2.1-a Kelvin sign", "Upgrade", &["Upgrade: websoc\u{212a}et"], Err(Refusal::UpgradeMissing)),
            ("2.1-a long s", "Upgrade", &["Upgrade: web\u{17f}ocket"], Err(Refusal::UpgradeMissing)),
            ("4.2.1-m Firefox", "Connection", &["Connection: keep-alive, Upgrade"], Ok(())),
            ("4.2.1-m lower case", "Connection", &["Connection: upgrade"], Ok(())),
            ("4.2.1-m first", "Connection", &["Connection: Upgrade ,keep-alive"], Ok(())),
            ("4.2.1-m two lines", "Connection", &["Connection: keep-alive", "Connection: upgrade"], Ok(())),
            ("4.3-d empty elements", "Connection", &["Connection: ,, upgrade ,"], Ok(())),
            ("H-37 close too", "Connection", &["Connection: close, Upgrade"], Ok(())),
            ("4.2.1-n missing", "Connection", &[], Err(Refusal::ConnectionMissing)),
            ("4.2.1-n empty", "Connection", &["Connection: "], Err(Refusal::ConnectionMissing)),
            ("4.2.1-n another", "Connection", &["Connection: keep-alive"], Err(Refusal::ConnectionMissing)),
            ("4.2.1-n part", "Connection", &["Connection: notupgrade"], Err(Refusal::ConnectionMissing)),
            ("4.2.1-n quoted", "Connection", &["Connection: \"Upgrade\""], Err(Refusal::ConnectionMissing)),
        ] {
            assert_eq!(with(name, lines), verdict, "{what} {lines:?}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn s4_2_1_item_5_key() {
        for (what, lines, verdict) in [
            ("4.2.1-o good", &[KEY][..], Ok(())),
            ("4.2.1-r padded with space", &["Sec-WebSocket-Key:   dGhlIHNhbXBsZSBub25jZQ== \t"], Ok(())),
            ("4.2.1-p pad bits", &["Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC=="], Ok(())),
            ("4.2.1-o missing", &[], Err(Refusal::KeyMissing)),
            ("4.2.1-o empty", &["Sec-WebSocket-Key:"], Err(Refusal::KeyInvalid)),
            ("4.2.1-o 15 octets", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"], Err(Refusal::KeyInvalid)),
            ("4.2.1-o 17 octets", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU="], Err(Refusal::KeyInvalid)),
            ("4.2.1-o no padding", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"], Err(Refusal::KeyInvalid)),
            ("4.2.1-o 24 of no alphabet", &["Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="], Err(Refusal::KeyInvalid)),
            ("4.2.1-o URL alphabet", &["Sec-WebSocket-Key: dGhlIHNhbXBs-SBub2_jZQ=="], Err(Refusal::KeyInvalid)),
            ("4.2.1-o inner space", &["Sec-WebSocket-Key: dGhlIHNhbXBs SBub25jZQ=="], Err(Refusal::KeyInvalid)),
            ("4.2.1-o two in one line", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, x"], Err(Refusal::KeyInvalid)),
            ("4.2.1-q twice", &[KEY, KEY], Err(Refusal::KeyRepeated)),
            ("4.2.1-q twice, one empty", &["Sec-WebSocket-Key:", KEY], Err(Refusal::KeyRepeated)),
        ] {
            assert_eq!(with("Sec-WebSocket-Key", lines), verdict, "{what}");
        }
    }

    #[test]
    fn s4_2_1_item_6_version() {
        for (values, verdict) in [
            (&["13"][..], Ok(())),
            (&[" 13\t"], Ok(())),
            (&[], Err(Refusal::VersionMissing)),
            (&["0"], Err(Refusal::VersionUnsupported)),
            (&["8"], Err(Refusal::VersionUnsupported)),
            (&["9"], Err(Refusal::VersionUnsupported)),
            (&["12"], Err(Refusal::VersionUnsupported)),
            (&["14"], Err(Refusal::VersionUnsupported)),
            (&["25"], Err(Refusal::VersionUnsupported)),
            (&["255"], Err(Refusal::VersionUnsupported)),
            (&["256"], Err(Refusal::VersionInvalid)),
            (&["1000"], Err(Refusal::VersionInvalid)),
            (&[""], Err(Refusal::VersionInvalid)),
            (&["013"], Err(Refusal::VersionInvalid)),
            (&["00"], Err(Refusal::VersionInvalid)),
            (&["+13"], Err(Refusal::VersionInvalid)),
            (&["-13"], Err(Refusal::VersionInvalid)),
            (&["13.0"], Err(Refusal::VersionInvalid)),
            (&["1 3"], Err(Refusal::VersionInvalid)),
            (&["x"], Err(Refusal::VersionInvalid)),
            (&["13, 8"], Err(Refusal::VersionInvalid)),
            (&["13", "13"], Err(Refusal::VersionInvalid)),
            (&["13", "8"], Err(Refusal::VersionInvalid)),
        ] {
            let lines: Vec<String> =
                values.iter().map(|value| format!("Sec-WebSocket-Version: {value}")).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(with("Sec-WebSocket-Version", &lines), verdict, "{values:?}");
        }
    }

    #[test]
    fn s4_2_1_items_7_and_8_origin_and_protocols() {
        for (what, lines, verdict) in [
            ("4.2.1-u no Origin", &[][..], Ok(())),
            ("an Origin", &["Origin: http://anyone.test"], Ok(())),
            ("H-61 two", &["Origin: a", "Origin: a"], Err(Refusal::OriginRepeated)),
            ("4.2.1-v one", &["Sec-WebSocket-Protocol: chat"], Ok(())),
            ("4.2.1-v list", &["Sec-WebSocket-Protocol: a, b\t,c"], Ok(())),
            ("4.3-d empty elements", &["Sec-WebSocket-Protocol: a,, b,"], Ok(())),
            ("4.2.1-y twice", &["Sec-WebSocket-Protocol: a, a"], Ok(())),
            ("11.3.4-a", &["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"], Ok(())),
            ("one empty line", &["Sec-WebSocket-Protocol:", "Sec-WebSocket-Protocol: b"], Ok(())),
            ("space", &["Sec-WebSocket-Protocol: a b"], Err(Refusal::ProtocolInvalid)),
            ("quoted", &["Sec-WebSocket-Protocol: \"a\""], Err(Refusal::ProtocolInvalid)),
            ("separator", &["Sec-WebSocket-Protocol: a;b"], Err(Refusal::ProtocolInvalid)),
            ("second bad", &["Sec-WebSocket-Protocol: a, b/c"], Err(Refusal::ProtocolInvalid)),
            ("not ASCII", &["Sec-WebSocket-Protocol: \u{e9}"], Err(Refusal::ProtocolInvalid)),
            ("empty", &["Sec-WebSocket-Protocol:"], Err(Refusal::ProtocolInvalid)),
            ("comma", &["Sec-WebSocket-Protocol: ,"], Err(Refusal::ProtocolInvalid)),
            (
                "4.2.1-x unknown",
                &["X-Probe: 1", "Cookie: a=b", "Authorization: Basic eA=="],
                Ok(()),
            ),
        ] {
            assert_eq!(with("Origin", lines), verdict, "{what} {lines:?}");
        }
    }

    #[test]
    fn s9_1_extensions() {
        for good in [
            &["permessage-deflate"][..],
            &["permessage-deflate; client_max_window_bits"],
            &["permessage-deflate ; client_max_window_bits = 10"], // 4.3-c
            &["permessage-deflate;client_max_window_bits=\"10\""], // 4.3-b
            &["x; a=\"1\\0\""],
            &["a, b; c=d; e, f"],
            &["a;b=c;b=c,a;b=c"],
            &[",, a ,\t, b ,"], // 4.3-d
            &["a", "b; c"],
            &["", "a"],
        ] {
            let lines: Vec<String> =
                good.iter().map(|value| format!("Sec-WebSocket-Extensions: {value}")).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(with("Origin", &lines), Ok(()), "{good:?}");
        }
        for bad in [
            "",
            ",",
            ", ,",
            ";",
            ";;=",
            "a;",
            "a; ;b",
            "a; =1",
            "x; b=",
            "a b",
            "a; b c",
            "a=b",
            "a; b==c",
            "a; b=c=d",
            "a; b=\"",
            "a; b=\"\"",
            "a; b=\"c",
            "a; b=\"c\\",
            "a; b=\"c\\\"",
            "a; b=\"c d\"",
            "a; b=\"c,d\"",
            "a; b=\"c\"d",
            "a; b=c\"d\"",
            "\"a\"",
            "a, ;b",
            "a/b",
            "\u{e9}",
            "a; b=\u{e9}",
            "a; b=\"\u{e9}\"",
            "a b, c",
            "a; b='c d'",
        ] {
            let line = format!("Sec-WebSocket-Extensions: {bad}");
            assert_eq!(with("Origin", &[&line]), Err(Refusal::ExtensionsInvalid), "{bad}");
            let both = ["Sec-WebSocket-Extensions: good", &line];
            let verdict = with("Origin", &both);
            let is_empty = bad.bytes().all(|octet| b", ".contains(&octet));
            assert_eq!(verdict.is_ok(), is_empty, "{bad} behind a good line");
        }
    }

    #[test]
    fn s4_2_1_item_1_the_version_of_http() {
        for version in ["HTTP/1.1", "HTTP/1.2", "HTTP/1.9"] {
            assert_eq!(judged(&format!("GET /chat {version}"), &GOOD), Ok(()), "{version}");
        }
        assert_eq!(judged("GET /chat HTTP/1.0", &GOOD), Err(Refusal::HttpTooOld));
    }

    #[test]
    fn s4_2_1_the_first_item_that_is_not_met_is_named() {
        // From the request that lacks all to the one that lacks nothing.
        let bad =
            ["Sec-WebSocket-Extensions:", "Sec-WebSocket-Protocol:", "Origin: a\r\nOrigin: b"];
        let mut lines = [&["Host: h"], &bad[..]].concat();
        let mut verdicts = vec![judged("GET /chat HTTP/1.0", &lines)];
        verdicts.push(judged("GET /chat HTTP/1.1", &lines));
        for line in [GOOD[1], GOOD[2], VERSION, KEY] {
            lines.insert(0, line);
            verdicts.push(judged("GET /chat HTTP/1.1", &lines));
        }
        for _ in 0..3 {
            lines.pop();
            verdicts.push(judged("GET /chat HTTP/1.1", &lines));
        }
        let refusals = [
            Refusal::HttpTooOld,
            Refusal::UpgradeMissing,
            Refusal::ConnectionMissing,
            Refusal::VersionMissing,
            Refusal::KeyMissing,
            Refusal::OriginRepeated,
            Refusal::ProtocolInvalid,
            Refusal::ExtensionsInvalid,
        ];
        let expected: Vec<Result<(), Refusal>> =
            refusals.into_iter().map(Err).chain([Ok(())]).collect();
        assert_eq!(verdicts, expected);
    }
}
