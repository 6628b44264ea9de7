//! The stream of one connection: its peer, reads with a deadline, and a lingering close.

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connection that its reading and its writing side share: one descriptor.
pub type SharedStream = Arc<TcpStream>;

/// The other side of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The number of the connection, from 1; never used twice.
    pub id: u64,
    /// The peer's address.
    pub address: SocketAddr,
}

/// Bytes of one read of text, or of input that is dropped. Such a buffer lives on the heap, because a thread
/// keeps every page of its stack that it has touched.
pub const READ_SIZE: usize = 2 * 1024;

/// Closes so that the last bytes arrive: sends FIN, then reads and drops until the peer's FIN or until
/// `timeout`.
///
/// If a socket is closed with unread input, the kernel sends a reset, and a reset can make the peer drop
/// bytes that it has not read yet.
pub fn lingering_close(stream: &SharedStream, timeout: Duration) {
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let deadline = Instant::now() + timeout;
    let mut dropped = vec![0; 2 * READ_SIZE];
    while matches!(read_before(deadline, stream, &mut dropped), Ok(1..)) {}
}

/// Reads once. The read ends at `deadline`, even if the peer sends a byte now and then.
///
/// # Errors
/// A timeout (see [`is_timeout`]), or the error of the connection.
pub fn read_before(
    deadline: Instant,
    stream: &SharedStream,
    buffer: &mut [u8],
) -> io::Result<usize> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match (&**stream).read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            result => return result,
        }
    }
}

/// Whether a read ended because of its deadline.
#[must_use]
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
