//! How much of a large input has been read.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// The progress of a summary, as a line on standard error if that is a terminal. Dropping this value
/// erases the line, so that nothing else is written over it.
pub(super) struct Progress {
    is_shown: bool,
    started: Instant,
    updated: Instant,
    bytes: u64,
    /// Columns that the line has used.
    width: usize,
}

const UPDATE_INTERVAL: Duration = Duration::from_millis(200);

impl Progress {
    pub(super) fn new(is_summary: bool) -> Self {
        let now = Instant::now();
        let is_shown = is_summary && io::stderr().is_terminal();
        Self { is_shown, started: now, updated: now, bytes: 0, width: 0 }
    }

    /// Adds `bytes` that were read; updates the line from time to time.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.is_shown && UPDATE_INTERVAL <= self.updated.elapsed() {
            self.updated = Instant::now();
            let millions = self.bytes / 1_000_000;
            let rate = u128::from(self.bytes) / self.started.elapsed().as_micros().max(1);
            self.show(&format!("{millions} MB, {rate} MB/s"));
        }
    }

    /// Overwrites exactly the columns used before: more would start a new line on a narrow terminal.
    fn show(&mut self, line: &str) {
        self.width = self.width.max(line.len());
        let _ = write!(io::stderr(), "\r{line:0$}", self.width); // the result does not depend on it
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.width != 0 {
            self.show("");
            let _ = write!(io::stderr(), "\r"); // as above
        }
    }
}
