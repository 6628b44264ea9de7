//! Section 7.2: abnormal closures.

use crate::support::{ClientFrame, Request, Server, check, on_both_paths};

tests! {
    refused_handshake_ends_the_connection: ["7.2.2-a"],
}

/// The response has `Connection: close`, the connection ends, and frames after the request are not answered.
fn refused_handshake_ends_the_connection() {
    let server = Server::start();
    on_both_paths(|path| {
        for request in [
            Request::upgrade(path).without("Sec-WebSocket-Key"),
            Request::upgrade(path).set("Sec-WebSocket-Version", "8"),
            Request::upgrade(path).add("Origin: http://evil.invalid"),
        ] {
            check::case(request.bytes().escape_ascii());
            let mut client = server.connect();
            client.send([request.bytes(), ClientFrame::ping("frame").bytes()].concat());
            let answer = client.read_response();
            check::that((400..500).contains(&answer.status), answer.status);
            client.expect_last_response(&answer);
        }
    });
}
