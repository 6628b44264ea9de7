//! As much as a server can carry: each sender has so many messages on their way at any time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::client::{self, BINARY, KEY, NO_KEY, PATIENCE, PLAIN, STAMP, Stamp, TEXT};
use crate::crowd::Crowd;

/// What is said, by whom, to whom.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// `/chat`, where each member gets each message, or `/echo`, where each gets its own.
    pub path: &'static str,
    /// Clients; the first of them are the senders.
    pub members: usize,
    pub senders: usize,
    /// Messages that each sender has on their way.
    pub in_flight: u64,
    /// Octets of a message.
    pub size: usize,
    /// How long it is counted, after a third of that without counting.
    pub window: Duration,
}

/// What it came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Messages that arrived, at whichever client, in a second.
    pub rate: f64,
    /// Half of the senders' own messages were back in so many microseconds.
    pub median: f64,
}

/// Runs a load, and checks that every message arrives everywhere once and in order.
///
/// # Errors
/// What went wrong.
pub fn run(address: SocketAddr, load: Load) -> Result<Outcome, String> {
    let crowd = Crowd::join(address, load.path, load.members);
    let mut crowd = crowd.map_err(|error| format!("cannot join: {error}"))?;
    let mut ledger = Ledger::new(load);
    let mut messages = Messages::new(load);
    for sender in 0..load.senders {
        crowd.say(sender, messages.next(sender, load.in_flight))?;
    }
    let from = Instant::now() + load.window / 3;
    let to = from + load.window;
    let (mut before, mut counted_from) = (None, from);
    let (mut after, mut counted_to) = (0, to);
    loop {
        crowd.hear(PATIENCE, |member, payload| ledger.enter(member, payload, messages.start))?;
        if let Some(wrong) = ledger.wrong.take() {
            return Err(wrong);
        }
        let now = Instant::now();
        if before.is_none() && from <= now {
            (before, counted_from) = (Some(ledger.deliveries), now);
            ledger.latencies.clear();
        }
        if now < to {
            (after, counted_to) = (ledger.deliveries, now);
            for (sender, credit) in ledger.credits.iter_mut().enumerate() {
                match std::mem::take(credit) {
                    0 => (),
                    count => crowd.say(sender, messages.next(sender, count))?,
                }
            }
        } else if ledger.has_all(&messages.sent) {
            break;
        } else if to + PATIENCE < now {
            return Err("messages were lost".to_owned());
        }
    }
    let counted = after - before.unwrap_or_default();
    let seconds = (counted_to - counted_from).as_secs_f64();
    let median = ledger.latencies.value_at_quantile(0.5);
    Ok(Outcome { rate: counted as f64 / seconds, median: median as f64 })
}

/// What came, and what is to come next.
struct Ledger {
    load: Load,
    /// The next sequence number of each sender, for each member; a client of `/echo` hears itself alone.
    next: Vec<u64>,
    /// Messages of its own that each sender has heard and not made up for.
    credits: Vec<u64>,
    deliveries: u64,
    latencies: Histogram<u64>,
    wrong: Option<String>,
}

impl Ledger {
    fn new(load: Load) -> Self {
        Self {
            load,
            next: vec![0; load.members * load.senders],
            credits: vec![0; load.senders],
            deliveries: 0,
            latencies: Histogram::new(3).expect("3 is a precision"),
            wrong: None,
        }
    }

    fn enter(&mut self, member: usize, payload: &[u8], start: Instant) {
        if payload.len() != self.load.size {
            let size = self.load.size;
            self.complain(format!("{} octets in place of {size}", payload.len()));
            return;
        }
        let Stamp { sender, sequence } = Stamp::read(payload);
        let place = member * self.load.senders + sender;
        match self.next.get_mut(place) {
            Some(next) if *next == sequence && sender < self.load.senders => *next += 1,
            other => {
                let wrong =
                    format!("client {member} got message {sequence} of {sender}, not {other:?}");
                self.complain(wrong);
            }
        }
        self.deliveries += 1;
        if member == sender {
            self.credits[sender] += 1;
            let micros = micros_since(start).saturating_sub(Stamp::micros(payload));
            self.latencies.record(micros).expect("it grows with its values");
        }
    }

    /// The first thing that is wrong tells most: what follows is its consequence.
    fn complain(&mut self, wrong: String) {
        self.wrong.get_or_insert(wrong);
    }

    fn has_all(&self, sent: &[u64]) -> bool {
        let is_due = |(place, next): (usize, &u64)| {
            let (member, sender) = (place / self.load.senders, place % self.load.senders);
            let hears = self.load.path == "/chat" || member == sender;
            !hears || *next == sent[sender]
        };
        self.next.iter().enumerate().all(is_due)
    }
}

/// A message as a frame: made once, then stamped anew.
struct Messages {
    start: Instant,
    /// How many each sender has said.
    sent: Vec<u64>,
    key: [u8; 4],
    frame: Vec<u8>,
    /// Octets before the payload.
    header: usize,
    out: Vec<u8>,
}

impl Messages {
    fn new(load: Load) -> Self {
        let opcode = if load.path != "/chat" && 1024 < load.size { BINARY } else { TEXT };
        let key = if load.path == PLAIN { NO_KEY } else { KEY };
        let mut frame = Vec::new();
        client::frame(opcode, key, &vec![b'.'; load.size], &mut frame);
        let header = frame.len() - load.size;
        let sent = vec![0; load.senders];
        Self { start: Instant::now(), sent, key, frame, header, out: Vec::new() }
    }

    /// The next `count` messages of a sender.
    fn next(&mut self, sender: usize, count: u64) -> &[u8] {
        let micros = micros_since(self.start);
        self.out.clear();
        for _ in 0..count {
            let stamp = &mut self.frame[self.header..self.header + STAMP];
            Stamp { sender, sequence: self.sent[sender] }.write(micros, stamp);
            client::mask(self.key, stamp);
            self.out.extend_from_slice(&self.frame);
            self.sent[sender] += 1;
        }
        &self.out
    }
}

fn micros_since(start: Instant) -> u64 {
    start.elapsed().as_micros() as u64
}

/// Hears a server that only sends: what this side of the benchmark can take, in deliveries a second.
///
/// # Errors
/// What went wrong.
pub fn listen(address: SocketAddr, members: usize, window: Duration) -> Result<f64, String> {
    let load = Load { path: "/chat", members, senders: 1, in_flight: 0, size: 64, window };
    let crowd = Crowd::join(address, load.path, members);
    let mut crowd = crowd.map_err(|error| format!("cannot join: {error}"))?;
    let mut ledger = Ledger::new(load);
    let mut wire = Vec::new();
    client::frame(TEXT, KEY, format!("blast {members}").as_bytes(), &mut wire);
    crowd.say(0, &wire)?;
    let start = Instant::now();
    while start.elapsed() < window {
        crowd.hear(PATIENCE, |member, payload| ledger.enter(member, payload, start))?;
        if let Some(wrong) = ledger.wrong.take() {
            return Err(wrong);
        }
    }
    Ok(ledger.deliveries as f64 / start.elapsed().as_secs_f64())
}
