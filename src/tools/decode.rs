//! `wirechat decode`: explains captured bytes.

use std::error::Error;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use super::output::{Failure, Status, columns, warn};
use crate::explain::view::{Colour, View};
use crate::wire::frame::Role;
use crate::wire::server_response::ClientOffer;
use hex::{HexReader, is_hex, is_utf_16, looks_like_bytes};
use progress::Progress;
use report::Report;
use stream::Stream;

mod examples;
mod hex;
mod progress;
mod report;
mod stream;
mod summary;

/// What to decode, and how to print it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Where the bytes come from.
    pub source: DecodeSource,
    /// How they are written.
    pub encoding: InputEncoding,
    /// Who sent them; `None` infers it from the last head, or from the first MASK bit.
    pub sender: Option<Role>,
    /// The client's key, for a stream without the request.
    pub key: Option<String>,
    /// Whether the result is JSON, not text.
    pub json: bool,
    /// Whether it is the totals of the stream, not each head and frame.
    pub summary: bool,
    /// Whether it has colours; `None` for colours on a terminal.
    pub colour: Option<Colour>,
    /// Columns of a line; `None` for those of the terminal.
    pub width: Option<usize>,
}

/// Where bytes come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DecodeSource {
    /// Arguments of the command: the name of a file, or bytes in hex.
    Arguments(Vec<String>),
    /// Standard input.
    #[default]
    Stdin,
    /// The example of this name; `None` lists the examples.
    Example(Option<String>),
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputEncoding {
    /// To be detected.
    #[default]
    Detect,
    /// As text, in a format to be detected.
    Text,
    /// As text in hex.
    Hex,
    /// As the bytes themselves.
    Raw,
}

/// Why decoding stopped before the end: an `io::Error` of standard output, or a sentence about the input.
type DecodeError = Box<dyn Error>;

/// The name of bytes on the command line in an error message.
const ARGUMENTS: &str = "the arguments";
/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;
/// At least this many bytes are needed to distinguish hex from raw bytes.
const GUESS_MIN: usize = 8;
/// At most this many are examined for that.
const GUESS_MAX: usize = 4096;

/// Prints the result on standard output; the status is 1 if anything breaks a rule.
///
/// # Errors
/// With status 2: input that cannot be read, or standard output that cannot be written.
pub fn run(options: &DecodeOptions) -> Result<Status, Failure> {
    let default = if io::stdout().is_terminal() { Colour::On } else { Colour::Off };
    let colour = options.colour.unwrap_or(default);
    let mut report = Report::new(options, View { width: columns(options.width), colour });
    let decoded = decode_source(options, &mut report).and_then(|()| Ok(report.flush()?));
    let Err(error) = decoded else { return Ok(report.status()) };
    let sentence = match error.downcast_ref::<io::Error>() {
        // The reader of standard output has closed its end and needs no more.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(report.status()),
        Some(error) => format!("standard output: {error}"),
        None => error.to_string(),
    };
    let _ = report.flush(); // the part before the error, which is returned
    Err(Failure { sentence, status: 2 })
}

fn decode_source(options: &DecodeOptions, report: &mut Report) -> Result<(), DecodeError> {
    match &options.source {
        DecodeSource::Example(None) => report.paragraph(&examples::table(report.view))?,
        DecodeSource::Example(Some(name)) => {
            let example = examples::find(name)?;
            report.text_only(&example.text(report.view))?;
            let sender = options.sender.or(example.sender);
            let encoding = InputEncoding::Detect;
            let options = DecodeOptions { encoding, sender, ..options.clone() };
            decode(example.capture.as_bytes(), name, &options, report)?;
        }
        DecodeSource::Arguments(words) => decode_arguments(words, options, report)?,
        DecodeSource::Stdin if io::stdin().is_terminal() => {
            let sentence = "there is no input: name a file, write the bytes in hex, as in `wirechat decode \
                            81 05 48 65 6c 6c 6f`, or pipe them in";
            return Err(sentence.into());
        }
        DecodeSource::Stdin => decode(io::stdin().lock(), "standard input", options, report)?,
    }
    Ok(())
}

/// One argument can be the name of a file; several are bytes in hex.
fn decode_arguments(
    words: &[String],
    options: &DecodeOptions,
    report: &mut Report,
) -> Result<(), DecodeError> {
    let is_raw = options.encoding == InputEncoding::Raw;
    let is_file = |word: &str| Path::new(word).exists();
    let wrong = match words {
        [name] if is_raw || is_file(name) || !looks_like_bytes(name) => {
            let shown = name.escape_debug().to_string();
            let file = File::open(name).map_err(|error| {
                format!("{shown}: {error}; name a file, or write bytes in hex, as in 81 05")
            })?;
            return decode(file, &shown, options, report);
        }
        _ if is_raw => "--raw is for a file or standard input; bytes on the command line are hex",
        [name, ..] if is_file(name) && !looks_like_bytes(name) => {
            "decode reads one file at a time; name one file alone"
        }
        _ => {
            let is_hex = options.encoding == InputEncoding::Hex;
            let encoding = if is_hex { InputEncoding::Hex } else { InputEncoding::Text };
            let options = DecodeOptions { encoding, ..options.clone() };
            return decode(words.join(" ").as_bytes(), ARGUMENTS, &options, report);
        }
    };
    Err(wrong.into())
}

/// Reads `source` to its end and reports its parts; `name` is for error messages.
fn decode(
    mut source: impl Read,
    name: &str,
    options: &DecodeOptions,
    report: &mut Report,
) -> Result<(), DecodeError> {
    let mut piece = vec![0; PIECE];
    let unreadable = |error: io::Error| format!("{name}: {error}");
    let mut count = fill(&mut source, &mut piece, GUESS_MIN).map_err(unreadable)?;
    let beginning = piece.get(..count.min(GUESS_MAX)).unwrap_or_default();
    let mut reader = hex_reader(options.encoding, beginning, name)?;
    let key = options.key.clone().map(String::into_bytes);
    let offer = ClientOffer { key, ..ClientOffer::default() };
    let mut stream = Stream::new(report, options.sender, offer);
    let mut progress = Progress::new(options.summary);
    while count != 0 {
        progress.advance(count);
        let read = piece.get_mut(..count).unwrap_or_default();
        match &mut reader {
            Some(reader) => read_hex(reader, Some(read), &mut stream, name)?,
            None => stream.read(read)?,
        }
        count = fill(&mut source, &mut piece, 1).map_err(unreadable)?;
    }
    drop(progress); // erases its line before anything else is written
    if let Some(reader) = &mut reader {
        read_hex(reader, None, &mut stream, name)?;
    }
    Ok(stream.finish()?)
}

/// Reads the next `text`, or the end of it; the stream gets its bytes, also those before an error.
fn read_hex(
    reader: &mut HexReader,
    text: Option<&[u8]>,
    stream: &mut Stream,
    name: &str,
) -> Result<(), DecodeError> {
    let mut bytes = Vec::new();
    let read = match text {
        Some(text) => reader.read(text, &mut bytes),
        None => reader.finish(&mut bytes),
    };
    reader.note().into_iter().for_each(warn);
    stream.read(&mut bytes)?;
    let raw = if name == ARGUMENTS { "" } else { "; --raw reads the bytes as they are" };
    Ok(read.map_err(|sentence| format!("{name}, {sentence}{raw}"))?)
}

/// The reader of text in this encoding; `None` for raw bytes.
fn hex_reader(
    encoding: InputEncoding,
    beginning: &[u8],
    name: &str,
) -> Result<Option<HexReader>, String> {
    Ok(match encoding {
        InputEncoding::Raw => None,
        _ if is_utf_16(beginning) => {
            let hint = "save it in UTF-8, or read it as it is with --raw";
            return Err(format!("{name}: text in UTF-16; {hint}"));
        }
        InputEncoding::Hex => Some(HexReader::only_hex()),
        InputEncoding::Text => Some(HexReader::default()),
        InputEncoding::Detect => is_hex(beginning).then(HexReader::default),
    })
}

/// Fills `piece` until it holds `min` bytes or the source ends; returns the number of bytes.
fn fill(source: &mut impl Read, piece: &mut [u8], min: usize) -> io::Result<usize> {
    let mut count = 0;
    while count < min {
        match source.read(piece.get_mut(count..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
