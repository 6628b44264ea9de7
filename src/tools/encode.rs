//! `wirechat encode`: frames, right or wrong, with a warning for each rule that they break.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use super::{Failure, Status, say, warn};
use crate::explain::fields::{hex, octets};
use crate::explain::picture::{bits_in, picture};
use crate::wire::close::Violation;
use crate::wire::dissect::{Dissector, Frame};
use crate::wire::draft::{Draft, Form, Length};
use crate::wire::frame::Opcode;

/// What to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
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
    pub form: Option<Form>,
    /// The length that is said, if it is not to be the true one.
    pub declared: Option<u64>,
    /// The most octets of a frame's payload.
    pub fragment: Option<usize>,
    /// What to write.
    pub output: Output,
    /// Columns of a picture.
    pub width: usize,
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
pub enum Output {
    /// Octets in hex, each frame on lines of its own.
    Hex,
    /// The octets themselves.
    Raw,
    /// The picture of section 5.2.
    Picture,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            opcode: Opcode::Text as u8,
            payload: Vec::new(),
            masking: Masking::None,
            fin: true,
            rsv: 0,
            form: None,
            declared: None,
            fragment: None,
            output: Output::Hex,
            width: 80,
        }
    }
}

/// A frame that was made.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    draft: Draft,
    /// Octets of payload that it really carries.
    carried: usize,
    wire: Vec<u8>,
}

/// Octets of a line in hex.
const LINE: usize = 16;

/// Makes the frames, writes them, and warns of what is wrong with them.
///
/// # Errors
/// Octets that would go to a terminal, no randomness, standard output that takes nothing.
pub fn run(options: &Options) -> Result<Status, Failure> {
    if options.output == Output::Raw && io::stdout().is_terminal() {
        let sentence = "--raw is for a pipe or a file, since a terminal would take octets for its \
                        commands; without it they come in hex";
        return Err(Failure { sentence: sentence.to_owned(), status: 2 });
    }
    let frames = make(options, fresh_key)
        .map_err(|error| Failure { sentence: format!("no random key: {error}"), status: 1 })?;
    let read = read(&frames);
    for warning in warnings(options, &frames, &read) {
        warn(&warning);
    }
    let written = match options.output {
        Output::Raw => frames.into_iter().flat_map(|frame| frame.wire).collect(),
        Output::Hex => frames.iter().map(hex_lines).collect::<String>().into_bytes(),
        Output::Picture => {
            let bits = bits_in(options.width);
            read.iter().map(|frame| picture(frame, bits)).collect::<Vec<_>>().join("\n").into()
        }
    };
    say(&written).map(|()| 0)
}

fn fresh_key() -> io::Result<[u8; 4]> {
    let mut key = [0; 4];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(key)
}

/// At least one frame, the payload cut as it is asked for.
fn make(
    options: &Options,
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
        let in_form = options.form.and_then(|form| Length::in_form(form, said));
        let draft = Draft {
            fin: options.fin && place == last,
            rsv: options.rsv,
            opcode: if place == 0 { options.opcode } else { Opcode::Continuation as u8 },
            key,
            length: in_form.unwrap_or_else(|| Length::shortest(said)),
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
fn warnings(options: &Options, frames: &[Made], read: &[Frame]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (number, (frame, made)) in (1..).zip(read.iter().zip(frames)) {
        // A continuation that was asked for continues what its maker sent before.
        let is_told = |violation: &&Violation| **violation != Violation::NothingToContinue;
        for violation in frame.violations.iter().filter(is_told) {
            let (_, section, sentence) = violation.verdict();
            warnings.push(format!("frame {number}: {sentence} (RFC 6455, {section})"));
        }
        warnings.extend(lie(made).map(|lie| format!("frame {number}: {lie} (RFC 6455, 5.2)")));
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
        Length::Bits7(length) => length.into(),
        Length::Bits16(length) => length.into(),
        Length::Bits64(length) => length,
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
