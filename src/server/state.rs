//! The state that all threads of the server share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::broadcast::BroadcastQueue;
use super::clock::unix_time;
use super::inspect_queue::InspectQueue;
use super::log::Log;
use super::metrics::Metrics;
use super::options::ServeOptions;
use super::resource::Resource;
use super::room::Room;

/// The shared state. It lives as long as the program.
pub struct Server {
    /// What the operator has chosen.
    pub options: ServeOptions,
    /// When the server started, in Unix time.
    pub started: Duration,
    /// The log on standard error.
    pub log: &'static Log,
    /// All counters.
    pub metrics: &'static Metrics,
    /// The messages that wait for delivery to the chat.
    pub broadcast_queue: BroadcastQueue,
    /// The observations that wait for the publisher.
    pub inspect_queue: InspectQueue,
    /// Connections that are open, with or without an upgrade.
    pub open: AtomicUsize,
    /// Connections that are WebSockets.
    pub upgraded: AtomicUsize,
    /// The rooms, in the order of [`Resource`].
    pub rooms: [&'static Room; 3],
    /// Set once, when a signal to stop is received: there are no new WebSockets.
    pub stopping: AtomicBool,
}

impl Server {
    /// Creates the state; no thread runs yet.
    pub fn new(options: ServeOptions, log: &'static Log) -> &'static Self {
        let metrics: &Metrics = leak();
        let rooms: [&Room; 3] = [leak(), leak(), leak()];
        let chat = rooms[Resource::Chat as usize];
        let max_backlog = options.limits.max_backlog;
        Box::leak(Box::new(Self {
            options,
            started: unix_time(),
            log,
            metrics,
            broadcast_queue: BroadcastQueue::new(chat, max_backlog, log),
            inspect_queue: InspectQueue::default(),
            open: AtomicUsize::new(0),
            upgraded: AtomicUsize::new(0),
            rooms,
            stopping: AtomicBool::new(false),
        }))
    }

    /// The room of a resource.
    pub fn room(&self, resource: Resource) -> &'static Room {
        self.rooms[resource as usize]
    }

    /// Whether a signal to stop was received.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

fn leak<T: Default>() -> &'static T {
    Box::leak(Box::default())
}
