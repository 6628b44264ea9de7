//! The publisher thread: it takes observations from the inspect queue, writes each as a JSON text, and
//! delivers the texts to the clients of `/wire`. A client that does not keep up loses texts and gets
//! their number later.

use std::collections::HashMap;
use std::io;
use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::batch::Batch;
use super::clock::push_time;
use super::inspect_queue::{InspectQueue, Observation, ObservedAt};
use super::limits::{PUBLISH_PAUSE, REPORT_DROPPED_INTERVAL, WIRE_BACKLOG_MAX, WIRE_BATCH_MAX};
use super::room::Room;
use super::send_queue::{Enqueue, SendQueue};
use super::spawn::spawn_essential;
use crate::explain::inspect_json;

/// Delivers observations to the members of `/wire`.
pub struct Publisher {
    inspect_queue: &'static InspectQueue,
    room: &'static Room,
    /// The number of the last observation.
    number: u64,
    /// Texts that are not delivered yet.
    batch: Batch,
    /// Texts that were dropped for a member and not reported to it yet, by connection.
    dropped: HashMap<u64, u64>,
}

impl Publisher {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(inspect_queue: &'static InspectQueue, room: &'static Room) -> io::Result<()> {
        let (number, batch, dropped) = Default::default();
        let publisher = Self { inspect_queue, room, number, batch, dropped };
        spawn_essential("publisher", move || publisher.run())
    }

    fn run(mut self) -> ! {
        let mut members = Vec::new();
        loop {
            let must_report = self.dropped.values().any(|dropped| 0 < *dropped);
            let timeout = if must_report { REPORT_DROPPED_INTERVAL } else { Duration::MAX };
            let (observations, dropped) = self.inspect_queue.take(timeout);
            self.room.snapshot(&mut members);
            self.dropped.retain(|id, _| members.iter().any(|member| member.peer.id == *id));
            for (at, observation) in observations {
                self.push(at, &observation);
                if WIRE_BATCH_MAX < self.batch.frames.len() {
                    self.deliver(&members);
                }
            }
            self.deliver(&members);
            for member in members.drain(..) {
                *self.dropped.entry(member.peer.id).or_default() += dropped;
                self.report_dropped(&member);
            }
            thread::sleep(PUBLISH_PAUSE);
        }
    }

    /// Appends the text of one observation to the batch.
    fn push(&mut self, at: ObservedAt, observation: &Observation) {
        let mut time = String::new();
        push_time(at.time, &mut time);
        self.number += 1;
        let (number, connection) = (self.number, at.peer.id);
        let place = inspect_json::Place { number, time: &time, connection };
        self.batch.push_text(&match observation {
            Observation::Head(bytes) => inspect_json::head(&place, at.sender, bytes),
            Observation::Frame(frame) => inspect_json::frame(&place, frame),
        });
    }

    /// Delivers the batch to all members, without blocking.
    fn deliver(&mut self, members: &[Arc<SendQueue>]) {
        if self.batch.is_empty() {
            return;
        }
        let Batch { frames, messages } = mem::take(&mut self.batch);
        let frames = Arc::new(frames);
        for member in members {
            self.report_dropped(member);
            if let Enqueue::BacklogFull(_) = member.deliver(&frames, messages, WIRE_BACKLOG_MAX) {
                *self.dropped.entry(member.peer.id).or_default() += messages;
            }
        }
    }

    /// Sends the number of texts that a member lost, before any newer text, if it has room again.
    fn report_dropped(&mut self, member: &Arc<SendQueue>) {
        let Some(dropped) = self.dropped.remove(&member.peer.id).filter(|dropped| 0 < *dropped)
        else {
            return;
        };
        let mut report = Batch::default();
        report.push_text(&inspect_json::lost(dropped));
        let frames = Arc::new(report.frames);
        if let Enqueue::BacklogFull(_) = member.deliver(&frames, 1, WIRE_BACKLOG_MAX) {
            self.dropped.insert(member.peer.id, dropped);
        }
    }
}
