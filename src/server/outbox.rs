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
//! While somebody writes, others leave their frames in the queue and go on.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::limits::{ROUNDS_MAX, WRITE_MAX};
use super::log::Peer;
use super::metrics::Metrics;
use super::trace::Trace;
use super::{Stream, spawn_for};
use crate::sys;
use crate::wire::close::Close;
use crate::wire::frame::{self, Opcode};

/// The outgoing side of one client, and what others need to know of it.
pub struct Outbox {
    /// Whose it is.
    pub peer: Peer,
    stream: Stream,
    metrics: &'static Metrics,
    trace: Option<Trace>,
    line: Mutex<Line>,
    /// The writer has finished, or the connection broke.
    moved: Condvar,
    opened: Instant,
    /// Milliseconds after `opened` at which the last byte came.
    heard: AtomicU64,
}

/// What waits to be written. The lock is held to look and to change, never to write.
struct Line {
    state: State,
    /// Does somebody write just now?
    is_writing: bool,
    /// How many wait for the writer to finish.
    waiting: u32,
    queue: VecDeque<Piece>,
    /// Octets in `queue`.
    owed: usize,
    /// The answer to the latest Ping; section 5.5.3 lets it stand for earlier ones.
    pong: Option<Vec<u8>>,
}

enum State {
    Open,
    /// Our Close was said: it waits behind the queue (`frame`), or it was sent.
    Closing {
        close: Close,
        until: Instant,
        frame: Option<Vec<u8>>,
        rest: Rest,
    },
    /// Nothing can be sent any more.
    Broken(io::Error),
}

/// What becomes of the frames that are queued before a Close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// They are sent.
    Sent,
    /// They are dropped; the frame that is half sent is finished.
    Dropped,
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

/// Whole frames, of which some octets may be sent already.
struct Piece {
    frames: Arc<Vec<u8>>,
    from: usize,
    to: usize,
}

impl Piece {
    fn new(frames: Arc<Vec<u8>>) -> Self {
        Self { from: 0, to: frames.len(), frames }
    }

    fn rest(&self) -> &[u8] {
        &self.frames[self.from..self.to]
    }
}

impl Outbox {
    /// For a connection whose handshake is done.
    #[must_use]
    pub fn new(
        peer: Peer,
        stream: Stream,
        metrics: &'static Metrics,
        trace: Option<Trace>,
    ) -> Arc<Self> {
        let line = Line {
            state: State::Open,
            is_writing: false,
            waiting: 0,
            queue: VecDeque::new(),
            owed: 0,
            pong: None,
        };
        Arc::new(Self {
            peer,
            stream,
            metrics,
            trace,
            line: Mutex::new(line),
            moved: Condvar::new(),
            opened: Instant::now(),
            heard: AtomicU64::new(0),
        })
    }

    /// Sends a batch of whole frames without waiting for the client. `backlog_max` octets may be
    /// owed before this batch.
    pub fn deliver(self: &Arc<Self>, batch: &Arc<Vec<u8>>, backlog_max: usize) -> Delivery {
        let mut line = self.lock();
        if !matches!(line.state, State::Open) {
            return Delivery::Refused;
        }
        if line.is_writing {
            if backlog_max < line.owed {
                return Delivery::TooSlow(line.owed);
            }
            line.owed += batch.len();
            line.queue.push_back(Piece::new(Arc::clone(batch)));
            return Delivery::Taken;
        }
        self.begin(line, Arc::clone(batch));
        Delivery::Taken
    }

    /// Sends whole frames in the caller's own time: it returns once the kernel has them.
    ///
    /// # Errors
    /// The connection broke, or is closing and takes no more.
    pub fn send(self: &Arc<Self>, frames: &[u8]) -> io::Result<()> {
        let mut line = self.lock();
        while line.is_writing && matches!(line.state, State::Open) {
            line = self.wait(line);
        }
        if !matches!(line.state, State::Open) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        line.is_writing = true;
        drop(line);
        self.show(frames);
        if let Err(error) = (&*self.stream).write_all(frames) {
            let kind = error.kind();
            self.break_off(error);
            return Err(kind.into());
        }
        self.metrics.outgoing.bytes.add(frames.len() as u64);
        if let Some(piece) = self.next_piece() {
            self.write_now(piece);
        }
        Ok(())
    }

    /// Answers a Ping with its own payload (section 5.5.3). Behind a backlog the newest answer
    /// takes the place of the one before, so that a flood of pings takes no memory.
    pub fn pong(self: &Arc<Self>, payload: &[u8]) {
        let mut octets = Vec::new();
        frame::encode(Opcode::Pong, None, payload, &mut octets);
        let mut line = self.lock();
        if !matches!(line.state, State::Open) {
            return; // the Close frame stays the last; section 5.5.2 would allow either
        }
        if line.is_writing {
            line.pong = Some(octets);
            return;
        }
        self.metrics.outgoing.frames(Opcode::Pong, 1);
        self.begin(line, Arc::new(octets));
    }

    /// Asks for a sign of life, unless bytes are on their way to the client anyway.
    pub fn ping(self: &Arc<Self>, frame: &Arc<Vec<u8>>) {
        let line = self.lock();
        if line.is_writing || !matches!(line.state, State::Open) {
            return;
        }
        self.metrics.outgoing.frames(Opcode::Ping, 1);
        self.begin(line, Arc::clone(frame));
    }

    /// Says Close; nothing can be sent after it. The timer gives the client `patience` to answer.
    /// Was this the first Close of ours?
    pub fn close(self: &Arc<Self>, close: Close, rest: Rest, patience: Duration) -> bool {
        let mut line = self.lock();
        if !matches!(line.state, State::Open) {
            return false;
        }
        self.metrics.outgoing.close(&close);
        self.metrics.outgoing.frames(Opcode::Close, 1);
        let mut octets = Vec::new();
        frame::encode(Opcode::Close, None, &close.body(), &mut octets);
        let until = Instant::now() + patience;
        line.state = State::Closing { close, until, frame: Some(octets), rest };
        if rest == Rest::Dropped {
            line.queue.clear();
            line.owed = 0;
        }
        self.wake(&line);
        if !line.is_writing {
            line.is_writing = true;
            drop(line);
            if let Some(piece) = self.next_piece() {
                self.write_now(piece);
            }
        }
        true
    }

    /// Have we said no Close, and does the connection stand?
    pub fn is_open(&self) -> bool {
        matches!(self.lock().state, State::Open)
    }

    /// The Close that we said, if we did.
    pub fn said_close(&self) -> Option<Close> {
        match &self.lock().state {
            State::Closing { close, .. } => Some(close.clone()),
            State::Open | State::Broken(_) => None,
        }
    }

    /// Why nothing can be sent any more, if that is so.
    pub fn fault(&self) -> Option<String> {
        match &self.lock().state {
            State::Broken(error) => Some(error.to_string()),
            State::Open | State::Closing { .. } => None,
        }
    }

    /// Waits until all is sent, but at most `patience`.
    pub fn finish(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut line = self.lock();
        while line.is_writing {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            line.waiting += 1;
            let waited = self.moved.wait_timeout(line, left);
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
            line.waiting -= 1;
        }
    }

    /// A byte came in.
    pub fn hear(&self) {
        let now = self.opened.elapsed().as_millis();
        self.heard.store(u64::try_from(now).unwrap_or(u64::MAX), Relaxed);
    }

    /// When `silence_max` without a byte will be over.
    pub fn silent_at(&self, silence_max: Duration) -> Instant {
        self.opened + Duration::from_millis(self.heard.load(Relaxed)) + silence_max
    }

    /// When the wait for the answer to our Close will be over, if we said one.
    pub fn closed_at(&self) -> Option<Instant> {
        match &self.lock().state {
            State::Closing { until, .. } => Some(*until),
            State::Open | State::Broken(_) => None,
        }
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

    fn show(&self, frames: &[u8]) {
        if let Some(trace) = self.trace {
            trace.sent(frames);
        }
    }

    /// Writes as long as the socket takes it, for others too, but not for ever.
    fn write_now(self: &Arc<Self>, mut piece: Piece) {
        for _ in 0..ROUNDS_MAX {
            match sys::send_now(&self.stream, piece.rest()) {
                Ok(sent) => self.count(&mut piece, sent),
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
                    Ok(sent) => self.count(&mut piece, sent),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                    Err(error) => return self.break_off(error),
                }
                if matches!(self.lock().state, State::Closing { rest: Rest::Dropped, .. }) {
                    piece.to = frame::boundary(&piece.frames, piece.from);
                }
            }
            match self.next_piece() {
                Some(next) => piece = next,
                None => return,
            }
        }
    }

    fn count(&self, piece: &mut Piece, sent: usize) {
        piece.from += sent;
        self.metrics.outgoing.bytes.add(sent as u64);
    }

    /// What the writer writes next; with `None` it has ceased to be the writer.
    fn next_piece(&self) -> Option<Piece> {
        let piece = self.take_piece(self.lock());
        if let Some(piece) = &piece {
            self.show(piece.rest());
        }
        piece
    }

    fn take_piece(&self, mut line: MutexGuard<Line>) -> Option<Piece> {
        if let Some(pong) = line.pong.take() {
            self.metrics.outgoing.frames(Opcode::Pong, 1);
            return Some(Piece::new(Arc::new(pong)));
        }
        if let Some(piece) = line.queue.pop_front() {
            line.owed -= piece.frames.len();
            return Some(piece);
        }
        if let State::Closing { frame, .. } = &mut line.state
            && let Some(octets) = frame.take()
        {
            return Some(Piece::new(Arc::new(octets)));
        }
        line.is_writing = false;
        self.wake(&line);
        None
    }

    /// The socket is of no use any more.
    fn break_off(&self, error: io::Error) {
        let mut line = self.lock();
        match &mut line.state {
            State::Closing { frame, .. } => *frame = None,
            state @ (State::Open | State::Broken(_)) => *state = State::Broken(error),
        }
        line.queue.clear();
        line.owed = 0;
        line.pong = None;
        line.is_writing = false;
        self.wake(&line);
        drop(line);
        self.hang_up();
    }

    fn wake(&self, line: &Line) {
        if 0 < line.waiting {
            self.moved.notify_all();
        }
    }

    fn wait<'a>(&self, mut line: MutexGuard<'a, Line>) -> MutexGuard<'a, Line> {
        line.waiting += 1;
        let mut line = self.moved.wait(line).unwrap_or_else(PoisonError::into_inner);
        line.waiting -= 1;
        line
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
