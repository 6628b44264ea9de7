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
    fn send(socket: c_int, bytes: *const c_void, length: usize, flags: c_int) -> isize;
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> *const c_void;

    /// The address of the calling thread's `errno`, which is a macro in C.
    #[cfg_attr(any(target_os = "linux", target_os = "emscripten"), link_name = "__errno_location")]
    #[cfg_attr(any(target_vendor = "apple", target_os = "freebsd"), link_name = "__error")]
    #[cfg_attr(
        any(target_os = "android", target_os = "netbsd", target_os = "openbsd"),
        link_name = "__errno"
    )]
    fn errno() -> *mut c_int;
    fn ioctl(descriptor: c_int, request: c_ulong, ...) -> c_int;
}

const SIGINT: c_int = 2;
const SIGTERM: c_int = 15;

#[cfg(any(target_os = "linux", target_os = "android"))]
const MSG_DONTWAIT: c_int = 0x40;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const MSG_DONTWAIT: c_int = 0x80;

/// Sends as many of `bytes` as the kernel accepts without blocking, and returns their number.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] if it accepts none now, or the error of the connection.
/// SIGPIPE does not occur: `std` ignores it before `main`.
pub fn send_now(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the descriptor is open as long as `stream` is borrowed; pointer and length are those
    // of a live slice, which `send` only reads.
    let sent =
        unsafe { send(stream.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), MSG_DONTWAIT) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// The descriptor that the signal handler writes to; -1 until [`stop_signals`] has set it.
static SIGNAL_SOCKET: AtomicI32 = AtomicI32::new(-1);

/// The signal handler. It may run between any thread's system call and that thread's look at `errno`,
/// so it restores `errno`.
extern "C" fn on_signal(_number: c_int) {
    // SAFETY: `errno` gives the address of this thread's own variable. `send` is async-signal-safe and
    // reads one byte of a constant. The descriptor is never closed. If its buffer is full, earlier
    // signals wait there already.
    unsafe {
        let errno = errno();
        let saved = *errno;
        send(SIGNAL_SOCKET.load(Ordering::Relaxed), b"!".as_ptr().cast(), 1, MSG_DONTWAIT);
        *errno = saved;
    }
}

/// Starts to receive signals: each SIGTERM and SIGINT is one byte that can be read from the stream.
///
/// # Errors
/// The system has no descriptors left.
pub fn stop_signals() -> io::Result<UnixStream> {
    let (listener, waker) = UnixStream::pair()?;
    SIGNAL_SOCKET.store(waker.into_raw_fd(), Ordering::Relaxed);
    for number in [SIGINT, SIGTERM] {
        // SAFETY: `on_signal` does only what a signal handler may do.
        unsafe { signal(number, on_signal) };
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
    fn the_signal_handler_keeps_errno() {
        const EILSEQ_ON_LINUX: c_int = 84; // a value that `send` does not set
        // SAFETY: this thread's own variable.
        unsafe { *errno() = EILSEQ_ON_LINUX };
        on_signal(SIGTERM); // without a socket its `send` fails with EBADF
        assert_eq!(io::Error::last_os_error().raw_os_error(), Some(EILSEQ_ON_LINUX));
    }

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
