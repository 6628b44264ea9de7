//! Many clients in one thread: a readiness loop, since the load has to cost less than the server.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::client::{self, Inbox, KEY, PING, PONG};

/// Octets that one read takes at most.
const READ: usize = 1 << 20;

/// Clients that are all in.
pub struct Crowd {
    poll: Poll,
    events: Events,
    members: Vec<Member>,
    scratch: Vec<u8>,
    pings: Vec<(usize, Vec<u8>)>,
}

struct Member {
    stream: TcpStream,
    inbox: Inbox,
    /// What the socket did not take begins at `sent`.
    unsent: Vec<u8>,
    sent: usize,
}

impl Crowd {
    /// Lets so many in, one after another.
    ///
    /// # Errors
    /// One could not get in.
    pub fn join(address: SocketAddr, path: &str, count: usize) -> io::Result<Self> {
        let streams = (0..count).map(|_| client::join(address, path));
        Self::of(streams.collect::<io::Result<_>>()?)
    }

    /// Of connections that are there already.
    ///
    /// # Errors
    /// A socket cannot be watched.
    pub fn of(streams: Vec<std::net::TcpStream>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut members = Vec::new();
        for (place, stream) in streams.into_iter().enumerate() {
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(place), both)?;
            members.push(Member { stream, inbox: Inbox::default(), unsent: Vec::new(), sent: 0 });
        }
        let events = Events::with_capacity(1024);
        Ok(Self { poll, events, members, scratch: vec![0; READ], pings: Vec::new() })
    }

    /// Waits until something comes, and gives each message with the place of the client that got it. Pings
    /// are answered.
    ///
    /// # Errors
    /// A client was disconnected.
    pub fn hear(
        &mut self,
        patience: Duration,
        mut each: impl FnMut(usize, &[u8]),
    ) -> Result<(), String> {
        let Self { poll, events, members, scratch, pings } = self;
        match poll.poll(events, Some(patience)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.to_string()),
            _ => (),
        }
        for event in &*events {
            let place = event.token().0;
            let member = &mut members[place];
            let mut hear = |opcode, payload: &[u8]| match opcode {
                PING => pings.push((place, payload.to_vec())),
                _ => each(place, payload),
            };
            member
                .inbox
                .read(&mut member.stream, scratch, &mut hear)
                .and_then(|()| member.flush())
                .map_err(|error| format!("client {place} was disconnected: {error}"))?;
        }
        for (place, payload) in std::mem::take(&mut self.pings) {
            let mut pong = Vec::new();
            client::frame(PONG, KEY, &payload, &mut pong);
            self.say(place, &pong)?;
        }
        Ok(())
    }

    /// Sends octets as one client; what its socket does not take goes when it can.
    ///
    /// # Errors
    /// The client was disconnected.
    pub fn say(&mut self, place: usize, octets: &[u8]) -> Result<(), String> {
        let member = &mut self.members[place];
        member.unsent.extend_from_slice(octets);
        member.flush().map_err(|error| format!("client {place} cannot send: {error}"))
    }
}

impl Member {
    fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.unsent.len() {
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if self.unsent.len() <= 2 * self.sent {
            self.unsent.drain(..self.sent); // not at each write: megabytes would be moved each time
            self.sent = 0;
        }
        Ok(())
    }
}
