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
use super::rules::rules;

/// A refusal, the requirement that it follows, and the response.
#[derive(Debug)]
pub struct RefusalRule {
    /// The refusal.
    pub refusal: Refusal,
    /// The requirement that the refusal follows: the request breaks it, or it says what a server must or may
    /// do with such a request.
    pub requirement: &'static Requirement,
    /// The status code and its reason, as in `400 Bad Request`.
    pub status: &'static str,
    /// What is wrong; the content of the response.
    pub sentence: &'static str,
}

const BAD_REQUEST: &str = "400 Bad Request";

rules! {
    /// Why a request does not get what it asks for.
    enum Refusal;
    /// Every rule, in the order of [`Refusal`].
    static REFUSAL_RULES: RefusalRule;

    // refusal          requirement  status                                 what is wrong
    /// Not `method SP target SP HTTP/1.x`.
    RequestLine        ("H-12",      BAD_REQUEST,                           "the request line is not `GET /path HTTP/1.1`");
    /// The target is not a path or an http URI, or has characters that no URI has.
    Target             ("H-12",      BAD_REQUEST,                           "the request target is not a path");
    /// The target is longer than the limit.
    TargetTooLong      ("H-10",      "414 URI Too Long",                    "the request target is too long");
    /// A method that the server does not know.
    MethodUnknown      ("H-46",      "501 Not Implemented",                 "this method is not implemented");
    /// HTTP/2.0 or another major version in this syntax.
    HttpMajorVersion   ("H-56",      "505 HTTP Version Not Supported",      "this server speaks HTTP/1.1");
    /// A line ends with LF without CR.
    BareLf             ("H-2",       BAD_REQUEST,                           "a line of the request head must end with CR LF");
    /// CR without LF.
    BareCr             ("H-3",       BAD_REQUEST,                           "CR without LF in the request head");
    /// NUL or another control character.
    ControlCharacter   ("H-41",      BAD_REQUEST,                           "control character in the request head");
    /// A line is continued in the next.
    Folded             ("H-22",      BAD_REQUEST,                           "folded header line");
    /// A line without a colon, or with a name that is not a token.
    FieldLine          ("H-21",      BAD_REQUEST,                           "a header line is not `name: value`");
    /// More field lines than the limit.
    TooManyFields      ("H-40",      "431 Request Header Fields Too Large", "too many header lines");
    /// More bytes than the limit.
    HeadTooLarge       ("H-40",      "431 Request Header Fields Too Large", "the request head is too large");
    /// HTTP/1.1 without Host.
    HostMissing        ("H-13",      BAD_REQUEST,                           "the Host header is missing");
    /// Host more than once.
    HostRepeated       ("H-14",      BAD_REQUEST,                           "more than one Host header");
    /// Host is not an authority.
    HostInvalid        ("H-15",      BAD_REQUEST,                           "the Host header is not `host` or `host:port`");
    /// Content-Length is not a number, or is there twice.
    ContentLength      ("H-29",      BAD_REQUEST,                           "invalid Content-Length");
    /// Transfer-Encoding leaves the end of the content ambiguous.
    ContentFraming     ("H-26",      BAD_REQUEST,                           "ambiguous message framing");
    /// A transfer coding other than chunked.
    TransferCoding     ("H-25",      "501 Not Implemented",                 "unknown transfer coding");
    /// The request has content, and the resource accepts none.
    Content            ("H-31",      BAD_REQUEST,                           "a request here has no body");
    /// No such resource.
    NotFound           ("4.2.2-j",   "404 Not Found",                       "there is nothing here; the chat is at /chat");
    /// The resource supports only GET.
    OnlyGet            ("4.2.1-c",   "405 Method Not Allowed",              "only GET is allowed here");
    /// The resource supports only GET and HEAD.
    OnlyGetOrHead      ("H-45",      "405 Method Not Allowed",              "only GET and HEAD are allowed here");
    /// HTTP/1.0, in which Upgrade has no meaning.
    HttpTooOld         ("4.2.1-d",   BAD_REQUEST,                           "a WebSocket needs HTTP/1.1");
    /// Upgrade does not name websocket.
    UpgradeMissing     ("4.2.1-k",   BAD_REQUEST,                           "this is a WebSocket: the header `Upgrade: websocket` is missing");
    /// Connection does not have `Upgrade`.
    ConnectionMissing  ("4.2.1-n",   BAD_REQUEST,                           "the header `Connection: Upgrade` is missing");
    /// No Sec-WebSocket-Version.
    VersionMissing     ("4.2.1-s",   BAD_REQUEST,                           "the header `Sec-WebSocket-Version: 13` is missing");
    /// The version is not one number from 0 to 255.
    VersionInvalid     ("4.2.1-t",   BAD_REQUEST,                           "Sec-WebSocket-Version is not one number from 0 to 255");
    /// The server does not support the version.
    VersionUnsupported ("4.2.1-s",   "426 Upgrade Required",                "this server speaks WebSocket version 13");
    /// No Sec-WebSocket-Key.
    KeyMissing         ("4.2.1-o",   BAD_REQUEST,                           "the Sec-WebSocket-Key header is missing");
    /// Sec-WebSocket-Key more than once.
    KeyRepeated        ("11.3.1-a",  BAD_REQUEST,                           "more than one Sec-WebSocket-Key header");
    /// The key is not 16 bytes in base64.
    KeyInvalid         ("4.2.1-o",   BAD_REQUEST,                           "Sec-WebSocket-Key is not 16 bytes in base64");
    /// Sec-WebSocket-Protocol is not a list of tokens.
    ProtocolInvalid    ("4.2.1-v",   BAD_REQUEST,                           "Sec-WebSocket-Protocol is not a list of names");
    /// Sec-WebSocket-Extensions violates its grammar.
    ExtensionsInvalid  ("4.2.1-w",   BAD_REQUEST,                           "Sec-WebSocket-Extensions is not a list of extensions");
    /// Origin more than once.
    OriginRepeated     ("H-61",      BAD_REQUEST,                           "more than one Origin header");
    /// A page of an origin that is not allowed.
    OriginForbidden    ("4.2.2-d",   "403 Forbidden",                       "pages of this origin may not connect here");
    /// A client that may not inspect the traffic of all members.
    WireHidden         ("4.2.2-j",   "403 Forbidden",                       "/wire accepts only clients on the server's machine");
    /// The head was not received in time.
    Timeout            ("H-57",      "408 Request Timeout",                 "the request head took too long");
    /// The server has no capacity for another connection.
    Full               ("10.4-a",    "503 Service Unavailable",             "the server is full, try again later");
    /// The server is shutting down.
    Stopping           ("4.2.2-j",   "503 Service Unavailable",             "the server is shutting down");
}

impl RefusalRule {
    const fn new(refusal: Refusal, id: &str, status: &'static str, sentence: &'static str) -> Self {
        Self { refusal, requirement: requirement(id), status, sentence }
    }
}

impl Refusal {
    /// The status code as a number.
    pub fn code(self) -> u16 {
        let digits = self.rule().status.bytes().take(3);
        digits.fold(0, |code, digit| 10 * code + u16::from(digit - b'0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn s4_2_2_every_refusal_has_a_known_status_a_rule_and_a_sentence() {
        for rule in &REFUSAL_RULES {
            let RefusalRule { refusal, requirement, status, sentence } = rule;
            assert_eq!(refusal.rule().refusal, *refusal, "the table has the order of the enum");
            assert!(STATUSES.contains(status), "{refusal:?}: {status}");
            assert_eq!(refusal.code().to_string(), status[..3], "{refusal:?}");

            let number = requirement.section.trim_start_matches("RFC ");
            assert!(number.starts_with(|c: char| c.is_ascii_digit()), "{refusal:?}: {number}");
            assert!(sentence.is_ascii() && 10 < sentence.len(), "{refusal:?}: {sentence}");
            assert!(!sentence.ends_with(['\n', '.', ' ']), "{refusal:?}: {sentence}");
            assert!(!sentence.contains(['\r', '\n']), "{refusal:?}: {sentence}");
        }
    }
}
