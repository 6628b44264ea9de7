//! The options of `wirechat accept`.

use super::args::{Flag, Syntax, Times::Once, flag};
use super::command::Command;
use super::unknown::unexpected;
use crate::tools::accept::AcceptOptions;

/// The value that the options set is whether `--check` is given.
pub(super) const SYNTAX: Syntax<bool> = Syntax {
    topic: "accept",
    help: "wirechat accept --help",
    flags: FLAGS,
    variables: None,
    defaults: |_| false,
    finish,
};

#[rustfmt::skip]
const FLAGS: &[Flag<bool>] = &[
    // name, value, its least and most words, default, times, help; then how the value is stored
    flag("check", "", (0, 0), "", Once, "check whether ACCEPT is the value for KEY; if not, find the known mistake that makes it",
        |is_check, _| { *is_check = true; Ok(()) }),
];

fn finish(is_check: bool, operands: &[&str]) -> Result<Command, String> {
    let (key, given) = match (is_check, operands) {
        (false, [key]) => (key, None),
        (true, [key, given]) => (key, Some((*given).to_owned())),
        (false, []) => {
            return Err("accept needs a key: wirechat accept dGhlIHNhbXBsZSBub25jZQ==".to_owned());
        }
        (false, [_, word, ..]) => {
            let hint = "to check an accept value use wirechat accept --check KEY ACCEPT";
            return Err(unexpected(word, hint));
        }
        (true, words) => {
            let count = words.len();
            return Err(format!("--check needs two arguments, KEY and ACCEPT; {count} given"));
        }
    };
    Ok(Command::Accept(AcceptOptions { key: (*key).to_owned(), given }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Command, String> {
        SYNTAX.parse(words, &|_| None)
    }

    #[test]
    fn a_key_or_a_key_with_a_value() {
        let check = AcceptOptions { key: "k".to_owned(), given: Some("a=".to_owned()) };
        for words in [&["--check", "k", "a="][..], &["k", "--check", "a="], &["k", "a=", "--check"]]
        {
            assert_eq!(parse(words), Ok(Command::Accept(check.clone())), "{words:?}");
        }
        let steps = AcceptOptions { key: "-k\r".to_owned(), given: None };
        assert_eq!(parse(&["-k\r"]), Ok(Command::Accept(steps)));
    }

    #[test]
    fn an_error_says_what_would_be_right() {
        for (words, beginning, end) in [
            (&[][..], "accept needs a key", "dGhlIHNhbXBsZSBub25jZQ=="),
            (&["k", "\u{1b}"], "unexpected argument '\\u{1b}'", "--check KEY ACCEPT"),
            (&["--check"], "--check needs two arguments, KEY and ACCEPT", "; 0 given"),
            (&["--check", "k"], "--check needs two arguments, KEY and ACCEPT", "; 1 given"),
            (
                &["--check", "k", "a", "b"],
                "--check needs two arguments, KEY and ACCEPT",
                "; 3 given",
            ),
            (&["--check=yes", "k", "a"], "--check takes no value", ""),
            (&["--chek", "k", "a"], "unknown option `--chek`; did you mean `--check`?", ""),
            (
                &["--\u{1b}[31m"],
                "unknown option `--\\u{1b}[31m`; `wirechat accept --help` lists them all",
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
