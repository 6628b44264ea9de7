//! When a client was last active: it sent a byte, or it accepted one that a blocking write sent.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Written by the client's thread and its writer, read by the heartbeat.
pub struct Activity {
    opened: Instant,
    /// Last activity, in milliseconds after `opened`.
    last_active: AtomicU64,
    /// Last ping, in milliseconds after `opened`; 0 before the first.
    last_ping: AtomicU64,
}

impl Activity {
    /// The client is active now.
    #[expect(clippy::new_without_default, reason = "it reads the clock")]
    pub fn new() -> Self {
        let (last_active, last_ping) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { opened: Instant::now(), last_active, last_ping }
    }

    /// Records that the client is active now.
    pub fn touch(&self) {
        self.last_active.store(self.age(Instant::now()), Relaxed);
    }

    /// The last activity, in milliseconds after the connection was opened.
    pub fn last_active(&self) -> u64 {
        self.last_active.load(Relaxed)
    }

    /// Records that a ping is sent.
    pub fn set_last_ping(&self, now: Instant) {
        self.last_ping.store(self.age(now), Relaxed);
    }

    /// When the next ping is due. The interval starts when the client connects, so that thousands of
    /// clients do not get their pings at the same moment.
    pub fn next_ping_at(&self, ping_interval: Duration) -> Instant {
        self.opened + Duration::from_millis(self.last_ping.load(Relaxed)) + ping_interval
    }

    /// When the client will have been idle for `idle_timeout`.
    pub fn idle_at(&self, idle_timeout: Duration) -> Instant {
        self.opened + Duration::from_millis(self.last_active()) + idle_timeout
    }

    /// Milliseconds from `opened` to `now`.
    fn age(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.opened);
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
    }
}
