//! Section 5.5.2: Ping.

use crate::support::frame::{PING, PONG};
use crate::support::{ClientFrame, Server, check, encode_frames, on_both_paths};

tests! {
    ping_may_have_0_to_125_bytes: ["5.5.2-a"],
    ping_is_answered_with_a_pong: ["5.5.2-b"],
    ping_inside_a_message_is_answered_before_it_ends: ["5.5.2-c"],
    server_pings_while_the_connection_is_open: ["5.5.2-d"],
    ping_after_a_close_is_not_answered: ["5.5.2-e"],
    ping_after_the_servers_close_is_not_answered: ["5.5.2-f"],
}

fn ping_may_have_0_to_125_bytes() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.upgrade(path);
        client.send([0b1_000_1001, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]);
        check::eq(client.read_bytes(2), [0b1_000_1010, 0b0_0000000], "an empty Pong");
        client.send([0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        check::eq(client.read_bytes(7), [0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], "the Pong");
        client.send(ClientFrame::ping([b'x'; 125]).bytes());
        client.expect_frame(PONG, [b'x'; 125]);
    });
}

/// Directly after the handshake, between fragments, and after a hundred texts.
fn ping_is_answered_with_a_pong() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.expect_open_and_silent();
        client.send(ClientFrame::text("start").without_fin().bytes());
        client.expect_open_and_silent();
        client.send(ClientFrame::continuation("").bytes());
        client.expect_text("start");
        client.send(ClientFrame::text("text").bytes().repeat(100));
        client.expect_open();
    });
}

fn ping_inside_a_message_is_answered_before_it_ends() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(encode_frames([
            ClientFrame::text("open").without_fin(),
            ClientFrame::ping("now"),
        ]));
        check::warn_if_late("a Pong inside a message", || client.expect_frame(PONG, "now"));
        client.send(ClientFrame::continuation("").bytes());
        client.expect_text("open");
    });
}

fn server_pings_while_the_connection_is_open() {
    let server = Server::with(&["--ping-interval", "0.1"]);
    server.upgrade_both(|client| {
        for _ in 0..2 {
            let ping = client.read_frame();
            check::eq(ping.opcode, PING, "opcode");
            client.send(ClientFrame::pong(ping.payload).bytes());
        }
        client.expect_open();
    });
}

fn ping_after_a_close_is_not_answered() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(encode_frames([ClientFrame::close(1000, ""), ClientFrame::ping("late")]));
        client.expect_close_and_end(Some(1000));
    });
}

/// Section 5.5.2 still requires a Pong here, but a Close is always the last frame of this server: it
/// reads and drops the frames before the Close of the client. On `/echo` the idle timeout makes the
/// server close first.
fn ping_after_the_servers_close_is_not_answered() {
    let server = Server::start();
    let mut observer = server.upgrade("/chat");
    let mut client = server.upgrade("/chat");
    client.send(encode_frames([
        ClientFrame::binary(""),
        ClientFrame::ping("late"),
        ClientFrame::text("late"),
    ]));
    client.expect_close(Some(1003));
    client.send(encode_frames([
        ClientFrame::ping("later"),
        ClientFrame::text("later"),
        ClientFrame::close(1003, ""),
    ]));
    client.expect_end();
    observer.expect_open_and_silent();

    let server = Server::with(&["--idle-timeout", "0.5", "--ping-interval", "0"]);
    on_both_paths(|path| {
        check::case("idle");
        let mut client = server.upgrade(path);
        client.expect_close(Some(1001));
        client.send(encode_frames([
            ClientFrame::ping("later"),
            ClientFrame::text("later"),
            ClientFrame::close(1001, ""),
        ]));
        client.expect_end();
    });
}
