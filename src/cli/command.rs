//! What the words of the command line ask for.

use crate::server::options::ServeOptions;
use crate::tools;

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Run the chat server.
    Serve(ServeOptions),
    /// Explain captured bytes.
    Decode(tools::decode::DecodeOptions),
    /// Make frames.
    Encode(tools::encode::EncodeOptions),
    /// Compute or check an accept value.
    Accept(tools::accept::AcceptOptions),
    /// Print a text on standard output: help, a topic, or the version.
    Show(String),
}
