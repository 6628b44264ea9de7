//! Section 5.8: extensibility.

use crate::support::{ClientFrame, Request, Server, check, on_both_paths};

tests! {
    extension_that_was_not_negotiated_is_not_used: ["5.8-a"],
}

/// An offer that the server did not accept changes nothing: the test client checks the frames of the
/// server, and the server refuses reserved bits in the frames of the client.
fn extension_that_was_not_negotiated_is_not_used() {
    let server = Server::start();
    on_both_paths(|path| {
        for rsv in [0b100, 0b010, 0b001] {
            check::case(format_args!("RSV {rsv:03b}"));
            let offer = "Sec-WebSocket-Extensions: permessage-deflate, x-probe";
            let mut client = server.expect_upgrade(&Request::upgrade(path).add(offer));
            client.send(ClientFrame::text("a".repeat(1000)).bytes());
            client.expect_text("a".repeat(1000));
            client.send(ClientFrame::text("b").rsv(rsv).bytes());
            client.expect_failure(1002);
        }
    });
}
