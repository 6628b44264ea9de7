//! Every number that the RFC leaves to us (section 10.4), each with its unit and its reason.

use std::time::Duration;

use crate::wire::head::HeadLimits;

/// The request head: RFC 9112 wants request lines of 8000 octets understood; the rest is what
/// browsers and proxies send, several times over.
pub const HEAD: HeadLimits = HeadLimits { head_max: 16 * 1024, target_max: 8000, fields_max: 100 };

/// Octets of chat that may wait for the broadcast. Whoever finds more there waits, and reads no
/// further: a flood slows its own sender.
pub const BROADCAST_QUEUE_MAX: usize = 1024 * 1024;

/// Members from which on a speaker that carries its own words has help. Measured on two processors, the
/// median of a text's way (`make bench`, 300 texts a second): to 4 members waking somebody costs a fifth,
/// to 16 it saves nothing, to 32 a tenth, to 100 a quarter.
pub const HELP_MEMBERS_MIN: usize = 32;

/// Octets that one waiting write takes: between two of them a writer looks whether the connection
/// is to end.
pub const WRITE_MAX: usize = 256 * 1024;

/// How long one waiting write waits. The kernel wakes a writer late, when much of its buffer is free;
/// asking anew shows earlier that a slow client still takes something.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(1);

/// Octets of a connection's own buffers that outlive a large message or a burst.
pub const BUFFER_RETAINED_MAX: usize = 4 * 1024;

/// Rounds that somebody in a hurry writes for others before a thread of its own takes over.
pub const HELPED_WRITES_MAX: usize = 4;

/// How long we wait for the answer to our Close, and for the end of what still comes once all is
/// said. Long enough for a slow line, short enough to hold a thread.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a stop waits for all members to answer the Close.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the timer sleeps at most: the error of every time limit that it watches.
pub const TICK_MAX: Duration = Duration::from_secs(1);

/// How long it sleeps at least: it never spins, whatever the clock says.
pub const TICK_MIN: Duration = Duration::from_millis(1);

/// Looks of the timer during one ping interval, at most: a ping is late by two twentieths of it, one until
/// it is seen to be due and one until its turn.
pub const TICKS: u32 = 20;

/// Pings that go out at one moment. Of a chat beside 9000 members with a ping every 4 s each, the 99th
/// percentile of a text's way is 2.0 ms if all go at once, 1.25 ms at 32, 1.2 ms at 8, 1.1 ms without pings.
pub const PINGS_AT_ONCE: usize = 8;

/// Pings that a client may leave unanswered, at least: so many intervals fit the longest silence.
pub const MISSED_PINGS_MIN: u32 = 2;

/// Pause after an accept that failed for want of descriptors or memory.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections beyond the limit that can be waiting for the end of their 503 at one time.
pub const REJECTED_MAX: usize = 128;

/// How often it is looked whether those who were turned away have gone.
pub const REJECT_POLL: Duration = Duration::from_millis(20);

/// How often a stop looks whether all have left, or a second signal came.
pub const STOP_ROUND: Duration = Duration::from_millis(10);

/// How long the end of the program waits for the log.
pub const LOG_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Stack of a connection's thread. Only what is touched takes memory; formatting a panic's message
/// touches most.
pub const STACK_SIZE: usize = 128 * 1024;

/// How long a thread waits for the next client.
pub const IDLE_THREAD_TIMEOUT: Duration = Duration::from_secs(1);

/// Octets of address space that stay free for those who are here. They are asked for and given back
/// before a thread starts, and never touched. More than the 32 MiB up to which glibc serves such a
/// request from a heap that then stays.
pub const MEMORY_RESERVE: usize = 40 * 1024 * 1024;

/// Frames that may wait to be put into words for an inspector, and octets of them. With the pause it
/// bounds what inspection takes of the processor: nobody reads so many anyway.
pub const OBSERVATIONS_MAX: usize = 1024;
/// Likewise.
pub const OBSERVATIONS_BYTES_MAX: usize = 1024 * 1024;
/// How long the publisher rests after each round: what an inspector shows is late by so much.
pub const PUBLISH_PAUSE: Duration = Duration::from_millis(40);

/// How often an inspector that has lost frames is offered their number, where nothing new crosses the
/// wire.
pub const REPORT_DROPPED_INTERVAL: Duration = Duration::from_millis(250);

/// Octets of a frame's payload that an inspector gets to see.
pub const OBSERVED_PAYLOAD_MAX: usize = 4 * 1024;

/// Octets that an inspector may owe: then it loses frames.
pub const WIRE_BACKLOG_MAX: usize = 1024 * 1024;

/// Octets of texts for inspectors that are sent or lost together.
pub const WIRE_BATCH: usize = 32 * 1024;

/// Frames of one piece of a stream that get a line each in the log; the others are counted, so that a
/// flood of tiny frames cannot keep whoever shows them.
pub const TRACED_MAX: usize = 64;

/// Octets of log that may wait for standard error.
pub const LOG_MAX: usize = 1024 * 1024;

/// Octets of log that a connection collects before it hands them over.
pub const LINES_MAX: usize = 64 * 1024;
const _: () = assert!(4 * LINES_MAX < LOG_MAX);

/// Characters of a message, a reason or a header that the log repeats.
pub const LOG_TEXT_MAX: usize = 200;

/// Descriptors that are no connection: standard streams, listeners, the signal's pair, those that
/// are being turned away.
pub const DESCRIPTORS_RESERVED: usize = 32 + REJECTED_MAX;

/// What the operator can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a message.
    pub max_message: usize,
    /// Unsent octets that a member may owe when the next batch comes.
    pub max_backlog: usize,
    /// Connections at one time.
    pub max_connections: usize,
    /// Time between two rounds of pings; zero for none.
    pub ping_interval: Duration,
    /// Time without a byte after which a connection is ended.
    pub idle_timeout: Duration,
    /// Time for the whole request head.
    pub handshake_timeout: Duration,
}

const PING_EVERY: Duration = Duration::from_secs(20);
const SILENCE_MAX: Duration = Duration::from_secs(60);
const _: () = assert!(MISSED_PINGS_MIN as u64 * PING_EVERY.as_secs() <= SILENCE_MAX.as_secs());

impl Default for Limits {
    /// A chat of people on an ordinary machine.
    fn default() -> Self {
        Self {
            max_message: 1024 * 1024,
            max_backlog: 4 * 1024 * 1024,
            max_connections: 4096,
            ping_interval: PING_EVERY,
            idle_timeout: SILENCE_MAX,
            handshake_timeout: Duration::from_secs(10),
        }
    }
}
