//! Section 2: terminology.

use crate::support::{ClientFrame, PATHS, Request, Server, WELCOME, check};

tests! {
    only_ascii_letters_fold: ["2.1-a"],
    coalesced_requests_are_all_answered: ["2.1-b"],
}

/// To Unicode U+212A is a capital k and U+017F a small s; to ASCII they are no letters.
fn only_ascii_letters_fold() {
    let server = Server::start();
    for path in PATHS {
        for upgrade in ["websoc\u{212a}et", "web\u{17f}ocket"] {
            check::case(format_args!("{path}, {upgrade}"));
            server.expect_refusal(&Request::upgrade(path).set("Upgrade", upgrade), 400);
        }
    }
}

/// Everything in one segment: the handshake, three messages and a Close.
fn coalesced_requests_are_all_answered() {
    let server = Server::start();
    for path in PATHS {
        check::case(path);
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
    }
}
