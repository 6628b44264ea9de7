//! The thread that carries what is said to everyone. All that lies on the desk goes out as one
//! batch, so everyone sees the same messages in the same order, and load makes the batches larger
//! instead of the work.

use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::give_back;
use super::limits::{CLOSING_MAX, DESK_MAX};
use super::log::{Event, Log};
use super::metrics::Metrics;
use super::outbox::{Delivery, Outbox, Rest};
use super::room::Room;
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

/// Where those who speak leave their messages for the herald.
#[derive(Default)]
pub struct Desk {
    /// Held to append, or to take all. What lies here gets its place in the order for everyone.
    said: Mutex<Said>,
    /// For the herald: there is something.
    heard: Condvar,
    /// For those who speak: a batch was carried out.
    carried: Condvar,
}

#[derive(Default)]
struct Said {
    batch: Batch,
    /// Batches that the herald took, and the one that lies here has the next number.
    taken: u64,
    /// Batches that it has carried to everyone.
    carried: u64,
    /// Does the herald sleep?
    is_idle: bool,
    /// How many wait for `carried`.
    waiting: u32,
}

/// The batch that holds what somebody said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ticket(u64);

impl Desk {
    /// Leaves a batch, and empties it. While more lies here than the desk holds, the caller waits:
    /// so a flood slows its own sender down.
    pub fn post(&self, batch: &mut Batch) -> Ticket {
        let mut said = self.lock();
        while DESK_MAX <= said.batch.frames.len() {
            said = self.wait(said);
        }
        said.batch.frames.append(&mut batch.frames);
        give_back(&mut batch.frames);
        said.batch.messages += mem::take(&mut batch.messages);
        let ticket = Ticket(said.taken + 1);
        let wake = mem::take(&mut said.is_idle);
        drop(said);
        if wake {
            self.heard.notify_one();
        }
        ticket
    }

    /// Waits until the batch of `ticket` was carried to everyone. The herald waits for nobody, so
    /// this takes one round of it at most.
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

    /// All that lies here, once there is something; `spare` is the buffer for what comes next.
    fn take(&self, spare: Vec<u8>) -> Batch {
        let mut said = self.lock();
        while said.batch.is_empty() {
            said.is_idle = true;
            said = self.heard.wait(said).unwrap_or_else(PoisonError::into_inner);
        }
        said.is_idle = false;
        said.taken += 1;
        mem::replace(&mut said.batch, Batch { frames: spare, messages: 0 })
    }

    fn carry(&self) {
        let mut said = self.lock();
        said.carried = said.taken;
        if 0 < said.waiting {
            self.carried.notify_all();
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

/// What the herald needs.
pub struct Herald {
    /// Where it takes from.
    pub desk: &'static Desk,
    /// Whom it carries to.
    pub room: &'static Room,
    /// Octets that a member may owe.
    pub backlog_max: usize,
    /// What it counts in.
    pub metrics: &'static Metrics,
    /// Where it tells of those who did not keep up.
    pub log: &'static Log,
}

impl Herald {
    /// Starts the thread, which lives as long as the program.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(self) -> io::Result<()> {
        super::spawn_essential("herald", move || self.run())
    }

    fn run(self) -> ! {
        let mut members = Vec::new();
        let mut spare = Vec::new();
        loop {
            let batch = self.desk.take(spare);
            let frames = Arc::new(batch.frames);
            self.room.look_around(&mut members);
            for member in members.drain(..) {
                self.deliver(&member, &frames, batch.messages);
            }
            self.desk.carry();
            // If nobody owes it any more, the memory serves again.
            spare = Arc::into_inner(frames).unwrap_or_default();
            spare.clear();
            spare.shrink_to(DESK_MAX);
        }
    }

    fn deliver(&self, member: &Arc<Outbox>, frames: &Arc<Vec<u8>>, messages: u64) {
        match member.deliver(frames, self.backlog_max) {
            Delivery::Taken => {
                self.metrics.outgoing.messages.add(messages);
                self.metrics.outgoing.frames(Opcode::Text, messages);
            }
            Delivery::Refused => (),
            Delivery::TooSlow(owed) => {
                let close = Close::new(CloseCode::TRY_AGAIN_LATER, "reading too slowly");
                if member.close(close, Rest::Dropped, CLOSING_MAX) {
                    self.metrics.slow_readers.add(1);
                    let what = format!("reads too slowly: {owed} bytes unsent");
                    self.log.tell(Some(member.peer), Event::Errored(&what));
                }
            }
        }
    }
}
