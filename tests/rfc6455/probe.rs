//! Checks that several sections share.

use std::io::{Read, Write};
use std::thread;

use crate::support::server::eventually;
use crate::support::{Client, ClientFrame, Server, check, on_both_paths};

/// Sends the bytes of each row on a new connection of each path and nothing more; the server must fail
/// the connection with this code.
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

/// The text that the other member sends in [`in_a_busy_chat`].
pub(crate) const BACKGROUND_TEXT: &str = "chatter";

/// Runs `session` while another member sends without a pause: it sends a burst, and the next burst when
/// it has received the previous one, so that no member becomes a slow reader. The server is killed when
/// `session` returns.
pub(crate) fn in_a_busy_chat(server: &Server, session: impl FnOnce()) {
    const BURST: usize = 5;
    let mut sender = server.upgrade("/chat");
    let mut reader = sender.stream().try_clone().expect("a second handle to the socket");
    let burst = ClientFrame::text(BACKGROUND_TEXT).bytes().repeat(BURST);
    let mut received = [0; BURST * (2 + BACKGROUND_TEXT.len())];
    thread::scope(|scope| {
        scope.spawn(|| {
            while sender.try_send(&burst).is_ok() && reader.read_exact(&mut received).is_ok() {}
        });
        let _guard = server.kill_on_drop();
        session();
    });
}

/// Checks that the last answer of the server is not lost to a reset while the client sends `more`: the
/// server must read and drop these bytes, and then close. `read_answer` reads the answer; `idle` is the
/// number of open descriptors of the server without this connection.
pub(crate) fn expect_no_reset_while_sending(
    server: &Server,
    idle: usize,
    mut client: Client,
    more: &[u8],
    read_answer: impl FnOnce(&mut Client),
) {
    let mut writer = client.stream().try_clone().expect("a second handle to the socket");
    let sent = thread::scope(|scope| {
        let sender = scope.spawn(|| writer.write_all(more));
        read_answer(&mut client);
        sender.join().expect("sending does not panic")
    });
    check::that(sent.is_ok(), format_args!("the server reads all bytes: {sent:?}"));
    client.shutdown_write();
    eventually("the server closes the connection", || server.descriptors() <= idle);
    client.expect_no_reset();
}
