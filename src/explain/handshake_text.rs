//! The heads of the opening handshake as text and JSON: each line with the requirements of sections
//! 4.2.1 and 4.2.2 that it keeps or breaks.

use super::accept_errors;
use super::json::{JsonObject, list};
use super::names;
use super::text::{byte_range, printable};
use super::view::{Tone, View};
use crate::wire::frame::Role;
use crate::wire::handshake::{Checked, GUID, accept, check_all};
use crate::wire::http::{Method, Request};
use crate::wire::refusal::Refusal;
use crate::wire::server_response::{ClientOffer, ResponseError, ServerResponse};

/// A head and the result of its checks.
#[derive(Debug)]
pub struct HandshakeText {
    sender: Role,
    offset: u64,
    size: usize,
    lines: Vec<HeadLine>,
    /// The failed checks that belong to no line.
    other: Vec<Check>,
    /// The computation of the accept value.
    accept: Option<String>,
}

#[derive(Debug)]
struct HeadLine {
    text: String,
    checks: Vec<Check>,
}

/// The check of one item of the RFC's lists.
#[derive(Debug)]
struct Check {
    section: &'static str,
    /// The ID of the broken requirement, if the register has it.
    id: Option<&'static str>,
    /// What is wrong; `None` if the item is met.
    violation: Option<&'static str>,
    /// The status of the server's response to a wrong request.
    status: Option<&'static str>,
}

impl From<Refusal> for Check {
    fn from(refusal: Refusal) -> Self {
        let rule = refusal.rule();
        let (id, section) = (Some(rule.requirement.id), rule.requirement.section);
        Self { section, id, violation: Some(rule.sentence), status: Some(rule.status) }
    }
}

impl From<ResponseError> for Check {
    fn from(error: ResponseError) -> Self {
        let rule = error.rule();
        let (id, section) = (Some(rule.requirement.id), rule.requirement.section);
        Self { section, id, violation: Some(rule.sentence), status: None }
    }
}

impl Check {
    fn passed(section: &'static str) -> Self {
        Self { section, id: None, violation: None, status: None }
    }

    fn of(section: &'static str, result: Result<(), impl Into<Self>>) -> Self {
        result.map_or_else(Into::into, |()| Self::passed(section))
    }

    /// `right (4.2.1 item 3)`, or what is wrong and the server's response.
    fn text(&self, indent: usize, view: View) -> String {
        let section = self.section;
        let Some(violation) = self.violation else {
            return view.wrap_painted(Tone::Right, &format!("right ({section})"), indent);
        };
        let id = self.id.map(|id| format!(", {id}")).unwrap_or_default();
        let status = self.status.map(|status| format!("; a server answers {status}"));
        let status = status.unwrap_or_default();
        let text = format!("VIOLATION: {violation} ({section}{id}){status}");
        view.wrap_painted(Tone::Wrong, &text, indent)
    }

    fn object(&self) -> String {
        let mut out = JsonObject::default();
        out.text("section", self.section);
        out.text_or_null("id", self.id);
        out.raw("ok", self.violation.is_none());
        out.text_or_null("sentence", self.violation);
        out.text_or_null("status", self.status);
        out.finish()
    }
}

/// A request head; `parsed` is the server's reading of the same `bytes`.
pub fn request(offset: u64, bytes: &[u8], parsed: Result<&Request, Refusal>) -> HandshakeText {
    let mut head = HandshakeText::new(Role::Client, offset, bytes);
    let Ok(request) = parsed.map_err(|refusal| head.other.push(refusal.into())) else {
        return head;
    };
    let method = if request.method == Method::Get { Ok(()) } else { Err(Refusal::OnlyGet) };
    head.add("", Check::of("4.2.1 item 1", method));
    head.add("Host", Check::passed("4.2.1 item 2"));
    for Checked { section, field, result } in check_all(request) {
        if !(field.is_empty() && result.is_ok()) {
            head.add(field, Check::of(section, result));
        }
    }
    if request.has_content() == Ok(true) {
        head.other.push(Refusal::Content.into());
    }
    let key = request.fields.values("Sec-WebSocket-Key").next();
    head.accept = key.map(|key| format!("a server answers with {}", computation(key)));
    head
}

/// A response head, checked against what is known of the request.
pub fn response(
    offset: u64,
    bytes: &[u8],
    response: &ServerResponse,
    offer: &ClientOffer,
) -> HandshakeText {
    let mut head = HandshakeText::new(Role::Server, offset, bytes);
    for Checked { section, field, result } in response.check_all(offer) {
        if !(section.starts_with("RFC") && result.is_ok()) {
            head.add(field, Check::of(section, result));
        }
    }
    let given = response.fields.values("Sec-WebSocket-Accept").next();
    head.accept = Some(match &offer.key {
        Some(key) => format!("the key requires {}{}", computation(key), mistakes(key, given)),
        None => "not checked: the key is in the request; --key sets it".to_owned(),
    });
    head
}

/// The mistakes that made a wrong accept value, if they are known.
fn mistakes(key: &[u8], given: Option<&[u8]>) -> String {
    let (Ok(key), Some(Ok(given))) = (str::from_utf8(key), given.map(str::from_utf8)) else {
        return String::new();
    };
    let cause = accept_errors::find(key, given);
    let mistakes = cause.map(|cause| format!("; the mistake: {}", cause.mistakes.join(", and ")));
    mistakes.unwrap_or_default()
}

/// The accept value of `key` and its formula (section 4.2.2 item 5.4).
fn computation(key: &[u8]) -> String {
    let mut text = String::new();
    printable(&String::from_utf8_lossy(key), 80, &mut text);
    format!("{} = base64(SHA-1(\"{text}{GUID}\")) (4.2.2 item 5.4)", accept(key))
}

impl HandshakeText {
    fn new(sender: Role, offset: u64, bytes: &[u8]) -> Self {
        let lines = bytes.trim_ascii_end().split(|byte| *byte == b'\n').map(|line| HeadLine {
            text: String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned(),
            checks: vec![],
        });
        let lines = lines.collect();
        Self { sender, offset, size: bytes.len(), lines, other: vec![], accept: None }
    }

    /// Adds a check to the first line with this field, or to the first line of all if `field` is empty. A
    /// failed check of a missing field belongs to no line.
    fn add(&mut self, field: &str, check: Check) {
        let is_it = |line: &&mut HeadLine| match line.text.split_once(':') {
            _ if field.is_empty() => true,
            Some((name, _)) => name.eq_ignore_ascii_case(field),
            None => false,
        };
        match self.lines.iter_mut().find(is_it) {
            Some(line) => line.checks.push(check),
            None if check.violation.is_some() => self.other.push(check),
            None => (),
        }
    }

    fn failed(&self) -> impl Iterator<Item = &Check> {
        let of_lines = self.lines.iter().flat_map(|line| &line.checks);
        of_lines.chain(&self.other).filter(|check| check.violation.is_some())
    }

    /// Whether the head meets every item.
    pub fn conforms(&self) -> bool {
        self.failed().next().is_none()
    }

    /// `request` or `response`.
    fn kind(&self) -> &'static str {
        match self.sender {
            Role::Client => "request",
            Role::Server => "response",
        }
    }

    /// The head as text: each line with its checks, the accept value, the verdict.
    pub fn text(&self, view: View) -> String {
        let place = byte_range(self.offset, self.size as u64);
        let heading = format!("{} head, {place}, from a {}", self.kind(), names::role(self.sender));
        let mut out = view.wrap_painted(Tone::Heading, &heading, 0) + "\n";
        for line in &self.lines {
            let mut text = String::new();
            printable(&line.text, 1000, &mut text);
            out += &view.wrap(&text, 2);
            out.extend(line.checks.iter().map(|check| check.text(6, view)));
        }
        out.push('\n');
        out.extend(self.accept.iter().map(|accept| view.wrap(&format!("accept: {accept}"), 0)));
        out.extend(self.other.iter().map(|check| check.text(0, view)));
        if self.conforms() {
            out += &view.wrap_painted(Tone::Right, "verdict: conforming", 0);
        }
        out
    }

    /// The head as a JSON object with `kind` (`request` or `response`), `from`, `offset`, `size`,
    /// `lines` (each with `text` and `verdicts`), `accept` and `violations`. A verdict has `section`,
    /// `id` (of the broken requirement, or `null`), `ok`, `sentence` and `status`.
    pub fn object(&self) -> String {
        let mut out = JsonObject::default();
        out.text("kind", self.kind());
        out.text("from", names::role(self.sender));
        out.raw("offset", self.offset);
        out.raw("size", self.size);
        let line = |line: &HeadLine| {
            let mut out = JsonObject::default();
            out.text("text", &line.text);
            out.raw("verdicts", list(line.checks.iter().map(Check::object)));
            out.finish()
        };
        out.raw("lines", list(self.lines.iter().map(line)));
        out.text_or_null("accept", self.accept.as_deref());
        out.raw("violations", list(self.failed().map(Check::object)));
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Colour;
    use super::*;
    use crate::wire::head::{HeadLimits, HeadParser};

    const VIEW: View = View { width: 80, colour: Colour::Off };

    fn read(head: &str) -> HandshakeText {
        let limits = HeadLimits { head_max: 9000, target_max: 900, fields_max: 90 };
        let read = HeadParser::new(limits).advance(head.as_bytes());
        let read = read.map(|found| found.unwrap().0);
        request(0, head.as_bytes(), read.as_ref().map_err(|refusal| *refusal))
    }

    const RIGHT: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";

    #[test]
    fn s1_3_the_request_of_the_rfc() {
        let head = read(RIGHT);
        assert!(head.conforms());
        let text = head.text(VIEW);
        assert_eq!(text.matches("right (4.2.1 item").count(), 6, "{text}");
        assert!(text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{text}");
    }

    #[test]
    fn s4_2_1_every_item_that_is_not_met_is_reported() {
        let wrong = RIGHT.replace("Upgrade: websocket\r\n", "").replace(": 13", ": 12");
        let wrong = wrong.replace("dGhl", "").replace("GET", "POST");
        let text = read(&wrong).text(VIEW);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for item in [
            "4.2.1 item 1, 4.2.1-c",
            "4.2.1 item 3, 4.2.1-k",
            "4.2.1 item 5, 4.2.1-o",
            "4.2.1 item 6, 4.2.1-s",
        ] {
            assert!(words.contains(&format!("({item})")), "{item}: {text}");
        }
        assert_eq!(text.matches("VIOLATION").count(), 4, "{text}");
        let text = read(&RIGHT.replace("\r\nHost: ", "\r\nHo\u{9b}st: ")).text(VIEW);
        assert!(text.contains("VIOLATION: a header line is not") && !text.contains('\u{9b}'));
    }
}
