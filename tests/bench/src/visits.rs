//! One client after another, and one message after another.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::client::{self, CLOSE, KEY, Stamp, TEXT};

/// How long a round of one member alone takes, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    pub mean: f64,
    pub median: f64,
    pub p99: f64,
}

/// One member of the chat says something, hears it, says the next; ten members, one after another. The
/// kernel may put both ends on one processor or on two, for as long as a connection lasts, and one takes
/// a third of the time of the other: so the mean over many is what can be compared.
///
/// # Errors
/// What went wrong.
pub fn alone(address: SocketAddr, path: &str, window: Duration) -> io::Result<Rounds> {
    const MEMBERS: u32 = 10;
    let mut wire = Vec::new();
    let mut text = [b'.'; 64];
    let mut answer = [0; 66];
    let mut rounds = Histogram::<u64>::new(3).expect("3 is a precision");
    for _ in 0..MEMBERS {
        let mut stream = client::join(address, path)?;
        let start = Instant::now();
        for sequence in 0.. {
            if window / MEMBERS <= start.elapsed() {
                break;
            }
            Stamp { sender: 0, sequence }.write(0, &mut text);
            wire.clear();
            client::frame(TEXT, KEY, &text, &mut wire);
            let round = Instant::now();
            stream.write_all(&wire)?;
            stream.read_exact(&mut answer)?;
            rounds.record(round.elapsed().as_nanos() as u64).expect("it grows with its values");
            if answer[2..] != text {
                return Err(io::Error::other(format!("message {sequence} did not come back")));
            }
        }
    }
    let micros = |quantile| rounds.value_at_quantile(quantile) as f64 / 1000.0;
    Ok(Rounds { mean: rounds.mean() / 1000.0, median: micros(0.5), p99: micros(0.99) })
}

/// So many clients at a time connect, upgrade, say Close, hear it and the end, and come again. Gives the
/// visits of a second.
///
/// # Errors
/// What went wrong.
pub fn many(address: SocketAddr, at_a_time: usize, window: Duration) -> io::Result<f64> {
    let until = Instant::now() + window;
    let visits = AtomicUsize::new(0);
    let come_and_go = || {
        while Instant::now() < until {
            visit(address)?;
            visits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..at_a_time).map(|_| scope.spawn(come_and_go)).collect();
        clients.into_iter().try_for_each(|client| client.join().expect("a client does not panic"))
    })
    .map(|()| visits.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64())
}

fn visit(address: SocketAddr) -> io::Result<()> {
    let mut stream = client::join(address, "/chat")?;
    let mut wire = Vec::new();
    client::frame(CLOSE, KEY, &1000u16.to_be_bytes(), &mut wire);
    stream.write_all(&wire)?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error),
        _ if answer.starts_with(&[0x88]) => Ok(()),
        _ => Err(io::Error::other("no Close came back")),
    }
}

/// Lets so many in, at most sixteen of them on their way at one time. Gives them, and how long it took.
///
/// # Errors
/// One did not get in.
pub fn crowd(
    address: SocketAddr,
    path: &str,
    count: usize,
) -> io::Result<(Vec<TcpStream>, Duration)> {
    const AT_A_TIME: usize = 16;
    let start = Instant::now();
    let streams = thread::scope(|scope| {
        let clients: Vec<_> = (0..AT_A_TIME)
            .map(|place| {
                let own = (count + place) / AT_A_TIME;
                scope.spawn(move || -> io::Result<Vec<TcpStream>> {
                    (0..own).map(|_| client::join(address, path)).collect()
                })
            })
            .collect();
        let mut streams = Vec::new();
        for client in clients {
            streams.extend(client.join().expect("a client does not panic")?);
        }
        io::Result::Ok(streams)
    })?;
    Ok((streams, start.elapsed()))
}
