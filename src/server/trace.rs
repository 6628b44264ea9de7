//! `--trace`: the wire of each connection, one line a frame, beside the log and on its terms. It reads
//! the same octets that are sent and received, and changes none.

use super::limits::LOG_TEXT_MAX;
use super::log::{Event, Log, Peer};
use crate::explain::{self, FrameLines};
use crate::wire::frame::Role;

/// Is the wire shown?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// No.
    Off,
    /// A line a frame.
    Summary,
}

/// Where one connection's wire is shown.
#[derive(Clone, Copy)]
pub struct Trace {
    log: &'static Log,
    peer: Peer,
}

impl Trace {
    /// For a connection, unless it is off.
    #[must_use]
    pub fn of(tracing: Tracing, log: &'static Log, peer: Peer) -> Option<Self> {
        (tracing == Tracing::Summary).then_some(Self { log, peer })
    }

    /// Octets of HTTP that came or went: each line of the head.
    pub fn head(self, sender: Role, octets: &[u8]) {
        for line in String::from_utf8_lossy(octets).split_terminator("\r\n") {
            let mut shown = String::new();
            explain::printable(line, LOG_TEXT_MAX, &mut shown);
            self.show(sender, &shown);
        }
    }

    /// Whole frames that go out.
    pub fn sent(self, frames: &[u8]) {
        FrameLines::new(Role::Server).read(frames, |line| self.show(Role::Server, line));
    }

    /// The side that the client's frames come in by.
    #[must_use]
    pub fn tap(self) -> Tap {
        Tap { trace: self, lines: FrameLines::new(Role::Client) }
    }

    fn show(self, sender: Role, line: &str) {
        self.log.tell(Some(self.peer), Event::Traced(sender, line));
    }
}

/// What came in so far of a frame that is not shown yet.
pub struct Tap {
    trace: Trace,
    lines: FrameLines,
}

impl Tap {
    /// Octets as one read brought them.
    pub fn received(&mut self, octets: &[u8]) {
        let Self { trace, lines } = self;
        lines.read(octets, |line| trace.show(Role::Client, line));
    }
}
