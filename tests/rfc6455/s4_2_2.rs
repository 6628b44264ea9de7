//! Section 4.2.2: sending the server's opening handshake.

use crate::support::{
    ClientFrame, Request, Server, WELCOME, check, encode_frames, frame, on_both_paths,
};

tests! {
    tls_client_hello_gets_400: ["4.2.2-a"],
    no_response_requires_credentials: ["4.2.2-b"],
    no_response_redirects: ["4.2.2-c"],
    foreign_origin_gets_403: ["4.2.2-d"],
    origin_is_case_insensitive: ["4.2.2-e"],
    any_origin_is_accepted_without_an_origin_check: ["4.2.2-f"],
    accept_is_computed_from_the_key_as_sent: ["4.2.2-g"],
    response_426_names_the_supported_version: ["4.2.2-i"],
    unknown_path_gets_404: ["4.2.2-j"],
    offered_subprotocols_are_declined_without_a_field: ["4.2.2-k", "4.2.2-l", "4.2.2-n", "4.2.2-o"],
    no_subprotocol_and_no_extension_without_an_offer: ["4.2.2-m"],
    offered_extensions_are_declined_without_a_field: ["4.2.2-p"],
    response_is_a_101_with_upgrade_websocket: ["4.2.2-q", "4.2.2-r", "4.2.2-s"],
    accept_values_are_correct: ["4.2.2-t"],
    response_101_has_no_body: ["4.2.2-u"],
    welcome_is_sent_directly_after_the_101: ["4.2.2-v"],
    bytes_after_the_request_are_read_as_frames: ["4.2.2-w"],
}

/// A TLS client gets a plain-text response.
fn tls_client_hello_gets_400() {
    let server = Server::start();
    let mut client = server.connect();
    client.send([0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00, 0x00, 0xa1, 0x03, 0x03, b'\r', b'\n']);
    client.expect_refusal(400);
}

fn no_response_requires_credentials() {
    let server = Server::start();
    for path in ["/", "/chat", "/echo", "/healthz", "/metrics", "/none"] {
        let status = server.get(path).status;
        check::that(status != 401 && status != 407, format_args!("GET {path}: {status}"));
    }
    on_both_paths(|path| {
        server.expect_upgrade(&Request::upgrade(path));
        server.expect_upgrade(
            &Request::upgrade(path).add("Authorization: Basic bm9ib2R5Om5vdGhpbmc="),
        );
    });
}

fn no_response_redirects() {
    let server = Server::start();
    for path in ["/", "/chat", "/chat/", "/Chat", "/echo", "/echo/", "//chat", "/./chat", "/none"] {
        for request in [Request::get(path), Request::upgrade(path)] {
            let status = server.send_request(&request).read_head().status;
            check::that(!(300..400).contains(&status), format_args!("{path}: {status}"));
        }
    }
}

fn foreign_origin_gets_403() {
    let server = Server::start();
    on_both_paths(|path| {
        for origin in
            ["https://evil.invalid", "http://localhost.evil.invalid", "http://evil.invalid:80", ""]
        {
            check::case(format_args!("Origin: {origin}"));
            server.expect_refusal(&Request::upgrade(path).add(format!("Origin: {origin}")), 403);
        }
        server.expect_upgrade(&Request::upgrade(path).add("Origin: http://localhost"));
    });
}

fn origin_is_case_insensitive() {
    let server = Server::with(&["--origin", "http://site.test"]);
    on_both_paths(|path| {
        for origin in
            ["http://site.test", "HTTP://SITE.TEST", "Http://Site.Test", "http://LOCALHOST"]
        {
            check::case(format_args!("Origin: {origin}"));
            server.expect_upgrade(&Request::upgrade(path).add(format!("Origin: {origin}")));
        }
        server.expect_refusal(&Request::upgrade(path).add("Origin: http://site.test.evil"), 403);
    });
}

fn any_origin_is_accepted_without_an_origin_check() {
    let server = Server::with(&["--origin", "*"]);
    on_both_paths(|path| {
        for origin in ["https://evil.invalid", "http://localhost", "null"] {
            server.expect_upgrade(&Request::upgrade(path).add(format!("Origin: {origin}")));
        }
    });
}

/// If the server decoded the key and encoded it again, the accept value would belong to the key that ends
/// in EA==.
fn accept_is_computed_from_the_key_as_sent() {
    let server = Server::start();
    on_both_paths(|path| {
        let request = Request::upgrade(path).set("Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEC==");
        let accept = server
            .send_request(&request)
            .read_head()
            .field("Sec-WebSocket-Accept")
            .map(str::to_owned);
        check::eq(accept.as_deref(), Some("OfS0wDaT5NoxF2gqm7Zj2YtetzM="), "accept value");
    });
}

fn response_426_names_the_supported_version() {
    let server = Server::start();
    on_both_paths(|path| {
        let answer =
            server.expect_refusal(&Request::upgrade(path).set("Sec-WebSocket-Version", "12"), 426);
        check::eq(answer.field("Sec-WebSocket-Version"), Some("13"), "the supported version");
    });
}

fn unknown_path_gets_404() {
    let server = Server::start();
    for path in ["/none", "/chats", "/chat/", "/chat/room", "/echo/", "/Chat", "/e%63ho%00"] {
        check::case(path);
        server.expect_refusal(&Request::upgrade(path), 404);
    }
}

fn offered_subprotocols_are_declined_without_a_field() {
    let server = Server::start();
    on_both_paths(|path| {
        for offer in
            ["zz1, zz2", "chat", "CHAT", "wirechat", "soap\r\nSec-WebSocket-Protocol: wamp"]
        {
            let mut client = server.send_request(
                &Request::upgrade(path).add(format!("Sec-WebSocket-Protocol: {offer}")),
            );
            check::eq(
                client.expect_101().field("Sec-WebSocket-Protocol"),
                None,
                "subprotocol of the response",
            );
        }
    });
}

fn no_subprotocol_and_no_extension_without_an_offer() {
    let server = Server::start();
    on_both_paths(|path| {
        let answer = server.send_request(&Request::upgrade(path)).expect_101();
        check::eq(answer.field("Sec-WebSocket-Protocol"), None, "subprotocol of the response");
        check::eq(answer.field("Sec-WebSocket-Extensions"), None, "extensions of the response");
    });
}

fn offered_extensions_are_declined_without_a_field() {
    let server = Server::start();
    on_both_paths(|path| {
        for offer in ["x-probe", "permessage-deflate", "permessage-deflate, x-probe; a=1"] {
            let request = Request::upgrade(path).add(format!("Sec-WebSocket-Extensions: {offer}"));
            let answer = server.send_request(&request).expect_101();
            check::eq(answer.field("Sec-WebSocket-Extensions"), None, "extensions of the response");
        }
    });
}

/// The test client checks the form of each head that it reads.
fn response_is_a_101_with_upgrade_websocket() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.send_request(&Request::upgrade(path));
        check::eq(
            client.read_bytes(13).as_slice(),
            b"HTTP/1.1 101 ",
            "the status line up to the reason",
        );
        let answer = server.send_request(&Request::upgrade(path)).expect_101();
        check::that(answer.has_token("Upgrade", "websocket"), "Upgrade: websocket");
        check::that(answer.has_token("Connection", "Upgrade"), "Connection: Upgrade");
    });
}

/// The keys contain every character of the alphabet. The values were computed by another program.
fn accept_values_are_correct() {
    const VALUES: &[(&str, &str)] = &[
        ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), // section 1.3
        ("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="), // section 4.1, erratum 3150
        ("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
        ("AAECAwQFBgcICQoLDA0ODw==", "Bz3qJYTGdOe8gUSpLosEdiLKDrk="),
        ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
        ("+/+/+/+/+/+/+/+/+/+/+w==", "M0DUs3om0SqzerhOhYSMM7WQuBQ="),
        ("0123456789abcdefghijkg==", "TozwB+fSyzGgUIv8vfrlue38L0c="),
        ("qrstuvwxyzABCDEFGHIJKA==", "5tvKHLPTsebDeGZu5d6nx/1fHNc="),
        ("LMNOPQRSTUVWXYZ+/01lmw==", "NR1qEakEAEvxvYKUBXxmINl3I/0="),
    ];
    let server = Server::start();
    on_both_paths(|path| {
        for (key, accept) in VALUES {
            let answer = server
                .send_request(&Request::upgrade(path).set("Sec-WebSocket-Key", key))
                .read_head();
            check::eq(answer.field("Sec-WebSocket-Accept"), Some(*accept), key);
        }
    });
}

/// The first byte after the head belongs to a frame.
fn response_101_has_no_body() {
    let server = Server::start();
    let mut client = server.send_request(&Request::upgrade("/echo"));
    let answer = client.expect_101();
    check::eq(answer.field("Content-Length"), None, "Content-Length");
    check::eq(answer.field("Transfer-Encoding"), None, "Transfer-Encoding");
    client.expect_open_and_silent();

    let mut client = server.send_request(&Request::upgrade("/chat"));
    client.expect_101();
    client.expect_frame(frame::TEXT, WELCOME);
}

fn welcome_is_sent_directly_after_the_101() {
    let server = Server::start();
    let mut client = server.send_request(&Request::upgrade("/chat"));
    client.expect_101();
    client.expect_frame(frame::TEXT, WELCOME);
    client.expect_open_and_silent();
}

/// The segment of the request may contain complete frames and a part of a frame; the stream is cut at
/// every byte.
fn bytes_after_the_request_are_read_as_frames() {
    let server = Server::start();
    let request = Request::upgrade("/echo").bytes();
    let frames = encode_frames([ClientFrame::ping("one"), ClientFrame::text("two")]);
    let bytes = [request.clone(), frames].concat();
    for cut in request.len()..=bytes.len() {
        check::case(format_args!("{} bytes after the request", cut - request.len()));
        let mut client = server.connect();
        client.send(&bytes[..cut]);
        client.expect_101();
        client.send(&bytes[cut..]);
        client.expect_frame(frame::PONG, "one");
        client.expect_frame(frame::TEXT, "two");
    }
    let mut client = server.connect();
    client.send([Request::upgrade("/chat").bytes(), ClientFrame::ping("one").bytes()].concat());
    client.expect_101();
    client.expect_frame(frame::TEXT, WELCOME);
    client.expect_frame(frame::PONG, "one");
}
