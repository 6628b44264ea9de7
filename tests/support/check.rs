//! Assertions that are counted, so that a test which asserts nothing can be found out.

use std::cell::{Cell, RefCell};
use std::fmt::{Debug, Display};
use std::io::Write;
use std::time::Instant;

use super::SOON;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static LATE: Cell<bool> = const { Cell::new(false) };
    static CASE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Forgets the count, what was late and the case: a new test begins on this thread.
pub(crate) fn reset() {
    COUNT.set(0);
    LATE.set(false);
    CASE.with_borrow_mut(String::clear);
}

/// Assertions on this thread since [`reset`].
pub(crate) fn count() -> usize {
    COUNT.get()
}

/// Was anything late on this thread since [`reset`]?
pub(crate) fn was_late() -> bool {
    LATE.get()
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

/// Waits for what the RFC wants soon, a word to which it gives no number. What takes longer than [`SOON`]
/// is late and said aloud, but no failure: a busy machine can be the reason. The wait has the deadline
/// that every wait has.
pub(crate) fn promptly<T>(what: &str, wait: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let awaited = wait();
    let took = began.elapsed();
    if *SOON < took {
        LATE.set(true);
        let case = quoted_case();
        let soon = *SOON;
        let _ = writeln!(
            std::io::stderr(),
            "\nLATE: {case}{what} took {took:.1?}, and soon is {soon:.1?}\n"
        );
    }
    awaited
}

/// Ends the test, quoting the case.
#[track_caller]
pub(crate) fn fail(what: impl Display) -> ! {
    panic!("{}{what}", quoted_case())
}

/// To stand before a sentence.
fn quoted_case() -> String {
    CASE.with_borrow(|case| if case.is_empty() { String::new() } else { format!("{case}: ") })
}

/// Says that a test is skipped, where the test harness does not keep it to itself; in CI that is a failure.
#[track_caller]
pub(crate) fn skip(why: impl Display) {
    assert!(std::env::var_os("CI").is_none(), "skipped: {why}");
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: {why}\n");
}
