//! The options of `wirechat decode`.

use super::args::{Flag, Lookup, Syntax, Times};
use super::command::Command;
use crate::explain::view::Colour;
use crate::tools::decode::{DecodeOptions, DecodeOutput, DecodeSource, InputEncoding};
use crate::wire::frame::Role;

pub(super) const SYNTAX: Syntax<Draft> = Syntax {
    help: "wirechat decode --help",
    usage: [USAGE, NOTES],
    flags: FLAGS,
    variables: None,
    defaults: Draft::new,
    finish,
};

const USAGE: &str = "\
wirechat decode: explain captured bytes of a WebSocket

Examples:
  wirechat decode 81 85 37 fa 21 3d 7f 9f 4d 51 58   a frame, field by field
  wirechat decode capture.bin                        a file, raw or in hex
  xxd capture.bin | wirechat decode --from client    the output of another program
  wirechat decode --json capture.bin                 one JSON object on each line
  wirechat decode --summary capture.bin              counts, sizes, violations
  wirechat decode --example                          the list of examples

Usage: wirechat decode [OPTIONS] [FILE | BYTES | -]

The input is an HTTP head, if there is one, then frame after frame. Text can have any common
format: 81 05, 8105, 81-05, 0x81,0x05, \\x81\\x05, b'\\x81\\x05Hi', <Buffer 81 05>, an array as in
[129, 5] or { 0x81, 0x05 }, a listing of hexdump, xxd or od -t x1; # starts a comment.
Ambiguous input is rejected.

Options:
";

const NOTES: &str = "
COLUMNS sets the width of the output (default: the terminal's); NO_COLOR turns colors off.
Exit status: 0 nothing is wrong, 1 there are violations, 2 unreadable input, or output that
could not be written. `wirechat help decode` explains the formats and the JSON.
";

/// What the options have set so far.
pub(super) struct Draft {
    options: DecodeOptions,
    is_hex: bool,
    is_raw: bool,
    is_json: bool,
    is_summary: bool,
    /// The colours without `--color`.
    automatic: Option<Colour>,
}

#[rustfmt::skip]
const FLAGS: &[Flag<Draft>] = &[
    Flag { name: "hex", value: "", words: (0, 0), default: "", times: Times::Once,
        help: "the input is text in hex (default: detected)",
        apply: |draft, _| { draft.is_hex = true; Ok(()) } },
    Flag { name: "raw", value: "", words: (0, 0), default: "", times: Times::Once,
        help: "the input is the bytes themselves (default: detected)",
        apply: |draft, _| { draft.is_raw = true; Ok(()) } },
    Flag { name: "from", value: "client|server", words: (1, 1), default: "", times: Times::Once,
        help: "who sent these bytes (default: inferred from the last HTTP head, else from the first MASK bit)",
        apply: |draft, words| { draft.options.sender = Some(sender(words)?); Ok(()) } },
    Flag { name: "key", value: "KEY", words: (1, 1), default: "", times: Times::Once,
        help: "the client's Sec-WebSocket-Key, if the input has only the response",
        apply: |draft, words| { draft.options.key = Some(words.concat()); Ok(()) } },
    Flag { name: "json", value: "", words: (0, 0), default: "", times: Times::Once,
        help: "print one JSON object for each head and each frame",
        apply: |draft, _| { draft.is_json = true; Ok(()) } },
    Flag { name: "summary", value: "", words: (0, 0), default: "", times: Times::Once,
        help: "print counts in place of frames; with --json as one object",
        apply: |draft, _| { draft.is_summary = true; Ok(()) } },
    Flag { name: "color", value: "WHEN", words: (1, 1), default: "auto", times: Times::Once,
        help: "auto (on a terminal), always or never",
        apply: |draft, words| { draft.options.colour = colour(words, draft.automatic)?; Ok(()) } },
    Flag { name: "example", value: "[NAME]", words: (0, 1), default: "", times: Times::Once,
        help: "decode an example of the program; without NAME, list the examples",
        apply: |draft, words| {
            draft.options.source = DecodeSource::Example(words.first().map(|name| (*name).to_owned()));
            Ok(())
        } },
];

impl Draft {
    fn new(variable: Lookup) -> Self {
        let no_color = variable("NO_COLOR").filter(|value| !value.is_empty());
        let automatic = no_color.map(|_| Colour::Off);
        let options = DecodeOptions {
            source: DecodeSource::Stdin,
            encoding: InputEncoding::Detect,
            sender: None,
            key: None,
            output: DecodeOutput::Text,
            colour: automatic,
            width: columns(variable),
        };
        let (is_hex, is_raw, is_json, is_summary) = (false, false, false, false);
        Self { options, is_hex, is_raw, is_json, is_summary, automatic }
    }
}

fn finish(draft: Draft, operands: &[&str]) -> Result<Command, String> {
    let encoding = match (draft.is_hex, draft.is_raw) {
        (true, true) => {
            return Err("--hex and --raw exclude each other; give the one that the input is".into());
        }
        (true, false) => InputEncoding::Hex,
        (false, true) => InputEncoding::Raw,
        (false, false) => InputEncoding::Detect,
    };
    let output = match (draft.is_json, draft.is_summary) {
        (true, true) => DecodeOutput::SummaryJson,
        (true, false) => DecodeOutput::Json,
        (false, true) => DecodeOutput::Summary,
        (false, false) => DecodeOutput::Text,
    };
    let source = source(draft.options.source, operands)?;
    Ok(Command::Decode(DecodeOptions { source, encoding, output, ..draft.options }))
}

fn source(example: DecodeSource, operands: &[&str]) -> Result<DecodeSource, String> {
    let is_option = |word: &&&str| word.starts_with('-') && **word != "-";
    if let Some(word) = operands.iter().find(is_option) {
        let word = word.escape_debug();
        return Err(format!("there is no option {word}; `wirechat decode --help` lists them all"));
    }
    match (example, operands) {
        (DecodeSource::Example(name), []) => Ok(DecodeSource::Example(name)),
        (DecodeSource::Example(_), [word, ..]) => {
            let word = word.escape_debug();
            Err(format!("--example has its own input; remove '{word}'"))
        }
        (_, [] | ["-"]) => Ok(DecodeSource::Stdin),
        (_, words) if words.contains(&"-") => {
            Err("- is standard input; remove the other arguments".to_owned())
        }
        (_, words) => {
            Ok(DecodeSource::Arguments(words.iter().map(|word| (*word).to_owned()).collect()))
        }
    }
}

fn sender(words: &[&str]) -> Result<Role, String> {
    match words {
        ["client"] => Ok(Role::Client),
        ["server"] => Ok(Role::Server),
        _ => Err("is neither client nor server".to_owned()),
    }
}

fn colour(words: &[&str], automatic: Option<Colour>) -> Result<Option<Colour>, String> {
    match words {
        ["auto"] => Ok(automatic),
        ["always"] => Ok(Some(Colour::On)),
        ["never"] => Ok(Some(Colour::Off)),
        _ => Err("is none of auto, always and never".to_owned()),
    }
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
        assert_eq!(options(&["--json"]).output, DecodeOutput::Json);
        assert_eq!(options(&["--summary", "--summary"]).output, DecodeOutput::Summary);
        for words in [["--json", "--summary"], ["--summary", "--json"]] {
            assert_eq!(options(&words).output, DecodeOutput::SummaryJson);
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
            (&["--from"][..], "--from needs a value: --from client|server"),
            (&["--from", "me"], "--from: 'me' is neither client nor server"),
            (&["--color"], "--color needs a value: --color WHEN, as in --color auto"),
            (&["--color", "red"], "--color: 'red' is none of auto, always and never"),
            (
                &["--hex", "--raw"],
                "--hex and --raw exclude each other; give the one that the input is",
            ),
            (&["--json=yes"], "--json takes no value; write --json alone"),
            (&["--xml"], "there is no option --xml; `wirechat decode --help` lists them all"),
            (&["--sumary"], "there is no option --sumary; did you mean --summary?"),
            (&["-x"], "there is no option -x; `wirechat decode --help` lists them all"),
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
