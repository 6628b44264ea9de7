//! Saturation: each sender keeps a fixed number of messages in flight, so the server delivers as much as
//! it can.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::client::{self, BINARY, KEY, NO_KEY, PLAIN, STAMP, Stamp, TEXT, TIMEOUT};
use crate::client_pool::ClientPool;

/// The senders, the receivers and the messages.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// `/chat`, where each member receives every message, or `/echo`, where each client receives its own.
    pub path: &'static str,
    /// Clients; the first of them are the senders.
    pub members: usize,
    pub senders: usize,
    /// Messages that each sender keeps in flight.
    pub in_flight: u64,
    /// Message size in bytes.
    pub size: usize,
    /// The measured time; the warm-up before it takes a third of this time.
    pub window: Duration,
}

/// The result of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Deliveries a second to all clients together.
    pub rate: f64,
    /// Median time in microseconds until a sender receives its own message.
    pub median: f64,
}

/// Runs a load, and checks that every client receives every message once and in order.
///
/// # Errors
/// A connection failed, or a message was lost, repeated or out of order.
pub fn run(address: SocketAddr, load: Load) -> Result<Outcome, String> {
    let clients = ClientPool::connect(address, load.path, load.members);
    let mut clients = clients.map_err(|error| format!("cannot connect: {error}"))?;
    let mut checker = DeliveryCheck::new(load);
    let mut messages = MessageSource::new(load);
    for sender in 0..load.senders {
        clients.send(sender, messages.next(sender, load.in_flight))?;
    }
    let from = Instant::now() + load.window / 3;
    let to = from + load.window;
    let (mut before, mut counted_from) = (None, from);
    let (mut after, mut counted_to) = (0, to);
    loop {
        clients
            .receive(TIMEOUT, |member, payload| checker.record(member, payload, messages.start))?;
        if let Some(failure) = checker.failure.take() {
            return Err(failure);
        }
        let now = Instant::now();
        if before.is_none() && from <= now {
            (before, counted_from) = (Some(checker.deliveries), now);
            checker.latencies.clear();
        }
        if now < to {
            (after, counted_to) = (checker.deliveries, now);
            for (sender, credit) in checker.credits.iter_mut().enumerate() {
                match std::mem::take(credit) {
                    0 => (),
                    count => clients.send(sender, messages.next(sender, count))?,
                }
            }
        } else if checker.is_complete(&messages.sent) {
            break;
        } else if to + TIMEOUT < now {
            return Err("messages were lost".to_owned());
        }
    }
    let counted = after - before.unwrap_or_default();
    let seconds = (counted_to - counted_from).as_secs_f64();
    let median = checker.latencies.value_at_quantile(0.5);
    Ok(Outcome { rate: counted as f64 / seconds, median: median as f64 })
}

/// Checks the order of the deliveries, and counts them.
struct DeliveryCheck {
    load: Load,
    /// The next sequence number of each sender, for each member. A client of `/echo` receives only its
    /// own messages.
    next: Vec<u64>,
    /// For each sender, the number of its messages that were delivered to itself and not yet replaced by
    /// new ones.
    credits: Vec<u64>,
    deliveries: u64,
    latencies: Histogram<u64>,
    failure: Option<String>,
}

impl DeliveryCheck {
    fn new(load: Load) -> Self {
        Self {
            load,
            next: vec![0; load.members * load.senders],
            credits: vec![0; load.senders],
            deliveries: 0,
            latencies: Histogram::new(3).expect("3 is a valid precision"),
            failure: None,
        }
    }

    fn record(&mut self, member: usize, payload: &[u8], start: Instant) {
        if payload.len() != self.load.size {
            let size = self.load.size;
            self.fail(format!("{} bytes instead of {size}", payload.len()));
            return;
        }
        let Stamp { sender, sequence } = Stamp::read(payload);
        let index = member * self.load.senders + sender;
        match self.next.get_mut(index) {
            Some(next) if *next == sequence && sender < self.load.senders => *next += 1,
            other => {
                let failure = format!(
                    "client {member} received message {sequence} of sender {sender}, not {other:?}"
                );
                self.fail(failure);
            }
        }
        self.deliveries += 1;
        if member == sender {
            self.credits[sender] += 1;
            let micros = micros_since(start).saturating_sub(Stamp::micros(payload));
            self.latencies.record(micros).expect("the histogram resizes itself");
        }
    }

    /// Keeps the first failure: later ones are consequences of it.
    fn fail(&mut self, failure: String) {
        self.failure.get_or_insert(failure);
    }

    fn is_complete(&self, sent: &[u64]) -> bool {
        let is_received = |(index, next): (usize, &u64)| {
            let (member, sender) = (index / self.load.senders, index % self.load.senders);
            let is_recipient = self.load.path == "/chat" || member == sender;
            !is_recipient || *next == sent[sender]
        };
        self.next.iter().enumerate().all(is_received)
    }
}

/// Makes the messages of all senders: one frame, with a new stamp for each message.
struct MessageSource {
    start: Instant,
    /// The number of messages that each sender has sent.
    sent: Vec<u64>,
    key: [u8; 4],
    frame: Vec<u8>,
    /// Size of the frame header in bytes.
    header: usize,
    out: Vec<u8>,
}

impl MessageSource {
    fn new(load: Load) -> Self {
        let opcode = if load.path != "/chat" && 1024 < load.size { BINARY } else { TEXT };
        let key = if load.path == PLAIN { NO_KEY } else { KEY };
        let mut frame = Vec::new();
        client::frame(opcode, key, &vec![b'.'; load.size], &mut frame);
        let header = frame.len() - load.size;
        let sent = vec![0; load.senders];
        Self { start: Instant::now(), sent, key, frame, header, out: Vec::new() }
    }

    /// Makes the next `count` messages of a sender.
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

/// Measures the load generator itself: the deliveries a second that it can receive from a server that
/// only sends.
///
/// # Errors
/// A connection failed, or a message was lost, repeated or out of order.
pub fn receive_rate(address: SocketAddr, members: usize, window: Duration) -> Result<f64, String> {
    let load = Load { path: "/chat", members, senders: 1, in_flight: 0, size: 64, window };
    let clients = ClientPool::connect(address, load.path, members);
    let mut clients = clients.map_err(|error| format!("cannot connect: {error}"))?;
    let mut checker = DeliveryCheck::new(load);
    let mut wire = Vec::new();
    client::frame(TEXT, KEY, format!("blast {members}").as_bytes(), &mut wire);
    clients.send(0, &wire)?;
    let start = Instant::now();
    while start.elapsed() < window {
        clients.receive(TIMEOUT, |member, payload| checker.record(member, payload, start))?;
        if let Some(failure) = checker.failure.take() {
            return Err(failure);
        }
    }
    Ok(checker.deliveries as f64 / start.elapsed().as_secs_f64())
}
