//! The server's half of the opening handshake: it checks each item of section 4.2.1 and answers as in
//! section 4.2.2.

use sha1_smol::Sha1;

use super::base64;
use super::fields::{is_token, trim};
use super::http::{Method, Request, Version};
use super::refusal::Refusal;
use super::rules::ensure;

/// The string that is appended to a key (section 1.3). A server that does not implement WebSocket would
/// not append it.
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The accept value of a key (section 4.2.2 item 5.4): SHA-1 of the key as it was sent and the GUID, in
/// base64, 28 characters. The key is not decoded.
pub fn accept(key: &[u8]) -> String {
    base64::encode(&sha1(&concatenation(key)))
}

/// The bytes that are hashed for the accept value: the key and the GUID.
pub fn concatenation(key: &[u8]) -> Vec<u8> {
    [key, GUID.as_bytes()].concat()
}

/// The SHA-1 digest of `bytes`.
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::from(bytes).digest().bytes()
}

/// A handshake that the server answers with 101.
#[derive(Debug)]
pub struct AcceptedHandshake {
    accept: String,
    /// The client expects 100 (Continue) before the 101 (RFC 9110, 7.8).
    expects_continue: bool,
}

impl AcceptedHandshake {
    /// Checks section 4.2.1, and that there is no content. It does not check the value of the origin, which is
    /// a choice of the server. The server has no subprotocols and no extensions: it checks the client's lists and selects
    /// nothing.
    ///
    /// # Errors
    /// The first item that the request does not meet, in the order of the RFC; but the version comes
    /// before the fields that another version might not have.
    pub fn of(request: &Request) -> Result<Self, Refusal> {
        for item in check_all(request) {
            item.result?;
        }
        let key = check_key(request)?; // the same check again, for the key
        let expects_continue = request.fields.has_token("Expect", "100-continue");
        Ok(Self { accept: accept(key), expects_continue })
    }

    /// The response of section 4.2.2 item 5. It has no Content-Length and no content: frames follow.
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

/// The result of an item in a list of the RFC.
#[derive(Debug)]
pub struct Checked<E> {
    /// The section with the item, as in `4.2.1 item 3`; `RFC 9110, 7.8` for a rule of another RFC.
    pub section: &'static str,
    /// The name of the field that the item is about; empty for the first line.
    pub field: &'static str,
    /// The error, if the item is not met.
    pub result: Result<(), E>,
}

/// The items of section 4.2.1 with their results, in the order in which the server checks them; and content,
/// which the server does not accept, because frames follow the head. Two items have no row: item 2, Host,
/// because every HTTP/1.1 [`Request`] has one; and item 10, other fields, which a server may ignore.
#[rustfmt::skip]
pub fn check_all(request: &Request) -> [Checked<Refusal>; 9] {
    let has = |name, token| request.fields.has_token(name, token);
    let origins = request.fields.values("Origin").count(); // at most one (RFC 6454, 7.3)
    let no_content = |has_content: bool| ensure(!has_content, Refusal::Content);
    [
        ("4.2.1 item 1", "",                         check_request_line(request)),
        ("RFC 9110, 7.8", "Content-Length",          request.has_content().and_then(no_content)),
        ("4.2.1 item 3", "Upgrade",                  ensure(has("Upgrade", "websocket"), Refusal::UpgradeMissing)),
        ("4.2.1 item 4", "Connection",               ensure(has("Connection", "Upgrade"), Refusal::ConnectionMissing)),
        ("4.2.1 item 6", "Sec-WebSocket-Version",    check_version(request)),
        ("4.2.1 item 5", "Sec-WebSocket-Key",        check_key(request).map(drop)),
        ("4.2.1 item 7", "Origin",                   ensure(origins < 2, Refusal::OriginRepeated)),
        ("4.2.1 item 8", "Sec-WebSocket-Protocol",   ensure(is_list(request, "Sec-WebSocket-Protocol", is_token), Refusal::ProtocolInvalid)),
        ("4.2.1 item 9", "Sec-WebSocket-Extensions", ensure(is_list(request, "Sec-WebSocket-Extensions", is_extension), Refusal::ExtensionsInvalid)),
    ]
    .map(|(section, field, result)| Checked { section, field, result })
}

/// Item 1: GET, and HTTP/1.1 or later.
fn check_request_line(request: &Request) -> Result<(), Refusal> {
    ensure(request.method == Method::Get, Refusal::OnlyGet)?;
    ensure(request.version != Version::Http10, Refusal::HttpTooOld)
}

/// Item 5: one key (section 11.3.1) of 16 bytes.
fn check_key(request: &Request) -> Result<&[u8], Refusal> {
    let mut keys = request.fields.values("Sec-WebSocket-Key");
    match (keys.next(), keys.next()) {
        (None, _) => Err(Refusal::KeyMissing),
        (Some(_), Some(_)) => Err(Refusal::KeyRepeated),
        (Some(key), None) if is_key(key) => Ok(key),
        (Some(_), None) => Err(Refusal::KeyInvalid),
    }
}

/// Whether `text` is the base64 of 16 bytes (section 4.2.1 item 5).
pub fn is_key(text: &[u8]) -> bool {
    base64::decode(text).is_some_and(|key| key.len() == 16)
}

/// Item 6: one number (section 11.3.5), from 0 to 255 without a leading zero (section 4.3), and 13.
fn check_version(request: &Request) -> Result<(), Refusal> {
    let mut versions = request.fields.values("Sec-WebSocket-Version");
    let is_number = |text| (0..=u8::MAX).any(|number| number.to_string().as_bytes() == text);
    match (versions.next(), versions.next()) {
        (None, _) => Err(Refusal::VersionMissing),
        (Some(b"13"), None) => Ok(()),
        (Some(other), None) if is_number(other) => Err(Refusal::VersionUnsupported),
        (Some(_), _) => Err(Refusal::VersionInvalid),
    }
}

/// Items 8 and 9: if the header is present, it is a list of at least one valid element.
fn is_list(request: &Request, name: &str, is_element: fn(&[u8]) -> bool) -> bool {
    let mut elements = request.fields.elements(name).peekable();
    let is_present = request.fields.values(name).next().is_some();
    !is_present || elements.peek().is_some() && elements.all(is_element)
}

/// Section 9.1. A quoted value must be a token without its quotes, so it has none of the separators, and
/// the parts can be split at them:
///
/// ```text
/// extension       = token *( ";" extension-param )
/// extension-param = token [ "=" ( token | quoted-string ) ]
/// ```
fn is_extension(extension: &[u8]) -> bool {
    let mut parts = extension.split(|byte| *byte == b';').map(trim);
    parts.next().is_some_and(is_token)
        && parts.all(|parameter| match parameter.iter().position(|byte| *byte == b'=') {
            Some(at) => is_token(trim(&parameter[..at])) && is_value(trim(&parameter[at + 1..])),
            None => is_token(parameter),
        })
}

/// A token, or a quoted-string that is a token without its quotes and backslashes.
fn is_value(value: &[u8]) -> bool {
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let Some(quoted) = quoted else { return is_token(value) };
    // A character follows each backslash; a second backslash would not be part of a token.
    let parts: Vec<&[u8]> = quoted.split(|byte| *byte == b'\\').collect();
    parts.iter().skip(1).all(|part| !part.is_empty()) && is_token(&parts.concat())
}

#[cfg(test)]
mod tests {
    use super::super::head::{HeadLimits, HeadParser};
    use super::*;

    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    const VERSION: &str = "Sec-WebSocket-Version: 13";
    /// The fields of a valid request.
    const VALID: [&str; 5] = ["Host: h", "Upgrade: websocket", "Connection: Upgrade", KEY, VERSION];

    fn request(request_line: &str, fields: &[&str]) -> Request {
        let limits = HeadLimits { head_max: 16 * 1024, target_max: 8000, fields_max: 100 };
        let head = format!("{request_line}\r\n{}\r\n\r\n", fields.join("\r\n"));
        HeadParser::new(limits).advance(head.as_bytes()).unwrap().unwrap().0
    }

    fn check(request_line: &str, fields: &[&str]) -> Result<(), Refusal> {
        AcceptedHandshake::of(&request(request_line, fields)).map(drop)
    }

    /// The valid request with other lines in place of those of `name`.
    fn with(name: &str, lines: &[&str]) -> Result<(), Refusal> {
        let name = format!("{name}:");
        let others = VALID.into_iter().filter(|line| !line.starts_with(&name));
        check("GET /chat HTTP/1.1", &others.chain(lines.iter().copied()).collect::<Vec<_>>())
    }

    #[test]
    fn s4_2_2_accept_keys() {
        for (key, expected) in [
            ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), // section 1.3
            ("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
            ("AAECAwQFBgcICQoLDA0ODw==", "Bz3qJYTGdOe8gUSpLosEdiLKDrk="),
            ("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
            ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
            ("AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM="), // not decoded
        ] {
            assert_eq!(accept(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn s4_2_2_the_response() {
        let accepted = AcceptedHandshake::of(&request("GET /chat HTTP/1.1", &VALID)).unwrap();
        let response = "HTTP/1.1 101 Switching Protocols\r\n\
                      Upgrade: websocket\r\n\
                      Connection: Upgrade\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        assert_eq!(accepted.response(), response);

        for (line, expects_continue) in [
            ("Expect: 100-continue", true),
            ("expect: 100-Continue", true),
            ("Expect: x, 100-continue", true),
            ("Expect: 100-continued", false),
            ("Expect: x", false),
            ("Expect:", false),
        ] {
            let fields = [&VALID[..], &[line]].concat();
            let accepted = AcceptedHandshake::of(&request("GET /chat HTTP/1.1", &fields)).unwrap();
            let first = if expects_continue { "HTTP/1.1 100 Continue\r\n\r\n" } else { "" };
            assert_eq!(accepted.response(), format!("{first}{response}"), "{line}");
        }
    }

    #[test]
    fn s4_2_1_order_and_case_of_the_lines_do_not_matter() {
        let mut lines = VALID;
        lines.reverse();
        assert_eq!(check("GET /chat HTTP/1.1", &lines), Ok(()));
        assert_eq!(check("GET http://h/chat HTTP/1.1", &VALID), Ok(()));
        let is_key = |line: &&str| line.starts_with("Sec-WebSocket-Key");
        for case in [str::to_ascii_lowercase, str::to_ascii_uppercase] {
            let others = VALID.iter().filter(|line| !is_key(line)).map(|line| case(line));
            let key = KEY.split_once(": ").map(|(name, key)| format!("{}: {key}", case(name)));
            let lines: Vec<String> = others.chain(key).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(check("GET /chat HTTP/1.1", &lines), Ok(()));
        }
    }

    #[test]
    #[rustfmt::skip]
    fn s4_2_1_items_3_and_4_upgrade_and_connection() {
        for (what, name, lines, result) in [
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
            assert_eq!(with(name, lines), result, "{what} {lines:?}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn s4_2_1_item_5_key() {
        for (what, lines, result) in [
            ("4.2.1-o good", &[KEY][..], Ok(())),
            ("4.2.1-r padded with space", &["Sec-WebSocket-Key:   dGhlIHNhbXBsZSBub25jZQ== \t"], Ok(())),
            ("4.2.1-p pad bits", &["Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC=="], Ok(())),
            ("4.2.1-o missing", &[], Err(Refusal::KeyMissing)),
            ("4.2.1-o empty", &["Sec-WebSocket-Key:"], Err(Refusal::KeyInvalid)),
            ("4.2.1-o 15 bytes", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"], Err(Refusal::KeyInvalid)),
            ("4.2.1-o 17 bytes", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU="], Err(Refusal::KeyInvalid)),
            ("4.2.1-o no padding", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"], Err(Refusal::KeyInvalid)),
            ("4.2.1-o 24 characters outside the alphabet", &["Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="], Err(Refusal::KeyInvalid)),
            ("4.2.1-o URL alphabet", &["Sec-WebSocket-Key: dGhlIHNhbXBs-SBub2_jZQ=="], Err(Refusal::KeyInvalid)),
            ("4.2.1-o inner space", &["Sec-WebSocket-Key: dGhlIHNhbXBs SBub25jZQ=="], Err(Refusal::KeyInvalid)),
            ("4.2.1-o two in one line", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, x"], Err(Refusal::KeyInvalid)),
            ("4.2.1-q twice", &[KEY, KEY], Err(Refusal::KeyRepeated)),
            ("4.2.1-q twice, one empty", &["Sec-WebSocket-Key:", KEY], Err(Refusal::KeyRepeated)),
        ] {
            assert_eq!(with("Sec-WebSocket-Key", lines), result, "{what}");
        }
    }

    #[test]
    fn s4_2_1_item_6_version() {
        for (values, result) in [
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
            assert_eq!(with("Sec-WebSocket-Version", &lines), result, "{values:?}");
        }
    }

    #[test]
    fn s4_2_1_items_7_and_8_origin_and_protocols() {
        for (what, lines, result) in [
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
            assert_eq!(with("Origin", lines), result, "{what} {lines:?}");
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
            let result = with("Origin", &both);
            let is_empty = bad.bytes().all(|byte| b", ".contains(&byte));
            assert_eq!(result.is_ok(), is_empty, "{bad} after a valid line");
        }
    }

    #[test]
    fn s4_2_1_item_1_the_method_and_the_version_of_http() {
        for version in ["HTTP/1.1", "HTTP/1.2", "HTTP/1.9"] {
            assert_eq!(check(&format!("GET /chat {version}"), &VALID), Ok(()), "{version}");
        }
        for (line, refusal) in [
            ("GET /chat HTTP/1.0", Refusal::HttpTooOld),
            ("HEAD /chat HTTP/1.1", Refusal::OnlyGet),
            ("PUT /chat HTTP/1.1", Refusal::OnlyGet),
            ("OPTIONS /chat HTTP/1.0", Refusal::OnlyGet),
        ] {
            assert_eq!(check(line, &VALID), Err(refusal), "{line}");
        }
    }

    #[test]
    fn h_31_no_content_comes_before_the_frames() {
        for (field, result) in [
            ("Content-Length: 000", Ok(())),
            ("Content-Length: 7", Err(Refusal::Content)),
            ("Transfer-Encoding: chunked", Err(Refusal::Content)),
        ] {
            let lines = [&VALID[..], &[field]].concat();
            assert_eq!(check("GET /chat HTTP/1.1", &lines), result, "{field}");
            assert_eq!(check("PATCH /chat HTTP/1.1", &lines), Err(Refusal::OnlyGet), "{field}");
        }
    }

    #[test]
    fn s4_2_1_the_first_item_that_is_not_met_is_reported() {
        // From the request that meets no item to the one that meets all.
        let bad =
            ["Sec-WebSocket-Extensions:", "Sec-WebSocket-Protocol:", "Origin: a\r\nOrigin: b"];
        let mut lines = [&["Host: h"], &bad[..]].concat();
        let mut results = vec![check("GET /chat HTTP/1.0", &lines)];
        results.push(check("GET /chat HTTP/1.1", &lines));
        for line in [VALID[1], VALID[2], VERSION, KEY] {
            lines.insert(0, line);
            results.push(check("GET /chat HTTP/1.1", &lines));
        }
        for _ in 0..3 {
            lines.pop();
            results.push(check("GET /chat HTTP/1.1", &lines));
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
        assert_eq!(results, expected);
    }

    #[test]
    fn s4_2_1_a_key_is_sixteen_bytes() {
        for good in
            ["dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC==", "+/+/+/+/+/+/+/+/+/+/+/=="]
        {
            assert!(is_key(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ",       // no padding
            "dGhlIHNhbXBsZSBub25jZQ=",      // half of it
            "dGhlIHNhbXBsZSBub25j",         // 15 bytes
            "dGhlIHNhbXBsZSBub25jZWU=",     // 17 bytes
            "dGhlIHNhbXBsZSBubw==",         // 13 bytes
            "dGhlIHNhbXBsZSBub25jZSBhZw==", // 19 bytes
            "dGhlIHNhbXBsZSBub25jZ===",     // three pads
            "dGhlIHNhbXBsZSBub2-jZQ==",     // base64url
            "dGhlIHNhbXBsZSBub2_jZQ==",
            "dGhlIHNhbXBs SBub25jZQ==",
            "dGhlIHNhbXBsZSBub25jZQ==\n",
        ] {
            assert!(!is_key(bad.as_bytes()), "{bad}");
        }
    }
}
