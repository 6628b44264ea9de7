//! The numbers of the server that the RFC leaves open (section 10.4), each with its unit and its reason. Those
//! of the wire layer are in `src/wire`.

use std::time::Duration;

use crate::wire::head::HeadLimits;

/// The request head. RFC 9112 section 3 asks for request lines of at least 8000 bytes; the other two are
/// several times what browsers and proxies send.
pub const HEAD: HeadLimits = HeadLimits { head_max: 16 * 1024, target_max: 8000, fields_max: 100 };

/// Bytes in the broadcast queue from which a sender waits and does not read further: a flood slows down its
/// own sender. The queue can exceed it by one batch, the messages of one read.
pub const BROADCAST_QUEUE_MAX: usize = 1024 * 1024;

/// Number of members from which the broadcaster helps a sender to deliver its batch. Measured on two
/// processors as the median latency of a text (`make bench`, 300 texts a second): with 4 members, waking
/// another thread costs a fifth; with 16 it saves nothing, with 32 a tenth, with 100 a quarter.
pub const HELP_MEMBERS_MIN: usize = 32;

/// Bytes of one blocking write. Between two writes a writer thread checks whether the connection is closing;
/// the writes of the 101 and of an echo go on until all is sent or the connection has failed.
pub const WRITE_MAX: usize = 256 * 1024;

/// Longest time that one blocking write waits (`SO_SNDTIMEO`). It is short so that slow progress is noticed:
/// the kernel wakes a blocked writer only when much of the socket buffer is free.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes of capacity that a connection's own buffer keeps after a large message or a burst.
pub const BUFFER_RETAINED_MAX: usize = 4 * 1024;

/// Non-blocking writes that a thread makes for one send queue before a writer thread takes over.
pub const NONBLOCKING_WRITES_MAX: usize = 4;

/// Time for the client to answer our Close, and for its last bytes before the socket is closed. Long
/// enough for a slow network, short enough to keep a thread for it.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for all members to answer the Close when the server shuts down.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest sleep of the heartbeat thread: the error of every timeout that it checks.
pub const TICK_MAX: Duration = Duration::from_secs(1);

/// Shortest sleep of the heartbeat thread, so that it never spins.
pub const TICK_MIN: Duration = Duration::from_millis(1);

/// Checks of the heartbeat in one ping interval, at most. A ping can be late by two twentieths of the
/// interval: one until the heartbeat sees that it is due, one until its group is sent.
pub const TICKS: u32 = 20;

/// Pings that are sent at one moment. With 9000 members that each get a ping every 4 s, the 99th
/// percentile of a text's latency is 2.0 ms if all pings go at once, 1.25 ms with groups of 32, 1.2 ms
/// with groups of 8, and 1.1 ms without pings.
pub const PINGS_AT_ONCE: usize = 8;

/// Ping intervals that must fit into the idle timeout, so that one lost Pong does not end a connection.
pub const MISSED_PINGS_MIN: u32 = 2;

/// Pause after an accept that failed for lack of descriptors or memory.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Rejected connections that can wait for their 503; and, counted apart, those that linger after it. Above
/// it, a connection is closed without an answer, or at once after the 503.
pub const REJECTED_MAX: usize = 128;

/// Time between two checks whether rejected clients have closed.
pub const REJECT_POLL: Duration = Duration::from_millis(20);

/// Time between two checks during a shutdown: have all members left, is there a second signal?
pub const SHUTDOWN_POLL: Duration = Duration::from_millis(10);

/// Time for the log to be written before the program ends.
pub const LOG_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes of stack of a client thread. Only touched pages take memory; formatting a panic's message
/// touches most of them.
pub const STACK_SIZE: usize = 128 * 1024;

/// Time that a thread of the pool waits for its next job.
pub const IDLE_THREAD_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes of address space that stay free for the connections that are open. They are allocated and freed
/// before a thread starts, and never touched. The size is above the 32 MiB up to which glibc would serve
/// the request from a heap that it then keeps.
pub const MEMORY_RESERVE: usize = 40 * 1024 * 1024;

/// Heads and frames in the inspect queue. With [`PUBLISH_PAUSE`] it bounds the processor time that
/// inspection takes; a reader cannot follow more.
pub const OBSERVATIONS_MAX: usize = 1024;

/// Bytes of heads and frames in the inspect queue.
pub const OBSERVATIONS_BYTES_MAX: usize = 1024 * 1024;

/// Pause of the publisher after each round: the delay of what an inspector shows.
pub const PUBLISH_PAUSE: Duration = Duration::from_millis(40);

/// Time between two attempts to report the number of dropped frames to an inspector while nothing new
/// is observed.
pub const REPORT_DROPPED_INTERVAL: Duration = Duration::from_millis(250);

/// Bytes of a frame's payload that an inspector can see.
pub const OBSERVED_PAYLOAD_MAX: usize = 4 * 1024;

/// Bytes queued for a slow inspector; above it, texts are dropped for this inspector.
pub const WIRE_BACKLOG_MAX: usize = 1024 * 1024;

/// Bytes of text for inspectors that are sent or dropped together.
pub const WIRE_BATCH_MAX: usize = 32 * 1024;

/// Frames of one read or write that get a line each in the log; the rest is only counted, so that a flood
/// of tiny frames cannot occupy the thread that logs them.
pub const TRACED_FRAMES_MAX: usize = 64;

/// Bytes of log that wait for standard error.
pub const LOG_MAX: usize = 1024 * 1024;

/// Bytes of log that a connection collects before it submits them.
pub const LOG_LINES_MAX: usize = 64 * 1024;
const _: () = assert!(4 * LOG_LINES_MAX < LOG_MAX);

/// Characters of a message, a reason or a header that the log repeats.
pub const LOG_TEXT_MAX: usize = 200;

/// Descriptors that are not counted by `--max-connections`: standard streams, listeners, the signal's socket
/// pair; and rejected connections, before and after their 503.
pub const DESCRIPTORS_RESERVED: usize = 32 + 2 * REJECTED_MAX;

/// The limits that the operator can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message.
    pub max_message: usize,
    /// Bytes queued for a slow client from which it is disconnected. It is checked before a batch is queued.
    pub max_backlog: usize,
    /// Connections at one time.
    pub max_connections: usize,
    /// Time between two pings to one client; zero turns pings off.
    pub ping_interval: Duration,
    /// Time after which a WebSocket is closed if the client has sent no byte and has accepted none from a
    /// blocking write (only a backlog and `/echo` have such writes).
    pub idle_timeout: Duration,
    /// Time to receive the whole request head.
    pub handshake_timeout: Duration,
}

const PING_INTERVAL: Duration = Duration::from_secs(20);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const _: () = assert!(MISSED_PINGS_MIN as u64 * PING_INTERVAL.as_secs() <= IDLE_TIMEOUT.as_secs());

impl Default for Limits {
    /// Suits a chat of people on an ordinary machine.
    fn default() -> Self {
        Self {
            max_message: 1024 * 1024,
            max_backlog: 4 * 1024 * 1024,
            max_connections: 4096,
            ping_interval: PING_INTERVAL,
            idle_timeout: IDLE_TIMEOUT,
            handshake_timeout: Duration::from_secs(10),
        }
    }
}
