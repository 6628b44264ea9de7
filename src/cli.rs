//! The command line: words and environment variables in, one [`Command`] out.
//!
//! ```text
//! words ─> args: the parser ─────────────────────────────> command
//!             ^
//!             │ a Syntax: the table of options
//!          serve, decode, encode or accept ─> values: reads one value
//! ```

use std::ffi::OsString;

use crate::help::{TOPICS, topic};
use args::{Lookup, row, utf8};
pub use command::Command;
use unknown::{unexpected, unknown};

mod accept;
mod args;
mod command;
mod decode;
mod encode;
mod serve;
mod unknown;
mod values;

/// The commands. All but `help` are topics of the manual too.
const COMMANDS: [&str; 5] = ["serve", "decode", "encode", "accept", "help"];

/// Reads the words after the program's name; `variable` looks up an environment variable.
///
/// # Errors
/// A sentence: what is wrong, and what would be right.
pub fn parse(
    words: impl Iterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, String> {
    let variable: Lookup = &variable;
    let mut given: Vec<String> = Vec::new();
    for word in words {
        let last = given.last().map_or("the first argument", String::as_str);
        given.push(utf8(word).map_err(|error| format!("{last}: {error}"))?);
    }
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", words @ ..] => serve::SYNTAX.parse(words, variable),
        ["decode", words @ ..] => decode::SYNTAX.parse(words, variable),
        ["encode", words @ ..] => encode::SYNTAX.parse(words, variable),
        ["accept", words @ ..] => accept::SYNTAX.parse(words, variable),
        ["help", words @ ..] => help(words).map(Command::Show),
        [word, ..] if !word.starts_with('-') => {
            Err(unknown("command", "wirechat ", word, COMMANDS.into_iter(), "wirechat help"))
        }
        words => serve::SYNTAX.parse(words, variable),
    }
}

/// A topic of the manual; without a name, the list of commands and topics.
fn help(words: &[&str]) -> Result<String, String> {
    match words {
        [] | ["--help" | "-h"] => Ok(contents()),
        [name] => topic(name).map(str::to_owned).ok_or_else(|| {
            let names = TOPICS.iter().map(|topic| topic.name);
            unknown("topic", "wirechat help ", name, names, "wirechat help")
        }),
        [_, word, ..] => Err(unexpected(word, "help takes one topic")),
    }
}

fn contents() -> String {
    let title = "wirechat: a WebSocket chat server that shows RFC 6455 as it is on the wire\n";
    let mut text = title.to_owned();
    for (title, are_commands) in [("Commands, each with --help", true), ("Other topics", false)] {
        text.push_str(&format!("\n{title}:\n"));
        let are_here = |name| COMMANDS.contains(name) == are_commands;
        for topic in TOPICS.iter().filter(|topic| are_here(&topic.name)) {
            text.push_str(&row(topic.name, topic.summary));
        }
    }
    text + "\n`wirechat help NAME` prints the manual of a command or a topic.\n"
}

#[cfg(test)]
mod tests {
    use super::serve::{FLAGS, SYNTAX};
    use super::values::{address, origin, seconds, size};
    use super::*;
    use crate::server::inspect::Inspection;
    use crate::server::limits::Limits;
    use crate::server::log::{Format, Verbosity};
    use crate::server::options::ServeOptions;
    use crate::server::trace::Tracing;
    use std::time::Duration;

    fn with(words: &[&str], variables: &[(&str, &str)]) -> Result<Command, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        parse(words.iter().map(OsString::from), variable)
    }

    fn options_of(words: &[&str], variables: &[(&str, &str)]) -> ServeOptions {
        match with(words, variables) {
            Ok(Command::Serve(options)) => options,
            other => panic!("{words:?} {variables:?}: {other:?}"),
        }
    }

    fn options(words: &[&str]) -> ServeOptions {
        options_of(words, &[])
    }

    fn error(words: &[&str]) -> String {
        with(words, &[]).unwrap_err()
    }

    fn shown(words: &[&str]) -> String {
        match with(words, &[]) {
            Ok(Command::Show(text)) => text,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn without_words_it_serves_with_the_defaults() {
        let defaults = ServeOptions {
            bind: vec!["127.0.0.1:1984".parse().unwrap()],
            welcome: "Welcome to Corvusoft Chat!".to_owned(),
            origins: vec![],
            limits: Limits {
                max_message: 1_048_576,
                max_backlog: 4_194_304,
                max_connections: 4096,
                ping_interval: Duration::from_secs(20),
                idle_timeout: Duration::from_secs(60),
                handshake_timeout: Duration::from_secs(10),
            },
            log_format: Format::Text,
            verbosity: Verbosity::Normal,
            tracing: Tracing::Off,
            inspection: Inspection::Off,
        };
        assert_eq!(options(&[]), defaults);
        assert_eq!(options(&["serve"]), defaults);
    }

    #[test]
    fn the_defaults_in_the_help_are_those_that_hold() {
        for flag in FLAGS.iter().filter(|flag| !flag.default.is_empty()) {
            let words = [format!("--{}", flag.name), flag.default.to_owned()];
            assert_eq!(options(&[&words[0], &words[1]]), options(&[]), "{words:?}");
        }
    }

    #[test]
    fn the_help_shows_every_option_and_begins_with_examples() {
        let help = shown(&["--help"]);
        assert!(help.starts_with("wirechat: ") && help.find("Examples") < help.find("Options"));
        assert!(help.lines().all(|line| line.chars().count() <= 96), "{help}");
        let unwrapped = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for flag in FLAGS {
            let left = format!("--{} {}", flag.name, flag.value);
            assert!(unwrapped.contains(left.trim_end()), "{left}");
            let default = match flag.default {
                "" => String::new(),
                default => format!("[default: {default}] "),
            };
            let right = format!("{} {default}[{}]", flag.help, flag.variable("WIRECHAT_"));
            assert!(unwrapped.contains(&right), "{right}");
        }
        for words in [&["-h"][..], &["serve", "--help"], &["--quiet", "--help", "--x"]] {
            assert_eq!(shown(words), help, "{words:?}");
        }
    }

    #[test]
    fn the_examples_in_the_help_are_valid() {
        let help = SYNTAX.help_text();
        let usage = help.split("Usage:").next().unwrap();
        let examples = usage.lines().filter_map(|line| line.strip_prefix("    "));
        let mut count = 0;
        for example in examples {
            let (before, after) = example.split_once("wirechat").unwrap();
            let variables: Vec<(&str, &str)> =
                before.split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
            let command = after.split("   ").next().unwrap_or_default();
            let command = command.split("  ").next().unwrap_or_default();
            options_of(&command.split_whitespace().collect::<Vec<_>>(), &variables);
            count += 1;
        }
        assert_eq!(count, 4);
    }

    #[test]
    fn help_lists_commands_and_topics_and_each_command_has_its_own_help() {
        let contents = shown(&["help"]);
        assert_eq!(shown(&["help", "--help"]), contents);
        assert!(contents.lines().all(|line| line.chars().count() <= 96), "{contents}");
        for name in COMMANDS.into_iter().filter(|name| *name != "help") {
            let own = shown(&[name, "--help"]);
            let beginning = match name {
                "serve" => "wirechat: ".to_owned(),
                name => format!("wirechat {name}: "),
            };
            assert!(own.starts_with(&beginning) && own.contains("Examples:"), "{own}");
        }
        for topic in TOPICS {
            let line = format!("  {:<26} {}\n", topic.name, topic.summary);
            assert!(contents.contains(&line), "{line}");
            assert_eq!(shown(&["help", topic.name]), topic.text);
        }
    }

    #[test]
    fn an_unknown_topic_is_an_error_with_a_suggestion() {
        for (words, sentence) in [
            (
                &["help", "metric"][..],
                "unknown topic `metric`; did you mean `wirechat help metrics`?",
            ),
            (&["help", "Deploy"], "unknown topic `Deploy`; did you mean `wirechat help deploy`?"),
            (&["help", "\u{1b}"], "unknown topic `\\u{1b}`; `wirechat help` lists them all"),
            (&["help", "serve", "x"], "unexpected argument 'x'; help takes one topic"),
            (&["hlp", "serve"], "unknown command `hlp`; did you mean `wirechat help`?"),
        ] {
            assert_eq!(error(words), sentence);
        }
    }

    #[test]
    fn a_required_value_can_look_like_an_option() {
        for word in ["-h", "--help", "-V", "--version", "--welcome", "--"] {
            assert_eq!(options(&["--welcome", word]).welcome, word);
            assert_eq!(options(&["serve", "--quiet", "--welcome", word]).welcome, word);
        }
    }

    #[test]
    fn the_version_is_that_of_the_package() {
        for words in [&["--version"][..], &["-V"], &["serve", "--version"], &["decode", "-V"]] {
            assert_eq!(shown(words), format!("wirechat {}\n", env!("CARGO_PKG_VERSION")));
        }
    }

    /// One way to write each option, and what it changes.
    type Change = fn(&mut ServeOptions);

    #[rustfmt::skip]
    const CHANGES: &[(&str, &str, Change)] = &[
        ("bind", "[::1]:0", |o| o.bind = vec!["[::1]:0".parse().unwrap()]),
        ("welcome", "Hi, you", |o| o.welcome = "Hi, you".to_owned()),
        ("origin", "HTTPS://Chat.Example", |o| o.origins = vec!["https://chat.example".to_owned()]),
        ("max-message", "64k", |o| o.limits.max_message = 65_536),
        ("max-backlog", "2G", |o| o.limits.max_backlog = 2_147_483_648),
        ("max-connections", "9", |o| o.limits.max_connections = 9),
        ("ping-interval", "0", |o| o.limits.ping_interval = Duration::ZERO),
        ("idle-timeout", "90.5", |o| o.limits.idle_timeout = Duration::from_millis(90_500)),
        ("handshake-timeout", ".25", |o| o.limits.handshake_timeout = Duration::from_millis(250)),
        ("trace", "true", |o| o.tracing = Tracing::Summary),
        ("inspect", "true", |o| o.inspection = Inspection::Loopback),
        ("log-format", "json", |o| o.log_format = Format::Json),
        ("quiet", "true", |o| o.verbosity = Verbosity::Quiet),
    ];

    #[test]
    fn each_option_is_a_flag_and_a_variable_and_the_flag_wins() {
        assert_eq!(CHANGES.len(), FLAGS.len());
        for (row, (flag, value, change)) in FLAGS.iter().zip(CHANGES) {
            assert_eq!(row.name, *flag);
            let mut changed = options(&[]);
            change(&mut changed);
            assert_ne!(changed, options(&[]), "{flag}");

            let (word, inline) = (format!("--{flag}"), format!("--{flag}={value}"));
            let words = if row.value.is_empty() { &[&*word][..] } else { &[&*word, *value] };
            let variable = row.variable("WIRECHAT_");
            assert_eq!(options(words), changed, "{flag}");
            assert_eq!(options(&[&inline]), changed, "{flag}");
            assert_eq!(options_of(&[], &[(&variable, value)]), changed, "{variable}");
            assert_eq!(options_of(words, &[(&variable, "nonsense")]), changed, "{flag}");
        }
        assert_eq!(FLAGS[3].variable("WIRECHAT_"), "WIRECHAT_MAX_MESSAGE");
    }

    #[test]
    fn repeatable_options_add_up_and_of_others_the_last_counts() {
        let many = options(&["--bind", "127.0.0.1:1", "--origin=null", "--bind=127.0.0.1:2"]);
        assert_eq!(many.bind, ["127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap()]);
        assert_eq!(options(&["--welcome", "a", "--welcome", "b"]).welcome, "b");

        let variables =
            [("WIRECHAT_BIND", "127.0.0.1:1, [::1]:2,"), ("WIRECHAT_ORIGIN", "null,http://a,*")];
        let many = options_of(&[], &variables);
        assert_eq!(many.bind, ["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()]);
        assert_eq!(many.origins, ["null", "http://a", "*"]);
        let one = options_of(&["--origin", "http://b"], &variables);
        assert_eq!(one.origins, ["http://b"], "a flag replaces the whole list");
        assert_eq!(options_of(&[], &[("WIRECHAT_BIND", "")]), options(&[]));
        assert_eq!(options_of(&[], &[("WIRECHAT_WELCOME", "a, b")]).welcome, "a, b");
    }

    #[test]
    fn a_switch_can_be_switched_off() {
        for (value, verbosity) in [
            ("1", Verbosity::Quiet),
            ("yes", Verbosity::Quiet),
            ("on", Verbosity::Quiet),
            ("0", Verbosity::Normal),
            ("false", Verbosity::Normal),
            ("no", Verbosity::Normal),
            ("off", Verbosity::Normal),
            ("", Verbosity::Normal),
        ] {
            assert_eq!(options(&[&format!("--quiet={value}")]).verbosity, verbosity, "{value}");
            let variable = [("WIRECHAT_QUIET", value)];
            assert_eq!(options_of(&[], &variable).verbosity, verbosity, "{value}");
        }
        assert_eq!(options_of(&["--quiet=off"], &[("WIRECHAT_QUIET", "1")]), options(&[]));
        assert!(error(&["--quiet=maybe"]).contains("neither true nor false"));
    }

    #[test]
    #[rustfmt::skip]
    fn values_are_read() {
        for (value, expected) in [
            ("1", 1), ("500000", 500_000), ("64K", 65_536), ("64k", 65_536), ("1M", 1 << 20), ("3g", 3 << 30),
            ("1024G", 1 << 40), ("007", 7),
        ] {
            assert_eq!(size(value), Ok(expected), "{value}");
        }
        for (value, milliseconds) in [
            ("0", 0), ("20", 20_000), ("0.5", 500), (".5", 500), ("5.", 5000), ("0.001", 1), ("1.234", 1234),
            ("31536000", 31_536_000_000),
        ] {
            assert_eq!(seconds(value), Ok(Duration::from_millis(milliseconds)), "{value}");
        }
        for (value, expected) in [
            ("127.0.0.1:1984", "127.0.0.1:1984"), ("0.0.0.0:0", "0.0.0.0:0"), ("[::1]:65535", "[::1]:65535"),
            ("localhost:80", "127.0.0.1:80"),
        ] {
            assert_eq!(address(value), Ok(expected.parse().unwrap()), "{value}");
        }
        for (value, expected) in [
            ("https://chat.example.org", "https://chat.example.org"), ("HTTP://A:81", "http://a:81"),
            ("http://[::1]:1984", "http://[::1]:1984"), ("null", "null"), ("*", "*"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ] {
            assert_eq!(origin(value).as_deref(), Ok(expected), "{value}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn a_wrong_value_is_rejected_with_one_that_would_be_right() {
        for (flag, values, hint) in [
            ("--bind", &["", "1984", "localhost", "127.0.0.1", ":1984", "::1:1984", "127.0.0.1:65536", "h:80",
                "http://127.0.0.1:1984"][..], "127.0.0.1:1984"),
            ("--origin", &["", "chat.example.org", "https://", "://a", "https://a/", "https://a/b", "https://a?b",
                "https://a#b", "https://u@a", "https://*.a", "https://a b", "https://\u{e9}", "nil", "**"],
                "https://chat.example.org"),
            ("--max-message", &["", "0", "0K", "K", "-1", "+1", "1.5M", "1MB", "1 M", "1T", "1025G", "1x", "\u{e9}",
                "99999999999999999999", "17179869184G"], "64K"),
            ("--max-backlog", &["0", "none"], "64K"),
            ("--max-connections", &["", "0", "-1", "+5", "1.5", "1K", "1000001", "99999999999999999999"], "4096"),
            ("--ping-interval", &["", ".", "-1", "+1", "1s", "1,5", "1.2.3", "1.2345", "1e3", "31536001", "999999999", "\u{661}",
                "inf", "NaN"], "0.5"),
            ("--idle-timeout", &["0", "0.0", "0.000"], "0.001"),
            ("--handshake-timeout", &["0", "."], "0"),
            ("--log-format", &["", "xml", "JSON"], "text nor json"),
        ] {
            for value in values {
                let sentence = error(&[flag, value]);
                let beginning = format!("{flag}: '{value}' is ");
                assert!(sentence.starts_with(&beginning), "{sentence}");
                assert!(sentence[beginning.len()..].contains(hint), "{sentence}");
                assert!(!sentence.contains('\n'), "{sentence}");
            }
        }
        let sentence = with(&[], &[("WIRECHAT_MAX_MESSAGE", "big")]).unwrap_err();
        assert!(sentence.starts_with("WIRECHAT_MAX_MESSAGE: 'big' is not a size"), "{sentence}");
    }

    #[test]
    fn the_idle_timeout_is_longer_than_the_ping_interval() {
        options(&["--ping-interval", "20", "--idle-timeout", "40"]);
        options(&["--ping-interval", "0", "--idle-timeout", "0.001"]);
        for words in [&["--idle-timeout", "20"][..], &["--ping-interval", "60"]] {
            let sentence = error(words);
            assert!(
                sentence.contains("--idle-timeout (") && sentence.contains("--ping-interval (")
            );
        }
    }

    #[test]
    fn a_typo_suggests_the_nearest_option() {
        for (word, flag) in [
            ("--max-mesage", "--max-message"),
            ("--maxmessage", "--max-message"),
            ("--max-connection", "--max-connections"),
            ("--max-conections=3", "--max-connections"),
            ("--bing", "--bind"),
            ("--welcom", "--welcome"),
            ("--origins", "--origin"),
            ("--ping_interval", "--ping-interval"),
            ("--idle-time-out", "--idle-timeout"),
            ("--tace", "--trace"),
            ("--quite", "--quiet"),
            ("--log-fromat", "--log-format"),
            ("--hlp", "--help"),
            ("--Version", "--version"),
        ] {
            let sentence = error(&[word, "1"]);
            assert!(sentence.ends_with(&format!("did you mean `{flag}`?")), "{sentence}");
        }
        for word in ["--port", "--tls-certificate", "--", "--x", "--\u{1b}[31m"] {
            let sentence = error(&[word]);
            assert!(sentence.ends_with("`wirechat --help` lists them all"), "{sentence}");
            assert!(!sentence.contains('\u{1b}'), "{sentence}");
        }
    }

    #[test]
    fn an_argument_that_is_not_an_option_is_named() {
        for word in ["srve", "\u{1b}[31m"] {
            let sentence = error(&[word, "--quiet"]);
            assert!(
                sentence.starts_with(&format!("unknown command `{}`; ", word.escape_debug())),
                "{sentence}"
            );
            assert!(sentence.contains("`wirechat ") && !sentence.contains('\u{1b}'));
        }
        for words in [&["serve", "now"][..], &["-q"], &["serve", "\u{1b}[31m"], &["--quiet", "yes"]]
        {
            let sentence = error(words);
            assert!(sentence.starts_with("unexpected argument '"), "{sentence}");
            assert!(sentence.contains("wirechat --help") && !sentence.contains('\u{1b}'));
        }
        let sentence = error(&["--max-message"]);
        assert_eq!(
            sentence,
            "--max-message needs a value: --max-message SIZE, as in --max-message 1M"
        );
        let sentence = error(&["--welcome"]);
        assert!(sentence.ends_with("as in --welcome 'Welcome to Corvusoft Chat!'"), "{sentence}");
        assert_eq!(error(&["--origin"]), "--origin needs a value: --origin ORIGIN");
    }

    #[test]
    fn a_word_that_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let word = || OsString::from_vec(b"--\xff".to_vec());
        assert!(parse([word()].into_iter(), |_| None).unwrap_err().ends_with("is not UTF-8"));
        let variable = |name: &str| (name == "WIRECHAT_WELCOME").then(word);
        assert!(parse([].into_iter(), variable).unwrap_err().ends_with("is not UTF-8"));
    }
}
