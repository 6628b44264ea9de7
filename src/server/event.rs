//! The events that the log can report: their names, their sentences and their JSON.

use std::fmt::{self, Write};
use std::net::SocketAddr;

use super::limits::LOG_TEXT_MAX;
use crate::explain;
use crate::wire::close::Close;
use crate::wire::frame::Role;
use crate::wire::refusal::{Refusal, RefusalRule};

/// The client of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The number of the connection, from 1; never used twice.
    pub id: u64,
    /// The client's address.
    pub address: SocketAddr,
}

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

const NEGOTIATION_FAILED: &str = "WebSocket Negotiation Failed: Client closed connection.";

impl LogEvent<'_> {
    /// The members `event`, `code` (a close code or HTTP status) and `reason` of the JSON log.
    #[rustfmt::skip]
    fn members(&self) -> (&'static str, Option<u16>, Option<&str>) {
        match self {
            Self::Listening(_)           => ("listening", None, None),
            Self::Warning(_)             => ("advice", None, None),
            Self::Welcomed               => ("welcomed", None, None),
            Self::Inspecting             => ("inspecting", None, None),
            Self::Message(_)             => ("message", None, None),
            Self::Refused(refusal, _)    => ("refused", Some(refusal.code()), Some(refusal.rule().sentence)),
            Self::NegotiationFailed      => ("negotiation_failed", None, Some("Client closed connection")),
            Self::Closed(close)          => ("closed", close.code().map(|it| it.number()), Some(close.reason())),
            Self::Errored(error)         => ("errored", None, Some(error)),
            Self::Panicked(error)        => ("panicked", None, Some(error)),
            Self::Traced(..)             => ("wire", None, None),
            Self::Failed(error)          => ("failed", None, Some(error)),
            Self::Stopping(_)            => ("stopping", None, None),
            Self::Stopped(_)             => ("stopped", None, None),
        }
    }

    /// Is the event logged with `--quiet`? A trace is, because the operator asked for it.
    pub fn is_shown_when_quiet(&self) -> bool {
        matches!(self, Self::Errored(_) | Self::Panicked(_) | Self::Failed(_) | Self::Traced(..))
    }

    /// Appends the event's sentence. Text that a peer chose is escaped.
    pub fn sentence(&self, peer: Option<Peer>, out: &mut String) -> fmt::Result {
        let (id, client) = (peer.map_or(0, |peer| peer.id), WithAddress(peer));
        match self {
            Self::Listening(address) => write!(out, "listening on http://{address}/"),
            Self::Warning(advice) => write!(out, "{advice}"),
            Self::Welcomed => write!(out, "Sent welcome message to {client}."),
            Self::Inspecting => write!(out, "Showing the wire to {client}."),
            Self::Message(text) => {
                push_quoted("Received message ", text, format_args!(" from {id}."), out)
            }
            Self::Refused(refusal, part) => {
                let RefusalRule { status, sentence, .. } = refusal.rule();
                write!(out, "Refused request of {client}: {status}, {sentence}")?;
                match *part {
                    "" => out.write_char('.'),
                    part => push_quoted(": ", part, format_args!("."), out),
                }
            }
            Self::NegotiationFailed => out.write_str(NEGOTIATION_FAILED),
            Self::Closed(close) => {
                let code = close.code().map(|code| format!("Code {code} ({})", code.name()));
                write!(out, "Closed connection to {id}. {}", code.as_deref().unwrap_or("No code"))?;
                push_quoted(", reason ", close.reason(), format_args!("."), out)
            }
            Self::Errored(what) => write!(out, "WebSocket errored '{what}' for {id}."),
            Self::Panicked(what) => write!(out, "Panicked '{what}'."),
            Self::Traced(Role::Client, line) => write!(out, "<- #{id} {line}"),
            Self::Traced(Role::Server, line) => write!(out, "-> #{id} {line}"),
            Self::Failed(what) => write!(out, "{what}."),
            Self::Stopping(open) => write!(out, "stopping: {open} connections to close"),
            Self::Stopped(0) => write!(out, "stopped"),
            Self::Stopped(open) => write!(out, "stopped: {open} connections cut off"),
        }
    }

    /// Appends the event's members of a JSON object and its closing brace, after the member `time`.
    pub fn json(&self, peer: Option<Peer>, out: &mut String) -> fmt::Result {
        let (event, code, reason) = self.members();
        write!(out, "\"event\":\"{event}\",\"connection\":")?;
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
        let mut sentence = String::new();
        self.sentence(peer, &mut sentence)?;
        out.push_str(",\"message\":");
        explain::json_string(&sentence, out);
        out.push('}');
        Ok(())
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
