//! One client from its first byte to its last: HTTP, the upgrade, the read loop, the closing handshake.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::batch::Batch;
use super::guard::CountGuard;
use super::http::{HttpConnection, Upgrade};
use super::limits::{CLOSE_TIMEOUT, SEND_TIMEOUT};
use super::log::LogEvent;
use super::message_handler::MessageHandler;
use super::reply::{Reply, reply_to};
use super::resource::Resource;
use super::room::Seat;
use super::send_queue::{Backlog, SendQueue, SendState, WriterRole};
use super::state::Server;
use super::trace::Tap;
use crate::net::stream::{Peer, SharedStream, lingering_close};
use crate::wire::close::Close;
use crate::wire::frame::Role;
use crate::wire::message::Receiver;
use crate::wire::violation::Violation;

/// The body of a client's thread.
pub fn serve(server: &'static Server, peer: Peer, stream: SharedStream) {
    let _ = stream.set_nodelay(true); // chat messages are small and must not wait for more
    let mut connection = Box::new(HttpConnection::new(server, peer, Arc::clone(&stream)));
    if let Some(upgrade) = connection.run() {
        contain_panic(&stream, || run_websocket(connection, upgrade));
    }
}

/// Runs `websocket`. If it panics, closes the connection so that the last bytes arrive. They are a Close with
/// 1011 if there was a [`MessageHandler`], which sends it.
pub(super) fn contain_panic(stream: &SharedStream, websocket: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(websocket)).is_err() {
        lingering_close(stream, CLOSE_TIMEOUT);
    }
}

/// Runs one WebSocket to its end.
///
/// This function and its three parts are never inlined. A thread keeps every page of its stack that it has
/// touched, and there are thousands of threads: so the parts use the same pages one after the other.
#[inline(never)]
fn run_websocket(connection: Box<HttpConnection>, upgrade: Upgrade) {
    let HttpConnection { server, peer, .. } = *connection;
    let resource = upgrade.resource;
    let Ok(mut session) = open_session(connection, upgrade) else {
        return server.log.log(Some(peer), LogEvent::NegotiationFailed);
    };
    match resource {
        Resource::Chat => server.log.log(Some(peer), LogEvent::Welcomed),
        Resource::Echo => (),
        Resource::Wire => server.log.log(Some(peer), LogEvent::Inspecting),
    }
    let disconnect = session.read_loop();
    session.close(disconnect);
}

/// Joins the room, then sends the 101 and the welcome. Messages that are broadcast meanwhile wait in the send
/// queue, so the welcome is the first. Both leave in one write, because each write wakes the client.
///
/// # Errors
/// The connection failed before the welcome was sent. The client has left the room.
#[inline(never)]
pub(super) fn open_session(
    connection: Box<HttpConnection>,
    upgrade: Upgrade,
) -> io::Result<Box<Session>> {
    let HttpConnection { server, peer, stream, exchange_trace, unread, .. } = *connection;
    let Upgrade { resource, handshake } = upgrade;
    let upgraded = CountGuard::new(&server.upgraded);
    stream.set_read_timeout(None)?;
    let response = handshake.response();
    exchange_trace.head(Role::Server, response.as_bytes());
    let is_inspector = resource == Resource::Wire; // its own frames are not shown
    let trace = if is_inspector { exchange_trace.off() } else { exchange_trace };
    stream.set_write_timeout(Some(SEND_TIMEOUT))?;

    let send_queue = SendQueue::new(peer, Arc::clone(&stream), server.metrics, trace);
    let writer = WriterRole::new(&send_queue);
    let inspector = is_inspector.then(|| CountGuard::new(&server.inspect_queue.inspectors));
    let seat = server.room(resource).join(&send_queue);
    if server.is_stopping() {
        send_queue.close_for_shutdown(); // the shutdown may have taken its snapshot of the room before
    }
    let mut welcome = Batch::default();
    if resource == Resource::Chat {
        welcome.push_text(&server.options.welcome);
    }
    writer.write_all(response.as_bytes(), &welcome.frames)?; // section 4.2.2: now it is open
    server.metrics.outgoing.text_messages(welcome.messages);
    server.metrics.incoming.bytes.add(unread.len() as u64);
    let receiver = Receiver::new(Role::Client, server.options.limits.max_message, &unread);
    let tap = trace.tap(&unread);
    let handler = MessageHandler::new(server, resource, send_queue);
    let counts = (upgraded, inspector);
    Ok(Box::new(Session { stream, seat, receiver, handler, tap, _counts: counts }))
}

/// A client after its upgrade. It is on the heap, because on the stack each move would take its size again.
pub struct Session {
    /// The connection.
    pub stream: SharedStream,
    seat: Seat<'static>,
    receiver: Receiver,
    handler: MessageHandler,
    /// Shows what the receiver reads, if there is a trace.
    tap: Option<Tap>,
    /// Counts a WebSocket, and at `/wire` an inspector.
    _counts: (CountGuard, Option<CountGuard>),
}

/// Why a session ends.
pub enum Disconnect {
    /// A Close was received. The server sends the answer, unless it has sent its own Close before.
    Closed(Close),
    /// The client broke the protocol: the server closes with the rule's code and sentence.
    Violation(Close),
    /// The client ended the stream without a Close, or the socket failed: no answer can be sent.
    Failed(io::Error),
}

/// The client ended the stream without a Close: the reason in the log.
const ENDED: &str = "connection ended without a Close frame";

impl Session {
    /// Handles all frames of one read, flushes the replies, and reads again.
    #[inline(never)]
    pub fn read_loop(&mut self) -> Disconnect {
        let incoming = &self.handler.server.metrics.incoming;
        loop {
            let handled = self.handle_events();
            incoming.frame_counts(self.receiver.take_counts());
            if let Err(error) = self.handler.flush() {
                return Disconnect::Failed(error);
            }
            if let Err(disconnect) = handled {
                return disconnect;
            }
            let buffer = self.receiver.spare_capacity();
            match (&*self.stream).read(buffer) {
                Ok(0) => return Disconnect::Failed(io::Error::other(ENDED)), // 7.1.5: as if with 1006
                Ok(count) => {
                    if let Some(tap) = &mut self.tap {
                        tap.received(&buffer[..count]);
                    }
                    self.receiver.advance(count);
                    self.handler.send_queue.activity.touch();
                    incoming.bytes.add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Disconnect::Failed(error),
            }
        }
    }

    /// Handles the events in the receive buffer. The receiver has joined the fragments (section 5.4) and
    /// checked that text is UTF-8 (section 8.1).
    fn handle_events(&mut self) -> Result<(), Disconnect> {
        let Self { receiver, handler, .. } = self;
        handler.is_open = handler.send_queue.with_state(SendState::is_open);
        let violated = |violation: Violation| Disconnect::Violation(violation.close()); // 7.1.7, 8.1
        while let Some(event) = receiver.next().map_err(violated)? {
            match reply_to(event, handler.resource) {
                Reply::Close(close) => return Err(Disconnect::Closed(close)), // 5.5.1
                reply => handler.carry_out(reply),
            }
        }
        Ok(())
    }

    /// Sends the last frame, leaves the room, and closes the connection so that the frame arrives.
    ///
    /// The closing handshake is started (section 7.1.3) by a Close that was received, or by one that the server
    /// has sent before (7.1.2). The log has the code and the reason of the first of them.
    #[inline(never)]
    fn close(self: Box<Self>, disconnect: Disconnect) {
        let Self { stream, seat, handler, tap, .. } = *self;
        tap.into_iter().for_each(Tap::end);
        let MessageHandler { server, send_queue, last_broadcast, .. } = &handler;
        server.broadcast_queue.wait_until_delivered(*last_broadcast); // the Close comes after it
        let (sent, error) = send_queue.with_state(|state| {
            let sent = state.closing.as_ref().map(|closing| closing.close.clone());
            (sent, state.error.as_ref().map(ToString::to_string))
        });
        let answered = match disconnect {
            Disconnect::Closed(close) => {
                server.metrics.incoming.close(&close); // 7.1.5: the code that was received
                send_queue.close(close.reply(), Backlog::Flush, CLOSE_TIMEOUT); // 5.5.1
                Ok(close)
            }
            Disconnect::Violation(close) => {
                send_queue.close(close.clone(), Backlog::Discard, CLOSE_TIMEOUT); // 7.1.7: fail
                Ok(close)
            }
            // The error of the sending side is more precise than what a read returns.
            Disconnect::Failed(read_error) => Err(error.unwrap_or_else(|| read_error.to_string())),
        };
        drop(seat);
        let (peer, is_answered) = (Some(send_queue.peer), answered.is_ok());
        let first = sent.map_or(answered, Ok); // in either direction; 7.1.5 and 7.1.6 are about received ones
        match &first {
            Ok(close) => server.log.log(peer, LogEvent::Closed(close)),
            Err(error) => server.log.log(peer, LogEvent::Errored(error)),
        }
        if is_answered {
            send_queue.wait_flushed(CLOSE_TIMEOUT);
            lingering_close(&stream, CLOSE_TIMEOUT); // 7.1.1: the server closes TCP first
        }
        send_queue.shutdown(); // 7.1.4: closed; a writer thread that is left wakes up
    }
}
