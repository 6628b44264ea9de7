//! What `wirechat decode` reads, and what it prints.

use crate::explain::view::Colour;
use crate::wire::frame::Role;

/// What to decode, and how to print it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeSource {
    /// Arguments of the command: the name of a file, or bytes in hex.
    Arguments(Vec<String>),
    /// Standard input.
    Stdin,
    /// The example of this name; `None` lists the examples.
    Example(Option<String>),
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputEncoding {
    /// To be detected.
    Detect,
    /// As text, in a format to be detected.
    Text,
    /// As text in hex.
    Hex,
    /// As the bytes themselves.
    Raw,
}
