//! A frame that is to be made, right or wrong: every field of section 5.2 is free. What is sent in
//! earnest comes from [`frame`](super::frame), whose frames are those of these that are right.

use super::frame::{FIN, LENGTH, LENGTH_7_MAX, LENGTH_16, LENGTH_64, MASK, OPCODE, RSV};
use super::mask;

/// A header, whatever stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameBuilder {
    /// The FIN bit.
    pub fin: bool,
    /// RSV1, RSV2 and RSV3 as one number: RSV1 counts 4.
    pub rsv: u8,
    /// The four bits of the opcode.
    pub opcode: u8,
    /// The masking key, and with it the MASK bit.
    pub key: Option<[u8; 4]>,
    /// What is said of the length, true or not.
    pub length: LengthField,
}

/// The length field in one of its forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthField {
    /// In the seven bits of the second octet; what does not fit them is cut off.
    Bits7(u8),
    /// In the two octets behind it.
    Bits16(u16),
    /// In the eight octets behind it.
    Bits64(u64),
}

/// The forms of the length field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthForm {
    /// Seven bits.
    Bits7,
    /// Two octets more.
    Bits16,
    /// Eight octets more.
    Bits64,
}

impl LengthField {
    /// The shortest form, which section 5.2 requires.
    #[must_use]
    pub fn shortest(length: u64) -> Self {
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short @ 0..=LENGTH_7_MAX), _) => Self::Bits7(short),
            (_, Ok(length)) => Self::Bits16(length),
            (_, Err(_)) => Self::Bits64(length),
        }
    }

    /// `length` in this form, needed or not; `None` if it does not fit. 126 and 127 fit seven bits,
    /// but mean something else there.
    #[must_use]
    pub fn in_form(form: LengthForm, length: u64) -> Option<Self> {
        match form {
            LengthForm::Bits7 => {
                u8::try_from(length).ok().filter(|l| *l <= LENGTH).map(Self::Bits7)
            }
            LengthForm::Bits16 => u16::try_from(length).ok().map(Self::Bits16),
            LengthForm::Bits64 => Some(Self::Bits64(length)),
        }
    }

    /// Does a reader take it for the announcement of a longer form?
    #[must_use]
    pub fn is_mistaken(self) -> bool {
        matches!(self, Self::Bits7(LENGTH_16 | LENGTH_64))
    }
}

impl FrameBuilder {
    /// Appends the header to `out`, and `payload` behind it, masked if there is a key.
    pub fn encode(&self, payload: &[u8], out: &mut Vec<u8>) {
        let fin = if self.fin { FIN } else { 0 };
        out.push(fin | self.rsv << 4 & RSV | self.opcode & OPCODE);
        let mask = if self.key.is_some() { MASK } else { 0 };
        match self.length {
            LengthField::Bits7(length) => out.push(mask | length & LENGTH),
            LengthField::Bits16(length) => {
                out.push(mask | LENGTH_16);
                out.extend(length.to_be_bytes());
            }
            LengthField::Bits64(length) => {
                out.push(mask | LENGTH_64);
                out.extend(length.to_be_bytes());
            }
        }
        out.extend(self.key.iter().flatten());
        let mut payload = payload.to_vec();
        mask::apply(self.key.unwrap_or_default(), 0, &mut payload);
        out.append(&mut payload);
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{self, Header, Opcode, Role};
    use super::super::raw::RawHeader;
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    #[test]
    #[rustfmt::skip]
    fn s5_2_every_field_is_free() {
        let right = FrameBuilder { fin: true, rsv: 0, opcode: 1, key: None, length: LengthField::Bits7(2) };
        for (what, draft, header) in [
            ("right", right, &[0b1_000_0001, 0b0_0000010][..]),
            ("no FIN", FrameBuilder { fin: false, ..right }, &[0b0_000_0001, 0b0_0000010]),
            ("RSV1", FrameBuilder { rsv: 0b100, ..right }, &[0b1_100_0001, 0b0_0000010]),
            ("RSV2", FrameBuilder { rsv: 0b010, ..right }, &[0b1_010_0001, 0b0_0000010]),
            ("RSV3", FrameBuilder { rsv: 0b001, ..right }, &[0b1_001_0001, 0b0_0000010]),
            ("opcode F", FrameBuilder { opcode: 0xf, ..right }, &[0b1_000_1111, 0b0_0000010]),
            ("beyond their bits", FrameBuilder { rsv: 0xf8, opcode: 0xf1, ..right }, &[0b1_000_0001, 0b0_0000010]),
            ("a key of zeros", FrameBuilder { key: Some([0; 4]), ..right }, &[0b1_000_0001, 0b1_0000010, 0, 0, 0, 0]),
            ("16 bits", FrameBuilder { length: LengthField::Bits16(2), ..right }, &[0b1_000_0001, 126, 0, 2]),
            ("64 bits", FrameBuilder { length: LengthField::Bits64(2), ..right }, &[0b1_000_0001, 127, 0, 0, 0, 0, 0, 0, 0, 2]),
            ("all bits", FrameBuilder { length: LengthField::Bits64(u64::MAX), ..right },
                &[0b1_000_0001, 127, 255, 255, 255, 255, 255, 255, 255, 255]),
            ("127 in seven", FrameBuilder { length: LengthField::Bits7(127), ..right }, &[0b1_000_0001, 127]),
            ("255 in seven", FrameBuilder { length: LengthField::Bits7(255), ..right }, &[0b1_000_0001, 127]),
        ] {
            let mut wire = Vec::new();
            draft.encode(b"hi", &mut wire);
            assert_eq!(wire, [header, b"hi"].concat(), "{what}");
        }
        let mut wire = Vec::new();
        FrameBuilder { key: Some(KEY), length: LengthField::Bits7(5), ..right }.encode(b"Hello", &mut wire);
        assert_eq!(wire, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]); // section 5.7
    }

    #[test]
    fn s5_2_what_fits_a_form() {
        for (form, fits, does_not) in [
            (LengthForm::Bits7, &[0, 125, 126, 127][..], &[128, 255, 256, u64::MAX][..]),
            (LengthForm::Bits16, &[0, 125, 126, 65_535], &[65_536, u64::MAX]),
            (LengthForm::Bits64, &[0, 65_535, 65_536, u64::MAX], &[]),
        ] {
            assert!(
                fits.iter().all(|length| LengthField::in_form(form, *length).is_some()),
                "{form:?}"
            );
            assert!(
                does_not.iter().all(|length| LengthField::in_form(form, *length).is_none()),
                "{form:?}"
            );
        }
        for (length, is_mistaken) in [(125, false), (126, true), (127, true)] {
            assert_eq!(LengthField::Bits7(length).is_mistaken(), is_mistaken, "{length}");
        }
        assert!(!LengthField::Bits16(126).is_mistaken());
    }

    proptest! {
        #[test]
        fn s5_2_what_is_right_is_what_the_encoder_makes(
            fin: bool,
            opcode in prop::sample::select(Opcode::ALL.to_vec()),
            key: Option<[u8; 4]>,
            length in prop_oneof![0u64..300, 65_000u64..66_000, any::<u64>()],
            payload in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let draft = |fin, length| {
                let length = LengthField::shortest(length);
                FrameBuilder { fin, rsv: 0, opcode: opcode as u8, key, length }
            };
            let (mut drafted, mut encoded) = (Vec::new(), Vec::new());
            draft(fin, length).encode(&[], &mut drafted);
            Header { fin, opcode, key, length }.encode(&mut encoded);
            prop_assert_eq!(&drafted, &encoded);
            draft(true, payload.len() as u64).encode(&payload, &mut drafted);
            frame::encode(opcode, key, &payload, &mut encoded);
            prop_assert_eq!(&drafted, &encoded);
        }

        #[test]
        fn s5_2_the_lenient_reading_tells_the_fields(
            fin: bool,
            rsv in 0u8..8,
            opcode in 0u8..16,
            key: Option<[u8; 4]>,
            length in prop_oneof![
                (0u8..126).prop_map(LengthField::Bits7),
                any::<u16>().prop_map(LengthField::Bits16),
                any::<u64>().prop_map(LengthField::Bits64),
            ],
        ) {
            let mut wire = Vec::new();
            FrameBuilder { fin, rsv, opcode, key, length }.encode(&[], &mut wire);
            let mut header = RawHeader::default();
            prop_assert_eq!(header.take(&wire), wire.len());
            prop_assert!(header.is_whole());
            let bits = [rsv & 4 != 0, rsv & 2 != 0, rsv & 1 != 0];
            prop_assert_eq!((header.fin(), header.rsv(), header.opcode_bits()), (fin, bits, opcode));
            prop_assert_eq!((header.mask(), header.key()), (Some(key.is_some()), key));
            let (size, told) = match length {
                LengthField::Bits7(length) => (0, length.into()),
                LengthField::Bits16(length) => (2, length.into()),
                LengthField::Bits64(length) => (8, length),
            };
            prop_assert_eq!((header.extended_size(), header.length()), (size, Some(told)));
            let strict = Header::parse(&wire, if key.is_some() { Role::Client } else { Role::Server });
            let broken = header.violations(if key.is_some() { Role::Client } else { Role::Server });
            prop_assert_eq!(strict.err(), broken.first().copied());
        }
    }
}
