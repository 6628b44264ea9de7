//! The encoder of frames: it writes any header, valid or not, since every field of section 5.2 is free.
//! The server uses [`frame::encode`](super::frame::encode), which sets only valid fields.

use super::mask;
use super::raw::{FIN, LENGTH, LENGTH_7_MAX, LENGTH_16, LENGTH_64, MASK, OPCODE, RSV};

/// The fields of a header, valid or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameBuilder {
    /// The FIN bit.
    pub fin: bool,
    /// RSV1, RSV2 and RSV3 as one number, in which RSV1 counts 4.
    pub rsv: u8,
    /// The four bits of the opcode.
    pub opcode: u8,
    /// The masking key; with a key, the MASK bit is set.
    pub key: Option<[u8; 4]>,
    /// The declared length, which need not be the length of the payload.
    pub length: u64,
    /// The form of the length, shortest or not; it drops the more significant bits that do not fit.
    pub form: LengthForm,
}

/// The forms of the length field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthForm {
    /// Seven bits.
    Bits7,
    /// Two more bytes.
    Bits16,
    /// Eight more bytes.
    Bits64,
}

impl LengthForm {
    /// The shortest form, which section 5.2 requires.
    pub fn shortest(length: u64) -> Self {
        match u16::try_from(length) {
            Ok(length) if length <= LENGTH_7_MAX.into() => Self::Bits7,
            Ok(_) => Self::Bits16,
            Err(_) => Self::Bits64,
        }
    }

    /// Whether `length` fits this form. 126 and 127 fit seven bits, but announce a longer form there.
    pub fn fits(self, length: u64) -> bool {
        match self {
            Self::Bits7 => length <= LENGTH.into(),
            Self::Bits16 => length <= u16::MAX.into(),
            Self::Bits64 => true,
        }
    }
}

impl FrameBuilder {
    /// Appends the header and `payload` to `out`; with a key, the payload is masked.
    pub fn encode(&self, payload: &[u8], out: &mut Vec<u8>) {
        self.encode_header(out);
        let start = out.len();
        out.extend_from_slice(payload);
        if let Some(key) = self.key {
            mask::apply(key, 0, &mut out[start..]);
        }
    }

    /// Whether a reader takes the length for the announcement of a longer form.
    pub fn announces_longer_form(&self) -> bool {
        self.form == LengthForm::Bits7 && LengthForm::shortest(self.length) != LengthForm::Bits7
    }

    /// Appends the header to `out`.
    pub fn encode_header(&self, out: &mut Vec<u8>) {
        let fin = if self.fin { FIN } else { 0 };
        let first = fin | self.rsv << 4 & RSV | self.opcode & OPCODE;
        let mask = if self.key.is_some() { MASK } else { 0 };
        let length = self.length.to_be_bytes();
        let [.., high, low] = length;
        match self.form {
            LengthForm::Bits7 => out.extend([first, mask | low & LENGTH]),
            LengthForm::Bits16 => out.extend([first, mask | LENGTH_16, high, low]),
            LengthForm::Bits64 => {
                out.extend([first, mask | LENGTH_64]);
                out.extend(length);
            }
        }
        if let Some(key) = self.key {
            out.extend(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Header, RawHeader, Role};
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    #[test]
    #[rustfmt::skip]
    fn s5_2_every_field_is_free() {
        let valid = FrameBuilder { fin: true, rsv: 0, opcode: 1, key: None, length: 2, form: LengthForm::Bits7 };
        for (what, builder, header) in [
            ("valid", valid, &[0b1_000_0001, 0b0_0000010][..]),
            ("no FIN", FrameBuilder { fin: false, ..valid }, &[0b0_000_0001, 0b0_0000010]),
            ("RSV1", FrameBuilder { rsv: 0b100, ..valid }, &[0b1_100_0001, 0b0_0000010]),
            ("RSV2", FrameBuilder { rsv: 0b010, ..valid }, &[0b1_010_0001, 0b0_0000010]),
            ("RSV3", FrameBuilder { rsv: 0b001, ..valid }, &[0b1_001_0001, 0b0_0000010]),
            ("opcode F", FrameBuilder { opcode: 0xf, ..valid }, &[0b1_000_1111, 0b0_0000010]),
            ("too large for their bits", FrameBuilder { rsv: 0xf8, opcode: 0xf1, ..valid }, &[0b1_000_0001, 0b0_0000010]),
            ("a key of zeros", FrameBuilder { key: Some([0; 4]), ..valid }, &[0b1_000_0001, 0b1_0000010, 0, 0, 0, 0]),
            ("16 bits", FrameBuilder { length: 2, form: LengthForm::Bits16, ..valid }, &[0b1_000_0001, 126, 0, 2]),
            ("64 bits", FrameBuilder { length: 2, form: LengthForm::Bits64, ..valid }, &[0b1_000_0001, 127, 0, 0, 0, 0, 0, 0, 0, 2]),
            ("all bits", FrameBuilder { length: u64::MAX, form: LengthForm::Bits64, ..valid },
                &[0b1_000_0001, 127, 255, 255, 255, 255, 255, 255, 255, 255]),
            ("127 in seven", FrameBuilder { length: 127, form: LengthForm::Bits7, ..valid }, &[0b1_000_0001, 127]),
            ("255 in seven", FrameBuilder { length: 255, form: LengthForm::Bits7, ..valid }, &[0b1_000_0001, 127]),
        ] {
            let mut wire = Vec::new();
            builder.encode(b"hi", &mut wire);
            assert_eq!(wire, [header, b"hi"].concat(), "{what}");
        }
        let mut wire = Vec::new();
        FrameBuilder { key: Some(KEY), length: 5, form: LengthForm::Bits7, ..valid }.encode(b"Hello", &mut wire);
        assert_eq!(wire, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]); // section 5.7
    }

    #[test]
    fn s5_2_the_lengths_that_fit_a_form() {
        for (form, fits, does_not) in [
            (LengthForm::Bits7, &[0, 125, 126, 127][..], &[128, 255, 256, u64::MAX][..]),
            (LengthForm::Bits16, &[0, 125, 126, 65_535], &[65_536, u64::MAX]),
            (LengthForm::Bits64, &[0, 65_535, 65_536, u64::MAX], &[]),
        ] {
            assert!(fits.iter().all(|length| form.fits(*length)), "{form:?}");
            assert!(!does_not.iter().any(|length| form.fits(*length)), "{form:?}");
        }
        let builder =
            |length, form| FrameBuilder { fin: true, rsv: 0, opcode: 1, key: None, length, form };
        for (length, announces) in [(125, false), (126, true), (127, true)] {
            assert_eq!(
                builder(length, LengthForm::Bits7).announces_longer_form(),
                announces,
                "{length}"
            );
        }
        assert!(!builder(126, LengthForm::Bits16).announces_longer_form());
    }

    proptest! {
        #[test]
        fn s5_2_the_lenient_reading_returns_the_fields(
            fin: bool,
            rsv in 0u8..8,
            opcode in 0u8..16,
            key: Option<[u8; 4]>,
            (length, form, size) in prop_oneof![
                (0u64..126, Just(LengthForm::Bits7), Just(0)),
                (0u64..65_536, Just(LengthForm::Bits16), Just(2)),
                (any::<u64>(), Just(LengthForm::Bits64), Just(8)),
            ],
        ) {
            let mut wire = Vec::new();
            FrameBuilder { fin, rsv, opcode, key, length, form }.encode(&[], &mut wire);
            let mut header = RawHeader::default();
            prop_assert_eq!(header.append_missing(&wire), wire.len());
            prop_assert!(header.is_whole());
            let bits = [rsv & 4 != 0, rsv & 2 != 0, rsv & 1 != 0];
            prop_assert_eq!((header.fin(), header.rsv(), header.opcode_bits()), (fin, bits, opcode));
            prop_assert_eq!((header.mask(), header.key()), (Some(key.is_some()), key));
            prop_assert_eq!((header.extended_size(), header.length()), (size, Some(length)));
            let sender = if key.is_some() { Role::Client } else { Role::Server };
            let strict = Header::parse(&wire, sender);
            let broken = header.violations(sender).next();
            prop_assert_eq!(strict.err(), broken);
        }
    }
}
