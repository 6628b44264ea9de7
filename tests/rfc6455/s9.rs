//! Section 9: extensions. The server supports none: it declines every offer and uses no extension.

use crate::support::{ClientFrame, Request, Server, check, on_both_paths};

tests! {
    every_offered_extension_is_declined: ["9-a", "9.1-g"],
    offers_in_several_fields_are_read_as_one_list: ["9.1-a"],
    malformed_offer_gets_400: ["9.1-b"],
}

/// Expects that the server accepts the handshake without an extension, and that frames without an
/// extension work.
fn expect_extension_declined(server: &Server, request: &Request) {
    let mut client = server.send_request(request);
    check::eq(
        client.expect_101().field("Sec-WebSocket-Extensions"),
        None,
        "extensions of the response",
    );
    client.expect_open();
    client.send(ClientFrame::text("plain").bytes());
    client.expect_text("plain");
}

fn every_offered_extension_is_declined() {
    let server = Server::start();
    on_both_paths(|path| {
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits; server_no_context_takeover",
            "permessage-deflate; zz=1",
            "x-probe; a=1",
            "bbf-usp-protocol; eid=\"x\"",
            "x-webkit-deflate-frame, permessage-deflate, mux; q=1",
        ] {
            check::case(offer);
            expect_extension_declined(
                &server,
                &Request::upgrade(path).add(format!("Sec-WebSocket-Extensions: {offer}")),
            );
        }
    });
}

fn offers_in_several_fields_are_read_as_one_list() {
    let server = Server::start();
    on_both_paths(|path| {
        let first = Request::upgrade(path).add("Sec-WebSocket-Extensions: a; b=1");
        expect_extension_declined(&server, &first.clone().add("Sec-WebSocket-Extensions: c, d"));
        expect_extension_declined(&server, &first.clone().add("Sec-WebSocket-Extensions: ,"));
        server.expect_refusal(&first.add("Sec-WebSocket-Extensions: ;"), 400);
    });
}

fn malformed_offer_gets_400() {
    let server = Server::start();
    on_both_paths(|path| {
        for offer in [
            ";;=",
            "x; =1",
            "x;",
            "x; a=",
            "=",
            "x y",
            "x; a=b c",
            "x, ;",
            "x; a=\"b c\"", // a quoted value must be a token too
            "x; a=\"\"",
            "x; a=\"b",
        ] {
            check::case(offer);
            server.expect_refusal(
                &Request::upgrade(path).add(format!("Sec-WebSocket-Extensions: {offer}")),
                400,
            );
        }
    });
}
