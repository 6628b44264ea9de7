//! Round trips of a single message, and connections that open and close.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::client::{self, CLOSE, KEY, Stamp, TEXT};

/// Round-trip times in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct RoundTrips {
    pub mean: f64,
    pub median: f64,
    pub p99: f64,
}

/// One client sends a message, receives it, and sends the next; ten clients, one after another. For the
/// life of a connection the kernel runs both ends on one processor or on two, and one case takes a third
/// of the time of the other. Therefore only the mean over several connections can be compared.
///
/// # Errors
/// A connection failed, or a message was not returned.
pub fn round_trips(address: SocketAddr, path: &str, window: Duration) -> io::Result<RoundTrips> {
    const CLIENTS: u32 = 10;
    let mut wire = Vec::new();
    let mut text = [b'.'; 64];
    let mut answer = [0; 66];
    let mut times = Histogram::<u64>::new(3).expect("3 is a valid precision");
    for _ in 0..CLIENTS {
        let mut stream = client::join(address, path)?;
        let start = Instant::now();
        for sequence in 0.. {
            if window / CLIENTS <= start.elapsed() {
                break;
            }
            Stamp { sender: 0, sequence }.write(0, &mut text);
            wire.clear();
            client::frame(TEXT, KEY, &text, &mut wire);
            let sent = Instant::now();
            stream.write_all(&wire)?;
            stream.read_exact(&mut answer)?;
            times.record(sent.elapsed().as_nanos() as u64).expect("the histogram resizes itself");
            if answer[2..] != text {
                return Err(io::Error::other(format!("message {sequence} was not returned")));
            }
        }
    }
    let micros = |quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
    Ok(RoundTrips { mean: times.mean() / 1000.0, median: micros(0.5), p99: micros(0.99) })
}

/// `concurrent` clients connect, upgrade, send a Close, read the answer up to the end, and start again.
/// Gives the connections a second.
///
/// # Errors
/// A connection failed.
pub fn churn(address: SocketAddr, concurrent: usize, window: Duration) -> io::Result<f64> {
    let until = Instant::now() + window;
    let completed = AtomicUsize::new(0);
    let run_client = || {
        while Instant::now() < until {
            connect_and_close(address)?;
            completed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..concurrent).map(|_| scope.spawn(run_client)).collect();
        clients
            .into_iter()
            .try_for_each(|client| client.join().expect("the client thread does not panic"))
    })
    .map(|()| completed.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64())
}

fn connect_and_close(address: SocketAddr) -> io::Result<()> {
    let mut stream = client::join(address, "/chat")?;
    let mut wire = Vec::new();
    client::frame(CLOSE, KEY, &1000u16.to_be_bytes(), &mut wire);
    stream.write_all(&wire)?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error),
        _ if answer.starts_with(&[0x88]) => Ok(()),
        _ => Err(io::Error::other("no Close was received")),
    }
}

/// Opens `count` connections, 16 at a time. Gives the connections and the elapsed time.
///
/// # Errors
/// A client cannot connect.
pub fn open_many(
    address: SocketAddr,
    path: &str,
    count: usize,
) -> io::Result<(Vec<TcpStream>, Duration)> {
    const CONCURRENT: usize = 16;
    let start = Instant::now();
    let streams = thread::scope(|scope| {
        let clients: Vec<_> = (0..CONCURRENT)
            .map(|index| {
                let own = (count + index) / CONCURRENT;
                scope.spawn(move || -> io::Result<Vec<TcpStream>> {
                    (0..own).map(|_| client::join(address, path)).collect()
                })
            })
            .collect();
        let mut streams = Vec::new();
        for client in clients {
            streams.extend(client.join().expect("the client thread does not panic")?);
        }
        io::Result::Ok(streams)
    })?;
    Ok((streams, start.elapsed()))
}
