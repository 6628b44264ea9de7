//! The drawing of `src/lib.rs`, held against what the files really name: who may use whom, what
//! stays pure, how large a file may be, what the checkout and the manifest may hold.
#![allow(clippy::unwrap_used, reason = "a file that cannot be read is a test that failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file above its tests.
const LINES_MAX: usize = 300;

/// Who may name whom beside itself, by the first word behind `crate::`. Who has no row names nobody.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("main", &["cli", "server", "tools"]),
    ("cli", &["server", "tools", "explain", "wire"]),
    ("server", &["explain", "net", "wire", "sys"]),
    ("tools", &["explain", "net", "wire", "sys"]),
    ("explain", &["wire", "rfc6455"]),
    ("wire", &["rfc6455"]),
];

/// Parts of `std` that touch the world outside: none of them in a pure layer.
const IMPURE: &[&str] = &[
    "env", "fs", "io", "net", "os", "process", "sync", "thread", "time", "print", "eprint", "dbg",
];
/// Parts of it that the command line has no use for.
const NOT_FOR_WORDS: &[&str] =
    &["fs", "io", "os", "process", "sync", "thread", "print", "eprint", "dbg"];

/// A source file above its tests, without comments, strings and characters.
struct Source {
    path: PathBuf,
    /// `["wire", "http"]` for `src/wire/http.rs`.
    module: Vec<String>,
    lines: usize,
    words: Vec<String>,
}

impl Source {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        let inner = path.strip_prefix(root().join("src")).unwrap().with_extension("");
        let module = inner.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
        Self { path, module, lines: code.lines().count(), words: words(code) }
    }

    fn layer(&self) -> &str {
        &self.module[0]
    }

    /// Every path that is named, in full: groups of `use` are taken apart, `self` and `super` are
    /// followed from this module.
    fn names(&self) -> BTreeSet<Vec<String>> {
        let mut names = BTreeSet::new();
        let mut i = 0;
        while i < self.words.len() {
            let is_start = is_name(&self.words[i]) && (i == 0 || self.words[i - 1] != "::");
            if is_start {
                i = self.tree(i, &[], &mut names);
            } else {
                i += 1;
            }
        }
        names
    }

    /// The path or use-tree that begins at `i`, behind `prefix`; where it ends.
    fn tree(&self, mut i: usize, prefix: &[String], names: &mut BTreeSet<Vec<String>>) -> usize {
        let word = |i: usize| self.words.get(i).map_or("", String::as_str);
        let mut path = prefix.to_vec();
        loop {
            path.push(word(i).to_owned());
            i += 1;
            match (word(i), word(i + 1)) {
                ("::", "{") => {
                    i += 2;
                    while word(i) != "}" && i < self.words.len() {
                        i = if is_name(word(i)) { self.tree(i, &path, names) } else { i + 1 };
                    }
                    return i + 1;
                }
                ("::", next) if is_name(next) => i += 1,
                _ => break,
            }
        }
        names.insert(self.resolve(&path));
        i
    }

    fn resolve(&self, path: &[String]) -> Vec<String> {
        let mut full = Vec::new();
        for (place, word) in path.iter().enumerate() {
            match word.as_str() {
                "crate" | "wirechat" if place == 0 => full.push("crate".to_owned()),
                "self" | "super" if place == 0 => {
                    full.push("crate".to_owned());
                    full.extend(self.module.iter().cloned());
                    if word == "super" {
                        full.pop();
                    }
                }
                "super" => drop(full.pop()),
                "self" => (), // the group's own prefix
                _ => full.push(word.clone()),
            }
        }
        full
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters; what is said in comments and quotes is left out.
fn words(code: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => quoted(rest, '"'),
            // A character's quote closes behind it; a lifetime's does not.
            '\'' if rest.starts_with("'\\") || rest.chars().nth(2) == Some('\'') => {
                quoted(rest, '\'')
            }
            _ if is_name(rest) => {
                let end =
                    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                words.push(rest[..end].to_owned());
                end
            }
            ':' if rest.starts_with("::") => {
                words.push("::".to_owned());
                2
            }
            _ => {
                if !first.is_whitespace() {
                    words.push(first.to_string());
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    words
}

/// How long the quotation at the front of `code` is.
fn quoted(code: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (i, c) in code.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return i + 1,
            _ => (),
        }
    }
    code.len()
}

/// All files of `folder` that end in `.rs`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn sources() -> Vec<Source> {
    let sources: Vec<Source> = files(&root().join("src")).into_iter().map(Source::read).collect();
    assert!(15 < sources.len());
    sources
}

fn is_path(path: &[String], start: &[&str]) -> bool {
    start.len() <= path.len() && path.iter().zip(start).all(|(word, expected)| word == expected)
}

#[test]
fn use_goes_right_or_down() {
    for source in sources() {
        let allowed = MAY_NAME.iter().find(|(layer, _)| *layer == source.layer());
        let allowed = allowed.map_or(&[][..], |(_, allowed)| *allowed);
        for path in source.names() {
            let [root, layer, ..] = path.as_slice() else { continue };
            let is_right = root != "crate" || layer == source.layer();
            assert!(
                is_right || allowed.contains(&&**layer),
                "{} names {}",
                source.path.display(),
                path.join("::")
            );
        }
    }
}

#[test]
fn inside_wire_paths_begin_with_super() {
    for source in sources().iter().filter(|source| source.layer() == "wire") {
        assert!(!source.words.contains(&"crate".to_owned()), "{}", source.path.display());
    }
}

#[test]
fn wire_and_explain_are_pure_and_the_command_line_is_words() {
    for source in sources() {
        let forbidden = match source.layer() {
            "wire" | "explain" => IMPURE,
            "cli" => NOT_FOR_WORDS,
            _ => continue,
        };
        let names = source.names();
        for part in forbidden {
            for library in ["std", "core", "alloc"] {
                let is_named = names
                    .iter()
                    .filter(|path| !is_path(path, &["core", "net", "Ipv6Addr"])) // a value, no socket
                    .any(|path| is_path(path, &[library, part]));
                assert!(!is_named, "{} names {library}::{part}", source.path.display());
            }
            let is_called = source
                .words
                .windows(2)
                .any(|pair| pair[1] == "!" && (pair[0] == *part || pair[0] == format!("{part}ln")));
            assert!(!is_called, "{} calls {part}!", source.path.display());
        }
    }
}

#[test]
fn unsafe_is_in_sys_alone() {
    for source in sources() {
        let is_unsafe = source.words.contains(&"unsafe".to_owned());
        let may_be = source.module == ["sys"];
        assert!(may_be || !is_unsafe, "{}", source.path.display());
    }
}

#[test]
fn a_file_can_be_read_in_one_sitting() {
    let long = sources().into_iter().filter(|source| LINES_MAX < source.lines);
    let long = long.filter(|source| source.module != ["rfc6455", "requirements"]); // a table
    let long: Vec<String> =
        long.map(|source| format!("{}: {}", source.path.display(), source.lines)).collect();
    assert!(long.is_empty(), "more than {LINES_MAX} lines above the tests: {long:#?}");
}

#[test]
fn the_tests_client_shares_no_code_with_the_server() {
    for path in files(&root().join("tests/support")) {
        let words = words(&fs::read_to_string(&path).unwrap());
        assert!(!words.contains(&"wirechat".to_owned()), "{}", path.display());
    }
}

#[test]
fn one_package_reaches_the_binary() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut table = "";
    let mut packages = Vec::new();
    for line in manifest.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            table = name;
            let is_known = ["dependencies", "dev-dependencies"].contains(&table);
            assert!(is_known || !table.contains("dependencies"), "[{table}]");
        } else if let Some((name, _)) = line.split_once('=')
            && table == "dependencies"
        {
            packages.push(name.trim().to_owned());
        }
    }
    assert_eq!(packages, ["sha1_smol"]);
    assert!(!root().join("build.rs").exists());
}

#[test]
fn the_top_level_is_what_a_newcomer_needs() {
    const KNOWN: [&str; 9] = [
        "Cargo.toml",
        "Cargo.lock",
        "Makefile",
        "README.md",
        "LICENSE",
        "client.html",
        "src",
        "tests",
        "target",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || KNOWN.contains(&&*name), "{name} belongs elsewhere");
    }
}

/// What the tests above rest on.
#[test]
fn names_are_found_in_whatever_form_they_are_written() {
    let code = r#"
        //! use crate::comment;
        use std::{fmt, net::{TcpStream as Socket, self}, io::Write};
        use super::{frame, super::room};
        use crate::wire::{http::{Request, is_token}, close::*};
        const TEXT: &str = "crate::quoted \" crate::quoted"; // crate::said
        fn f<'a>(c: &'a char) -> std::time::Duration { [':', '\'', '"']; self::g::<u8>(wirechat::x::Y) }
    "#;
    let module = vec!["server".to_owned(), "log".to_owned()];
    let source = Source { path: PathBuf::new(), module, lines: 0, words: words(code) };
    let names: Vec<String> = source.names().iter().map(|path| path.join("::")).collect();
    for expected in [
        "std::fmt",
        "std::net::TcpStream",
        "std::net",
        "std::io::Write",
        "std::time::Duration",
        "crate::server::frame",
        "crate::room",
        "crate::wire::http::Request",
        "crate::wire::http::is_token",
        "crate::wire::close",
        "crate::server::log::g",
        "crate::x::Y",
    ] {
        assert!(names.iter().any(|name| name == expected), "{expected} in {names:#?}");
    }
    for word in ["comment", "quoted", "said"] {
        assert!(!names.iter().any(|name| name.contains(word)), "{word} in {names:#?}");
    }
}
