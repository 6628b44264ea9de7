//! One client's life: greet, converse, part.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::greeting::{Resource, Upgrade, Visitor};
use super::limits::{CLOSING_MAX, WRITE_PATIENCE};
use super::log::{Event as Told, Peer};
use super::outbox::{Line, Outbox, Rest};
use super::room::{Room, Seat};
use super::speech::Speech;
use super::stream::{Stream, part_in_stages};
use super::trace::{Tap, Trace};
use super::{Counted, Server, dismiss};
use crate::wire::close::{Close, Violation};
use crate::wire::frame::{self, Opcode, Role};
use crate::wire::message::{Event, Receiver};

/// The body of a connection's thread.
pub fn serve(server: &'static Server, peer: Peer, stream: Stream) {
    let _ = stream.set_nodelay(true); // a chat message is small and wanted now
    if let Some(upgrade) = Visitor::new(server, peer, Arc::clone(&stream)).greet() {
        let theirs = Arc::clone(&stream);
        let talk = AssertUnwindSafe(|| talk(server, peer, theirs, upgrade));
        if catch_unwind(talk).is_err() {
            part_in_stages(&stream); // the hook has told of the panic; its Close is to arrive
        }
    }
}

/// Like its three parts it is never inlined: a page of stack that was touched stays with the thread, of
/// which there are thousands, so what only one part needs is to lie where another's lay before.
#[inline(never)]
fn talk(server: &'static Server, peer: Peer, stream: Stream, upgrade: Upgrade) {
    let _upgraded = Counted::new(&server.upgraded);
    let resource = upgrade.resource;
    match enter(server, peer, stream, upgrade) {
        Ok(mut member) => {
            match resource {
                Resource::Chat => server.log.tell(Some(peer), Told::Welcomed),
                Resource::Echo => (),
                Resource::Wire => server.log.tell(Some(peer), Told::Inspecting),
            }
            let parting = member.converse();
            member.part(parting);
        }
        Err(_) => server.log.tell(Some(peer), Told::NegotiationFailed),
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
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;

    let outbox = Outbox::new(peer, Arc::clone(&stream), &server.metrics, trace);
    let watching = (resource == Resource::Wire).then(|| Counted::new(&server.feed.watching));
    let seat = room(server, resource).join(&outbox);
    if server.is_stopping() {
        dismiss(&outbox); // those who stop it have looked around before
    }
    match resource {
        Resource::Chat => welcome(server, &outbox, &response)?,
        Resource::Echo | Resource::Wire => outbox.open(response.as_bytes(), &[])?,
    }
    server.metrics.incoming.bytes.add(unread.len() as u64);
    let receiver = Receiver::new(Role::Client, server.options.limits.message_max, &unread);
    let mut tap = trace.map(Trace::tap);
    if let Some(tap) = &mut tap {
        tap.received(&unread);
    }
    let speech = Speech::new(server, resource, outbox);
    Ok(Box::new(Member { stream, seat, receiver, speech, tap, _watching: watching }))
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
        Resource::Wire => &server.feed.room,
    }
}

fn welcome(server: &Server, outbox: &Arc<Outbox>, response: &str) -> io::Result<()> {
    let mut octets = Vec::new();
    frame::encode(Opcode::Text, None, server.options.welcome.as_bytes(), &mut octets);
    outbox.open(response.as_bytes(), &octets)?;
    server.metrics.outgoing.messages.add(1);
    server.metrics.outgoing.frames(Opcode::Text, 1);
    Ok(())
}

/// A client after its upgrade; on the heap, since on the stack each move of it takes its size again.
struct Member {
    stream: Stream,
    seat: Seat<'static>,
    receiver: Receiver,
    speech: Speech,
    /// Sees what the receiver sees, if the wire is shown.
    tap: Option<Tap>,
    /// While it looks at the wire itself.
    _watching: Option<Counted>,
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
    #[inline(never)]
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
                    self.speech.outbox.pulse.beat();
                    incoming.bytes.add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Parting::Broken(error),
            }
        }
    }

    fn hear(&mut self) -> Option<Parting> {
        self.speech.is_open = self.speech.outbox.look(Line::is_open);
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
    #[inline(never)]
    fn part(self: Box<Self>, parting: Parting) {
        let Self { stream, seat, speech, tap, .. } = *self;
        if let Some(tap) = tap {
            tap.ended();
        }
        let Speech { server, outbox, last_said, .. } = &speech;
        server.desk.settle(*last_said); // the speaker hears its own words before the Close
        let ours = outbox.look(Line::said_close);
        let theirs = match &parting {
            Parting::Closed(close) => {
                server.metrics.incoming.close(close);
                outbox.close(close.reply(), Rest::Sent, CLOSING_MAX);
                Some(close.clone())
            }
            Parting::Violation(violation) => {
                outbox.close(violation.close(), Rest::Dropped, CLOSING_MAX);
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
    let what = outbox.look(Line::fault).unwrap_or_else(|| what.to_owned());
    server.log.tell(Some(outbox.peer), Told::Errored(&what));
}
