//! The HTTP requirements for a server that accepts upgrades and has a page: RFC 9110, RFC 9112, RFC 6585.
//! RFC 8441 (WebSocket over HTTP/2) is not supported.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::probe::expect_no_reset_while_sending;
use crate::support::{
    Client, ClientFrame, PATHS, Request, Response, Server, WELCOME, check, frame, on_both_paths,
};

tests! {
    http_2_preface_gets_505: ["8441-a"],
    head_is_parsed_as_bytes: ["H-1"],
    line_that_ends_with_lf_alone_gets_400: ["H-2"],
    bare_cr_gets_400: ["H-3"],
    empty_lines_before_the_request_are_skipped: ["H-4"],
    space_before_the_first_field_gets_400: ["H-5"],
    bytes_that_are_not_http_get_400_and_the_connection_ends: ["H-6"],
    malformed_http_version_gets_400: ["H-7"],
    extra_space_in_the_request_line_gets_400: ["H-8"],
    unknown_method_gets_501: ["H-9"],
    target_over_8000_bytes_gets_414: ["H-10"],
    target_of_8000_bytes_is_not_too_long: ["H-11"],
    malformed_request_line_gets_400: ["H-12"],
    request_without_host_gets_400: ["H-13"],
    second_host_gets_400: ["H-14"],
    malformed_host_gets_400: ["H-15"],
    absolute_target_is_accepted_and_overrides_host: ["H-16", "H-17"],
    get_with_an_asterisk_or_authority_target_gets_400: ["H-18"],
    every_response_is_well_formed: ["H-19", "H-23", "H-60"],
    space_before_a_colon_gets_400: ["H-20"],
    malformed_field_line_gets_400: ["H-21"],
    folded_line_gets_400: ["H-22"],
    chunked_body_is_never_read_as_a_request: ["H-24"],
    unknown_transfer_coding_gets_501: ["H-25"],
    transfer_coding_that_does_not_end_in_chunked_gets_400: ["H-26"],
    content_length_with_transfer_encoding_gets_400: ["H-27"],
    transfer_coding_in_http_1_0_ends_the_connection: ["H-28"],
    invalid_content_length_gets_400: ["H-29"],
    huge_content_length_does_not_overflow: ["H-30"],
    body_of_an_upgrade_is_never_read_as_frames: ["H-31", "H-33"],
    content_length_0_is_accepted: ["H-32"],
    unread_body_ends_the_connection: ["H-34"],
    last_response_has_connection_close: ["H-35"],
    connection_is_kept_for_more_requests: ["H-36"],
    connection_close_ends_the_connection: ["H-37"],
    refusal_is_not_lost_to_a_reset: ["H-38"],
    incomplete_head_is_not_answered_before_the_timeout: ["H-39"],
    head_beyond_the_limits_gets_431: ["H-40"],
    control_character_in_a_value_gets_400: ["H-41"],
    response_426_has_upgrade_websocket: ["H-42"],
    response_405_lists_the_allowed_methods: ["H-45"],
    known_method_gets_405_and_unknown_501: ["H-46"],
    get_and_head_are_supported: ["H-47"],
    response_to_head_has_no_content: ["H-48"],
    response_to_head_has_the_fields_of_get: ["H-49"],
    content_has_a_content_length_and_a_content_type: ["H-50", "H-51"],
    every_response_has_a_date: ["H-52"],
    response_100_is_sent_before_the_101: ["H-53"],
    unknown_expectation_is_ignored_or_refused: ["H-54"],
    other_major_version_gets_505: ["H-56"],
    head_that_takes_too_long_gets_408: ["H-57"],
    pipelined_requests_are_answered_in_order: ["H-58"],
    request_after_a_refused_upgrade_is_not_answered: ["H-59"],
    second_origin_gets_400: ["H-61"],
}

/// Adds each field line to a valid request, and expects this status.
fn expect_refusal_of_each_field_line(lines: &[&[u8]], status: u16) {
    let server = Server::start();
    on_both_paths(|path| {
        for line in lines {
            check::case(line.escape_ascii());
            server.expect_refusal(&Request::upgrade(path).add(line), status);
        }
    });
}

/// Sends a valid request with each of these request lines, and expects this status. `{path}` stands for
/// the path.
fn expect_refusal_of_each_request_line(request_lines: &[&str], status: u16) {
    let server = Server::start();
    on_both_paths(|path| {
        for line in request_lines {
            let line = line.replace("{path}", path);
            check::case(line.escape_debug());
            server.expect_refusal(&Request::upgrade(path).request_line(line), status);
        }
    });
}

/// One response of each kind except the 101.
fn sample_responses(server: &Server) -> Vec<Response> {
    let get = Request::get("/none");
    let requests = [
        Request::get("/"),
        Request::get("/healthz"),
        Request::get("/metrics"),
        Request::get("/chat"),
        get.clone(),
        get.clone().request_line("POST / HTTP/1.1"),
        get.clone().request_line("FOO / HTTP/1.1"),
        get.clone().request_line("GET / HTTP/2.0"),
        get.clone().request_line(format!("GET /{} HTTP/1.1", "x".repeat(9000))),
        get.clone().add(format!("X: {}", "x".repeat(20_000))),
        get.clone().without("Host"),
        Request::upgrade("/chat").set("Sec-WebSocket-Version", "12"),
        Request::upgrade("/chat").without("Sec-WebSocket-Version"),
        Request::upgrade("/chat").add("Origin: http://evil.invalid"),
        Request::upgrade("/chat").without("Sec-WebSocket-Key"),
    ];
    requests.iter().map(|request| server.send_request(request).read_response()).collect()
}

fn http_2_preface_gets_505() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    client.expect_refusal(505);
}

fn head_is_parsed_as_bytes() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_upgrade(&Request::upgrade(path).add(b"X-A: \xc3\x28\x80"));
    });
}

fn line_that_ends_with_lf_alone_gets_400() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.connect();
        client.send(Request::upgrade(path).bytes_with_line_end(b"\n"));
        client.expect_refusal(400);
    });
    expect_refusal_of_each_field_line(&[b"X-A: 1\nX-B: 2"], 400);
}

fn bare_cr_gets_400() {
    expect_refusal_of_each_field_line(
        &[b"X-A: a\rb", b"X-A: a\r", b"X-\rA: a", b"X-A: a\r\rb"],
        400,
    );
    expect_refusal_of_each_request_line(&["GET\r{path} HTTP/1.1", "GET {path}\r HTTP/1.1"], 400);
}

fn empty_lines_before_the_request_are_skipped() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.connect();
        client.send([b"\r\n".to_vec(), Request::upgrade(path).bytes()].concat());
        client.expect_101();
        client.expect_open();
    });
}

fn space_before_the_first_field_gets_400() {
    let server = Server::start();
    on_both_paths(|path| {
        for line in [" Host: localhost", "\tX-A: 1"] {
            let request =
                Request::upgrade(path).request_line(format!("GET {path} HTTP/1.1\r\n{line}"));
            server.expect_refusal(&request, 400);
        }
    });
}

fn bytes_that_are_not_http_get_400_and_the_connection_ends() {
    let server = Server::start();
    let inputs: [&[u8]; 6] = [
        &[0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00],
        b"GET\r\n\r\n",
        b"hello\r\n\r\n",
        b"\0\0\0\0",
        b"{\"json\": true}\r\n\r\n",
        b"\x81\x857\xfa!=\x7f\x9fMQX\r\n", // a frame
    ];
    for input in inputs {
        check::case(input.escape_ascii());
        let mut client = server.connect();
        client.send(input);
        client.expect_refusal(400);
    }
}

fn malformed_http_version_gets_400() {
    expect_refusal_of_each_request_line(
        &[
            "GET {path} http/1.1",
            "GET {path} HTTP/1.10",
            "GET {path} HTTP/01.1",
            "GET {path} HTTP/1",
            "GET {path} HTTP/1,1",
            "GET {path} HTTP/1.x",
            "GET {path} HTTPS/1.1",
            "GET {path} HTTP/ 1.1",
        ],
        400,
    );
}

fn extra_space_in_the_request_line_gets_400() {
    expect_refusal_of_each_request_line(
        &[
            "GET  {path} HTTP/1.1",
            "GET {path}  HTTP/1.1",
            "GET\t{path} HTTP/1.1",
            " GET {path} HTTP/1.1",
            "GET {path} HTTP/1.1 ",
        ],
        400,
    );
}

fn unknown_method_gets_501() {
    let long = "M".repeat(200) + " {path} HTTP/1.1";
    expect_refusal_of_each_request_line(
        &["FOO {path} HTTP/1.1", "get {path} HTTP/1.1", &long],
        501,
    );
}

fn target_over_8000_bytes_gets_414() {
    let server = Server::start();
    for length in [8001, 10_000, 100_000] {
        check::case(format_args!("{length} bytes"));
        let target = format!("/{}", "x".repeat(length - 1));
        server.expect_refusal(&Request::upgrade(&target), 414);
    }
}

fn target_of_8000_bytes_is_not_too_long() {
    let server = Server::start();
    for length in [7900, 8000] {
        check::case(format_args!("{length} bytes"));
        let target = format!("/{}", "x".repeat(length - 1));
        server.expect_refusal(&Request::upgrade(&target), 404);
    }
}

fn malformed_request_line_gets_400() {
    expect_refusal_of_each_request_line(
        &[
            "GET {path} x HTTP/1.1",
            "GET {path}\x01x HTTP/1.1",
            "GET {path}\x7fx HTTP/1.1",
            "GET {path}\0 HTTP/1.1",
            "GET {path}\u{e4} HTTP/1.1",
            "GET {path}",
            "{path} HTTP/1.1",
            "G@T {path} HTTP/1.1",
            "GET x{path} HTTP/1.1",
        ],
        400,
    );
}

fn request_without_host_gets_400() {
    let server = Server::start();
    for path in ["/chat", "/echo", "/", "/none"] {
        check::case(path);
        server.expect_refusal(&Request::upgrade(path).without("Host"), 400);
        server.expect_refusal(&Request::get(path).without("Host"), 400);
    }
}

fn second_host_gets_400() {
    expect_refusal_of_each_field_line(&[b"Host: b", b"Host: localhost", b"host:"], 400);
}

fn malformed_host_gets_400() {
    let server = Server::start();
    let hosts = [
        "a b", "a@b", "h:99999x", "h:1:2", "[::1", "h/", "h?", "h#", "http://h", "h\\", "[h]",
        "h:-1",
    ];
    on_both_paths(|path| {
        for host in hosts {
            check::case(format_args!("Host: {host}"));
            server.expect_refusal(&Request::upgrade(path).set("Host", host), 400);
        }
    });
}

/// The origin check shows which host the server uses: only an origin equal to the authority of the target is
/// accepted.
fn absolute_target_is_accepted_and_overrides_host() {
    let server = Server::start();
    on_both_paths(|path| {
        let absolute = |authority: &str, host: &str| {
            check::case(format_args!("http://{authority}{path}, Host: {host}"));
            let line = format!("GET http://{authority}{path} HTTP/1.1");
            Request::upgrade(path).request_line(line).set("Host", host)
        };
        server.expect_upgrade(&absolute("localhost", "localhost"));
        server.expect_upgrade(&absolute("localhost", "other"));
        let origin = "Origin: http://localhost";
        server.expect_upgrade(&absolute("localhost", "evil.invalid").add(origin));
        server.expect_refusal(&absolute("evil.invalid", "localhost").add(origin), 403);
    });
    let page = server
        .send_request(&Request::get("/").request_line("GET http://localhost HTTP/1.1"))
        .read_response();
    check::eq(page.status, 200, "status for an empty path");
}

fn get_with_an_asterisk_or_authority_target_gets_400() {
    expect_refusal_of_each_request_line(&["GET * HTTP/1.1", "GET localhost:80 HTTP/1.1"], 400);
    let server = Server::start();
    for line in ["OPTIONS * HTTP/1.1", "CONNECT localhost:80 HTTP/1.1"] {
        check::case(line);
        let mut client = server.send_request(&Request::new(line));
        let answer = client.read_response();
        check::that(matches!(answer.status, 200 | 204 | 400 | 405 | 501), answer.status);
    }
}

/// The test client checks each line of each head as it reads it, and that no field is present twice.
fn every_response_is_well_formed() {
    let server = Server::start();
    for answer in sample_responses(&server) {
        check::that((200..600).contains(&answer.status), answer.status);
        check::that(!answer.reason.is_empty(), "reason phrase");
        check::eq(answer.content_length(), Some(answer.body.len()), "length");
    }
    on_both_paths(|path| {
        let answer = server.send_request(&Request::upgrade(path)).expect_101();
        check::eq(answer.fields.len(), 3, "number of fields of a 101");
    });
}

fn space_before_a_colon_gets_400() {
    expect_refusal_of_each_field_line(&[b"X-A : 1", b"X-A\t: 1"], 400);
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_refusal(
            &Request::upgrade(path).without("Upgrade").add("Upgrade : websocket"),
            400,
        );
    });
}

fn malformed_field_line_gets_400() {
    expect_refusal_of_each_field_line(
        &[
            b"garbage",
            b": v",
            b"X A: 1",
            b"X(: 1",
            b"X\": 1",
            b"X-\xc3\xa4: 1",
            b"X\x01: 1",
            b"=: 1",
        ],
        400,
    );
}

fn folded_line_gets_400() {
    expect_refusal_of_each_field_line(&[b"X-A: 1\r\n 2", b"X-A: 1\r\n\t2", b"X-A: 1\r\n "], 400);
}

fn chunked_body_is_never_read_as_a_request() {
    let server = Server::start();
    let post = Request::new("POST / HTTP/1.1").add("Transfer-Encoding: chunked").bytes();
    for body in ["0\r\n\r\n", "5\r\nabcde\r\n0\r\n\r\n"] {
        let mut client = server.connect();
        client.send([post.clone(), body.into(), Request::get("/").bytes()].concat());
        client.expect_refusal(405);
    }
}

fn unknown_transfer_coding_gets_501() {
    expect_refusal_of_each_field_line(
        &[b"Transfer-Encoding: x-probe, chunked", b"Transfer-Encoding: x-probe, gzip, chunked"],
        501,
    );
}

fn transfer_coding_that_does_not_end_in_chunked_gets_400() {
    expect_refusal_of_each_field_line(
        &[
            b"Transfer-Encoding: gzip",
            b"Transfer-Encoding: chunked, gzip",
            b"Transfer-Encoding: x-probe",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        ],
        400,
    );
}

fn content_length_with_transfer_encoding_gets_400() {
    let lines: [&[u8]; 2] = [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 0",
    ];
    expect_refusal_of_each_field_line(&lines, 400);
}

fn transfer_coding_in_http_1_0_ends_the_connection() {
    let server = Server::start();
    for target in ["/", "/chat", "/echo"] {
        check::case(target);
        let request = Request::get(target).request_line(format!("GET {target} HTTP/1.0"));
        let chunked =
            request.add("Connection: keep-alive").add("Transfer-Encoding: chunked").bytes();
        let mut client = server.connect();
        client.send([chunked, b"0\r\n\r\n".into(), Request::get("/").bytes()].concat());
        client.expect_refusal(400);
    }
}

fn invalid_content_length_gets_400() {
    expect_refusal_of_each_field_line(
        &[
            b"Content-Length: -1",
            b"Content-Length: +5",
            b"Content-Length: 5x",
            b"Content-Length:",
            b"Content-Length: 5, 6",
            b"Content-Length: 0x0",
            b"Content-Length: 0 0",
            b"Content-Length: 5\r\nContent-Length: 6",
            b"Content-Length: 0\r\nContent-Length: 5",
        ],
        400,
    );
}

fn huge_content_length_does_not_overflow() {
    expect_refusal_of_each_field_line(
        &[
            b"Content-Length: 99999999999999999999",
            b"Content-Length: 18446744073709551615",
            b"Content-Length: 18446744073709551616", // 0 in 64 bits
            b"Content-Length: 340282366920938463463374607431768211456", // 0 in 128
        ],
        400,
    );
}

/// The body is a masked Ping, or a masked Ping follows it. Neither is answered.
fn body_of_an_upgrade_is_never_read_as_frames() {
    let server = Server::start();
    let ping = ClientFrame::ping("ping").bytes();
    on_both_paths(|path| {
        for (line, body) in [
            ("Content-Length: 10", ping.clone()),
            ("Content-Length: 5", [b"abcde".to_vec(), ping.clone()].concat()),
            ("Transfer-Encoding: chunked", [b"0\r\n\r\n".to_vec(), ping.clone()].concat()),
            ("Transfer-Encoding: chunked", [b"a\r\n".to_vec(), ping.clone()].concat()),
        ] {
            check::case(line);
            let mut client = server.connect();
            client.send([Request::upgrade(path).add(line).bytes(), body].concat());
            client.expect_refusal(400);
        }
    });
}

fn content_length_0_is_accepted() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_upgrade(&Request::upgrade(path).add("Content-Length: 0"));
    });
}

/// A body of a megabyte that the server does not read, then a second request: one response, without a reset.
fn unread_body_ends_the_connection() {
    let server = Server::start();
    let idle = server.descriptors();
    let more = [vec![b'x'; 1_000_000], Request::get("/").bytes()].concat();
    for path in ["/", "/chat", "/echo", "/healthz"] {
        check::case(path);
        let post = Request::new(&format!("POST {path} HTTP/1.1")).add("Content-Length: 1000000");
        expect_no_reset_while_sending(&server, idle, server.send_request(&post), &more, |client| {
            client.expect_refusal(405);
        });
    }
}

/// The server ends the connection exactly if the response has `Connection: close`.
fn last_response_has_connection_close() {
    let server = Server::start();
    for request in [
        Request::get("/"),
        Request::get("/").add("Connection: close"),
        Request::get("/").request_line("GET / HTTP/1.0"),
        Request::get("/none"),
        Request::get("/chat"),
        Request::new("DELETE / HTTP/1.1"),
        Request::upgrade("/chat").set("Sec-WebSocket-Version", "12"),
    ] {
        check::case(request.bytes().escape_ascii());
        let mut client = server.send_request(&request);
        let answer = client.read_response();
        if answer.has_token("Connection", "close") {
            client.expect_end();
        } else {
            client.send(Request::get("/healthz").bytes());
            check::eq(client.read_response().status, 200, "status of the next response");
        }
    }
}

fn connection_is_kept_for_more_requests() {
    let server = Server::start();
    let mut client = server.connect();
    for path in ["/", "/healthz", "/", "/metrics"] {
        client.send(Request::get(path).bytes());
        check::eq(client.read_response().status, 200, path);
    }
    client.send(Request::upgrade("/chat").bytes());
    client.expect_101();
    client.expect_frame(frame::TEXT, WELCOME);
}

fn connection_close_ends_the_connection() {
    let server = Server::start();
    for value in ["close", "Close", "keep-alive, close"] {
        check::case(value);
        let first = Request::get("/").add(format!("Connection: {value}")).bytes();
        let mut client = server.connect();
        client.send([first, Request::get("/").bytes()].concat());
        let answer = client.read_response();
        check::eq(answer.status, 200, "status");
        client.expect_last_response(&answer);
    }
}

/// The client still sends 100 kB when the server refuses the request.
fn refusal_is_not_lost_to_a_reset() {
    let server = Server::start();
    let idle = server.descriptors();
    on_both_paths(|path| {
        for (request, status) in [
            (Request::upgrade(path).add("no colon"), 400),
            (Request::upgrade(path).set("Sec-WebSocket-Version", "7"), 426),
        ] {
            expect_no_reset_while_sending(
                &server,
                idle,
                server.send_request(&request),
                &[b'x'; 100_000],
                |client| {
                    client.expect_refusal(status);
                },
            );
        }
    });
}

/// The last byte of the head is missing: the server sends nothing before the timeout.
fn incomplete_head_is_not_answered_before_the_timeout() {
    let server = Server::with(&["--handshake-timeout", "0.5"]);
    let upgrades = PATHS.map(Request::upgrade);
    for request in [Request::get("/"), Request::get("/none")].iter().chain(&upgrades) {
        check::case(request.bytes().escape_ascii());
        let wire = request.bytes();
        let mut client = server.connect();
        client.send(&wire[..wire.len() - 1]);
        client.expect_refusal(408);
    }
}

fn head_beyond_the_limits_gets_431() {
    let server = Server::start();
    on_both_paths(|path| {
        check::case("one long field line");
        server.expect_refusal(
            &Request::upgrade(path).add(format!("X-A: {}", "x".repeat(100_000))),
            431,
        );
        check::case("1000 field lines");
        let lines = (0..1000).fold(Request::upgrade(path), |head, n| head.add(format!("X-{n}: x")));
        server.expect_refusal(&lines, 431);
        check::case("below both limits");
        let lines =
            (0..90).fold(Request::upgrade(path), |head, n| head.add(format!("X-{n}: {:0100}", n)));
        server.expect_upgrade(&lines);
    });
}

fn control_character_in_a_value_gets_400() {
    expect_refusal_of_each_field_line(
        &[b"X-A: a\0b", b"X-A: \x01", b"X-A: a\x1bb", b"X-A: \x7f", b"Cookie: a\x0bb"],
        400,
    );
}

fn response_426_has_upgrade_websocket() {
    let server = Server::start();
    on_both_paths(|path| {
        let answer =
            server.expect_refusal(&Request::upgrade(path).set("Sec-WebSocket-Version", "7"), 426);
        check::that(answer.has_token("Upgrade", "websocket"), "Upgrade: websocket");
        check::that(answer.has_token("Connection", "Upgrade"), "Connection: Upgrade");
    });
}

fn response_405_lists_the_allowed_methods() {
    let server = Server::start();
    for (path, head) in
        [("/", true), ("/healthz", true), ("/metrics", true), ("/chat", false), ("/echo", false)]
    {
        for method in ["POST", "PUT", "DELETE"] {
            check::case(format_args!("{method} {path}"));
            let answer =
                server.expect_refusal(&Request::new(&format!("{method} {path} HTTP/1.1")), 405);
            check::that(answer.has_token("Allow", "GET"), "Allow lists GET");
            check::eq(answer.has_token("Allow", "HEAD"), head, "Allow lists HEAD");
        }
    }
}

fn known_method_gets_405_and_unknown_501() {
    let server = Server::start();
    for (method, status) in [("DELETE", 405), ("OPTIONS", 405), ("FOO", 501), ("Get", 501)] {
        for path in ["/", "/chat", "/echo"] {
            check::case(format_args!("{method} {path}"));
            server.expect_refusal(&Request::new(&format!("{method} {path} HTTP/1.1")), status);
        }
    }
}

fn get_and_head_are_supported() {
    let server = Server::start();
    for path in ["/", "/healthz", "/metrics"] {
        check::eq(server.send_request(&Request::get(path)).read_response().status, 200, path);
        check::eq(
            server.send_request(&Request::new(&format!("HEAD {path} HTTP/1.1"))).read_head().status,
            200,
            path,
        );
    }
}

/// The next response directly follows the head. Error responses to HEAD have no content either.
fn response_to_head_has_no_content() {
    let server = Server::start();
    let mut client = server.connect();
    let head = Request::new("HEAD / HTTP/1.1").bytes();
    client.send([head.clone(), head, Request::get("/healthz").bytes()].concat());
    check::eq(client.read_head().status, 200, "first");
    check::eq(client.read_head().status, 200, "second");
    check::eq(client.read_response().status, 200, "third");

    let head = |line: &str| Request::new(line).bytes();
    let without_host: &[u8] = b"HEAD / HTTP/1.1\r\n\r\n";
    let refused: [(&[u8], u16); 7] = [
        (&head("HEAD /none HTTP/1.1"), 404),
        (&head("HEAD /chat HTTP/1.1"), 405),
        (&head("HEAD / HTTP/2.0"), 505),
        (&head("HEAD  HTTP/1.1"), 400),
        (without_host, 400),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
    ];
    for (request, status) in refused {
        check::case(request.escape_ascii());
        let mut client = server.connect();
        client.send(request);
        let answer = client.read_head();
        check::eq(answer.status, status, "status");
        client.expect_last_response(&answer);
    }

    // The rule for HEAD does not apply to the next response.
    let mut client = server.connect();
    client.send(
        [Request::new("HEAD / HTTP/1.1").bytes(), b"GET / HTTP/1.1\r\n\r\n".to_vec()].concat(),
    );
    client.read_head();
    client.expect_refusal(400);

    let full = Server::with(&["--max-connections", "1"]);
    let _only = full.upgrade("/echo");
    full.signal("STOP"); // the request is received before the server answers
    let mut client = full.send_request(&Request::new("HEAD / HTTP/1.1"));
    full.signal("CONT");
    let answer = client.read_head();
    check::eq(answer.status, 503, "status of a full server");
    client.expect_last_response(&answer);
}

fn response_to_head_has_the_fields_of_get() {
    let server = Server::start();
    for path in ["/", "/healthz"] {
        let fields = |mut client: Client| {
            let mut fields = client.read_head().fields;
            fields.retain(|(name, _)| !name.eq_ignore_ascii_case("Date"));
            fields
        };
        let get = fields(server.send_request(&Request::get(path)));
        let head = fields(server.send_request(&Request::new(&format!("HEAD {path} HTTP/1.1"))));
        check::eq(head, get, path);
    }
}

fn content_has_a_content_length_and_a_content_type() {
    let server = Server::start();
    for answer in sample_responses(&server) {
        check::case(answer.status);
        check::eq(answer.content_length(), Some(answer.body.len()), "length");
        let media = answer.field("Content-Type").unwrap_or_default();
        check::that(media.starts_with("text/") && media.contains("charset=utf-8"), media);
    }
    let page = server.get("/");
    let media = page.field("Content-Type").unwrap_or_default();
    check::that(media.starts_with("text/html"), media);
}

/// Every kind of response has the date of today. The test client checks the date format in each head that
/// it reads.
fn every_response_has_a_date() {
    let server = Server::start();
    let minute = Duration::from_secs(60);
    let before = date(SystemTime::now() - minute);
    let answers = sample_responses(&server);
    let after = date(SystemTime::now() + minute);
    for answer in answers {
        let date = answer.field("Date").unwrap_or_default();
        let is_today = date.contains(&before) || date.contains(&after);
        check::that(answer.status >= 500 || is_today, format_args!("{}: {date:?}", answer.status));
    }
}

/// The UTC date in the form `06 Nov 1994`.
fn date(time: SystemTime) -> String {
    const MONTHS: [(&str, u64); 12] = [
        ("Jan", 31),
        ("Feb", 28),
        ("Mar", 31),
        ("Apr", 30),
        ("May", 31),
        ("Jun", 30),
        ("Jul", 31),
        ("Aug", 31),
        ("Sep", 30),
        ("Oct", 31),
        ("Nov", 30),
        ("Dec", 31),
    ];
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut days =
        time.duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_secs() / 86_400;
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    for (month, length) in MONTHS {
        let length = length + u64::from(month == "Feb" && is_leap(year));
        if days < length {
            return format!("{:02} {month} {year}", days + 1);
        }
        days -= length;
    }
    unreachable!("a year has twelve months")
}

fn response_100_is_sent_before_the_101() {
    let server = Server::start();
    on_both_paths(|path| {
        for value in ["100-continue", "100-Continue"] {
            check::case(value);
            let mut client =
                server.send_request(&Request::upgrade(path).add(format!("Expect: {value}")));
            check::eq(client.read_head().status, 100, "the first response");
            client.expect_101();
            client.expect_open();
        }
        let bad = Request::upgrade(path).without("Sec-WebSocket-Key").add("Expect: 100-continue");
        server.expect_refusal(&bad, 400);
    });
}

fn unknown_expectation_is_ignored_or_refused() {
    let server = Server::start();
    on_both_paths(|path| {
        let status =
            server.send_request(&Request::upgrade(path).add("Expect: x-probe")).read_head().status;
        check::that(matches!(status, 101 | 417), status);
    });
}

fn other_major_version_gets_505() {
    expect_refusal_of_each_request_line(
        &["GET {path} HTTP/3.0", "GET / HTTP/2.0", "GET {path} HTTP/0.9"],
        505,
    );
}

fn head_that_takes_too_long_gets_408() {
    let server = Server::with(&["--handshake-timeout", "0.5"]);
    on_both_paths(|path| {
        for half in ["G", "GET {path} HT", "GET {path} HTTP/1.1\r\nHost: local"] {
            let half = half.replace("{path}", path);
            check::case(&half);
            let mut client = server.connect();
            client.send(half);
            client.expect_refusal(408);
        }
    });
}

fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    let mut client = server.connect();
    let requests =
        ["/healthz", "/", "/healthz", "/none", "/"].map(|path| Request::get(path).bytes());
    client.send(requests.concat());
    check::eq(client.read_response().text().trim(), "ok", "the first response");
    check::that(client.read_response().text().contains("<html"), "the second response");
    check::eq(client.read_response().text().trim(), "ok", "the third response");
    client.expect_refusal(404);
}

fn request_after_a_refused_upgrade_is_not_answered() {
    let server = Server::start();
    on_both_paths(|path| {
        let refused = Request::upgrade(path).set("Sec-WebSocket-Version", "12").bytes();
        for next in [
            Request::get("/").bytes(),
            Request::upgrade(path).bytes(),
            ClientFrame::ping("").bytes(),
        ] {
            let mut client = server.connect();
            client.send([refused.clone(), next].concat());
            client.expect_refusal(426);
        }
    });
}

fn second_origin_gets_400() {
    let server = Server::start();
    on_both_paths(|path| {
        let request = Request::upgrade(path).add("Origin: http://localhost");
        server.expect_refusal(&request.clone().add("Origin: http://localhost"), 400);
        server.expect_refusal(&request.add("Origin: https://evil.invalid"), 400);
    });
}
