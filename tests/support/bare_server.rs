//! A server whose standard error the test controls: a pipe that is not read, a closed pipe, a full device.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use super::server::{eventually, signal};
use super::{Client, check};

/// A running server whose log is not read; dropping it kills the server. [`super::Server`] reads the log.
pub(crate) struct BareServer {
    child: Child,
    address: SocketAddr,
}

impl BareServer {
    /// Starts the program with `--bind 127.0.0.1:0` and more arguments; `stderr` is its standard error.
    pub(crate) fn start(stderr: Stdio, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirechat"));
        command.args(["--bind", "127.0.0.1:0"]).args(arguments);
        command.stderr(stderr);
        Self::spawn(command)
    }

    /// Runs a command that ends in `exec` of the server, and waits until the server listens.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut server = Self { child, address: (Ipv4Addr::LOCALHOST, 0).into() };
        eventually("the server listens", || server.port().is_some());
        server.address.set_port(server.port().expect("the server listens"));
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Finds the port of its one listening socket in `/proc`, because the log cannot be read here.
    fn port(&self) -> Option<u16> {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.pid())).ok()?;
        let owned: Vec<_> =
            descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).collect();
        let table = fs::read_to_string("/proc/net/tcp").ok()?;
        table.lines().skip(1).find_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let socket = format!("socket:[{}]", columns[9]);
            let is_listening = columns[3] == "0A";
            let is_own = owned.iter().any(|target| *target.as_os_str() == *socket);
            let port = columns[1].split_once(':')?.1;
            (is_listening && is_own).then(|| u16::from_str_radix(port, 16).ok())?
        })
    }

    /// The reading end of its standard error. It can be taken once, and only if it is a pipe.
    pub(crate) fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().expect("standard error is piped")
    }

    /// A new member of the chat that has read its welcome.
    pub(crate) fn join_chat(&self) -> Client {
        Client::upgrade(self.address, "/chat")
    }

    /// Stops the server with SIGTERM, as an operator does, and returns its exit status.
    pub(crate) fn stop(mut self) -> ExitStatus {
        signal("TERM", self.pid());
        eventually("the server ends", || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()));
            stat.is_ok_and(|stat| stat.contains(") Z "))
        });
        self.child.wait().expect("a child can be waited for")
    }
}

impl Drop for BareServer {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}
