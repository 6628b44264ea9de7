//! Two things that `std` cannot do: hear SIGTERM and SIGINT, and write to a socket without waiting.
//! The only `unsafe` of the program: two functions of the C library that `std` links anyway.
#![allow(unsafe_code, reason = "std has neither of the two; each stands behind a safe function")]

use std::ffi::{c_int, c_void};
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, Ordering};

unsafe extern "C" {
    fn send(socket: c_int, octets: *const c_void, length: usize, flags: c_int) -> isize;
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> *const c_void;
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
