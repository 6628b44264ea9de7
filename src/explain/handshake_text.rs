//! The two heads of the opening handshake, line by line, sections 4.2.1 and 4.2.2.

use super::accept_errors;
use super::json::{Members, list};
use super::view::{Tone, View};
use crate::wire::handshake::{Checked, GUID, accept, check_all};
use crate::wire::http::{Method, Request};
use crate::wire::refusal::Refusal;
use crate::wire::server_response::{ClientOffer, ServerResponse};

/// A head with what is to be said of it.
#[derive(Debug)]
pub struct Head {
    kind: Kind,
    offset: u64,
    size: usize,
    lines: Vec<Line>,
    /// What is wrong and belongs to no line, and what the whole comes to.
    faults: Vec<Verdict>,
    /// What the key makes.
    accept: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Request,
    Response,
}

/// One line of the head.
#[derive(Debug)]
struct Line {
    text: String,
    verdicts: Vec<Verdict>,
}

/// An item of the RFC's list, and whether it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    section: &'static str,
    /// What is wrong; nothing if it is right.
    wrong: Option<&'static str>,
    /// The status that a server answers a wrong request with.
    status: Option<&'static str>,
}

impl Verdict {
    fn right(section: &'static str) -> Self {
        Self { section, wrong: None, status: None }
    }

    fn refused(refusal: Refusal) -> Self {
        let rule = refusal.rule();
        Self { section: rule.section, wrong: Some(rule.sentence), status: Some(rule.status) }
    }

    fn of(section: &'static str, verdict: Result<(), Refusal>) -> Self {
        verdict.map_or_else(Self::refused, |()| Self::right(section))
    }

    /// `right (4.2.1 item 3)`, or what is wrong and what answers it.
    fn sentence(&self) -> String {
        let Self { section, wrong, status } = self;
        let status =
            status.map(|status| format!("; a server answers {status}")).unwrap_or_default();
        format!("{} ({section}){status}", wrong.unwrap_or("right"))
    }
}

/// A request head, or what its octets are refused with.
#[must_use]
pub fn request(offset: u64, octets: &[u8], read: Result<&Request, Refusal>) -> Head {
    let mut head = Head::new(Kind::Request, offset, octets);
    let request = match read {
        Ok(request) => request,
        Err(refusal) => {
            head.faults.push(Verdict::refused(refusal));
            return head;
        }
    };
    let method = if request.method == Method::Get { Ok(()) } else { Err(Refusal::OnlyGet) };
    head.judge("", Verdict::of("4.2.1 item 1", method));
    head.judge("Host", Verdict::right("4.2.1 item 2"));
    for Checked { section: item, header, result: verdict } in check_all(request) {
        if !(header.is_empty() && verdict.is_ok()) {
            head.judge(header, Verdict::of(item, verdict));
        }
    }
    if request.has_content() == Ok(true) {
        head.faults.push(Verdict::refused(Refusal::Content));
    }
    let key = request.fields.values("Sec-WebSocket-Key").next();
    head.accept = key.map(|key| computation(key, "a server answers with"));
    head
}

/// A response head, held against what is known of its request.
#[must_use]
pub fn response(offset: u64, octets: &[u8], answer: &ServerResponse, asked: &ClientOffer) -> Head {
    let mut head = Head::new(Kind::Response, offset, octets);
    for Checked { section: item, header, result: verdict } in answer.check_all(asked) {
        let verdict = match verdict {
            Ok(()) => Verdict::right(item),
            Err(fault) => {
                let rule = fault.rule();
                Verdict { section: rule.section, wrong: Some(rule.sentence), status: None }
            }
        };
        if !(item.starts_with("RFC") && verdict.wrong.is_none()) {
            head.judge(header, verdict);
        }
    }
    let given = answer.fields.values("Sec-WebSocket-Accept").next();
    head.accept = Some(match &asked.key {
        Some(key) => computation(key, "the key makes") + &cause(key, given),
        None => "not recomputed: the key is in the request, and --key gives it".to_owned(),
    });
    head
}

/// The mistake that made a wrong accept value, if it is a known one.
fn cause(key: &[u8], given: Option<&[u8]>) -> String {
    let text = |octets| str::from_utf8(octets).ok();
    let cause = text(key)
        .zip(given.and_then(text))
        .and_then(|(key, given)| accept_errors::find(key, given));
    let names =
        cause.map(|cause| cause.mistakes.iter().map(|mistake| mistake.name).collect::<Vec<_>>());
    names.map(|names| format!("; the mistake: {}", names.join(", and "))).unwrap_or_default()
}

/// Section 4.2.2 item 5.4, as a sum.
fn computation(key: &[u8], who: &str) -> String {
    let mut text = String::new();
    super::printable(&String::from_utf8_lossy(key), 80, &mut text);
    format!("{who} {} = base64(SHA-1(\"{text}{GUID}\")) (4.2.2 item 5.4)", accept(key))
}

impl Head {
    fn new(kind: Kind, offset: u64, octets: &[u8]) -> Self {
        let text = octets.trim_ascii_end();
        let lines = text.split(|octet| *octet == b'\n').map(|line| Line {
            text: String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned(),
            verdicts: vec![],
        });
        let lines = lines.collect();
        Self { kind, offset, size: octets.len(), lines, faults: vec![], accept: None }
    }

    /// Puts a verdict to the first line of that header; what is wrong without one stands alone.
    fn judge(&mut self, header: &str, verdict: Verdict) {
        let is_it = |line: &&mut Line| match line.text.split_once(':') {
            _ if header.is_empty() => true,
            Some((name, _)) => name.eq_ignore_ascii_case(header),
            None => false,
        };
        match self.lines.iter_mut().find(is_it) {
            Some(line) => line.verdicts.push(verdict),
            None if verdict.wrong.is_some() => self.faults.push(verdict),
            None => (),
        }
    }

    fn faults(&self) -> impl Iterator<Item = &Verdict> {
        let of_lines = self.lines.iter().flat_map(|line| &line.verdicts);
        of_lines.chain(&self.faults).filter(|verdict| verdict.wrong.is_some())
    }

    /// Is every item met?
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.faults().next().is_none()
    }

    /// As text: each line with its verdicts, the accept value, the whole.
    #[must_use]
    pub fn page(&self, view: View) -> String {
        let (kind, from) = self.words();
        let last = self.offset + (self.size as u64).saturating_sub(1);
        let heading = format!("{kind} head, octets {} to {last}, from a {from}", self.offset);
        let mut out = view.paint(Tone::Heading, view.wrap(&heading, 0).trim_end());
        out.push_str("\n\n");
        for line in &self.lines {
            let mut text = String::new();
            super::printable(&line.text, 1000, &mut text);
            out.push_str(&view.wrap(&text, 2));
            for verdict in &line.verdicts {
                out.push_str(&render_verdict(verdict, 6, view));
            }
        }
        out.push('\n');
        if let Some(accept) = &self.accept {
            out.push_str(&view.wrap(&format!("accept: {accept}"), 0));
        }
        for verdict in &self.faults {
            out.push_str(&render_verdict(verdict, 0, view));
        }
        if self.conforms() {
            out.push_str(&view.paint(Tone::Right, "verdict: conforming"));
            out.push('\n');
        }
        out
    }

    /// As a JSON object with `kind` (`request` or `response`), `from`, `offset`, `size`, `lines` (each
    /// with `text` and `verdicts`), `accept` and `violations`; a verdict has `section`, `ok`, `sentence`
    /// and `status`.
    #[must_use]
    pub fn object(&self) -> String {
        let (kind, from) = self.words();
        let mut out = Members::default();
        out.text("kind", kind);
        out.text("from", from);
        out.raw("offset", self.offset);
        out.raw("size", self.size);
        out.raw(
            "lines",
            list(self.lines.iter().map(|line| {
                let mut out = Members::default();
                out.text("text", &line.text);
                out.raw("verdicts", list(line.verdicts.iter().map(verdict)));
                out.object()
            })),
        );
        out.quoted("accept", self.accept.as_deref());
        out.raw("violations", list(self.faults().map(verdict)));
        out.object()
    }

    fn words(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::Request => ("request", "client"),
            Kind::Response => ("response", "server"),
        }
    }
}

fn render_verdict(verdict: &Verdict, indent: usize, view: View) -> String {
    let (tone, mark) = match verdict.wrong {
        Some(_) => (Tone::Wrong, "VIOLATION: "),
        None => (Tone::Right, ""),
    };
    let text = view.wrap(&format!("{mark}{}", verdict.sentence()), indent);
    format!("{}\n", view.paint(tone, text.trim_end()))
}

fn verdict(verdict: &Verdict) -> String {
    let mut out = Members::default();
    out.text("section", verdict.section);
    out.raw("ok", verdict.wrong.is_none());
    out.quoted("sentence", verdict.wrong);
    out.quoted("status", verdict.status);
    out.object()
}

#[cfg(test)]
mod tests {
    use super::super::view::Colour;
    use super::*;
    use crate::wire::head::{HeadLimits, HeadParser};

    const VIEW: View = View { width: 80, colour: Colour::Off };

    fn read(octets: &str) -> Head {
        let limits = HeadLimits { head_max: 9000, target_max: 900, fields_max: 90 };
        let read = HeadParser::new(limits).advance(octets.as_bytes());
        let read = read.map(|found| found.unwrap().0);
        request(0, octets.as_bytes(), read.as_ref().map_err(|refusal| *refusal))
    }

    const RIGHT: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";

    #[test]
    fn s1_3_the_request_of_the_rfc() {
        let head = read(RIGHT);
        assert!(head.conforms());
        let page = head.page(VIEW);
        assert_eq!(page.matches("right (4.2.1 item").count(), 6, "{page}");
        assert!(page.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{page}");
    }

    #[test]
    fn s4_2_1_every_item_that_is_not_met_is_told() {
        let wrong = RIGHT.replace("Upgrade: websocket\r\n", "").replace(": 13", ": 12");
        let wrong = wrong.replace("dGhl", "").replace("GET", "POST");
        let page = read(&wrong).page(VIEW);
        for item in ["4.2.1 item 1", "4.2.1 item 3", "4.2.1 item 5", "4.2.2 item 4"] {
            assert!(page.contains(&format!("({item})")), "{item}: {page}");
        }
        assert_eq!(page.matches("VIOLATION").count(), 4, "{page}");
        let page = read(&RIGHT.replace("\r\nHost: ", "\r\nHo\u{9b}st: ")).page(VIEW);
        assert!(page.contains("VIOLATION: a header line is not") && !page.contains('\u{9b}'));
    }
}
