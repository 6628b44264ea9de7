//! What is measured: each work, how it is run against one server, and the figures that come of it.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::Duration;

use crate::client::PLAIN;
use crate::contender::{Contender, Kind, Places};
use crate::crowd::Crowd;
use crate::paced::{self, Others, Pace};
use crate::saturated::{self, Load};
use crate::visits;

/// One row of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Texts of `size` octets to everyone, as many as the server carries.
    FanOut { members: usize, size: usize },
    /// The same without log and with the usual log, to a file.
    Log,
    /// 300 texts a second to 100 members.
    Paced,
    /// 300 texts of 10 kB a second to 30 members, without and with 100 that never read.
    Stalled,
    /// The same with 100 that read 1 kB a second each.
    Trickling,
    /// Ten clients, each with 64 messages on their way to itself.
    Echo { size: usize },
    /// One client, one message at a time.
    Alone { path: &'static str },
    /// Connect, upgrade, close, sixteen at a time.
    Visits,
    /// Many members who say nothing.
    Idle,
    /// What pinging them costs, and whom it disturbs.
    Pings,
}

/// Figures of one run by their names; the first name of [`Work::figures`] is the main one.
pub type Figures = BTreeMap<&'static str, f64>;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// For a look in two minutes rather than a result.
    pub is_quick: bool,
}

impl Scale {
    fn seconds(self, full: f64, quick: f64) -> Duration {
        Duration::from_secs_f64(if self.is_quick { quick } else { full })
    }

    fn many(self) -> usize {
        if self.is_quick { 2000 } else { 9000 }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::FanOut { members, size } => write!(to, "fan-out, {members} members, {size} B"),
            Self::Log => to.write_str("the usual log, to a file"),
            Self::Paced => to.write_str("fan-out, 300 texts a second"),
            Self::Stalled => to.write_str("beside 100 who never read"),
            Self::Trickling => to.write_str("beside 100 who read 1 kB/s"),
            Self::Echo { size } => write!(to, "echo, {size} B"),
            Self::Alone { path } => write!(to, "one at a time, {path}"),
            Self::Visits => to.write_str("connect, upgrade, close"),
            Self::Idle => to.write_str("idle members"),
            Self::Pings => to.write_str("pings to idle members"),
        }
    }
}

impl Work {
    /// All works, with the rounds that each is to have.
    pub fn all(scale: Scale) -> Vec<(Self, usize)> {
        let rounds = |full| if scale.is_quick { 1 } else { full };
        let fan_out = |members, size, full| (Self::FanOut { members, size }, rounds(full));
        let mut works = vec![
            fan_out(100, 64, 4),
            fan_out(1000, 64, 4),
            fan_out(10, 64, 4),
            fan_out(100, 1024, 3),
            fan_out(100, 16 * 1024, 3),
            (Self::Paced, rounds(4)),
            (Self::Echo { size: 64 }, rounds(4)),
            (Self::Echo { size: 64 * 1024 }, rounds(4)),
            (Self::Alone { path: "/chat" }, rounds(4)),
            (Self::Alone { path: "/echo" }, rounds(4)),
            (Self::Visits, rounds(3)),
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
            works.extend(rare);
        }
        works
    }

    /// Whether it is about this server at all. What takes long is done once by those who are only
    /// compared with.
    pub fn concerns(self, contender: &Contender, round: usize) -> bool {
        match self {
            Self::Log | Self::Idle | Self::Pings => contender.kind == Kind::Ours,
            Self::Paced => contender.kind != Kind::Limit,
            Self::Stalled | Self::Trickling => match contender.kind {
                Kind::Ours => true,
                Kind::RustPeer | Kind::OtherPeer => round == 0,
                Kind::Limit => false,
            },
            Self::FanOut { .. } | Self::Echo { .. } => true,
            Self::Alone { .. } | Self::Visits => true,
        }
    }

    /// The names of its figures, the main one first, and whether more of it is better.
    pub fn figures(self) -> (&'static [&'static str], bool) {
        match self {
            Self::FanOut { .. } => (&["deliveries/s", "median us", "peak kB"], true),
            Self::Log => (&["with log / without", "deliveries/s", "deliveries/s with log"], true),
            Self::Paced => (&["p99 us", "p50 us"], false),
            Self::Stalled | Self::Trickling => {
                (&["p99 us", "p99 us without them", "peak kB", "kept"], false)
            }
            Self::Echo { .. } => (&["MB/s", "messages/s"], true),
            Self::Alone { .. } => (&["mean us", "p50 us", "p99 us"], false),
            Self::Visits => (&["visits/s"], true),
            Self::Idle => (&["B each", "opened/s", "ms of processor in 5 s"], false),
            Self::Pings => (&["ms of processor a round", "p99 us", "p99 us without pings"], false),
        }
    }

    /// Runs it once.
    ///
    /// # Errors
    /// What went wrong, as a sentence.
    pub fn run(self, contender: &Contender, scale: Scale) -> Result<Figures, String> {
        let window = scale.seconds(1.0, 0.4);
        match self {
            Self::FanOut { members, size } => fan_out(contender, members, size, window),
            Self::Log => log(contender, window),
            Self::Paced => paced(contender, scale),
            Self::Stalled => beside(contender, Others::Stalled(100)),
            Self::Trickling => beside(contender, Others::Trickling(100)),
            Self::Echo { size } => echo(contender, "/echo", size, window),
            Self::Alone { path } => alone(contender, path, scale.seconds(0.7, 0.3)),
            Self::Visits => visits(contender, window),
            Self::Idle => idle(contender, scale),
            Self::Pings => pings(contender, scale),
        }
    }

    /// Whether the system's own figure belongs beside it.
    pub fn has_plain(self) -> bool {
        matches!(self, Self::Echo { .. })
    }

    /// The same octets through a server that knows nothing of WebSocket: what the system allows.
    pub fn run_plain(self, places: &Places, scale: Scale) -> Option<Result<Figures, String>> {
        let Self::Echo { size } = self else { return None };
        let part = places.part("plain-tcp", Kind::Limit);
        Some(echo(&part, PLAIN, size, scale.seconds(1.0, 0.4)))
    }
}

fn load(members: usize, size: usize, window: Duration) -> Load {
    // More than so many octets on their way say nothing about a server, but fill its buffers.
    let in_flight = if size <= 1024 { 16 } else { 4 };
    Load { path: "/chat", members, senders: members.min(10), in_flight, size, window }
}

fn fan_out(
    contender: &Contender,
    members: usize,
    size: usize,
    window: Duration,
) -> Result<Figures, String> {
    let server = contender.start()?;
    let outcome = saturated::run(server.address, load(members, size, window))?;
    Ok([
        ("deliveries/s", outcome.rate),
        ("median us", outcome.median),
        ("peak kB", server.memory_peak()),
    ]
    .into())
}

fn log(contender: &Contender, window: Duration) -> Result<Figures, String> {
    let rate = |contender: &Contender| {
        let server = contender.start()?;
        saturated::run(server.address, load(100, 64, window)).map(|outcome| outcome.rate)
    };
    let (quiet, talkative) = (rate(contender)?, rate(&contender.talkative())?);
    Ok([
        ("with log / without", talkative / quiet),
        ("deliveries/s", quiet),
        ("deliveries/s with log", talkative),
    ]
    .into())
}

fn paced(contender: &Contender, scale: Scale) -> Result<Figures, String> {
    let server = contender.start()?;
    let duration = scale.seconds(3.0, 1.0);
    let pace = Pace { members: 100, others: Others::Nobody, size: 64, rate: 300, duration };
    let outcome = paced::run(server.address, pace)?;
    Ok([("p99 us", outcome.p99), ("p50 us", outcome.median)].into())
}

fn beside(contender: &Contender, others: Others) -> Result<Figures, String> {
    let run = |others, seconds| {
        let server = contender.start()?;
        let duration = Duration::from_secs(seconds);
        let pace = Pace { members: 30, others, size: 10_000, rate: 300, duration };
        paced::run(server.address, pace).map(|outcome| (outcome, server.memory_peak()))
    };
    let (without, _) = run(Others::Nobody, 3)?;
    let (with, peak) = run(others, 10)?;
    Ok([
        ("p99 us", with.p99),
        ("p99 us without them", without.p99),
        ("peak kB", peak),
        ("kept", with.kept as f64),
    ]
    .into())
}

fn echo(
    contender: &Contender,
    path: &'static str,
    size: usize,
    window: Duration,
) -> Result<Figures, String> {
    let server = contender.start()?;
    let load = Load { path, members: 10, senders: 10, in_flight: 64, size, window };
    let outcome = saturated::run(server.address, load)?;
    Ok([("MB/s", outcome.rate * size as f64 / 1e6), ("messages/s", outcome.rate)].into())
}

fn alone(contender: &Contender, path: &str, window: Duration) -> Result<Figures, String> {
    let server = contender.start()?;
    let rounds = visits::alone(server.address, path, window).map_err(|error| error.to_string())?;
    Ok([("mean us", rounds.mean), ("p50 us", rounds.median), ("p99 us", rounds.p99)].into())
}

fn visits(contender: &Contender, window: Duration) -> Result<Figures, String> {
    let server = contender.start()?;
    let rate = visits::many(server.address, 16, window).map_err(|error| error.to_string())?;
    Ok([("visits/s", rate)].into())
}

fn idle(contender: &Contender, scale: Scale) -> Result<Figures, String> {
    let count = scale.many();
    let server = contender.start()?;
    let before = server.memory();
    let (members, took) =
        visits::crowd(server.address, "/chat", count).map_err(|error| error.to_string())?;
    let each = (server.memory() - before) * 1024.0 / count as f64;
    let processor = server.processor();
    thread::sleep(Duration::from_secs(5));
    let processor = server.processor() - processor;
    drop(members);
    Ok([
        ("B each", each),
        ("opened/s", count as f64 / took.as_secs_f64()),
        ("ms of processor in 5 s", processor),
    ]
    .into())
}

/// The idle ones are on `/echo`, so that they get pings and nothing that is said.
fn pings(contender: &Contender, scale: Scale) -> Result<Figures, String> {
    const INTERVAL: u64 = 4;
    let count = scale.many();
    let run = |interval: u64| {
        let interval = interval.to_string();
        let server = contender.with(&["--ping-interval", &interval]).start()?;
        let (streams, _) =
            visits::crowd(server.address, "/echo", count).map_err(|error| error.to_string())?;
        let mut crowd = Crowd::of(streams).map_err(|error| error.to_string())?;
        let is_over = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            let answering = scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                    crowd.hear(Duration::from_millis(100), |_, _| ())?;
                }
                Ok::<(), String>(())
            });
            let before = server.processor();
            thread::sleep(Duration::from_secs(2 * INTERVAL));
            let processor = (server.processor() - before) / 2.0;
            let duration = Duration::from_secs(2 * INTERVAL);
            let pace = Pace { members: 100, others: Others::Nobody, size: 64, rate: 300, duration };
            let outcome = paced::run(server.address, pace);
            is_over.store(true, std::sync::atomic::Ordering::SeqCst);
            answering.join().expect("it does not panic")?;
            Ok::<_, String>((processor, outcome?.p99))
        })
    };
    let (idle, without) = run(0)?;
    let (processor, with) = run(INTERVAL)?;
    Ok([
        ("ms of processor a round", processor - idle),
        ("p99 us", with),
        ("p99 us without pings", without),
    ]
    .into())
}
