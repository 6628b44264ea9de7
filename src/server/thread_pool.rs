//! The threads that work for clients, with small stacks. A thread that has finished its job waits a moment
//! for the next, because starting a thread costs more than most connections do.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex};
use std::thread;

use super::guard::CountGuard;
use super::limits::{IDLE_THREAD_TIMEOUT, MEMORY_RESERVE, STACK_SIZE};
use super::sync::{lock, wait_while};
use crate::net::stream::Peer;

/// The state of the one pool of the program. The lock is held to queue or to take a job, never to run it.
static POOL: Mutex<Pool> = Mutex::new(Pool { idle: 0, jobs: VecDeque::new() });
static JOB_QUEUED: Condvar = Condvar::new();

/// Threads that were started and have not ended.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// The number of threads for which there was memory. The C library keeps the stacks of threads that
/// ended, so this many threads need no new memory.
static MEMORY_CHECKED: AtomicUsize = AtomicUsize::new(0);

/// Threads that one memory check covers: their stacks take far less than [`MEMORY_RESERVE`].
const THREADS_PER_CHECK: usize = 16;
const _: () = assert!(4 * THREADS_PER_CHECK * STACK_SIZE < MEMORY_RESERVE);

struct Pool {
    /// Threads without a job. There are never more queued jobs than these.
    idle: usize,
    jobs: VecDeque<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

thread_local! {
    /// The name of this thread's job, and the connection that it works for.
    static JOB: Cell<Option<(&'static str, u64)>> = const { Cell::new(None) };
}

/// Names the calling thread's job, for the log entry of a panic.
pub fn job_name() -> String {
    match JOB.get() {
        Some((name, id)) => format!("{name} {id}"),
        None => thread::current().name().unwrap_or("main").to_owned(),
    }
}

/// Runs `body` for a client in a thread of the pool. The job is called `name`; so is a thread that is
/// started for it, also after it has taken a job with another name.
///
/// # Errors
/// There is no thread, or not enough memory for one.
pub fn spawn(
    peer: Peer,
    name: &'static str,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let job: Job = Box::new(move || {
        JOB.set(Some((name, peer.id)));
        body();
    });
    let mut pool = lock(&POOL);
    if pool.jobs.len() < pool.idle {
        pool.jobs.push_back(job);
        drop(pool);
        JOB_QUEUED.notify_one();
        return Ok(());
    }
    drop(pool);
    let alive = CountGuard::new(&ALIVE);
    check_memory()?;
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK_SIZE);
    thread.spawn(move || run(job, &alive)).map(drop)
}

/// Checks that there is memory for all threads that are alive, and for some more: that [`MEMORY_RESERVE`]
/// could be allocated. An allocation that fails ends the whole program, so a new client is rejected before
/// that can happen.
fn check_memory() -> io::Result<()> {
    let alive = ALIVE.load(Relaxed);
    if MEMORY_CHECKED.load(Relaxed) < alive {
        let mut memory = Vec::<u8>::new();
        memory.try_reserve_exact(MEMORY_RESERVE).map_err(|_| io::ErrorKind::OutOfMemory)?;
        black_box(memory); // otherwise the compiler removes the allocation
        MEMORY_CHECKED.fetch_max(alive + THREADS_PER_CHECK, Relaxed);
    }
    Ok(())
}

/// The body of a thread: runs one job after another until it was idle for [`IDLE_THREAD_TIMEOUT`]. A panic
/// ends this thread alone. It is counted as alive until then.
fn run(first: Job, _alive: &CountGuard) {
    let mut next = Some(first);
    while let Some(job) = next {
        job();
        let mut pool = lock(&POOL);
        pool.idle += 1;
        let nothing = |pool: &mut Pool| pool.jobs.is_empty();
        (pool, _) = wait_while(&JOB_QUEUED, pool, IDLE_THREAD_TIMEOUT, nothing);
        pool.idle -= 1;
        next = pool.jobs.pop_front();
    }
}
