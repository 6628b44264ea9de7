//! The options of `wirechat encode`.

use super::args::{Flag, Syntax, Times::Once, flag};
use super::command::Command;
use super::decode::columns;
use super::unknown::unexpected;
use super::values::{bytes, choice, choose, integer, set};
use crate::tools::encode::{EncodeOptions, EncodeOutput, Masking};
use crate::wire::builder::LengthForm;
use crate::wire::close::join_body;
use crate::wire::frame::Opcode;

pub(super) const SYNTAX: Syntax<EncodeArguments> = Syntax {
    topic: "encode",
    help: "wirechat encode --help",
    flags: FLAGS,
    variables: None,
    defaults: |variable| {
        let options = EncodeOptions { width: columns(variable), ..EncodeOptions::default() };
        EncodeArguments { options, ..EncodeArguments::default() }
    },
    finish,
};

/// What the options have set so far.
#[derive(Default)]
pub(super) struct EncodeArguments {
    options: EncodeOptions,
    /// The frame, with the opcode of its name.
    content: Option<(Opcode, Vec<u8>)>,
    /// Another opcode for it.
    opcode: Option<u8>,
}

impl EncodeArguments {
    fn content(&mut self, opcode: Opcode, payload: Vec<u8>) -> Result<(), String> {
        match self.content.replace((opcode, payload)) {
            Some(_) => Err("is a second frame; make one frame at a time".to_owned()),
            None => Ok(()),
        }
    }
}

#[rustfmt::skip]
const FLAGS: &[Flag<EncodeArguments>] = &[
    // name, value, its least and most words, default, times, help; then how the value is stored
    flag("text", "TEXT", (1, 1), "", Once, "a text message",
        |args, words| args.content(Opcode::Text, words.concat().into())),
    flag("binary", "HEX", (1, 1), "", Once, "a binary message of these bytes",
        |args, words| args.content(Opcode::Binary, bytes(&words.concat())?)),
    flag("continuation", "[TEXT]", (0, 1), "", Once, "a continuation of the message",
        |args, words| args.content(Opcode::Continuation, words.concat().into())),
    flag("ping", "[TEXT]", (0, 1), "", Once, "a Ping",
        |args, words| args.content(Opcode::Ping, words.concat().into())),
    flag("pong", "[TEXT]", (0, 1), "", Once, "a Pong",
        |args, words| args.content(Opcode::Pong, words.concat().into())),
    flag("close", "[CODE [REASON]]", (0, 2), "", Once, "a Close",
        |args, words| args.content(Opcode::Close, close(words)?)),
    flag("opcode", "N", (1, 1), "", Once, "use this opcode, 0 to 15 or 0x0 to 0xF",
        |args, words| set(&mut args.opcode, opcode(&words.concat()).map(Some))),
    flag("mask", "KEY", (1, 1), "none", Once, "mask with this key, 8 hex digits; `random` takes a new key for each frame; `none` does not mask",
        |args, words| set(&mut args.options.masking, masking(&words.concat()))),
    flag("no-fin", "", (0, 0), "", Once, "clear FIN: more frames of the message follow",
        |args, _| { args.options.no_fin = true; Ok(()) }),
    flag("rsv", "N", (1, 1), "", Once, "set reserved bits: the sum of 4 for RSV1, 2 for RSV2 and 1 for RSV3",
        |args, words| set(&mut args.options.rsv, integer(&words.concat(), 0..=7, "is not a number from 0 to 7, such as 4 for RSV1"))),
    flag("length-form", "BITS", (1, 1), "", Once, "write the length in 7, 16 or 64 bits, even if it needs fewer",
        |args, words| set(&mut args.options.length_form, choice(words, LENGTH_FORMS).map(Some))),
    flag("declare", "LENGTH", (1, 1), "", Once, "declare this payload length, even if it is wrong",
        |args, words| set(&mut args.options.declared, integer(&words.concat(), 0..=u64::MAX, "is not a length from 0 to 18446744073709551615, such as 126").map(Some))),
    flag("fragment", "SIZE", (1, 1), "", Once, "split the payload into frames of at most SIZE bytes",
        |args, words| set(&mut args.options.fragment, integer(&words.concat(), 1..=u64::MAX, "is not a number of bytes of at least 1, such as 2").map(Some))),
    flag("raw", "", (0, 0), "", Once, "write the bytes themselves, for a pipe or a file",
        |args, _| choose(&mut args.options.output, EncodeOutput::Raw, "--picture")),
    flag("picture", "", (0, 0), "", Once, "draw each frame as section 5.2 does",
        |args, _| choose(&mut args.options.output, EncodeOutput::Picture, "--raw")),
];

const LENGTH_FORMS: &[(&str, LengthForm)] =
    &[("7", LengthForm::Bits7), ("16", LengthForm::Bits16), ("64", LengthForm::Bits64)];

/// Rejects values that contradict each other.
fn finish(args: EncodeArguments, operands: &[&str]) -> Result<Command, String> {
    if let Some(word) = operands.first() {
        let hint = format!("to make a text frame use --text '{}'", word.escape_debug());
        return Err(unexpected(word, &hint));
    }
    let (opcode, payload) = match (args.content, args.opcode) {
        (Some((own, payload)), other) => (other.unwrap_or(own as u8), payload),
        (None, Some(opcode)) => (opcode, Vec::new()),
        (None, None) => {
            return Err("encode needs a frame, such as --text Hello, --ping or --close 1000".into());
        }
    };
    let options = EncodeOptions { opcode, payload, ..args.options };
    if options.declared.is_some() && options.fragment.is_some() {
        return Err("--declare is for one frame, --fragment makes several; remove one".into());
    }
    let whole = options.payload.len();
    let largest = options.fragment.map_or(whole, |size| size.min(whole)) as u64;
    let length = options.declared.unwrap_or(largest);
    match options.length_form {
        Some(form) if !form.fits(length) => Err(format!(
            "--length-form {}: {length} does not fit; --length-form {} has room for it",
            if form == LengthForm::Bits7 { 7 } else { 16 },
            if LengthForm::Bits16.fits(length) { 16 } else { 64 },
        )),
        _ => Ok(Command::Encode(options)),
    }
}

/// The body of a Close: empty, or a code of any number with a reason (section 5.5.1).
fn close(words: &[&str]) -> Result<Vec<u8>, String> {
    let [code, reason @ ..] = words else { return Ok(Vec::new()) };
    let hint = "does not start with a close code from 0 to 65535, such as 1000";
    let code: u16 = integer(code, 0..=65_535, hint)?;
    Ok(join_body(code, reason.concat().as_bytes()))
}

fn opcode(value: &str) -> Result<u8, String> {
    let hex = value.strip_prefix("0x").map(|digits| u8::from_str_radix(digits, 16).ok());
    let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match hex.unwrap_or_else(|| value.parse().ok()) {
        Some(opcode @ 0..=15) if is_plain => Ok(opcode),
        _ => Err("is not an opcode from 0 to 15, such as 1 for text or 0x9 for a Ping".to_owned()),
    }
}

fn masking(value: &str) -> Result<Masking, String> {
    match value {
        "none" => Ok(Masking::None),
        "random" => Ok(Masking::Random),
        _ => match bytes(value).map(<[u8; 4]>::try_from) {
            Ok(Ok(key)) => Ok(Masking::Key(key)),
            _ => Err("is not 4 bytes in hex such as 37fa213d, random, or none".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> EncodeOptions {
        match SYNTAX.parse(words, &|_| None) {
            Ok(Command::Encode(options)) => options,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    fn error(words: &[&str]) -> String {
        SYNTAX.parse(words, &|_| None).expect_err(&words.join(" "))
    }

    #[test]
    #[rustfmt::skip]
    fn options_set_the_opcode_and_the_payload() {
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
        let plain = EncodeOptions { opcode: 9, ..EncodeOptions::default() };
        for (words, changed) in [
            (&[][..], plain.clone()),
            (&["--mask", "37fa213d"], EncodeOptions { masking: Masking::Key([0x37, 0xfa, 0x21, 0x3d]), ..plain.clone() }),
            (&["--mask", "0x00 00 00 01"], EncodeOptions { masking: Masking::Key([0, 0, 0, 1]), ..plain.clone() }),
            (&["--mask", "random"], EncodeOptions { masking: Masking::Random, ..plain.clone() }),
            (&["--mask", "random", "--mask", "none"], plain.clone()),
            (&["--no-fin"], EncodeOptions { no_fin: true, ..plain.clone() }),
            (&["--rsv", "7"], EncodeOptions { rsv: 7, ..plain.clone() }),
            (&["--length-form", "7"], EncodeOptions { length_form: Some(LengthForm::Bits7), ..plain.clone() }),
            (&["--length-form", "16"], EncodeOptions { length_form: Some(LengthForm::Bits16), ..plain.clone() }),
            (&["--length-form", "64"], EncodeOptions { length_form: Some(LengthForm::Bits64), ..plain.clone() }),
            (&["--declare", "18446744073709551615"], EncodeOptions { declared: Some(u64::MAX), ..plain.clone() }),
            (&["--fragment", "1"], EncodeOptions { fragment: Some(1), ..plain.clone() }),
            (&["--raw"], EncodeOptions { output: EncodeOutput::Raw, ..plain.clone() }),
            (&["--picture"], EncodeOptions { output: EncodeOutput::Picture, ..plain.clone() }),
        ] {
            assert_eq!(options(&[words, &["--ping"]].concat()), changed, "{words:?}");
        }
        let Ok(Command::Encode(narrow)) = SYNTAX.parse(&["--ping"], &|_| Some("40".into())) else { panic!() };
        assert_eq!(narrow.width, Some(40));
    }

    #[test]
    #[rustfmt::skip]
    fn a_wrong_value_is_rejected_with_one_that_would_be_right() {
        for (flag, values, hint) in [
            ("--binary", &["4", "zz", "0x", "48-65", "é", "+1"][..], "48656c6c6f"),
            ("--close", &["", "65536", "-1", "+1", "bye"], "such as 1000"),
            ("--opcode", &["", "16", "0x10", "0x", "-1", "+1", "0x+1", "text"], "0x9 for a Ping"),
            ("--mask", &["", "37fa21", "37fa213d00", "yes", "37fa213g"], "37fa213d"),
            ("--rsv", &["", "8", "-1", "+1", "RSV1"], "4 for RSV1"),
            ("--length-form", &["", "8", "32", "0x10"], "7, 16, 64"),
            ("--declare", &["", "-1", "+1", "18446744073709551616", "1K"], "18446744073709551615"),
            ("--fragment", &["", "0", "-1", "+1", "half"], "of at least 1"),
        ] {
            for value in values.iter().filter(|value| **value != "0x" || flag != "--binary") {
                let sentence = error(&[flag, value]);
                assert!(sentence.starts_with(&format!("{flag}: '{value}' ")), "{sentence}");
                assert!(sentence.contains(hint) && !sentence.contains('\n'), "{sentence}");
            }
        }
    }

    #[test]
    #[rustfmt::skip]
    fn words_that_exclude_each_other_are_named() {
        for (words, parts) in [
            (&[][..], &["encode needs a frame", "--text Hello"][..]),
            (&["--raw"], &["encode needs a frame"]),
            (&["Hello\u{7}"], &["unexpected argument 'Hello\\u{7}'", "--text 'Hello\\u{7}'"]),
            (&["--close", "1000", "bye", "now"], &["unexpected argument 'now'"]),
            (&["--ping", "--text", "a"], &["--text: 'a' is a second frame"]),
            (&["--text", "a", "--ping"], &["--ping is a second frame; make one"]),
            (&["--ping", "--ping"], &["--ping is a second frame; make one"]),
            (&["--text"], &["--text needs a value: --text TEXT"]),
            (&["--raw=yes"], &["--raw takes no value"]),
            (&["--ping", "--raw", "--picture"], &["--picture excludes --raw"]),
            (&["--txt", "a"], &["unknown option `--txt`", "did you mean `--text`?"]),
            (&["--length", "7"], &["unknown option `--length`", "`wirechat encode --help` lists them all"]),
            (&["--text", "a", "--declare", "3", "--fragment", "1"], &["--declare is for one frame"]),
            (&["--ping", "--declare", "128", "--length-form", "7"], &["--length-form 7: 128 does not fit", "--length-form 16"]),
            (&["--ping", "--declare", "65536", "--length-form", "7"], &["65536 does not fit", "--length-form 64"]),
            (&["--ping", "--declare", "65536", "--length-form", "16"], &["--length-form 16: 65536", "--length-form 64"]),
        ] {
            let sentence = error(words);
            for part in parts {
                assert!(sentence.contains(part), "{part} in {sentence}");
            }
        }
        let long = "a".repeat(128);
        error(&["--text", &long, "--length-form", "7"]);
        options(&["--text", &long, "--length-form", "7", "--fragment", "127"]);
        options(&["--text", &long, "--length-form", "7", "--declare", "127"]);
    }

    #[test]
    fn the_help_shows_every_option_and_its_examples_are_valid() {
        for words in [&["--help"][..], &["-h"], &["--ping", "--help"], &["--help", "--bogus"]] {
            let Ok(Command::Show(help)) = SYNTAX.parse(words, &|_| None) else {
                panic!("{words:?}")
            };
            assert!(help.lines().all(|line| line.chars().count() <= 96), "{help}");
            for flag in FLAGS {
                let left = format!("  --{} {}", flag.name, flag.value);
                assert!(help.contains(left.trim_end()), "{left}");
            }
        }
        let help = SYNTAX.help_text();
        let examples = help.lines().filter_map(|line| line.strip_prefix("    wirechat encode --"));
        let mut count = 0;
        for example in examples {
            let command = example.split(" | ").next().unwrap_or_default();
            let command = command.split("  ").next().unwrap_or_default();
            options(&format!("--{command}").split_whitespace().collect::<Vec<_>>());
            count += 1;
        }
        assert_eq!(count, 5);
    }
}
