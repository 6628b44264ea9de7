//! The command that was asked for, run; the exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use wirechat::cli::{self, Command};
use wirechat::server::listener;
use wirechat::tools::{self, Failure, Status, accept, decode, encode};

fn main() -> ExitCode {
    let variable = |name: &str| std::env::var_os(name);
    match cli::parse(std::env::args_os().skip(1), variable) {
        Ok(Command::Serve(options)) => match listener::serve(options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(sentence) => complain(&sentence, 1),
        },
        Ok(Command::Decode(options)) => ended(decode::run(&options)),
        Ok(Command::Encode(options)) => ended(encode::run(&options)),
        Ok(Command::Accept(options)) => ended(accept::run(&options)),
        Ok(Command::Show(text)) => ended(tools::print(text.as_bytes()).map(|()| 0)),
        Err(sentence) => complain(&sentence, 2),
    }
}

fn ended(outcome: Result<Status, Failure>) -> ExitCode {
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(failure) => complain(&failure.sentence, failure.status),
    }
}

fn complain(sentence: &str, status: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "wirechat: {sentence}"); // nobody is left to tell
    ExitCode::from(status)
}
