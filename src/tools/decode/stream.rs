//! One peer's stream from its first byte on: the HTTP heads, if there are any, then the frames.

use std::io;

use super::report::Report;
use crate::explain::handshake_text;
use crate::wire::dissect::Dissector;
use crate::wire::frame::Role;
use crate::wire::head::{HeadLimits, HeadParser};
use crate::wire::server_response::{ClientOffer, ResponseParser, ServerResponse};

/// Larger than a server's limits, so that a head which a server refuses can be shown.
const LIMITS: HeadLimits = HeadLimits { head_max: 64 * 1024, target_max: 16_000, fields_max: 1000 };

/// Reads a stream piece by piece and reports each part as soon as it is complete.
pub(super) struct Stream<'a> {
    report: &'a mut Report,
    sender: Option<Role>,
    /// The sender of the last head; frames directly after a request are the client's.
    head_sender: Option<Role>,
    offer: ClientOffer,
    /// Bytes of the whole stream so far.
    size: u64,
    /// Bytes of the heads.
    offset: u64,
    state: State,
}

enum State {
    /// The beginning of a head, or too few bytes to distinguish a head from a frame.
    /// The parser is that of responses. It also finds the end of a request head.
    Head(Vec<u8>, ResponseParser),
    Frames(Box<Dissector>),
    /// Not frames.
    Other {
        from: u64,
        why: &'static str,
    },
}

impl<'a> Stream<'a> {
    /// The stream of `sender`, if it is known; `offer` is what is known of the client's request.
    pub(super) fn new(report: &'a mut Report, sender: Option<Role>, offer: ClientOffer) -> Self {
        let state = State::Head(Vec::new(), ResponseParser::new(LIMITS.head_max));
        Self { report, sender, head_sender: None, offer, size: 0, offset: 0, state }
    }

    /// Reads the next bytes; unmasks them in place.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        if let State::Head(received, _) = &mut self.state {
            received.extend_from_slice(bytes);
            return self.read_heads();
        }
        self.read_frames(bytes)
    }

    /// Ends the stream: reports what is incomplete, then the stream as a whole.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let State::Head(received, _) = &self.state {
            if is_head(received) == Some(true) {
                self.state = State::Other { from: self.offset, why: "a head without its end" };
            } else {
                self.start_frames()?;
            }
        }
        match &mut self.state {
            State::Frames(dissector) => {
                dissector.finish().iter().try_for_each(|frame| self.report.frame(frame))?;
                let mut message = dissector.unfinished().into_iter();
                message.try_for_each(|message| self.report.unfinished(message))?;
            }
            State::Other { from, why } if *from < self.size => {
                self.report.other(*from, self.size - *from, why)?;
            }
            State::Other { .. } | State::Head(..) => (),
        }
        self.report.finish(self.size)
    }

    /// Reads every complete head; the first bytes that are not a head start the frames.
    fn read_heads(&mut self) -> io::Result<()> {
        while let State::Head(received, parser) = &mut self.state {
            let head = match is_head(received) {
                None => break,
                Some(true) => parser.advance(received).ok(), // a head over the limit is not shown as one
                Some(false) => None,
            };
            match head {
                Some(None) => break,
                Some(Some((response, size))) => {
                    let rest = received.split_off(size);
                    let head = std::mem::replace(received, rest);
                    *parser = ResponseParser::new(LIMITS.head_max);
                    let offset = self.offset;
                    self.offset += size as u64;
                    if head.starts_with(b"HTTP/") {
                        self.response(offset, &head, &response)?;
                    } else {
                        self.request(offset, &head)?;
                    }
                }
                None => self.start_frames()?,
            }
        }
        Ok(())
    }

    fn request(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let Some(parsed) = HeadParser::new(LIMITS).advance(bytes).transpose() else {
            return Ok(()); // cannot happen: at the empty line there is a request or a refusal
        };
        let request = parsed.as_ref().map(|(request, _)| request).map_err(|refusal| *refusal);
        self.report.head(&handshake_text::request(offset, bytes, request))?;
        self.head_sender = Some(Role::Client);
        if let Ok(request) = request {
            let offer = ClientOffer::by(request);
            self.offer = ClientOffer { key: self.offer.key.take().or(offer.key), ..offer };
        }
        Ok(())
    }

    fn response(&mut self, offset: u64, bytes: &[u8], response: &ServerResponse) -> io::Result<()> {
        self.report.head(&handshake_text::response(offset, bytes, response, &self.offer))?;
        self.head_sender = Some(Role::Server);
        if !matches!(response.status, Some(100 | 101)) {
            let why = "not frames: only a response with status 101 starts a WebSocket";
            self.state = State::Other { from: self.offset, why };
        }
        Ok(())
    }

    /// Reads the bytes that are not a head as frames.
    fn start_frames(&mut self) -> io::Result<()> {
        let sender = self.sender.or(self.head_sender);
        let dissector = Dissector::new(sender, self.offset, self.report.payload_max());
        let before = std::mem::replace(&mut self.state, State::Frames(Box::new(dissector)));
        if let State::Head(mut bytes, _) = before { self.read_frames(&mut bytes) } else { Ok(()) }
    }

    fn read_frames(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        let State::Frames(dissector) = &mut self.state else { return Ok(()) };
        let mut written = Ok(());
        dissector.read(bytes, |frame| {
            if written.is_ok() {
                written = self.report.frame(&frame);
            }
        });
        written
    }
}

/// Whether these bytes begin with a head, not with a frame; `None` if there are too few. A frame with RSV1
/// and without FIN begins with a letter too, but not with a word.
fn is_head(bytes: &[u8]) -> Option<bool> {
    let word = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    match bytes.get(word) {
        _ if 16 < word => Some(false),
        Some(b' ') => Some(2 < word),
        Some(b'/') => Some(bytes.starts_with(b"HTTP")),
        Some(_) => Some(false),
        None => None,
    }
}
