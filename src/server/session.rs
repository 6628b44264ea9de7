//! One client's life: greet, converse, part.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::http::{HttpConnection, Upgrade};
use super::limits::{CLOSE_TIMEOUT, SEND_TIMEOUT};
use super::log::{Event as LogEvent, Peer};
use super::message_handler::MessageHandler;
use super::resource::Resource;
use super::room::{Room, Seat};
use super::send_queue::{Backlog, SendQueue, SendState};
use super::trace::{Tap, Trace};
use super::{CountGuard, Server, close_for_shutdown};
use crate::net::stream::{Stream, lingering_close};
use crate::wire::close::{Close, Violation};
use crate::wire::frame::{self, Opcode, Role};
use crate::wire::message::{Event, Receiver};

/// The body of a connection's thread.
pub fn serve(server: &'static Server, peer: Peer, stream: Stream) {
    let _ = stream.set_nodelay(true); // a chat message is small and wanted now
    if let Some(upgrade) = HttpConnection::new(server, peer, Arc::clone(&stream)).greet() {
        let theirs = Arc::clone(&stream);
        let talk = AssertUnwindSafe(|| talk(server, peer, theirs, upgrade));
        if catch_unwind(talk).is_err() {
            lingering_close(&stream, CLOSE_TIMEOUT); // the hook has told of the panic; its Close is to arrive
        }
    }
}

/// Like its three parts it is never inlined: a page of stack that was touched stays with the thread, of
/// which there are thousands, so what only one part needs is to lie where another's lay before.
#[inline(never)]
fn talk(server: &'static Server, peer: Peer, stream: Stream, upgrade: Upgrade) {
    let _upgraded = CountGuard::new(&server.upgraded);
    let resource = upgrade.resource;
    match enter(server, peer, stream, upgrade) {
        Ok(mut member) => {
            match resource {
                Resource::Chat => server.log.log(Some(peer), LogEvent::Welcomed),
                Resource::Echo => (),
                Resource::Wire => server.log.log(Some(peer), LogEvent::Inspecting),
            }
            let parting = member.converse();
            member.part(parting);
        }
        Err(_) => server.log.log(Some(peer), LogEvent::NegotiationFailed),
    }
}

/// A seat in the room, the 101, and the welcome before anything that is said there: the two in one
/// write, since each would wake the client.
#[inline(never)]
fn enter(
    server: &'static Server,
    peer: Peer,
    stream: Stream,
    upgrade: Upgrade,
) -> io::Result<Box<Member>> {
    let Upgrade { resource, acceptance, unread } = upgrade;
    stream.set_read_timeout(None)?;
    let response = acceptance.response();
    let trace = Trace::of(server, peer).and_then(|trace| show_head(trace, resource, &response));
    stream.set_write_timeout(Some(SEND_TIMEOUT))?;

    let send_queue = SendQueue::new(peer, Arc::clone(&stream), &server.metrics, trace);
    let watching =
        (resource == Resource::Wire).then(|| CountGuard::new(&server.inspect_queue.watching));
    let seat = room(server, resource).join(&send_queue);
    if server.is_stopping() {
        close_for_shutdown(&send_queue); // those who stop it have looked around before
    }
    match resource {
        Resource::Chat => welcome(server, &send_queue, &response)?,
        Resource::Echo | Resource::Wire => send_queue.open(response.as_bytes(), &[])?,
    }
    server.metrics.incoming.bytes.add(unread.len() as u64);
    let receiver = Receiver::new(Role::Client, server.options.limits.max_message, &unread);
    let mut tap = trace.map(Trace::tap);
    if let Some(tap) = &mut tap {
        tap.received(&unread);
    }
    let handler = MessageHandler::new(server, resource, send_queue);
    Ok(Box::new(Member { stream, seat, receiver, handler, tap, _watching: watching }))
}

/// Shows the 101; what shows the frames behind it, unless those would show themselves.
fn show_head(trace: Trace, resource: Resource, response: &str) -> Option<Trace> {
    let (head, frames) = match resource {
        Resource::Chat | Resource::Echo => (Some(trace), Some(trace)),
        Resource::Wire => (trace.unseen(), None),
    };
    if let Some(head) = head {
        head.head(Role::Server, response.as_bytes());
    }
    frames
}

fn room(server: &Server, resource: Resource) -> &Room {
    match resource {
        Resource::Chat => &server.chat,
        Resource::Echo => &server.echo,
        Resource::Wire => &server.inspect_queue.room,
    }
}

fn welcome(server: &Server, send_queue: &Arc<SendQueue>, response: &str) -> io::Result<()> {
    let mut octets = Vec::new();
    frame::encode(Opcode::Text, None, server.options.welcome.as_bytes(), &mut octets);
    send_queue.open(response.as_bytes(), &octets)?;
    server.metrics.outgoing.messages.add(1);
    server.metrics.outgoing.frames(Opcode::Text, 1);
    Ok(())
}

/// A client after its upgrade; on the heap, since on the stack each move of it takes its size again.
struct Member {
    stream: Stream,
    seat: Seat<'static>,
    receiver: Receiver,
    handler: MessageHandler,
    /// Sees what the receiver sees, if the wire is shown.
    tap: Option<Tap>,
    /// While it looks at the wire itself.
    _watching: Option<CountGuard>,
}

/// Why a conversation ended.
enum Disconnect {
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
    #[inline(never)]
    fn converse(&mut self) -> Disconnect {
        let incoming = &self.handler.server.metrics.incoming;
        loop {
            let parting = self.hear();
            incoming.count(self.receiver.take_counts());
            if let Err(error) = self.handler.flush() {
                return Disconnect::Broken(error);
            }
            if let Some(parting) = parting {
                return parting;
            }
            let space = self.receiver.spare_capacity();
            match (&*self.stream).read(space) {
                Ok(0) => return Disconnect::Ended,
                Ok(count) => {
                    if let Some(tap) = &mut self.tap {
                        tap.received(&space[..count]);
                    }
                    self.receiver.advance(count);
                    self.handler.send_queue.activity.beat();
                    incoming.bytes.add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Disconnect::Broken(error),
            }
        }
    }

    fn hear(&mut self) -> Option<Disconnect> {
        self.handler.is_open = self.handler.send_queue.look(SendState::is_open);
        loop {
            match self.receiver.next() {
                Ok(None) => return None,
                Ok(Some(Event::Close(close))) => return Some(Disconnect::Closed(close)),
                Ok(Some(Event::Text(text))) => self.handler.text(text),
                Ok(Some(Event::Binary(octets))) => self.handler.binary(octets),
                Ok(Some(Event::Ping(payload))) => self.handler.ping(payload),
                Ok(Some(Event::Pong(_))) => (), // its arrival was the point
                Err(violation) => return Some(Disconnect::Violation(violation)),
            }
        }
    }

    /// Answers the last word and ends the connection so that the answer arrives.
    #[inline(never)]
    fn part(self: Box<Self>, parting: Disconnect) {
        let Self { stream, seat, handler, tap, .. } = *self;
        if let Some(tap) = tap {
            tap.ended();
        }
        let MessageHandler { server, send_queue, last_said, .. } = &handler;
        server.broadcast_queue.wait_until_delivered(*last_said); // the speaker hears its own words before the Close
        let ours = send_queue.look(SendState::said_close);
        let theirs = match &parting {
            Disconnect::Closed(close) => {
                server.metrics.incoming.close(close);
                send_queue.close(close.reply(), Backlog::Flush, CLOSE_TIMEOUT);
                Some(close.clone())
            }
            Disconnect::Violation(violation) => {
                send_queue.close(violation.close(), Backlog::Discard, CLOSE_TIMEOUT);
                Some(violation.close())
            }
            Disconnect::Ended | Disconnect::Broken(_) => None,
        };
        drop(seat);
        match (ours.or(theirs), &parting) {
            (Some(close), _) => server.log.log(Some(send_queue.peer), LogEvent::Closed(&close)),
            (None, Disconnect::Broken(error)) => tell_of(server, send_queue, &error.to_string()),
            (None, _) => tell_of(server, send_queue, "connection ended without a Close frame"),
        }
        if matches!(parting, Disconnect::Closed(_) | Disconnect::Violation(_)) {
            send_queue.finish(CLOSE_TIMEOUT);
            lingering_close(&stream, CLOSE_TIMEOUT);
        }
        send_queue.hang_up(); // wakes a writer that is still at it
    }
}

/// What the writing side knows of a broken connection is more than what the reading side sees.
fn tell_of(server: &Server, send_queue: &SendQueue, what: &str) {
    let what = send_queue.look(SendState::fault).unwrap_or_else(|| what.to_owned());
    server.log.log(Some(send_queue.peer), LogEvent::Errored(&what));
}
