//! A few hundred clients of several kinds at the same time. The honest clients receive the same messages in
//! the same order until the end, whatever the other clients do; afterwards the server's resources are back.
//!
//! `SOAK_SECONDS` is the duration; `make soak SECONDS=600` sets it.

mod support;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use support::server::eventually;
use support::{Client, ClientFrame, Server, check};

const SENDERS: usize = 20;
const RECEIVERS: usize = 180;
const SLOW_READERS: usize = 30;
const VISITORS: usize = 10; // of each kind of short visit

/// Pause between two texts of one member: it sets the load, no test waits for it.
const SEND_INTERVAL: Duration = Duration::from_millis(50);

/// Memory in kB that the allocator may keep, with the last batches of thirty slow readers.
const MEMORY_TOLERANCE: u64 = 32 * 1024;

/// The time until the slow readers' kernel buffers and backlogs are full.
const BACKLOGS_FULL: Duration = Duration::from_secs(30);

fn duration() -> Duration {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(10))
}

/// What one member received: the number of texts and a digest of all in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Transcript {
    texts: u64,
    digest: u64,
}

impl Transcript {
    fn add(&mut self, text: &[u8]) {
        let mut hasher = DefaultHasher::new();
        (self.digest, text).hash(&mut hasher);
        *self = Self { texts: self.texts + 1, digest: hasher.finish() };
    }
}

/// An honest client, and what it has received since the start.
struct HonestClient {
    client: Client,
    transcript: Transcript,
}

impl HonestClient {
    fn join(server: &Server) -> Self {
        Self { client: server.upgrade("/chat"), transcript: Transcript::default() }
    }

    /// Reads all texts up to `text` and adds them to the transcript.
    fn read_up_to(&mut self, text: &str) {
        loop {
            let message = self.client.read_message();
            self.transcript.add(&message.payload);
            if message.payload == text.as_bytes() {
                return;
            }
        }
    }

    fn wait_for_start(&mut self) {
        self.read_up_to("start");
        self.transcript = Transcript::default();
    }

    fn chat(&mut self, id: usize, is_over: &AtomicBool) {
        for number in 0.. {
            if is_over.load(SeqCst) {
                return;
            }
            let text = format!("{number} from {id}");
            self.client.send_text(&text);
            self.read_up_to(&text);
            thread::sleep(SEND_INTERVAL);
        }
    }
}

/// Reads a few bytes from time to time until the server disconnects it; then joins again.
fn read_slowly(server: &Server, is_over: &AtomicBool) {
    while !is_over.load(SeqCst) {
        let client = server.upgrade("/chat");
        let mut chunk = [0; 64];
        while matches!(client.stream().read(&mut chunk), Ok(1..)) && !is_over.load(SeqCst) {
            thread::sleep(SEND_INTERVAL);
        }
    }
}

/// Sends a text and closes its socket with unread bytes, which makes the kernel send a reset.
fn reset(server: &Server, _round: usize) {
    let mut client = server.upgrade("/chat");
    client.send_text("before the reset");
    let unread = client.stream().peek(&mut [0]).expect("its own text returns");
    check::eq(unread, 1, "unread bytes");
}

fn violate_the_protocol(server: &Server, round: usize) {
    let violations = [
        ClientFrame::text("unmasked").unmasked().bytes(),
        ClientFrame::text("reserved").rsv(4).bytes(),
        ClientFrame::ping([0; 126]).bytes(),
        ClientFrame::continuation("of nothing").bytes(),
        ClientFrame::close(1005, "").bytes(),
    ];
    let mut client = server.upgrade("/echo");
    client.send(&violations[round % violations.len()]);
    client.expect_failure(1002);
}

fn join_and_close(server: &Server, _round: usize) {
    let mut client = server.upgrade("/chat");
    client.expect_open();
    client.close_normally();
}

#[test]
fn honest_clients_are_not_disturbed() {
    let server = Server::with(&["--max-backlog", "256K"]);
    let before = (server.threads(), server.descriptors(), server.memory());
    let mut main_client = HonestClient::join(&server);
    let (joined, sent) = (Barrier::new(SENDERS + RECEIVERS + 1), Barrier::new(SENDERS + 1));
    let is_over = AtomicBool::new(false);
    let visits = [const { AtomicUsize::new(0) }; 3];
    let repeat = |visit: fn(&Server, usize), visits: &AtomicUsize| {
        while !is_over.load(SeqCst) {
            visit(&server, visits.fetch_add(1, SeqCst));
        }
    };

    let transcripts: Vec<Transcript> = thread::scope(|scope| {
        let guard = server.kill_on_drop(); // so that a failure in any thread ends all threads
        let threads: Vec<_> = (0..SENDERS + RECEIVERS)
            .map(|id| {
                let (server, joined, sent, is_over) = (&server, &joined, &sent, &is_over);
                scope.spawn(move || {
                    let mut member = HonestClient::join(server);
                    joined.wait();
                    member.wait_for_start();
                    if id < SENDERS {
                        member.chat(id, is_over);
                        sent.wait();
                    }
                    member.read_up_to("end");
                    member.transcript
                })
            })
            .collect();
        joined.wait();
        main_client.client.send_text("start");
        main_client.wait_for_start();
        for _ in 0..SLOW_READERS {
            scope.spawn(|| read_slowly(&server, &is_over));
        }
        for (visit, visits) in
            [reset, violate_the_protocol, join_and_close].into_iter().zip(&visits)
        {
            for _ in 0..VISITORS {
                scope.spawn(move || repeat(visit, visits));
            }
        }
        let large = "a large text ".repeat(2_500); // fills the kernel buffers of the slow readers
        let end = Instant::now() + duration();
        while Instant::now() < end {
            main_client.client.send_text(&large);
            main_client.read_up_to(&large);
            thread::sleep(SEND_INTERVAL);
        }
        is_over.store(true, SeqCst);
        sent.wait();
        main_client.client.send_text("end");
        main_client.read_up_to("end");
        let transcripts =
            threads.into_iter().map(|thread| thread.join().expect("no failure")).collect();
        std::mem::forget(guard); // no failure: keep the server running
        transcripts
    });

    check::that(0 < main_client.transcript.texts, "texts were received");
    for transcript in &transcripts {
        check::eq(transcript, &main_client.transcript, "the same texts for every honest client");
    }
    main_client.client.close_normally();
    eventually("threads, descriptors and memory are back", || {
        let (threads, descriptors, memory) = before;
        server.threads() <= threads
            && server.descriptors() <= descriptors
            && server.memory() <= memory + MEMORY_TOLERANCE
    });
    check::eq(server.metrics()["wirechat_panics_total"], 0.0, "panics");
    let visits = visits.map(|visits| visits.load(SeqCst));
    for visits in visits {
        check::that(VISITORS < visits, "each kind of visit is repeated");
    }
    let slow = server.metrics()["wirechat_slow_readers_total"];
    check::that(0.0 < slow || duration() < BACKLOGS_FULL, "slow readers are disconnected");
    println!(
        "{} texts; {visits:?} visits with a reset, a violation, a normal close; {slow} slow readers",
        main_client.transcript.texts
    );
}
