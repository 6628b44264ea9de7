//! Fan-out at a constant rate. The latency of each message counts from the time at which it was due.
//! Other members may read slowly or not at all.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::client::{self, KEY, STAMP, Stamp, TEXT, TIMEOUT};
use crate::client_pool::ClientPool;

/// The members that read too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowReaders {
    None,
    /// This number of members never reads.
    Stalled(usize),
    /// This number of members reads 1 kB a second each.
    Trickling(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The members that read at full speed and are measured; a tenth of them send.
    pub members: usize,
    pub slow_readers: SlowReaders,
    /// Message size in bytes.
    pub size: usize,
    /// Messages a second of all senders together.
    pub rate: u32,
    pub duration: Duration,
}

/// Latencies in microseconds, and the slow readers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub median: f64,
    pub p99: f64,
    /// Slow readers that are still connected at the end.
    pub still_connected: usize,
}

/// Sends at this pace, and checks that every measured member receives every message once and in order.
///
/// # Errors
/// A connection failed, or a message was lost, repeated or out of order.
pub fn run(address: SocketAddr, pace: Pace) -> Result<Outcome, String> {
    let sender_count = pace.members.div_ceil(10);
    let join = |count| -> Result<Vec<TcpStream>, String> {
        let streams = (0..count).map(|_| client::join(address, "/chat"));
        streams.collect::<Result<_, _>>().map_err(|error| format!("cannot join: {error}"))
    };
    let (streams, slow_readers) = (join(pace.members)?, join(pace.slow_readers.count())?);
    let senders: Vec<TcpStream> = streams[..sender_count]
        .iter()
        .map(TcpStream::try_clone)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let mut clients = ClientPool::from_streams(streams).map_err(|error| error.to_string())?;
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    let latencies = thread::scope(|scope| {
        let sender_thread = scope.spawn(|| send_paced(&senders, pace, start));
        if let SlowReaders::Trickling(_) = pace.slow_readers {
            scope.spawn(|| read_slowly(&slow_readers, &is_over));
        }
        let received = receive_all(&mut clients, pace, start);
        is_over.store(true, Ordering::SeqCst);
        sender_thread.join().expect("the sender thread does not panic")?;
        received
    })?;
    Ok(Outcome {
        median: latencies.value_at_quantile(0.5) as f64,
        p99: latencies.value_at_quantile(0.99) as f64,
        still_connected: count_connected(slow_readers),
    })
}

impl SlowReaders {
    fn count(self) -> usize {
        match self {
            Self::None => 0,
            Self::Stalled(count) | Self::Trickling(count) => count,
        }
    }
}

fn total(pace: Pace) -> u64 {
    u64::from(pace.rate) * pace.duration.as_secs()
}

/// Sends each message when it is due, even if earlier messages are not yet delivered.
fn send_paced(senders: &[TcpStream], pace: Pace, start: Instant) -> Result<(), String> {
    let mut text = vec![b'.'; pace.size];
    let mut wire = Vec::new();
    for number in 0..total(pace) {
        let due = Duration::from_secs(1) * number as u32 / pace.rate;
        thread::sleep((start + due).saturating_duration_since(Instant::now()));
        let sender = number as usize % senders.len();
        let sequence = number / senders.len() as u64;
        Stamp { sender, sequence }.write(due.as_micros() as u64, &mut text[..STAMP]);
        wire.clear();
        client::frame(TEXT, KEY, &text, &mut wire);
        write_all(&senders[sender], &wire)?;
    }
    Ok(())
}

/// Writes to a non-blocking socket: the client pool reads from the same socket.
fn write_all(mut stream: &TcpStream, mut bytes: &[u8]) -> Result<(), String> {
    let until = Instant::now() + TIMEOUT;
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => {
                thread::sleep(Duration::from_micros(100));
            }
            Err(error) => return Err(format!("a sender cannot send: {error}")),
        }
    }
    Ok(())
}

fn receive_all(
    clients: &mut ClientPool,
    pace: Pace,
    start: Instant,
) -> Result<Histogram<u64>, String> {
    let senders = pace.members.div_ceil(10);
    let mut latencies = Histogram::new(3).expect("3 is a valid precision");
    let mut next = vec![0; pace.members * senders];
    let mut failure = None;
    let mut missing = total(pace) * pace.members as u64;
    let until = start + pace.duration + TIMEOUT;
    while 0 < missing {
        clients.receive(Duration::from_secs(1), |member, payload| {
            if payload.len() != pace.size {
                failure = Some(format!("{} bytes instead of {}", payload.len(), pace.size));
                return;
            }
            let Stamp { sender, sequence } = Stamp::read(payload);
            let own = &mut next[member * senders..][..senders];
            match own.get_mut(sender) {
                Some(expected) if *expected == sequence => *expected += 1,
                other => {
                    let found =
                        format!("message {sequence} of sender {sender} received, not {other:?}");
                    failure.get_or_insert(found); // later failures are consequences
                    return;
                }
            }
            missing -= 1;
            let now = start.elapsed().as_micros() as u64;
            latencies
                .record(now.saturating_sub(Stamp::micros(payload)))
                .expect("the histogram resizes itself");
        })?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        if until < Instant::now() {
            return Err(format!("{missing} deliveries are missing"));
        }
    }
    Ok(latencies)
}

/// Reads 1 kB a second from each connection.
fn read_slowly(slow_readers: &[TcpStream], is_over: &AtomicBool) {
    let mut bytes = [0; 1000];
    while !is_over.load(Ordering::SeqCst) {
        let round = Instant::now();
        for mut stream in slow_readers {
            let _ = stream.set_nonblocking(true);
            let _ = stream.read(&mut bytes); // the server may have disconnected it
        }
        thread::sleep(Duration::from_secs(1).saturating_sub(round.elapsed()));
    }
}

/// Counts the connections that are still open: it reads the bytes in the socket buffers, up to an end if
/// there is one.
fn count_connected(slow_readers: Vec<TcpStream>) -> usize {
    let until = Instant::now() + Duration::from_secs(1);
    let mut bytes = vec![0; 1 << 20];
    let mut open = slow_readers;
    while !open.is_empty() && Instant::now() < until {
        open.retain_mut(|stream| is_connected(stream, &mut bytes));
    }
    open.len()
}

/// Is the connection open, according to one read?
fn is_connected(stream: &mut TcpStream, bytes: &mut [u8]) -> bool {
    let _ = stream.set_nonblocking(true);
    match stream.read(bytes) {
        Ok(length) => length != 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
