//! What happens, in words for the operator: one table of events, their sentences and their JSON.

use std::fmt::{self, Write};
use std::net::SocketAddr;

use super::limits::LOG_TEXT_MAX;
use crate::explain;
use crate::wire::close::Close;
use crate::wire::frame::Role;
use crate::wire::refusal::{Refusal, RefusalRule};

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
    Warning(&'a str),
    /// A member was welcomed.
    Welcomed,
    /// A client began to look at the wire of all.
    Inspecting,
    /// A member said something.
    QueueState(&'a str),
    /// A request was not answered with what it asked for; which part of it was at fault.
    Refused(Refusal, &'a str),
    /// The client was gone before its handshake was done.
    NegotiationFailed,
    /// A WebSocket ended with a Close frame.
    Closed(&'a Close),
    /// A WebSocket broke, fell silent or did not keep up.
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
            Self::Warning(_) => "advice",
            Self::Welcomed => "welcomed",
            Self::Inspecting => "inspecting",
            Self::QueueState(_) => "message",
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
    #[must_use]
    pub fn is_shown_when_quiet(&self) -> bool {
        matches!(self, Self::Errored(_) | Self::Panicked(_) | Self::Failed(_) | Self::Traced(..))
    }

    /// The close code or HTTP status, and the reason.
    fn outcome(&self) -> (Option<u16>, Option<&str>) {
        match self {
            Self::Refused(refusal, _) => (Some(refusal.code()), Some(refusal.rule().sentence)),
            Self::Closed(close) => (close.code().map(|code| code.number()), Some(close.reason())),
            Self::Errored(what) | Self::Panicked(what) | Self::Failed(what) => (None, Some(what)),
            Self::NegotiationFailed => (None, Some("Client closed connection")),
            Self::Listening(_) | Self::Warning(_) | Self::Welcomed | Self::QueueState(_) => {
                (None, None)
            }
            Self::Inspecting | Self::Stopping(_) | Self::Stopped(_) | Self::Traced(..) => {
                (None, None)
            }
        }
    }

    /// The event in words. What a peer chose is made harmless.
    pub fn sentence(&self, peer: Option<Peer>, out: &mut String) -> fmt::Result {
        let id = peer.map_or(0, |peer| peer.id);
        match self {
            Self::Listening(address) => write!(out, "listening on http://{address}/"),
            Self::Warning(advice) => write!(out, "{advice}"),
            Self::Welcomed => {
                write!(out, "Sent welcome message to {id}")?;
                peer.map_or(Ok(()), |peer| write!(out, " ({})", peer.address))?;
                out.write_char('.')
            }
            Self::Inspecting => {
                write!(out, "Shows the wire to {id}")?;
                peer.map_or(Ok(()), |peer| write!(out, " ({})", peer.address))?;
                out.write_char('.')
            }
            Self::QueueState(text) => {
                out.push_str("Received message '");
                explain::printable(text, LOG_TEXT_MAX, out);
                write!(out, "' from {id}.")
            }
            Self::Refused(refusal, part) => {
                let RefusalRule { status, sentence, .. } = refusal.rule();
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
            Self::Panicked(what) => write!(out, "Panicked '{what}'."),
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

    /// The event's members of a JSON object, and its end; the time is there already.
    pub fn json(&self, peer: Option<Peer>, out: &mut String) -> fmt::Result {
        write!(out, "\"event\":\"{}\",\"connection\":", self.name())?;
        match peer {
            Some(peer) => write!(out, "{},\"address\":\"{}\"", peer.id, peer.address)?,
            None => out.push_str("null,\"address\":null"),
        }
        let (code, reason) = self.outcome();
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
