//! Section 5.5: control frames.

use crate::probe::expect_failure_of_each;
use crate::support::frame::{CLOSE, LengthForm, PING, PONG};
use crate::support::{ClientFrame, Server, check, encode_frames, on_both_paths};

tests! {
    control_frame_over_125_bytes_is_answered_with_1002: ["5.5-a"],
    control_frame_without_fin_is_answered_with_1002: ["5.5-b"],
    server_control_frames_are_unfragmented_and_short: ["5.5-c"],
    extended_length_in_a_control_frame_is_answered_with_1002: ["5.5-d"],
}

fn control_frame_over_125_bytes_is_answered_with_1002() {
    expect_failure_of_each(
        1002,
        &[
            ("ping of 126", ClientFrame::ping([b'x'; 126]).bytes()),
            ("pong of 126", ClientFrame::pong([b'x'; 126]).bytes()),
            ("close of 126", ClientFrame::close(1000, [b'x'; 124]).bytes()),
            ("ping of 65536", ClientFrame::ping([b'x'; 65_536]).bytes()),
            (
                "header of a ping of 126",
                vec![0b1_000_1001, 0b1_1111110, 0x00, 0x7e, 0x37, 0xfa, 0x21, 0x3d],
            ),
            ("header of a ping of 2^40", ClientFrame::ping("").declared_length(1 << 40).bytes()),
        ],
    );
    let server = Server::start();
    on_both_paths(|path| {
        check::case("125 bytes are allowed");
        let mut client = server.upgrade(path);
        client
            .send(encode_frames([ClientFrame::pong([b'x'; 125]), ClientFrame::ping([b'y'; 125])]));
        client.expect_frame(PONG, [b'y'; 125]);
        client.send(ClientFrame::close(1000, [b'x'; 123]).bytes());
        client.expect_close_and_end(Some(1000));
    });
}

fn control_frame_without_fin_is_answered_with_1002() {
    expect_failure_of_each(
        1002,
        &[
            ("ping", vec![0x09, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]),
            ("pong", ClientFrame::pong("x").without_fin().bytes()),
            ("close", vec![0b0_000_1000, 0b1_0000010, 0x37, 0xfa, 0x21, 0x3d, 0x34, 0x12]),
            (
                "ping with its continuation",
                encode_frames([
                    ClientFrame::ping("x").without_fin(),
                    ClientFrame::continuation("y"),
                ]),
            ),
            (
                "ping inside a message",
                encode_frames([
                    ClientFrame::text("x").without_fin(),
                    ClientFrame::ping("y").without_fin(),
                ]),
            ),
        ],
    );
}

/// Reads each kind of control frame as bytes: FIN is set, and the 7-bit length is at most 125.
fn server_control_frames_are_unfragmented_and_short() {
    let server = Server::with(&["--ping-interval", "0.1"]);
    server.upgrade_both(|client| {
        client.send(encode_frames([ClientFrame::ping([b'p'; 125]), ClientFrame::ping("")]));
        let mut missing = vec![CLOSE, PING, PONG];
        while !missing.is_empty() {
            let header = client.read_bytes(2);
            client.read_bytes(header[1].into());
            let opcode = header[0] & 0b0_000_1111;
            check::that(opcode >= 8 && header[0] & 0b1_000_0000 != 0, "a control frame with FIN");
            check::that(header[1] <= 125, "length of at most 125");
            missing.retain(|kind| *kind != opcode);
            if missing == [CLOSE] && opcode != CLOSE {
                client
                    .try_send(ClientFrame::close(1000, [b'r'; 123]).bytes())
                    .expect("the server reads the Close");
            }
        }
    });
}

/// An extended length is either too long for a control frame or not minimal.
fn extended_length_in_a_control_frame_is_answered_with_1002() {
    expect_failure_of_each(
        1002,
        &[
            (
                "ping, 5 in 16 bits",
                ClientFrame::ping("Hello").length_form(LengthForm::Bits16).bytes(),
            ),
            (
                "ping, 5 in 64 bits",
                ClientFrame::ping("Hello").length_form(LengthForm::Bits64).bytes(),
            ),
            ("pong, 0 in 16 bits", ClientFrame::pong("").length_form(LengthForm::Bits16).bytes()),
            (
                "close, 2 in 16 bits",
                ClientFrame::new(CLOSE, [0x03, 0xe8]).length_form(LengthForm::Bits16).bytes(),
            ),
        ],
    );
}
