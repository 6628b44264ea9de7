//! How what is said gets to everyone. All that lies on the desk goes out as one batch, so everyone sees
//! the same messages in the same order, and load makes the batches larger instead of the work.
//!
//! ```text
//! nobody carries ── somebody speaks ──> the speaker carries its batch ── nothing came since ──> nobody carries
//!                                              │
//!                                   more was said meanwhile
//!                                              v
//!                        the herald, a thread, carries until the desk is empty ──> nobody carries
//! ```
//! A lone message so wakes no other thread on its way, and a flood keeps no speaker from its next read
//! for longer than one batch.

use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::limits::{CLOSING_MAX, DESK_MAX};
use super::log::Event;
use super::outbox::{Delivery, Outbox, Rest};
use super::{Server, give_back};
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::{self, Opcode};

/// Messages as frames, encoded once for everyone.
#[derive(Default)]
pub struct Batch {
    frames: Vec<u8>,
    messages: u64,
}

impl Batch {
    /// Appends a text message.
    pub fn say(&mut self, text: &str) {
        frame::encode(Opcode::Text, None, text.as_bytes(), &mut self.frames);
        self.messages += 1;
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages == 0
    }
}

/// Says all of `batch`, and empties it: once everyone has the ticket's batch, everyone has this.
pub fn say(server: &'static Server, batch: &mut Batch) -> Ticket {
    let (ticket, round) = server.desk.post(batch);
    if let Some(round) = round {
        round.carry(server);
    }
    ticket
}

/// Starts the herald's thread, which lives as long as the program.
///
/// # Errors
/// The system refuses a thread.
pub fn start(server: &'static Server) -> io::Result<()> {
    super::spawn_essential("herald", move || {
        loop {
            server.desk.await_round().carry(server);
        }
    })
}

/// Where those who speak leave their messages for whoever carries.
#[derive(Default)]
pub struct Desk {
    /// Held to append, or to take all. What lies here gets its place in the order for everyone.
    said: Mutex<Said>,
    /// For the herald: it is to carry.
    heard: Condvar,
    /// For those who speak: a batch was carried out.
    carried: Condvar,
}

#[derive(Default)]
struct Said {
    batch: Batch,
    /// Batches that were taken, and the one that lies here has the next number.
    taken: u64,
    /// Batches that were carried to everyone.
    carried: u64,
    carrier: Carrier,
    /// Does the herald sleep?
    is_idle: bool,
    /// How many wait for `carried`.
    waiting: u32,
    tools: Tools,
}

#[derive(Default, PartialEq)]
enum Carrier {
    /// Who speaks next carries it.
    #[default]
    Nobody,
    /// A round is under way.
    Somebody,
    /// The herald is to carry what lies here.
    Herald,
}

/// What a round needs, kept for the next.
#[derive(Default)]
struct Tools {
    members: Vec<Arc<Outbox>>,
    spare: Vec<u8>,
}

/// The batch that holds what somebody said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ticket(u64);

impl Desk {
    /// Leaves a batch, and empties it. If nobody carries, the caller has to. While more lies here than
    /// the desk holds, the caller waits: so a flood slows its own sender down.
    fn post(&self, batch: &mut Batch) -> (Ticket, Option<Round<'_>>) {
        let mut said = self.lock();
        while DESK_MAX <= said.batch.frames.len() {
            said = self.wait(said);
        }
        said.batch.frames.append(&mut batch.frames);
        give_back(&mut batch.frames);
        said.batch.messages += mem::take(&mut batch.messages);
        let ticket = Ticket(said.taken + 1);
        let is_free = said.carrier == Carrier::Nobody;
        (ticket, is_free.then(|| self.begin(said)))
    }

    /// Waits until the batch of `ticket` was carried to everyone. Whoever carries waits for nobody, so
    /// this takes two rounds at most.
    pub fn settle(&self, ticket: Ticket) {
        let mut said = self.lock();
        while said.carried < ticket.0 {
            said = self.wait(said);
        }
    }

    /// The batch that holds the last that was said.
    pub fn latest(&self) -> Ticket {
        let said = self.lock();
        Ticket(said.taken + u64::from(!said.batch.is_empty()))
    }

    /// For the herald: waits for its turn.
    fn await_round(&self) -> Round<'_> {
        let mut said = self.lock();
        while said.carrier != Carrier::Herald {
            said.is_idle = true;
            said = self.heard.wait(said).unwrap_or_else(PoisonError::into_inner);
        }
        said.is_idle = false;
        self.begin(said)
    }

    /// Takes all that lies here.
    fn begin(&self, mut said: MutexGuard<'_, Said>) -> Round<'_> {
        said.carrier = Carrier::Somebody;
        said.taken += 1;
        let Tools { members, spare } = mem::take(&mut said.tools);
        let batch = mem::replace(&mut said.batch, Batch { frames: spare, messages: 0 });
        Round { desk: self, members, frames: Arc::new(batch.frames), messages: batch.messages }
    }

    /// A round is over; what was said meanwhile is the herald's.
    fn end(&self, mut tools: Tools) {
        let mut said = self.lock();
        mem::swap(&mut said.tools, &mut tools);
        said.carried = said.taken;
        if 0 < said.waiting {
            self.carried.notify_all();
        }
        let is_done = said.batch.is_empty();
        said.carrier = if is_done { Carrier::Nobody } else { Carrier::Herald };
        let wake = !is_done && said.is_idle;
        drop(said);
        if wake {
            self.heard.notify_one();
        }
    }

    fn wait<'a>(&self, mut said: MutexGuard<'a, Said>) -> MutexGuard<'a, Said> {
        said.waiting += 1;
        let mut said = self.carried.wait(said).unwrap_or_else(PoisonError::into_inner);
        said.waiting -= 1;
        said
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch on its way to everyone. There is one at a time, and however it ends the next can begin.
struct Round<'a> {
    desk: &'a Desk,
    members: Vec<Arc<Outbox>>,
    frames: Arc<Vec<u8>>,
    messages: u64,
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        self.members.clear();
        // If nobody owes it any more, the memory serves again.
        let mut spare = Arc::get_mut(&mut self.frames).map(mem::take).unwrap_or_default();
        spare.clear();
        spare.shrink_to(DESK_MAX);
        self.desk.end(Tools { members: mem::take(&mut self.members), spare });
    }
}

impl Round<'_> {
    fn carry(mut self, server: &'static Server) {
        server.chat.look_around(&mut self.members);
        for member in &self.members {
            self.deliver(server, member);
        }
    }

    fn deliver(&self, server: &'static Server, member: &Arc<Outbox>) {
        match member.deliver(&self.frames, server.options.limits.backlog_max) {
            Delivery::Taken => {
                server.metrics.outgoing.messages.add(self.messages);
                server.metrics.outgoing.frames(Opcode::Text, self.messages);
            }
            Delivery::Refused => (),
            Delivery::TooSlow(owed) => {
                let close = Close::new(CloseCode::TRY_AGAIN_LATER, "reading too slowly");
                if member.close(close, Rest::Dropped, CLOSING_MAX) {
                    server.metrics.slow_readers.add(1);
                    let what = format!("reads too slowly: {owed} bytes unsent");
                    server.log.tell(Some(member.peer), Event::Errored(&what));
                }
            }
        }
    }
}
