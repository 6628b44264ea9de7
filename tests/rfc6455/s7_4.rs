//! Section 7.4: status codes.

use crate::support::{ClientFrame, Server, check, on_both_paths};

tests! {
    defined_codes_are_answered_with_the_same_code: [
        "7.4.1-a", "7.4.1-b", "7.4.1-c", "7.4.1-d", "7.4.1-g", "7.4.1-h", "7.4.1-i", "7.4.1-k",
        "7.4.1-l",
    ],
    code_1004_is_answered_with_1002: ["7.4.1-e"],
    codes_that_must_not_be_sent_are_answered_with_1002: ["7.4.1-f"],
    server_closes_with_the_code_defined_for_each_cause: [
        "7.4.1-b", "7.4.1-c", "7.4.1-d", "7.4.1-g", "7.4.1-i",
    ],
    codes_below_1000_are_answered_with_1002: ["7.4.2-a"],
    unassigned_codes_are_answered_with_1002: ["7.4.2-b"],
    registered_codes_are_answered_with_the_same_code: ["7.4.2-c"],
    private_codes_are_answered_with_the_same_code: ["7.4.2-d"],
    codes_from_5000_are_answered_with_1002: ["7.4.2-e"],
    server_answers_only_with_codes_that_it_may_send: ["7.4.2-f"],
}

/// Sends a Close with each code on both paths, and expects a Close with the code `answer(code)`, then the
/// end.
fn expect_answer_to_each(codes: &[u16], answer: impl Fn(u16) -> u16) {
    let server = Server::start();
    on_both_paths(|path| {
        for code in codes {
            check::case(code);
            let mut client = server.upgrade(path);
            client.send(ClientFrame::close(*code, "").bytes());
            client.expect_close_and_end(Some(answer(*code)));
        }
    });
}

fn defined_codes_are_answered_with_the_same_code() {
    let codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014];
    expect_answer_to_each(&codes, |code| code);
    expect_answer_to_each(&[1010], |_| 1000); // servers must not send 1010
}

fn code_1004_is_answered_with_1002() {
    expect_answer_to_each(&[1004], |_| 1002);
}

/// The test client checks for each Close that the server does not send these codes.
fn codes_that_must_not_be_sent_are_answered_with_1002() {
    expect_answer_to_each(&[1005, 1006, 1015], |_| 1002);
}

/// The meaning of each code is defined in section 7.4.1.
fn server_closes_with_the_code_defined_for_each_cause() {
    let server = Server::with(&["--max-message", "1K"]);
    on_both_paths(|path| {
        for (code, frame) in [
            (1002, ClientFrame::new(0xb, "")),
            (1007, ClientFrame::text([0xff])),
            (1009, ClientFrame::text([b'x'; 1025])),
        ] {
            check::case(code);
            let mut client = server.upgrade(path);
            client.send(frame.bytes());
            client.expect_failure(code);
        }
    });
    let mut client = server.upgrade("/chat");
    client.send(ClientFrame::binary("an unsupported type").bytes());
    client.expect_close(Some(1003));
    let mut client = server.upgrade("/echo");
    server.signal("TERM");
    client.expect_close(Some(1001));
}

fn codes_below_1000_are_answered_with_1002() {
    expect_answer_to_each(&[0, 1, 500, 999], |_| 1002);
}

fn unassigned_codes_are_answered_with_1002() {
    expect_answer_to_each(&[1016, 1100, 1999, 2000, 2999], |_| 1002);
}

fn registered_codes_are_answered_with_the_same_code() {
    expect_answer_to_each(&[3000, 3003, 3008, 3999], |code| code);
}

fn private_codes_are_answered_with_the_same_code() {
    expect_answer_to_each(&[4000, 4500, 4999], |code| code);
}

fn codes_from_5000_are_answered_with_1002() {
    expect_answer_to_each(&[5000, 0x03e8_u16.swap_bytes(), 65_535], |_| 1002);
}

fn server_answers_only_with_codes_that_it_may_send() {
    let server = Server::start();
    on_both_paths(|path| {
        for code in [0, 1, 999]
            .into_iter()
            .chain(1000..1020)
            .chain([1999, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65_535])
        {
            check::case(code);
            let mut client = server.upgrade(path);
            client.send(ClientFrame::close(code, "").bytes());
            let answer = client.read_frame().code().unwrap_or_default();
            let is_allowed =
                matches!(answer, 1000..=1003 | 1007..=1009 | 1011..=1014 | 3000..=4999);
            check::that(is_allowed, format_args!("answered with {answer}"));
        }
    });
}
