//! Section 4.4: several versions of the protocol.

use crate::support::{Request, Server, check, on_both_paths};

tests! {
    only_the_listed_versions_are_accepted: ["4.4-a"],
}

fn only_the_listed_versions_are_accepted() {
    let server = Server::start();
    let upgrade_with_version = |path: &str, version: u8| {
        check::case(format_args!("{path}, version {version}"));
        Request::upgrade(path).set("Sec-WebSocket-Version", version.to_string())
    };
    on_both_paths(|path| {
        let answer = server.expect_refusal(&upgrade_with_version(path, 99), 426);
        check::eq(answer.values("Sec-WebSocket-Version"), vec!["13"], "versions listed");
        server.expect_upgrade(&upgrade_with_version(path, 13));
        for version in (0..=15).filter(|version| *version != 13) {
            server.expect_refusal(&upgrade_with_version(path, version), 426);
        }
    });
}
