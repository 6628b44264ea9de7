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

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::limits::{ROUNDS_MAX, WRITE_MAX};
use super::line::Piece;
use super::log::Peer;
use super::metrics::Metrics;
use super::pulse::Pulse;
use super::spawn_for;
use super::stream::Stream;
use super::trace::Trace;
use crate::sys;
use crate::wire::close::Close;
use crate::wire::frame::{self, Opcode};

pub use super::line::{Line, Rest};

/// The outgoing side of one client, and what others need to know of it.
pub struct Outbox {
    /// Whose it is.
    pub peer: Peer,
    stream: Stream,
    metrics: &'static Metrics,
    trace: Option<Trace>,
    /// Held to look and to change, never to write.
    line: Mutex<Line>,
    /// The writer has finished, or the connection broke.
    moved: Condvar,
    /// When the client was last heard.
    pub pulse: Pulse,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is sent or queued.
    Taken,
    /// The client is leaving.
    Refused,
    /// The client owes too much already: so many octets.
    TooSlow(usize),
}

impl Outbox {
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
            line: Mutex::new(Line::claimed()),
            moved: Condvar::new(),
            pulse: Pulse::new(),
        })
    }

    /// Sends a batch of whole frames without waiting for the client. `backlog_max` octets may be
    /// owed before this batch.
    pub fn deliver(self: &Arc<Self>, batch: &Arc<Vec<u8>>, backlog_max: usize) -> Delivery {
        let mut line = self.lock();
        if !line.is_open() {
            return Delivery::Refused;
        }
        if !line.is_writing {
            self.begin(line, Arc::clone(batch));
        } else if line.owed() <= backlog_max {
            line.push(Arc::clone(batch));
        } else {
            return Delivery::TooSlow(line.owed());
        }
        Delivery::Taken
    }

    /// Sends the first frames, in the caller's own time. What others leave before comes behind them.
    ///
    /// # Errors
    /// The connection broke.
    pub fn open(self: &Arc<Self>, frames: &[u8]) -> io::Result<()> {
        self.show(frames);
        for part in frames.chunks(WRITE_MAX) {
            let broken = |error: &io::Error| self.break_off(error.kind().into());
            (&*self.stream).write_all(part).inspect_err(broken)?;
            self.metrics.outgoing.bytes.add(part.len() as u64);
            self.pulse.beat();
        }
        self.write_on();
        Ok(())
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
        self.open(frames)
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

    /// Asks for a sign of life, unless bytes are on their way to the client anyway.
    pub fn ping(self: &Arc<Self>, frame: &Arc<Vec<u8>>) {
        let line = self.lock();
        if line.is_open() && !line.is_writing {
            self.metrics.outgoing.frames(Opcode::Ping, 1);
            self.begin(line, Arc::clone(frame));
        }
    }

    /// Says Close; nothing can be sent after it. The timer gives the client `patience` to answer.
    /// Was this the first Close of ours?
    pub fn close(self: &Arc<Self>, close: Close, rest: Rest, patience: Duration) -> bool {
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
    pub fn look<T>(&self, at: impl FnOnce(&Line) -> T) -> T {
        at(&self.lock())
    }

    /// Waits until all is sent, but at most `patience`.
    pub fn finish(&self, patience: Duration) {
        let mut line = self.lock();
        line.waiting += 1;
        let waited = self.moved.wait_timeout_while(line, patience, |line| line.is_writing);
        waited.unwrap_or_else(PoisonError::into_inner).0.waiting -= 1;
    }

    /// Ends the connection in both directions at once; whoever reads or writes there wakes.
    pub fn hang_up(&self) {
        let _ = self.stream.shutdown(Shutdown::Both); // it may be over already
    }

    /// Makes the caller the writer, who begins with these frames.
    fn begin(self: &Arc<Self>, mut line: MutexGuard<Line>, frames: Arc<Vec<u8>>) {
        line.is_writing = true;
        drop(line);
        self.show(&frames);
        self.write_now(Piece::new(frames));
    }

    /// The caller is the writer; others may have left something for it.
    fn write_on(self: &Arc<Self>) {
        if let Some(piece) = self.next_piece() {
            self.write_now(piece);
        }
    }

    /// Writes as long as the socket takes it, for others too, but not for ever.
    fn write_now(self: &Arc<Self>, mut piece: Piece) {
        for _ in 0..ROUNDS_MAX {
            match sys::send_now(&self.stream, piece.rest()) {
                Ok(sent) => self.advance(&mut piece, sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return self.break_off(error),
            }
            if !piece.rest().is_empty() {
                break;
            }
            match self.next_piece() {
                Some(next) => piece = next,
                None => return,
            }
        }
        let outbox = Arc::clone(self);
        let writing = spawn_for(self.peer, "writer", move || outbox.write_waiting(piece));
        if let Err(error) = writing {
            self.break_off(error);
        }
    }

    /// The body of the thread that carries a backlog.
    fn write_waiting(&self, mut piece: Piece) {
        loop {
            while !piece.rest().is_empty() {
                let rest = piece.rest();
                match (&*self.stream).write(&rest[..rest.len().min(WRITE_MAX)]) {
                    Ok(sent) => self.advance(&mut piece, sent),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                    Err(error) => return self.break_off(error),
                }
                self.pulse.beat(); // who reads is alive, and gets no pings meanwhile
                if self.lock().drops_the_rest() {
                    piece.cut();
                }
            }
            match self.next_piece() {
                Some(next) => piece = next,
                None => return,
            }
        }
    }

    fn advance(&self, piece: &mut Piece, sent: usize) {
        piece.advance(sent);
        self.metrics.outgoing.bytes.add(sent as u64);
    }

    /// What the writer writes next; with `None` it has ceased to be the writer.
    fn next_piece(&self) -> Option<Piece> {
        let mut line = self.lock();
        let Some(piece) = line.take() else {
            self.wake(&line);
            return None;
        };
        drop(line);
        self.show(piece.rest());
        Some(piece)
    }

    /// The socket is of no use any more.
    fn break_off(&self, error: io::Error) {
        let mut line = self.lock();
        line.break_off(error);
        self.wake(&line);
        drop(line);
        self.hang_up();
    }

    fn show(&self, frames: &[u8]) {
        if let Some(trace) = self.trace {
            trace.sent(frames);
        }
    }

    fn wake(&self, line: &Line) {
        if 0 < line.waiting {
            self.moved.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
