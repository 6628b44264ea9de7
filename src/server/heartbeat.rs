//! The heartbeat thread: it pings the clients, closes those that are idle for too long, and ends those that
//! do not answer a Close in time.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::batch::encoded;
use super::limits::{CLOSE_TIMEOUT, PINGS_AT_ONCE, TICK_MAX, TICK_MIN, TICKS};
use super::log::LogEvent;
use super::send_queue::{Backlog, SendQueue, SendState};
use super::state::Server;
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::Opcode;

/// The heartbeat of all clients of a server.
pub struct Heartbeat(pub &'static Server);

impl Heartbeat {
    /// The body of the heartbeat thread.
    pub fn run(self) -> ! {
        let ping = Arc::new(encoded(Opcode::Ping, &[])); // section 5.5.2: a payload is optional
        let (mut members, mut due) = (Vec::new(), Vec::new());
        loop {
            let now = Instant::now();
            let mut wake_at = now + TICK_MAX.min(self.ping_interval().unwrap_or(TICK_MAX));
            for room in self.0.rooms {
                room.snapshot(&mut members);
                for member in members.drain(..) {
                    wake_at = wake_at.min(self.check_timeouts(&member, now));
                    match self.next_ping(&member, now) {
                        Some(later) => wake_at = wake_at.min(later),
                        None => due.push(member),
                    }
                }
            }
            self.send_pings(&due, &ping);
            due.clear();
            let left = wake_at.saturating_duration_since(Instant::now());
            thread::sleep(left.max(TICK_MIN));
        }
    }

    /// The time between two pings to one member; `None` if pings are off.
    fn ping_interval(&self) -> Option<Duration> {
        Some(self.0.options.limits.ping_interval).filter(|interval| !interval.is_zero())
    }

    /// When to check again whether the member's ping is due; `None` if it is due now. Pings that become
    /// due within one tick are sent after one check, because with thousands of members a check is costly.
    fn next_ping(&self, member: &SendQueue, now: Instant) -> Option<Instant> {
        let Some(interval) = self.ping_interval() else { return Some(now + TICK_MAX) };
        let due_at = member.activity.next_ping_at(interval);
        (now < due_at).then(|| due_at.max(now + self.tick()))
    }

    /// Sends the pings in small groups, all within one tick. Thousands of pings at one moment, and their
    /// answers, would delay the chat.
    fn send_pings(&self, due: &[Arc<SendQueue>], ping: &Arc<Vec<u8>>) {
        let groups = due.chunks(PINGS_AT_ONCE);
        let pause = self.tick() / u32::try_from(groups.len()).unwrap_or(u32::MAX).max(1);
        for (number, group) in groups.enumerate() {
            if 0 < number {
                thread::sleep(pause);
            }
            for member in group {
                member.activity.set_last_ping(Instant::now());
                member.ping(ping);
            }
        }
    }

    /// The time between two checks of the pings, and the time within which the pings that are due are sent. A
    /// ping may be late by both ([`TICKS`]).
    fn tick(&self) -> Duration {
        (self.0.options.limits.ping_interval / TICKS).min(TICK_MAX)
    }

    /// Closes a member that is idle, and ends one whose time to answer our Close is over. Returns when to
    /// check again.
    fn check_timeouts(&self, member: &Arc<SendQueue>, now: Instant) -> Instant {
        let idle_timeout = self.0.options.limits.idle_timeout;
        let idle_at = member.activity.idle_at(idle_timeout);
        let deadline = |state: &SendState| state.closing.as_ref().map(|closing| closing.deadline);
        match member.with_state(deadline) {
            Some(close_deadline) if now < close_deadline => return close_deadline,
            Some(_) => member.shutdown(),
            None if now < idle_at => return idle_at,
            None => {
                let close = Close::new(CloseCode::GOING_AWAY, "idle timeout");
                if member.close(close, Backlog::Discard, CLOSE_TIMEOUT) {
                    let error = format!("no byte from or to the client for {idle_timeout:?}");
                    self.0.log.log(Some(member.peer), LogEvent::Errored(&error));
                }
            }
        }
        now + TICK_MAX
    }
}
