//! Section 5.6: data frames.

use crate::support::frame::{BINARY, Message, PONG};
use crate::support::{ClientFrame, Server, encode_frames};

tests! {
    frame_may_end_inside_a_character: ["5.6-a"],
    binary_is_not_checked_as_utf_8: ["5.6-b"],
}

/// The euro sign is split after its first byte, then after its second byte with a Ping between the fragments.
fn frame_may_end_inside_a_character() {
    let server = Server::start();
    server.upgrade_both(|client| {
        #[rustfmt::skip]
        let fragments = [
            0b0_000_0001, 0b1_0000001, 0x37, 0xfa, 0x21, 0x3d, 0xd5,       // e2
            0b1_000_0000, 0b1_0000010, 0x37, 0xfa, 0x21, 0x3d, 0xb5, 0x56, // 82 ac
        ];
        client.send(fragments);
        client.expect_text("\u{20ac}");
        client.send(encode_frames([
            ClientFrame::text([0xe2, 0x82]).without_fin(),
            ClientFrame::ping("gap"),
        ]));
        client.expect_frame(PONG, "gap");
        client.send(ClientFrame::continuation([0xac]).bytes());
        client.expect_text("\u{20ac}");
        client.expect_open_and_silent();
    });
}

/// `/echo` returns the bytes unchanged. `/chat` closes with 1003 because of the type, not with 1007.
fn binary_is_not_checked_as_utf_8() {
    let server = Server::start();
    let mut client = server.upgrade("/echo");
    for payload in [vec![0xc3, 0x28], vec![0xff; 200], vec![0x00]] {
        client.send(ClientFrame::binary(&payload).bytes());
        client.expect_message(&Message { opcode: BINARY, payload });
    }
    let mut client = server.upgrade("/chat");
    client.send(ClientFrame::binary([0xc3, 0x28]).bytes());
    client.expect_close(Some(1003));
}
