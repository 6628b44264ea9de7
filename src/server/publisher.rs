//! The publisher thread: it empties the inspect queue, writes each observation as a JSON text, and delivers
//! the texts to the inspectors, the clients of `/wire`. An inspector that does not keep up loses texts and
//! gets their number later.

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

/// Delivers observations to the inspectors.
#[derive(Default)]
pub struct Publisher {
    /// The number of the last observation.
    number: u64,
    /// Texts that are not delivered yet.
    batch: Batch,
    /// Texts that were dropped for an inspector and not reported to it yet, by connection.
    dropped: HashMap<u64, u64>,
}

impl Publisher {
    /// The body of the publisher thread.
    pub fn run(mut self, server: &Server) -> ! {
        let mut inspectors = Vec::new();
        loop {
            let nothing_dropped = self.dropped.is_empty();
            let timeout = if nothing_dropped { Duration::MAX } else { REPORT_DROPPED_INTERVAL };
            let (observations, dropped) = server.inspect_queue.wait_and_drain(timeout);
            server.room(Resource::Wire).snapshot(&mut inspectors);
            self.dropped
                .retain(|id, _| inspectors.iter().any(|inspector| inspector.peer.id == *id));
            for (at, observation) in observations {
                self.push(at, &observation);
                if WIRE_BATCH_MAX < self.batch.frames.len() {
                    self.deliver(&inspectors);
                }
            }
            self.deliver(&inspectors);
            for inspector in inspectors.drain(..) {
                if 0 < dropped {
                    *self.dropped.entry(inspector.peer.id).or_default() += dropped;
                }
                self.report_dropped(&inspector);
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
        let observed = inspect_json::Observed { number: self.number, time: &time, connection };
        self.batch.push_text(&match observation {
            Observation::Head(bytes) => inspect_json::head(&observed, at.sender, bytes),
            Observation::Frame(frame) => inspect_json::frame(&observed, frame),
        });
    }

    /// Delivers the batch to all inspectors, without blocking.
    fn deliver(&mut self, inspectors: &[Arc<SendQueue>]) {
        if self.batch.is_empty() {
            return;
        }
        let Batch { frames, messages } = mem::take(&mut self.batch);
        let frames = Arc::new(frames);
        for inspector in inspectors {
            self.report_dropped(inspector);
            if let Enqueue::BacklogFull(_) = inspector.deliver(&frames, messages, WIRE_BACKLOG_MAX)
            {
                *self.dropped.entry(inspector.peer.id).or_default() += messages;
            }
        }
    }

    /// Sends the number of texts that an inspector lost, before any newer text, if its queue has room again.
    fn report_dropped(&mut self, inspector: &Arc<SendQueue>) {
        let Some(dropped) = self.dropped.remove(&inspector.peer.id) else { return };
        let mut report = Batch::default();
        report.push_text(&inspect_json::lost(dropped));
        let frames = Arc::new(report.frames);
        if let Enqueue::BacklogFull(_) = inspector.deliver(&frames, 1, WIRE_BACKLOG_MAX) {
            self.dropped.insert(inspector.peer.id, dropped);
        }
    }
}
