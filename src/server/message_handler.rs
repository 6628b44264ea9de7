//! Carries out the replies to one client's messages. They are collected over one read and flushed at its end.

use std::io;
use std::mem;
use std::sync::Arc;
use std::thread;

use super::batch::{Batch, release_capacity};
use super::broadcast::Ticket;
use super::limits::{BUFFER_RETAINED_MAX, CLOSE_TIMEOUT, LOG_LINES_MAX, WIRE_BACKLOG_MAX};
use super::log::LogEvent;
use super::reply::Reply;
use super::resource::Resource;
use super::send_queue::{Backlog, SendQueue};
use super::simulate::simulate;
use super::state::Server;
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::{self, Opcode};

/// The replies to the messages of one read.
pub struct MessageHandler {
    /// The state that all threads share.
    pub server: &'static Server,
    /// What the client has upgraded to.
    pub resource: Resource,
    /// The client's outgoing side.
    pub send_queue: Arc<SendQueue>,
    /// False after our Close: messages are then read and dropped.
    pub is_open: bool,
    /// At `/chat`, messages for all members; at `/echo`, frames for the client, which are not counted here.
    /// Both are bounded by what one read completes. At `/wire`, simulated answers for the client: an answer
    /// is longer than its text, so above [`WIRE_BACKLOG_MAX`] further ones are dropped.
    batch: Batch,
    /// Lines for the log.
    log_lines: String,
    /// The ticket of the client's last broadcast.
    pub last_broadcast: Ticket,
}

/// After a panic of the client's thread, the client gets a Close with 1011 if that is still possible.
impl Drop for MessageHandler {
    fn drop(&mut self) {
        if thread::panicking() {
            let close = Close::new(CloseCode::INTERNAL_ERROR, "internal error");
            self.send_queue.close(close, Backlog::Discard, CLOSE_TIMEOUT);
        }
    }
}

impl MessageHandler {
    /// A handler without replies.
    pub fn new(server: &'static Server, resource: Resource, send_queue: Arc<SendQueue>) -> Self {
        let (batch, log_lines, last_broadcast) = Default::default();
        Self { server, resource, send_queue, is_open: true, batch, log_lines, last_broadcast }
    }

    /// Carries out the reply to one event: collects what is to be sent, or answers at once. After our Close
    /// nothing is sent and nothing is counted. A [`Reply::Close`] ends the session, which answers it.
    pub fn carry_out(&mut self, reply: Reply) {
        if !self.is_open {
            return;
        }
        if !matches!(reply, Reply::Pong(_) | Reply::Nothing | Reply::Close(_)) {
            self.server.metrics.incoming.messages.add(1);
        }
        match reply {
            Reply::Broadcast(text) => {
                self.batch.push_text(text); // 5.6
                let (log, peer) = (self.server.log, Some(self.send_queue.peer));
                log.push_line(peer, LogEvent::Message(text), &mut self.log_lines);
                if LOG_LINES_MAX < self.log_lines.len() {
                    log.submit(&mut self.log_lines);
                }
            }
            Reply::Echo(opcode, payload) => {
                self.push_reply(opcode, payload); // 5.6
                self.server.metrics.outgoing.messages.add(1);
            }
            Reply::Simulation(text) if self.batch.frames.len() <= WIRE_BACKLOG_MAX => {
                self.batch.push_text(&simulate(text, self.server.options.limits.max_message));
            }
            // 5.5.2, 5.5.3: at `/echo` the Pong keeps its place between the echoes
            Reply::Pong(payload) if self.resource == Resource::Echo => {
                self.push_reply(Opcode::Pong, payload);
            }
            Reply::Pong(payload) => self.send_queue.pong(payload),
            Reply::Unsupported(close) => self.close_unsupported(close), // 7.4.1
            // 5.5.3: a Pong needs no reply. The session answers a Close. A simulation over the bound is
            // dropped.
            Reply::Nothing | Reply::Close(_) | Reply::Simulation(_) => (),
        }
    }

    /// Starts the closing handshake (section 7.1.2) because of a message that the resource does not accept.
    /// The client's earlier messages are delivered first. After it, messages are read and dropped.
    fn close_unsupported(&mut self, close: Close) {
        let _ = self.flush(); // if the connection has failed, the next read reports it
        self.server.broadcast_queue.wait_until_delivered(self.last_broadcast);
        self.send_queue.close(close, Backlog::Flush, CLOSE_TIMEOUT);
        self.is_open = false;
    }

    /// Collects a frame for the client, and counts it.
    fn push_reply(&mut self, opcode: Opcode, payload: &[u8]) {
        frame::encode(opcode, None, payload, &mut self.batch.frames);
        self.server.metrics.outgoing.frames(opcode, 1);
    }

    /// Sends everything that was collected.
    ///
    /// # Errors
    /// The connection failed.
    pub fn flush(&mut self) -> io::Result<()> {
        self.server.log.submit(&mut self.log_lines);
        if BUFFER_RETAINED_MAX < self.log_lines.capacity() {
            self.log_lines = String::new();
        }
        // At `/echo` the batch has frames, but its `messages` stays 0.
        if self.batch.frames.is_empty() {
            return Ok(());
        }
        match self.resource {
            Resource::Chat => {
                self.last_broadcast = self.server.broadcast_queue.broadcast(&mut self.batch);
            }
            // It blocks, so the server does not read from a client that does not read its echo.
            Resource::Echo => {
                self.send_queue.send(&self.batch.frames)?;
                self.batch.frames.clear();
                release_capacity(&mut self.batch.frames);
            }
            // The simulated answers follow the observations. They are dropped if the client does not read.
            Resource::Wire => {
                let Batch { frames, messages } = mem::take(&mut self.batch);
                let _ = self.send_queue.deliver(&Arc::new(frames), messages, WIRE_BACKLOG_MAX);
            }
        }
        Ok(())
    }
}
