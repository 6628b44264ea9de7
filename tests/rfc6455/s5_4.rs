//! Section 5.4: fragmentation.

use crate::probe::expect_failure_of_each;
use crate::support::frame::{BINARY, Message, PONG};
use crate::support::{ClientFrame, Request, Server, check, encode_frames, on_both_paths};

tests! {
    fragments_are_joined_into_one_message: ["5.4-a"],
    fragmented_and_unfragmented_messages_are_accepted: ["5.4-b"],
    control_frame_between_fragments_is_handled_at_once: ["5.4-d"],
    server_fragments_are_in_order: ["5.4-f"],
    new_message_inside_another_is_answered_with_1002: ["5.4-g"],
    continuation_without_a_message_is_answered_with_1002: ["5.4-h"],
    fragments_may_be_empty: ["5.4-i"],
    message_type_is_the_opcode_of_the_first_frame: ["5.4-j"],
    division_into_segments_does_not_matter: ["5.4-k"],
    close_between_fragments_is_answered_with_its_code: ["5.4-l"],
    server_frames_follow_the_fragmentation_rules: ["5.4-q"],
}

fn fragments_are_joined_into_one_message() {
    let server = Server::start();
    server.upgrade_both(|client| {
        #[rustfmt::skip]
        let fragments = [
            0b0_000_0001, 0b1_0000011, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, // Hel
            0b1_000_0000, 0b1_0000010, 0x37, 0xfa, 0x21, 0x3d, 0x5b, 0x95,       // lo
        ];
        client.send(fragments);
        client.expect_text("Hello");
        client.expect_open_and_silent();
    });
}

fn fragmented_and_unfragmented_messages_are_accepted() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(ClientFrame::text("whole").bytes());
        client.expect_text("whole");
        let mut fragments = ClientFrame::text("x").without_fin().bytes();
        for _ in 0..998 {
            fragments.extend(ClientFrame::continuation("y").without_fin().bytes());
        }
        fragments.extend(ClientFrame::continuation("z").bytes());
        client.send(fragments);
        client.expect_text(format!("x{}z", "y".repeat(998)));
        client.send(ClientFrame::text("whole again").bytes());
        client.expect_text("whole again");
        client.expect_open_and_silent();
    });
}

/// The Pong is received before the last fragment is sent, and the message is complete.
fn control_frame_between_fragments_is_handled_at_once() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(ClientFrame::text("Hel").without_fin().bytes());
        client.send(ClientFrame::ping("between").bytes());
        client.expect_frame(PONG, "between");
        client.send(ClientFrame::pong("unsolicited").bytes());
        client.send(ClientFrame::continuation("l").without_fin().bytes());
        client.expect_open_and_silent();
        client.send(ClientFrame::continuation("o").bytes());
        client.expect_text("Hello");
    });
}

/// The server may fragment a long message; the fragments must be in order.
fn server_fragments_are_in_order() {
    let server = Server::start();
    server.upgrade_both(|client| {
        let numbers: String = (0..100_000).map(|number| format!("{number} ")).collect();
        client.send(ClientFrame::text(&numbers).bytes());
        client.expect_text(&numbers);
    });
}

fn new_message_inside_another_is_answered_with_1002() {
    let open = || ClientFrame::text("Hel").without_fin();
    expect_failure_of_each(
        1002,
        &[
            ("text", encode_frames([open(), ClientFrame::text("lo")])),
            ("fragment of a text", encode_frames([open(), ClientFrame::text("lo").without_fin()])),
            ("empty text", encode_frames([open(), ClientFrame::text("")])),
            ("binary", encode_frames([open(), ClientFrame::binary("lo")])),
            (
                "fragment of a binary",
                encode_frames([open(), ClientFrame::binary("lo").without_fin()]),
            ),
            (
                "after a continuation",
                encode_frames([
                    open(),
                    ClientFrame::continuation("l").without_fin(),
                    ClientFrame::text("o"),
                ]),
            ),
            (
                "after a pong",
                encode_frames([open(), ClientFrame::pong(""), ClientFrame::text("lo")]),
            ),
        ],
    );
}

fn continuation_without_a_message_is_answered_with_1002() {
    expect_failure_of_each(
        1002,
        &[
            ("last", vec![0x80, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]),
            (
                "not the last",
                vec![0x00, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
            ),
            ("empty", ClientFrame::continuation("").bytes()),
            (
                "after a pong",
                encode_frames([ClientFrame::pong("x"), ClientFrame::continuation("lo")]),
            ),
        ],
    );
    let server = Server::start();
    on_both_paths(|path| {
        check::case("after a message");
        let mut client = server.upgrade(path);
        client.send(encode_frames([
            ClientFrame::text("Hel").without_fin(),
            ClientFrame::continuation("lo"),
        ]));
        client.expect_text("Hello");
        client.send(ClientFrame::continuation("more").bytes());
        client.expect_failure(1002);
    });
}

fn fragments_may_be_empty() {
    let server = Server::start();
    server.upgrade_both(|client| {
        #[rustfmt::skip]
        let fragments = [
            0b0_000_0001, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d, // first fragment of a text
            0b0_000_0000, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d, // next fragment
            0b1_000_0000, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d, // last fragment
        ];
        client.send(fragments);
        client.expect_text("");
        let empty = || ClientFrame::continuation("").without_fin();
        client.send(encode_frames([
            ClientFrame::text("").without_fin(),
            empty(),
            ClientFrame::continuation("x").without_fin(),
            empty(),
        ]));
        client.send(ClientFrame::continuation("").bytes());
        client.expect_text("x");
        client.expect_open_and_silent();
    });
}

fn message_type_is_the_opcode_of_the_first_frame() {
    let server = Server::start();
    let mut client = server.upgrade("/echo");
    client.send(encode_frames([
        ClientFrame::binary([0xff]).without_fin(),
        ClientFrame::continuation([0xfe, 0x00]),
    ]));
    client.expect_message(&Message { opcode: BINARY, payload: vec![0xff, 0xfe, 0x00] });
    server.upgrade_both(|client| {
        client.send(encode_frames([
            ClientFrame::text("te").without_fin(),
            ClientFrame::continuation("xt"),
        ]));
        client.expect_text("text");
    });
    let mut client = server.upgrade("/chat");
    client.send(encode_frames([
        ClientFrame::binary("no ").without_fin(),
        ClientFrame::continuation("text"),
    ]));
    client.expect_close(Some(1003));
}

/// Each byte in its own segment, or many frames in one segment: the messages are the same.
fn division_into_segments_does_not_matter() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.connect();
        client.send_in_bytes(Request::upgrade(path).bytes());
        client.expect_101();
        client.expect_open();
        client.send_in_bytes(encode_frames([
            ClientFrame::text("Hel").without_fin(),
            ClientFrame::continuation("lo"),
        ]));
        client.expect_text("Hello");
        let texts: Vec<_> = (0..20).map(|number| format!("text {number}")).collect();
        client.send(
            texts.iter().flat_map(|text| ClientFrame::text(text).bytes()).collect::<Vec<_>>(),
        );
        texts.iter().for_each(|text| client.expect_text(text));
        client.expect_open_and_silent();
    });
}

/// The unfinished message is discarded.
fn close_between_fragments_is_answered_with_its_code() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(encode_frames([
            ClientFrame::text("lost").without_fin(),
            ClientFrame::close(1000, ""),
        ]));
        client.expect_close_and_end(Some(1000));
    });
}

/// The test client checks the sequence of frames: here long and short texts, with Pings of the server
/// between them.
fn server_frames_follow_the_fragmentation_rules() {
    let server = Server::with(&["--ping-interval", "0.05"]);
    server.upgrade_both(|client| {
        for length in [0, 1, 125, 126, 65_536, 1 << 20, 5] {
            let text = "x".repeat(length);
            client.send(encode_frames([ClientFrame::text(&text), ClientFrame::ping("p")]));
            client.expect_text(text);
        }
        client.expect_open();
    });
}
