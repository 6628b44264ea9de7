//! Faults of the server's machine and of the clients' machines: no memory, a full disk, clients that are
//! stopped or killed at the same time. (`tests/hostile.rs` has the missing descriptors and threads: rows 27
//! and 21.)

mod support;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use support::attack::{MEMORY_TOLERANCE, expect_idle_cpu, expect_recovery};
use support::bare_server::BareServer;
use support::server::{eventually, signal};
use support::{Client, Request, Server, check};

mod memory {
    use super::*;

    /// In kB: enough for the start and some dozens of threads, but not for 150.
    const ADDRESS_SPACE: u64 = 70_000;

    /// There is no memory for another thread. The server logs it and answers 503; the members it has are not
    /// disturbed. No other allocation fails: that would end the program.
    #[test]
    fn a_client_without_memory_for_its_thread_gets_503() {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -v {ADDRESS_SPACE}; exec \"$0\" --bind 127.0.0.1:0");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_wirechat")]);
        command.env("MALLOC_ARENA_MAX", "1"); // otherwise the C library reserves most of it
        expect_recovery(&Server::spawn(command), MEMORY_TOLERANCE, |server| {
            let idle = server.threads();
            let mut members = Vec::new();
            let refused = loop {
                let mut client = server.send_request(&Request::upgrade("/echo"));
                match client.read_head().status {
                    101 => members.push(client),
                    status => break status,
                }
            };
            check::eq(refused, 503, "the status without memory");
            check::that(10 < members.len(), format_args!("{} were accepted", members.len()));
            server.wait_for_log("cannot start a thread: out of memory");
            let more = connect_many(server, 400);
            check::that(
                more.len() < members.len(),
                format_args!("{} more were accepted", more.len()),
            );
            drop(more);
            for _ in 0..1000 {
                drop(server.send_request(&Request::upgrade("/echo")));
            }
            members.iter_mut().for_each(Client::expect_open_and_silent);
            let count = members.len();
            members.truncate(count / 2);
            eventually("a new client is accepted again", || {
                server.send_request(&Request::upgrade("/echo")).read_head().status == 101
            });
            members.clear();
            eventually("the threads have ended", || server.threads() <= idle);
            members.extend((0..count).map(|_| server.upgrade("/echo")));
        });
    }

    /// Connects this many clients, one after another; returns those that the server accepts.
    fn connect_many(server: &Server, clients: usize) -> Vec<Client> {
        let mut members = Vec::new();
        for _ in 0..clients {
            let mut client = server.send_request(&Request::upgrade("/echo"));
            if client.read_head().status == 101 {
                members.push(client);
            }
        }
        members
    }
}

mod disk {
    use super::*;

    /// A server whose log is on its own small file system.
    struct SmallDisk {
        server: BareServer,
        log: PathBuf,
    }

    impl SmallDisk {
        /// Returns `None` if this machine does not allow the mount.
        fn start() -> Option<Self> {
            const MOUNT: &str = "mount -t tmpfs -o size=64k none /mnt";
            let trial = Command::new("unshare").args(["-rm", "sh", "-c", MOUNT]).output();
            if !trial.is_ok_and(|trial| trial.status.success()) {
                check::skip("the small disk needs `unshare -rm` with mounts");
                return None;
            }
            let script = format!("{MOUNT} && exec \"$0\" --bind 127.0.0.1:0 2>>/mnt/log");
            let mut command = Command::new("unshare");
            command.args(["-rm", "sh", "-c", &script, env!("CARGO_BIN_EXE_wirechat")]);
            let server = BareServer::spawn(command);
            let log = PathBuf::from(format!("/proc/{}/root/mnt/log", server.pid()));
            Some(Self { server, log })
        }

        fn log(&self) -> String {
            String::from_utf8_lossy(&fs::read(&self.log).expect("the log can be read")).into_owned()
        }
    }

    /// When the disk has space again, the log continues and reports the lines that are missing.
    #[test]
    fn a_full_disk_stops_the_log_but_not_the_chat() {
        let Some(disk) = SmallDisk::start() else { return };
        let mut member = disk.server.join_chat();
        let text = "t".repeat(200);
        for _ in 0..1000 {
            member.send_and_wait(&text);
        }
        let full = disk.log();
        check::that(full.len() <= 64 * 1024, "the disk is full");
        File::create(&disk.log).expect("the log can be emptied"); // as an operator does
        member.send_and_wait("the disk has space again");
        eventually("the log reports the missing lines", || {
            disk.log().contains("the disk has space again")
                && disk.log().contains("log lines dropped")
        });
        member.close_normally();
        check::eq(disk.server.stop().code(), Some(0), "exit status");
    }
}

/// Members in another process, which a test can stop and kill.
struct ClientProcess {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl ClientProcess {
    /// Starts a process with one member that reads.
    fn one_reader(server: &Server) -> Self {
        Self::start("read_numbers", server)
    }

    /// Starts a process with [`GROUP`] members that do not read.
    fn group(server: &Server) -> Self {
        Self::start("join_and_never_read", server)
    }

    /// Runs one of the ignored tests of this file; returns when its members have joined.
    fn start(test: &str, server: &Server) -> Self {
        let program = std::env::current_exe().expect("a test knows its program");
        let mut command = Command::new(program);
        command.args(["--exact", test, "--ignored", "--nocapture"]);
        command.env(ADDRESS, server.address().to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        let output = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut clients = Self { process, output };
        clients.wait_for_line(JOINED);
        clients
    }

    /// Waits until the process prints this line.
    fn wait_for_line(&mut self, expected: &str) {
        let is_it = |line: Result<String, _>| line.is_ok_and(|line| line.ends_with(expected));
        check::that(self.output.any(is_it), format_args!("the clients print {expected:?}"));
    }

    fn signal(&self, name: &str) {
        signal(name, self.process.id());
    }
}

impl Drop for ClientProcess {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended by itself
        let _ = self.process.wait();
    }
}

/// The environment variable with the server's address.
const ADDRESS: &str = "FAULTS_SERVER";

/// What a client process prints when its members have joined, and when they have read everything.
const JOINED: &str = "all have joined";
const RECEIVED: &str = "all received in order";

fn address() -> SocketAddr {
    let address = std::env::var(ADDRESS).expect("a test of this file sets it");
    address.parse().expect("an address")
}

const GROUP: usize = 100;

/// Longer than any test: the test kills the process before.
const LIFETIME: Duration = Duration::from_secs(600);

/// Texts for clients that are stopped for a while: fewer than the backlog may hold.
const TEXTS: usize = 500;

#[test]
#[ignore = "other tests of this file start it as a process"]
fn join_and_never_read() {
    let _members: Vec<Client> = (0..GROUP).map(|_| Client::upgrade(address(), "/chat")).collect();
    println!("{JOINED}");
    thread::sleep(LIFETIME);
}

#[test]
#[ignore = "other tests of this file start it as a process"]
fn read_numbers() {
    let mut member = Client::upgrade(address(), "/chat");
    println!("{JOINED}");
    (0..TEXTS).for_each(|number| member.expect_text(number.to_string()));
    println!("{RECEIVED}");
}

#[test]
fn clients_that_are_stopped_for_a_while_miss_no_text() {
    let server = Server::start();
    let mut sender = server.upgrade("/chat");
    let mut stopped: Vec<ClientProcess> =
        (0..10).map(|_| ClientProcess::one_reader(&server)).collect();
    stopped.iter().for_each(|clients| clients.signal("STOP"));
    for number in 0..TEXTS {
        sender.send_and_wait(number.to_string());
    }
    stopped.iter().for_each(|clients| clients.signal("CONT"));
    stopped.iter_mut().for_each(|clients| clients.wait_for_line(RECEIVED));
}

#[test]
fn clients_that_stay_stopped_are_disconnected_at_the_backlog_limit() {
    let server = Server::with(&["--max-backlog", "64K"]);
    let backlogs = GROUP as u64 * 64; // in kB
    expect_recovery(&server, MEMORY_TOLERANCE + backlogs, |server| {
        let clients = ClientProcess::group(server);
        clients.signal("STOP");
        let mut sender = server.upgrade("/chat");
        let text = "t".repeat(100_000);
        let are_disconnected = || server.metrics()["wirechat_slow_readers_total"] == GROUP as f64;
        let ended = (0..1000).any(|_| {
            sender.send_and_wait(&text); // the kernel buffers some megabytes for each member
            are_disconnected()
        });
        check::that(ended, "members that do not read are disconnected");
        sender.close_normally();
    });
}

#[test]
fn clients_that_stay_stopped_are_disconnected_at_the_idle_timeout() {
    let server = Server::with(&["--ping-interval", "1", "--idle-timeout", "2"]);
    let clients = ClientProcess::group(&server);
    let threads = server.threads();
    clients.signal("STOP");
    eventually("all members are disconnected", || {
        server.metrics()["wirechat_connections_open"] == 1.0 // this request
    });
    eventually("their threads have ended", || server.threads() <= threads - GROUP as u64);
    expect_idle_cpu(&server);
}

#[test]
fn clients_that_are_killed_at_the_same_time_are_removed() {
    let server = Server::start();
    expect_recovery(&server, MEMORY_TOLERANCE, |server| {
        let mut groups: Vec<ClientProcess> = (0..4).map(|_| ClientProcess::group(server)).collect();
        for group in &mut groups {
            group.process.kill().expect("the process runs");
        }
        eventually("all members are removed", || {
            server.metrics()["wirechat_connections_open"] == 2.0 // the honest client, and this request
        });
    });
}
