//! The real server as a child process: started, watched through its log, asked, signalled, ended.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::{Client, DEADLINE, Request, Response, check};

/// What the line of a listening server says, up to its port.
const LISTENING: &str = "listening on http://127.0.0.1:";

/// A running server; it is killed when this is dropped.
pub(crate) struct Server {
    child: Mutex<Child>,
    pid: u32,
    address: SocketAddr,
    log: Arc<Log>,
}

impl Server {
    /// With the options' defaults, on a free port.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With more arguments after `serve --bind 127.0.0.1:0`.
    #[track_caller]
    pub(crate) fn with(arguments: &[&str]) -> Self {
        Self::with_environment(arguments, &[])
    }

    /// With variables as well.
    #[track_caller]
    pub(crate) fn with_environment(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirechat"));
        command.args(["serve", "--bind", "127.0.0.1:0"]).args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WIRECHAT_") {
                command.env_remove(name);
            }
        }
        command.envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// From a command that runs the server, a shell with limits for example.
    #[track_caller]
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let log = Arc::new(Log::default());
        log.follow(child.stderr.take().expect("standard error is piped"));
        let pid = child.id();
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Self { child: Mutex::new(child), pid, address: nowhere, log };
        server.address.set_port(server.listening());
        server
    }

    #[track_caller]
    fn listening(&self) -> u16 {
        let port = |text: &str| {
            let (_, rest) = text.split_once(LISTENING)?;
            rest.split_once('/')?.0.parse().ok()
        };
        check::uncounted(|| self.log.wait_for("the address it listens on", port))
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().text.clone()
    }

    /// Waits until standard error holds this, and gives all of it.
    #[track_caller]
    pub(crate) fn await_log(&self, needle: &str) -> String {
        self.log.wait_for(needle, |text| text.contains(needle).then(|| text.to_owned()))
    }

    /// Sends a signal by its name: `TERM`, `INT`, `STOP`, `CONT`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        signal(name, self.pid);
    }

    /// Waits for the end of the process; its log is whole then.
    #[track_caller]
    pub(crate) fn wait(&self) -> ExitStatus {
        self.log.wait_for_end();
        self.child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wait()
            .expect("a child can be waited for")
    }

    /// Kills the server when the guard goes: threads that talk to it end even where a check fails.
    pub(crate) fn mortal(&self) -> Mortal<'_> {
        Mortal(self)
    }

    /// Ends the process whatever it is doing.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill(); // it may have ended by itself
        let _ = child.wait();
    }
}

/// Talking to it.
impl Server {
    /// A bare TCP connection.
    #[track_caller]
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// An open WebSocket; on `/chat` its welcome is read.
    #[track_caller]
    pub(crate) fn upgrade(&self, path: &str) -> Client {
        Client::upgrade(self.address, path)
    }

    /// A connection on which this request was sent.
    #[track_caller]
    pub(crate) fn ask(&self, request: &Request) -> Client {
        let mut client = self.connect();
        client.send(request.bytes());
        client
    }

    /// This request becomes a WebSocket, for the key of [`Request::upgrade`], and it is alive.
    #[track_caller]
    pub(crate) fn accepts(&self, request: &Request) -> Client {
        let mut client = self.ask(request);
        client.expect_101();
        client.expect_open();
        client
    }

    /// This request gets this status as its last answer.
    #[track_caller]
    pub(crate) fn refuses(&self, request: &Request, status: u16) -> Response {
        self.ask(request).expect_refusal(status)
    }

    /// The answer to a plain GET.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Response {
        self.ask(&Request::get(path).add("Connection: close")).read_response()
    }

    /// `/metrics`, each sample by its name with labels.
    #[track_caller]
    pub(crate) fn metrics(&self) -> BTreeMap<String, f64> {
        let page = self.get("/metrics");
        let samples = page.text().lines().filter(|line| !line.starts_with('#'));
        let pair = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        samples.filter_map(pair).collect()
    }
}

/// What the kernel says about it.
impl Server {
    /// Resident memory, in kB.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    pub(crate) fn threads(&self) -> u64 {
        self.status("Threads:")
    }

    /// Open file descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid)).expect("a running process").count()
    }

    /// Processor time used so far, in clock ticks (hundredths of a second).
    pub(crate) fn ticks(&self) -> u64 {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.pid)).expect("a running process");
        let after_name = stat.rsplit_once(')').expect("the name stands in brackets").1;
        let fields: Vec<_> = after_name.split_whitespace().collect();
        [11, 12]
            .iter()
            .map(|i| fields[*i].parse::<u64>().expect("utime and stime are numbers"))
            .sum()
    }

    fn status(&self, name: &str) -> u64 {
        let text =
            fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("a running process");
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)).expect("a line of its status");
        line.trim().trim_end_matches(" kB").parse().expect("a figure")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What [`Server::mortal`] gives.
pub(crate) struct Mortal<'a>(&'a Server);

impl Drop for Mortal<'_> {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// Sends a signal to a process that this test started.
#[track_caller]
pub(crate) fn signal(name: &str, pid: u32) {
    let kill = format!("kill -{name} {pid}");
    let status = Command::new("sh").args(["-c", &kill]).status();
    check::that(status.is_ok_and(|status| status.success()), kill);
}

/// Waits for something that no event announces, such as a figure in `/proc`.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + *DEADLINE;
    while !holds() {
        if until < Instant::now() {
            check::fail(format_args!("never: {what}"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    check::that(true, what);
}

/// Standard error of the server as it grows.
#[derive(Default)]
struct Log {
    written: Mutex<Written>,
    grown: Condvar,
}

#[derive(Default)]
struct Written {
    text: String,
    ended: bool,
}

impl Log {
    /// Reads on a thread of its own, until the end of the process.
    fn follow(self: &Arc<Self>, mut errors: ChildStderr) {
        let log = Arc::clone(self);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = errors.read(&mut chunk) {
                log.lock().text += &String::from_utf8_lossy(&chunk[..length]);
                log.grown.notify_all();
            }
            log.lock().ended = true;
            log.grown.notify_all();
        });
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `find` finds something in the text.
    #[track_caller]
    fn wait_for<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + *DEADLINE;
        let mut written = self.lock();
        loop {
            if let Some(found) = find(&written.text) {
                check::that(true, what);
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || written.ended {
                check::fail(format_args!("the log never says {what}:\n{}", written.text));
            }
            written =
                self.grown.wait_timeout(written, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    #[track_caller]
    fn wait_for_end(&self) {
        let waiting = |written: &mut Written| !written.ended;
        let (written, late) = self
            .grown
            .wait_timeout_while(self.lock(), *DEADLINE, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        check::that(!late.timed_out(), format_args!("the server never ends:\n{}", written.text));
    }
}
