//! Runs the tests as libtest does, and also knows which requirements each test shows and whether it
//! asserts anything.

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

/// Tests that run at the same time. They mostly wait, so there are more than processors.
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

/// The table at the top of a module: `name: ["ID", ..],` for each test function in it.
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
    /// `s5_5`, without the name of the test target.
    pub(crate) fn section(&self) -> &'static str {
        self.module.rsplit("::").next().unwrap_or_default()
    }

    /// `s5_5::ping_is_answered`
    pub(crate) fn path(&self) -> String {
        format!("{}::{}", self.section(), self.name)
    }

    /// Runs the test.
    ///
    /// # Errors
    /// Why it failed.
    fn result(&self) -> Result<(), String> {
        check::reset();
        let end = panic::catch_unwind(self.run);
        match end {
            Ok(()) if check::count() == 0 => Err("the test asserts nothing".into()),
            Ok(()) => Ok(()),
            Err(payload) => Err(LAST_PANIC.take().unwrap_or_else(|| message(payload.as_ref()))),
        }
    }
}

/// A test that was run.
pub(crate) struct Outcome<'a> {
    pub(crate) test: &'a Test,
    pub(crate) result: Result<(), String>,
    /// A reply that must be sent "as soon as practical" was late.
    pub(crate) late: bool,
}

/// The arguments that libtest has too, and `--table`.
#[derive(Default)]
struct Arguments {
    filters: Vec<String>,
    skips: Vec<String>,
    exact: bool,
    list: bool,
    table: bool,
}

impl Arguments {
    fn read() -> Self {
        let mut arguments = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(argument) = words.next() {
            match argument.as_str() {
                "--exact" => arguments.exact = true,
                "--list" => arguments.list = true,
                "--table" => arguments.table = true,
                "--skip" => arguments.skips.extend(words.next()),
                "--test-threads" | "--color" | "--format" => drop(words.next()),
                option if option.starts_with('-') => {} // an option of libtest that has no effect here
                _ => arguments.filters.push(argument),
            }
        }
        arguments
    }

    fn select(&self, names: &[String]) -> bool {
        let fits = |word: &String| self.fits(word, names);
        (self.filters.is_empty() || self.filters.iter().any(fits)) && !self.skips.iter().any(fits)
    }

    fn fits(&self, word: &String, names: &[String]) -> bool {
        names.iter().any(|name| if self.exact { name == word } else { name.contains(word) })
    }

    /// Warns about a filter for a section without tests. It does not fail: `cargo test NAME` passes the
    /// filter to every test binary, and another may have such a test.
    fn warn(&self, names: &[Vec<String>]) {
        for filter in &self.filters {
            let is_section = filter.starts_with('s') && filter[1..].starts_with(char::is_numeric);
            if is_section && !names.iter().any(|names| self.fits(filter, names)) {
                eprintln!("\nNO TEST: the filter {filter} selects nothing in tests/rfc6455\n");
            }
        }
    }
}

/// Runs the tests that the command line selects.
pub(crate) fn main(tests: &[&Test]) -> ExitCode {
    let arguments = Arguments::read();
    let (register, problems) = Register::read(tests);
    let names: Vec<_> = tests.iter().map(|test| names(test, &register)).collect();
    arguments.warn(&names);
    let named = tests.iter().copied().zip(&names);
    let chosen: Vec<&Test> =
        named.filter(|(_, names)| arguments.select(names)).map(|(test, _)| test).collect();
    if arguments.list {
        println!("{REGISTER}: test");
        chosen.iter().for_each(|test| println!("{}: test", test.path()));
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    println!("\nrunning {} tests", chosen.len() + 1);
    announce(REGISTER, problems.is_empty());
    let outcomes = run(&chosen);
    if arguments.table {
        report::publish(&register, &outcomes);
    }
    conclude(&problems, &outcomes, tests.len() - chosen.len(), began)
}

/// The names that select a test: its path, and the same path in each section with a row that it shows.
fn names(test: &Test, register: &Register) -> Vec<String> {
    let modules = register.modules(test).map(|module| format!("{module}::{}", test.name));
    iter::once(test.path()).chain(modules).collect()
}

/// Runs the tests on a few threads. A test that panics fails, and the others continue.
fn run<'a>(tests: &[&'a Test]) -> Vec<Outcome<'a>> {
    panic::set_hook(Box::new(remember));
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let work = || {
        while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            let result = test.result();
            let late = check::was_late();
            announce(&test.path(), result.is_ok());
            outcomes.lock().expect("no worker panics").push(Outcome { test, result, late });
        }
    };
    thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    outcomes.into_inner().expect("no worker panics")
}

fn announce(path: &str, passed: bool) {
    println!("test {path} ... {}", if passed { "ok" } else { "FAILED" });
}

/// Prints the failures with their reasons, and the line with the result.
fn conclude(
    problems: &[String],
    outcomes: &[Outcome],
    unchosen: usize,
    began: Instant,
) -> ExitCode {
    let mut failures = Vec::new();
    if !problems.is_empty() {
        failures.push((REGISTER.to_owned(), problems.join("\n")));
    }
    for Outcome { test, result, .. } in outcomes {
        failures.extend(result.as_ref().err().map(|why| (test.path(), why.clone())));
    }
    if !failures.is_empty() {
        println!("\nfailures:");
        failures.iter().for_each(|(path, why)| println!("\n---- {path} ----\n{why}"));
        println!("\nfailures:");
        failures.iter().for_each(|(path, _)| println!("    {path}"));
    }
    let (word, failed) = (if failures.is_empty() { "ok" } else { "FAILED" }, failures.len());
    println!(
        "\ntest result: {word}. {} passed; {failed} failed; 0 ignored; 0 measured; \
         {unchosen} filtered out; finished in {:.2}s\n",
        outcomes.len() + 1 - failed,
        began.elapsed().as_secs_f64()
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

thread_local! {
    /// The message and the place of the last panic on this thread.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn remember(panic: &PanicHookInfo) {
    let place = panic.location().map(|at| format!("{}:{}: ", at.file(), at.line()));
    LAST_PANIC.set(Some(place.unwrap_or_default() + &message(panic.payload())));
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or(payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
        .to_owned()
}
