//! Connections that get no thread because the server is full or stopping. One thread sends each a 503 and
//! closes it so that the answer arrives. It waits for no client.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::clock::unix_time;
use super::limits::{CLOSE_TIMEOUT, REJECT_POLL, REJECTED_MAX};
use super::spawn::spawn_essential;
use crate::net::stream::SharedStream;
use crate::wire::http::Method;
use crate::wire::refusal::Refusal;

/// A connection without a thread of its own.
struct Rejected {
    stream: SharedStream,
    /// Why it is rejected.
    refusal: Refusal,
    /// When it is closed, if the client has not closed before.
    deadline: Instant,
}

/// The way to the rejector thread.
pub struct Rejector(SyncSender<Rejected>);

impl Rejector {
    /// Starts the rejector thread.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start() -> io::Result<Self> {
        let (sender, receiver) = sync_channel(REJECTED_MAX);
        spawn_essential("rejector", move || run(&receiver))?;
        Ok(Self(sender))
    }

    /// Queues a connection. If [`REJECTED_MAX`] are queued, this one is closed without an answer.
    pub fn reject(&self, stream: SharedStream, refusal: Refusal) {
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        let _ = self.0.try_send(Rejected { stream, refusal, deadline }); // dropped if the queue is full
    }
}

/// The body of the rejector thread. If [`REJECTED_MAX`] connections are lingering, the next is closed as soon
/// as its response is sent.
fn run(queue: &Receiver<Rejected>) -> ! {
    let mut lingering: Vec<Rejected> = Vec::new();
    loop {
        let timeout = if lingering.is_empty() { Duration::MAX } else { REJECT_POLL };
        let first = queue.recv_timeout(timeout);
        lingering.retain(Rejected::linger);
        for rejected in first.into_iter().chain(queue.try_iter()) {
            if rejected.send_response().is_ok() && lingering.len() < REJECTED_MAX {
                lingering.push(rejected);
            }
        }
    }
}

impl Rejected {
    /// Sends the response without waiting for the request. Only if the start of a HEAD request has
    /// arrived already, the response has no content.
    fn send_response(&self) -> io::Result<()> {
        self.stream.set_nonblocking(true)?;
        let mut start = [0; 16];
        let length = self.stream.peek(&mut start).unwrap_or(0);
        let method = Method::leading(&start[..length]);
        let (bytes, _) = self.refusal.response().encode(method, unix_time().as_secs());
        (&*self.stream).write_all(&bytes)?;
        self.stream.shutdown(Shutdown::Write)
    }

    /// Reads received bytes and drops them. Returns true while the client may still send more.
    fn linger(&self) -> bool {
        let is_open = match (&*self.stream).read(&mut [0; 4096]) {
            Ok(count) => 0 < count,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        is_open && Instant::now() < self.deadline
    }
}
