//! The words of `wirechat accept`.

use super::Command;
use super::args::{self, Flag};
use crate::tools::accept::AcceptOptions;

const FLAGS: &[Flag<bool>] = &[Flag {
    name: "check",
    value: "",
    words: (0, 0),
    help: "is ACCEPT the value for KEY? If not, which of the known mistakes makes it?",
    apply: |is_check, _| {
        *is_check = true;
        Ok(())
    },
}];

const USAGE: &str = "\
wirechat accept: what a server answers to a Sec-WebSocket-Key, step by step

Examples:
  wirechat accept dGhlIHNhbXBsZSBub25jZQ==
  wirechat accept --check dGhlIHNhbXBsZSBub25jZQ== s3pPLMBiTxaQ9kYGzzhZRbK+xOo=

Usage: wirechat accept KEY
       wirechat accept --check KEY ACCEPT

Exit status: 0, or 1 if ACCEPT is not the value for KEY.

Options:
";

/// Reads the words behind `accept`.
pub(super) fn parse(words: &[&str]) -> Result<Command, String> {
    let mut is_check = false;
    let Some(plain) = args::read(FLAGS, words, &mut is_check, "wirechat accept --help")? else {
        return Ok(Command::Show(format!("{USAGE}{}", args::options_help(FLAGS))));
    };
    match (is_check, plain.as_slice()) {
        (false, [key]) => Ok(Command::Accept(AcceptOptions::Steps { key: (*key).to_owned() })),
        (true, [key, given]) => Ok(Command::Accept(AcceptOptions::Check {
            key: (*key).to_owned(),
            given: (*given).to_owned(),
        })),
        (false, []) => {
            Err("accept needs a key: wirechat accept dGhlIHNhbXBsZSBub25jZQ==".to_owned())
        }
        (false, [_, given, ..]) => Err(format!(
            "accept takes one key, and '{}' is more; is it a value to check? wirechat accept --check KEY ACCEPT",
            given.escape_debug()
        )),
        (true, other) => Err(format!(
            "--check needs a key and an accept value, and {} came: wirechat accept --check KEY ACCEPT",
            match other {
                [] => "neither".to_owned(),
                [_] => "one word".to_owned(),
                more => format!("{} words", more.len()),
            }
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_or_a_key_with_a_value() {
        let check = AcceptOptions::Check { key: "k".to_owned(), given: "a=".to_owned() };
        for words in [&["--check", "k", "a="][..], &["k", "--check", "a="], &["k", "a=", "--check"]]
        {
            assert_eq!(parse(words), Ok(Command::Accept(check.clone())), "{words:?}");
        }
        let steps = AcceptOptions::Steps { key: "-k\r".to_owned() };
        assert_eq!(parse(&["-k\r"]), Ok(Command::Accept(steps)));
    }

    #[test]
    fn what_is_wrong_and_what_would_be_right() {
        for (words, beginning, end) in [
            (&[][..], "accept needs a key", "dGhlIHNhbXBsZSBub25jZQ=="),
            (&["k", "\u{1b}"], "accept takes one key, and '\\u{1b}' is more", "--check KEY ACCEPT"),
            (
                &["--check"],
                "--check needs a key and an accept value, and neither came",
                "--check KEY ACCEPT",
            ),
            (
                &["--check", "k"],
                "--check needs a key and an accept value, and one word came",
                "--check KEY ACCEPT",
            ),
            (
                &["--check", "k", "a", "b"],
                "--check needs a key and an accept value, and 3 words came",
                "--check KEY ACCEPT",
            ),
            (&["--check=yes", "k", "a"], "--check takes no value", ""),
            (&["--chek", "k", "a"], "there is no option --chek; did you mean --check?", ""),
            (
                &["--\u{1b}[31m"],
                "there is no option --\\u{1b}[31m; `wirechat accept --help` lists them all",
                "",
            ),
        ] {
            let sentence = parse(words).unwrap_err();
            assert!(sentence.starts_with(beginning) && sentence.ends_with(end), "{sentence}");
        }
    }

    #[test]
    fn the_help_has_both_forms() {
        for words in [&["--help"][..], &["-h"], &["k", "--help"]] {
            let Ok(Command::Show(help)) = parse(words) else { panic!("{words:?}") };
            for part in
                ["wirechat accept KEY", "wirechat accept --check KEY ACCEPT", "--check", "--help"]
            {
                assert!(help.contains(part), "{part} in {help}");
            }
            assert!(help.lines().all(|line| line.chars().count() <= 96), "{help}");
        }
    }
}
