//! A simple model of RFC 6455: it reads the whole byte stream of one sender at once and gives the events that
//! a receiver must report. It has no partial reads, no buffer and no state between two calls. It shares only
//! type names with `src/wire`, which it checks.

use wirechat::wire::frame::Role;
use wirechat::wire::message::{Event, FrameCounts};
use wirechat::wire::violation::Violation;

/// An event that a receiver must report; a violation is the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ModelEvent {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Status),
    Violation(Violation),
}

/// The body of a Close, section 5.5.1: a code and a reason, or an empty body.
pub(crate) type Status = Option<(u16, String)>;

impl ModelEvent {
    /// Compares without allocating, because the memory is measured.
    pub(crate) fn matches(&self, event: &Event) -> bool {
        match (self, event) {
            (Self::Text(text), Event::Text(other)) => text == other,
            (Self::Binary(bytes), Event::Binary(other)) => bytes == other,
            (Self::Ping(payload), Event::Ping(other)) => payload == other,
            (Self::Pong(payload), Event::Pong(other)) => payload == other,
            (Self::Close(None), Event::Close(close)) => {
                close.code().is_none() && close.reason().is_empty()
            }
            (Self::Close(Some((code, reason))), Event::Close(close)) => {
                close.code().is_some_and(|other| other.number() == *code)
                    && close.reason() == reason
            }
            _ => false,
        }
    }
}

/// The expected events of a whole byte stream.
#[derive(Default)]
pub(crate) struct Model {
    /// Each event, with the number of received bytes at which the receiver must report it.
    pub(crate) events: Vec<(usize, ModelEvent)>,
    /// The number of frames of each opcode.
    pub(crate) counts: FrameCounts,
    message: Option<Message>,
}

/// The unfinished message.
struct Message {
    is_text: bool,
    bytes: Vec<u8>,
}

/// A violation, and the number of bytes that prove it.
type ProvenViolation = (usize, Violation);

impl Model {
    /// Reads all of `wire` as sent by `sender`.
    pub(crate) fn read(sender: Role, message_max: usize, wire: &[u8]) -> Self {
        let mut model = Self::default();
        let mut at = 0;
        loop {
            let frame = Frame::read(sender, wire, at);
            let end = frame.and_then(|frame| match frame {
                Some(frame) if 8 <= frame.opcode => model.control(&frame),
                Some(frame) => model.data(&frame, message_max),
                None => Ok(None),
            });
            match end {
                Ok(Some(end)) => at = end,
                Ok(None) => return model,
                Err((proven, violation)) => {
                    model.events.push((proven, ModelEvent::Violation(violation)));
                    return model;
                }
            }
        }
    }

    /// Reads a control frame, section 5.5. Gives its end, if it is complete and not a Close: the bytes after
    /// a Close are not processed (section 5.5.1).
    fn control(&mut self, frame: &Frame) -> Result<Option<usize>, ProvenViolation> {
        let Some(end) = frame.end() else { return Ok(None) };
        self.count(frame);
        let payload = frame.payload.clone();
        let event = match frame.opcode {
            8 => ModelEvent::Close(status(&payload).map_err(|violation| (end, violation))?),
            9 => ModelEvent::Ping(payload),
            _ => ModelEvent::Pong(payload),
        };
        self.events.push((end, event));
        Ok((frame.opcode != 8).then_some(end))
    }

    /// Reads a data frame, section 5.4, which starts or continues a message. Gives its end, if it is
    /// complete.
    fn data(
        &mut self,
        frame: &Frame,
        message_max: usize,
    ) -> Result<Option<usize>, ProvenViolation> {
        let mut message = match (self.message.take(), frame.opcode) {
            (None, 0) => return Err((frame.start, Violation::NothingToContinue)),
            (Some(_), 1 | 2) => return Err((frame.start, Violation::MessageInterrupted)),
            (None, opcode) => Message { is_text: opcode == 1, bytes: Vec::new() },
            (Some(message), _) => message,
        };
        let before = message.bytes.len();
        if (message_max as u128) < before as u128 + u128::from(frame.length) {
            return Err((frame.start, Violation::TooBig));
        }
        self.count(frame);

        message.bytes.extend(&frame.payload);
        if message.is_text
            && let Some(proven) = invalid_utf8_after(&message.bytes, before)
        {
            return Err((frame.start + (proven - before), Violation::NotUtf8));
        }
        let Some(end) = frame.end() else { return Ok(None) };
        if !frame.fin {
            self.message = Some(message);
        } else if message.is_text {
            let text = String::from_utf8(message.bytes).map_err(|_| (end, Violation::NotUtf8))?;
            self.events.push((end, ModelEvent::Text(text)));
        } else {
            self.events.push((end, ModelEvent::Binary(message.bytes)));
        }
        Ok(Some(end))
    }

    fn count(&mut self, frame: &Frame) {
        for (count, opcode) in self.counts.iter_mut().zip([0, 1, 2, 8, 9, 10]) {
            *count += u64::from(frame.opcode == opcode);
        }
    }
}

/// A frame with a complete header; `payload` holds the received bytes of the payload, unmasked.
struct Frame {
    fin: bool,
    opcode: u8,
    length: u64,
    /// The offset of the payload.
    start: usize,
    payload: Vec<u8>,
}

impl Frame {
    /// Reads the frame at offset `at`, section 5.2.
    fn read(sender: Role, wire: &[u8], at: usize) -> Result<Option<Self>, ProvenViolation> {
        let wire = &wire[at..];
        let Some(first) = wire.first() else { return Ok(None) };
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err((at + 1, Violation::ReservedBits));
        }
        match opcode {
            3..=7 | 11.. => return Err((at + 1, Violation::ReservedOpcode)),
            _ => (),
        }
        if 8 <= opcode && !fin {
            return Err((at + 1, Violation::ControlFragmented));
        }

        let Some(second) = wire.get(1) else { return Ok(None) };
        let key_size = match (sender, second & 0x80 != 0) {
            (Role::Client, true) => 4,
            (Role::Server, false) => 0,
            (Role::Client, false) => return Err((at + 2, Violation::Unmasked)),
            (Role::Server, true) => return Err((at + 2, Violation::Masked)),
        };
        let short = second & 0x7f;
        if 8 <= opcode && 125 < short {
            return Err((at + 2, Violation::ControlTooLong));
        }
        let width = [0, 2, 8][usize::from(short.saturating_sub(125))];
        let Some(extended) = wire.get(2..2 + width) else { return Ok(None) };
        let length = length(short, extended).map_err(|violation| (at + 2 + width, violation))?;
        let size = 2 + width + key_size;
        let Some(key) = wire.get(2 + width..size) else { return Ok(None) };
        let received = wire[size..].iter().take(usize::try_from(length).unwrap_or(usize::MAX));
        let payload = match key {
            [] => received.copied().collect(),
            key => received.zip(key.iter().cycle()).map(|(byte, k)| byte ^ k).collect(),
        };
        Ok(Some(Self { fin, opcode, length, start: at + size, payload }))
    }

    /// The end of the frame, if it is complete.
    fn end(&self) -> Option<usize> {
        let is_whole = self.payload.len() as u64 == self.length;
        is_whole.then_some(self.start + self.payload.len())
    }
}

/// The payload length, section 5.2: in the shortest form, with its top bit 0.
fn length(short: u8, extended: &[u8]) -> Result<u64, Violation> {
    let length = extended.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
    match (extended.len(), length) {
        (0, _) => Ok(short.into()),
        (8, 0x8000_0000_0000_0000..) => Err(Violation::LengthTopBit),
        (2, ..126) => Err(Violation::Length16NotMinimal),
        (8, ..65_536) => Err(Violation::Length64NotMinimal),
        _ => Ok(length),
    }
}

/// Reads the body of a Close, sections 5.5.1 and 7.4.
pub(crate) fn status(body: &[u8]) -> Result<Status, Violation> {
    let [high, low, reason @ ..] = body else {
        return if body.is_empty() { Ok(None) } else { Err(Violation::CloseBody) };
    };
    let code = 256 * u16::from(*high) + u16::from(*low);
    match code {
        1000..=1003 | 1007..=1014 | 3000..=4999 => (),
        0..=999 => return Err(Violation::CloseCodeTooSmall),
        1004 => return Err(Violation::CloseCodeReserved),
        1005..=1006 | 1015 => return Err(Violation::CloseCodeLocal),
        1016..=2999 => return Err(Violation::CloseCodeUnassigned),
        5000.. => return Err(Violation::CloseCodeTooLarge),
    }
    let reason = String::from_utf8(reason.to_vec()).map_err(|_| Violation::CloseReason)?;
    Ok(Some((code, reason)))
}

/// The number of bytes that prove this is not UTF-8; `None` if more bytes can still make it valid.
pub(crate) fn invalid_utf8(bytes: &[u8]) -> Option<usize> {
    let error = str::from_utf8(bytes).err()?;
    let end = error.valid_up_to() + error.error_len()?;
    // Either the sequence itself is invalid, or it is cut short and the next byte proves it.
    let wrong = str::from_utf8(&bytes[error.valid_up_to()..end]).err()?;
    Some(if wrong.error_len().is_some() { end } else { end + 1 })
}

/// The same as above, where the first `valid` bytes are known to be a valid beginning. They can end inside a
/// character, which has at most four bytes.
fn invalid_utf8_after(bytes: &[u8], valid: usize) -> Option<usize> {
    let is_first_byte =
        |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0b1100_0000 != 0b1000_0000);
    let start = (valid.saturating_sub(3)..valid).find(is_first_byte).unwrap_or(valid);
    invalid_utf8(&bytes[start..]).map(|end| start + end)
}
