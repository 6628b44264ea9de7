//! A raw TCP client. It sends any bytes, checks everything that it receives against the rules for a server,
//! and waits no longer than [`DEADLINE`].

use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::frame::{self, ClientFrame, Frame, Message, MessageAssembler};
use super::server::{self, Server};
use super::{DEADLINE, Request, Response, check};

/// The first message of `/chat` to each new member, by default.
pub(crate) const WELCOME: &str = "Welcome to Corvusoft Chat!";

/// The accept value for the key of [`Request::upgrade`], section 1.3.
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How many bytes of either direction a failure message quotes.
const QUOTED: usize = 96;

/// The result of one read with a deadline.
#[derive(Debug, PartialEq)]
enum ReadResult {
    Bytes,
    End,
    Reset,
    Timeout,
}

/// One connection to the server.
pub(crate) struct Client {
    stream: TcpStream,
    /// Received, and not yet returned by a `read_…` or checked by an `expect_…`.
    unread: Vec<u8>,
    assembler: MessageAssembler,
    /// The last bytes of each direction, for failure messages.
    last_sent: Vec<u8>,
    last_received: Vec<u8>,
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
        let (unread, assembler, last_sent, last_received) = Default::default();
        Self { stream, unread, assembler, last_sent, last_received }
    }

    /// Connects and does the opening handshake. On `/chat` it also reads the welcome: from then on the client
    /// receives every message.
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

    /// The client's own address, as the server sees it.
    pub(crate) fn local_address(&self) -> SocketAddr {
        self.stream.local_addr().expect("a connected socket has an address")
    }

    /// The socket, for tests that read on another thread or set an option.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.try_send(bytes) {
            self.fail(format_args!("cannot send: {error}"));
        }
    }

    /// Sends where the server may have closed the connection already.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        append_tail(&mut self.last_sent, bytes.as_ref());
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends a text message.
    #[track_caller]
    pub(crate) fn send_text(&mut self, text: impl AsRef<[u8]>) {
        self.send(ClientFrame::text(text).bytes());
    }

    /// Sends each byte in a segment of its own.
    #[track_caller]
    pub(crate) fn send_in_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref() {
            self.send([*byte]);
        }
    }

    /// Ends our direction of TCP; reading continues.
    pub(crate) fn shutdown_write(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write); // the server may have ended the connection already
    }
}

/// Reading HTTP.
impl Client {
    /// Reads a response head without a body: a 101, a 100, or a response to HEAD.
    #[track_caller]
    pub(crate) fn read_head(&mut self) -> Response {
        let end = loop {
            match self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end,
                None => self.read_more("the end of a head"),
            }
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).take(end).collect();
        Response::parse(&head).unwrap_or_else(|error| self.fail(error))
    }

    /// Reads a response with a body, which must have a Content-Length.
    #[track_caller]
    pub(crate) fn read_response(&mut self) -> Response {
        let mut response = self.read_head();
        let Some(length) = response.content_length() else {
            self.fail("a response without Content-Length")
        };
        while self.unread.len() < length {
            self.read_more("the rest of a body");
        }
        response.body = self.unread.drain(..length).collect();
        response
    }

    /// Expects a 101 with the accept value for the key of [`Request::upgrade`].
    #[track_caller]
    pub(crate) fn expect_101(&mut self) -> Response {
        let head = self.read_head();
        self.check(head.status == 101, format_args!("status {}, expected 101", head.status));
        check::eq(head.field("Sec-WebSocket-Accept"), Some(ACCEPT), "accept value");
        head
    }

    /// Expects that the server rejects the request: this status, a body, `Connection: close`, then a clean
    /// end.
    #[track_caller]
    pub(crate) fn expect_refusal(&mut self, status: u16) -> Response {
        let response = self.read_response();
        self.check(
            response.status == status,
            format_args!("status {}, expected {status}", response.status),
        );
        check::that(!response.body.is_empty(), "a refusal has a body");
        self.expect_last_response(&response);
        response
    }

    /// Expects that this response announced the end of the connection, and that the end follows.
    #[track_caller]
    pub(crate) fn expect_last_response(&mut self, response: &Response) {
        check::that(
            response.has_token("Connection", "close"),
            "the last response has Connection: close",
        );
        self.expect_end();
    }
}

/// Reading frames.
impl Client {
    /// Reads this number of bytes without any check.
    #[track_caller]
    pub(crate) fn read_bytes(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            self.read_more("more bytes");
        }
        self.unread.drain(..count).collect()
    }

    /// Reads a frame and checks it against the rules for a server's frames; `None` at a clean end.
    #[track_caller]
    pub(crate) fn read_frame_or_end(&mut self) -> Option<Frame> {
        self.read_checked().map(|(frame, _)| frame)
    }

    /// Reads a frame; the end of the connection is a failure.
    #[track_caller]
    pub(crate) fn read_frame(&mut self) -> Frame {
        self.read_frame_or_end()
            .unwrap_or_else(|| self.fail("the connection ended instead of a frame"))
    }

    /// Reads a whole message. It answers Pings on the way and ignores Pongs.
    #[track_caller]
    pub(crate) fn read_message(&mut self) -> Message {
        loop {
            let Some((frame, message)) = self.read_checked() else {
                self.fail("the connection ended instead of a message")
            };
            match message {
                Some(message) => return message,
                None if frame.opcode == frame::CLOSE => self.fail("a Close instead of a message"),
                None => self.answer_ping(&frame),
            }
        }
    }

    /// Expects this text as the next message.
    #[track_caller]
    pub(crate) fn expect_text(&mut self, text: impl AsRef<[u8]>) {
        let payload = text.as_ref().to_vec();
        self.expect_message(&Message { opcode: frame::TEXT, payload });
    }

    /// Sends a text and expects it back as the next message.
    #[track_caller]
    pub(crate) fn send_and_expect(&mut self, text: impl AsRef<[u8]>) {
        self.send_text(&text);
        self.expect_text(&text);
    }

    /// Sends a text and reads messages until it returns: texts of other members may arrive before it.
    #[track_caller]
    pub(crate) fn send_and_wait(&mut self, text: impl AsRef<[u8]>) {
        self.send_text(&text);
        let until = Instant::now() + *DEADLINE; // other members may send without end
        while self.read_message().payload != text.as_ref() {
            self.check(Instant::now() < until, "the client's own text did not return in time");
        }
    }

    /// Expects this message next.
    #[track_caller]
    pub(crate) fn expect_message(&mut self, expected: &Message) {
        let message = self.read_message();
        let (actual, wanted) = (summary(&message), summary(expected));
        self.check(message == *expected, format_args!("message {actual}, expected {wanted}"));
    }

    /// Expects this frame next, with FIN.
    #[track_caller]
    pub(crate) fn expect_frame(&mut self, opcode: u8, payload: impl AsRef<[u8]>) {
        let expected = Frame { fin: true, opcode, payload: payload.as_ref().to_vec() };
        let frame = self.read_frame();
        self.check(frame == expected, format_args!("frame {frame:?}, expected {expected:?}"));
    }

    /// Reads a frame, with the message that it ends, if it ends one.
    #[track_caller]
    fn read_checked(&mut self) -> Option<(Frame, Option<Message>)> {
        let until = Instant::now() + *DEADLINE;
        loop {
            match Frame::parse(&self.unread) {
                Ok(Some((frame, length))) => {
                    self.unread.drain(..length);
                    match self.assembler.push(&frame) {
                        Ok(message) => return Some((frame, message)),
                        Err(error) => self.fail(error),
                    }
                }
                Ok(None) => {}
                Err(error) => self.fail(error),
            }
            match self.fill(until) {
                ReadResult::Bytes => {}
                ReadResult::End if self.unread.is_empty() => return None,
                other => self.fail(format_args!("{other:?} instead of a frame")),
            }
        }
    }

    /// Answers a Ping, as section 5.5.2 requires of a client too.
    fn answer_ping(&mut self, frame: &Frame) {
        if frame.opcode == frame::PING {
            let _ = self.try_send(ClientFrame::pong(&frame.payload).bytes()); // the server may have closed
        }
    }
}

/// Checks of the connection's state, the same on `/chat` and `/echo`.
impl Client {
    /// Expects that the connection is open and that the server has read everything: a Ping with a unique
    /// payload gets its Pong. Returns the frames that arrived before the Pong.
    #[track_caller]
    pub(crate) fn expect_open(&mut self) -> Vec<Frame> {
        let payload = unique_payload();
        self.send(ClientFrame::ping(payload).bytes());
        let mut others = Vec::new();
        loop {
            let frame = self.read_frame();
            self.check(frame.opcode != frame::CLOSE, format_args!("{frame:?} instead of a Pong"));
            if frame.opcode == frame::PONG && frame.payload == payload {
                return others;
            }
            self.answer_ping(&frame);
            others.push(frame);
        }
    }

    /// Expects that the connection is open and that the Pong is the next frame.
    #[track_caller]
    pub(crate) fn expect_open_and_silent(&mut self) {
        let others = self.expect_open();
        self.check(others.is_empty(), format_args!("unexpected frames {others:?}"));
    }

    /// Expects that the server fails the connection: a Close with this code, then a clean end, with nothing
    /// before or between, and without waiting for a Close of the client.
    #[track_caller]
    pub(crate) fn expect_failure(&mut self, code: u16) {
        self.expect_close_and_end(Some(code));
    }

    /// Expects a Close with this code, or with an empty body for `None`, then a clean end, while our
    /// direction is still open.
    #[track_caller]
    pub(crate) fn expect_close_and_end(&mut self, code: Option<u16>) {
        self.expect_close(code);
        self.expect_end();
    }

    /// Expects a Close with this code, or with an empty body for `None`. Returns its reason.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, code: Option<u16>) -> Vec<u8> {
        let frame = self.read_frame();
        let is_right = frame.opcode == frame::CLOSE && frame.code() == code;
        self.check(is_right, format_args!("{frame:?}, expected a Close with {code:?}"));
        frame.reason().to_vec()
    }

    /// Expects that the server ends its direction cleanly and sends nothing before that.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let until = Instant::now() + *DEADLINE;
        let result = if self.unread.is_empty() { self.fill(until) } else { ReadResult::Bytes };
        self.check(result == ReadResult::End, format_args!("{result:?}, expected a clean end"));
    }

    /// Expects that the connection ends in time, cleanly or by a reset; it ignores what arrives before.
    #[track_caller]
    pub(crate) fn expect_any_end(&mut self) {
        let until = Instant::now() + *DEADLINE;
        loop {
            match self.fill(until) {
                ReadResult::Bytes => self.unread.clear(),
                result => {
                    return self
                        .check(result != ReadResult::Timeout, "the connection does not end");
                }
            }
        }
    }

    /// Expects that no reset arrived after the end: a reader that has read the end does not see one. Call
    /// this after the server has closed its socket.
    #[track_caller]
    pub(crate) fn expect_no_reset(&self) {
        let error = self.stream.take_error().expect("a socket has an error or none");
        self.check(error.is_none(), format_args!("{error:?}, expected no reset"));
    }

    /// Expects that the server ended only its sending direction: it still reads and drops what arrives,
    /// without a reset, and then closes. `idle` is how many descriptors the server has without this
    /// connection.
    #[track_caller]
    pub(crate) fn expect_half_close(mut self, server: &Server, idle: usize) {
        self.send([0xaa; 64]);
        self.shutdown_write();
        server::eventually("the server closes the socket", || server.descriptors() <= idle);
        self.expect_no_reset();
    }

    /// Does the closing handshake, started by the client, with code 1000.
    #[track_caller]
    pub(crate) fn close_normally(&mut self) {
        self.send(ClientFrame::close(1000, "").bytes());
        while self.read_frame().opcode != frame::CLOSE {}
        self.expect_end();
    }
}

/// Reading from the socket, and failure messages.
impl Client {
    #[track_caller]
    fn read_more(&mut self, expected: &str) {
        match self.fill(Instant::now() + *DEADLINE) {
            ReadResult::Bytes => {}
            other => self.fail(format_args!("{other:?} instead of {expected}")),
        }
    }

    fn fill(&mut self, until: Instant) -> ReadResult {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || self.stream.set_read_timeout(Some(left)).is_err() {
            return ReadResult::Timeout;
        }
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => ReadResult::End,
            Ok(length) => {
                self.unread.extend(&chunk[..length]);
                append_tail(&mut self.last_received, &chunk[..length]);
                ReadResult::Bytes
            }
            Err(error) => match error.kind() {
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => ReadResult::Reset,
                ErrorKind::Interrupted => ReadResult::Bytes,
                _ => ReadResult::Timeout,
            },
        }
    }

    #[track_caller]
    fn check(&self, holds: bool, otherwise: impl Display) {
        check::that(holds, self.with_last_bytes(otherwise));
    }

    #[track_caller]
    fn fail(&self, what: impl Display) -> ! {
        check::fail(self.with_last_bytes(what))
    }

    /// A failure message that quotes the last bytes of each direction.
    fn with_last_bytes(&self, what: impl Display) -> String {
        let (sent, received) = (quote(&self.last_sent), quote(&self.last_received));
        format!("{what}\n  last sent:     {sent}\n  last received: {received}")
    }
}

/// Returns eight bytes that no other Ping of this run has.
pub(crate) fn unique_payload() -> [u8; 8] {
    static SERIAL: AtomicU64 = AtomicU64::new(0x5eed_0000);
    SERIAL.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()
}

/// Appends bytes and keeps the last [`QUOTED`] of them.
fn append_tail(tail: &mut Vec<u8>, bytes: &[u8]) {
    tail.extend(&bytes[bytes.len().saturating_sub(QUOTED)..]);
    tail.drain(..tail.len().saturating_sub(QUOTED));
}

/// Bytes in hex and as text.
fn quote(bytes: &[u8]) -> String {
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}  \"{}\"", hex.join(" "), bytes.escape_ascii())
}

/// A message with the beginning of its payload.
fn summary(message: &Message) -> String {
    let Message { opcode, payload } = message;
    let start = &payload[..payload.len().min(QUOTED)];
    format!("(opcode {opcode}, {} bytes, {})", payload.len(), quote(start))
}
