//! Section 6: sending and receiving data.

use crate::probe::{BACKGROUND_TEXT, in_a_busy_chat};
use crate::support::frame::{BINARY, CLOSE, Message, TEXT};
use crate::support::{ClientFrame, Request, Server, WELCOME, check, encode_frames, on_both_paths};

tests! {
    no_frame_is_sent_before_the_connection_is_open: ["6.1-a"],
    server_sends_frames_and_ends_each_message_with_fin: ["6.1-b", "6.1-d"],
    opcode_matches_the_data_type: ["6.1-c"],
    every_message_is_sent_completely: ["6.1-g"],
    random_bytes_are_parsed_as_frames_and_fail_the_connection: ["6.2-a"],
    next_data_frame_after_fin_starts_a_new_message: ["6.2-c"],
}

/// Another member sends without a pause. A new client receives nothing before the handshake is complete,
/// then the welcome, then the messages of the chat.
fn no_frame_is_sent_before_the_connection_is_open() {
    let server = Server::start();
    in_a_busy_chat(&server, || {
        let request = Request::upgrade("/chat").bytes();
        for _ in 0..5 {
            let mut member = server.connect();
            member.send(&request[..request.len() - 1]);
            server.upgrade("/chat").expect_text(BACKGROUND_TEXT); // messages are sent meanwhile
            member.send(&request[request.len() - 1..]);
            member.expect_101();
            member.expect_frame(TEXT, WELCOME);
            member.expect_text(BACKGROUND_TEXT);
            member.close_normally();
        }
    });
}

/// The test client checks each frame; bytes that are not a frame, or a message without an end, fail the test.
fn server_sends_frames_and_ends_each_message_with_fin() {
    let server = Server::start();
    server.upgrade_both(|client| {
        for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
            let text = "x".repeat(length);
            client.send(ClientFrame::text(&text).bytes());
            client.expect_text(text);
        }
        client.expect_open_and_silent();
        client.close_normally();
    });
}

fn opcode_matches_the_data_type() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(ClientFrame::text("text").bytes());
        client.expect_message(&Message { opcode: TEXT, payload: b"text".into() });
    });
    let mut client = server.upgrade("/echo");
    client.send(ClientFrame::binary("text, but sent as binary").bytes());
    client.expect_message(&Message { opcode: BINARY, payload: b"text, but sent as binary".into() });
}

/// On the chat, to every member.
fn every_message_is_sent_completely() {
    let server = Server::start();
    let mut members = [server.upgrade("/chat"), server.upgrade("/chat"), server.upgrade("/chat")];
    let mut echo = server.upgrade("/echo");
    for number in 0..100 {
        let text = format!("message {number}");
        members[number % 3].send(ClientFrame::text(&text).bytes());
        members.iter_mut().for_each(|member| member.expect_text(&text));
        echo.send(ClientFrame::text(&text).bytes());
        echo.expect_text(text);
    }
}

/// Pseudo-random bytes, the same in each run. Each input breaks some requirement of section 5.
fn random_bytes_are_parsed_as_frames_and_fail_the_connection() {
    let server = Server::start();
    let mut state: u32 = 6455;
    let mut next_byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    on_both_paths(|path| {
        for round in 0..40 {
            check::case(format_args!("round {round}"));
            let bytes: Vec<u8> = (0..400).map(|_| next_byte()).collect();
            let mut client = server.upgrade(path);
            client.send(bytes);
            let close = client.read_frame();
            check::eq(close.opcode, CLOSE, "opcode");
            check::that(matches!(close.code(), Some(1002 | 1009)), format_args!("{close:?}"));
            client.expect_end();
        }
    });
}

fn next_data_frame_after_fin_starts_a_new_message() {
    let server = Server::start();
    server.upgrade_both(|client| {
        let frames = [
            ClientFrame::text("one, ").without_fin(),
            ClientFrame::continuation("cut"),
            ClientFrame::text("two, ").without_fin(),
            ClientFrame::continuation("cut"),
            ClientFrame::text("three, whole"),
        ];
        client.send(encode_frames(frames));
        client.expect_text("one, cut");
        client.expect_text("two, cut");
        client.expect_text("three, whole");
        client.expect_open_and_silent();
    });
}
