//! Section 11: what is registered, and how often a field may stand.

use crate::support::{PATHS, Request, Server, check};

tests! {
    accept_stands_once_in_the_answer: ["11.3.3-a"],
    protocols_may_be_offered_on_several_lines: ["11.3.4-a"],
    protocol_stands_at_most_once_in_the_answer: ["11.3.4-b"],
    versions_of_the_drafts_are_not_spoken: ["11.6-a"],
}

fn accept_stands_once_in_the_answer() {
    let server = Server::start();
    for path in PATHS {
        let answer = server.send_request(&Request::upgrade(path)).expect_101();
        check::eq(answer.values("Sec-WebSocket-Accept").len(), 1, path);
    }
}

fn protocols_may_be_offered_on_several_lines() {
    let server = Server::start();
    for path in PATHS {
        let first = Request::upgrade(path).add("Sec-WebSocket-Protocol: a");
        server.expect_upgrade(&first.clone().add("Sec-WebSocket-Protocol: b"));
        server.expect_upgrade(&first.clone().add("Sec-WebSocket-Protocol: b, c"));
        server.expect_refusal(&first.add("Sec-WebSocket-Protocol: b c"), 400);
    }
}

fn protocol_stands_at_most_once_in_the_answer() {
    let server = Server::start();
    for path in PATHS {
        let request = Request::upgrade(path).add("Sec-WebSocket-Protocol: a, b");
        let answer = server.send_request(&request.add("Sec-WebSocket-Protocol: c")).expect_101();
        check::that(answer.values("Sec-WebSocket-Protocol").len() <= 1, path);
    }
}

fn versions_of_the_drafts_are_not_spoken() {
    let server = Server::start();
    for path in PATHS {
        for version in 0..=12 {
            check::case(format_args!("{path}, version {version}"));
            let request = Request::upgrade(path).set("Sec-WebSocket-Version", version.to_string());
            let answer = server.expect_refusal(&request, 426);
            check::eq(answer.field("Sec-WebSocket-Version"), Some("13"), "the version spoken");
        }
    }
}
