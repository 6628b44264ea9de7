//! The options of `wirechat serve`, the command without a name.

use std::net::Ipv4Addr;

use super::args::{Flag, Syntax, Times::Once, Times::Repeatable, flag};
use super::command::Command;
use super::unknown::unexpected;
use super::values::{
    address, choice, integer, origin, positive_seconds, seconds, set, size, switch,
};
use crate::server::inspect::Inspection;
use crate::server::limits::{Limits, MISSED_PINGS_MIN};
use crate::server::log::{Format, Verbosity};
use crate::server::options::ServeOptions;
use crate::server::trace::Tracing;

pub(super) const SYNTAX: Syntax<ServeOptions> = Syntax {
    topic: "serve",
    help: "wirechat --help",
    flags: FLAGS,
    variables: Some("WIRECHAT_"),
    defaults: |_| ServeOptions::default(),
    finish,
};

#[rustfmt::skip]
pub(super) const FLAGS: &[Flag<ServeOptions>] = &[
    // name, value, its least and most words, default, times, help; then how the value is stored. The defaults
    // are those of `Limits` as text: a test in `src/cli.rs` compares them.
    flag("bind", "ADDR:PORT", (1, 1), "127.0.0.1:1984", Repeatable, "listen on this address; repeatable; IPv6 as [::1]:1984; port 0 takes a free port",
        |options, words| { options.bind.push(address(&words.concat())?); Ok(()) }),
    flag("welcome", "TEXT", (1, 1), "Welcome to Corvusoft Chat!", Once, "first message to each member",
        |options, words| set(&mut options.welcome, Ok(words.concat()))),
    flag("origin", "ORIGIN", (1, 1), "", Repeatable, "let pages of this origin connect too (default: only pages of the same host); repeatable; `null` for a page opened from disk; `*` for any",
        |options, words| { options.origins.push(origin(&words.concat())?); Ok(()) }),
    flag("max-message", "SIZE", (1, 1), "1M", Once, "largest message; the server answers a larger one with close 1009",
        |options, words| set(&mut options.limits.max_message, size(&words.concat()))),
    flag("max-backlog", "SIZE", (1, 1), "4M", Once, "bytes queued for a slow client before it is disconnected",
        |options, words| set(&mut options.limits.max_backlog, size(&words.concat()))),
    flag("max-connections", "N", (1, 1), "4096", Once, "connections at one time; further ones get status 503",
        |options, words| set(&mut options.limits.max_connections, integer(&words.concat(), 1..=1_000_000, "is not a number from 1 to 1000000, such as 4096"))),
    flag("ping-interval", "SECS", (1, 1), "20", Once, "time between two pings; 0 turns pings off",
        |options, words| set(&mut options.limits.ping_interval, seconds(&words.concat()))),
    flag("idle-timeout", "SECS", (1, 1), "60", Once, "close a connection that sends no byte (not even a pong) and accepts no byte for this time; at least twice --ping-interval",
        |options, words| set(&mut options.limits.idle_timeout, positive_seconds(&words.concat()))),
    flag("handshake-timeout", "SECS", (1, 1), "10", Once, "time allowed to receive the request head",
        |options, words| set(&mut options.limits.handshake_timeout, positive_seconds(&words.concat()))),
    flag("trace", "", (0, 1), "", Once, "show each handshake and each frame, both directions, on standard error; --trace=full adds the picture of each frame",
        |options, words| set(&mut options.tracing, switch(words, TRACINGS))),
    flag("inspect", "", (0, 1), "", Once, "let the page show the frames of all connections, to clients on this machine only; --inspect=any: to every client that may chat",
        |options, words| set(&mut options.inspection, switch(words, INSPECTIONS))),
    flag("log-format", "FORMAT", (1, 1), "text", Once, "`text`, or `json` for one object on each line",
        |options, words| set(&mut options.log_format, choice(words, FORMATS))),
    flag("quiet", "", (0, 1), "", Once, "log errors only",
        |options, words| set(&mut options.verbosity, switch(words, VERBOSITIES))),
];

const TRACINGS: &[(&str, Tracing)] =
    &[("true", Tracing::Summary), ("false", Tracing::Off), ("full", Tracing::Full)];
const INSPECTIONS: &[(&str, Inspection)] =
    &[("true", Inspection::Loopback), ("false", Inspection::Off), ("any", Inspection::Any)];
const FORMATS: &[(&str, Format)] = &[("text", Format::Text), ("json", Format::Json)];
const VERBOSITIES: &[(&str, Verbosity)] =
    &[("true", Verbosity::Quiet), ("false", Verbosity::Normal)];

/// Rejects values that contradict each other.
fn finish(mut options: ServeOptions, operands: &[&str]) -> Result<Command, String> {
    if let Some(word) = operands.first() {
        return Err(unexpected(word, "`wirechat --help` lists the options"));
    }
    if options.bind.is_empty() {
        options.bind.push((Ipv4Addr::LOCALHOST, 1984).into());
    }
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
    Ok(Command::Serve(options))
}
