//! Section 5.5.3: Pong.

use crate::support::frame::PONG;
use crate::support::{ClientFrame, Server, check, encode_frames};

tests! {
    pong_has_the_payload_of_its_ping: ["5.5.3-a"],
    several_pings_are_answered_in_order_including_the_last: ["5.5.3-b"],
    unsolicited_pong_is_not_answered: ["5.5.3-c"],
    no_pong_is_sent_without_a_ping: ["5.5.3-d"],
}

/// All 256 byte values, and bytes that are not UTF-8.
fn pong_has_the_payload_of_its_ping() {
    let server = Server::start();
    let bytes: Vec<u8> = (0..=255).collect();
    server.upgrade_both(|client| {
        for payload in bytes.chunks(125).chain([[0x00, 0xff, 0xc3, 0x28].as_slice()]) {
            client.send(ClientFrame::ping(payload).bytes());
            client.expect_frame(PONG, payload);
        }
    });
}

/// A server may answer only the last Ping.
fn several_pings_are_answered_in_order_including_the_last() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(["1", "2", "3"].map(|payload| ClientFrame::ping(payload).bytes()).concat());
        let mut pings = ["1", "2", "3"].iter();
        loop {
            let pong = client.read_frame().payload;
            check::that(
                pings.any(|ping| ping.as_bytes() == pong),
                "each Pong has the payload of a Ping, in order",
            );
            if pong == b"3" {
                break;
            }
        }
        client.expect_open_and_silent();
    });
}

fn unsolicited_pong_is_not_answered() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send([0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        client.send(encode_frames([ClientFrame::pong(""), ClientFrame::pong([0xff; 125])]));
        client.expect_open_and_silent();
    });
}

fn no_pong_is_sent_without_a_ping() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(encode_frames([
            ClientFrame::text("a").without_fin(),
            ClientFrame::continuation("b"),
        ]));
        client.expect_text("ab");
        client.expect_open_and_silent();
    });
}
