//! Runs an attack on a server while an honest client goes on chatting, and checks that the server recovers.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};
use std::{fs, io, mem, thread};

use super::server::eventually;
use super::{Client, DEADLINE, Server, check};

/// Memory in kB that an attack may use at its peak, and that the allocator may keep afterwards. A test with a
/// special attack names its own figure.
pub(crate) const MEMORY_TOLERANCE: u64 = 16 * 1024;

/// Pause between two texts of the honest client, so that it does not flood the server itself.
pub(crate) const SEND_INTERVAL: Duration = Duration::from_millis(2);

/// Memory in kB that a second attack of the same kind may leave allocated.
const LEAK_TOLERANCE: u64 = 2 * 1024;

/// A longer round trip of the honest client is reported on standard error. It is not a failure: the machine
/// may be busy.
const LATE: Duration = Duration::from_secs(2);

/// Starts a server with these options, attacks it and expects it to recover.
pub(crate) fn attack_and_recover(options: &[&str], attack: impl FnOnce(&Server)) {
    expect_recovery(&Server::with(options), MEMORY_TOLERANCE, attack);
}

/// Attacks a server while an honest client chats. Afterwards threads, descriptors and processor use must be
/// back where they were; memory may have grown by at most `tolerance` kB, at its peak and afterwards.
pub(crate) fn expect_recovery(server: &Server, tolerance: u64, attack: impl FnOnce(&Server)) {
    let mut honest = server.upgrade("/chat");
    honest.send_and_wait("before the attack");
    let before = Resources::of(server);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let guard = server.kill_on_drop();
        let chatting = scope.spawn(|| chat_until(&is_over, &mut honest));
        attack(server);
        is_over.store(true, SeqCst);
        let longest = chatting.join().expect("the honest client receives its own texts");
        if LATE < longest {
            report_delay(longest);
        }
        before.expect_return(server, tolerance);
        expect_idle_cpu(server);
        let growth = peak_memory(server).saturating_sub(before.memory);
        check::that(growth <= tolerance, format_args!("memory grew by {growth} kB at its peak"));
        check::eq(server.metrics()["wirechat_panics_total"], 0.0, "panics");
        mem::forget(guard); // every check passed: keep the server running
    });
}

/// Attacks twice. The memory that the allocator kept after the first attack must be enough for the second:
/// this detects a server that leaks a little for each connection or frame.
pub(crate) fn expect_recovery_twice(server: &Server, attack: impl Fn(&Server)) {
    expect_recovery(server, MEMORY_TOLERANCE, &attack);
    let before = Resources::of(server);
    expect_recovery(server, MEMORY_TOLERANCE, &attack);
    before.expect_return(server, LEAK_TOLERANCE);
}

/// Sends one text after another and receives each, at least one of them after the attack. Returns the longest
/// round trip.
fn chat_until(is_over: &AtomicBool, honest: &mut Client) -> Duration {
    let mut longest = Duration::ZERO;
    for round in 0.. {
        let is_last = is_over.load(SeqCst);
        let sent = Instant::now();
        honest.send_and_wait(format!("honest {round}"));
        longest = longest.max(sent.elapsed());
        if is_last {
            break;
        }
        thread::sleep(SEND_INTERVAL);
    }
    longest
}

/// Writes to standard error directly: the test harness would hide the output of a test that passes.
fn report_delay(longest: Duration) {
    let (seconds, thread) = (longest.as_secs_f64(), thread::current());
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(io::stderr(), "\nLATE: the honest client waited {seconds:.1} s in {test}\n");
}

/// What the operating system counts for the server process.
#[derive(Debug)]
struct Resources {
    threads: u64,
    descriptors: usize,
    memory: u64,
}

impl Resources {
    fn of(server: &Server) -> Self {
        Self {
            threads: server.threads(),
            descriptors: server.descriptors(),
            memory: server.memory(),
        }
    }

    /// Waits until every figure is back at this level, with a tolerance in kB for memory.
    fn expect_return(&self, server: &Server, tolerance: u64) {
        let until = Instant::now() + *DEADLINE;
        loop {
            let now = Self::of(server);
            let has_returned = now.threads <= self.threads
                && now.descriptors <= self.descriptors
                && now.memory <= self.memory + tolerance;
            if has_returned || until < Instant::now() {
                return check::that(has_returned, format_args!("now {now:?}, before {self:?}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Waits for a tenth of a second in which the server uses almost no processor time. A server that spins never
/// has one.
pub(crate) fn expect_idle_cpu(server: &Server) {
    eventually("the server uses no processor time", || {
        let before = server.cpu_ticks();
        thread::sleep(Duration::from_millis(100));
        server.cpu_ticks() <= before + 1
    });
}

/// The largest resident memory that the server ever had, in kB.
fn peak_memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid()));
    let status = status.expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    figure.expect("a figure in kB")
}
