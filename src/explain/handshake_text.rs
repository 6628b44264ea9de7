//! The heads of the opening handshake as text and JSON: each line with the requirements of sections
//! 4.2.1 and 4.2.2 that it keeps or breaks.

use super::accept_errors;
use super::json::{JsonObject, list};
use super::names;
use super::text::{byte_range, printable};
use super::view::{Tone, View};
use crate::wire::frame::Role;
use crate::wire::handshake::{Checked, GUID, accept, check_all};
use crate::wire::http::Request;
use crate::wire::refusal::Refusal;
use crate::wire::server_response::{ClientOffer, ResponseError, ServerResponse};

/// A head with the verdicts on its lines.
#[derive(Debug)]
pub struct CheckedHead {
    sender: Role,
    offset: u64,
    size: usize,
    lines: Vec<HeadLine>,
    /// The violations that belong to no line.
    other: Vec<Verdict>,
    /// The computation of the accept value.
    accept: Option<String>,
}

#[derive(Debug)]
struct HeadLine {
    text: String,
    verdicts: Vec<Verdict>,
}

/// The result of one item of the RFC's lists, in words.
#[derive(Debug)]
struct Verdict {
    section: &'static str,
    /// The ID of the broken requirement, if the register has it.
    id: Option<&'static str>,
    /// What is wrong; `None` if the item is met.
    violation: Option<&'static str>,
    /// The status of the server's response to a wrong request.
    status: Option<&'static str>,
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        let rule = refusal.rule();
        let (id, section) = (Some(rule.requirement.id), rule.requirement.section);
        Self { section, id, violation: Some(rule.sentence), status: Some(rule.status) }
    }
}

impl From<ResponseError> for Verdict {
    fn from(error: ResponseError) -> Self {
        let rule = error.rule();
        let (id, section) = (Some(rule.requirement.id), rule.requirement.section);
        Self { section, id, violation: Some(rule.sentence), status: None }
    }
}

impl Verdict {
    fn right(section: &'static str) -> Self {
        Self { section, id: None, violation: None, status: None }
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
pub fn request(offset: u64, bytes: &[u8], parsed: Result<&Request, Refusal>) -> CheckedHead {
    let mut head = CheckedHead::new(Role::Client, offset, bytes);
    let request = match parsed {
        Ok(request) => request,
        Err(refusal) => {
            head.other.push(refusal.into());
            return head;
        }
    };
    head.add("Host", Verdict::right("4.2.1 item 2")); // the parser has checked it
    check_all(request).into_iter().for_each(|checked| head.add_checked(checked));
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
) -> CheckedHead {
    let mut head = CheckedHead::new(Role::Server, offset, bytes);
    response.check_all(offer).into_iter().for_each(|checked| head.add_checked(checked));
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

impl CheckedHead {
    fn new(sender: Role, offset: u64, bytes: &[u8]) -> Self {
        let lines = bytes.trim_ascii_end().split(|byte| *byte == b'\n').map(|line| HeadLine {
            text: String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned(),
            verdicts: vec![],
        });
        let lines = lines.collect();
        Self { sender, offset, size: bytes.len(), lines, other: vec![], accept: None }
    }

    /// Adds the verdict on an item. What is right by another RFC is not said: the items teach this one.
    fn add_checked(&mut self, checked: Checked<impl Into<Verdict>>) {
        let Checked { section, field, result } = checked;
        match result {
            Ok(()) if section.starts_with("RFC") => (),
            Ok(()) => self.add(field, Verdict::right(section)),
            Err(error) => self.add(field, error.into()),
        }
    }

    /// Adds a verdict to the first line with this field, or to the first line of all if `field` is empty. The
    /// violation of a missing field belongs to no line.
    fn add(&mut self, field: &str, verdict: Verdict) {
        let is_it = |line: &&mut HeadLine| match line.text.split_once(':') {
            _ if field.is_empty() => true,
            Some((name, _)) => name.eq_ignore_ascii_case(field),
            None => false,
        };
        match self.lines.iter_mut().find(is_it) {
            Some(line) => line.verdicts.push(verdict),
            None if verdict.violation.is_some() => self.other.push(verdict),
            None => (),
        }
    }

    fn violations(&self) -> impl Iterator<Item = &Verdict> {
        let of_lines = self.lines.iter().flat_map(|line| &line.verdicts);
        of_lines.chain(&self.other).filter(|verdict| verdict.violation.is_some())
    }

    /// Whether the head meets every item.
    pub fn conforms(&self) -> bool {
        self.violations().next().is_none()
    }

    /// `request` or `response`.
    fn kind(&self) -> &'static str {
        match self.sender {
            Role::Client => "request",
            Role::Server => "response",
        }
    }

    /// The head as text: each line with its verdicts, the accept value, the verdict on the whole.
    pub fn text(&self, view: View) -> String {
        let place = byte_range(self.offset, self.size as u64);
        let heading = format!("{} head, {place}, from a {}", self.kind(), names::role(self.sender));
        let mut out = view.wrap_painted(Tone::Heading, &heading, 0) + "\n";
        for line in &self.lines {
            let mut text = String::new();
            printable(&line.text, 1000, &mut text);
            out += &view.wrap(&text, 2);
            out.extend(line.verdicts.iter().map(|verdict| verdict.text(6, view)));
        }
        out.push('\n');
        out.extend(self.accept.iter().map(|accept| view.wrap(&format!("accept: {accept}"), 0)));
        out.extend(self.other.iter().map(|verdict| verdict.text(0, view)));
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
            out.raw("verdicts", list(line.verdicts.iter().map(Verdict::object)));
            out.finish()
        };
        out.raw("lines", list(self.lines.iter().map(line)));
        out.text_or_null("accept", self.accept.as_deref());
        out.raw("violations", list(self.violations().map(Verdict::object)));
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Colour;
    use super::*;
    use crate::wire::head::{HeadLimits, HeadParser};

    const VIEW: View = View { width: 80, colour: Colour::Off };

    fn read(head: &str) -> CheckedHead {
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
    fn s4_2_1_an_item_has_one_verdict() {
        let old = RIGHT.replace("HTTP/1.1", "HTTP/1.0");
        let post = RIGHT.replace("GET", "DELETE");
        for (head, id) in [(&old, "4.2.1-d"), (&post, "4.2.1-c")] {
            let text = read(head).text(VIEW);
            assert!(text.contains(&format!("4.2.1 item 1, {id})")), "{text}");
            assert_eq!(text.matches("4.2.1 item 1").count(), 1, "{text}");
            assert_eq!(text.matches("VIOLATION").count(), 1, "{text}");
        }
    }

    #[test]
    fn content_of_a_request_is_a_violation_and_its_absence_is_not_mentioned() {
        let with = |field: &str| RIGHT.replace("Upgrade: w", &format!("{field}\r\nUpgrade: w"));
        for field in ["Content-Length: 4", "Transfer-Encoding: chunked"] {
            let head = read(&with(field));
            let words = head.text(VIEW).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(!head.conforms() && words.contains(", H-31)"), "{words}");
        }
        let text = read(&with("Content-Length: 0")).text(VIEW);
        assert_eq!(text.matches("right (").count(), 6, "{text}");
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
