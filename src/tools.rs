//! The other commands, a file each. What they say of bytes comes from `wire` and `explain`.

use std::io::{self, Write};

pub mod accept;
pub mod decode;
pub mod encode;

/// How a command ends that could do its work: its exit status.
pub type Status = u8;

/// Why a command could not do its work.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was wrong, and what would be right.
    pub sentence: String,
    /// 1, or 2 where the command line is to be changed.
    pub status: Status,
}

/// Writes to standard output. A reader that has gone needs nothing more, and that is no failure.
fn say(octets: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match output.write_all(octets).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure { sentence: format!("standard output: {error}"), status: 1 })
        }
        _ => Ok(()),
    }
}

/// A line on standard error beside the answer.
fn warn(sentence: &str) {
    let _ = writeln!(io::stderr(), "wirechat: warning: {sentence}"); // nobody is left to tell
}
