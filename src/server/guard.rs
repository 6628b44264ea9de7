//! A counter with a guard: the number of connections, of WebSockets, of threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts one more in `count` while it lives. It is dropped on every way out, a panic included.
pub struct CountGuard(&'static AtomicUsize);

impl CountGuard {
    /// Counts one more.
    #[must_use]
    pub fn new(count: &'static AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for CountGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
