//! The servers that are measured: how each is started, and what the system says of it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// One of those that are measured.
#[derive(Clone, Debug)]
pub struct Contender {
    pub name: &'static str,
    pub kind: Kind,
    program: PathBuf,
    arguments: Vec<String>,
    modules: PathBuf,
    logs: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one that this is about.
    Ours,
    /// Compared with, in Rust.
    RustPeer,
    /// Compared with.
    OtherPeer,
    /// A limit, no peer: it leaves out what a real server needs.
    Limit,
}

/// A server that runs, until this is dropped.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
}

/// Where things are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The program that this is about.
    pub ours: PathBuf,
    /// The folder with `node_modules`.
    pub modules: PathBuf,
    /// Where each server's standard error goes.
    pub logs: PathBuf,
}

impl Places {
    /// All that can be measured here, and what cannot, with the reason.
    pub fn contenders(&self) -> (Vec<Contender>, Vec<(&'static str, String)>) {
        use Kind::{Limit, OtherPeer, Ours, RustPeer};
        let script = |name| {
            let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
            vec![scripts.join(name).display().to_string()]
        };
        let bun = self.modules.join("bun/bin/bun.exe"); // so it is called on every system
        let mut quiet = words(&["--bind", "127.0.0.1:0", "--max-message", "17M", "--quiet"]);
        quiet.extend(words(&["--max-connections", "10000"]));
        let candidates = [
            Contender {
                program: self.ours.clone(),
                arguments: quiet,
                ..self.part("wirechat", Ours)
            },
            self.part("tungstenite", RustPeer),
            self.part("tokio-tungstenite", RustPeer),
            self.part("fastwebsockets", RustPeer),
            Contender {
                program: "node".into(),
                arguments: script("ws.js"),
                ..self.part("ws", OtherPeer)
            },
            Contender { program: bun, arguments: script("bun.js"), ..self.part("Bun", OtherPeer) },
            self.part("reference", Limit),
        ];
        let mut here = Vec::new();
        let mut missing = Vec::new();
        for contender in candidates {
            match contender.start() {
                Ok(_) => here.push(contender),
                Err(error) => missing.push((contender.name, error)),
            }
        }
        (here, missing)
    }

    /// A server of this package.
    pub fn part(&self, name: &'static str, kind: Kind) -> Contender {
        let itself = std::env::current_exe().expect("a program knows its path");
        let program = itself.with_file_name(match kind {
            Kind::RustPeer => format!("peer-{name}"),
            _ => name.to_owned(),
        });
        let (modules, logs) = (self.modules.clone(), self.logs.clone());
        Contender { name, kind, program, arguments: Vec::new(), modules, logs }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Contender {
    /// The same with more words, and without `--quiet` if the log is wanted: only ours has options.
    pub fn with(&self, options: &[&str]) -> Self {
        let mut arguments = self.arguments.clone();
        arguments.extend(words(options));
        Self { arguments, ..self.clone() }
    }

    /// The same with its usual log.
    pub fn talkative(&self) -> Self {
        let mut arguments = self.arguments.clone();
        arguments.retain(|word| word != "--quiet");
        Self { arguments, ..self.clone() }
    }

    /// Starts it; what it says goes into a file.
    ///
    /// # Errors
    /// It cannot be started, or does not listen.
    pub fn start(&self) -> Result<Running, String> {
        let log = File::create(self.log_path()).map_err(|error| error.to_string())?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env("NODE_PATH", &self.modules);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child =
            command.spawn().map_err(|error| format!("{}: {error}", self.program.display()))?;
        let mut running = Running { child, address: (Ipv4Addr::LOCALHOST, 0).into() };
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(port) = running.port() {
                running.address.set_port(port);
                return Ok(running);
            }
            let has_ended = running.child.try_wait().map_err(|error| error.to_string())?.is_some();
            if has_ended || until < Instant::now() {
                let said = fs::read_to_string(self.log_path()).unwrap_or_default();
                return Err(format!("does not listen: {}", said.trim()));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn log_path(&self) -> PathBuf {
        self.logs.join(format!("{}.log", self.name))
    }
}

impl Running {
    /// The port of its listening socket, as the system knows it.
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

    /// Resident memory now, in kB.
    pub fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most resident memory it ever had, in kB.
    pub fn memory_peak(&self) -> f64 {
        self.status("VmHWM:")
    }

    /// Processor time so far, in milliseconds.
    pub fn processor(&self) -> f64 {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<_> =
            stat.rsplit_once(')').unwrap_or_default().1.split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|ticks| ticks.parse::<f64>().ok());
        const TICK: f64 = 10.0; // Linux counts hundredths of a second
        (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) * TICK
    }

    fn status(&self, name: &str) -> f64 {
        let text =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(f64::NAN)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}
