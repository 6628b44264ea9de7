//! `make bench`: the server and its peers at the same work, in turn, several rounds.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use contender::Places;
use report::{Record, Report};
use work::{Scale, Work};

mod bars;
mod chart;
mod client;
mod contender;
mod crowd;
mod micro;
mod paced;
mod report;
mod saturated;
mod visits;
mod work;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(ours), Some(modules), Some(out)) = (words.next(), words.next(), words.next()) else {
        eprintln!("bench OURS NODE_MODULES OUT [quick] [WORK] [SERVER]: `make bench` knows them");
        return ExitCode::from(2);
    };
    let mut rest: Vec<String> = words.collect();
    let is_quick = rest.first().is_some_and(|word| word == "quick");
    if is_quick {
        rest.remove(0);
    }
    let out = PathBuf::from(out);
    let logs = out.join("logs");
    let places = Places { ours: ours.into(), modules: modules.into(), logs };
    match run(&places, &out, Scale { is_quick }, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(places: &Places, out: &Path, scale: Scale, parts: &[String]) -> Result<(), String> {
    std::fs::create_dir_all(&places.logs).map_err(|error| error.to_string())?;
    rlimit::increase_nofile_limit(u64::MAX).map_err(|error| error.to_string())?;
    let start = Instant::now();
    let (mut contenders, missing) = places.contenders();
    contenders.retain(|one| parts.get(1).is_none_or(|part| one.name.contains(part)));
    for (name, why) in &missing {
        eprintln!("missing: {name}: {why}");
    }
    let mut works = Work::all(scale);
    works.retain(|(work, _)| parts.first().is_none_or(|part| work.to_string().contains(part)));
    works.retain(|(work, _)| contenders.iter().any(|one| work.concerns(one, 0)));
    if works.is_empty() {
        return Err(format!("nothing to run: no work or no server is called {}", parts.join(", ")));
    }
    let rounds = works.iter().map(|(_, rounds)| *rounds).max().unwrap_or_default();
    let runs = |(work, rounds): &(Work, usize)| -> usize {
        let in_round = |round| contenders.iter().filter(|one| work.concerns(one, round)).count();
        (0..*rounds).map(in_round).sum::<usize>() + if work.has_plain() { *rounds } else { 0 }
    };
    let total: usize = works.iter().map(runs).sum();
    let mut report =
        Report { out: out.to_owned(), records: Vec::new(), missing, ceiling: Ok(f64::NAN) };
    for round in 0..rounds {
        for (work, _) in works.iter().filter(|(_, rounds)| round < *rounds) {
            let mut turn: Vec<_> =
                contenders.iter().filter(|one| work.concerns(one, round)).collect();
            let shift = round % turn.len().max(1);
            turn.rotate_left(shift); // nobody is always the first
            for contender in turn {
                progress(
                    &report,
                    total,
                    start,
                    &format!("round {}: {work}: {}", round + 1, contender.name),
                );
                let result = work.run(contender, scale);
                report.add(Record { work: *work, contender: contender.clone(), round, result });
            }
            if let Some(result) = work.run_plain(places, scale) {
                let contender = places.part("plain-tcp", contender::Kind::Limit);
                report.add(Record { work: *work, contender, round, result });
            }
        }
    }
    report.ceiling = ceiling(places, scale);
    eprintln!("\r\x1b[K{total} runs in {} s", start.elapsed().as_secs());
    report.finish()
}

/// What the load's own side can take, from a server that only sends.
fn ceiling(places: &Places, scale: Scale) -> Result<f64, String> {
    let part = places.part("trivial", contender::Kind::Limit);
    let server = part.start()?;
    let window = std::time::Duration::from_secs(if scale.is_quick { 1 } else { 3 });
    saturated::listen(server.address, 100, window)
}

fn progress(report: &Report, total: usize, start: Instant, what: &str) {
    let done = report.records.len();
    let seconds = start.elapsed().as_secs();
    let left =
        if done == 0 { 0 } else { seconds * (total.saturating_sub(done)) as u64 / done as u64 };
    eprint!("\r\x1b[K[{done} of {total}, about {left} s left] {what}");
    let _ = std::io::stderr().flush();
}
