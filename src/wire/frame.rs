//! A frame, sections 5.2 and 5.5. Frames before and after it have no effect here.
//!
//! ```text
//!   0   1   2   3   4     7   8   9         15  16                          31
//! +---+---+---+---+---------+---+-------------+-------------------------------+
//! |FIN|RSV|RSV|RSV| opcode  |MAS| payload len | extended payload length, if   |
//! |   | 1 | 2 | 3 | 4 bits  |K  |   7 bits    | payload len is 126: 16 bits   |
//! +---+---+---+---+---------+---+-------------+ - - - - - - - - - - - - - - - +
//! |             or 64 bits, if payload len is 127                             |
//! + - - - - - - - - - - - - - - - - - - - - - +-------------------------------+
//! |                                           | masking key, if MASK is set:  |
//! +-------------------------------------------+ - - - - - - - - - - - - - - - +
//! | 32 bits                                   | payload                       |
//! +-------------------------------------------+ - - - - - - - - - - - - - - - +
//! |             payload, continued                                            |
//! +---------------------------------------------------------------------------+
//! ```
//!
//! | field | bits | meaning | requirements |
//! |---|---|---|---|
//! | FIN | 1 | the last frame of a message; always set in a control frame | 5.2-a, 5.5-b |
//! | RSV1 to RSV3 | 3 | 0, unless an extension defines them | 5.2-c |
//! | opcode | 4 | 0 continuation, 1 text, 2 binary, 8 Close, 9 Ping, A Pong; others are reserved | 5.2-f |
//! | MASK | 1 | set by a client, not by a server | 5.1-a, 5.1-d |
//! | payload len | 7 | the length in bytes, up to 125; 126 or 127: the length follows | 5.2-g, 5.5-a |
//! | extended payload length | 0, 16 or 64 | the length, most significant byte first, in the shortest form, below 2^63 | 5.2-h to 5.2-m |
//! | masking key | 0 or 32 | byte i of the payload is masked with byte i mod 4 of the key | 5.2-n, 5.3-c |
//! | payload | 8 each | of a Close: a code and a reason; of a text message: UTF-8 | 5.2-o, 5.5.1-b, 5.5.1-e, 8.1-a |
//!
//! [`raw`](super::raw) reads these fields and [`violation`](super::violation) holds their rules;
//! [`builder`](super::builder) writes them. [`Header::parse`] reads a common header without the table of
//! rules, because the table takes longer.

use super::builder::{FrameBuilder, LengthForm};
use super::raw::{FIN, LENGTH, LENGTH_7_MAX, LENGTH_16, MASK, OPCODE, RSV};
use super::violation::Violation;

pub use super::opcode::{Opcode, Role};
pub use super::raw::{CONTROL_MAX, HEADER_MAX, RawHeader};

/// The header of a valid frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// FIN: this is the last frame of its message.
    pub fin: bool,
    /// The type of the frame.
    pub opcode: Opcode,
    /// The masking key, which only a client's frame has.
    pub key: Option<[u8; 4]>,
    /// The length of the payload in bytes, below 2^63.
    pub length: u64,
}

impl Header {
    /// Reads the header at the front of `wire`; `None` until all of it was received.
    ///
    /// Each field is checked as soon as its bytes are present, before the rest of the header and
    /// before the payload.
    ///
    /// # Errors
    /// The first violation of a rule of section 5.1, 5.2 or 5.5, in the order of the wire.
    pub fn parse(wire: &[u8], sender: Role) -> Result<Option<Self>, Violation> {
        if let Some(header) = Self::parse_common(wire, sender) {
            return Ok(Some(header));
        }
        let raw = RawHeader::read(wire);
        if let Some(violation) = raw.violations(sender).next() {
            return Err(violation);
        }
        let (true, Some(opcode), Some(length)) = (raw.is_whole(), raw.opcode(), raw.length())
        else {
            return Ok(None);
        };
        Ok(Some(Self { fin: raw.fin(), opcode, key: raw.key(), length }))
    }

    /// A fast second reading of the headers of most frames: whole and valid, with a length of up to 16 bits.
    /// It is `None` for all others, which the table of rules decides. A test compares the two readings for
    /// all values of the first two bytes.
    fn parse_common(wire: &[u8], sender: Role) -> Option<Self> {
        let (&[first, second], rest) = wire.split_first_chunk()?;
        let opcode = Opcode::from_bits(first & OPCODE).filter(|_| first & RSV == 0)?;
        let fin = first & FIN != 0;
        let (length, rest) = match second & LENGTH {
            short @ 0..=LENGTH_7_MAX if fin || !opcode.is_control() => (short.into(), rest),
            LENGTH_16 if !opcode.is_control() => {
                let (length, rest) = rest.split_first_chunk()?;
                (u16::from_be_bytes(*length), rest)
            }
            _ => return None,
        };
        let key = match (sender, second & MASK != 0) {
            (Role::Client, true) => Some(*rest.first_chunk()?),
            (Role::Server, false) => None,
            _ => return None,
        };
        let has_16_bits = second & LENGTH == LENGTH_16;
        let needs_16_bits = u16::from(LENGTH_7_MAX) < length;
        (has_16_bits == needs_16_bits).then_some(Self { fin, opcode, key, length: length.into() })
    }

    /// The size of the header in bytes: 2 to 14.
    pub fn size(&self) -> usize {
        let length = match LengthForm::shortest(self.length) {
            LengthForm::Bits7 => 0,
            LengthForm::Bits16 => 2,
            LengthForm::Bits64 => 8,
        };
        2 + length + self.key.map_or(0, |key| key.len())
    }
}

/// Appends one whole frame with FIN to `out`. A frame with a `key` is a client's; its payload is masked.
pub fn encode(opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8], out: &mut Vec<u8>) {
    let (opcode, length) = (opcode as u8, payload.len() as u64);
    let form = LengthForm::shortest(length); // section 5.2
    FrameBuilder { fin: true, rsv: 0, opcode, key, length, form }.encode(payload, out);
}

/// The end of the frame that byte `offset` is in, or `offset` itself between two frames.
///
/// `frames` are whole frames of a server, one after the other.
pub fn frame_end(frames: &[u8], offset: usize) -> usize {
    std::iter::once(0).chain(ends(frames)).find(|end| offset <= *end).unwrap_or(frames.len())
}

/// The first `count` frames, and how many frames follow them.
///
/// `frames` are whole frames of a server, one after the other.
pub fn split_after(frames: &[u8], count: usize) -> (&[u8], usize) {
    let mut ends = ends(frames);
    let size = ends.by_ref().take(count).last().unwrap_or(0);
    (frames.get(..size).unwrap_or(frames), ends.count())
}

/// Where each frame of a server ends.
fn ends(frames: &[u8]) -> impl Iterator<Item = usize> {
    let mut end = 0usize;
    std::iter::from_fn(move || {
        let header = Header::parse(frames.get(end..)?, Role::Server).ok()??;
        end = end.checked_add(header.size())?.checked_add(usize::try_from(header.length).ok()?)?;
        Some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn split_after_returns_whole_frames() {
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

    fn encode_header(header: &Header, out: &mut Vec<u8>) {
        let Header { fin, opcode, key, length } = *header;
        let (opcode, form) = (opcode as u8, LengthForm::shortest(length));
        FrameBuilder { fin, rsv: 0, opcode, key, length, form }.encode_header(out);
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
    fn s5_2_the_header_is_2_4_or_10_bytes() {
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
            encode_header(&header, &mut wire);
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
            ("5.2 0 in 16 bits", Violation::Length16NotMinimal, &[0x81, 0xfe, 0, 0]),
            ("5.2 125 in 16 bits", Violation::Length16NotMinimal, &[0x81, 0xfe, 0, 125]),
            (
                "5.2 5 in 64 bits",
                Violation::Length64NotMinimal,
                &[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 5],
            ),
            (
                "5.2 65535 in 64 bits",
                Violation::Length64NotMinimal,
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
    fn frame_end_is_the_next_boundary() {
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

    /// The strict reading, made from the lenient one: every rule is tried.
    fn strict(wire: &[u8], sender: Role) -> Result<Option<Header>, Violation> {
        let raw = RawHeader::read(wire);
        if let Some(violation) = raw.violations(sender).next() {
            return Err(violation);
        }
        let header = |length| Header {
            fin: raw.fin(),
            opcode: raw.opcode().unwrap(),
            key: raw.key(),
            length,
        };
        Ok(raw.length().filter(|_| raw.is_whole()).map(header))
    }

    /// Every value of the first two bytes, with lengths and cuts around each boundary: the shortcut
    /// agrees with the table of rules.
    #[test]
    fn s5_2_a_common_header_is_what_the_rules_say() {
        let lengths = [0u64, 125, 126, 0xffff, 0x1_0000, 1 << 63].map(u64::to_be_bytes);
        let short =
            [0u16, 125, 126, 0xffff].map(|length| [&length.to_be_bytes()[..], &[7; 6]].concat());
        let mut tails: Vec<Vec<u8>> = lengths.map(|length| [&length[..], &[7; 4]].concat()).into();
        tails.extend(short);
        tails.extend((0..6).map(|cut| vec![200; cut]));
        let mut common = 0;
        for [first, second] in (0..=u16::MAX).map(u16::to_be_bytes) {
            for tail in &tails {
                let wire = [&[first, second], tail.as_slice()].concat();
                for sender in [Role::Client, Role::Server] {
                    let expected = strict(&wire, sender);
                    assert_eq!(Header::parse(&wire, sender), expected, "{wire:02x?}");
                    if let Some(header) = Header::parse_common(&wire, sender) {
                        assert_eq!(expected, Ok(Some(header)), "{wire:02x?}");
                        common += 1;
                    }
                }
            }
        }
        assert!(common > 10_000, "{common}");
    }

    #[test]
    fn s5_2_both_sides_of_each_length_form() {
        for (seven_bits, length) in
            [(126, 125u64), (126, 126), (127, 0xffff), (127, 0x1_0000), (127, 1 << 63)]
        {
            let bytes = length.to_be_bytes();
            let extended = if seven_bits == 126 { &bytes[6..] } else { &bytes };
            for first in [0x82, 0x89, 0x03] {
                let wire = [&[first, seven_bits], extended].concat();
                for sender in [Role::Client, Role::Server] {
                    assert_eq!(Header::parse(&wire, sender), strict(&wire, sender), "{length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn s5_2_the_strict_reading_is_the_first_violation_of_the_lenient_one(
            wire in prop::collection::vec(any::<u8>(), 0..18),
        ) {
            for sender in [Role::Client, Role::Server] {
                prop_assert_eq!(Header::parse(&wire, sender), strict(&wire, sender));
            }
        }

        #[test]
        fn s5_2_also_where_nearly_every_field_is_valid(
            first in prop::sample::select(vec![0x81u8, 0x01, 0x82, 0x80, 0x88, 0x89, 0x8a, 0x09, 0xc1, 0x83]),
            second in prop::sample::select(vec![0u8, 1, 125, 126, 127, 128, 253, 254, 255]),
            rest in prop::collection::vec(prop_oneof![Just(0u8), Just(0x80), any::<u8>()], 0..14),
        ) {
            let wire = [&[first, second], rest.as_slice()].concat();
            for sender in [Role::Client, Role::Server] {
                prop_assert_eq!(Header::parse(&wire, sender), strict(&wire, sender));
            }
        }

        #[test]
        fn s5_2_an_encoded_header_is_parsed(
            fin: bool,
            opcode in prop::sample::select(vec![Opcode::Continuation, Opcode::Text, Opcode::Binary]),
            key: Option<[u8; 4]>,
            length in prop_oneof![0u64..300, 65_000u64..66_000, 0..u64::MAX >> 1],
        ) {
            let header = Header { fin, opcode, key, length };
            let sender = if key.is_some() { Role::Client } else { Role::Server };
            let mut wire = Vec::new();
            encode_header(&header, &mut wire);
            prop_assert_eq!(wire.len(), header.size());
            prop_assert_eq!(Header::parse(&wire, sender), Ok(Some(header)));
        }

        #[test]
        fn s10_7_no_input_makes_it_panic(wire in prop::collection::vec(any::<u8>(), 0..20)) {
            for sender in [Role::Client, Role::Server] {
                if let Ok(Some(header)) = Header::parse(&wire, sender) {
                    let mut again = Vec::new();
                    encode_header(&header, &mut again);
                    prop_assert_eq!(&again, &wire[..header.size()]);
                }
            }
        }
    }
}
