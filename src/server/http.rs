//! A client before its upgrade: HTTP requests are answered until one asks for a WebSocket and may have it.
//!
//! The RFC gives no order in which the defects of a request are reported. The order here is: the connection
//! limit and a shutdown (the listener rejects the connection and does not read from it), the head line by
//! line with its sizes, its framing and Host, the path. For a WebSocket section 4.2.1 with the method and
//! content ([`AcceptedHandshake::of`]), the origin, a shutdown that has begun since, and who may open `/wire`
//! follow. For a page, a shutdown (at `/healthz`), the method and content follow.

use std::io::{self, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::clock::unix_time;
use super::inspect::Inspection;
use super::limits::{CLOSE_TIMEOUT, HEAD};
use super::log::LogEvent;
use super::origin::may_connect;
use super::pages::Page;
use super::resource::Resource;
use super::state::Server;
use super::trace::Trace;
use crate::net::stream::{Peer, READ_SIZE, SharedStream, is_timeout, lingering_close, read_before};
use crate::wire::frame::Role;
use crate::wire::handshake::AcceptedHandshake;
use crate::wire::head::HeadParser;
use crate::wire::http::{Method, Request};
use crate::wire::refusal::Refusal;
use crate::wire::response::Response;

/// A request that is answered with 101.
pub struct Upgrade {
    /// The resource.
    pub resource: Resource,
    /// The accepted handshake.
    pub handshake: AcceptedHandshake,
}

/// How the HTTP connection ends without a WebSocket.
enum HttpEnd {
    /// With a refusal, and the part of the request that is at fault.
    Refused(Refusal, String),
    /// The client closed in the middle of a request, or the connection failed.
    Aborted,
    /// Every request was answered; there may have been none.
    Served,
}

impl From<Refusal> for HttpEnd {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal, String::new())
    }
}

/// A connection before its upgrade.
pub struct HttpConnection {
    /// The state that all threads share.
    pub server: &'static Server,
    /// The client.
    pub peer: Peer,
    /// The connection.
    pub stream: SharedStream,
    trace: Trace,
    /// The trace of the current request and its response.
    pub exchange_trace: Trace,
    /// Received bytes that are not parsed yet. After an upgrade the first frames may be among them.
    pub unread: Vec<u8>,
    /// The method of the current request: the response to HEAD has no content.
    method: Method,
}

impl HttpConnection {
    /// A connection from which nothing was read.
    pub fn new(server: &'static Server, peer: Peer, stream: SharedStream) -> Self {
        let is_inspected = server.options.inspection != Inspection::Off;
        let inspect_queue = is_inspected.then_some(&server.inspect_queue);
        let trace = Trace { peer, tracing: server.options.tracing, log: server.log, inspect_queue };
        let (unread, method) = (Vec::new(), Method::Get);
        Self { server, peer, stream, trace, exchange_trace: trace, unread, method }
    }

    /// Answers requests until one is an upgrade, or the connection ends. Not inlined, so that the session
    /// can use the same pages of the stack.
    #[inline(never)]
    pub fn run(&mut self) -> Option<Upgrade> {
        match self.serve_requests() {
            Ok(upgrade) => return Some(upgrade),
            Err(HttpEnd::Refused(refusal, part)) => self.refuse(refusal, &part),
            Err(HttpEnd::Aborted) => {
                self.server.log.log(Some(self.peer), LogEvent::NegotiationFailed);
            }
            Err(HttpEnd::Served) => lingering_close(&self.stream, CLOSE_TIMEOUT),
        }
        None
    }

    /// Answers requests for pages, until a request can be upgraded.
    fn serve_requests(&mut self) -> Result<Upgrade, HttpEnd> {
        let mut on_idle = HttpEnd::from(Refusal::Timeout);
        loop {
            let request = self.read_head(on_idle)?;
            on_idle = HttpEnd::Served; // after a response, a client need not send another request
            match self.resource(&request) {
                Some(resource) => return self.check_upgrade(&request, resource),
                None => self.send_page(&request)?,
            }
        }
    }

    /// Reads one request head within `--handshake-timeout`. If no byte of it arrives, the error is `on_idle`.
    #[inline(never)]
    fn read_head(&mut self, on_idle: HttpEnd) -> Result<Request, HttpEnd> {
        let deadline = Instant::now() + self.server.options.limits.handshake_timeout;
        let mut parser = HeadParser::new(HEAD);
        loop {
            self.method = Method::leading(&self.unread);
            self.exchange_trace = self.trace;
            let parsed = parser.advance(&self.unread);
            self.trace_request(&parsed);
            if let Some((request, size)) = parsed? {
                self.unread.drain(..size);
                return Ok(request);
            }
            let start = self.unread.len();
            self.unread.resize(start + READ_SIZE, 0);
            let read = read_before(deadline, &self.stream, &mut self.unread[start..]);
            self.unread.truncate(start + read.as_ref().map_or(0, |count| *count));
            match read {
                Ok(0) if start == 0 => return Err(HttpEnd::Served),
                Ok(0) => return Err(HttpEnd::Aborted),
                Ok(_) => (),
                Err(error) if is_timeout(&error) && start == 0 => return Err(on_idle),
                Err(error) if is_timeout(&error) => return Err(Refusal::Timeout.into()),
                Err(_) => return Err(HttpEnd::Aborted),
            }
        }
    }

    /// The WebSocket resource that the request names, if there is one.
    fn resource(&self, request: &Request) -> Option<Resource> {
        Resource::at(request.path(), self.server.options.inspection)
    }

    /// Traces a request head. Requests for pages and for `/wire` are traced in the log alone.
    fn trace_request(&mut self, parsed: &Result<Option<(Request, usize)>, Refusal>) {
        let size = match parsed {
            Ok(None) => return,
            Ok(Some((request, size))) => {
                if !matches!(self.resource(request), Some(Resource::Chat | Resource::Echo)) {
                    self.exchange_trace = self.trace.log_only();
                }
                *size
            }
            Err(_) => self.unread.len(),
        };
        self.exchange_trace.head(Role::Client, &self.unread[..size]);
    }

    /// Checks section 4.2.1, then what the RFC leaves to the server: the origin, whether it is stopping, and
    /// who may open `/wire`.
    #[inline(never)]
    fn check_upgrade(&self, request: &Request, resource: Resource) -> Result<Upgrade, HttpEnd> {
        let handshake = AcceptedHandshake::of(request)?;
        let origin = request.fields.values("Origin").next();
        let address = self.stream.local_addr();
        let is_local = address.is_ok_and(|address| address.ip().to_canonical().is_loopback());
        if !may_connect(origin, &request.host, is_local, &self.server.options.origins) {
            let origin = String::from_utf8_lossy(origin.unwrap_or_default()).into_owned();
            return Err(HttpEnd::Refused(Refusal::OriginForbidden, origin));
        }
        if self.server.is_stopping() {
            return Err(Refusal::Stopping.into());
        }
        let inspection = self.server.options.inspection;
        if resource == Resource::Wire && !inspection.admits(self.peer.address.ip(), request) {
            return Err(Refusal::WireHidden.into());
        }
        Ok(Upgrade { resource, handshake })
    }

    /// Answers a request for a page. The error is the end of the connection: a refusal, a failure, or the
    /// response to a request that does not keep the connection open.
    ///
    /// Like the other steps it is never inlined: a thread keeps every page of its stack that it has touched, and
    /// rendering the metrics takes a large part, which a thread that only upgrades does not need.
    #[inline(never)]
    fn send_page(&mut self, request: &Request) -> Result<(), HttpEnd> {
        let Server { options, metrics, open, started, .. } = self.server;
        let page = match request.path() {
            "/" => Page::Client(options.inspection.notice(self.peer.address.ip(), request)),
            "/healthz" if self.server.is_stopping() => return Err(Refusal::Stopping.into()),
            "/healthz" => Page::Health,
            "/metrics" => Page::Metrics(metrics.render(open.load(Relaxed), *started)),
            other => return Err(HttpEnd::Refused(Refusal::NotFound, other.to_owned())),
        };
        if request.method == Method::Other {
            return Err(Refusal::OnlyGetOrHead.into());
        }
        if request.has_content()? {
            return Err(Refusal::Content.into());
        }
        self.write(&page.response(request)).map_err(|_| HttpEnd::Aborted)?;
        if request.is_persistent() { Ok(()) } else { Err(HttpEnd::Served) }
    }

    /// Sends a refusal and closes so that it arrives.
    fn refuse(&self, refusal: Refusal, part: &str) {
        self.server.metrics.refusal(refusal.code());
        self.server.log.log(Some(self.peer), LogEvent::Refused(refusal, part));
        if self.write(&refusal.response()).is_ok() {
            lingering_close(&self.stream, CLOSE_TIMEOUT);
        }
    }

    /// Sends a response. A client that does not read it has as much time as one that does not write.
    fn write(&self, response: &Response) -> io::Result<()> {
        self.stream.set_write_timeout(Some(self.server.options.limits.handshake_timeout))?;
        let (bytes, head_size) = response.encode(self.method, unix_time().as_secs());
        self.exchange_trace.head(Role::Server, &bytes[..head_size]);
        (&*self.stream).write_all(&bytes)
    }
}
