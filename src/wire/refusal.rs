//! Every reason not to answer a request with 101, in one table. Before the 101 an error is an HTTP
//! status; after it, a close code (`close.rs`).
//!
//! Where the RFCs leave a choice, or disagree, this is ours:
//!
//! | question | choice | why |
//! |---|---|---|
//! | section 10.7: must a bad request be answered? | always | a sentence teaches, silence does not |
//! | and what then? | `Connection: close`, in stages | nothing behind it can be smuggled in |
//! | section 4.2.1 item 3: may Upgrade be a list? | yes, in one line or several | RFC 9110, 7.8 makes it one |
//! | no Upgrade or Connection on `/chat`: 400, or 426 as in RFC 9110? | 400 | 426 says that a version is wrong; this server keeps it for that |
//! | no version, or none that is a number: 400 or 426? | 400, and the version we speak | nothing was asked for that another version could be |
//! | must the key be decoded? | 24 characters of base64 with two pads | that is 16 octets, whatever its stray bits are: the RFC's own example has some |
//! | section 4.2.1 item 8: one subprotocol twice? | accepted | the client's mistake hurts nobody; none is chosen |
//! | section 9.1: extensions that break the grammar, of which none is used? | 400 | the section says so |
//! | section 8.1: must field values be UTF-8? | they are octets | what we read of them is ASCII by its grammar |
//! | folded lines, which RFC 2616 allowed? | 400 | RFC 9112, 5.2 |
//! | a body on an upgrade? | 400, or 501 in an unknown coding (RFC 9112, 6.1) | read as frames it would be a way in |
//! | `Expect: 100-continue` on an upgrade? | 100, then 101 | RFC 9110, 7.8 |
//! | several defects at once? | the first in the order of `server/http.rs` | no order is given |

use super::response::Response;

/// Why a request does not get what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not `method SP target SP HTTP/1.x`.
    RequestLine,
    /// A target that is no path and no http URI, or holds octets that no URI has.
    Target,
    /// A target of more octets than we read.
    TargetTooLong,
    /// A method that is not registered.
    MethodUnknown,
    /// HTTP/2.0 or another major version in this syntax.
    HttpMajorVersion,
    /// A line ended by LF without CR.
    BareLf,
    /// CR without LF.
    BareCr,
    /// NUL or another control octet.
    ControlOctet,
    /// A line that goes on in the next.
    Folded,
    /// No colon, or a name that is no token.
    FieldLine,
    /// More field lines than we read.
    TooManyFields,
    /// More octets than we read.
    HeadTooLarge,
    /// HTTP/1.1 without Host.
    HostMissing,
    /// Host more than once.
    HostRepeated,
    /// Host that is no authority.
    HostInvalid,
    /// Content-Length that is no number, or there twice.
    ContentLength,
    /// Transfer-Encoding whose end nobody could find.
    ContentFraming,
    /// A transfer coding beside chunked.
    TransferCoding,
    /// Content, where none is taken.
    Content,
    /// No such resource.
    NotFound,
    /// A resource that has GET alone.
    OnlyGet,
    /// A resource that has GET and HEAD.
    OnlyGetOrHead,
    /// HTTP/1.0, in which Upgrade has no meaning.
    HttpTooOld,
    /// No Upgrade to websocket.
    UpgradeMissing,
    /// No `Upgrade` in Connection.
    ConnectionMissing,
    /// No Sec-WebSocket-Version.
    VersionMissing,
    /// Not one number from 0 to 255.
    VersionInvalid,
    /// A version that we do not speak.
    VersionUnsupported,
    /// No Sec-WebSocket-Key.
    KeyMissing,
    /// Sec-WebSocket-Key more than once.
    KeyRepeated,
    /// Not 16 octets in base64.
    KeyInvalid,
    /// Sec-WebSocket-Protocol is no list of tokens.
    ProtocolInvalid,
    /// Sec-WebSocket-Extensions breaks its grammar.
    ExtensionsInvalid,
    /// Origin more than once.
    OriginRepeated,
    /// A page of another site.
    OriginForbidden,
    /// Somebody who may not look at the wire of all.
    WireHidden,
    /// The head took too long.
    Timeout,
    /// No place left.
    Full,
    /// The server stops.
    Stopping,
}

impl Refusal {
    /// The status we answer with, the rule that was broken (of RFC 6455 where no other is named),
    /// and the sentence we send.
    #[must_use]
    #[rustfmt::skip]
    pub fn verdict(self) -> (&'static str, &'static str, &'static str) {
        const BAD: &str = "400 Bad Request";
        match self {
            Self::RequestLine        => (BAD, "RFC 9112, 3", "the request line is not `GET /path HTTP/1.1`"),
            Self::Target             => (BAD, "RFC 9112, 3.2", "the request target is not a path"),
            Self::TargetTooLong      => ("414 URI Too Long", "RFC 9112, 3", "the request target is too long"),
            Self::MethodUnknown      => ("501 Not Implemented", "RFC 9110, 9.1", "this method is not implemented"),
            Self::HttpMajorVersion   => ("505 HTTP Version Not Supported", "RFC 9110, 2.5", "this server speaks HTTP/1.1"),
            Self::BareLf             => (BAD, "RFC 9112, 2.2", "a line of the request head must end with CR LF"),
            Self::BareCr             => (BAD, "RFC 9112, 2.2", "CR without LF in the request head"),
            Self::ControlOctet       => (BAD, "RFC 9110, 5.5", "control character in the request head"),
            Self::Folded             => (BAD, "RFC 9112, 5.2", "folded header line"),
            Self::FieldLine          => (BAD, "RFC 9112, 5", "a header line is not `name: value`"),
            Self::TooManyFields      => ("431 Request Header Fields Too Large", "RFC 6585, 5", "too many header lines"),
            Self::HeadTooLarge       => ("431 Request Header Fields Too Large", "RFC 6585, 5", "the request head is too large"),
            Self::HostMissing        => (BAD, "RFC 9112, 3.2", "the Host header is missing"),
            Self::HostRepeated       => (BAD, "RFC 9112, 3.2", "more than one Host header"),
            Self::HostInvalid        => (BAD, "RFC 9112, 3.2", "the Host header is not `host` or `host:port`"),
            Self::ContentLength      => (BAD, "RFC 9112, 6.3", "invalid Content-Length"),
            Self::ContentFraming     => (BAD, "RFC 9112, 6.3", "ambiguous message framing"),
            Self::TransferCoding     => ("501 Not Implemented", "RFC 9112, 6.1", "unknown transfer coding"),
            Self::Content            => (BAD, "RFC 9110, 9.3.1", "a request here has no body"),
            Self::NotFound           => ("404 Not Found", "4.2.2 item 4", "there is nothing here; the chat is at /chat"),
            Self::OnlyGet            => ("405 Method Not Allowed", "4.2.1 item 1", "only GET is allowed here"),
            Self::OnlyGetOrHead      => ("405 Method Not Allowed", "RFC 9110, 15.5.6", "only GET and HEAD are allowed here"),
            Self::HttpTooOld         => (BAD, "4.2.1 item 1", "a WebSocket needs HTTP/1.1"),
            Self::UpgradeMissing     => (BAD, "4.2.1 item 3", "this is a WebSocket: the header `Upgrade: websocket` is missing"),
            Self::ConnectionMissing  => (BAD, "4.2.1 item 4", "the header `Connection: Upgrade` is missing"),
            Self::KeyMissing         => (BAD, "4.2.1 item 5", "the Sec-WebSocket-Key header is missing"),
            Self::KeyRepeated        => (BAD, "11.3.1", "more than one Sec-WebSocket-Key header"),
            Self::KeyInvalid         => (BAD, "4.2.1 item 5", "Sec-WebSocket-Key is not 16 octets in base64"),
            Self::VersionMissing     => (BAD, "4.2.1 item 6", "the header `Sec-WebSocket-Version: 13` is missing"),
            Self::VersionInvalid     => (BAD, "4.2.1 item 6", "Sec-WebSocket-Version is not one number from 0 to 255"),
            Self::VersionUnsupported => ("426 Upgrade Required", "4.2.2 item 4", "this server speaks WebSocket version 13"),
            Self::OriginRepeated     => (BAD, "RFC 6454, 7.3", "more than one Origin header"),
            Self::OriginForbidden    => ("403 Forbidden", "4.2.2 item 4", "pages of this origin may not connect here"),
            Self::WireHidden         => ("403 Forbidden", "4.2.2 item 4", "the wire is shown on the server's own machine alone"),
            Self::ProtocolInvalid    => (BAD, "4.2.1 item 8", "Sec-WebSocket-Protocol is not a list of names"),
            Self::ExtensionsInvalid  => (BAD, "9.1", "Sec-WebSocket-Extensions is not a list of extensions"),
            Self::Timeout            => ("408 Request Timeout", "RFC 9110, 15.5.9", "the request head took too long"),
            Self::Full               => ("503 Service Unavailable", "10.4", "the server is full, try again later"),
            Self::Stopping           => ("503 Service Unavailable", "RFC 9110, 15.6.4", "the server is shutting down"),
        }
    }

    /// The status as a number.
    #[must_use]
    pub fn code(self) -> u16 {
        let (status, ..) = self.verdict();
        status.bytes().take(3).fold(0, |code, digit| 10 * code + u16::from(digit - b'0'))
    }

    /// The answer, the last one on its connection.
    #[must_use]
    pub fn response(self) -> Response {
        let (status, section, sentence) = self.verdict();
        let rule = if section.starts_with("RFC") { "" } else { "RFC 6455, " };
        // RFC 9110, 15.5.22 and 7.8: a 426 names the protocol to upgrade to.
        let connection = if self == Self::VersionUnsupported { "Upgrade, close" } else { "close" };
        let mut fields = vec![
            ("Connection", connection.to_owned()),
            ("Content-Type", "text/plain; charset=utf-8".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ];
        let own = ADVICE.iter().filter(|(refusal, ..)| *refusal == self);
        fields.extend(own.map(|(_, name, value)| (*name, (*value).to_owned())));
        Response { status, fields, content: format!("{sentence} ({rule}{section})\n").into() }
    }
}

/// The fields that tell a client what would have been right.
#[rustfmt::skip]
const ADVICE: &[(Refusal, &str, &str)] = &[
    (Refusal::OnlyGet,            "Allow", "GET"),
    (Refusal::OnlyGetOrHead,      "Allow", "GET, HEAD"),
    (Refusal::VersionMissing,     "Sec-WebSocket-Version", "13"),
    (Refusal::VersionInvalid,     "Sec-WebSocket-Version", "13"),
    (Refusal::VersionUnsupported, "Sec-WebSocket-Version", "13"),
    (Refusal::VersionUnsupported, "Upgrade", "websocket"),
    (Refusal::Full,               "Retry-After", "10"),
    (Refusal::Stopping,           "Retry-After", "10"),
];

#[cfg(test)]
pub(crate) mod tests {
    use super::super::http::Method;
    use super::*;

    /// All of them, in the order of their declaration.
    #[rustfmt::skip]
    pub(crate) const ALL: [Refusal; 39] = [
        Refusal::RequestLine, Refusal::Target, Refusal::TargetTooLong, Refusal::MethodUnknown,
        Refusal::HttpMajorVersion, Refusal::BareLf, Refusal::BareCr, Refusal::ControlOctet,
        Refusal::Folded, Refusal::FieldLine, Refusal::TooManyFields, Refusal::HeadTooLarge,
        Refusal::HostMissing, Refusal::HostRepeated, Refusal::HostInvalid, Refusal::ContentLength,
        Refusal::ContentFraming, Refusal::TransferCoding, Refusal::Content, Refusal::NotFound,
        Refusal::OnlyGet, Refusal::OnlyGetOrHead, Refusal::HttpTooOld, Refusal::UpgradeMissing,
        Refusal::ConnectionMissing, Refusal::VersionMissing, Refusal::VersionInvalid,
        Refusal::VersionUnsupported, Refusal::KeyMissing, Refusal::KeyRepeated, Refusal::KeyInvalid,
        Refusal::ProtocolInvalid, Refusal::ExtensionsInvalid, Refusal::OriginRepeated,
        Refusal::OriginForbidden, Refusal::WireHidden, Refusal::Timeout, Refusal::Full, Refusal::Stopping,
    ];

    /// Names and reasons of RFC 9110, 15 and RFC 6585, 5.
    const STATUSES: [&str; 11] = [
        "400 Bad Request",
        "403 Forbidden",
        "404 Not Found",
        "405 Method Not Allowed",
        "408 Request Timeout",
        "414 URI Too Long",
        "426 Upgrade Required",
        "431 Request Header Fields Too Large",
        "501 Not Implemented",
        "503 Service Unavailable",
        "505 HTTP Version Not Supported",
    ];

    fn field(response: &Response, name: &str) -> Vec<String> {
        let of_that_name = response.fields.iter().filter(|(known, _)| *known == name);
        of_that_name.map(|(_, value)| value.clone()).collect()
    }

    #[test]
    fn none_is_missing_here() {
        let declared: Vec<usize> = ALL.iter().map(|refusal| *refusal as usize).collect();
        assert_eq!(declared, (0..=Refusal::Stopping as usize).collect::<Vec<_>>());
    }

    #[test]
    fn s4_2_2_every_verdict_is_a_known_status_a_rule_and_a_sentence() {
        for refusal in ALL {
            let (status, section, sentence) = refusal.verdict();
            assert!(STATUSES.contains(&status), "{refusal:?}: {status}");
            assert_eq!(refusal.code().to_string(), status[..3], "{refusal:?}");

            let number = section.strip_prefix("RFC ").unwrap_or(section);
            assert!(number.starts_with(|c: char| c.is_ascii_digit()), "{refusal:?}: {section}");
            assert!(sentence.is_ascii() && 10 < sentence.len(), "{refusal:?}: {sentence}");
            assert!(!sentence.ends_with(['\n', '.', ' ']), "{refusal:?}: {sentence}");
            assert!(!sentence.contains(['\r', '\n']), "{refusal:?}: {sentence}");
        }
    }

    #[test]
    fn s7_2_2_every_answer_is_the_last_and_says_why() {
        for refusal in ALL {
            let (status, section, sentence) = refusal.verdict();
            let response = refusal.response();
            assert_eq!(response.status, status);
            let closes = field(&response, "Connection");
            let upgrade = if refusal.code() == 426 { "Upgrade, close" } else { "close" };
            assert_eq!(closes, [upgrade], "{refusal:?}");
            assert_eq!(field(&response, "Content-Type"), ["text/plain; charset=utf-8"]);
            assert_eq!(field(&response, "X-Content-Type-Options"), ["nosniff"]);

            let content = str::from_utf8(&response.content).unwrap();
            let rule = if section.starts_with("RFC") { "" } else { "RFC 6455, " };
            assert_eq!(content, format!("{sentence} ({rule}{section})\n"));

            let octets = response.encode(Method::Get, 0);
            let line = format!("HTTP/1.1 {status}\r\n");
            assert!(octets.starts_with(line.as_bytes()) && octets.ends_with(content.as_bytes()));
        }
    }

    #[test]
    fn the_fields_that_a_status_obliges_to() {
        for refusal in ALL {
            let response = refusal.response();
            let is_version =
                |text: &str| text.contains("Sec-WebSocket-Version") || text.contains("version 13");
            for (name, is_owed) in [
                ("Allow", refusal.code() == 405),   // RFC 9110, 15.5.6
                ("Upgrade", refusal.code() == 426), // RFC 9110, 15.5.22
                ("Sec-WebSocket-Version", is_version(refusal.verdict().2)), // 4.4
                ("Retry-After", refusal.code() == 503),
            ] {
                let values = field(&response, name);
                assert_eq!(values.len(), usize::from(is_owed), "{refusal:?}: {name} {values:?}");
            }
        }
        for (refusal, name, value) in [
            (Refusal::OnlyGet, "Allow", "GET"),
            (Refusal::OnlyGetOrHead, "Allow", "GET, HEAD"),
            (Refusal::VersionUnsupported, "Upgrade", "websocket"),
            (Refusal::VersionUnsupported, "Sec-WebSocket-Version", "13"),
            (Refusal::VersionMissing, "Sec-WebSocket-Version", "13"),
            (Refusal::VersionInvalid, "Sec-WebSocket-Version", "13"),
            (Refusal::Full, "Retry-After", "10"),
        ] {
            assert_eq!(field(&refusal.response(), name), [value], "{refusal:?}");
        }
    }

    #[test]
    fn no_field_stands_twice() {
        for refusal in ALL {
            let fields = refusal.response().fields;
            for (i, (name, _)) in fields.iter().enumerate() {
                let is_new = fields[..i].iter().all(|(other, _)| !other.eq_ignore_ascii_case(name));
                assert!(is_new, "{refusal:?}: {name}");
            }
        }
    }
}
