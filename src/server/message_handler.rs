//! What a member's words lead to: a message for everyone, an echo, a pong, a refusal.

use std::io;
use std::mem;
use std::sync::Arc;
use std::thread;

use super::broadcast::{self, Batch, Ticket};
use super::limits::{BUFFER_RETAINED_MAX, CLOSE_TIMEOUT, LINES_MAX, WIRE_BACKLOG_MAX};
use super::log::Event;
use super::resource::Resource;
use super::send_queue::{Backlog, SendQueue};
use super::{Server, release_capacity, simulate};
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::{self, Opcode};

/// What a member's words lead to, collected over one read.
pub struct MessageHandler {
    /// The server that it is said to.
    pub server: &'static Server,
    resource: Resource,
    /// The speaker's outgoing side.
    pub send_queue: Arc<SendQueue>,
    /// After a Close of our own everything but the client's is read and dropped.
    pub is_open: bool,
    /// For everyone.
    batch: Batch,
    /// For the client itself.
    answers: Vec<u8>,
    /// For the log.
    lines: String,
    /// When everyone has this, everyone has all that was said.
    pub last_said: Ticket,
}

/// A panic ends this connection alone, and says so where it can.
impl Drop for MessageHandler {
    fn drop(&mut self) {
        if thread::panicking() {
            let close = Close::new(CloseCode::INTERNAL_ERROR, "internal error");
            self.send_queue.close(close, Backlog::Discard, CLOSE_TIMEOUT);
        }
    }
}

impl MessageHandler {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(server: &'static Server, resource: Resource, send_queue: Arc<SendQueue>) -> Self {
        Self {
            server,
            resource,
            send_queue,
            is_open: true,
            batch: Batch::default(),
            answers: Vec::new(),
            lines: String::new(),
            last_said: Ticket::default(),
        }
    }

    /// A text message.
    pub fn text(&mut self, text: &str) {
        if !self.is_open {
            return;
        }
        self.server.metrics.incoming.messages.add(1);
        match self.resource {
            Resource::Chat => {
                #[cfg(test)]
                assert_ne!(text, "panic", "a member asked for it");
                self.batch.say(text);
                self.server.log.add(
                    Some(self.send_queue.peer),
                    Event::QueueState(text),
                    &mut self.lines,
                );
                if LINES_MAX < self.lines.len() {
                    self.server.log.submit(&mut self.lines);
                }
            }
            Resource::Echo => self.echo(Opcode::Text, text.as_bytes()),
            Resource::Wire => self.judge(text),
        }
    }

    /// A binary message.
    pub fn binary(&mut self, octets: &[u8]) {
        if !self.is_open {
            return;
        }
        self.server.metrics.incoming.messages.add(1);
        match self.resource {
            Resource::Chat => self.refuse_binary("this chat takes text only"),
            Resource::Echo => self.echo(Opcode::Binary, octets),
            Resource::Wire => self.refuse_binary("/wire takes frames as hex in text only"),
        }
    }

    fn refuse_binary(&mut self, why: &str) {
        self.say();
        self.server.broadcast_queue.wait_until_delivered(self.last_said); // what was said before comes first
        let close = Close::new(CloseCode::UNSUPPORTED_DATA, why);
        self.send_queue.close(close, Backlog::Flush, CLOSE_TIMEOUT);
        self.is_open = false;
    }

    /// A Ping.
    pub fn ping(&mut self, payload: &[u8]) {
        match self.resource {
            Resource::Chat | Resource::Wire => self.send_queue.pong(payload),
            Resource::Echo if self.is_open => self.answer(Opcode::Pong, payload),
            Resource::Echo => (),
        }
    }

    /// A frame in hex, from whoever looks at the wire: what would answer it?
    fn judge(&mut self, text: &str) {
        let answer = simulate::simulate(text, self.server.options.limits.max_message);
        self.echo(Opcode::Text, answer.as_bytes());
    }

    fn echo(&mut self, opcode: Opcode, octets: &[u8]) {
        self.answer(opcode, octets);
        self.server.metrics.outgoing.messages.add(1);
    }

    fn answer(&mut self, opcode: Opcode, payload: &[u8]) {
        frame::encode(opcode, None, payload, &mut self.answers);
        self.server.metrics.outgoing.frames(opcode, 1);
    }

    fn say(&mut self) {
        if !self.batch.is_empty() {
            self.last_said = broadcast::say(self.server, &mut self.batch);
        }
    }

    /// Gives away all that was collected. The client's own echo is sent in this thread, so one that
    /// does not read its echo is not read from either.
    ///
    /// # Errors
    /// The connection broke.
    pub fn flush(&mut self) -> io::Result<()> {
        self.server.log.submit(&mut self.lines);
        if BUFFER_RETAINED_MAX < self.lines.capacity() {
            self.lines = String::new();
        }
        self.say();
        if !self.answers.is_empty() {
            self.give_answers()?;
        }
        Ok(())
    }

    /// Behind what is shown of the wire an answer takes its place in the queue, or is lost like the rest
    /// of it.
    fn give_answers(&mut self) -> io::Result<()> {
        match self.resource {
            Resource::Chat | Resource::Echo => self.send_queue.send(&self.answers)?,
            Resource::Wire => {
                let answers = Arc::new(mem::take(&mut self.answers));
                let _ = self.send_queue.deliver(&answers, WIRE_BACKLOG_MAX); // lost, if it reads nothing
            }
        }
        self.answers.clear();
        release_capacity(&mut self.answers);
        Ok(())
    }
}
