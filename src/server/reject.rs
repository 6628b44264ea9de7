//! Those for whom there is no place: told why, and seen out.

use std::io::{self, Read, Write};
use std::mem;
use std::net::Shutdown;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::limits::{REJECT_POLL, REJECTED_MAX};
use super::unix_time;
use crate::net::stream::Stream;
use crate::wire::http::Method;
use crate::wire::refusal::Refusal;

/// A client without a thread of its own.
pub struct Rejected {
    /// To be told, and seen out.
    pub stream: Stream,
    /// Why.
    pub refusal: Refusal,
    /// How long it may take.
    pub until: Instant,
}

/// Tells those who were turned away, and lets the answer arrive: one thread for all of them, which
/// waits for none.
#[derive(Default)]
pub struct Rejector {
    /// Held to append or to take all.
    arrived: Mutex<Vec<Rejected>>,
    called: Condvar,
}

impl Rejector {
    /// Hands a client over. When very many are leaving, one more goes without a word.
    pub fn call(&self, client: Rejected) {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        if arrived.len() < REJECTED_MAX {
            arrived.push(client);
            self.called.notify_one();
        }
    }

    /// The body of the rejector's thread.
    pub fn run(&self) -> ! {
        let mut leaving: Vec<Rejected> = Vec::new();
        loop {
            let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
            let patience = if leaving.is_empty() { Duration::MAX } else { REJECT_POLL };
            let nobody = |arrived: &mut Vec<Rejected>| arrived.is_empty();
            let waited = self.called.wait_timeout_while(arrived, patience, nobody);
            let arrived = mem::take(&mut *waited.unwrap_or_else(PoisonError::into_inner).0);
            leaving.retain(Rejected::is_leaving);
            for client in arrived {
                if client.tell().is_ok() && leaving.len() < REJECTED_MAX {
                    leaving.push(client);
                }
            }
        }
    }
}

impl Rejected {
    /// The answer waits for no request, so only a HEAD that has come already can be known as one.
    fn tell(&self) -> io::Result<()> {
        self.stream.set_nonblocking(true)?;
        let mut octets = [0; 16];
        let come = self.stream.peek(&mut octets).unwrap_or(0);
        let asked = Method::leading(&octets[..come]);
        let answer = self.refusal.response().encode(asked, unix_time().as_secs());
        (&*self.stream).write_all(&answer)?;
        self.stream.shutdown(Shutdown::Write)
    }

    /// Drops what came; is more to be waited for?
    fn is_leaving(&self) -> bool {
        let mut octets = [0; 4096];
        match (&*self.stream).read(&mut octets) {
            Ok(0) => false,
            Ok(_) => Instant::now() < self.until,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock && Instant::now() < self.until,
        }
    }
}
