//! Frames, section 5.2, implemented a second time: a builder for a client's frames, valid or not, and a
//! strict parser for the server's frames.

/// The masking key of the examples in section 5.7.
pub(crate) const MASKING_KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Opcodes by their names in section 5.2.
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// How the payload length is encoded: in the 7 bits, or in 16 or 64 bits after them.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum LengthForm {
    Minimal,
    Bits7,
    Bits16,
    Bits64,
}

/// A frame from a client. [`ClientFrame::new`] builds a valid one: FIN, no RSV, masked with
/// [`MASKING_KEY`], the length in its minimal form. The other methods change one field each.
#[derive(Clone)]
pub(crate) struct ClientFrame {
    first_byte: u8,
    masking_key: Option<[u8; 4]>,
    length_form: LengthForm,
    declared_length: Option<u64>,
    payload: Vec<u8>,
}

impl ClientFrame {
    pub(crate) fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Self {
            first_byte: 0b1_000_0000 | opcode,
            masking_key: Some(MASKING_KEY),
            length_form: LengthForm::Minimal,
            declared_length: None,
            payload: payload.as_ref().to_vec(),
        }
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

    /// A Close with a code and a reason. The reason can be invalid UTF-8.
    pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        Self::new(CLOSE, [&code.to_be_bytes(), reason.as_ref()].concat())
    }

    /// Clears FIN: more fragments follow.
    pub(crate) fn without_fin(mut self) -> Self {
        self.first_byte &= 0b0_111_1111;
        self
    }

    /// Sets reserved bits; RSV1 is 0b100.
    pub(crate) fn rsv(mut self, bits: u8) -> Self {
        self.first_byte |= bits << 4;
        self
    }

    pub(crate) fn masking_key(mut self, key: [u8; 4]) -> Self {
        self.masking_key = Some(key);
        self
    }

    pub(crate) fn unmasked(mut self) -> Self {
        self.masking_key = None;
        self
    }

    pub(crate) fn length_form(mut self, form: LengthForm) -> Self {
        self.length_form = form;
        self
    }

    /// Writes this length into the header, whatever the real length of the payload is.
    pub(crate) fn declared_length(mut self, length: u64) -> Self {
        self.declared_length = Some(length);
        self
    }

    /// The bytes of the frame on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = self.declared_length.unwrap_or(self.payload.len() as u64);
        let mut wire = vec![self.first_byte];
        let mask = if self.masking_key.is_some() { 0b1_0000000 } else { 0 };
        let [.., high, low] = length.to_be_bytes();
        match self.form_for(length) {
            LengthForm::Bits16 => wire.extend([mask | 126, high, low]),
            LengthForm::Bits64 => {
                wire.push(mask | 127);
                wire.extend(length.to_be_bytes());
            }
            _ => wire.push(mask | low),
        }
        let key = self.masking_key.unwrap_or_default();
        wire.extend(self.masking_key.iter().flatten());
        wire.extend(self.payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]));
        wire
    }

    fn form_for(&self, length: u64) -> LengthForm {
        match (self.length_form, length) {
            (LengthForm::Minimal, 0..=125) => LengthForm::Bits7,
            (LengthForm::Minimal, 126..=65_535) => LengthForm::Bits16,
            (LengthForm::Minimal, _) => LengthForm::Bits64,
            (form, _) => form,
        }
    }
}

/// The bytes of several frames, one after another.
pub(crate) fn encode_frames<const N: usize>(frames: [ClientFrame; N]) -> Vec<u8> {
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

    /// Parses one frame at the start of the server's bytes; returns it with its length on the wire, or
    /// `None` if more bytes are needed. An error names the rule for a server's frames that is broken.
    pub(crate) fn parse(wire: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let &[first, second, ref rest @ ..] = wire else { return Ok(None) };
        let (fin, rsv, opcode) =
            (first & 0b1_000_0000 != 0, first & 0b0_111_0000, first & 0b0_000_1111);
        let (mask, length_bits) = (second & 0b1_0000000, second & 0b0_1111111);
        let (extended, minimum) = match length_bits {
            126 => (2, 126),
            127 => (8, 65_536),
            _ => (0, 0),
        };
        rule(mask == 0, "5.1: a server's frame is masked")?;
        rule(rsv == 0, "5.2: RSV bits without an extension")?;
        rule(matches!(opcode, 0..=2 | 8..=10), "5.2: reserved opcode")?;
        rule(
            opcode < 8 || (fin && length_bits <= 125),
            "5.5: control frame without FIN or over 125",
        )?;
        let Some(bytes) = rest.get(..extended) else { return Ok(None) };
        let long = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        rule(extended == 0 || minimum <= long, "5.2: length not in its minimal form")?;
        rule(long >> 63 == 0, "5.2: top bit of the length")?;
        let length = if extended == 0 { u64::from(length_bits) } else { long };
        let length = usize::try_from(length).map_err(|_| "a length above the address space")?;
        let Some(payload) = rest.get(extended..extended + length) else { return Ok(None) };
        let frame = Self { fin, opcode, payload: payload.to_vec() };
        frame.check_close()?;
        Ok(Some((frame, 2 + extended + length)))
    }

    /// Checks the body of a Close, sections 5.5.1 and 7.4: a code that may be sent, and a reason in UTF-8.
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

/// A message from the server, its fragments joined.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// Joins the server's frames to messages and checks their order: sections 5.4, 5.5.1 and 8.1.
#[derive(Default)]
pub(crate) struct MessageAssembler {
    unfinished: Option<Message>,
    closed: bool,
}

impl MessageAssembler {
    /// Adds the next frame; returns the message that it ends, if it ends one.
    pub(crate) fn push(&mut self, frame: &Frame) -> Result<Option<Message>, String> {
        rule(!self.closed, "5.5.1: a frame after Close")?;
        self.closed = frame.opcode == CLOSE;
        match frame.opcode {
            CONTINUATION => {
                let message = self.unfinished.as_mut().ok_or("5.4: no message to continue")?;
                message.payload.extend(&frame.payload);
            }
            opcode @ (TEXT | BINARY) => {
                rule(self.unfinished.is_none(), "5.4: a new message inside another")?;
                self.unfinished = Some(Message { opcode, payload: frame.payload.clone() });
            }
            _ => return Ok(None),
        }
        if !frame.fin {
            return Ok(None);
        }
        let message = self.unfinished.take().ok_or("5.4: no message to end")?;
        let valid = message.opcode == BINARY || std::str::from_utf8(&message.payload).is_ok();
        rule(valid, "8.1: the server's text is not UTF-8")?;
        Ok(Some(message))
    }
}

fn rule(holds: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
