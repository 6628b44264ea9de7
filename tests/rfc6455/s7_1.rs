//! Section 7.1: how a connection is closed.

use std::time::{Duration, Instant};

use crate::probe::expect_no_reset_while_sending;
use crate::support::{ClientFrame, DEADLINE, Server, check, encode_frames, on_both_paths};

tests! {
    close_is_not_lost_to_a_reset_while_the_client_sends: ["7.1.1-a"],
    client_that_never_stops_sending_is_disconnected: ["7.1.1-b"],
    server_closes_the_tcp_connection_first: ["7.1.1-c"],
    server_sends_1001_when_it_stops: ["7.1.2-a"],
    idle_client_gets_1001: ["7.1.2-a"],
    server_waits_for_the_answer_to_its_close_until_a_timeout: ["7.1.2-c"],
    client_that_ends_without_a_close_is_disconnected: ["7.1.4-a"],
    failed_connection_is_closed_and_logged: ["7.1.7-a", "7.1.7-b"],
    no_frame_is_processed_after_the_connection_failed: ["7.1.7-d"],
    messages_before_a_violation_are_processed: ["7.1.7-f"],
}

/// The client sends megabytes after a violation and after its Close, most of them while the server is
/// closing; 20 times on each path.
fn close_is_not_lost_to_a_reset_while_the_client_sends() {
    let server = Server::start();
    let idle = server.descriptors();
    let more = vec![0xaa; 3 << 20];
    for round in 0..20 {
        on_both_paths(|path| {
            for (frame, code) in
                [(ClientFrame::text("").unmasked(), 1002), (ClientFrame::close(1000, ""), 1000)]
            {
                check::case(format_args!("{code}, round {round}"));
                let mut client = server.upgrade(path);
                client.send(frame.bytes());
                expect_no_reset_while_sending(&server, idle, client, &more, |client| {
                    client.expect_close_and_end(Some(code))
                });
            }
        });
    }
}

fn client_that_never_stops_sending_is_disconnected() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(ClientFrame::text("").unmasked().bytes());
        client.expect_failure(1002);
        let until = Instant::now() + *DEADLINE;
        while client.try_send([0; 4096]).is_ok() {
            check::that(Instant::now() < until, "the server still reads");
        }
    });
    check::that(true, "both clients were disconnected");
}

/// The client never ends its side, so the server does.
fn server_closes_the_tcp_connection_first() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.upgrade(path);
        client.send(ClientFrame::close(1000, "").bytes());
        client.expect_close_and_end(Some(1000));
        let mut client = server.upgrade(path);
        client.send(ClientFrame::ping("").without_fin().bytes());
        client.expect_close_and_end(Some(1002));
    });
}

fn server_sends_1001_when_it_stops() {
    let server = Server::start();
    let mut clients = [server.upgrade("/chat"), server.upgrade("/echo"), server.upgrade("/chat")];
    server.signal("TERM");
    for client in &mut clients {
        client.expect_close(Some(1001));
        client.send(ClientFrame::close(1001, "").bytes());
        client.expect_end();
    }
    check::eq(server.wait().code(), Some(0), "exit status");
}

fn idle_client_gets_1001() {
    let server = Server::with(&["--idle-timeout", "0.5", "--ping-interval", "0"]);
    server.upgrade_both(|client| {
        client.expect_close(Some(1001));
        client.send(ClientFrame::close(1001, "").bytes());
        client.expect_end();
    });
}

/// The time is measured from before the Close of the server, so a slow machine only makes it longer. In
/// the second case it also contains the idle timeout.
fn server_waits_for_the_answer_to_its_close_until_a_timeout() {
    let server = Server::start();
    let mut client = server.upgrade("/chat");
    let before = Instant::now();
    client.send(ClientFrame::binary("").bytes());
    client.expect_close(Some(1003));
    client.expect_end();
    check::that(Duration::from_secs(1) < before.elapsed(), "the server waits for the answer");

    let server = Server::with(&["--idle-timeout", "0.5", "--ping-interval", "0"]);
    on_both_paths(|path| {
        check::case("idle");
        let before = Instant::now();
        let mut client = server.upgrade(path);
        client.expect_close(Some(1001));
        client.expect_end();
        check::that(
            Duration::from_millis(1500) < before.elapsed(),
            "the server waits for the answer",
        );
    });
}

fn client_that_ends_without_a_close_is_disconnected() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.upgrade(path);
        client.shutdown_write();
        client.expect_end();

        let mut client = server.upgrade(path);
        client.send(ClientFrame::text("cut sho").declared_length(9).bytes());
        client.shutdown_write();
        client.expect_end();
    });
}

fn failed_connection_is_closed_and_logged() {
    for (code, wire) in [
        (1002, ClientFrame::text("").rsv(0b001).bytes()),
        (1007, ClientFrame::text([0xc3, 0x28]).bytes()),
        (1009, ClientFrame::text([b'x'; 1025]).bytes()),
    ] {
        on_both_paths(|path| {
            check::case(code);
            let server = Server::with(&["--max-message", "1K"]);
            let mut client = server.upgrade(path);
            client.send(wire.clone());
            client.expect_failure(code);
            server.wait_for_log(&format!("Code {code}"));
        });
    }
}

/// No Pong, no echo and no second Close; the server does not wait for a Close of the client.
fn no_frame_is_processed_after_the_connection_failed() {
    let server = Server::start();
    on_both_paths(|path| {
        for bad in [
            ClientFrame::text("Hello").unmasked(),
            ClientFrame::text("Hello").rsv(0b100),
            ClientFrame::new(0x3, ""),
            ClientFrame::continuation("Hello"),
        ] {
            let mut observer = server.upgrade(path);
            let mut client = server.upgrade(path);
            let rest = [
                ClientFrame::ping("ping"),
                ClientFrame::text("text"),
                ClientFrame::close(1000, ""),
            ];
            client.send([bad.bytes(), encode_frames(rest)].concat());
            client.expect_failure(1002);
            observer.expect_open_and_silent();
        }
    });
}

/// The message and the violation are in one segment. The sender and the other members receive the
/// message, then the sender receives the Close.
fn messages_before_a_violation_are_processed() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut observer = server.upgrade("/chat");
        let mut client = server.upgrade(path);
        client.send(encode_frames([
            ClientFrame::text("Hello"),
            ClientFrame::text("Hello").unmasked(),
        ]));
        client.expect_text("Hello");
        client.expect_failure(1002);
        if path == "/chat" {
            observer.expect_text("Hello");
        }
    });
}
