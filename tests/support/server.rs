//! The real server as a child process: starts it, reads its log, sends it requests and signals, ends it.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::{Client, DEADLINE, Request, Response, check, on_both_paths};

/// The server's log line when it listens, up to the port.
const LISTENING: &str = "listening on http://127.0.0.1:";

/// A running server; dropping it kills the server.
pub(crate) struct Server {
    child: Mutex<Child>,
    pid: u32,
    address: SocketAddr,
    log: Arc<Log>,
}

impl Server {
    /// Starts a server with default options on a free port.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server with more arguments after `serve --bind 127.0.0.1:0`.
    #[track_caller]
    pub(crate) fn with(arguments: &[&str]) -> Self {
        Self::with_environment(arguments, &[])
    }

    /// Starts a server with arguments and environment variables.
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

    /// Runs a command that starts the server, for example a shell that sets limits first.
    #[track_caller]
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let log = Arc::new(Log::default());
        log.follow(child.stderr.take().expect("standard error is piped"));
        let pid = child.id();
        let unknown = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Self { child: Mutex::new(child), pid, address: unknown, log };
        server.address.set_port(server.wait_for_port());
        server
    }

    #[track_caller]
    fn wait_for_port(&self) -> u16 {
        let port = |text: &str| {
            let (_, rest) = text.split_once(LISTENING)?;
            rest.split_once('/')?.0.parse().ok()
        };
        check::uncounted(|| self.log.wait_for("the address that the server listens on", port))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The server's standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().text.clone()
    }

    /// Waits until the log contains `needle`; returns the whole log.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, needle: &str) -> String {
        self.log.wait_for(needle, |text| text.contains(needle).then(|| text.to_owned()))
    }

    /// Sends a signal: `TERM`, `INT`, `STOP`, `CONT` or `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        signal(name, self.pid);
    }

    /// Waits for the end of the process; then its log is complete.
    #[track_caller]
    pub(crate) fn wait(&self) -> ExitStatus {
        self.log.wait_for_end();
        self.child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wait()
            .expect("a child can be waited for")
    }

    /// Returns a guard whose drop kills the server: if a check fails, threads that wait for the server end
    /// too.
    pub(crate) fn kill_on_drop(&self) -> KillOnDrop<'_> {
        KillOnDrop(self)
    }

    /// Kills the process.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill(); // it may have ended by itself
        let _ = child.wait();
    }
}

/// Connections and requests.
impl Server {
    /// Opens a TCP connection and sends nothing.
    #[track_caller]
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Opens a WebSocket; on `/chat` it also reads the welcome.
    #[track_caller]
    pub(crate) fn upgrade(&self, path: &str) -> Client {
        Client::upgrade(self.address, path)
    }

    /// Opens a WebSocket on `/chat`, then one on `/echo`, and runs the same case with each; a failure names
    /// the path. The welcome of `/chat` is already read. A case that needs the path or several connections
    /// uses [`on_both_paths`].
    #[track_caller]
    pub(crate) fn upgrade_both(&self, mut run: impl FnMut(&mut Client)) {
        on_both_paths(|path| run(&mut self.upgrade(path)));
    }

    /// Opens a connection and sends a request on it.
    #[track_caller]
    pub(crate) fn send_request(&self, request: &Request) -> Client {
        let mut client = self.connect();
        client.send(request.bytes());
        client
    }

    /// Expects that the server upgrades this request, for the key of [`Request::upgrade`], and that the
    /// WebSocket works.
    #[track_caller]
    pub(crate) fn expect_upgrade(&self, request: &Request) -> Client {
        let mut client = self.send_request(request);
        client.expect_101();
        client.expect_open();
        client
    }

    /// Expects that the server rejects this request with this status and ends the connection.
    #[track_caller]
    pub(crate) fn expect_refusal(&self, request: &Request, status: u16) -> Response {
        self.send_request(request).expect_refusal(status)
    }

    /// Sends a plain GET and returns the response.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Response {
        self.send_request(&Request::get(path).add("Connection: close")).read_response()
    }

    /// Reads `/metrics`: the value of each sample, by its name with labels.
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

/// What the kernel reports about the process.
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
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.pid)).expect("a running process");
        let after_name = stat.rsplit_once(')').expect("the name is in parentheses").1;
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
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The guard of [`Server::kill_on_drop`].
pub(crate) struct KillOnDrop<'a>(&'a Server);

impl Drop for KillOnDrop<'_> {
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

/// Waits for a condition that no event announces, such as a figure in `/proc`, by checking it every few
/// milliseconds.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + *DEADLINE;
    while !holds() {
        if until < Instant::now() {
            check::fail(format_args!("this did not happen in time: {what}"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    check::that(true, what);
}

/// The server's standard error, read as it is written.
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
    /// Reads standard error on its own thread until the end of the process.
    fn follow(self: &Arc<Self>, mut stderr: ChildStderr) {
        let log = Arc::clone(self);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut chunk) {
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

    /// Waits until `find` returns a value for the text.
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
                check::fail(format_args!("not in the log: {what}\n{}", written.text));
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
        check::that(!late.timed_out(), format_args!("the server does not end:\n{}", written.text));
    }
}
