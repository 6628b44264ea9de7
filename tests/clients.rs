//! Real clients and independent conformance testers against the server. If one is not installed, its test
//! is skipped with a line on standard error; in CI (`CI` is set) a skip is a failure. `make tools` installs
//! most of them.

#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{Server, check};
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tungstenite::{Message, WebSocket};

/// Exit status of a script whose requirements are not installed.
const NOT_INSTALLED: i32 = 77;

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The path of a tool: where `make tools` installs it, else its name for a search in `PATH`.
fn tool(name: &str) -> PathBuf {
    let own = checkout().join("target/tools/bin").join(name);
    if own.exists() { own } else { name.into() }
}

/// Runs a client to its end; returns `None` if it is not installed.
fn run(command: &mut Command) -> Option<Output> {
    let missing = match command.output() {
        Ok(output) if output.status.code() == Some(NOT_INSTALLED) => {
            String::from_utf8_lossy(&output.stderr).into_owned()
        }
        Ok(output) => return Some(output),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("{} is not installed", command.get_program().display())
        }
        Err(error) => panic!("{command:?}: {error}"),
    };
    let missing = missing.trim();
    check::skip(format_args!("{missing}: try `make tools`"));
    None
}

fn expect_success(command: &mut Command) {
    if let Some(output) = run(command) {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    }
}

/// Starts a server for messages up to 17 MiB; returns it with its port.
fn start_for_large_messages() -> (Server, String) {
    let server = Server::with(&["--max-message", "17M"]);
    let port = server.address().port().to_string();
    (server, port)
}

#[test]
fn python_websockets_chats() {
    let (_server, port) = start_for_large_messages();
    let script = checkout().join("tests/clients/chat.py");
    expect_success(Command::new(tool("python3")).arg(script).arg(port));
}

#[test]
fn node_ws_chats() {
    let (_server, port) = start_for_large_messages();
    let script = checkout().join("tests/clients/chat.js");
    let modules = checkout().join("target/tools/node_modules");
    expect_success(Command::new("node").arg(script).arg(port).env("NODE_PATH", modules));
}

#[test]
fn tungstenite_chats() {
    let server = Server::with(&["--max-message", "17M"]);
    let (mut one, mut other) = (join(&server), join(&server));

    one.send(Message::text("héllo 🙂")).unwrap();
    for member in [&mut one, &mut other] {
        assert_eq!(member.read().unwrap(), Message::text("héllo 🙂"));
    }
    for (part, opcode, is_last) in [
        ("in ", Data::Text, false),
        ("three ", Data::Continue, false),
        ("fragments", Data::Continue, true),
    ] {
        one.send(Message::Frame(Frame::message(part, OpCode::Data(opcode), is_last))).unwrap();
    }
    for member in [&mut one, &mut other] {
        assert_eq!(member.read().unwrap(), Message::text("in three fragments"));
    }
    one.send(Message::Ping("ping".into())).unwrap();
    assert_eq!(one.read().unwrap(), Message::Pong("ping".into()));

    let large = "é".repeat(8 << 20);
    one.send(Message::text(large.as_str())).unwrap();
    assert_eq!(other.read().unwrap(), Message::text(large.as_str()));
    assert_eq!(one.read().unwrap(), Message::text(large));

    other.send(Message::binary(vec![1, 2, 3])).unwrap();
    let Message::Close(Some(refused)) = other.read().unwrap() else {
        panic!("binary was accepted")
    };
    assert_eq!(refused.code, CloseCode::Unsupported);

    let bye = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
    one.close(Some(bye)).unwrap();
    let Message::Close(Some(reply)) = one.read().unwrap() else { panic!("no Close in reply") };
    assert_eq!(reply.code, CloseCode::Normal);
    assert!(matches!(one.read(), Err(tungstenite::Error::ConnectionClosed)));
}

fn join(server: &Server) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(server.address()).unwrap();
    let url = format!("ws://{}/chat", server.address());
    let unlimited = WebSocketConfig::default().max_frame_size(None).max_message_size(None);
    let (mut member, response) =
        tungstenite::client::client_with_config(url, stream, Some(unlimited)).unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(member.read().unwrap(), Message::text("Welcome to Corvusoft Chat!"));
    member
}

#[test]
fn curl_gets_the_handshake_and_the_welcome() {
    let server = Server::start();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--include", "--no-buffer", "--max-time", "1", "--http1.1"])
        .args(["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"])
        .args(["-H", "Sec-WebSocket-Version: 13"])
        .args(["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
        .arg(format!("http://{}/chat", server.address()));
    if let Some(output) = run(&mut curl) {
        let response = String::from_utf8_lossy(&output.stdout);
        assert!(response.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{response}");
        assert!(response.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        let welcome = "\r\n\r\n\u{fffd}\u{1a}Welcome to Corvusoft Chat!";
        assert!(response.ends_with(welcome), "{response:?}");
    }
}

/// The result of each case of a conformance tester, by its number.
type Results = BTreeMap<String, String>;

/// Runs all cases of sections 1 to 10 and expects that each passes; three are informational only.
/// `run_cases` takes a pattern of case numbers.
///
/// A few cases depend on the tester's own timer. On a busy machine it reports them as NON-STRICT; each of
/// those is run once more alone.
fn expect_conformance(run_cases: impl Fn(&str) -> Option<Results>) {
    let Some(mut results) = run_cases("*") else { return };
    let late: Vec<String> = results
        .iter()
        .filter(|(_, result)| *result == "NON-STRICT")
        .map(|(case, _)| case.clone())
        .collect();
    assert!(late.len() <= 4, "too many cases are late: {late:?}");
    for case in &late {
        results.extend(run_cases(case).unwrap());
    }
    let mut counts = BTreeMap::new();
    for result in results.values() {
        *counts.entry(result.as_str()).or_insert(0) += 1;
    }
    let wrong: Vec<_> = results
        .iter()
        .filter(|(_, result)| !["OK", "INFORMATIONAL"].contains(&result.as_str()))
        .collect();
    assert_eq!(counts, [("INFORMATIONAL", 3), ("OK", 298)].into(), "{wrong:?}");
}

/// kosoku is a native implementation of the Autobahn testsuite's cases.
#[test]
fn kosoku_finds_no_error() {
    let server = Server::with(&["--max-message", "64M"]);
    for parallel in ["1", "16"] {
        expect_conformance(|case| {
            let reports = report_directory("kosoku");
            let mut kosoku = Command::new(tool("kosoku"));
            kosoku
                .args(["-m", "fuzzingclient", "-i", case, "-x", "12.*", "-x", "13.*"])
                .args(["-p", parallel, "-o"])
                .arg(&reports)
                .arg(format!("ws://{}/echo", server.address()));
            let output = run(&mut kosoku)?;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            Some(read_results(&reports))
        });
    }
}

/// The Autobahn testsuite itself, if there is a Python 2.7 for it.
#[test]
fn autobahn_finds_no_error() {
    let wstest = checkout().join("target/autobahn/bin/wstest");
    if !wstest.exists() {
        let _ = writeln!(io::stderr(), "\nSKIPPED, no Autobahn testsuite: it needs Python 2.7\n");
        return;
    }
    let server = Server::with(&["--max-message", "64M"]);
    expect_conformance(|case| {
        let reports = report_directory("autobahn-reports");
        let spec = format!(
            r#"{{"outdir": {reports:?}, "servers": [{{"agent": "wirechat", "url": "ws://{}/echo"}}],
                "cases": ["{case}"], "exclude-cases": ["12.*", "13.*"], "exclude-agent-cases": {{}}}}"#,
            server.address()
        );
        let path = checkout().join("target/autobahn/spec.json");
        fs::write(&path, spec).unwrap();
        let mut command = Command::new(&wstest);
        command.args(["-m", "fuzzingclient", "-s"]).arg(path);
        expect_success(command.current_dir(checkout().join("target")));
        Some(read_results(&reports))
    });
}

/// An empty directory for a tester's reports; those of an earlier run are removed.
fn report_directory(name: &str) -> PathBuf {
    let reports = checkout().join("target").join(name);
    let _ = fs::remove_dir_all(&reports);
    reports
}

/// Reads the results in the report's index: `"1.1.1": { "behavior": "OK", ..`.
fn read_results(reports: &Path) -> Results {
    let index = fs::read_to_string(reports.join("index.json")).unwrap();
    let parts: Vec<&str> = index.split("\"behavior\"").collect();
    let case = |part: &str| part.rsplit('"').nth(1).unwrap().to_owned();
    let result = |part: &str| part.split('"').nth(1).unwrap().to_owned();
    parts.windows(2).map(|pair| (case(pair[0]), result(pair[1]))).collect()
}

#[test]
fn the_page_works_in_a_browser() {
    let script = checkout().join("tests/clients/browser.py");
    let binary = env!("CARGO_BIN_EXE_wirechat");
    expect_success(Command::new(tool("python3")).arg(script).arg(binary));
}
