//! `wirechat decode`: every example against its expected output, every form of input, the output on a
//! terminal, and an independent reader of frames.

#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wirechat");

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("decode").args(words).env_remove("NO_COLOR").env_remove("COLUMNS");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The output for `input` on standard input.
fn run(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input); // the program may end before it reads everything
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn decode(words: &[&str], input: &[u8]) -> (i32, String) {
    let output = run(command(words), input);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors, "", "decode {words:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Expects status 2 and an error message of one sentence; returns the message.
fn error(words: &[&str], input: &[u8]) -> String {
    let output = run(command(words), input);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "decode {words:?}: {error}");
    assert_eq!((error.lines().count(), error.starts_with("wirechat: ")), (1, true), "{error}");
    assert!(!error.trim_end().contains(char::is_control), "{error:?}");
    error
}

fn examples() -> Vec<String> {
    let (status, list) = decode(&["--example"], &[]);
    assert_eq!(status, 0);
    let names = list.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// Compares `output` with the file `name`. `GOLDEN=write cargo test --test decode` writes the files; read
/// the difference before you commit it.
fn expect_golden(name: &str, output: &str) {
    let path = checkout().join("tests/decode").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        fs::write(&path, output).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(output, golden, "{}", path.display());
}

#[test]
fn every_example_has_its_expected_output() {
    let examples = examples();
    assert!(25 <= examples.len());
    expect_golden("list.txt", &decode(&["--example"], &[]).1);
    for name in &examples {
        let (status, output) = decode(&["--example", name], &[]);
        expect_golden(&format!("{name}.txt"), &format!("{output}\nexit status {status}\n"));
    }
    let files = fs::read_dir(checkout().join("tests/decode")).unwrap().count();
    assert_eq!(files, examples.len() + 2, "one file for each, the list, and the JSON");
}

#[test]
fn the_json_has_its_expected_members() {
    let input = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x01\x83\x01\x02\x03\x04IgoX\xff";
    let (status, output) = decode(&["--json"], input);
    expect_golden("objects.json", &format!("{output}exit status {status}\n"));
}

/// The masked frame of section 5.7, from every source and in several forms.
#[test]
fn the_same_bytes_have_the_same_output_in_every_form() {
    const MASKED: [u8; 11] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    let hex = "81 85 37 fa 21 3d 7f 9f 4d 51 58";
    let words: Vec<&str> = hex.split(' ').collect();
    let (status, expected) = decode(&words, &[]);
    assert_eq!(status, 0);
    assert!(expected.contains("payload: \"Hello\""), "{expected}");

    let folder = std::env::temp_dir().join(format!("wirechat-decode-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (raw, text) = (folder.join("raw"), folder.join("text"));
    fs::write(&raw, MASKED).unwrap();
    fs::write(&text, format!("# Hello\n{hex}\n")).unwrap();
    let (raw, text) = (raw.to_str().unwrap(), text.to_str().unwrap());
    let joined = hex.replace(' ', "");
    for (words, input) in [
        (&[raw][..], &[][..]),
        (&["--raw", raw], &[]),
        (&[text], &[]),
        (&["--hex", text], &[]),
        (&[&joined], &[]),
        (&["--hex", &joined], &[]),
        (&["0x81,0x85", "0x37,0xfa,0x21,0x3d,0x7f,0x9f,0x4d,0x51,0x58"], &[]),
        (&["-"], &MASKED),
        (&[], &MASKED),
        (&["--from", "client", "-"], &MASKED),
        (&["-"], hex.as_bytes()),
        (&["--hex"], joined.as_bytes()),
        (&[], b"0000 81 85 37 fa 21 3d 7f 9f 4d 51 58".get(5..).unwrap()),
        (&[], b"00000000: 8185 37fa 213d 7f9f 4d51 58              ..7.!=..MQX\n"),
        (&[], b"00000000  81 85 37 fa 21 3d 7f 9f  4d 51 58           |..7.!=..MQX|\n0000000b\n"),
    ] {
        assert_eq!(decode(words, input), (0, expected.clone()), "{words:?}");
    }
    fs::remove_dir_all(folder).unwrap();
}

/// From a file, the command line and standard input. The unit tests of the reader have all formats.
#[test]
fn a_format_is_read_from_every_source() {
    let expected = decode(&["81", "05", "48", "65", "6c", "6c", "6f"], &[]).1;
    let folder = std::env::temp_dir().join(format!("wirechat-format-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("format");
    let path = path.to_str().unwrap();
    for (text, note) in [
        ("<Buffer 81 05 48 65 6c 6c 6f>", ""),
        ("81-05-48-65-6C-6C-6F", ""),
        ("81:05:48:65:6c:6c:6f", ""),
        (r"b'\x81\x05Hello'", ""),
        ("[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]", ""),
        (
            "unsigned char x[] = {\n  0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f\n};\n\
            unsigned int x_len = 7;\n",
            "",
        ),
        ("129, 5, 72, 101, 108, 108, 111", ""),
        ("Uint8Array(7) [129, 5, 72, 101, 108, 108, 111]", ""),
        ("0000000 0581 6548 6c6c 006f                    \n0000007\n", "read as words"),
        ("0000000 81 05 48 65 6c 6c 6f\n0000007\n", ""),
        (
            "00000000: 10000001 00000101  ..\n00000002: 01001000 01100101 01101100  Hel\n\
            00000005: 01101100 01101111  lo\n",
            "",
        ),
        ("10000001 00000101 01001000 01100101 01101100 01101100 01101111", "read as bytes in b"),
    ] {
        fs::write(path, text).unwrap();
        for (words, input) in [(&[path][..], ""), (&[text], ""), (&[], text)] {
            let output = run(command(words), input.as_bytes());
            let errors = String::from_utf8(output.stderr).unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{text}: {errors}");
            assert_eq!(errors.is_empty(), note.is_empty(), "{text}: {errors}");
            assert!(note.is_empty() || errors.starts_with(&format!("wirechat: warning: {note}")));
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn unreadable_input_is_reported() {
    for (words, input, sentence) in [
        (&["no-such-file"][..], &[][..], "no-such-file: No such file"),
        (&["--raw", "81"], &[], "81: No such file"),
        (&["--raw", "81", "05"], &[], "--raw is for a file or standard input"),
        (&["81", "0"], &[], "the arguments, line 1: one hex digit alone"),
        (&["81", "05", "no"], &[], "the arguments, line 1: 'n' is not a hex digit"),
        (&["--hex"], &[0x81, 0x05], "standard input, line 1: byte 81 is not a hex digit"),
        (&[], b"81 05\nhello\n", "standard input, line 2: 'h' is not a hex digit"),
        (&["/"], &[], "/: Is a directory"),
        (&["8105486"], &[], "the arguments, line 1: an odd number of hex digits"),
        (&["81 05 xx"], &[], "the arguments, line 1: 'x' is not a hex digit"),
        (&["129 5 72"], &[], "the arguments, line 1: this looks decimal"),
        (&["129", "5", "72"], &[], "the arguments, line 1: this looks decimal"),
        (&["[81,5]"], &[], "the arguments, line 1: this may be hex or decimal"),
        (&["<Buffer 81 ... 9 more bytes>"], &[], "the arguments, line 1: '.' is not a byte; if"),
        (&[r"\x81\x05Hello"], &[], "the arguments, line 1: 'H' follows"),
        (&["dead.bin"], &[], "dead.bin: No such file"),
        (&["/", "/"], &[], "decode reads one file at a time"),
        (&[], b"\xff\xfe8\x001\x00", "standard input: text in UTF-16"),
        (&["--example", "nothing"], &[], "there is no example 'nothing'"),
        (&["--from", "\u{1b}[31m"], &[], "--from: '\\u{1b}[31m' is neither"),
        (&["\u{1b}[31m"], &[], "\\u{1b}[31m: No such file"),
    ] {
        let error = error(words, input);
        assert!(error.starts_with(&format!("wirechat: {sentence}")), "{error}");
    }
}

#[test]
fn the_exit_status_is_the_verdict() {
    for (words, status) in [
        ("", 0),
        ("81 00", 0),
        ("81", 0),
        ("81 05 48", 0),
        ("c1 00", 1),
        ("c1", 1),
        ("--from client 81 00", 1),
        ("81 80 1 2 3 4", 2),
        ("81 80 01 02 03 04 89 00", 1),
        ("88 00 81 00", 1),
        ("88 00 8a 00", 0),
        ("--summary c1 00", 1),
        ("--json c1 00", 1),
        ("--help", 0),
        ("--nonsense", 2),
    ] {
        let words: Vec<&str> = words.split_whitespace().collect();
        let output = run(command(&words), &[]);
        assert_eq!(output.status.code(), Some(status), "{words:?}");
    }
}

/// Without `--from`: frames directly after a request are the client's, masked or not.
#[test]
fn the_last_head_shows_who_sends_the_frames() {
    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    const PLAIN: &[u8] = b"\x89\0";
    const MASKED: &[u8] = b"\x89\x80\x01\x02\x03\x04";
    for (heads, frame, words, from, status) in [
        (vec![], PLAIN, &[][..], "server", 0),
        (vec![], MASKED, &[], "client", 0),
        (vec![REQUEST], PLAIN, &[], "client", 1),
        (vec![REQUEST], MASKED, &[], "client", 0),
        (vec![RESPONSE], MASKED, &[], "server", 1),
        (vec![REQUEST, RESPONSE], PLAIN, &[], "server", 0),
        (vec![REQUEST], PLAIN, &["--from", "server"], "server", 0),
    ] {
        let wire = [heads.concat().as_bytes(), frame].concat();
        let (code, text) = decode(words, &wire);
        assert!(text.contains(&format!("from a {from}: ping\n")), "{text}");
        assert_eq!(code, status, "{text}");
    }
}

/// Every example, and bytes that would change a terminal's state.
#[test]
fn lines_fit_the_terminal_and_only_colours_are_escape_sequences() {
    let harmful =
        b"\x81\x7e\x01\x0c\x1b[31m\x1b]0;title\x07\x00\x08\x7f\xc2\x9b1m\xe2\x80\xae\r\n".to_vec();
    let harmful = [harmful, vec![b'x'; 250]].concat();
    let head = b"GET /\x1b[2J HTTP/1.1\r\nHost: \x9b1m\r\n\r\n".to_vec();
    let mut inputs: Vec<(Vec<String>, Vec<u8>)> = vec![(vec![], harmful), (vec![], head)];
    inputs.extend(examples().into_iter().map(|name| (vec!["--example".to_owned(), name], vec![])));
    for (words, input) in &inputs {
        for columns in [40, 80, 200] {
            for (colour, is_coloured) in [("never", false), ("always", true), ("auto", false)] {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let mut command = command(&words);
                command.args(["--color", colour]).env("COLUMNS", columns.to_string());
                let output = String::from_utf8(run(command, input).stdout).unwrap();
                let plain = without_colours(&output);
                assert_eq!(output != plain, is_coloured, "{words:?} {colour}");
                assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "{words:?}: {plain}");
                assert!(!plain.contains('\u{202e}'));
                let longest = plain.lines().max_by_key(|line| line.chars().count()).unwrap();
                assert!(longest.chars().count() <= columns, "{words:?} {columns}: {longest}");
            }
        }
    }
}

/// A real terminal, made by `script` of util-linux, without COLUMNS in the environment.
#[test]
fn the_width_is_that_of_the_terminal() {
    for columns in [40, 200] {
        let words = format!("stty cols {columns}; {PROGRAM} decode --example rsv1");
        let mut script = Command::new("script");
        script.args(["-q", "-c", &words, "/dev/null"]).env_remove("COLUMNS").env_remove("NO_COLOR");
        let Ok(output) = script.stdin(Stdio::null()).output() else {
            return skip("`script`, which makes a terminal, is not installed");
        };
        let output = String::from_utf8(output.stdout).unwrap().replace('\r', "");
        let plain = without_colours(&output);
        assert_ne!(output, plain, "a terminal gets colours");
        let longest = plain.lines().map(|line| line.chars().count()).max().unwrap();
        assert!((columns * 3 / 4..=columns).contains(&longest), "{longest} of {columns}");
    }
}

/// The input continues until the progress line was shown twice. The line is erased before the result or an
/// error is printed. If standard error is not a terminal, there is no such line.
#[test]
fn a_summary_on_a_terminal_shows_its_progress() {
    let frame = [&[0x82, 0x7e, 0x10, 0x00][..], &[0; 4096]].concat().repeat(16);
    let hex = b"81 00\n".repeat(10_000);
    for (columns, piece, last, expected) in [
        (20, &frame, &b"\x81\x00"[..], " bytes"),
        (80, &frame, b"\x81\x00", " bytes from a server"),
        (80, &hex, b"no", "wirechat: standard input, line "),
    ] {
        // The program reads the pipe as descriptor 3; `script` needs its own standard input.
        let words = format!("stty cols {columns}; {PROGRAM} decode --summary <&3");
        let script = "exec 3<&0 </dev/null; exec script -q -c \"$0\" /dev/null";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, &words]).env_remove("COLUMNS").env("NO_COLOR", "1");
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut silent = command(&["--summary"]).spawn().unwrap();
        let mut shell = shell.spawn().unwrap();
        let inputs = (silent.stdin.take().unwrap(), shell.stdin.take().unwrap());
        let is_shown = AtomicBool::new(false);
        let output = std::thread::scope(|scope| {
            scope.spawn(|| write_until_shown(inputs, piece, last, &is_shown));
            read_to_end(shell.stdout.take().unwrap(), &is_shown)
        });
        let silent = silent.wait_with_output().unwrap();
        if shell.wait().unwrap().code() == Some(127) {
            return skip("`script`, which makes a terminal, is not installed");
        }
        assert!(is_shown.into_inner(), "{output}");
        let rows = rows(&output, columns);
        assert!(rows[0].contains(expected) && !rows.concat().contains("MB/s"), "{rows:?}");
        let errors = String::from_utf8(silent.stderr).unwrap();
        assert!(!errors.contains("MB/s"), "{errors}");
    }
}

/// Writes `piece` to both inputs until `is_shown`, then once more, then `last`.
fn write_until_shown(
    (mut one, mut other): (ChildStdin, ChildStdin),
    piece: &[u8],
    last: &[u8],
    is_shown: &AtomicBool,
) {
    let mut write = |bytes: &[u8]| {
        let written = other.write_all(bytes).and_then(|()| one.write_all(bytes));
        written.is_ok()
    };
    while !is_shown.load(Ordering::Relaxed) {
        if !write(piece) {
            return; // the program has ended; its output shows why
        }
    }
    let _ = write(piece) && write(last);
}

/// Reads everything; sets `is_shown` when the progress line was received twice.
fn read_to_end(mut output: ChildStdout, is_shown: &AtomicBool) -> String {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = output.read(&mut piece) {
        text.extend_from_slice(&piece[..count]);
        if 2 <= String::from_utf8_lossy(&text).matches("MB/s").count() {
            is_shown.store(true, Ordering::Relaxed);
        }
    }
    String::from_utf8(text).unwrap()
}

/// The rows that a terminal with this number of columns shows.
fn rows(text: &str, columns: usize) -> Vec<String> {
    let mut rows = vec![vec![]];
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\r' => column = 0,
            '\n' => rows.push(vec![]),
            _ => {
                if column == columns {
                    rows.push(vec![]);
                    column = 0;
                }
                let row = rows.last_mut().unwrap();
                row.resize(row.len().max(column + 1), ' ');
                row[column] = c;
                column += 1;
            }
        }
    }
    rows.into_iter().map(String::from_iter).collect()
}

fn without_colours(text: &str) -> String {
    let mut plain = text.to_owned();
    for code in ["0", "1", "31", "32", "36"] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    plain
}

#[test]
fn no_color_is_respected_and_the_flag_overrides_it() {
    for (words, is_coloured) in
        [(&["81", "00"][..], false), (&["--color=always", "81", "00"], true)]
    {
        let mut command = command(words);
        command.env("NO_COLOR", "1");
        let output = String::from_utf8(run(command, &[]).stdout).unwrap();
        assert_eq!(output.contains('\u{1b}'), is_coloured);
    }
}

/// The program ends without a message, and not by a signal.
#[test]
fn a_closed_pipe_is_not_a_failure() {
    let input = [0x81, 0x05, b'H', b'e', b'l', b'l', b'o'].repeat(20_000);
    for words in [&[][..], &["--json"], &["--summary"]] {
        let mut child = command(words).spawn().unwrap();
        drop(child.stdout.take());
        let mut stdin = child.stdin.take().unwrap();
        let _ = stdin.write_all(&input); // the program may have ended
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{words:?}");
    }
}

#[test]
fn a_summary_counts() {
    let wire = [
        &[0x81, 0x05][..],
        b"Hello",
        &[0x02, 0x01, 1],
        &[0x89, 0x00],
        &[0x80, 0x01, 2],
        &[0x82, 0x7e, 0x00, 0x7e],
        &[7; 126],
        &[0xc1, 0x00],
        &[0x83, 0x00],
        &[0xc1, 0x00],
        &[0x01, 0x05, b'a'],
    ]
    .concat();
    let (status, output) = decode(&["--summary"], &wire);
    assert_eq!(status, 1);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "154 bytes from a server",
        "continuation 1 1 1",
        "text 4 6 5",
        "binary 2 127 126",
        "reserved 0x3 1 0 0",
        "ping 1 0 0",
        "masked: 0; without FIN: 2",
        "length in 7 bits: 8, 16 bits: 1, 64 bits: 0",
        "messages: 5, the largest 126 bytes",
        "the last frame is incomplete: 4 bytes missing",
        "the last message is incomplete",
        "VIOLATION of section 5.2 (5.2-c): reserved bit set without an extension; 2 times, first at byte 145",
    ] {
        assert!(words(&output).contains(line), "{line} in {output}");
    }
    let (status, object) = decode(&["--summary", "--json"], &wire);
    assert_eq!((status, object.lines().count()), (1, 1));
    assert!(
        object.contains("\"kind\":\"summary\"") && object.contains("\"octets\":154"),
        "{object}"
    );
}

#[test]
fn the_accept_value_needs_the_key() {
    let response =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x05Hello";
    for (key, status) in [("dGhlIHNhbXBsZSBub25jZQ==", 0), ("AQIDBAUGBwgJCgsMDQ4PEA==", 1)] {
        let (code, output) = decode(&["--key", key], response);
        assert_eq!(code, status, "{output}");
        assert!(output.contains("payload: \"Hello\""), "frames follow the head: {output}");
    }
    let (code, output) = decode(&[], response);
    assert_eq!((code, output.contains("accept: not checked")), (0, true), "{output}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        form in prop::sample::select(vec!["--raw", "--hex", "--json", "--summary"]),
    ) {
        let output = run(command(&[form]), &bytes);
        let errors = String::from_utf8(output.stderr).unwrap();
        prop_assert!(matches!(output.status.code(), Some(0..=2)), "{}", errors);
        prop_assert!(!errors.contains("panicked"));
    }
}

/// The exit status of a script whose requirements are not installed.
const SKIPPED: i32 = 77;

/// Python's `websockets` reads the same random streams, valid and damaged.
#[test]
fn an_independent_reader_reads_the_same_frames() {
    let own = checkout().join("target/tools/bin/python3");
    let python = if own.exists() { own } else { PathBuf::from("python3") };
    let script = checkout().join("tests/clients/decode.py");
    let output = Command::new(python).arg(script).arg(PROGRAM).output();
    let missing = match output {
        Ok(output) if output.status.code() == Some(SKIPPED) => {
            String::from_utf8_lossy(&output.stderr).into_owned()
        }
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
            return;
        }
        Err(error) => error.to_string(),
    };
    skip(&format!("{}: try `make tools`", missing.trim()));
}

/// Written directly, because the test harness captures the output of a passing test.
fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "skipped: {why}");
    let _ = writeln!(io::stderr(), "\nSKIPPED, {why}\n");
}

/// Lost output must not end with a status that means a complete result.
#[test]
fn a_full_disk_is_a_failure() {
    for words in [&["81", "00"][..], &["81", "00", "--json"], &["--example"]] {
        let Ok(full) = fs::File::options().write(true).open("/dev/full") else {
            return;
        };
        let output = Command::new(env!("CARGO_BIN_EXE_wirechat"))
            .arg("decode")
            .args(words)
            .stdout(full)
            .output()
            .expect("the program runs");
        let error = str::from_utf8(&output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(error.starts_with("wirechat: standard output: "), "{error}");
    }
}
