//! The chat server: threads and sockets around the pure layer of [`crate::wire`].

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use broadcast::BroadcastQueue;
use inspect::{InspectQueue, Inspection};
use limits::{Limits, SHUTDOWN_TIMEOUT};
use log::{Format, Log, Verbosity};
use metrics::Metrics;
use room::Room;
use send_queue::{Backlog, SendQueue};
use trace::Tracing;

use crate::wire::close::{Close, CloseCode};

pub mod activity;
pub mod broadcast;
pub mod event;
pub mod heartbeat;
pub mod http;
pub mod inspect;
pub mod limits;
pub mod listener;
pub mod log;
pub mod message_handler;
pub mod metrics;
pub mod origin;
pub mod pages;
pub mod reject;
pub mod reply;
pub mod resource;
pub mod room;
pub mod send_queue;
pub mod session;
pub mod simulate;
pub mod thread_pool;
pub mod trace;

/// What the operator chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Addresses to listen on; at least one.
    pub bind: Vec<SocketAddr>,
    /// The first message to each member.
    pub welcome: String,
    /// Origins that may connect beside those of the same host, in lower case; `*` for any.
    pub origins: Vec<String>,
    /// Numbers.
    pub limits: Limits,
    /// Is the wire shown beside the log?
    pub tracing: Tracing,
    /// May pages look at it?
    pub inspection: Inspection,
    /// How the log looks.
    pub log_format: Format,
    /// What is logged.
    pub verbosity: Verbosity,
}

impl Default for Options {
    /// What holds where the operator chose nothing; but where to listen is to be chosen.
    fn default() -> Self {
        Self {
            bind: Vec::new(),
            welcome: "Welcome to Corvusoft Chat!".to_owned(),
            origins: Vec::new(),
            limits: Limits::default(),
            tracing: Tracing::Off,
            inspection: Inspection::Off,
            log_format: Format::Text,
            verbosity: Verbosity::Normal,
        }
    }
}

/// What every thread of the server shares. It lives as long as the program.
pub struct Server {
    options: Options,
    log: &'static Log,
    metrics: Metrics,
    /// The members of `/chat`.
    chat: Room,
    /// What they said and the broadcast has not taken.
    broadcast_queue: BroadcastQueue,
    /// The clients of `/echo`: nobody speaks to them but they themselves.
    echo: Room,
    /// What crosses the wire, for those who look at `/wire`.
    inspect_queue: InspectQueue,
    /// Connections, in whatever state.
    open: AtomicUsize,
    /// Connections that are WebSockets.
    upgraded: AtomicUsize,
    /// A signal to stop came.
    is_stopping: AtomicBool,
}

impl Server {
    /// Nothing runs yet.
    #[must_use]
    pub fn new(options: Options, log: &'static Log) -> &'static Self {
        Box::leak(Box::new(Self {
            options,
            log,
            metrics: Metrics::default(),
            chat: Room::default(),
            broadcast_queue: BroadcastQueue::default(),
            echo: Room::default(),
            inspect_queue: InspectQueue::default(),
            open: AtomicUsize::new(0),
            upgraded: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
        }))
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }
}

/// Tells a member that the server goes down (section 7.4.1: 1001).
fn close_for_shutdown(member: &Arc<SendQueue>) {
    let close = Close::new(CloseCode::GOING_AWAY, "the server is shutting down");
    member.close(close, Backlog::Flush, 2 * SHUTDOWN_TIMEOUT); // the stop itself ends the wait
}

/// Unix time. A clock that is set before its epoch shows the epoch.
fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Frees the memory of an empty buffer that grew large. Shrinking it in place would leave a small
/// piece at a high address, which keeps the allocator from giving the rest back.
fn release_capacity(buffer: &mut Vec<u8>) {
    if limits::BUFFER_RETAINED_MAX < buffer.capacity() {
        *buffer = Vec::new();
    }
}

/// One of those counted in a number, as long as it lives.
struct CountGuard(&'static AtomicUsize);

impl CountGuard {
    /// Counts one more, unless there are `max` already.
    fn below(max: usize, number: &'static AtomicUsize) -> Option<Self> {
        let one = Self::new(number);
        (number.load(Ordering::SeqCst) <= max).then_some(one)
    }

    fn new(number: &'static AtomicUsize) -> Self {
        number.fetch_add(1, Ordering::SeqCst);
        Self(number)
    }
}

impl Drop for CountGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Starts a thread without which the program is of no use: should it panic, the program ends, so
/// that whoever watches over it can start it anew.
fn spawn_essential(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let essential = move || {
        let _ = catch_unwind(AssertUnwindSafe(body)); // the panic hook has told of it
        process::exit(1);
    };
    thread::Builder::new().name(name.to_owned()).spawn(essential).map(drop)
}
