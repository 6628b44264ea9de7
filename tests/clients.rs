//! Real clients and independent judges talk to the server. What is not installed is skipped, loudly;
//! where everything is to be there (`CI` is set), a skip is a failure. `make tools` installs most.

#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::Server;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tungstenite::{Message, WebSocket};

/// What a script says that lacks something.
const SKIPPED: i32 = 77;

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A tool where `make tools` puts it, else wherever the shell finds it.
fn tool(name: &str) -> PathBuf {
    let own = checkout().join("target/tools/bin").join(name);
    if own.exists() { own } else { name.into() }
}

/// Runs a client to its end; `None` if it is not installed.
fn run(command: &mut Command) -> Option<Output> {
    let missing = match command.output() {
        Ok(output) if output.status.code() == Some(SKIPPED) => {
            String::from_utf8_lossy(&output.stderr).into_owned()
        }
        Ok(output) => return Some(output),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("{} is not installed", command.get_program().display())
        }
        Err(error) => panic!("{command:?}: {error}"),
    };
    let missing = missing.trim();
    assert!(std::env::var_os("CI").is_none(), "skipped: {missing}");
    // Not through the test harness, which would keep it to itself.
    let _ = writeln!(io::stderr(), "\nSKIPPED, {missing}: try `make tools`\n");
    None
}

fn succeeds(command: &mut Command) {
    if let Some(output) = run(command) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    }
}

fn roomy_server() -> (Server, String) {
    let server = Server::with(&["--max-message", "17M"]);
    let port = server.address().port().to_string();
    (server, port)
}

#[test]
fn python_websockets_chats() {
    let (_server, port) = roomy_server();
    let script = checkout().join("tests/clients/chat.py");
    succeeds(Command::new(tool("python3")).arg(script).arg(port));
}

#[test]
fn node_ws_chats() {
    let (_server, port) = roomy_server();
    let script = checkout().join("tests/clients/chat.js");
    let modules = checkout().join("target/tools/node_modules");
    succeeds(Command::new("node").arg(script).arg(port).env("NODE_PATH", modules));
}

#[test]
fn tungstenite_chats() {
    let server = Server::with(&["--max-message", "17M"]);
    let (mut one, mut other) = (enter(&server), enter(&server));

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
    let Message::Close(Some(reply)) = one.read().unwrap() else { panic!("no Close came back") };
    assert_eq!(reply.code, CloseCode::Normal);
    assert!(matches!(one.read(), Err(tungstenite::Error::ConnectionClosed)));
}

fn enter(server: &Server) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(server.address()).unwrap();
    let url = format!("ws://{}/chat", server.address());
    let roomy = WebSocketConfig::default().max_frame_size(None).max_message_size(None);
    let (mut member, response) =
        tungstenite::client::client_with_config(url, stream, Some(roomy)).unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(member.read().unwrap(), Message::text("Welcome to Corvusoft Chat!"));
    member
}

#[test]
fn curl_sees_the_handshake() {
    let server = Server::start();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--include", "--no-buffer", "--max-time", "1", "--http1.1"])
        .args(["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"])
        .args(["-H", "Sec-WebSocket-Version: 13"])
        .args(["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
        .arg(format!("http://{}/chat", server.address()));
    if let Some(output) = run(&mut curl) {
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{said}");
        assert!(said.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert!(said.ends_with("\r\n\r\n\u{fffd}\u{1a}Welcome to Corvusoft Chat!"), "{said:?}");
    }
}

/// The verdict on each case.
type Verdicts = BTreeMap<String, String>;

/// All cases of sections 1 to 10 are right, but for three that only inform. `judge` hears some of them.
///
/// A few cases go by the judge's own clock. Where a busy machine makes it late it says NON-STRICT, and is
/// asked once more for that case alone.
fn assert_conforms(judge: impl Fn(&str) -> Option<Verdicts>) {
    let Some(mut verdicts) = judge("*") else { return };
    let late: Vec<String> = verdicts
        .iter()
        .filter(|(_, verdict)| *verdict == "NON-STRICT")
        .map(|(case, _)| case.clone())
        .collect();
    assert!(late.len() <= 4, "no clock makes so many late: {late:?}");
    for case in &late {
        verdicts.extend(judge(case).unwrap());
    }
    let mut counts = BTreeMap::new();
    for verdict in verdicts.values() {
        *counts.entry(verdict.as_str()).or_insert(0) += 1;
    }
    let wrong: Vec<_> = verdicts
        .iter()
        .filter(|(_, verdict)| !["OK", "INFORMATIONAL"].contains(&verdict.as_str()))
        .collect();
    assert_eq!(counts, [("INFORMATIONAL", 3), ("OK", 298)].into(), "{wrong:?}");
}

/// The cases of the Autobahn testsuite in their native port.
#[test]
fn kosoku_finds_nothing() {
    let server = Server::with(&["--max-message", "64M"]);
    for parallel in ["1", "16"] {
        assert_conforms(|case| {
            let reports = reports("kosoku");
            let mut kosoku = Command::new(tool("kosoku"));
            kosoku
                .args(["-m", "fuzzingclient", "-i", case, "-x", "12.*", "-x", "13.*"])
                .args(["-p", parallel, "-o"])
                .arg(&reports)
                .arg(format!("ws://{}/echo", server.address()));
            let output = run(&mut kosoku)?;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            Some(verdicts(&reports))
        });
    }
}

/// The testsuite itself, where there is a Python 2.7 for it.
#[test]
fn autobahn_finds_nothing() {
    let wstest = checkout().join("target/autobahn/bin/wstest");
    if !wstest.exists() {
        let _ = writeln!(io::stderr(), "\nSKIPPED, no Autobahn testsuite: it needs Python 2.7\n");
        return;
    }
    let server = Server::with(&["--max-message", "64M"]);
    assert_conforms(|case| {
        let reports = reports("autobahn-reports");
        let spec = format!(
            r#"{{"outdir": {reports:?}, "servers": [{{"agent": "wirechat", "url": "ws://{}/echo"}}],
                "cases": ["{case}"], "exclude-cases": ["12.*", "13.*"], "exclude-agent-cases": {{}}}}"#,
            server.address()
        );
        let path = checkout().join("target/autobahn/spec.json");
        fs::write(&path, spec).unwrap();
        let mut command = Command::new(&wstest);
        command.args(["-m", "fuzzingclient", "-s"]).arg(path);
        succeeds(command.current_dir(checkout().join("target")));
        Some(verdicts(&reports))
    });
}

/// Where a judge leaves its reports; what an earlier run left is gone.
fn reports(name: &str) -> PathBuf {
    let reports = checkout().join("target").join(name);
    let _ = fs::remove_dir_all(&reports);
    reports
}

/// What stands in the report's index: `"1.1.1": { "behavior": "OK", ..`.
fn verdicts(reports: &Path) -> Verdicts {
    let index = fs::read_to_string(reports.join("index.json")).unwrap();
    let parts: Vec<&str> = index.split("\"behavior\"").collect();
    let case = |part: &str| part.rsplit('"').nth(1).unwrap().to_owned();
    let verdict = |part: &str| part.split('"').nth(1).unwrap().to_owned();
    parts.windows(2).map(|pair| (case(pair[0]), verdict(pair[1]))).collect()
}

#[test]
fn two_people_talk_in_a_browser() {
    let script = checkout().join("tests/clients/browser.py");
    let binary = env!("CARGO_BIN_EXE_wirechat");
    succeeds(Command::new(tool("python3")).arg(script).arg(binary));
}
