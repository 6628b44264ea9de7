//! The JSON objects that `/wire` sends, one a message. The member `kind` names the type:
//!
//! | kind | members |
//! |---|---|
//! | `frame` | those of [`frame_json`], and `number` (from 1), `time` (RFC 3339), `connection` |
//! | `head` | `number`, `time`, `connection`, `from`, `lines`, and `accept`: `null`, or for a request with a key `key`, `guid`, `sha1` (in hex) and `accept`, the value in base64 |
//! | `lost` | `frames`: the number of frames and heads that this client did not get, because it reads too slowly or the inspect queue was full |
//! | `answer` | the simulated answer to frames that the client has sent in hex (`server/simulate.rs`) |

use super::json::{JsonObject, list, string};
use super::{frame_json, hex, names};
use crate::wire::dissect::Frame;
use crate::wire::frame::Role;
use crate::wire::handshake::{GUID, accept, concatenation, sha1};
use crate::wire::head::{HeadLimits, HeadParser};

/// When and on which connection bytes were observed.
pub struct Observed<'a> {
    /// The number of the frame or head, from 1.
    pub number: u64,
    /// As in RFC 3339.
    pub time: &'a str,
    /// The id of the connection.
    pub connection: u64,
}

impl Observed<'_> {
    fn members(&self) -> JsonObject {
        let mut out = JsonObject::default();
        out.raw("number", self.number);
        out.text("time", self.time);
        out.raw("connection", self.connection);
        out
    }
}

/// The object of a frame.
pub fn frame(observed: &Observed, frame: &Frame) -> String {
    frame_json::with_members(observed.members(), frame)
}

/// The object of a request head or a response head.
pub fn head(observed: &Observed, sender: Role, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = observed.members();
    out.text("kind", "head");
    out.text("from", names::role(sender));
    out.raw("lines", list(text.trim_end().lines().map(string)));
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

/// The object that reports `frames` dropped frames and heads.
pub fn lost(frames: u64) -> String {
    let mut out = JsonObject::default();
    out.text("kind", "lost");
    out.raw("frames", frames);
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed() -> Observed<'static> {
        Observed { number: 7, time: "2026-11-24T22:00:00.000Z", connection: 3 }
    }

    #[test]
    fn a_frame_begins_with_its_number_time_and_connection() {
        let frame = super::super::tests::frame(&[0x81, 0x02, b'h', b'i']);
        let json = super::frame(&observed(), &frame);
        let beginning = r#"{"number":7,"time":"2026-11-24T22:00:00.000Z","connection":3,"kind":"frame","from":"server","#;
        assert!(json.starts_with(beginning), "{json}");
        assert!(json.ends_with('}') && json.contains(r#""payload":"6869","text":"hi""#), "{json}");
    }

    #[test]
    fn s1_3_a_request_has_its_accept_value_computed() {
        let wire = b"GET /chat HTTP/1.1\r\nHost: h\x1b\r\n\r\n";
        let json = head(&observed(), Role::Client, wire);
        assert!(json.contains(r#""kind":"head","from":"client","lines":["GET /chat HTTP/1.1","Host: h\u001b"],"accept":null}"#), "{json}");
        let wire =
            b"GET /chat HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let json = head(&observed(), Role::Client, wire);
        assert!(json.ends_with(r#""accept":{"key":"dGhlIHNhbXBsZSBub25jZQ==","guid":"258EAFA5-E914-47DA-95CA-C5AB0DC85B11","sha1":"b37a4f2cc0624f1690f64606cf385945b2bec4ea","accept":"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}}"#), "{json}");
    }
}
