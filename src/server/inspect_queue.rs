//! The inspect queue: what was observed on the wire of `/chat` and `/echo` and waits for the publisher. A
//! thread that observes leaves a copy and goes on. If the queue is full, the observation is dropped and
//! counted, so that inspection cannot delay the chat.

use std::mem;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::clock::unix_time;
use super::limits::{OBSERVATIONS_BYTES_MAX, OBSERVATIONS_MAX};
use super::sync::{lock, wait_while};
use crate::net::stream::Peer;
use crate::wire::dissect::Frame;
use crate::wire::frame::Role;

/// Something that was observed on the wire.
pub enum Observation {
    /// A request or response head.
    Head(Vec<u8>),
    /// A frame with the start of its payload. A frame that breaks the protocol may be incomplete.
    Frame(Box<Frame>),
}

impl Observation {
    /// The memory that it takes, in bytes.
    fn size(&self) -> usize {
        match self {
            Self::Head(bytes) => bytes.len(),
            Self::Frame(frame) => {
                let message = frame.message.as_ref().map_or(0, |message| message.payload.len());
                size_of::<Frame>() + frame.payload.len() + message
            }
        }
    }
}

/// Where and when something was observed.
#[derive(Clone, Copy)]
pub struct ObservedAt {
    /// Unix time.
    pub time: Duration,
    /// The client of the connection.
    pub peer: Peer,
    /// The side that sent the bytes.
    pub sender: Role,
}

/// Observations on their way from the threads that observe to the publisher.
#[derive(Default)]
pub struct InspectQueue {
    /// Inspectors: clients of `/wire`. Without any, nothing is copied.
    pub inspectors: AtomicUsize,
    /// Observations that were dropped since the publisher last emptied the queue.
    dropped: AtomicU64,
    /// The length of the queue, so that a thread that sees no free slot need not copy.
    queued: AtomicUsize,
    /// The lock is held to append or to take all.
    pending: Mutex<Pending>,
    /// Observations were queued.
    arrived: Condvar,
}

/// The queued observations and their size.
#[derive(Default)]
struct Pending {
    observations: Vec<(ObservedAt, Observation)>,
    bytes: usize,
}

impl InspectQueue {
    /// Whether there is an inspector.
    pub fn has_inspector(&self) -> bool {
        self.inspectors.load(Relaxed) != 0
    }

    /// The number of observations that the queue can take now.
    pub fn free_slots(&self) -> usize {
        OBSERVATIONS_MAX.saturating_sub(self.queued.load(Relaxed))
    }

    /// Queues what was observed at one moment on one connection. `dropped` more found no free slot before.
    pub fn push(&self, peer: Peer, sender: Role, observed: Vec<Observation>, mut dropped: u64) {
        if !observed.is_empty() {
            let at = ObservedAt { time: unix_time(), peer, sender };
            let mut pending = lock(&self.pending);
            for observation in observed {
                let count = pending.observations.len();
                if OBSERVATIONS_MAX <= count || OBSERVATIONS_BYTES_MAX <= pending.bytes {
                    dropped += 1;
                } else {
                    pending.bytes += observation.size();
                    pending.observations.push((at, observation));
                }
            }
            self.queued.store(pending.observations.len(), Relaxed);
            drop(pending);
            self.arrived.notify_one();
        }
        self.dropped.fetch_add(dropped, Relaxed);
    }

    /// Waits for observations, for `timeout` at most. Empties the queue and returns all of them, and the
    /// number of dropped ones. A drop alone need not wake the publisher: it happens only while observations
    /// are queued.
    pub fn wait_and_drain(&self, timeout: Duration) -> (Vec<(ObservedAt, Observation)>, u64) {
        let nothing = |pending: &mut Pending| {
            pending.observations.is_empty() && self.dropped.load(Relaxed) == 0
        };
        let (mut guard, _) = wait_while(&self.arrived, lock(&self.pending), timeout, nothing);
        let pending = mem::take(&mut *guard);
        self.queued.store(0, Relaxed);
        (pending.observations, self.dropped.swap(0, Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_without_a_free_slot_are_counted() {
        let peer = Peer { id: 1, address: "127.0.0.1:1".parse().unwrap() };
        let queue = InspectQueue::default();
        let heads = |count: usize, size: usize| {
            (0..count).map(|_| Observation::Head(vec![0; size])).collect()
        };
        queue.push(peer, Role::Client, heads(OBSERVATIONS_MAX - 1, 1), 0);
        assert_eq!(queue.free_slots(), 1);
        queue.push(peer, Role::Client, heads(3, 1), 5);
        assert_eq!(queue.free_slots(), 0);
        let (observations, dropped) = queue.wait_and_drain(Duration::MAX);
        assert_eq!((observations.len(), dropped), (OBSERVATIONS_MAX, 7));
        assert_eq!(queue.free_slots(), OBSERVATIONS_MAX);
        queue.push(peer, Role::Client, heads(3, OBSERVATIONS_BYTES_MAX), 0);
        let (observations, dropped) = queue.wait_and_drain(Duration::MAX);
        assert_eq!((observations.len(), dropped), (1, 2));
    }
}
