//! The timer thread: pings to everyone, and the end of those who fell silent or do not answer a
//! Close.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::limits::{CLOSE_TIMEOUT, Limits, PINGS_AT_ONCE, TICK_MAX, TICK_MIN, TICKS};
use super::log::{Event, Log};
use super::room::Room;
use super::send_queue::{Backlog, SendQueue, SendState};
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::{self, Opcode};

/// What the timer needs.
pub struct Heartbeat {
    /// Whom it watches.
    pub rooms: [&'static Room; 3],
    /// How often it pings and how long it bears silence.
    pub limits: Limits,
    /// Where it tells of those it ended.
    pub log: &'static Log,
}

impl Heartbeat {
    /// Starts the thread, which lives as long as the program.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(self) -> io::Result<()> {
        super::spawn_essential("heartbeat", move || self.run())
    }

    fn run(self) -> ! {
        let ping = ping_frame();
        let (mut members, mut due) = (Vec::new(), Vec::new());
        loop {
            let now = Instant::now();
            let mut wake_at = now + TICK_MAX.min(self.ping_interval().unwrap_or(TICK_MAX));
            for room in self.rooms {
                room.snapshot(&mut members);
                for member in members.drain(..) {
                    wake_at = wake_at.min(self.watch(&member, now));
                    match self.next_ping(&member, now) {
                        Some(later) => wake_at = wake_at.min(later),
                        None => due.push(member),
                    }
                }
            }
            self.ask(&due, &ping);
            due.clear();
            let left = wake_at.saturating_duration_since(Instant::now());
            thread::sleep(left.max(TICK_MIN));
        }
    }

    fn ping_interval(&self) -> Option<Duration> {
        Some(self.limits.ping_interval).filter(|every| !every.is_zero())
    }

    /// When to look for the member's next ping; `None` is now. What comes due within the same tick is left
    /// for one look: with thousands of members each look costs something.
    fn next_ping(&self, member: &SendQueue, now: Instant) -> Option<Instant> {
        let Some(every) = self.ping_interval() else { return Some(now + TICK_MAX) };
        let due_at = member.activity.due_at(every);
        (now < due_at).then(|| due_at.max(now + self.tick()))
    }

    /// Pings members a few at a time, all within a tick: thousands of pings at one moment, and their
    /// answers, would delay those who chat.
    fn ask(&self, due: &[Arc<SendQueue>], ping: &Arc<Vec<u8>>) {
        let groups = due.chunks(PINGS_AT_ONCE);
        let pause = self.tick() / u32::try_from(groups.len()).unwrap_or(u32::MAX).max(1);
        for (number, group) in groups.enumerate() {
            if 0 < number {
                thread::sleep(pause);
            }
            for member in group {
                member.activity.asked(Instant::now());
                member.ping(ping);
            }
        }
    }

    /// By so much pings may be late.
    fn tick(&self) -> Duration {
        (self.limits.ping_interval / TICKS).min(TICK_MAX)
    }

    /// Ends what is over; when the member is to be looked at again.
    fn watch(&self, member: &Arc<SendQueue>, now: Instant) -> Instant {
        let silent_at = member.activity.stops_at(self.limits.idle_timeout);
        if let Some(closed_at) = member.look(SendState::closed_at) {
            if closed_at <= now {
                member.hang_up();
                return now + TICK_MAX;
            }
            return closed_at;
        }
        if now < silent_at {
            return silent_at;
        }
        let close = Close::new(CloseCode::GOING_AWAY, "idle timeout");
        if member.close(close, Backlog::Discard, CLOSE_TIMEOUT) {
            let what = format!("no byte for {:?}", self.limits.idle_timeout);
            self.log.log(Some(member.peer), Event::Errored(&what));
        }
        now + TICK_MAX
    }
}

/// Section 5.5.2: any payload would do, so none.
fn ping_frame() -> Arc<Vec<u8>> {
    let mut octets = Vec::new();
    frame::encode(Opcode::Ping, None, &[], &mut octets);
    Arc::new(octets)
}
