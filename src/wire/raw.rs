//! A frame's header as received, section 5.2: every field, valid or not. [`frame`](super::frame) draws the
//! bits, and reads the common headers itself, for speed.

use super::opcode::Opcode;

pub(super) const FIN: u8 = 0b1000_0000;
pub(super) const RSV: u8 = 0b0111_0000;
pub(super) const OPCODE: u8 = 0b0000_1111;
pub(super) const MASK: u8 = 0b1000_0000;
pub(super) const LENGTH: u8 = 0b0111_1111;

/// The largest length that fits the second byte itself, and so the largest payload of a control
/// frame (section 5.5).
pub(super) const LENGTH_7_MAX: u8 = 125;
/// In place of a length: the length is in the next two bytes.
pub(super) const LENGTH_16: u8 = 126;
/// In place of a length: the length is in the next eight bytes.
pub(super) const LENGTH_64: u8 = 127;

/// The longest header in bytes: 2, 8 of length, 4 of masking key.
pub const HEADER_MAX: usize = 14;
/// The longest control frame in bytes.
pub const CONTROL_MAX: usize = 2 + 4 + LENGTH_7_MAX as usize;

/// The fields of a header, as far as its bytes were received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawHeader {
    bytes: [u8; HEADER_MAX],
    present: usize,
}

impl RawHeader {
    /// The header at the front of `wire`, whole or not.
    pub fn read(wire: &[u8]) -> Self {
        let mut header = Self::default();
        header.append_missing(wire);
        header
    }

    /// Appends the missing bytes from the front of `wire`, and returns their number.
    pub fn append_missing(&mut self, wire: &[u8]) -> usize {
        let before = self.present;
        for byte in wire {
            if self.is_whole() {
                break;
            }
            self.bytes[self.present] = *byte;
            self.present += 1;
        }
        self.present - before
    }

    /// The size of the header in bytes, as far as it is known: 2 to 14.
    pub fn size(&self) -> usize {
        let key = if self.mask() == Some(true) { 4 } else { 0 };
        2 + self.extended_size() + key
    }

    /// Whether all of the header was received.
    pub fn is_whole(&self) -> bool {
        self.present == self.size()
    }

    /// The bytes of the header that were received.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.present).unwrap_or_default()
    }

    /// FIN: this is the last frame of its message.
    pub fn fin(&self) -> bool {
        self.bytes[0] & FIN != 0
    }

    /// RSV1, RSV2 and RSV3.
    pub fn rsv(&self) -> [bool; 3] {
        [6, 5, 4].map(|place| self.bytes[0] >> place & 1 != 0)
    }

    /// The four bits of the opcode.
    pub fn opcode_bits(&self) -> u8 {
        self.bytes[0] & OPCODE
    }

    /// The opcode, unless it is reserved.
    pub fn opcode(&self) -> Option<Opcode> {
        Opcode::from_bits(self.opcode_bits())
    }

    /// Section 5.5: the most significant bit of the opcode, which reserved opcodes may set too.
    pub fn is_control(&self) -> bool {
        self.opcode_bits() & 0b1000 != 0
    }

    /// MASK: the payload is masked.
    pub fn mask(&self) -> Option<bool> {
        self.second().map(|second| second & MASK != 0)
    }

    /// The seven bits of the length in the second byte.
    pub fn length_7(&self) -> Option<u8> {
        self.second().map(|second| second & LENGTH)
    }

    /// The size of the extended length in bytes: 0, 2 or 8.
    pub fn extended_size(&self) -> usize {
        match self.length_7() {
            Some(LENGTH_16) => 2,
            Some(LENGTH_64) => 8,
            _ => 0,
        }
    }

    /// The bytes of the extended length that were received.
    pub fn extended(&self) -> &[u8] {
        let bytes = self.bytes().get(2..).unwrap_or_default();
        bytes.get(..self.extended_size()).unwrap_or(bytes)
    }

    /// The length of the payload in bytes, once all of the length was received.
    pub fn length(&self) -> Option<u64> {
        match self.length_7()? {
            LENGTH_16 => self.field(2).map(|bytes| u16::from_be_bytes(bytes).into()),
            LENGTH_64 => self.field(2).map(u64::from_be_bytes),
            short => Some(short.into()),
        }
    }

    /// The bytes of the masking key that were received.
    pub fn key_bytes(&self) -> &[u8] {
        self.bytes().get(2 + self.extended_size()..).unwrap_or_default()
    }

    /// The masking key, if there is one and all of it was received.
    pub fn key(&self) -> Option<[u8; 4]> {
        if self.mask()? { self.field(2 + self.extended_size()) } else { None }
    }

    /// N bytes from this place on, once all of them were received.
    fn field<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes().get(at..)?.first_chunk().copied()
    }

    fn second(&self) -> Option<u8> {
        (2 <= self.present).then_some(self.bytes[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a header byte by byte where `RawHeader::read` reads it at once.
    fn read(wire: &[u8]) -> RawHeader {
        let mut header = RawHeader::default();
        assert_eq!(header.append_missing(wire), header.bytes().len());
        header
    }

    #[test]
    fn s5_2_the_fields_are_read_as_far_as_they_were_received() {
        let wire = [0x81, 0xfe, 0x01, 0x00, 0x37, 0xfa, 0x21, 0x3d, 0x7f];
        let raw = read(&wire);
        assert_eq!((raw.size(), raw.is_whole(), raw.bytes()), (8, true, &wire[..8]));
        assert_eq!((raw.length_7(), raw.length()), (Some(126), Some(256)));
        assert_eq!(raw.key(), Some([0x37, 0xfa, 0x21, 0x3d]));
        let raw = read(&wire[..3]);
        assert_eq!((raw.extended(), raw.length(), raw.key_bytes()), (&[1][..], None, &[][..]));
        let raw = read(&wire[..6]);
        assert_eq!((raw.length(), raw.key_bytes(), raw.key()), (Some(256), &wire[4..6], None));
        let raw = read(&wire[..1]);
        assert_eq!((raw.size(), raw.mask(), raw.length()), (2, None, None));
    }

    proptest! {
        #[test]
        fn s5_2_cuts_do_not_change_the_fields(
            wire in prop::collection::vec(any::<u8>(), 0..18),
            cut in 0usize..18,
        ) {
            let (one, other) = wire.split_at(cut.min(wire.len()));
            let mut header = RawHeader::default();
            let taken = header.append_missing(one);
            let taken = taken + header.append_missing(other);
            prop_assert_eq!(taken, header.bytes().len());
            prop_assert_eq!(header, read(&wire));
            let at_once = RawHeader::read(&wire);
            prop_assert_eq!(header.bytes(), at_once.bytes());
            prop_assert_eq!(header.is_whole(), at_once.is_whole());
            prop_assert_eq!((header.length(), header.key()), (at_once.length(), at_once.key()));
        }
    }
}
