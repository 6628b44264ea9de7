//! `--inspect`: who may look at `/wire`, what is seen there, and that looking slows nobody.

mod support;

use std::collections::BTreeSet;

use support::{Client, Masked, Request, Server, check};

const FIELD: &str = "Wirechat-Inspect";

/// The text of an inspector's next message.
#[track_caller]
fn told(inspector: &mut Client) -> String {
    String::from_utf8(inspector.read_message().payload).unwrap_or_else(|error| check::fail(error))
}

/// A number or word that stands behind a name.
fn member<'a>(json: &'a str, name: &str) -> &'a str {
    let Some((_, rest)) = json.split_once(&format!("\"{name}\":")) else { return "" };
    rest.trim_start_matches('"').split(['"', ',', '}']).next().unwrap_or_default()
}

fn number(json: &str, name: &str) -> u64 {
    let word = member(json, name);
    word.parse().unwrap_or_else(|_| check::fail(format_args!("{name} in {json}")))
}

#[test]
fn without_the_option_there_is_nothing_to_see() {
    for options in [&[][..], &["--inspect=off"]] {
        let server = Server::with(options);
        server.refuses(&Request::upgrade("/wire"), 404);
        let page = server.get("/");
        check::eq(page.field(FIELD), None, "a page whose words nobody inspects");
        server.upgrade("/chat").expect_open_and_silent();
    }
}

#[test]
fn only_this_machine_looks_unless_anyone_may() {
    let own = server_and_peer(&["--inspect"]);
    let any = server_and_peer(&["--inspect=any"]);
    for (what, lines, is_own) in [
        ("nothing more", &[][..], true),
        ("a page of its own", &["Origin: http://localhost"], true),
        ("another name, as behind a proxy", &["Host: chat.example"], false),
        ("a proxy's word", &["X-Forwarded-For: 192.0.2.1"], false),
        ("a proxy's other word", &["Forwarded: for=192.0.2.1"], false),
    ] {
        check::case(what);
        let with = |request: Request| {
            lines.iter().fold(request, |request, line| match line.split_once(": ") {
                Some(("Host", host)) => request.set("Host", host),
                _ => request.add(line),
            })
        };
        any.accepts(&with(Request::upgrade("/wire")));
        let page = with(Request::get("/").add("Connection: close"));
        if is_own {
            own.accepts(&with(Request::upgrade("/wire")));
        } else {
            let refusal = own.refuses(&with(Request::upgrade("/wire")), 403);
            check::that(refusal.text().contains("own machine"), refusal.text());
        }
        let place = if is_own { "here" } else { "elsewhere" };
        check::eq(
            own.ask(&page).read_response().field(FIELD),
            Some(place),
            "what the page is told",
        );
        check::eq(
            any.ask(&page).read_response().field(FIELD),
            Some("here"),
            "what the page is told",
        );
    }
}

fn server_and_peer(options: &[&str]) -> Server {
    let server = Server::with(options);
    check::that(server.log().contains("at /wire"), "the operator is told");
    server
}

#[test]
fn pages_of_other_sites_do_not_look() {
    for options in [&["--inspect"][..], &["--inspect=any"]] {
        let server = Server::with(options);
        for origin in ["http://evil.test", "http://localhost:1", "null"] {
            let request = Request::upgrade("/wire").add(format!("Origin: {origin}"));
            server.refuses(&request, 403);
        }
        let rebound = Request::upgrade("/wire").set("Host", "evil.test");
        server.refuses(&rebound.add("Origin: http://evil.test"), 403);
    }
    let server = Server::with(&["--inspect", "--origin", "https://teach.example"]);
    server.accepts(&Request::upgrade("/wire").add("Origin: https://teach.example"));
}

#[test]
fn those_who_look_are_logged_and_bound_by_the_same_rules() {
    let server = Server::with(&["--inspect"]);
    let mut inspector = server.upgrade("/wire");
    server.await_log("Showing the wire to 1 (127.0.0.1:");
    inspector.expect_open();
    inspector.send(Masked::binary([1, 2, 3]).bytes());
    let reason = inspector.expect_close(Some(1003));
    check::eq(&*reason, b"/wire takes frames as hex in text only", "why");
    let mut inspector = server.upgrade("/wire");
    inspector.send(Masked::text("81").unmasked().bytes());
    inspector.expect_failure(1002);
    let mut inspector = server.upgrade("/wire");
    inspector.close_normally();
    server.signal("TERM");
    check::eq(server.wait().code(), Some(0), "exit status");
}

/// The word for a frame's opcode.
fn word(json: &str) -> &str {
    json.split_once("\"opcode\":").map_or("", |(_, rest)| member(rest, "name"))
}

/// What was said of one thing that crossed the wire.
fn brief(json: &str) -> String {
    let kind = if member(json, "kind") == "head" { "head" } else { word(json) };
    let fields = [member(json, "connection"), member(json, "from"), kind];
    fields.join(" ")
}

#[test]
fn each_head_and_frame_is_shown_in_its_order() {
    let server = Server::with(&["--inspect"]);
    let (mut one, mut other) = (server.upgrade("/wire"), server.upgrade("/wire"));
    let mut member = server.upgrade("/chat");
    member.send(Masked::text("Hello").bytes());
    member.expect_text("Hello");
    member.send(Masked::ping("x").bytes());
    member.expect_frame(support::frame::PONG, "x");
    member.send(Masked::text("in ").more().bytes());
    member.send(Masked::continuation("two").bytes());
    member.expect_text("in two");
    member.close_normally();
    let wanted = [
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
        let texts: Vec<String> = wanted.iter().map(|_| told(inspector)).collect();
        let seen: Vec<String> = texts.iter().map(|text| brief(text)).collect();
        check::eq(seen.join(", "), wanted.join(", "), "what crossed the wire");
        let numbers: BTreeSet<u64> = texts.iter().map(|text| number(text, "number")).collect();
        check::eq(numbers.len(), wanted.len(), "different numbers");
        inspector.expect_open_and_silent(); // nothing of /wire itself, the other inspector's neither
    }
}

#[test]
fn a_handshake_is_shown_with_the_computation_of_its_answer() {
    let server = Server::with(&["--inspect"]);
    let mut inspector = server.upgrade("/wire");
    server.upgrade("/echo").close_normally();
    let request = told(&mut inspector);
    check::that(
        request.contains("\"lines\":[\"GET /echo HTTP/1.1\",\"Host: localhost\""),
        &request,
    );
    check::eq(member(&request, "sha1"), "b37a4f2cc0624f1690f64606cf385945b2bec4ea", "section 1.3");
    check::that(request.contains("\"accept\":\"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\""), &request);
    let response = told(&mut inspector);
    check::that(response.contains("\"HTTP/1.1 101 Switching Protocols\""), &response);

    // A handshake that fails is shown too, also one that is no HTTP; pages are not.
    server.get("/");
    server.get("/healthz");
    server.refuses(&Request::upgrade("/chat").without("Sec-WebSocket-Key"), 400);
    server.refuses(&Request::upgrade("/chat").line("GET  /chat"), 400);
    server.refuses(&Request::upgrade("/wire").add("Origin: http://evil.test"), 403);
    while !word(&told(&mut inspector)).is_empty() {}
    let seen = [told(&mut inspector), told(&mut inspector), told(&mut inspector)];
    check::that(seen[0].contains("400 Bad Request"), &seen[0]);
    check::that(seen[1].contains("GET  /chat"), &seen[1]);
    check::that(seen[2].contains("400 Bad Request"), &seen[2]);
    inspector.expect_open_and_silent();
}

#[test]
fn the_octets_of_a_violation_are_shown_with_its_rule() {
    let server = Server::with(&["--inspect"]);
    for (what, octets, section, code) in [
        ("RSV1 in the very first octet", &[0xc1][..], "5.2", 1002),
        ("not masked", &[0x81, 0x05], "5.1", 1002),
        ("a ping of 126", &[0x89, 0xfe], "5.5", 1002),
        ("nothing to continue", &[0x80, 0x80, 1, 2, 3, 4], "5.4", 1002),
        ("not UTF-8, at once", &[0x81, 0x85, 0, 0, 0, 0, 0xff], "8.1", 1007),
    ] {
        check::case(what);
        let mut inspector = server.upgrade("/wire");
        let mut client = server.upgrade("/echo");
        client.send(octets);
        client.expect_failure(code);
        let frame = (0..3).map(|_| told(&mut inspector)).last().unwrap_or_default();
        let violation = format!("\"violations\":[{{\"section\":\"{section}\"");
        check::that(frame.contains(&violation), &frame);
        check::that(frame.contains(&format!("\"code\":{code}}}")), &frame);
        check::eq(word(&told(&mut inspector)), "close", "the server's last frame");
    }
}

#[test]
fn a_frame_that_is_cut_off_is_shown_as_far_as_it_came() {
    let server = Server::with(&["--inspect", "--trace"]);
    let mut inspector = server.upgrade("/wire");
    let mut gone = server.upgrade("/echo");
    gone.send(&Masked::text("Hello").bytes()[..8]);
    gone.shutdown_write();
    gone.expect_any_end();
    let mut large = server.upgrade("/echo");
    large.send(
        Masked::text("Hello").declaring(5_000_000).form(support::frame::Form::Bits64).bytes(),
    );
    large.expect_failure(1009);
    let mut cut = Vec::new();
    while cut.len() < 2 {
        cut.push(told(&mut inspector));
        cut.retain(|json| member(json, "kind") == "frame" && number(json, "missing") != 0);
    }
    check::eq((member(&cut[0], "payload"), number(&cut[0], "missing")), ("4865", 3), "what came");
    check::eq(number(&cut[1], "missing"), 4_999_995, "what a large one lacks");
    server.await_log("<- #2 text FIN masked 37fa213d len 5 of which 2 came \"He…\"");
    server.await_log("<- #3 text FIN masked 37fa213d len 5000000 of which 5 came \"Hello…\"");
}

#[test]
fn what_would_be_answered_is_what_is_answered() {
    let server = Server::with(&["--inspect"]);
    for (what, octets) in [
        ("a text", Masked::text("Hello").bytes()),
        ("two fragments with a ping between", {
            let ping = Masked::ping("p").bytes();
            [Masked::text("a").more().bytes(), ping, Masked::continuation("b").bytes()].concat()
        }),
        ("binary", Masked::binary([1, 2]).bytes()),
        ("close", Masked::close(1001, "bye").bytes()),
        ("a close code that only a client may send", Masked::close(1010, "").bytes()),
        ("an empty close", Masked::new(support::frame::CLOSE, "").bytes()),
        ("a close code that must not be sent", Masked::close(1005, "").bytes()),
        ("a reserved bit", Masked::text("x").rsv(2).bytes()),
        ("a reserved opcode", Masked::new(3, "").bytes()),
        ("not masked", Masked::text("x").unmasked().bytes()),
        ("a long form", Masked::text("x").form(support::frame::Form::Bits64).bytes()),
        ("text that is not UTF-8", Masked::text([0xff]).bytes()),
    ] {
        check::case(what);
        let mut inspector = server.upgrade("/wire");
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        inspector.send(Masked::text(hex).bytes());
        let told = told(&mut inspector);
        let answers = told.split("\"answer\":\"").skip(1).map(|rest| rest.split('"').next());
        let answers: String = answers.flatten().collect();

        let mut client = server.upgrade("/chat");
        client.send(octets);
        let answered = client.read_bytes(answers.len() / 2);
        let answered: String = answered.iter().map(|octet| format!("{octet:02x}")).collect();
        check::eq(&*answered, &*answers, "the octets of the answer");
        check::that(!answers.is_empty(), told);
    }
}

/// Frames that were told, and how many were lost.
fn count(inspector: &mut Client, total: u64) -> (u64, u64) {
    let (mut frames, mut lost) = (0, 0);
    while frames + lost < total {
        let text = told(inspector);
        match member(&text, "kind") {
            "lost" => lost += number(&text, "frames"),
            "frame" => frames += 1,
            _ => (),
        }
    }
    (frames, lost)
}

#[test]
fn an_inspector_that_does_not_read_loses_frames_and_holds_up_nobody() {
    const EACH: usize = 400;
    let server = Server::with(&["--inspect"]);
    let mut deaf = server.upgrade("/wire");
    let mut client = server.upgrade("/echo");
    let batch = Masked::text("x".repeat(4000)).bytes().repeat(EACH);
    let mut sent = 0;
    // More than any socket takes: what does not fit is lost, and the echo goes on.
    while sent < 20 * EACH {
        client.send(&batch);
        (0..EACH).for_each(|_| client.expect_text("x".repeat(4000)));
        sent += EACH;
    }
    let total = 2 * sent as u64;
    let (frames, lost) = count(&mut deaf, total);
    check::eq(frames + lost, total, "each frame is told or counted");
    check::that(0 < frames && 0 < lost, format_args!("{frames} told, {lost} lost"));
    client.expect_open_and_silent();
    check::that(server.memory() < 60_000, format_args!("{} kB", server.memory()));
}

/// Nothing follows that could remind the server of it.
#[test]
fn what_an_inspector_lost_is_told_once_it_reads_again() {
    const EACH: usize = 100;
    let server = Server::with(&["--inspect"]);
    let (mut deaf, mut keen) = (server.upgrade("/wire"), server.upgrade("/wire"));
    let mut client = server.upgrade("/echo");
    let batch = Masked::text("x".repeat(4000)).bytes().repeat(EACH);
    let (mut total, mut told) = (0, 0);
    // Each is some 16 kB to tell: in the end more than any socket takes.
    while told < 4000 {
        client.send(&batch);
        (0..EACH).for_each(|_| client.expect_text("x".repeat(4000)));
        let (frames, _) = count(&mut keen, 2 * EACH as u64);
        told += frames;
        total += 2 * EACH as u64;
    }
    let (frames, lost) = count(&mut deaf, total);
    check::that(frames < told, format_args!("{frames} of {told} told, {lost} lost"));
    check::eq(frames + lost, total, "each frame is told or counted");
}

#[test]
fn frames_beyond_all_measure_are_counted_too() {
    const PONGS: usize = 100_000;
    let server = Server::with(&["--inspect"]);
    let mut inspector = server.upgrade("/wire");
    let mut client = server.upgrade("/echo");
    client.send(Masked::pong("").bytes().repeat(PONGS));
    client.expect_open();
    let (frames, lost) = count(&mut inspector, PONGS as u64 + 2); // and the ping that shows it alive, with its pong
    check::that(0 < frames && 0 < lost, format_args!("{frames} told, {lost} lost"));
    inspector.expect_open_and_silent();
}

/// What the trace says of a connection and a direction, without times.
fn traced(log: &str, prefix: &str) -> Vec<String> {
    let lines = log.lines().filter_map(|line| line.split_once(prefix));
    lines.map(|(_, rest)| rest.trim_end().to_owned()).collect()
}

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
fn a_full_trace_has_the_picture_of_each_frame() {
    let server = Server::with(&["--trace=full"]);
    let mut client = server.upgrade("/echo");
    client.send(Masked::text("Hello").bytes());
    client.expect_text("Hello");
    client.send([0xc1]);
    client.expect_failure(1002);
    let log = server.await_log("-> #1 close FIN len");
    let told = traced(&log, " <- #1 ").join("\n");
    check::that(told.contains(HELLO), &told);
    let violation =
        "violation: reserved bit set without an extension (RFC 6455, 5.2), fails with 1002: c1";
    check::that(told.contains(&format!("{HELLO}\n{violation}\n 0    ")), &told);
    check::that(told.ends_with("|F|R|R|R|opcode |\n+-+-+-+-+-------+"), &told);
    let answers = traced(&log, " -> #1 ").join("\n");
    check::that(
        answers.contains("|1|0|0|0|0 0 0 1|0|0 0 0 0 1 0 1|0 1 0 0 1 0 0 0|0 1 1 0 0 1 0 1|"),
        &answers,
    );
}

#[test]
fn a_trace_shows_no_frame_of_the_wire_itself() {
    let server = Server::with(&["--inspect", "--trace"]);
    let mut inspector = server.upgrade("/wire");
    let mut client = server.upgrade("/echo");
    client.send(Masked::text("Hello").bytes());
    client.expect_text("Hello");
    client.close_normally();
    (0..2).for_each(|_| while word(&told(&mut inspector)) != "close" {}); // the client's, the server's
    let log = server.await_log("-> #2 close FIN");
    check::eq(
        traced(&log, " <- #2 ").iter().filter(|line| line.starts_with("text")).count(),
        1,
        "texts",
    );
    check::eq(traced(&log, " <- #1 ")[0].as_str(), "GET /wire HTTP/1.1", "its handshake");
    let answer = traced(&log, " -> #1 ");
    check::eq(answer[0].as_str(), "HTTP/1.1 101 Switching Protocols", "its answer");
    check::that(!answer.iter().any(|line| line.contains("FIN")), log);
    server.refuses(&Request::upgrade("/wire").add("Origin: http://evil.test"), 403);
    server.await_log("-> #3 HTTP/1.1 403 Forbidden");
    inspector.expect_open_and_silent(); // the answers are for the log alone
}
