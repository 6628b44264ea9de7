//! What RFC 6455 makes of a conversation that lies there from its first octet to its last. It knows no
//! cuts, no buffer and no state between two calls, and borrows nothing of `src/wire`, which it judges, but
//! the names.

use wirechat::wire::close::Violation;
use wirechat::wire::frame::Role;
use wirechat::wire::message::{Event, FrameCounts};

/// What a receiver tells, and the breach that ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Status),
    Broken(Violation),
}

/// Section 5.5.1: a code and a reason, or nothing.
pub(crate) type Status = Option<(u16, String)>;

impl Told {
    /// Compares without taking memory, which is being counted.
    pub(crate) fn is(&self, event: &Event) -> bool {
        match (self, event) {
            (Self::Text(text), Event::Text(other)) => text == other,
            (Self::Binary(octets), Event::Binary(other)) => octets == other,
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

/// A whole conversation, as far as the wire tells it.
#[derive(Default)]
pub(crate) struct Conversation {
    /// What is told, each with the number of octets that prove it.
    pub(crate) told: Vec<(usize, Told)>,
    /// Frames of each opcode.
    pub(crate) counts: FrameCounts,
    message: Option<Message>,
}

/// The message under way.
struct Message {
    is_text: bool,
    octets: Vec<u8>,
}

/// A breach, and the number of octets that prove it.
type Breach = (usize, Violation);

impl Conversation {
    /// What `sender` says with `wire`.
    pub(crate) fn read(sender: Role, message_max: usize, wire: &[u8]) -> Self {
        let mut conversation = Self::default();
        let mut at = 0;
        loop {
            let frame = Frame::read(sender, wire, at);
            let end = frame.and_then(|frame| match frame {
                Some(frame) if 8 <= frame.opcode => conversation.control(&frame),
                Some(frame) => conversation.data(&frame, message_max),
                None => Ok(None),
            });
            match end {
                Ok(Some(end)) => at = end,
                Ok(None) => return conversation,
                Err((proven, violation)) => {
                    conversation.told.push((proven, Told::Broken(violation)));
                    return conversation;
                }
            }
        }
    }

    /// Section 5.5: it says all in itself. Where it ends, if it does.
    fn control(&mut self, frame: &Frame) -> Result<Option<usize>, Breach> {
        let Some(end) = frame.end() else { return Ok(None) };
        self.count(frame);
        let payload = frame.payload.clone();
        let told = match frame.opcode {
            8 => Told::Close(status(&payload).map_err(|violation| (end, violation))?),
            9 => Told::Ping(payload),
            _ => Told::Pong(payload),
        };
        self.told.push((end, told));
        Ok(Some(end))
    }

    /// Section 5.4: it begins a message or goes on with one. Where it ends, if it does.
    fn data(&mut self, frame: &Frame, message_max: usize) -> Result<Option<usize>, Breach> {
        let mut message = match (self.message.take(), frame.opcode) {
            (None, 0) => return Err((frame.start, Violation::NothingToContinue)),
            (Some(_), 1 | 2) => return Err((frame.start, Violation::MessageInterrupted)),
            (None, opcode) => Message { is_text: opcode == 1, octets: Vec::new() },
            (Some(message), _) => message,
        };
        let before = message.octets.len();
        if (message_max as u128) < before as u128 + u128::from(frame.length) {
            return Err((frame.start, Violation::TooBig));
        }
        self.count(frame);

        message.octets.extend(&frame.payload);
        if message.is_text
            && let Some(proven) = breach_behind(&message.octets, before)
        {
            return Err((frame.start + (proven - before), Violation::NotUtf8));
        }
        let Some(end) = frame.end() else { return Ok(None) };
        if !frame.fin {
            self.message = Some(message);
        } else if message.is_text {
            let text = String::from_utf8(message.octets).map_err(|_| (end, Violation::NotUtf8))?;
            self.told.push((end, Told::Text(text)));
        } else {
            self.told.push((end, Told::Binary(message.octets)));
        }
        Ok(Some(end))
    }

    fn count(&mut self, frame: &Frame) {
        for (count, opcode) in self.counts.iter_mut().zip([0, 1, 2, 8, 9, 10]) {
            *count += u64::from(frame.opcode == opcode);
        }
    }
}

/// A frame whose header is whole; its payload is what came of it, unmasked.
struct Frame {
    fin: bool,
    opcode: u8,
    length: u64,
    /// Where the payload begins.
    start: usize,
    payload: Vec<u8>,
}

impl Frame {
    /// Section 5.2, with the wire at `at`.
    fn read(sender: Role, wire: &[u8], at: usize) -> Result<Option<Self>, Breach> {
        let wire = &wire[at..];
        let Some(first) = wire.first() else { return Ok(None) };
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err((at + 1, Violation::ReservedBits));
        }
        if matches!(opcode, 3..=7 | 11..) {
            return Err((at + 1, Violation::ReservedOpcode));
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
        let came = wire[size..].iter().take(usize::try_from(length).unwrap_or(usize::MAX));
        let payload = match key {
            [] => came.copied().collect(),
            key => came.zip(key.iter().cycle()).map(|(octet, k)| octet ^ k).collect(),
        };
        Ok(Some(Self { fin, opcode, length, start: at + size, payload }))
    }

    /// Where it ends, if all of it came.
    fn end(&self) -> Option<usize> {
        let is_whole = self.payload.len() as u64 == self.length;
        is_whole.then_some(self.start + self.payload.len())
    }
}

/// Section 5.2: in the fewest octets, its top bit 0.
fn length(short: u8, extended: &[u8]) -> Result<u64, Violation> {
    let length = extended.iter().fold(0, |length, octet| length << 8 | u64::from(*octet));
    match (extended.len(), length) {
        (0, _) => Ok(short.into()),
        (8, 0x8000_0000_0000_0000..) => Err(Violation::LengthTopBit),
        (2, ..126) | (8, ..65_536) => Err(Violation::LengthNotMinimal),
        _ => Ok(length),
    }
}

/// What a Close body says, sections 5.5.1 and 7.4.
pub(crate) fn status(body: &[u8]) -> Result<Status, Violation> {
    let [high, low, reason @ ..] = body else {
        return if body.is_empty() { Ok(None) } else { Err(Violation::CloseBody) };
    };
    let code = 256 * u16::from(*high) + u16::from(*low);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::CloseCode);
    }
    let reason = String::from_utf8(reason.to_vec()).map_err(|_| Violation::CloseReason)?;
    Ok(Some((code, reason)))
}

/// How many octets prove that this is no UTF-8; `None` while it may still become some.
pub(crate) fn breach_of_utf8(octets: &[u8]) -> Option<usize> {
    let error = str::from_utf8(octets).err()?;
    let end = error.valid_up_to() + error.error_len()?;
    // What is wrong in itself proves it; else it is the octet behind, which does not go on with it.
    let wrong = str::from_utf8(&octets[error.valid_up_to()..end]).err()?;
    Some(if wrong.error_len().is_some() { end } else { end + 1 })
}

/// The same, where the first `proven` octets are known to be no breach. They may end inside a character,
/// which takes four octets at most.
fn breach_behind(octets: &[u8], proven: usize) -> Option<usize> {
    let begins =
        |at: &usize| octets.get(*at).is_none_or(|octet| octet & 0b1100_0000 != 0b1000_0000);
    let start = (proven.saturating_sub(3)..proven).find(begins).unwrap_or(proven);
    breach_of_utf8(&octets[start..]).map(|end| start + end)
}
