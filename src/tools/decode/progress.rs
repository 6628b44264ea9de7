//! How far the reading of a large capture is.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use super::Output;

/// A line on standard error that tells how far a summary is, if that is a terminal.
pub(super) struct Progress {
    is_shown: bool,
    started: Instant,
    told: Instant,
    octets: u64,
}

const PROGRESS_EVERY: Duration = Duration::from_millis(200);

impl Progress {
    pub(super) fn new(output: Output) -> Self {
        let is_summary = matches!(output, Output::Summary | Output::SummaryJson);
        let now = Instant::now();
        let is_shown = is_summary && io::stderr().is_terminal();
        Self { is_shown, started: now, told: now, octets: 0 }
    }

    pub(super) fn advance(&mut self, octets: usize) {
        self.octets += octets as u64;
        if self.is_shown && PROGRESS_EVERY <= self.told.elapsed() {
            self.told = Instant::now();
            let millions = self.octets / 1_000_000;
            let rate = u128::from(self.octets) / self.started.elapsed().as_micros().max(1);
            let _ = write!(io::stderr(), "\r{millions} MB, {rate} MB/s "); // a courtesy
        }
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.is_shown && self.told != self.started {
            let _ = write!(io::stderr(), "\r{:40}\r", ""); // a courtesy
        }
    }
}
