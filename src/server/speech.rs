//! What a member's words lead to: a message for everyone, an echo, a pong, a refusal.

use std::io;
use std::mem;
use std::sync::Arc;
use std::thread;

use super::greeting::Resource;
use super::herald::{self, Batch, Ticket};
use super::limits::{BUFFER_KEPT, CLOSING_MAX, LINES_MAX, WIRE_BACKLOG_MAX};
use super::log::Event;
use super::outbox::{Outbox, Rest};
use super::{Server, give_back};
use crate::explain::live;
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::{self, Opcode};

/// What a member's words lead to, collected over one read.
pub struct Speech {
    /// The server that it is said to.
    pub server: &'static Server,
    resource: Resource,
    /// The speaker's outgoing side.
    pub outbox: Arc<Outbox>,
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
impl Drop for Speech {
    fn drop(&mut self) {
        if thread::panicking() {
            let close = Close::new(CloseCode::INTERNAL_ERROR, "internal error");
            self.outbox.close(close, Rest::Dropped, CLOSING_MAX);
        }
    }
}

impl Speech {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(server: &'static Server, resource: Resource, outbox: Arc<Outbox>) -> Self {
        Self {
            server,
            resource,
            outbox,
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
                self.server.log.add(Some(self.outbox.peer), Event::Said(text), &mut self.lines);
                if LINES_MAX < self.lines.len() {
                    self.server.log.hand_over(&mut self.lines);
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
        self.server.desk.settle(self.last_said); // what was said before comes first
        let close = Close::new(CloseCode::UNSUPPORTED_DATA, why);
        self.outbox.close(close, Rest::Sent, CLOSING_MAX);
        self.is_open = false;
    }

    /// A Ping.
    pub fn ping(&mut self, payload: &[u8]) {
        match self.resource {
            Resource::Chat | Resource::Wire => self.outbox.pong(payload),
            Resource::Echo if self.is_open => self.answer(Opcode::Pong, payload),
            Resource::Echo => (),
        }
    }

    /// A frame in hex, from whoever looks at the wire: what would answer it?
    fn judge(&mut self, text: &str) {
        let answer = live::answer(text, self.server.options.limits.message_max);
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
            self.last_said = herald::say(self.server, &mut self.batch);
        }
    }

    /// Gives away all that was collected. The client's own echo is sent in this thread, so one that
    /// does not read its echo is not read from either.
    ///
    /// # Errors
    /// The connection broke.
    pub fn hand_over(&mut self) -> io::Result<()> {
        self.server.log.hand_over(&mut self.lines);
        if BUFFER_KEPT < self.lines.capacity() {
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
            Resource::Chat | Resource::Echo => self.outbox.send(&self.answers)?,
            Resource::Wire => {
                let answers = Arc::new(mem::take(&mut self.answers));
                let _ = self.outbox.deliver(&answers, WIRE_BACKLOG_MAX); // lost, if it reads nothing
            }
        }
        self.answers.clear();
        give_back(&mut self.answers);
        Ok(())
    }
}
