//! The other commands, a file each. What they say of bytes comes from `wire` and `explain`.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

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
///
/// # Errors
///
/// If it cannot be written, as on a full disk.
pub fn print(octets: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match output.write_all(octets).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure { sentence: format!("standard output: {error}"), status: 1 })
        }
        _ => Ok(()),
    }
}

/// Columns where the terminal does not say.
const WIDTH: usize = 80;
/// Wider lines are hard to read.
const WIDTH_MAX: usize = 200;

/// Columns of a line: those that are told, else those of the terminal.
fn columns(told: Option<usize>) -> usize {
    told.or_else(columns_of_terminal).unwrap_or(WIDTH).min(WIDTH_MAX)
}

/// `std` cannot ask a terminal, `stty` can; it answers `ROWS COLUMNS`.
fn columns_of_terminal() -> Option<usize> {
    let output = io::stdout();
    let terminal = output.as_fd().try_clone_to_owned().ok().filter(|_| output.is_terminal())?;
    let mut stty = Command::new("stty");
    let told = stty.arg("size").stdin(terminal).stderr(Stdio::null()).output().ok()?;
    let columns = str::from_utf8(&told.stdout).ok()?.split_whitespace().nth(1)?.parse().ok();
    columns.filter(|columns| *columns != 0)
}

/// A line on standard error beside the answer.
fn warn(sentence: &str) {
    let _ = writeln!(io::stderr(), "wirechat: warning: {sentence}"); // nobody is left to tell
}
