//! What waits to be written to one client, and in which order: answers to pings, then the queue, then
//! a Close. Writes nothing itself.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::wire::close::Close;
use crate::wire::frame::{self, Opcode};

/// What waits, and whether somebody is at it. A new line is open, and nothing waits.
#[derive(Default)]
pub struct SendState {
    state: State,
    /// Does somebody write just now? Whoever finds nobody becomes the writer, and stays it until
    /// [`take`](Self::take) has nothing more.
    pub is_writing: bool,
    /// How many wait for the writer to finish.
    pub waiting: u32,
    queue: VecDeque<Chunk>,
    /// Octets in `queue`.
    owed: usize,
    /// The answer to the latest Ping; section 5.5.3 lets it stand for earlier ones.
    pong: Option<Vec<u8>>,
    /// A Ping that waits for the writer.
    ping: Option<Arc<Vec<u8>>>,
}

#[derive(Default)]
enum State {
    #[default]
    Open,
    /// Our Close was said; `frame` is it, until it is sent.
    Closing { close: Close, until: Instant, frame: Vec<u8>, rest: Backlog },
    /// Nothing can be sent any more.
    Broken(io::Error),
}

/// What becomes of the frames that are queued before a Close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    /// They are sent.
    Flush,
    /// They are dropped; the frame that is half sent is finished.
    Discard,
}

/// Whole frames, of which some octets may be sent already.
pub struct Chunk {
    frames: Arc<Vec<u8>>,
    from: usize,
    to: usize,
}

impl Chunk {
    /// Nothing of it is sent.
    #[must_use]
    pub fn new(frames: Arc<Vec<u8>>) -> Self {
        Self { from: 0, to: frames.len(), frames }
    }

    /// What is still to be sent.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.frames[self.from..self.to]
    }

    /// So many octets more were sent.
    pub fn advance(&mut self, sent: usize) {
        self.from = (self.from + sent).min(self.to);
    }

    /// Ends where the frame ends that is half sent.
    pub fn cut(&mut self) {
        self.to = frame::frame_end(&self.frames, self.from);
    }
}

impl SendState {
    /// A line whose maker is its writer.
    #[must_use]
    pub fn claimed() -> Self {
        Self { is_writing: true, ..Self::default() }
    }

    /// Have we said no Close, and does the connection stand?
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Is the half-sent frame the last before our Close?
    #[must_use]
    pub fn drops_the_rest(&self) -> bool {
        matches!(self.state, State::Closing { rest: Backlog::Discard, .. })
    }

    /// Our Close, if we said one.
    #[must_use]
    pub fn said_close(&self) -> Option<Close> {
        match &self.state {
            State::Closing { close, .. } => Some(close.clone()),
            State::Open | State::Broken(_) => None,
        }
    }

    /// When the wait for the answer to it will be over.
    #[must_use]
    pub fn closed_at(&self) -> Option<Instant> {
        match &self.state {
            State::Closing { until, .. } => Some(*until),
            State::Open | State::Broken(_) => None,
        }
    }

    /// The client took something of what is sent before our Close, so its time to answer begins anew.
    pub fn took_something(&mut self, patience: Duration) {
        if let State::Closing { until, rest: Backlog::Flush, .. } = &mut self.state {
            *until = (*until).max(Instant::now() + patience);
        }
    }

    /// Why nothing can be sent any more.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        match &self.state {
            State::Broken(error) => Some(error.to_string()),
            State::Open | State::Closing { .. } => None,
        }
    }

    /// Octets in the queue.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.owed
    }

    /// Queues whole frames.
    pub fn push(&mut self, frames: Arc<Vec<u8>>) {
        self.owed += frames.len();
        self.queue.push_back(Chunk::new(frames));
    }

    /// Queues the answer to a Ping in place of the one before, which is returned.
    pub fn replace_pong(&mut self, frame: Vec<u8>) -> Option<Vec<u8>> {
        self.pong.replace(frame)
    }

    /// Queues a Ping in place of one that still waits, which is returned.
    pub fn replace_ping(&mut self, frame: Arc<Vec<u8>>) -> Option<Arc<Vec<u8>>> {
        self.ping.replace(frame)
    }

    /// Queues a Close, the last frame there will be.
    pub fn close(&mut self, close: Close, rest: Backlog, patience: Duration) {
        let mut octets = Vec::new();
        frame::encode(Opcode::Close, None, &close.body(), &mut octets);
        let until = Instant::now() + patience;
        self.state = State::Closing { close, until, frame: octets, rest };
        if rest == Backlog::Discard {
            self.clear();
        }
    }

    /// Gives up; a Close that was said stays said.
    pub fn break_off(&mut self, error: io::Error) {
        match &mut self.state {
            State::Closing { frame, .. } => frame.clear(),
            state @ (State::Open | State::Broken(_)) => *state = State::Broken(error),
        }
        self.clear();
        self.is_writing = false;
    }

    /// What the writer writes next; with `None` it has ceased to be the writer.
    pub fn take(&mut self) -> Option<Chunk> {
        if let Some(pong) = self.pong.take() {
            return Some(Chunk::new(Arc::new(pong)));
        }
        if let Some(ping) = self.ping.take() {
            return Some(Chunk::new(ping));
        }
        if let Some(piece) = self.queue.pop_front() {
            self.owed -= piece.frames.len();
            return Some(piece);
        }
        if let State::Closing { frame, .. } = &mut self.state
            && !frame.is_empty()
        {
            return Some(Chunk::new(Arc::new(mem::take(frame))));
        }
        self.is_writing = false;
        None
    }

    fn clear(&mut self) {
        self.queue.clear();
        self.owed = 0;
        self.pong = None;
        self.ping = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::close::CloseCode;

    fn taken(line: &mut SendState) -> Option<Vec<u8>> {
        line.take().map(|piece| piece.rest().to_vec())
    }

    fn text(payload: &str) -> Arc<Vec<u8>> {
        let mut frames = Vec::new();
        frame::encode(Opcode::Text, None, payload.as_bytes(), &mut frames);
        Arc::new(frames)
    }

    #[test]
    fn s5_5_1_a_close_is_the_last() {
        let mut line = SendState::claimed();
        line.push(text("a"));
        line.push(text("b"));
        assert_eq!(line.replace_pong(vec![0x8a, 1, b'1']), None);
        assert_eq!(line.replace_pong(vec![0x8a, 1, b'2']), Some(vec![0x8a, 1, b'1']));
        line.close(Close::new(CloseCode::NORMAL, ""), Backlog::Flush, Duration::ZERO);
        assert_eq!(taken(&mut line).unwrap(), [0x8a, 1, b'2']);
        assert_eq!(taken(&mut line).unwrap(), *text("a"));
        assert_eq!(line.owed(), 3);
        assert_eq!(taken(&mut line).unwrap(), *text("b"));
        assert_eq!(taken(&mut line).unwrap(), [0x88, 2, 0x03, 0xe8]);
        assert!(line.is_writing);
        assert!(taken(&mut line).is_none());
        assert!(!line.is_writing && !line.is_open() && line.owed() == 0);
    }

    #[test]
    fn a_ping_does_not_wait_for_what_is_owed() {
        let mut line = SendState::claimed();
        line.push(text("a"));
        assert_eq!(line.replace_ping(Arc::new(vec![0x89, 0])), None);
        assert!(line.replace_ping(Arc::new(vec![0x89, 0])).is_some());
        assert_eq!(taken(&mut line).unwrap(), [0x89, 0]);
        assert_eq!(taken(&mut line).unwrap(), *text("a"));
        assert!(taken(&mut line).is_none());
    }

    #[test]
    fn what_is_dropped_ends_with_the_frame_that_is_half_sent() {
        let mut line = SendState::claimed();
        let mut piece = Chunk::new(Arc::new([text("one").as_slice(), &text("two")].concat()));
        piece.advance(2);
        line.push(text("three"));
        line.close(Close::new(CloseCode::TRY_AGAIN_LATER, ""), Backlog::Discard, Duration::ZERO);
        assert!(line.drops_the_rest());
        piece.cut();
        assert_eq!(piece.rest(), b"one");
        assert_eq!(taken(&mut line).unwrap(), [0x88, 2, 0x03, 0xf5]);
        assert!(taken(&mut line).is_none());
    }

    #[test]
    fn after_a_break_nothing_is_written() {
        let mut line = SendState::claimed();
        line.push(text("a"));
        line.break_off(io::ErrorKind::BrokenPipe.into());
        assert!(!line.is_writing && taken(&mut line).is_none());
        assert_eq!(line.fault().unwrap(), "broken pipe");
    }
}
