//! When a client last gave a sign of life: a byte that came, or one that it took after we had to wait.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Written by the connection's thread, read by the timer's.
pub struct Pulse {
    opened: Instant,
    /// Milliseconds after `opened`.
    heard: AtomicU64,
}

impl Pulse {
    /// The first sign of life is now.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it reads the clock")]
    pub fn new() -> Self {
        Self { opened: Instant::now(), heard: AtomicU64::new(0) }
    }

    /// A sign of life.
    pub fn beat(&self) {
        let now = self.opened.elapsed().as_millis();
        self.heard.store(u64::try_from(now).unwrap_or(u64::MAX), Relaxed);
    }

    /// When `silence_max` without one will be over.
    #[must_use]
    pub fn stops_at(&self, silence_max: Duration) -> Instant {
        self.opened + Duration::from_millis(self.heard.load(Relaxed)) + silence_max
    }
}
