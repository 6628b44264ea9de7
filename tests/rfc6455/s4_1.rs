//! Section 4.1: requirements for clients that also concern the server.

use crate::support::server::eventually;
use crate::support::{Request, Server, check, on_both_paths};

tests! {
    field_names_are_case_insensitive: ["4.1-zb"],
    full_server_answers_503_and_recovers: ["4.1-zd"],
}

fn field_names_are_case_insensitive() {
    let server = Server::start();
    on_both_paths(|path| {
        for change in [<[u8]>::make_ascii_lowercase, <[u8]>::make_ascii_uppercase] {
            let request = Request::upgrade(path).edit_fields(|lines| {
                for line in lines {
                    let colon = line.iter().position(|b| *b == b':').expect("a field line");
                    change(&mut line[..colon]);
                }
            });
            check::case(request.bytes().escape_ascii());
            server.expect_upgrade(&request);
        }
    });
}

fn full_server_answers_503_and_recovers() {
    on_both_paths(|path| {
        let server = Server::with(&["--max-connections", "2"]);
        let mut members = [server.upgrade(path), server.upgrade(path)];
        server.expect_refusal(&Request::upgrade(path), 503);
        members.iter_mut().for_each(|member| member.expect_open_and_silent());
        drop(members);
        let accepts = || server.send_request(&Request::upgrade(path)).read_head().status == 101;
        eventually("the server accepts connections again", accepts);
    });
}
