//! What is encoded is what is received: an input is a script of messages, which go out in fragments with
//! masking keys.
//!
//! ```text
//! message    kind (bits 0-2: 0-2 text, 3-4 binary, 5 ping, 6 pong, 7 close; bit 6: the last fragment is
//!            empty; bit 7: pings stand between the fragments), size of a fragment (0: one frame), masking
//!            key, number of octets, how often they are repeated, the octets
//! ```

use wirechat::wire::close::{Close, CloseCode};
use wirechat::wire::frame::{self, Header, Opcode, Role};
use wirechat::wire::mask;

use super::model::{Conversation, Told};
use super::{Early, Input, READS_MAX, converse, ends, sender, size};

/// Beyond every way to write a length.
const PAYLOAD_MAX: usize = 70_000;
/// Fragments of one message, at most.
const FRAGMENTS_MAX: usize = 64;
/// No new message begins after so much.
const WIRE_MAX: usize = 70_000;

/// What was said is what is heard: by the model, which never saw the encoder, and by the receiver, in
/// every cut, with a limit that the longest message meets exactly and with one that it exceeds by one.
pub(super) fn roundtrip(octets: &[u8]) {
    let mut input = Input(octets);
    let sender = sender(input.octet());
    let reads = input.reads();
    let mut speech = Speech::of(sender);
    while !input.0.is_empty() && speech.wire.len() < WIRE_MAX && !speech.is_over {
        speech.message(&mut input);
    }

    let Speech { wire, said, frame_ends, longest, .. } = speech;
    let expected = Conversation::read(sender, longest, &wire);
    assert!(
        expected.told.iter().map(|(_, told)| told).eq(&said),
        "{:?}, not {said:?}",
        expected.told
    );
    let cuts = ends(wire.len(), &reads);
    converse(sender, longest, &wire, &cuts, Early::FirstRead, &expected);
    converse(sender, longest, &wire, &[wire.len()], Early::Nothing, &expected);
    if wire.len() <= READS_MAX {
        converse(sender, longest, &wire, &ends(wire.len(), &[1]), Early::Nothing, &expected);
    }
    if 0 < longest {
        let expected = Conversation::read(sender, longest - 1, &wire);
        converse(sender, longest - 1, &wire, &cuts, Early::Nothing, &expected);
    }
    if sender == Role::Server {
        for cut in cuts.iter().take(8) {
            let end = frame_ends.iter().find(|end| cut <= end).copied().unwrap_or(0);
            assert_eq!(frame::frame_end(&wire, *cut), end, "the frame's end behind {cut}");
        }
    }
}

/// Frames as `sender` encodes them, and what they say.
struct Speech {
    sender: Role,
    wire: Vec<u8>,
    said: Vec<Told>,
    /// The end of each frame; 0 is the end of none.
    frame_ends: Vec<usize>,
    /// Octets of the longest message.
    longest: usize,
    /// After a Close there is nothing more to say.
    is_over: bool,
}

impl Speech {
    fn of(sender: Role) -> Self {
        let frame_ends = vec![0];
        Self { sender, wire: vec![], said: vec![], frame_ends, longest: 0, is_over: false }
    }

    /// Says what the script has next.
    fn message(&mut self, input: &mut Input) {
        let (kind, fragment) = (input.octet(), input.octet());
        let key = [input.octet(), input.octet(), input.octet(), input.octet()];
        let key = (self.sender == Role::Client).then_some(key);
        let (count, times) = (input.octet(), 1 + 2 * usize::from(input.octet()));
        let octets = input.take(count.into());
        match kind & 0b111 {
            0..3 => {
                let mut text = String::from_utf8_lossy(octets).repeat(times);
                text.truncate(text.floor_char_boundary(PAYLOAD_MAX));
                self.fragments(Opcode::Text, kind, fragment, key, text.as_bytes());
                self.said.push(Told::Text(text));
            }
            3..5 => {
                let mut octets = octets.repeat(times);
                octets.truncate(PAYLOAD_MAX);
                self.fragments(Opcode::Binary, kind, fragment, key, &octets);
                self.said.push(Told::Binary(octets));
            }
            _ => self.control(kind, key, &octets[..octets.len().min(125)]),
        }
    }

    fn control(&mut self, kind: u8, key: Option<[u8; 4]>, payload: &[u8]) {
        match kind & 0b111 {
            5 => {
                self.whole(Opcode::Ping, key, payload);
                self.said.push(Told::Ping(payload.to_vec()));
            }
            6 => {
                self.whole(Opcode::Pong, key, payload);
                self.said.push(Told::Pong(payload.to_vec()));
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
                self.whole(Opcode::Close, key, &close.body());
                let status = close.code().map(|code| (code.number(), close.reason().to_owned()));
                self.said.push(Told::Close(status));
                self.is_over = true;
            }
        }
    }

    /// One message, in as many frames as `kind` and `fragment` want.
    fn fragments(
        &mut self,
        mut opcode: Opcode,
        kind: u8,
        fragment: u8,
        mut key: Option<[u8; 4]>,
        payload: &[u8],
    ) {
        self.longest = self.longest.max(payload.len());
        if fragment == 0 {
            return self.whole(opcode, key, payload);
        }
        let most = size(fragment - 1).max(payload.len().div_ceil(FRAGMENTS_MAX));
        let mut pieces: Vec<&[u8]> = payload.chunks(most).collect();
        if kind & 0b0100_0000 != 0 || pieces.is_empty() {
            pieces.push(&[]);
        }
        let last = pieces.len() - 1;
        for (i, piece) in pieces.into_iter().enumerate() {
            let fin = i == last;
            self.fragment(Header { fin, opcode, key, length: piece.len() as u64 }, piece);
            if kind & 0b1000_0000 != 0 && !fin {
                let ping = &piece[..piece.len().min(125)];
                self.whole(Opcode::Ping, key, ping);
                self.said.push(Told::Ping(ping.to_vec()));
            }
            opcode = Opcode::Continuation;
            key = key.map(|[a, b, c, d]| [b, c, d, a.wrapping_add(1)]); // section 5.3: a fresh one each
        }
    }

    fn fragment(&mut self, header: Header, payload: &[u8]) {
        let start = self.wire.len();
        header.encode(&mut self.wire);
        assert_eq!(self.wire.len() - start, header.size());
        assert_eq!(Header::parse(&self.wire[start..], self.sender), Ok(Some(header)));
        let start = self.wire.len();
        self.wire.extend(payload);
        if let Some(key) = header.key {
            // In two parts: the second one's phase is where the first one ended.
            let half = payload.len() / 2;
            mask::apply(key, half, &mut self.wire[start + half..]);
            mask::apply(key, 0, &mut self.wire[start..start + half]);
        }
        self.frame_ends.push(self.wire.len());
    }

    fn whole(&mut self, opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) {
        frame::encode(opcode, key, payload, &mut self.wire);
        self.frame_ends.push(self.wire.len());
    }
}
