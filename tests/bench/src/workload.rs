//! The workloads: how each is run against one server, and the figures that it gives.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::Duration;

use crate::client::PLAIN;
use crate::client_pool::ClientPool;
use crate::connections;
use crate::paced::{self, Pace, SlowReaders};
use crate::saturated::{self, Load};
use crate::server::{Kind, Paths, ServerUnderTest};

/// One workload: a table of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Fan-out: texts of `size` bytes to all members, as many as the server can deliver.
    FanOut { members: usize, size: usize },
    /// Fan-out without log, and with the normal log written to a file.
    Log,
    /// Fan-out of 300 texts a second to 100 members.
    Paced,
    /// Fan-out of 300 texts of 10 kB a second to 30 members, without and with 100 members that never read.
    Stalled,
    /// The same as `Stalled`, with 100 members that read 1 kB a second each.
    Trickling,
    /// Ten clients of `/echo`, each with 64 messages in flight.
    Echo { size: usize },
    /// Round trips of one client with one message in flight.
    RoundTrip { path: &'static str },
    /// Connect, upgrade, close; 16 connections at a time.
    Churn,
    /// Many members that send nothing.
    Idle,
    /// The cost of pings to many idle members, and their effect on the latency of the chat.
    Pings,
}

/// The figures of one run by name; the first name of [`Workload::figures`] is the main figure.
pub type Figures = BTreeMap<&'static str, f64>;

/// The length of the benchmark.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Two minutes for an overview instead of a full measurement.
    pub is_quick: bool,
}

impl Scale {
    fn seconds(self, full: f64, quick: f64) -> Duration {
        Duration::from_secs_f64(if self.is_quick { quick } else { full })
    }

    fn idle_members(self) -> usize {
        if self.is_quick { 2000 } else { 9000 }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::FanOut { members, size } => write!(to, "fan-out, {members} members, {size} B"),
            Self::Log => to.write_str("the usual log, to a file"),
            Self::Paced => to.write_str("fan-out, 300 texts a second"),
            Self::Stalled => to.write_str("beside 100 who never read"),
            Self::Trickling => to.write_str("beside 100 who read 1 kB/s"),
            Self::Echo { size } => write!(to, "echo, {size} B"),
            Self::RoundTrip { path } => write!(to, "one at a time, {path}"),
            Self::Churn => to.write_str("connect, upgrade, close"),
            Self::Idle => to.write_str("idle members"),
            Self::Pings => to.write_str("pings to idle members"),
        }
    }
}

impl Workload {
    /// All workloads with their number of rounds.
    pub fn all(scale: Scale) -> Vec<(Self, usize)> {
        let rounds = |full| if scale.is_quick { 1 } else { full };
        let fan_out = |members, size, full| (Self::FanOut { members, size }, rounds(full));
        let mut workloads = vec![
            fan_out(100, 64, 4),
            fan_out(1000, 64, 4),
            fan_out(10, 64, 4),
            fan_out(100, 1024, 3),
            fan_out(100, 16 * 1024, 3),
            (Self::Paced, rounds(4)),
            (Self::Echo { size: 64 }, rounds(4)),
            (Self::Echo { size: 64 * 1024 }, rounds(4)),
            (Self::RoundTrip { path: "/chat" }, rounds(4)),
            (Self::RoundTrip { path: "/echo" }, rounds(4)),
            (Self::Churn, rounds(3)),
            (Self::Log, rounds(4)),
            (Self::Idle, rounds(3)),
        ];
        if !scale.is_quick {
            let rare = [
                fan_out(1, 64, 1),
                fan_out(5000, 64, 1),
                (Self::Stalled, 2),
                (Self::Trickling, 2),
                (Self::Pings, 2),
            ];
            workloads.extend(rare);
        }
        workloads
    }

    /// Does this workload run on this server in this round? Peers run the slow workloads only once.
    pub fn applies_to(self, server: &ServerUnderTest, round: usize) -> bool {
        match self {
            Self::Log | Self::Idle | Self::Pings => server.kind == Kind::Ours,
            Self::Paced => server.kind != Kind::Baseline,
            Self::Stalled | Self::Trickling => match server.kind {
                Kind::Ours => true,
                Kind::RustPeer | Kind::OtherPeer => round == 0,
                Kind::Baseline => false,
            },
            Self::FanOut { .. } | Self::Echo { .. } => true,
            Self::RoundTrip { .. } | Self::Churn => true,
        }
    }

    /// The names of the figures, the main one first, and whether a higher main figure is better.
    pub fn figures(self) -> (&'static [&'static str], bool) {
        match self {
            Self::FanOut { .. } => (&["deliveries/s", "median us", "peak kB"], true),
            Self::Log => (&["with log / without", "deliveries/s", "deliveries/s with log"], true),
            Self::Paced => (&["p99 us", "p50 us"], false),
            Self::Stalled | Self::Trickling => {
                (&["p99 us", "p99 us without slow readers", "peak kB", "still connected"], false)
            }
            Self::Echo { .. } => (&["MB/s", "messages/s"], true),
            Self::RoundTrip { .. } => (&["mean us", "p50 us", "p99 us"], false),
            Self::Churn => (&["connections/s"], true),
            Self::Idle => (&["B per member", "opened/s", "CPU ms in 5 s"], false),
            Self::Pings => (&["CPU ms per ping round", "p99 us", "p99 us without pings"], false),
        }
    }

    /// Runs the workload once.
    ///
    /// # Errors
    /// The failure as a sentence.
    pub fn run(self, server: &ServerUnderTest, scale: Scale) -> Result<Figures, String> {
        let window = scale.seconds(1.0, 0.4);
        match self {
            Self::FanOut { members, size } => fan_out(server, members, size, window),
            Self::Log => log(server, window),
            Self::Paced => paced(server, scale),
            Self::Stalled => with_slow_readers(server, SlowReaders::Stalled(100)),
            Self::Trickling => with_slow_readers(server, SlowReaders::Trickling(100)),
            Self::Echo { size } => echo(server, "/echo", size, window),
            Self::RoundTrip { path } => round_trip(server, path, scale.seconds(0.7, 0.3)),
            Self::Churn => churn(server, window),
            Self::Idle => idle(server, scale),
            Self::Pings => pings(server, scale),
        }
    }

    /// Is a plain TCP server measured with this workload too?
    pub fn has_plain_tcp(self) -> bool {
        matches!(self, Self::Echo { .. })
    }

    /// The same bytes through a TCP server without WebSocket: the limit of the system.
    pub fn run_plain_tcp(self, paths: &Paths, scale: Scale) -> Option<Result<Figures, String>> {
        let Self::Echo { size } = self else { return None };
        let server = paths.bundled("plain-tcp", Kind::Baseline);
        Some(echo(&server, PLAIN, size, scale.seconds(1.0, 0.4)))
    }
}

fn load(members: usize, size: usize, window: Duration) -> Load {
    // More bytes in flight only fill the buffers of the server.
    let in_flight = if size <= 1024 { 16 } else { 4 };
    Load { path: "/chat", members, senders: members.min(10), in_flight, size, window }
}

fn fan_out(
    server: &ServerUnderTest,
    members: usize,
    size: usize,
    window: Duration,
) -> Result<Figures, String> {
    let running = server.start()?;
    let outcome = saturated::run(running.address, load(members, size, window))?;
    Ok([
        ("deliveries/s", outcome.rate),
        ("median us", outcome.median),
        ("peak kB", running.memory_peak()),
    ]
    .into())
}

fn log(server: &ServerUnderTest, window: Duration) -> Result<Figures, String> {
    let rate = |server: &ServerUnderTest| {
        let running = server.start()?;
        saturated::run(running.address, load(100, 64, window)).map(|outcome| outcome.rate)
    };
    let (quiet, logging) = (rate(server)?, rate(&server.with_log())?);
    Ok([
        ("with log / without", logging / quiet),
        ("deliveries/s", quiet),
        ("deliveries/s with log", logging),
    ]
    .into())
}

fn paced(server: &ServerUnderTest, scale: Scale) -> Result<Figures, String> {
    let running = server.start()?;
    let duration = scale.seconds(3.0, 1.0);
    let pace =
        Pace { members: 100, slow_readers: SlowReaders::None, size: 64, rate: 300, duration };
    let outcome = paced::run(running.address, pace)?;
    Ok([("p99 us", outcome.p99), ("p50 us", outcome.median)].into())
}

fn with_slow_readers(
    server: &ServerUnderTest,
    slow_readers: SlowReaders,
) -> Result<Figures, String> {
    let run = |slow_readers, seconds| {
        let running = server.start()?;
        let duration = Duration::from_secs(seconds);
        let pace = Pace { members: 30, slow_readers, size: 10_000, rate: 300, duration };
        paced::run(running.address, pace).map(|outcome| (outcome, running.memory_peak()))
    };
    let (without, _) = run(SlowReaders::None, 3)?;
    let (with, peak) = run(slow_readers, 10)?;
    Ok([
        ("p99 us", with.p99),
        ("p99 us without slow readers", without.p99),
        ("peak kB", peak),
        ("still connected", with.still_connected as f64),
    ]
    .into())
}

fn echo(
    server: &ServerUnderTest,
    path: &'static str,
    size: usize,
    window: Duration,
) -> Result<Figures, String> {
    let running = server.start()?;
    let load = Load { path, members: 10, senders: 10, in_flight: 64, size, window };
    let outcome = saturated::run(running.address, load)?;
    Ok([("MB/s", outcome.rate * size as f64 / 1e6), ("messages/s", outcome.rate)].into())
}

fn round_trip(server: &ServerUnderTest, path: &str, window: Duration) -> Result<Figures, String> {
    let running = server.start()?;
    let times = connections::round_trips(running.address, path, window)
        .map_err(|error| error.to_string())?;
    Ok([("mean us", times.mean), ("p50 us", times.median), ("p99 us", times.p99)].into())
}

fn churn(server: &ServerUnderTest, window: Duration) -> Result<Figures, String> {
    let running = server.start()?;
    let rate =
        connections::churn(running.address, 16, window).map_err(|error| error.to_string())?;
    Ok([("connections/s", rate)].into())
}

fn idle(server: &ServerUnderTest, scale: Scale) -> Result<Figures, String> {
    let count = scale.idle_members();
    let running = server.start()?;
    let before = running.memory();
    let (members, elapsed) = connections::open_many(running.address, "/chat", count)
        .map_err(|error| error.to_string())?;
    let memory = (running.memory() - before) * 1024.0 / count as f64;
    let cpu_time = running.cpu_time();
    thread::sleep(Duration::from_secs(5));
    let cpu_time = running.cpu_time() - cpu_time;
    drop(members);
    Ok([
        ("B per member", memory),
        ("opened/s", count as f64 / elapsed.as_secs_f64()),
        ("CPU ms in 5 s", cpu_time),
    ]
    .into())
}

/// The idle clients are on `/echo`, so they receive pings but no messages of the chat.
fn pings(server: &ServerUnderTest, scale: Scale) -> Result<Figures, String> {
    const INTERVAL: u64 = 4;
    let count = scale.idle_members();
    let run = |interval: u64| {
        let interval = interval.to_string();
        let running = server.with(&["--ping-interval", &interval]).start()?;
        let (streams, _) = connections::open_many(running.address, "/echo", count)
            .map_err(|error| error.to_string())?;
        let mut clients = ClientPool::from_streams(streams).map_err(|error| error.to_string())?;
        let is_over = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            let receiver = scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                    clients.receive(Duration::from_millis(100), |_, _| ())?;
                }
                Ok::<(), String>(())
            });
            let before = running.cpu_time();
            thread::sleep(Duration::from_secs(2 * INTERVAL));
            let cpu_time = (running.cpu_time() - before) / 2.0;
            let duration = Duration::from_secs(2 * INTERVAL);
            let pace = Pace {
                members: 100,
                slow_readers: SlowReaders::None,
                size: 64,
                rate: 300,
                duration,
            };
            let outcome = paced::run(running.address, pace);
            is_over.store(true, std::sync::atomic::Ordering::SeqCst);
            receiver.join().expect("the thread does not panic")?;
            Ok::<_, String>((cpu_time, outcome?.p99))
        })
    };
    let (idle, without) = run(0)?;
    let (cpu_time, with) = run(INTERVAL)?;
    Ok([
        ("CPU ms per ping round", cpu_time - idle),
        ("p99 us", with),
        ("p99 us without pings", without),
    ]
    .into())
}
