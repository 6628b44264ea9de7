//! Section 4.3: the grammar of the handshake's header fields.

use crate::support::{Request, Server, check, on_both_paths};

tests! {
    key_and_accept_are_base64: ["4.3-a"],
    quoted_parameter_must_contain_a_token: ["4.3-b"],
    whitespace_around_separators_is_ignored: ["4.3-c"],
    empty_list_elements_are_ignored: ["4.3-d"],
    version_in_the_response_is_a_number: ["4.3-e"],
}

/// A valid request with one more field line.
fn upgrade_with(path: &str, line: &str) -> Request {
    check::case(format_args!("{path}, {line}"));
    Request::upgrade(path).add(line)
}

fn key_and_accept_are_base64() {
    let server = Server::start();
    on_both_paths(|path| {
        for key in
            ["+/+/+/+/+/+/+/+/+/+/+w==", "0123456789abcdefghijkg==", "qrstuvwxyzABCDEFGHIJKA=="]
        {
            let answer = server
                .send_request(&Request::upgrade(path).set("Sec-WebSocket-Key", key))
                .read_head();
            let accept = answer.field("Sec-WebSocket-Accept").unwrap_or_default();
            let (digits, padding) = accept.split_at(accept.len().min(27));
            let alphabet = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
            check::that(digits.len() == 27 && digits.bytes().all(alphabet), accept);
            check::eq(padding, "=", "padding of 20 bytes");
        }
        for key in ["-_-_-_-_-_-_-_-_-_-_-w==", "", "===="] {
            server.expect_refusal(&Request::upgrade(path).set("Sec-WebSocket-Key", key), 400);
        }
    });
}

fn quoted_parameter_must_contain_a_token() {
    let server = Server::start();
    on_both_paths(|path| {
        for good in [
            "permessage-deflate; client_max_window_bits=\"10\"",
            "x; a=\"b\"; c=\"d\"",
            "x; a=\"\\b\"",
        ] {
            server
                .expect_upgrade(&upgrade_with(path, &format!("Sec-WebSocket-Extensions: {good}")));
        }
        for bad in ["x; a=\"b c\"", "x; a=\"\"", "x; a=\"b", "x; a=\"b,c\"", "x; a=\"b\"c", "\"x\""]
        {
            server.expect_refusal(
                &upgrade_with(path, &format!("Sec-WebSocket-Extensions: {bad}")),
                400,
            );
        }
    });
}

fn whitespace_around_separators_is_ignored() {
    let server = Server::start();
    on_both_paths(|path| {
        for value in [
            "permessage-deflate ; client_max_window_bits = 10",
            "a\t;\tb\t=\tc , d",
            "a;b=c,d;e=\"f\"",
            " a , b ",
        ] {
            server
                .expect_upgrade(&upgrade_with(path, &format!("Sec-WebSocket-Extensions: {value}")));
        }
        server.expect_upgrade(&upgrade_with(path, "Sec-WebSocket-Protocol: a\t,  b ,c"));
    });
}

fn empty_list_elements_are_ignored() {
    let server = Server::start();
    on_both_paths(|path| {
        server.expect_upgrade(&Request::upgrade(path).set("Connection", ",, upgrade ,"));
        server.expect_upgrade(&Request::upgrade(path).set("Upgrade", " ,websocket,,"));
        server.expect_upgrade(&upgrade_with(path, "Sec-WebSocket-Protocol: a,, b"));
        server.expect_upgrade(&upgrade_with(path, "Sec-WebSocket-Extensions: ,a,,b,"));
    });
}

/// The rule also concerns Sec-WebSocket-Protocol, which the server never sends here.
fn version_in_the_response_is_a_number() {
    let server = Server::start();
    on_both_paths(|path| {
        let answer =
            server.expect_refusal(&Request::upgrade(path).set("Sec-WebSocket-Version", "99"), 426);
        let version = answer.field("Sec-WebSocket-Version").unwrap_or_default();
        check::that(!version.starts_with('0') && version.parse::<u8>().is_ok(), version);
        check::eq(answer.field("Sec-WebSocket-Protocol"), None, "subprotocol of the response");
    });
}
