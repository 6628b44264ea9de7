//! The broadcast queue: how a message is delivered to every member. All queued messages leave as one batch.
//! So every member gets the same messages in the same order, and load makes the batches larger, not more.
//!
//! ```text
//!           a sender enqueues its batch          no new messages
//! idle ───────────────────────────────> the sender delivers it ──> idle
//!                           (with many members the broadcaster helps)
//!                                                  │
//!                                                  │ other senders have enqueued messages
//!                                                  v
//!              the broadcaster thread delivers them, until the queue is empty ──> idle
//! ```
//! A single message to few members wakes no other thread on its way. A message to many members is sent
//! by two threads. Under load a sender delivers one batch at most, and then reads again.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};

use super::batch::Batch;
use super::limits::{BROADCAST_QUEUE_MAX, CLOSE_TIMEOUT, HELP_MEMBERS_MIN};
use super::log::{Log, LogEvent};
use super::room::Room;
use super::send_queue::{Backlog, Enqueue, SendQueue};
use super::sync::{lock, wait};
use crate::wire::close::{Close, CloseCode};

pub use state::Ticket;
use state::{NextRound, QueueState};

pub(super) mod state;

/// The messages that wait for delivery to the members of a room.
pub struct BroadcastQueue {
    room: &'static Room,
    max_backlog: usize,
    log: &'static Log,
    /// The lock gives messages their order for all members. It is held to append or to take the queue,
    /// never while a batch is delivered.
    shared: Mutex<Shared>,
    /// For the broadcaster: there is a round to start or to help with.
    work_available: Condvar,
    /// For senders: a round was delivered.
    round_done: Condvar,
}

type State = QueueState<Weak<Round>>;

#[derive(Default)]
struct Shared {
    state: State,
    /// Threads that wait for `round_done`.
    waiting: u32,
    /// An empty vector for the members of the next round.
    members: Vec<Arc<SendQueue>>,
}

impl BroadcastQueue {
    /// An empty queue for the members of `room`, who may each have a backlog of `max_backlog` bytes.
    pub fn new(room: &'static Room, max_backlog: usize, log: &'static Log) -> Self {
        let (shared, work_available, round_done) = Default::default();
        Self { room, max_backlog, log, shared, work_available, round_done }
    }

    /// The body of the broadcaster thread.
    pub fn run(&'static self) -> ! {
        loop {
            self.next_round().deliver_all();
        }
    }

    /// Broadcasts the messages of `batch`, and empties it. They are delivered when the ticket's round is.
    ///
    /// If there are many members, the broadcaster is asked for help. Its reference to the round is weak and
    /// does not keep the round from its end: a broadcaster that wakes up later finds nothing to help with.
    pub fn broadcast(&'static self, batch: &mut Batch) -> Ticket {
        let (ticket, round) = self.enqueue(batch);
        if let Some(round) = round {
            if HELP_MEMBERS_MIN <= round.members.len()
                && lock(&self.shared).state.request_help(Arc::downgrade(&round))
            {
                self.work_available.notify_one();
            }
            round.deliver_all();
        }
        ticket
    }

    /// Waits until the messages of `ticket` are delivered to all members. Delivery never blocks, so this
    /// takes two rounds at most.
    pub fn wait_until_delivered(&self, ticket: Ticket) {
        drop(self.lock_after(|state| state.is_delivered(ticket)));
    }

    /// The ticket of the last message that was enqueued.
    pub fn last_enqueued(&self) -> Ticket {
        lock(&self.shared).state.last_enqueued()
    }

    /// Appends a batch, and empties it. While the queue holds [`BROADCAST_QUEUE_MAX`] bytes the caller
    /// waits, so a flood slows down its own sender. The caller must deliver the round that is returned.
    fn enqueue(&'static self, batch: &mut Batch) -> (Ticket, Option<Arc<Round>>) {
        let mut shared = self.lock_after(|state| !state.is_full());
        let (ticket, batch) = shared.state.enqueue(batch);
        (ticket, batch.map(|batch| self.start_round(shared, batch)))
    }

    /// For the broadcaster: waits for a round to start or to help with.
    fn next_round(&'static self) -> Arc<Round> {
        let mut shared = lock(&self.shared);
        loop {
            match shared.state.next_round() {
                NextRound::Help(round) => {
                    if let Some(round) = round.upgrade() {
                        return round;
                    }
                }
                NextRound::Start(batch) => return self.start_round(shared, batch),
                NextRound::Wait => shared = wait(&self.work_available, shared),
            }
        }
    }

    /// Releases the lock and creates the round of `batch`, for the members that are in the room now.
    fn start_round(&'static self, mut shared: MutexGuard<'_, Shared>, batch: Batch) -> Arc<Round> {
        let mut members = mem::take(&mut shared.members);
        drop(shared);
        self.room.snapshot(&mut members);
        let Batch { frames, messages } = batch;
        let (queue, next, frames) = (self, AtomicUsize::new(0), Arc::new(frames));
        Arc::new(Round { queue, members, next, frames, messages })
    }

    /// Ends a round, and keeps its two emptied vectors for a later one. The broadcaster delivers the
    /// messages that were enqueued meanwhile.
    fn finish_round(&self, members: Vec<Arc<SendQueue>>, recycled: Vec<u8>) {
        let mut shared = lock(&self.shared);
        shared.members = members;
        let wake = shared.state.finish_round(recycled);
        if 0 < shared.waiting {
            self.round_done.notify_all();
        }
        drop(shared);
        if wake {
            self.work_available.notify_one();
        }
    }

    /// Takes the lock as soon as `condition` holds. It is checked at the end of each round.
    fn lock_after(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, Shared> {
        let mut shared = lock(&self.shared);
        while !condition(&shared.state) {
            shared.waiting += 1;
            shared = wait(&self.round_done, shared);
            shared.waiting -= 1;
        }
        shared
    }
}

/// One batch on its way to all members. There is one round at a time. It ends when its last holder drops
/// it, also after a panic, so that the next round can start.
pub(super) struct Round {
    queue: &'static BroadcastQueue,
    members: Vec<Arc<SendQueue>>,
    /// The first member that no thread has taken.
    next: AtomicUsize,
    frames: Arc<Vec<u8>>,
    messages: u64,
}

impl Drop for Round {
    fn drop(&mut self) {
        let mut members = mem::take(&mut self.members);
        members.clear();
        // Reuse the buffer if no send queue still holds it.
        let mut recycled = Arc::get_mut(&mut self.frames).map(mem::take).unwrap_or_default();
        recycled.clear();
        recycled.shrink_to(BROADCAST_QUEUE_MAX);
        self.queue.finish_round(members, recycled);
    }
}

impl Round {
    /// Delivers to the next member until there is none. Two threads can do this at the same time: each
    /// member gets the batch once.
    fn deliver_all(&self) {
        while let Some(member) = self.members.get(self.next.fetch_add(1, Relaxed)) {
            self.deliver(member);
        }
    }

    /// Delivers to one member. If more than `max_backlog` bytes wait for it, it is disconnected (close
    /// 1013). Nothing is delivered to a member that is closing or has failed.
    fn deliver(&self, member: &Arc<SendQueue>) {
        let BroadcastQueue { max_backlog, log, .. } = self.queue;
        let enqueued = member.deliver(&self.frames, self.messages, *max_backlog);
        let Enqueue::BacklogFull(queued) = enqueued else { return };
        let close = Close::new(CloseCode::TRY_AGAIN_LATER, "reading too slowly");
        if member.close(close, Backlog::Discard, CLOSE_TIMEOUT) {
            member.metrics.slow_readers.add(1);
            let error = format!("reads too slowly: {queued} bytes unsent");
            log.log(Some(member.peer), LogEvent::Errored(&error));
        }
    }
}
