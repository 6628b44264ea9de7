//! One client's outgoing side. All bytes after the 101 leave through it, whole frames from one
//! writer at a time, and a Close frame is the last that ever does.
//!
//! ```text
//! nobody writes ── a frame comes ──> its bringer writes, without waiting ── all taken ──> nobody writes
//!                                              │
//!                                    the socket takes no more
//!                                              v
//!                      a thread of its own writes, waiting, until it has caught up ──> nobody writes
//! ```
//! While somebody writes, others leave their frames in the line and go on.

use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::activity::Activity;
use super::log::Peer;
use super::metrics::Metrics;
use super::trace::Trace;
use crate::net::stream::Stream;
use crate::wire::close::Close;
use crate::wire::frame::{self, Opcode};

pub use state::{Backlog, SendState};

mod state;

mod writer;

/// The outgoing side of one client, and what others need to know of it.
pub struct SendQueue {
    /// Whose it is.
    pub peer: Peer,
    stream: Stream,
    metrics: &'static Metrics,
    trace: Option<Trace>,
    /// Held to look and to change, never to write.
    line: Mutex<SendState>,
    /// The writer has finished, or the connection broke.
    moved: Condvar,
    /// When the client was last heard.
    pub activity: Activity,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueue {
    /// It is sent or queued.
    Queued,
    /// The client is leaving.
    Closed,
    /// The client owes too much already: so many octets.
    BacklogFull(usize),
}

impl SendQueue {
    /// For a connection whose handshake is done. Whoever makes it is its writer, until
    /// [`open`](Self::open): so a member can be in the room before its welcome is written, and
    /// misses nothing that is said after it.
    #[must_use]
    pub fn new(
        peer: Peer,
        stream: Stream,
        metrics: &'static Metrics,
        trace: Option<Trace>,
    ) -> Arc<Self> {
        Arc::new(Self {
            peer,
            stream,
            metrics,
            trace,
            line: Mutex::new(SendState::claimed()),
            moved: Condvar::new(),
            activity: Activity::new(),
        })
    }

    /// Sends a batch of whole frames without waiting for the client. `max_backlog` octets may be
    /// owed before this batch.
    pub fn deliver(self: &Arc<Self>, batch: &Arc<Vec<u8>>, max_backlog: usize) -> Enqueue {
        let mut line = self.lock();
        if !line.is_open() {
            return Enqueue::Closed;
        }
        if !line.is_writing {
            self.begin(line, Arc::clone(batch));
        } else if line.owed() <= max_backlog {
            line.push(Arc::clone(batch));
        } else {
            return Enqueue::BacklogFull(line.owed());
        }
        Enqueue::Queued
    }

    /// Sends the 101 and the first frames, in the caller's own time. What others leave before comes
    /// behind them.
    ///
    /// # Errors
    /// The connection broke.
    pub fn open(self: &Arc<Self>, head: &[u8], frames: &[u8]) -> io::Result<()> {
        self.write_all(head, frames)
    }

    /// Sends whole frames in the caller's own time: it returns once the kernel has them, or the
    /// connection is closing and wants them no more.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send(self: &Arc<Self>, frames: &[u8]) -> io::Result<()> {
        let mut line = self.lock();
        while line.is_writing && line.is_open() {
            line.waiting += 1;
            line = self.moved.wait(line).unwrap_or_else(PoisonError::into_inner);
            line.waiting -= 1;
        }
        if line.fault().is_some() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        if !line.is_open() {
            return Ok(());
        }
        line.is_writing = true;
        drop(line);
        self.write_all(&[], frames)
    }

    /// Answers a Ping with its own payload (section 5.5.3). Behind a backlog the newest answer
    /// takes the place of the one before, so that a flood of pings takes no memory.
    pub fn pong(self: &Arc<Self>, payload: &[u8]) {
        let mut octets = Vec::new();
        frame::encode(Opcode::Pong, None, payload, &mut octets);
        let mut line = self.lock();
        if !line.is_open() {
            return; // the Close frame stays the last; section 5.5.2 would allow either
        }
        if !line.is_writing {
            self.metrics.outgoing.frames(Opcode::Pong, 1);
            self.begin(line, Arc::new(octets));
        } else if line.replace_pong(octets).is_none() {
            self.metrics.outgoing.frames(Opcode::Pong, 1);
        }
    }

    /// Asks for a sign of life. Who is being written to is asked as well: that the kernel takes octets
    /// says nothing of the client, and a busy room writes at every moment.
    pub fn ping(self: &Arc<Self>, frame: &Arc<Vec<u8>>) {
        let mut line = self.lock();
        if !line.is_open() {
            return;
        }
        if !line.is_writing {
            self.metrics.outgoing.frames(Opcode::Ping, 1);
            self.begin(line, Arc::clone(frame));
        } else if line.replace_ping(Arc::clone(frame)).is_none() {
            self.metrics.outgoing.frames(Opcode::Ping, 1);
        }
    }

    /// Says Close; nothing can be sent after it. The timer gives the client `patience` to answer, and
    /// more as long as it takes something of a [`Backlog::Flush`].
    /// Was this the first Close of ours?
    pub fn close(self: &Arc<Self>, close: Close, rest: Backlog, patience: Duration) -> bool {
        let mut line = self.lock();
        if !line.is_open() {
            return false;
        }
        self.metrics.outgoing.close(&close);
        self.metrics.outgoing.frames(Opcode::Close, 1);
        line.close(close, rest, patience);
        self.wake(&line);
        if !line.is_writing {
            line.is_writing = true;
            drop(line);
            self.write_on();
        }
        true
    }

    /// Looks at what waits and how the connection stands.
    pub fn look<T>(&self, at: impl FnOnce(&SendState) -> T) -> T {
        at(&self.lock())
    }

    /// Waits until all is sent, as long as the client takes something at least every `patience`.
    pub fn finish(&self, patience: Duration) {
        let mut line = self.lock();
        line.waiting += 1;
        loop {
            let before = self.activity.last();
            let waited = self.moved.wait_timeout_while(line, patience, |line| line.is_writing);
            let (now, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            line = now;
            if !timeout.timed_out() || self.activity.last() == before {
                line.waiting -= 1;
                return;
            }
        }
    }

    /// Ends the connection in both directions at once; whoever reads or writes there wakes.
    pub fn hang_up(&self) {
        let _ = self.stream.shutdown(Shutdown::Both); // it may be over already
    }

    fn wake(&self, line: &SendState) {
        if 0 < line.waiting {
            self.moved.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, SendState> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::metrics::Metrics;
    use super::*;
    use std::io::Read;
    use std::net::{SocketAddr, TcpListener, TcpStream};

    /// A room in which somebody always speaks has a writer at every moment, also when a ping is due.
    #[test]
    fn who_is_being_written_to_gets_its_ping() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, address): (_, SocketAddr) = listener.accept().unwrap();
        let metrics: &Metrics = Box::leak(Box::default());
        let send_queue = SendQueue::new(Peer { id: 1, address }, Arc::new(stream), metrics, None);
        send_queue.ping(&Arc::new(vec![0x89, 0]));
        send_queue.open(b"101", &[0x81, 0]).unwrap();
        let mut got = [0; 7];
        client.read_exact(&mut got).unwrap();
        assert_eq!(got, *b"101\x81\0\x89\0");
    }
}
