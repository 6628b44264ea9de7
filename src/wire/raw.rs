//! A frame's header as received, section 5.2: every field, valid or not. This is the only code that
//! reads the bits of a header; [`frame`](super::frame) draws them.

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

/// The sender of a frame. The two roles differ in one rule: a client masks (section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Masks every frame.
    Client,
    /// Masks no frame.
    Server,
}

/// The type of a frame. The reserved values have no name: such a frame fails the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// 0x0: continues a message.
    Continuation = 0x0,
    /// 0x1: begins a text message.
    Text = 0x1,
    /// 0x2: begins a binary message.
    Binary = 0x2,
    /// 0x8: the last frame of its sender.
    Close = 0x8,
    /// 0x9: requires a Pong.
    Ping = 0x9,
    /// 0xA: the reply to a Ping, or an unsolicited sign of life.
    Pong = 0xA,
}

impl Opcode {
    /// All six.
    pub const ALL: [Self; 6] =
        [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong];

    /// Section 11.8; `None` for the reserved values 0x3 to 0x7 and 0xB to 0xF.
    fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xA => Some(Self::Pong),
            _ => None,
        }
    }

    /// Section 5.5: the most significant bit of the opcode marks a control frame.
    #[must_use]
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    /// Its name in section 11.8, in lower case.
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

/// The fields of a header, as far as its bytes were received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawHeader {
    bytes: [u8; HEADER_MAX],
    present: usize,
}

impl RawHeader {
    /// The header at the front of `wire`, whole or not.
    #[must_use]
    pub fn read(wire: &[u8]) -> Self {
        let mut header = Self::default();
        match wire.first_chunk() {
            Some(bytes) => {
                header.bytes = *bytes;
                header.present = 2; // enough for the size
                header.present = header.size();
            }
            None => {
                header.take(wire);
            }
        }
        header
    }

    /// Takes the missing bytes from the front of `wire`, and returns how many it took.
    pub fn take(&mut self, wire: &[u8]) -> usize {
        let mut rest = wire;
        // At most twice: the second byte determines how many follow.
        while !self.is_whole() && !rest.is_empty() {
            let (taken, later) = rest.split_at(rest.len().min(self.size() - self.present));
            let free = self.bytes.iter_mut().skip(self.present);
            free.zip(taken).for_each(|(byte, new)| *byte = *new);
            self.present += taken.len();
            rest = later;
        }
        wire.len() - rest.len()
    }

    /// The size of the header in bytes, as far as it is known: 2 to 14.
    #[must_use]
    pub fn size(&self) -> usize {
        let key = if self.mask() == Some(true) { 4 } else { 0 };
        2 + self.extended_size() + key
    }

    /// Whether all of the header was received.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.present == self.size()
    }

    /// The bytes of the header that were received.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.present).unwrap_or_default()
    }

    /// FIN: this is the last frame of its message.
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

    /// The opcode, unless it is reserved.
    #[must_use]
    pub fn opcode(&self) -> Option<Opcode> {
        Opcode::from_bits(self.opcode_bits())
    }

    /// Section 5.5: the most significant bit of the opcode, which reserved opcodes may set too.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.opcode_bits() & 0b1000 != 0
    }

    /// MASK: the payload is masked.
    #[must_use]
    pub fn mask(&self) -> Option<bool> {
        self.second().map(|second| second & MASK != 0)
    }

    /// The seven bits of the length in the second byte.
    #[must_use]
    pub fn length_7(&self) -> Option<u8> {
        self.second().map(|second| second & LENGTH)
    }

    /// The size of the extended length in bytes: 0, 2 or 8.
    #[must_use]
    pub fn extended_size(&self) -> usize {
        match self.length_7() {
            Some(LENGTH_16) => 2,
            Some(LENGTH_64) => 8,
            _ => 0,
        }
    }

    /// The bytes of the extended length that were received.
    #[must_use]
    pub fn extended(&self) -> &[u8] {
        let bytes = self.bytes().get(2..).unwrap_or_default();
        bytes.get(..self.extended_size()).unwrap_or(bytes)
    }

    /// The length of the payload in bytes, once all of the length was received.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let seven_bits = self.length_7()?;
        let extended = self.extended();
        match extended.len() {
            0 if seven_bits <= LENGTH_7_MAX => Some(seven_bits.into()),
            size if size == self.extended_size() => {
                Some(extended.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)))
            }
            _ => None,
        }
    }

    /// The bytes of the masking key that were received.
    #[must_use]
    pub fn key_bytes(&self) -> &[u8] {
        self.bytes().get(2 + self.extended_size()..).unwrap_or_default()
    }

    /// The masking key, if there is one and all of it was received.
    #[must_use]
    pub fn key(&self) -> Option<[u8; 4]> {
        self.key_bytes().try_into().ok()
    }

    /// Whether this is a valid header of the most common forms: of `sender`, without reserved bits, with
    /// a length below 126. Two bytes show it, so that the receiver need not try every rule.
    pub(super) fn is_common(&self, sender: Role) -> bool {
        let [first, second, ..] = self.bytes;
        let is_valid = matches!(first, 0x00..=0x02 | 0x80..=0x82 | 0x88..=0x8a);
        let mask = if sender == Role::Client { MASK } else { 0 };
        is_valid && second & MASK == mask && second & LENGTH <= LENGTH_7_MAX && 2 <= self.present
    }

    fn first(&self) -> u8 {
        self.bytes[0]
    }

    fn second(&self) -> Option<u8> {
        (2 <= self.present).then_some(self.bytes[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a header byte by byte where `RawHeader::read` takes it at once.
    fn read(wire: &[u8]) -> RawHeader {
        let mut header = RawHeader::default();
        assert_eq!(header.take(wire), header.bytes().len());
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
            let taken = header.take(one);
            let taken = taken + header.take(other);
            prop_assert_eq!(taken, header.bytes().len());
            prop_assert_eq!(header, read(&wire));
            let at_once = RawHeader::read(&wire);
            prop_assert_eq!(header.bytes(), at_once.bytes());
            prop_assert_eq!(header.is_whole(), at_once.is_whole());
            prop_assert_eq!((header.length(), header.key()), (at_once.length(), at_once.key()));
        }
    }
}
