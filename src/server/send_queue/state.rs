//! The state of a send queue: what waits to be written to one client, and in which order. It writes nothing
//! itself and knows no lock and no socket.
//!
//! The writer takes first a Pong, then a Ping, then the queue in its order, then our Close, the last frame.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::server::batch::encoded;
use crate::wire::close::Close;
use crate::wire::frame::{self, Opcode};

/// The frames that wait, the state of the connection, and whether a thread is writing.
#[derive(Default)]
pub struct SendState {
    /// Our Close, if the server has decided to close.
    pub closing: Option<Closing>,
    /// Why nothing can be sent any more, if the connection failed before our Close.
    pub error: Option<io::Error>,
    /// Whether a thread has the writer role: from [`try_claim_writer`](Self::try_claim_writer) until
    /// [`next_chunk_or_release`](Self::next_chunk_or_release) returns `None`, or until [`fail`](Self::fail).
    pub has_writer: bool,
    /// Threads that wait for a change of the state.
    pub waiting: u32,
    queue: VecDeque<Chunk>,
    /// Bytes in `queue`.
    pub queued_bytes: usize,
    /// The answer to the latest Ping. Section 5.5.3: it may stand for the answers to earlier ones.
    pub pong: Option<Arc<Vec<u8>>>,
    /// A Ping that waits for the writer.
    pub ping: Option<Arc<Vec<u8>>>,
}

/// Our Close, once the server has decided to close.
pub struct Closing {
    /// Its code and reason.
    pub close: Close,
    /// When the wait for the client's answer ends.
    pub deadline: Instant,
    /// What happens to the frames before it.
    pub backlog: Backlog,
    /// Its frame, until the writer takes it.
    frame: Option<Vec<u8>>,
}

/// What happens to the frames that are queued before a Close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    /// They are sent.
    Flush,
    /// They are dropped. A frame that is half sent is finished.
    Discard,
}

/// Whole frames, of which the first bytes may be sent already.
pub struct Chunk {
    frames: Arc<Vec<u8>>,
    /// The bytes before it are sent.
    from: usize,
    /// The bytes from it on are not sent: the end of `frames`, or of one frame if the rest is discarded.
    to: usize,
}

impl Chunk {
    /// A chunk of which nothing is sent.
    pub fn new(frames: Arc<Vec<u8>>) -> Self {
        Self { from: 0, to: frames.len(), frames }
    }

    /// The bytes that are not sent yet.
    pub fn rest(&self) -> &[u8] {
        &self.frames[self.from..self.to]
    }

    /// Records that `sent` more bytes are sent.
    pub fn advance(&mut self, sent: usize) {
        self.from = (self.from + sent).min(self.to);
    }
}

impl SendState {
    /// The state of a new send queue, whose creator has the writer role.
    pub fn with_writer() -> Self {
        Self { has_writer: true, ..Self::default() }
    }

    /// Whether frames can be queued: not after our Close, and not after a failure.
    pub fn is_open(&self) -> bool {
        self.closing.is_none() && self.error.is_none()
    }

    /// Records that a blocking write has sent `sent` bytes of `chunk`. Once the server has decided to close,
    /// a backlog to discard ends with the frame that is half sent; one to flush shows that the client
    /// accepts bytes, so its time to answer our Close, `timeout`, starts again.
    pub fn advance(&mut self, chunk: &mut Chunk, sent: usize, timeout: Duration) {
        chunk.advance(sent);
        match &mut self.closing {
            Some(Closing { backlog: Backlog::Discard, .. }) => {
                chunk.to = frame::frame_end(&chunk.frames, chunk.from);
            }
            Some(Closing { deadline, backlog: Backlog::Flush, .. }) if 0 < sent => {
                *deadline = (*deadline).max(Instant::now() + timeout);
            }
            Some(_) | None => (),
        }
    }

    /// Takes the writer role for the caller. Returns false if another thread has it.
    #[must_use]
    pub fn try_claim_writer(&mut self) -> bool {
        !mem::replace(&mut self.has_writer, true)
    }

    /// Queues whole frames.
    pub fn push(&mut self, frames: Arc<Vec<u8>>) {
        self.queued_bytes += frames.len();
        self.queue.push_back(Chunk::new(frames));
    }

    /// Queues our Close, the last frame.
    pub fn close(&mut self, close: Close, backlog: Backlog, timeout: Duration) {
        let frame = Some(encoded(Opcode::Close, &close.body()));
        let deadline = Instant::now() + timeout;
        self.closing = Some(Closing { close, deadline, backlog, frame });
        if backlog == Backlog::Discard {
            self.clear();
        }
    }

    /// Drops everything and releases the writer role. A Close that was decided stays decided.
    pub fn fail(&mut self, error: io::Error) {
        match &mut self.closing {
            Some(closing) => closing.frame = None,
            None => self.error = Some(error),
        }
        self.clear();
        self.has_writer = false;
    }

    /// Removes what the writer writes next. If there is nothing, releases the writer role and returns
    /// `None`.
    pub fn next_chunk_or_release(&mut self) -> Option<Chunk> {
        if let Some(control) = self.pong.take().or_else(|| self.ping.take()) {
            return Some(Chunk::new(control));
        }
        if let Some(chunk) = self.queue.pop_front() {
            self.queued_bytes -= chunk.frames.len();
            return Some(chunk);
        }
        let close = self.closing.as_mut().and_then(|closing| closing.frame.take());
        self.has_writer = close.is_some();
        close.map(|frame| Chunk::new(Arc::new(frame)))
    }

    fn clear(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
        self.pong = None;
        self.ping = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::close::CloseCode;

    fn taken(state: &mut SendState) -> Option<Vec<u8>> {
        state.next_chunk_or_release().map(|chunk| chunk.rest().to_vec())
    }

    fn text(payload: &str) -> Arc<Vec<u8>> {
        let mut frames = Vec::new();
        frame::encode(Opcode::Text, None, payload.as_bytes(), &mut frames);
        Arc::new(frames)
    }

    #[test]
    fn s5_5_1_a_close_is_the_last_frame() {
        let mut state = SendState::with_writer();
        state.push(text("a"));
        state.push(text("b"));
        assert_eq!(state.pong.replace(vec![0x8a, 1, b'1'].into()), None);
        assert!(state.pong.replace(vec![0x8a, 1, b'2'].into()).is_some());
        state.close(Close::new(CloseCode::NORMAL, ""), Backlog::Flush, Duration::ZERO);
        assert_eq!(taken(&mut state).unwrap(), [0x8a, 1, b'2']);
        assert_eq!(taken(&mut state).unwrap(), *text("a"));
        assert_eq!(state.queued_bytes, 3);
        assert_eq!(taken(&mut state).unwrap(), *text("b"));
        assert_eq!(taken(&mut state).unwrap(), [0x88, 2, 0x03, 0xe8]);
        assert!(state.has_writer);
        assert!(taken(&mut state).is_none());
        assert!(!state.has_writer && !state.is_open() && state.queued_bytes == 0);
    }

    #[test]
    fn a_ping_overtakes_the_queue() {
        let mut state = SendState::with_writer();
        state.push(text("a"));
        state.ping = Some(vec![0x89, 0].into());
        assert_eq!(taken(&mut state).unwrap(), [0x89, 0]);
        assert_eq!(taken(&mut state).unwrap(), *text("a"));
        assert!(taken(&mut state).is_none());
    }

    #[test]
    fn a_discarded_backlog_ends_with_the_frame_that_is_half_sent() {
        let mut state = SendState::with_writer();
        let mut chunk = Chunk::new(Arc::new([text("one").as_slice(), &text("two")].concat()));
        chunk.advance(2);
        state.push(text("three"));
        state.close(Close::new(CloseCode::TRY_AGAIN_LATER, ""), Backlog::Discard, Duration::ZERO);
        state.advance(&mut chunk, 0, Duration::ZERO);
        assert_eq!(chunk.rest(), b"one");
        assert_eq!(taken(&mut state).unwrap(), [0x88, 2, 0x03, 0xf5]);
        assert!(taken(&mut state).is_none());
    }

    #[test]
    fn after_a_failure_nothing_is_written() {
        let mut state = SendState::with_writer();
        state.push(text("a"));
        state.fail(io::ErrorKind::BrokenPipe.into());
        assert!(!state.has_writer && taken(&mut state).is_none());
        assert_eq!(state.error.unwrap().to_string(), "broken pipe");
    }

    #[test]
    fn one_thread_at_a_time_has_the_writer_role() {
        let mut state = SendState::default();
        assert!(state.try_claim_writer());
        assert!(!state.try_claim_writer());
        assert!(taken(&mut state).is_none());
        assert!(state.try_claim_writer(), "an empty queue releases the role");
        state.fail(io::ErrorKind::BrokenPipe.into());
        assert!(!state.has_writer, "a failure releases it");
    }
}
