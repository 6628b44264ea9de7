//! Section 2: terminology.

use crate::support::{ClientFrame, Request, Server, WELCOME, check, on_both_paths};

tests! {
    only_ascii_letters_are_case_insensitive: ["2.1-a"],
    frames_in_the_segment_of_the_handshake_are_answered: ["2.1-b"],
}

/// In Unicode, U+212A folds to k and U+017F to s; they are not ASCII letters.
fn only_ascii_letters_are_case_insensitive() {
    let server = Server::start();
    on_both_paths(|path| {
        for upgrade in ["websoc\u{212a}et", "web\u{17f}ocket"] {
            check::case(upgrade);
            server.expect_refusal(&Request::upgrade(path).set("Upgrade", upgrade), 400);
        }
    });
}

/// One segment contains the handshake, three messages and a Close.
fn frames_in_the_segment_of_the_handshake_are_answered() {
    let server = Server::start();
    on_both_paths(|path| {
        let mut wire = Request::upgrade(path).bytes();
        for payload in ["one", "two", "three"] {
            wire.extend(ClientFrame::text(payload).bytes());
        }
        wire.extend(ClientFrame::close(1000, "").bytes());

        let mut client = server.connect();
        client.send(wire);
        client.expect_101();
        if path == "/chat" {
            client.expect_text(WELCOME);
        }
        client.expect_text("one");
        client.expect_text("two");
        client.expect_text("three");
        client.expect_close_and_end(Some(1000));
    });
}
