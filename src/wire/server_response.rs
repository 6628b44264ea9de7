//! The server's half of the opening handshake as a client reads it, sections 4.1 and 4.2.2.

use super::super::rfc6455::{Requirement, requirement};
use super::base64;
use super::fields::{Fields, is_token, trim};
use super::handshake::{Checked, accept};
use super::http::Request;
use super::lines::Lines;
use super::rules::{ensure, rules};

/// A response head, as far as it is well-formed.
#[derive(Debug, Default)]
pub struct ServerResponse {
    /// The status code; `None` if the first line is not `HTTP/1.1 code reason`.
    pub status: Option<u16>,
    /// The field lines.
    pub fields: Fields,
    /// The lines that are not `name: value`.
    pub malformed: Vec<Vec<u8>>,
}

/// Reads a response head line by line as its bytes arrive. It is lenient: LF ends a line, with or without
/// a CR, and a line that is not a field is kept as malformed.
pub struct ResponseParser {
    lines: Lines,
    /// The response, after its first line was received.
    response: Option<ServerResponse>,
}

impl ResponseParser {
    /// A parser of one head of at most `head_max` bytes.
    pub fn new(head_max: usize) -> Self {
        Self { lines: Lines::lenient(head_max), response: None }
    }

    /// The response at the front of `wire`, with the size of its head in bytes; `None` until the head
    /// is whole.
    ///
    /// `wire` is everything received so far: the bytes of the last call, and more.
    ///
    /// # Errors
    /// [`ResponseError::HeadTooLarge`]. Other errors are in [`ServerResponse::check_all`].
    pub fn advance(
        &mut self,
        wire: &[u8],
    ) -> Result<Option<(ServerResponse, usize)>, ResponseError> {
        let too_large = Err(ResponseError::HeadTooLarge);
        while let Some(line) = self.lines.next(wire, |_| Ok(())).or(too_large)? {
            match &mut self.response {
                None => {
                    let status = status(line);
                    self.response = Some(ServerResponse { status, ..ServerResponse::default() });
                }
                Some(_) if line.is_empty() => {
                    return Ok(self.response.take().zip(Some(self.lines.consumed())));
                }
                Some(response) => {
                    if response.fields.push_line(line).is_none() {
                        response.malformed.push(line.to_vec());
                    }
                }
            }
        }
        Ok(None)
    }
}

/// What a client knows of the handshake that it began.
#[derive(Clone, Debug, Default)]
pub struct ClientOffer {
    /// Its Sec-WebSocket-Key.
    pub key: Option<Vec<u8>>,
    /// The subprotocols that it offered; `None` if they are not known.
    pub protocols: Option<Vec<Vec<u8>>>,
    /// The names of the extensions that it offered; `None` if they are not known.
    pub extensions: Option<Vec<Vec<u8>>>,
}

impl ClientOffer {
    /// The offer in a request.
    pub fn by(request: &Request) -> Self {
        let fields = &request.fields;
        let protocols = fields.elements("Sec-WebSocket-Protocol").map(<[u8]>::to_vec);
        Self {
            key: fields.values("Sec-WebSocket-Key").next().map(<[u8]>::to_vec),
            protocols: Some(protocols.collect()),
            extensions: Some(names(fields.elements("Sec-WebSocket-Extensions"))),
        }
    }
}

/// An error of a response, and the requirement that it breaks.
#[derive(Debug)]
pub struct ResponseRule {
    /// The error.
    pub error: ResponseError,
    /// The requirement in the register.
    pub requirement: &'static Requirement,
    /// What is wrong.
    pub sentence: &'static str,
}

rules! {
    /// What is wrong with a response: the client must fail the connection, or no WebSocket begins.
    enum ResponseError;
    /// Every rule, in the order of [`ResponseError`].
    static RESPONSE_RULES: ResponseRule;

    // error         requirement what is wrong
    /// More bytes than the limit.
    HeadTooLarge     ("10.4-a",   "the response head is too large");
    /// Not a status line of HTTP/1.1.
    StatusLine       ("H-19",     "the status line is not `HTTP/1.1 101 reason`");
    /// A line that is not a field.
    FieldLine        ("H-21",     "a header line is not `name: value`");
    /// A status other than 101.
    Status           ("4.2.2-q",  "the status is not 101: no WebSocket begins");
    /// Upgrade does not name websocket.
    Upgrade          ("4.2.2-r",  "the header `Upgrade: websocket` is missing");
    /// Connection does not have `Upgrade`.
    Connection       ("4.2.2-s",  "the header `Connection: Upgrade` is missing");
    /// No Sec-WebSocket-Accept, or more than one.
    AcceptMissing    ("4.2.2-t",  "there must be one Sec-WebSocket-Accept header");
    /// The accept value is not 20 bytes in base64.
    AcceptInvalid    ("4.2.2-t",  "Sec-WebSocket-Accept is not 20 bytes in base64");
    /// The accept value does not belong to the key.
    AcceptWrong      ("4.2.2-t",  "Sec-WebSocket-Accept is not the value for this key");
    /// A subprotocol that the client did not offer.
    ProtocolUnasked  ("4.2.2-k",  "a subprotocol that the client did not offer");
    /// Two subprotocols, or one that is not a token.
    ProtocolInvalid  ("4.2.2-n",  "there may be one Sec-WebSocket-Protocol, with one name");
    /// An extension that the client did not offer.
    ExtensionUnasked ("4.2.2-p",  "an extension that the client did not offer");
}

impl ResponseRule {
    const fn new(error: ResponseError, id: &str, sentence: &'static str) -> Self {
        Self { error, requirement: requirement(id), sentence }
    }
}

impl ServerResponse {
    /// Every item that section 4.2.2 requires of a response, with its result; section 4.1 repeats the list for
    /// the client. Items 5.5 and 5.6 refer to item 4 for their values.
    #[rustfmt::skip]
    pub fn check_all(&self, offer: &ClientOffer) -> [Checked<ResponseError>; 8] {
        let has = |name, token| self.fields.has_token(name, token);
        [
            ("RFC 9112, 4",    "",                         ensure(self.status.is_some(), ResponseError::StatusLine)),
            ("RFC 9112, 5",    "",                         ensure(self.malformed.is_empty(), ResponseError::FieldLine)),
            ("4.2.2 item 5.1", "",                         ensure(self.status == Some(101), ResponseError::Status)),
            ("4.2.2 item 5.2", "Upgrade",                  ensure(has("Upgrade", "websocket"), ResponseError::Upgrade)),
            ("4.2.2 item 5.3", "Connection",               ensure(has("Connection", "Upgrade"), ResponseError::Connection)),
            ("4.2.2 item 5.4", "Sec-WebSocket-Accept",     self.check_accept(offer)),
            ("4.2.2 item 4",   "Sec-WebSocket-Protocol",   self.check_protocol(offer)),
            ("4.2.2 item 4",   "Sec-WebSocket-Extensions", self.check_extensions(offer)),
        ]
        .map(|(section, field, result)| Checked { section, field, result })
    }

    fn check_accept(&self, offer: &ClientOffer) -> Result<(), ResponseError> {
        let mut values = self.fields.values("Sec-WebSocket-Accept");
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(ResponseError::AcceptMissing);
        };
        let is_digest = base64::decode(value).is_some_and(|digest| digest.len() == 20);
        ensure(is_digest, ResponseError::AcceptInvalid)?;
        let is_expected = |key: &[u8]| accept(key).as_bytes() == value;
        ensure(offer.key.as_deref().is_none_or(is_expected), ResponseError::AcceptWrong)
    }

    fn check_protocol(&self, offer: &ClientOffer) -> Result<(), ResponseError> {
        let mut values = self.fields.values("Sec-WebSocket-Protocol");
        match (values.next(), values.next()) {
            (None, _) => Ok(()),
            (Some(name), None) if is_token(name) => {
                let is_it = |offered: &Vec<Vec<u8>>| offered.iter().any(|one| one == name);
                ensure(offer.protocols.as_ref().is_none_or(is_it), ResponseError::ProtocolUnasked)
            }
            (Some(_), _) => Err(ResponseError::ProtocolInvalid),
        }
    }

    fn check_extensions(&self, offer: &ClientOffer) -> Result<(), ResponseError> {
        let chosen = names(self.fields.elements("Sec-WebSocket-Extensions"));
        let are_all = |offered: &Vec<Vec<u8>>| chosen.iter().all(|one| offered.contains(one));
        ensure(offer.extensions.as_ref().is_none_or(are_all), ResponseError::ExtensionUnasked)
    }
}

/// RFC 9112, 4: `HTTP/1.1 SP 3DIGIT SP reason`; many servers omit the reason and its space.
fn status(line: &[u8]) -> Option<u16> {
    let (code, rest) = line.strip_prefix(b"HTTP/1.1 ")?.split_at_checked(3)?;
    let is_number = code.iter().all(u8::is_ascii_digit);
    let is_end = rest.is_empty() || rest.starts_with(b" ");
    str::from_utf8(code).ok().filter(|_| is_number && is_end)?.parse().ok()
}

/// The name of each extension, without its parameters (section 9.1).
fn names<'a>(elements: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let names = elements.filter_map(|element| element.split(|byte| *byte == b';').next());
    names.map(|name| trim(name).to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: chat\r\n\r\n";

    fn offer() -> ClientOffer {
        ClientOffer {
            key: Some(b"dGhlIHNhbXBsZSBub25jZQ==".to_vec()),
            protocols: Some(vec![b"chat".to_vec(), b"superchat".to_vec()]),
            extensions: Some(vec![b"permessage-deflate".to_vec()]),
        }
    }

    fn read(head: &str) -> ServerResponse {
        let (response, size) = ResponseParser::new(1000).advance(head.as_bytes()).unwrap().unwrap();
        assert_eq!(size, head.find("\n\n").map_or(head.len(), |end| end + 2));
        response
    }

    fn errors(head: &str) -> Vec<ResponseError> {
        let checked = read(head).check_all(&offer());
        checked.into_iter().filter_map(|item| item.result.err()).collect()
    }

    #[test]
    fn s4_1_the_response_of_the_rfc() {
        assert_eq!(errors(VALID), []);
        assert_eq!(errors(&VALID.replace(" Switching Protocols", "")), []);
        let unknown = read(VALID).check_all(&ClientOffer::default());
        assert!(unknown.into_iter().all(|item| item.result.is_ok()));
    }

    #[test]
    #[rustfmt::skip]
    fn s4_1_wrong_responses() {
        for (valid, wrong, error) in [
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
            assert_eq!(errors(&VALID.replace(valid, wrong)), [error], "{wrong}");
        }
        for line in ["HTTP/2 101", "HTTP/1.1 1010 x", "HTTP/1.1 1x1", "http/1.1 101", ""] {
            let head = VALID.replace("HTTP/1.1 101 Switching Protocols", line);
            assert_eq!(errors(&head), [ResponseError::StatusLine, ResponseError::Status], "{line}");
        }
        let agreed = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover";
        assert_eq!(errors(&VALID.replace("Sec-WebSocket-Protocol: chat", agreed)), []);
    }

    #[test]
    fn s4_1_lines_may_end_with_lf() {
        let head = VALID.replace("\r\n", "\n");
        assert_eq!(errors(&head), []);
        let response = read("HTTP/1.1 101\nUpgrade: websocket\r\nx\n\nafter: it\n");
        assert_eq!(response.status, Some(101));
        assert_eq!(response.malformed, [b"x"]);
        assert_eq!(response.fields.count(), 1);
    }

    #[test]
    fn s4_1_a_head_is_read_in_any_cuts() {
        for cut in 0..VALID.len() {
            let mut parser = ResponseParser::new(1000);
            assert!(parser.advance(&VALID.as_bytes()[..cut]).unwrap().is_none(), "cut {cut}");
            let (response, size) = parser.advance(VALID.as_bytes()).unwrap().unwrap();
            assert_eq!((response.status, response.fields.count()), (Some(101), 4), "cut {cut}");
            assert_eq!(size, VALID.len(), "cut {cut}");
        }
    }

    #[test]
    fn s10_4_a_head_on_both_sides_of_its_limit() {
        let read = |limit: usize, wire: &[u8]| {
            ResponseParser::new(limit).advance(wire).map(|found| found.is_some())
        };
        let size = VALID.len();
        let more = [VALID.as_bytes(), &[0; 1000]].concat();
        for limit in [size, size + 1, size + 999] {
            assert_eq!(read(limit, VALID.as_bytes()), Ok(true), "{limit}");
            assert_eq!(read(limit, &more), Ok(true), "{limit}");
        }
        for limit in [0, 1, size / 2, size - 1] {
            assert_eq!(read(limit, VALID.as_bytes()), Err(ResponseError::HeadTooLarge), "{limit}");
            assert_eq!(read(limit + 1, &VALID.as_bytes()[..limit]), Ok(false), "{limit}");
        }
        assert_eq!(read(100, &[b'x'; 100]), Err(ResponseError::HeadTooLarge), "without an end");
    }

    #[test]
    fn every_error_is_in_its_own_row() {
        for ResponseRule { error, .. } in &RESPONSE_RULES {
            assert_eq!(error.rule().error, *error, "the table has the order of the enum");
        }
    }
}
