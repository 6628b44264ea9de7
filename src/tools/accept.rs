//! `wirechat accept`: computes the accept value of section 4.2.2 step by step, or checks one.

use super::output::{Failure, Status, print, warn};
use crate::explain::accept::{key_warning, matches, steps, verdict};

/// What to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptOptions {
    /// The computation for a key.
    Steps {
        /// The Sec-WebSocket-Key of the request.
        key: String,
    },
    /// Whether a value is the accept value of a key.
    Check {
        /// The Sec-WebSocket-Key of the request.
        key: String,
        /// The Sec-WebSocket-Accept of the response.
        given: String,
    },
}

/// Prints the result on standard output; the status is 1 for a wrong value.
///
/// # Errors
/// Standard output that cannot be written.
pub fn run(options: &AcceptOptions) -> Result<Status, Failure> {
    let (AcceptOptions::Steps { key } | AcceptOptions::Check { key, .. }) = options;
    if let Some(warning) = key_warning(key) {
        warn(&warning);
    }
    let (text, is_right) = match options {
        AcceptOptions::Steps { key } => (steps(key), true),
        AcceptOptions::Check { key, given } => (verdict(key, given), matches(key, given)),
    };
    print(text.as_bytes())?;
    Ok(Status::from(!is_right))
}
