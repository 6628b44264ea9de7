//! Section 11: registered values, and how often a field may be present.

use crate::support::{Request, Server, check, on_both_paths};

tests! {
    response_has_one_accept_field: ["11.3.3-a"],
    subprotocols_may_be_offered_in_several_fields: ["11.3.4-a"],
    response_has_at_most_one_subprotocol_field: ["11.3.4-b"],
    draft_versions_get_426: ["11.6-a"],
}

fn response_has_one_accept_field() {
    let server = Server::start();
    on_both_paths(|path| {
        let answer = server.send_request(&Request::upgrade(path)).expect_101();
        check::eq(answer.values("Sec-WebSocket-Accept").len(), 1, "number of accept fields");
    });
}

fn subprotocols_may_be_offered_in_several_fields() {
    let server = Server::start();
    on_both_paths(|path| {
        let first = Request::upgrade(path).add("Sec-WebSocket-Protocol: a");
        server.expect_upgrade(&first.clone().add("Sec-WebSocket-Protocol: b"));
        server.expect_upgrade(&first.clone().add("Sec-WebSocket-Protocol: b, c"));
        server.expect_refusal(&first.add("Sec-WebSocket-Protocol: b c"), 400);
    });
}

fn response_has_at_most_one_subprotocol_field() {
    let server = Server::start();
    on_both_paths(|path| {
        let request = Request::upgrade(path).add("Sec-WebSocket-Protocol: a, b");
        let answer = server.send_request(&request.add("Sec-WebSocket-Protocol: c")).expect_101();
        check::that(answer.values("Sec-WebSocket-Protocol").len() <= 1, "at most one field");
    });
}

fn draft_versions_get_426() {
    let server = Server::start();
    on_both_paths(|path| {
        for version in 0..=12 {
            check::case(format_args!("version {version}"));
            let request = Request::upgrade(path).set("Sec-WebSocket-Version", version.to_string());
            let answer = server.expect_refusal(&request, 426);
            check::eq(answer.field("Sec-WebSocket-Version"), Some("13"), "the supported version");
        }
    });
}
