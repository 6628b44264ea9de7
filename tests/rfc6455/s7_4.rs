//! Section 7.4: status codes.

use crate::support::{ClientFrame, PATHS, Server, check};

tests! {
    defined_code_is_answered_with_itself: [
        "7.4.1-a", "7.4.1-b", "7.4.1-c", "7.4.1-d", "7.4.1-g", "7.4.1-h", "7.4.1-i", "7.4.1-k",
        "7.4.1-l",
    ],
    code_1004_is_answered_with_1002: ["7.4.1-e"],
    codes_that_are_never_sent_are_answered_with_1002: ["7.4.1-f"],
    verdicts_have_the_codes_of_their_meaning: [
        "7.4.1-b", "7.4.1-c", "7.4.1-d", "7.4.1-g", "7.4.1-i",
    ],
    codes_below_1000_are_answered_with_1002: ["7.4.2-a"],
    unassigned_codes_are_answered_with_1002: ["7.4.2-b"],
    codes_of_libraries_are_answered_with_themselves: ["7.4.2-c"],
    private_codes_are_answered_with_themselves: ["7.4.2-d"],
    codes_from_5000_are_answered_with_1002: ["7.4.2-e"],
    server_sends_no_code_of_its_own_but_those_it_may: ["7.4.2-f"],
}

/// A Close with each code gets this answer, on each path; and TCP ends.
fn each_is_answered_with(codes: &[u16], answer: impl Fn(u16) -> u16) {
    let server = Server::start();
    for path in PATHS {
        for code in codes {
            check::case(format_args!("{path}, {code}"));
            let mut client = server.upgrade(path);
            client.send(ClientFrame::close(*code, "").bytes());
            client.expect_close_and_end(Some(answer(*code)));
        }
    }
}

fn defined_code_is_answered_with_itself() {
    let codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014];
    each_is_answered_with(&codes, |code| code);
    each_is_answered_with(&[1010], |_| 1000); // a code that servers do not send
}

fn code_1004_is_answered_with_1002() {
    each_is_answered_with(&[1004], |_| 1002);
}

/// That they are never sent is judged with each Close that is read.
fn codes_that_are_never_sent_are_answered_with_1002() {
    each_is_answered_with(&[1005, 1006, 1015], |_| 1002);
}

/// What section 7.4.1 says a code is for, seen from the server that sends it.
fn verdicts_have_the_codes_of_their_meaning() {
    let server = Server::with(&["--max-message", "1K"]);
    for path in PATHS {
        for (code, frame) in [
            (1002, ClientFrame::new(0xb, "")),
            (1007, ClientFrame::text([0xff])),
            (1009, ClientFrame::text([b'x'; 1025])),
        ] {
            check::case(format_args!("{path}, {code}"));
            let mut client = server.upgrade(path);
            client.send(frame.bytes());
            client.expect_failure(code);
        }
    }
    let mut client = server.upgrade("/chat");
    client.send(ClientFrame::binary("a type it does not take").bytes());
    client.expect_close(Some(1003));
    let mut client = server.upgrade("/echo");
    server.signal("TERM");
    client.expect_close(Some(1001));
}

fn codes_below_1000_are_answered_with_1002() {
    each_is_answered_with(&[0, 1, 500, 999], |_| 1002);
}

fn unassigned_codes_are_answered_with_1002() {
    each_is_answered_with(&[1016, 1100, 1999, 2000, 2999], |_| 1002);
}

fn codes_of_libraries_are_answered_with_themselves() {
    each_is_answered_with(&[3000, 3003, 3008, 3999], |code| code);
}

fn private_codes_are_answered_with_themselves() {
    each_is_answered_with(&[4000, 4500, 4999], |code| code);
}

fn codes_from_5000_are_answered_with_1002() {
    each_is_answered_with(&[5000, 0x03e8_u16.swap_bytes(), 65_535], |_| 1002);
}

fn server_sends_no_code_of_its_own_but_those_it_may() {
    let server = Server::start();
    for path in PATHS {
        for code in [0, 1, 999]
            .into_iter()
            .chain(1000..1020)
            .chain([1999, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65_535])
        {
            check::case(format_args!("{path}, {code}"));
            let mut client = server.upgrade(path);
            client.send(ClientFrame::close(code, "").bytes());
            let answer = client.read_frame().code().unwrap_or_default();
            let own = matches!(answer, 1000..=1003 | 1007..=1009 | 1011..=1014 | 3000..=4999);
            check::that(own, format_args!("answered with {answer}"));
        }
    }
}
