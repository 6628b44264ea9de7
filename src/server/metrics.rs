//! What the operator's monitoring reads: counters that only grow, and one gauge, in the Prometheus
//! text format.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::Opcode;
use crate::wire::message::FrameCounts;
use crate::wire::refusal::Refusal;

/// One number that several threads count up.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts `more`.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What goes in one direction.
#[derive(Default)]
pub struct Traffic {
    /// Octets of frames, headers included.
    pub bytes: Counter,
    /// Whole messages.
    pub messages: Counter,
    frames: [Counter; Opcode::ALL.len()],
    closes: [Counter; CLOSES.len()],
}

/// Labels of close codes; those of libraries and of private use would be 2000 labels, which any
/// peer could fill.
#[rustfmt::skip]
const CLOSES: [&str; 15] = [
    "none", "1000", "1001", "1002", "1003", "1007", "1008", "1009", "1010", "1011", "1012", "1013",
    "1014", "3xxx", "4xxx",
];

const STATUSES: [u16; 11] = [400, 403, 404, 405, 408, 414, 426, 431, 501, 503, 505];

impl Traffic {
    /// Counts frames of one kind.
    pub fn frames(&self, opcode: Opcode, more: u64) {
        for (counter, known) in self.frames.iter().zip(Opcode::ALL) {
            if known == opcode {
                counter.add(more);
            }
        }
    }

    /// Counts the frames that a read brought.
    pub fn count(&self, counts: FrameCounts) {
        for (counter, more) in self.frames.iter().zip(counts).filter(|(_, more)| 0 < *more) {
            counter.add(more);
        }
    }

    /// Counts a Close by its code.
    pub fn close(&self, close: &Close) {
        let label = close.code().map_or("none".to_owned(), label);
        if let Some(index) = CLOSES.iter().position(|known| *known == label) {
            self.closes[index].add(1);
        }
    }
}

fn label(code: CloseCode) -> String {
    match code.number() {
        number @ 0..3000 => number.to_string(),
        number => format!("{}xxx", number / 1000),
    }
}

/// Everything that is counted.
pub struct Metrics {
    /// Connections that were accepted, those turned away at once included.
    pub connections: Counter,
    /// What came in.
    pub incoming: Traffic,
    /// What went out.
    pub outgoing: Traffic,
    /// Members that were disconnected because they owed too much.
    pub slow_readers: Counter,
    /// Threads of connections that panicked.
    pub panics: Counter,
    refusals: [Counter; STATUSES.len()],
    /// Since the epoch.
    started: Duration,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            connections: Counter::default(),
            incoming: Traffic::default(),
            outgoing: Traffic::default(),
            slow_readers: Counter::default(),
            panics: Counter::default(),
            refusals: Default::default(),
            started: super::unix_time(),
        }
    }
}

impl Metrics {
    /// Counts a request that was refused.
    pub fn refuse(&self, refusal: Refusal) {
        if let Some(index) = STATUSES.iter().position(|status| *status == refusal.code()) {
            self.refusals[index].add(1);
        }
    }

    /// All of it in the text exposition format 0.0.4, with the connections that are `open` now.
    #[must_use]
    pub fn render(&self, open: usize) -> String {
        let mut page = Page::default();
        let ways = [("in", &self.incoming), ("out", &self.outgoing)];

        page.family("wirechat_connections_open", "gauge", "Connections that are open now.");
        page.sample("", open);
        page.family("wirechat_connections_total", "counter", "Connections that were accepted.");
        page.sample("", self.connections.get());
        page.family("wirechat_refusals_total", "counter", "Requests that were refused, by status.");
        for (status, counter) in STATUSES.iter().zip(&self.refusals) {
            page.sample(&format!("{{status=\"{status}\"}}"), counter.get());
        }
        page.family("wirechat_messages_total", "counter", "Whole messages, by direction.");
        for (way, traffic) in ways {
            page.sample(&format!("{{direction=\"{way}\"}}"), traffic.messages.get());
        }
        page.family("wirechat_bytes_total", "counter", "Bytes of WebSocket frames, by direction.");
        for (way, traffic) in ways {
            page.sample(&format!("{{direction=\"{way}\"}}"), traffic.bytes.get());
        }
        page.family("wirechat_frames_total", "counter", "Frames, by opcode and direction.");
        for (way, traffic) in ways {
            for (opcode, counter) in Opcode::ALL.iter().zip(&traffic.frames) {
                let opcode = opcode.name();
                let labels = format!("{{opcode=\"{opcode}\",direction=\"{way}\"}}");
                page.sample(&labels, counter.get());
            }
        }
        page.family("wirechat_closes_total", "counter", "Close frames, by code and direction.");
        for (way, traffic) in ways {
            for (code, counter) in CLOSES.iter().zip(&traffic.closes) {
                page.sample(&format!("{{code=\"{code}\",direction=\"{way}\"}}"), counter.get());
            }
        }
        page.family("wirechat_slow_readers_total", "counter", "Members that did not keep up.");
        page.sample("", self.slow_readers.get());
        page.family("wirechat_panics_total", "counter", "Connections that ended in a panic.");
        page.sample("", self.panics.get());
        page.family("process_start_time_seconds", "gauge", "Start of the process, in Unix time.");
        let (seconds, milli) = (self.started.as_secs(), self.started.subsec_millis());
        page.sample("", format_args!("{seconds}.{milli:03}"));
        page.text
    }
}

/// The text under way, and the family whose samples come next.
#[derive(Default)]
struct Page {
    text: String,
    family: &'static str,
}

impl Page {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.family = name;
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{}{labels} {value}", self.family);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::refusal::tests::ALL as REFUSALS;
    use std::collections::BTreeMap;

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
        for refusal in REFUSALS {
            metrics.refuse(refusal);
        }
        let page = metrics.render(0);
        let samples = samples(&page);
        assert_eq!(sum(&samples, "wirechat_refusals_total"), REFUSALS.len() as f64);
        for (name, value) in samples.iter().filter(|(name, _)| name.contains("refusals_total")) {
            assert!(0.0 < *value, "{name} cannot happen");
        }
    }

    #[test]
    fn every_close_code_has_its_label() {
        let traffic = Traffic::default();
        traffic.close(&Close::default());
        let codes = (0..=u16::MAX).filter_map(CloseCode::from_wire);
        for code in codes {
            traffic.close(&Close::new(code, "why"));
        }
        let counted: Vec<u64> = traffic.closes.iter().map(Counter::get).collect();
        assert_eq!(counted, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1000, 1000]);
    }

    #[test]
    fn what_is_counted_is_shown_under_its_labels() {
        let metrics = Metrics::default();
        metrics.connections.add(7);
        metrics.slow_readers.add(1);
        metrics.panics.add(2);
        metrics.incoming.count([1, 2, 3, 4, 5, 6]); // in the order of Opcode::ALL
        metrics.incoming.frames(Opcode::Ping, 10);
        metrics.incoming.messages.add(8);
        metrics.outgoing.bytes.add(9);
        metrics.outgoing.frames(Opcode::Text, 11);
        metrics.outgoing.close(&Close::new(CloseCode::GOING_AWAY, ""));
        let page = metrics.render(3);
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
        ] {
            assert_eq!(samples.get(name), Some(&value), "{name}");
        }
        assert_eq!(sum(&samples, "wirechat_frames_total"), 31.0 + 11.0);
        assert!(1_700_000_000.0 < samples["process_start_time_seconds"]);
    }

    /// The text exposition format: a family's HELP, its TYPE, then all its samples, each once.
    #[test]
    fn the_page_keeps_to_its_format() {
        let page = Metrics::default().render(0);
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
