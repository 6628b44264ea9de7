//! Every reason to refuse a request, in one table. Before the 101 an error is an HTTP status; after it, a
//! close code ([`violation`](super::violation)).
//!
//! Where the RFCs leave a choice, or disagree, the server decides:
//!
//! | question | choice | why |
//! |---|---|---|
//! | section 10.7: must a bad request be answered? | always | the response explains the error |
//! | and then? | `Connection: close`, and a lingering close | no request can be smuggled in after it |
//! | section 4.2.1 item 3: may Upgrade be a list? | yes, in one line or several | RFC 9110, 7.8 defines a list |
//! | no Upgrade or Connection on `/chat`: 400, or 426 as in RFC 9110? | 400 | the server uses 426 only for a wrong version |
//! | no version, or one that is not a number: 400 or 426? | 400, with the supported version | the client did not ask for another version |
//! | must the key be decoded? | 24 characters of base64 with two pads | these are 16 bytes, whatever the unused bits are: the RFC's own example sets some |
//! | section 4.2.1 item 8: the same subprotocol twice? | accepted | the error has no effect: the server selects none |
//! | section 9.1: extensions that violate the grammar, though the server uses none? | 400 | the section requires it |
//! | section 8.1: must field values be UTF-8? | they are bytes | the values that the server reads are ASCII by their grammar |
//! | folded lines, which RFC 2616 allowed? | 400 | RFC 9112, 5.2 |
//! | a body on an upgrade? | 400, or 501 with an unknown coding (RFC 9112, 6.1) | read as frames, it would be a way to attack |
//! | `Expect: 100-continue` on an upgrade? | 100, then 101 | RFC 9110, 7.8 |
//! | several errors at once? | the first in the order of `server/http.rs` | the RFCs set no order |

use super::super::rfc6455::{Requirement, requirement};

/// Why a request does not get what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not `method SP target SP HTTP/1.x`.
    RequestLine,
    /// The target is not a path or an http URI, or has characters that no URI has.
    Target,
    /// The target is longer than the limit.
    TargetTooLong,
    /// The method is not registered.
    MethodUnknown,
    /// HTTP/2.0 or another major version in this syntax.
    HttpMajorVersion,
    /// A line ends with LF without CR.
    BareLf,
    /// CR without LF.
    BareCr,
    /// NUL or another control character.
    ControlCharacter,
    /// A line is continued in the next.
    Folded,
    /// A line without a colon, or with a name that is not a token.
    FieldLine,
    /// More field lines than the limit.
    TooManyFields,
    /// More bytes than the limit.
    HeadTooLarge,
    /// HTTP/1.1 without Host.
    HostMissing,
    /// Host more than once.
    HostRepeated,
    /// Host is not an authority.
    HostInvalid,
    /// Content-Length is not a number, or is there twice.
    ContentLength,
    /// Transfer-Encoding leaves the end of the content ambiguous.
    ContentFraming,
    /// A transfer coding other than chunked.
    TransferCoding,
    /// The request has content, and the resource accepts none.
    Content,
    /// No such resource.
    NotFound,
    /// The resource supports only GET.
    OnlyGet,
    /// The resource supports only GET and HEAD.
    OnlyGetOrHead,
    /// HTTP/1.0, in which Upgrade has no meaning.
    HttpTooOld,
    /// Upgrade does not name websocket.
    UpgradeMissing,
    /// Connection does not have `Upgrade`.
    ConnectionMissing,
    /// No Sec-WebSocket-Version.
    VersionMissing,
    /// The version is not one number from 0 to 255.
    VersionInvalid,
    /// The server does not support the version.
    VersionUnsupported,
    /// No Sec-WebSocket-Key.
    KeyMissing,
    /// Sec-WebSocket-Key more than once.
    KeyRepeated,
    /// The key is not 16 bytes in base64.
    KeyInvalid,
    /// Sec-WebSocket-Protocol is not a list of tokens.
    ProtocolInvalid,
    /// Sec-WebSocket-Extensions violates its grammar.
    ExtensionsInvalid,
    /// Origin more than once.
    OriginRepeated,
    /// A page of an origin that is not allowed.
    OriginForbidden,
    /// A client that may not inspect the traffic of all members.
    WireHidden,
    /// The head was not received in time.
    Timeout,
    /// The server has no capacity for another connection.
    Full,
    /// The server is shutting down.
    Stopping,
}

/// A refusal, the requirement that the request breaks, and the response.
#[derive(Debug)]
pub struct RefusalRule {
    /// The refusal.
    pub refusal: Refusal,
    /// The requirement in the register, if it has a row.
    pub requirement: Option<&'static Requirement>,
    /// The section, with the item of its list: of RFC 6455, or as in `RFC 9112, 5`.
    pub section: &'static str,
    /// The status code and its reason, as in `400 Bad Request`.
    pub status: &'static str,
    /// What is wrong; the content of the response.
    pub sentence: &'static str,
}

const BAD_REQUEST: &str = "400 Bad Request";

/// Every rule, in the order of [`Refusal`].
#[rustfmt::skip]
pub static REFUSAL_RULES: [RefusalRule; Refusal::Stopping as usize + 1] = [
    rule(Refusal::RequestLine,        Some("H-12"),       "RFC 9112, 3",        BAD_REQUEST,                              "the request line is not `GET /path HTTP/1.1`"),
    rule(Refusal::Target,             Some("H-12"),       "RFC 9112, 3.2",      BAD_REQUEST,                              "the request target is not a path"),
    rule(Refusal::TargetTooLong,      Some("H-10"),       "RFC 9112, 3",        "414 URI Too Long",                       "the request target is too long"),
    rule(Refusal::MethodUnknown,      Some("H-46"),       "RFC 9110, 9.1",      "501 Not Implemented",                    "this method is not implemented"),
    rule(Refusal::HttpMajorVersion,   Some("H-56"),       "RFC 9110, 2.5",      "505 HTTP Version Not Supported",         "this server speaks HTTP/1.1"),
    rule(Refusal::BareLf,             Some("H-2"),        "RFC 9112, 2.2",      BAD_REQUEST,                              "a line of the request head must end with CR LF"),
    rule(Refusal::BareCr,             Some("H-3"),        "RFC 9112, 2.2",      BAD_REQUEST,                              "CR without LF in the request head"),
    rule(Refusal::ControlCharacter,       Some("H-41"),       "RFC 9110, 5.5",      BAD_REQUEST,                              "control character in the request head"),
    rule(Refusal::Folded,             Some("H-22"),       "RFC 9112, 5.2",      BAD_REQUEST,                              "folded header line"),
    rule(Refusal::FieldLine,          Some("H-21"),       "RFC 9112, 5",        BAD_REQUEST,                              "a header line is not `name: value`"),
    rule(Refusal::TooManyFields,      Some("H-40"),       "RFC 6585, 5",        "431 Request Header Fields Too Large",    "too many header lines"),
    rule(Refusal::HeadTooLarge,       Some("H-40"),       "RFC 6585, 5",        "431 Request Header Fields Too Large",    "the request head is too large"),
    rule(Refusal::HostMissing,        Some("H-13"),       "RFC 9112, 3.2",      BAD_REQUEST,                              "the Host header is missing"),
    rule(Refusal::HostRepeated,       Some("H-14"),       "RFC 9112, 3.2",      BAD_REQUEST,                              "more than one Host header"),
    rule(Refusal::HostInvalid,        Some("H-15"),       "RFC 9112, 3.2",      BAD_REQUEST,                              "the Host header is not `host` or `host:port`"),
    rule(Refusal::ContentLength,      Some("H-29"),       "RFC 9112, 6.3",      BAD_REQUEST,                              "invalid Content-Length"),
    rule(Refusal::ContentFraming,     Some("H-26"),       "RFC 9112, 6.3",      BAD_REQUEST,                              "ambiguous message framing"),
    rule(Refusal::TransferCoding,     Some("H-25"),       "RFC 9112, 6.1",      "501 Not Implemented",                    "unknown transfer coding"),
    rule(Refusal::Content,            Some("H-31"),       "RFC 9110, 9.3.1",    BAD_REQUEST,                              "a request here has no body"),
    rule(Refusal::NotFound,           Some("4.2.2-j"),    "4.2.2 item 4",       "404 Not Found",                          "there is nothing here; the chat is at /chat"),
    rule(Refusal::OnlyGet,            Some("4.2.1-c"),    "4.2.1 item 1",       "405 Method Not Allowed",                 "only GET is allowed here"),
    rule(Refusal::OnlyGetOrHead,      Some("H-45"),       "RFC 9110, 15.5.6",   "405 Method Not Allowed",                 "only GET and HEAD are allowed here"),
    rule(Refusal::HttpTooOld,         Some("4.2.1-d"),    "4.2.1 item 1",       BAD_REQUEST,                              "a WebSocket needs HTTP/1.1"),
    rule(Refusal::UpgradeMissing,     Some("4.2.1-k"),    "4.2.1 item 3",       BAD_REQUEST,                              "this is a WebSocket: the header `Upgrade: websocket` is missing"),
    rule(Refusal::ConnectionMissing,  Some("4.2.1-n"),    "4.2.1 item 4",       BAD_REQUEST,                              "the header `Connection: Upgrade` is missing"),
    rule(Refusal::VersionMissing,     Some("4.2.1-s"),    "4.2.1 item 6",       BAD_REQUEST,                              "the header `Sec-WebSocket-Version: 13` is missing"),
    rule(Refusal::VersionInvalid,     Some("4.2.1-t"),    "4.2.1 item 6",       BAD_REQUEST,                              "Sec-WebSocket-Version is not one number from 0 to 255"),
    rule(Refusal::VersionUnsupported, Some("4.2.2-i"),    "4.2.2 item 4",       "426 Upgrade Required",                   "this server speaks WebSocket version 13"),
    rule(Refusal::KeyMissing,         Some("4.2.1-o"),    "4.2.1 item 5",       BAD_REQUEST,                              "the Sec-WebSocket-Key header is missing"),
    rule(Refusal::KeyRepeated,        Some("11.3.1-a"),   "11.3.1",             BAD_REQUEST,                              "more than one Sec-WebSocket-Key header"),
    rule(Refusal::KeyInvalid,         Some("4.2.1-o"),    "4.2.1 item 5",       BAD_REQUEST,                              "Sec-WebSocket-Key is not 16 bytes in base64"),
    rule(Refusal::ProtocolInvalid,    Some("4.2.1-v"),    "4.2.1 item 8",       BAD_REQUEST,                              "Sec-WebSocket-Protocol is not a list of names"),
    rule(Refusal::ExtensionsInvalid,  Some("9.1-b"),      "9.1",                BAD_REQUEST,                              "Sec-WebSocket-Extensions is not a list of extensions"),
    rule(Refusal::OriginRepeated,     Some("H-61"),       "RFC 6454, 7.3",      BAD_REQUEST,                              "more than one Origin header"),
    rule(Refusal::OriginForbidden,    Some("4.2.2-d"),    "4.2.2 item 4",       "403 Forbidden",                          "pages of this origin may not connect here"),
    rule(Refusal::WireHidden,         None,               "4.2.2 item 4",       "403 Forbidden",                          "the wire is shown on the server's own machine alone"),
    rule(Refusal::Timeout,            Some("H-57"),       "RFC 9110, 15.5.9",   "408 Request Timeout",                    "the request head took too long"),
    rule(Refusal::Full,               Some("10.4-a"),     "10.4",               "503 Service Unavailable",                "the server is full, try again later"),
    rule(Refusal::Stopping,           None,               "RFC 9110, 15.6.4",   "503 Service Unavailable",                "the server is shutting down"),
];

// `Refusal::rule` takes a refusal's place in the table from its number.
const _: () = {
    let mut place = 0;
    while place < REFUSAL_RULES.len() {
        assert!(REFUSAL_RULES[place].refusal as usize == place);
        place += 1;
    }
};

const fn rule(
    refusal: Refusal,
    id: Option<&str>,
    section: &'static str,
    status: &'static str,
    sentence: &'static str,
) -> RefusalRule {
    let requirement = match id {
        Some(id) => Some(requirement(id)),
        None => None,
    };
    RefusalRule { refusal, requirement, section, status, sentence }
}

impl Refusal {
    /// Its row in [`REFUSAL_RULES`].
    #[must_use]
    pub fn rule(self) -> &'static RefusalRule {
        &REFUSAL_RULES[self as usize]
    }

    /// The status code as a number.
    #[must_use]
    pub fn code(self) -> u16 {
        let digits = self.rule().status.bytes().take(3);
        digits.fold(0, |code, digit| 10 * code + u16::from(digit - b'0'))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Every refusal, in the order of the declaration.
    #[rustfmt::skip]
    pub(crate) const ALL: [Refusal; 39] = [
        Refusal::RequestLine, Refusal::Target, Refusal::TargetTooLong, Refusal::MethodUnknown,
        Refusal::HttpMajorVersion, Refusal::BareLf, Refusal::BareCr, Refusal::ControlCharacter,
        Refusal::Folded, Refusal::FieldLine, Refusal::TooManyFields, Refusal::HeadTooLarge,
        Refusal::HostMissing, Refusal::HostRepeated, Refusal::HostInvalid, Refusal::ContentLength,
        Refusal::ContentFraming, Refusal::TransferCoding, Refusal::Content, Refusal::NotFound,
        Refusal::OnlyGet, Refusal::OnlyGetOrHead, Refusal::HttpTooOld, Refusal::UpgradeMissing,
        Refusal::ConnectionMissing, Refusal::VersionMissing, Refusal::VersionInvalid,
        Refusal::VersionUnsupported, Refusal::KeyMissing, Refusal::KeyRepeated, Refusal::KeyInvalid,
        Refusal::ProtocolInvalid, Refusal::ExtensionsInvalid, Refusal::OriginRepeated,
        Refusal::OriginForbidden, Refusal::WireHidden, Refusal::Timeout, Refusal::Full, Refusal::Stopping,
    ];

    /// Codes and reasons of RFC 9110, 15 and RFC 6585, 5.
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

    /// Whether `section` is `whole`, an item of its list, or one of the sections that `whole` names.
    fn is_part(section: &str, whole: &str) -> bool {
        let (rfc, number) = section.split_once(", ").unwrap_or(("", section));
        let number = number.split(" item ").next().unwrap_or_default();
        whole.contains(rfc) && whole.contains(number)
    }

    #[test]
    fn the_list_is_complete() {
        let declared: Vec<usize> = ALL.iter().map(|refusal| *refusal as usize).collect();
        assert_eq!(declared, (0..=Refusal::Stopping as usize).collect::<Vec<_>>());
    }

    #[test]
    fn s4_2_2_every_refusal_has_a_known_status_a_rule_and_a_sentence() {
        for refusal in ALL {
            let RefusalRule { requirement, section, status, sentence, .. } = refusal.rule();
            assert!(STATUSES.contains(status), "{refusal:?}: {status}");
            assert_eq!(refusal.code().to_string(), status[..3], "{refusal:?}");

            if let Some(requirement) = requirement {
                assert!(is_part(section, requirement.section), "{refusal:?}: {section}");
            }
            let number = section.strip_prefix("RFC ").unwrap_or(section);
            assert!(number.starts_with(|c: char| c.is_ascii_digit()), "{refusal:?}: {section}");
            assert!(sentence.is_ascii() && 10 < sentence.len(), "{refusal:?}: {sentence}");
            assert!(!sentence.ends_with(['\n', '.', ' ']), "{refusal:?}: {sentence}");
            assert!(!sentence.contains(['\r', '\n']), "{refusal:?}: {sentence}");
        }
    }
}
