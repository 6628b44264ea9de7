//! The timer thread: pings to everyone, and the end of those who fell silent or do not answer a
//! Close.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::limits::{CLOSING_MAX, Limits, TICK_MAX, TICK_MIN, TICKS};
use super::log::{Event, Log};
use super::outbox::{Line, Outbox, Rest};
use super::room::Room;
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
        let mut members = Vec::new();
        loop {
            let now = Instant::now();
            let mut wake_at = now + TICK_MAX.min(self.ping_every().unwrap_or(TICK_MAX));
            for room in self.rooms {
                room.look_around(&mut members);
                for member in members.drain(..) {
                    wake_at = wake_at.min(self.watch(&member, now));
                    wake_at = wake_at.min(self.ping(&member, now, &ping));
                }
            }
            let left = wake_at.saturating_duration_since(Instant::now());
            thread::sleep(left.max(TICK_MIN));
        }
    }

    fn ping_every(&self) -> Option<Duration> {
        Some(self.limits.ping_every).filter(|every| !every.is_zero())
    }

    /// Asks a member whose time has come; when the next time comes. What comes within the same twentieth
    /// of the interval is left for one look: with thousands of members each look costs something.
    fn ping(&self, member: &Arc<Outbox>, now: Instant, ping: &Arc<Vec<u8>>) -> Instant {
        let Some(every) = self.ping_every() else { return now + TICK_MAX };
        let due_at = member.pulse.due_at(every);
        if now < due_at {
            return due_at.max(now + every / TICKS);
        }
        member.pulse.asked(now);
        member.ping(ping);
        now + every
    }

    /// Ends what is over; when the member is to be looked at again.
    fn watch(&self, member: &Arc<Outbox>, now: Instant) -> Instant {
        let silent_at = member.pulse.stops_at(self.limits.silence_max);
        if let Some(closed_at) = member.look(Line::closed_at) {
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
        if member.close(close, Rest::Dropped, CLOSING_MAX) {
            let what = format!("no byte for {:?}", self.limits.silence_max);
            self.log.tell(Some(member.peer), Event::Errored(&what));
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
