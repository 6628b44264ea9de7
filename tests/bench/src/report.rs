//! Collects the results of all runs, and writes the tables, the charts and the raw figures.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::chart::{self, Line, Panel};
use crate::micro;
use crate::server::{Kind, ServerUnderTest};
use crate::thresholds;
use crate::workload::{Figures, Workload};

/// One run of one workload against one server.
#[derive(Debug)]
pub struct Record {
    pub workload: Workload,
    pub server: ServerUnderTest,
    pub round: usize,
    pub result: Result<Figures, String>,
}

#[derive(Debug)]
pub struct Report {
    /// The folder of the report.
    pub out: PathBuf,
    pub records: Vec<Record>,
    pub missing: Vec<(&'static str, String)>,
    /// Deliveries a second that the load generator can receive.
    pub load_limit: Result<f64, String>,
}

/// The median; NaN if there are no values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

impl Report {
    pub fn add(&mut self, record: Record) {
        if let Err(error) = &record.result {
            eprintln!("\r\x1b[K{}, {}: {error}", record.workload, record.server.name);
        }
        self.records.push(record);
    }

    /// One figure of one server for each round; a failed run has none.
    pub fn values(&self, workload: Workload, name: &str, figure: &str) -> Vec<(usize, f64)> {
        let of = |record: &&Record| record.workload == workload && record.server.name == name;
        let value =
            |record: &Record| Some((record.round, *record.result.as_ref().ok()?.get(figure)?));
        self.records.iter().filter(of).filter_map(value).collect()
    }

    pub fn median(&self, workload: Workload, name: &str, figure: &str) -> f64 {
        median(self.values(workload, name, figure).into_iter().map(|(_, value)| value).collect())
    }

    /// The servers of the matching records, each once, in the order of their first record.
    pub fn names(&self, matches: impl Fn(&Record) -> bool) -> Vec<(&'static str, Kind)> {
        let mut names = Vec::new();
        for record in self.records.iter().filter(|record| matches(record)) {
            let server = (record.server.name, record.server.kind);
            if !names.contains(&server) {
                names.push(server);
            }
        }
        names
    }

    /// The speed in GB/s of one micro-benchmark; `None` if it was not measured.
    pub fn speed(&self, group: &str, name: &str) -> Option<f64> {
        micro::speed(&self.out.join("criterion"), group, name)
    }

    fn workloads(&self) -> Vec<Workload> {
        let mut workloads = Vec::new();
        for record in &self.records {
            if !workloads.contains(&record.workload) {
                workloads.push(record.workload);
            }
        }
        workloads
    }

    /// Prints the tables, and writes the charts and the raw figures.
    ///
    /// # Errors
    /// A file cannot be written, or a run of wirechat failed, which makes the comparison useless.
    pub fn finish(&self) -> Result<(), String> {
        let out = &self.out;
        let text = self.text();
        print!("{text}");
        let panels = self.panels();
        let growth = chart::picture(&panels);
        write(&out.join("growth.svg"), &growth)?;
        write(&out.join("fan-out.svg"), &chart::picture(&panels[..1]))?;
        let mut page = format!("{PAGE}<figure>{growth}</figure>\n");
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(page, "<pre>{escaped}</pre>");
        write(&out.join("report.html"), &page)?;
        write(&out.join("report.json"), &format!("{:#}\n", self.json()))?;
        println!("\n{}", out.join("report.html").display());
        let mut ours = self.records.iter().filter(|record| record.server.kind == Kind::Ours);
        if ours.any(|record| record.result.is_err()) {
            return Err("a run of wirechat failed, see above".to_owned());
        }
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for workload in self.workloads() {
            self.table(workload, &mut text);
        }
        for (group, names) in [
            ("unmask", ["wirechat", "copy"]),
            ("utf8", ["wirechat", "std"]),
            ("receive", ["64 B", "16 KiB"]),
        ] {
            for name in names {
                if let Some(speed) = self.speed(group, name) {
                    let _ = writeln!(text, "{group}, {name}: {} GB/s", number(speed));
                }
            }
        }
        for record in &self.records {
            if let Err(error) = &record.result {
                let (workload, name, round) =
                    (record.workload, record.server.name, record.round + 1);
                let _ = writeln!(text, "failed: {workload}: {name}, round {round}: {error}");
            }
        }
        for (name, why) in &self.missing {
            let _ = writeln!(text, "missing: {name}: {why}");
        }
        match &self.load_limit {
            Ok(rate) => {
                let _ = writeln!(
                    text,
                    "the load generator can receive {} deliveries/s\n",
                    number(*rate)
                );
            }
            Err(error) => {
                let _ = writeln!(
                    text,
                    "the limit of the load generator could not be measured: {error}\n"
                );
            }
        }
        for threshold in thresholds::all(self) {
            let result = if threshold.is_met { "met" } else { "NOT MET" };
            let value = number(threshold.value);
            let _ = writeln!(
                text,
                "{result:<14}{:<34}{:<44}{value:>9}",
                threshold.workload, threshold.requirement
            );
        }
        text
    }

    fn table(&self, workload: Workload, text: &mut String) {
        let (figures, higher_is_better) = workload.figures();
        let _ = write!(
            text,
            "{:<34}{:>12}{:>12}{:>9}",
            workload.to_string(),
            "median",
            "best",
            "ratio"
        );
        for figure in &figures[1..] {
            let _ = write!(text, "  {figure}");
        }
        let _ = writeln!(text, "   ({})", figures[0]);
        for (name, _) in self.names(|record| record.workload == workload) {
            let values = self.values(workload, name, figures[0]);
            let all = values.iter().map(|(_, value)| *value);
            let best = if higher_is_better {
                all.clone().fold(f64::NAN, f64::max)
            } else {
                all.fold(f64::NAN, f64::min)
            };
            let ours = self.values(workload, "wirechat", figures[0]);
            let of =
                |round: usize| ours.iter().find(|(at, _)| *at == round).map(|(_, value)| *value);
            let ratios =
                values.iter().filter_map(|(round, value)| Some(value / of(*round)?)).collect();
            let _ = write!(
                text,
                "  {name:<32}{:>12}{:>12}{:>9}",
                number(self.median(workload, name, figures[0])),
                number(best),
                number(median(ratios)),
            );
            for figure in &figures[1..] {
                let width = figure.len() + 2;
                let _ = write!(text, "{:>width$}", number(self.median(workload, name, figure)));
            }
            text.push('\n');
        }
        text.push('\n');
    }

    /// The charts over the number of members; the first one shows the deliveries.
    fn panels(&self) -> Vec<Panel> {
        let over_members = |figure: &'static str, change: fn(f64) -> f64| -> Vec<Line> {
            let names =
                self.names(|record| matches!(record.workload, Workload::FanOut { size: 64, .. }));
            let line = |(name, kind): (&'static str, Kind)| {
                let point = |members: usize| {
                    let workload = Workload::FanOut { members, size: 64 };
                    (members as f64, change(self.median(workload, name, figure)))
                };
                let points = [1, 10, 100, 1000, 5000].map(point).into();
                Line { name, is_ours: kind == Kind::Ours, points }
            };
            names.into_iter().map(line).collect()
        };
        let panel = |title, figure, change| Panel { title, lines: over_members(figure, change) };
        vec![
            panel("Deliveries a second, texts of 64 B", "deliveries/s", |v| v),
            panel("Microseconds for each delivery", "deliveries/s", |v| 1e6 / v),
            panel("Median latency under this load, microseconds", "median us", |v| v),
            panel("Peak resident memory, MB", "peak kB", |v| v / 1000.0),
        ]
    }

    fn json(&self) -> Value {
        let record = |record: &Record| {
            let (figures, error) = match &record.result {
                Ok(figures) => (json!(figures), Value::Null),
                Err(error) => (Value::Null, json!(error)),
            };
            json!({
                "work": record.workload.to_string(),
                "server": record.server.name,
                "round": record.round,
                "figures": figures,
                "error": error,
            })
        };
        json!({
            "records": self.records.iter().map(record).collect::<Vec<_>>(),
            "missing": self.missing,
            "ceiling": self.load_limit.clone().ok(),
        })
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Three significant digits, with k for thousands and M for millions.
pub fn number(value: f64) -> String {
    match value {
        _ if value.is_nan() => "-".to_owned(),
        10e6.. => format!("{:.1}M", value / 1e6),
        1e6.. => format!("{:.2}M", value / 1e6),
        100e3.. => format!("{:.0}k", value / 1e3),
        10e3.. => format!("{:.1}k", value / 1e3),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

const PAGE: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><title>wirechat: benchmark</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
figure { margin: 0 0 1rem } svg { max-width: 100%; height: auto } pre { overflow-x: auto; font-size: 13px }</style>
<h1>wirechat and its peers with the same workloads</h1>
<p>Each ratio divides the figure of a server by wirechat's figure in the same round; the table shows the median.
All figures of all rounds: <a href=\"report.json\">report.json</a>.</p>
";
