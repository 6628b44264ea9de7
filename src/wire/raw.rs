//! A frame's header as it stands, section 5.2: every field is read, whether it is right or wrong.
//!
//! [`Header::parse`](super::frame::Header::parse) stops at the first rule that is broken; here each
//! rule has its say, in the same order, so that the first of [`RawHeader::violations`] is what it says.

use super::close::Violation;
use super::frame::{
    FIN, HEADER_MAX, LENGTH, LENGTH_7_MAX, LENGTH_16, LENGTH_64, MASK, OPCODE, Opcode, RSV, Role,
};

/// The fields of a header, as far as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawHeader {
    octets: [u8; HEADER_MAX],
    present: usize,
}

impl RawHeader {
    /// Takes what is missing from the front of `wire`, and says how many octets that were.
    pub fn take(&mut self, wire: &[u8]) -> usize {
        let mut rest = wire;
        // Twice at most: the second octet tells how many follow.
        while !self.is_whole() && !rest.is_empty() {
            let (taken, later) = rest.split_at(rest.len().min(self.size() - self.present));
            let free = self.octets.iter_mut().skip(self.present);
            free.zip(taken).for_each(|(octet, new)| *octet = *new);
            self.present += taken.len();
            rest = later;
        }
        wire.len() - rest.len()
    }

    /// Octets that the header takes, as far as it tells by now: 2 to 14.
    #[must_use]
    pub fn size(&self) -> usize {
        let key = if self.mask() == Some(true) { 4 } else { 0 };
        2 + self.extended_size() + key
    }

    /// Did all of it come?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.present == self.size()
    }

    /// What came of it.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.present).unwrap_or_default()
    }

    /// Is this the last frame of its message?
    #[must_use]
    pub fn fin(&self) -> bool {
        self.first() & FIN != 0
    }

    /// RSV1, RSV2 and RSV3.
    #[must_use]
    pub fn rsv(&self) -> [bool; 3] {
        [6, 5, 4].map(|place| self.first() >> place & 1 != 0)
    }

    /// The four bits of the opcode.
    #[must_use]
    pub fn opcode_bits(&self) -> u8 {
        self.first() & OPCODE
    }

    /// The opcode, if it has a meaning.
    #[must_use]
    pub fn opcode(&self) -> Option<Opcode> {
        Opcode::from_bits(self.opcode_bits()).ok()
    }

    /// Section 5.5: the most significant bit of the opcode says so, in the reserved ones too.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.opcode_bits() & 0b1000 != 0
    }

    /// Is the payload masked?
    #[must_use]
    pub fn mask(&self) -> Option<bool> {
        self.second().map(|second| second & MASK != 0)
    }

    /// The seven bits of the length in the second octet.
    #[must_use]
    pub fn length_7(&self) -> Option<u8> {
        self.second().map(|second| second & LENGTH)
    }

    /// Octets of the extended length: 0, 2 or 8.
    #[must_use]
    pub fn extended_size(&self) -> usize {
        match self.length_7() {
            Some(LENGTH_16) => 2,
            Some(LENGTH_64) => 8,
            _ => 0,
        }
    }

    /// The octets of the extended length that came.
    #[must_use]
    pub fn extended(&self) -> &[u8] {
        let octets = self.octets().get(2..).unwrap_or_default();
        octets.get(..self.extended_size()).unwrap_or(octets)
    }

    /// Octets of payload, once all of the length came.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let seven_bits = self.length_7()?;
        let extended = self.extended();
        match extended.len() {
            0 if seven_bits <= LENGTH_7_MAX => Some(seven_bits.into()),
            size if size == self.extended_size() => {
                Some(extended.iter().fold(0, |length, octet| length << 8 | u64::from(*octet)))
            }
            _ => None,
        }
    }

    /// The octets of the masking key that came.
    #[must_use]
    pub fn key_octets(&self) -> &[u8] {
        self.octets().get(2 + self.extended_size()..).unwrap_or_default()
    }

    /// The masking key, if there is one and all of it came.
    #[must_use]
    pub fn key(&self) -> Option<[u8; 4]> {
        self.key_octets().try_into().ok()
    }

    /// Every rule of sections 5.1, 5.2 and 5.5 that it breaks as a frame of `sender`, as far as it
    /// came, in the order of the wire.
    #[must_use]
    pub fn violations(&self, sender: Role) -> Vec<Violation> {
        let length_7 = self.length_7();
        let is_broken = |violation: &Violation| match violation {
            Violation::ReservedBits => self.first() & RSV != 0,
            Violation::ReservedOpcode => self.opcode().is_none(),
            Violation::ControlFragmented => self.is_control() && !self.fin(),
            Violation::Unmasked => sender == Role::Client && self.mask() == Some(false),
            Violation::Masked => sender == Role::Server && self.mask() == Some(true),
            Violation::ControlTooLong => self.is_control() && Some(LENGTH_7_MAX) < length_7,
            Violation::LengthTopBit => self.length().is_some_and(|length| length >> 63 != 0),
            Violation::LengthNotMinimal => match (length_7, self.length()) {
                (Some(LENGTH_16), Some(length)) => length <= LENGTH_7_MAX.into(),
                (Some(LENGTH_64), Some(length)) => length <= u16::MAX.into(),
                _ => false,
            },
            _ => false,
        };
        OF_A_HEADER.into_iter().filter(is_broken).collect()
    }

    fn first(&self) -> u8 {
        self.octets.first().copied().unwrap_or_default()
    }

    fn second(&self) -> Option<u8> {
        self.octets().get(1).copied()
    }
}

/// What a header can break, in the order of the wire.
const OF_A_HEADER: [Violation; 8] = [
    Violation::ReservedBits,
    Violation::ReservedOpcode,
    Violation::ControlFragmented,
    Violation::Unmasked,
    Violation::Masked,
    Violation::ControlTooLong,
    Violation::LengthTopBit,
    Violation::LengthNotMinimal,
];

#[cfg(test)]
mod tests {
    use super::super::frame::Header;
    use super::*;
    use proptest::prelude::*;

    fn read(wire: &[u8]) -> RawHeader {
        let mut header = RawHeader::default();
        assert_eq!(header.take(wire), header.octets().len());
        header
    }

    /// The strict reading, made of the lenient one.
    fn strict(wire: &[u8], sender: Role) -> Result<Option<Header>, Violation> {
        let raw = read(wire);
        if wire.is_empty() {
            return Ok(None);
        }
        if let Some(violation) = raw.violations(sender).first() {
            return Err(*violation);
        }
        let header = |length| Header {
            fin: raw.fin(),
            opcode: raw.opcode().unwrap(),
            key: raw.key(),
            length,
        };
        Ok(raw.length().filter(|_| raw.is_whole()).map(header))
    }

    #[test]
    fn s5_2_every_violation_is_listed() {
        let wire = [0x79, 0x7f, 0xff, 0, 0, 0, 0, 0, 0, 5]; // a ping, and nothing of it is right
        let broken = [
            Violation::ReservedBits,
            Violation::ControlFragmented,
            Violation::Unmasked,
            Violation::ControlTooLong,
            Violation::LengthTopBit,
        ];
        assert_eq!(read(&wire).violations(Role::Client), broken);
        let wire = [0x8b, 0xfe, 0, 5, 1, 2, 3, 4];
        let broken = [
            Violation::ReservedOpcode,
            Violation::Masked,
            Violation::ControlTooLong,
            Violation::LengthNotMinimal,
        ];
        assert_eq!(read(&wire).violations(Role::Server), broken);
    }

    #[test]
    fn s5_2_the_fields_are_read_as_far_as_they_came() {
        let wire = [0x81, 0xfe, 0x01, 0x00, 0x37, 0xfa, 0x21, 0x3d, 0x7f];
        let raw = read(&wire);
        assert_eq!((raw.size(), raw.is_whole(), raw.octets()), (8, true, &wire[..8]));
        assert_eq!((raw.length_7(), raw.length()), (Some(126), Some(256)));
        assert_eq!(raw.key(), Some([0x37, 0xfa, 0x21, 0x3d]));
        let raw = read(&wire[..3]);
        assert_eq!((raw.extended(), raw.length(), raw.key_octets()), (&[1][..], None, &[][..]));
        let raw = read(&wire[..6]);
        assert_eq!((raw.length(), raw.key_octets(), raw.key()), (Some(256), &wire[4..6], None));
        let raw = read(&wire[..1]);
        assert_eq!((raw.size(), raw.mask(), raw.length()), (2, None, None));
    }

    #[test]
    fn s5_2_both_sides_of_each_length_form() {
        for (seven_bits, length) in
            [(126, 125u64), (126, 126), (127, 0xffff), (127, 0x1_0000), (127, 1 << 63)]
        {
            let octets = length.to_be_bytes();
            let extended = if seven_bits == 126 { &octets[6..] } else { &octets };
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
        fn s5_2_the_strict_reading_is_the_lenient_one_with_its_first_violation(
            wire in prop::collection::vec(any::<u8>(), 0..18),
            cut in 0usize..18,
        ) {
            for sender in [Role::Client, Role::Server] {
                prop_assert_eq!(Header::parse(&wire, sender), strict(&wire, sender));
            }
            let (one, other) = wire.split_at(cut.min(wire.len()));
            let mut header = RawHeader::default();
            let taken = header.take(one);
            let taken = taken + header.take(other);
            prop_assert_eq!((header, taken), (read(&wire), header.octets().len()));
        }

        #[test]
        fn s5_2_the_same_where_nearly_all_is_right(
            first in prop::sample::select(vec![0x81u8, 0x01, 0x82, 0x80, 0x88, 0x89, 0x8a, 0x09, 0xc1, 0x83]),
            second in prop::sample::select(vec![0u8, 1, 125, 126, 127, 128, 253, 254, 255]),
            rest in prop::collection::vec(prop_oneof![Just(0u8), Just(0x80), any::<u8>()], 0..14),
        ) {
            let wire = [&[first, second], rest.as_slice()].concat();
            for sender in [Role::Client, Role::Server] {
                prop_assert_eq!(Header::parse(&wire, sender), strict(&wire, sender));
            }
        }
    }
}
