//! When a client last gave a sign of life: a byte that came, or one that it took after we had to wait.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Written by the connection's thread, read by the timer's.
pub struct Activity {
    opened: Instant,
    /// Milliseconds after `opened`.
    heard: AtomicU64,
    /// Likewise, of the last ping, or of the moment at which there could have been one.
    asked: AtomicU64,
}

impl Activity {
    /// The first sign of life is now.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it reads the clock")]
    pub fn new() -> Self {
        Self { opened: Instant::now(), heard: AtomicU64::new(0), asked: AtomicU64::new(0) }
    }

    /// A sign of life.
    pub fn beat(&self) {
        self.heard.store(self.age(Instant::now()), Relaxed);
    }

    /// When the last one was, in milliseconds of the connection's life.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.heard.load(Relaxed)
    }

    /// When it is time for a ping. Each client has its own round, which begins when it comes, so that
    /// thousands are not asked all at once.
    #[must_use]
    pub fn due_at(&self, ping_interval: Duration) -> Instant {
        self.opened + Duration::from_millis(self.asked.load(Relaxed)) + ping_interval
    }

    /// The client is asked, or could have been.
    pub fn asked(&self, now: Instant) {
        self.asked.store(self.age(now), Relaxed);
    }

    /// When `idle_timeout` without one will be over.
    #[must_use]
    pub fn stops_at(&self, idle_timeout: Duration) -> Instant {
        self.opened + Duration::from_millis(self.heard.load(Relaxed)) + idle_timeout
    }

    /// In milliseconds.
    fn age(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.opened);
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
    }
}
