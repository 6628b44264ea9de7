//! Section 10: security considerations.

use crate::support::frame::{CONTINUATION, LengthForm, TEXT};
use crate::support::{ClientFrame, Request, Server, check, encode_frames, on_both_paths};

tests! {
    only_allowed_origins_are_accepted: ["10.2-a", "10.2-b"],
    clients_without_an_origin_are_accepted: ["10.2-c"],
    declared_length_allocates_no_memory: ["10.4-a"],
    frame_size_is_limited: ["10.4-b"],
    message_size_is_limited: ["10.4-c"],
    empty_fragments_allocate_no_memory: ["10.4-d"],
    every_wait_for_the_client_has_a_timeout: ["10.4-e"],
    tls_client_hello_gets_400: ["10.6-a"],
    server_survives_input_that_ends_at_any_byte: ["10.7-a"],
}

/// By default the host of the origin must equal `Host`, and on a loopback address it must be a loopback name.
fn only_allowed_origins_are_accepted() {
    let server = Server::start();
    on_both_paths(|path| {
        for (host, origin, is_accepted) in [
            ("localhost", "http://localhost", true),
            ("localhost:1984", "http://localhost:1984", true),
            ("127.0.0.1:1984", "http://127.0.0.1:1984", true),
            ("[::1]:1984", "http://[::1]:1984", true),
            ("chat.localhost", "http://chat.localhost", true),
            ("localhost", "https://evil.invalid", false),
            ("localhost", "http://localhost.evil.invalid", false),
            ("localhost", "null", false),
            ("localhost", "localhost", false),
            ("evil.invalid:1984", "http://evil.invalid:1984", false), // DNS rebinding
        ] {
            check::case(format_args!("{host}, {origin}"));
            let request = Request::upgrade(path).set("Host", host).add(format!("Origin: {origin}"));
            match is_accepted {
                true => drop(server.expect_upgrade(&request)),
                false => drop(server.expect_refusal(&request, 403)),
            }
        }
    });
}

/// Clients with an opaque origin are accepted only if the operator allows `null`.
fn clients_without_an_origin_are_accepted() {
    let server = Server::with(&["--origin", "null", "--origin", "https://chat.example"]);
    on_both_paths(|path| {
        server.expect_upgrade(&Request::upgrade(path));
        server.expect_upgrade(&Request::upgrade(path).set("Host", "chat.example"));
        server.expect_upgrade(&Request::upgrade(path).add("Origin: null"));
        server.expect_upgrade(&Request::upgrade(path).add("Origin: https://chat.example"));
        server.expect_refusal(&Request::upgrade(path).add("Origin: https://other.example"), 403);
    });
}

/// The server refuses lengths up to the largest without the top bit when it reads the header, and
/// allocates nothing.
fn declared_length_allocates_no_memory() {
    let server = Server::start();
    server.upgrade("/echo").expect_open();
    let before = server.memory();
    on_both_paths(|path| {
        for length in [1 << 62, i64::MAX as u64, 1 << 39, (1 << 20) + 1] {
            check::case(length);
            let mut client = server.upgrade(path);
            client.send(ClientFrame::text("").declared_length(length).bytes());
            client.expect_failure(1009);
            let mut client = server.upgrade(path);
            client.send(ClientFrame::text("start").without_fin().bytes());
            client.send(
                ClientFrame::continuation("")
                    .length_form(LengthForm::Bits64)
                    .declared_length(length)
                    .bytes(),
            );
            client.expect_failure(1009);
        }
    });
    let grown = server.memory().saturating_sub(before);
    check::that(grown < 8 * 1024, format_args!("memory grew by {grown} kB"));
}

fn frame_size_is_limited() {
    let server = Server::with(&["--max-message", "1000"]);
    server.upgrade_both(|client| {
        client.send(ClientFrame::text([b'x'; 1000]).bytes());
        client.expect_text([b'x'; 1000]);
        client.expect_open_and_silent();
        client.send(ClientFrame::text([b'x'; 1001]).bytes());
        client.expect_failure(1009);
    });
}

/// Each fragment alone is below the limit.
fn message_size_is_limited() {
    let server = Server::with(&["--max-message", "1000"]);
    let fragment = |opcode| ClientFrame::new(opcode, [b'x'; 500]).without_fin().bytes();
    server.upgrade_both(|client| {
        client.send(
            [fragment(TEXT), fragment(CONTINUATION), ClientFrame::continuation("").bytes()]
                .concat(),
        );
        client.expect_text([b'x'; 1000]);
        client.send(
            [fragment(TEXT), fragment(CONTINUATION), ClientFrame::continuation("x").bytes()]
                .concat(),
        );
        client.expect_failure(1009);
    });
}

/// 200 000 empty fragments on each path form one message.
fn empty_fragments_allocate_no_memory() {
    let server = Server::start();
    server.upgrade("/echo").expect_open();
    let before = server.memory();
    server.upgrade_both(|client| {
        client.send(ClientFrame::text("a").without_fin().bytes());
        let many = ClientFrame::continuation("").without_fin().bytes().repeat(10_000);
        for _ in 0..20 {
            client.send(&many);
            client.expect_open_and_silent();
        }
        client.send(ClientFrame::continuation("z").bytes());
        client.expect_text("az");
    });
    let grown = server.memory().saturating_sub(before);
    check::that(grown < 8 * 1024, format_args!("memory grew by {grown} kB"));
}

/// For an incomplete head, for an idle connection, and for an incomplete frame.
fn every_wait_for_the_client_has_a_timeout() {
    let server = Server::with(&[
        "--handshake-timeout",
        "0.5",
        "--idle-timeout",
        "0.5",
        "--ping-interval",
        "0",
    ]);
    let mut silent = server.connect();
    silent.expect_any_end();
    on_both_paths(|path| {
        let mut incomplete_head = server.connect();
        incomplete_head.send(&Request::upgrade(path).bytes()[..60]);
        incomplete_head.expect_refusal(408);
        let mut idle = server.upgrade(path);
        let mut incomplete_frame = server.upgrade(path);
        incomplete_frame.send(ClientFrame::text("incomplete").declared_length(1000).bytes());
        idle.expect_close(Some(1001));
        incomplete_frame.expect_close(Some(1001));
        idle.expect_any_end();
        incomplete_frame.expect_any_end();
    });
}

/// The server does not support TLS: a TLS client gets a plain-text response at once and does not wait.
fn tls_client_hello_gets_400() {
    let server = Server::start();
    let mut client = server.connect();
    client.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);
    client.expect_refusal(400);
}

/// The request and the frames after it end after each byte. Other clients are still served.
fn server_survives_input_that_ends_at_any_byte() {
    let server = Server::start();
    let mut observer = server.upgrade("/chat");
    on_both_paths(|path| {
        let frames = [
            ClientFrame::text("text").without_fin(),
            ClientFrame::ping("ping"),
            ClientFrame::continuation("more").without_fin(),
        ];
        let wire = [Request::upgrade(path).bytes(), encode_frames(frames)].concat();
        for cut in 0..wire.len() {
            check::case(format_args!("cut at {cut}"));
            let mut client = server.connect();
            client.send(&wire[..cut]);
            client.shutdown_write();
            client.expect_any_end();
        }
        server.expect_upgrade(&Request::upgrade(path));
    });
    observer.expect_open_and_silent();
}
