//! Section 4.2.1: reading the client's opening handshake. Each request has one defect.

use crate::support::{Request, Server, check, on_both_paths};

tests! {
    invalid_handshake_gets_an_error_status: ["4.2.1-a"],
    fields_may_be_in_any_order: ["4.2.1-b"],
    method_other_than_get_is_refused: ["4.2.1-c"],
    http_1_0_is_never_upgraded: ["4.2.1-d"],
    higher_minor_version_is_accepted_and_higher_major_gets_505: ["4.2.1-e"],
    target_is_a_path_or_an_absolute_uri: ["4.2.1-f"],
    missing_host_gets_400: ["4.2.1-g"],
    any_host_is_accepted: ["4.2.1-h"],
    upgrade_token_is_case_insensitive: ["4.2.1-i"],
    upgrade_may_be_a_list: ["4.2.1-j"],
    missing_or_other_upgrade_gets_400: ["4.2.1-k"],
    upgrade_must_match_the_whole_token: ["4.2.1-l"],
    connection_may_be_a_list_in_any_case: ["4.2.1-m"],
    connection_without_upgrade_gets_400: ["4.2.1-n"],
    key_that_is_not_base64_of_16_bytes_gets_400: ["4.2.1-o"],
    nonzero_pad_bits_in_the_key_are_accepted: ["4.2.1-p"],
    second_key_gets_400: ["4.2.1-q"],
    whitespace_around_a_value_is_ignored: ["4.2.1-r"],
    version_other_than_13_is_refused: ["4.2.1-s"],
    malformed_version_gets_400: ["4.2.1-t"],
    client_without_origin_is_accepted: ["4.2.1-u"],
    malformed_subprotocols_get_400: ["4.2.1-v"],
    malformed_extensions_get_400: ["4.2.1-w"],
    unknown_fields_are_ignored: ["4.2.1-x"],
    subprotocol_offered_twice_is_accepted: ["4.2.1-y"],
}

/// Runs a case on both paths for each value: `run` gets a valid request with the value of
/// one field replaced.
fn for_each_value(name: &str, values: &[&str], run: impl Fn(&Server, &Request)) {
    let server = Server::start();
    on_both_paths(|path| {
        for value in values {
            check::case(format_args!("{name}: {value}"));
            let request = Request::upgrade(path).without(name).add(format!("{name}: {value}"));
            run(&server, &request);
        }
    });
}

/// Expects that the request is refused because of its version, and that the response names the supported
/// version.
fn expect_version_refusal(server: &Server, request: &Request, status: u16) {
    let answer = server.expect_refusal(request, status);
    check::eq(answer.field("Sec-WebSocket-Version"), Some("13"), "the supported version");
}

fn invalid_handshake_gets_an_error_status() {
    let server = Server::start();
    on_both_paths(|path| {
        let valid = Request::upgrade(path);
        for request in [
            valid.clone().request_line(format!("POST {path} HTTP/1.1")),
            valid.clone().request_line(format!("GET {path} HTTP/1.0")),
            valid.clone().request_line(format!("GET {path}")),
            valid.clone().request_line("GET /none HTTP/1.1"),
            valid.clone().without("Host"),
            valid.clone().without("Upgrade"),
            valid.clone().without("Connection"),
            valid.clone().without("Sec-WebSocket-Key"),
            valid.clone().without("Sec-WebSocket-Version"),
            valid.clone().set("Sec-WebSocket-Key", "short"),
            valid.clone().add("Sec-WebSocket-Protocol: a b"),
            valid.clone().add("Sec-WebSocket-Extensions: ;"),
            valid.clone().add("Origin: https://evil.invalid"),
            valid.clone().add("no colon"),
        ] {
            check::case(request.bytes().escape_ascii());
            let mut client = server.send_request(&request);
            let answer = client.read_response();
            check::that(
                (400..600).contains(&answer.status),
                format_args!("status {}", answer.status),
            );
            client.expect_last_response(&answer);
        }
    });
}

fn fields_may_be_in_any_order() {
    let server = Server::start();
    on_both_paths(|path| {
        for offset in 0..5 {
            server.expect_upgrade(
                &Request::upgrade(path).edit_fields(|lines| lines.rotate_left(offset)),
            );
        }
        server.expect_upgrade(&Request::upgrade(path).edit_fields(<[_]>::reverse));
    });
}

fn method_other_than_get_is_refused() {
    let server = Server::start();
    on_both_paths(|path| {
        for (method, status) in [
            ("POST", 405),
            ("PUT", 405),
            ("DELETE", 405),
            ("OPTIONS", 405),
            ("get", 501),
            ("FOO", 501),
        ] {
            check::case(format_args!("{method} {path}"));
            let request = Request::upgrade(path).request_line(format!("{method} {path} HTTP/1.1"));
            let answer = server.expect_refusal(&request, status);
            check::eq(answer.has_token("Allow", "GET"), status == 405, "Allow lists GET");
        }
        check::case(format_args!("HEAD {path}"));
        let mut client = server
            .send_request(&Request::upgrade(path).request_line(format!("HEAD {path} HTTP/1.1")));
        let answer = client.read_head();
        check::eq(answer.status, 405, "status");
        check::that(answer.has_token("Allow", "GET"), "Allow lists GET");
        client.expect_last_response(&answer);
    });
}

/// RFC 9110, 7.8: the server ignores the Upgrade field in HTTP/1.0.
fn http_1_0_is_never_upgraded() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_refusal(
            &Request::upgrade(path).request_line(format!("GET {path} HTTP/1.0")),
            400,
        );
    });
    let page =
        server.send_request(&Request::upgrade("/").request_line("GET / HTTP/1.0")).read_response();
    check::eq(page.status, 200, "status of the page");
}

fn higher_minor_version_is_accepted_and_higher_major_gets_505() {
    let server = Server::start();
    on_both_paths(|path| {
        for minor in [2, 9] {
            server.expect_upgrade(
                &Request::upgrade(path).request_line(format!("GET {path} HTTP/1.{minor}")),
            );
        }
        for version in ["2.0", "3.0", "9.1"] {
            server.expect_refusal(
                &Request::upgrade(path).request_line(format!("GET {path} HTTP/{version}")),
                505,
            );
        }
    });
}

fn target_is_a_path_or_an_absolute_uri() {
    let server = Server::start();
    on_both_paths(|path| {
        for target in ["http://localhost", "https://localhost", "HTTP://LOCALHOST:80"] {
            check::case(format_args!("{target}{path}"));
            server.expect_upgrade(
                &Request::upgrade(path).request_line(format!("GET {target}{path} HTTP/1.1")),
            );
        }
        for target in [
            "*",
            "localhost:80",
            path.trim_start_matches('/'),
            &format!("localhost{path}"),
            &format!("ftp://localhost{path}"),
            &format!("http://{path}"), // no authority
            "http://",
        ] {
            check::case(target);
            server.expect_refusal(
                &Request::upgrade(path).request_line(format!("GET {target} HTTP/1.1")),
                400,
            );
        }
    });
}

fn missing_host_gets_400() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_refusal(&Request::upgrade(path).without("Host"), 400);
    });
}

/// The server has no list of its names, so it accepts every host.
fn any_host_is_accepted() {
    let hosts = ["other.invalid", "localhost:1984", "127.0.0.1", "[::1]:1984", "LOCALHOST"];
    for_each_value("Host", &hosts, |server, request| drop(server.expect_upgrade(request)));
}

fn upgrade_token_is_case_insensitive() {
    let names = ["WebSocket", "WEBSOCKET", "wEbSoCkEt"];
    for_each_value("Upgrade", &names, |server, request| drop(server.expect_upgrade(request)));
}

fn upgrade_may_be_a_list() {
    let lists =
        ["h2c, websocket", "websocket, h2c", "h2c\t,websocket", "h2c\r\nUpgrade: websocket"];
    for_each_value("Upgrade", &lists, |server, request| drop(server.expect_upgrade(request)));
}

fn missing_or_other_upgrade_gets_400() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_refusal(&Request::upgrade(path).without("Upgrade"), 400);
        server.expect_refusal(&Request::upgrade(path).set("Upgrade", "h2c"), 400);
    });
    let page = server.send_request(&Request::upgrade("/")).read_response();
    check::eq(page.status, 200, "status of the page");
}

fn upgrade_must_match_the_whole_token() {
    let names = [
        "xwebsocket",
        "websocket2",
        "web socket",
        "websocket/13",
        "\"websocket\"",
        "websocket;q=1",
    ];
    for_each_value("Upgrade", &names, |server, request| drop(server.expect_refusal(request, 400)));
}

fn connection_may_be_a_list_in_any_case() {
    let lists = [
        "keep-alive, Upgrade",
        "upgrade",
        "UPGRADE",
        "Upgrade ,keep-alive",
        "x,\tupgrade\t,y",
        "keep-alive\r\nConnection: Upgrade",
        "Upgrade\r\nConnection: keep-alive",
    ];
    for_each_value("Connection", &lists, |server, request| drop(server.expect_upgrade(request)));
}

fn connection_without_upgrade_gets_400() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_refusal(&Request::upgrade(path).without("Connection"), 400);
    });
    let lists =
        ["keep-alive", "notupgrade", "upgrades", "keep-alive upgrade", "\"upgrade\"", "up grade"];
    for_each_value("Connection", &lists, |server, request| {
        drop(server.expect_refusal(request, 400))
    });
}

fn key_that_is_not_base64_of_16_bytes_gets_400() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_refusal(&Request::upgrade(path).without("Sec-WebSocket-Key"), 400);
    });
    let keys = [
        "",
        "AAECAwQFBgcICQoLDA0O",         // 15 bytes
        "AAECAwQFBgcICQoLDA0ODxA=",     // 17 bytes
        "AAECAwQFBgcICQoLDA0ODxAR",     // 18 bytes, 24 characters
        "AA==",                         // 1 byte, the same padding
        "AAECAwQFBgcICQoLDA==",         // 13 bytes, the same padding
        "AAECAwQFBgcICQoLDA0ODxAREg==", // 19 bytes, the same padding
        "AAECAwQFBgcICQoLDA0ODw",       // no padding
        "AAECAwQFBgcICQoLDA0ODw=",      // half of the padding
        "AAECAwQFBgcICQoLDA0ODw===",    // too much padding
        "!!!!!!!!!!!!!!!!!!!!!!==",     // outside the alphabet
        "_____________________w==",     // the alphabet for URLs
        "AAECAwQF BgcICQoLDA0ODw==",    // a space inside
        "AAECAwQFBg=ICQoLDA0ODw==",     // padding inside
        "\"AAECAwQFBgcICQoLDA0ODw==\"",
        "AAECAwQFBgcICQoLDA0ODw==, AAECAwQFBgcICQoLDA0ODw==",
    ];
    for_each_value("Sec-WebSocket-Key", &keys, |server, request| {
        drop(server.expect_refusal(request, 400))
    });
}

/// The key is an example with a misprint in the RFC (erratum 3150).
fn nonzero_pad_bits_in_the_key_are_accepted() {
    for_each_value("Sec-WebSocket-Key", &["AQIDBAUGBwgJCgsMDQ4PEC=="], |server, request| {
        let head = server.send_request(request).read_head();
        check::eq(head.status, 101, "status");
    });
}

fn second_key_gets_400() {
    let keys = [
        "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==",
    ];
    for_each_value("Sec-WebSocket-Key", &keys, |server, request| {
        drop(server.expect_refusal(request, 400))
    });
}

fn whitespace_around_a_value_is_ignored() {
    let keys = ["  dGhlIHNhbXBsZSBub25jZQ== \t", "\tdGhlIHNhbXBsZSBub25jZQ=="];
    for_each_value("Sec-WebSocket-Key", &keys, |server, request| {
        drop(server.expect_upgrade(request))
    });
    let server = Server::start();
    server.expect_upgrade(&Request::upgrade("/chat").without("Upgrade").add("Upgrade:websocket"));
}

fn version_other_than_13_is_refused() {
    let server = Server::start();
    on_both_paths(|path| {
        expect_version_refusal(
            &server,
            &Request::upgrade(path).without("Sec-WebSocket-Version"),
            400,
        );
    });
    let versions = ["12", "8", "25", "14", "1", "0", "255"];
    for_each_value("Sec-WebSocket-Version", &versions, |server, request| {
        expect_version_refusal(server, request, 426);
    });
}

fn malformed_version_gets_400() {
    let versions = [
        "",
        "013",
        "+13",
        "-13",
        "13.0",
        "1 3",
        "256",
        "1000",
        "0x0d",
        "13, 8",
        "13,",
        "\"13\"",
        "13\r\nSec-WebSocket-Version: 13",
        "13\r\nSec-WebSocket-Version: 8",
    ];
    for_each_value("Sec-WebSocket-Version", &versions, |server, request| {
        expect_version_refusal(server, request, 400);
    });
}

fn client_without_origin_is_accepted() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_upgrade(&Request::upgrade(path).without("Origin"));
    });
}

fn malformed_subprotocols_get_400() {
    let name = "Sec-WebSocket-Protocol";
    let valid = ["chat", "chat, superchat", "a!#$%&'*+-.^_`|~9"];
    for_each_value(name, &valid, |server, request| drop(server.expect_upgrade(request)));
    let bad = ["a b", "\"a\"", "a;b", "", ",", " , ,", "a, b c", "a/b", "(a)", "caf\u{e9}"];
    for_each_value(name, &bad, |server, request| drop(server.expect_refusal(request, 400)));
}

fn malformed_extensions_get_400() {
    let name = "Sec-WebSocket-Extensions";
    let valid = [
        "x",
        "x, y",
        "x; a",
        "x; a=1; b, y; c=\"d\"",
        "permessage-deflate; client_max_window_bits",
    ];
    for_each_value(name, &valid, |server, request| drop(server.expect_upgrade(request)));
    let bad = [";;=", "a;", "a; b=\"", "", ",", "; b", "a; b=", "a b", "a=1", "a; =1", "a, b;"];
    for_each_value(name, &bad, |server, request| drop(server.expect_refusal(request, 400)));
}

fn unknown_fields_are_ignored() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut request = Request::upgrade(path)
            .add("X-Probe: 1")
            .add("Cookie: a=b; c=d")
            .add("Authorization: Basic dXNlcjpwYXNz")
            .add("Sec-WebSocket-Nothing: x")
            .add("X-Empty:");
        for serial in 0..50 {
            request = request.add(format!("X-Field-{serial}: {serial}"));
        }
        server.expect_upgrade(&request);
    });
}

/// Section 4.1 forbids duplicates to clients, but section 4.2.1 does not require a server to check for them.
fn subprotocol_offered_twice_is_accepted() {
    for_each_value("Sec-WebSocket-Protocol", &["a, a"], |server, request| {
        drop(server.expect_upgrade(request))
    });
}
