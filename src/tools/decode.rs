//! `wirechat decode`: captured octets, explained.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use super::{Failure, Status};
use crate::explain::view::{Colour, View};
use crate::wire::frame::Role;
use crate::wire::server_response::ClientOffer;
use examples::{LESSONS, Lesson};
use hex::{HexReader, is_hex, is_like_octets, is_utf_16};
use progress::Progress;
use report::Report;
use stream::Stream;

mod examples;
mod hex;
mod progress;
mod report;
mod stream;
mod summary;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Where the octets are.
    pub source: DecodeSource,
    /// How they are written.
    pub encoding: InputEncoding,
    /// Whose they are; without it, the mask bits tell.
    pub sender: Option<Role>,
    /// The client's key, where its request is not in the stream.
    pub key: Option<String>,
    /// How they are told.
    pub output: DecodeOutput,
    /// Is colour wanted? Without a word on it, a terminal gets some.
    pub colour: Option<Colour>,
    /// Columns of a line; without it, those of the terminal.
    pub width: Option<usize>,
}

/// Where octets come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeSource {
    /// Words of the command line: a file, or hex.
    Arguments(Vec<String>),
    /// Standard input.
    Stdin,
    /// One of the lessons, by name; without one, their list.
    Example(Option<String>),
}

/// How octets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputEncoding {
    /// To be found out.
    Detect,
    /// As text, in a dress that is to be found out.
    Text,
    /// As text in hex.
    Hex,
    /// As themselves.
    Raw,
}

/// How a stream is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeOutput {
    /// A page for each frame.
    Text,
    /// A JSON object for each frame.
    Json,
    /// Numbers.
    Summary,
    /// Numbers, as a JSON object.
    SummaryJson,
}

/// Why there is no verdict.
enum Trouble {
    /// The octets cannot be had, or not be told: a sentence.
    Source(String),
    /// Nobody reads what is told: whoever has gone needs no more.
    Output,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Output,
            _ => Self::Source(format!("standard output: {error}")),
        }
    }
}

/// What octets on the command line are called.
const WORDS: &str = "the words";
/// Octets that are read at once.
const PIECE: usize = 256 * 1024;
/// Octets that tell hex from octets that are themselves.
const GUESS_MIN: usize = 8;
/// As many as are looked at for that, if they are there.
const GUESS_MAX: usize = 4096;

/// Tells what was asked for on standard output.
///
/// # Errors
/// With status 2: input that cannot be read, or standard output that cannot be written.
pub fn run(options: &DecodeOptions) -> Result<Status, Failure> {
    let mut report = Report::new(options.output, view(options));
    let told = match &options.source {
        DecodeSource::Example(None) => report.say(&examples::table(view(options))).map_err(Trouble::from),
        DecodeSource::Example(Some(name)) => lesson(name, options, &mut report),
        DecodeSource::Arguments(words) => words_or_file(words, options, &mut report),
        DecodeSource::Stdin if io::stdin().is_terminal() => Err(Trouble::Source(
            "there is nothing to decode: name a file, write the octets in hex, as in `wirechat decode \
             81 05 48 65 6c 6c 6f`, or pipe them in"
                .to_owned(),
        )),
        DecodeSource::Stdin => told(io::stdin().lock(), "standard input", options, &mut report),
    };
    match told.and_then(|()| report.flush().map_err(Trouble::from)) {
        Ok(()) | Err(Trouble::Output) => Ok(report.status()),
        Err(Trouble::Source(sentence)) => {
            let _ = report.flush(); // what was told before stands, if anyone reads it
            Err(Failure { sentence, status: 2 })
        }
    }
}

fn view(options: &DecodeOptions) -> View {
    let usual = || if io::stdout().is_terminal() { Colour::On } else { Colour::Off };
    View { width: super::columns(options.width), colour: options.colour.unwrap_or_else(usual) }
}

fn lesson(name: &str, options: &DecodeOptions, report: &mut Report) -> Result<(), Trouble> {
    let lesson = LESSONS.iter().find(|lesson| lesson.name == name).ok_or_else(|| {
        let name = name.escape_debug();
        Trouble::Source(format!(
            "there is no example '{name}'; `wirechat decode --example` lists them all"
        ))
    })?;
    if options.output == DecodeOutput::Text {
        report.say(&lesson.page(view(options)))?;
    }
    let Lesson { capture, sender, .. } = lesson;
    let sender = options.sender.or(*sender);
    let options = DecodeOptions { encoding: InputEncoding::Detect, sender, ..options.clone() };
    told(capture.as_bytes(), name, &options, report)
}

/// One word may be the name of a file; several are octets.
fn words_or_file(
    words: &[String],
    options: &DecodeOptions,
    report: &mut Report,
) -> Result<(), Trouble> {
    let is_file = |word: &str| Path::new(word).exists();
    if let [name] = words
        && (is_file(name) || options.encoding == InputEncoding::Raw || !is_like_octets(name))
    {
        let shown = name.escape_debug().to_string();
        let file = File::open(name).map_err(|error| {
            Trouble::Source(format!(
                "{shown}: {error}; name a file, or write octets in hex, as in 81 05"
            ))
        })?;
        return told(file, &shown, options, report);
    }
    let sentence = match words {
        _ if options.encoding == InputEncoding::Raw => {
            "--raw is for a file or standard input; octets on the command line are hex"
        }
        [name, ..] if is_file(name) && !is_like_octets(name) => {
            "one file is read at a time; name it alone"
        }
        _ => {
            let form = if options.encoding == InputEncoding::Hex {
                InputEncoding::Hex
            } else {
                InputEncoding::Text
            };
            let options = DecodeOptions { encoding: form, ..options.clone() };
            return told(words.join(" ").as_bytes(), WORDS, &options, report);
        }
    };
    Err(Trouble::Source(sentence.to_owned()))
}

/// Reads a source to its end and tells its parts.
fn told(
    mut source: impl Read,
    name: &str,
    options: &DecodeOptions,
    report: &mut Report,
) -> Result<(), Trouble> {
    let mut piece = vec![0; PIECE];
    let mut count = fill_for_guess(&mut source, &mut piece, name)?;
    let beginning = piece.get(..count.min(GUESS_MAX)).unwrap_or_default();
    if options.encoding != InputEncoding::Raw && is_utf_16(beginning) {
        return Err(Trouble::Source(format!(
            "{name}: text in UTF-16; save it in UTF-8, or --raw reads it as it is"
        )));
    }
    let is_hex = match options.encoding {
        InputEncoding::Detect => is_hex(beginning),
        InputEncoding::Text | InputEncoding::Hex => true,
        InputEncoding::Raw => false,
    };
    let asked =
        ClientOffer { key: options.key.clone().map(String::into_bytes), ..ClientOffer::default() };
    let stream = Stream::new(options.sender, asked, report.payload_max());
    let reader = match options.encoding {
        InputEncoding::Hex => HexReader::of_hex(),
        InputEncoding::Detect | InputEncoding::Text | InputEncoding::Raw => HexReader::default(),
    };
    let mut reading = Reading { name, hex: is_hex.then_some(reader), stream, report };
    let mut progress = Progress::new(options.output);
    while count != 0 {
        progress.advance(count);
        reading.take(piece.get_mut(..count).unwrap_or_default())?;
        count = fill(&mut source, &mut piece, name)?;
    }
    drop(progress);
    reading.finish()
}

/// A source that is being read.
struct Reading<'a> {
    name: &'a str,
    /// Nothing where octets come as they are.
    hex: Option<HexReader>,
    stream: Stream,
    report: &'a mut Report,
}

impl Reading<'_> {
    fn take(&mut self, piece: &mut [u8]) -> Result<(), Trouble> {
        let Some(hex) = &mut self.hex else { return Ok(self.octets(piece)?) };
        let mut octets = Vec::new();
        let read = hex.read(piece, |more| octets.extend_from_slice(more));
        hex.note().into_iter().for_each(super::warn);
        self.octets(&mut octets)?;
        read.map_err(|wrong| self.unreadable(&wrong))
    }

    fn finish(mut self) -> Result<(), Trouble> {
        if let Some(hex) = &mut self.hex {
            let mut octets = Vec::new();
            let read = hex.finish(|more| octets.extend_from_slice(more));
            hex.note().into_iter().for_each(super::warn);
            self.octets(&mut octets)?;
            read.map_err(|wrong| self.unreadable(&wrong))?;
        }
        self.stream.finish(self.report)?;
        Ok(self.report.end()?)
    }

    fn octets(&mut self, octets: &mut [u8]) -> io::Result<()> {
        self.report.read(octets.len());
        self.stream.read(octets, self.report)
    }

    fn unreadable(&self, wrong: &str) -> Trouble {
        let raw = if self.name == WORDS { "" } else { "; --raw reads the octets as they are" };
        Trouble::Source(format!("{}, {wrong}{raw}", self.name))
    }
}

/// As many octets as it takes to guess what they are, or all there are.
fn fill_for_guess(source: &mut impl Read, piece: &mut [u8], name: &str) -> Result<usize, Trouble> {
    let mut count = fill(source, piece, name)?;
    while (1..GUESS_MIN).contains(&count) {
        match fill(source, piece.get_mut(count..).unwrap_or_default(), name)? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

fn fill(source: &mut impl Read, piece: &mut [u8], name: &str) -> Result<usize, Trouble> {
    loop {
        match source.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            read => return read.map_err(|error| Trouble::Source(format!("{name}: {error}"))),
        }
    }
}
