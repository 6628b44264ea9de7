//! The options of `wirechat serve`, the command without a name.

use std::net::Ipv4Addr;

use super::args::{Flag, Syntax, Times};
use super::command::Command;
use super::values::{
    address, format, inspection, number, origin, positive_seconds, seconds, size, switch, tracing,
};
use crate::server::Options;
use crate::server::limits::{Limits, MISSED_PINGS_MIN};
use crate::server::log::Verbosity;

pub(super) const SYNTAX: Syntax<Options> = Syntax {
    help: "wirechat --help",
    usage: [USAGE, "\n`wirechat help` lists the other commands and the topics of the manual.\n"],
    flags: FLAGS,
    variables: Some("WIRECHAT_"),
    defaults: |_| Options::default(),
    finish,
};

pub(super) const USAGE: &str = "\
wirechat: a WebSocket chat server

Examples:
  wirechat                                    chat at http://127.0.0.1:1984/
  wirechat --bind 0.0.0.0:8080                for the whole network
  wirechat --origin https://chat.example.org  behind a proxy that terminates TLS
  WIRECHAT_MAX_MESSAGE=64K wirechat --quiet   an option from the environment

Usage: wirechat [serve] [OPTIONS]

Each option is also an environment variable; the option on the command line wins. There,
repeatable options take a comma-separated list. SIZE is in bytes and takes K, M or G (1K is
1024); SECS may have a fraction.

Options:
";

#[rustfmt::skip]
pub(super) const FLAGS: &[Flag<Options>] = &[
    Flag { name: "bind", value: "ADDR:PORT", words: (1, 1), default: "127.0.0.1:1984", times: Times::Repeatable,
        help: "listen on this address; repeatable; IPv6 as [::1]:1984; port 0 takes a free port",
        apply: |options, words| { options.bind.push(address(first(words))?); Ok(()) } },
    Flag { name: "welcome", value: "TEXT", words: (1, 1), default: "Welcome to Corvusoft Chat!", times: Times::Once,
        help: "first message to each member",
        apply: |options, words| set(&mut options.welcome, Ok(first(words).to_owned())) },
    Flag { name: "origin", value: "ORIGIN", words: (1, 1), default: "", times: Times::Repeatable,
        help: "let pages of this origin connect too (default: only pages of the same host); repeatable; `null` for a page opened from disk; `*` for any",
        apply: |options, words| { options.origins.push(origin(first(words))?); Ok(()) } },
    Flag { name: "max-message", value: "SIZE", words: (1, 1), default: "1M", times: Times::Once,
        help: "largest message; the server answers a larger one with close 1009",
        apply: |options, words| set(&mut options.limits.max_message, size(first(words))) },
    Flag { name: "max-backlog", value: "SIZE", words: (1, 1), default: "4M", times: Times::Once,
        help: "bytes queued for a slow client before it is disconnected",
        apply: |options, words| set(&mut options.limits.max_backlog, size(first(words))) },
    Flag { name: "max-connections", value: "N", words: (1, 1), default: "4096", times: Times::Once,
        help: "connections at one time; further ones get status 503",
        apply: |options, words| set(&mut options.limits.max_connections, number(first(words))) },
    Flag { name: "ping-interval", value: "SECS", words: (1, 1), default: "20", times: Times::Once,
        help: "time between two pings; 0 turns pings off",
        apply: |options, words| set(&mut options.limits.ping_interval, seconds(first(words))) },
    Flag { name: "idle-timeout", value: "SECS", words: (1, 1), default: "60", times: Times::Once,
        help: "close a connection that sends nothing for this time, not even a pong; at least twice --ping-interval",
        apply: |options, words| set(&mut options.limits.idle_timeout, positive_seconds(first(words))) },
    Flag { name: "handshake-timeout", value: "SECS", words: (1, 1), default: "10", times: Times::Once,
        help: "time allowed to receive the request head",
        apply: |options, words| set(&mut options.limits.handshake_timeout, positive_seconds(first(words))) },
    Flag { name: "trace", value: "", words: (0, 1), default: "", times: Times::Once,
        help: "show each handshake and each frame, both directions, on standard error; --trace=full adds the picture of each frame",
        apply: |options, words| set(&mut options.tracing, tracing(first(words))) },
    Flag { name: "inspect", value: "", words: (0, 1), default: "", times: Times::Once,
        help: "let the page show the frames of all connections, to clients on this machine only; --inspect=any: to every client that may chat",
        apply: |options, words| set(&mut options.inspection, inspection(first(words))) },
    Flag { name: "log-format", value: "FORMAT", words: (1, 1), default: "text", times: Times::Once,
        help: "`text`, or `json` for one object on each line",
        apply: |options, words| set(&mut options.log_format, format(first(words))) },
    Flag { name: "quiet", value: "", words: (0, 1), default: "", times: Times::Once,
        help: "log errors only",
        apply: |options, words| {
            let verbosity = |is_quiet| if is_quiet { Verbosity::Quiet } else { Verbosity::Normal };
            set(&mut options.verbosity, switch(first(words)).map(verbosity))
        } },
];

/// The value; of a switch without one, `true`.
fn first<'a>(words: &[&'a str]) -> &'a str {
    words.first().copied().unwrap_or("true")
}

fn set<V>(place: &mut V, value: Result<V, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

fn finish(mut options: Options, operands: &[&str]) -> Result<Command, String> {
    if let Some(word) = operands.first() {
        let word = word.escape_debug();
        return Err(format!("unexpected argument '{word}'; `wirechat --help` lists the options"));
    }
    if options.bind.is_empty() {
        options.bind.push((Ipv4Addr::LOCALHOST, 1984).into());
    }
    validate(&options)?;
    Ok(Command::Serve(options))
}

/// Rejects values that contradict each other.
fn validate(options: &Options) -> Result<(), String> {
    let Limits { ping_interval, idle_timeout, .. } = options.limits;
    if idle_timeout < MISSED_PINGS_MIN * ping_interval {
        return Err(format!(
            "--idle-timeout ({idle_timeout:?}) must be at least {MISSED_PINGS_MIN} times --ping-interval \
             ({ping_interval:?}), or quiet members are closed before their pong counts; \
             --ping-interval 0 turns pings off"
        ));
    }
    for (index, address) in options.bind.iter().enumerate() {
        if address.port() != 0 && options.bind[..index].contains(address) {
            return Err(format!("--bind {address} is given twice; give it once"));
        }
    }
    Ok(())
}
