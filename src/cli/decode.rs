//! The options of `wirechat decode`.

use super::args::{Flag, Lookup, Syntax, Times::Once, flag};
use super::command::Command;
use super::values::{choice, choose};
use crate::explain::view::Colour;
use crate::tools::decode::{DecodeOptions, DecodeSource, InputEncoding};
use crate::wire::frame::Role;

pub(super) const SYNTAX: Syntax<DecodeOptions> = Syntax {
    topic: "decode",
    help: "wirechat decode --help",
    flags: FLAGS,
    variables: None,
    defaults,
    finish,
};

#[rustfmt::skip]
const FLAGS: &[Flag<DecodeOptions>] = &[
    // name, value, its least and most words, default, times, help; then how the value is stored
    flag("hex", "", (0, 0), "", Once, "the input is text in hex (default: detected)",
        |options, _| choose(&mut options.encoding, InputEncoding::Hex, "--raw")),
    flag("raw", "", (0, 0), "", Once, "the input is the bytes themselves (default: detected)",
        |options, _| choose(&mut options.encoding, InputEncoding::Raw, "--hex")),
    flag("from", "SENDER", (1, 1), "", Once, "who sent these bytes, client or server (default: inferred from the last HTTP head, else from the first MASK bit)",
        |options, words| { options.sender = Some(choice(words, SENDERS)?); Ok(()) }),
    flag("key", "KEY", (1, 1), "", Once, "the client's Sec-WebSocket-Key, if the input has only the response",
        |options, words| { options.key = Some(words.concat()); Ok(()) }),
    flag("json", "", (0, 0), "", Once, "print one JSON object for each head and each frame",
        |options, _| { options.json = true; Ok(()) }),
    flag("summary", "", (0, 0), "", Once, "print counts in place of frames; with --json as one object",
        |options, _| { options.summary = true; Ok(()) }),
    flag("color", "WHEN", (1, 1), "auto", Once, "auto (on a terminal, unless NO_COLOR is set), always or never",
        |options, words| { options.colour = choice(words, COLOURS)?.or(options.colour); Ok(()) }),
    flag("example", "[NAME]", (0, 1), "", Once, "decode an example that is part of the program; without NAME, list the examples",
        |options, words| { options.source = DecodeSource::Example(words.first().map(ToString::to_string)); Ok(()) }),
];

const SENDERS: &[(&str, Role)] = &[("client", Role::Client), ("server", Role::Server)];
const COLOURS: &[(&str, Option<Colour>)] =
    &[("auto", None), ("always", Some(Colour::On)), ("never", Some(Colour::Off))];

fn defaults(variable: Lookup) -> DecodeOptions {
    let no_color = variable("NO_COLOR").filter(|value| !value.is_empty());
    let colour = no_color.map(|_| Colour::Off);
    DecodeOptions { colour, width: columns(variable), ..DecodeOptions::default() }
}

fn finish(options: DecodeOptions, operands: &[&str]) -> Result<Command, String> {
    let is_option = |word: &&&str| word.starts_with('-') && **word != "-";
    if let Some(word) = operands.iter().find(is_option) {
        SYNTAX.find(word)?; // an error for every word with one hyphen
    }
    let source = match (options.source, operands) {
        (DecodeSource::Example(_), [word, ..]) => {
            let word = word.escape_debug();
            return Err(format!("--example has its own input; remove '{word}'"));
        }
        (source, [] | ["-"]) => source,
        (_, words) if words.contains(&"-") => {
            return Err("- is standard input; remove the other arguments".to_owned());
        }
        (_, words) => DecodeSource::Arguments(words.iter().map(ToString::to_string).collect()),
    };
    Ok(Command::Decode(DecodeOptions { source, ..options }))
}

/// The columns of a line, if the variable COLUMNS sets them.
pub(super) fn columns(variable: Lookup) -> Option<usize> {
    let columns = variable("COLUMNS").and_then(|columns| columns.to_str()?.parse().ok());
    columns.filter(|columns| *columns != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn with(words: &[&str], variables: &[(&str, &str)]) -> Result<DecodeOptions, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        };
        match SYNTAX.parse(words, &variable)? {
            Command::Decode(options) => Ok(options),
            other => panic!("{words:?}: {other:?}"),
        }
    }

    fn options(words: &[&str]) -> DecodeOptions {
        with(words, &[]).unwrap()
    }

    #[test]
    fn the_source_is_a_file_bytes_standard_input_or_an_example() {
        for (words, source) in [
            (&[][..], DecodeSource::Stdin),
            (&["-"], DecodeSource::Stdin),
            (&["81", "05"], DecodeSource::Arguments(vec!["81".to_owned(), "05".to_owned()])),
            (&["--json", "file"], DecodeSource::Arguments(vec!["file".to_owned()])),
            (&["--example"], DecodeSource::Example(None)),
            (&["--example", "--json"], DecodeSource::Example(None)),
            (&["--example", "ping"], DecodeSource::Example(Some("ping".to_owned()))),
            (&["--example=ping"], DecodeSource::Example(Some("ping".to_owned()))),
        ] {
            assert_eq!(options(words).source, source, "{words:?}");
        }
    }

    #[test]
    fn each_option_sets_its_value() {
        let set = options(&["--from", "client", "--raw", "--key=abc", "--color", "always"]);
        assert_eq!((set.sender, set.encoding), (Some(Role::Client), InputEncoding::Raw));
        assert_eq!((set.key.as_deref(), set.colour), (Some("abc"), Some(Colour::On)));
        for (words, json, summary) in [
            (&[][..], false, false),
            (&["--json"], true, false),
            (&["--summary", "--summary"], false, true),
            (&["--json", "--summary"], true, true),
            (&["--summary", "--json"], true, true),
        ] {
            let set = options(words);
            assert_eq!((set.json, set.summary), (json, summary), "{words:?}");
        }
    }

    #[test]
    fn variables_set_the_width_and_turn_colours_off() {
        for (columns, width) in
            [("40", Some(40)), ("999", Some(999)), ("0", None), ("wide", None), ("", None)]
        {
            assert_eq!(with(&[], &[("COLUMNS", columns)]).unwrap().width, width, "{columns}");
        }
        let no_color = [("NO_COLOR", "1")];
        assert_eq!(options(&[]).colour, None);
        assert_eq!(with(&[], &[("NO_COLOR", "")]).unwrap().colour, None);
        assert_eq!(with(&[], &no_color).unwrap().colour, Some(Colour::Off));
        assert_eq!(with(&["--color=auto"], &no_color).unwrap().colour, Some(Colour::Off));
        assert_eq!(with(&["--color=always"], &no_color).unwrap().colour, Some(Colour::On));
    }

    #[test]
    fn an_error_says_what_would_be_right() {
        for (words, sentence) in [
            (&["--from"][..], "--from needs a value: --from SENDER"),
            (&["--from", "me"], "--from: 'me' is neither client nor server"),
            (&["--color"], "--color needs a value: --color WHEN, as in --color auto"),
            (&["--color", "red"], "--color: 'red' is none of auto, always, never"),
            (&["--hex", "--raw"], "--raw excludes --hex; give only one of them"),
            (&["--json=yes"], "--json takes no value; write --json alone"),
            (&["--xml"], "unknown option `--xml`; `wirechat decode --help` lists them all"),
            (&["--sumary"], "unknown option `--sumary`; did you mean `--summary`?"),
            (&["-json"], "unknown option `-json`; did you mean `--json`?"),
            (&["-x"], "unknown option `-x`; `wirechat decode --help` lists them all"),
            (&["81", "-"], "- is standard input; remove the other arguments"),
            (&["--example", "ping", "81"], "--example has its own input; remove '81'"),
        ] {
            assert_eq!(with(words, &[]).unwrap_err(), sentence, "{words:?}");
        }
        assert!(!with(&["--\u{1b}[31m"], &[]).unwrap_err().contains('\u{1b}'));
    }

    #[test]
    fn the_help_fits_a_screen_and_shows_every_option() {
        for words in [&["--help"][..], &["-h"], &["--json", "--help", "--bogus"]] {
            let Ok(Command::Show(help)) = SYNTAX.parse(words, &|_| None) else {
                panic!("{words:?}")
            };
            assert!(help.lines().all(|line| line.chars().count() <= 96), "{help}");
            for flag in FLAGS {
                let left = format!("  --{} {}", flag.name, flag.value);
                assert!(help.contains(left.trim_end()), "{left}");
            }
        }
    }
}
