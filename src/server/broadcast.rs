//! How what is said gets to everyone. All that lies on the broadcast_queue goes out as one batch, so everyone sees
//! the same messages in the same order, and load makes the batches larger instead of the work.
//!
//! ```text
//! nobody carries ── somebody speaks ──> the speaker carries its batch ── nothing came since ──> nobody carries
//!                                       (to many, the broadcast helps)
//!                                              │
//!                                   more was said meanwhile
//!                                              v
//!                        the broadcast, a thread, carries until the broadcast_queue is empty ──> nobody carries
//! ```
//! A lone message to a few so wakes no other thread on its way, one to many leaves from two processors,
//! and a flood keeps no speaker from its next read for longer than one batch.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::limits::{BROADCAST_QUEUE_MAX, CLOSE_TIMEOUT, HELP_MEMBERS_MIN};
use super::log::Event;
use super::room::Room;
use super::send_queue::{Backlog, Enqueue, SendQueue};
use super::{Server, release_capacity};
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
    let (ticket, round) = server.broadcast_queue.post(batch, &server.chat);
    if let Some(round) = round {
        server.broadcast_queue.share(&round);
        round.carry(server);
        server.broadcast_queue.unshare();
    }
    ticket
}

/// Starts the broadcast's thread, which lives as long as the program.
///
/// # Errors
/// The system refuses a thread.
pub fn start(server: &'static Server) -> io::Result<()> {
    super::spawn_essential("broadcast", move || {
        loop {
            server.broadcast_queue.await_round(&server.chat).carry(server);
        }
    })
}

/// Where those who speak leave their messages for whoever carries.
#[derive(Default)]
pub struct BroadcastQueue {
    /// Held to append, or to take all. What lies here gets its place in the order for everyone.
    said: Mutex<QueueState>,
    /// For the broadcast: it is to carry.
    heard: Condvar,
    /// For those who speak: a batch was carried out.
    carried: Condvar,
}

#[derive(Default)]
struct QueueState {
    batch: Batch,
    /// Batches that were taken, and the one that lies here has the next number.
    taken: u64,
    /// Batches that were carried to everyone.
    carried: u64,
    carrier: Carrier,
    /// Does the broadcast sleep?
    is_idle: bool,
    /// A speaker's round that the broadcast is to help with.
    shared: Option<Arc<Round>>,
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
    /// The broadcast is to carry what lies here.
    Herald,
}

/// What a round needs, kept for the next.
#[derive(Default)]
struct Tools {
    members: Vec<Arc<SendQueue>>,
    spare: Vec<u8>,
}

/// The batch that holds what somebody said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ticket(u64);

impl BroadcastQueue {
    /// Leaves a batch, and empties it. If nobody carries, the caller has to. While more lies here than
    /// the broadcast_queue holds, the caller waits: so a flood slows its own sender down.
    fn post(&'static self, batch: &mut Batch, room: &Room) -> (Ticket, Option<Arc<Round>>) {
        let mut said = self.lock();
        while BROADCAST_QUEUE_MAX <= said.batch.frames.len() {
            said = self.wait(said);
        }
        said.batch.frames.append(&mut batch.frames);
        release_capacity(&mut batch.frames);
        said.batch.messages += mem::take(&mut batch.messages);
        let ticket = Ticket(said.taken + 1);
        let is_free = said.carrier == Carrier::Nobody;
        (ticket, is_free.then(|| self.begin(said, room)))
    }

    /// Waits until the batch of `ticket` was carried to everyone. Whoever carries waits for nobody, so
    /// this takes two rounds at most.
    pub fn wait_until_delivered(&self, ticket: Ticket) {
        let mut said = self.lock();
        while said.carried < ticket.0 {
            said = self.wait(said);
        }
    }

    /// The batch that holds the last that was said.
    pub fn last_enqueued(&self) -> Ticket {
        let said = self.lock();
        Ticket(said.taken + u64::from(!said.batch.is_empty()))
    }

    /// For the broadcast: waits until it is to carry, or to help.
    fn await_round(&'static self, room: &Room) -> Arc<Round> {
        let mut said = self.lock();
        loop {
            if let Some(round) = said.shared.take() {
                said.is_idle = false;
                return round;
            }
            if said.carrier == Carrier::Herald {
                said.is_idle = false;
                return self.begin(said, room);
            }
            said.is_idle = true;
            said = self.heard.wait(said).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Asks the broadcast for help with a speaker's round, if it sleeps and the way is long.
    fn share(&self, round: &Arc<Round>) {
        let mut said = self.lock();
        if said.is_idle && HELP_MEMBERS_MIN <= round.members.len() {
            said.shared = Some(Arc::clone(round));
            drop(said);
            self.heard.notify_one();
        }
    }

    /// The speaker has begun with the last member: a broadcast that has not woken is not waited for.
    fn unshare(&self) {
        let round = self.lock().shared.take();
        drop(round); // not under the lock, which its end takes
    }

    /// Takes all that lies here.
    fn begin(&'static self, mut said: MutexGuard<'_, QueueState>, room: &Room) -> Arc<Round> {
        said.carrier = Carrier::Somebody;
        said.taken += 1;
        let Tools { members, spare } = mem::take(&mut said.tools);
        let Batch { frames, messages } =
            mem::replace(&mut said.batch, Batch { frames: spare, messages: 0 });
        drop(said);
        let frames = Arc::new(frames);
        let mut round =
            Round { broadcast_queue: self, members, next: AtomicUsize::new(0), frames, messages };
        room.snapshot(&mut round.members);
        Arc::new(round)
    }

    /// A round is over; what was said meanwhile is the broadcast's.
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

    fn wait<'a>(&self, mut said: MutexGuard<'a, QueueState>) -> MutexGuard<'a, QueueState> {
        said.waiting += 1;
        let mut said = self.carried.wait(said).unwrap_or_else(PoisonError::into_inner);
        said.waiting -= 1;
        said
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch on its way to everyone. There is one at a time, and however it ends the next can begin.
struct Round {
    broadcast_queue: &'static BroadcastQueue,
    members: Vec<Arc<SendQueue>>,
    /// The first member that nobody has begun with.
    next: AtomicUsize,
    frames: Arc<Vec<u8>>,
    messages: u64,
}

impl Drop for Round {
    fn drop(&mut self) {
        self.members.clear();
        // If nobody owes it any more, the memory serves again.
        let mut spare = Arc::get_mut(&mut self.frames).map(mem::take).unwrap_or_default();
        spare.clear();
        spare.shrink_to(BROADCAST_QUEUE_MAX);
        self.broadcast_queue.end(Tools { members: mem::take(&mut self.members), spare });
    }
}

impl Round {
    /// Whoever carries takes the next member, so that each gets the batch once.
    fn carry(&self, server: &'static Server) {
        while let Some(member) = self.members.get(self.next.fetch_add(1, Relaxed)) {
            self.deliver(server, member);
        }
    }

    fn deliver(&self, server: &'static Server, member: &Arc<SendQueue>) {
        match member.deliver(&self.frames, server.options.limits.max_backlog) {
            Enqueue::Queued => {
                server.metrics.outgoing.messages.add(self.messages);
                server.metrics.outgoing.frames(Opcode::Text, self.messages);
            }
            Enqueue::Closed => (),
            Enqueue::BacklogFull(owed) => {
                let close = Close::new(CloseCode::TRY_AGAIN_LATER, "reading too slowly");
                if member.close(close, Backlog::Discard, CLOSE_TIMEOUT) {
                    server.metrics.slow_readers.add(1);
                    let what = format!("reads too slowly: {owed} bytes unsent");
                    server.log.log(Some(member.peer), Event::Errored(&what));
                }
            }
        }
    }
}
