//! The writer of an send_queue: whoever found nobody writing, until all is taken or a thread of its own
//! takes over.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{Arc, MutexGuard};

use super::super::limits::{CLOSE_TIMEOUT, HELPED_WRITES_MAX, WRITE_MAX};
use super::super::thread_pool::spawn;
use super::SendQueue;
use super::state::{Chunk, SendState};
use crate::sys;

impl SendQueue {
    /// Makes the caller the writer, who begins with these frames.
    pub(super) fn begin(self: &Arc<Self>, mut line: MutexGuard<SendState>, frames: Arc<Vec<u8>>) {
        line.is_writing = true;
        drop(line);
        self.show(&frames);
        self.write_now(Chunk::new(frames));
    }

    /// The caller is the writer, and waits until head and frames are sent.
    pub(super) fn write_all(self: &Arc<Self>, head: &[u8], frames: &[u8]) -> io::Result<()> {
        self.show(frames);
        let both =
            if head.is_empty() { Cow::Borrowed(frames) } else { [head, frames].concat().into() };
        let mut rest = &*both;
        while !rest.is_empty() {
            let sent = self.write_some(rest)?;
            rest = &rest[sent..];
        }
        self.metrics.outgoing.bytes.add(frames.len() as u64);
        self.write_on();
        Ok(())
    }

    /// The caller is the writer; others may have left something for it.
    pub(super) fn write_on(self: &Arc<Self>) {
        if let Some(piece) = self.next_piece() {
            self.write_now(piece);
        }
    }

    /// Writes as long as the socket takes it, for others too, but not for ever.
    fn write_now(self: &Arc<Self>, mut piece: Chunk) {
        for _ in 0..HELPED_WRITES_MAX {
            match sys::send_now(&self.stream, piece.rest()) {
                Ok(sent) => {
                    piece.advance(sent);
                    self.metrics.outgoing.bytes.add(sent as u64);
                }
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
        let send_queue = Arc::clone(self);
        let writing = spawn(self.peer, "writer", move || send_queue.write_waiting(piece));
        if let Err(error) = writing {
            self.break_off(io::Error::other(format!("no thread for its backlog: {error}")));
        }
    }

    /// The body of the thread that carries a backlog.
    fn write_waiting(&self, mut piece: Chunk) {
        loop {
            while !piece.rest().is_empty() {
                let Ok(sent) = self.write_some(piece.rest()) else { return }; // it is told in the line
                piece.advance(sent);
                self.metrics.outgoing.bytes.add(sent as u64);
                let mut line = self.lock();
                if 0 < sent {
                    line.took_something(CLOSE_TIMEOUT);
                }
                if line.drops_the_rest() {
                    piece.cut();
                }
            }
            match self.next_piece() {
                Some(next) => piece = next,
                None => return,
            }
        }
    }

    /// One waiting write of the writer; how much the client has taken by the end of its patience. A
    /// client that takes something is alive.
    pub(super) fn write_some(&self, octets: &[u8]) -> io::Result<usize> {
        match (&*self.stream).write(&octets[..octets.len().min(WRITE_MAX)]) {
            Ok(sent) => {
                self.activity.beat();
                Ok(sent)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Ok(0),
                kind => {
                    self.break_off(error);
                    Err(kind.into())
                }
            },
        }
    }

    /// What the writer writes next; with `None` it has ceased to be the writer.
    fn next_piece(&self) -> Option<Chunk> {
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

    pub(super) fn show(&self, frames: &[u8]) {
        if let Some(trace) = self.trace {
            trace.sent(frames);
        }
    }
}
