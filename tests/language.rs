//! The words that `src`, the README, the manual, the page and the examples must not use: each is a
//! certain sign of unclear English, or a name that this project once had instead of a standard term.
#![allow(clippy::unwrap_used, reason = "a file that cannot be read is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Words, and what to write instead. A phrase matches whole words, in any case, across line ends.
const RULED_OUT: &[(&str, &str)] = &[
    ("told", "printed, reported, logged"),
    ("tell", "print, report, log, show"),
    ("tells", "prints, reports, logs, shows"),
    ("telling", "printing, reporting"),
    ("whoever", "the thread, peer or function that acts"),
    ("whomever", "the thread, peer or function that acts"),
    ("somebody", "a client, a thread, a person"),
    ("nobody", "no client, no thread"),
    ("anybody", "a client, any client"),
    ("those who", "the clients that"),
    ("anew", "again"),
    ("likewise", "the same as above"),
    ("so many", "N, that number of"),
    ("so much", "that amount of"),
    ("found out", "detected"),
    ("in earnest", "for use"),
    ("is no", "is not a"),
    ("are no", "are not"),
    ("herald", "broadcaster"),
    ("usher", "rejector"),
    ("outbox", "send queue"),
    ("farewell", "end"),
    ("narrator", "publisher"),
    ("octet", "byte"),
    ("octets", "bytes"),
];

/// "there is no X" and "is no longer" are plain English, unlike "X is no Y".
const PLAIN_BEFORE: &str = "there";
const PLAIN_AFTER: &str = "longer";

/// Where a word may stand: a part of the path, the word, and a part of the line.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("src/rfc6455/", "octet", ""), // where the RFC's own grammar or formula has it
    ("src/rfc6455/", "octets", ""),
    ("src/tools/decode/summary.rs", "octets", "out.raw(\"octets\""), // a member of the JSON
    ("src/help/decode.md", "octets", "`octets`"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file in `folder` and below it.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The words of a text in lower case, each with the number of its line. Names in snake_case and
/// CamelCase are split, so that a ruled-out word in a name is found too.
fn words(text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut word = String::new();
        let mut was_lower = false;
        for c in line.chars().chain([' ']) {
            let begins_word = c.is_uppercase() && was_lower;
            if (!c.is_alphabetic() || begins_word) && !word.is_empty() {
                words.push((number, std::mem::take(&mut word)));
            }
            if c.is_alphabetic() {
                word.extend(c.to_lowercase());
            }
            was_lower = c.is_lowercase();
        }
    }
    words
}

/// The lines that hold `phrase`.
fn lines_with(words: &[(usize, String)], phrase: &str) -> Vec<usize> {
    let parts: Vec<&str> = phrase.split(' ').collect();
    let word =
        |place: Option<usize>| place.and_then(|place| words.get(place)).map(|(_, word)| &**word);
    let is_plain = |place: usize| {
        phrase.ends_with(" no")
            && (word(place.checked_sub(1)) == Some(PLAIN_BEFORE)
                || word(Some(place + parts.len())) == Some(PLAIN_AFTER))
    };
    let is_here = |place: &usize| {
        let here = words[*place..].iter().take(parts.len()).map(|(_, word)| word);
        here.eq(parts.iter()) && !is_plain(*place)
    };
    (0..words.len()).filter(is_here).map(|place| words[place].0).collect()
}

#[test]
fn no_file_uses_a_word_that_is_ruled_out() {
    let mut paths = vec![root().join("README.md"), root().join("client.html")];
    files(&root().join("src"), &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().to_str().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let words = words(&text);
        for (phrase, instead) in RULED_OUT {
            for number in lines_with(&words, phrase) {
                let line = lines[number - 1].trim();
                let is_allowed = ALLOWED.iter().any(|(file, word, part)| {
                    shown.contains(file) && word == phrase && line.contains(part)
                });
                if !is_allowed {
                    found.push(format!("{shown}:{number}: \"{phrase}\" (write {instead}): {line}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}

#[test]
fn words_are_found_in_names_and_across_line_ends() {
    let words = words(
        "fn tell_lost() {}\n// so\n// many TellOnce told's Retold\n// There is no x. It is no\n// longer; this is no y",
    );
    for (phrase, lines) in
        [("tell", &[1, 3][..]), ("so many", &[2]), ("told", &[3]), ("is no", &[5]), ("anew", &[])]
    {
        assert_eq!(lines_with(&words, phrase), lines, "{phrase}");
    }
}
