//! The server's half of the opening handshake as a client reads it, sections 4.1 and 4.2.2.

use super::base64;
use super::handshake::accept;
use super::http::{Field, Request, is_token, trim};

/// A response head, as far as it can be read.
#[derive(Debug)]
pub struct ServerResponse {
    /// The status line without its end.
    pub status_line: Vec<u8>,
    /// The status code; none if the line is not `HTTP/1.1 code reason`.
    pub status: Option<u16>,
    fields: Vec<Field>,
    /// Lines that are no `name: value`.
    pub broken: Vec<Vec<u8>>,
}

/// What a client knows of the handshake that it began.
#[derive(Clone, Debug, Default)]
pub struct ClientOffer {
    /// Its Sec-WebSocket-Key.
    pub key: Option<Vec<u8>>,
    /// The subprotocols that it listed; none if that is not known.
    pub protocols: Option<Vec<Vec<u8>>>,
    /// The names of the extensions that it listed.
    pub extensions: Option<Vec<Vec<u8>>>,
}

impl ClientOffer {
    /// What a request asks for.
    #[must_use]
    pub fn by(request: &Request) -> Self {
        let list = |name| request.elements(name).map(<[u8]>::to_vec).collect();
        Self {
            key: request.values("Sec-WebSocket-Key").next().map(<[u8]>::to_vec),
            protocols: Some(list("Sec-WebSocket-Protocol")),
            extensions: Some(names(request.elements("Sec-WebSocket-Extensions"))),
        }
    }
}

/// What is wrong with a response: the client must fail the connection, or it is no WebSocket at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// No status line of HTTP/1.1.
    StatusLine,
    /// A line that is no field.
    FieldLine,
    /// Another status than 101.
    Status,
    /// No Upgrade, or not to websocket.
    Upgrade,
    /// No `Upgrade` in Connection.
    Connection,
    /// No Sec-WebSocket-Accept, or two.
    AcceptMissing,
    /// Not 20 octets in base64.
    AcceptInvalid,
    /// Not the value that the key makes.
    AcceptWrong,
    /// Two subprotocols, or one that is no token.
    ProtocolInvalid,
    /// A subprotocol that was not asked for.
    ProtocolUnasked,
    /// An extension that was not asked for.
    ExtensionUnasked,
}

impl ResponseError {
    /// The section, and the sentence.
    #[must_use]
    #[rustfmt::skip]
    pub fn verdict(self) -> (&'static str, &'static str) {
        match self {
            Self::StatusLine       => ("RFC 9112, 4", "the status line is not `HTTP/1.1 101 reason`"),
            Self::FieldLine        => ("RFC 9112, 5", "a header line is not `name: value`"),
            Self::Status           => ("4.1 item 1", "the status is not 101: no WebSocket begins"),
            Self::Upgrade          => ("4.1 item 2", "the header `Upgrade: websocket` is missing"),
            Self::Connection       => ("4.1 item 3", "the header `Connection: Upgrade` is missing"),
            Self::AcceptMissing    => ("4.1 item 4", "there must be one Sec-WebSocket-Accept header"),
            Self::AcceptInvalid    => ("4.1 item 4", "Sec-WebSocket-Accept is not 20 octets in base64"),
            Self::AcceptWrong      => ("4.1 item 4", "Sec-WebSocket-Accept is not what the key makes"),
            Self::ProtocolInvalid  => ("11.3.4", "there may be one Sec-WebSocket-Protocol, with one name"),
            Self::ProtocolUnasked  => ("4.1 item 6", "a subprotocol that the client did not list"),
            Self::ExtensionUnasked => ("4.1 item 5", "an extension that the client did not list"),
        }
    }
}

impl ServerResponse {
    /// Reads a response head line by line; what is wrong with a line is kept for the review.
    #[must_use]
    pub fn parse(head: &[u8]) -> Self {
        let lines = head.split(|octet| *octet == b'\n');
        let mut lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let status_line = lines.next().unwrap_or_default().to_vec();
        let mut answer =
            Self { status: status(&status_line), status_line, fields: vec![], broken: vec![] };
        for line in lines.filter(|line| !line.is_empty()) {
            match Field::parse(line) {
                Ok(field) => answer.fields.push(field),
                Err(_) => answer.broken.push(line.to_vec()),
            }
        }
        answer
    }

    /// Every field line: its name and its value.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| (field.name.as_str(), field.value.as_slice()))
    }

    /// The list of section 4.1, as the server is told it in section 4.2.2 item 5: the header that an
    /// item is about (none: the status line), and the verdict.
    pub fn check_all(
        &self,
        asked: &ClientOffer,
    ) -> [(&'static str, &'static str, Result<(), ResponseError>); 8] {
        let when = |is_right: bool, fault| if is_right { Ok(()) } else { Err(fault) };
        let has = |name: &str, token: &str| {
            self.elements(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
        };
        [
            ("RFC 9112, 4", "", when(self.status.is_some(), ResponseError::StatusLine)),
            ("RFC 9112, 5", "", when(self.broken.is_empty(), ResponseError::FieldLine)),
            ("4.2.2 item 5.1", "", when(self.status == Some(101), ResponseError::Status)),
            (
                "4.2.2 item 5.2",
                "Upgrade",
                when(has("Upgrade", "websocket"), ResponseError::Upgrade),
            ),
            (
                "4.2.2 item 5.3",
                "Connection",
                when(has("Connection", "Upgrade"), ResponseError::Connection),
            ),
            ("4.2.2 item 5.4", "Sec-WebSocket-Accept", self.check_accept(asked)),
            ("4.2.2 item 5.5", "Sec-WebSocket-Protocol", self.check_protocol(asked)),
            ("4.2.2 item 5.6", "Sec-WebSocket-Extensions", self.check_extensions(asked)),
        ]
    }

    /// The values of every line of that name, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let split = |value| <[u8]>::split(value, |octet| *octet == b',');
        self.values(name).flat_map(split).map(trim).filter(|element| !element.is_empty())
    }

    fn check_accept(&self, asked: &ClientOffer) -> Result<(), ResponseError> {
        let mut values = self.values("Sec-WebSocket-Accept");
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(ResponseError::AcceptMissing);
        };
        match &asked.key {
            Some(key) if value == accept(key).as_bytes() => Ok(()),
            _ if !base64::is_twenty_octets(value) => Err(ResponseError::AcceptInvalid),
            Some(_) => Err(ResponseError::AcceptWrong),
            None => Ok(()),
        }
    }

    fn check_protocol(&self, asked: &ClientOffer) -> Result<(), ResponseError> {
        let mut values = self.values("Sec-WebSocket-Protocol");
        match (values.next(), values.next(), &asked.protocols) {
            (None, ..) => Ok(()),
            (Some(name), None, listed) if is_token(name) => match listed {
                Some(listed) if !listed.iter().any(|one| one == name) => {
                    Err(ResponseError::ProtocolUnasked)
                }
                _ => Ok(()),
            },
            (Some(_), ..) => Err(ResponseError::ProtocolInvalid),
        }
    }

    fn check_extensions(&self, asked: &ClientOffer) -> Result<(), ResponseError> {
        let chosen = names(self.elements("Sec-WebSocket-Extensions"));
        match &asked.extensions {
            Some(listed) if chosen.iter().any(|one| !listed.contains(one)) => {
                Err(ResponseError::ExtensionUnasked)
            }
            _ => Ok(()),
        }
    }
}

/// RFC 9112, 4: `HTTP/1.1 SP 3DIGIT SP reason`; the reason and its space are often left away.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.1 ")?;
    let (code, rest) = rest.split_at_checked(3)?;
    let is_end = rest.first().is_none_or(|octet| *octet == b' ');
    let is_number = is_end && code.iter().all(u8::is_ascii_digit);
    str::from_utf8(code).ok().filter(|_| is_number)?.parse().ok()
}

/// The name of each extension, without its parameters (section 9.1).
fn names<'a>(elements: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let name = |element: &[u8]| {
        trim(element.split(|octet| *octet == b';').next().unwrap_or_default()).to_vec()
    };
    elements.map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: chat\r\n\r\n";

    fn asked() -> ClientOffer {
        ClientOffer {
            key: Some(b"dGhlIHNhbXBsZSBub25jZQ==".to_vec()),
            protocols: Some(vec![b"chat".to_vec(), b"superchat".to_vec()]),
            extensions: Some(vec![b"permessage-deflate".to_vec()]),
        }
    }

    fn faults(head: &str) -> Vec<ResponseError> {
        let review = ServerResponse::parse(head.as_bytes()).check_all(&asked());
        review.into_iter().filter_map(|(_, _, verdict)| verdict.err()).collect()
    }

    #[test]
    fn s4_1_the_response_of_the_rfc() {
        assert_eq!(faults(RIGHT), []);
        assert_eq!(faults(&RIGHT.replace(" Switching Protocols", "")), []);
        let unknown = ServerResponse::parse(RIGHT.as_bytes()).check_all(&ClientOffer::default());
        assert!(unknown.into_iter().all(|(_, _, verdict)| verdict.is_ok()));
    }

    #[test]
    #[rustfmt::skip]
    fn s4_1_wrong_responses() {
        for (right, wrong, fault) in [
            ("HTTP/1.1 101 Switching Protocols", "HTTP/1.1 200 OK", ResponseError::Status),
            ("Upgrade: websocket", "Upgrade: web", ResponseError::Upgrade),
            ("keep-alive, Upgrade", "keep-alive", ResponseError::Connection),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", ResponseError::AcceptInvalid),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", ResponseError::AcceptWrong),
            ("Sec-WebSocket-Accept", "Sec-WebSocket-Key", ResponseError::AcceptMissing),
            ("Protocol: chat", "Protocol: Chat", ResponseError::ProtocolUnasked),
            ("Protocol: chat", "Protocol: chat, superchat", ResponseError::ProtocolInvalid),
            ("Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: x; a=1", ResponseError::ExtensionUnasked),
            ("Sec-WebSocket-Protocol: chat", "no field", ResponseError::FieldLine),
        ] {
            assert_eq!(faults(&RIGHT.replace(right, wrong)), [fault], "{wrong}");
        }
        for line in ["HTTP/2 101", "HTTP/1.1 1010 x", "HTTP/1.1 1x1", "http/1.1 101", ""] {
            let head = RIGHT.replace("HTTP/1.1 101 Switching Protocols", line);
            assert_eq!(faults(&head), [ResponseError::StatusLine, ResponseError::Status], "{line}");
        }
        let agreed = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover";
        assert_eq!(faults(&RIGHT.replace("Sec-WebSocket-Protocol: chat", agreed)), []);
    }
}
