//! Many clients in one thread. It uses a readiness loop, because the load must cost less than the server.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::client::{self, FrameReader, KEY, PING, PONG};

/// The maximum bytes of one read.
const READ_BUFFER: usize = 1 << 20;

/// Connected clients.
pub struct ClientPool {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    scratch: Vec<u8>,
    pings: Vec<(usize, Vec<u8>)>,
}

struct Connection {
    stream: TcpStream,
    reader: FrameReader,
    /// The bytes from `sent` on were not yet accepted by the socket.
    unsent: Vec<u8>,
    sent: usize,
}

impl ClientPool {
    /// Connects `count` clients, one after another.
    ///
    /// # Errors
    /// A client cannot connect.
    pub fn connect(address: SocketAddr, path: &str, count: usize) -> io::Result<Self> {
        let streams = (0..count).map(|_| client::join(address, path));
        Self::from_streams(streams.collect::<io::Result<_>>()?)
    }

    /// Makes a pool of open connections.
    ///
    /// # Errors
    /// A socket cannot be registered.
    pub fn from_streams(streams: Vec<std::net::TcpStream>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for (index, stream) in streams.into_iter().enumerate() {
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(index), both)?;
            connections.push(Connection {
                stream,
                reader: FrameReader::default(),
                unsent: Vec::new(),
                sent: 0,
            });
        }
        let events = Events::with_capacity(1024);
        Ok(Self { poll, events, connections, scratch: vec![0; READ_BUFFER], pings: Vec::new() })
    }

    /// Waits for readiness, reads, and passes each message to `on_message` with the index of the
    /// client. Pings are answered.
    ///
    /// # Errors
    /// A client was disconnected.
    pub fn receive(
        &mut self,
        timeout: Duration,
        mut on_message: impl FnMut(usize, &[u8]),
    ) -> Result<(), String> {
        let Self { poll, events, connections, scratch, pings } = self;
        match poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.to_string()),
            _ => (),
        }
        for event in &*events {
            let index = event.token().0;
            let connection = &mut connections[index];
            let mut on_frame = |opcode, payload: &[u8]| match opcode {
                PING => pings.push((index, payload.to_vec())),
                _ => on_message(index, payload),
            };
            connection
                .reader
                .read(&mut connection.stream, scratch, &mut on_frame)
                .and_then(|()| connection.flush())
                .map_err(|error| format!("client {index} was disconnected: {error}"))?;
        }
        for (index, payload) in std::mem::take(&mut self.pings) {
            let mut pong = Vec::new();
            client::frame(PONG, KEY, &payload, &mut pong);
            self.send(index, &pong)?;
        }
        Ok(())
    }

    /// Sends bytes as one client; bytes that the socket does not accept are sent later.
    ///
    /// # Errors
    /// The client was disconnected.
    pub fn send(&mut self, index: usize, bytes: &[u8]) -> Result<(), String> {
        let connection = &mut self.connections[index];
        connection.unsent.extend_from_slice(bytes);
        connection.flush().map_err(|error| format!("client {index} cannot send: {error}"))
    }
}

impl Connection {
    fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.unsent.len() {
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if self.unsent.len() <= 2 * self.sent {
            // Not after every write: each of them would move up to megabytes.
            self.unsent.drain(..self.sent);
            self.sent = 0;
        }
        Ok(())
    }
}
