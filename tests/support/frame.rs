//! Frames, section 5.2, written down a second time: a builder for what a client sends, right or
//! wrong, and a judge for what the server sends.

/// The masking key of the examples in section 5.7.
pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Opcodes by their names in section 5.2.
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// The form that a length is written in.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    Minimal,
    Bits7,
    Bits16,
    Bits64,
}

/// A frame for the server. Correct unless told otherwise: FIN, no RSV, masked with [`KEY`], minimal
/// length.
#[derive(Clone)]
pub(crate) struct Masked {
    first: u8,
    key: Option<[u8; 4]>,
    form: Form,
    declared: Option<u64>,
    payload: Vec<u8>,
}

impl Masked {
    pub(crate) fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        let payload = payload.as_ref().to_vec();
        let first = 0b1_000_0000 | opcode;
        Self { first, key: Some(KEY), form: Form::Minimal, declared: None, payload }
    }

    pub(crate) fn text(payload: impl AsRef<[u8]>) -> Self {
        Self::new(TEXT, payload)
    }

    pub(crate) fn binary(payload: impl AsRef<[u8]>) -> Self {
        Self::new(BINARY, payload)
    }

    pub(crate) fn continuation(payload: impl AsRef<[u8]>) -> Self {
        Self::new(CONTINUATION, payload)
    }

    pub(crate) fn ping(payload: impl AsRef<[u8]>) -> Self {
        Self::new(PING, payload)
    }

    pub(crate) fn pong(payload: impl AsRef<[u8]>) -> Self {
        Self::new(PONG, payload)
    }

    /// A Close with a code; its reason need not be UTF-8.
    pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        Self::new(CLOSE, [&code.to_be_bytes(), reason.as_ref()].concat())
    }

    /// Without FIN: more fragments follow.
    pub(crate) fn more(mut self) -> Self {
        self.first &= 0b0_111_1111;
        self
    }

    /// With these three reserved bits, RSV1 being 0b100.
    pub(crate) fn rsv(mut self, bits: u8) -> Self {
        self.first |= bits << 4;
        self
    }

    pub(crate) fn key(mut self, key: [u8; 4]) -> Self {
        self.key = Some(key);
        self
    }

    pub(crate) fn unmasked(mut self) -> Self {
        self.key = None;
        self
    }

    pub(crate) fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Claims this length, whatever the payload has.
    pub(crate) fn declaring(mut self, length: u64) -> Self {
        self.declared = Some(length);
        self
    }

    /// The frame as it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = self.declared.unwrap_or(self.payload.len() as u64);
        let mut wire = vec![self.first];
        let mask = if self.key.is_some() { 0b1_0000000 } else { 0 };
        let [.., seventh, eighth] = length.to_be_bytes();
        match self.fitting(length) {
            Form::Bits16 => wire.extend([mask | 126, seventh, eighth]),
            Form::Bits64 => {
                wire.push(mask | 127);
                wire.extend(length.to_be_bytes());
            }
            _ => wire.push(mask | eighth),
        }
        let key = self.key.unwrap_or_default();
        wire.extend(self.key.iter().flatten());
        wire.extend(self.payload.iter().enumerate().map(|(i, octet)| octet ^ key[i % 4]));
        wire
    }

    fn fitting(&self, length: u64) -> Form {
        match (self.form, length) {
            (Form::Minimal, 0..=125) => Form::Bits7,
            (Form::Minimal, 126..=65_535) => Form::Bits16,
            (Form::Minimal, _) => Form::Bits64,
            (form, _) => form,
        }
    }
}

/// Frames back to back.
pub(crate) fn wire<const N: usize>(frames: [Masked; N]) -> Vec<u8> {
    frames.map(|frame| frame.bytes()).concat()
}

/// A frame from the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The code of a Close; `None` if its body is empty.
    pub(crate) fn code(&self) -> Option<u16> {
        match self.payload[..] {
            [high, low, ..] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        }
    }

    /// The reason of a Close.
    pub(crate) fn reason(&self) -> &[u8] {
        self.payload.get(2..).unwrap_or_default()
    }

    /// One frame from the front of what the server sent, with its length on the wire; `None` asks
    /// for more. An error says which rule for a server's frame it breaks.
    pub(crate) fn parse(wire: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let &[first, second, ref rest @ ..] = wire else { return Ok(None) };
        let (fin, rsv, opcode) =
            (first & 0b1_000_0000 != 0, first & 0b0_111_0000, first & 0b0_000_1111);
        let (mask, short) = (second & 0b1_0000000, second & 0b0_1111111);
        let (extended, least) = match short {
            126 => (2, 126),
            127 => (8, 65_536),
            _ => (0, 0),
        };
        rule(mask == 0, "5.1: a server's frame is masked")?;
        rule(rsv == 0, "5.2: RSV bits without an extension")?;
        rule(matches!(opcode, 0..=2 | 8..=10), "5.2: reserved opcode")?;
        rule(opcode < 8 || (fin && short <= 125), "5.5: control frame without FIN or over 125")?;
        let Some(octets) = rest.get(..extended) else { return Ok(None) };
        let long = octets.iter().fold(0_u64, |sum, octet| sum << 8 | u64::from(*octet));
        rule(extended == 0 || least <= long, "5.2: length not in its minimal form")?;
        rule(long >> 63 == 0, "5.2: top bit of the length")?;
        let length = if extended == 0 { u64::from(short) } else { long };
        let length = usize::try_from(length).map_err(|_| "length beyond this machine")?;
        let Some(payload) = rest.get(extended..extended + length) else { return Ok(None) };
        let frame = Self { fin, opcode, payload: payload.to_vec() };
        frame.check_close()?;
        Ok(Some((frame, 2 + extended + length)))
    }

    /// Sections 5.5.1 and 7.4: a body has a code that may be sent, and a reason in UTF-8.
    fn check_close(&self) -> Result<(), String> {
        if self.opcode != CLOSE || self.payload.is_empty() {
            return Ok(());
        }
        let code = self.code().ok_or("5.5.1: a Close body of one byte")?;
        rule(
            matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999),
            format!("7.4: the code {code} must not be sent"),
        )?;
        rule(std::str::from_utf8(self.reason()).is_ok(), "5.5.1: the reason is not UTF-8")
    }
}

/// A message from the server, joined.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// What the frames of one connection must obey together: sections 5.4, 5.5.1 and 8.1.
#[derive(Default)]
pub(crate) struct Sequence {
    open: Option<Message>,
    closed: bool,
}

impl Sequence {
    /// Takes the next frame; gives the message that it ends.
    pub(crate) fn take(&mut self, frame: &Frame) -> Result<Option<Message>, String> {
        rule(!self.closed, "5.5.1: a frame after Close")?;
        self.closed = frame.opcode == CLOSE;
        match frame.opcode {
            CONTINUATION => {
                let open = self.open.as_mut().ok_or("5.4: nothing to continue")?;
                open.payload.extend(&frame.payload);
            }
            opcode @ (TEXT | BINARY) => {
                rule(self.open.is_none(), "5.4: a new message inside another")?;
                self.open = Some(Message { opcode, payload: frame.payload.clone() });
            }
            _ => return Ok(None),
        }
        if !frame.fin {
            return Ok(None);
        }
        let message = self.open.take().ok_or("5.4: no message to end")?;
        let valid = message.opcode == BINARY || std::str::from_utf8(&message.payload).is_ok();
        rule(valid, "8.1: the server's text is not UTF-8")?;
        Ok(Some(message))
    }
}

fn rule(holds: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
