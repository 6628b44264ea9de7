//! What the operator reads, on standard error, one line an event. Whoever has something to tell
//! hands it over and goes on: one thread writes, and if standard error does not keep up, lines are
//! dropped and counted, and the chat never waits.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::limits::{LOG_MAX, LOG_TEXT_MAX};
use crate::explain;
use crate::wire::close::Close;
use crate::wire::frame::Role;
use crate::wire::http;
use crate::wire::refusal::Refusal;

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
    Usual,
    /// Errors only.
    Quiet,
}

/// Whom an event is about.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Counts connections from 1; never used twice.
    pub id: u64,
    /// Where it comes from.
    pub address: SocketAddr,
}

/// What can be told.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The server accepts connections at an address.
    Listening(SocketAddr),
    /// Something that the operator may want to change.
    Advice(&'a str),
    /// A member was welcomed.
    Welcomed,
    /// A member said something.
    Said(&'a str),
    /// A request was not answered with what it asked for; which part of it was at fault.
    Refused(Refusal, &'a str),
    /// The client was gone before its handshake was done.
    NegotiationFailed,
    /// A WebSocket ended with a Close frame.
    Closed(&'a Close),
    /// A WebSocket broke, or a rule was broken on it.
    Errored(&'a str),
    /// A connection's thread panicked; it ended that connection alone.
    Panicked(&'a str),
    /// A line of the wire, made harmless already, and which side sent it.
    Traced(Role, &'a str),
    /// The machine refused something.
    Failed(&'a str),
    /// A signal to stop came, with so many connections open.
    Stopping(usize),
    /// All is over, with so many connections that had to be cut off.
    Stopped(usize),
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Listening(_) => "listening",
            Self::Advice(_) => "advice",
            Self::Welcomed => "welcomed",
            Self::Said(_) => "message",
            Self::Refused(..) => "refused",
            Self::NegotiationFailed => "negotiation_failed",
            Self::Closed(_) => "closed",
            Self::Errored(_) => "errored",
            Self::Panicked(_) => "panicked",
            Self::Traced(..) => "wire",
            Self::Failed(_) => "failed",
            Self::Stopping(_) => "stopping",
            Self::Stopped(_) => "stopped",
        }
    }

    /// Is it told even if errors alone are wanted? The wire is: it was asked for.
    fn is_told_quietly(&self) -> bool {
        matches!(self, Self::Errored(_) | Self::Panicked(_) | Self::Failed(_) | Self::Traced(..))
    }

    /// The close code or HTTP status, and the reason.
    fn outcome(&self) -> (Option<u16>, Option<&str>) {
        match self {
            Self::Refused(refusal, _) => (Some(refusal.code()), Some(refusal.verdict().2)),
            Self::Closed(close) => (close.code().map(|code| code.number()), Some(close.reason())),
            Self::Errored(what) | Self::Panicked(what) | Self::Failed(what) => (None, Some(what)),
            Self::NegotiationFailed => (None, Some("Client closed connection")),
            Self::Listening(_) | Self::Advice(_) | Self::Welcomed | Self::Said(_) => (None, None),
            Self::Stopping(_) | Self::Stopped(_) | Self::Traced(..) => (None, None),
        }
    }

    /// The event in words. What a peer chose is made harmless.
    fn sentence(&self, peer: Option<Peer>, out: &mut String) -> std::fmt::Result {
        let id = peer.map_or(0, |peer| peer.id);
        match self {
            Self::Listening(address) => write!(out, "listening on http://{address}/"),
            Self::Advice(advice) => write!(out, "{advice}"),
            Self::Welcomed => {
                write!(out, "Sent welcome message to {id}")?;
                peer.map_or(Ok(()), |peer| write!(out, " ({})", peer.address))?;
                out.write_char('.')
            }
            Self::Said(text) => {
                out.push_str("Received message '");
                explain::printable(text, LOG_TEXT_MAX, out);
                write!(out, "' from {id}.")
            }
            Self::Refused(refusal, part) => {
                let (status, _, sentence) = refusal.verdict();
                write!(out, "Refused request of {id}")?;
                peer.map_or(Ok(()), |peer| write!(out, " ({})", peer.address))?;
                write!(out, ": {status}, {sentence}")?;
                if !part.is_empty() {
                    out.push_str(": '");
                    explain::printable(part, LOG_TEXT_MAX, out);
                    out.push('\'');
                }
                out.write_char('.')
            }
            Self::NegotiationFailed => {
                write!(out, "WebSocket Negotiation Failed: Client closed connection.")
            }
            Self::Closed(close) => {
                write!(out, "Closed connection to {id}. ")?;
                match close.code() {
                    Some(code) => write!(out, "Code {code} ({}), reason '", code.name())?,
                    None => out.push_str("No code, reason '"),
                }
                explain::printable(close.reason(), LOG_TEXT_MAX, out);
                write!(out, "'.")
            }
            Self::Errored(what) => write!(out, "WebSocket errored '{what}' for {id}."),
            Self::Panicked(what) => write!(out, "Panicked '{what}' for {id}."),
            Self::Traced(sender, line) => {
                let arrow = if *sender == Role::Client { "<-" } else { "->" };
                write!(out, "{arrow} #{id} {line}")
            }
            Self::Failed(what) => write!(out, "{what}."),
            Self::Stopping(open) => write!(out, "stopping: {open} connections to close"),
            Self::Stopped(0) => write!(out, "stopped"),
            Self::Stopped(open) => write!(out, "stopped: {open} connections cut off"),
        }
    }
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
    pub fn tell(&self, peer: Option<Peer>, event: Event) {
        let mut line = String::new();
        self.add(peer, event, &mut line);
        self.hand_over(&mut line);
    }

    /// Appends the event's line to `lines`, for several to be handed over at once.
    pub fn add(&self, peer: Option<Peer>, event: Event, lines: &mut String) {
        if self.verbosity == Verbosity::Quiet && !event.is_told_quietly() {
            return;
        }
        match self.format {
            Format::Text => {
                push_time(lines);
                lines.push(' ');
                let _ = event.sentence(peer, lines); // a String takes everything
            }
            Format::Json => {
                let _ = push_json(peer, event, lines);
            }
        }
        lines.push('\n');
    }

    /// Hands whole lines to the writing thread, and empties `lines`.
    pub fn hand_over(&self, lines: &mut String) {
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
        let mut out = Output { stream: io::stderr(), is_inside_line: false };
        let mut lines = String::new();
        loop {
            let mut pending = self.lock();
            pending.is_writing = false;
            if pending.lines.is_empty() {
                self.moved.notify_all(); // for flush
            }
            let idle = |pending: &mut Pending| pending.lines.is_empty();
            let waited = self.moved.wait_while(pending, idle);
            pending = waited.unwrap_or_else(PoisonError::into_inner);
            pending.is_writing = true;
            std::mem::swap(&mut lines, &mut pending.lines);
            let dropped = std::mem::take(&mut pending.dropped);
            drop(pending);

            let mut lost = out.write(lines.as_bytes());
            lines.clear();
            let lost_before = dropped + lost;
            if 0 < dropped && lost == 0 {
                self.add(None, Event::Failed(&format!("{dropped} log lines dropped")), &mut lines);
                lost = out.write(lines.as_bytes());
                lines.clear();
            }
            if 0 < lost {
                self.lock().dropped += lost_before;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Standard error, which may refuse any part of what it is given.
struct Output {
    stream: io::Stderr,
    is_inside_line: bool,
}

impl Output {
    /// Writes whole lines; how many of them were lost.
    fn write(&mut self, mut lines: &[u8]) -> u64 {
        if self.is_inside_line && self.stream.write_all(b"\n").is_ok() {
            self.is_inside_line = false;
        }
        while !lines.is_empty() {
            match self.stream.write(lines) {
                Ok(0) => return count(lines),
                Ok(written) => {
                    self.is_inside_line = lines[written - 1] != b'\n';
                    lines = &lines[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(_) => return count(lines),
            }
        }
        0
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|octet| **octet == b'\n').count() as u64
}

/// RFC 3339 in UTC, to the millisecond.
fn push_time(out: &mut String) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = http::civil(now.as_secs());
    let (hour, minute, second) = http::clock(now.as_secs());
    let milli = now.subsec_millis();
    let _ = write!(out, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z");
}

fn push_json(peer: Option<Peer>, event: Event, out: &mut String) -> std::fmt::Result {
    out.push_str("{\"time\":\"");
    push_time(out);
    write!(out, "\",\"event\":\"{}\",\"connection\":", event.name())?;
    match peer {
        Some(peer) => write!(out, "{},\"address\":\"{}\"", peer.id, peer.address)?,
        None => out.push_str("null,\"address\":null"),
    }
    let (code, reason) = event.outcome();
    match code {
        Some(code) => write!(out, ",\"code\":{code},\"reason\":")?,
        None => out.push_str(",\"code\":null,\"reason\":"),
    }
    match reason {
        Some(reason) => explain::json_string(reason, out),
        None => out.push_str("null"),
    }
    let mut sentence = String::new();
    event.sentence(peer, &mut sentence)?;
    out.push_str(",\"message\":");
    explain::json_string(&sentence, out);
    out.push('}');
    Ok(())
}
