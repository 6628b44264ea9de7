//! Faults of the machine and of the clients' machines: no memory, no disk, clients that are stopped or
//! killed all at once. (No descriptors and no threads: rows 27 and 21 of the hostile tests.)

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

    /// In kB: enough to start with, for some dozens of threads, and not for a hundred and fifty.
    const ADDRESS_SPACE: u64 = 70_000;

    /// Memory for a thread cannot be had. It is told, the newcomer gets its 503, and nobody who is there
    /// notices: not even the words of another allocation that failed, which would end the program.
    #[test]
    fn a_small_address_space() {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -v {ADDRESS_SPACE}; exec \"$0\" --bind 127.0.0.1:0");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_wirechat")]);
        command.env("MALLOC_ARENA_MAX", "1"); // else most of it is set aside by the C library
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
            check::eq(refused, 503, "who gets no memory");
            check::that(10 < members.len(), format_args!("{} had been let in", members.len()));
            server.wait_for_log("cannot start a thread: out of memory");
            let late = let_in(server, 400);
            check::that(
                late.len() < members.len(),
                format_args!("{} more were let in", late.len()),
            );
            drop(late);
            for _ in 0..1000 {
                drop(server.send_request(&Request::upgrade("/echo")));
            }
            members.iter_mut().for_each(Client::expect_open_and_silent);
            let crowd = members.len();
            members.truncate(crowd / 2);
            eventually("there is room again", || {
                server.send_request(&Request::upgrade("/echo")).read_head().status == 101
            });
            members.clear();
            eventually("their threads have ended", || server.threads() <= idle);
            members.extend((0..crowd).map(|_| server.upgrade("/echo")));
        });
    }

    /// Those of so many newcomers, one after another, who become members.
    fn let_in(server: &Server, newcomers: usize) -> Vec<Client> {
        let mut members = Vec::new();
        for _ in 0..newcomers {
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

    /// A log on a file system of its own, which few lines fill.
    struct SmallDisk {
        server: BareServer,
        log: PathBuf,
    }

    impl SmallDisk {
        /// `None` where the machine does not let us mount.
        fn start() -> Option<Self> {
            const MOUNT: &str = "mount -t tmpfs -o size=64k none /mnt";
            let trial = Command::new("unshare").args(["-rm", "sh", "-c", MOUNT]).output();
            if !trial.is_ok_and(|trial| trial.status.success()) {
                check::skip("a small disk needs `unshare -rm` and its own mounts");
                return None;
            }
            let become_server = format!("{MOUNT} && exec \"$0\" --bind 127.0.0.1:0 2>>/mnt/log");
            let mut command = Command::new("unshare");
            command.args(["-rm", "sh", "-c", &become_server, env!("CARGO_BIN_EXE_wirechat")]);
            let server = BareServer::spawn(command);
            let log = PathBuf::from(format!("/proc/{}/root/mnt/log", server.pid()));
            Some(Self { server, log })
        }

        fn log(&self) -> String {
            String::from_utf8_lossy(&fs::read(&self.log).expect("the log can be read")).into_owned()
        }
    }

    /// The chat goes on; when there is room again the log goes on too, and says what is missing.
    #[test]
    fn a_full_disk_under_the_log() {
        let Some(disk) = SmallDisk::start() else { return };
        let mut member = disk.server.join_chat();
        let words = "w".repeat(200);
        for _ in 0..1000 {
            member.send_and_wait(&words);
        }
        let full = disk.log();
        check::that(full.len() <= 64 * 1024, "the disk is full");
        File::create(&disk.log).expect("the operator makes room");
        member.send_and_wait("there is room again");
        eventually("the log says what is missing", || {
            disk.log().contains("there is room again") && disk.log().contains("log lines dropped")
        });
        member.close_normally();
        check::eq(disk.server.stop().code(), Some(0), "exit status");
    }
}

/// Members in a process of their own, which can be stopped and killed.
struct Clients {
    process: Child,
    words: Lines<BufReader<ChildStdout>>,
}

impl Clients {
    /// One member, who hears.
    fn one(server: &Server) -> Self {
        Self::doing("hear_numbers", server)
    }

    /// [`CROWD`] members, who read nothing.
    fn crowd(server: &Server) -> Self {
        Self::doing("be_a_crowd", server)
    }

    /// All of them are in when this returns.
    fn doing(body: &str, server: &Server) -> Self {
        let itself = std::env::current_exe().expect("a test knows its program");
        let mut command = Command::new(itself);
        command.args(["--exact", body, "--ignored", "--nocapture"]);
        command.env(ADDRESS, server.address().to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this program runs twice");
        let words = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut clients = Self { process, words };
        clients.say("all are in");
        clients
    }

    /// Waits until the process says this.
    fn say(&mut self, wanted: &str) {
        let is_it = |line: Result<String, _>| line.is_ok_and(|line| line.ends_with(wanted));
        check::that(self.words.any(is_it), format_args!("the clients say {wanted}"));
    }

    fn signal(&self, name: &str) {
        signal(name, self.process.id());
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended by itself
        let _ = self.process.wait();
    }
}

/// The variable that tells such a process where the server is.
const ADDRESS: &str = "FAULTS_SERVER";

fn address() -> SocketAddr {
    let address = std::env::var(ADDRESS).expect("a test of this file sets it");
    address.parse().expect("an address")
}

const CROWD: usize = 100;

/// Far longer than any test: it is killed before.
const LIFE: Duration = Duration::from_secs(600);

/// What is said to those who are stopped for a while: less than a member may owe.
const TEXTS: usize = 500;

#[test]
#[ignore = "a process that tests of this file start"]
fn be_a_crowd() {
    let _members: Vec<Client> = (0..CROWD).map(|_| Client::upgrade(address(), "/chat")).collect();
    println!("all are in");
    thread::sleep(LIFE);
}

#[test]
#[ignore = "a process that tests of this file start"]
fn hear_numbers() {
    let mut member = Client::upgrade(address(), "/chat");
    println!("all are in");
    (0..TEXTS).for_each(|number| member.expect_text(number.to_string()));
    println!("heard all in order");
}

#[test]
fn clients_that_are_stopped_for_a_while_miss_nothing() {
    let server = Server::start();
    let mut speaker = server.upgrade("/chat");
    let mut stopped: Vec<Clients> = (0..10).map(|_| Clients::one(&server)).collect();
    stopped.iter().for_each(|clients| clients.signal("STOP"));
    for number in 0..TEXTS {
        speaker.send_and_wait(&number.to_string());
    }
    stopped.iter().for_each(|clients| clients.signal("CONT"));
    stopped.iter_mut().for_each(|clients| clients.say("heard all in order"));
}

#[test]
fn clients_that_stay_stopped_are_let_go() {
    let server = Server::with(&["--max-backlog", "64K"]);
    // All that so many may owe, beside the usual.
    let slack = MEMORY_TOLERANCE + CROWD as u64 * 64;
    expect_recovery(&server, slack, |server| {
        let clients = Clients::crowd(server);
        clients.signal("STOP");
        let mut speaker = server.upgrade("/chat");
        let words = "w".repeat(100_000);
        let are_gone = || server.metrics()["wirechat_slow_readers_total"] == CROWD as f64;
        let all_gone = (0..1000).any(|_| {
            speaker.send_and_wait(&words); // the kernel takes some megabytes for each
            are_gone()
        });
        check::that(all_gone, "who reads nothing has to go");
        speaker.close_normally();
    });
}

#[test]
fn clients_that_stay_stopped_in_silence_are_let_go() {
    let server = Server::with(&["--ping-interval", "1", "--idle-timeout", "2"]);
    let clients = Clients::crowd(&server);
    let threads = server.threads();
    clients.signal("STOP");
    eventually("nobody is left", || {
        server.metrics()["wirechat_connections_open"] == 1.0 // who asks
    });
    eventually("no thread is left", || server.threads() <= threads - CROWD as u64);
    expect_idle_cpu(&server);
}

#[test]
fn clients_that_are_killed_by_the_hundred() {
    let server = Server::start();
    expect_recovery(&server, MEMORY_TOLERANCE, |server| {
        let mut crowds: Vec<Clients> = (0..4).map(|_| Clients::crowd(server)).collect();
        for crowd in &mut crowds {
            crowd.process.kill().expect("it runs");
        }
        eventually("nobody of them is left", || {
            server.metrics()["wirechat_connections_open"] == 2.0 // the honest one, and who asks
        });
    });
}
