//! What was measured: kept, summed up, printed, drawn.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bars;
use crate::chart::{self, Line, Panel};
use crate::contender::{Contender, Kind};
use crate::micro;
use crate::work::{Figures, Work};

/// One run of one work against one server.
#[derive(Debug)]
pub struct Record {
    pub work: Work,
    pub contender: Contender,
    pub round: usize,
    pub result: Result<Figures, String>,
}

#[derive(Debug)]
pub struct Report {
    /// Where everything goes.
    pub out: PathBuf,
    pub records: Vec<Record>,
    pub missing: Vec<(&'static str, String)>,
    /// Deliveries a second that the load's own side can take.
    pub ceiling: Result<f64, String>,
}

/// The middle of some values; not a number if there is none.
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
            eprintln!("\r\x1b[K{}, {}: {error}", record.work, record.contender.name);
        }
        self.records.push(record);
    }

    /// One figure of one server, round by round; a run that went wrong has none.
    pub fn values(&self, work: Work, name: &str, figure: &str) -> Vec<(usize, f64)> {
        let of = |record: &&Record| record.work == work && record.contender.name == name;
        let value =
            |record: &Record| Some((record.round, *record.result.as_ref().ok()?.get(figure)?));
        self.records.iter().filter(of).filter_map(value).collect()
    }

    pub fn median(&self, work: Work, name: &str, figure: &str) -> f64 {
        median(self.values(work, name, figure).into_iter().map(|(_, value)| value).collect())
    }

    /// The servers that were at some work, each once, in their order.
    pub fn names(&self, among: impl Fn(&Record) -> bool) -> Vec<(&'static str, Kind)> {
        let mut names = Vec::new();
        for record in self.records.iter().filter(|record| among(record)) {
            let one = (record.contender.name, record.contender.kind);
            if !names.contains(&one) {
                names.push(one);
            }
        }
        names
    }

    /// GB a second of a part of the wire layer; `None` if it was not measured.
    pub fn speed(&self, group: &str, name: &str) -> Option<f64> {
        micro::speed(&self.out.join("criterion"), group, name)
    }

    fn works(&self) -> Vec<Work> {
        let mut works = Vec::new();
        for record in &self.records {
            if !works.contains(&record.work) {
                works.push(record.work);
            }
        }
        works
    }

    /// Prints the tables, and leaves the pictures and the raw figures.
    ///
    /// # Errors
    /// A file cannot be written, or a run of our own server went wrong: then nothing else counts.
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
        let mut ours = self.records.iter().filter(|record| record.contender.kind == Kind::Ours);
        if ours.any(|record| record.result.is_err()) {
            return Err("a run of wirechat went wrong, see above".to_owned());
        }
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for work in self.works() {
            self.table(work, &mut text);
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
                let (work, name, round) = (record.work, record.contender.name, record.round + 1);
                let _ = writeln!(text, "went wrong: {work}: {name}, round {round}: {error}");
            }
        }
        for (name, why) in &self.missing {
            let _ = writeln!(text, "missing: {name}: {why}");
        }
        match &self.ceiling {
            Ok(rate) => {
                let _ = writeln!(text, "the load itself takes {} deliveries/s\n", number(*rate));
            }
            Err(error) => {
                let _ =
                    writeln!(text, "what the load itself takes could not be measured: {error}\n");
            }
        }
        for bar in bars::all(self) {
            let verdict = if bar.holds { "holds" } else { "DOES NOT HOLD" };
            let value = number(bar.value);
            let _ = writeln!(text, "{verdict:<14}{:<34}{:<44}{value:>9}", bar.work, bar.demand);
        }
        text
    }

    fn table(&self, work: Work, text: &mut String) {
        let (figures, is_more_better) = work.figures();
        let _ =
            write!(text, "{:<34}{:>12}{:>12}{:>9}", work.to_string(), "median", "best", "ratio");
        for figure in &figures[1..] {
            let _ = write!(text, "  {figure}");
        }
        let _ = writeln!(text, "   ({})", figures[0]);
        for (name, _) in self.names(|record| record.work == work) {
            let values = self.values(work, name, figures[0]);
            let all = values.iter().map(|(_, value)| *value);
            let best = if is_more_better {
                all.clone().fold(f64::NAN, f64::max)
            } else {
                all.fold(f64::NAN, f64::min)
            };
            let ours = self.values(work, "wirechat", figures[0]);
            let of =
                |round: usize| ours.iter().find(|(at, _)| *at == round).map(|(_, value)| *value);
            let ratios =
                values.iter().filter_map(|(round, value)| Some(value / of(*round)?)).collect();
            let _ = write!(
                text,
                "  {name:<32}{:>12}{:>12}{:>9}",
                number(self.median(work, name, figures[0])),
                number(best),
                number(median(ratios)),
            );
            for figure in &figures[1..] {
                let width = figure.len() + 2;
                let _ = write!(text, "{:>width$}", number(self.median(work, name, figure)));
            }
            text.push('\n');
        }
        text.push('\n');
    }

    /// How everything grows with the number of members, deliveries first.
    fn panels(&self) -> Vec<Panel> {
        let over_members = |figure: &'static str, change: fn(f64) -> f64| -> Vec<Line> {
            let names = self.names(|record| matches!(record.work, Work::FanOut { size: 64, .. }));
            let line = |(name, kind): (&'static str, Kind)| {
                let point = |members: usize| {
                    let work = Work::FanOut { members, size: 64 };
                    (members as f64, change(self.median(work, name, figure)))
                };
                let points = [1, 10, 100, 1000, 5000].map(point).into();
                Line { name, is_ours: kind == Kind::Ours, points }
            };
            names.into_iter().map(line).collect()
        };
        let panel = |title, figure, change| Panel { title, lines: over_members(figure, change) };
        vec![
            panel("Deliveries a second, texts of 64 B", "deliveries/s", |v| v),
            panel("Microseconds of a message for each member", "deliveries/s", |v| 1e6 / v),
            panel("Median latency under that load, microseconds", "median us", |v| v),
            panel("Resident memory at its peak, MB", "peak kB", |v| v / 1000.0),
        ]
    }

    fn json(&self) -> Value {
        let record = |record: &Record| {
            let (figures, error) = match &record.result {
                Ok(figures) => (json!(figures), Value::Null),
                Err(error) => (Value::Null, json!(error)),
            };
            json!({
                "work": record.work.to_string(),
                "server": record.contender.name,
                "round": record.round,
                "figures": figures,
                "error": error,
            })
        };
        json!({
            "records": self.records.iter().map(record).collect::<Vec<_>>(),
            "missing": self.missing,
            "ceiling": self.ceiling.clone().ok(),
        })
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Three digits that matter, and thousands as k and M.
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
<h1>wirechat and its peers at the same work</h1>
<p>Ratios are those of the same round to wirechat's figure; what is shown is their median. All figures of
all rounds: <a href=\"report.json\">report.json</a>.</p>
";
