//! A server whose standard error goes wherever the test wants, even nowhere.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use super::server::{eventually, signal};
use super::{Client, check};

/// It is killed when this is dropped.
pub(crate) struct Unheard {
    child: Child,
    address: SocketAddr,
}

impl Unheard {
    /// With more arguments after `--bind 127.0.0.1:0`.
    pub(crate) fn start(errors: Stdio, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirechat"));
        command.args(["--bind", "127.0.0.1:0"]).args(arguments);
        command.stderr(errors);
        Self::spawn(command)
    }

    /// From a command that becomes the server.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut server = Self { child, address: (Ipv4Addr::LOCALHOST, 0).into() };
        eventually("it listens", || server.port().is_some());
        server.address.set_port(server.port().expect("it listens"));
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The port of its one listening socket, as the system knows it: the log cannot tell.
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

    /// Its standard error, if that is a pipe and was not taken before.
    pub(crate) fn errors(&mut self) -> ChildStderr {
        self.child.stderr.take().expect("standard error is piped")
    }

    pub(crate) fn member(&self) -> Client {
        Client::upgrade(self.address, "/chat")
    }

    /// Stops it as an operator would.
    pub(crate) fn stop(mut self) -> ExitStatus {
        signal("TERM", self.pid());
        eventually("it ends", || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()));
            stat.is_ok_and(|stat| stat.contains(") Z "))
        });
        self.child.wait().expect("a child can be waited for")
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}
