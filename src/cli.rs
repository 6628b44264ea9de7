//! Words and variables in, one [`Command`] out. Each option is a row of one table; the help, the
//! variables and the suggestions all read it.

use std::ffi::OsString;
use std::net::Ipv4Addr;

use crate::server::Options;
use crate::server::limits::{Limits, MISSED_PINGS_MIN};
use crate::server::log::Verbosity;
use crate::tools;
use args::{COMMANDS, nearest, wrapped};
use values::{
    address, format, inspection, number, origin, seconds, size, some_seconds, switch, tracing,
};

mod accept;
mod args;
mod decode;
mod encode;
mod values;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// The chat server.
    Serve(Options),
    /// Captured octets, explained.
    Decode(tools::decode::DecodeOptions),
    /// Frames, right or wrong.
    Encode(tools::encode::EncodeOptions),
    /// The accept value, computed or checked.
    Accept(tools::accept::AcceptOptions),
    /// A text for standard output: help or version.
    Show(String),
}

/// One option of `serve`.
struct Setting {
    flag: &'static str,
    /// What its value is; empty for a switch.
    value: &'static str,
    /// What holds without it, as one would write it.
    default: &'static str,
    help: &'static str,
    /// May it be given several times? A variable then holds a list with commas.
    times: Times,
    apply: fn(&mut Options, &str) -> Result<(), String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    Often,
}

#[rustfmt::skip]
const SETTINGS: &[Setting] = &[
    Setting { flag: "bind", value: "ADDR:PORT", default: "127.0.0.1:1984", times: Times::Often,
        help: "listen here; repeatable; IPv6 as [::1]:1984; port 0 takes a free one",
        apply: |options, value| { options.bind.push(address(value)?); Ok(()) } },
    Setting { flag: "welcome", value: "TEXT", default: "Welcome to Corvusoft Chat!", times: Times::Once,
        help: "first message to each member",
        apply: |options, value| { options.welcome = value.to_owned(); Ok(()) } },
    Setting { flag: "origin", value: "ORIGIN", default: "", times: Times::Often,
        help: "let pages of this origin connect too (without it: of the same host only); repeatable; `null` for a page opened from disk; `*` for any",
        apply: |options, value| { options.origins.push(origin(value)?); Ok(()) } },
    Setting { flag: "max-message", value: "SIZE", default: "1M", times: Times::Once,
        help: "largest message; a larger one is answered with close 1009",
        apply: |options, value| { options.limits.max_message = size(value)?; Ok(()) } },
    Setting { flag: "max-backlog", value: "SIZE", default: "4M", times: Times::Once,
        help: "unsent bytes that a slow member may owe before it is disconnected",
        apply: |options, value| { options.limits.max_backlog = size(value)?; Ok(()) } },
    Setting { flag: "max-connections", value: "N", default: "4096", times: Times::Once,
        help: "connections at one time; more get 503",
        apply: |options, value| { options.limits.max_connections = number(value)?; Ok(()) } },
    Setting { flag: "ping-interval", value: "SECS", default: "20", times: Times::Once,
        help: "time between pings; 0 turns them off",
        apply: |options, value| { options.limits.ping_interval = seconds(value)?; Ok(()) } },
    Setting { flag: "idle-timeout", value: "SECS", default: "60", times: Times::Once,
        help: "a connection that sends nothing for so long, not even a pong, is ended",
        apply: |options, value| { options.limits.idle_timeout = some_seconds(value)?; Ok(()) } },
    Setting { flag: "handshake-timeout", value: "SECS", default: "10", times: Times::Once,
        help: "for the whole request head, however slowly it trickles",
        apply: |options, value| { options.limits.handshake_timeout = some_seconds(value)?; Ok(()) } },
    Setting { flag: "trace", value: "", default: "", times: Times::Once,
        help: "show each handshake and each frame, both ways, on standard error; --trace=full with each frame's picture",
        apply: |options, value| { options.tracing = tracing(value)?; Ok(()) } },
    Setting { flag: "inspect", value: "", default: "", times: Times::Once,
        help: "let the page show each frame of everyone, on this machine alone; --inspect=any to whoever may chat",
        apply: |options, value| { options.inspection = inspection(value)?; Ok(()) } },
    Setting { flag: "log-format", value: "FORMAT", default: "text", times: Times::Once,
        help: "`text`, or `json` for one object a line",
        apply: |options, value| { options.log_format = format(value)?; Ok(()) } },
    Setting { flag: "quiet", value: "", default: "", times: Times::Once,
        help: "log errors only",
        apply: |options, value| {
            options.verbosity = if switch(value)? { Verbosity::Quiet } else { Verbosity::Normal };
            Ok(())
        } },
];

const EXAMPLES: &str = "\
wirechat: a WebSocket chat server

Examples:
  wirechat                                    chat at http://127.0.0.1:1984/
  wirechat --bind 0.0.0.0:8080                for the whole network
  wirechat --origin https://chat.example.org  behind a proxy that does TLS
  WIRECHAT_MAX_MESSAGE=64K wirechat --quiet   an option from the environment

Usage: wirechat [serve] [OPTIONS]

Each option is also an environment variable; the flag wins. What is repeatable is a list
with commas there. SIZE is in bytes and takes K, M or G (1K is 1024); SECS may have a fraction.

Options:
";

/// Reads the words behind the program's name; `variable` looks up the environment.
///
/// # Errors
/// A sentence: what was wrong, and what would be right.
pub fn parse(
    words: impl Iterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, String> {
    let mut last = "the first word".to_owned();
    let words = words
        .map(|word| {
            let word = utf8(word).map_err(|wrong| format!("{last}: {wrong}"))?;
            last.clone_from(&word);
            Ok(word)
        })
        .collect::<Result<Vec<String>, String>>()?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_help = |words: &[&str]| words.iter().any(|word| ["--help", "-h"].contains(word));
    match words.as_slice() {
        ["decode", words @ ..] if is_help(words) => {
            return Ok(Command::Show(decode::HELP.to_owned()));
        }
        ["decode", words @ ..] => return decode::parse(words, variable).map(Command::Decode),
        ["encode", words @ ..] => return encode::parse(words, variable),
        ["accept", words @ ..] => return accept::parse(words),
        _ => (),
    }
    if is_help(&words) || words.first() == Some(&"help") {
        return Ok(Command::Show(help()));
    }
    if words.iter().any(|word| ["--version", "-V"].contains(word)) {
        return Ok(Command::Show(format!("wirechat {}\n", env!("CARGO_PKG_VERSION"))));
    }
    let words = words.strip_prefix(&["serve"]).unwrap_or(&words);
    let given = flags(words)?;

    let mut options = Options::default();
    for setting in SETTINGS {
        for (source, value) in values_of(setting, &given, &variable)? {
            (setting.apply)(&mut options, &value)
                .map_err(|hint| unexpected_value(&source, &value, &hint))?;
        }
    }
    if options.bind.is_empty() {
        options.bind.push((Ipv4Addr::LOCALHOST, 1984).into());
    }
    agree(&options)?;
    Ok(Command::Serve(options))
}

/// Where each value of an option comes from, and what it is: the flags, else the variable.
fn values_of(
    setting: &Setting,
    given: &[(&'static str, String)],
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<(String, String)>, String> {
    let flags = given.iter().filter(|(flag, _)| *flag == setting.flag);
    let values: Vec<_> = flags.map(|(flag, value)| (format!("--{flag}"), value.clone())).collect();
    let name = variable_of(setting);
    let is_wanted = |value: &OsString| values.is_empty() && !value.is_empty();
    let Some(value) = variable(&name).filter(is_wanted) else { return Ok(values) };
    let value = utf8(value).map_err(|wrong| format!("{name}: {wrong}"))?;
    let parts = match setting.times {
        Times::Once => vec![value.as_str()],
        Times::Often => value.split(',').map(str::trim).filter(|v| !v.is_empty()).collect(),
    };
    Ok(parts.into_iter().map(|part| (name.clone(), part.to_owned())).collect())
}

/// Values that make no sense together.
fn agree(options: &Options) -> Result<(), String> {
    let Limits { ping_interval, idle_timeout, .. } = options.limits;
    if idle_timeout < MISSED_PINGS_MIN * ping_interval {
        return Err(format!(
            "--idle-timeout ({idle_timeout:?}) must be at least {MISSED_PINGS_MIN} times --ping-interval \
             ({ping_interval:?}), or quiet members are ended before their answer to a ping counts; \
             --ping-interval 0 turns pings off"
        ));
    }
    for (index, address) in options.bind.iter().enumerate() {
        if address.port() != 0 && options.bind[..index].contains(address) {
            return Err(format!("--bind {address} is given twice; once is enough"));
        }
    }
    Ok(())
}

/// The words as pairs of flag and value, `--flag value` or `--flag=value`.
fn flags(words: &[&str]) -> Result<Vec<(&'static str, String)>, String> {
    let mut pairs = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(word) = word.strip_prefix("--") else { return Err(unexpected(word)) };
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let setting = SETTINGS.iter().find(|setting| setting.flag == name);
        let setting = setting.ok_or_else(|| unknown(name))?;
        let value = match (inline, setting.value) {
            (None, "") => "true",
            (Some(value), _) => value,
            (None, value) => words.next().ok_or_else(|| {
                format!("--{name} needs a value: --{name} {value}{}", for_example(setting))
            })?,
        };
        pairs.push((setting.flag, value.to_owned()));
    }
    Ok(pairs)
}

fn unexpected_value(source: &str, value: &str, hint: &str) -> String {
    format!("{source}: '{}' {hint}", value.escape_debug())
}

fn unexpected(word: &str) -> String {
    let names = COMMANDS.iter().map(|(name, _)| *name);
    let near = nearest(word, names).unwrap_or("serve");
    let word = word.escape_debug();
    format!("there is no command '{word}'; try `wirechat {near}`, or `wirechat --help`")
}

fn unknown(name: &str) -> String {
    let names = SETTINGS.iter().map(|setting| setting.flag).chain(["help", "version"]);
    args::unknown(name, names, "wirechat --help")
}

fn variable_of(setting: &Setting) -> String {
    format!("WIRECHAT_{}", setting.flag.to_ascii_uppercase().replace('-', "_"))
}

fn for_example(setting: &Setting) -> String {
    match setting.default {
        "" => String::new(),
        default => format!(", as in --{} {}", setting.flag, quoted(default)),
    }
}

fn quoted(value: &str) -> String {
    if value.contains(' ') { format!("'{value}'") } else { value.to_owned() }
}

fn help() -> String {
    let mut text = EXAMPLES.to_owned();
    for setting in SETTINGS {
        let value = if setting.value.is_empty() { "" } else { &format!(" {}", setting.value) };
        let default = match setting.default {
            "" => String::new(),
            default => format!(" [default: {default}]"),
        };
        let left = format!("--{}{value}", setting.flag);
        let right = format!("{}{default} [{}]", setting.help, variable_of(setting));
        text.push_str(&format!("  {left:<26} {}\n", wrapped(&right, 29, 96)));
    }
    text.push_str("  --help                     this text\n");
    text.push_str(
        "  --version                  the version\n\nCommands, each with a --help of its own:\n",
    );
    for (name, help) in COMMANDS {
        text.push_str(&format!("  {name:<26} {help}\n"));
    }
    text
}

fn utf8(word: OsString) -> Result<String, String> {
    word.into_string().map_err(|word| format!("{word:?} is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::inspect::Inspection;
    use crate::server::log::Format;
    use crate::server::trace::Tracing;
    use std::time::Duration;

    fn with(words: &[&str], variables: &[(&str, &str)]) -> Result<Command, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        parse(words.iter().map(OsString::from), variable)
    }

    fn options_of(words: &[&str], variables: &[(&str, &str)]) -> Options {
        match with(words, variables) {
            Ok(Command::Serve(options)) => options,
            other => panic!("{words:?} {variables:?}: {other:?}"),
        }
    }

    fn options(words: &[&str]) -> Options {
        options_of(words, &[])
    }

    fn complaint(words: &[&str]) -> String {
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
        let defaults = Options {
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
        for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
            let words = [format!("--{}", setting.flag), setting.default.to_owned()];
            assert_eq!(options(&[&words[0], &words[1]]), options(&[]), "{words:?}");
        }
    }

    #[test]
    fn the_help_shows_every_option_and_begins_with_examples() {
        let help = shown(&["--help"]);
        assert!(help.starts_with("wirechat: ") && help.find("Examples") < help.find("Options"));
        assert!(help.lines().all(|line| line.chars().count() <= 96), "{help}");
        let unwrapped = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for setting in SETTINGS {
            let Setting { flag, value, default, .. } = setting;
            let left = format!("--{flag} {value}");
            assert!(unwrapped.contains(left.trim_end()), "{left}");
            let default =
                if default.is_empty() { String::new() } else { format!("[default: {default}] ") };
            let right = format!("{} {default}[{}]", setting.help, variable_of(setting));
            assert!(unwrapped.contains(&right), "{right}");
        }
        for words in [&["-h"][..], &["help"], &["serve", "--help"], &["--quiet", "--help", "--x"]] {
            assert_eq!(shown(words), help, "{words:?}");
        }
    }

    #[test]
    fn the_examples_in_the_help_are_understood() {
        let examples = EXAMPLES.lines().filter_map(|line| line.strip_prefix("  "));
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
    fn the_help_lists_each_command_and_each_has_its_own() {
        for (name, help) in COMMANDS {
            assert!(shown(&["--help"]).contains(&format!("  {name:<26} {help}\n")), "{name}");
            let own = shown(&[name, "--help"]);
            let beginning =
                if *name == "serve" { "wirechat: " } else { &format!("wirechat {name}: ") };
            assert!(own.starts_with(beginning) && own.contains("Examples:"), "{own}");
        }
    }

    #[test]
    fn the_version_is_that_of_the_package() {
        for words in [&["--version"][..], &["-V"], &["serve", "--version"]] {
            assert_eq!(shown(words), format!("wirechat {}\n", env!("CARGO_PKG_VERSION")));
        }
    }

    /// One way to write each option, and what it changes.
    type Change = fn(&mut Options);

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
        assert_eq!(CHANGES.len(), SETTINGS.len());
        for (setting, (flag, value, change)) in SETTINGS.iter().zip(CHANGES) {
            assert_eq!(setting.flag, *flag);
            let mut changed = options(&[]);
            change(&mut changed);
            assert_ne!(changed, options(&[]), "{flag}");

            let (word, inline) = (format!("--{flag}"), format!("--{flag}={value}"));
            let words = if setting.value.is_empty() { &[&*word][..] } else { &[&*word, *value] };
            let variable = variable_of(setting);
            assert_eq!(options(words), changed, "{flag}");
            assert_eq!(options(&[&inline]), changed, "{flag}");
            assert_eq!(options_of(&[], &[(&variable, value)]), changed, "{variable}");
            assert_eq!(options_of(words, &[(&variable, "nonsense")]), changed, "{flag}");
        }
        assert_eq!(variable_of(&SETTINGS[3]), "WIRECHAT_MAX_MESSAGE");
    }

    #[test]
    fn what_is_repeatable_adds_up_and_the_last_of_the_rest_counts() {
        let many = options(&["--bind", "127.0.0.1:1", "--origin=null", "--bind=127.0.0.1:2"]);
        assert_eq!(many.bind, ["127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap()]);
        assert_eq!(options(&["--welcome", "a", "--welcome", "b"]).welcome, "b");

        let variables =
            [("WIRECHAT_BIND", "127.0.0.1:1, [::1]:2,"), ("WIRECHAT_ORIGIN", "null,http://a,*")];
        let many = options_of(&[], &variables);
        assert_eq!(many.bind, ["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()]);
        assert_eq!(many.origins, ["null", "http://a", "*"]);
        let one = options_of(&["--origin", "http://b"], &variables);
        assert_eq!(one.origins, ["http://b"], "a flag puts the whole list aside");
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
        assert!(complaint(&["--quiet=maybe"]).contains("neither true nor false"));
    }

    #[test]
    #[rustfmt::skip]
    fn values_that_make_sense() {
        for (value, expected) in [
            ("1", 1), ("500000", 500_000), ("64K", 65_536), ("64k", 65_536), ("1M", 1 << 20), ("3g", 3 << 30),
            ("1024G", 1 << 40), ("007", 7),
        ] {
            assert_eq!(size(value), Ok(expected), "{value}");
        }
        for (value, expected) in [("1", 1), ("4096", 4096), ("1000000", 1_000_000)] {
            assert_eq!(number(value), Ok(expected), "{value}");
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
    fn values_that_make_none_are_refused_with_what_would() {
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
                let sentence = complaint(&[flag, value]);
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
            let sentence = complaint(words);
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
            let sentence = complaint(&[word, "1"]);
            assert!(sentence.ends_with(&format!("did you mean {flag}?")), "{sentence}");
        }
        for word in ["--port", "--tls-certificate", "--", "--x", "--\u{1b}[31m"] {
            let sentence = complaint(&[word]);
            assert!(sentence.ends_with("`wirechat --help` lists them all"), "{sentence}");
            assert!(!sentence.contains('\u{1b}'), "{sentence}");
        }
    }

    #[test]
    fn words_that_are_no_option_are_named() {
        for words in
            [&["srve"][..], &["serve", "now"], &["-q"], &["\u{1b}[31m"], &["--quiet", "yes"]]
        {
            let sentence = complaint(words);
            assert!(sentence.starts_with("there is no command '"), "{sentence}");
            assert!(sentence.contains("wirechat --help") && !sentence.contains('\u{1b}'));
        }
        let sentence = complaint(&["--max-message"]);
        assert_eq!(
            sentence,
            "--max-message needs a value: --max-message SIZE, as in --max-message 1M"
        );
        let sentence = complaint(&["--welcome"]);
        assert!(sentence.ends_with("as in --welcome 'Welcome to Corvusoft Chat!'"), "{sentence}");
        assert_eq!(complaint(&["--origin"]), "--origin needs a value: --origin ORIGIN");
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
