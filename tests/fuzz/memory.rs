//! Counts the memory that a thread holds. The allocator itself counts, so the figure is exact and not an
//! estimate.
#![expect(unsafe_code, reason = "GlobalAlloc is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator with a count of the allocated bytes for each thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Measures the memory that this thread allocates after [`Meter::start`].
pub(crate) struct Meter(isize);

impl Meter {
    /// Starts a measurement. Each thread has one measurement at a time: a second start resets the peak of
    /// the first.
    pub(crate) fn start() -> Self {
        PEAK.set(HELD.get());
        Self(HELD.get())
    }

    /// Bytes allocated since the start and not freed.
    pub(crate) fn held(&self) -> usize {
        usize::try_from(HELD.get() - self.0).unwrap_or(0)
    }

    /// The maximum of [`Meter::held`] since the start.
    pub(crate) fn peak(&self) -> usize {
        usize::try_from(PEAK.get() - self.0).unwrap_or(0)
    }
}

fn count(more: usize, less: usize) {
    let held = HELD.get().wrapping_add_unsigned(more).wrapping_sub_unsigned(less);
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call is passed unchanged to the system's allocator; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}
