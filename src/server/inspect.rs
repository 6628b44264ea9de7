//! `--inspect`: what crosses the wire of `/chat` and `/echo`, for whoever looks at `/wire`, one JSON text a
//! frame. Those who chat leave a copy and go on. One thread puts it into words; where it does not keep
//! up, or who looks does not, frames are lost and counted, and the chat never waits.

use std::collections::HashMap;
use std::io;
use std::mem;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::limits::{
    OBSERVATIONS_BYTES_MAX, OBSERVATIONS_MAX, PUBLISH_PAUSE, REPORT_DROPPED_INTERVAL,
    WIRE_BACKLOG_MAX, WIRE_BATCH,
};
use super::log::{self, Peer};
use super::metrics::Metrics;
use super::origin::is_loopback_name;
use super::room::Room;
use super::send_queue::{Enqueue, SendQueue};
use super::unix_time;
use crate::explain::inspect_json;
use crate::wire::dissect::Frame;
use crate::wire::frame::{self, Opcode, Role};
use crate::wire::http::Request;

/// Who may look at the wire?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// Nobody: there is no `/wire`.
    Off,
    /// Clients on this machine.
    Loopback,
    /// Whoever may chat.
    Any,
}

impl Inspection {
    /// What the operator is told of it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Off => "nobody can look at the wire",
            Self::Loopback => {
                "--inspect: clients on this machine can see what everyone says, at /wire"
            }
            Self::Any => "--inspect=any: whoever may chat can see what everyone says, at /wire",
        }
    }

    /// What the page is told, for itself and for its reader: may it look?
    #[must_use]
    pub fn notice(self, peer: IpAddr, request: &Request) -> Option<&'static str> {
        match self {
            Self::Off => None,
            Self::Loopback | Self::Any if self.admits(peer, request) => Some("here"),
            Self::Loopback | Self::Any => Some("elsewhere"),
        }
    }

    /// May this client look? A proxy on this machine makes the whole world come over loopback; the name
    /// that is asked for, or what the proxy adds, gives it away.
    #[must_use]
    pub fn admits(self, peer: IpAddr, request: &Request) -> bool {
        let has = |name| request.fields.values(name).next().is_some();
        match self {
            Self::Off => false,
            Self::Any => true,
            Self::Loopback => {
                peer.to_canonical().is_loopback()
                    && is_loopback_name(&request.host)
                    && !["Forwarded", "X-Forwarded-For", "Via"].into_iter().any(has)
            }
        }
    }
}

/// What was seen on the wire.
pub enum Observation {
    /// A request or response head.
    Head(Vec<u8>),
    /// A frame with the beginning of its payload; one that breaks the protocol need not be whole.
    Frame(Box<Frame>),
}

impl Observation {
    fn size(&self) -> usize {
        match self {
            Self::Head(octets) => octets.len(),
            Self::Frame(frame) => {
                size_of::<Frame>()
                    + frame.payload.len()
                    + frame.message.as_ref().map_or(0, |message| message.payload.len())
            }
        }
    }
}

/// Where a sight is from.
#[derive(Clone, Copy)]
struct Origin {
    /// Unix time.
    at: Duration,
    peer: Peer,
    sender: Role,
}

/// From those who chat to those who look.
#[derive(Default)]
pub struct InspectQueue {
    /// Those who look.
    pub room: Room,
    /// How many they are: without any, nothing is copied.
    pub watching: AtomicUsize,
    /// Frames that there was no place for.
    lost: AtomicU64,
    /// How many observations are pending: whoever sees no place left need not copy.
    waiting: AtomicUsize,
    /// Held to append, or to take all.
    pending: Mutex<Pending>,
    arrived: Condvar,
}

#[derive(Default)]
struct Pending {
    observations: Vec<(Origin, Observation)>,
    octets: usize,
}

impl InspectQueue {
    /// Does anybody look?
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.watching.load(Relaxed) != 0
    }

    /// For how many observations there is a place.
    #[must_use]
    pub fn places(&self) -> usize {
        OBSERVATIONS_MAX.saturating_sub(self.waiting.load(Relaxed))
    }

    /// Leaves what was seen at one time on one connection; `missed` frames more had no place.
    pub fn show(&self, peer: Peer, sender: Role, observations: Vec<Observation>, mut missed: u64) {
        if !observations.is_empty() {
            let origin = Origin { at: unix_time(), peer, sender };
            let mut pending = self.lock();
            for sight in observations {
                if OBSERVATIONS_MAX <= pending.observations.len()
                    || OBSERVATIONS_BYTES_MAX <= pending.octets
                {
                    missed += 1;
                } else {
                    pending.octets += sight.size();
                    pending.observations.push((origin, sight));
                }
            }
            self.waiting.store(pending.observations.len(), Relaxed);
            drop(pending);
            self.arrived.notify_one();
        }
        self.lost.fetch_add(missed, Relaxed);
    }

    /// Starts the thread that puts observations into words, which lives as long as the program.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(&'static self, metrics: &'static Metrics) -> io::Result<()> {
        let publisher =
            Publisher { inspect_queue: self, metrics, number: 0, batch: Batch::default() };
        super::spawn_essential("publisher", move || publisher.run())
    }

    /// All that is pending, and how many frames had no place, once there is something or patience is
    /// at its end. What is lost was lost while observations were waiting, so nobody need be woken for it.
    fn take(&self, patience: Duration) -> (Pending, u64) {
        let nothing =
            |pending: &mut Pending| pending.observations.is_empty() && self.lost.load(Relaxed) == 0;
        let waited = self.arrived.wait_timeout_while(self.lock(), patience, nothing);
        let pending = mem::take(&mut *waited.unwrap_or_else(PoisonError::into_inner).0);
        self.waiting.store(0, Relaxed);
        (pending, self.lost.swap(0, Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread between the two.
struct Publisher {
    inspect_queue: &'static InspectQueue,
    metrics: &'static Metrics,
    /// Of the latest frame.
    number: u64,
    batch: Batch,
}

/// Texts on their way to all who look.
#[derive(Default)]
struct Batch {
    octets: Vec<u8>,
    texts: u64,
    /// What each of them lost and was not told yet.
    lost: HashMap<u64, u64>,
}

impl Batch {
    fn push(&mut self, text: &str) {
        frame::encode(Opcode::Text, None, text.as_bytes(), &mut self.octets);
        self.texts += 1;
    }
}

impl Publisher {
    fn run(mut self) -> ! {
        let mut members = Vec::new();
        loop {
            let is_owing = self.batch.lost.values().any(|lost| 0 < *lost);
            let patience = if is_owing { REPORT_DROPPED_INTERVAL } else { Duration::MAX };
            let (pending, lost) = self.inspect_queue.take(patience);
            self.inspect_queue.room.snapshot(&mut members);
            self.batch.lost.retain(|id, _| members.iter().any(|member| member.peer.id == *id));
            for (origin, sight) in pending.observations {
                self.tell(origin, &sight);
                if WIRE_BATCH < self.batch.octets.len() {
                    self.carry(&members);
                }
            }
            self.carry(&members);
            for member in members.drain(..) {
                *self.batch.lost.entry(member.peer.id).or_default() += lost;
                self.tell_lost(&member);
            }
            thread::sleep(PUBLISH_PAUSE);
        }
    }

    fn tell(&mut self, origin: Origin, sight: &Observation) {
        let Origin { at, peer, sender } = origin;
        let mut time = String::new();
        log::push_time(at, &mut time);
        self.number += 1;
        let place = inspect_json::Place { number: self.number, time: &time, connection: peer.id };
        let text = match sight {
            Observation::Head(octets) => inspect_json::head(&place, sender, octets),
            Observation::Frame(frame) => inspect_json::frame(&place, frame),
        };
        self.batch.push(&text);
    }

    /// What is in the batch, to everyone. Nobody is waited for.
    fn carry(&mut self, members: &[Arc<SendQueue>]) {
        let texts = mem::take(&mut self.batch.texts);
        if texts == 0 {
            return;
        }
        let octets = Arc::new(mem::take(&mut self.batch.octets));
        for member in members {
            self.tell_lost(member);
            match member.deliver(&octets, WIRE_BACKLOG_MAX) {
                Enqueue::Queued => {
                    self.metrics.outgoing.messages.add(texts);
                    self.metrics.outgoing.frames(Opcode::Text, texts);
                }
                Enqueue::Closed => (),
                Enqueue::BacklogFull(_) => {
                    *self.batch.lost.entry(member.peer.id).or_default() += texts;
                }
            }
        }
    }

    /// Before anything newer, if it can take that again.
    fn tell_lost(&mut self, member: &Arc<SendQueue>) {
        let Some(lost) = self.batch.lost.remove(&member.peer.id).filter(|lost| 0 < *lost) else {
            return;
        };
        let mut octets = Vec::new();
        frame::encode(Opcode::Text, None, inspect_json::lost(lost).as_bytes(), &mut octets);
        match member.deliver(&Arc::new(octets), WIRE_BACKLOG_MAX) {
            Enqueue::Queued => {
                self.metrics.outgoing.messages.add(1);
                self.metrics.outgoing.frames(Opcode::Text, 1);
            }
            Enqueue::Closed => (),
            Enqueue::BacklogFull(_) => drop(self.batch.lost.insert(member.peer.id, lost)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::HEAD;
    use super::*;
    use crate::wire::head::HeadParser;

    fn request(lines: &str) -> Request {
        let head = format!("GET /wire HTTP/1.1\r\n{lines}\r\n\r\n");
        HeadParser::new(HEAD).advance(head.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn s10_2_who_may_look() {
        use Inspection::{Any, Loopback, Off};
        for (peer, lines, inspections) in [
            ("127.0.0.1", "Host: localhost:1984", &[Loopback, Any][..]),
            ("::1", "Host: [::1]:1984", &[Loopback, Any]),
            ("::ffff:127.0.0.1", "Host: 127.0.0.1", &[Loopback, Any]),
            ("192.0.2.1", "Host: localhost", &[Any]),
            ("2001:db8::1", "Host: localhost", &[Any]),
            ("::ffff:192.0.2.1", "Host: localhost", &[Any]),
            ("127.0.0.1", "Host: chat.example", &[Any]),
            ("127.0.0.1", "Host: localhost\r\nX-Forwarded-For: 192.0.2.1", &[Any]),
            ("127.0.0.1", "Host: localhost\r\nForwarded: for=192.0.2.1", &[Any]),
            ("127.0.0.1", "Host: localhost\r\nVia: 1.1 proxy", &[Any]),
        ] {
            let peer: IpAddr = peer.parse().unwrap();
            for inspection in [Off, Loopback, Any] {
                let may_look = inspections.contains(&inspection);
                let request = request(lines);
                assert_eq!(
                    inspection.admits(peer, &request),
                    may_look,
                    "{inspection:?} {peer} {lines}"
                );
                let notice = match inspection {
                    Off => None,
                    Loopback | Any => Some(if may_look { "here" } else { "elsewhere" }),
                };
                assert_eq!(inspection.notice(peer, &request), notice);
            }
        }
    }

    #[test]
    fn what_has_no_place_is_counted() {
        let peer = Peer { id: 1, address: "127.0.0.1:1".parse().unwrap() };
        let inspect_queue = InspectQueue::default();
        let observations = |count: usize, size: usize| {
            (0..count).map(|_| Observation::Head(vec![0; size])).collect()
        };
        inspect_queue.show(peer, Role::Client, observations(OBSERVATIONS_MAX - 1, 1), 0);
        assert_eq!(inspect_queue.places(), 1);
        inspect_queue.show(peer, Role::Client, observations(3, 1), 5);
        assert_eq!(inspect_queue.places(), 0);
        let (pending, lost) = inspect_queue.take(Duration::MAX);
        assert_eq!(
            (pending.observations.len(), lost, inspect_queue.places()),
            (OBSERVATIONS_MAX, 7, OBSERVATIONS_MAX)
        );
        inspect_queue.show(peer, Role::Client, observations(3, OBSERVATIONS_BYTES_MAX), 0);
        let (pending, lost) = inspect_queue.take(Duration::MAX);
        assert_eq!((pending.observations.len(), lost), (1, 2));
    }
}
