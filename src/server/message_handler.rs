//! Carries out the replies to one client's messages. They are collected over one read and flushed at its end.

use std::io;
use std::mem;
use std::sync::Arc;
use std::thread;

use super::batch::{Batch, release_capacity};
use super::broadcast::Ticket;
use super::limits::{BUFFER_RETAINED_MAX, CLOSE_TIMEOUT, LOG_LINES_MAX, WIRE_BACKLOG_MAX};
use super::log::LogEvent;
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
    /// At `/chat`, messages for all members; at `/wire`, simulated answers for the client.
    batch: Batch,
    /// At `/echo`, frames for the client.
    replies: Vec<u8>,
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
        Self {
            server,
            resource,
            send_queue,
            is_open: true,
            batch: Batch::default(),
            replies: Vec::new(),
            log_lines: String::new(),
            last_broadcast: Ticket::default(),
        }
    }

    /// Logs a text message, and collects it for all members.
    pub fn broadcast(&mut self, text: &str) {
        if self.accepts_message() {
            self.batch.push_text(text);
            let peer = Some(self.send_queue.peer);
            self.server.log.push_line(peer, LogEvent::Message(text), &mut self.log_lines);
            if LOG_LINES_MAX < self.log_lines.len() {
                self.server.log.submit(&mut self.log_lines);
            }
        }
    }

    /// Collects a message for its sender.
    pub fn echo(&mut self, opcode: Opcode, payload: &[u8]) {
        if self.accepts_message() {
            self.push_reply(opcode, payload);
            self.server.metrics.outgoing.messages.add(1);
        }
    }

    /// Collects the simulated answer to frames in hex.
    pub fn simulate(&mut self, text: &str) {
        if self.accepts_message() {
            self.batch.push_text(&simulate(text, self.server.options.limits.max_message));
        }
    }

    /// Answers a Ping. At `/echo` the Pong keeps its place between the echoes.
    pub fn pong(&mut self, payload: &[u8]) {
        match self.resource {
            Resource::Chat | Resource::Wire => self.send_queue.pong(payload),
            Resource::Echo if self.is_open => self.push_reply(Opcode::Pong, payload),
            Resource::Echo => (),
        }
    }

    /// Closes because of a message that the resource does not accept. The client's earlier messages are
    /// delivered first.
    pub fn reject(&mut self, close: Close) {
        if self.accepts_message() {
            let _ = self.flush(); // if the connection has failed, the next read reports it
            self.server.broadcast_queue.wait_until_delivered(self.last_broadcast);
            self.send_queue.close(close, Backlog::Flush, CLOSE_TIMEOUT);
            self.is_open = false;
        }
    }

    /// Counts a message. Returns false if it is to be dropped, because our Close is sent.
    fn accepts_message(&self) -> bool {
        if self.is_open {
            self.server.metrics.incoming.messages.add(1);
        }
        self.is_open
    }

    fn push_reply(&mut self, opcode: Opcode, payload: &[u8]) {
        frame::encode(opcode, None, payload, &mut self.replies);
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
        match self.resource {
            Resource::Chat => self.broadcast_pending(),
            Resource::Echo => self.send_replies()?,
            Resource::Wire => self.deliver_simulations(),
        }
        Ok(())
    }

    fn broadcast_pending(&mut self) {
        if !self.batch.is_empty() {
            self.last_broadcast = self.server.broadcast_queue.broadcast(&mut self.batch);
        }
    }

    /// Sends the echoes and blocks, so the server does not read from a client that does not read its echo.
    fn send_replies(&mut self) -> io::Result<()> {
        if !self.replies.is_empty() {
            self.send_queue.send(&self.replies)?;
            self.replies.clear();
            release_capacity(&mut self.replies);
        }
        Ok(())
    }

    /// Queues the simulated answers after the observations. They are dropped if the client does not read.
    fn deliver_simulations(&mut self) {
        if !self.batch.is_empty() {
            let Batch { frames, messages } = mem::take(&mut self.batch);
            let _ = self.send_queue.deliver(&Arc::new(frames), messages, WIRE_BACKLOG_MAX);
        }
    }
}
