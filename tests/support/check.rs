//! Assertions that are counted, so that a test which asserts nothing is detected.

use std::cell::{Cell, RefCell};
use std::fmt::{Debug, Display};
use std::io::Write;
use std::time::Instant;

use super::SOON;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static LATE: Cell<bool> = const { Cell::new(false) };
    static PATH: Cell<Option<&'static str>> = const { Cell::new(None) };
    static CASE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Clears the state of this thread before a new test runs on it.
pub(crate) fn reset() {
    COUNT.set(0);
    LATE.set(false);
    set_path(None);
}

/// Returns how many assertions were made on this thread since [`reset`].
pub(crate) fn count() -> usize {
    COUNT.get()
}

/// Returns whether anything was late on this thread since [`reset`].
pub(crate) fn was_late() -> bool {
    LATE.get()
}

/// Runs a preparation: its assertions must hold, but they are not counted.
#[track_caller]
pub(crate) fn uncounted<T>(prepare: impl FnOnce() -> T) -> T {
    let before = COUNT.get();
    let prepared = prepare();
    COUNT.set(before);
    prepared
}

/// Names the path that the next assertions are about, and clears the case; a failure quotes the path.
/// [`super::on_both_paths`] calls it.
pub(crate) fn set_path(path: Option<&'static str>) {
    PATH.set(path);
    CASE.with_borrow_mut(String::clear);
}

/// Names the row of a table that the next assertions are about; a failure quotes it.
pub(crate) fn case(name: impl Display) {
    CASE.set(name.to_string());
}

/// Asserts a condition.
#[track_caller]
pub(crate) fn that(holds: bool, what: impl Display) {
    COUNT.set(COUNT.get() + 1);
    if !holds {
        fail(what);
    }
}

/// Asserts that a value is the expected one.
#[track_caller]
pub(crate) fn eq<A: PartialEq<E> + Debug, E: Debug>(actual: A, expected: E, what: impl Display) {
    COUNT.set(COUNT.get() + 1);
    if actual != expected {
        fail(format_args!("{what}: got {actual:?}, expected {expected:?}"));
    }
}

/// Runs a wait for something that the RFC requires "as soon as practical", without a number. If it takes
/// longer than [`SOON`], it is reported as late, which is not a failure: the machine may be busy. The wait
/// itself has its own deadline.
pub(crate) fn warn_if_late<T>(what: &str, wait: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = wait();
    let elapsed = start.elapsed();
    if *SOON < elapsed {
        LATE.set(true);
        let (context, soon) = (context(), *SOON);
        let _ = writeln!(
            std::io::stderr(),
            "\nLATE: {context}{what} took {elapsed:.1?}, more than {soon:.1?}\n"
        );
    }
    result
}

/// Ends the test with a message that quotes the path and the case.
#[track_caller]
pub(crate) fn fail(what: impl Display) -> ! {
    panic!("{}{what}", context())
}

/// The path and the case, as the start of a message.
fn context() -> String {
    let path = PATH.get().map(|path| format!("{path}: ")).unwrap_or_default();
    let case = CASE.with_borrow(String::clone);
    if case.is_empty() { path } else { format!("{path}{case}: ") }
}

/// Reports a skipped test on standard error, which the test harness does not capture. In CI a skip is a
/// failure.
#[track_caller]
pub(crate) fn skip(why: impl Display) {
    assert!(std::env::var_os("CI").is_none(), "skipped: {why}");
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: {why}\n");
}
