//! Reads the results of the micro-benchmarks of `benches/wire.rs` from the files of criterion.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The payload size of these benchmarks in bytes.
const SIZE: f64 = 64.0 * 1024.0;

/// The speed of one benchmark in GB/s; `None` if it was not measured.
pub fn speed(criterion: &Path, group: &str, name: &str) -> Option<f64> {
    let path = criterion.join(group).join(name).join("new/estimates.json");
    let estimates: Value = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
    Some(SIZE / estimates["median"]["point_estimate"].as_f64()?) // bytes per nanosecond
}
