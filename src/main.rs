//! Runs the command that the command line asks for, and returns its exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use wirechat::cli::{self, Command};
use wirechat::server::listener;
use wirechat::tools::{self, Failure, Status, accept, decode, encode};

fn main() -> ExitCode {
    let command = cli::parse(std::env::args_os().skip(1), |name| std::env::var_os(name));
    let command = command.map_err(|sentence| Failure { sentence, status: 2 });
    match command.and_then(run) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => fail(&failure.sentence, failure.status),
    }
}

fn run(command: Command) -> Result<Status, Failure> {
    match command {
        Command::Serve(options) => match listener::serve(options) {
            Ok(()) => Ok(0),
            Err(sentence) => Err(Failure { sentence, status: 1 }),
        },
        Command::Decode(options) => decode::run(&options),
        Command::Encode(options) => encode::run(&options),
        Command::Accept(options) => accept::run(&options),
        Command::Show(text) => tools::print(text.as_bytes()).map(|()| 0),
    }
}

fn fail(sentence: &str, status: Status) -> ExitCode {
    // If standard error fails too, the exit status is all that remains.
    let _ = writeln!(io::stderr(), "wirechat: {sentence}");
    ExitCode::from(status)
}
