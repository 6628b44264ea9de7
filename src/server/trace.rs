//! What crosses the wire of each connection, for the log (`--trace`) and for the inspector (`--inspect`). A
//! trace reads the bytes that are sent and received, and changes none of them.

use super::event::LogEvent;
use super::inspect_queue::{InspectQueue, Observation};
use super::limits::{HEAD, LOG_TEXT_MAX, OBSERVED_PAYLOAD_MAX, TRACED_FRAMES_MAX};
use super::log::Log;
use crate::explain::picture::picture;
use crate::explain::{self, EXCERPT_MAX};
use crate::net::stream::Peer;
use crate::wire::dissect::{Dissector, Frame};
use crate::wire::frame::{self, Opcode, Role};

/// How much of the wire is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// Nothing.
    Off,
    /// One line for each frame.
    Summary,
    /// One line and the picture of each frame.
    Full,
}

/// Bits in a row of a picture, as in section 5.2.
const PICTURE_BITS: usize = 32;

/// Where the wire of one connection is shown; it may be nowhere.
#[derive(Clone, Copy)]
pub struct Trace {
    /// The client of the connection.
    pub peer: Peer,
    /// What is logged.
    pub tracing: Tracing,
    /// The log.
    pub log: &'static Log,
    /// The way to the inspectors, with `--inspect`.
    pub inspect_queue: Option<&'static InspectQueue>,
}

impl Trace {
    /// The same trace for the log alone.
    pub fn log_only(self) -> Self {
        Self { inspect_queue: None, ..self }
    }

    /// The same trace, shown nowhere.
    pub fn off(self) -> Self {
        Self { tracing: Tracing::Off, inspect_queue: None, ..self }
    }

    /// Shows the bytes of an HTTP head that was sent or received, line by line.
    pub fn head(self, sender: Role, bytes: &[u8]) {
        if self.is_on() {
            self.show_head(sender, bytes);
        }
    }

    #[inline(never)]
    fn show_head(self, sender: Role, bytes: &[u8]) {
        if let Some(inspect_queue) = self.inspected_queue() {
            inspect_queue.push(self.peer, sender, vec![Observation::Head(bytes.to_vec())], 0);
        }
        if self.tracing == Tracing::Off {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        let lines = text.split_terminator("\r\n").take(HEAD.fields_max).map(|line| {
            let mut escaped = String::new();
            explain::printable(line, LOG_TEXT_MAX, &mut escaped);
            escaped
        });
        self.log(sender, lines);
    }

    /// Shows whole frames that are sent.
    pub fn sent(self, frames: &[u8]) {
        if self.is_on() {
            self.show_sent(frames);
        }
    }

    #[inline(never)]
    fn show_sent(self, frames: &[u8]) {
        let frames_max = self.frames_max();
        if frames_max == 0 && self.inspected_queue().is_none() {
            return;
        }
        let (first, more) = frame::split_after(frames, frames_max);
        let mut dissected = Vec::new();
        self.dissector(Role::Server).read(&mut first.to_vec(), |frame| dissected.push(frame));
        self.show(Role::Server, dissected, more);
    }

    /// A tap on the bytes that the client sends, if they are to be shown. `first` has arrived with its
    /// handshake.
    pub fn tap(self, first: &[u8]) -> Option<Tap> {
        if !self.is_on() {
            return None;
        }
        let mut tap = Tap { trace: self, dissector: Some(self.dissector(Role::Client)) };
        tap.received(first);
        Some(tap)
    }

    /// Whether anything can be shown. The parts that show it are never inlined: they take a large part of the
    /// stack, and without a trace no thread must touch it.
    fn is_on(self) -> bool {
        self.tracing != Tracing::Off || self.inspect_queue.is_some()
    }

    fn dissector(self, sender: Role) -> Dissector {
        let shows_payload = self.inspect_queue.is_some() || self.tracing == Tracing::Full;
        let payload_max = if shows_payload { OBSERVED_PAYLOAD_MAX } else { EXCERPT_MAX };
        Dissector::new(Some(sender), 0, payload_max)
    }

    /// The number of frames that the log or the inspect queue can accept now.
    fn frames_max(self) -> usize {
        let logged = if self.tracing == Tracing::Off { 0 } else { TRACED_FRAMES_MAX };
        self.inspected_queue().map_or(0, InspectQueue::free_slots).max(logged)
    }

    /// Shows frames of one read or write; `more` frames followed them.
    fn show(self, sender: Role, frames: Vec<Frame>, more: usize) {
        let count = frames.len() + more;
        if self.tracing != Tracing::Off {
            for frame in frames.iter().take(TRACED_FRAMES_MAX) {
                let mut lines = explain::lines(frame);
                if self.tracing == Tracing::Full {
                    lines.extend(picture(frame, PICTURE_BITS).lines().map(str::to_owned));
                }
                self.log(sender, lines);
            }
            if TRACED_FRAMES_MAX < count {
                self.log(sender, [format!("and {} more frames", count - TRACED_FRAMES_MAX)]);
            }
        }
        if let Some(inspect_queue) = self.inspected_queue() {
            let observed = frames.into_iter().map(|frame| Observation::Frame(Box::new(frame)));
            inspect_queue.push(self.peer, sender, observed.collect(), more as u64);
        }
    }

    /// The way to the inspectors, if one is connected.
    fn inspected_queue(self) -> Option<&'static InspectQueue> {
        self.inspect_queue.filter(|inspect_queue| inspect_queue.has_inspector())
    }

    /// Logs lines that stay together.
    fn log(self, sender: Role, lines: impl IntoIterator<Item = String>) {
        let mut text = String::new();
        for line in lines {
            self.log.push_line(Some(self.peer), LogEvent::Traced(sender, &line), &mut text);
        }
        self.log.submit(&mut text);
    }
}

/// Dissects what one client sends, in parallel to the receiver.
pub struct Tap {
    trace: Trace,
    /// `None` after the client's Close or first violation: the bytes that follow have no meaning.
    dissector: Option<Dissector>,
}

impl Tap {
    /// Shows the frames that end in the bytes of one read.
    pub fn received(&mut self, bytes: &[u8]) {
        let Some(dissector) = &mut self.dissector else { return };
        let frames_max = self.trace.frames_max();
        let (mut frames, mut more, mut is_over) = (Vec::new(), 0, false);
        let mut keep = |frame: Frame| {
            if is_over {
                return;
            }
            is_over = !frame.conforms() || frame.header.opcode() == Some(Opcode::Close);
            if frames.len() < frames_max {
                frames.push(frame);
            } else {
                more += 1;
            }
        };
        dissector.read(&mut bytes.to_vec(), &mut keep);
        dissector.take_broken().into_iter().for_each(keep);
        if is_over {
            self.dissector = None;
        }
        self.trace.show(Role::Client, frames, more);
    }

    /// Shows the incomplete frame at the end of the stream, if there is one.
    pub fn end(mut self) {
        if let Some(frame) = self.dissector.as_mut().and_then(Dissector::finish) {
            self.trace.show(Role::Client, vec![frame], 0);
        }
    }
}
