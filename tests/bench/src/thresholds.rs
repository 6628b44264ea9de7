//! The performance requirements: ratios to other servers in the same round, and absolute figures.

use crate::report::{Report, median};
use crate::server::Kind;
use crate::workload::Workload;

/// A requirement and the measured value.
pub struct Threshold {
    pub workload: String,
    pub requirement: String,
    pub value: f64,
    pub is_met: bool,
}

/// The requirements whose figures were measured.
pub fn all(report: &Report) -> Vec<Threshold> {
    let mut thresholds = Thresholds { report, thresholds: Vec::new() };
    let fan_out = |members, size| Workload::FanOut { members, size };
    let peers: Among = |_, kind| matches!(kind, Kind::RustPeer | Kind::OtherPeer);
    let rust_and_node: Among = |name, kind| kind == Kind::RustPeer || name == "ws";

    let rate = "deliveries/s";
    thresholds.at_least(1.5, fan_out(100, 64), rate, "the best peer", peers);
    thresholds
        .at_least(0.9, fan_out(100, 64), rate, "the reference", |name, _| name == "reference");
    thresholds.at_least(2.0, fan_out(1000, 64), rate, "the best peer", peers);
    for workload in [fan_out(10, 64), fan_out(100, 1024), fan_out(100, 16 * 1024)] {
        thresholds.at_least(1.0, workload, rate, "the best peer", peers);
    }
    thresholds.at_most(1.15, Workload::Paced, "p50 us", "the best peer", peers);
    thresholds.at_most(1.15, Workload::Paced, "p99 us", "the best peer", peers);
    for workload in [Workload::Stalled, Workload::Trickling] {
        thresholds.self_ratio(2.0, workload, "p99 us", "p99 us without slow readers");
        thresholds.absolute(workload, "peak kB", "at most 40 000 kB of memory", |value| {
            value <= 40_000.0
        });
        thresholds.absolute(workload, "still connected", "none", |value| value == 0.0);
    }
    thresholds.at_least(
        1.0,
        Workload::Echo { size: 64 },
        "MB/s",
        "Rust and Node peers",
        rust_and_node,
    );
    let large = Workload::Echo { size: 64 * 1024 };
    thresholds.at_least(1.0, large, "MB/s", "Rust and Node peers", rust_and_node);
    if report.median(large, "wirechat", "MB/s") < 2000.0 {
        thresholds.at_least(0.8, large, "MB/s", "a plain TCP echo", |name, _| name == "plain-tcp");
    } else {
        thresholds.absolute(large, "MB/s", "at least 2000", |value| 2000.0 <= value);
    }
    thresholds.absolute(Workload::Log, "with log / without", "at least 0.8", |value| 0.8 <= value);
    for path in ["/chat", "/echo"] {
        thresholds.at_most(1.1, Workload::RoundTrip { path }, "mean us", "the best peer", peers);
    }
    thresholds.at_least(1.2, Workload::Churn, "connections/s", "tungstenite", |name, _| {
        name == "tungstenite"
    });
    thresholds
        .absolute(Workload::Idle, "B per member", "at most 16 000 B", |value| value <= 16_000.0);
    thresholds.absolute(Workload::Idle, "opened/s", "at least 8000", |value| 8000.0 <= value);
    thresholds.absolute(Workload::Idle, "CPU ms in 5 s", "at most 100", |value| value <= 100.0);
    thresholds
        .absolute(Workload::Pings, "CPU ms per ping round", "under 100", |value| value < 100.0);
    thresholds.self_ratio(1.2, Workload::Pings, "p99 us", "p99 us without pings");
    let speed = |group, name| report.speed(group, name).unwrap_or(f64::NAN);
    let unmask = speed("unmask", "wirechat") / speed("unmask", "copy");
    thresholds.add("unmasking 64 KiB", "at least 0.5 of a copy", unmask, 0.5 <= unmask);
    let utf8 = speed("utf8", "wirechat");
    if 8.0 <= utf8 {
        thresholds.add("UTF-8 of 64 KiB of ASCII", "at least 8 GB/s", utf8, true);
    } else {
        let ratio = utf8 / speed("utf8", "std");
        thresholds.add("UTF-8 of 64 KiB of ASCII", "at least 0.8 of std", ratio, 0.8 <= ratio);
    }
    thresholds.thresholds
}

type Among = fn(&str, Kind) -> bool;

struct Thresholds<'a> {
    report: &'a Report,
    thresholds: Vec<Threshold>,
}

impl Thresholds<'_> {
    /// wirechat's figure divided by that of the best other server. For each other server the ratio is the
    /// median of the ratios of all rounds: the best server of a single round can be an outlier.
    fn ratio(
        &self,
        workload: Workload,
        figure: &str,
        among: Among,
        best: fn(f64, f64) -> f64,
    ) -> f64 {
        let names = self.report.names(|record| record.workload == workload);
        let others = names.into_iter().filter(|(name, kind)| among(name, *kind));
        let ratios = others.map(|(name, _)| median(self.ratios(workload, figure, name)));
        ratios.filter(|ratio| !ratio.is_nan()).reduce(best).unwrap_or(f64::NAN)
    }

    /// wirechat's figure divided by that of one other server, for each round.
    fn ratios(&self, workload: Workload, figure: &str, name: &str) -> Vec<f64> {
        let ours = self.report.values(workload, "wirechat", figure);
        let others = self.report.values(workload, name, figure);
        let other = |round| others.iter().find(|(at, _)| *at == round).map(|(_, value)| *value);
        ours.into_iter().filter_map(|(round, value)| Some(value / other(round)?)).collect()
    }

    fn at_least(
        &mut self,
        limit: f64,
        workload: Workload,
        figure: &str,
        compared: &str,
        among: Among,
    ) {
        let value = self.ratio(workload, figure, among, f64::min);
        self.push(
            workload,
            format!("{figure}: at least {limit} of {compared}"),
            value,
            limit <= value,
        );
    }

    fn at_most(
        &mut self,
        limit: f64,
        workload: Workload,
        figure: &str,
        compared: &str,
        among: Among,
    ) {
        let value = self.ratio(workload, figure, among, f64::max);
        self.push(
            workload,
            format!("{figure}: at most {limit} of {compared}"),
            value,
            value <= limit,
        );
    }

    /// One figure of wirechat.
    fn absolute(
        &mut self,
        workload: Workload,
        figure: &str,
        requirement: &str,
        is_met: fn(f64) -> bool,
    ) {
        let value = self.report.median(workload, "wirechat", figure);
        self.push(workload, format!("{figure}: {requirement}"), value, is_met(value));
    }

    /// One figure of wirechat divided by another.
    fn self_ratio(&mut self, limit: f64, workload: Workload, figure: &str, of: &str) {
        let value = self.report.median(workload, "wirechat", figure)
            / self.report.median(workload, "wirechat", of);
        self.push(
            workload,
            format!("{figure}: at most {limit} of that without"),
            value,
            value <= limit,
        );
    }

    fn push(&mut self, workload: Workload, requirement: String, value: f64, is_met: bool) {
        self.add(&workload.to_string(), &requirement, value, is_met);
    }

    /// Adds a requirement, unless its figure was not measured.
    fn add(&mut self, workload: &str, requirement: &str, value: f64, is_met: bool) {
        if !value.is_nan() {
            let (workload, requirement) = (workload.to_owned(), requirement.to_owned());
            self.thresholds.push(Threshold { workload, requirement, value, is_met });
        }
    }
}
