//! `wirechat accept`: the accept value of section 4.2.2, computed step by step, or checked.

use super::{Failure, Status, print, warn};
use crate::explain::accept::{complaint, judgement, matches, steps};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptOptions {
    /// The computation for a key.
    Steps {
        /// As the client sent it.
        key: String,
    },
    /// Is the value right?
    Check {
        /// As the client sent it.
        key: String,
        /// As the server answered it.
        given: String,
    },
}

/// Answers on standard output; the status is 1 for a value that is not right.
///
/// # Errors
/// Standard output that takes nothing.
pub fn run(options: &AcceptOptions) -> Result<Status, Failure> {
    let (AcceptOptions::Steps { key } | AcceptOptions::Check { key, .. }) = options;
    if let Some(complaint) = complaint(key) {
        warn(&complaint);
    }
    match options {
        AcceptOptions::Steps { key } => print(steps(key).as_bytes()).map(|()| 0),
        AcceptOptions::Check { key, given } => {
            print(judgement(key, given).as_bytes())?;
            Ok(if matches(key, given) { 0 } else { 1 })
        }
    }
}
