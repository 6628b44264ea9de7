//! The log on standard error, one line for each event. A thread submits its lines and goes on; the log
//! thread writes them. If standard error does not keep up, lines are dropped and counted, so that a slow
//! terminal cannot delay the chat.

use std::io::{self, Write};
use std::mem;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::clock::{push_time, unix_time};
use super::limits::LOG_MAX;
use super::spawn::spawn_essential;
use super::sync::{lock, wait_while};
use crate::net::stream::Peer;

pub use super::event::LogEvent;

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Time and sentence.
    Text,
    /// One JSON object.
    Json,
}

/// Which events are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// All.
    Normal,
    /// Errors only.
    Quiet,
}

/// The log: lines that wait for standard error.
pub struct Log {
    format: Format,
    verbosity: Verbosity,
    pending: Mutex<PendingLines>,
    /// Lines were submitted, or all lines were written.
    state_changed: Condvar,
}

/// Lines to write. The lock is held to append or to take all of them, never to write.
#[derive(Default)]
struct PendingLines {
    text: String,
    /// Lines that were dropped because the text was full.
    dropped: u64,
    is_writing: bool,
}

impl Log {
    /// Creates the log and starts its thread.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(format: Format, verbosity: Verbosity) -> io::Result<&'static Self> {
        let (pending, state_changed) = Default::default();
        let log: &'static Self =
            Box::leak(Box::new(Self { format, verbosity, pending, state_changed }));
        spawn_essential("log", || log.write_loop())?;
        Ok(log)
    }

    /// Logs one event.
    pub fn log(&self, peer: Option<Peer>, event: LogEvent) {
        let mut line = String::new();
        self.push_line(peer, event, &mut line);
        self.submit(&mut line);
    }

    /// Appends the event's line to `lines`, so that several lines can be submitted at once.
    pub fn push_line(&self, peer: Option<Peer>, event: LogEvent, lines: &mut String) {
        if self.verbosity == Verbosity::Quiet && !event.is_shown_when_quiet() {
            return;
        }
        if self.format == Format::Json {
            let _ = event.json(unix_time(), peer, lines); // writing to a String cannot fail
        } else {
            push_time(unix_time(), lines);
            lines.push(' ');
            event.describe(peer, lines);
        }
        lines.push('\n');
    }

    /// Gives whole lines to the log thread, and empties `lines`. Above [`LOG_MAX`] they are dropped.
    pub fn submit(&self, lines: &mut String) {
        if lines.is_empty() {
            return;
        }
        let mut pending = lock(&self.pending);
        if LOG_MAX < pending.text.len() + lines.len() {
            pending.dropped += count(lines.as_bytes());
        } else {
            pending.text.push_str(lines);
        }
        let wake = !pending.is_writing;
        drop(pending);
        lines.clear();
        if wake {
            self.state_changed.notify_all();
        }
    }

    /// Waits until all lines are written, for `timeout` at most.
    pub fn flush(&self, timeout: Duration) {
        let busy = |pending: &mut PendingLines| pending.is_writing || !pending.text.is_empty();
        drop(wait_while(&self.state_changed, lock(&self.pending), timeout, busy));
    }

    /// The body of the log thread.
    fn write_loop(&self) -> ! {
        let (mut out, mut lines) = (StderrWriter::default(), String::new());
        let mut dropped = 0; // lines; while standard error refuses writes they are not reported
        loop {
            dropped += self.wait_for_lines(&mut lines);
            let lost = out.write(lines.as_bytes());
            dropped += lost;
            lines.clear();
            if 0 < dropped && lost == 0 {
                let report = format!("{dropped} log lines dropped");
                self.push_line(None, LogEvent::Failed(&report), &mut lines);
                if out.write(lines.as_bytes()) == 0 {
                    dropped = 0;
                }
                lines.clear();
            }
        }
    }

    /// Waits for lines, moves all of them to `lines`, and returns how many were dropped since the last call.
    fn wait_for_lines(&self, lines: &mut String) -> u64 {
        let idle = |pending: &mut PendingLines| pending.text.is_empty() && pending.dropped == 0;
        let mut pending = lock(&self.pending);
        pending.is_writing = false;
        if idle(&mut pending) {
            self.state_changed.notify_all(); // for flush
        }
        (pending, _) = wait_while(&self.state_changed, pending, Duration::MAX, idle);
        pending.is_writing = true;
        mem::swap(lines, &mut pending.text);
        mem::take(&mut pending.dropped)
    }
}

/// Standard error, which may refuse a part of each write.
#[derive(Default)]
struct StderrWriter {
    is_inside_line: bool,
}

impl StderrWriter {
    /// Writes whole lines. A line that was cut short before is ended first. Returns how many lines were not
    /// written whole.
    fn write(&mut self, mut lines: &[u8]) -> u64 {
        if self.is_inside_line && io::stderr().write_all(b"\n").is_ok() {
            self.is_inside_line = false;
        }
        while !lines.is_empty() {
            match io::stderr().write(lines) {
                Ok(written @ 1..) => {
                    self.is_inside_line = lines[written - 1] != b'\n';
                    lines = &lines[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Ok(0) | Err(_) => return count(lines),
            }
        }
        0
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}
