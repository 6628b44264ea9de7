//! `make bench`: measures wirechat and its peers with the same workloads, in turn, for several rounds.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use report::{Record, Report};
use server::Paths;
use workload::{Scale, Workload};

mod chart;
mod client;
mod client_pool;
mod connections;
mod micro;
mod paced;
mod report;
mod saturated;
mod server;
mod thresholds;
mod workload;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(ours), Some(modules), Some(out)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!(
            "usage: bench WIRECHAT NODE_MODULES OUT [quick] [WORK] [SERVER]; see tests/bench/run"
        );
        return ExitCode::from(2);
    };
    let mut rest: Vec<String> = arguments.collect();
    let is_quick = rest.first().is_some_and(|first| first == "quick");
    if is_quick {
        rest.remove(0);
    }
    let out = PathBuf::from(out);
    let logs = out.join("logs");
    let paths = Paths { ours: ours.into(), modules: modules.into(), logs };
    match run(&paths, &out, Scale { is_quick }, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(paths: &Paths, out: &Path, scale: Scale, filters: &[String]) -> Result<(), String> {
    std::fs::create_dir_all(&paths.logs).map_err(|error| error.to_string())?;
    rlimit::increase_nofile_limit(u64::MAX).map_err(|error| error.to_string())?;
    let start = Instant::now();
    let (mut servers, missing) = paths.servers();
    servers.retain(|server| filters.get(1).is_none_or(|filter| server.name.contains(filter)));
    for (name, why) in &missing {
        eprintln!("missing: {name}: {why}");
    }
    let mut workloads = Workload::all(scale);
    workloads.retain(|(workload, _)| {
        filters.first().is_none_or(|filter| workload.to_string().contains(filter))
    });
    workloads.retain(|(workload, _)| servers.iter().any(|server| workload.applies_to(server, 0)));
    if workloads.is_empty() {
        return Err(format!(
            "nothing to run: no workload or server matches {}",
            filters.join(", ")
        ));
    }
    let rounds = workloads.iter().map(|(_, rounds)| *rounds).max().unwrap_or_default();
    let runs = |(workload, rounds): &(Workload, usize)| -> usize {
        let in_round =
            |round| servers.iter().filter(|server| workload.applies_to(server, round)).count();
        (0..*rounds).map(in_round).sum::<usize>()
            + if workload.has_plain_tcp() { *rounds } else { 0 }
    };
    let total: usize = workloads.iter().map(runs).sum();
    let mut report =
        Report { out: out.to_owned(), records: Vec::new(), missing, load_limit: Ok(f64::NAN) };
    for round in 0..rounds {
        for (workload, _) in workloads.iter().filter(|(_, rounds)| round < *rounds) {
            let mut order: Vec<_> =
                servers.iter().filter(|server| workload.applies_to(server, round)).collect();
            let shift = round % order.len().max(1);
            order.rotate_left(shift); // another server starts in each round
            for server in order {
                progress(
                    &report,
                    total,
                    start,
                    &format!("round {}: {workload}: {}", round + 1, server.name),
                );
                let result = workload.run(server, scale);
                report.add(Record { workload: *workload, server: server.clone(), round, result });
            }
            if let Some(result) = workload.run_plain_tcp(paths, scale) {
                let server = paths.bundled("plain-tcp", server::Kind::Baseline);
                report.add(Record { workload: *workload, server, round, result });
            }
        }
    }
    report.load_limit = load_limit(paths, scale);
    eprintln!("\r\x1b[K{total} runs in {} s", start.elapsed().as_secs());
    report.finish()
}

/// The deliveries a second that the load generator can receive, measured with a server that only sends.
fn load_limit(paths: &Paths, scale: Scale) -> Result<f64, String> {
    let server = paths.bundled("trivial", server::Kind::Baseline).start()?;
    let window = std::time::Duration::from_secs(if scale.is_quick { 1 } else { 3 });
    saturated::receive_rate(server.address, 100, window)
}

/// Prints the progress and the estimated remaining time on standard error.
fn progress(report: &Report, total: usize, start: Instant, current: &str) {
    let done = report.records.len();
    let seconds = start.elapsed().as_secs();
    let left =
        if done == 0 { 0 } else { seconds * (total.saturating_sub(done)) as u64 / done as u64 };
    eprint!("\r\x1b[K[{done} of {total}, about {left} s left] {current}");
    let _ = std::io::stderr().flush();
}
