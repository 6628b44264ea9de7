//! What several sections ask of the server in the same way.

use std::io::{Read, Write};
use std::thread;

use crate::support::server::eventually;
use crate::support::{Client, ClientFrame, Server, check, on_both_paths};

/// Sends octets on a fresh connection of each path, then nothing: they alone must fail it with this
/// code.
pub(crate) fn expect_failure_of_each(code: u16, rows: &[(&str, Vec<u8>)]) {
    let server = Server::start();
    on_both_paths(|path| {
        for (name, wire) in rows {
            check::case(name);
            let mut client = server.upgrade(path);
            client.send(wire);
            client.expect_failure(code);
        }
    });
}

/// What is said in [`in_a_busy_chat`].
pub(crate) const BACKGROUND_TEXT: &str = "chatter";

/// Runs a visit to the chat while another member never stops talking: a few texts, and the next when
/// they have come back, so that nobody need be slow. The server ends with the visit.
pub(crate) fn in_a_busy_chat(server: &Server, visit: impl FnOnce()) {
    const BURST: usize = 5;
    let mut talker = server.upgrade("/chat");
    let mut ears = talker.stream().try_clone().expect("a second handle to the socket");
    let burst = ClientFrame::text(BACKGROUND_TEXT).bytes().repeat(BURST);
    let mut heard = [0; BURST * (2 + BACKGROUND_TEXT.len())];
    thread::scope(|scope| {
        scope.spawn(|| {
            while talker.try_send(&burst).is_ok() && ears.read_exact(&mut heard).is_ok() {}
        });
        let _end_of_the_talker = server.kill_on_drop();
        visit();
    });
}

/// The server says its last words to a client that goes on sending, reads and drops what comes, and
/// lets go without a reset: that could take the last words with it. It had `idle` descriptors before.
pub(crate) fn expect_no_reset_while_sending(
    server: &Server,
    idle: usize,
    mut client: Client,
    more: &[u8],
    last_words: impl FnOnce(&mut Client),
) {
    let mut mouth = client.stream().try_clone().expect("a second handle to the socket");
    let sent = thread::scope(|scope| {
        let sender = scope.spawn(|| mouth.write_all(more));
        last_words(&mut client);
        sender.join().expect("sending does not panic")
    });
    check::that(sent.is_ok(), format_args!("all is read: {sent:?}"));
    client.shutdown_write();
    eventually("the server lets the connection go", || server.descriptors() <= idle);
    client.expect_no_reset();
}
