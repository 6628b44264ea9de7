//! The reference server: one thread, one epoll loop, one shared batch.
//!
//! The texts that are received in one iteration of the loop become one batch of frames, which each member
//! gets in one write. It implements only what the load needs: a fragmented message is refused.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};
use tungstenite::handshake::derive_accept_key;

const WELCOME: &[u8] = b"Welcome to Corvusoft Chat!";
const MESSAGE_MAX: usize = 17 << 20;
const READ_BUFFER: usize = 64 << 10;
/// A larger batch is sent before more is read, so that it stays in the cache of one core.
const BATCH_MAX: usize = 256 << 10;
/// A client with more unsent bytes is disconnected when the next batch is sent.
const UNSENT_MAX: usize = 4 << 20;

/// First bytes of unfragmented messages, FIN set.
const TEXT: u8 = 0b1_000_0001;
const BINARY: u8 = 0b1_000_0010;
const CLOSE: u8 = 0b1_000_1000;
const PING: u8 = 0b1_000_1001;
const PONG: u8 = 0b1_000_1010;

const LISTENER: Token = Token(usize::MAX);

fn main() -> io::Result<()> {
    let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    eprintln!("listening on http://{}/", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut server = Server::default();
    server.buffer.resize(READ_BUFFER, 0);
    loop {
        let timeout = (!server.ready.is_empty()).then_some(Duration::ZERO);
        poll.poll(&mut events, timeout)?;
        for index in std::mem::take(&mut server.ready) {
            server.read(index);
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    server.add(stream, poll.registry())?;
                }
                continue;
            }
            let Token(index) = event.token();
            if event.is_writable()
                && let Some(client) = &mut server.clients[index]
            {
                client.flush();
            }
            if event.is_readable() {
                server.read(index);
            }
            if event.is_read_closed() {
                server.ready.push(index); // the end of the stream must still be read
            }
        }
        server.deliver();
    }
}

#[derive(Default)]
struct Server {
    /// The index is the token.
    clients: Vec<Option<Client>>,
    free_slots: Vec<usize>,
    /// Clients that may have more bytes to read: readiness is reported only once, so it is stored here.
    ready: Vec<usize>,
    buffer: Vec<u8>,
    batch: Vec<u8>,
}

impl Server {
    fn add(&mut self, mut stream: TcpStream, registry: &Registry) -> io::Result<()> {
        let index = self.free_slots.pop().unwrap_or_else(|| {
            self.clients.push(None);
            self.clients.len() - 1
        });
        let _ = stream.set_nodelay(true); // fails if the client has already closed
        registry.register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        let (incomplete, unsent) = (Vec::new(), Vec::new());
        self.clients[index] = Some(Client { stream, stage: Stage::Handshake, incomplete, unsent });
        Ok(())
    }

    /// Reads once, so that a client that sends without a pause does not delay the others.
    fn read(&mut self, index: usize) {
        let Some(client) = &mut self.clients[index] else { return };
        match client.stream.read(&mut self.buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => (),
            Ok(0) | Err(_) => {
                self.clients[index] = None;
                self.free_slots.push(index);
            }
            Ok(count) => {
                client.receive(&mut self.buffer[..count], &mut self.batch);
                if count == READ_BUFFER {
                    self.ready.push(index);
                }
                if BATCH_MAX < self.batch.len() {
                    self.deliver();
                }
            }
        }
    }

    fn deliver(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        for client in self.clients.iter_mut().flatten().filter(|c| c.stage == Stage::Chat) {
            client.send(&self.batch);
        }
        self.batch.clear();
    }
}

#[derive(PartialEq)]
enum Stage {
    Handshake,
    Chat,
    Echo,
    /// A Close or a refusal was sent: further input is read and discarded.
    Closing,
}

struct Client {
    stream: TcpStream,
    stage: Stage,
    /// The beginning of an incomplete frame or head.
    incomplete: Vec<u8>,
    /// Bytes that the socket did not accept yet.
    unsent: Vec<u8>,
}

impl Client {
    fn receive(&mut self, received: &mut [u8], batch: &mut Vec<u8>) {
        if self.incomplete.is_empty() {
            let used = self.process_input(received, batch);
            self.incomplete.extend_from_slice(&received[used..]);
        } else {
            let mut incomplete = std::mem::take(&mut self.incomplete);
            incomplete.extend_from_slice(received);
            let used = self.process_input(&mut incomplete, batch);
            incomplete.drain(..used);
            self.incomplete = incomplete;
        }
        self.flush();
    }

    /// Processes every complete frame in `wire` and returns the number of processed bytes.
    fn process_input(&mut self, wire: &mut [u8], batch: &mut Vec<u8>) -> usize {
        let mut used = 0;
        loop {
            let rest = &mut wire[used..];
            match self.stage {
                Stage::Closing => return used + rest.len(),
                Stage::Handshake => match rest.windows(4).position(|end| end == b"\r\n\r\n") {
                    None => return used,
                    Some(end) => {
                        self.answer_handshake(&rest[..end]);
                        used += end + 4;
                    }
                },
                Stage::Chat | Stage::Echo => match next_frame(rest) {
                    Ok(None) => return used,
                    Ok(Some(frame)) => {
                        used += frame.size;
                        if let Err(code) = self.answer(&frame, batch) {
                            self.close(code);
                        }
                    }
                    Err(code) => self.close(code),
                },
            }
        }
    }

    fn answer_handshake(&mut self, head: &[u8]) {
        let head = String::from_utf8_lossy(head);
        let fields = head.lines().filter_map(|line| line.split_once(':'));
        let mut keys = fields.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
        self.stage = match (head.split(' ').nth(1), keys.next()) {
            (Some(path @ ("/chat" | "/echo")), Some((_, key))) => {
                let accept = derive_accept_key(key.trim().as_bytes());
                let response = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                     Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                self.unsent.extend_from_slice(response.as_bytes());
                if path == "/chat" { Stage::Chat } else { Stage::Echo }
            }
            _ => {
                let refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
                self.unsent.extend_from_slice(refusal);
                Stage::Closing
            }
        };
        if self.stage == Stage::Chat {
            push_frame(&mut self.unsent, TEXT, WELCOME);
        }
    }

    fn answer(&mut self, frame: &Frame, batch: &mut Vec<u8>) -> Result<(), u16> {
        let Frame { first, payload, .. } = *frame;
        match first {
            TEXT if std::str::from_utf8(payload).is_err() => return Err(1007),
            TEXT if self.stage == Stage::Chat => push_frame(batch, TEXT, payload),
            TEXT | BINARY if self.stage == Stage::Echo => {
                push_frame(&mut self.unsent, first, payload);
            }
            PING => push_frame(&mut self.unsent, PONG, payload),
            PONG => (),
            CLOSE => {
                return Err(payload.first_chunk().map_or(1000, |code| u16::from_be_bytes(*code)));
            }
            _ => return Err(1003), // binary in the chat, and fragments
        }
        Ok(())
    }

    fn close(&mut self, code: u16) {
        push_frame(&mut self.unsent, CLOSE, &code.to_be_bytes());
        self.stage = Stage::Closing;
    }

    /// Writes once and keeps the rest in `unsent`; a failed connection is detected when it is read.
    fn send(&mut self, bytes: &[u8]) {
        if UNSENT_MAX < self.unsent.len() {
            let _ = self.stream.shutdown(Shutdown::Both);
            return;
        }
        let can_write = self.unsent.is_empty();
        let written = if can_write { self.stream.write(bytes).unwrap_or(0) } else { 0 };
        self.unsent.extend_from_slice(&bytes[written..]);
    }

    fn flush(&mut self) {
        while !self.unsent.is_empty() {
            let Ok(written) = self.stream.write(&self.unsent) else { return };
            self.unsent.drain(..written);
        }
        if self.stage == Stage::Closing {
            let _ = self.stream.shutdown(Shutdown::Write); // a second shutdown has no effect
        }
    }
}

struct Frame<'a> {
    first: u8,
    payload: &'a [u8],
    /// Size of the frame in bytes.
    size: usize,
}

/// The first frame of `wire`, unmasked; `None` if it is incomplete.
fn next_frame(wire: &mut [u8]) -> Result<Option<Frame<'_>>, u16> {
    let [first, second, rest @ ..] = wire else { return Ok(None) };
    if *second & 0b1_0000000 == 0 {
        return Err(1002);
    }
    let (length, width) = match *second & 0b0_1111111 {
        126 => (rest.first_chunk().map(|bytes| u64::from(u16::from_be_bytes(*bytes))), 2),
        127 => (rest.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)), 8),
        short => (Some(u64::from(short)), 0),
    };
    let Some(length) = length else { return Ok(None) };
    let length = usize::try_from(length).map_err(|_| 1009_u16)?;
    if MESSAGE_MAX < length {
        return Err(1009);
    }
    let Some((key, rest)) = rest[width..].split_first_chunk_mut() else { return Ok(None) };
    let Some(payload) = rest.get_mut(..length) else { return Ok(None) };
    unmask(*key, payload);
    Ok(Some(Frame { first: *first, payload, size: 2 + width + 4 + length }))
}

fn unmask(key: [u8; 4], payload: &mut [u8]) {
    let [a, b, c, d] = key;
    let key_twice = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ key_twice).to_ne_bytes();
    }
    for (byte, k) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= k;
    }
}

/// Appends one unmasked frame.
fn push_frame(wire: &mut Vec<u8>, first: u8, payload: &[u8]) {
    match payload.len() {
        length @ 0..126 => wire.extend_from_slice(&[first, length as u8]),
        length @ 126..0x1_0000 => {
            let [high, low] = (length as u16).to_be_bytes();
            wire.extend_from_slice(&[first, 126, high, low]);
        }
        length => {
            wire.extend_from_slice(&[first, 127]);
            wire.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    wire.extend_from_slice(payload);
}
