//! A raw TCP client: sends what it is told, judges all that comes back, waits until [`DEADLINE`]
//! and no longer.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::frame::{self, Frame, Masked, Message, Sequence};
use super::{DEADLINE, Request, Response, check};

/// What `/chat` says to each new member.
pub(crate) const WELCOME: &str = "Welcome to Corvusoft Chat!";

/// The accept value for the key of [`Request::upgrade`], section 1.3.
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How much of either direction a failure quotes.
const QUOTED: usize = 96;

/// What a read brought.
#[derive(Debug, PartialEq)]
enum Arrival {
    Bytes,
    End,
    Reset,
    Nothing,
}

/// One connection to the server.
pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
    sequence: Sequence,
    sent: Vec<u8>,
    got: Vec<u8>,
}

/// Connecting and sending.
impl Client {
    #[track_caller]
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = match TcpStream::connect_timeout(&address, *DEADLINE) {
            Ok(stream) => stream,
            Err(error) => check::fail(format_args!("no connection to {address}: {error}")),
        };
        stream.set_nodelay(true).expect("a socket takes TCP_NODELAY");
        stream.set_write_timeout(Some(*DEADLINE)).expect("a socket takes a timeout");
        let (unread, sent, got) = Default::default();
        Self { stream, unread, sequence: Sequence::default(), sent, got }
    }

    /// A connection with the handshake done. On `/chat` the welcome is read, and whoever has read it
    /// misses nothing that is said from then on.
    #[track_caller]
    pub(crate) fn upgrade(address: SocketAddr, path: &str) -> Self {
        let mut client = Self::connect(address);
        check::uncounted(|| {
            client.send(Request::upgrade(path).bytes());
            client.expect_101();
            if path.starts_with("/chat") {
                client.expect_text(WELCOME);
            }
        });
        client
    }

    /// Our own address, as the server sees it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.stream.local_addr().expect("a connected socket has an address")
    }

    /// The socket itself, for tests that need a thread of their own or an odd option.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.try_send(bytes) {
            self.fail(format_args!("cannot send: {error}"));
        }
    }

    /// Sends where the server may have closed already.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        remember(&mut self.sent, bytes.as_ref());
        self.stream.write_all(bytes.as_ref())
    }

    /// Each byte in a segment of its own.
    #[track_caller]
    pub(crate) fn send_in_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref() {
            self.send([*byte]);
        }
    }

    /// Our side says no more; reading goes on.
    pub(crate) fn shutdown_write(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write); // the server may have been quicker
    }
}

/// Reading HTTP.
impl Client {
    /// The next head alone, as of a 101, a 100 or an answer to HEAD.
    #[track_caller]
    pub(crate) fn read_head(&mut self) -> Response {
        let end = loop {
            match self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end,
                None => self.more("the end of a head"),
            }
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).take(end).collect();
        Response::parse(&head).unwrap_or_else(|breach| self.fail(breach))
    }

    /// The next response with its body, which its Content-Length must measure.
    #[track_caller]
    pub(crate) fn read_response(&mut self) -> Response {
        let mut response = self.read_head();
        let Some(length) = response.length() else {
            self.fail("a response without Content-Length")
        };
        while self.unread.len() < length {
            self.more("the rest of a body");
        }
        response.body = self.unread.drain(..length).collect();
        response
    }

    /// The handshake is accepted, for the key of [`Request::upgrade`].
    #[track_caller]
    pub(crate) fn expect_101(&mut self) -> Response {
        let head = self.read_head();
        self.is(head.status == 101, format_args!("status {}, want 101", head.status));
        check::eq(head.field("Sec-WebSocket-Accept"), Some(ACCEPT), "accept value");
        head
    }

    /// The request is refused: this status, a sentence, `Connection: close`, then a clean end.
    #[track_caller]
    pub(crate) fn expect_refusal(&mut self, status: u16) -> Response {
        let response = self.read_response();
        self.is(
            response.status == status,
            format_args!("status {}, want {status}", response.status),
        );
        check::that(!response.body.is_empty(), "a refusal has a body");
        self.expect_last_response(&response);
        response
    }

    /// The response said that it is the last one, and it is.
    #[track_caller]
    pub(crate) fn expect_last_response(&mut self, response: &Response) {
        check::that(
            response.lists("Connection", "close"),
            "the last answer says Connection: close",
        );
        self.expect_end();
    }
}

/// Reading frames.
impl Client {
    /// The next octets as they are, not judged.
    #[track_caller]
    pub(crate) fn read_bytes(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            self.more("more octets");
        }
        self.unread.drain(..count).collect()
    }

    /// The next frame, already judged by the rules for a server's frames; `None` at a clean end.
    #[track_caller]
    pub(crate) fn read_frame_or_end(&mut self) -> Option<Frame> {
        self.read_checked().map(|(frame, _)| frame)
    }

    /// The next frame, which must come.
    #[track_caller]
    pub(crate) fn read_frame(&mut self) -> Frame {
        self.read_frame_or_end()
            .unwrap_or_else(|| self.fail("the connection ended instead of a frame"))
    }

    /// The next message, joined. Pings on the way are answered, Pongs passed over.
    #[track_caller]
    pub(crate) fn read_message(&mut self) -> Message {
        loop {
            let Some((frame, message)) = self.read_checked() else {
                self.fail("the end, not a message")
            };
            match message {
                Some(message) => return message,
                None if frame.opcode == frame::CLOSE => self.fail("a Close, not a message"),
                None => self.answer_ping(&frame),
            }
        }
    }

    /// The next message is this text.
    #[track_caller]
    pub(crate) fn expect_text(&mut self, text: impl AsRef<[u8]>) {
        let payload = text.as_ref().to_vec();
        self.expect_message(&Message { opcode: frame::TEXT, payload });
    }

    /// The next message is this one.
    #[track_caller]
    pub(crate) fn expect_message(&mut self, want: &Message) {
        let got = self.read_message();
        let same = got == *want;
        self.is(same, format_args!("message {}, want {}", brief(&got), brief(want)));
    }

    /// The next frame is this one, whole.
    #[track_caller]
    pub(crate) fn expect_frame(&mut self, opcode: u8, payload: impl AsRef<[u8]>) {
        let want = Frame { fin: true, opcode, payload: payload.as_ref().to_vec() };
        let got = self.read_frame();
        self.is(got == want, format_args!("frame {got:?}, want {want:?}"));
    }

    #[track_caller]
    fn read_checked(&mut self) -> Option<(Frame, Option<Message>)> {
        let until = Instant::now() + *DEADLINE;
        loop {
            match Frame::parse(&self.unread) {
                Ok(Some((frame, length))) => {
                    self.unread.drain(..length);
                    match self.sequence.take(&frame) {
                        Ok(message) => return Some((frame, message)),
                        Err(breach) => self.fail(breach),
                    }
                }
                Ok(None) => {}
                Err(breach) => self.fail(breach),
            }
            match self.fill(until) {
                Arrival::Bytes => {}
                Arrival::End if self.unread.is_empty() => return None,
                other => self.fail(format_args!("{other:?}, not a frame")),
            }
        }
    }

    /// A Ping is answered; section 5.5.2 binds us too.
    fn answer_ping(&mut self, frame: &Frame) {
        if frame.opcode == frame::PING {
            let _ = self.try_send(Masked::pong(&frame.payload).bytes()); // it may close meanwhile
        }
    }
}

/// What can be asked of any server, echo or not.
impl Client {
    /// The connection is open and all that was sent was taken: a Ping with a fresh payload gets its
    /// Pong. Gives the frames that came before it.
    #[track_caller]
    pub(crate) fn expect_open(&mut self) -> Vec<Frame> {
        let fresh = fresh();
        self.send(Masked::ping(fresh).bytes());
        let mut others = Vec::new();
        loop {
            let frame = self.read_frame();
            self.is(frame.opcode != frame::CLOSE, format_args!("{frame:?}, not alive"));
            if frame.opcode == frame::PONG && frame.payload == fresh {
                return others;
            }
            self.answer_ping(&frame);
            others.push(frame);
        }
    }

    /// Alive, and nothing was said before the Pong.
    #[track_caller]
    pub(crate) fn expect_open_and_silent(&mut self) {
        let others = self.expect_open();
        self.is(others.is_empty(), format_args!("unasked frames {others:?}"));
    }

    /// The server fails the connection: Close with this code at once, then a clean end, nothing in
    /// between, and without waiting for a Close from us.
    #[track_caller]
    pub(crate) fn expect_failure(&mut self, code: u16) {
        self.expect_close_and_end(Some(code));
    }

    /// The last thing said is a Close with this code, or with none; then a clean end, while our
    /// side is still open.
    #[track_caller]
    pub(crate) fn expect_close_and_end(&mut self, code: Option<u16>) {
        self.expect_close(code);
        self.expect_end();
    }

    /// The next frame is a Close with this code, or with none. Gives its reason.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, code: Option<u16>) -> Vec<u8> {
        let frame = self.read_frame();
        let right = frame.opcode == frame::CLOSE && frame.code() == code;
        self.is(right, format_args!("{frame:?}, want a Close with {code:?}"));
        frame.reason().to_vec()
    }

    /// The server ends its side cleanly, and says nothing before that.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let until = Instant::now() + *DEADLINE;
        let arrival = if self.unread.is_empty() { self.fill(until) } else { Arrival::Bytes };
        self.is(arrival == Arrival::End, format_args!("{arrival:?}, want a clean end"));
    }

    /// The connection ends in time, by whatever means; what still comes is passed over.
    #[track_caller]
    pub(crate) fn expect_any_end(&mut self) {
        let until = Instant::now() + *DEADLINE;
        loop {
            match self.fill(until) {
                Arrival::Bytes => self.unread.clear(),
                arrival => return self.is(arrival != Arrival::Nothing, "the connection lives on"),
            }
        }
    }

    /// The end was no reset, which a reader does not see once it has read the end. To be asked when the
    /// server has let the connection go.
    #[track_caller]
    pub(crate) fn expect_no_reset(&self) {
        let error = self.stream.take_error().expect("a socket has an error or none");
        self.is(error.is_none(), format_args!("{error:?}, want no reset"));
    }

    /// The end that was read is that of one direction, said at once: the server still reads and drops what
    /// comes, and no reset answers it. It has `idle` descriptors without this connection.
    #[track_caller]
    pub(crate) fn ended_by_half(mut self, server: &super::Server, idle: usize) {
        self.send([0xaa; 64]);
        self.shutdown_write();
        super::server::eventually("the server lets the connection go", || {
            server.descriptors() <= idle
        });
        self.expect_no_reset();
    }

    /// The closing handshake from our side, with code 1000.
    #[track_caller]
    pub(crate) fn close_normally(&mut self) {
        self.send(Masked::close(1000, "").bytes());
        while self.read_frame().opcode != frame::CLOSE {}
        self.expect_end();
    }
}

/// The inside.
impl Client {
    #[track_caller]
    fn more(&mut self, of: &str) {
        match self.fill(Instant::now() + *DEADLINE) {
            Arrival::Bytes => {}
            other => self.fail(format_args!("{other:?}, not {of}")),
        }
    }

    fn fill(&mut self, until: Instant) -> Arrival {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || self.stream.set_read_timeout(Some(left)).is_err() {
            return Arrival::Nothing;
        }
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => Arrival::End,
            Ok(length) => {
                self.unread.extend(&chunk[..length]);
                remember(&mut self.got, &chunk[..length]);
                Arrival::Bytes
            }
            Err(error) => match error.kind() {
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Arrival::Reset,
                ErrorKind::Interrupted => Arrival::Bytes,
                _ => Arrival::Nothing,
            },
        }
    }

    #[track_caller]
    fn is(&self, holds: bool, otherwise: impl Display) {
        check::that(holds, self.quoted(otherwise));
    }

    #[track_caller]
    fn fail(&self, what: impl Display) -> ! {
        check::fail(self.quoted(what))
    }

    fn quoted(&self, what: impl Display) -> String {
        format!("{what}\n  last sent: {}\n  last got:  {}", quote(&self.sent), quote(&self.got))
    }
}

/// Eight bytes that no other Ping of this run has.
pub(crate) fn fresh() -> [u8; 8] {
    static SERIAL: AtomicU64 = AtomicU64::new(0x5eed_0000);
    SERIAL.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()
}

fn remember(tail: &mut Vec<u8>, bytes: &[u8]) {
    tail.extend(&bytes[bytes.len().saturating_sub(QUOTED)..]);
    tail.drain(..tail.len().saturating_sub(QUOTED));
}

fn quote(bytes: &[u8]) -> String {
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}  \"{}\"", hex.join(" "), bytes.escape_ascii())
}

fn brief(message: &Message) -> String {
    let shown = &message.payload[..message.payload.len().min(QUOTED)];
    format!("({}, {} octets, {})", message.opcode, message.payload.len(), quote(shown))
}
