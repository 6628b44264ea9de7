//! The threads that work for clients, with small stacks. A thread that has finished its job waits a moment
//! for the next, because starting a thread costs more than most connections do.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex};
use std::thread;

use super::event::Peer;
use super::guard::CountGuard;
use super::limits::{IDLE_THREAD_TIMEOUT, MEMORY_RESERVE, STACK_SIZE};
use super::sync::{lock, wait_while};

/// The one pool of the program.
static POOL: ThreadPool = ThreadPool {
    state: Mutex::new(PoolState { idle: 0, jobs: VecDeque::new() }),
    job_queued: Condvar::new(),
    alive: AtomicUsize::new(0),
    memory_checked: AtomicUsize::new(0),
};

/// Threads that one memory check covers: their stacks take far less than [`MEMORY_RESERVE`].
const THREADS_PER_CHECK: usize = 16;
const _: () = assert!(4 * THREADS_PER_CHECK * STACK_SIZE < MEMORY_RESERVE);

struct ThreadPool {
    /// The lock is held to queue or to take a job, never to run it.
    state: Mutex<PoolState>,
    job_queued: Condvar,
    /// Threads that were started and have not ended.
    alive: AtomicUsize,
    /// The number of threads for which there was memory. The C library keeps the stacks of threads that
    /// ended, so this many threads need no new memory.
    memory_checked: AtomicUsize,
}

struct PoolState {
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

/// Runs `body` for a client in a thread of the pool.
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
    let mut state = lock(&POOL.state);
    if state.jobs.len() < state.idle {
        state.jobs.push_back(job);
        drop(state);
        POOL.job_queued.notify_one();
        return Ok(());
    }
    drop(state);
    let alive = CountGuard::new(&POOL.alive);
    POOL.check_memory()?;
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK_SIZE);
    let body = move || {
        let _alive = alive;
        POOL.run(job);
    };
    thread.spawn(body).map(drop)
}

impl ThreadPool {
    /// Checks that there is memory for all threads that are alive, and for some more.
    fn check_memory(&self) -> io::Result<()> {
        let alive = self.alive.load(Relaxed);
        if self.memory_checked.load(Relaxed) < alive {
            try_reserve_memory()?;
            self.memory_checked.fetch_max(alive + THREADS_PER_CHECK, Relaxed);
        }
        Ok(())
    }

    /// The body of a thread: runs one job after another until it was idle for [`IDLE_THREAD_TIMEOUT`].
    /// A panic ends this thread alone.
    fn run(&self, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next {
            job();
            next = self.next_job();
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut state = lock(&self.state);
        state.idle += 1;
        let nothing = |state: &mut PoolState| state.jobs.is_empty();
        (state, _) = wait_while(&self.job_queued, state, IDLE_THREAD_TIMEOUT, nothing);
        state.idle -= 1;
        state.jobs.pop_front()
    }
}

/// Checks that [`MEMORY_RESERVE`] could be allocated. An allocation that fails ends the whole program, so
/// a new client is rejected before that can happen.
fn try_reserve_memory() -> io::Result<()> {
    let mut memory = Vec::<u8>::new();
    memory.try_reserve_exact(MEMORY_RESERVE).map_err(|_| io::ErrorKind::OutOfMemory)?;
    black_box(memory); // otherwise the compiler removes the allocation
    Ok(())
}
