//! The measured servers: how each is started, and its memory and CPU time.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server that can be measured.
#[derive(Clone, Debug)]
pub struct ServerUnderTest {
    pub name: &'static str,
    pub kind: Kind,
    program: PathBuf,
    arguments: Vec<String>,
    modules: PathBuf,
    logs: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// wirechat.
    Ours,
    /// A peer in Rust.
    RustPeer,
    /// Another peer.
    OtherPeer,
    /// Not a usable server, but a reference for what the machine can do.
    Baseline,
}

/// A running server; dropping it stops the server.
pub struct RunningServer {
    child: Child,
    pub address: SocketAddr,
}

/// The paths of programs and files.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The wirechat program.
    pub ours: PathBuf,
    /// The folder with `node_modules`.
    pub modules: PathBuf,
    /// The folder for the standard error of each server.
    pub logs: PathBuf,
}

impl Paths {
    /// The servers that start on this machine, and the names of the others with the reason.
    pub fn servers(&self) -> (Vec<ServerUnderTest>, Vec<(&'static str, String)>) {
        use Kind::{Baseline, OtherPeer, Ours, RustPeer};
        let script = |name| {
            let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
            vec![scripts.join(name).display().to_string()]
        };
        let bun = self.modules.join("bun/bin/bun.exe"); // the package uses this name on every system
        let mut options = strings(&["--bind", "127.0.0.1:0", "--max-message", "17M", "--quiet"]);
        options.extend(strings(&["--max-connections", "10000"]));
        let candidates = [
            ServerUnderTest {
                program: self.ours.clone(),
                arguments: options,
                ..self.bundled("wirechat", Ours)
            },
            self.bundled("tungstenite", RustPeer),
            self.bundled("tokio-tungstenite", RustPeer),
            self.bundled("fastwebsockets", RustPeer),
            ServerUnderTest {
                program: "node".into(),
                arguments: script("ws.js"),
                ..self.bundled("ws", OtherPeer)
            },
            ServerUnderTest {
                program: bun,
                arguments: script("bun.js"),
                ..self.bundled("Bun", OtherPeer)
            },
            self.bundled("reference", Baseline),
        ];
        let mut available = Vec::new();
        let mut missing = Vec::new();
        for server in candidates {
            match server.start() {
                Ok(_) => available.push(server),
                Err(error) => missing.push((server.name, error)),
            }
        }
        (available, missing)
    }

    /// A server program of this package.
    pub fn bundled(&self, name: &'static str, kind: Kind) -> ServerUnderTest {
        let bench = std::env::current_exe().expect("the path of this program is known");
        let program = bench.with_file_name(match kind {
            Kind::RustPeer => format!("peer-{name}"),
            _ => name.to_owned(),
        });
        let (modules, logs) = (self.modules.clone(), self.logs.clone());
        ServerUnderTest { name, kind, program, arguments: Vec::new(), modules, logs }
    }
}

fn strings(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|argument| (*argument).to_owned()).collect()
}

impl ServerUnderTest {
    /// The same server with more options; only wirechat has options.
    pub fn with(&self, options: &[&str]) -> Self {
        let mut arguments = self.arguments.clone();
        arguments.extend(strings(options));
        Self { arguments, ..self.clone() }
    }

    /// The same server with its normal log.
    pub fn with_log(&self) -> Self {
        let mut arguments = self.arguments.clone();
        arguments.retain(|argument| argument != "--quiet");
        Self { arguments, ..self.clone() }
    }

    /// Starts the server; its standard error is written to a file.
    ///
    /// # Errors
    /// The server cannot be started, or does not listen within 10 seconds.
    pub fn start(&self) -> Result<RunningServer, String> {
        let log = File::create(self.log_path()).map_err(|error| error.to_string())?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env("NODE_PATH", &self.modules);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child =
            command.spawn().map_err(|error| format!("{}: {error}", self.program.display()))?;
        let mut running = RunningServer { child, address: (Ipv4Addr::LOCALHOST, 0).into() };
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(port) = running.port() {
                running.address.set_port(port);
                return Ok(running);
            }
            let has_ended = running.child.try_wait().map_err(|error| error.to_string())?.is_some();
            if has_ended || until < Instant::now() {
                let log = fs::read_to_string(self.log_path()).unwrap_or_default();
                return Err(format!("does not listen: {}", log.trim()));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn log_path(&self) -> PathBuf {
        self.logs.join(format!("{}.log", self.name))
    }
}

impl RunningServer {
    /// The port of the listening socket, from `/proc`.
    fn port(&self) -> Option<u16> {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.child.id())).ok()?;
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

    /// Resident memory in kB.
    pub fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// Peak resident memory in kB.
    pub fn memory_peak(&self) -> f64 {
        self.status("VmHWM:")
    }

    /// CPU time since the start, in milliseconds.
    pub fn cpu_time(&self) -> f64 {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<_> =
            stat.rsplit_once(')').unwrap_or_default().1.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|ticks| ticks.parse::<f64>().ok());
        const TICK: f64 = 10.0; // milliseconds: Linux counts in hundredths of a second
        (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) * TICK
    }

    fn status(&self, name: &str) -> f64 {
        let text =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(f64::NAN)
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        let _ = self.child.kill(); // the process may have ended already
        let _ = self.child.wait();
    }
}
