//! A connection's stream: reading under a deadline, and ending so that the last words arrive.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Shared by the two sides of a connection: one descriptor.
pub type Stream = Arc<TcpStream>;

/// Octets that a read takes before the upgrade and after the end: on the heap, since a page of stack
/// that was touched once stays with the thread.
pub const READ: usize = 2 * 1024;

/// Sections 7.1.1 and 7.1.7: sends FIN, then reads and drops what still comes, until the client's
/// own FIN or a deadline. Closing with unread input would make the kernel send a reset, and a reset
/// can overtake our last words.
pub fn lingering_close(stream: &Stream, timeout: Duration) {
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let deadline = Instant::now() + timeout;
    let mut octets = vec![0; 2 * READ];
    while matches!(read_before(deadline, stream, &mut octets), Ok(1..)) {}
}

/// One read that ends at the deadline, even if the client sends a byte now and then.
///
/// # Errors
/// A time-out, told by [`is_timeout`], or what is wrong with the connection.
pub fn read_before(deadline: Instant, stream: &Stream, octets: &mut [u8]) -> io::Result<usize> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match (&**stream).read(octets) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            ended => return ended,
        }
    }
}

/// Did a read end because its time was over?
#[must_use]
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
