//! Section 8.1: text must be UTF-8, and invalid UTF-8 fails the connection.

use crate::support::frame::{BINARY, Message, PONG, TEXT};
use crate::support::{ClientFrame, Request, Server, check, encode_frames, on_both_paths};

tests! {
    text_that_is_not_utf_8_is_answered_with_1007: ["8.1-a"],
    every_malformed_sequence_is_answered_with_1007: ["8.1-b"],
    every_valid_sequence_is_accepted: ["8.1-c"],
    utf_8_is_checked_across_fragments: ["8.1-d"],
    invalid_text_is_answered_at_the_first_invalid_byte: ["8.1-e"],
    unknown_fields_may_contain_any_bytes: ["8.1-g"],
    binary_ping_and_pong_may_contain_any_bytes: ["8.1-h"],
    server_texts_are_utf_8: ["8.1-i"],
}

/// Malformed sequences, each with the number of bytes that prove it.
const MALFORMED: &[(&[u8], usize)] = &[
    (&[0x80], 1),
    (&[0xbf], 1),
    (&[0xc0, 0x80], 1),
    (&[0xc0, 0xaf], 1),
    (&[0xc1, 0xbf], 1),
    (&[0xc3, 0x28], 2),
    (&[0xe0, 0x80, 0xaf], 2),
    (&[0xe0, 0x9f, 0xbf], 2),
    (&[0xe2, 0x28, 0xa1], 2),
    (&[0xe2, 0x82, 0x28], 3),
    (&[0xed, 0xa0, 0x80], 2), // first surrogate
    (&[0xed, 0xbf, 0xbf], 2), // last surrogate
    (&[0xf0, 0x80, 0x80, 0xaf], 2),
    (&[0xf0, 0x8f, 0xbf, 0xbf], 2),
    (&[0xf0, 0x90, 0x80, 0x28], 4),
    (&[0xf4, 0x90, 0x80, 0x80], 2), // U+110000
    (&[0xf5, 0x80, 0x80, 0x80], 1),
    (&[0xf8, 0x88, 0x80, 0x80, 0x80], 1),
    (&[0xfc, 0x84, 0x80, 0x80, 0x80, 0x80], 1),
    (&[0xfe], 1),
    (&[0xff], 1),
];

/// Beginnings of characters: only the end of the message makes them malformed.
const INCOMPLETE: &[&[u8]] = &[
    &[0xc2],
    &[0xe0, 0xa0],
    &[0xe2, 0x82],
    &[0xf0, 0x90, 0x80],
    &[0xf4, 0x8f, 0xbf],
    &[0xed, 0x9f],
];

const VALID: &[&[u8]] = &[
    &[0x00],
    &[0x7f],
    &[0xc2, 0x80],
    &[0xdf, 0xbf],
    &[0xe0, 0xa0, 0x80],
    &[0xed, 0x9f, 0xbf],       // last before the surrogates
    &[0xee, 0x80, 0x80],       // first after the surrogates, private use
    &[0xef, 0xb7, 0x90],       // U+FDD0, a noncharacter
    &[0xef, 0xbb, 0xbf],       // the byte order mark
    &[0xef, 0xbf, 0xbd],       // the replacement character
    &[0xef, 0xbf, 0xbe],       // U+FFFE
    &[0xef, 0xbf, 0xbf],       // U+FFFF
    &[0xf0, 0x90, 0x80, 0x80], // first with four bytes
    &[0xf0, 0x9f, 0x98, 0x80],
    &[0xf4, 0x8f, 0xbf, 0xbf], // U+10FFFF
    &[0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xce, 0xbc, 0xce, 0xb5],
];

/// Sends bytes on both paths, and expects that the server fails the connection with 1007.
fn expect_1007(server: &Server, name: &str, wire: &[u8]) {
    on_both_paths(|path| {
        check::case(format_args!("{name}, {wire:02x?}"));
        let mut client = server.upgrade(path);
        client.send(wire);
        client.expect_failure(1007);
    });
}

fn text_that_is_not_utf_8_is_answered_with_1007() {
    let server = Server::start();
    for wire in [
        vec![0b1_000_0001, 0b1_0000010, 0x37, 0xfa, 0x21, 0x3d, 0xf4, 0xd2], // c3 28
        vec![0b1_000_0001, 0b1_0000010, 0x37, 0xfa, 0x21, 0x3d, 0xd5, 0x78], // e2 82
        vec![0b1_000_0001, 0b1_0000011, 0x37, 0xfa, 0x21, 0x3d, 0xda, 0x5a, 0xa1], // ed a0 80
        vec![0b1_000_0001, 0b1_0000100, 0x37, 0xfa, 0x21, 0x3d, 0xc3, 0x6a, 0xa1, 0xbd], // f4 90 ..
        vec![0b1_000_0001, 0b1_0000010, 0x37, 0xfa, 0x21, 0x3d, 0xf7, 0x55], // c0 af
    ] {
        expect_1007(&server, "test vector", &wire);
    }
}

/// Alone, between other characters, and at several offsets of a long text.
fn every_malformed_sequence_is_answered_with_1007() {
    let server = Server::start();
    for malformed in MALFORMED.iter().map(|(bytes, _)| *bytes).chain(INCOMPLETE.iter().copied()) {
        expect_1007(&server, "alone", &ClientFrame::text(malformed).bytes());
        let between = [b"\xce\xba before ", malformed, b" after \xce\xba"].concat();
        expect_1007(&server, "between", &ClientFrame::text(between).bytes());
    }
    for at in [0, 7, 8, 63, 4095, 65_535, 99_999] {
        let mut long = vec![b'x'; 100_000];
        long[at] = 0xff;
        on_both_paths(|path| {
            check::case(format_args!("ff at {at} of 100000"));
            let mut client = server.upgrade(path);
            client.send(ClientFrame::text(&long).bytes());
            client.expect_failure(1007);
        });
    }
}

fn every_valid_sequence_is_accepted() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send([0b1_000_0001, 0b1_0000100, 0x37, 0xfa, 0x21, 0x3d, 0xc3, 0x75, 0x9e, 0x82]);
        client.expect_text([0xf4, 0x8f, 0xbf, 0xbf]);
        for valid in VALID {
            check::case(format_args!("{valid:02x?}"));
            client.send(ClientFrame::text(valid).bytes());
            client.expect_text(valid);
        }
        client.send(ClientFrame::text(VALID.concat()).bytes());
        client.expect_text(VALID.concat());
        client.expect_open_and_silent();
    });
}

/// Each valid sequence is sent in fragments of one byte with Pings between them; malformed sequences too.
fn utf_8_is_checked_across_fragments() {
    let server = Server::start();
    server.upgrade_both(|client| {
        for valid in VALID {
            check::case(format_args!("{valid:02x?} in fragments of one byte"));
            client.send(ClientFrame::text("").without_fin().bytes());
            for byte in *valid {
                client.send(ClientFrame::continuation([*byte]).without_fin().bytes());
                client.expect_open_and_silent();
            }
            client.send(ClientFrame::continuation("").bytes());
            client.expect_text(valid);
        }
    });
    for (malformed, proof) in MALFORMED {
        let fragments = malformed[..*proof]
            .iter()
            .map(|byte| ClientFrame::continuation([*byte]).without_fin().bytes());
        let wire =
            [ClientFrame::text("").without_fin().bytes(), fragments.collect::<Vec<_>>().concat()]
                .concat();
        expect_1007(&server, "in fragments of one byte", &wire);
    }
    for cut in INCOMPLETE {
        let ended =
            encode_frames([ClientFrame::text(cut).without_fin(), ClientFrame::continuation("")]);
        expect_1007(&server, "ended by an empty fragment", &ended);
        let continued =
            encode_frames([ClientFrame::text(cut).without_fin(), ClientFrame::continuation("x")]);
        expect_1007(&server, "followed by a letter", &continued);
    }
}

/// The frame is incomplete, and so is the message.
fn invalid_text_is_answered_at_the_first_invalid_byte() {
    let server = Server::start();
    for (malformed, proof) in MALFORMED {
        let proven = [b"valid ", &malformed[..*proof]].concat();
        let frame = ClientFrame::text(proven).without_fin().declared_length(1000).bytes();
        expect_1007(&server, "in an incomplete frame", &frame);
    }
    expect_1007(&server, "in a fragment", &ClientFrame::text(b"oo\xff").without_fin().bytes());
}

/// Field values may contain any bytes; a target that is not printable ASCII is refused.
fn unknown_fields_may_contain_any_bytes() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_upgrade(&Request::upgrade(path).add(b"X-A: \xff"));
        server.expect_upgrade(&Request::upgrade(path).add(b"Cookie: \xc3\x28\xe2\x82"));
        server.expect_refusal(
            &Request::upgrade(path).request_line([b"GET /\xff".as_slice(), b" HTTP/1.1"].concat()),
            400,
        );
        server.expect_refusal(&Request::upgrade(path).request_line("GET /%ff HTTP/1.1"), 404);
    });
}

fn binary_ping_and_pong_may_contain_any_bytes() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(encode_frames([
            ClientFrame::pong([0xff, 0xfe]),
            ClientFrame::ping([0xff, 0xfe]),
        ]));
        client.expect_frame(PONG, [0xff, 0xfe]);
        client.send(ClientFrame::text([0xe2]).without_fin().bytes());
        client.send(ClientFrame::ping([0x82, 0xff]).bytes());
        client.expect_frame(PONG, [0x82, 0xff]);
    });
    let mut client = server.upgrade("/echo");
    for (malformed, _) in MALFORMED {
        client.send(ClientFrame::binary(malformed).bytes());
        client.expect_message(&Message { opcode: BINARY, payload: malformed.to_vec() });
    }
}

/// The welcome and chat messages with non-ASCII characters. Nothing is sent of a text whose sender fails
/// before its end.
fn server_texts_are_utf_8() {
    let server = Server::with(&["--welcome", "\u{d6}l \u{20ac} \u{1f600}"]);
    let mut client = server.send_request(&Request::upgrade("/chat"));
    client.expect_101();
    client.expect_frame(TEXT, "\u{d6}l \u{20ac} \u{1f600}");

    let server = Server::start();
    on_both_paths(|path| {
        let mut observer = server.upgrade("/chat");
        let mut sender = server.upgrade(path);
        sender.send(ClientFrame::text("\u{d6}l \u{20ac} \u{1f600}").bytes());
        sender.expect_frame(TEXT, "\u{d6}l \u{20ac} \u{1f600}");
        if path == "/chat" {
            observer.expect_frame(TEXT, "\u{d6}l \u{20ac} \u{1f600}");
        }
        for (malformed, _) in MALFORMED {
            check::case(format_args!("{malformed:02x?}"));
            let mut client = server.upgrade(path);
            client.send(encode_frames([
                ClientFrame::text("start ").without_fin(),
                ClientFrame::continuation(malformed),
            ]));
            client.expect_failure(1007);
        }
        sender.expect_open_and_silent();
        observer.expect_open_and_silent();
    });
}
