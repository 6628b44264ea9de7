//! The words behind `decode`.

use std::ffi::OsString;

use super::unexpected_value;
use crate::explain::view::Colour;
use crate::tools::decode::{DecodeOptions, DecodeOutput, DecodeSource, InputEncoding};
use crate::wire::frame::Role;

/// What `wirechat decode --help` says.
pub(super) const HELP: &str = "\
wirechat decode: captured bytes of a WebSocket, explained

Examples:
  wirechat decode 81 85 37 fa 21 3d 7f 9f 4d 51 58   a frame, field by field
  wirechat decode capture.bin                        a file, raw or in hex
  xxd capture.bin | wirechat decode --from client    what a program writes
  wirechat decode --json capture.bin                 one JSON object a line
  wirechat decode --summary capture.bin              counts, sizes, violations
  wirechat decode --example                          lessons, by name

Usage: wirechat decode [OPTIONS] [FILE | OCTETS | -]

An HTTP head comes first if there is one, then frame after frame. Text is read in any
usual dress: 81 05, 8105, 81-05, 0x81,0x05, \\x81\\x05, b'\\x81\\x05Hi', <Buffer 81 05>, an array
as in [129, 5] or { 0x81, 0x05 }, a listing of hexdump, xxd or od -t x1; # begins a comment.

Options:
  --hex            the input is text in hex    (without a word: found out)
  --raw            the input is the bytes themselves
  --from WHO       client or server: whose bytes these are
                   (without it: the last head, or else the first mask bit, tells)
  --key KEY        the client's Sec-WebSocket-Key, if only the response is there
  --json           one JSON object for each head and each frame
  --summary        numbers instead of frames; with --json as one object
  --color WHEN     auto, always or never [default: auto, on a terminal]
  --example [NAME] a lesson; without NAME, their list
  --help           this text

COLUMNS takes the place of the terminal's own width; NO_COLOR takes the colours away.
Exit status: 0 nothing is wrong, 1 violations were found, 2 it cannot be read or told.
";

/// Reads them; `variable` looks up the environment.
pub(super) fn parse(
    words: &[&str],
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<DecodeOptions, String> {
    let mut options = defaults(variable);
    let mut rest = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (*word, None),
        };
        let mut value = |example: &str| {
            let value = inline.or_else(|| words.next_if(|word| !word.starts_with("--")).copied());
            value.ok_or_else(|| format!("{name} needs a value, as in {name} {example}"))
        };
        match name {
            "--from" => options.sender = Some(sender(value("client")?)?),
            "--key" => options.key = Some(value("dGhlIHNhbXBsZSBub25jZQ==")?.to_owned()),
            "--color" => options.colour = colour(value("never")?, options.colour)?,
            "--example" => {
                options.source = DecodeSource::Example(value("").ok().map(str::to_owned))
            }
            _ if inline.is_some() && SWITCHES.contains(&name) => {
                return Err(format!("{name} takes no value; write {name} alone"));
            }
            "--hex" | "--raw" => set_form(&mut options, name)?,
            "--json" | "--summary" => options.output = output(options.output, name),
            "-" => rest.push("-"),
            _ if word.starts_with('-') => return Err(unknown(name)),
            _ => rest.push(word),
        }
    }
    options.source = source(options.source, &rest)?;
    Ok(options)
}

/// What holds without a word.
fn defaults(variable: impl Fn(&str) -> Option<OsString>) -> DecodeOptions {
    DecodeOptions {
        source: DecodeSource::Stdin,
        encoding: InputEncoding::Detect,
        sender: None,
        key: None,
        output: DecodeOutput::Text,
        colour: variable("NO_COLOR").filter(|value| !value.is_empty()).map(|_| Colour::Off),
        width: width(variable("COLUMNS")),
    }
}

const SWITCHES: [&str; 4] = ["--hex", "--raw", "--json", "--summary"];

fn set_form(options: &mut DecodeOptions, name: &str) -> Result<(), String> {
    let form = if name == "--raw" { InputEncoding::Raw } else { InputEncoding::Hex };
    if options.encoding != InputEncoding::Detect && options.encoding != form {
        return Err("--hex and --raw exclude each other; give the one that the input is".to_owned());
    }
    options.encoding = form;
    Ok(())
}

fn output(so_far: DecodeOutput, name: &str) -> DecodeOutput {
    match (so_far, name) {
        (DecodeOutput::Text | DecodeOutput::Json, "--json") => DecodeOutput::Json,
        (DecodeOutput::Text | DecodeOutput::Summary, _) if name == "--summary" => {
            DecodeOutput::Summary
        }
        _ => DecodeOutput::SummaryJson,
    }
}

fn source(so_far: DecodeSource, words: &[&str]) -> Result<DecodeSource, String> {
    match (so_far, words) {
        (DecodeSource::Example(name), []) => Ok(DecodeSource::Example(name)),
        (DecodeSource::Example(_), [word, ..]) => {
            let word = word.escape_debug();
            Err(format!("--example brings its own octets; leave '{word}' away"))
        }
        (_, [] | ["-"]) => Ok(DecodeSource::Stdin),
        (_, words) if words.contains(&"-") => {
            Err("- is standard input and stands alone; leave the other words away".to_owned())
        }
        (_, words) => {
            Ok(DecodeSource::Arguments(words.iter().map(|word| (*word).to_owned()).collect()))
        }
    }
}

fn sender(value: &str) -> Result<Role, String> {
    match value {
        "client" => Ok(Role::Client),
        "server" => Ok(Role::Server),
        other => Err(unexpected_value("--from", other, "is neither client nor server")),
    }
}

fn colour(value: &str, auto: Option<Colour>) -> Result<Option<Colour>, String> {
    match value {
        "auto" => Ok(auto),
        "always" => Ok(Some(Colour::On)),
        "never" => Ok(Some(Colour::Off)),
        other => Err(unexpected_value("--color", other, "is none of auto, always and never")),
    }
}

/// The columns of a line, where a variable says so.
pub(super) fn width(columns: Option<OsString>) -> Option<usize> {
    let columns = columns.and_then(|columns| columns.to_str()?.parse().ok());
    columns.filter(|columns| *columns != 0)
}

fn unknown(name: &str) -> String {
    let name = name.escape_debug();
    format!("decode has no option {name}; `wirechat decode --help` lists them all")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(words: &[&str], variables: &[(&str, &str)]) -> Result<DecodeOptions, String> {
        parse(words, |name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    fn options(words: &[&str]) -> DecodeOptions {
        with(words, &[]).unwrap()
    }

    #[test]
    fn the_source_is_a_file_octets_input_or_a_lesson() {
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
    fn options_say_what_is_told() {
        let told = options(&["--from", "client", "--raw", "--key=abc", "--color", "always"]);
        assert_eq!((told.sender, told.encoding), (Some(Role::Client), InputEncoding::Raw));
        assert_eq!((told.key.as_deref(), told.colour), (Some("abc"), Some(Colour::On)));
        assert_eq!(options(&["--json"]).output, DecodeOutput::Json);
        assert_eq!(options(&["--summary", "--summary"]).output, DecodeOutput::Summary);
        for words in [["--json", "--summary"], ["--summary", "--json"]] {
            assert_eq!(options(&words).output, DecodeOutput::SummaryJson);
        }
    }

    #[test]
    fn the_terminal_tells_its_width_and_whether_it_has_colours() {
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
    fn what_makes_no_sense_is_refused_with_what_would() {
        for (words, sentence) in [
            (&["--from"][..], "--from needs a value, as in --from client"),
            (&["--from", "me"], "--from: 'me' is neither client nor server"),
            (&["--color", "red"], "--color: 'red' is none of auto, always and never"),
            (
                &["--hex", "--raw"],
                "--hex and --raw exclude each other; give the one that the input is",
            ),
            (&["--json=yes"], "--json takes no value; write --json alone"),
            (&["--xml"], "decode has no option --xml; `wirechat decode --help` lists them all"),
            (&["-x"], "decode has no option -x; `wirechat decode --help` lists them all"),
            (&["81", "-"], "- is standard input and stands alone; leave the other words away"),
            (&["--example", "ping", "81"], "--example brings its own octets; leave '81' away"),
        ] {
            assert_eq!(with(words, &[]).unwrap_err(), sentence, "{words:?}");
        }
        assert!(!with(&["--\u{1b}[31m"], &[]).unwrap_err().contains('\u{1b}'));
    }

    #[test]
    fn the_help_fits_a_screen() {
        assert!(HELP.lines().all(|line| line.chars().count() <= 96), "{HELP}");
    }
}
