//! The real server as a child process, and a raw client for it.
//!
//! Nothing here uses the crate `wirechat`: requests, frames, masking and checks are written a second time, so
//! that a mistake in `src/` is not repeated by its test. [`http`] checks each response and [`frame`] checks
//! each frame of the server as it is read. Every wait has a [`DEADLINE`]; no test sleeps in order to pass.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of this")]

pub(crate) mod attack;
pub(crate) mod bare_server;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod frame;
pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod server;

pub(crate) use client::{Client, WELCOME};
pub(crate) use frame::{ClientFrame, Frame, encode_frames};
pub(crate) use http::{Request, Response};
pub(crate) use server::Server;

use std::env;
use std::sync::LazyLock;
use std::time::Duration;

/// How long a test waits for anything before it fails: far above what a busy machine needs.
pub(crate) static DEADLINE: LazyLock<Duration> =
    LazyLock::new(|| seconds("WIRECHAT_TEST_DEADLINE", 10.0));

/// How long something that the RFC requires soon may take before it is reported as late; late is not a
/// failure.
pub(crate) static SOON: LazyLock<Duration> = LazyLock::new(|| seconds("WIRECHAT_TEST_LATE", 2.0));

/// Both WebSocket resources. `/chat` sends a welcome first; `/echo` sends nothing first.
pub(crate) const PATHS: [&str; 2] = ["/chat", "/echo"];

/// Runs a case for each of [`PATHS`]; a failure names the path. [`Server::upgrade_both`] does the same with
/// an open WebSocket. Inside, [`check::case`] names a row of a table; it need not repeat the path.
pub(crate) fn on_both_paths(mut run: impl FnMut(&'static str)) {
    for path in PATHS {
        check::set_path(Some(path));
        run(path);
    }
    check::set_path(None);
}

fn seconds(variable: &str, default: f64) -> Duration {
    let value = env::var_os(variable).map_or(Some(default), |text| text.to_str()?.parse().ok());
    let seconds = value.and_then(|value| Duration::try_from_secs_f64(value).ok());
    seconds.unwrap_or_else(|| panic!("{variable} is not a number of seconds"))
}
