//! The options of `serve`.

use std::net::SocketAddr;

use super::inspect::Inspection;
use super::limits::Limits;
use super::log::{Format, Verbosity};
use super::trace::Tracing;

/// What the operator has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// Addresses to listen on; at least one.
    pub bind: Vec<SocketAddr>,
    /// The first message to each member of the chat.
    pub welcome: String,
    /// Origins that may connect, besides those of the same host; in lower case, `*` for any.
    pub origins: Vec<String>,
    /// Sizes, times and numbers.
    pub limits: Limits,
    /// How much of the wire is logged.
    pub tracing: Tracing,
    /// Who may open the inspector.
    pub inspection: Inspection,
    /// The form of the log's lines.
    pub log_format: Format,
    /// Which events are logged.
    pub verbosity: Verbosity,
}

impl Default for ServeOptions {
    /// The defaults. `bind` is empty and must be set.
    fn default() -> Self {
        Self {
            bind: Vec::new(),
            welcome: "Welcome to Corvusoft Chat!".to_owned(),
            origins: Vec::new(),
            limits: Limits::default(),
            tracing: Tracing::Off,
            inspection: Inspection::Off,
            log_format: Format::Text,
            verbosity: Verbosity::Normal,
        }
    }
}
