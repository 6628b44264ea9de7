//! `--inspect`: which clients may open `/wire`, what it sends to an inspector, and that an inspector does
//! not delay other clients.

mod support;

use std::collections::BTreeSet;

use support::frame::{CLOSE, LengthForm, PONG};
use support::{Client, ClientFrame, Request, Server, check};

const FIELD: &str = "Wirechat-Inspect";

/// Reads an inspector's next message.
#[track_caller]
fn read_json(inspector: &mut Client) -> String {
    String::from_utf8(inspector.read_message().payload).unwrap_or_else(|error| check::fail(error))
}

/// The number or string value of a JSON member, by its name.
fn member<'a>(json: &'a str, name: &str) -> &'a str {
    let Some((_, rest)) = json.split_once(&format!("\"{name}\":")) else { return "" };
    rest.trim_start_matches('"').split(['"', ',', '}']).next().unwrap_or_default()
}

fn number(json: &str, name: &str) -> u64 {
    let digits = member(json, name);
    digits.parse().unwrap_or_else(|_| check::fail(format_args!("{name} in {json}")))
}

#[test]
fn without_the_option_wire_is_not_found() {
    for options in [&[][..], &["--inspect=off"]] {
        let server = Server::with(options);
        server.expect_refusal(&Request::upgrade("/wire"), 404);
        let page = server.get("/");
        check::eq(page.field(FIELD), None, "the page's inspection field");
        server.upgrade("/chat").expect_open_and_silent();
    }
}

#[test]
fn only_this_machine_may_inspect_unless_the_option_is_any() {
    let own = server_with_inspector(&["--inspect"]);
    let any = server_with_inspector(&["--inspect=any"]);
    for (what, lines, is_own) in [
        ("a direct request", &[][..], true),
        ("the server's own page", &["Origin: http://localhost"], true),
        ("another host name, as through a proxy", &["Host: chat.example"], false),
        ("X-Forwarded-For of a proxy", &["X-Forwarded-For: 192.0.2.1"], false),
        ("Forwarded of a proxy", &["Forwarded: for=192.0.2.1"], false),
    ] {
        check::case(what);
        let with = |request: Request| {
            lines.iter().fold(request, |request, line| match line.split_once(": ") {
                Some(("Host", host)) => request.set("Host", host),
                _ => request.add(line),
            })
        };
        any.expect_upgrade(&with(Request::upgrade("/wire")));
        let page = with(Request::get("/").add("Connection: close"));
        if is_own {
            own.expect_upgrade(&with(Request::upgrade("/wire")));
        } else {
            let refusal = own.expect_refusal(&with(Request::upgrade("/wire")), 403);
            check::that(refusal.text().contains("on the server's machine"), refusal.text());
        }
        let place = if is_own { "here" } else { "elsewhere" };
        check::eq(
            own.send_request(&page).read_response().field(FIELD),
            Some(place),
            "the page's inspection field",
        );
        check::eq(
            any.send_request(&page).read_response().field(FIELD),
            Some("here"),
            "the page's inspection field",
        );
    }
}

/// Starts a server and expects that its log names `/wire`.
fn server_with_inspector(options: &[&str]) -> Server {
    let server = Server::with(options);
    check::that(server.log().contains("at /wire"), "the log names /wire");
    server
}

#[test]
fn a_page_of_another_site_may_not_inspect() {
    for options in [&["--inspect"][..], &["--inspect=any"]] {
        let server = Server::with(options);
        for origin in ["http://evil.test", "http://localhost:1", "null"] {
            let request = Request::upgrade("/wire").add(format!("Origin: {origin}"));
            server.expect_refusal(&request, 403);
        }
        let rebinding = Request::upgrade("/wire").set("Host", "evil.test");
        server.expect_refusal(&rebinding.add("Origin: http://evil.test"), 403);
    }
    let server = Server::with(&["--inspect", "--origin", "https://teach.example"]);
    server.expect_upgrade(&Request::upgrade("/wire").add("Origin: https://teach.example"));
}

#[test]
fn an_inspector_is_logged_and_must_follow_the_protocol() {
    let server = Server::with(&["--inspect"]);
    let mut inspector = server.upgrade("/wire");
    server.wait_for_log("Showing the wire to 1 (127.0.0.1:");
    inspector.expect_open();
    inspector.send(ClientFrame::binary([1, 2, 3]).bytes());
    let reason = inspector.expect_close(Some(1003));
    check::eq(&*reason, b"/wire takes frames as hex in text only", "reason");
    let mut inspector = server.upgrade("/wire");
    inspector.send(ClientFrame::text("81").unmasked().bytes());
    inspector.expect_failure(1002);
    let mut inspector = server.upgrade("/wire");
    inspector.close_normally();
    server.signal("TERM");
    check::eq(server.wait().code(), Some(0), "exit status");
}

/// The name of a frame's opcode; empty for a head.
fn opcode_name(json: &str) -> &str {
    json.split_once("\"opcode\":").map_or("", |(_, rest)| member(rest, "name"))
}

/// Connection, sender and kind of one head or frame.
fn summary(json: &str) -> String {
    let kind = if member(json, "kind") == "head" { "head" } else { opcode_name(json) };
    let fields = [member(json, "connection"), member(json, "from"), kind];
    fields.join(" ")
}

#[test]
fn each_head_and_frame_is_shown_in_order() {
    let server = Server::with(&["--inspect"]);
    let (mut one, mut other) = (server.upgrade("/wire"), server.upgrade("/wire"));
    let mut member = server.upgrade("/chat");
    member.send_text("Hello");
    member.expect_text("Hello");
    member.send(ClientFrame::ping("x").bytes());
    member.expect_frame(PONG, "x");
    member.send(ClientFrame::text("in ").without_fin().bytes());
    member.send(ClientFrame::continuation("two").bytes());
    member.expect_text("in two");
    member.close_normally();
    let expected = [
        "3 client head",
        "3 server head",
        "3 server text",
        "3 client text",
        "3 server text",
        "3 client ping",
        "3 server pong",
        "3 client text",
        "3 client continuation",
        "3 server text",
        "3 client close",
        "3 server close",
    ];
    for inspector in [&mut one, &mut other] {
        let texts: Vec<String> = expected.iter().map(|_| read_json(inspector)).collect();
        let seen: Vec<String> = texts.iter().map(|text| summary(text)).collect();
        check::eq(seen.join(", "), expected.join(", "), "heads and frames");
        let numbers: BTreeSet<u64> = texts.iter().map(|text| number(text, "number")).collect();
        check::eq(numbers.len(), expected.len(), "different numbers");
        inspector.expect_open_and_silent(); // nothing about /wire, not even the other inspector's
    }
}

#[test]
fn a_handshake_is_shown_with_the_computation_of_its_accept_value() {
    let server = Server::with(&["--inspect"]);
    let mut inspector = server.upgrade("/wire");
    server.upgrade("/echo").close_normally();
    let request = read_json(&mut inspector);
    check::that(
        request.contains("\"lines\":[\"GET /echo HTTP/1.1\",\"Host: localhost\""),
        &request,
    );
    check::eq(member(&request, "sha1"), "b37a4f2cc0624f1690f64606cf385945b2bec4ea", "section 1.3");
    check::that(request.contains("\"accept\":\"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\""), &request);
    let response = read_json(&mut inspector);
    check::that(response.contains("\"HTTP/1.1 101 Switching Protocols\""), &response);

    // A handshake that fails is shown too, even if it is not HTTP; pages are not shown.
    server.get("/");
    server.get("/healthz");
    server.expect_refusal(&Request::upgrade("/chat").without("Sec-WebSocket-Key"), 400);
    server.expect_refusal(&Request::upgrade("/chat").request_line("GET  /chat"), 400);
    server.expect_refusal(&Request::upgrade("/wire").add("Origin: http://evil.test"), 403);
    while !opcode_name(&read_json(&mut inspector)).is_empty() {}
    let seen = [read_json(&mut inspector), read_json(&mut inspector), read_json(&mut inspector)];
    check::that(seen[0].contains("400 Bad Request"), &seen[0]);
    check::that(seen[1].contains("GET  /chat"), &seen[1]);
    check::that(seen[2].contains("400 Bad Request"), &seen[2]);
    inspector.expect_open_and_silent();
}

#[test]
fn the_bytes_of_a_violation_are_shown_with_its_rule() {
    let server = Server::with(&["--inspect"]);
    for (what, bytes, section, code) in [
        ("RSV1 in the first byte", &[0xc1][..], "5.2", 1002),
        ("not masked", &[0x81, 0x05], "5.1", 1002),
        ("a ping of 126", &[0x89, 0xfe], "5.5", 1002),
        ("no message to continue", &[0x80, 0x80, 1, 2, 3, 4], "5.4", 1002),
        ("not UTF-8, before the end of the frame", &[0x81, 0x85, 0, 0, 0, 0, 0xff], "8.1", 1007),
    ] {
        check::case(what);
        let mut inspector = server.upgrade("/wire");
        let mut client = server.upgrade("/echo");
        client.send(bytes);
        client.expect_failure(code);
        let frame = (0..3).map(|_| read_json(&mut inspector)).last().unwrap_or_default();
        let violation = format!("\"violations\":[{{\"section\":\"{section}\"");
        check::that(frame.contains(&violation), &frame);
        check::that(frame.contains(&format!("\"code\":{code}}}")), &frame);
        check::eq(opcode_name(&read_json(&mut inspector)), "close", "the server's last frame");
    }
}

#[test]
fn an_incomplete_frame_is_shown_as_far_as_it_was_received() {
    let server = Server::with(&["--inspect", "--trace"]);
    let mut inspector = server.upgrade("/wire");
    let mut leaving = server.upgrade("/echo");
    leaving.send(&ClientFrame::text("Hello").bytes()[..8]);
    leaving.shutdown_write();
    leaving.expect_any_end();
    let mut large = server.upgrade("/echo");
    large.send(
        ClientFrame::text("Hello")
            .declared_length(5_000_000)
            .length_form(LengthForm::Bits64)
            .bytes(),
    );
    large.expect_failure(1009);
    let mut cut = Vec::new();
    while cut.len() < 2 {
        cut.push(read_json(&mut inspector));
        cut.retain(|json| member(json, "kind") == "frame" && number(json, "missing") != 0);
    }
    check::eq(
        (member(&cut[0], "payload"), number(&cut[0], "missing")),
        ("4865", 3),
        "the received payload",
    );
    check::eq(number(&cut[1], "missing"), 4_999_995, "missing bytes of the large frame");
    server.wait_for_log("<- #2 text FIN masked 37fa213d len 5 (2 received) \"He…\"");
    server.wait_for_log("<- #3 text FIN masked 37fa213d len 5000000 (5 received) \"Hello…\"");
}

#[test]
fn the_simulated_answer_is_the_servers_answer() {
    let server = Server::with(&["--inspect"]);
    for (what, bytes) in [
        ("a text", ClientFrame::text("Hello").bytes()),
        ("two fragments with a ping between", {
            let ping = ClientFrame::ping("p").bytes();
            [
                ClientFrame::text("a").without_fin().bytes(),
                ping,
                ClientFrame::continuation("b").bytes(),
            ]
            .concat()
        }),
        ("binary", ClientFrame::binary([1, 2]).bytes()),
        ("close", ClientFrame::close(1001, "bye").bytes()),
        ("a close code that only a client may send", ClientFrame::close(1010, "").bytes()),
        ("an empty close", ClientFrame::new(CLOSE, "").bytes()),
        ("a close code that must not be sent", ClientFrame::close(1005, "").bytes()),
        ("a reserved bit", ClientFrame::text("x").rsv(2).bytes()),
        ("a reserved opcode", ClientFrame::new(3, "").bytes()),
        ("not masked", ClientFrame::text("x").unmasked().bytes()),
        ("a long form", ClientFrame::text("x").length_form(LengthForm::Bits64).bytes()),
        ("text that is not UTF-8", ClientFrame::text([0xff]).bytes()),
    ] {
        check::case(what);
        let mut inspector = server.upgrade("/wire");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        inspector.send_text(hex);
        let json = read_json(&mut inspector);
        let answers = json.split("\"answer\":\"").skip(1).map(|rest| rest.split('"').next());
        let answers: String = answers.flatten().collect();

        let mut client = server.upgrade("/chat");
        client.send(bytes);
        let answered = client.read_bytes(answers.len() / 2);
        let answered: String = answered.iter().map(|byte| format!("{byte:02x}")).collect();
        check::eq(&*answered, &*answers, "the bytes of the answer");
        check::that(!answers.is_empty(), json);
    }
}

/// Reads messages about `total` frames; returns how many were shown and how many were reported as lost.
fn count_frames(inspector: &mut Client, total: u64) -> (u64, u64) {
    let (mut frames, mut lost) = (0, 0);
    while frames + lost < total {
        let text = read_json(inspector);
        match member(&text, "kind") {
            "lost" => lost += number(&text, "frames"),
            "frame" => frames += 1,
            _ => (),
        }
    }
    (frames, lost)
}

#[test]
fn an_inspector_that_does_not_read_loses_frames_and_delays_no_client() {
    const EACH: usize = 400;
    let server = Server::with(&["--inspect"]);
    let mut non_reader = server.upgrade("/wire");
    let mut client = server.upgrade("/echo");
    let batch = ClientFrame::text("x".repeat(4000)).bytes().repeat(EACH);
    let mut sent = 0;
    // More than the socket buffers hold: the rest is lost, and the echo continues.
    while sent < 20 * EACH {
        client.send(&batch);
        (0..EACH).for_each(|_| client.expect_text("x".repeat(4000)));
        sent += EACH;
    }
    let total = 2 * sent as u64;
    let (frames, lost) = count_frames(&mut non_reader, total);
    check::eq(frames + lost, total, "each frame is shown or counted as lost");
    check::that(0 < frames && 0 < lost, format_args!("{frames} shown, {lost} lost"));
    client.expect_open_and_silent();
    check::that(server.memory() < 60_000, format_args!("{} kB", server.memory()));
}

/// The server sends the number of lost frames even if no other frame follows.
#[test]
fn an_inspector_that_reads_again_gets_the_number_of_lost_frames() {
    const EACH: usize = 100;
    let server = Server::with(&["--inspect"]);
    let (mut non_reader, mut reader) = (server.upgrade("/wire"), server.upgrade("/wire"));
    let mut client = server.upgrade("/echo");
    let batch = ClientFrame::text("x".repeat(4000)).bytes().repeat(EACH);
    let (mut total, mut shown) = (0, 0);
    // Each takes some 16 kB to show: in total more than the socket buffers hold.
    while shown < 4000 {
        client.send(&batch);
        (0..EACH).for_each(|_| client.expect_text("x".repeat(4000)));
        let (frames, _) = count_frames(&mut reader, 2 * EACH as u64);
        shown += frames;
        total += 2 * EACH as u64;
    }
    let (frames, lost) = count_frames(&mut non_reader, total);
    check::that(frames < shown, format_args!("{frames} of {shown} shown, {lost} lost"));
    check::eq(frames + lost, total, "each frame is shown or counted as lost");
}

#[test]
fn frames_above_the_inspectors_limit_are_counted_as_lost() {
    const PONGS: usize = 100_000;
    let server = Server::with(&["--inspect"]);
    let mut inspector = server.upgrade("/wire");
    let mut client = server.upgrade("/echo");
    client.send(ClientFrame::pong("").bytes().repeat(PONGS));
    client.expect_open();
    let (frames, lost) = count_frames(&mut inspector, PONGS as u64 + 2); // and a ping with its pong
    check::that(0 < frames && 0 < lost, format_args!("{frames} shown, {lost} lost"));
    inspector.expect_open_and_silent();
}

/// The trace lines of a connection and a direction, without times.
fn traced(log: &str, prefix: &str) -> Vec<String> {
    let lines = log.lines().filter_map(|line| line.split_once(prefix));
    lines.map(|(_, rest)| rest.trim_end().to_owned()).collect()
}

/// A masked text frame `Hello` in the full trace.
const HELLO: &str = "\
text FIN masked 37fa213d len 5 \"Hello\"
 0                   1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
+-+-+-+-+-------+-+-------------+-------------------------------+
|1|0|0|0|0 0 0 1|1|0 0 0 0 1 0 1|0 0 1 1 0 1 1 1 1 1 1 1 1 0 1 0|
|F|R|R|R|opcode |M| Payload len |       Masking-key 37 fa       |
+-+-+-+-+-------+-+-------------+---------------+---------------+
|0 0 1 0 0 0 0 1 0 0 1 1 1 1 0 1|0 1 1 1 1 1 1 1|1 0 0 1 1 1 1 1|
|       Masking-key 21 3d       |  7f: 48 'H'   |  9f: 65 'e'   |
+---------------+---------------+---------------+---------------+
|0 1 0 0 1 1 0 1|0 1 0 1 0 0 0 1|0 1 0 1 1 0 0 0|
|  4d: 6c 'l'   |  51: 6c 'l'   |  58: 6f 'o'   |
+---------------+---------------+---------------+";

#[test]
fn the_full_trace_has_a_picture_of_each_frame() {
    let server = Server::with(&["--trace=full"]);
    let mut client = server.upgrade("/echo");
    client.send_text("Hello");
    client.expect_text("Hello");
    client.send([0xc1]);
    client.expect_failure(1002);
    let log = server.wait_for_log("-> #1 close FIN len");
    let received = traced(&log, " <- #1 ").join("\n");
    check::that(received.contains(HELLO), &received);
    let violation =
        "violation: reserved bit set without an extension (RFC 6455, 5.2), fails with 1002: c1";
    check::that(received.contains(&format!("{HELLO}\n{violation}\n 0    ")), &received);
    check::that(received.ends_with("|F|R|R|R|opcode |\n+-+-+-+-+-------+"), &received);
    let answers = traced(&log, " -> #1 ").join("\n");
    check::that(
        answers.contains("|1|0|0|0|0 0 0 1|0|0 0 0 0 1 0 1|0 1 0 0 1 0 0 0|0 1 1 0 0 1 0 1|"),
        &answers,
    );
}

#[test]
fn the_trace_shows_no_frame_of_an_inspector() {
    let server = Server::with(&["--inspect", "--trace"]);
    let mut inspector = server.upgrade("/wire");
    let mut client = server.upgrade("/echo");
    client.send_text("Hello");
    client.expect_text("Hello");
    client.close_normally();
    (0..2).for_each(|_| while opcode_name(&read_json(&mut inspector)) != "close" {});
    let log = server.wait_for_log("-> #2 close FIN");
    check::eq(
        traced(&log, " <- #2 ").iter().filter(|line| line.starts_with("text")).count(),
        1,
        "texts",
    );
    check::eq(traced(&log, " <- #1 ")[0].as_str(), "GET /wire HTTP/1.1", "its handshake");
    let answer = traced(&log, " -> #1 ");
    check::eq(answer[0].as_str(), "HTTP/1.1 101 Switching Protocols", "its answer");
    check::that(!answer.iter().any(|line| line.contains("FIN")), log);
    server.expect_refusal(&Request::upgrade("/wire").add("Origin: http://evil.test"), 403);
    server.wait_for_log("-> #3 HTTP/1.1 403 Forbidden");
    inspector.expect_open_and_silent(); // the rejected handshake is only in the log
}
