//! The state that all threads of the server share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::broadcast::BroadcastQueue;
use super::event::Peer;
use super::inspect::Inspection;
use super::inspect_queue::InspectQueue;
use super::log::Log;
use super::metrics::Metrics;
use super::options::ServeOptions;
use super::resource::Resource;
use super::room::Room;
use super::trace::Trace;

/// The shared state. It lives as long as the program.
pub struct Server {
    /// What the operator has chosen.
    pub options: ServeOptions,
    /// The log on standard error.
    pub log: &'static Log,
    /// All counters.
    pub metrics: &'static Metrics,
    /// The messages that wait for delivery to the chat.
    pub broadcast_queue: BroadcastQueue,
    /// The observations that wait for the publisher.
    pub inspect_queue: InspectQueue,
    /// Connections that are open.
    pub open: AtomicUsize,
    /// Connections that are WebSockets.
    pub upgraded: AtomicUsize,
    chat: &'static Room,
    echo: &'static Room,
    wire: &'static Room,
    is_stopping: AtomicBool,
}

impl Server {
    /// Creates the state; no thread runs yet.
    #[must_use]
    pub fn new(options: ServeOptions, log: &'static Log) -> &'static Self {
        let (chat, metrics): (&Room, &Metrics) = (leak(), leak());
        let max_backlog = options.limits.max_backlog;
        Box::leak(Box::new(Self {
            options,
            log,
            metrics,
            broadcast_queue: BroadcastQueue::new(chat, max_backlog, metrics, log),
            inspect_queue: InspectQueue::default(),
            open: AtomicUsize::new(0),
            upgraded: AtomicUsize::new(0),
            chat,
            echo: leak(),
            wire: leak(),
            is_stopping: AtomicBool::new(false),
        }))
    }

    /// The room of a resource.
    #[must_use]
    pub fn room(&self, resource: Resource) -> &'static Room {
        match resource {
            Resource::Chat => self.chat,
            Resource::Echo => self.echo,
            Resource::Wire => self.wire,
        }
    }

    /// The rooms of all resources.
    #[must_use]
    pub fn rooms(&self) -> [&'static Room; 3] {
        [self.chat, self.echo, self.wire]
    }

    /// The trace of a connection, if the wire is to be shown anywhere.
    #[must_use]
    pub fn trace(&'static self, peer: Peer) -> Option<Trace> {
        let is_inspected = self.options.inspection != Inspection::Off;
        let inspect_queue = is_inspected.then_some(&self.inspect_queue);
        Trace::new(peer, self.options.tracing, self.log, inspect_queue)
    }

    /// Stops new WebSockets.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
    }

    /// Was a signal to stop received?
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }
}

fn leak<T: Default>() -> &'static T {
    Box::leak(Box::default())
}
