//! Section 7.3: normal closure.

use crate::support::{ClientFrame, PATHS, Server, check};

tests! {
    stopped_server_closes_every_connection_with_1001: ["7.3-a"],
}

/// For both signals; some clients answer with a Close, others only end the connection.
fn stopped_server_closes_every_connection_with_1001() {
    for signal in ["TERM", "INT"] {
        let server = Server::start();
        let mut clients: Vec<_> =
            PATHS.iter().cycle().take(10).map(|path| server.upgrade(path)).collect();
        server.signal(signal);
        for (number, client) in clients.iter_mut().enumerate() {
            check::case(format_args!("SIG{signal}, client {number}"));
            client.expect_close(Some(1001));
            match number % 3 {
                0 => client.shutdown_write(),
                _ => client.send(ClientFrame::close(1001, "").bytes()),
            }
            client.expect_end();
        }
        check::eq(server.wait().code(), Some(0), "exit status");
    }
}
