//! Input that has brought down other servers, sent to this one over a socket.
//!
//! Each row is a flaw of another WebSocket or HTTP server, with its CVE or advisory if it has one. A test
//! names its row and checks three things: the server gives the safe answer; an honest client goes on chatting
//! during the attack; afterwards threads, descriptors, memory and processor use are back where they were.
//! [`expect_recovery`] checks the last two.
//!
//! The rows, each with the flaw seen elsewhere, the input, and the safe answer:
//!
//! 1. A frame has no size limit (restbed, CVE-2026-103472). Input: a binary frame that declares 2^39 - 1
//!    bytes, then 100 MiB of them. Answer: 1009 after the header; memory does not grow.
//! 2. Memory is allocated for a declared length (rust-websocket, CVE-2022-35922). Input: a declared length of
//!    2^62, no payload. Answer: 1009; nothing is allocated.
//! 3. The sum of fragment lengths overflows (gorilla/websocket, CVE-2020-27813). Input: a fragment of 10
//!    bytes, then a continuation that declares 2^63 - 1. Answer: 1009; the sum is checked.
//! 4. The top bit of a 64-bit length causes an endless loop (Tomcat, CVE-2020-13935). Input: a length of
//!    2^63. Answer: 1002; the processor is idle afterwards.
//! 5. Header size plus length overflows (libre, CVE-2026-50161). Input: lengths of 2^64 - 4 and 2^64 - 14.
//!    Answer: 1002; no panic, in a debug build too.
//! 6. Messages have no limit by default (ws, CVE-2016-10542). Input: a text of the limit, then one byte more.
//!    Answer: the first is delivered, the second gets 1009.
//! 7. Fragments are limited, their sum is not (Netty, CVE-2014-0193). Input: continuations of 16 KiB without
//!    end. Answer: 1009 when the sum exceeds the limit.
//! 8. Each tiny or empty fragment costs memory (ws, CVE-2026-62389). Input: a million empty continuations;
//!    65,536 fragments of 64 bytes. Answer: both messages are valid and are delivered; memory does not grow.
//! 9. The head is parsed again after each read (tungstenite, CVE-2023-43669). Input: a head of the maximum
//!    size in single bytes; 10 MB without a line end. Answer: linear work; 431, or in the request
//!    line 414 or 501.
//! 10. Many header fields crash the server (ws, CVE-2024-37890). Input: 2000 fields, `Upgrade` last. Answer:
//!     431.
//! 11. A field takes quadratic time to parse (ws, CVE-2021-32640; faye, CVE-2020-7662). Input: 7 KiB of
//!     spaces, quotes or backslashes in `Sec-WebSocket-Protocol` and `-Extensions`. Answer: an immediate
//!     response that does not repeat the field.
//! 12. Compressed data expands without limit; RSV1 is accepted without negotiation. Input: an offer of
//!     permessage-deflate, then a frame with RSV1. Answer: the offer is declined; 1002.
//! 13. A control frame can be too large. Input: a Ping of 126 bytes, one that declares 2^40, one without FIN.
//!     Answer: 1002 after the header.
//! 14. Each Pong leaks memory (Undertow, CVE-2021-3690). Input: a million unsolicited Pongs of 125 bytes.
//!     Answer: no answer; memory does not grow; the client can still chat.
//! 15. A reset leaves a thread that spins (Undertow, CVE-2017-2670). Input: 1000 resets, in the middle of a
//!     head, a frame header and a payload. Answer: threads and descriptors are back.
//! 16. A connection stays open after a Close (Tomcat, CVE-2024-23672). Input: a client that never answers the
//!     Close, and one that sends on after a Close. Answer: the connection ends within the close timeout;
//!     later texts are ignored.
//! 17. The send queue has no limit (ws-rs, CVE-2020-35896). Input: a member that never reads during 100 MB of
//!     chat, and sends 100,000 Pings. Answer: it is disconnected; memory is limited; no other member waits.
//! 18. A page of another site reaches a local server (Vite, CVE-2025-24010). Input: a foreign `Origin`; DNS
//!     rebinding, where `Host` and `Origin` both name evil.test. Answer: 403, unless `--origin` allows it;
//!     without `Origin` the request is accepted.
//! 19. A second request after a rejected upgrade is processed (request smuggling). Input: an unsupported
//!     version and another request in one packet. Answer: 426, then the end; the second request is not read.
//! 20. The body of an upgrade request is read as frames (ws on Node). Input: `Content-Length` with a masked
//!     frame as the body; `Transfer-Encoding: chunked`. Answer: 400, then the end.
//! 21. Connections and slow heads take threads without limit. Input: 5000 idle connections; heads that arrive
//!     byte by byte; no thread left. Answer: 503 at the limit, 408 at the deadline, no panic; members are not
//!     disturbed.
//! 22. Drafts of the protocol are accepted. Input: `Sec-WebSocket-Key1` and `-Key2`; frames `00 ... FF`.
//!     Answer: 400 for the handshake, 1002 for the frames.
//! 23. Control characters reach the terminal through the log (RUSTSEC-2025-0055). Input: ESC, CR, LF, U+202E
//!     and 0x9B in a text, a path, a field, a close reason. Answer: they are escaped; the JSON log stays
//!     valid.
//! 24. A message runs as script in the page. Input: `<img src=x onerror=alert(1)>` and `</script>` as texts.
//!     Answer: they are shown as text; a content security policy allows only the page's script.
//! 25. A close reason is too long, or cut inside a character (ws, CVE-2026-45736). Input: reasons of 0, 122,
//!     123 and 124 bytes; every reason that the server writes. Answer: at most 123 bytes of valid UTF-8.
//! 26. A panic poisons a lock. Input: a panic in the thread of one connection. Answer: only that connection
//!     ends.
//! 27. `accept` fails without descriptors, and the server ends or spins. Input: more connections than
//!     `ulimit -n` allows. Answer: the server waits, and accepts again when descriptors are free.
//! 28. A timeout is wrong about slow clients. Input: a frame one byte at a time; a header and then nothing.
//!     Answer: a slow frame is served; silence ends with 1001.
//!
//! Row 26 has no test here: no input makes this server panic. A unit test of the listener, in `src/server/`,
//! causes a panic in a member's thread.

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
};
use support::frame::{BINARY, CLOSE, LengthForm, TEXT};
use support::server::eventually;
use support::{
    Client, ClientFrame, DEADLINE, Frame, PATHS, Request, Server, WELCOME, check, json,
    on_both_paths,
};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Reads the next frame that is not a text of the honest client.
#[track_caller]
fn read_answer(client: &mut Client) -> Frame {
    let until = Instant::now() + *DEADLINE; // the honest client sends during the whole attack
    loop {
        let frame = client.read_frame();
        if frame.opcode != TEXT || !frame.payload.starts_with(b"honest") {
            return frame;
        }
        check::that(
            Instant::now() < until,
            "an answer arrives between the texts of the honest client",
        );
    }
}

/// Expects a Close with this code as the next answer. [`Frame`] has checked that its reason is valid UTF-8.
#[track_caller]
fn expect_close(client: &mut Client, code: u16) {
    let frame = read_answer(client);
    let is_right = frame.opcode == CLOSE && frame.code() == Some(code);
    check::that(is_right, format_args!("{frame:?}, expected a Close with {code}"));
    check::that(frame.reason().len() <= 123, "the reason fits into its frame");
}

/// Expects that the server fails the connection: a Close with this code, then the end, without waiting for a
/// Close of the client.
#[track_caller]
fn expect_failure(client: &mut Client, code: u16) {
    expect_close(client, code);
    client.expect_end();
}

/// Expects that these bytes fail a connection with this code, on both paths.
#[track_caller]
fn expect_failure_on_both(server: &Server, wire: impl AsRef<[u8]>, code: u16) {
    server.upgrade_both(|client| {
        client.send(&wire);
        expect_failure(client, code);
    });
}

/// A frame header with this payload length, without a payload.
fn header_with_length(opcode: u8, length: u64) -> ClientFrame {
    ClientFrame::new(opcode, "").length_form(LengthForm::Bits64).declared_length(length)
}

/// Sends the same bytes many times, in few large writes. A write error is allowed: the server may close the
/// connection.
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
fn row_01_a_frame_length_above_the_limit_fails_at_the_header() {
    attack_and_recover(&[], |server| {
        server.upgrade_both(|client| {
            client.send(header_with_length(BINARY, (1 << 39) - 1).bytes());
            expect_close(client, 1009); // after the header, before any payload
            flood(client, &[0x37; KIB], 100 * KIB);
            client.shutdown_write();
            client.expect_any_end();
        });
    });
}

#[test]
fn row_01_the_close_is_not_lost_in_a_flood() {
    attack_and_recover(&[], |server| {
        server.upgrade_both(|client| {
            client.send(header_with_length(BINARY, (1 << 39) - 1).bytes());
            flood(client, &[0x37; KIB], 100 * KIB);
            expect_failure(client, 1009); // no reset has discarded the Close
        });
    });
}

#[test]
fn row_02_a_declared_length_allocates_no_memory() {
    attack_and_recover(&[], |server| {
        for opcode in [TEXT, BINARY] {
            expect_failure_on_both(server, header_with_length(opcode, 1 << 62).bytes(), 1009);
        }
    });
}

#[test]
fn row_03_the_sum_of_fragment_lengths_does_not_overflow() {
    attack_and_recover(&[], |server| {
        for opcode in [TEXT, BINARY] {
            let mut wire = ClientFrame::new(opcode, "ten bytes.").without_fin().bytes();
            wire.extend(header_with_length(0, i64::MAX as u64).bytes());
            expect_failure_on_both(server, wire, 1009);
        }
    });
}

#[test]
fn row_04_a_length_with_its_top_bit_set_fails() {
    attack_and_recover(&[], |server| {
        expect_failure_on_both(server, header_with_length(BINARY, 1 << 63).bytes(), 1002)
    });
}

#[test]
fn row_05_header_size_plus_length_does_not_overflow() {
    attack_and_recover(&[], |server| {
        for less in [4, 14, 1] {
            expect_failure_on_both(
                server,
                header_with_length(TEXT, 0_u64.wrapping_sub(less)).bytes(),
                1002,
            );
        }
    });
}

#[test]
fn row_06_messages_are_limited_by_default() {
    attack_and_recover(&[], |server| {
        server.upgrade_both(|client| {
            let largest = "m".repeat(MIB);
            client.send_text(&largest);
            let frame = read_answer(client);
            check::that(frame.payload == largest.as_bytes(), "the largest message is delivered");
            client.send_text(largest + "m");
            expect_failure(client, 1009);
        });
    });
}

#[test]
fn row_07_the_sum_of_fragments_is_limited() {
    attack_and_recover(&[], |server| {
        server.upgrade_both(|client| {
            let fragment = "f".repeat(16 * KIB);
            client.send(ClientFrame::text(&fragment).without_fin().bytes());
            flood(client, &ClientFrame::continuation(&fragment).without_fin().bytes(), 63);
            client.expect_open(); // 64 fragments are the largest message
            client.send(ClientFrame::continuation("f").without_fin().bytes());
            expect_failure(client, 1009);
        });
    });
}

#[test]
fn row_08_a_million_empty_fragments_are_joined() {
    attack_and_recover(&[], |server| {
        server.upgrade_both(|client| {
            client.send(ClientFrame::text("start, ").without_fin().bytes());
            flood(client, &ClientFrame::continuation("").without_fin().bytes(), 1_000_000);
            client.send(ClientFrame::continuation("end").bytes());
            check::eq(read_answer(client).payload, b"start, end".to_vec(), "the message");
        });
    });
}

#[test]
fn row_08_many_tiny_fragments_are_joined() {
    // The message, its frame, and the broadcast queue: a few times 4 MiB.
    let server = Server::with(&["--max-message", "4M"]);
    expect_recovery(&server, 3 * MEMORY_TOLERANCE, |server| {
        server.upgrade_both(|client| {
            let fragment = "t".repeat(64);
            client.send(ClientFrame::text(&fragment).without_fin().bytes());
            flood(client, &ClientFrame::continuation(&fragment).without_fin().bytes(), 65_534);
            client.send(ClientFrame::continuation(&fragment).bytes());
            let frame = read_answer(client);
            check::that(frame.payload == "t".repeat(4 * MIB).as_bytes(), "the whole message");
        });
    });
}

/// An upgrade request whose head has this size in bytes.
fn head_of_size(size: usize) -> Vec<u8> {
    let request = Request::upgrade("/echo").add("Filler: ");
    let missing = size - request.bytes().len();
    request.set("Filler", "x".repeat(missing)).bytes()
}

#[test]
fn row_09_a_head_of_the_maximum_size_arrives_in_single_bytes() {
    attack_and_recover(&[], |server| {
        let mut client = server.connect();
        client.send_in_bytes(head_of_size(16 * KIB));
        client.expect_101();
        client.expect_open_and_silent();
        let mut client = server.connect();
        client.send_in_bytes(head_of_size(16 * KIB + 1));
        client.expect_refusal(431);
    });
}

#[test]
fn row_09_a_line_without_end_is_rejected() {
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
fn row_10_too_many_header_fields_are_rejected() {
    attack_and_recover(&[], |server| {
        let mut lines = "a:\r\n".repeat(2000);
        lines.push_str("Upgrade: websocket\r\n\r\n");
        let request = format!("GET /chat HTTP/1.1\r\nHost: localhost\r\n{lines}");
        check::that(
            request.len() < 16 * KIB,
            "the head is not too long: only the number of fields is too large",
        );
        let mut client = server.connect();
        client.send(request);
        client.expect_refusal(431);
    });
}

#[test]
fn row_11_a_long_field_is_parsed_at_once_and_not_repeated() {
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
                expect_not_repeated(server, name, value, *status);
            }
        }
        expect_not_repeated(
            server,
            "Sec-WebSocket-Extensions",
            &format!("a; b=\"{escapes}\""),
            101,
        );
        expect_not_repeated(server, "Sec-WebSocket-Extensions", &many("a; b, "), 101);
        expect_not_repeated(server, "Sec-WebSocket-Protocol", &many("a, "), 101);
    });
}

/// Expects this status, and a response that does not repeat the field.
fn expect_not_repeated(server: &Server, name: &str, value: &str, status: u16) {
    check::case(format_args!("{name}: {:.20}…", value));
    let mut client =
        server.send_request(&Request::upgrade("/chat").add(format!("{name}: {value}")));
    let head = client.read_head();
    check::eq(head.status, status, "status");
    check::eq(head.field(name), None, "the field in the response");
    let length = head.content_length().unwrap_or_default();
    check::that(length < 200, "the body is one sentence, not the field");
}

#[test]
fn row_12_compression_is_declined_and_rsv1_fails() {
    attack_and_recover(&[], |server| {
        on_both_paths(|path| {
            let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
            let mut client = server.send_request(&Request::upgrade(path).add(offer));
            let head = client.expect_101();
            check::eq(head.field("Sec-WebSocket-Extensions"), None, "the accepted extensions");
            let compressed = [0xaa, 0xff, 0xff, 0x00].repeat(100);
            client.send(ClientFrame::text(compressed).rsv(0b100).bytes());
            if path == "/chat" {
                client.expect_text(WELCOME);
            }
            expect_failure(&mut client, 1002);
        });
    });
}

#[test]
fn row_13_a_control_frame_above_125_bytes_fails_at_the_header() {
    attack_and_recover(&[], |server| {
        for header in [
            ClientFrame::ping("").declared_length(126),
            header_with_length(0x9, 1 << 40),
            ClientFrame::pong("").declared_length(65_535),
            ClientFrame::new(CLOSE, "").declared_length(126),
            ClientFrame::ping("").without_fin(),
        ] {
            expect_failure_on_both(server, header.bytes(), 1002); // no payload was sent
        }
    });
}

#[test]
fn row_14_a_million_unsolicited_pongs_are_ignored() {
    expect_recovery_twice(&Server::start(), |server| {
        let mut client = server.upgrade("/echo");
        flood(&mut client, &ClientFrame::pong([0x50; 125]).bytes(), 1_000_000);
        client.expect_open_and_silent();
        let mut member = server.upgrade("/chat");
        flood(&mut member, &ClientFrame::pong([0x50; 125]).bytes(), 1_000_000);
        member.send_and_wait("after the Pongs");
    });
}

/// Ends the connection with a reset: the kernel sends one if the socket closes with unread bytes.
fn reset(client: Client) {
    client.stream().set_read_timeout(Some(*DEADLINE)).expect("a socket takes a timeout");
    let unread = client.stream().peek(&mut [0]).expect("a byte that stays unread");
    check::eq(unread, 1, "unread bytes");
}

#[test]
fn row_15_a_thousand_resets_leave_no_thread_or_descriptor() {
    let half_head = [&Request::get("/healthz").bytes()[..], b"GET /chat HTTP/1.1\r\nHo"].concat();
    let head_and = |frame: &[u8]| [&Request::upgrade("/chat").bytes()[..], frame].concat();
    let text = ClientFrame::text("cut in the middle").bytes();
    let starts = [half_head, head_and(&text[..3]), head_and(&text[..12]), head_and(&[])];
    expect_recovery_twice(&Server::start(), |server| {
        for start in starts.iter().cycle().take(1000) {
            let mut client = server.connect();
            client.send(start);
            reset(client);
        }
    });
}

#[test]
fn row_16_a_client_that_never_answers_the_close_is_disconnected() {
    attack_and_recover(&[], |server| {
        let mut silent = server.upgrade("/chat");
        silent.send(ClientFrame::binary("no text").bytes());
        expect_close(&mut silent, 1003);
        let until = Instant::now() + CLOSE_DEADLINE;
        silent.expect_any_end();
        check::that(Instant::now() < until, "the connection ends within the close timeout");
    });
}

#[test]
fn row_16_texts_after_the_servers_close_are_ignored() {
    attack_and_recover(&[], |server| {
        let mut other = server.upgrade("/chat");
        let mut sender = server.upgrade("/chat");
        sender.send(ClientFrame::binary("no text").bytes());
        expect_close(&mut sender, 1003);
        send_texts_until_the_end(&mut sender);
        expect_no_late_text(&mut other);
    });
}

#[test]
fn row_16_texts_after_the_clients_close_are_ignored() {
    attack_and_recover(&[], |server| {
        let mut other = server.upgrade("/chat");
        let mut sender = server.upgrade("/chat");
        sender.send(ClientFrame::close(1000, "bye").bytes());
        expect_close(&mut sender, 1000);
        send_texts_until_the_end(&mut sender);
        expect_no_late_text(&mut other);
    });
}

/// Three times the server's close timeout: enough for a busy machine.
const CLOSE_DEADLINE: Duration = Duration::from_secs(6);

/// Sends texts that the server must ignore, until the connection is closed.
fn send_texts_until_the_end(sender: &mut Client) {
    let until = Instant::now() + CLOSE_DEADLINE;
    while sender.try_send(ClientFrame::text("too late").bytes()).is_ok() {
        check::that(Instant::now() < until, "the connection ends although texts still arrive");
        thread::sleep(SEND_INTERVAL);
    }
}

/// Expects that no text but the honest client's was delivered before the next one.
fn expect_no_late_text(other: &mut Client) {
    other.send_text("the next text");
    let text = read_answer(other).payload;
    check::eq(text, b"the next text".to_vec(), "the next text that others receive");
}

#[test]
fn row_17_a_member_that_never_reads_is_disconnected() {
    // Large enough that the honest client, which reads, does not reach the limit on a busy machine.
    let server = Server::with(&["--max-backlog", "32M"]);
    // The backlog of that member, and the batches on their way to the others.
    expect_recovery(&server, 32 * 1024 + 2 * MEMORY_TOLERANCE, |server| {
        let mut non_reader = server.upgrade("/chat");
        flood(&mut non_reader, &ClientFrame::ping([0x50; 125]).bytes(), 100_000);
        let mut sender = server.upgrade("/chat");
        for round in 0..100 {
            sender.send_and_wait(format!("{round} {}", "s".repeat(MIB - 8)));
        }
        server.wait_for_log("reads too slowly");
        check::eq(server.metrics()["wirechat_slow_readers_total"], 1.0, "slow readers");
        eventually("the connection is not counted as open", || {
            server.metrics()["wirechat_connections_open"] == 3.0 // honest client, sender, this request
        });
    });
}

/// Sends the same bytes until the server ends the connection.
fn expect_end_while_sending(client: &mut Client, unit: &[u8]) {
    let until = Instant::now() + *DEADLINE;
    let error = loop {
        check::that(Instant::now() < until, "the server ends the connection in time");
        if let Err(error) = client.try_send(unit) {
            break error.kind();
        }
    };
    let is_end = matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
    check::that(is_end, format_args!("the server ends the connection: {error}"));
}

#[test]
fn row_17_an_echo_client_that_never_reads_is_disconnected() {
    attack_and_recover(&["--ping-interval", "0.5", "--idle-timeout", "1"], |server| {
        let mut non_reader = server.upgrade("/echo");
        let unit = ClientFrame::binary([0x65; 16 * KIB]).bytes();
        expect_end_while_sending(&mut non_reader, &unit);
    });
}

#[test]
fn row_18_a_page_of_another_site_is_rejected() {
    attack_and_recover(&[], |server| {
        let port = server.address().port();
        for (host, origin) in [
            ("localhost", "http://evil.test"),
            ("evil.test", "http://evil.test"), // DNS rebinding: evil.test resolves to 127.0.0.1
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
        server.expect_upgrade(&local.set("Host", "evil.test")); // without Origin it is not a browser
    });
    attack_and_recover(&["--origin", "https://chat.test"], |server| {
        let request = Request::upgrade("/chat").set("Host", "chat.test");
        server.expect_upgrade(&request.clone().add("Origin: https://chat.test"));
        server.expect_refusal(&request.add("Origin: http://evil.test"), 403);
    });
}

/// The IPv6 listener sees the client as `::ffff:127.0.0.1`, which is a loopback address too.
#[test]
fn row_18_an_ipv4_client_of_an_ipv6_listener_is_on_loopback() {
    if let Err(error) = TcpListener::bind("[::]:0") {
        return check::skip(format_args!("no IPv6 here: {error}"));
    }
    let server = Server::with(&["--bind", "[::]:0"]);
    let log = server.wait_for_log("listening on http://[::]:");
    let port = log.split_once("http://[::]:").and_then(|(_, rest)| rest.split_once('/'));
    let port = port.and_then(|(port, _)| port.parse().ok()).expect("the log names the port");
    let send_upgrade = |host: &str| {
        let mut client = Client::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let request = Request::upgrade("/chat").set("Host", host);
        client.send(request.add(format!("Origin: http://{host}")).bytes());
        client
    };
    send_upgrade("evil.test").expect_refusal(403);
    send_upgrade("localhost").expect_101();
}

#[test]
fn row_19_a_request_after_a_rejected_one_is_not_read() {
    attack_and_recover(&[], |server| {
        let refused = Request::upgrade("/chat").set("Sec-WebSocket-Version", "8").bytes();
        for second in [Request::get("/healthz"), Request::upgrade("/chat")] {
            let mut client = server.connect();
            client.send([&refused[..], &second.bytes()].concat());
            let response = client.expect_refusal(426); // and nothing after it
            check::eq(response.field("Sec-WebSocket-Version"), Some("13"), "the supported version");
        }
        check::eq(server.metrics()["wirechat_refusals_total{status=\"426\"}"], 2.0, "refusals");
    });
}

#[test]
fn row_20_an_upgrade_request_with_a_body_is_rejected() {
    attack_and_recover(&[], |server| {
        let mut other = server.upgrade("/chat");
        for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
            on_both_paths(|path| {
                let head = Request::upgrade(path).add(framing).bytes();
                let mut client = server.connect();
                client.send([head, ClientFrame::text("body").bytes()].concat());
                client.expect_refusal(400);
            });
        }
        expect_no_late_text(&mut other);
    });
}

/// Raises the descriptor limit of this process and of the servers that it starts.
fn raise_descriptor_limit(wanted: u64) {
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

/// Opens 5000 connections that send nothing. After each hundred, one more sends a request and waits for the
/// response: then the server has accepted or rejected all connections before it.
fn open_idle_connections(server: &Server) -> (Vec<Client>, Vec<(Client, u16)>) {
    let (mut idle, mut requests) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        idle.extend((0..100).map(|_| server.connect()));
        let mut client = server.send_request(&Request::get("/healthz"));
        let status = client.read_response().status;
        requests.push((client, status));
    }
    (idle, requests)
}

#[test]
fn row_21_five_thousand_idle_connections_are_ended() {
    raise_descriptor_limit(12_000);
    let server = Server::with(&["--max-connections", "4096", "--handshake-timeout", "8"]);
    expect_recovery(&server, 6 * MEMORY_TOLERANCE, |server| {
        let (mut idle, requests) = open_idle_connections(server);
        let answered = |code| requests.iter().filter(|(_, status)| *status == code).count();
        check::eq((answered(200), answered(503)), (40, 10), "requests below and above the limit");
        let ends: Vec<Option<u16>> = idle.iter_mut().map(read_last_status).collect();
        let count = |end| ends.iter().filter(|other| **other == end).count();
        let (late, rejected, without) = (count(Some(408)), count(Some(503)), count(None));
        check::eq(late, 4096 - 40 - 1, "408 at the deadline: all places but the honest client's");
        check::that(1 <= rejected, "503 above the limit");
        check::eq(late + rejected + without, 5000, "all connections are ended");
    });
    let before = server.memory(); // the allocator keeps it for the next connections
    for _ in 0..3 {
        drop(open_idle_connections(&server));
        eventually("the threads have ended", || server.threads() < 10);
    }
    let growth = server.memory().saturating_sub(before);
    check::that(growth < MEMORY_TOLERANCE, format_args!("memory grew by {growth} kB"));
}

/// Reads until the connection ends; returns the status of its response, or `None` without a response.
fn read_last_status(client: &mut Client) -> Option<u16> {
    let mut response = Vec::new();
    client.stream().set_read_timeout(Some(*DEADLINE)).expect("a socket takes a timeout");
    match client.stream().read_to_end(&mut response) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => check::fail(format_args!("the connection does not end: {error}")),
    }
    let line = String::from_utf8_lossy(&response);
    line.split(' ').nth(1).and_then(|status| status.parse().ok())
}

/// Waits up to 5 ms for a response. This pause is also the speed of a slow client.
fn has_response(client: &Client) -> bool {
    let pause = Some(Duration::from_millis(5));
    client.stream().set_read_timeout(pause).expect("a socket takes a timeout");
    client.stream().peek(&mut [0]).is_ok()
}

#[test]
fn row_21_a_head_in_single_bytes_ends_at_the_deadline() {
    attack_and_recover(&["--handshake-timeout", "1"], |server| {
        let mut clients: Vec<Client> = (0..20).map(|_| server.connect()).collect();
        let until = Instant::now() + *DEADLINE;
        for byte in head_of_size(4 * KIB) {
            let mut waiting = clients.iter_mut().filter(|client| !has_response(client)).peekable();
            if waiting.peek().is_none() {
                break;
            }
            waiting.for_each(|client| drop(client.try_send([byte])));
            check::that(
                Instant::now() < until,
                "the deadline is for the whole head, not for each byte",
            );
        }
        clients.iter_mut().for_each(|client| drop(client.expect_refusal(408)));
    });
}

/// Starts the server as another user with a thread limit, which does not apply to root. `None` without root.
fn start_with_thread_limit(threads: u64) -> Option<Server> {
    const USER: u32 = 54_321;
    if !fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        check::skip("only root can start the server as another user with a thread limit");
        return None;
    }
    // Another user may have no access to the directory of the build.
    let copy = std::env::temp_dir().join(format!("wirechat-hostile-{}", process::id()));
    let status = Command::new("cp").arg(env!("CARGO_BIN_EXE_wirechat")).arg(&copy).status();
    check::that(status.is_ok_and(|status| status.success()), "the program can be copied");
    let set = format!("ulimit -u {threads} 2>/dev/null || ulimit -p {threads}");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{set}; exec \"$0\" \"$@\"")]).arg(&copy);
    command.args(["--bind", "127.0.0.1:0"]).uid(USER).gid(USER).current_dir("/");
    let server = Server::spawn(command);
    fs::remove_file(copy).expect("the copy exists");
    Some(server)
}

#[test]
fn row_21_a_client_that_requests_pages_and_never_reads_is_disconnected() {
    attack_and_recover(&["--handshake-timeout", "1"], |server| {
        let mut non_reader = server.connect();
        let unit = Request::get("/").bytes().repeat(100);
        expect_end_while_sending(&mut non_reader, &unit);
    });
}

/// The server sends a 503 to a connection above the limit, reads from it for a short time, then closes it.
#[test]
fn row_21_a_rejected_client_that_sends_on_is_disconnected() {
    attack_and_recover(&["--max-connections", "2"], |server| {
        let _second = server.upgrade("/echo"); // the honest client is the first
        let mut rejected = server.connect();
        expect_end_while_sending(&mut rejected, &[0x41; 4 * KIB]);
    });
}

/// More clients connect at once than the pool has waiting threads. Each must get a thread: none may wait
/// for one that serves another client.
#[test]
fn row_21_clients_above_the_waiting_threads_get_new_threads() {
    attack_and_recover(&[], |server| {
        for round in 0..10 {
            check::case(format_args!("round {round}"));
            server.get("/healthz"); // its thread now waits for the next client
            server.signal("STOP"); // so that all clients connect before it continues
            let upgrade = |_| server.send_request(&Request::upgrade("/echo"));
            let mut clients: Vec<Client> = (0..10).map(upgrade).collect();
            server.signal("CONT");
            clients.iter_mut().for_each(|client| drop(client.expect_101()));
        }
    });
}

#[test]
fn row_21_a_client_without_a_thread_gets_503() {
    let Some(server) = start_with_thread_limit(16) else { return };
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
        check::eq(refused, 503, "the status without a thread");
        server.wait_for_log("cannot start a thread");
        members.iter_mut().for_each(Client::expect_open_and_silent);
        drop(members.pop());
        eventually("a new client gets a thread", || {
            let mut client = server.send_request(&Request::upgrade("/echo"));
            client.read_head().status == 101
        });
    });
}

#[test]
fn row_22_handshakes_and_frames_of_old_drafts_are_rejected() {
    attack_and_recover(&[], |server| {
        let draft = Request::new("GET /chat HTTP/1.1")
            .add("Upgrade: WebSocket")
            .add("Connection: Upgrade")
            .add("Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5")
            .add("Sec-WebSocket-Key2: 12998 5 Y3 1  .P00");
        let mut client = server.connect();
        client.send([&draft.bytes()[..], b"^n:ds[4U", b"\x00hello\xff"].concat());
        client.expect_refusal(400);
        expect_failure_on_both(server, b"\x00hello\xff", 1002);
    });
}

/// Characters that control a terminal, and a forged log line.
const CONTROL_TEXT: &str =
    "\x1b[31m\r\n2001-01-01T00:00:00.000Z forged\t\u{202e}\u{9b}31m\x07\\u{1b}";

/// Sends control characters in everything that the log repeats; returns the whole log.
fn log_with_control_text(options: &[&str]) -> String {
    let server = Server::with(options);
    send_control_text(&server);
    server.signal("TERM");
    server.wait();
    server.log()
}

fn send_control_text(server: &Server) {
    let origin = "Origin: http://\u{202e}evil\u{9b}31m.test";
    server.expect_refusal(&Request::upgrade("/chat").add(origin), 403);
    server.expect_refusal(&Request::upgrade("/chat").add(b"Origin: http://\xff\x9b31m"), 403);
    server.expect_refusal(&Request::upgrade("/chat").add("Origin: http://\x1b[31m"), 400);
    server.expect_refusal(&Request::get("/\u{9b}31m\u{202e}"), 400);
    server.expect_refusal(&Request::get("/\x1b[31m"), 400);
    server.expect_refusal(&Request::get("/%1b%0d%0a"), 404);
    let mut member = server.upgrade("/chat");
    member.send_text(CONTROL_TEXT);
    let text = read_answer(&mut member).payload;
    check::eq(text, CONTROL_TEXT.as_bytes().to_vec(), "members get the text unchanged");
    member.send(ClientFrame::close(4000, CONTROL_TEXT).bytes());
    expect_close(&mut member, 4000);
    server.wait_for_log("Code 4000");
}

/// Expects that the server wrote every line of the log, and that the log has no control character.
fn expect_harmless(log: &str, is_own_line: impl Fn(&str) -> bool) {
    for line in log.lines() {
        check::that(is_own_line(line), format_args!("a line of the server: {line:?}"));
    }
    let is_control = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    check::eq(log.chars().find(|c| is_control(*c)), None, "control characters");
}

#[test]
fn row_23_control_characters_are_escaped_in_the_log() {
    for options in [&[][..], &["--trace"]] {
        let log = log_with_control_text(options);
        expect_harmless(&log, |line| line.starts_with("20") && !line.starts_with("2001"));
        check::that(log.contains("Received message '\\u{1b}[31m\\r\\n2001-"), "text is escaped");
        check::that(log.contains("reason '\\u{1b}[31m\\r\\n2001-"), "a reason is escaped");
        check::that(log.contains("\\\\u{1b}"), "an escape cannot be forged");
    }
}

#[test]
fn row_23_control_characters_are_escaped_in_the_json_log() {
    let reason = |line: &str| {
        let members = json::parse_object(line).ok()?;
        members.into_iter().find(|(name, _)| name == "reason").map(|(_, value)| value)
    };
    for options in [&["--log-format", "json"][..], &["--log-format", "json", "--trace"]] {
        let log = log_with_control_text(options);
        expect_harmless(&log, |line| json::parse_object(line).is_ok());
        let is_logged =
            log.lines().filter_map(reason).any(|r| r == json::Value::Text(CONTROL_TEXT.into()));
        check::that(is_logged, "a JSON parser returns the reason as it was sent");
    }
}

#[test]
fn row_23_control_characters_do_not_disturb_the_chat() {
    attack_and_recover(&[], send_control_text);
}

/// `markup_is_text` in `tests/clients/browser.py` checks that a browser runs none of it.
#[test]
fn row_24_markup_is_delivered_as_text_and_the_policy_allows_only_the_pages_script() {
    attack_and_recover(&[], |server| {
        let policy = server.get("/");
        let policy = policy.field("Content-Security-Policy").unwrap_or_default();
        for rule in ["default-src 'none'", "script-src 'sha256-", "base-uri 'none'"] {
            check::that(policy.contains(rule), format_args!("{rule} in {policy}"));
        }
        check::that(!policy.contains("unsafe"), "no unsafe source in the policy");
        let mut member = server.upgrade("/chat");
        for markup in ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>"] {
            member.send_text(markup);
            check::eq(
                read_answer(&mut member).payload,
                markup.as_bytes().to_vec(),
                "the text unchanged",
            );
        }
    });
}

#[test]
fn row_25_close_reasons_up_to_123_bytes_are_accepted() {
    attack_and_recover(&[], |server| {
        for length in [0, 122, 123] {
            server.upgrade_both(|client| {
                client.send(ClientFrame::close(1000, "r".repeat(length)).bytes());
                expect_failure(client, 1000);
            });
        }
        expect_failure_on_both(server, ClientFrame::close(1000, "r".repeat(124)).bytes(), 1002);
        let cut = [&"r".repeat(121).into_bytes()[..], b"\xe2\x82"].concat();
        expect_failure_on_both(server, ClientFrame::close(1000, cut).bytes(), 1007);
    });
}

/// The client checks each Close when it reads it: its size, and its reason as UTF-8.
#[test]
fn row_25_the_servers_own_close_reasons_fit() {
    attack_and_recover(&["--ping-interval", "0", "--idle-timeout", "1"], |server| {
        expect_failure_on_both(server, ClientFrame::text("").unmasked().bytes(), 1002);
        expect_failure_on_both(server, ClientFrame::text("").rsv(0b010).bytes(), 1002);
        expect_failure_on_both(
            server,
            ClientFrame::text("\u{ff}").declared_length(1).bytes(),
            1007,
        );
        expect_failure_on_both(server, header_with_length(TEXT, 1 << 40).bytes(), 1009);
        let mut member = server.upgrade("/chat");
        member.send(ClientFrame::binary("").bytes());
        expect_close(&mut member, 1003);
        let mut idle = server.upgrade("/echo");
        expect_close(&mut idle, 1001);
    });
}

/// Starts the server with 64 descriptors.
fn start_with_few_descriptors() -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_wirechat")]);
    command.args(["--bind", "127.0.0.1:0"]);
    Server::spawn(command)
}

#[test]
fn row_27_the_server_recovers_when_descriptors_are_free_again() {
    expect_recovery(&start_with_few_descriptors(), MEMORY_TOLERANCE, |server| {
        let clients: Vec<Client> = (0..100).map(|_| server.connect()).collect();
        server.wait_for_log("cannot accept connections");
        drop(clients);
        server.upgrade("/chat").send_and_wait("after the recovery");
        let lines = server.log().matches("cannot accept connections").count();
        check::that(lines <= 3, format_args!("logged {lines} times, not at each attempt"));
    });
}

#[test]
fn row_27_waiting_for_descriptors_uses_no_processor_time() {
    let server = start_with_few_descriptors();
    let clients: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    server.wait_for_log("cannot accept connections");
    eventually("the server waits without spinning", || {
        let before = server.cpu_ticks();
        thread::sleep(Duration::from_secs(1)); // a spin shows even on a busy machine
        server.cpu_ticks() <= before + 3
    });
    drop(clients);
    server.upgrade("/echo").expect_open_and_silent();
}

#[test]
fn row_28_a_slow_frame_is_served() {
    attack_and_recover(&["--ping-interval", "0", "--idle-timeout", "2"], |server| {
        let mut slow = server.upgrade("/echo");
        for byte in ClientFrame::text("a slow frame").bytes() {
            slow.send([byte]);
            thread::sleep(Duration::from_millis(200)); // in total longer than the idle timeout
        }
        slow.expect_text("a slow frame");
    });
}

#[test]
fn row_28_a_client_that_stops_after_a_header_is_disconnected() {
    attack_and_recover(&["--ping-interval", "0", "--idle-timeout", "1"], |server| {
        let mut clients = PATHS.map(|path| server.upgrade(path));
        for client in &mut clients {
            client.send(&ClientFrame::text("start").bytes()[..6]);
        }
        for client in &mut clients {
            expect_close(client, 1001);
            client.expect_any_end();
        }
    });
}

/// A pseudo-random generator (xorshift) with the same numbers in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 20
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).map_or(0, |number| number % end)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// A request head or none, some frames, random bytes, and one random byte somewhere in them.
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
                _ => header_with_length(BINARY, 1 << 20).bytes(),
            });
        }
        wire.extend((0..self.below(300)).map(|_| self.byte()).collect::<Vec<u8>>());
        let place = self.below(wire.len() + 1);
        wire.insert(place, self.byte());
        wire
    }
}

#[test]
fn random_bytes_end_their_connection_only() {
    let mut random = Random(0x5eed);
    attack_and_recover(&[], |server| {
        for round in 0..600 {
            check::case(format_args!("round {round}"));
            let mut client = server.connect();
            let _ = client.try_send(random.wire()); // the server may end the connection first
            client.shutdown_write();
            client.expect_any_end();
        }
    });
}
