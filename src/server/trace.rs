//! What crosses the wire of each connection, for the log (`--trace`) and for those who look at `/wire`
//! (`--inspect`), on their terms. It reads the same octets that are sent and received, and changes none.

use super::Server;
use super::inspect::{InspectQueue, Inspection, Observation};
use super::limits::{HEAD, LOG_TEXT_MAX, OBSERVED_PAYLOAD_MAX, TRACED_MAX};
use super::log::{Event, Log, Peer};
use crate::explain::picture::picture;
use crate::explain::{self, EXCERPT_MAX};
use crate::wire::dissect::{Dissector, Frame};
use crate::wire::frame::{self, Opcode, Role};

/// Is the wire shown in the log?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// No.
    Off,
    /// A line a frame.
    Summary,
    /// And the picture of each.
    Full,
}

/// Bits in a row of a picture, as in section 5.2.
const PICTURE_BITS: usize = 32;

/// Where one connection's wire is shown.
#[derive(Clone, Copy)]
pub struct Trace {
    peer: Peer,
    tracing: Tracing,
    log: &'static Log,
    inspect_queue: Option<&'static InspectQueue>,
}

impl Trace {
    /// For a connection, unless nobody wants it.
    #[must_use]
    pub fn of(server: &'static Server, peer: Peer) -> Option<Self> {
        let tracing = server.options.tracing;
        let inspect_queue =
            (server.options.inspection != Inspection::Off).then_some(&server.inspect_queue);
        Self { peer, tracing, log: server.log, inspect_queue }.if_wanted()
    }

    /// In the log alone.
    #[must_use]
    pub fn unseen(self) -> Option<Self> {
        Self { inspect_queue: None, ..self }.if_wanted()
    }

    fn if_wanted(self) -> Option<Self> {
        (self.tracing != Tracing::Off || self.inspect_queue.is_some()).then_some(self)
    }

    /// Octets of HTTP that came or went: each line of the head.
    pub fn head(self, sender: Role, octets: &[u8]) {
        if let Some(inspect_queue) = self.watched() {
            inspect_queue.show(self.peer, sender, vec![Observation::Head(octets.to_vec())], 0);
        }
        if self.tracing == Tracing::Off {
            return;
        }
        let text = String::from_utf8_lossy(octets);
        let lines = text.split_terminator("\r\n").take(HEAD.fields_max).map(|line| {
            let mut shown = String::new();
            explain::printable(line, LOG_TEXT_MAX, &mut shown);
            shown
        });
        self.log(sender, lines);
    }

    /// Whole frames that go out.
    pub fn sent(self, frames: &[u8]) {
        let wanted = self.wanted();
        if wanted == 0 && self.watched().is_none() {
            return;
        }
        let (frames, more) = frame::split_after(frames, wanted);
        let mut told = Vec::new();
        self.dissector(Role::Server).read(&mut frames.to_vec(), |frame| told.push(frame));
        self.show(Role::Server, told, more);
    }

    /// The side that the client's frames come in by.
    #[must_use]
    pub fn tap(self) -> Tap {
        Tap { trace: self, dissector: Some(self.dissector(Role::Client)) }
    }

    fn dissector(self, sender: Role) -> Dissector {
        let payload_max = match (self.inspect_queue, self.tracing) {
            (None, Tracing::Off | Tracing::Summary) => EXCERPT_MAX,
            (Some(_), _) | (_, Tracing::Full) => OBSERVED_PAYLOAD_MAX,
        };
        Dissector::new(Some(sender), 0, payload_max)
    }

    /// How many frames somebody wants just now.
    fn wanted(self) -> usize {
        let traced = if self.tracing == Tracing::Off { 0 } else { TRACED_MAX };
        self.watched().map_or(0, InspectQueue::places).max(traced)
    }

    /// Frames that crossed the wire at one time, and how many more did.
    fn show(self, sender: Role, mut frames: Vec<Frame>, more: usize) {
        let count = frames.len() + more;
        if self.tracing != Tracing::Off {
            frames.iter().take(TRACED_MAX).for_each(|frame| self.log_frame(sender, frame));
            if TRACED_MAX < count {
                self.log(sender, [format!("and {} frames more", count - TRACED_MAX)]);
            }
        }
        if let Some(inspect_queue) = self.watched() {
            frames.truncate(inspect_queue.places());
            let missed = (count - frames.len()) as u64;
            let observations =
                frames.into_iter().map(|frame| Observation::Frame(Box::new(frame))).collect();
            inspect_queue.show(self.peer, sender, observations, missed);
        }
    }

    fn log_frame(self, sender: Role, frame: &Frame) {
        let mut lines = explain::lines(frame);
        if self.tracing == Tracing::Full {
            lines.extend(picture(frame, PICTURE_BITS).lines().map(str::to_owned));
        }
        self.log(sender, lines);
    }

    fn watched(self) -> Option<&'static InspectQueue> {
        self.inspect_queue.filter(|inspect_queue| inspect_queue.is_watched())
    }

    /// Lines that stay together.
    fn log(self, sender: Role, lines: impl IntoIterator<Item = String>) {
        let mut told = String::new();
        for line in lines {
            self.log.add(Some(self.peer), Event::Traced(sender, &line), &mut told);
        }
        self.log.submit(&mut told);
    }
}

/// What came in so far of a frame that is not shown yet.
pub struct Tap {
    trace: Trace,
    /// Gone once the client has said Close, or broken the protocol: what follows has no meaning.
    dissector: Option<Dissector>,
}

impl Tap {
    /// Octets as one read brought them.
    pub fn received(&mut self, octets: &[u8]) {
        let Some(dissector) = &mut self.dissector else { return };
        let wanted = self.trace.wanted();
        let (mut frames, mut more, mut is_over) = (Vec::new(), 0, false);
        let mut take = |frame: Frame| {
            if is_over {
                return;
            }
            is_over = !frame.conforms() || frame.header.opcode() == Some(Opcode::Close);
            if frames.len() < wanted {
                frames.push(frame);
            } else {
                more += 1;
            }
        };
        dissector.read(&mut octets.to_vec(), &mut take);
        dissector.broken().into_iter().for_each(take);
        if is_over {
            self.dissector = None;
        }
        self.trace.show(Role::Client, frames, more);
    }

    /// No more will come: the frame under way, as far as it came.
    pub fn ended(mut self) {
        if let Some(frame) = self.dissector.as_mut().and_then(Dissector::finish) {
            self.trace.show(Role::Client, vec![frame], 0);
        }
    }
}
