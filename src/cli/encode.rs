//! The options of `wirechat encode`.

use super::args::{Flag, Lookup, Syntax, Times};
use super::command::Command;
use super::decode::columns;
use super::values::{bytes, digits};
use crate::tools::encode::{EncodeOptions, EncodeOutput, Masking};
use crate::wire::builder::{LengthField, LengthForm};
use crate::wire::frame::Opcode;

pub(super) const SYNTAX: Syntax<Draft> = Syntax {
    help: "wirechat encode --help",
    usage: [USAGE, NOTES],
    flags: FLAGS,
    variables: None,
    defaults: Draft::new,
    finish,
};

const USAGE: &str = "\
wirechat encode: make frames, valid or not

Examples:
  wirechat encode --text Hello --mask 37fa213d      the masked text of section 5.7
  wirechat encode --close 1000 bye --picture        a server's Close, drawn bit by bit
  wirechat encode --text Hello --fragment 2 --raw | wirechat decode -
  wirechat encode --binary c328 --opcode 1          a text that is not UTF-8
  wirechat encode --ping --length-form 64 --rsv 4   two violations, with a warning for each

Usage: wirechat encode [OPTIONS]

A frame that breaks RFC 6455 is made too, with a warning on standard error. Without a masking
key it is a frame of a server, with one a frame of a client. HEX may contain spaces, commas or
colons.

Options:
";

const NOTES: &str = "
Exit status: 0 with or without warnings, 1 if the output could not be written or there is no
random key, 2 for a mistake on the command line.
";

/// What the options have set so far.
#[derive(Default)]
pub(super) struct Draft {
    options: EncodeOptions,
    /// The options given that set the content of the frame; only one may be.
    contents: Vec<&'static str>,
    /// The options given that set the form of the output; only one may be.
    outputs: Vec<&'static str>,
    has_opcode: bool,
}

impl Draft {
    fn new(variable: Lookup) -> Self {
        let options = EncodeOptions { width: columns(variable), ..EncodeOptions::default() };
        Self { options, ..Self::default() }
    }

    fn content(&mut self, name: &'static str, opcode: Opcode, payload: Vec<u8>) {
        self.contents.push(name);
        self.options.payload = payload;
        if !self.has_opcode {
            self.options.opcode = opcode as u8;
        }
    }

    fn output(&mut self, name: &'static str, output: EncodeOutput) {
        self.outputs.push(name);
        self.options.output = output;
    }
}

#[rustfmt::skip]
const FLAGS: &[Flag<Draft>] = &[
    Flag { name: "text", value: "TEXT", words: (1, 1), default: "", times: Times::Once,
        help: "a text message",
        apply: |draft, words| { draft.content("text", Opcode::Text, words.concat().into()); Ok(()) } },
    Flag { name: "binary", value: "HEX", words: (1, 1), default: "", times: Times::Once,
        help: "a binary message of these bytes",
        apply: |draft, words| { draft.content("binary", Opcode::Binary, bytes(&words.concat())?); Ok(()) } },
    Flag { name: "continuation", value: "[TEXT]", words: (0, 1), default: "", times: Times::Once,
        help: "a continuation of the message",
        apply: |draft, words| { draft.content("continuation", Opcode::Continuation, words.concat().into()); Ok(()) } },
    Flag { name: "ping", value: "[TEXT]", words: (0, 1), default: "", times: Times::Once,
        help: "a Ping",
        apply: |draft, words| { draft.content("ping", Opcode::Ping, words.concat().into()); Ok(()) } },
    Flag { name: "pong", value: "[TEXT]", words: (0, 1), default: "", times: Times::Once,
        help: "a Pong",
        apply: |draft, words| { draft.content("pong", Opcode::Pong, words.concat().into()); Ok(()) } },
    Flag { name: "close", value: "[CODE [REASON]]", words: (0, 2), default: "", times: Times::Once,
        help: "a Close",
        apply: |draft, words| { draft.content("close", Opcode::Close, close(words)?); Ok(()) } },
    Flag { name: "opcode", value: "N", words: (1, 1), default: "", times: Times::Once,
        help: "use this opcode, 0 to 15 or 0x0 to 0xF",
        apply: |draft, words| { draft.options.opcode = opcode(&words.concat())?; draft.has_opcode = true; Ok(()) } },
    Flag { name: "mask", value: "KEY", words: (1, 1), default: "none", times: Times::Once,
        help: "mask with this key, 8 hex digits; `random` takes a new key for each frame; `none` does not mask",
        apply: |draft, words| { draft.options.masking = masking(&words.concat())?; Ok(()) } },
    Flag { name: "no-fin", value: "", words: (0, 0), default: "", times: Times::Once,
        help: "clear FIN: the message is to be continued",
        apply: |draft, _| { draft.options.fin = false; Ok(()) } },
    Flag { name: "rsv", value: "N", words: (1, 1), default: "", times: Times::Once,
        help: "set reserved bits: the sum of 4 for RSV1, 2 for RSV2 and 1 for RSV3",
        apply: |draft, words| { draft.options.rsv = rsv(&words.concat())?; Ok(()) } },
    Flag { name: "length-form", value: "BITS", words: (1, 1), default: "", times: Times::Once,
        help: "write the length in 7, 16 or 64 bits, even if it needs fewer",
        apply: |draft, words| { draft.options.length_form = Some(form(&words.concat())?); Ok(()) } },
    Flag { name: "declare", value: "LENGTH", words: (1, 1), default: "", times: Times::Once,
        help: "write this payload length, true or not",
        apply: |draft, words| { draft.options.declared = Some(length(&words.concat())?); Ok(()) } },
    Flag { name: "fragment", value: "SIZE", words: (1, 1), default: "", times: Times::Once,
        help: "split the payload into frames of at most SIZE bytes",
        apply: |draft, words| { draft.options.fragment = Some(size(&words.concat())?); Ok(()) } },
    Flag { name: "raw", value: "", words: (0, 0), default: "", times: Times::Once,
        help: "write the bytes themselves, for a pipe or a file",
        apply: |draft, _| { draft.output("raw", EncodeOutput::Raw); Ok(()) } },
    Flag { name: "picture", value: "", words: (0, 0), default: "", times: Times::Once,
        help: "draw each frame as section 5.2 does",
        apply: |draft, _| { draft.output("picture", EncodeOutput::Picture); Ok(()) } },
];

fn finish(draft: Draft, operands: &[&str]) -> Result<Command, String> {
    if let Some(word) = operands.first() {
        let word = word.escape_debug();
        return Err(format!(
            "unexpected argument '{word}'; to make a text frame use --text '{word}'"
        ));
    }
    match draft.contents.as_slice() {
        [first, .., last] => {
            return Err(format!(
                "--{first} and --{last} each make a frame; make one frame at a time"
            ));
        }
        [] if !draft.has_opcode => {
            return Err(
                "encode needs a frame to make, such as --text Hello, --ping or --close 1000".into(),
            );
        }
        _ => (),
    }
    if let [first, .., last] = draft.outputs.as_slice()
        && first != last
    {
        return Err(format!("--{first} and --{last} exclude each other; give one"));
    }
    validate(&draft.options)?;
    Ok(Command::Encode(draft.options))
}

/// Rejects values that contradict each other.
fn validate(options: &EncodeOptions) -> Result<(), String> {
    if options.declared.is_some() && options.fragment.is_some() {
        return Err(
            "--declare is for one frame, and --fragment makes several; remove one of them".into()
        );
    }
    let whole = options.payload.len();
    let largest = options.fragment.map_or(whole, |size| size.min(whole)) as u64;
    let length = options.declared.unwrap_or(largest);
    match options.length_form {
        Some(form) if LengthField::in_form(form, length).is_none() => Err(format!(
            "--length-form {}: {length} does not fit; --length-form {} has room for it",
            if form == LengthForm::Bits7 { 7 } else { 16 },
            if LengthField::in_form(LengthForm::Bits16, length).is_some() { 16 } else { 64 },
        )),
        _ => Ok(()),
    }
}

/// The body of a Close: empty, or a code of any number with a reason (section 5.5.1).
fn close(words: &[&str]) -> Result<Vec<u8>, String> {
    let [code, reason @ ..] = words else { return Ok(Vec::new()) };
    let code = digits(code, u16::MAX.into()).and_then(|code| u16::try_from(code).ok());
    match code {
        Some(code) => Ok([&code.to_be_bytes(), reason.concat().as_bytes()].concat()),
        None => Err("does not start with a close code from 0 to 65535, such as 1000".to_owned()),
    }
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
            _ => {
                Err("is not a masking key: 4 bytes in hex such as 37fa213d, random, or none".into())
            }
        },
    }
}

fn rsv(value: &str) -> Result<u8, String> {
    let bits = digits(value, 7).and_then(|bits| u8::try_from(bits).ok());
    bits.ok_or_else(|| "is not a number from 0 to 7, such as 4 for RSV1".to_owned())
}

fn form(value: &str) -> Result<LengthForm, String> {
    match value {
        "7" => Ok(LengthForm::Bits7),
        "16" => Ok(LengthForm::Bits16),
        "64" => Ok(LengthForm::Bits64),
        _ => Err("is not a length form; the forms are 7, 16 and 64".to_owned()),
    }
}

fn length(value: &str) -> Result<u64, String> {
    let length = digits(value, u64::MAX);
    length.ok_or_else(|| format!("is not a length from 0 to {}, such as 126", u64::MAX))
}

fn size(value: &str) -> Result<usize, String> {
    let size = digits(value, u64::MAX).and_then(|size| usize::try_from(size).ok());
    size.filter(|size| *size != 0)
        .ok_or_else(|| "is not a number of bytes of at least 1, such as 2".to_owned())
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
            (&["--no-fin"], EncodeOptions { fin: false, ..plain.clone() }),
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
            ("--length-form", &["", "8", "32", "0x10"], "7, 16 and 64"),
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
            (&[][..], &["encode needs a frame to make", "--text Hello"][..]),
            (&["--raw"], &["encode needs a frame to make"]),
            (&["Hello\u{7}"], &["unexpected argument 'Hello\\u{7}'", "--text 'Hello\\u{7}'"]),
            (&["--close", "1000", "bye", "now"], &["unexpected argument 'now'"]),
            (&["--text", "a", "--ping"], &["--text and --ping each make a frame"]),
            (&["--ping", "--ping"], &["--ping and --ping each make a frame"]),
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
