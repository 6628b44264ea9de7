//! A steady pace, and how late each message arrives, counted from the moment it was due: with everyone
//! reading, or beside members that do not read, or hardly.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::client::{self, KEY, PATIENCE, STAMP, Stamp, TEXT};
use crate::crowd::Crowd;

/// Who else is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    Nobody,
    /// So many members that never read.
    Stalled(usize),
    /// So many members that read 1 kB a second.
    Trickling(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Those who read and are measured; a tenth of them speak.
    pub members: usize,
    pub others: Others,
    /// Octets of a message.
    pub size: usize,
    /// Messages a second, all senders together.
    pub rate: u32,
    pub duration: Duration,
}

/// Microseconds, and what became of the others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub median: f64,
    pub p99: f64,
    /// Members that read too little and were still connected at the end.
    pub kept: usize,
}

/// Runs a pace, and checks that every message reaches all who read, once and in order.
///
/// # Errors
/// What went wrong.
pub fn run(address: SocketAddr, pace: Pace) -> Result<Outcome, String> {
    let senders = pace.members.div_ceil(10);
    let join = |count| -> Result<Vec<TcpStream>, String> {
        let streams = (0..count).map(|_| client::join(address, "/chat"));
        streams.collect::<Result<_, _>>().map_err(|error| format!("cannot join: {error}"))
    };
    let (streams, others) = (join(pace.members)?, join(pace.others.count())?);
    let speaking: Vec<TcpStream> = streams[..senders]
        .iter()
        .map(TcpStream::try_clone)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let mut crowd = Crowd::of(streams).map_err(|error| error.to_string())?;
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    let latencies = thread::scope(|scope| {
        let speaker = scope.spawn(|| speak(&speaking, pace, start));
        if let Others::Trickling(_) = pace.others {
            scope.spawn(|| trickle(&others, &is_over));
        }
        let heard = hear(&mut crowd, pace, start);
        is_over.store(true, Ordering::SeqCst);
        speaker.join().expect("the speaker does not panic")?;
        heard
    })?;
    Ok(Outcome {
        median: latencies.value_at_quantile(0.5) as f64,
        p99: latencies.value_at_quantile(0.99) as f64,
        kept: kept(others),
    })
}

impl Others {
    fn count(self) -> usize {
        match self {
            Self::Nobody => 0,
            Self::Stalled(count) | Self::Trickling(count) => count,
        }
    }
}

fn total(pace: Pace) -> u64 {
    u64::from(pace.rate) * pace.duration.as_secs()
}

/// Says each message when it is due, whatever became of those before.
fn speak(speaking: &[TcpStream], pace: Pace, start: Instant) -> Result<(), String> {
    let mut text = vec![b'.'; pace.size];
    let mut wire = Vec::new();
    for number in 0..total(pace) {
        let due = Duration::from_secs(1) * number as u32 / pace.rate;
        thread::sleep((start + due).saturating_duration_since(Instant::now()));
        let sender = number as usize % speaking.len();
        let sequence = number / speaking.len() as u64;
        Stamp { sender, sequence }.write(due.as_micros() as u64, &mut text[..STAMP]);
        wire.clear();
        client::frame(TEXT, KEY, &text, &mut wire);
        write_all(&speaking[sender], &wire)?;
    }
    Ok(())
}

/// The sockets do not wait, since the crowd reads them.
fn write_all(mut stream: &TcpStream, mut octets: &[u8]) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    while !octets.is_empty() {
        match stream.write(octets) {
            Ok(length) => octets = &octets[length..],
            Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => {
                thread::sleep(Duration::from_micros(100));
            }
            Err(error) => return Err(format!("a sender cannot send: {error}")),
        }
    }
    Ok(())
}

fn hear(crowd: &mut Crowd, pace: Pace, start: Instant) -> Result<Histogram<u64>, String> {
    let senders = pace.members.div_ceil(10);
    let mut latencies = Histogram::new(3).expect("3 is a precision");
    let mut next = vec![0; pace.members * senders];
    let mut wrong = None;
    let mut missing = total(pace) * pace.members as u64;
    let until = start + pace.duration + PATIENCE;
    while 0 < missing {
        crowd.hear(Duration::from_secs(1), |member, payload| {
            if payload.len() != pace.size {
                wrong = Some(format!("{} octets in place of {}", payload.len(), pace.size));
                return;
            }
            let Stamp { sender, sequence } = Stamp::read(payload);
            let own = &mut next[member * senders..][..senders];
            match own.get_mut(sender) {
                Some(expected) if *expected == sequence => *expected += 1,
                other => {
                    let found = format!("message {sequence} of {sender} came, not {other:?}");
                    wrong.get_or_insert(found); // what follows is its consequence
                    return;
                }
            }
            missing -= 1;
            let now = start.elapsed().as_micros() as u64;
            latencies
                .record(now.saturating_sub(Stamp::micros(payload)))
                .expect("it grows with its values");
        })?;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        if until < Instant::now() {
            return Err(format!("{missing} deliveries never came"));
        }
    }
    Ok(latencies)
}

/// Each reads 1 kB a second.
fn trickle(others: &[TcpStream], is_over: &AtomicBool) {
    let mut octets = [0; 1000];
    while !is_over.load(Ordering::SeqCst) {
        let round = Instant::now();
        for mut stream in others {
            let _ = stream.set_nonblocking(true);
            let _ = stream.read(&mut octets); // it may be disconnected, as it deserves
        }
        thread::sleep(Duration::from_secs(1).saturating_sub(round.elapsed()));
    }
}

/// How many are still connected: what the kernel holds for each is read, up to the end if there is one.
fn kept(others: Vec<TcpStream>) -> usize {
    let until = Instant::now() + Duration::from_secs(1);
    let mut octets = vec![0; 1 << 20];
    let mut kept = others;
    while !kept.is_empty() && Instant::now() < until {
        kept.retain_mut(|stream| is_connected(stream, &mut octets));
    }
    kept.len()
}

/// As far as one read tells.
fn is_connected(stream: &mut TcpStream, octets: &mut [u8]) -> bool {
    let _ = stream.set_nonblocking(true);
    match stream.read(octets) {
        Ok(length) => length != 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
