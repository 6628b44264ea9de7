//! Section 5.1: clients mask, servers do not; data may be sent directly after the handshake.

use crate::support::frame::LengthForm;
use crate::support::{
    ClientFrame, Request, Server, WELCOME, check, encode_frames, frame, on_both_paths,
};

tests! {
    unmasked_frame_is_answered_with_1002: ["5.1-b", "5.1-c"],
    server_frames_are_not_masked: ["5.1-d"],
    data_sent_before_the_101_is_read_is_accepted: ["5.1-f"],
}

/// For every opcode and length form. Frames after the unmasked frame are not answered.
fn unmasked_frame_is_answered_with_1002() {
    let server = Server::start();
    let frames = [
        ("text of section 5.7", vec![0b1_000_0001, 0b0_0000101, 0x48, 0x65, 0x6c, 0x6c, 0x6f]),
        ("empty ping", vec![0b1_000_1001, 0b0_0000000]),
        ("empty close", vec![0b1_000_1000, 0b0_0000000]),
        ("close 1000", vec![0b1_000_1000, 0b0_0000010, 0x03, 0xe8]),
        ("empty text", ClientFrame::text("").unmasked().bytes()),
        ("binary", ClientFrame::binary([0; 4]).unmasked().bytes()),
        ("pong", ClientFrame::pong("pong").unmasked().bytes()),
        ("16-bit length", ClientFrame::text([b'x'; 200]).unmasked().bytes()),
        (
            "64-bit length",
            ClientFrame::text("")
                .unmasked()
                .length_form(LengthForm::Bits64)
                .declared_length(70_000)
                .bytes(),
        ),
    ];
    on_both_paths(|path| {
        for (name, frame) in &frames {
            check::case(name);
            let mut client = server.upgrade(path);
            client.send([frame.clone(), ClientFrame::ping("too late").bytes()].concat());
            client.expect_failure(1002);
        }
    });
}

/// Reads the MASK bit of each kind of frame that the server sends from the bytes.
fn server_frames_are_not_masked() {
    let server = Server::with(&["--ping-interval", "0.1"]);
    let expect_unmasked = |second: u8, name: &str| check::eq(second & 0b1_0000000, 0, name);

    let mut client = server.send_request(&Request::upgrade("/chat"));
    client.expect_101();
    let welcome = client.read_bytes(2 + WELCOME.len());
    expect_unmasked(welcome[1], "welcome");
    let ping = client.read_bytes(2);
    check::eq(ping[0], 0b1_000_1001, "the next frame is a Ping");
    expect_unmasked(ping[1], "ping");

    let mut client = server.send_request(&Request::upgrade("/echo"));
    client.expect_101();
    client.send(encode_frames([ClientFrame::text("text"), ClientFrame::binary("data")]));
    client.send(encode_frames([ClientFrame::ping("ping"), ClientFrame::close(1000, "")]));
    let received = client.read_bytes(6 + 6 + 6 + 4);
    for (at, name) in [(0, "text"), (6, "binary"), (12, "pong"), (18, "close")] {
        expect_unmasked(received[at + 1], name);
    }
}

fn data_sent_before_the_101_is_read_is_accepted() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.send_request(&Request::upgrade(path));
        client.send(ClientFrame::text("at once").bytes());
        client.expect_101();
        if path == "/chat" {
            client.expect_frame(frame::TEXT, WELCOME);
        }
        client.expect_text("at once");
        client.expect_open_and_silent();
    });
}
