//! README.md and the manual in src/help: every example is run, and prints what the page shows.
//!
//! In a `console` block a line that starts with `$ ` is a command; the lines after it are its output,
//! standard error included. The `text` block after `## Options` is the table of options that `--help`
//! prints. The comparison ignores what differs from run to run:
//!
//! - a time such as `2026-11-22T19:09:53.835Z` equals any other time;
//! - `127.0.0.1:1984` equals that address with any port;
//! - a line `...` stands for any number of lines, and `...` in a line for any text.
//!
//! How a command runs:
//!
//! - a command line that uses `wirechat`: in `sh`, in a folder of its page's own;
//! - `wirechat` as a server: with the clients of its [`SCENES`] row, then stopped by SIGTERM; the log lines
//!   about the stop are left out;
//! - `curl`: against a server on a free port;
//! - `python3 -m websockets`: replaced by the tests' own client, which sends the lines that start with
//!   `> ` and prints what it receives after `< `;
//! - all others have a row in [`NOT_RUN`].
//!
//! Lists on the pages (options, JSON members, metrics) are compared with what the program prints.
//!
//! `WIRECHAT_UPDATE=1 cargo test --test docs` writes the real output into the pages. Where a page shortens
//! an output with `...`, the parts between are found again by their first and last lines. Read the
//! difference before you commit it.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use support::{Client, Request, Server, check};

const PROGRAM: &str = env!("CARGO_BIN_EXE_wirechat");

/// Commands that no test runs here, by their beginning, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("make run", "builds a release and serves until it is stopped; `wirechat` is run instead"),
    ("make teach", "the same; `wirechat --trace` and `/wire` are run instead"),
    ("make test", "runs this test"),
    ("make static", "builds for minutes; tests/deploy.rs checks what it builds"),
    ("make conformance", "runs for a minute; `make test` runs the same tests"),
    ("make bench", "runs for a quarter of an hour"),
    ("scp ", "needs another machine"),
];

/// What the clients of a server do.
type Scene = fn(&Server);

/// Servers in the examples, and what their clients do.
const SCENES: &[(&str, Scene)] = &[
    ("wirechat", hello),
    ("wirechat serve", foreign_page),
    ("wirechat --log-format json", hello),
    ("wirechat --trace", two_members),
    ("wirechat --trace=full", hello),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and the topics of the manual.
fn pages() -> Vec<Page> {
    let mut paths = vec![root().join("README.md")];
    for entry in fs::read_dir(root().join("src/help")).unwrap() {
        paths.push(entry.unwrap().path());
    }
    paths.sort();
    paths.into_iter().map(Page::read).collect()
}

struct Page {
    path: PathBuf,
    lines: Vec<String>,
}

/// A command of a page, and where its output is.
struct Example {
    command: String,
    start: usize,
    end: usize,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        Self { path, lines: text.lines().map(str::to_owned).collect() }
    }

    fn name(&self) -> &str {
        self.path.file_stem().unwrap().to_str().unwrap()
    }

    fn examples(&self) -> Vec<Example> {
        let mut examples: Vec<Example> = Vec::new();
        let mut fence = None;
        for (index, line) in self.lines.iter().enumerate() {
            let before = index.checked_sub(2).map(|before| &*self.lines[before]);
            match (fence, line.strip_prefix("```")) {
                (None, Some("text")) if before == Some("## Options") => {
                    let name = self.name();
                    let command = format!("wirechat {name} --help | sed '1,/^Options:$/d'");
                    examples.push(Example { command, start: index + 1, end: index + 1 });
                    fence = Some("console");
                }
                (None, Some(language)) => {
                    let known = ["console", "ini", "nginx", "caddy", "haproxy"];
                    let lacks_command =
                        language == "console" && !self.lines[index + 1].starts_with("$ ");
                    let place = format!("{}:{}", self.path.display(), index + 1);
                    assert!(known.contains(&language), "{place}: a block of {language:?}");
                    assert!(!lacks_command, "{place}: output without a command");
                    fence = Some(language);
                }
                (Some(_), Some(_)) => fence = None,
                (Some("console"), None) => match line.strip_prefix("$ ") {
                    Some(command) => {
                        let command = command.to_owned();
                        examples.push(Example { command, start: index + 1, end: index + 1 });
                    }
                    None => examples.last_mut().expect("output after its command").end = index + 1,
                },
                _ => (),
            }
        }
        assert_eq!(fence, None, "{}: a block without an end", self.name());
        examples
    }
}

#[test]
fn examples_print_what_the_pages_show() {
    let is_update = env::var_os("WIRECHAT_UPDATE").is_some_and(|value| value == "1");
    let wrong: Vec<String> = pages().iter().flat_map(|page| differences(page, is_update)).collect();
    assert!(wrong.is_empty(), "{}\n\nWIRECHAT_UPDATE=1 updates the pages", wrong.join("\n\n"));
}

/// The examples of a page that print something else; an update writes that to the page instead.
fn differences(page: &Page, is_update: bool) -> Vec<String> {
    let folder = Folder::new(page.name());
    let (mut wrong, mut edits) = (Vec::new(), Vec::new());
    for Example { command, start, end } in page.examples() {
        let expected = &page.lines[start..end];
        let Some(actual) = run(&command, expected, &folder) else { continue };
        let is_shown = expected.is_empty() || expected.iter().any(|line| line != "...");
        assert!(is_shown, "{}:{start}: $ {command} shows only `...`", page.path.display());
        let updated = update(expected, &actual);
        if matches(expected, &actual) {
            continue;
        } else if is_update && matches(&updated, &actual) {
            edits.push((start..end, updated));
        } else {
            let place = format!("{}:{start}: $ {command}", page.path.display());
            let (expected, actual) = (expected.join("\n"), actual.join("\n"));
            wrong.push(format!("{place}\n{expected}\n--- but it prints\n{actual}"));
        }
    }
    if !edits.is_empty() {
        let mut lines = page.lines.clone();
        for (range, updated) in edits.into_iter().rev() {
            lines.splice(range, updated);
        }
        fs::write(&page.path, lines.join("\n") + "\n").unwrap();
    }
    wrong
}

#[test]
fn every_row_of_not_run_has_an_example() {
    let commands: Vec<String> =
        pages().iter().flat_map(Page::examples).map(|example| example.command).collect();
    for (row, why) in NOT_RUN {
        let is_used = commands.iter().any(|command| command.starts_with(row));
        assert!(is_used, "no page has an example of: {row} ({why})");
    }
}

/// What a command prints, in lines; `None` if it is not run, or its program is not installed here.
fn run(command: &str, expected: &[String], folder: &Folder) -> Option<Vec<String>> {
    if NOT_RUN.iter().any(|(row, _)| command.starts_with(row)) {
        return None;
    }
    let is_wirechat = |stage: &str| stage.split_whitespace().next() == Some("wirechat");
    if let Some((_, scene)) = SCENES.iter().find(|(row, _)| *row == command) {
        return Some(serve(command, *scene));
    }
    if let Some(path) = command.strip_prefix("python3 -m websockets ws://127.0.0.1:1984") {
        return Some(talk(path, expected));
    }
    if command.starts_with("curl ") {
        let server = Server::start();
        if Command::new("curl").arg("--version").output().is_err() {
            check::skip(format_args!("curl is not installed: {command}"));
            return None;
        }
        return Some(shell(&command.replace("127.0.0.1:1984", &address(&server)), folder));
    }
    assert!(command.split('|').any(is_wirechat), "neither run nor in NOT_RUN: {command}");
    Some(shell(command, folder))
}

/// An empty folder with this build as `bin/wirechat`; it is removed when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("docs-{name}-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(folder.join("bin")).unwrap();
        std::os::unix::fs::symlink(PROGRAM, folder.join("bin/wirechat")).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // a folder that stays does no harm
    }
}

/// Runs a command line in a folder.
fn shell(command: &str, folder: &Folder) -> Vec<String> {
    let path = format!("{}:{}", folder.0.join("bin").display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{{ {command}\n}} 2>&1")]).current_dir(&folder.0).env("PATH", path);
    for (name, _) in env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name.starts_with("WIRECHAT_") || ["COLUMNS", "NO_COLOR"].contains(&&*name)
    }) {
        shell.env_remove(name);
    }
    let output = shell.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Runs a server with its clients; gives its log up to the stop.
fn serve(command: &str, scene: Scene) -> Vec<String> {
    let words: Vec<&str> =
        command.split_whitespace().skip(1).filter(|word| *word != "serve").collect();
    let server = Server::with(&words);
    scene(&server);
    let address = address(&server);
    server.signal("TERM");
    server.wait();
    let log = server.log().replace(&address, "127.0.0.1:1984");
    let is_stop = |line: &&str| line.contains("stopping: ") || line.contains("stopped");
    log.lines().filter(|line| !is_stop(line)).map(str::to_owned).collect()
}

/// What the server listens on, as ADDR:PORT.
fn address(server: &Server) -> String {
    let log = server.log();
    let (_, rest) = log.split_once("http://").unwrap();
    rest.split_once('/').unwrap().0.to_owned()
}

/// A frame as a client sends it.
fn masked(opcode: u8, key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126, "a length in 7 bits");
    let mut frame = [&[0x80 | opcode, 0x80 | length][..], &key].concat();
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// A member says Hello and leaves.
fn hello(server: &Server) {
    let mut member = server.upgrade("/chat");
    member.send(masked(TEXT, KEY, b"Hello"));
    member.expect_text("Hello");
    leave(member, KEY, b"\x03\xe8");
}

fn leave(mut member: Client, key: [u8; 4], close: &[u8]) {
    member.send(masked(CLOSE, key, close));
    member.expect_close(Some(1000));
    member.expect_end();
}

/// Two members: a text to both, a Ping, a Close.
fn two_members(server: &Server) {
    let (mut one, mut two) = (server.upgrade("/chat"), server.upgrade("/chat"));
    let text = "hello it's ünï \u{1b}[31m";
    one.send(masked(TEXT, [0x8d, 0x34, 0x1a, 0x23], text.as_bytes()));
    one.expect_text(text);
    two.expect_text(text);
    one.send(masked(PING, [0x1e, 0xe8, 0xd4, 0xac], b"xyz"));
    one.expect_frame(PONG, b"xyz");
    leave(two, [0x6f, 0xee, 0x56, 0x6b], b"\x03\xe8bye");
    leave(one, KEY, b"\x03\xe8");
}

/// A page of another origin is refused.
fn foreign_page(server: &Server) {
    let mut client = server.connect();
    client.send(Request::upgrade("/chat").add("Origin: https://chat.example.org").bytes());
    client.expect_refusal(403);
}

/// What `python3 -m websockets` would show: the lines after `> ` are sent, those after `< ` received.
fn talk(path: &str, expected: &[String]) -> Vec<String> {
    let server = Server::with(&["--inspect"]);
    let mut lines = vec![format!("Connected to ws://127.0.0.1:1984{path}.")];
    let mut client = server.connect();
    client.send(Request::upgrade(path).bytes());
    client.expect_101();
    let receive = |client: &mut Client| String::from_utf8(client.read_message().payload).unwrap();
    let is_last =
        |text: &str| text.contains("\"from\":\"server\"") && text.contains("\"opcode\":8");
    if path == "/wire" {
        hello(&server);
    }
    loop {
        let text = receive(&mut client);
        lines.push(format!("< {text}"));
        if path != "/wire" || is_last(&text) {
            break;
        }
    }
    for line in expected.iter().filter_map(|line| line.strip_prefix("> ")) {
        client.send(masked(TEXT, KEY, line.as_bytes()));
        lines.extend([format!("> {line}"), format!("< {}", receive(&mut client))]);
    }
    lines
}

/// Do these lines of a page stand for this output?
fn matches(page: &[String], output: &[String]) -> bool {
    match page.split_first() {
        None => output.is_empty(),
        Some((line, rest)) if line == "..." => {
            (0..=output.len()).any(|count| matches(rest, &output[count..]))
        }
        Some((line, rest)) => output
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && matches(rest, others)),
    }
}

fn line_matches(page: &str, output: &str) -> bool {
    let (page, output) = (normalized(page), normalized(output));
    let Some((start, parts)) = page.split_once("...") else { return page == output };
    let Some(mut rest) = output.strip_prefix(start) else { return false };
    let mut parts = parts.split("...").peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

/// A line without what differs from run to run.
fn normalized(line: &str) -> String {
    const TIME: &str = "0000-00-00T00:00:00.000Z";
    let is_time = |text: &str| {
        text.len() >= TIME.len()
            && text.bytes().zip(TIME.bytes()).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                shape => byte == shape,
            })
    };
    let (mut normalized, mut rest) = (String::new(), line);
    while let Some(first) = rest.chars().next() {
        if is_time(rest) {
            normalized.push_str(TIME);
            rest = &rest[TIME.len()..];
        } else if let Some(after) = rest.strip_prefix("127.0.0.1:") {
            normalized.push_str("127.0.0.1:0");
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        } else {
            normalized.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    normalized
}

/// The lines for a page that now prints `output`. Each part between two `...` is searched for by its
/// first and its last line.
fn update(page: &[String], output: &[String]) -> Vec<String> {
    if !page.contains(&"...".to_owned()) {
        return output.to_vec();
    }
    let parts: Vec<&[String]> = page.split(|line| line == "...").collect();
    let (mut updated, mut at) = (Vec::new(), 0);
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        if index != 0 {
            updated.push("...".to_owned());
        }
        let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
        let start = if index == 0 { 0 } else { at + nearest(first, &output[at..]) };
        let end = start + nearest(last, &output[start..]) + 1;
        let end = if is_last { output.len() } else { end.min(output.len()) };
        for line in &output[start..end] {
            let kept = part.iter().find(|kept| line_matches(kept, line));
            updated.push(kept.unwrap_or(line).clone());
        }
        at = end;
    }
    updated
}

/// The index of the line that is most like `wanted`.
fn nearest(wanted: &str, lines: &[String]) -> usize {
    let unlikeness = |line: &str| match line_matches(wanted, line) {
        true => 0,
        false => 1 + 1000 * distance(wanted, line) / (1 + wanted.len().max(line.len())),
    };
    (0..lines.len()).min_by_key(|index| unlikeness(&lines[*index])).unwrap_or(0)
}

/// The Levenshtein distance of two lines, without what differs from run to run.
fn distance(one: &str, other: &str) -> usize {
    strsim::levenshtein(&normalized(one), &normalized(other))
}

#[test]
fn shortened_outputs_match_and_are_found_again() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let output = lines("a 2026-11-22T19:09:53.835Z\nb 127.0.0.1:5\nmiddle\nc\nd end of it");
    for (page, is_match) in [
        ("a 2000-01-01T00:00:00.000Z\nb 127.0.0.1:1984\nmiddle\nc\nd end of it", true),
        ("...", true),
        ("...\nmiddle\n...", true),
        ("a ...\n...\nc\nd ...of...", true),
        ("a ...\n...\nc", false),
        ("...\nb 127.0.0.2:5\n...", false),
        ("d end of it\n...", false),
        ("", false),
    ] {
        assert_eq!(matches(&lines(page), &output), is_match, "{page}");
    }
    for (page, updated) in [
        ("...\nmidle\n...", "...\nmiddle\n..."),
        ("a ...\n...\nd end", "a ...\n...\nd end of it"),
        ("...\nmiddle!\nc!\n...", "...\nmiddle\nc\n..."),
        ("other", "a 2026-11-22T19:09:53.835Z\nb 127.0.0.1:5\nmiddle\nc\nd end of it"),
    ] {
        assert_eq!(update(&lines(page), &output), lines(updated), "{page}");
    }
}

/// The targets of `[text](target)` on a page.
fn links(page: &Page) -> Vec<String> {
    let text = page.lines.join("\n");
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    ends.map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn every_link_leads_to_a_file() {
    let mut count = 0;
    for page in pages() {
        for target in links(&page).iter().filter(|target| !target.contains("://")) {
            let path = page.path.parent().unwrap().join(target);
            assert!(path.exists(), "{}: {target}", page.path.display());
            count += 1;
        }
    }
    assert!(15 < count, "{count} links");
}

#[test]
fn the_readme_is_short_and_links_to_every_topic() {
    let readme = Page::read(root().join("README.md"));
    assert!(readme.lines.len() <= 300, "{} lines", readme.lines.len());
    let links = links(&readme);
    for page in pages().iter().filter(|page| page.name() != "README") {
        let path = format!("src/help/{}.md", page.name());
        assert!(links.contains(&path), "README.md has no link to {path}");
    }
}

#[test]
fn every_file_of_the_manual_is_a_topic_that_fits_a_terminal() {
    let folder = Folder::new("topics");
    let contents = shell("wirechat help", &folder);
    for page in pages().iter().filter(|page| page.name() != "README") {
        let row = format!("  {} ", page.name());
        assert!(contents.iter().any(|line| line.starts_with(&row)), "{row} in {contents:#?}");
        let topic = shell(&format!("wirechat help {}", page.name()), &folder);
        assert_eq!(topic, page.lines, "{}", page.path.display());
        let mut is_block = false;
        for line in &page.lines {
            is_block ^= line.starts_with("```");
            let is_long = 100 < line.chars().count();
            assert!(is_block || !is_long, "{}: {line}", page.path.display());
        }
    }
}

/// The options that a text names.
fn options(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    let after = text.split(|c: char| c.is_whitespace() || "`([|".contains(c));
    let names = after.filter_map(|word| word.strip_prefix("--"));
    let names = names.map(|name| name.split(|c| !is_part(c)).next().unwrap_or_default());
    names.filter(|name| !name.trim_matches('-').is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_pages_name_the_options_that_exist() {
    let folder = Folder::new("options");
    let mut existing = BTreeSet::new();
    for command in ["serve", "decode", "encode", "accept"] {
        let help = shell(&format!("wirechat {command} --help"), &folder);
        let rows = help.iter().filter(|line| line.starts_with("  --"));
        let own = options(&rows.cloned().collect::<Vec<_>>().join("\n"));
        let page = Page::read(root().join(format!("src/help/{command}.md")));
        let missing: Vec<_> = own.difference(&options(&page.lines.join("\n"))).cloned().collect();
        assert!(missing.is_empty(), "{} does not name {missing:?}", page.path.display());
        existing.extend(own);
    }
    assert!(30 < existing.len(), "{existing:?}");
    for page in pages() {
        let named = options(&page.lines.join("\n"));
        let unknown: Vec<_> = named.difference(&existing).collect();
        assert!(unknown.is_empty(), "{}: unknown options {unknown:?}", page.path.display());
    }
}

/// The names in backticks at the start of each item of a page's lists: ``- `a`, `b`: what they are``.
fn items(page: &str) -> BTreeSet<String> {
    let page = Page::read(root().join(format!("src/help/{page}.md")));
    let mut names = BTreeSet::new();
    for item in page.lines.iter().filter_map(|line| line.strip_prefix("- `")) {
        let (list, _) = item.split_once("`: ").unwrap_or((item, ""));
        names.extend(list.split("`, `").map(|name| name.split('{').next().unwrap().to_owned()));
    }
    names
}

/// The names of the members of a JSON object; of nested objects none.
fn members(object: &str) -> BTreeSet<String> {
    let (mut depth, mut names) = (0, BTreeSet::new());
    let mut parts = object.split('"');
    while let Some(between) = parts.next() {
        for brace in between.chars() {
            depth += i32::from("{[".contains(brace)) - i32::from("}]".contains(brace));
        }
        let Some(string) = parts.next() else { break };
        let is_name = parts.clone().next().is_some_and(|after| after.starts_with(':'));
        if depth == 1 && is_name {
            names.insert(string.to_owned());
        }
    }
    names
}

#[test]
fn the_lists_of_members_and_metrics_are_complete() {
    let folder = Folder::new("lists");
    let object = |words| members(&shell(&format!("wirechat decode --json {words}"), &folder)[0]);
    let frame = object("8900");
    let decoded = &(&frame | &object("--example handshake")) | &object("--summary 8900");
    let listed = items("decode");
    assert!(decoded.is_subset(&listed), "{:?}", decoded.difference(&listed));
    let formats = ["8185 37fa", "81:85"]; // the page's other list, of input formats
    let others: Vec<_> =
        listed.difference(&decoded).filter(|name| !formats.contains(&&***name)).collect();
    assert!(others.is_empty(), "decode.md lists {others:?}, which no object has");

    let wire = talk("/wire", &["> 8900".to_owned()]);
    let messages = wire.iter().filter_map(|line| line.strip_prefix("< "));
    let sent: BTreeSet<String> = messages.flat_map(members).collect();
    let listed = items("inspect");
    let own: BTreeSet<_> = sent.difference(&frame).cloned().collect();
    let answer = ["problem", "steps"].map(str::to_owned); // in the text below the list
    let missing: Vec<_> = own.difference(&listed).filter(|name| !answer.contains(name)).collect();
    assert!(missing.is_empty(), "inspect.md does not list {missing:?}");

    let metrics = Server::start().get("/metrics");
    let families = metrics.text().lines().filter_map(|line| line.strip_prefix("# HELP "));
    let families: BTreeSet<String> =
        families.map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(items("metrics"), families);
}

#[test]
fn an_unknown_topic_is_an_error_with_a_suggestion() {
    let folder = Folder::new("unknown");
    let lines = shell("wirechat help metrix; echo $?", &folder);
    let error = "wirechat: unknown topic `metrix`; did you mean `wirechat help metrics`?";
    assert_eq!(lines, [error, "2"]);
}
