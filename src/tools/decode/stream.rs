//! One peer's stream from its first octet on: an HTTP head or two if they are there, then frames.

use std::io;

use crate::explain::handshake_text::{self, Head};
use crate::wire::dissect::{Dissector, Frame, Message};
use crate::wire::frame::Role;
use crate::wire::head::{HeadLimits, HeadParser};
use crate::wire::server_response::{ClientOffer, ServerResponse};

/// What there is to show: more than a head needs that a server would read.
const LIMITS: HeadLimits = HeadLimits { head_max: 64 * 1024, target_max: 16_000, fields_max: 1000 };

/// What a stream is made of.
pub(super) enum Part<'a> {
    /// A head of the handshake.
    Head(&'a Head),
    /// A frame, whole or the last.
    Frame(&'a Frame),
    /// So many octets that are no frames, from this offset on, and why.
    Other(u64, u64, &'static str),
    /// The message that waits for its last frame at the end of the stream.
    Unfinished(&'a Message),
}

/// Takes each part as it is complete.
pub(super) trait Sink {
    /// One part.
    fn take(&mut self, part: &Part) -> io::Result<()>;
}

/// Reads a stream piece by piece.
pub(super) struct Stream {
    sender: Option<Role>,
    /// Whose head came last: frames right behind a request are the client's.
    last_head: Option<Role>,
    asked: ClientOffer,
    payload_max: usize,
    offset: u64,
    state: State,
}

enum State {
    /// Not enough came to tell a head from a frame, or the head is not whole.
    Beginning(Vec<u8>),
    Frames(Box<Dissector>),
    /// No frames follow.
    Other {
        from: u64,
        why: &'static str,
    },
}

impl Stream {
    /// A stream of `sender`, if that is known, with what is known of the client's request;
    /// `payload_max` octets of each payload are kept.
    pub(super) fn new(sender: Option<Role>, asked: ClientOffer, payload_max: usize) -> Self {
        Self {
            sender,
            last_head: None,
            asked,
            payload_max,
            offset: 0,
            state: State::Beginning(Vec::new()),
        }
    }

    /// Takes more of it, unmasking it in place.
    pub(super) fn read(&mut self, octets: &mut [u8], sink: &mut impl Sink) -> io::Result<()> {
        match &mut self.state {
            State::Beginning(kept) => {
                kept.extend_from_slice(octets);
                self.begin(sink)
            }
            State::Frames(dissector) => {
                let mut taken = Ok(());
                dissector.read(octets, |frame| {
                    if taken.is_ok() {
                        taken = sink.take(&Part::Frame(&frame));
                    }
                });
                taken
            }
            State::Other { .. } => {
                self.offset += octets.len() as u64;
                Ok(())
            }
        }
    }

    /// It is at its end.
    pub(super) fn finish(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        if let State::Beginning(kept) = &mut self.state {
            let kept = std::mem::take(kept);
            if 1 < kept.len() && is_head(&kept) == Some(true) {
                return sink.take(&Part::Other(
                    self.offset,
                    kept.len() as u64,
                    "a head without its end",
                ));
            }
            self.frames(kept, sink)?;
        }
        match &mut self.state {
            State::Frames(dissector) => {
                if let Some(frame) = dissector.finish() {
                    sink.take(&Part::Frame(&frame))?;
                }
                dissector
                    .unfinished()
                    .map_or(Ok(()), |message| sink.take(&Part::Unfinished(message)))
            }
            State::Other { from, why } if *from < self.offset => {
                sink.take(&Part::Other(*from, self.offset - *from, why))
            }
            State::Other { .. } | State::Beginning(_) => Ok(()),
        }
    }

    /// Heads, as long as there are any; then frames.
    fn begin(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        while let State::Beginning(kept) = &mut self.state {
            match (is_head(kept), end_of_head(kept)) {
                (None, _) | (Some(true), None) if kept.len() < LIMITS.head_max => break,
                (Some(true), Some(end)) => {
                    let rest = kept.split_off(end);
                    let head = std::mem::replace(kept, rest);
                    self.head(&head, sink)?;
                }
                _ => {
                    let kept = std::mem::take(kept);
                    self.frames(kept, sink)?;
                }
            }
        }
        Ok(())
    }

    fn head(&mut self, octets: &[u8], sink: &mut impl Sink) -> io::Result<()> {
        let offset = self.offset;
        self.offset += octets.len() as u64;
        if octets.starts_with(b"HTTP/") {
            let answer = ServerResponse::parse(octets);
            sink.take(&Part::Head(&handshake_text::response(
                offset,
                octets,
                &answer,
                &self.asked,
            )))?;
            self.last_head = Some(Role::Server);
            if answer.status != Some(101) && answer.status != Some(100) {
                let why = "no frames: a response that is not 101 begins no WebSocket";
                let kept =
                    std::mem::replace(&mut self.state, State::Other { from: self.offset, why });
                if let State::Beginning(rest) = kept {
                    self.offset += rest.len() as u64;
                }
            }
            return Ok(());
        }
        let read = HeadParser::new(LIMITS).advance(octets);
        let request = match &read {
            Ok(found) => found.as_ref().map(|(request, _)| Ok(request)),
            Err(refusal) => Some(Err(*refusal)),
        };
        let Some(request) = request else { return Ok(()) };
        sink.take(&Part::Head(&handshake_text::request(offset, octets, request)))?;
        self.last_head = Some(Role::Client);
        if let Ok(request) = request {
            let key = self.asked.key.take();
            self.asked = ClientOffer::by(request);
            self.asked.key = key.or(self.asked.key.take());
        }
        Ok(())
    }

    fn frames(&mut self, mut octets: Vec<u8>, sink: &mut impl Sink) -> io::Result<()> {
        let sender = self.sender.or(self.last_head);
        self.state = State::Frames(Box::new(Dissector::new(sender, self.offset, self.payload_max)));
        self.read(&mut octets, sink)
    }
}

/// Does a head begin here, rather than a frame? A frame with RSV1 and no FIN could, but for its words.
fn is_head(octets: &[u8]) -> Option<bool> {
    let word = octets.iter().take_while(|octet| octet.is_ascii_uppercase()).count();
    match octets.get(word) {
        _ if 16 < word => Some(false),
        Some(b' ') => Some(2 < word),
        Some(b'/') => Some(octets.starts_with(b"HTTP")),
        Some(_) => Some(false),
        None => None,
    }
}

/// Where a head ends: behind its first empty line, however its lines end.
fn end_of_head(octets: &[u8]) -> Option<usize> {
    let mut last = None;
    for (place, _) in octets.iter().enumerate().filter(|(_, octet)| **octet == b'\n') {
        let line = octets.get(last.unwrap_or(0)..place).unwrap_or_default();
        if last.is_some() && line.iter().all(|octet| *octet == b'\r') {
            return Some(place + 1);
        }
        last = Some(place + 1);
    }
    None
}
