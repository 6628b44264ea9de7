//! The drawing in `src/lib.rs`, checked against what the files really name: the order of the layers, the
//! order of the modules inside a layer, what stays pure, how long a file and a function may be, and what
//! the checkout and the manifest may hold.
#![allow(clippy::unwrap_used, reason = "a file that cannot be read is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file above its tests.
const FILE_LINES_MAX: usize = 250;
/// Lines of a function. A function under `#[rustfmt::skip]` is a table and has no limit.
const FUNCTION_LINES_MAX: usize = 35;

/// Other layers that a layer may name, by the first word after `crate::`.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("main", &["cli", "server", "tools"]),
    ("cli", &["server", "tools", "help", "explain", "wire"]),
    ("server", &["explain", "net", "wire", "rfc6455", "sys"]),
    ("tools", &["explain", "wire", "rfc6455", "sys"]),
    ("explain", &["wire", "rfc6455"]),
    ("wire", &["rfc6455"]),
    ("net", &[]),
    ("help", &[]),
    ("rfc6455", &[]),
    ("sys", &[]),
];

/// The parts of `std` that have effects or state. The pure layers name none of them.
const IMPURE: &[&str] = &[
    "env", "fs", "io", "net", "os", "process", "sync", "thread", "time", "print", "eprint", "dbg",
];
/// The parts of `std` that the command line does not need.
const NOT_FOR_CLI: &[&str] =
    &["fs", "io", "os", "process", "sync", "thread", "print", "eprint", "dbg"];

/// A source file above its tests.
struct Source {
    path: PathBuf,
    /// `["wire", "http"]` for `src/wire/http.rs`.
    module: Vec<String>,
    code: String,
    /// The code without comments, strings and characters.
    words: Vec<String>,
}

impl Source {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        let inner = path.strip_prefix(root().join("src")).unwrap().with_extension("");
        let module = inner.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
        Self { path, module, words: words(code), code: code.to_owned() }
    }

    fn layer(&self) -> &str {
        &self.module[0]
    }

    /// Every path that the file names, in full: groups of `use` are split, `self` and `super` are
    /// resolved from this module.
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

    /// Collects the path or use-tree that begins at word `i`, after `prefix`; returns where it ends.
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

/// Names, `::` and single characters of the code, without comments and quoted text.
fn words(code: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => quoted(rest, '"'),
            // A character literal has a closing quote, a lifetime has none.
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

/// The length of the quoted text at the front of `code`.
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

/// All files below `folder` that end in `.rs`.
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

/// The first drawing in `src/lib.rs`: each layer with its modules. A layer names only layers below it;
/// inside a layer, a module names only modules to its left.
fn drawing() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let drawing = text.split("//! ```text\n").nth(1).unwrap().split("//! ```").next().unwrap();
    let mut layers: Vec<(String, Vec<String>)> = Vec::new();
    for line in drawing.lines().map(|line| line.strip_prefix("//! ").unwrap_or_default()) {
        let mut names = line.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned);
        if line.starts_with(' ') {
            layers.last_mut().unwrap().1.extend(names);
        } else if let Some(layer) = names.next() {
            layers.push((layer, names.collect()));
        }
    }
    layers
}

fn position(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|known| known == name)
}

#[test]
fn a_layer_names_only_the_layers_that_it_may() {
    for source in sources() {
        let allowed = MAY_NAME.iter().find(|(layer, _)| *layer == source.layer());
        let allowed = allowed.map_or(&[][..], |(_, allowed)| *allowed);
        for path in source.names() {
            let [root, layer, ..] = path.as_slice() else { continue };
            let is_own_or_std = root != "crate" || layer == source.layer();
            assert!(
                is_own_or_std || allowed.contains(&&**layer),
                "{} names {}",
                source.path.display(),
                path.join("::")
            );
        }
    }
}

#[test]
fn the_drawing_has_the_layers_in_the_order_of_their_use() {
    let layers: Vec<String> = drawing().into_iter().map(|(layer, _)| layer).collect();
    for (layer, allowed) in MAY_NAME {
        let upper = position(&layers, layer).unwrap_or_else(|| panic!("{layer} is not drawn"));
        for lower in *allowed {
            let lower = position(&layers, lower).unwrap_or_else(|| panic!("{lower} is not drawn"));
            assert!(upper < lower, "{layer} is drawn below {}, which it names", layers[lower]);
        }
    }
    assert_eq!(layers.len(), MAY_NAME.len(), "{layers:?}");
}

/// Every module of a layer is drawn, and names only modules to its left: there is no circle. The file of
/// the layer itself (`src/server.rs`) may name all of its modules, and none of them names it.
#[test]
fn inside_a_layer_a_module_names_only_modules_to_its_left() {
    let drawing = drawing();
    let mut found = BTreeSet::new();
    for source in sources() {
        let [layer, module, ..] = source.module.as_slice() else { continue };
        let (_, modules) = drawing.iter().find(|(drawn, _)| drawn == layer).unwrap();
        let own = position(modules, module);
        let own =
            own.unwrap_or_else(|| panic!("{} is not drawn in src/lib.rs", source.path.display()));
        found.insert((layer.clone(), module.clone()));
        for path in source.names() {
            let [root, other_layer, named, ..] = path.as_slice() else { continue };
            if root != "crate" || other_layer != layer || named == module {
                continue;
            }
            let is_lower = position(modules, named).is_some_and(|named| named < own);
            assert!(is_lower, "{} names {}", source.path.display(), path.join("::"));
        }
    }
    for (layer, modules) in drawing {
        for module in modules {
            assert!(
                found.contains(&(layer.clone(), module.clone())),
                "{layer}::{module} is drawn, but is not a file"
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
fn the_pure_layers_name_nothing_that_has_effects() {
    for source in sources() {
        let forbidden = match source.layer() {
            "wire" | "explain" | "rfc6455" | "help" => IMPURE,
            "cli" => NOT_FOR_CLI,
            _ => continue,
        };
        let names = source.names();
        for part in forbidden {
            for library in ["std", "core", "alloc"] {
                let is_named = names
                    .iter()
                    .filter(|path| !is_path(path, &["core", "net", "Ipv6Addr"])) // a value, not a socket
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
fn only_sys_has_unsafe_code() {
    for source in sources() {
        let is_unsafe = source.words.contains(&"unsafe".to_owned());
        let may_be = source.module == ["sys"];
        assert!(may_be || !is_unsafe, "{}", source.path.display());
    }
}

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .iter()
        .map(|source| (&source.path, source.code.lines().count()))
        .filter(|(path, lines)| {
            FILE_LINES_MAX < *lines && !path.ends_with("rfc6455/requirements.rs")
        })
        .map(|(path, lines)| format!("{}: {lines}", path.display()))
        .collect();
    assert!(long.is_empty(), "more than {FILE_LINES_MAX} lines above the tests: {long:#?}");
}

/// The functions of `code` with their lengths in lines. Each ends at the brace with its own indentation.
fn function_lengths(code: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let Some((before, name)) = trimmed.split_once("fn ") else { continue };
        let is_function = before.split_whitespace().all(|word| {
            ["pub", "const", "unsafe", "extern", "\"C\"", "async"].contains(&word)
                || word.starts_with("pub(")
        });
        let attributes = lines[..start].iter().rev().map(|line| line.trim());
        let is_table = attributes
            .take_while(|line| line.starts_with("#[") || line.starts_with("///"))
            .any(|line| line == "#[rustfmt::skip]");
        if !is_function || is_table || trimmed.ends_with(';') {
            continue;
        }
        let end_line = format!("{}}}", &line[..line.len() - trimmed.len()]);
        let end = lines[start..].iter().position(|line| *line == end_line);
        let length = if trimmed.ends_with('}') { 1 } else { end.map_or(1, |end| end + 1) };
        found.push((name.split(['(', '<']).next().unwrap_or_default(), length));
    }
    found
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for source in sources() {
        for (name, lines) in function_lengths(&source.code) {
            if FUNCTION_LINES_MAX < lines {
                long.push(format!("{}: fn {name} has {lines} lines", source.path.display()));
            }
        }
    }
    assert!(long.is_empty(), "more than {FUNCTION_LINES_MAX} lines: {long:#?}");
}

#[test]
fn the_lengths_of_functions_are_counted_to_their_closing_brace() {
    let code = "fn one() { 1 }\n\npub const fn three(\n) {\n}\n#[rustfmt::skip]\nfn table() {\n\n}\n\
                impl X {\n    fn four() {\n        if true {\n        }\n    }\n}\n// fn no() {\n";
    assert_eq!(function_lengths(code), [("one", 1), ("three", 3), ("four", 4)]);
}

#[test]
fn the_test_client_shares_no_code_with_the_server() {
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
fn the_top_level_holds_only_the_known_names() {
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

/// The tests above rely on this.
#[test]
fn names_are_found_in_every_form() {
    let code = r#"
        //! use crate::comment;
        use std::{fmt, net::{TcpStream as Socket, self}, io::Write};
        use super::{frame, super::room};
        use crate::wire::{http::{Request, is_token}, close::*};
        const TEXT: &str = "crate::quoted \" crate::quoted"; // crate::quoted
        fn f<'a>(c: &'a char) -> std::time::Duration { [':', '\'', '"']; self::g::<u8>(wirechat::x::Y) }
    "#;
    let module = vec!["server".to_owned(), "log".to_owned()];
    let source = Source { path: PathBuf::new(), module, code: String::new(), words: words(code) };
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
    for word in ["comment", "quoted"] {
        assert!(!names.iter().any(|name| name.contains(word)), "{word} in {names:#?}");
    }
}
