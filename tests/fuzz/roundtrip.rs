//! What the encoder sends is what the receiver reports. An input is a script of messages, which are sent in
//! fragments with masking keys.
//!
//! ```text
//! message    kind (bits 0-2: 0-2 text, 3-4 binary, 5 ping, 6 pong, 7 close; bit 6: the last fragment is
//!            empty; bit 7: pings between the fragments), size of a fragment (0: a single frame), masking
//!            key, number of bytes, number of repetitions, the bytes
//! ```

use wirechat::wire::builder::{FrameBuilder, LengthForm};
use wirechat::wire::close::{Close, CloseCode};
use wirechat::wire::frame::{self, Header, Opcode, Role};
use wirechat::wire::mask;

use super::model::{Model, ModelEvent};
use super::{Initial, Input, READS_MAX, check_receiver, ends, sender, size};

/// More than the limits of the 7-bit and 16-bit length forms.
const PAYLOAD_MAX: usize = 70_000;
/// The maximum number of fragments in one message.
const FRAGMENTS_MAX: usize = 64;
/// No new message starts after this number of bytes.
const WIRE_MAX: usize = 70_000;

/// The model and the receiver report exactly the messages that were encoded. The model shares no code with
/// the encoder. The receiver gets several divisions into reads, a size limit that the longest message reaches
/// exactly, and one that it exceeds by one byte.
pub(super) fn roundtrip(bytes: &[u8]) {
    let mut input = Input(bytes);
    let sender = sender(input.byte());
    let reads = input.reads();
    let mut script = Script::new(sender);
    while !input.0.is_empty() && script.wire.len() < WIRE_MAX && !script.is_over {
        script.encode_message(&mut input);
    }

    let Script { wire, sent, frame_ends, longest, .. } = script;
    let expected = Model::read(sender, longest, &wire);
    assert!(
        expected.events.iter().map(|(_, event)| event).eq(&sent),
        "{:?}, not {sent:?}",
        expected.events
    );
    let cuts = ends(wire.len(), &reads);
    check_receiver(sender, longest, &wire, &cuts, Initial::FirstRead, &expected);
    check_receiver(sender, longest, &wire, &[wire.len()], Initial::Nothing, &expected);
    if wire.len() <= READS_MAX {
        check_receiver(
            sender,
            longest,
            &wire,
            &ends(wire.len(), &[1]),
            Initial::Nothing,
            &expected,
        );
    }
    if 0 < longest {
        let expected = Model::read(sender, longest - 1, &wire);
        check_receiver(sender, longest - 1, &wire, &cuts, Initial::Nothing, &expected);
    }
    if sender == Role::Server {
        for cut in cuts.iter().take(8) {
            let end = frame_ends.iter().find(|end| cut <= end).copied().unwrap_or(0);
            assert_eq!(frame::frame_end(&wire, *cut), end, "the end of the frame at {cut}");
        }
    }
}

/// The encoded frames of a script, and the events that they must cause.
struct Script {
    sender: Role,
    wire: Vec<u8>,
    sent: Vec<ModelEvent>,
    /// 0, then the end of each frame.
    frame_ends: Vec<usize>,
    /// Bytes of the longest message.
    longest: usize,
    /// A Close was sent: nothing may follow it.
    is_over: bool,
}

impl Script {
    fn new(sender: Role) -> Self {
        let frame_ends = vec![0];
        Self { sender, wire: vec![], sent: vec![], frame_ends, longest: 0, is_over: false }
    }

    /// Encodes the next message of the input.
    fn encode_message(&mut self, input: &mut Input) {
        let (kind, fragment) = (input.byte(), input.byte());
        let key = [input.byte(), input.byte(), input.byte(), input.byte()];
        let key = (self.sender == Role::Client).then_some(key);
        let (count, times) = (input.byte(), 1 + 2 * usize::from(input.byte()));
        let bytes = input.take(count.into());
        match kind & 0b111 {
            0..3 => {
                let mut text = String::from_utf8_lossy(bytes).repeat(times);
                text.truncate(text.floor_char_boundary(PAYLOAD_MAX));
                self.encode_fragments(Opcode::Text, kind, fragment, key, text.as_bytes());
                self.sent.push(ModelEvent::Text(text));
            }
            3..5 => {
                let mut bytes = bytes.repeat(times);
                bytes.truncate(PAYLOAD_MAX);
                self.encode_fragments(Opcode::Binary, kind, fragment, key, &bytes);
                self.sent.push(ModelEvent::Binary(bytes));
            }
            _ => self.encode_control(kind, key, &bytes[..bytes.len().min(125)]),
        }
    }

    fn encode_control(&mut self, kind: u8, key: Option<[u8; 4]>, payload: &[u8]) {
        match kind & 0b111 {
            5 => {
                self.encode_frame(Opcode::Ping, key, payload);
                self.sent.push(ModelEvent::Ping(payload.to_vec()));
            }
            6 => {
                self.encode_frame(Opcode::Pong, key, payload);
                self.sent.push(ModelEvent::Pong(payload.to_vec()));
            }
            _ => {
                let close = match payload {
                    [high, low, reason @ ..] => {
                        CloseCode::from_wire(u16::from_be_bytes([*high, *low]))
                            .map(|code| Close::new(code, &String::from_utf8_lossy(reason)))
                            .unwrap_or_default()
                    }
                    _ => Close::default(),
                };
                self.encode_frame(Opcode::Close, key, &close.body());
                let status = close.code().map(|code| (code.number(), close.reason().to_owned()));
                self.sent.push(ModelEvent::Close(status));
                self.is_over = true;
            }
        }
    }

    /// Encodes one message; `kind` and `fragment` determine the number of frames.
    fn encode_fragments(
        &mut self,
        mut opcode: Opcode,
        kind: u8,
        fragment: u8,
        mut key: Option<[u8; 4]>,
        payload: &[u8],
    ) {
        self.longest = self.longest.max(payload.len());
        if fragment == 0 {
            return self.encode_frame(opcode, key, payload);
        }
        let most = size(fragment - 1).max(payload.len().div_ceil(FRAGMENTS_MAX));
        let mut pieces: Vec<&[u8]> = payload.chunks(most).collect();
        if kind & 0b0100_0000 != 0 || pieces.is_empty() {
            pieces.push(&[]);
        }
        let last = pieces.len() - 1;
        for (i, piece) in pieces.into_iter().enumerate() {
            let fin = i == last;
            self.encode_fragment(Header { fin, opcode, key, length: piece.len() as u64 }, piece);
            if kind & 0b1000_0000 != 0 && !fin {
                let ping = &piece[..piece.len().min(125)];
                self.encode_frame(Opcode::Ping, key, ping);
                self.sent.push(ModelEvent::Ping(ping.to_vec()));
            }
            opcode = Opcode::Continuation;
            key = key.map(|[a, b, c, d]| [b, c, d, a.wrapping_add(1)]); // section 5.3: a new key for each frame
        }
    }

    fn encode_fragment(&mut self, header: Header, payload: &[u8]) {
        let start = self.wire.len();
        let Header { fin, opcode, key, length } = header;
        let (opcode, form) = (opcode as u8, LengthForm::shortest(length));
        FrameBuilder { fin, rsv: 0, opcode, key, length, form }.encode_header(&mut self.wire);
        assert_eq!(self.wire.len() - start, header.size());
        assert_eq!(Header::parse(&self.wire[start..], self.sender), Ok(Some(header)));
        let start = self.wire.len();
        self.wire.extend(payload);
        if let Some(key) = header.key {
            // Masked in two parts: the second continues the key where the first ended.
            let half = payload.len() / 2;
            mask::apply(key, half, &mut self.wire[start + half..]);
            mask::apply(key, 0, &mut self.wire[start..start + half]);
        }
        self.frame_ends.push(self.wire.len());
    }

    fn encode_frame(&mut self, opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) {
        frame::encode(opcode, key, payload, &mut self.wire);
        self.frame_ends.push(self.wire.len());
    }
}
