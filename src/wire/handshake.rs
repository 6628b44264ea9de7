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
    let mut digest = Sha1::new();
    digest.update(key);
    digest.update(GUID.as_bytes());
    base64::encode(&digest.digest().bytes())
}

/// A handshake that can be answered with 101.
#[derive(Debug)]
pub struct Acceptance {
    accept: String,
    /// RFC 9110, 7.8: who expects 100 (Continue) gets it before the 101.
    expects_continue: bool,
}

impl Acceptance {
    /// Section 4.2.1, the method and the origin aside, which depend on the resource. No subprotocol
    /// and no extension is spoken here; what a client lists of them is checked and declined.
    ///
    /// # Errors
    /// The first item that the request does not meet, in the order of the RFC but for the version,
    /// which is judged before the fields that another version might not have.
    pub fn of(request: &Request) -> Result<Self, Refusal> {
        if request.version == Version::Http10 {
            return Err(Refusal::HttpTooOld); // item 1
        }
        // item 2, Host: no request comes here without one
        if !request.has_token("Upgrade", "websocket") {
            return Err(Refusal::UpgradeMissing); // item 3
        }
        if !request.has_token("Connection", "Upgrade") {
            return Err(Refusal::ConnectionMissing); // item 4
        }
        check_version(request)?; // item 6
        let key = check_key(request)?; // item 5
        check_origin(request)?; // item 7
        check_protocols(request)?; // item 8
        check_extensions(request)?; // item 9
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
