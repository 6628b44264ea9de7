//! `wirechat encode`: frames, right or wrong, with a warning for each rule that they break.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use super::{Failure, Status, columns, print, warn};
use crate::explain::fields::{hex, octets};
use crate::explain::picture::{bits_in, picture};
use crate::wire::builder::{FrameBuilder, LengthField, LengthForm};
use crate::wire::close::Violation;
use crate::wire::dissect::{Dissector, Frame};
use crate::wire::frame::Opcode;

/// What to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Of the first frame; the others are continuations.
    pub opcode: u8,
    /// What all frames carry together.
    pub payload: Vec<u8>,
    /// Where the keys come from.
    pub masking: Masking,
    /// FIN of the last frame; the others have none.
    pub fin: bool,
    /// RSV1, RSV2 and RSV3 of every frame, as one number.
    pub rsv: u8,
    /// The form of each length, if it is not to be the shortest.
    pub length_form: Option<LengthForm>,
    /// The length that is said, if it is not to be the true one.
    pub declared: Option<u64>,
    /// The most octets of a frame's payload.
    pub fragment: Option<usize>,
    /// What to write.
    pub output: EncodeOutput,
    /// Columns of a picture; without it, those of the terminal.
    pub width: Option<usize>,
}

/// How frames are masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masking {
    /// Not at all.
    None,
    /// With this key.
    Key([u8; 4]),
    /// Each with a fresh one.
    Random,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeOutput {
    /// Octets in hex, each frame on lines of its own.
    Hex,
    /// The octets themselves.
    Raw,
    /// The picture of section 5.2.
    Picture,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            opcode: Opcode::Text as u8,
            payload: Vec::new(),
            masking: Masking::None,
            fin: true,
            rsv: 0,
            length_form: None,
            declared: None,
            fragment: None,
            output: EncodeOutput::Hex,
            width: None,
        }
    }
}

/// A frame that was made.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    draft: FrameBuilder,
    /// Octets of payload that it really carries.
    carried: usize,
    wire: Vec<u8>,
}

/// Octets of a line in hex.
const LINE: usize = 16;

/// Warnings that are read; thousands of fragments can have one each.
const WARNINGS_MAX: usize = 20;

/// Makes the frames, writes them, and warns of what is wrong with them.
///
/// # Errors
/// Octets that would go to a terminal, no randomness, standard output that takes nothing.
pub fn run(options: &EncodeOptions) -> Result<Status, Failure> {
    if options.output == EncodeOutput::Raw && io::stdout().is_terminal() {
        let sentence = "--raw is for a pipe or a file, since a terminal would take octets for its \
                        commands; without it they come in hex";
        return Err(Failure { sentence: sentence.to_owned(), status: 2 });
    }
    let frames = make(options, fresh_key)
        .map_err(|error| Failure { sentence: format!("no random key: {error}"), status: 1 })?;
    let read = read(&frames);
    let warnings = warnings(options, &frames, &read);
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
            read.iter().map(|frame| picture(frame, bits)).collect::<Vec<_>>().join("\n").into()
        }
    };
    print(&written).map(|()| 0)
}

fn fresh_key() -> io::Result<[u8; 4]> {
    let mut key = [0; 4];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(key)
}

/// At least one frame, the payload cut as it is asked for.
fn make(
    options: &EncodeOptions,
    mut fresh_key: impl FnMut() -> io::Result<[u8; 4]>,
) -> io::Result<Vec<Made>> {
    let mut parts: Vec<&[u8]> = match options.fragment {
        Some(size) => options.payload.chunks(size.max(1)).collect(),
        None => vec![&options.payload],
    };
    if parts.is_empty() {
        parts.push(&[]);
    }
    let last = parts.len() - 1;
    let mut frames = Vec::new();
    for (place, part) in parts.into_iter().enumerate() {
        let key = match options.masking {
            Masking::None => None,
            Masking::Key(key) => Some(key),
            Masking::Random => Some(fresh_key()?),
        };
        let said = options.declared.unwrap_or(part.len() as u64);
        let in_form = options.length_form.and_then(|form| LengthField::in_form(form, said));
        let draft = FrameBuilder {
            fin: options.fin && place == last,
            rsv: options.rsv,
            opcode: if place == 0 { options.opcode } else { Opcode::Continuation as u8 },
            key,
            length: in_form.unwrap_or_else(|| LengthField::shortest(said)),
        };
        let mut wire = Vec::new();
        draft.encode(part, &mut wire);
        frames.push(Made { draft, carried: part.len(), wire });
    }
    Ok(frames)
}

/// What a reader takes the frames for.
fn read(frames: &[Made]) -> Vec<Frame> {
    let mut wire: Vec<u8> = frames.iter().flat_map(|frame| &frame.wire).copied().collect();
    let mut dissector = Dissector::new(None, 0, LINE);
    let mut read = Vec::new();
    dissector.read(&mut wire, |frame| read.push(frame));
    read.extend(dissector.finish());
    read.truncate(trusted(frames));
    read
}

/// Frames up to the first that says something wrong of its length: behind it a reader finds others
/// than were made.
fn trusted(frames: &[Made]) -> usize {
    let lie = frames.iter().position(|frame| lie(frame).is_some());
    lie.map_or(frames.len(), |place| place + 1)
}

/// One sentence for each rule that is broken.
fn warnings(options: &EncodeOptions, frames: &[Made], read: &[Frame]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (number, (frame, made)) in (1..).zip(read.iter().zip(frames)) {
        let lie = lie(made);
        // What a reader takes for the payload of a frame that lies is not what was put there.
        let violations = match lie {
            Some(_) => frame.header.violations(frame.sender).collect(),
            None => frame.violations.clone(),
        };
        let length = frame.header.length().map(LengthField::shortest);
        let is_told = |violation: &Violation| match violation {
            // A continuation that was asked for continues what its maker sent before.
            Violation::NothingToContinue => false,
            // A receiver refuses the longer forms before it knows the length; whoever makes the frame
            // knows it.
            Violation::ControlTooLong => !matches!(length, Some(LengthField::Bits7(_))),
            _ => true,
        };
        for rule in violations.into_iter().filter(is_told).map(Violation::rule) {
            let (sentence, section) = (rule.sentence, rule.section());
            warnings.push(format!("frame {number}: {sentence} (RFC 6455, {section})"));
        }
        warnings.extend(lie.map(|lie| format!("frame {number}: {lie} (RFC 6455, 5.2)")));
    }
    if matches!(options.masking, Masking::Key(_)) && 1 < frames.len() {
        let count = frames.len();
        warnings.push(format!(
            "one masking key for all {count} frames, where each takes a fresh one (RFC 6455, 5.3)"
        ));
    }
    warnings
}

/// What is wrong about the length that a frame tells.
fn lie(frame: &Made) -> Option<String> {
    let said = match frame.draft.length {
        LengthField::Bits7(length) => length.into(),
        LengthField::Bits16(length) => length.into(),
        LengthField::Bits64(length) => length,
    };
    let carried = frame.carried as u64;
    if frame.draft.length.is_mistaken() {
        let more = if said == 126 { 2 } else { 8 };
        return Some(format!(
            "{said} in seven bits says that the length is in the next {more} octets"
        ));
    }
    match said.checked_sub(carried) {
        Some(0) => None,
        Some(missing) => {
            Some(format!("it declares {} of payload more than follow", octets(missing)))
        }
        None => Some(format!("it declares {} of payload less than follow", octets(carried - said))),
    }
}

fn hex_lines(frame: &Made) -> String {
    frame.wire.chunks(LINE).map(|line| hex(line, " ") + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    fn made(options: &EncodeOptions) -> Vec<Made> {
        let mut last = 0;
        let counted = || {
            last += 1;
            Ok([0, 0, 0, last])
        };
        make(options, counted).unwrap()
    }

    fn warned(options: &EncodeOptions) -> Vec<String> {
        let frames = made(options);
        warnings(options, &frames, &read(&frames))
    }

    fn text(payload: &str) -> EncodeOptions {
        EncodeOptions { payload: payload.into(), ..EncodeOptions::default() }
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
            let frames: Vec<Vec<u8>> = made(&options).into_iter().map(|made| made.wire).collect();
            assert_eq!(frames, wire, "{payload} in {size:?}");
        }
        let open = made(&EncodeOptions { fragment: Some(3), fin: false, ..text("Hello") });
        assert!(open.iter().all(|frame| !frame.draft.fin));
    }

    #[test]
    fn s5_3_random_keys_are_fresh_for_each_frame() {
        let options =
            EncodeOptions { fragment: Some(2), masking: Masking::Random, ..text("Hello") };
        let keys: Vec<_> = made(&options).iter().map(|frame| frame.draft.key).collect();
        assert_eq!(keys, [1, 2, 3].map(|last| Some([0, 0, 0, last])));
        assert!(warned(&options).is_empty());
        let options = EncodeOptions { masking: Masking::Key(KEY), ..options };
        let sentence =
            "one masking key for all 3 frames, where each takes a fresh one (RFC 6455, 5.3)";
        assert_eq!(warned(&options), [sentence]);
        assert_ne!(fresh_key().unwrap(), fresh_key().unwrap());
    }

    #[test]
    #[rustfmt::skip]
    fn each_rule_that_is_broken_is_named() {
        let ping = |payload: usize| EncodeOptions { opcode: 9, payload: vec![0; payload], ..EncodeOptions::default() };
        let close = |body: &[u8]| EncodeOptions { opcode: 8, payload: body.into(), ..EncodeOptions::default() };
        for (what, options, expected) in [
            ("a text", text("Hello"), &[][..]),
            ("a client's", EncodeOptions { masking: Masking::Key(KEY), ..text("Hello") }, &[]),
            ("more to come", EncodeOptions { fin: false, ..text("\u{e9}") }, &[]),
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
            ("a Ping without FIN", EncodeOptions { fin: false, ..ping(0) }, &["5.5"]),
            ("a Close", close(&[]), &[]),
            ("a Close of one octet", close(&[3]), &["5.5.1"]),
            ("1005", close(&[3, 0xed]), &["7.4.1"]),
            ("a reason that is not UTF-8", close(&[3, 0xe8, 0xff]), &["5.5.1"]),
            ("a text that is not UTF-8", EncodeOptions { payload: vec![0xff], ..text("") }, &["8.1"]),
            ("half a character", EncodeOptions { payload: vec![0xc3], ..text("") }, &["8.1"]),
            ("5 in 16 bits", EncodeOptions { length_form: Some(LengthForm::Bits16), ..text("Hello") }, &["5.2"]),
            ("126 in 16 bits", EncodeOptions { length_form: Some(LengthForm::Bits16), ..text(&"a".repeat(126)) }, &[]),
            ("126 in 7 bits", EncodeOptions { length_form: Some(LengthForm::Bits7), ..text(&"a".repeat(126)) }, &["5.2"]),
            ("too little", EncodeOptions { declared: Some(6), ..text("Hello") }, &["5.2"]),
            ("too much", EncodeOptions { declared: Some(4), ..text("Hello") }, &["5.2"]),
            ("2^63", EncodeOptions { declared: Some(1 << 63), ..text("") }, &["5.2", "5.2"]),
            ("much at once", EncodeOptions { rsv: 7, opcode: 11, fin: false, length_form: Some(LengthForm::Bits64), ..text("") },
                &["5.2", "5.2", "5.5", "5.2"]),
        ] {
            let warned = warned(&options);
            let sections: Vec<_> = warned.iter().filter_map(|warning| warning.split_once("RFC 6455, ")).collect();
            let sections: Vec<_> = sections.iter().map(|(_, section)| section.trim_end_matches(')')).collect();
            assert_eq!(sections, expected, "{what}: {warned:?}");
            assert!(warned.iter().all(|warning| warning.starts_with("frame 1: ")), "{what}: {warned:?}");
        }
    }

    #[test]
    fn a_frame_that_lies_hides_what_follows() {
        let two = EncodeOptions {
            fragment: Some(126),
            length_form: Some(LengthForm::Bits7),
            ..text(&"a".repeat(252))
        };
        let frames = made(&two);
        assert_eq!((frames.len(), read(&frames).len()), (2, 1));
        assert_eq!(
            warned(&two),
            [
                "frame 1: 126 in seven bits says that the length is in the next 2 octets (RFC 6455, 5.2)"
            ]
        );
        for (declared, sentence) in [
            (6, "frame 1: it declares 1 octet of payload more than follow (RFC 6455, 5.2)"),
            (3, "frame 1: it declares 2 octets of payload less than follow (RFC 6455, 5.2)"),
        ] {
            assert_eq!(
                warned(&EncodeOptions { declared: Some(declared), ..text("Hello") }),
                [sentence]
            );
        }
    }

    #[test]
    fn hex_is_16_octets_a_line_and_a_frame_begins_a_line() {
        let options = EncodeOptions { fragment: Some(16), ..text("0123456789abcdefg") };
        let lines: String = made(&options).iter().map(hex_lines).collect();
        assert_eq!(lines, "01 10 30 31 32 33 34 35 36 37 38 39 61 62 63 64\n65 66\n80 01 67\n");
    }

    proptest! {
        #[test]
        fn whatever_is_made_is_read_as_it_was_asked_for(
            opcode in 0u8..16,
            payload in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), "\\PC{0,100}".prop_map(String::into_bytes)],
            key: Option<[u8; 4]>,
            fin: bool,
            rsv in 0u8..8,
            form in prop::option::of(prop::sample::select(vec![LengthForm::Bits16, LengthForm::Bits64])),
            fragment in prop::option::of(1usize..300),
        ) {
            let masking = key.map_or(Masking::None, Masking::Key);
            let options = EncodeOptions { opcode, payload, masking, fin, rsv, length_form: form, fragment, ..EncodeOptions::default() };
            let frames = made(&options);
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
                let told = (header.fin(), header.opcode_bits(), header.key());
                let opcode = if place == 0 { opcode } else { 0 };
                prop_assert_eq!(told, (fin && place + 1 == read.len(), opcode, key));
                prop_assert_eq!(header.rsv(), [4, 2, 1].map(|bit| rsv & bit != 0));
                let size = match form {
                    Some(LengthForm::Bits16) => 2,
                    Some(LengthForm::Bits64) => 8,
                    _ => if frame.arrived < 126 { 0 } else { 2 },
                };
                prop_assert_eq!(header.extended_size(), size);
            }
        }
    }
}
