//! Every input that is kept for the fuzzers of `tests/fuzz`, held against the same properties: vectors of
//! the RFC, and whatever has once failed. `make fuzz` looks for more.

#[path = "fuzz/properties.rs"]
mod properties;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds")
}

/// What a folder holds, by name.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder of the checkout");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a name in UTF-8");
    entries.map(|entry| name(entry.expect("its entries"))).collect()
}

/// Every input that is kept for `target`.
fn replay(target: &str) {
    let folder = seeds().join(target);
    let names = names(&folder);
    assert!(!names.is_empty(), "no seeds for {target}");
    for name in names {
        let octets = fs::read(folder.join(&name)).expect("a file of the checkout");
        println!("{target}/{name}"); // shown if it fails
        properties::hold(target, &octets);
    }
}

#[test]
fn head() {
    replay("head");
}

#[test]
fn receiver() {
    replay("receiver");
}

#[test]
fn close() {
    replay("close");
}

#[test]
fn utf8() {
    replay("utf8");
}

#[test]
fn roundtrip() {
    replay("roundtrip");
}

/// No target without seeds, no seeds without a target.
#[test]
fn each_target_has_its_seeds() {
    let targets = properties::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&seeds()), targets);
}
