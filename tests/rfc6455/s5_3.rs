//! Section 5.3: masking, client to server.

use crate::support::frame::{MASKING_KEY, PONG};
use crate::support::{ClientFrame, PATHS, Server, check, encode_frames};

tests! {
    octet_i_is_unmasked_with_octet_i_mod_4_of_the_key: ["5.3-c"],
    key_starts_anew_in_each_frame_and_survives_any_cut: ["5.3-d"],
    every_key_is_legal: ["5.3-e"],
    masking_changes_no_length: ["5.3-f"],
}

const KEYS: [[u8; 4]; 6] = [
    [0; 4],
    [0xff; 4],
    [0x01, 0x02, 0x03, 0x04],
    [0x80, 0x00, 0x00, 0x00],
    [0x00, 0x00, 0x00, 0x01],
    MASKING_KEY,
];

fn octet_i_is_unmasked_with_octet_i_mod_4_of_the_key() {
    let server = Server::start();
    for path in PATHS {
        let mut client = server.upgrade(path);
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
                check::case(format_args!("{path}, key {key:02x?}, {length} octets"));
                let payload = &b"\x00\x7f\x80\xffabcde"[..length];
                client.send(ClientFrame::ping(payload).masking_key(key).bytes());
                client.expect_frame(PONG, payload);
            }
        }
    }
}

/// Fragments with different keys and a length that is no multiple of four; then octet by octet.
fn key_starts_anew_in_each_frame_and_survives_any_cut() {
    let server = Server::start();
    for path in PATHS {
        let mut client = server.upgrade(path);
        let fragments = [
            ClientFrame::text("Hel").without_fin(),
            ClientFrame::continuation("lo, w").masking_key([1, 2, 3, 4]).without_fin(),
            ClientFrame::continuation("orld").masking_key([0xf0, 0x0f, 0xcc, 0x33]),
        ];
        let octets = encode_frames(fragments);
        client.send(&octets);
        client.expect_text("Hello, world");
        client.send_in_bytes(&octets);
        client.expect_text("Hello, world");

        let euro = ClientFrame::text("\u{20ac}\u{20ac}\u{20ac}\u{20ac}")
            .masking_key([0xa5, 0x5a, 0x3c, 0xc3])
            .bytes();
        for cut in 1..euro.len() {
            check::case(format_args!("{path}, cut at {cut}"));
            client.send(&euro[..cut]);
            client.send(&euro[cut..]);
            client.expect_text("\u{20ac}\u{20ac}\u{20ac}\u{20ac}");
        }
        client.expect_open_and_silent();
    }
}

fn every_key_is_legal() {
    let server = Server::start();
    for path in PATHS {
        let mut client = server.upgrade(path);
        client.send([0b1_000_0001, 0b1_0000101, 0, 0, 0, 0, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        client.expect_text("Hello");
        for key in KEYS {
            check::case(format_args!("{path}, key {key:02x?}"));
            client.send(ClientFrame::text("na\u{ef}ve").masking_key(key).bytes());
            client.expect_text("na\u{ef}ve");
        }
        client.expect_open_and_silent();
    }
}

fn masking_changes_no_length() {
    let server = Server::start();
    for path in PATHS {
        let mut client = server.upgrade(path);
        for length in [0, 1, 3, 4, 5, 124, 125, 126, 127, 65_535, 65_536] {
            check::case(format_args!("{path}, {length} octets"));
            let text = vec![b'm'; length];
            client.send(encode_frames([
                ClientFrame::text(&text).masking_key([9, 8, 7, 6]),
                ClientFrame::text("next"),
            ]));
            client.expect_text(text);
            client.expect_text("next");
        }
    }
}
