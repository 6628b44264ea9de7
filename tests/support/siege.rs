//! An attack on a server on which an honest member goes on chatting, and what is left of it afterwards.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};
use std::{fs, io, mem, thread};

use super::server::eventually;
use super::{Client, DEADLINE, Masked, Server, check};

/// Memory, in kB, that an attack may take at its height and the allocator may keep, where nothing else is said.
pub(crate) const SLACK: u64 = 16 * 1024;

/// Between two texts of the honest member: it is to be disturbed, not to be the flood.
pub(crate) const PACE: Duration = Duration::from_millis(2);

/// Memory, in kB, that a second attack of the same kind may leave behind.
const CRUMBS: u64 = 2 * 1024;

/// The honest member may well hear itself so late on a busy machine, but then somebody should look why.
const LATE: Duration = Duration::from_secs(2);

/// Starts a server with these options and attacks it.
pub(crate) fn besiege(options: &[&str], attack: impl FnOnce(&Server)) {
    endure(&Server::with(options), SLACK, attack);
}

/// Attacks a server while an honest member chats, and looks at what is left: at most `slack` kB of memory
/// more, then and at the height of it.
pub(crate) fn endure(server: &Server, slack: u64, attack: impl FnOnce(&Server)) {
    let mut honest = server.upgrade("/chat");
    say_and_hear(&mut honest, "good morning");
    let before = Figures::of(server);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let mortal = server.mortal();
        let chatting = scope.spawn(|| chat_until(&is_over, &mut honest));
        attack(server);
        is_over.store(true, SeqCst);
        let longest = chatting.join().expect("the honest member is not disturbed");
        if LATE < longest {
            tell_of_delay(longest);
        }
        before.return_to(server, slack);
        is_calm(server);
        let growth = peak(server).saturating_sub(before.memory);
        check::that(growth <= slack, format_args!("{growth} kB more at its height"));
        check::eq(server.metrics()["wirechat_panics_total"], 0.0, "panics");
        mem::forget(mortal); // all is well, and the server lives on
    });
}

/// Attacks twice: what the first attack left the allocator with is enough for the second, so that one who
/// keeps a little of each connection or frame is found out.
pub(crate) fn endure_twice(server: &Server, attack: impl Fn(&Server)) {
    endure(server, SLACK, &attack);
    let before = Figures::of(server);
    endure(server, SLACK, &attack);
    before.return_to(server, CRUMBS);
}

/// Says one text after another and hears each, with at least one more when all is over. Gives the longest
/// wait for one of them.
fn chat_until(is_over: &AtomicBool, honest: &mut Client) -> Duration {
    let mut longest = Duration::ZERO;
    for round in 0.. {
        let is_last = is_over.load(SeqCst);
        let said = Instant::now();
        say_and_hear(honest, &format!("honest {round}"));
        longest = longest.max(said.elapsed());
        if is_last {
            break;
        }
        thread::sleep(PACE);
    }
    longest
}

/// Where the test harness does not keep it to itself. No failure: the machine itself may have been busy.
fn tell_of_delay(longest: Duration) {
    let (seconds, thread) = (longest.as_secs_f64(), thread::current());
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(io::stderr(), "\nLATE: the honest member waited {seconds:.1} s in {test}\n");
}

/// Hears its own words, after whatever others have said before.
pub(crate) fn say_and_hear(member: &mut Client, words: &str) {
    member.send(Masked::text(words).bytes());
    let until = Instant::now() + *DEADLINE; // others may never stop talking
    while member.read_message().payload != words.as_bytes() {
        check::that(Instant::now() < until, "a member hears its own words");
    }
}

/// What the system counts for the server.
#[derive(Debug)]
struct Figures {
    threads: u64,
    descriptors: usize,
    memory: u64,
}

impl Figures {
    fn of(server: &Server) -> Self {
        Self {
            threads: server.threads(),
            descriptors: server.descriptors(),
            memory: server.memory(),
        }
    }

    /// Awaits that there is no more of anything, but for `slack` kB of memory.
    fn return_to(&self, server: &Server, slack: u64) {
        let until = Instant::now() + *DEADLINE;
        loop {
            let now = Self::of(server);
            let has_returned = now.threads <= self.threads
                && now.descriptors <= self.descriptors
                && now.memory <= self.memory + slack;
            if has_returned || until < Instant::now() {
                return check::that(has_returned, format_args!("{now:?} remain of {self:?}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Awaits a moment in which the server leaves the processor alone; one that spins never does.
pub(crate) fn is_calm(server: &Server) {
    eventually("the server leaves the processor alone", || {
        let before = server.ticks();
        thread::sleep(Duration::from_millis(100));
        server.ticks() <= before + 1
    });
}

/// The most memory that the server ever had, in kB.
fn peak(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid()));
    let status = status.expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    figure.expect("a figure in kB")
}
