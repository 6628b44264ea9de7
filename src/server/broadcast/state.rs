//! The states of the broadcast queue. It knows no lock, no thread and no socket.

use std::mem;

use crate::server::batch::Batch;
use crate::server::limits::BROADCAST_QUEUE_MAX;

/// The queued messages, and which thread delivers them. `R` is a round that another thread can help with.
///
/// | transition | phase before | phase after | effect |
/// |---|---|---|---|
/// | [`enqueue`](Self::enqueue) | `Idle` | `Delivering` | the sender starts a round with its batch |
/// | [`enqueue`](Self::enqueue) | `Delivering` or `Pending` | the same | the batch waits for the next round |
/// | [`finish_round`](Self::finish_round), queue empty | `Delivering` | `Idle` | |
/// | [`finish_round`](Self::finish_round), messages queued | `Delivering` | `Pending` | the broadcaster must wake up if it is idle |
/// | [`next_round`](Self::next_round), help wanted | any | the same | the broadcaster helps with the sender's round |
/// | [`next_round`](Self::next_round) | `Pending` | `Delivering` | the broadcaster starts a round with the whole queue |
/// | [`next_round`](Self::next_round) | `Idle` or `Delivering` | the same | the broadcaster becomes idle |
/// | [`request_help`](Self::request_help), broadcaster idle | `Delivering` | the same | help is wanted; the broadcaster must wake up |
/// | [`request_help`](Self::request_help), broadcaster busy | `Delivering` | the same | |
#[derive(Default)]
pub(in crate::server) struct QueueState<R> {
    phase: RoundPhase,
    batch: Batch,
    /// Rounds that were started. The queued messages belong to the next one.
    rounds_started: u64,
    /// Rounds that were delivered to all members.
    rounds_done: u64,
    /// Whether the broadcaster waits for work.
    broadcaster_idle: bool,
    /// A sender's round that the broadcaster should help with. It may have ended meanwhile.
    help_wanted: Option<R>,
    /// An empty buffer for the queue, from an earlier round.
    recycled: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum RoundPhase {
    /// No round is running and the queue is empty: the next sender delivers its own batch.
    #[default]
    Idle,
    /// A round is running.
    Delivering,
    /// No round is running and messages are queued: the broadcaster starts the next round.
    Pending,
}

/// The round that delivers certain messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticket(u64);

/// What the broadcaster does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextRound<R> {
    /// It helps with a sender's round.
    Help(R),
    /// It starts a round with these messages.
    Start(Batch),
    /// It waits for work.
    Wait,
}

impl<R> QueueState<R> {
    /// Whether a sender must wait before it enqueues more. It is checked before an append, so the queue
    /// can exceed [`BROADCAST_QUEUE_MAX`] by one batch.
    pub(super) fn is_full(&self) -> bool {
        BROADCAST_QUEUE_MAX <= self.batch.frames.len()
    }

    /// The ticket of the last message that was enqueued.
    pub(super) fn last_enqueued(&self) -> Ticket {
        Ticket(self.rounds_started + u64::from(!self.batch.is_empty()))
    }

    /// Whether the messages of `ticket` were delivered to all members.
    pub(super) fn is_delivered(&self, ticket: Ticket) -> bool {
        ticket.0 <= self.rounds_done
    }

    /// Appends a batch, and empties it. In phase `Idle` this starts a round: the caller must deliver the
    /// messages that are returned.
    pub(super) fn enqueue(&mut self, batch: &mut Batch) -> (Ticket, Option<Batch>) {
        self.batch.append(batch);
        let ticket = Ticket(self.rounds_started + 1);
        (ticket, (self.phase == RoundPhase::Idle).then(|| self.start_round()))
    }

    /// What the broadcaster does next.
    pub(super) fn next_round(&mut self) -> NextRound<R> {
        self.broadcaster_idle = false;
        if let Some(round) = self.help_wanted.take() {
            return NextRound::Help(round);
        }
        if self.phase == RoundPhase::Pending {
            return NextRound::Start(self.start_round());
        }
        self.broadcaster_idle = true;
        NextRound::Wait
    }

    /// Asks the broadcaster to help with `round` if it is idle. Returns true if it must wake up.
    #[must_use]
    pub(super) fn request_help(&mut self, round: R) -> bool {
        if self.broadcaster_idle {
            self.help_wanted = Some(round);
        }
        self.broadcaster_idle
    }

    /// Ends the round, and keeps an empty buffer for a later one. Returns true if the broadcaster must
    /// wake up.
    #[must_use]
    pub(super) fn finish_round(&mut self, recycled: Vec<u8>) -> bool {
        self.recycled = recycled;
        self.rounds_done = self.rounds_started;
        self.phase = if self.batch.is_empty() { RoundPhase::Idle } else { RoundPhase::Pending };
        self.phase == RoundPhase::Pending && self.broadcaster_idle
    }

    fn start_round(&mut self) -> Batch {
        self.phase = RoundPhase::Delivering;
        self.rounds_started += 1;
        let empty = Batch { frames: mem::take(&mut self.recycled), messages: 0 };
        mem::replace(&mut self.batch, empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type State = QueueState<&'static str>;

    fn batch(text: &str) -> Batch {
        let mut batch = Batch::default();
        batch.push_text(text);
        batch
    }

    fn enqueue(state: &mut State, text: &str) -> (Ticket, Option<Batch>) {
        let mut batch = batch(text);
        let enqueued = state.enqueue(&mut batch);
        assert!(batch.is_empty() && batch.frames.is_empty());
        enqueued
    }

    /// A state in each of the phases. In `Pending`, "b" is queued.
    fn in_phase(phase: RoundPhase) -> State {
        let mut state = State::default();
        if phase != RoundPhase::Idle {
            enqueue(&mut state, "a");
        }
        if phase == RoundPhase::Pending {
            enqueue(&mut state, "b");
            assert!(!state.finish_round(Vec::new()));
        }
        assert_eq!(state.phase, phase);
        state
    }

    #[test]
    fn enqueue_when_idle_starts_the_senders_round() {
        let mut state = in_phase(RoundPhase::Idle);
        let (ticket, round) = enqueue(&mut state, "a");
        assert_eq!((ticket, round), (Ticket(1), Some(batch("a"))));
        assert_eq!((state.phase, state.last_enqueued()), (RoundPhase::Delivering, ticket));
        assert!(!state.is_delivered(ticket) && state.is_delivered(Ticket::default()));
    }

    #[test]
    fn enqueue_otherwise_waits_for_the_next_round() {
        for (phase, queued) in [(RoundPhase::Delivering, ""), (RoundPhase::Pending, "b")] {
            let mut state = in_phase(phase);
            assert_eq!(enqueue(&mut state, "c"), (Ticket(2), None));
            assert_eq!((state.phase, state.last_enqueued()), (phase, Ticket(2)));
            let mut expected = Batch::default();
            [queued, "c"]
                .into_iter()
                .filter(|text| !text.is_empty())
                .for_each(|text| expected.push_text(text));
            assert_eq!(state.batch, expected);
        }
    }

    #[test]
    fn finish_round_with_an_empty_queue_is_idle() {
        let mut state = in_phase(RoundPhase::Delivering);
        state.next_round();
        assert!(!state.finish_round(Vec::new()), "an idle broadcaster sleeps on");
        assert_eq!(state.phase, RoundPhase::Idle);
        assert!(state.is_delivered(Ticket(1)) && !state.is_delivered(Ticket(2)));
    }

    #[test]
    fn finish_round_with_queued_messages_is_the_broadcasters_turn() {
        for is_idle in [false, true] {
            let mut state = in_phase(RoundPhase::Delivering);
            if is_idle {
                assert_eq!(state.next_round(), NextRound::Wait);
            }
            enqueue(&mut state, "b");
            assert_eq!(state.finish_round(Vec::new()), is_idle, "only an idle one is woken");
            assert_eq!(state.phase, RoundPhase::Pending);
            assert!(!state.is_delivered(Ticket(2)), "the queued messages are in the next round");
        }
    }

    #[test]
    fn next_round_helps_first() {
        for phase in [RoundPhase::Idle, RoundPhase::Delivering, RoundPhase::Pending] {
            let mut state = in_phase(phase);
            state.help_wanted = Some("round");
            assert_eq!(state.next_round(), NextRound::Help("round"));
            assert_eq!((state.phase, state.help_wanted), (phase, None));
            assert!(!state.broadcaster_idle);
        }
    }

    #[test]
    fn next_round_when_pending_takes_the_whole_queue() {
        let mut state = in_phase(RoundPhase::Pending);
        assert_eq!(state.next_round(), NextRound::Start(batch("b")));
        assert_eq!((state.phase, state.rounds_started), (RoundPhase::Delivering, 2));
        assert!(!state.broadcaster_idle && state.batch.is_empty());
    }

    #[test]
    fn next_round_otherwise_waits() {
        for phase in [RoundPhase::Idle, RoundPhase::Delivering] {
            let mut state = in_phase(phase);
            assert_eq!(state.next_round(), NextRound::Wait);
            assert_eq!(state.phase, phase);
            assert!(state.broadcaster_idle);
        }
    }

    #[test]
    fn request_help_only_wakes_an_idle_broadcaster() {
        let mut state = in_phase(RoundPhase::Delivering);
        assert!(!state.request_help("round"), "it is busy");
        assert_eq!(state.help_wanted, None);
        state.next_round();
        assert!(state.request_help("round"));
        assert_eq!((state.phase, state.help_wanted), (RoundPhase::Delivering, Some("round")));
    }

    #[test]
    fn help_is_wanted_with_the_latest_round_and_once() {
        let mut state = in_phase(RoundPhase::Delivering);
        state.next_round();
        assert!(state.request_help("round"));
        assert!(state.request_help("later round"), "the broadcaster has not woken up yet");
        assert_eq!(state.next_round(), NextRound::Help("later round"));
        assert_eq!(state.next_round(), NextRound::Wait);
        assert_eq!(state.phase, RoundPhase::Delivering);
    }

    #[test]
    fn a_full_queue_is_empty_again_when_its_round_starts() {
        let mut state = in_phase(RoundPhase::Delivering);
        assert!(!state.is_full());
        enqueue(&mut state, &"x".repeat(BROADCAST_QUEUE_MAX));
        assert!(state.is_full());
        let recycled = Vec::with_capacity(100);
        assert!(!state.finish_round(recycled));
        assert!(matches!(state.next_round(), NextRound::Start(_)));
        assert!(!state.is_full());
        assert_eq!(state.batch.frames.capacity(), 100, "the recycled buffer is used");
    }
}
