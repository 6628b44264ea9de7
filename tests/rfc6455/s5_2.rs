//! Section 5.2: base framing.

use crate::probe::expect_failure_of_each;
use crate::support::frame::{BINARY, CLOSE, LengthForm, MASKING_KEY, PING, PONG, TEXT};
use crate::support::{Client, ClientFrame, Frame, Server, check, encode_frames, on_both_paths};

tests! {
    single_frame_with_fin_is_a_message: ["5.2-a"],
    reserved_bit_is_answered_with_1002: ["5.2-b"],
    server_frames_have_no_reserved_bit_and_a_defined_opcode: ["5.2-c", "5.2-f"],
    reserved_data_opcode_is_answered_with_1002: ["5.2-d"],
    reserved_control_opcode_is_answered_with_1002: ["5.2-e"],
    lengths_up_to_125_are_read_from_7_bits: ["5.2-g"],
    lengths_up_to_65535_are_read_from_16_bits: ["5.2-h"],
    longer_lengths_are_read_from_64_bits: ["5.2-i"],
    top_bit_of_a_length_is_answered_with_1002: ["5.2-j"],
    server_lengths_are_minimal: ["5.2-k"],
    length_in_16_bits_that_fits_7_is_answered_with_1002: ["5.2-l"],
    length_in_64_bits_that_fits_16_is_answered_with_1002: ["5.2-m"],
    masking_key_is_not_part_of_the_length: ["5.2-n"],
    all_payload_bytes_are_application_data: ["5.2-o"],
    empty_payload_is_allowed_in_every_frame: ["5.2-q"],
    violation_is_answered_at_the_byte_that_proves_it: ["5.2-r"],
}

/// Sends a text of each length, and expects the same text back in one frame.
fn expect_text_of_each_length(server: &Server, lengths: &[usize]) {
    server.upgrade_both(|client| {
        for length in lengths {
            check::case(format_args!("{length} bytes"));
            let text = pattern(*length);
            client.send(ClientFrame::text(&text).bytes());
            client.expect_frame(TEXT, &text);
        }
        client.expect_open_and_silent();
    });
}

/// ASCII text in which neighbouring bytes differ, so that a shift by one byte is detected.
fn pattern(length: usize) -> Vec<u8> {
    (b'!'..=b'~').cycle().take(length).collect()
}

fn single_frame_with_fin_is_a_message() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut client = server.upgrade(path);
        #[rustfmt::skip]
        let hello = [
            0b1_000_0001, 0b1_0000101,    // FIN, text; MASK, length 5
            0x37, 0xfa, 0x21, 0x3d,       // masking key
            0x7f, 0x9f, 0x4d, 0x51, 0x58, // Hello
        ];
        check::eq(ClientFrame::text("Hello").bytes(), hello, "the frame encoder of the tests");
        client.send(hello);
        let hello = [0b1_000_0001, 0b0_0000101, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
        check::eq(client.read_bytes(7), hello, "the frame");
        client.expect_open_and_silent();
    });
}

fn reserved_bit_is_answered_with_1002() {
    expect_failure_of_each(
        1002,
        &[
            ("text, RSV1", vec![0xc1, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]),
            ("text, RSV2", vec![0xa1, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]),
            ("text, RSV3", vec![0x91, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]),
            ("ping, RSV1", vec![0xc9, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]),
        ],
    );
    for rsv in 0b001..=0b111 {
        let rows = [
            ("empty text", ClientFrame::text("").rsv(rsv).bytes()),
            ("binary", ClientFrame::binary("x").rsv(rsv).bytes()),
            ("ping", ClientFrame::ping("x").rsv(rsv).bytes()),
            ("pong", ClientFrame::pong("x").rsv(rsv).bytes()),
            ("close", ClientFrame::close(1000, "").rsv(rsv).bytes()),
            ("fragment", ClientFrame::text("x").without_fin().rsv(rsv).bytes()),
            (
                "continuation",
                encode_frames([
                    ClientFrame::text("x").without_fin(),
                    ClientFrame::continuation("y").rsv(rsv),
                ]),
            ),
        ];
        expect_failure_of_each(1002, &rows);
    }
}

/// Reads the first byte of every kind of frame that the server sends: text, binary, Ping, Pong, Close.
fn server_frames_have_no_reserved_bit_and_a_defined_opcode() {
    let server = Server::with(&["--ping-interval", "0.1"]);
    let mut opcodes = Vec::new();
    server.upgrade_both(|client| {
        client.send(encode_frames([ClientFrame::text("text"), ClientFrame::ping("ping")]));
        opcodes.extend(opcodes_until(PING, client)); // the server sends Pings on a timer
        client.send(encode_frames([ClientFrame::binary("binary"), ClientFrame::close(1000, "")]));
        opcodes.extend(opcodes_until(CLOSE, client));
    });
    opcodes.sort_unstable();
    opcodes.dedup();
    check::eq(opcodes, [TEXT, BINARY, CLOSE, PING, PONG], "opcodes received");
}

/// Reads frames up to the first with the opcode `last`, and gives all opcodes.
fn opcodes_until(last: u8, client: &mut Client) -> Vec<u8> {
    let mut opcodes = Vec::new();
    while opcodes.last() != Some(&last) {
        let header = client.read_bytes(2);
        client.read_bytes(header[1].into());
        check::eq(header[0] & 0b0_111_0000, 0, "reserved bits");
        opcodes.push(header[0] & 0b0_000_1111);
    }
    opcodes
}

fn reserved_data_opcode_is_answered_with_1002() {
    for opcode in 0x3..=0x7 {
        let rows = [
            ("empty", vec![0b1_000_0000 | opcode, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]),
            ("with a payload", ClientFrame::new(opcode, "Hello").bytes()),
            ("without FIN", ClientFrame::new(opcode, "Hello").without_fin().bytes()),
        ];
        expect_failure_of_each(1002, &rows);
    }
}

fn reserved_control_opcode_is_answered_with_1002() {
    for opcode in 0xb..=0xf {
        let rows = [
            ("empty", vec![0b1_000_0000 | opcode, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]),
            ("with a payload", ClientFrame::new(opcode, "Hello").bytes()),
        ];
        expect_failure_of_each(1002, &rows);
    }
}

fn lengths_up_to_125_are_read_from_7_bits() {
    let server = Server::start();
    server.upgrade_both(|client| {
        for length in 0..=125 {
            let payload = pattern(length);
            client.send(ClientFrame::ping(&payload).bytes());
            client.expect_frame(PONG, &payload);
        }
    });
    expect_text_of_each_length(&server, &[1, 2, 124, 125]);
}

fn lengths_up_to_65535_are_read_from_16_bits() {
    expect_text_of_each_length(
        &Server::start(),
        &[126, 127, 128, 255, 256, 32_767, 32_768, 65_534, 65_535],
    );
}

fn longer_lengths_are_read_from_64_bits() {
    expect_text_of_each_length(&Server::start(), &[65_536, 65_537, 131_072, 1 << 20]);
}

/// The server needs only the header: no payload is sent.
fn top_bit_of_a_length_is_answered_with_1002() {
    let header = |length: u64| {
        let mut wire = vec![0b1_000_0001, 0b1_1111111];
        wire.extend(length.to_be_bytes());
        wire.extend(MASKING_KEY);
        wire
    };
    expect_failure_of_each(
        1002,
        &[
            ("2^63", header(1 << 63)),
            ("2^63 + 5", header((1 << 63) + 5)),
            ("2^64 - 1", header(u64::MAX)),
            ("2^64 - 4", header(u64::MAX - 3)),
            ("binary", vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x37, 0xfa, 0x21, 0x3d]),
        ],
    );
}

fn server_lengths_are_minimal() {
    let server = Server::start();
    server.upgrade_both(|client| {
        for (length, header) in [
            (0, vec![0b1_000_0001, 0]),
            (125, vec![0b1_000_0001, 125]),
            (126, vec![0b1_000_0001, 126, 0x00, 0x7e]),
            (256, vec![0b1_000_0001, 126, 0x01, 0x00]),
            (65_535, vec![0b1_000_0001, 126, 0xff, 0xff]),
            (65_536, vec![0b1_000_0001, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            check::case(format_args!("{length} bytes"));
            client.send(ClientFrame::text(pattern(length)).bytes());
            check::eq(client.read_bytes(header.len()), header, "header");
            check::eq(client.read_bytes(length), pattern(length), "payload");
        }
        client.send(ClientFrame::ping([b'p'; 125]).bytes());
        check::eq(client.read_bytes(2), [0b1_000_1010, 125], "header of a Pong");
    });
}

fn length_in_16_bits_that_fits_7_is_answered_with_1002() {
    #[rustfmt::skip]
    let five = vec![
        0b1_000_0001, 0b1_1111110, 0x00, 0x05, // FIN, text; MASK, length in 16 bits
        0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    expect_failure_of_each(
        1002,
        &[
            ("5", five),
            ("0", ClientFrame::text("").length_form(LengthForm::Bits16).bytes()),
            ("125", ClientFrame::text(pattern(125)).length_form(LengthForm::Bits16).bytes()),
            (
                "binary of 125",
                ClientFrame::binary(pattern(125)).length_form(LengthForm::Bits16).bytes(),
            ),
        ],
    );
}

fn length_in_64_bits_that_fits_16_is_answered_with_1002() {
    #[rustfmt::skip]
    let five = vec![
        0b1_000_0001, 0b1_1111111, 0, 0, 0, 0, 0, 0, 0, 0x05, // FIN, text; MASK, length in 64 bits
        0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    expect_failure_of_each(
        1002,
        &[
            ("5", five),
            ("126", ClientFrame::text(pattern(126)).length_form(LengthForm::Bits64).bytes()),
            (
                "65535, the header",
                ClientFrame::text("")
                    .length_form(LengthForm::Bits64)
                    .declared_length(65_535)
                    .bytes(),
            ),
        ],
    );
}

/// Several frames follow each other: if the key counted as payload, the next header would be shifted.
fn masking_key_is_not_part_of_the_length() {
    let server = Server::start();
    server.upgrade_both(|client| {
        let frames = ["Hello", "", "you"].map(|text| ClientFrame::text(text).bytes());
        client.send(frames.concat());
        client.expect_text("Hello");
        client.expect_text("");
        client.expect_text("you");
        client.expect_open_and_silent();
    });
}

fn all_payload_bytes_are_application_data() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send(ClientFrame::ping([0x00, 0x01, 0xfe, 0xff]).bytes());
        client.expect_frame(PONG, [0x00, 0x01, 0xfe, 0xff]);
        client.send(ClientFrame::text("\0\u{1}whole\u{7f}").bytes());
        client.expect_text("\0\u{1}whole\u{7f}");
    });
    let mut client = server.upgrade("/echo");
    client.send([
        0x82, 0x89, 0x37, 0xfa, 0x21, 0x3d, 0x37, 0xfb, 0x23, 0x3e, 0x33, 0xff, 0x27, 0x3a, 0x3f,
    ]);
    client.expect_frame(BINARY, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
}

fn empty_payload_is_allowed_in_every_frame() {
    let server = Server::start();
    server.upgrade_both(|client| {
        client.send([0b1_000_0001, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]);
        client.expect_frame(TEXT, "");
        client.send([0b1_000_1001, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]);
        client.expect_frame(PONG, "");
        client.send([0b1_000_1010, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]);
        client.send(ClientFrame::text("a").without_fin().bytes());
        client.send([0b0_000_0000, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]);
        client.send([0b1_000_0000, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]);
        client.expect_text("a");
        client.expect_open_and_silent();
        client.send([0b1_000_1000, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]);
        client.expect_close_and_end(None);
    });
    let mut client = server.upgrade("/echo");
    client.send([0b1_000_0010, 0b1_0000000, 0x37, 0xfa, 0x21, 0x3d]);
    let expected = Frame { fin: true, opcode: BINARY, payload: vec![] };
    check::eq(client.read_frame(), expected, "empty binary");
}

/// After the first byte, the second byte, or the header: no payload is sent.
fn violation_is_answered_at_the_byte_that_proves_it() {
    expect_failure_of_each(
        1002,
        &[
            ("reserved bit", vec![0b1_100_0001]),
            ("reserved data opcode", vec![0b1_000_0011]),
            ("reserved control opcode", vec![0b1_000_1011]),
            ("ping without FIN", vec![0b0_000_1001]),
            (
                "continuation without a message",
                ClientFrame::continuation("").declared_length(5).bytes(),
            ),
            ("not masked", vec![0b1_000_0001, 0b0_0000101]),
            ("ping over 125", vec![0b1_000_1001, 0b1_1111110]),
            ("5 in 16 bits", vec![0b1_000_0001, 0b1_1111110, 0x00, 0x05]),
        ],
    );
    expect_failure_of_each(
        1009,
        &[("2^62", ClientFrame::binary("").declared_length(1 << 62).bytes())],
    );
}
