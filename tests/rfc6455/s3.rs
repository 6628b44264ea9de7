//! Section 3: WebSocket URIs, as far as the request target contains them.

use crate::support::{Request, Server, check, on_both_paths};

tests! {
    target_with_a_fragment_gets_400: ["3-e"],
    well_known_paths_get_404: ["3-g"],
}

fn target_with_a_fragment_gets_400() {
    let server = Server::start();
    on_both_paths(|path| {
        for fragment in ["#", "#x", "?a#x"] {
            check::case(format_args!("{path}{fragment}"));
            server.expect_refusal(&Request::upgrade(&format!("{path}{fragment}")), 400);
        }
    });
}

fn well_known_paths_get_404() {
    let server = Server::start();
    for path in ["/.well-known/none", "/.well-known/chat", "/.well-known/"] {
        check::case(path);
        server.expect_refusal(&Request::upgrade(path), 404);
        server.expect_refusal(&Request::get(path), 404);
    }
}
