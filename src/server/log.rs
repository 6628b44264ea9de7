//! What the operator reads, on standard error, one line an event. Whoever has something to tell
//! hands it over and goes on: one thread writes, and if standard error does not keep up, lines are
//! dropped and counted, and the chat never waits.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::limits::LOG_MAX;
use crate::wire::response;

pub use super::event::{Event, Peer};

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Time and sentence.
    Text,
    /// One JSON object.
    Json,
}

/// Which lines there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// All.
    Normal,
    /// Errors only.
    Quiet,
}

/// Where lines are handed over.
pub struct Log {
    format: Format,
    verbosity: Verbosity,
    pending: Mutex<Pending>,
    /// Something was handed over, or all of it was written.
    moved: Condvar,
}

/// What is to be written. The lock is held to append or to take all, never to write.
#[derive(Default)]
struct Pending {
    lines: String,
    dropped: u64,
    is_writing: bool,
}

impl Log {
    /// A log and its writing thread, which lives as long as the program.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(format: Format, verbosity: Verbosity) -> io::Result<&'static Self> {
        let log: &'static Self = Box::leak(Box::new(Self {
            format,
            verbosity,
            pending: Mutex::default(),
            moved: Condvar::new(),
        }));
        super::spawn_essential("log", || log.write_for_ever())?;
        Ok(log)
    }

    /// Tells one event.
    pub fn log(&self, peer: Option<Peer>, event: Event) {
        let mut line = String::new();
        self.add(peer, event, &mut line);
        self.submit(&mut line);
    }

    /// Appends the event's line to `lines`, for several to be handed over at once.
    pub fn add(&self, peer: Option<Peer>, event: Event, lines: &mut String) {
        if self.verbosity == Verbosity::Quiet && !event.is_shown_when_quiet() {
            return;
        }
        let told = match self.format {
            Format::Text => {
                push_time(super::unix_time(), lines);
                lines.push(' ');
                event.sentence(peer, lines)
            }
            Format::Json => {
                lines.push_str("{\"time\":\"");
                push_time(super::unix_time(), lines);
                lines.push_str("\",");
                event.json(peer, lines)
            }
        };
        let _ = told; // a String takes everything
        lines.push('\n');
    }

    /// Hands whole lines to the writing thread, and empties `lines`.
    pub fn submit(&self, lines: &mut String) {
        if lines.is_empty() {
            return;
        }
        let mut pending = self.lock();
        if LOG_MAX < pending.lines.len() + lines.len() {
            pending.dropped += count(lines.as_bytes());
        } else {
            pending.lines.push_str(lines);
        }
        let is_waiting = !pending.is_writing;
        drop(pending);
        lines.clear();
        if is_waiting {
            self.moved.notify_all();
        }
    }

    /// Waits until all is written, but not for long.
    pub fn flush(&self, patience: Duration) {
        let busy = |pending: &mut Pending| pending.is_writing || !pending.lines.is_empty();
        let waited = self.moved.wait_timeout_while(self.lock(), patience, busy);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn write_for_ever(&self) -> ! {
        let mut out = Output { stream: io::stderr(), is_inside_line: false, lost: 0 };
        let mut lines = String::new();
        loop {
            let mut dropped = self.take(&mut lines, &out);
            out.write(lines.as_bytes());
            dropped += out.lost;
            lines.clear();
            if 0 < dropped && out.lost == 0 {
                self.add(None, Event::Failed(&format!("{dropped} log lines dropped")), &mut lines);
                out.write(lines.as_bytes());
                lines.clear();
            }
            if 0 < out.lost {
                self.lock().dropped += dropped;
            }
        }
    }

    /// Waits for something to write, takes all of it, and tells how many lines were dropped before.
    /// Where standard error has refused what it was given, their number waits for the next line.
    fn take(&self, lines: &mut String, out: &Output) -> u64 {
        let idle = |pending: &mut Pending| {
            pending.lines.is_empty() && (0 < out.lost || pending.dropped == 0)
        };
        let mut pending = self.lock();
        pending.is_writing = false;
        if idle(&mut pending) {
            self.moved.notify_all(); // for flush
        }
        let waited = self.moved.wait_while(pending, idle);
        pending = waited.unwrap_or_else(PoisonError::into_inner);
        pending.is_writing = true;
        mem::swap(lines, &mut pending.lines);
        mem::take(&mut pending.dropped)
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Standard error, which may refuse any part of what it is given.
struct Output {
    stream: io::Stderr,
    is_inside_line: bool,
    /// Lines that the last write could not bring out.
    lost: u64,
}

impl Output {
    /// Writes whole lines.
    fn write(&mut self, mut lines: &[u8]) {
        self.lost = 0;
        if self.is_inside_line && self.stream.write_all(b"\n").is_ok() {
            self.is_inside_line = false;
        }
        while !lines.is_empty() {
            match self.stream.write(lines) {
                Ok(written @ 1..) => {
                    self.is_inside_line = lines[written - 1] != b'\n';
                    lines = &lines[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Ok(0) | Err(_) => {
                    self.lost = count(lines);
                    return;
                }
            }
        }
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|octet| **octet == b'\n').count() as u64
}

/// Unix time as in RFC 3339, in UTC, to the millisecond.
pub fn push_time(at: Duration, out: &mut String) {
    let (year, month, day) = response::civil(at.as_secs());
    let (hour, minute, second) = response::clock(at.as_secs());
    let milli = at.subsec_millis();
    let _ = write!(out, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z");
}
