//! Checks the properties of the fuzz targets in `tests/fuzz` with every stored input: vectors of the RFC, and
//! inputs that once failed. `make fuzz` searches for more.

#[path = "fuzz/properties.rs"]
mod properties;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds")
}

/// The names of the files in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a file name is UTF-8");
    entries.map(|entry| name(entry.expect("the folder can be read"))).collect()
}

/// Checks every stored input of `target`.
fn check_seeds(target: &str) {
    let folder = seeds().join(target);
    let names = names(&folder);
    assert!(!names.is_empty(), "no seeds for {target}");
    for name in names {
        let input = fs::read(folder.join(&name)).expect("the file can be read");
        println!("{target}/{name}"); // the harness shows this if the test fails
        properties::check(target, &input);
    }
}

#[test]
fn head() {
    check_seeds("head");
}

#[test]
fn receiver() {
    check_seeds("receiver");
}

#[test]
fn close() {
    check_seeds("close");
}

#[test]
fn utf8() {
    check_seeds("utf8");
}

#[test]
fn roundtrip() {
    check_seeds("roundtrip");
}

#[test]
fn each_target_has_seeds_and_each_folder_a_target() {
    let targets = properties::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&seeds()), targets);
}
