//! What has brought down other servers is sent to this one, over a socket, one numbered row after another.
//!
//! Each row asks three things: the right answer; that an honest member goes on chatting meanwhile; and that
//! threads, descriptors, memory and the processor come back to where they were. [`endure`]
//! asks the last two.

mod support;

use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant};

use support::attack::{
    MEMORY_TOLERANCE, SEND_INTERVAL, attack_and_recover, expect_recovery, expect_recovery_twice,
    send_and_receive,
};
use support::frame::{BINARY, CLOSE, LengthForm, TEXT};
use support::server::eventually;
use support::{Client, ClientFrame, DEADLINE, Frame, PATHS, Request, Server, check, json};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The next frame that is not the chatter of others.
#[track_caller]
fn answer(client: &mut Client) -> Frame {
    let until = Instant::now() + *DEADLINE; // the chatter goes on for as long as we listen
    loop {
        let frame = client.read_frame();
        if frame.opcode != TEXT || !frame.payload.starts_with(b"honest") {
            return frame;
        }
        check::that(Instant::now() < until, "an answer comes, and not chatter alone");
    }
}

/// The next answer is a Close with this code, and a reason that may be sent.
#[track_caller]
fn closes(client: &mut Client, code: u16) {
    let frame = answer(client);
    let is_right = frame.opcode == CLOSE && frame.code() == Some(code);
    check::that(is_right, format_args!("{frame:?}, want a Close with {code}"));
    check::that(frame.reason().len() <= 123, "a reason fits its frame");
}

/// The connection is failed with this code, and ended without waiting for us.
#[track_caller]
fn fails(client: &mut Client, code: u16) {
    closes(client, code);
    client.expect_end();
}

/// On both resources these bytes fail the connection with this code.
#[track_caller]
fn both_fail(server: &Server, wire: impl AsRef<[u8]>, code: u16) {
    for path in PATHS {
        check::case(path);
        let mut client = server.upgrade(path);
        client.send(&wire);
        fails(&mut client, code);
    }
}

/// The header of a frame that declares a length, and nothing of its payload.
fn declaring(opcode: u8, length: u64) -> ClientFrame {
    ClientFrame::new(opcode, "").length_form(LengthForm::Bits64).declared_length(length)
}

/// One byte sequence again and again, in few large writes. An error is the server's good right.
fn flood(client: &mut Client, unit: &[u8], times: usize) {
    let per_write = (MIB / unit.len()).clamp(1, times);
    let chunk = unit.repeat(per_write);
    for _ in 0..times / per_write {
        if client.try_send(&chunk).is_err() {
            return;
        }
    }
    let _ = client.try_send(unit.repeat(times % per_write));
}

#[test]
fn row_01_a_frame_that_declares_far_too_much() {
    attack_and_recover(&[], |server| {
        for path in PATHS {
            let mut client = server.upgrade(path);
            client.send(declaring(BINARY, (1 << 39) - 1).bytes());
            closes(&mut client, 1009); // from the header alone
            flood(&mut client, &[0x37; KIB], 100 * KIB);
            client.shutdown_write();
            client.expect_any_end();
        }
    });
}

#[test]
fn row_01_a_frame_of_which_all_comes_at_once() {
    attack_and_recover(&[], |server| {
        for path in PATHS {
            let mut client = server.upgrade(path);
            client.send(declaring(BINARY, (1 << 39) - 1).bytes());
            flood(&mut client, &[0x37; KIB], 100 * KIB);
            fails(&mut client, 1009); // the answer outlives the flood
        }
    });
}

#[test]
fn row_02_a_declared_length_takes_no_memory() {
    attack_and_recover(&[], |server| {
        for opcode in [TEXT, BINARY] {
            both_fail(server, declaring(opcode, 1 << 62).bytes(), 1009);
        }
    });
}

#[test]
fn row_03_lengths_of_fragments_do_not_overflow() {
    attack_and_recover(&[], |server| {
        for opcode in [TEXT, BINARY] {
            let mut wire = ClientFrame::new(opcode, "ten octets").without_fin().bytes();
            wire.extend(declaring(0, i64::MAX as u64).bytes());
            both_fail(server, wire, 1009);
        }
    });
}

#[test]
fn row_04_the_top_bit_of_a_length() {
    attack_and_recover(&[], |server| both_fail(server, declaring(BINARY, 1 << 63).bytes(), 1002));
}

#[test]
fn row_05_a_length_to_which_nothing_can_be_added() {
    attack_and_recover(&[], |server| {
        for less in [4, 14, 1] {
            both_fail(server, declaring(TEXT, 0_u64.wrapping_sub(less)).bytes(), 1002);
        }
    });
}

#[test]
fn row_06_a_message_is_limited_by_default() {
    attack_and_recover(&[], |server| {
        for path in PATHS {
            let largest = "m".repeat(MIB);
            let mut client = server.upgrade(path);
            client.send_text(&largest);
            let frame = answer(&mut client);
            check::that(frame.payload == largest.as_bytes(), "the largest message passes");
            client.send_text(largest + "m");
            fails(&mut client, 1009);
        }
    });
}

#[test]
fn row_07_the_sum_of_fragments_is_limited() {
    attack_and_recover(&[], |server| {
        for path in PATHS {
            let mut client = server.upgrade(path);
            let fragment = "f".repeat(16 * KIB);
            client.send(ClientFrame::text(&fragment).without_fin().bytes());
            flood(&mut client, &ClientFrame::continuation(&fragment).without_fin().bytes(), 63);
            client.expect_open(); // 64 of them are the largest message
            client.send(ClientFrame::continuation("f").without_fin().bytes());
            fails(&mut client, 1009);
        }
    });
}

#[test]
fn row_08_a_million_empty_fragments() {
    attack_and_recover(&[], |server| {
        for path in PATHS {
            let mut client = server.upgrade(path);
            client.send(ClientFrame::text("begun, ").without_fin().bytes());
            flood(&mut client, &ClientFrame::continuation("").without_fin().bytes(), 1_000_000);
            client.send(ClientFrame::continuation("ended").bytes());
            check::eq(answer(&mut client).payload, b"begun, ended".to_vec(), "what is delivered");
        }
    });
}

#[test]
fn row_08_very_many_tiny_fragments() {
    // The message, its frame, and what lies on the desk: a few times 4 MiB.
    expect_recovery(&Server::with(&["--max-message", "4M"]), 3 * MEMORY_TOLERANCE, |server| {
        for path in PATHS {
            let mut client = server.upgrade(path);
            let fragment = "t".repeat(64);
            client.send(ClientFrame::text(&fragment).without_fin().bytes());
            flood(&mut client, &ClientFrame::continuation(&fragment).without_fin().bytes(), 65_534);
            client.send(ClientFrame::continuation(&fragment).bytes());
            let frame = answer(&mut client);
            check::that(frame.payload == "t".repeat(4 * MIB).as_bytes(), "it is delivered whole");
        }
    });
}

/// A request for an upgrade whose head has this size.
fn head_of(size: usize) -> Vec<u8> {
    let request = Request::upgrade("/echo").add("Filler: ");
    let missing = size - request.bytes().len();
    request.set("Filler", "x".repeat(missing)).bytes()
}

#[test]
fn row_09_a_head_of_the_limit_in_single_bytes() {
    attack_and_recover(&[], |server| {
        let mut client = server.connect();
        client.send_in_bytes(head_of(16 * KIB));
        client.expect_101();
        client.expect_open_and_silent();
        let mut client = server.connect();
        client.send_in_bytes(head_of(16 * KIB + 1));
        client.expect_refusal(431);
    });
}

#[test]
fn row_09_a_head_line_without_end() {
    attack_and_recover(&[], |server| {
        for (start, status) in [
            ("GET /chat HTTP/1.1\r\nHost: localhost\r\nFiller: ", 431),
            ("GET /chat HTTP/1.1\r\nHost: localhost\r\n", 431),
            ("GET /chat", 414),
            ("G", 501),
        ] {
            check::case(start);
            let mut client = server.connect();
            client.send(start);
            flood(&mut client, &[b'x'; KIB], 10 * KIB);
            client.expect_refusal(status);
        }
    });
}

#[test]
fn row_10_very_many_header_fields() {
    attack_and_recover(&[], |server| {
        let mut lines = "a:\r\n".repeat(2000);
        lines.push_str("Upgrade: websocket\r\n\r\n");
        let request = format!("GET /chat HTTP/1.1\r\nHost: localhost\r\n{lines}");
        check::that(request.len() < 16 * KIB, "their number is what is refused");
        let mut client = server.connect();
        client.send(request);
        client.expect_refusal(431);
    });
}

#[test]
fn row_11_fields_that_are_slow_to_parse() {
    let escapes = "\\a".repeat(3 * KIB);
    let many = |unit: &str| unit.repeat(7 * KIB / unit.len());
    let values = [
        (many(" "), 400),
        (many("\""), 400),
        (many("\\"), 400),
        (many("\\\""), 400),
        (many("a; b=\"\\\"\\\\"), 400),
        (format!("a; b=\"{}", many("\\\"")), 400),
        (format!("a{}b", many(" ")), 400),
        (format!("a{}, b", many(" ")), 101),
        (many(","), 400),
    ];
    attack_and_recover(&[], |server| {
        for name in ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"] {
            for (value, status) in &values {
                is_not_echoed(server, name, value, *status);
            }
        }
        is_not_echoed(server, "Sec-WebSocket-Extensions", &format!("a; b=\"{escapes}\""), 101);
        is_not_echoed(server, "Sec-WebSocket-Extensions", &many("a; b, "), 101);
        is_not_echoed(server, "Sec-WebSocket-Protocol", &many("a, "), 101);
    });
}

fn is_not_echoed(server: &Server, name: &str, value: &str, status: u16) {
    check::case(format_args!("{name}: {:.20}…", value));
    let mut client =
        server.send_request(&Request::upgrade("/chat").add(format!("{name}: {value}")));
    let head = client.read_head();
    check::eq(head.status, status, "status");
    check::eq(head.field(name), None, "what is echoed of the field");
    let length = head.content_length().unwrap_or_default();
    check::that(length < 200, "the answer is a sentence, not what was sent");
}

#[test]
fn row_12_compression_that_nobody_agreed_on() {
    attack_and_recover(&[], |server| {
        for path in PATHS {
            let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
            let mut client = server.send_request(&Request::upgrade(path).add(offer));
            let head = client.expect_101();
            check::eq(head.field("Sec-WebSocket-Extensions"), None, "the offer is declined");
            let bomb = [0xaa, 0xff, 0xff, 0x00].repeat(100);
            client.send(ClientFrame::text(bomb).rsv(0b100).bytes());
            if path == "/chat" {
                client.expect_text(support::WELCOME);
            }
            fails(&mut client, 1002);
        }
    });
}

#[test]
fn row_13_control_frames_that_are_too_large() {
    attack_and_recover(&[], |server| {
        for header in [
            ClientFrame::ping("").declared_length(126),
            declaring(0x9, 1 << 40),
            ClientFrame::pong("").declared_length(65_535),
            ClientFrame::new(CLOSE, "").declared_length(126),
            ClientFrame::ping("").without_fin(),
        ] {
            both_fail(server, header.bytes(), 1002); // nothing of a payload was sent
        }
    });
}

#[test]
fn row_14_a_million_pongs_that_nobody_asked_for() {
    expect_recovery_twice(&Server::start(), |server| {
        let mut client = server.upgrade("/echo");
        flood(&mut client, &ClientFrame::pong([0x50; 125]).bytes(), 1_000_000);
        client.expect_open_and_silent();
        let mut member = server.upgrade("/chat");
        flood(&mut member, &ClientFrame::pong([0x50; 125]).bytes(), 1_000_000);
        member.send_and_wait("still here");
    });
}

/// Ends the connection with a reset: the kernel sends one for what it got and nobody read.
fn reset(client: Client) {
    client.stream().set_read_timeout(Some(*DEADLINE)).expect("a socket takes a timeout");
    let arrived = client.stream().peek(&mut [0]).expect("something to leave unread");
    check::eq(arrived, 1, "octets left unread");
}

#[test]
fn row_15_a_thousand_resets() {
    let half_head = [&Request::get("/healthz").bytes()[..], b"GET /chat HTTP/1.1\r\nHo"].concat();
    let with = |frame: &[u8]| [&Request::upgrade("/chat").bytes()[..], frame].concat();
    let half_text = ClientFrame::text("cut in the middle").bytes();
    let starts = [half_head, with(&half_text[..3]), with(&half_text[..12]), with(&[])];
    expect_recovery_twice(&Server::start(), |server| {
        for start in starts.iter().cycle().take(1000) {
            let mut client = server.connect();
            client.send(start);
            reset(client);
        }
    });
}

#[test]
fn row_16_a_close_that_is_never_answered() {
    attack_and_recover(&[], |server| {
        let mut silent = server.upgrade("/chat");
        silent.send(ClientFrame::binary("no text").bytes());
        closes(&mut silent, 1003);
        let until = Instant::now() + CLOSING_MAX;
        silent.expect_any_end();
        check::that(Instant::now() < until, "nobody waits longer for the answer to a Close");
    });
}

#[test]
fn row_16_a_member_that_talks_on_after_our_close() {
    attack_and_recover(&[], |server| {
        let mut witness = server.upgrade("/chat");
        let mut talker = server.upgrade("/chat");
        talker.send(ClientFrame::binary("no text").bytes());
        closes(&mut talker, 1003);
        talks_to_the_end(&mut talker);
        hears_nothing_late(&mut witness);
    });
}

#[test]
fn row_16_a_member_that_talks_on_after_its_own_close() {
    attack_and_recover(&[], |server| {
        let mut witness = server.upgrade("/chat");
        let mut talker = server.upgrade("/chat");
        talker.send(ClientFrame::close(1000, "I go").bytes());
        closes(&mut talker, 1000);
        talks_to_the_end(&mut talker);
        hears_nothing_late(&mut witness);
    });
}

/// Thrice the time that a connection has to end after a Close: even a busy machine is done by then.
const CLOSING_MAX: Duration = Duration::from_secs(6);

/// Says texts that nobody is to hear, until the connection is gone.
fn talks_to_the_end(talker: &mut Client) {
    let until = Instant::now() + CLOSING_MAX;
    while talker.try_send(ClientFrame::text("too late").bytes()).is_ok() {
        check::that(Instant::now() < until, "the connection ends, whatever is still said");
        thread::sleep(SEND_INTERVAL);
    }
}

fn hears_nothing_late(witness: &mut Client) {
    witness.send_text("anything?");
    let heard = answer(witness).payload;
    check::eq(heard, b"anything?".to_vec(), "what others hear");
}

#[test]
fn row_17_a_member_that_never_reads() {
    // So much that on a busy machine the honest one, who reads, does not come to owe it.
    let server = Server::with(&["--max-backlog", "32M"]);
    // What it may owe, and the batches that others are served from.
    expect_recovery(&server, 32 * 1024 + 2 * MEMORY_TOLERANCE, |server| {
        let mut deaf = server.upgrade("/chat");
        flood(&mut deaf, &ClientFrame::ping([0x50; 125]).bytes(), 100_000);
        let mut speaker = server.upgrade("/chat");
        for round in 0..100 {
            speaker.send_and_wait(format!("{round} {}", "s".repeat(MIB - 8)));
        }
        server.wait_for_log("reads too slowly");
        check::eq(server.metrics()["wirechat_slow_readers_total"], 1.0, "slow readers");
        eventually("its place is free", || {
            server.metrics()["wirechat_connections_open"] == 3.0 // honest, speaker, and who asks
        });
    });
}

#[test]
fn row_17_an_echo_that_nobody_reads() {
    attack_and_recover(&["--ping-interval", "0.5", "--idle-timeout", "1"], |server| {
        let mut deaf = server.upgrade("/echo");
        let unit = ClientFrame::binary([0x65; 16 * KIB]).bytes();
        let until = Instant::now() + *DEADLINE;
        let end = loop {
            check::that(Instant::now() < until, "the server has enough at some time");
            if let Err(error) = deaf.try_send(&unit) {
                break error.kind();
            }
        };
        let is_ended = matches!(end, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        check::that(is_ended, format_args!("it is ended, not left to wait: {end}"));
    });
}

#[test]
fn row_18_a_page_of_another_site() {
    attack_and_recover(&[], |server| {
        let port = server.address().port();
        for (host, origin) in [
            ("localhost", "http://evil.test"),
            ("evil.test", "http://evil.test"), // its DNS says 127.0.0.1
            ("localhost", "null"),
            ("localhost.evil.test", "http://localhost.evil.test"),
            ("127.0.0.1.evil.test", "http://127.0.0.1.evil.test"),
        ] {
            check::case(format_args!("{origin} at {host}"));
            let request = Request::upgrade("/chat").set("Host", format!("{host}:{port}"));
            server.expect_refusal(&request.clone().add(format!("Origin: {origin}:{port}")), 403);
            server.expect_refusal(&request.add(format!("Origin: {origin}")), 403);
        }
        let local = Request::upgrade("/chat").set("Host", format!("localhost:{port}"));
        server.expect_upgrade(&local.clone().add(format!("Origin: http://localhost:{port}")));
        server.expect_upgrade(&local.set("Host", "evil.test")); // no Origin, no browser
    });
    attack_and_recover(&["--origin", "https://chat.test"], |server| {
        let request = Request::upgrade("/chat").set("Host", "chat.test");
        server.expect_upgrade(&request.clone().add("Origin: https://chat.test"));
        server.expect_refusal(&request.add("Origin: http://evil.test"), 403);
    });
}

/// A listener for both families knows it as `::ffff:127.0.0.1`, and it is loopback all the same.
#[test]
fn row_18_an_ipv4_client_of_an_ipv6_listener() {
    if let Err(error) = TcpListener::bind("[::]:0") {
        return check::skip(format_args!("no IPv6 here: {error}"));
    }
    let server = Server::with(&["--bind", "[::]:0"]);
    let log = server.wait_for_log("listening on http://[::]:");
    let port = log.split_once("http://[::]:").and_then(|(_, rest)| rest.split_once('/'));
    let port = port.and_then(|(port, _)| port.parse().ok()).expect("the port is told");
    let ask = |host: &str| {
        let mut client = Client::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let request = Request::upgrade("/chat").set("Host", host);
        client.send(request.add(format!("Origin: http://{host}")).bytes());
        client
    };
    ask("evil.test").expect_refusal(403);
    ask("localhost").expect_101();
}

#[test]
fn row_19_a_request_behind_a_refused_one() {
    attack_and_recover(&[], |server| {
        let refused = Request::upgrade("/chat").set("Sec-WebSocket-Version", "8").bytes();
        for second in [Request::get("/healthz"), Request::upgrade("/chat")] {
            let mut client = server.connect();
            client.send([&refused[..], &second.bytes()].concat());
            let response = client.expect_refusal(426); // and nothing behind it
            check::eq(response.field("Sec-WebSocket-Version"), Some("13"), "what we speak");
        }
        check::eq(server.metrics()["wirechat_refusals_total{status=\"426\"}"], 2.0, "refusals");
    });
}

#[test]
fn row_20_a_body_that_looks_like_frames() {
    attack_and_recover(&[], |server| {
        let mut witness = server.upgrade("/chat");
        for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
            for path in PATHS {
                let head = Request::upgrade(path).add(framing).bytes();
                let mut client = server.connect();
                client.send([head, ClientFrame::text("body").bytes()].concat());
                client.expect_refusal(400);
            }
        }
        hears_nothing_late(&mut witness);
    });
}

/// Lets this process, and the servers that it starts, have so many descriptors.
fn raise_descriptors(wanted: u64) {
    let limits = fs::read_to_string("/proc/self/limits").expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    if soft.is_some_and(|soft: u64| wanted <= soft) {
        return;
    }
    let (pid, limit) = (process::id().to_string(), format!("--nofile={wanted}:"));
    let status = Command::new("prlimit").args(["--pid", &pid, &limit]).status();
    check::that(status.is_ok_and(|status| status.success()), "prlimit raises the soft limit");
}

/// 5000 connections that say nothing, and 50 between them that ask something and then fall silent: all that
/// came before their answer were let in, or turned away.
fn crowd(server: &Server) -> (Vec<Client>, Vec<(Client, u16)>) {
    let (mut idle, mut askers) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        idle.extend((0..100).map(|_| server.connect()));
        let mut asker = server.send_request(&Request::get("/healthz"));
        let status = asker.read_response().status;
        askers.push((asker, status));
    }
    (idle, askers)
}

#[test]
fn row_21_five_thousand_idle_connections() {
    raise_descriptors(12_000);
    let server = Server::with(&["--max-connections", "4096", "--handshake-timeout", "8"]);
    expect_recovery(&server, 6 * MEMORY_TOLERANCE, |server| {
        let (mut idle, askers) = crowd(server);
        let asked = |wanted| askers.iter().filter(|(_, status)| *status == wanted).count();
        check::eq((asked(200), asked(503)), (40, 10), "who is in before the cap, and who is not");
        let ends: Vec<Option<u16>> = idle.iter_mut().map(status).collect();
        let count = |wanted| ends.iter().filter(|end| **end == wanted).count();
        let (late, refused, silent) = (count(Some(408)), count(Some(503)), count(None));
        check::eq(late, 4096 - 40 - 1, "at the deadline: all places, but for the honest member's");
        check::that(1 <= refused, "at the cap");
        check::eq(late + refused + silent, 5000, "all are ended");
    });
    let kept = server.memory(); // by the allocator, for the next crowd
    for _ in 0..3 {
        drop(crowd(&server));
        eventually("they are gone", || server.threads() < 10);
    }
    let grown = server.memory().saturating_sub(kept);
    check::that(grown < MEMORY_TOLERANCE, format_args!("{grown} kB more after more crowds"));
}

/// The status that a connection ends with; `None` where it ends without a word.
fn status(client: &mut Client) -> Option<u16> {
    let mut answer = Vec::new();
    client.stream().set_read_timeout(Some(*DEADLINE)).expect("a socket takes a timeout");
    match client.stream().read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => check::fail(format_args!("the connection does not end: {error}")),
    }
    let line = String::from_utf8_lossy(&answer);
    line.split(' ').nth(1).and_then(|status| status.parse().ok())
}

/// Waits for a moment: the pace of a client that trickles.
fn is_answered(client: &Client) -> bool {
    let moment = Some(Duration::from_millis(5));
    client.stream().set_read_timeout(moment).expect("a socket takes a timeout");
    client.stream().peek(&mut [0]).is_ok()
}

#[test]
fn row_21_heads_that_trickle() {
    attack_and_recover(&["--handshake-timeout", "1"], |server| {
        let mut clients: Vec<Client> = (0..20).map(|_| server.connect()).collect();
        let until = Instant::now() + *DEADLINE;
        for byte in head_of(4 * KIB) {
            let mut waiting = clients.iter_mut().filter(|client| !is_answered(client)).peekable();
            if waiting.peek().is_none() {
                break;
            }
            waiting.for_each(|client| drop(client.try_send([byte])));
            check::that(Instant::now() < until, "the deadline is one for the whole head");
        }
        clients.iter_mut().for_each(|client| drop(client.expect_refusal(408)));
    });
}

/// The server as a user of its own with few threads; root itself is not bound by that limit.
fn with_threads(threads: u64) -> Option<Server> {
    const USER: u32 = 54_321;
    if !fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        check::skip("only root can give the server a user of its own, whose threads are limited");
        return None;
    }
    // Every user can run it there, which need not be so where it was built.
    let copy = std::env::temp_dir().join(format!("wirechat-hostile-{}", process::id()));
    let status = Command::new("cp").arg(env!("CARGO_BIN_EXE_wirechat")).arg(&copy).status();
    check::that(status.is_ok_and(|status| status.success()), "the program can be copied");
    let set = format!("ulimit -u {threads} 2>/dev/null || ulimit -p {threads}");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{set}; exec \"$0\" \"$@\"")]).arg(&copy);
    command.args(["--bind", "127.0.0.1:0"]).uid(USER).gid(USER).current_dir("/");
    let server = Server::spawn(command);
    fs::remove_file(copy).expect("the copy is there");
    Some(server)
}

#[test]
fn row_21_pages_that_nobody_reads() {
    attack_and_recover(&["--handshake-timeout", "1"], |server| {
        let mut deaf = server.connect();
        let unit = Request::get("/").bytes().repeat(100);
        let until = Instant::now() + *DEADLINE;
        let end = loop {
            check::that(Instant::now() < until, "the server has enough at some time");
            if let Err(error) = deaf.try_send(&unit) {
                break error.kind();
            }
        };
        let is_ended = matches!(end, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        check::that(is_ended, format_args!("it is ended, not left to wait: {end}"));
    });
}

/// Whoever is too many has its answer and a moment to read it, but is not read from for ever.
#[test]
fn row_21_turned_away_and_sending_on() {
    attack_and_recover(&["--max-connections", "2"], |server| {
        let _second = server.upgrade("/echo"); // beside the honest member
        let mut late = server.connect();
        let until = Instant::now() + *DEADLINE;
        let end = loop {
            check::that(Instant::now() < until, "the server has enough at some time");
            if let Err(error) = late.try_send([0x41; 4 * KIB]) {
                break error.kind();
            }
        };
        let is_ended = matches!(end, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        check::that(is_ended, format_args!("it is ended, not read from for ever: {end}"));
    });
}

/// More come at once than threads wait for them, and all of them stay: none is left to wait for a thread
/// that has its client already.
#[test]
fn row_21_a_rush_on_threads_that_wait() {
    attack_and_recover(&[], |server| {
        for round in 0..10 {
            check::case(format_args!("round {round}"));
            server.get("/healthz"); // whose thread waits for the next
            server.signal("STOP"); // so that they are there all at once
            let ask = |_| server.send_request(&Request::upgrade("/echo"));
            let mut rush: Vec<Client> = (0..10).map(ask).collect();
            server.signal("CONT");
            rush.iter_mut().for_each(|client| drop(client.expect_101()));
        }
    });
}

#[test]
fn row_21_a_thread_that_cannot_be_had() {
    let Some(server) = with_threads(16) else { return };
    expect_recovery(&server, MEMORY_TOLERANCE, |server| {
        let mut members = Vec::new();
        let refused = loop {
            let mut client = server.send_request(&Request::upgrade("/echo"));
            let head = client.read_head();
            match head.status {
                101 => members.push(client),
                status => break status,
            }
        };
        check::eq(refused, 503, "who gets no thread");
        server.wait_for_log("cannot start a thread");
        members.iter_mut().for_each(Client::expect_open_and_silent);
        drop(members.pop());
        eventually("there is room again", || {
            let mut client = server.send_request(&Request::upgrade("/echo"));
            client.read_head().status == 101
        });
    });
}

#[test]
fn row_22_handshakes_and_frames_of_old_drafts() {
    attack_and_recover(&[], |server| {
        let draft = Request::new("GET /chat HTTP/1.1")
            .add("Upgrade: WebSocket")
            .add("Connection: Upgrade")
            .add("Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5")
            .add("Sec-WebSocket-Key2: 12998 5 Y3 1  .P00");
        let mut client = server.connect();
        client.send([&draft.bytes()[..], b"^n:ds[4U", b"\x00hello\xff"].concat());
        client.expect_refusal(400);
        both_fail(server, b"\x00hello\xff", 1002);
    });
}

/// What a terminal could take for more than text, and a line that we did not write.
const TREACHERY: &str = "\x1b[31m\r\n2001-01-01T00:00:00.000Z forged\t\u{202e}\u{9b}31m\x07\\u{1b}";

/// Puts treachery wherever the log repeats what a peer chose; gives the whole log.
fn log_of_treachery(options: &[&str]) -> String {
    let server = Server::with(options);
    besiege_with_treachery(&server);
    server.signal("TERM");
    server.wait();
    server.log()
}

fn besiege_with_treachery(server: &Server) {
    let origin = "Origin: http://\u{202e}evil\u{9b}31m.test";
    server.expect_refusal(&Request::upgrade("/chat").add(origin), 403);
    server.expect_refusal(&Request::upgrade("/chat").add(b"Origin: http://\xff\x9b31m"), 403);
    server.expect_refusal(&Request::upgrade("/chat").add("Origin: http://\x1b[31m"), 400);
    server.expect_refusal(&Request::get("/\u{9b}31m\u{202e}"), 400);
    server.expect_refusal(&Request::get("/\x1b[31m"), 400);
    server.expect_refusal(&Request::get("/%1b%0d%0a"), 404);
    let mut member = server.upgrade("/chat");
    member.send_text(TREACHERY);
    let heard = answer(&mut member).payload;
    check::eq(heard, TREACHERY.as_bytes().to_vec(), "members get what was said");
    member.send(ClientFrame::close(4000, TREACHERY).bytes());
    closes(&mut member, 4000);
    server.wait_for_log("Code 4000");
}

/// Everything in the log is one of our lines, in characters that mean themselves.
fn is_harmless(log: &str, starts_well: impl Fn(&str) -> bool) {
    for line in log.lines() {
        check::that(starts_well(line), format_args!("a line of ours: {line:?}"));
    }
    let treacherous = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    check::eq(log.chars().find(|c| treacherous(*c)), None, "treacherous characters");
}

#[test]
fn row_23_control_characters_in_the_log() {
    for options in [&[][..], &["--trace"]] {
        let log = log_of_treachery(options);
        is_harmless(&log, |line| line.starts_with("20") && !line.starts_with("2001"));
        check::that(log.contains("Received message '\\u{1b}[31m\\r\\n2001-"), "text is escaped");
        check::that(log.contains("reason '\\u{1b}[31m\\r\\n2001-"), "a reason is escaped");
        check::that(log.contains("\\\\u{1b}"), "an escape cannot be forged");
    }
}

#[test]
fn row_23_control_characters_in_the_json_log() {
    let reason = |line: &str| {
        let members = json::parse_object(line).ok()?;
        members.into_iter().find(|(name, _)| name == "reason").map(|(_, value)| value)
    };
    for options in [&["--log-format", "json"][..], &["--log-format", "json", "--trace"]] {
        let log = log_of_treachery(options);
        is_harmless(&log, |line| json::parse_object(line).is_ok());
        let told = log.lines().filter_map(reason).any(|r| r == json::Value::Text(TREACHERY.into()));
        check::that(told, "a JSON reader gets the reason as it was sent");
    }
}

#[test]
fn row_23_the_honest_member_is_not_disturbed() {
    attack_and_recover(&[], besiege_with_treachery);
}

/// The browser's half, that nothing of this runs, is among the tests of real clients.
#[test]
fn row_24_markup_is_text_and_the_page_runs_its_own_script_alone() {
    attack_and_recover(&[], |server| {
        let policy = server.get("/");
        let policy = policy.field("Content-Security-Policy").unwrap_or_default();
        for rule in ["default-src 'none'", "script-src 'sha256-", "base-uri 'none'"] {
            check::that(policy.contains(rule), format_args!("{rule} in {policy}"));
        }
        check::that(!policy.contains("unsafe"), "no unsafe source");
        let mut member = server.upgrade("/chat");
        for markup in ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>"] {
            member.send_text(markup);
            check::eq(answer(&mut member).payload, markup.as_bytes().to_vec(), "as it was said");
        }
    });
}

#[test]
fn row_25_reasons_that_fit_are_answered() {
    attack_and_recover(&[], |server| {
        for path in PATHS {
            for length in [0, 122, 123] {
                let mut client = server.upgrade(path);
                client.send(ClientFrame::close(1000, "r".repeat(length)).bytes());
                fails(&mut client, 1000);
            }
        }
        both_fail(server, ClientFrame::close(1000, "r".repeat(124)).bytes(), 1002);
        let cut = [&"r".repeat(121).into_bytes()[..], b"\xe2\x82"].concat();
        both_fail(server, ClientFrame::close(1000, cut).bytes(), 1007);
    });
}

/// Each frame that comes is judged where it is read: its size, and its reason as UTF-8.
#[test]
fn row_25_reasons_of_our_own_fit() {
    attack_and_recover(&["--ping-interval", "0", "--idle-timeout", "1"], |server| {
        both_fail(server, ClientFrame::text("").unmasked().bytes(), 1002);
        both_fail(server, ClientFrame::text("").rsv(0b010).bytes(), 1002);
        both_fail(server, ClientFrame::text("\u{ff}").declared_length(1).bytes(), 1007);
        both_fail(server, declaring(TEXT, 1 << 40).bytes(), 1009);
        let mut member = server.upgrade("/chat");
        member.send(ClientFrame::binary("").bytes());
        closes(&mut member, 1003);
        let mut idle = server.upgrade("/echo");
        closes(&mut idle, 1001);
    });
}

// Row 26, a panic in one connection's thread: no byte that can be sent makes this program panic, so the
// library's own tests, where a member can ask for one, show what becomes of it.

/// The server with so few descriptors, and connections that it cannot have.
fn short_of_descriptors() -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_wirechat")]);
    command.args(["--bind", "127.0.0.1:0"]);
    Server::spawn(command)
}

#[test]
fn row_27_more_connections_than_descriptors() {
    expect_recovery(&short_of_descriptors(), MEMORY_TOLERANCE, |server| {
        let crowd: Vec<Client> = (0..100).map(|_| server.connect()).collect();
        server.wait_for_log("cannot accept connections");
        drop(crowd);
        let mut late = server.upgrade("/chat");
        late.send_and_wait("at last");
        let told = server.log().matches("cannot accept connections").count();
        check::that(told <= 3, format_args!("told {told} times, not at each attempt"));
    });
}

#[test]
fn row_27_waiting_for_descriptors_takes_no_time() {
    let server = short_of_descriptors();
    let crowd: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    server.wait_for_log("cannot accept connections");
    eventually("it waits without spinning", || {
        let before = server.cpu_ticks();
        thread::sleep(Duration::from_secs(1)); // a busy machine can keep one that spins quiet for less
        server.cpu_ticks() <= before + 3
    });
    drop(crowd);
    server.upgrade("/echo").expect_open_and_silent();
}

#[test]
fn row_28_slow_but_alive_is_served() {
    attack_and_recover(&["--ping-interval", "0", "--idle-timeout", "2"], |server| {
        let mut slow = server.upgrade("/echo");
        for byte in ClientFrame::text("takes its time").bytes() {
            slow.send([byte]);
            thread::sleep(Duration::from_millis(200)); // in all twice the timeout
        }
        slow.expect_text("takes its time");
    });
}

#[test]
fn row_28_a_header_and_then_nothing() {
    attack_and_recover(&["--ping-interval", "0", "--idle-timeout", "1"], |server| {
        let mut clients = PATHS.map(|path| server.upgrade(path));
        for client in &mut clients {
            client.send(&ClientFrame::text("begun").bytes()[..6]);
        }
        for client in &mut clients {
            closes(client, 1001);
            client.expect_any_end();
        }
    });
}

/// Numbers that look like noise and are the same in each run (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 20
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).map_or(0, |number| number % end)
    }

    fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// A head or none, some frames, noise, and an octet too many.
    fn wire(&mut self) -> Vec<u8> {
        let mut wire = match self.below(3) {
            0 => Vec::new(),
            1 => Request::upgrade("/chat").bytes(),
            _ => Request::upgrade("/echo").bytes(),
        };
        for _ in 0..self.below(6) {
            wire.extend(match self.below(6) {
                0 => ClientFrame::text("text").bytes(),
                1 => ClientFrame::text("more").without_fin().bytes(),
                2 => ClientFrame::continuation("last").bytes(),
                3 => ClientFrame::ping("ping").bytes(),
                4 => ClientFrame::close(1000, "").bytes(),
                _ => declaring(BINARY, 1 << 20).bytes(),
            });
        }
        wire.extend((0..self.below(300)).map(|_| self.octet()).collect::<Vec<u8>>());
        let place = self.below(wire.len() + 1);
        wire.insert(place, self.octet());
        wire
    }
}

#[test]
fn beyond_the_rows_noise_in_place_of_a_head_or_of_frames() {
    let mut noise = Noise(0x5eed);
    attack_and_recover(&[], |server| {
        for round in 0..600 {
            check::case(format_args!("round {round}"));
            let mut client = server.connect();
            let _ = client.try_send(noise.wire()); // it may be refused in the middle
            client.shutdown_write();
            client.expect_any_end();
        }
    });
}
