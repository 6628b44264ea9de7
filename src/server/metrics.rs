//! Counters for the operator's monitoring, and their text in the Prometheus format.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::slice;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::sync::lock;
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::Opcode;
use crate::wire::message::FrameCounts;
use crate::wire::refusal::REFUSAL_RULES;

/// A number that several threads increment.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `more`.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    /// The current number.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The traffic of all WebSockets in one direction.
#[derive(Default)]
pub struct Traffic {
    /// Bytes of frames, headers included.
    pub bytes: Counter,
    /// Whole messages.
    pub messages: Counter,
    frames: [Counter; Opcode::ALL.len()],
    closes: [Counter; CLOSES.len()],
}

/// Labels of close codes. The codes from 3000 share two labels, as a peer could otherwise create 2000.
#[rustfmt::skip]
const CLOSES: [&str; 15] = [
    "none", "1000", "1001", "1002", "1003", "1007", "1008", "1009", "1010", "1011", "1012", "1013",
    "1014", "3xxx", "4xxx",
];

impl Traffic {
    /// Counts text messages that are one frame each.
    pub fn text_messages(&self, more: u64) {
        self.messages.add(more);
        self.frames(Opcode::Text, more);
    }

    /// Counts frames with one opcode.
    pub fn frames(&self, opcode: Opcode, more: u64) {
        self.frames[opcode.index()].add(more);
    }

    /// Counts frames, N for each opcode.
    pub fn frame_counts(&self, counts: FrameCounts) {
        for (counter, more) in self.frames.iter().zip(counts).filter(|(_, more)| 0 < *more) {
            counter.add(more);
        }
    }

    /// Counts a Close by its code.
    pub fn close(&self, close: &Close) {
        let label = match close.code().map(CloseCode::number) {
            None => "none".to_owned(),
            Some(code @ 0..3000) => code.to_string(),
            Some(code) => format!("{}xxx", code / 1000),
        };
        if let Some(index) = CLOSES.iter().position(|known| *known == label) {
            self.closes[index].add(1);
        }
    }
}

/// All counters of the server.
#[derive(Default)]
pub struct Metrics {
    /// Connections that were accepted, rejected ones included.
    pub connections: Counter,
    /// What clients sent.
    pub incoming: Traffic,
    /// What the server sent.
    pub outgoing: Traffic,
    /// Members that were disconnected because they read too slowly.
    pub slow_readers: Counter,
    /// Threads that panicked.
    pub panics: Counter,
    /// Refused requests by status. The lock is held to count one or to render all.
    refusals: Mutex<BTreeMap<u16, u64>>,
}

impl Metrics {
    /// Counts a request that is refused with an HTTP status.
    pub fn refusal(&self, status: u16) {
        *lock(&self.refusals).entry(status).or_default() += 1;
    }

    /// Renders all counters in the text exposition format 0.0.4, the number of `open` connections, and the
    /// `start` of the process in Unix time. Each status of a refusal has its line from the start.
    #[rustfmt::skip]
    pub fn render(&self, open: usize, start: Duration) -> String {
        let mut refusals: BTreeMap<u16, u64> = REFUSAL_RULES.iter().map(|rule| (rule.refusal.code(), 0)).collect();
        refusals.extend(lock(&self.refusals).iter());
        let refusals = refusals.iter().map(|(status, count)| (format!("{{status=\"{status}\"}}"), count.to_string()));
        let opcodes = Opcode::ALL.map(|opcode| format!("opcode=\"{}\",", opcode.name()));
        let codes = CLOSES.map(|code| format!("code=\"{code}\","));
        let messages = self.by_direction(&[""], |traffic| slice::from_ref(&traffic.messages));
        let bytes = self.by_direction(&[""], |traffic| slice::from_ref(&traffic.bytes));
        let frames = self.by_direction(&opcodes, |traffic| &traffic.frames);
        let closes = self.by_direction(&codes, |traffic| &traffic.closes);
        let start = format!("{}.{:03}", start.as_secs(), start.subsec_millis());

        let mut out = String::new();
        for (name, help, samples) in [
            ("wirechat_connections_open", "Connections that are open now.", single(open)),
            ("wirechat_connections_total", "Connections that were accepted.", single(self.connections.get())),
            ("wirechat_refusals_total", "Requests that were refused, by status.", refusals.collect()),
            ("wirechat_messages_total", "Whole messages, by direction.", messages),
            ("wirechat_bytes_total", "Bytes of WebSocket frames, by direction.", bytes),
            ("wirechat_frames_total", "Frames, by opcode and direction.", frames),
            ("wirechat_closes_total", "Close frames, by code and direction.", closes),
            ("wirechat_slow_readers_total", "Members that read too slowly.", single(self.slow_readers.get())),
            ("wirechat_panics_total", "Threads that panicked.", single(self.panics.get())),
            ("process_start_time_seconds", "Start of the process, in Unix time.", single(start)),
        ] {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}"); // a String takes everything
            for (labels, value) in samples {
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        }
        out
    }

    /// The samples of both directions, each with one of the `labels` and its direction.
    fn by_direction(&self, labels: &[impl Display], of: fn(&Traffic) -> &[Counter]) -> Samples {
        let mut samples = Vec::new();
        for (direction, traffic) in [("in", &self.incoming), ("out", &self.outgoing)] {
            for (label, counter) in labels.iter().zip(of(traffic)) {
                let labels = format!("{{{label}direction=\"{direction}\"}}");
                samples.push((labels, counter.get().to_string()));
            }
        }
        samples
    }
}

/// The labels and the value of each sample of a family.
type Samples = Vec<(String, String)>;

/// One sample without labels.
fn single(value: impl Display) -> Samples {
    vec![(String::new(), value.to_string())]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name and labels of each sample, with its value.
    fn samples(page: &str) -> BTreeMap<&str, f64> {
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.map(|line| line.rsplit_once(' ').unwrap());
        samples.map(|(name, value)| (name, value.parse().unwrap())).collect()
    }

    fn sum(samples: &BTreeMap<&str, f64>, start: &str) -> f64 {
        samples.iter().filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value).sum()
    }

    #[test]
    fn every_refusal_has_its_status() {
        let metrics = Metrics::default();
        for rule in &REFUSAL_RULES {
            metrics.refusal(rule.refusal.code());
        }
        let page = metrics.render(0, Duration::ZERO);
        let samples = samples(&page);
        assert_eq!(sum(&samples, "wirechat_refusals_total"), REFUSAL_RULES.len() as f64);
        for (name, value) in samples.iter().filter(|(name, _)| name.contains("refusals_total")) {
            assert!(0.0 < *value, "{name} never occurs");
        }
    }

    #[test]
    fn a_status_that_is_not_listed_is_counted_too() {
        let metrics = Metrics::default();
        metrics.refusal(418);
        metrics.refusal(418);
        assert_eq!(
            samples(&metrics.render(0, Duration::ZERO))["wirechat_refusals_total{status=\"418\"}"],
            2.0
        );
    }

    #[test]
    fn every_close_code_has_its_label() {
        let traffic = Traffic::default();
        traffic.close(&Close::default());
        let codes = (0..=u16::MAX).flat_map(CloseCode::from_wire);
        for code in codes {
            traffic.close(&Close::new(code, "why"));
        }
        let counted: Vec<u64> = traffic.closes.iter().map(Counter::get).collect();
        assert_eq!(counted, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1000, 1000]);
    }

    #[test]
    fn each_count_is_rendered_with_its_labels() {
        let metrics = Metrics::default();
        metrics.connections.add(7);
        metrics.slow_readers.add(1);
        metrics.panics.add(2);
        metrics.incoming.frame_counts([1, 2, 3, 4, 5, 6]); // in the order of Opcode::ALL
        metrics.incoming.frames(Opcode::Ping, 10);
        metrics.incoming.messages.add(8);
        metrics.outgoing.bytes.add(9);
        metrics.outgoing.frames(Opcode::Text, 11);
        metrics.outgoing.close(&Close::new(CloseCode::GOING_AWAY, ""));
        let page = metrics.render(3, Duration::from_millis(1_700_000_000_025));
        let samples = samples(&page);
        for (name, value) in [
            ("wirechat_connections_open", 3.0),
            ("wirechat_connections_total", 7.0),
            ("wirechat_slow_readers_total", 1.0),
            ("wirechat_panics_total", 2.0),
            ("wirechat_messages_total{direction=\"in\"}", 8.0),
            ("wirechat_messages_total{direction=\"out\"}", 0.0),
            ("wirechat_bytes_total{direction=\"in\"}", 0.0),
            ("wirechat_bytes_total{direction=\"out\"}", 9.0),
            ("wirechat_frames_total{opcode=\"continuation\",direction=\"in\"}", 1.0),
            ("wirechat_frames_total{opcode=\"text\",direction=\"in\"}", 2.0),
            ("wirechat_frames_total{opcode=\"binary\",direction=\"in\"}", 3.0),
            ("wirechat_frames_total{opcode=\"close\",direction=\"in\"}", 4.0),
            ("wirechat_frames_total{opcode=\"ping\",direction=\"in\"}", 15.0),
            ("wirechat_frames_total{opcode=\"pong\",direction=\"in\"}", 6.0),
            ("wirechat_frames_total{opcode=\"text\",direction=\"out\"}", 11.0),
            ("wirechat_closes_total{code=\"1001\",direction=\"out\"}", 1.0),
            ("wirechat_closes_total{code=\"1001\",direction=\"in\"}", 0.0),
            ("process_start_time_seconds", 1_700_000_000.025),
        ] {
            assert_eq!(samples.get(name), Some(&value), "{name}");
        }
        assert_eq!(sum(&samples, "wirechat_frames_total"), 31.0 + 11.0);
    }

    /// A family's HELP, its TYPE, then all its samples, each once.
    #[test]
    fn the_text_follows_the_exposition_format() {
        let page = Metrics::default().render(0, Duration::ZERO);
        let mut families = Vec::new();
        for line in page.lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words.as_slice() {
                ["#", "HELP", name, help] => {
                    assert!(!families.contains(name) && help.ends_with('.'), "{line}");
                    families.push(name);
                }
                ["#", "TYPE", name, kind] => {
                    assert_eq!(families.last(), Some(name), "{line}");
                    assert_eq!(*kind == "counter", name.ends_with("_total"), "{line}");
                }
                [sample, _] => {
                    assert_eq!(families.last(), sample.split('{').next().as_ref(), "{line}");
                }
                _ => panic!("{line}"),
            }
        }
        assert!(page.ends_with('\n') && families.len() == 10);
        assert_eq!(
            samples(&page).len(),
            page.lines().filter(|line| !line.starts_with('#')).count()
        );
    }
}
