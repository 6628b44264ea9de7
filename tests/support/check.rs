//! Assertions that are counted, so that a test which asserts nothing can be found out.

use std::cell::{Cell, RefCell};
use std::fmt::{Debug, Display};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static CASE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Forgets the count and the case: a new test begins on this thread.
pub(crate) fn reset() {
    COUNT.set(0);
    CASE.with_borrow_mut(String::clear);
}

/// Assertions on this thread since [`reset`].
pub(crate) fn count() -> usize {
    COUNT.get()
}

/// What happens in here is preparation: its assertions hold, but do not count.
#[track_caller]
pub(crate) fn uncounted<T>(prepare: impl FnOnce() -> T) -> T {
    let before = COUNT.get();
    let prepared = prepare();
    COUNT.set(before);
    prepared
}

/// Names the row of a table that the next assertions are about; a failure quotes it.
pub(crate) fn case(name: impl Display) {
    CASE.set(name.to_string());
}

/// Asserts that something holds.
#[track_caller]
pub(crate) fn that(holds: bool, what: impl Display) {
    COUNT.set(COUNT.get() + 1);
    if !holds {
        fail(what);
    }
}

/// Asserts that what was got is what was wanted.
#[track_caller]
pub(crate) fn eq<G: PartialEq<W> + Debug, W: Debug>(got: G, want: W, what: impl Display) {
    COUNT.set(COUNT.get() + 1);
    if got != want {
        fail(format_args!("{what}: got {got:?}, want {want:?}"));
    }
}

/// Ends the test, quoting the case.
#[track_caller]
pub(crate) fn fail(what: impl Display) -> ! {
    let case = CASE.with_borrow(String::clone);
    let separator = if case.is_empty() { "" } else { ": " };
    panic!("{case}{separator}{what}")
}
