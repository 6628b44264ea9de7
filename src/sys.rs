//! What `std` cannot do: receive SIGTERM and SIGINT, write to a socket without blocking, and read the
//! width of a terminal. The only `unsafe` of the program: functions of the C library that `std` links
//! anyway.
#![allow(unsafe_code, reason = "std cannot do these; each is behind a safe function")]

use std::ffi::{c_int, c_ulong, c_void};
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, Ordering};

unsafe extern "C" {
    fn send(socket: c_int, octets: *const c_void, length: usize, flags: c_int) -> isize;
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> *const c_void;
    fn ioctl(descriptor: c_int, request: c_ulong, ...) -> c_int;
}

const SIGINT: c_int = 2;
const SIGTERM: c_int = 15;

#[cfg(any(target_os = "linux", target_os = "android"))]
const MSG_DONTWAIT: c_int = 0x40;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const MSG_DONTWAIT: c_int = 0x80;

/// Hands `octets` to the kernel as far as it takes them at once; how many that were.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] when it takes none now, else what is wrong with the connection.
/// SIGPIPE is no concern: `std` ignores it before `main`.
pub fn send_now(stream: &TcpStream, octets: &[u8]) -> io::Result<usize> {
    // SAFETY: the descriptor is open as long as `stream` is borrowed; pointer and length are those
    // of a live slice, which `send` only reads.
    let sent =
        unsafe { send(stream.as_raw_fd(), octets.as_ptr().cast(), octets.len(), MSG_DONTWAIT) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Where the handler leaves its octet; -1 until there is a listener.
static WAKE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn wake(_number: c_int) {
    // SAFETY: `send` is async-signal-safe; it reads one octet of a constant. The descriptor is
    // never closed. Should it be full, earlier signals wait there already.
    unsafe { send(WAKE.load(Ordering::Relaxed), b"!".as_ptr().cast(), 1, MSG_DONTWAIT) };
}

/// From now on each SIGTERM and SIGINT is an octet to be read from the stream that is returned.
///
/// # Errors
/// The system has no descriptors left.
pub fn stop_signals() -> io::Result<UnixStream> {
    let (listener, waker) = UnixStream::pair()?;
    WAKE.store(waker.into_raw_fd(), Ordering::Relaxed);
    for number in [SIGINT, SIGTERM] {
        // SAFETY: `wake` does nothing that a signal handler may not do.
        unsafe { signal(number, wake) };
    }
    Ok(listener)
}

/// The request of `ioctl` that reads the size of a terminal's window.
#[cfg(any(target_os = "linux", target_os = "android"))]
const TIOCGWINSZ: c_ulong = 0x5413; // of every architecture that this program supports
/// The same on macOS and the BSDs.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const TIOCGWINSZ: c_ulong = 0x4008_7468;

/// The columns of the terminal that `descriptor` is; `None` if it is not a terminal or has no size.
#[must_use]
pub fn terminal_width(descriptor: BorrowedFd) -> Option<usize> {
    let mut size = [0_u16; 4]; // rows, columns, and both in pixels
    // SAFETY: the descriptor is open as long as it is borrowed. The request writes a `struct winsize`,
    // four unsigned shorts, to a pointer that is valid for them.
    let result = unsafe { ioctl(descriptor.as_raw_fd(), TIOCGWINSZ, size.as_mut_ptr()) };
    let [_, columns, ..] = size;
    (result == 0 && columns != 0).then_some(columns.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_pipe_has_no_width() {
        let (reader, writer) = io::pipe().unwrap();
        assert_eq!(terminal_width(reader.as_fd()), None);
        assert_eq!(terminal_width(writer.as_fd()), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_terminal_has_the_width_that_was_set() {
        const TIOCSWINSZ: c_ulong = 0x5414;
        let terminal = std::fs::File::options().read(true).write(true).open("/dev/ptmx").unwrap();
        assert_eq!(terminal_width(terminal.as_fd()), None, "a new terminal has no size");
        let size = [24_u16, 132, 0, 0];
        // SAFETY: as in `terminal_width`; the request reads the four shorts.
        let result = unsafe { ioctl(terminal.as_raw_fd(), TIOCSWINSZ, size.as_ptr()) };
        assert_eq!((result, terminal_width(terminal.as_fd())), (0, Some(132)));
    }
}
