//! The heartbeat thread: it pings the clients, closes those that are idle for too long, and ends those that
//! do not answer a Close in time.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::batch::encoded;
use super::limits::{CLOSE_TIMEOUT, Limits, PINGS_AT_ONCE, TICK_MAX, TICK_MIN, TICKS};
use super::log::{Log, LogEvent};
use super::room::Room;
use super::send_queue::{Backlog, SendQueue, SendState};
use super::spawn::spawn_essential;
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::Opcode;

/// The heartbeat of all clients.
pub struct Heartbeat {
    /// The clients.
    pub rooms: [&'static Room; 3],
    /// The ping interval and the idle timeout.
    pub limits: Limits,
    /// Reports clients that were idle for too long.
    pub log: &'static Log,
}

impl Heartbeat {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(self) -> io::Result<()> {
        spawn_essential("heartbeat", move || self.run())
    }

    fn run(self) -> ! {
        let ping = Arc::new(encoded(Opcode::Ping, &[])); // section 5.5.2: a payload is optional
        let (mut members, mut due) = (Vec::new(), Vec::new());
        loop {
            let now = Instant::now();
            let mut wake_at = now + TICK_MAX.min(self.ping_interval().unwrap_or(TICK_MAX));
            for room in self.rooms {
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

    fn ping_interval(&self) -> Option<Duration> {
        Some(self.limits.ping_interval).filter(|interval| !interval.is_zero())
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

    /// The time by which a ping may be late.
    fn tick(&self) -> Duration {
        (self.limits.ping_interval / TICKS).min(TICK_MAX)
    }

    /// Closes a member that is idle, and ends one whose time to answer our Close is over. Returns when to
    /// check again.
    fn check_timeouts(&self, member: &Arc<SendQueue>, now: Instant) -> Instant {
        let idle_at = member.activity.idle_at(self.limits.idle_timeout);
        let deadline = |state: &SendState| state.closing.as_ref().map(|closing| closing.deadline);
        if let Some(close_deadline) = member.with_state(deadline) {
            if now < close_deadline {
                return close_deadline;
            }
            member.shutdown();
            return now + TICK_MAX;
        }
        if now < idle_at {
            return idle_at;
        }
        let close = Close::new(CloseCode::GOING_AWAY, "idle timeout");
        if member.close(close, Backlog::Discard, CLOSE_TIMEOUT) {
            let error = format!("no byte received for {:?}", self.limits.idle_timeout);
            self.log.log(Some(member.peer), LogEvent::Errored(&error));
        }
        now + TICK_MAX
    }
}
