//! The words of `wirechat encode`.

use std::ffi::OsString;

use super::Command;
use super::args::{self, Flag};
use super::decode::width;
use crate::tools::encode::{Masking, Options, Output};
use crate::wire::builder::{LengthField, LengthForm};
use crate::wire::close::join_body;
use crate::wire::frame::Opcode;

const USAGE: &str = "\
wirechat encode: make frames, right or wrong

Examples:
  wirechat encode --text Hello --mask 37fa213d      the masked text of section 5.7
  wirechat encode --close 1000 bye --picture        a server's Close, drawn bit by bit
  wirechat encode --text Hello --fragment 2 --raw | wirechat decode -
  wirechat encode --binary c328 --opcode 1          a text that is not UTF-8
  wirechat encode --ping --length-form 64 --rsv 4   wrong, and told so

Usage: wirechat encode [OPTIONS]

A frame that breaks RFC 6455 is made all the same, with a warning on standard error. Without a
masking key it is a server's frame, with one a client's. HEX may have spaces, commas or colons.

Options:
";

/// What the words have said so far.
#[derive(Default)]
struct QueueState {
    options: Options,
    /// The options that say what is in the frame; one may.
    contents: Vec<&'static str>,
    /// The options that say how it is written; one may.
    outputs: Vec<&'static str>,
    has_opcode: bool,
}

impl QueueState {
    fn content(&mut self, name: &'static str, opcode: Opcode, payload: Vec<u8>) {
        self.contents.push(name);
        self.options.payload = payload;
        if !self.has_opcode {
            self.options.opcode = opcode as u8;
        }
    }

    fn output(&mut self, name: &'static str, output: Output) {
        self.outputs.push(name);
        self.options.output = output;
    }
}

#[rustfmt::skip]
const FLAGS: &[Flag<QueueState>] = &[
    Flag { name: "text", value: "TEXT", words: (1, 1), help: "a text message",
        apply: |said, words| { said.content("text", Opcode::Text, words.concat().into()); Ok(()) } },
    Flag { name: "binary", value: "HEX", words: (1, 1), help: "a binary message of these octets",
        apply: |said, words| { said.content("binary", Opcode::Binary, octets(&words.concat())?); Ok(()) } },
    Flag { name: "continuation", value: "[TEXT]", words: (0, 1), help: "more of the message under way",
        apply: |said, words| { said.content("continuation", Opcode::Continuation, words.concat().into()); Ok(()) } },
    Flag { name: "ping", value: "[TEXT]", words: (0, 1), help: "a Ping",
        apply: |said, words| { said.content("ping", Opcode::Ping, words.concat().into()); Ok(()) } },
    Flag { name: "pong", value: "[TEXT]", words: (0, 1), help: "a Pong",
        apply: |said, words| { said.content("pong", Opcode::Pong, words.concat().into()); Ok(()) } },
    Flag { name: "close", value: "[CODE [REASON]]", words: (0, 2), help: "a Close",
        apply: |said, words| { said.content("close", Opcode::Close, close(words)?); Ok(()) } },
    Flag { name: "opcode", value: "N", words: (1, 1), help: "this opcode in place of the right one, 0 to 15 or 0x0 to 0xF",
        apply: |said, words| { said.options.opcode = opcode(&words.concat())?; said.has_opcode = true; Ok(()) } },
    Flag { name: "mask", value: "KEY", words: (1, 1), help: "mask with this key, 8 digits in hex; `random` takes a fresh one for each frame; `none` (the default) masks nothing",
        apply: |said, words| { said.options.masking = masking(&words.concat())?; Ok(()) } },
    Flag { name: "no-fin", value: "", words: (0, 0), help: "leave FIN out: more is to come",
        apply: |said, _| { said.options.fin = false; Ok(()) } },
    Flag { name: "rsv", value: "N", words: (1, 1), help: "set reserved bits: the sum of 4 for RSV1, 2 for RSV2 and 1 for RSV3",
        apply: |said, words| { said.options.rsv = rsv(&words.concat())?; Ok(()) } },
    Flag { name: "length-form", value: "BITS", words: (1, 1), help: "write the length in 7, 16 or 64 bits, whether it needs them or not",
        apply: |said, words| { said.options.form = Some(form(&words.concat())?); Ok(()) } },
    Flag { name: "declare", value: "LENGTH", words: (1, 1), help: "say that the payload has so many octets, true or not",
        apply: |said, words| { said.options.declared = Some(length(&words.concat())?); Ok(()) } },
    Flag { name: "fragment", value: "SIZE", words: (1, 1), help: "cut the payload into frames of so many octets",
        apply: |said, words| { said.options.fragment = Some(size(&words.concat())?); Ok(()) } },
    Flag { name: "raw", value: "", words: (0, 0), help: "write the octets themselves, for a pipe or a file",
        apply: |said, _| { said.output("raw", Output::Raw); Ok(()) } },
    Flag { name: "picture", value: "", words: (0, 0), help: "draw each frame as section 5.2 does",
        apply: |said, _| { said.output("picture", Output::Picture); Ok(()) } },
];

/// Reads the words behind `encode`.
pub(super) fn parse(
    words: &[&str],
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, String> {
    let mut said = QueueState::default();
    said.options.width = width(variable("COLUMNS"));
    let Some(plain) = args::read(FLAGS, words, &mut said, "wirechat encode --help")? else {
        return Ok(Command::Show(format!("{USAGE}{}", args::options_help(FLAGS))));
    };
    if let Some(word) = plain.first() {
        let word = word.escape_debug();
        return Err(format!("'{word}' stands alone; a text is made by --text '{word}'"));
    }
    match said.contents.as_slice() {
        [first, .., last] => {
            return Err(format!("--{first} and --{last} are two frames; make one, then the other"));
        }
        [] if !said.has_opcode => {
            return Err(
                "encode needs something to make, such as --text Hello, --ping or --close 1000"
                    .to_owned(),
            );
        }
        _ => (),
    }
    if let [first, .., last] = said.outputs.as_slice()
        && first != last
    {
        return Err(format!("--{first} and --{last} exclude each other; give one"));
    }
    agree(&said.options)?;
    Ok(Command::Encode(said.options))
}

/// Values that make no sense together.
fn agree(options: &Options) -> Result<(), String> {
    if options.declared.is_some() && options.fragment.is_some() {
        return Err("--declare is for one frame, --fragment makes several; leave one of them out"
            .to_owned());
    }
    let whole = options.payload.len();
    let largest = options.fragment.map_or(whole, |size| size.min(whole)) as u64;
    let length = options.declared.unwrap_or(largest);
    match options.form {
        Some(form) if LengthField::in_form(form, length).is_none() => Err(format!(
            "--length-form {}: {length} does not fit; --length-form {} has room for it",
            if form == LengthForm::Bits7 { 7 } else { 16 },
            if LengthField::in_form(LengthForm::Bits16, length).is_some() { 16 } else { 64 },
        )),
        _ => Ok(()),
    }
}

/// Octets in hex, whatever stands between them.
fn octets(value: &str) -> Result<Vec<u8>, String> {
    let wrong = "is not octets in hex, two digits each, such as 48656c6c6f or '48 65 6c'";
    let mut octets = Vec::new();
    for group in value.split([' ', ',', ':', '\t', '\n']).filter(|group| !group.is_empty()) {
        let digits = group.strip_prefix("0x").unwrap_or(group);
        let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return Err(wrong.to_owned()) };
        for [high, low] in pairs {
            let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|d| u8::try_from(d).ok());
            let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                return Err(wrong.to_owned());
            };
            octets.push(high << 4 | low);
        }
    }
    Ok(octets)
}

/// The body of a Close: nothing, or a code of any number with a reason (section 5.5.1).
fn close(words: &[&str]) -> Result<Vec<u8>, String> {
    let [code, reason @ ..] = words else { return Ok(Vec::new()) };
    let code = number(code, u16::MAX.into()).and_then(|code| u16::try_from(code).ok());
    match code {
        Some(code) => Ok(join_body(code, reason.concat().as_bytes())),
        None => Err("does not begin with a close code from 0 to 65535, such as 1000".to_owned()),
    }
}

fn opcode(value: &str) -> Result<u8, String> {
    let digits = value.strip_prefix("0x").map(|digits| u8::from_str_radix(digits, 16).ok());
    let is_plain = value.bytes().all(|octet| octet.is_ascii_alphanumeric());
    match digits.unwrap_or_else(|| value.parse().ok()) {
        Some(opcode @ 0..=15) if is_plain => Ok(opcode),
        _ => Err("is not an opcode from 0 to 15, such as 1 for text or 0x9 for a Ping".to_owned()),
    }
}

fn masking(value: &str) -> Result<Masking, String> {
    match value {
        "none" => Ok(Masking::None),
        "random" => Ok(Masking::Random),
        _ => match octets(value).map(<[u8; 4]>::try_from) {
            Ok(Ok(key)) => Ok(Masking::Key(key)),
            _ => Err("is not a masking key: 4 octets in hex such as 37fa213d, random, or none"
                .to_owned()),
        },
    }
}

fn rsv(value: &str) -> Result<u8, String> {
    let bits = number(value, 7).and_then(|bits| u8::try_from(bits).ok());
    bits.ok_or_else(|| "is not a number from 0 to 7, such as 4 for RSV1".to_owned())
}

fn form(value: &str) -> Result<LengthForm, String> {
    match value {
        "7" => Ok(LengthForm::Bits7),
        "16" => Ok(LengthForm::Bits16),
        "64" => Ok(LengthForm::Bits64),
        _ => Err("is no form of the length; there are 7, 16 and 64".to_owned()),
    }
}

fn length(value: &str) -> Result<u64, String> {
    let length = number(value, u64::MAX);
    length.ok_or_else(|| format!("is not a length from 0 to {}, such as 126", u64::MAX))
}

fn size(value: &str) -> Result<usize, String> {
    let size = number(value, u64::MAX).and_then(|size| usize::try_from(size).ok());
    size.filter(|size| *size != 0)
        .ok_or_else(|| "is not a number of octets from 1 on, such as 2".to_owned())
}

/// Digits, and no sign.
fn number(value: &str, max: u64) -> Option<u64> {
    let is_plain = value.bytes().all(|octet| octet.is_ascii_digit());
    value.parse().ok().filter(|number| is_plain && *number <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Options {
        match parse(words, |_| None) {
            Ok(Command::Encode(options)) => options,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    fn complaint(words: &[&str]) -> String {
        parse(words, |_| None).expect_err(&words.join(" "))
    }

    #[test]
    #[rustfmt::skip]
    fn what_is_in_the_frame() {
        for (words, opcode, payload) in [
            (&["--text", "Hello"][..], 1, &b"Hello"[..]),
            (&["--text", ""], 1, b""),
            (&["--text", "--fin"], 1, b"--fin"),
            (&["--text=--fin"], 1, b"--fin"),
            (&["--binary", "48656c6C"], 2, b"Hell"),
            (&["--binary", "48 65,6c:6C\n0x6f 0x2122"], 2, b"Hello!\""),
            (&["--binary", ""], 2, b""),
            (&["--continuation"], 0, b""),
            (&["--continuation", "lo"], 0, b"lo"),
            (&["--ping"], 9, b""),
            (&["--ping", "Hello"], 9, b"Hello"),
            (&["--ping=Hello", "--rsv=0"], 9, b"Hello"),
            (&["--pong", "--no-fin"], 10, b""),
            (&["--close"], 8, b""),
            (&["--close", "1000"], 8, b"\x03\xe8"),
            (&["--close", "1000", "bye"], 8, b"\x03\xe8bye"),
            (&["--close=65535", "bye", "--raw"], 8, b"\xff\xffbye"),
            (&["--opcode", "3"], 3, b""),
            (&["--opcode", "0xF", "--text", "a"], 15, b"a"),
            (&["--text", "a", "--opcode", "15"], 15, b"a"),
        ] {
            let options = options(words);
            assert_eq!((options.opcode, options.payload.as_slice()), (opcode, payload), "{words:?}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn each_option_changes_one_thing() {
        let plain = Options { opcode: 9, ..Options::default() };
        for (words, changed) in [
            (&[][..], plain.clone()),
            (&["--mask", "37fa213d"], Options { masking: Masking::Key([0x37, 0xfa, 0x21, 0x3d]), ..plain.clone() }),
            (&["--mask", "0x00 00 00 01"], Options { masking: Masking::Key([0, 0, 0, 1]), ..plain.clone() }),
            (&["--mask", "random"], Options { masking: Masking::Random, ..plain.clone() }),
            (&["--mask", "random", "--mask", "none"], plain.clone()),
            (&["--no-fin"], Options { fin: false, ..plain.clone() }),
            (&["--rsv", "7"], Options { rsv: 7, ..plain.clone() }),
            (&["--length-form", "7"], Options { form: Some(LengthForm::Bits7), ..plain.clone() }),
            (&["--length-form", "16"], Options { form: Some(LengthForm::Bits16), ..plain.clone() }),
            (&["--length-form", "64"], Options { form: Some(LengthForm::Bits64), ..plain.clone() }),
            (&["--declare", "18446744073709551615"], Options { declared: Some(u64::MAX), ..plain.clone() }),
            (&["--fragment", "1"], Options { fragment: Some(1), ..plain.clone() }),
            (&["--raw"], Options { output: Output::Raw, ..plain.clone() }),
            (&["--picture"], Options { output: Output::Picture, ..plain.clone() }),
        ] {
            assert_eq!(options(&[words, &["--ping"]].concat()), changed, "{words:?}");
        }
        let Ok(Command::Encode(narrow)) = parse(&["--ping"], |_| Some("40".into())) else { panic!() };
        assert_eq!(narrow.width, Some(40));
    }

    #[test]
    #[rustfmt::skip]
    fn values_that_make_none_are_refused_with_what_would() {
        for (flag, values, hint) in [
            ("--binary", &["4", "zz", "0x", "48-65", "é", "+1"][..], "48656c6c6f"),
            ("--close", &["", "65536", "-1", "+1", "bye"], "such as 1000"),
            ("--opcode", &["", "16", "0x10", "0x", "-1", "+1", "0x+1", "text"], "0x9 for a Ping"),
            ("--mask", &["", "37fa21", "37fa213d00", "yes", "37fa213g"], "37fa213d"),
            ("--rsv", &["", "8", "-1", "+1", "RSV1"], "4 for RSV1"),
            ("--length-form", &["", "8", "32", "0x10"], "7, 16 and 64"),
            ("--declare", &["", "-1", "+1", "18446744073709551616", "1K"], "18446744073709551615"),
            ("--fragment", &["", "0", "-1", "+1", "half"], "from 1 on"),
        ] {
            for value in values.iter().filter(|value| **value != "0x" || flag != "--binary") {
                let sentence = complaint(&[flag, value]);
                assert!(sentence.starts_with(&format!("{flag}: '{value}' ")), "{sentence}");
                assert!(sentence.contains(hint) && !sentence.contains('\n'), "{sentence}");
            }
        }
    }

    #[test]
    #[rustfmt::skip]
    fn words_that_do_not_go_together_are_named() {
        for (words, parts) in [
            (&[][..], &["encode needs something to make", "--text Hello"][..]),
            (&["--raw"], &["encode needs something to make"]),
            (&["Hello\u{7}"], &["'Hello\\u{7}' stands alone", "--text 'Hello\\u{7}'"]),
            (&["--close", "1000", "bye", "now"], &["'now' stands alone"]),
            (&["--text", "a", "--ping"], &["--text and --ping are two frames"]),
            (&["--ping", "--ping"], &["--ping and --ping are two frames"]),
            (&["--text"], &["--text needs a value: --text TEXT"]),
            (&["--raw=yes"], &["--raw takes no value"]),
            (&["--ping", "--raw", "--picture"], &["--raw and --picture exclude each other"]),
            (&["--txt", "a"], &["no option --txt", "did you mean --text?"]),
            (&["--length", "7"], &["no option --length", "`wirechat encode --help` lists them all"]),
            (&["--text", "a", "--declare", "3", "--fragment", "1"], &["--declare is for one frame"]),
            (&["--ping", "--declare", "128", "--length-form", "7"], &["--length-form 7: 128 does not fit", "--length-form 16"]),
            (&["--ping", "--declare", "65536", "--length-form", "7"], &["65536 does not fit", "--length-form 64"]),
            (&["--ping", "--declare", "65536", "--length-form", "16"], &["--length-form 16: 65536", "--length-form 64"]),
        ] {
            let sentence = complaint(words);
            for part in parts {
                assert!(sentence.contains(part), "{part} in {sentence}");
            }
        }
        let long = "a".repeat(128);
        complaint(&["--text", &long, "--length-form", "7"]);
        options(&["--text", &long, "--length-form", "7", "--fragment", "127"]);
        options(&["--text", &long, "--length-form", "7", "--declare", "127"]);
    }

    #[test]
    fn the_help_shows_every_option_and_its_examples_are_understood() {
        for words in [&["--help"][..], &["-h"], &["--ping", "--help"], &["--help", "--bogus"]] {
            let Ok(Command::Show(help)) = parse(words, |_| None) else { panic!("{words:?}") };
            assert!(help.lines().all(|line| line.chars().count() <= 96), "{help}");
            for flag in FLAGS {
                let left = format!("  --{} {}", flag.name, flag.value);
                assert!(help.contains(left.trim_end()), "{left}");
            }
        }
        let examples = USAGE.lines().filter_map(|line| line.strip_prefix("  wirechat encode "));
        let mut count = 0;
        for example in examples {
            let command = example.split(" | ").next().unwrap_or_default();
            let command = command.split("  ").next().unwrap_or_default();
            options(&command.split_whitespace().collect::<Vec<_>>());
            count += 1;
        }
        assert_eq!(count, 5);
    }
}
