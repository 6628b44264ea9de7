//! The threads that run from start to end of the program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{io, process, thread};

/// Starts a thread that the program cannot work without. If it panics, the program ends with status 1,
/// so that a supervisor can restart it.
///
/// # Errors
/// The system refuses a thread.
pub fn spawn_essential(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let essential = move || {
        let _ = catch_unwind(AssertUnwindSafe(body)); // the panic hook has logged it
        process::exit(1);
    };
    thread::Builder::new().name(name.to_owned()).spawn(essential).map(drop)
}
