//! A frame, sections 5.2 and 5.5. Knows nothing of the frames before or after it.
//!
//! ```text
//!        bit 7   6    5    4   3 2 1 0         bit 7   6 5 4 3 2 1 0
//! first  | FIN |RSV1|RSV2|RSV3|opcode | second | MASK | payload len |
//! then   0, 2 or 8 octets of length; 0 or 4 octets of masking key; the payload
//! ```

use super::close::Violation;
use super::mask;

pub(super) const FIN: u8 = 0b1000_0000;
pub(super) const RSV: u8 = 0b0111_0000;
pub(super) const OPCODE: u8 = 0b0000_1111;
pub(super) const MASK: u8 = 0b1000_0000;
pub(super) const LENGTH: u8 = 0b0111_1111;

/// The largest length that stands in the second octet itself, and so the largest payload of a
/// control frame (section 5.5).
pub(super) const LENGTH_7_MAX: u8 = 125;
/// Says that the length is in the next two octets.
pub(super) const LENGTH_16: u8 = 126;
/// Says that the length is in the next eight octets.
pub(super) const LENGTH_64: u8 = 127;

/// The longest header: 2 octets, 8 of length, 4 of key.
pub const HEADER_MAX: usize = 14;
/// The longest control frame.
pub const CONTROL_MAX: usize = 2 + 4 + LENGTH_7_MAX as usize;

/// Who sent a frame. The two differ in one rule alone: a client masks (section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Masks every frame.
    Client,
    /// Masks none.
    Server,
}

/// What a frame is. The reserved values have no name here: such a frame fails the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// 0x0: more of the message under way.
    Continuation = 0x0,
    /// 0x1: a text message begins.
    Text = 0x1,
    /// 0x2: a binary message begins.
    Binary = 0x2,
    /// 0x8: the sender will send nothing more.
    Close = 0x8,
    /// 0x9: asks for a Pong.
    Ping = 0x9,
    /// 0xA: the answer to a Ping, or a sign of life.
    Pong = 0xA,
}

impl Opcode {
    /// All six.
    pub const ALL: [Self; 6] =
        [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong];

    /// Section 11.8.
    pub(super) fn from_bits(bits: u8) -> Result<Self, Violation> {
        match bits {
            0x0 => Ok(Self::Continuation),
            0x1 => Ok(Self::Text),
            0x2 => Ok(Self::Binary),
            0x8 => Ok(Self::Close),
            0x9 => Ok(Self::Ping),
            0xA => Ok(Self::Pong),
            _ => Err(Violation::ReservedOpcode), // 0x3 to 0x7 and 0xB to 0xF
        }
    }

    /// Section 5.5: the most significant bit of the opcode marks a control frame.
    #[must_use]
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    /// The field's own word for it, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        }
    }
}

/// Everything of a frame but its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Is this the last frame of its message?
    pub fin: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key; a client's frame has one, a server's none.
    pub key: Option<[u8; 4]>,
    /// Cursor of payload, below 2^63.
    pub length: u64,
}

impl Header {
    /// One header from the front of `wire`; `None` until it is whole.
    ///
    /// Each field is judged as soon as its octets are there, before the rest of the header and
    /// long before the payload.
    ///
    /// # Errors
    /// The rule of section 5.1, 5.2 or 5.5 that a frame from `sender` breaks.
    pub fn parse(wire: &[u8], sender: Role) -> Result<Option<Self>, Violation> {
        let mut octets = Cursor(wire);
        let Some([first]) = octets.take() else { return Ok(None) };
        if first & RSV != 0 {
            return Err(Violation::ReservedBits);
        }
        let opcode = Opcode::from_bits(first & OPCODE)?;
        let fin = first & FIN != 0;
        if opcode.is_control() && !fin {
            return Err(Violation::ControlFragmented);
        }

        let Some([second]) = octets.take() else { return Ok(None) };
        let masked = second & MASK != 0;
        match sender {
            Role::Client if !masked => return Err(Violation::Unmasked),
            Role::Server if masked => return Err(Violation::Masked),
            Role::Client | Role::Server => (),
        }

        let length = second & LENGTH;
        if opcode.is_control() && LENGTH_7_MAX < length {
            return Err(Violation::ControlTooLong);
        }
        let Some(length) = octets.length(length)? else { return Ok(None) };
        if !masked {
            return Ok(Some(Self { fin, opcode, key: None, length }));
        }
        Ok(octets.take().map(|key| Self { fin, opcode, key: Some(key), length }))
    }

    /// Cursor that the header takes on the wire: 2 to 14.
    #[must_use]
    pub fn size(&self) -> usize {
        let length = match self.length {
            0..=125 => 0,
            126..=0xffff => 2,
            _ => 8,
        };
        2 + length + self.key.map_or(0, |key| key.len())
    }

    /// Appends the header to `out`, its length in the shortest form (section 5.2).
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(if self.fin { FIN } else { 0 } | self.opcode as u8);
        let mask = if self.key.is_some() { MASK } else { 0 };
        match (u8::try_from(self.length), u16::try_from(self.length)) {
            (Ok(short @ 0..=LENGTH_7_MAX), _) => out.push(mask | short),
            (_, Ok(length)) => {
                out.push(mask | LENGTH_16);
                out.extend(length.to_be_bytes());
            }
            (_, Err(_)) => {
                out.push(mask | LENGTH_64);
                out.extend(self.length.to_be_bytes());
            }
        }
        out.extend(self.key.iter().flatten());
    }
}

/// Appends one whole frame with FIN to `out`. A `key` makes it a client's, its payload masked.
pub fn encode(opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8], out: &mut Vec<u8>) {
    Header { fin: true, opcode, key, length: payload.len() as u64 }.encode(out);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask::apply(key, 0, &mut out[start..]);
    }
}

/// The end of the frame that octet `offset` lies in, or `offset` itself between two frames.
///
/// `frames` are whole frames that a server sends, one behind the other.
#[must_use]
pub fn frame_end(frames: &[u8], offset: usize) -> usize {
    let mut end = 0;
    while end < offset {
        match Header::parse(&frames[end..], Role::Server) {
            Ok(Some(header)) => end += header.size() + usize::try_from(header.length).unwrap_or(0),
            Ok(None) | Err(_) => return frames.len(),
        }
    }
    end
}

/// The first `count` frames of some, and how many there are behind them.
///
/// `frames` are whole frames that a server sends, one behind the other.
#[must_use]
pub fn split_after(frames: &[u8], count: usize) -> (&[u8], usize) {
    let (mut end, mut found, mut size) = (0, 0, 0);
    while let Some(Ok(Some(header))) =
        frames.get(end..).map(|rest| Header::parse(rest, Role::Server))
    {
        end += header.size() + usize::try_from(header.length).unwrap_or(0);
        found += 1;
        size = if found <= count { end } else { size };
    }
    (frames.get(..size).unwrap_or(frames), found.saturating_sub(count))
}

/// What is left of the wire, taken from the front.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// The next N octets, once they are all there.
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// Section 5.2: the minimal number of octets MUST be used, the top bit MUST be 0.
    fn length(&mut self, seven_bits: u8) -> Result<Option<u64>, Violation> {
        let (length, least) = match seven_bits {
            LENGTH_16 => (self.take().map(|octets| u16::from_be_bytes(octets).into()), 126),
            LENGTH_64 => (self.take().map(u64::from_be_bytes), 0x1_0000),
            short => (Some(short.into()), 0),
        };
        match length {
            Some(length) if length >> 63 != 0 => Err(Violation::LengthTopBit),
            Some(length) if length < least => Err(Violation::LengthNotMinimal),
            whole => Ok(whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_frames_are_whole() {
        let mut frames = Vec::new();
        let mut ends = vec![0];
        for payload in ["", "a", &"b".repeat(200)] {
            encode(Opcode::Text, None, payload.as_bytes(), &mut frames);
            ends.push(frames.len());
        }
        for (count, end) in ends.into_iter().enumerate() {
            assert_eq!(split_after(&frames, count), (&frames[..end], 3 - count));
        }
        assert_eq!(split_after(&frames, 4), (&frames[..], 0));
        assert_eq!(split_after(&[], 1), (&[][..], 0));
    }

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    #[test]
    fn s5_7_the_examples_of_the_rfc() {
        let mut hello = Vec::new();
        encode(Opcode::Text, None, b"Hello", &mut hello);
        assert_eq!(hello, [0b1_000_0001, 0b0_0000101, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);

        let mut masked = Vec::new();
        encode(Opcode::Text, Some(KEY), b"Hello", &mut masked);
        let wire = [
            0b1_000_0001, // FIN, no RSV, opcode text
            0b1_0000101,  // MASK, length 5
            0x37,
            0xfa,
            0x21,
            0x3d, // masking key
            0x7f,
            0x9f,
            0x4d,
            0x51,
            0x58,
        ];
        assert_eq!(masked, wire);

        let header = Header::parse(&wire, Role::Client).unwrap().unwrap();
        assert_eq!(header, Header { fin: true, opcode: Opcode::Text, key: Some(KEY), length: 5 });
        assert_eq!(header.size(), 6);

        let ping = Header::parse(&[0x89, 0x05], Role::Server).unwrap().unwrap();
        assert_eq!(ping, Header { fin: true, opcode: Opcode::Ping, key: None, length: 5 });
        let first = Header::parse(&[0x01, 0x03], Role::Server).unwrap().unwrap();
        assert_eq!(first, Header { fin: false, opcode: Opcode::Text, key: None, length: 3 });
        let last = Header::parse(&[0x80, 0x02], Role::Server).unwrap().unwrap();
        assert_eq!(last, Header { fin: true, opcode: Opcode::Continuation, key: None, length: 2 });
        let k256 = Header::parse(&[0x82, 0x7e, 0x01, 0x00], Role::Server).unwrap().unwrap();
        assert_eq!(k256.length, 256);
        let k64 = [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];
        assert_eq!(Header::parse(&k64, Role::Server).unwrap().unwrap().length, 65_536);
    }

    #[test]
    fn s5_2_the_header_is_2_4_or_10_octets() {
        for (length, size) in [
            (0, 2),
            (1, 2),
            (125, 2),
            (126, 4),
            (127, 4),
            (65_535, 4),
            (65_536, 10),
            (u64::MAX >> 1, 10),
        ] {
            let header = Header { fin: true, opcode: Opcode::Binary, key: None, length };
            let mut wire = Vec::new();
            header.encode(&mut wire);
            assert_eq!((wire.len(), header.size()), (size, size));
            assert_eq!(Header::parse(&wire, Role::Server), Ok(Some(header)));
            for cut in 0..wire.len() {
                assert_eq!(Header::parse(&wire[..cut], Role::Server), Ok(None));
            }
        }
    }

    #[test]
    fn s5_2_wrong_headers() {
        for (what, violation, wire) in [
            ("5.2 RSV1", Violation::ReservedBits, &[0b1_100_0001][..]),
            ("5.2 RSV2", Violation::ReservedBits, &[0b1_010_0001]),
            ("5.2 RSV3", Violation::ReservedBits, &[0b1_001_0001]),
            ("5.2 RSV1 on a ping", Violation::ReservedBits, &[0b1_100_1001]),
            ("5.2 opcode 3", Violation::ReservedOpcode, &[0b1_000_0011]),
            ("5.2 opcode 7", Violation::ReservedOpcode, &[0b0_000_0111]),
            ("5.2 opcode B", Violation::ReservedOpcode, &[0b1_000_1011]),
            ("5.2 opcode F", Violation::ReservedOpcode, &[0b1_000_1111]),
            ("5.5 close without FIN", Violation::ControlFragmented, &[0b0_000_1000]),
            ("5.5 ping without FIN", Violation::ControlFragmented, &[0b0_000_1001]),
            ("5.5 pong without FIN", Violation::ControlFragmented, &[0b0_000_1010]),
            ("5.1 unmasked text", Violation::Unmasked, &[0b1_000_0001, 0b0_0000101]),
            ("5.1 unmasked empty ping", Violation::Unmasked, &[0b1_000_1001, 0]),
            ("5.5 ping of 126", Violation::ControlTooLong, &[0b1_000_1001, 0b1_1111110]),
            ("5.5 close of 2^16", Violation::ControlTooLong, &[0b1_000_1000, 0b1_1111111]),
            ("5.2 0 in 16 bits", Violation::LengthNotMinimal, &[0x81, 0xfe, 0, 0]),
            ("5.2 125 in 16 bits", Violation::LengthNotMinimal, &[0x81, 0xfe, 0, 125]),
            (
                "5.2 5 in 64 bits",
                Violation::LengthNotMinimal,
                &[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 5],
            ),
            (
                "5.2 65535 in 64 bits",
                Violation::LengthNotMinimal,
                &[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
            ),
            ("5.2 2^63", Violation::LengthTopBit, &[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            (
                "5.2 2^64 - 4",
                Violation::LengthTopBit,
                &[0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc],
            ),
        ] {
            assert_eq!(Header::parse(wire, Role::Client), Err(violation), "{what}");
            for cut in 0..wire.len() {
                assert_eq!(
                    Header::parse(&wire[..cut], Role::Client),
                    Ok(None),
                    "{what}, cut {cut}"
                );
            }
        }
        assert_eq!(Header::parse(&[0x81, 0x85], Role::Server), Err(Violation::Masked));
    }

    #[test]
    fn a_boundary_is_where_a_frame_ends() {
        let mut frames = Vec::new();
        encode(Opcode::Text, None, b"Hello", &mut frames);
        encode(Opcode::Binary, None, &[0; 200], &mut frames);
        let ends = [7, 7 + 4 + 200];
        assert_eq!(frames.len(), ends[1]);
        for offset in 0..=frames.len() {
            let end = frame_end(&frames, offset);
            assert_eq!(
                end,
                if offset == 0 {
                    0
                } else if offset <= 7 {
                    ends[0]
                } else {
                    ends[1]
                }
            );
        }
    }

    proptest! {
        #[test]
        fn s5_2_what_is_encoded_is_parsed(
            fin: bool,
            opcode in prop::sample::select(vec![Opcode::Continuation, Opcode::Text, Opcode::Binary]),
            key: Option<[u8; 4]>,
            length in prop_oneof![0u64..300, 65_000u64..66_000, 0..u64::MAX >> 1],
        ) {
            let header = Header { fin, opcode, key, length };
            let sender = if key.is_some() { Role::Client } else { Role::Server };
            let mut wire = Vec::new();
            header.encode(&mut wire);
            prop_assert_eq!(wire.len(), header.size());
            prop_assert_eq!(Header::parse(&wire, sender), Ok(Some(header)));
        }

        #[test]
        fn s10_7_no_octets_make_it_panic(wire in prop::collection::vec(any::<u8>(), 0..20)) {
            for sender in [Role::Client, Role::Server] {
                if let Ok(Some(header)) = Header::parse(&wire, sender) {
                    let mut again = Vec::new();
                    header.encode(&mut again);
                    prop_assert_eq!(&again, &wire[..header.size()]);
                }
            }
        }
    }
}
