//! The publisher thread: it takes observations from the inspect queue, writes each as a JSON text, and
//! delivers the texts to the clients of `/wire`. A client that does not keep up loses texts and gets
//! their number later.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::batch::Batch;
use super::clock::push_time;
use super::inspect_queue::{Observation, ObservedAt};
use super::limits::{PUBLISH_PAUSE, REPORT_DROPPED_INTERVAL, WIRE_BACKLOG_MAX, WIRE_BATCH_MAX};
use super::resource::Resource;
use super::send_queue::{Enqueue, SendQueue};
use super::state::Server;
use crate::explain::inspect_json;

/// Delivers observations to the members of `/wire`.
#[derive(Default)]
pub struct Publisher {
    /// The number of the last observation.
    number: u64,
    /// Texts that are not delivered yet.
    batch: Batch,
    /// Texts that were dropped for a member and not reported to it yet, by connection.
    dropped: HashMap<u64, u64>,
}

impl Publisher {
    /// The body of the publisher thread.
    pub fn run(mut self, server: &Server) -> ! {
        let mut members = Vec::new();
        loop {
            let nothing_dropped = self.dropped.is_empty();
            let timeout = if nothing_dropped { Duration::MAX } else { REPORT_DROPPED_INTERVAL };
            let (observations, dropped) = server.inspect_queue.take(timeout);
            server.room(Resource::Wire).snapshot(&mut members);
            self.dropped.retain(|id, _| members.iter().any(|member| member.peer.id == *id));
            for (at, observation) in observations {
                self.push(at, &observation);
                if WIRE_BATCH_MAX < self.batch.frames.len() {
                    self.deliver(&members);
                }
            }
            self.deliver(&members);
            for member in members.drain(..) {
                if 0 < dropped {
                    *self.dropped.entry(member.peer.id).or_default() += dropped;
                }
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
        let connection = at.peer.id;
        let place = inspect_json::Place { number: self.number, time: &time, connection };
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
        let Some(dropped) = self.dropped.remove(&member.peer.id) else { return };
        let mut report = Batch::default();
        report.push_text(&inspect_json::lost(dropped));
        let frames = Arc::new(report.frames);
        if let Enqueue::BacklogFull(_) = member.deliver(&frames, 1, WIRE_BACKLOG_MAX) {
            self.dropped.insert(member.peer.id, dropped);
        }
    }
}
