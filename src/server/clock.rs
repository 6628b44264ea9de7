//! The time of day, for the log, the inspector and HTTP's Date.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use crate::wire::response;

/// Unix time. A clock that is set before its epoch gives the epoch.
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Appends Unix time `at` as in RFC 3339, in UTC, to the millisecond.
pub fn push_time(at: Duration, out: &mut String) {
    let (year, month, day) = response::civil(at.as_secs());
    let (hour, minute, second) = response::clock(at.as_secs());
    let milli = at.subsec_millis();
    let _ = write!(out, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z");
}
