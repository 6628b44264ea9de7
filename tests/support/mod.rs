//! The real server as a child process and a raw client for it.
//!
//! Nothing here names `wirechat`: requests, frames, masks and checks are written a second time, so
//! that a mistake in `src/` cannot excuse itself. What comes from the server is judged as it is
//! read: each response by [`http`], each frame by [`frame`]. What is awaited has a [`DEADLINE`];
//! nothing sleeps to be right.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of this")]

pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod frame;
pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod server;
pub(crate) mod siege;
pub(crate) mod unheard;

pub(crate) use client::{Client, WELCOME};
pub(crate) use frame::{Frame, Masked, wire};
pub(crate) use http::{Request, Response};
pub(crate) use server::Server;

use std::env;
use std::sync::LazyLock;
use std::time::Duration;

/// How long a test waits for anything before it fails: far above what a busy machine needs.
pub(crate) static DEADLINE: LazyLock<Duration> =
    LazyLock::new(|| seconds("WIRECHAT_TEST_DEADLINE", 10.0));

/// How long what is to come soon may take before it is called late; that fails no test.
pub(crate) static SOON: LazyLock<Duration> = LazyLock::new(|| seconds("WIRECHAT_TEST_LATE", 2.0));

/// Both WebSocket resources; `/chat` says its welcome first, `/echo` says nothing first.
pub(crate) const PATHS: [&str; 2] = ["/chat", "/echo"];

fn seconds(variable: &str, default: f64) -> Duration {
    let value = env::var_os(variable).map_or(Some(default), |text| text.to_str()?.parse().ok());
    let seconds = value.and_then(|value| Duration::try_from_secs_f64(value).ok());
    seconds.unwrap_or_else(|| panic!("{variable} is no number of seconds"))
}
