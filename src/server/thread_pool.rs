//! Threads for clients, with small stacks. One that has nothing to do waits a moment for the next client
//! before it ends: starting a thread costs more than most visits.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::CountGuard;
use super::limits::{IDLE_THREAD_TIMEOUT, MEMORY_RESERVE, STACK_SIZE};
use super::log::Peer;

/// The threads that are waiting, and what waits for them.
static POOL: ThreadPool = ThreadPool {
    waiting: Mutex::new(Waiting { idle: 0, duties: VecDeque::new() }),
    called: Condvar::new(),
    alive: AtomicUsize::new(0),
    vouched: AtomicUsize::new(0),
};

/// So many threads more take far less than the memory that is asked for.
const VOUCHED: usize = 16;
const _: () = assert!(4 * VOUCHED * STACK_SIZE < MEMORY_RESERVE);

struct ThreadPool {
    /// Held to hand over or to take, never to work.
    waiting: Mutex<Waiting>,
    called: Condvar,
    /// Threads that were started and have not ended.
    alive: AtomicUsize,
    /// There was memory for so many at one time: the C library keeps the stacks of those that ended, so
    /// as many again take nothing new.
    vouched: AtomicUsize,
}

struct Waiting {
    /// Threads without a duty; there are never more duties than these.
    idle: usize,
    duties: VecDeque<Duty>,
}

struct Duty {
    name: &'static str,
    peer: Peer,
    body: Box<dyn FnOnce() + Send>,
}

thread_local! {
    /// What this thread does, and for which client.
    static DUTY: Cell<Option<(&'static str, u64)>> = const { Cell::new(None) };
}

/// What the calling thread does, in words: a panic is told with them.
#[must_use]
pub fn duty() -> String {
    match DUTY.get() {
        Some((name, id)) => format!("{name} {id}"),
        None => thread::current().name().unwrap_or("main").to_owned(),
    }
}

/// Does something for a client in a thread of its own.
///
/// # Errors
/// There is no thread to be had, or no memory to spare for one.
pub fn spawn(
    peer: Peer,
    name: &'static str,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let duty = Duty { name, peer, body: Box::new(body) };
    let mut waiting = POOL.lock();
    if waiting.duties.len() < waiting.idle {
        waiting.duties.push_back(duty);
        drop(waiting);
        POOL.called.notify_one();
        return Ok(());
    }
    drop(waiting);
    let alive = CountGuard::new(&POOL.alive);
    POOL.vouch()?;
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK_SIZE);
    thread
        .spawn(move || {
            let _alive = alive;
            POOL.serve(duty);
        })
        .map(drop)
}

impl ThreadPool {
    /// Is there memory for all that are alive, and some to spare?
    fn vouch(&self) -> io::Result<()> {
        let alive = self.alive.load(Relaxed);
        if self.vouched.load(Relaxed) < alive {
            spare_memory()?;
            self.vouched.fetch_max(alive + VOUCHED, Relaxed);
        }
        Ok(())
    }

    /// One duty after another, until there is none for a while. A panic ends the thread, and nobody else.
    fn serve(&self, first: Duty) {
        let mut next = Some(first);
        while let Some(Duty { name, peer, body }) = next {
            DUTY.set(Some((name, peer.id)));
            body();
            next = self.wait();
        }
    }

    fn wait(&self) -> Option<Duty> {
        let mut waiting = self.lock();
        waiting.idle += 1;
        let nothing = |waiting: &mut Waiting| waiting.duties.is_empty();
        let waited = self.called.wait_timeout_while(waiting, IDLE_THREAD_TIMEOUT, nothing);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting.idle -= 1;
        waiting.duties.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Could the memory that is kept for those who are here be had? An allocation that fails ends the
/// whole program, so a newcomer is turned away before it comes to that.
fn spare_memory() -> io::Result<()> {
    let mut memory = Vec::<u8>::new();
    memory.try_reserve_exact(MEMORY_RESERVE).map_err(|_| io::ErrorKind::OutOfMemory)?;
    black_box(memory); // else the compiler asks for none
    Ok(())
}
