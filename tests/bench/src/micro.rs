//! What the micro-benchmarks of `benches/wire.rs` found, as their library left it.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Octets of each payload there.
const SIZE: f64 = 64.0 * 1024.0;

/// GB a second of one part; `None` if it was not measured.
pub fn speed(criterion: &Path, group: &str, name: &str) -> Option<f64> {
    let path = criterion.join(group).join(name).join("new/estimates.json");
    let estimates: Value = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
    Some(SIZE / estimates["median"]["point_estimate"].as_f64()?) // octets in a nanosecond
}
