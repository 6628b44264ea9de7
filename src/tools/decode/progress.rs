//! How far the reading of a large capture is.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use super::DecodeOutput;

/// A line on standard error that tells how far a summary is, if that is a terminal. It goes with this
/// value, before anything else is told.
pub(super) struct Progress {
    is_shown: bool,
    started: Instant,
    told: Instant,
    octets: u64,
    /// Columns that were written to.
    width: usize,
}

const PROGRESS_EVERY: Duration = Duration::from_millis(200);

impl Progress {
    pub(super) fn new(output: DecodeOutput) -> Self {
        let is_summary = matches!(output, DecodeOutput::Summary | DecodeOutput::SummaryJson);
        let now = Instant::now();
        let is_shown = is_summary && io::stderr().is_terminal();
        Self { is_shown, started: now, told: now, octets: 0, width: 0 }
    }

    pub(super) fn advance(&mut self, octets: usize) {
        self.octets += octets as u64;
        if self.is_shown && PROGRESS_EVERY <= self.told.elapsed() {
            self.told = Instant::now();
            let millions = self.octets / 1_000_000;
            let rate = u128::from(self.octets) / self.started.elapsed().as_micros().max(1);
            self.show(&format!("{millions} MB, {rate} MB/s"));
        }
    }

    /// Over all that was written before, and no further: a narrow terminal would go to its next line.
    fn show(&mut self, line: &str) {
        self.width = self.width.max(line.len());
        let _ = write!(io::stderr(), "\r{line:0$}", self.width); // a courtesy
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.width != 0 {
            self.show("");
            let _ = write!(io::stderr(), "\r"); // a courtesy
        }
    }
}
