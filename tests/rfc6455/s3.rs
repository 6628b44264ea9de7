//! Section 3: WebSocket URIs, as far as a request-target shows them.

use crate::support::{PATHS, Request, Server, check};

tests! {
    target_with_a_fragment_is_refused: ["3-e"],
    well_known_name_is_no_chat: ["3-g"],
}

fn target_with_a_fragment_is_refused() {
    let server = Server::start();
    for path in PATHS {
        for fragment in ["#", "#x", "?a#x"] {
            check::case(format_args!("{path}{fragment}"));
            server.expect_refusal(&Request::upgrade(&format!("{path}{fragment}")), 400);
        }
    }
}

fn well_known_name_is_no_chat() {
    let server = Server::start();
    for path in ["/.well-known/none", "/.well-known/chat", "/.well-known/"] {
        check::case(path);
        server.expect_refusal(&Request::upgrade(path), 404);
        server.expect_refusal(&Request::get(path), 404);
    }
}
