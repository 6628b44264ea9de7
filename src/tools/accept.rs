//! `wirechat accept`: computes the accept value of section 4.2.2 step by step, or checks one.

use super::output::{Failure, Status, print, warn};
use crate::explain::accept::{key_warning, steps, verdict};

/// What to print: the computation for a key, or whether a value is the accept value of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptOptions {
    /// The Sec-WebSocket-Key of the request.
    pub key: String,
    /// The Sec-WebSocket-Accept of the response, to check it.
    pub given: Option<String>,
}

/// Prints the result on standard output; the status is 1 for a wrong value.
///
/// # Errors
/// Standard output that cannot be written.
pub fn run(AcceptOptions { key, given }: &AcceptOptions) -> Result<Status, Failure> {
    key_warning(key).iter().for_each(|warning| warn(warning));
    let (text, is_right) = match given {
        None => (steps(key), true),
        Some(given) => verdict(key, given),
    };
    print(text.as_bytes())?;
    Ok(Status::from(!is_right))
}
