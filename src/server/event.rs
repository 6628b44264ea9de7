//! The events that the log can report: their names, their sentences and their JSON.

use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use super::clock::push_time;
use super::limits::LOG_TEXT_MAX;
use crate::explain;
use crate::net::stream::Peer;
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::Role;
use crate::wire::refusal::{Refusal, RefusalRule};

/// One event.
#[derive(Clone, Copy, Debug)]
pub enum LogEvent<'a> {
    /// The server accepts connections at an address.
    Listening(SocketAddr),
    /// A setting that the operator may want to change.
    Warning(&'a str),
    /// A member has joined the chat and got its welcome.
    Welcomed,
    /// A client has opened the inspector.
    Inspecting,
    /// A member has sent a text message.
    Message(&'a str),
    /// A request is refused; the part of it that is at fault.
    Refused(Refusal, &'a str),
    /// The client closed the connection before the handshake was complete.
    NegotiationFailed,
    /// A WebSocket ended with a Close frame.
    Closed(&'a Close),
    /// A WebSocket failed, was idle for too long or read too slowly.
    Errored(&'a str),
    /// A thread panicked.
    Panicked(&'a str),
    /// A line of `--trace`, already escaped, and the side that sent the bytes.
    Traced(Role, &'a str),
    /// The operating system refused a request of the server.
    Failed(&'a str),
    /// A signal to stop was received while N connections were open.
    Stopping(usize),
    /// The server has stopped and has cut off N connections.
    Stopped(usize),
}

impl LogEvent<'_> {
    /// Whether the event is logged with `--quiet`. A trace is, because the operator asked for it.
    pub fn is_shown_when_quiet(&self) -> bool {
        matches!(self, Self::Errored(_) | Self::Panicked(_) | Self::Failed(_) | Self::Traced(..))
    }

    /// Appends the event's sentence, in which text that a peer chose is escaped. Returns the members `event`,
    /// `code` (a close code or HTTP status) and `reason` of the JSON log.
    #[rustfmt::skip]
    pub fn describe(&self, peer: Option<Peer>, out: &mut String) -> (&'static str, Option<u16>, Option<&str>) {
        let (id, client) = (peer.map_or(0, |peer| peer.id), WithAddress(peer));
        let (event, code, reason, written) = match self {
            Self::Listening(address) => ("listening", None, None, write!(out, "listening on http://{address}/")),
            // The JSON name is older than the name of the event, and programs read it.
            Self::Warning(warning) => ("advice", None, None, write!(out, "{warning}")),
            Self::Welcomed => ("welcomed", None, None, write!(out, "Sent welcome message to {client}.")),
            Self::Inspecting => ("inspecting", None, None, write!(out, "Showing the wire to {client}.")),
            Self::Message(text) => {
                let written = push_quoted("Received message ", text, format_args!(" from {id}."), out);
                ("message", None, None, written)
            }
            Self::Refused(refusal, part) => {
                let RefusalRule { status, sentence, .. } = refusal.rule();
                let _ = write!(out, "Refused request of {client}: {status}, {sentence}");
                let written = match *part {
                    "" => out.write_char('.'),
                    part => push_quoted(": ", part, format_args!("."), out),
                };
                ("refused", Some(refusal.code()), Some(*sentence), written)
            }
            Self::NegotiationFailed => {
                let written = out.write_str("WebSocket Negotiation Failed: Client closed connection.");
                ("negotiation_failed", None, Some("Client closed connection"), written)
            }
            Self::Closed(close) => {
                let code = close.code().map(|code| format!("Code {code} ({})", code.name()));
                let _ = write!(out, "Closed connection to {id}. {}", code.as_deref().unwrap_or("No code"));
                let written = push_quoted(", reason ", close.reason(), format_args!("."), out);
                ("closed", close.code().map(CloseCode::number), Some(close.reason()), written)
            }
            Self::Errored(error) => {
                ("errored", None, Some(*error), write!(out, "WebSocket Errored '{error}' for {id}."))
            }
            Self::Panicked(error) => ("panicked", None, Some(*error), write!(out, "Panicked '{error}'.")),
            Self::Traced(Role::Client, line) => ("wire", None, None, write!(out, "<- #{id} {line}")),
            Self::Traced(Role::Server, line) => ("wire", None, None, write!(out, "-> #{id} {line}")),
            Self::Failed(error) => ("failed", None, Some(*error), write!(out, "{error}.")),
            Self::Stopping(open) => ("stopping", None, None, write!(out, "stopping: {open} connections to close")),
            Self::Stopped(0) => ("stopped", None, None, write!(out, "stopped")),
            Self::Stopped(open) => ("stopped", None, None, write!(out, "stopped: {open} connections cut off")),
        };
        let _ = written; // writing to a String cannot fail
        (event, code, reason)
    }

    /// Appends the event as a JSON object.
    pub fn json(&self, time: Duration, peer: Option<Peer>, out: &mut String) -> fmt::Result {
        let mut sentence = String::new();
        let (event, code, reason) = self.describe(peer, &mut sentence);
        out.push_str("{\"time\":\"");
        push_time(time, out);
        write!(out, "\",\"event\":\"{event}\",\"connection\":")?;
        match peer {
            Some(peer) => write!(out, "{},\"address\":\"{}\"", peer.id, peer.address)?,
            None => out.push_str("null,\"address\":null"),
        }
        match code {
            Some(code) => write!(out, ",\"code\":{code},\"reason\":")?,
            None => out.push_str(",\"code\":null,\"reason\":"),
        }
        match reason {
            Some(reason) => explain::json_string(reason, out),
            None => out.push_str("null"),
        }
        out.push_str(",\"message\":");
        explain::json_string(&sentence, out);
        out.write_char('}')
    }
}

/// Appends a peer's text, escaped and in quotes, between two other texts.
fn push_quoted(before: &str, text: &str, after: fmt::Arguments, out: &mut String) -> fmt::Result {
    out.push_str(before);
    out.push('\'');
    explain::printable(text, LOG_TEXT_MAX, out);
    write!(out, "'{after}")
}

/// Displays a client with its address.
struct WithAddress(Option<Peer>);

impl fmt::Display for WithAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |Peer { id, address }| write!(f, "{id} ({address})"))
    }
}
