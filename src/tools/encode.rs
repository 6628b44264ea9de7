//! `wirechat encode`: builds frames, valid or not, and warns of each rule that they break.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use super::output::{Failure, Status, columns, print, warn};
use crate::explain::hex;
use crate::explain::picture::{bits_in, picture};
use crate::explain::text::byte_count;
use crate::wire::builder::{FrameBuilder, LengthForm};
use crate::wire::dissect::{Dissector, Frame};
use crate::wire::frame::Opcode;
use crate::wire::violation::{Rule, Violation};

/// The frames to build; by default one empty frame, not masked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodeOptions {
    /// The opcode of the first frame; the other frames are continuations.
    pub opcode: u8,
    /// The payload of all frames together.
    pub payload: Vec<u8>,
    /// Whether the frames are masked, and with which key.
    pub masking: Masking,
    /// Whether the last frame is without FIN too, as the other frames are.
    pub no_fin: bool,
    /// RSV1, RSV2 and RSV3 of every frame, as one number.
    pub rsv: u8,
    /// The form of each length, which must fit; `None` for the shortest.
    pub length_form: Option<LengthForm>,
    /// The declared length; `None` for the real one.
    pub declared: Option<u64>,
    /// The largest payload of one frame, in bytes.
    pub fragment: Option<usize>,
    /// What to write.
    pub output: EncodeOutput,
    /// Columns of a picture; `None` for those of the terminal.
    pub width: Option<usize>,
}

/// How frames are masked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Masking {
    /// Not masked.
    #[default]
    None,
    /// With this key.
    Key([u8; 4]),
    /// With a new random key for each frame.
    Random,
}

/// How frames are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncodeOutput {
    /// Bytes in hex; each frame begins a line.
    #[default]
    Hex,
    /// The bytes themselves.
    Raw,
    /// The figure of section 5.2.
    Picture,
}

/// A frame that was built.
#[derive(Debug, PartialEq, Eq)]
struct EncodedFrame {
    builder: FrameBuilder,
    /// The real length of its payload.
    length: u64,
    wire: Vec<u8>,
}

/// Bytes in a line of hex.
const LINE: usize = 16;

/// More warnings are counted, not printed: each of thousands of fragments can have one.
const WARNINGS_MAX: usize = 20;

/// Builds the frames, prints the warnings, writes the frames.
///
/// # Errors
/// Raw bytes for a terminal, no source of randomness, standard output that cannot be written.
pub fn run(options: &EncodeOptions) -> Result<Status, Failure> {
    if options.output == EncodeOutput::Raw && io::stdout().is_terminal() {
        let sentence = "--raw is for a pipe or a file, because a terminal would execute some bytes; \
                        without it the bytes are printed in hex";
        return Err(Failure { sentence: sentence.to_owned(), status: 2 });
    }
    let frames = encode(options, random_key)
        .map_err(|error| Failure { sentence: format!("no random key: {error}"), status: 1 })?;
    let dissected = dissect(&frames);
    let warnings = warnings(options, &frames, &dissected);
    for warning in warnings.iter().take(WARNINGS_MAX) {
        warn(warning);
    }
    if WARNINGS_MAX < warnings.len() {
        warn(&format!("and {} more", warnings.len() - WARNINGS_MAX));
    }
    let written = match options.output {
        EncodeOutput::Raw => frames.into_iter().flat_map(|frame| frame.wire).collect(),
        EncodeOutput::Hex => frames.iter().map(hex_lines).collect::<String>().into_bytes(),
        EncodeOutput::Picture => {
            let bits = bits_in(columns(options.width));
            dissected.iter().map(|frame| picture(frame, bits)).collect::<Vec<_>>().join("\n").into()
        }
    };
    print(&written).map(|()| 0)
}

fn random_key() -> io::Result<[u8; 4]> {
    let mut key = [0; 4];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(key)
}

/// Builds at least one frame; cuts the payload into fragments of the requested size.
fn encode(
    options: &EncodeOptions,
    mut random_key: impl FnMut() -> io::Result<[u8; 4]>,
) -> io::Result<Vec<EncodedFrame>> {
    let size = options.fragment.unwrap_or(usize::MAX).max(1);
    let count = options.payload.len().div_ceil(size).max(1);
    let mut parts = options.payload.chunks(size);
    let mut frames = Vec::new();
    for place in 0..count {
        let part = parts.next().unwrap_or_default(); // an empty payload has no chunk
        let key = match options.masking {
            Masking::None => None,
            Masking::Key(key) => Some(key),
            Masking::Random => Some(random_key()?),
        };
        let length = part.len() as u64;
        let declared = options.declared.unwrap_or(length);
        let builder = FrameBuilder {
            fin: !options.no_fin && place + 1 == count,
            rsv: options.rsv,
            opcode: if place == 0 { options.opcode } else { Opcode::Continuation as u8 },
            key,
            length: declared,
            form: options.length_form.unwrap_or(LengthForm::shortest(declared)),
        };
        let mut wire = Vec::new();
        builder.encode(part, &mut wire);
        frames.push(EncodedFrame { builder, length, wire });
    }
    Ok(frames)
}

/// The frames as a receiver reads them, up to the first with a wrong length: after it a receiver
/// reads other frames than were built.
fn dissect(frames: &[EncodedFrame]) -> Vec<Frame> {
    let mut wire: Vec<u8> = frames.iter().flat_map(|frame| &frame.wire).copied().collect();
    let mut dissector = Dissector::new(None, 0, LINE);
    let mut dissected = Vec::new();
    dissector.read(&mut wire, |frame| dissected.push(frame));
    dissected.extend(dissector.finish());
    let mismatch = frames.iter().position(|frame| length_mismatch(frame).is_some());
    dissected.truncate(mismatch.map_or(frames.len(), |place| place + 1));
    dissected
}

/// A sentence for each rule that is broken.
fn warnings(options: &EncodeOptions, frames: &[EncodedFrame], dissected: &[Frame]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (number, (frame, encoded)) in (1..).zip(dissected.iter().zip(frames)) {
        let mismatch = length_mismatch(encoded);
        // With a wrong length, the payload that a receiver reads is not the payload of this frame.
        let violations = match mismatch {
            Some(_) => frame.header.violations(frame.sender).collect(),
            None => frame.violations.clone(),
        };
        let is_short = LengthForm::shortest(encoded.builder.length) == LengthForm::Bits7;
        let is_reported = |violation: &Violation| match violation {
            // The user sends the start of the message in another call.
            Violation::NothingToContinue => false,
            // A receiver rejects the longer forms before it knows the length; here it is known.
            Violation::ControlTooLong => !is_short,
            _ => true,
        };
        let broken = violations.into_iter().filter(is_reported).map(Violation::rule);
        warnings.extend(broken.map(|Rule { sentence, requirement, .. }| {
            format!("frame {number}: {sentence} (RFC 6455, {})", requirement.id)
        }));
        warnings.extend(mismatch.map(|what| format!("frame {number}: {what} (RFC 6455, 5.2)")));
    }
    if matches!(options.masking, Masking::Key(_)) && 1 < frames.len() {
        let count = frames.len();
        warnings.push(format!(
            "one masking key for all {count} frames, but each frame needs a new one (RFC 6455, 5.3-b)"
        ));
    }
    warnings
}

/// The difference between the declared length of a frame and its real length.
fn length_mismatch(frame: &EncodedFrame) -> Option<String> {
    let EncodedFrame { builder, length, .. } = frame;
    let (declared, length) = (builder.length, *length);
    if builder.announces_longer_form() {
        let size = if declared == 126 { 2 } else { 8 };
        return Some(format!(
            "{declared} in seven bits announces a length in the next {size} bytes"
        ));
    }
    let difference = byte_count(declared.abs_diff(length));
    let direction = if length < declared { "more" } else { "less" };
    (declared != length)
        .then(|| format!("its length declares {difference} {direction} than follow"))
}

fn hex_lines(frame: &EncodedFrame) -> String {
    frame.wire.chunks(LINE).map(|line| hex::encode(line, " ") + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    fn encoded(options: &EncodeOptions) -> Vec<EncodedFrame> {
        let mut last = 0;
        let counted = || {
            last += 1;
            Ok([0, 0, 0, last])
        };
        encode(options, counted).unwrap()
    }

    fn warnings_of(options: &EncodeOptions) -> Vec<String> {
        let frames = encoded(options);
        warnings(options, &frames, &dissect(&frames))
    }

    fn text(payload: &str) -> EncodeOptions {
        EncodeOptions {
            opcode: Opcode::Text as u8,
            payload: payload.into(),
            ..EncodeOptions::default()
        }
    }

    #[test]
    fn s5_4_a_payload_is_cut_into_fragments() {
        for (payload, size, wire) in [
            ("Hello", None, &[&b"\x81\x05Hello"[..]][..]),
            ("Hello", Some(5), &[b"\x81\x05Hello"]),
            ("Hello", Some(usize::MAX), &[b"\x81\x05Hello"]),
            ("Hello", Some(4), &[b"\x01\x04Hell", b"\x80\x01o"]),
            ("Hello", Some(2), &[b"\x01\x02He", b"\x00\x02ll", b"\x80\x01o"]),
            ("", Some(2), &[b"\x81\x00"]),
            ("", None, &[b"\x81\x00"]),
        ] {
            let options = EncodeOptions { fragment: size, ..text(payload) };
            let frames: Vec<Vec<u8>> =
                encoded(&options).into_iter().map(|frame| frame.wire).collect();
            assert_eq!(frames, wire, "{payload} in {size:?}");
        }
        let open = encoded(&EncodeOptions { fragment: Some(3), no_fin: true, ..text("Hello") });
        assert!(open.iter().all(|frame| !frame.builder.fin));
    }

    #[test]
    fn s5_3_each_frame_has_a_new_random_key() {
        let options =
            EncodeOptions { fragment: Some(2), masking: Masking::Random, ..text("Hello") };
        let keys: Vec<_> = encoded(&options).iter().map(|frame| frame.builder.key).collect();
        assert_eq!(keys, [1, 2, 3].map(|last| Some([0, 0, 0, last])));
        assert!(warnings_of(&options).is_empty());
        let options = EncodeOptions { masking: Masking::Key(KEY), ..options };
        let sentence =
            "one masking key for all 3 frames, but each frame needs a new one (RFC 6455, 5.3-b)";
        assert_eq!(warnings_of(&options), [sentence]);
        assert_ne!(random_key().unwrap(), random_key().unwrap());
    }

    #[test]
    #[rustfmt::skip]
    fn each_broken_rule_has_a_warning() {
        let ping = |payload: usize| EncodeOptions { opcode: 9, payload: vec![0; payload], ..EncodeOptions::default() };
        let close = |body: &[u8]| EncodeOptions { opcode: 8, payload: body.into(), ..EncodeOptions::default() };
        for (what, options, expected) in [
            ("a text", text("Hello"), &[][..]),
            ("masked", EncodeOptions { masking: Masking::Key(KEY), ..text("Hello") }, &[]),
            ("more to come", EncodeOptions { no_fin: true, ..text("\u{e9}") }, &[]),
            ("a continuation", EncodeOptions { opcode: 0, ..text("lo") }, &[]),
            ("a cut character", EncodeOptions { fragment: Some(1), ..text("\u{e9}") }, &[]),
            ("RSV1", EncodeOptions { rsv: 4, ..text("") }, &["5.2"]),
            ("opcode 3", EncodeOptions { opcode: 3, ..text("") }, &["5.2"]),
            ("a Ping of 125", ping(125), &[]),
            ("a Ping of 126", ping(126), &["5.5"]),
            ("a Ping in 16 bits", EncodeOptions { length_form: Some(LengthForm::Bits16), ..ping(125) }, &["5.2"]),
            ("a Ping in 64 bits", EncodeOptions { length_form: Some(LengthForm::Bits64), ..ping(0) }, &["5.2"]),
            ("a long Ping in 64 bits", EncodeOptions { length_form: Some(LengthForm::Bits64), ..ping(126) }, &["5.5", "5.2"]),
            ("a Ping that declares 126", EncodeOptions { declared: Some(126), ..ping(0) }, &["5.5", "5.2"]),
            ("a Ping in fragments", EncodeOptions { fragment: Some(1), ..ping(2) }, &["5.5"]),
            ("a Ping without FIN", EncodeOptions { no_fin: true, ..ping(0) }, &["5.5"]),
            ("a Close", close(&[]), &[]),
            ("a Close of one byte", close(&[3]), &["5.5.1"]),
            ("1005", close(&[3, 0xed]), &["7.4.1"]),
            ("a reason that is not UTF-8", close(&[3, 0xe8, 0xff]), &["5.5.1"]),
            ("a text that is not UTF-8", EncodeOptions { payload: vec![0xff], ..text("") }, &["8.1"]),
            ("half a character", EncodeOptions { payload: vec![0xc3], ..text("") }, &["8.1"]),
            ("5 in 16 bits", EncodeOptions { length_form: Some(LengthForm::Bits16), ..text("Hello") }, &["5.2"]),
            ("126 in 16 bits", EncodeOptions { length_form: Some(LengthForm::Bits16), ..text(&"a".repeat(126)) }, &[]),
            ("126 in 7 bits", EncodeOptions { length_form: Some(LengthForm::Bits7), ..text(&"a".repeat(126)) }, &["5.2"]),
            ("declares too much", EncodeOptions { declared: Some(6), ..text("Hello") }, &["5.2"]),
            ("declares too little", EncodeOptions { declared: Some(4), ..text("Hello") }, &["5.2"]),
            ("2^63", EncodeOptions { declared: Some(1 << 63), ..text("") }, &["5.2", "5.2"]),
            ("much at once", EncodeOptions { rsv: 7, opcode: 11, no_fin: true, length_form: Some(LengthForm::Bits64), ..text("") },
                &["5.2", "5.2", "5.5", "5.2"]),
        ] {
            let warned = warnings_of(&options);
            let sections: Vec<_> = warned.iter().filter_map(|warning| warning.split_once("RFC 6455, ")).collect();
            let sections: Vec<_> = sections.iter().filter_map(|(_, cited)| cited.split(['-', ')']).next()).collect();
            assert_eq!(sections, expected, "{what}: {warned:?}");
            assert!(warned.iter().all(|warning| warning.starts_with("frame 1: ")), "{what}: {warned:?}");
        }
    }

    #[test]
    fn frames_after_a_wrong_length_are_not_checked() {
        let two = EncodeOptions {
            fragment: Some(126),
            length_form: Some(LengthForm::Bits7),
            ..text(&"a".repeat(252))
        };
        let frames = encoded(&two);
        assert_eq!((frames.len(), dissect(&frames).len()), (2, 1));
        assert_eq!(
            warnings_of(&two),
            ["frame 1: 126 in seven bits announces a length in the next 2 bytes (RFC 6455, 5.2)"]
        );
        for (declared, sentence) in [
            (6, "frame 1: its length declares 1 byte more than follow (RFC 6455, 5.2)"),
            (3, "frame 1: its length declares 2 bytes less than follow (RFC 6455, 5.2)"),
        ] {
            assert_eq!(
                warnings_of(&EncodeOptions { declared: Some(declared), ..text("Hello") }),
                [sentence]
            );
        }
    }

    #[test]
    fn hex_has_16_bytes_a_line_and_a_frame_begins_a_line() {
        let options = EncodeOptions { fragment: Some(16), ..text("0123456789abcdefg") };
        let lines: String = encoded(&options).iter().map(hex_lines).collect();
        assert_eq!(lines, "01 10 30 31 32 33 34 35 36 37 38 39 61 62 63 64\n65 66\n80 01 67\n");
    }

    proptest! {
        #[test]
        fn built_frames_are_read_with_the_requested_fields(
            opcode in 0u8..16,
            payload in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), "\\PC{0,100}".prop_map(String::into_bytes)],
            key: Option<[u8; 4]>,
            fin: bool,
            rsv in 0u8..8,
            length_form in prop::option::of(prop::sample::select(vec![LengthForm::Bits16, LengthForm::Bits64])),
            fragment in prop::option::of(1usize..300),
        ) {
            let masking = key.map_or(Masking::None, Masking::Key);
            let options = EncodeOptions { opcode, payload, masking, no_fin: !fin, rsv, length_form, fragment, ..EncodeOptions::default() };
            let frames = encoded(&options);
            let mut wire: Vec<u8> = frames.iter().flat_map(|frame| &frame.wire).copied().collect();
            let mut dissector = Dissector::new(None, 0, usize::MAX);
            let mut read = Vec::new();
            dissector.read(&mut wire, |frame| read.push(frame));
            prop_assert!(dissector.finish().is_none());
            let payload: Vec<u8> = read.iter().flat_map(|frame| &frame.payload).copied().collect();
            prop_assert_eq!(&payload, &options.payload);
            prop_assert_eq!(read.len(), frames.len());
            for (place, frame) in read.iter().enumerate() {
                let header = &frame.header;
                let fields = (header.fin(), header.opcode_bits(), header.key());
                let opcode = if place == 0 { opcode } else { 0 };
                prop_assert_eq!(fields, (fin && place + 1 == read.len(), opcode, key));
                prop_assert_eq!(header.rsv(), [4, 2, 1].map(|bit| rsv & bit != 0));
                let size = match length_form {
                    Some(LengthForm::Bits16) => 2,
                    Some(LengthForm::Bits64) => 8,
                    _ => if frame.arrived < 126 { 0 } else { 2 },
                };
                prop_assert_eq!(header.extended_size(), size);
            }
        }
    }
}
