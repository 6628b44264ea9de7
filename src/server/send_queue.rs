//! One client's outgoing side. All bytes after the handshake leave through it: whole frames from one writer
//! at a time, and a Close frame is the last frame that it ever sends.
//!
//! ```text
//!           a thread has a frame: it takes the writer role
//! no writer ──────────────────────────────────────────────> this thread writes without blocking
//!     ^                                                        │                    │
//!     │ the queue is empty: the writer releases the role       │                    │ the socket accepts no
//!     ├────────────────────────────────────────────────────────┘                    v more, or after 4 writes
//!     └──────────────────────────────────────────────── a writer thread writes and blocks
//! ```
//! While one thread has the writer role, the others leave their frames in the queue and go on.

use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::activity::Activity;
use super::batch::encoded;
use super::limits::SHUTDOWN_TIMEOUT;
use super::metrics::Metrics;
use super::sync::{lock, wait, wait_while};
use super::trace::Trace;
use crate::net::stream::{Peer, SharedStream};
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::Opcode;

pub use state::{Backlog, SendState};
pub use writer::WriterRole;

mod state;
mod writer;

/// The outgoing side of one client.
pub struct SendQueue {
    /// The client.
    pub peer: Peer,
    stream: SharedStream,
    /// All counters of the server.
    pub metrics: &'static Metrics,
    trace: Trace,
    /// The queue and its state. The lock is held to read or to change them, never to write to the socket.
    state: Mutex<SendState>,
    /// The writer released its role, or the state is not open any more.
    state_changed: Condvar,
    /// When the client was last active.
    pub activity: Activity,
}

/// What happened to frames that were to be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueue {
    /// They are sent or queued.
    Queued,
    /// The connection is closing.
    Closed,
    /// The queue is full: it holds this number of bytes.
    BacklogFull(usize),
}

impl SendQueue {
    /// Creates the send queue of a connection whose handshake is decided but not sent. The caller has the
    /// writer role ([`WriterRole::new`]) until [`WriterRole::write_all`]. The client can therefore join a
    /// room before its 101 and its welcome are sent, and misses no message.
    pub fn new(
        peer: Peer,
        stream: SharedStream,
        metrics: &'static Metrics,
        trace: Trace,
    ) -> Arc<Self> {
        let (state, state_changed) = (Mutex::new(SendState::with_writer()), Condvar::new());
        let activity = Activity::new();
        Arc::new(Self { peer, stream, metrics, trace, state, state_changed, activity })
    }

    /// Sends or queues whole frames that hold N text messages, without blocking. The queue may hold
    /// `max_backlog` bytes before these, so it can exceed this number by one batch.
    pub fn deliver(
        self: &Arc<Self>,
        frames: &Arc<Vec<u8>>,
        messages: u64,
        max_backlog: usize,
    ) -> Enqueue {
        let mut state = lock(&self.state);
        if !state.is_open() {
            return Enqueue::Closed;
        }
        if let Some(role) = self.claim_writer(&mut state) {
            drop(state);
            role.write_first(Arc::clone(frames));
        } else if state.queued_bytes <= max_backlog {
            state.push(Arc::clone(frames));
        } else {
            return Enqueue::BacklogFull(state.queued_bytes);
        }
        self.metrics.outgoing.text_messages(messages);
        Enqueue::Queued
    }

    /// Sends whole frames, and blocks the caller until the kernel has them or the connection has failed. If
    /// our Close is queued while the caller waits for the writer role, the frames are dropped.
    ///
    /// # Errors
    /// The connection failed.
    pub fn send(self: &Arc<Self>, frames: &[u8]) -> io::Result<()> {
        let mut state = lock(&self.state);
        while state.is_open() && state.has_writer {
            state.waiting += 1;
            state = wait(&self.state_changed, state);
            state.waiting -= 1;
        }
        if state.error.is_some() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let role = if state.is_open() { self.claim_writer(&mut state) } else { None };
        drop(state);
        role.map_or(Ok(()), |role| role.write_all(&[], frames))
    }

    /// Answers a Ping with its own payload (section 5.5.3). If a Pong is waiting already, the new one
    /// replaces it, as the section allows, so that a flood of Pings takes no memory.
    pub fn pong(self: &Arc<Self>, payload: &[u8]) {
        let pong = Arc::new(encoded(Opcode::Pong, payload));
        self.send_control(Opcode::Pong, pong, |state| &mut state.pong);
    }

    /// Sends a Ping (section 5.5.2), also to a client that is being written to: that the kernel accepts
    /// bytes does not show that the client is alive, and in a busy room there is always a writer.
    pub fn ping(self: &Arc<Self>, ping: &Arc<Vec<u8>>) {
        self.send_control(Opcode::Ping, Arc::clone(ping), |state| &mut state.ping);
    }

    /// Sends a control frame, or leaves it in its slot for the writer. After our Close nothing is sent, not
    /// even the answer to a Ping: a deliberate deviation from 5.5.2-f, which requires a Pong until a Close
    /// is received. So our Close is always the last frame, and no writer is needed after it.
    fn send_control(
        self: &Arc<Self>,
        opcode: Opcode,
        frame: Arc<Vec<u8>>,
        slot: fn(&mut SendState) -> &mut Option<Arc<Vec<u8>>>,
    ) {
        let mut state = lock(&self.state);
        if !state.is_open() {
            return;
        }
        if let Some(role) = self.claim_writer(&mut state) {
            drop(state);
            role.write_first(frame);
        } else if slot(&mut state).replace(frame).is_some() {
            return; // the frame that it replaces is counted already
        }
        self.metrics.outgoing.frames(opcode, 1);
    }

    /// Sends a Close, the last frame (section 5.5.1). The heartbeat gives the client `timeout` to answer,
    /// and extends it while the client accepts bytes of a [`Backlog::Flush`].
    ///
    /// Returns true if this is the server's first Close on the connection.
    pub fn close(self: &Arc<Self>, close: Close, backlog: Backlog, timeout: Duration) -> bool {
        let mut state = lock(&self.state);
        if !state.is_open() {
            return false;
        }
        self.metrics.outgoing.close(&close);
        self.metrics.outgoing.frames(Opcode::Close, 1);
        state.close(close, backlog, timeout);
        self.notify(&state);
        let role = self.claim_writer(&mut state);
        drop(state);
        if let Some(role) = role {
            role.drain();
        }
        true
    }

    /// Sends the Close of a server that shuts down (section 7.4.1: 1001).
    pub fn close_for_shutdown(self: &Arc<Self>) {
        let close = Close::new(CloseCode::GOING_AWAY, "the server is shutting down");
        self.close(close, Backlog::Flush, 2 * SHUTDOWN_TIMEOUT); // the shutdown itself ends the wait
    }

    /// Reads the state.
    pub fn with_state<T>(&self, read: impl FnOnce(&SendState) -> T) -> T {
        read(&lock(&self.state))
    }

    /// Waits until the queue is sent, as long as the client accepts bytes at least once in `timeout`.
    pub fn wait_flushed(&self, timeout: Duration) {
        let mut state = lock(&self.state);
        state.waiting += 1;
        loop {
            let before = self.activity.last_active();
            let has_writer = |state: &mut SendState| state.has_writer;
            let is_late;
            (state, is_late) = wait_while(&self.state_changed, state, timeout, has_writer);
            if !is_late || self.activity.last_active() == before {
                state.waiting -= 1;
                return;
            }
        }
    }

    /// Shuts down the socket in both directions; threads that read from it or write to it wake up.
    pub fn shutdown(&self) {
        let _ = self.stream.shutdown(Shutdown::Both); // the connection may have ended already
    }

    /// Takes the writer role, if it is free.
    fn claim_writer(self: &Arc<Self>, state: &mut SendState) -> Option<WriterRole<'_>> {
        state.try_claim_writer().then(|| WriterRole::new(self))
    }

    fn notify(&self, state: &SendState) {
        if 0 < state.waiting {
            self.state_changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{Format, Log, Verbosity};
    use super::super::trace::Tracing;
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::{panic, thread};

    fn connect() -> (Arc<SendQueue>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let (stream, address) = listener.accept().unwrap();
        let metrics: &Metrics = Box::leak(Box::default());
        let (peer, log) =
            (Peer { id: 1, address }, Log::start(Format::Text, Verbosity::Quiet).unwrap());
        let trace = Trace { peer, tracing: Tracing::Off, log, inspect_queue: None };
        (SendQueue::new(peer, Arc::new(stream), metrics, trace), client)
    }

    /// In a busy room there is a writer at every moment, also when a ping is due.
    #[test]
    fn a_client_that_is_being_written_to_gets_its_ping() {
        let (queue, mut client) = connect();
        queue.ping(&Arc::new(vec![0x89, 0]));
        WriterRole::new(&queue).write_all(b"101", &[0x81, 0]).unwrap();
        let mut received = [0; 7];
        client.read_exact(&mut received).unwrap();
        assert_eq!(received, *b"101\x81\0\x89\0");
        assert!(!queue.with_state(|state| state.has_writer));
    }

    fn assert_failed(queue: &Arc<SendQueue>, mut client: TcpStream, sentence: &str) {
        assert!(!queue.with_state(|state| state.has_writer), "the role is free");
        assert_eq!(queue.with_state(|state| state.error.as_ref().unwrap().to_string()), sentence);
        assert_eq!(queue.deliver(&Arc::new(vec![0x81, 0]), 1, usize::MAX), Enqueue::Closed);
        assert!(queue.send(&[0x81, 0]).is_err(), "it does not wait for a writer");
        queue.wait_flushed(Duration::MAX);
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "the client sees the end");
    }

    #[test]
    fn a_panic_of_the_writer_does_not_leave_the_queue_stuck() {
        let (queue, client) = connect();
        let writer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let _role = WriterRole::new(&queue);
                panic::resume_unwind(Box::new("while it writes")); // a panic that calls no hook
            }
        });
        assert!(writer.join().is_err());
        assert_failed(&queue, client, "the thread that wrote to it panicked");
    }

    #[test]
    fn a_thread_that_waits_for_the_writer_wakes_when_the_writer_panics() {
        let (queue, client) = connect();
        let sender = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.send(&[0x81, 0])
        });
        while queue.with_state(|state| state.waiting) == 0 {
            thread::yield_now();
        }
        let writer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let _role = WriterRole::new(&queue);
                panic::resume_unwind(Box::new("while it writes"));
            }
        });
        assert!(writer.join().is_err());
        assert!(sender.join().unwrap().is_err());
        assert_failed(&queue, client, "the thread that wrote to it panicked");
    }
}
