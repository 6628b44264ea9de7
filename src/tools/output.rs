//! What every command needs at its end: standard output, its width, warnings, and how a command fails.

use std::io::{self, Write};
use std::os::fd::AsFd;

use crate::sys;

/// The exit status of a command that did its work.
pub type Status = u8;

/// Why a command could not do its work.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong, and what would be right.
    pub sentence: String,
    /// The exit status. `decode` has 2 for every failure, because its 1 means a violation. For the other
    /// commands: 2 if other arguments or other input would help, else 1.
    pub status: Status,
}

/// Writes `bytes` to standard output. If the reader has closed its end, the rest is dropped: it
/// needs no more, so this is not an error.
///
/// # Errors
///
/// Status 1 if the bytes cannot be written, as on a full disk.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure { sentence: format!("standard output: {error}"), status: 1 })
        }
        _ => Ok(()),
    }
}

/// Columns of a line if standard output is not a terminal.
const WIDTH: usize = 80;
/// Longer lines are hard to read.
const WIDTH_MAX: usize = 200;

/// Columns of a line: those that the user has set, or those of the terminal.
pub(super) fn columns(configured: Option<usize>) -> usize {
    let terminal = || sys::terminal_width(io::stdout().as_fd());
    configured.or_else(terminal).unwrap_or(WIDTH).min(WIDTH_MAX)
}

/// Prints a warning on standard error; the command continues.
pub(super) fn warn(sentence: &str) {
    let _ = writeln!(io::stderr(), "wirechat: warning: {sentence}"); // an error has no other place
}
