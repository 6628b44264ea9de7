//! A client before its upgrade: requests in HTTP, answered until one of them asks for a WebSocket that
//! it can have.
//!
//! The RFC gives no order for a request with several defects. Here it is: a place for the client (the
//! listener: who is too many is not read at all), the head line by line with its sizes as they come, its
//! framing and Host, the path, the method, content, section 4.2.1 ([`AcceptedHandshake::of`]), the origin.

use std::io::{self, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::inspect::Inspection;
use super::limits::{CLOSE_TIMEOUT, HEAD};
use super::log::{Event, Peer};
use super::origin::{Interface, may_connect};
use super::pages::Page;
use super::trace::Trace;
use super::{Server, unix_time};
use crate::net::stream::{READ, Stream, is_timeout, lingering_close, read_before};
use crate::wire::frame::Role;
use crate::wire::handshake::AcceptedHandshake;
use crate::wire::head::HeadParser;
use crate::wire::http::{Method, Request};
use crate::wire::refusal::Refusal;
use crate::wire::response::Response;

/// What is spoken over WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `/chat`: everyone hears.
    Chat,
    /// `/echo`: the speaker alone hears.
    Echo,
    /// `/wire`: what crosses the wire of the other two.
    Wire,
}

impl Resource {
    /// What is at `path`.
    fn at(path: &str, inspection: Inspection) -> Option<Self> {
        match path {
            "/chat" => Some(Self::Chat),
            "/echo" => Some(Self::Echo),
            "/wire" if inspection != Inspection::Off => Some(Self::Wire),
            _ => None,
        }
    }
}

/// A request that can be answered with 101.
pub struct Upgrade {
    /// What is wanted.
    pub resource: Resource,
    /// The answer.
    pub acceptance: AcceptedHandshake,
    /// What came behind the head: the first frames may share its segment.
    pub unread: Vec<u8>,
}

/// How an exchange in HTTP ended that did not become a WebSocket.
enum HttpEnd {
    /// With a refusal, and the part of the request that was at fault.
    Refused(Refusal, String),
    /// The client left in the middle of its request.
    Gone,
    /// Every request was answered; there may have been none.
    Served,
}

impl From<Refusal> for HttpEnd {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal, String::new())
    }
}

/// A client before its upgrade.
pub struct HttpConnection {
    server: &'static Server,
    peer: Peer,
    stream: Stream,
    trace: Option<Trace>,
    /// Where the exchange under way is shown.
    shown: Option<Trace>,
    /// What came and is not consumed.
    unread: Vec<u8>,
    /// The method of the latest request: an answer to HEAD has no content.
    asked: Method,
}

impl HttpConnection {
    /// A client that has said nothing yet.
    #[must_use]
    pub fn new(server: &'static Server, peer: Peer, stream: Stream) -> Self {
        let trace = Trace::of(server, peer);
        Self { server, peer, stream, trace, shown: trace, unread: Vec::new(), asked: Method::Get }
    }

    /// Speaks HTTP until there is an upgrade, or an end. What that takes of the stack is free afterwards.
    #[inline(never)]
    pub fn greet(mut self) -> Option<Upgrade> {
        match self.serve_pages() {
            Ok((resource, acceptance)) => {
                return Some(Upgrade { resource, acceptance, unread: self.unread });
            }
            Err(HttpEnd::Refused(refusal, part)) => self.refuse(refusal, &part),
            Err(HttpEnd::Gone) => self.server.log.log(Some(self.peer), Event::NegotiationFailed),
            Err(HttpEnd::Served) => lingering_close(&self.stream, CLOSE_TIMEOUT),
        }
        None
    }

    /// Answers requests for pages, until one asks for an upgrade that it can have.
    fn serve_pages(&mut self) -> Result<(Resource, AcceptedHandshake), HttpEnd> {
        let mut late = HttpEnd::from(Refusal::Timeout);
        loop {
            let request = self.read_head(late)?;
            late = HttpEnd::Served; // a client that asks for nothing more has had its answers
            let inspection = self.server.options.inspection;
            let Some(resource) = Resource::at(request.path(), inspection) else {
                self.show_page(&request)?;
                continue;
            };
            if request.method != Method::Get {
                return Err(Refusal::OnlyGet.into());
            }
            let acceptance = self.check_upgrade(&request)?;
            if resource == Resource::Wire && !inspection.admits(self.peer.address.ip(), &request) {
                return Err(Refusal::WireHidden.into());
            }
            return Ok((resource, acceptance));
        }
    }

    /// Reads one head, however its octets are cut, before the deadline. What it means if not one octet
    /// came by then is for the caller to say.
    fn read_head(&mut self, late: HttpEnd) -> Result<Request, HttpEnd> {
        let deadline = Instant::now() + self.server.options.limits.handshake_timeout;
        let mut parser = HeadParser::new(HEAD);
        loop {
            self.asked = Method::leading(&self.unread);
            self.shown = self.trace;
            let parsed = parser.advance(&self.unread);
            if let (Some(trace), Err(_)) = (self.trace, &parsed) {
                trace.head(Role::Client, &self.unread);
            }
            if let Some((request, size)) = parsed? {
                self.shown = self.trace.and_then(|trace| match request.path() {
                    "/chat" | "/echo" => Some(trace),
                    _ => trace.unseen(),
                });
                if let Some(trace) = self.shown {
                    trace.head(Role::Client, &self.unread[..size]);
                }
                self.unread.drain(..size);
                return Ok(request);
            }
            let is_silent = self.unread.is_empty();
            let start = self.unread.len();
            self.unread.resize(start + READ, 0);
            let read = read_before(deadline, &self.stream, &mut self.unread[start..]);
            self.unread.truncate(start + read.as_ref().map_or(0, |count| *count));
            match read {
                Ok(0) if is_silent => return Err(HttpEnd::Served),
                Ok(0) => return Err(HttpEnd::Gone),
                Ok(_) => (),
                Err(error) if is_timeout(&error) && is_silent => return Err(late),
                Err(error) if is_timeout(&error) => return Err(Refusal::Timeout.into()),
                Err(_) => return Err(HttpEnd::Gone),
            }
        }
    }

    /// Section 4.2.1, then what the RFC leaves to the server: the origin, and whether it stops.
    fn check_upgrade(&self, request: &Request) -> Result<AcceptedHandshake, HttpEnd> {
        if request.has_content()? {
            return Err(Refusal::Content.into());
        }
        let acceptance = AcceptedHandshake::of(request)?;
        let origin = request.fields.values("Origin").next();
        let is_local =
            self.stream.local_addr().is_ok_and(|at| at.ip().to_canonical().is_loopback());
        let over = if is_local { Interface::Loopback } else { Interface::Network };
        if !may_connect(origin, &request.host, over, &self.server.options.origins) {
            let origin = String::from_utf8_lossy(origin.unwrap_or_default()).into_owned();
            return Err(HttpEnd::Refused(Refusal::OriginForbidden, origin));
        }
        if self.server.is_stopping() {
            return Err(Refusal::Stopping.into());
        }
        Ok(acceptance)
    }

    fn show_page(&mut self, request: &Request) -> Result<(), HttpEnd> {
        let inspection = self.server.options.inspection;
        let page = match request.path() {
            "/" => Page::client(inspection.notice(self.peer.address.ip(), request)),
            "/healthz" if self.server.is_stopping() => return Err(Refusal::Stopping.into()),
            "/healthz" => Page::health(),
            "/metrics" => Page::metrics(&self.server.metrics, self.server.open.load(Relaxed)),
            other => return Err(HttpEnd::Refused(Refusal::NotFound, other.to_owned())),
        };
        if request.method == Method::Other {
            return Err(Refusal::OnlyGetOrHead.into());
        }
        if request.has_content()? {
            return Err(Refusal::Content.into());
        }
        self.write(&page.response(request)).map_err(|_| HttpEnd::Gone)?;
        if request.is_persistent() { Ok(()) } else { Err(HttpEnd::Served) }
    }

    /// Says no, in words, and lets the answer arrive.
    fn refuse(&self, refusal: Refusal, part: &str) {
        self.server.metrics.refuse(refusal);
        self.server.log.log(Some(self.peer), Event::Refused(refusal, part));
        if self.write(&refusal.response()).is_ok() {
            lingering_close(&self.stream, CLOSE_TIMEOUT);
        }
    }

    /// A client that does not read is not waited for longer than for one that does not write.
    fn write(&self, response: &Response) -> io::Result<()> {
        self.stream.set_write_timeout(Some(self.server.options.limits.handshake_timeout))?;
        let octets = response.encode(self.asked, unix_time().as_secs());
        if let Some(trace) = self.shown {
            let content = if self.asked == Method::Head { 0 } else { response.content.len() };
            trace.head(Role::Server, &octets[..octets.len() - content]);
        }
        (&*self.stream).write_all(&octets)
    }
}
