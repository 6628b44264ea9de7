//! The JSON objects that `/wire` sends, one a message. The member `kind` names the type:
//!
//! | kind | members |
//! |---|---|
//! | `frame` | those of [`frame_json`], and `number` (from 1), `time` (RFC 3339), `connection` |
//! | `head` | `number`, `time`, `connection`, `from`, `lines`, and `accept`: `null`, or for a request with a key `key`, `guid`, `sha1` (in hex) and `accept`, the value in base64 |
//! | `lost` | `frames`: the number of frames that this client did not get because it reads too slowly |
//! | `answer` | the members of [`answer`], for a frame in hex that the client has sent |

use super::finding::Finding;
use super::json::{JsonObject, json_string, list};
use super::text::byte_count;
use super::{frame_json, hex, names};
use crate::wire::close::{Close, CloseCode, Violation};
use crate::wire::dissect::{Dissector, Frame};
use crate::wire::frame::{self, Opcode, Role};
use crate::wire::handshake::{GUID, accept, concatenation, sha1};
use crate::wire::head::{HeadLimits, HeadParser};
use crate::wire::message::{Event, Receiver};

/// The connection on which bytes were seen, and when.
pub struct Place<'a> {
    /// The number of the frame or head, from 1.
    pub number: u64,
    /// As in RFC 3339.
    pub time: &'a str,
    /// The id of the connection.
    pub connection: u64,
}

impl Place<'_> {
    fn members(&self) -> JsonObject {
        let mut out = JsonObject::default();
        out.raw("number", self.number);
        out.text("time", self.time);
        out.raw("connection", self.connection);
        out
    }
}

/// The object of a frame.
#[must_use]
pub fn frame(place: &Place, frame: &Frame) -> String {
    frame_json::with_members(place.members(), frame)
}

/// The object of a request head or a response head.
#[must_use]
pub fn head(place: &Place, sender: Role, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = place.members();
    out.text("kind", "head");
    out.text("from", names::role(sender));
    let line = |line: &str| {
        let mut quoted = String::new();
        json_string(line, &mut quoted);
        quoted
    };
    out.raw("lines", list(text.trim_end().lines().map(line)));
    out.raw_or_null("accept", key(bytes).map(|key| computation(&key)));
    out.finish()
}

/// The key of a request; `None` for any other head.
fn key(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = bytes.len();
    let limits = HeadLimits { head_max: size + 1, target_max: size, fields_max: size };
    let (request, _) = HeadParser::new(limits).advance(bytes).ok()??;
    request.fields.values("Sec-WebSocket-Key").next().map(<[u8]>::to_vec)
}

/// Section 4.2.2 item 5.4, step by step.
fn computation(key: &[u8]) -> String {
    let mut out = JsonObject::default();
    out.text("key", &String::from_utf8_lossy(key));
    out.text("guid", GUID);
    out.text("sha1", &hex::encode(&sha1(&concatenation(key)), ""));
    out.text("accept", &accept(key));
    out.finish()
}

/// The object that reports `frames` dropped frames.
#[must_use]
pub fn lost(frames: u64) -> String {
    let mut out = JsonObject::default();
    out.text("kind", "lost");
    out.raw("frames", frames);
    out.finish()
}

/// Frames that are looked at of those that somebody thinks of.
const ASKED_MAX: usize = 16;

/// What `/chat` would answer to a client that begins with these octets, which `text` has in hex:
/// `problem`, if it is no hex, else `null`; `steps`, each a `sentence` with the octets of the `answer`
/// in hex, or `null`; and `frames`, all that was asked about, as objects of [`frame_json`].
#[must_use]
pub fn answer(text: &str, max_message: usize) -> String {
    let wire = octets_of(text);
    let mut out = JsonObject::default();
    out.text("kind", "answer");
    let problem = wire.is_none().then_some("this is no frame in hex: two digits an octet");
    out.text_or_null("problem", problem);
    let wire = wire.unwrap_or_default();
    out.raw("steps", list(steps(&wire, max_message).into_iter().map(|step| step.object())));
    out.raw("frames", list(dissected(&wire).iter().map(frame_json::object)));
    out.finish()
}

fn octets_of(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| u8::try_from(character.to_digit(16)?).ok())
        .collect();
    let digits = digits?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn dissected(wire: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut dissector = Dissector::new(Some(Role::Client), 0, wire.len());
    dissector.read(&mut wire.to_vec(), |frame| frames.push(frame));
    frames.extend(dissector.finish());
    frames.truncate(ASKED_MAX);
    frames
}

/// One thing that the server does.
struct Step {
    sentence: String,
    answer: Option<Vec<u8>>,
}

impl Step {
    fn new(sentence: impl Into<String>, answer: Option<Vec<u8>>) -> Self {
        Self { sentence: sentence.into(), answer }
    }

    fn object(&self) -> String {
        let mut out = JsonObject::default();
        out.text("sentence", &self.sentence);
        out.text_or_null("answer", self.answer.as_ref().map(|answer| hex::encode(answer, "")));
        out.finish()
    }
}

/// The server's own receiver is asked.
fn steps(wire: &[u8], max_message: usize) -> Vec<Step> {
    let mut receiver = Receiver::new(Role::Client, max_message, wire);
    let mut steps = Vec::new();
    while steps.len() < ASKED_MAX {
        match receiver.next() {
            Ok(Some(event)) => {
                let is_last = matches!(event, Event::Close(_) | Event::Binary(_));
                steps.push(reaction(event));
                if is_last {
                    return steps;
                }
            }
            Ok(None) => {
                steps.extend(dissected(wire).last().and_then(waiting));
                return steps;
            }
            Err(violation) => {
                steps.push(failure(violation));
                return steps;
            }
        }
    }
    steps
}

fn reaction(event: Event) -> Step {
    match event {
        Event::Text(text) => Step::new(
            format!(
                "a text message of {}: everyone in the chat gets it",
                byte_count(text.len() as u64)
            ),
            Some(encoded(Opcode::Text, text.as_bytes())),
        ),
        Event::Binary(_) => {
            let close = Close::new(CloseCode::UNSUPPORTED_DATA, "this chat takes text only");
            let sentence =
                "a binary message: the chat takes text only (7.4.1), the echo sends it back";
            Step::new(sentence, Some(encoded(Opcode::Close, &close.body())))
        }
        Event::Ping(payload) => Step::new(
            "a ping: the pong has its payload (5.5.3)",
            Some(encoded(Opcode::Pong, payload)),
        ),
        Event::Pong(_) => Step::new("a pong: it wants no answer (5.5.3)", None),
        Event::Close(close) => {
            let how =
                if close.code().is_some() { "with the same code" } else { "without a code too" };
            let sentence = format!(
                "a close: the answer is a close {how}, then the end of the connection (5.5.1)"
            );
            Step::new(sentence, Some(encoded(Opcode::Close, &close.reply().body())))
        }
    }
}

fn failure(violation: Violation) -> Step {
    let Finding { requirement, sentence, .. } = Finding::of(violation);
    let code = violation.rule().code;
    let sentence = format!(
        "{sentence} ({}): the connection fails with close code {code}, {}",
        requirement.section,
        code.name()
    );
    Step::new(sentence, Some(encoded(Opcode::Close, &violation.close().body())))
}

/// What is missing where nothing is wrong yet.
fn waiting(frame: &Frame) -> Option<Step> {
    let is_fragment = !frame.header.fin() && !frame.header.is_control();
    let sentence = match frame.missing() {
        0 if is_fragment => {
            "a fragment: the server waits for the rest of the message (5.4)".to_owned()
        }
        0 => return None,
        missing => format!("the server waits for {} more at least", byte_count(missing)),
    };
    Some(Step::new(sentence, None))
}

fn encoded(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    frame::encode(opcode, None, payload, &mut wire);
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place<'static> {
        Place { number: 7, time: "2026-11-24T22:00:00.000Z", connection: 3 }
    }

    #[test]
    fn a_frame_begins_with_its_place() {
        let frame = super::super::tests::frame(&[0x81, 0x02, b'h', b'i']);
        let json = super::frame(&place(), &frame);
        let beginning = r#"{"number":7,"time":"2026-11-24T22:00:00.000Z","connection":3,"kind":"frame","from":"server","#;
        assert!(json.starts_with(beginning), "{json}");
        assert!(json.ends_with('}') && json.contains(r#""payload":"6869","text":"hi""#), "{json}");
    }

    #[test]
    fn s1_3_a_request_has_its_accept_value_computed() {
        let wire = b"GET /chat HTTP/1.1\r\nHost: h\x1b\r\n\r\n";
        let json = head(&place(), Role::Client, wire);
        assert!(json.contains(r#""kind":"head","from":"client","lines":["GET /chat HTTP/1.1","Host: h\u001b"],"accept":null}"#), "{json}");
        let wire =
            b"GET /chat HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let json = head(&place(), Role::Client, wire);
        assert!(json.ends_with(r#""accept":{"key":"dGhlIHNhbXBsZSBub25jZQ==","guid":"258EAFA5-E914-47DA-95CA-C5AB0DC85B11","sha1":"b37a4f2cc0624f1690f64606cf385945b2bec4ea","accept":"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}}"#), "{json}");
    }

    #[test]
    #[rustfmt::skip]
    fn what_would_be_answered() {
        for (text, problem, told) in [
            ("81 85 37fa213d 7f9f4d5158", "null", r#""sentence":"a text message of 5 bytes: everyone in the chat gets it","answer":"810548656c6c6f""#),
            ("8980 00000000", "null", r#"(5.5.3)","answer":"8a00""#),
            ("8a80 00000000", "null", r#"(5.5.3)","answer":null"#),
            ("8882 00000000 03e8", "null", r#"a close with the same code, then the end of the connection (5.5.1)","answer":"880203e8""#),
            ("8880 00000000", "null", r#"a close without a code too, then the end of the connection (5.5.1)","answer":"8800""#),
            ("8882 00000000 03ed", "null", r#"(7.4.1): the connection fails with close code 1002, protocol error","answer":"88"#),
            ("8100", "null", r#"must be masked (5.1): the connection fails with close code 1002"#),
            ("8281 00000000 00", "null", r#"(7.4.1), the echo sends it back","answer":"881b03eb"#),
            ("0181 00000000 61", "null", r#"a fragment: the server waits for the rest of the message (5.4)","answer":null"#),
            ("81fe 00", "null", r#"waits for 5 bytes more at least","answer":null"#),
            ("", "null", r#""steps":[],"frames":[]"#),
            ("8", r#""this is no frame in hex: two digits an octet""#, r#""steps":[],"frames":[]"#),
            ("<b>", r#""this is no frame in hex: two digits an octet""#, r#""steps":[],"frames":[]"#),
        ] {
            let json = answer(text, 1000);
            assert!(json.starts_with(&format!(r#"{{"kind":"answer","problem":{problem},"steps":["#)), "{json}");
            assert!(json.contains(told), "{text}: {json}");
        }
    }

    #[test]
    fn no_question_makes_much_of_an_answer() {
        let json = answer(&"8a8000000000".repeat(10_000), 1000);
        assert_eq!(json.matches("wants no answer").count(), ASKED_MAX);
        assert_eq!(json.matches(r#""kind":"frame""#).count(), ASKED_MAX);
    }
}
