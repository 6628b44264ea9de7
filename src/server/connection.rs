//! One client's life: greet, converse, part.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::herald::{Batch, Ticket};
use super::limits::{CLOSING_MAX, HEAD};
use super::log::{Event as Told, Peer};
use super::origin::{Interface, may_connect};
use super::outbox::{Outbox, Rest};
use super::pages::Page;
use super::room::Seat;
use super::trace::{Tap, Trace};
use super::{Counted, Server, Stream};
use crate::wire::close::{Close, CloseCode, Violation};
use crate::wire::frame::{self, Opcode, Role};
use crate::wire::handshake::Acceptance;
use crate::wire::http::{HeadParser, Method, Request, Response};
use crate::wire::message::{Event, Receiver};
use crate::wire::refusal::Refusal;

/// The body of a connection's thread.
pub fn serve(server: &'static Server, peer: Peer, stream: Stream) {
    let _ = stream.set_nodelay(true); // a chat message is small and wanted now
    let trace = Trace::of(server.options.tracing, server.log, peer);
    let mut visitor = Visitor { server, peer, stream, trace, unread: Vec::new() };
    match visitor.greet() {
        Ok((resource, acceptance)) => {
            let _upgraded = Counted::new(&server.upgraded);
            match visitor.upgrade(resource, &acceptance) {
                Ok(mut member) => {
                    let parting = member.converse();
                    member.part(parting);
                }
                Err(_) => server.log.tell(Some(peer), Told::NegotiationFailed),
            }
        }
        Err(Farewell::Refused(refusal, part)) => visitor.refuse(refusal, &part),
        Err(Farewell::Gone) => server.log.tell(Some(peer), Told::NegotiationFailed),
        Err(Farewell::Served) => part_in_stages(&visitor.stream),
    }
}

/// What is spoken over WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource {
    /// `/chat`: everyone hears.
    Chat,
    /// `/echo`: the speaker alone hears.
    Echo,
}

/// How an exchange in HTTP ended that did not become a WebSocket.
enum Farewell {
    /// With a refusal, and the part of the request that was at fault.
    Refused(Refusal, String),
    /// The client left in the middle of its request, or never sent one.
    Gone,
    /// Every request was answered.
    Served,
}

impl From<Refusal> for Farewell {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal, String::new())
    }
}

/// A client before its upgrade.
struct Visitor {
    server: &'static Server,
    peer: Peer,
    stream: Stream,
    trace: Option<Trace>,
    /// What came and is not consumed: the first frames may share a segment with the head.
    unread: Vec<u8>,
}

impl Visitor {
    /// Answers requests for pages, until one asks for an upgrade that it can have.
    fn greet(&mut self) -> Result<(Resource, Acceptance), Farewell> {
        let mut is_first = true;
        loop {
            let request = self.read_head(is_first)?;
            is_first = false;
            let resource = match request.path() {
                "/chat" => Resource::Chat,
                "/echo" => Resource::Echo,
                _ => {
                    self.show_page(&request)?;
                    continue;
                }
            };
            if request.method != Method::Get {
                return Err(Refusal::OnlyGet.into());
            }
            return Ok((resource, self.check_upgrade(&request)?));
        }
    }

    /// Reads one head, however its octets are cut, before the deadline.
    fn read_head(&mut self, is_first: bool) -> Result<Request, Farewell> {
        let deadline = Instant::now() + self.server.options.limits.handshake_max;
        let mut parser = HeadParser::new(HEAD);
        loop {
            if let Some((request, size)) = parser.advance(&self.unread)? {
                if let Some(trace) = self.trace {
                    trace.head(Role::Client, &self.unread[..size]);
                }
                self.unread.drain(..size);
                return Ok(request);
            }
            let is_idle = !is_first && self.unread.is_empty();
            let start = self.unread.len();
            self.unread.resize(start + READ, 0);
            let read = read_before(deadline, &self.stream, &mut self.unread[start..]);
            self.unread.truncate(start + read.as_ref().map_or(0, |count| *count));
            match read {
                Ok(0) if is_idle => return Err(Farewell::Served),
                Ok(0) => return Err(Farewell::Gone),
                Ok(_) => (),
                Err(error) if is_timeout(&error) && is_idle => return Err(Farewell::Served),
                Err(error) if is_timeout(&error) => return Err(Refusal::Timeout.into()),
                Err(_) => return Err(Farewell::Gone),
            }
        }
    }

    /// Section 4.2.1, then what the RFC leaves to the server: origin and capacity.
    fn check_upgrade(&self, request: &Request) -> Result<Acceptance, Farewell> {
        if request.has_content()? {
            return Err(Refusal::Content.into());
        }
        let acceptance = Acceptance::of(request)?;
        let origin = request.values("Origin").next();
        let is_local =
            self.stream.local_addr().is_ok_and(|at| at.ip().to_canonical().is_loopback());
        let over = if is_local { Interface::Loopback } else { Interface::Network };
        if !may_connect(origin, &request.host, over, &self.server.options.origins) {
            let origin = String::from_utf8_lossy(origin.unwrap_or_default()).into_owned();
            return Err(Farewell::Refused(Refusal::OriginForbidden, origin));
        }
        if self.server.is_stopping() {
            return Err(Refusal::Stopping.into());
        }
        Ok(acceptance)
    }

    fn show_page(&mut self, request: &Request) -> Result<(), Farewell> {
        let page = match request.path() {
            "/" => Page::client(),
            "/healthz" if self.server.is_stopping() => return Err(Refusal::Stopping.into()),
            "/healthz" => Page::health(),
            "/metrics" => Page::metrics(&self.server.metrics, self.server.open.load(Relaxed)),
            other => return Err(Farewell::Refused(Refusal::NotFound, other.to_owned())),
        };
        if request.method == Method::Other {
            return Err(Refusal::OnlyGetOrHead.into());
        }
        if request.has_content()? {
            return Err(Refusal::Content.into());
        }
        self.write(&page.response(request), request.method).map_err(|_| Farewell::Gone)?;
        if request.is_persistent() { Ok(()) } else { Err(Farewell::Served) }
    }

    /// Says no, in words, and lets the answer arrive.
    fn refuse(&self, refusal: Refusal, part: &str) {
        self.server.metrics.refuse(refusal);
        self.server.log.tell(Some(self.peer), Told::Refused(refusal, part));
        // HEAD is told the same as GET; its reader ignores the content, as the connection ends.
        if self.write(&refusal.response(), Method::Get).is_ok() {
            part_in_stages(&self.stream);
        }
    }

    /// A client that does not read is not waited for longer than for one that does not write.
    fn write(&self, response: &Response, asked: Method) -> io::Result<()> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.stream.set_write_timeout(Some(self.server.options.limits.handshake_max))?;
        let octets = response.encode(asked, now.as_secs());
        if let Some(trace) = self.trace {
            trace.head(Role::Server, &octets[..octets.len() - response.content.len()]);
        }
        (&*self.stream).write_all(&octets)
    }

    /// The 101, the welcome, a seat in the room: in this order, so that the welcome comes first.
    fn upgrade(self, resource: Resource, acceptance: &Acceptance) -> io::Result<Member> {
        let Self { server, peer, stream, trace, unread } = self;
        stream.set_read_timeout(None)?;
        stream.set_write_timeout(None)?;
        let response = acceptance.response();
        if let Some(trace) = trace {
            trace.head(Role::Server, response.as_bytes());
        }
        (&*stream).write_all(response.as_bytes())?;

        let outbox = Outbox::new(peer, Arc::clone(&stream), &server.metrics, trace);
        let room = match resource {
            Resource::Chat => {
                welcome(server, &outbox)?;
                &server.chat
            }
            Resource::Echo => &server.echo,
        };
        let seat = room.join(&outbox);
        if server.is_stopping() {
            super::listener::dismiss(&outbox); // those who stop it have looked around before
        }
        let receiver = Receiver::new(Role::Client, server.options.limits.message_max, &unread);
        let speech = Speech {
            server,
            resource,
            outbox,
            is_open: true,
            batch: Batch::default(),
            answers: Vec::new(),
            lines: String::new(),
            last_said: Ticket::default(),
        };
        let mut tap = trace.map(Trace::tap);
        if let Some(tap) = &mut tap {
            tap.received(&unread);
        }
        Ok(Member { stream, seat, receiver, speech, tap })
    }
}

fn welcome(server: &Server, outbox: &Arc<Outbox>) -> io::Result<()> {
    let mut octets = Vec::new();
    frame::encode(Opcode::Text, None, server.options.welcome.as_bytes(), &mut octets);
    outbox.send(&octets)?;
    server.metrics.outgoing.messages.add(1);
    server.metrics.outgoing.frames(Opcode::Text, 1);
    server.log.tell(Some(outbox.peer), Told::Welcomed);
    Ok(())
}

/// A client after its upgrade.
struct Member {
    stream: Stream,
    seat: Seat<'static>,
    receiver: Receiver,
    speech: Speech,
    /// Sees what the receiver sees, if the wire is shown.
    tap: Option<Tap>,
}

/// Why a conversation ended.
enum Parting {
    /// The client said Close.
    Closed(Close),
    /// The client broke the protocol: we close with its verdict.
    Violation(Violation),
    /// The connection ended without a Close.
    Ended,
    /// The socket broke: there is nobody to answer.
    Broken(io::Error),
}

impl Member {
    /// Hears all that one read brought, hands it over, and reads again.
    fn converse(&mut self) -> Parting {
        let incoming = &self.speech.server.metrics.incoming;
        loop {
            let parting = self.hear();
            incoming.count(self.receiver.take_counts());
            if let Err(error) = self.speech.hand_over() {
                return Parting::Broken(error);
            }
            if let Some(parting) = parting {
                return parting;
            }
            let space = self.receiver.space();
            match (&*self.stream).read(space) {
                Ok(0) => return Parting::Ended,
                Ok(count) => {
                    if let Some(tap) = &mut self.tap {
                        tap.received(&space[..count]);
                    }
                    self.receiver.filled(count);
                    self.speech.outbox.hear();
                    incoming.bytes.add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Parting::Broken(error),
            }
        }
    }

    fn hear(&mut self) -> Option<Parting> {
        self.speech.is_open = self.speech.outbox.is_open();
        loop {
            match self.receiver.next() {
                Ok(None) => return None,
                Ok(Some(Event::Close(close))) => return Some(Parting::Closed(close)),
                Ok(Some(Event::Text(text))) => self.speech.text(text),
                Ok(Some(Event::Binary(octets))) => self.speech.binary(octets),
                Ok(Some(Event::Ping(payload))) => self.speech.ping(payload),
                Ok(Some(Event::Pong(_))) => (), // its arrival was the point
                Err(violation) => return Some(Parting::Violation(violation)),
            }
        }
    }

    /// Answers the last word and ends the connection so that the answer arrives.
    fn part(self, parting: Parting) {
        let Self { stream, seat, speech, .. } = self;
        let Speech { server, outbox, last_said, .. } = &speech;
        server.desk.settle(*last_said); // the speaker hears its own words before the Close
        let ours = outbox.said_close();
        let theirs = match &parting {
            Parting::Closed(close) => {
                server.metrics.incoming.close(close);
                outbox.close(close.reply(), Rest::Sent, CLOSING_MAX);
                Some(close.clone())
            }
            Parting::Violation(violation) => {
                outbox.close(violation.close(), Rest::Sent, CLOSING_MAX);
                Some(violation.close())
            }
            Parting::Ended | Parting::Broken(_) => None,
        };
        drop(seat);
        match (ours.or(theirs), &parting) {
            (Some(close), _) => server.log.tell(Some(outbox.peer), Told::Closed(&close)),
            (None, Parting::Broken(error)) => tell_of(server, outbox, &error.to_string()),
            (None, _) => tell_of(server, outbox, "connection ended without a Close frame"),
        }
        if matches!(parting, Parting::Closed(_) | Parting::Violation(_)) {
            outbox.finish(CLOSING_MAX);
            part_in_stages(&stream);
        }
        outbox.hang_up(); // wakes a writer that is still at it
    }
}

/// What the writing side knows of a broken connection is more than what the reading side sees.
fn tell_of(server: &Server, outbox: &Outbox, what: &str) {
    let what = outbox.fault().unwrap_or_else(|| what.to_owned());
    server.log.tell(Some(outbox.peer), Told::Errored(&what));
}

/// A panic ends this connection alone, and says so where it can.
impl Drop for Speech {
    fn drop(&mut self) {
        if thread::panicking() {
            let close = Close::new(CloseCode::INTERNAL_ERROR, "internal error");
            self.outbox.close(close, Rest::Dropped, CLOSING_MAX);
        }
    }
}

/// What a member's words lead to, collected over one read.
struct Speech {
    server: &'static Server,
    resource: Resource,
    outbox: Arc<Outbox>,
    /// After a Close of our own everything but the client's is read and dropped.
    is_open: bool,
    /// For everyone.
    batch: Batch,
    /// For the client itself.
    answers: Vec<u8>,
    /// For the log.
    lines: String,
    last_said: Ticket,
}

impl Speech {
    fn text(&mut self, text: &str) {
        if !self.is_open {
            return;
        }
        self.server.metrics.incoming.messages.add(1);
        match self.resource {
            Resource::Chat => {
                #[cfg(test)]
                assert_ne!(text, "panic", "a member asked for it");
                self.batch.say(text);
                self.server.log.add(Some(self.outbox.peer), Told::Said(text), &mut self.lines);
            }
            Resource::Echo => self.echo(Opcode::Text, text.as_bytes()),
        }
    }

    fn binary(&mut self, octets: &[u8]) {
        if !self.is_open {
            return;
        }
        self.server.metrics.incoming.messages.add(1);
        match self.resource {
            Resource::Chat => {
                let close = Close::new(CloseCode::UNSUPPORTED_DATA, "this chat takes text only");
                self.outbox.close(close, Rest::Sent, CLOSING_MAX);
                self.is_open = false;
            }
            Resource::Echo => self.echo(Opcode::Binary, octets),
        }
    }

    fn ping(&mut self, payload: &[u8]) {
        match self.resource {
            Resource::Chat => self.outbox.pong(payload),
            Resource::Echo if self.is_open => self.answer(Opcode::Pong, payload),
            Resource::Echo => (),
        }
    }

    fn echo(&mut self, opcode: Opcode, octets: &[u8]) {
        self.answer(opcode, octets);
        self.server.metrics.outgoing.messages.add(1);
    }

    fn answer(&mut self, opcode: Opcode, payload: &[u8]) {
        frame::encode(opcode, None, payload, &mut self.answers);
        self.server.metrics.outgoing.frames(opcode, 1);
    }

    /// Gives away all that was collected. The client's own echo is sent in this thread, so one that
    /// does not read its echo is not read from either.
    fn hand_over(&mut self) -> io::Result<()> {
        self.server.log.hand_over(&mut self.lines);
        if !self.batch.is_empty() {
            self.last_said = self.server.desk.post(&mut self.batch);
        }
        if !self.answers.is_empty() {
            match self.outbox.send(&self.answers) {
                Err(error) if error.kind() != io::ErrorKind::NotConnected => return Err(error),
                Ok(()) | Err(_) => (), // closing: the answers are not wanted any more
            }
            self.answers.clear();
            self.answers.shrink_to(ANSWERS_KEPT);
        }
        Ok(())
    }
}

/// Octets that a read takes before the upgrade and after the end: on the heap, since a page of stack
/// that was touched once stays with the thread.
const READ: usize = 2 * 1024;

/// Octets of buffer that outlive a large echo.
const ANSWERS_KEPT: usize = 2 * 1024;

/// Sections 7.1.1 and 7.1.7: sends FIN, then reads and drops what still comes, until the client's
/// own FIN or a deadline. Closing with unread input would make the kernel send a reset, and a reset
/// can overtake our last words.
fn part_in_stages(stream: &Stream) {
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let deadline = Instant::now() + CLOSING_MAX;
    let mut octets = vec![0; 2 * READ];
    while matches!(read_before(deadline, stream, &mut octets), Ok(1..)) {}
}

/// One read that ends at the deadline, even if the client sends a byte now and then.
fn read_before(deadline: Instant, stream: &Stream, octets: &mut [u8]) -> io::Result<usize> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match (&**stream).read(octets) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            ended => return ended,
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
