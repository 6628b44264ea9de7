//! Section 5.3: masking, client to server.

use crate::support::frame::{MASKING_KEY, PONG};
use crate::support::{ClientFrame, Server, check, encode_frames};

tests! {
    byte_i_is_unmasked_with_byte_i_mod_4_of_the_key: ["5.3-c"],
    key_restarts_in_each_frame_and_continues_across_segments: ["5.3-d"],
    every_masking_key_is_accepted: ["5.3-e"],
    masking_does_not_change_the_length: ["5.3-f"],
}

const KEYS: [[u8; 4]; 6] = [
    [0; 4],
    [0xff; 4],
    [0x01, 0x02, 0x03, 0x04],
    [0x80, 0x00, 0x00, 0x00],
    [0x00, 0x00, 0x00, 0x01],
    MASKING_KEY,
];

fn byte_i_is_unmasked_with_byte_i_mod_4_of_the_key() {
    let server = Server::start();
    server.upgrade_both(|client| {
        #[rustfmt::skip]
        let hello = [
            0b1_000_1001, 0b1_0000101,    // FIN, ping; MASK, length 5
            0x01, 0x02, 0x03, 0x04,       // masking key
            0x49, 0x67, 0x6f, 0x68, 0x6e, // Hello
        ];
        client.send(hello);
        client.expect_frame(PONG, "Hello");
        for key in KEYS {
            for length in 1..=9 {
                check::case(format_args!("key {key:02x?}, {length} bytes"));
                let payload = &b"\x00\x7f\x80\xffabcde"[..length];
                client.send(ClientFrame::ping(payload).masking_key(key).bytes());
                client.expect_frame(PONG, payload);
            }
        }
    });
}

/// Fragments have different keys and lengths that are not multiples of four; then each byte is in its own
/// segment.
fn key_restarts_in_each_frame_and_continues_across_segments() {
    let server = Server::start();
    server.upgrade_both(|client| {
        let fragments = [
            ClientFrame::text("Hel").without_fin(),
            ClientFrame::continuation("lo, w").masking_key([1, 2, 3, 4]).without_fin(),
            ClientFrame::continuation("orld").masking_key([0xf0, 0x0f, 0xcc, 0x33]),
        ];
        let bytes = encode_frames(fragments);
        client.send(&bytes);
        client.expect_text("Hello, world");
        client.send_in_bytes(&bytes);
        client.expect_text("Hello, world");

        let euro = ClientFrame::text("\u{20ac}\u{20ac}\u{20ac}\u{20ac}")
            .masking_key([0xa5, 0x5a, 0x3c, 0xc3])
            .bytes();
        for cut in 1..euro.len() {
            check::case(format_args!("cut at {cut}"));
            client.send(&euro[..cut]);
            client.send(&euro[cut..]);
            client.expect_text("\u{20ac}\u{20ac}\u{20ac}\u{20ac}");
        }
        client.expect_open_and_silent();
    });
}

fn every_masking_key_is_accepted() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send([0b1_000_0001, 0b1_0000101, 0, 0, 0, 0, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        client.expect_text("Hello");
        for key in KEYS {
            check::case(format_args!("key {key:02x?}"));
            client.send(ClientFrame::text("na\u{ef}ve").masking_key(key).bytes());
            client.expect_text("na\u{ef}ve");
        }
        client.expect_open_and_silent();
    });
}

fn masking_does_not_change_the_length() {
    let server = Server::start();
    server.upgrade_both(|client| {
        for length in [0, 1, 3, 4, 5, 124, 125, 126, 127, 65_535, 65_536] {
            check::case(format_args!("{length} bytes"));
            let text = vec![b'm'; length];
            client.send(encode_frames([
                ClientFrame::text(&text).masking_key([9, 8, 7, 6]),
                ClientFrame::text("next"),
            ]));
            client.expect_text(text);
            client.expect_text("next");
        }
    });
}
