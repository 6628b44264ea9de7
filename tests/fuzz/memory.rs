//! What a thread holds of memory, counted by the allocator itself: no estimate of ours can be too kind.
#![expect(unsafe_code, reason = "an allocator has no other form")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts for each thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static HEIGHT: Cell<isize> = const { Cell::new(0) };
}

/// From where on this thread's memory is counted.
pub(crate) struct Meter(isize);

impl Meter {
    /// Counts from now on. One at a time: a second one in the same thread takes the first one's place.
    pub(crate) fn start() -> Self {
        HEIGHT.set(HELD.get());
        Self(HELD.get())
    }

    /// What is held that was not at the start, in octets.
    pub(crate) fn held(&self) -> usize {
        usize::try_from(HELD.get() - self.0).unwrap_or(0)
    }

    /// The most of it that was held at one time.
    pub(crate) fn height(&self) -> usize {
        usize::try_from(HEIGHT.get() - self.0).unwrap_or(0)
    }
}

fn count(more: usize, less: usize) {
    let held = HELD.get().wrapping_add_unsigned(more).wrapping_sub_unsigned(less);
    HELD.set(held);
    HEIGHT.set(HEIGHT.get().max(held));
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, octets: *mut u8, layout: Layout) {
        count(0, layout.size());
        unsafe { System.dealloc(octets, layout) }
    }

    unsafe fn realloc(&self, octets: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        unsafe { System.realloc(octets, layout, size) }
    }
}
