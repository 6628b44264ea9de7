//! A few hundred clients of mixed kinds at once: those who behave see the same messages in the same
//! order to the end, whatever the others do, and in the end the server is as it was.
//!
//! `SOAK_SECONDS` says how long; `make soak SECONDS=600` sets it.

mod support;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use support::server::eventually;
use support::{Client, ClientFrame, Server, check};

const CHATTY: usize = 20;
const SILENT: usize = 180;
const SLOW: usize = 30;
const RESTLESS: usize = 10; // of each kind that comes and goes

/// Between two texts of one member: the load, not a wait for something.
const PACE: Duration = Duration::from_millis(50);

/// In kB: what the allocator may keep, and what thirty slow readers' last batches take.
const SLACK: u64 = 32 * 1024;

/// So long it takes until the kernel's buffers of the slow are full, and their backlogs.
const FOR_THE_SLOW: Duration = Duration::from_secs(30);

fn duration() -> Duration {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(10))
}

/// What one member heard, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Heard {
    texts: u64,
    digest: u64,
}

impl Heard {
    fn add(&mut self, text: &[u8]) {
        let mut hasher = DefaultHasher::new();
        (self.digest, text).hash(&mut hasher);
        *self = Self { texts: self.texts + 1, digest: hasher.finish() };
    }
}

/// A member that behaves, and what it has heard since the start.
struct Honest {
    client: Client,
    heard: Heard,
}

impl Honest {
    fn enter(server: &Server) -> Self {
        Self { client: server.upgrade("/chat"), heard: Heard::default() }
    }

    /// Hears everything up to `text`.
    fn hear_up_to(&mut self, text: &str) {
        loop {
            let message = self.client.read_message();
            self.heard.add(&message.payload);
            if message.payload == text.as_bytes() {
                return;
            }
        }
    }

    fn wait_for_the_start(&mut self) {
        self.hear_up_to("start");
        self.heard = Heard::default();
    }

    fn chat(&mut self, name: usize, is_over: &AtomicBool) {
        for number in 0.. {
            if is_over.load(SeqCst) {
                return;
            }
            let text = format!("{number} from {name}");
            self.client.send_text(&text);
            self.hear_up_to(&text);
            thread::sleep(PACE);
        }
    }
}

/// Reads a few octets now and then, until it is thrown out; then it comes back.
fn be_slow(server: &Server, is_over: &AtomicBool) {
    while !is_over.load(SeqCst) {
        let client = server.upgrade("/chat");
        let mut octets = [0; 64];
        while matches!(client.stream().read(&mut octets), Ok(1..)) && !is_over.load(SeqCst) {
            thread::sleep(PACE);
        }
    }
}

/// Speaks and is gone once something is unread: the kernel makes a reset of that.
fn vanish(server: &Server, _round: usize) {
    let mut client = server.upgrade("/chat");
    client.send_text("I was here");
    let unread = client.stream().peek(&mut [0]).expect("its own words come back");
    check::eq(unread, 1, "octets unread");
}

fn break_a_rule(server: &Server, round: usize) {
    let broken = [
        ClientFrame::text("unmasked").unmasked().bytes(),
        ClientFrame::text("reserved").rsv(4).bytes(),
        ClientFrame::ping([0; 126]).bytes(),
        ClientFrame::continuation("of nothing").bytes(),
        ClientFrame::close(1005, "").bytes(),
    ];
    let mut client = server.upgrade("/echo");
    client.send(&broken[round % broken.len()]);
    client.expect_failure(1002);
}

fn come_and_go(server: &Server, _round: usize) {
    let mut client = server.upgrade("/chat");
    client.expect_open();
    client.close_normally();
}

#[test]
fn those_who_behave_are_not_disturbed() {
    let server = Server::with(&["--max-backlog", "256K"]);
    let before = (server.threads(), server.descriptors(), server.memory());
    let mut conductor = Honest::enter(&server);
    let (entered, said) = (Barrier::new(CHATTY + SILENT + 1), Barrier::new(CHATTY + 1));
    let is_over = AtomicBool::new(false);
    let visits = [const { AtomicUsize::new(0) }; 3];
    let restless = |behave: fn(&Server, usize), visits: &AtomicUsize| {
        while !is_over.load(SeqCst) {
            behave(&server, visits.fetch_add(1, SeqCst));
        }
    };

    let transcripts: Vec<Heard> = thread::scope(|scope| {
        let mortal = server.kill_on_drop(); // a failure anywhere ends all
        let honest: Vec<_> = (0..CHATTY + SILENT)
            .map(|name| {
                let (server, entered, said, is_over) = (&server, &entered, &said, &is_over);
                scope.spawn(move || {
                    let mut member = Honest::enter(server);
                    entered.wait();
                    member.wait_for_the_start();
                    if name < CHATTY {
                        member.chat(name, is_over);
                        said.wait();
                    }
                    member.hear_up_to("end");
                    member.heard
                })
            })
            .collect();
        entered.wait();
        conductor.client.send_text("start");
        conductor.wait_for_the_start();
        for _ in 0..SLOW {
            scope.spawn(|| be_slow(&server, &is_over));
        }
        for (behave, visits) in [vanish, break_a_rule, come_and_go].into_iter().zip(&visits) {
            for _ in 0..RESTLESS {
                scope.spawn(move || restless(behave, visits));
            }
        }
        let large = "time goes on ".repeat(2_500); // enough to fill what the kernel keeps for the slow
        let end = Instant::now() + duration();
        while Instant::now() < end {
            conductor.client.send_text(&large);
            conductor.hear_up_to(&large);
            thread::sleep(PACE);
        }
        is_over.store(true, SeqCst);
        said.wait();
        conductor.client.send_text("end");
        conductor.hear_up_to("end");
        let transcripts = honest.into_iter().map(|one| one.join().expect("undisturbed")).collect();
        std::mem::forget(mortal); // all is well
        transcripts
    });

    check::that(0 < conductor.heard.texts, "texts were heard");
    for heard in &transcripts {
        check::eq(heard, &conductor.heard, "what everyone heard");
    }
    conductor.client.close_normally();
    eventually("threads, descriptors and memory are back", || {
        let (threads, descriptors, memory) = before;
        server.threads() <= threads
            && server.descriptors() <= descriptors
            && server.memory() <= memory + SLACK
    });
    check::eq(server.metrics()["wirechat_panics_total"], 0.0, "panics");
    let visits = visits.map(|visits| visits.load(SeqCst));
    for visits in visits {
        check::that(RESTLESS < visits, "each kind came and went again");
    }
    let slow = server.metrics()["wirechat_slow_readers_total"];
    check::that(0.0 < slow || duration() < FOR_THE_SLOW, "who reads too slowly was thrown out");
    println!(
        "{} texts; {visits:?} visits of those who vanish, break a rule, come and go; {slow} slow readers",
        conductor.heard.texts
    );
}
