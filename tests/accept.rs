//! `wirechat accept`: the computation of the accept value, and the verdict on a given one.

mod support;

use std::io::{self, Write};
use std::process::{Command, Output, Stdio};

use support::check;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn run(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirechat"));
    command.arg("accept").args(words).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// Expects the exit status; returns standard output and standard error.
#[track_caller]
fn expect_status(output: &Output, status: i32) -> (&str, &str) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    check::eq(output.status.code(), Some(status), format_args!("exit status; {err}"));
    (out, err)
}

#[test]
fn s1_3_the_rfc_example_step_by_step() {
    let output = run(&[KEY]);
    let (out, err) = expect_status(&output, 0);
    check::eq(err, "", "standard error");
    let expected = "\
key            dGhlIHNhbXBsZSBub25jZQ==
               16 bytes in base64: 74 68 65 20 73 61 6d 70 6c 65 20 6e 6f 6e 63 65
GUID           258EAFA5-E914-47DA-95CA-C5AB0DC85B11
               the same for every WebSocket (section 1.3)
concatenation  dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11
               60 bytes: the key as it was sent, not decoded, then the GUID
SHA-1          b3 7a 4f 2c c0 62 4f 16 90 f6 46 06 cf 38 59 45 b2 be c4 ea
               20 bytes: base64 encodes these bytes, not their hex digits
base64         s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
               Sec-WebSocket-Accept, 28 characters (section 4.2.2 item 5.4)
";
    check::eq(out, expected, "standard output");
}

#[test]
fn s4_2_1_a_key_that_is_not_16_bytes_has_a_warning() {
    for (key, what) in [
        ("dGhlIHNhbXBsZSBub25jZQ", "not base64"),
        ("dGhlIHNhbXBsZSBub25jZQ==\r", "not base64"),
        ("dGhlIHNhbXBsZSBub25j", "15 bytes"),
        ("dGhlIHNhbXBsZSBub25jZWU=", "17 bytes"),
        ("", "0 bytes"),
    ] {
        let output = run(&[key]);
        let (out, err) = expect_status(&output, 0);
        check::case(key.escape_debug());
        check::that(err.starts_with("wirechat: warning: Sec-WebSocket-Key is not 16 "), err);
        for part in [what, "4.2.1 item 5", "400 Bad Request"] {
            check::that(err.contains(part), format_args!("{part} in {err}"));
        }
        check::eq(err.lines().count(), 1, err);
        check::that(
            out.contains("SHA-1") && out.contains("base64"),
            "the value is computed anyway",
        );
    }
}

#[test]
fn a_right_value_matches() {
    for given in [ACCEPT, " s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t"] {
        let output = run(&["--check", KEY, given]);
        let (out, err) = expect_status(&output, 0);
        check::that(out.contains("verdict        they match\n"), out);
        check::that(!out.contains("mistake") && err.is_empty(), out);
    }
}

#[test]
#[rustfmt::skip]
fn a_wrong_value_is_explained() {
    for (what, given, parts) in [
        ("a CR", "zvnId+CMmoYWpbuFiCx6kU/bpAw=", &["a CR after the key", "ZQ==\\r258EAFA5"][..]),
        ("no padding", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", &["the padding is missing"]),
        ("hex first", "YjM3YTRmMmNjMDYyNGYxNjkwZjY0NjA2Y2YzODU5NDViMmJlYzRlYQ==", &["written in hex before base64"]),
        ("the key", KEY, &["the value is the key itself"]),
        ("another key", "ICX+Yqv66kxgM0FcWaLWlFLwTAI=", &["none of the 65", "20 bytes in base64", "another request"]),
        ("16 bytes", "AAAAAAAAAAAAAAAAAAAAAA==", &["none of the 65", "16 bytes in base64, but a SHA-1 has 20"]),
        ("nonsense", "\u{1b}[31m", &["none of the 65", "not base64", "\\u{1b}[31m"]),
        ("nothing", "", &["the value is empty"]),
    ] {
        let output = run(&["--check", KEY, given]);
        let (out, err) = expect_status(&output, 1);
        check::case(what);
        check::eq(err, "", "standard error");
        check::that(out.contains(&format!("expected       {ACCEPT}\n")), out);
        check::that(out.contains("no match") && !out.contains('\x1b'), out);
        for part in parts {
            check::that(out.contains(part), format_args!("{part} in {out}"));
        }
    }
}

/// `decode` computes the value of a response too, and names the same mistakes.
#[test]
fn decode_names_the_mistake_too() {
    for (given, expected) in [
        (ACCEPT, None),
        (
            "zvnId+CMmoYWpbuFiCx6kU/bpAw=",
            Some("; the mistake: a CR after the key is hashed with it"),
        ),
        ("ICX+Yqv66kxgM0FcWaLWlFLwTAI=", None),
    ] {
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {given}\r\n\r\n"
        );
        let mut decode = Command::new(env!("CARGO_BIN_EXE_wirechat"))
            .args(["decode", "--key", KEY, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut input = decode.stdin.take().expect("standard input is piped");
        input.write_all(response.as_bytes()).expect("decode reads its input");
        drop(input);
        let output = decode.wait_with_output().expect("the program ends");
        let page = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        check::case(given);
        check::that(page.contains(ACCEPT), &page);
        match expected {
            Some(expected) => check::that(page.contains(expected), &page),
            None => check::that(!page.contains("the mistake"), &page),
        }
    }
}

#[test]
fn a_bad_command_line_is_one_sentence() {
    for words in
        [&[][..], &[KEY, ACCEPT], &["--check", KEY], &["--check", "a", "b", "c"], &["--chck"]]
    {
        let output = run(words);
        let (out, err) = expect_status(&output, 2);
        check::eq(out, "", "standard output");
        check::that(err.starts_with("wirechat: ") && err.lines().count() == 1, err);
    }
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    for words in [&[KEY][..], &["--help"]] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirechat"));
        let output = command.arg("accept").args(words).stdout(writer).output();
        let output = output.expect("the program runs");
        check::eq(expect_status(&output, 0), ("", ""), words.join(" "));
    }
}
