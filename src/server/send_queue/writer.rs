//! The writer role of a send queue: the thread that holds it writes to the socket, until the queue is empty
//! or a writer thread takes over.

use std::borrow::Cow;
use std::io::{self, ErrorKind::Interrupted, ErrorKind::WouldBlock, Write};
use std::sync::Arc;

use super::SendQueue;
use super::state::Chunk;
use crate::server::limits::{CLOSE_TIMEOUT, NONBLOCKING_WRITES_MAX, WRITE_MAX};
use crate::server::sync::lock;
use crate::server::thread_pool::spawn;
use crate::sys;

/// The right to write to the socket of a send queue. One thread has it at a time.
///
/// It ends when the queue is empty or the connection has failed. Only a panic drops it before: a frame may
/// be half sent, so the connection fails.
#[must_use]
pub struct WriterRole<'a> {
    send_queue: &'a Arc<SendQueue>,
    /// Whether the role has ended or a writer thread has it. The queue may have another writer already.
    is_released: bool,
}

impl Drop for WriterRole<'_> {
    fn drop(&mut self) {
        if !self.is_released {
            self.fail(io::Error::other("the thread that wrote to it panicked"));
        }
    }
}

impl<'a> WriterRole<'a> {
    /// The role that [`SendQueue::new`] or
    /// [`SendState::try_claim_writer`](super::SendState::try_claim_writer) has granted.
    pub fn new(send_queue: &'a Arc<SendQueue>) -> Self {
        Self { send_queue, is_released: false }
    }

    /// Writes `head`, which is a 101 or empty, and `frames` in one system call if the socket accepts them.
    /// Blocks until they are sent, then drains the queue of what other threads have queued since.
    ///
    /// # Errors
    /// The connection failed.
    pub fn write_all(mut self, head: &[u8], frames: &[u8]) -> io::Result<()> {
        self.send_queue.trace.sent(frames);
        let both =
            if head.is_empty() { Cow::Borrowed(frames) } else { [head, frames].concat().into() };
        let mut rest = &*both;
        while !rest.is_empty() {
            let sent = self.write_once(rest)?;
            rest = &rest[sent..];
        }
        self.send_queue.metrics.outgoing.bytes.add(frames.len() as u64);
        self.drain();
        Ok(())
    }

    /// Writes `frames` before the queue, without blocking.
    pub(super) fn write_first(self, frames: Arc<Vec<u8>>) {
        self.send_queue.trace.sent(&frames);
        self.write_nonblocking(Chunk::new(frames));
    }

    /// Writes what other threads have queued, without blocking.
    pub(super) fn drain(mut self) {
        if let Some(chunk) = self.next_chunk() {
            self.write_nonblocking(chunk);
        }
    }

    /// Writes as long as the socket accepts bytes, a few times at most. Then a writer thread takes over.
    fn write_nonblocking(mut self, mut chunk: Chunk) {
        for _ in 0..NONBLOCKING_WRITES_MAX {
            match sys::send_now(&self.send_queue.stream, chunk.rest()) {
                Ok(sent) => {
                    chunk.advance(sent);
                    self.send_queue.metrics.outgoing.bytes.add(sent as u64);
                }
                Err(error) if error.kind() == WouldBlock => break,
                Err(error) => return self.fail(error),
            }
            if !chunk.rest().is_empty() {
                break;
            }
            let Some(next) = self.next_chunk() else { return };
            chunk = next;
        }
        let send_queue = Arc::clone(self.send_queue);
        let write_blocking = move || WriterRole::new(&send_queue).write_blocking(chunk);
        self.is_released = true; // the writer thread has it now
        if let Err(error) = spawn(self.send_queue.peer, "writer", write_blocking) {
            self.fail(io::Error::other(format!("no thread to send its backlog: {error}")));
        }
    }

    /// The body of a writer thread: writes and blocks until the queue is empty.
    fn write_blocking(mut self, first: Chunk) {
        let mut next = Some(first);
        while let Some(mut chunk) = next {
            while !chunk.rest().is_empty() {
                let Ok(sent) = self.write_once(chunk.rest()) else { return };
                self.send_queue.metrics.outgoing.bytes.add(sent as u64);
                lock(&self.send_queue.state).advance(&mut chunk, sent, CLOSE_TIMEOUT);
            }
            next = self.next_chunk();
        }
    }

    /// Makes one write that blocks for [`SEND_TIMEOUT`](crate::server::limits::SEND_TIMEOUT) at most, and
    /// returns how many bytes were sent. A client that accepts bytes is active.
    fn write_once(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match (&*self.send_queue.stream).write(&bytes[..bytes.len().min(WRITE_MAX)]) {
            Ok(sent) => {
                self.send_queue.activity.touch();
                Ok(sent)
            }
            Err(error) if matches!(error.kind(), Interrupted | WouldBlock) => Ok(0),
            Err(error) => {
                let kind = error.kind();
                self.fail(error);
                Err(kind.into())
            }
        }
    }

    /// The next chunk of the queue. With `None` the role has ended.
    fn next_chunk(&mut self) -> Option<Chunk> {
        let mut state = lock(&self.send_queue.state);
        let Some(chunk) = state.next_chunk_or_release() else {
            self.is_released = true;
            self.send_queue.notify(&state);
            return None;
        };
        drop(state);
        self.send_queue.trace.sent(chunk.rest());
        Some(chunk)
    }

    /// Marks the connection as failed and ends it; the role has ended.
    fn fail(&mut self, error: io::Error) {
        self.is_released = true;
        let mut state = lock(&self.send_queue.state);
        state.fail(error);
        self.send_queue.notify(&state);
        drop(state);
        self.send_queue.shutdown();
    }
}
