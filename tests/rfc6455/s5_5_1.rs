//! Section 5.5.1: Close.

use crate::probe::in_a_busy_chat;
use crate::support::frame::{CLOSE, LengthForm};
use crate::support::{Client, ClientFrame, Server, check, encode_frames, on_both_paths};

tests! {
    close_without_a_body_is_answered_without_a_body: ["5.5.1-a", "5.5.1-q"],
    close_with_a_body_of_one_byte_is_answered_with_1002: ["5.5.1-b"],
    server_close_bodies_are_well_formed: ["5.5.1-c"],
    close_reason_may_have_123_bytes: ["5.5.1-d"],
    close_reason_that_is_not_utf_8_is_answered_with_1007: ["5.5.1-e"],
    no_frame_is_sent_after_the_close_in_a_busy_chat: ["5.5.1-h"],
    no_message_is_echoed_after_the_close: ["5.5.1-h"],
    close_is_answered_once: ["5.5.1-i", "5.5.1-k"],
    close_is_answered_with_the_same_code: ["5.5.1-j"],
    message_before_a_close_is_delivered_before_the_answer: ["5.5.1-l"],
    tcp_connection_ends_at_once_after_both_closes: ["5.5.1-m"],
    crossing_closes_answer_each_other: ["5.5.1-o"],
    bytes_after_a_close_are_not_processed: ["5.5.1-p"],
}

fn close_without_a_body_is_answered_without_a_body() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.upgrade(path);
        client.send([0b1_000_1000, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]);
        check::eq(client.read_bytes(2), [0b1_000_1000, 0b0_0000000], "an empty Close");
        client.expect_end();
    });
}

fn close_with_a_body_of_one_byte_is_answered_with_1002() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send([0b1_000_1000, 0b1_0000001, 0x37, 0xfa, 0x21, 0x3d, 0x34]);
        client.expect_failure(1002);
    });
}

/// Answers to a Close, violations, and a stopping server: the test checks the code, in network byte
/// order, and the reason.
fn server_close_bodies_are_well_formed() {
    let server = Server::with(&["--max-message", "1K"]);
    for (code, wire) in [
        (1000, ClientFrame::close(1000, "bye").bytes()),
        (3000, ClientFrame::close(3000, "\u{20ac}".repeat(41)).bytes()),
        (1002, ClientFrame::text("").unmasked().bytes()),
        (1007, ClientFrame::text([0xff]).bytes()),
        (1009, ClientFrame::text([b'x'; 1025]).bytes()),
    ] {
        on_both_paths(|path| {
            expect_well_formed_close(&mut server.upgrade(path), &wire, code);
        });
    }
    expect_well_formed_close(&mut server.upgrade("/chat"), &ClientFrame::binary("x").bytes(), 1003);
    let mut member = server.upgrade("/chat");
    server.signal("TERM");
    expect_well_formed_close(&mut member, &[], 1001);
}

fn expect_well_formed_close(client: &mut Client, wire: &[u8], code: u16) {
    check::case(code);
    client.send(wire);
    let header = client.read_bytes(2);
    check::eq(header[0], 0b1_000_1000, "FIN and Close");
    check::that((2..=125).contains(&header[1]), format_args!("length {}", header[1]));
    let body = client.read_bytes(header[1].into());
    check::eq(&body[..2], code.to_be_bytes().as_slice(), "code");
    check::that(std::str::from_utf8(&body[2..]).is_ok(), "the reason is UTF-8");
}

fn close_reason_may_have_123_bytes() {
    let server = Server::start();
    on_both_paths(|path| {
        for reason in ["bye".into(), "\u{e9}".repeat(61) + "x", "\u{1f600}".repeat(30) + "abc"] {
            check::case(format_args!("{} bytes", reason.len()));
            let mut client = server.upgrade(path);
            client.send(ClientFrame::close(1000, &reason).bytes());
            client.expect_close_and_end(Some(1000));
        }
    });
}

fn close_reason_that_is_not_utf_8_is_answered_with_1007() {
    let server = Server::start();
    on_both_paths(|path| {
        for wire in [
            vec![0b1_000_1000, 0b1_0000011, 0x37, 0xfa, 0x21, 0x3d, 0x34, 0x12, 0xde],
            ClientFrame::close(1000, [0xc3, 0x28]).bytes(),
            ClientFrame::close(1000, [0xe2, 0x82]).bytes(),
            ClientFrame::close(3000, [b"reason ".as_slice(), &[0xed, 0xa0, 0x80]].concat()).bytes(),
        ] {
            check::case(format_args!("{wire:02x?}"));
            let mut client = server.upgrade(path);
            client.send(wire);
            client.expect_failure(1007);
        }
    });
}

/// One member sends without a pause while others leave with a Close or after a violation: the server must
/// stop sending chat messages to them.
fn no_frame_is_sent_after_the_close_in_a_busy_chat() {
    let server = Server::start();
    in_a_busy_chat(&server, || {
        for _ in 0..5 {
            expect_nothing_after_the_close(
                server.upgrade("/chat"),
                &ClientFrame::close(1000, ""),
                1000,
            );
            expect_nothing_after_the_close(
                server.upgrade("/chat"),
                &ClientFrame::text("").unmasked(),
                1002,
            );
            expect_nothing_after_the_close(server.upgrade("/chat"), &ClientFrame::binary(""), 1003);
        }
    });
}

/// Sends the last frame, and expects texts up to the Close and nothing after it.
fn expect_nothing_after_the_close(mut member: Client, last: &ClientFrame, code: u16) {
    check::case(code);
    member.read_message();
    member.send(last.bytes());
    let close = loop {
        let frame = member.read_frame();
        if frame.opcode == CLOSE {
            break frame;
        }
    };
    check::eq(close.code(), Some(code), "code");
    let _ = member.try_send(ClientFrame::close(code, "").bytes()); // the server may have closed already
    member.expect_end();
}

fn no_message_is_echoed_after_the_close() {
    let server = Server::start();
    let mut client = server.upgrade("/echo");
    let texts = ClientFrame::text("echo").bytes().repeat(200);
    client.send([texts.clone(), ClientFrame::close(1000, "").bytes(), texts].concat());
    for _ in 0..200 {
        client.expect_text("echo");
    }
    client.expect_close_and_end(Some(1000));
}

fn close_is_answered_once() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.upgrade(path);
        client.send([0b1_000_1000, 0b1_0000010, 0x37, 0xfa, 0x21, 0x3d, 0x34, 0x12]);
        let answer = check::warn_if_late("the answer to a Close", || client.read_bytes(4));
        check::eq(answer, [0b1_000_1000, 0b0_0000010, 0x03, 0xe8], "the answer");
        client.expect_end();
    });
}

/// The answer has the same code and no reason.
fn close_is_answered_with_the_same_code() {
    let server = Server::start();
    on_both_paths(|path| {
        for code in [1000, 1001, 3000, 4999] {
            check::case(code);
            let mut client = server.upgrade(path);
            client.send(ClientFrame::close(code, "a reason").bytes());
            check::eq(client.expect_close(Some(code)), b"".as_slice(), "reason of the answer");
            client.expect_end();
        }
    });
}

/// The message and the Close are in one segment. The client receives its message before the Close of the
/// server.
fn message_before_a_close_is_delivered_before_the_answer() {
    let server = Server::start();
    let long = "x".repeat(1 << 20);
    server.upgrade_both(|client| {
        client.send(encode_frames([ClientFrame::text(&long), ClientFrame::close(1000, "")]));
        client.expect_text(&long);
        client.expect_close_and_end(Some(1000));
    });
}

/// The client does not end its side. The server ends its side at once, not after a timeout, and still reads.
fn tcp_connection_ends_at_once_after_both_closes() {
    let server = Server::start();
    let idle = server.descriptors();
    let end = "the end of the TCP connection after both Closes";
    on_both_paths(|path| {
        let mut client = server.upgrade(path);
        client.send(ClientFrame::close(1000, "").bytes());
        client.expect_close(Some(1000));
        check::warn_if_late(end, || client.expect_end());
        client.expect_half_close(&server, idle);
    });
    check::case("/chat, the server closes first");
    let mut client = server.upgrade("/chat");
    client.send(ClientFrame::binary("binary").bytes());
    client.expect_close(Some(1003));
    client.send(ClientFrame::close(1003, "").bytes());
    check::warn_if_late(end, || client.expect_end());
    client.expect_half_close(&server, idle);
}

/// Two Closes of the client in one segment; then a Close of the client that crosses one of the server.
fn crossing_closes_answer_each_other() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(encode_frames([ClientFrame::close(1000, ""), ClientFrame::close(1001, "")]));
        client.expect_close_and_end(Some(1000));
    });
    let mut client = server.upgrade("/chat");
    client.send(encode_frames([ClientFrame::binary(""), ClientFrame::close(1000, "")]));
    client.expect_close_and_end(Some(1003));
}

fn bytes_after_a_close_are_not_processed() {
    let server = Server::start();
    on_both_paths(|path| {
        for after in [
            encode_frames([ClientFrame::text("text"), ClientFrame::ping("ping")]),
            ClientFrame::text("").unmasked().bytes(),
            ClientFrame::text("").length_form(LengthForm::Bits64).declared_length(1 << 63).bytes(),
            vec![0xff; 300],
        ] {
            check::case(after.len());
            let mut observer = server.upgrade(path);
            let mut client = server.upgrade(path);
            client.send([ClientFrame::close(1000, "").bytes(), after].concat());
            client.expect_close_and_end(Some(1000));
            observer.expect_open_and_silent();
        }
    });
}
