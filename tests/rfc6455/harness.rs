//! Runs the tests as libtest does. It also records which requirements each test shows, and fails a test
//! that asserts nothing.

use std::any::Any;
use std::cell::RefCell;
use std::iter;
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::register::Register;
use crate::report;
use crate::support::check;

/// The number of tests that run at the same time. Tests mostly wait, so it may exceed the number of
/// processors.
const WORKERS: usize = 8;

/// The test of the register itself, which is in no module.
const REGISTER: &str = "register::agrees_with_the_tests";

/// One test and the rows of the register that it shows.
pub(crate) struct Test {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    pub(crate) ids: &'static [&'static str],
    pub(crate) run: fn(),
}

/// Declares the table at the top of a module: `name: ["ID", ..],` for each test function.
macro_rules! tests {
    ($($name:ident: [$($id:literal),+ $(,)?],)+) => {
        pub(crate) const TESTS: &[$crate::harness::Test] = &[$($crate::harness::Test {
            module: module_path!(),
            name: stringify!($name),
            ids: &[$($id),+],
            run: $name,
        }),+];
    };
}

impl Test {
    /// The module name, as `s5_5`.
    pub(crate) fn section(&self) -> &'static str {
        self.module.rsplit("::").next().unwrap_or_default()
    }

    /// The full name, as `s5_5::ping_is_answered_with_a_pong`.
    pub(crate) fn path(&self) -> String {
        format!("{}::{}", self.section(), self.name)
    }

    /// Runs the test; an error is the reason of the failure.
    fn verdict(&self) -> Result<(), String> {
        check::reset();
        let end = panic::catch_unwind(self.run);
        match end {
            Ok(()) if check::count() == 0 => Err("the test asserts nothing".into()),
            Ok(()) => Ok(()),
            Err(payload) => {
                Err(LAST_PANIC.take().unwrap_or_else(|| panic_message(payload.as_ref())))
            }
        }
    }
}

/// The result of a test.
pub(crate) struct Outcome<'a> {
    pub(crate) test: &'a Test,
    pub(crate) verdict: Result<(), String>,
    /// Something that the RFC requires soon was late.
    pub(crate) late: bool,
}

/// The supported options of libtest, and `--table`.
#[derive(Default)]
struct Options {
    filters: Vec<String>,
    skips: Vec<String>,
    exact: bool,
    list: bool,
    table: bool,
}

impl Options {
    fn read() -> Self {
        let mut options = Self::default();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--exact" => options.exact = true,
                "--list" => options.list = true,
                "--table" => options.table = true,
                "--skip" => options.skips.extend(arguments.next()),
                "--test-threads" | "--color" | "--format" => drop(arguments.next()),
                option if option.starts_with('-') => {} // another option of libtest, which is ignored
                _ => options.filters.push(argument),
            }
        }
        options
    }

    fn select(&self, names: &[String]) -> bool {
        let matches = |filter: &String| self.matches(filter, names);
        (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skips.iter().any(matches)
    }

    fn matches(&self, filter: &String, names: &[String]) -> bool {
        names.iter().any(|name| if self.exact { name == filter } else { name.contains(filter) })
    }

    /// Warns about a filter for a section without a test. It is not a failure: `cargo test NAME` passes the
    /// filter to every test binary.
    fn warn(&self, names: &[Vec<String>]) {
        for filter in &self.filters {
            let is_section = filter.starts_with('s') && filter[1..].starts_with(char::is_numeric);
            if is_section && !names.iter().any(|names| self.matches(filter, names)) {
                eprintln!("\nNO TEST: the filter {filter} matches no test in tests/rfc6455\n");
            }
        }
    }
}

/// Runs the tests that the command line selects.
pub(crate) fn main(tests: &[&Test]) -> ExitCode {
    let options = Options::read();
    let (register, breaches) = Register::read(tests);
    let names: Vec<_> = tests.iter().map(|test| names(test, &register)).collect();
    options.warn(&names);
    let named = tests.iter().copied().zip(&names);
    let chosen: Vec<&Test> =
        named.filter(|(_, names)| options.select(names)).map(|(test, _)| test).collect();
    if options.list {
        println!("{REGISTER}: test");
        chosen.iter().for_each(|test| println!("{}: test", test.path()));
        return ExitCode::SUCCESS;
    }
    let started = Instant::now();
    println!("\nrunning {} tests", chosen.len() + 1);
    print_result(REGISTER, breaches.is_empty());
    let outcomes = run(&chosen);
    if options.table {
        report::publish(&register, &outcomes);
    }
    print_summary(&breaches, &outcomes, tests.len() - chosen.len(), started)
}

/// The names that a filter can match: the path of the test, and its name in the module of each section whose
/// requirements it shows.
fn names(test: &Test, register: &Register) -> Vec<String> {
    let modules = register.modules(test).map(|module| format!("{module}::{}", test.name));
    iter::once(test.path()).chain(modules).collect()
}

/// Runs the tests on several threads. A panic is a failure of one test and does not stop the others.
fn run<'a>(tests: &[&'a Test]) -> Vec<Outcome<'a>> {
    panic::set_hook(Box::new(store_panic));
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let run_tests = || {
        while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            let verdict = test.verdict();
            let late = check::was_late();
            print_result(&test.path(), verdict.is_ok());
            outcomes.lock().expect("no worker panics").push(Outcome { test, verdict, late });
        }
    };
    thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(run_tests))));
    outcomes.into_inner().expect("no worker panics")
}

fn print_result(path: &str, passed: bool) {
    println!("test {path} ... {}", if passed { "ok" } else { "FAILED" });
}

/// Prints the failures with their reasons, and the summary line.
fn print_summary(
    breaches: &[String],
    outcomes: &[Outcome],
    filtered_out: usize,
    started: Instant,
) -> ExitCode {
    let mut failures = Vec::new();
    if !breaches.is_empty() {
        failures.push((REGISTER.to_owned(), breaches.join("\n")));
    }
    for Outcome { test, verdict, .. } in outcomes {
        failures.extend(verdict.as_ref().err().map(|why| (test.path(), why.clone())));
    }
    if !failures.is_empty() {
        println!("\nfailures:");
        failures.iter().for_each(|(path, why)| println!("\n---- {path} ----\n{why}"));
        println!("\nfailures:");
        failures.iter().for_each(|(path, _)| println!("    {path}"));
    }
    let (status, failed) = (if failures.is_empty() { "ok" } else { "FAILED" }, failures.len());
    println!(
        "\ntest result: {status}. {} passed; {failed} failed; 0 ignored; 0 measured; \
         {filtered_out} filtered out; finished in {:.2}s\n",
        outcomes.len() + 1 - failed,
        started.elapsed().as_secs_f64()
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

thread_local! {
    /// The location and the message of the last panic on this thread.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn store_panic(panic: &PanicHookInfo) {
    let place = panic.location().map(|at| format!("{}:{}: ", at.file(), at.line()));
    LAST_PANIC.set(Some(place.unwrap_or_default() + &panic_message(panic.payload())));
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or(payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
        .to_owned()
}
