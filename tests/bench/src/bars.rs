//! What is to hold, as ratios within a round.

use crate::contender::Kind;
use crate::report::{Report, median};
use crate::work::Work;

/// A demand and what was measured.
pub struct Bar {
    pub work: String,
    pub demand: String,
    pub value: f64,
    pub holds: bool,
}

/// Those that were measured.
pub fn all(report: &Report) -> Vec<Bar> {
    let mut bars = Bars { report, bars: Vec::new() };
    let fan_out = |members, size| Work::FanOut { members, size };
    let peers: Among = |_, kind| matches!(kind, Kind::RustPeer | Kind::OtherPeer);
    let rust_and_node: Among = |name, kind| kind == Kind::RustPeer || name == "ws";

    let rate = "deliveries/s";
    bars.at_least(1.5, fan_out(100, 64), rate, "the best peer", peers);
    bars.at_least(0.9, fan_out(100, 64), rate, "the reference", |name, _| name == "reference");
    bars.at_least(2.0, fan_out(1000, 64), rate, "the best peer", peers);
    for work in [fan_out(10, 64), fan_out(100, 1024), fan_out(100, 16 * 1024)] {
        bars.at_least(1.0, work, rate, "the best peer", peers);
    }
    bars.at_most(1.15, Work::Paced, "p50 us", "the best peer", peers);
    bars.at_most(1.15, Work::Paced, "p99 us", "the best peer", peers);
    for work in [Work::Stalled, Work::Trickling] {
        bars.own_ratio(2.0, work, "p99 us", "p99 us without them");
        bars.own(work, "peak kB", "at most 40 000 kB of memory", |value| value <= 40_000.0);
        bars.own(work, "kept", "none of them kept", |value| value == 0.0);
    }
    bars.at_least(1.0, Work::Echo { size: 64 }, "MB/s", "Rust and Node peers", rust_and_node);
    let large = Work::Echo { size: 64 * 1024 };
    bars.at_least(1.0, large, "MB/s", "Rust and Node peers", rust_and_node);
    if report.median(large, "wirechat", "MB/s") < 2000.0 {
        bars.at_least(0.8, large, "MB/s", "a plain TCP echo", |name, _| name == "plain-tcp");
    } else {
        bars.own(large, "MB/s", "2 GB/s", |value| 2000.0 <= value);
    }
    bars.own(Work::Log, "with log / without", "at least 0.8", |value| 0.8 <= value);
    for path in ["/chat", "/echo"] {
        bars.at_most(1.1, Work::Alone { path }, "mean us", "the best peer", peers);
    }
    bars.at_least(1.2, Work::Visits, "visits/s", "tungstenite", |name, _| name == "tungstenite");
    bars.own(Work::Idle, "B each", "at most 16 000 B", |value| value <= 16_000.0);
    bars.own(Work::Idle, "opened/s", "at least 8000", |value| 8000.0 <= value);
    bars.own(Work::Idle, "ms of processor in 5 s", "nothing but pings", |value| value <= 100.0);
    bars.own(Work::Pings, "ms of processor a round", "under 100", |value| value < 100.0);
    bars.own_ratio(1.2, Work::Pings, "p99 us", "p99 us without pings");
    let speed = |group, name| report.speed(group, name).unwrap_or(f64::NAN);
    let unmask = speed("unmask", "wirechat") / speed("unmask", "copy");
    bars.name("unmasking 64 KiB", "at least 0.5 of a copy", unmask, 0.5 <= unmask);
    let utf8 = speed("utf8", "wirechat");
    if 8.0 <= utf8 {
        bars.name("UTF-8 of 64 KiB of ASCII", "at least 8 GB/s", utf8, true);
    } else {
        let ratio = utf8 / speed("utf8", "std");
        bars.name("UTF-8 of 64 KiB of ASCII", "at least 0.8 of std", ratio, 0.8 <= ratio);
    }
    bars.bars
}

type Among = fn(&str, Kind) -> bool;

struct Bars<'a> {
    report: &'a Report,
    bars: Vec<Bar>,
}

impl Bars<'_> {
    /// Ours in terms of the best of the others. Each of them has the median of its ratios within the
    /// rounds: the best of every single round would be whoever was luckiest in it.
    fn ratio(&self, work: Work, figure: &str, among: Among, best: fn(f64, f64) -> f64) -> f64 {
        let names = self.report.names(|record| record.work == work);
        let others = names.into_iter().filter(|(name, kind)| among(name, *kind));
        let ratios = others.map(|(name, _)| median(self.ratios(work, figure, name)));
        ratios.filter(|ratio| !ratio.is_nan()).reduce(best).unwrap_or(f64::NAN)
    }

    /// Ours in terms of one other, round by round.
    fn ratios(&self, work: Work, figure: &str, name: &str) -> Vec<f64> {
        let ours = self.report.values(work, "wirechat", figure);
        let others = self.report.values(work, name, figure);
        let other = |round| others.iter().find(|(at, _)| *at == round).map(|(_, value)| *value);
        ours.into_iter().filter_map(|(round, value)| Some(value / other(round)?)).collect()
    }

    fn at_least(&mut self, bar: f64, work: Work, figure: &str, whom: &str, among: Among) {
        let value = self.ratio(work, figure, among, f64::min);
        self.push(work, format!("{figure}: at least {bar} of {whom}"), value, bar <= value);
    }

    fn at_most(&mut self, bar: f64, work: Work, figure: &str, whom: &str, among: Among) {
        let value = self.ratio(work, figure, among, f64::max);
        self.push(work, format!("{figure}: at most {bar} of {whom}"), value, value <= bar);
    }

    /// One of our own figures.
    fn own(&mut self, work: Work, figure: &str, demand: &str, holds: fn(f64) -> bool) {
        let value = self.report.median(work, "wirechat", figure);
        self.push(work, format!("{figure}: {demand}"), value, holds(value));
    }

    /// One of our own figures in terms of another.
    fn own_ratio(&mut self, bar: f64, work: Work, figure: &str, of: &str) {
        let value =
            self.report.median(work, "wirechat", figure) / self.report.median(work, "wirechat", of);
        self.push(work, format!("{figure}: at most {bar} of that without"), value, value <= bar);
    }

    fn push(&mut self, work: Work, demand: String, value: f64, holds: bool) {
        self.name(&work.to_string(), &demand, value, holds);
    }

    /// What was not measured has no bar.
    fn name(&mut self, work: &str, demand: &str, value: f64, holds: bool) {
        if !value.is_nan() {
            let (work, demand) = (work.to_owned(), demand.to_owned());
            self.bars.push(Bar { work, demand, value, holds });
        }
    }
}
