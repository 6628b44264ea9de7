//! The client side of a connection, reduced to what a load generator needs.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Used as a path: no WebSocket, but a TCP server that returns the received bytes.
pub const PLAIN: &str = "plain TCP";

/// The first frame of every server on `/chat`.
const WELCOME: &[u8] = b"\x81\x1aWelcome to Corvusoft Chat!";

/// The timeout of every wait.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Section 10.3 requires an unpredictable masking key because of proxies; the cost for the server is the
/// same for every key.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A key that changes nothing, for the TCP server that returns the received bytes.
pub const NO_KEY: [u8; 4] = [0; 4];

/// Connects and upgrades. On `/chat` it also reads the welcome; no other bytes are received before it
/// returns.
///
/// # Errors
/// The connection failed, or the answer is wrong.
pub fn join(address: SocketAddr, path: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    if path == PLAIN {
        return Ok(stream);
    }
    stream.set_read_timeout(Some(TIMEOUT))?;
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?; // in one packet, as real clients do
    let welcome = if path == "/chat" { WELCOME } else { b"" };
    let mut answer = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let length = stream.read(&mut chunk)?;
        answer.extend_from_slice(&chunk[..length]);
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4);
        match end {
            Some(end) if welcome.len() <= answer.len() - end => {
                let is_right = answer.starts_with(b"HTTP/1.1 101 ") && answer[end..] == *welcome;
                return if is_right { Ok(stream) } else { Err(unexpected(&answer)) };
            }
            _ if length == 0 => return Err(unexpected(&answer)),
            _ => (),
        }
    }
}

fn unexpected(answer: &[u8]) -> io::Error {
    let shown = &answer[..answer.len().min(200)];
    io::Error::other(format!("unexpected answer: {}", shown.escape_ascii()))
}

/// Appends a complete masked frame.
pub fn frame(opcode: u8, key: [u8; 4], payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ ..126 => out.push(0x80 | length as u8),
        length @ ..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key);
    let start = out.len();
    out.extend_from_slice(payload);
    mask(key, &mut out[start..]);
}

/// Masks a payload, or its beginning.
pub fn mask(key: [u8; 4], payload: &mut [u8]) {
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
}

/// The opcode and payload of the first frame in `bytes`, and the bytes after it; `None` if the frame is
/// incomplete. A masked payload stays masked: the plain TCP server returns such frames.
pub fn parse_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match second & 0x7f {
        126 => {
            rest.split_first_chunk().map(|(form, rest)| (u16::from_be_bytes(*form).into(), rest))?
        }
        127 => rest.split_first_chunk().map(|(form, rest)| (u64::from_be_bytes(*form), rest))?,
        short => (short.into(), rest),
    };
    let rest = if second & 0x80 == 0 { rest } else { rest.get(4..)? };
    let (payload, rest) = rest.split_at_checked(length as usize)?;
    Some((first & 0x0f, payload, rest))
}

/// Splits a byte stream into frames.
#[derive(Default)]
pub struct FrameReader {
    /// The beginning of an incomplete frame.
    rest: Vec<u8>,
}

impl FrameReader {
    /// Reads all available bytes from a non-blocking socket and passes each complete frame to `on_frame`.
    ///
    /// # Errors
    /// The connection ended or failed.
    pub fn read(
        &mut self,
        stream: &mut impl Read,
        scratch: &mut [u8],
        mut on_frame: impl FnMut(u8, &[u8]),
    ) -> io::Result<()> {
        loop {
            let kept = self.rest.len();
            scratch[..kept].copy_from_slice(&self.rest);
            let length = match stream.read(&mut scratch[kept..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let is_empty = kept + length < scratch.len();
            let mut bytes = &scratch[..kept + length];
            while let Some((opcode, payload, rest)) = parse_frame(bytes) {
                on_frame(opcode, payload);
                bytes = rest;
            }
            self.rest.clear();
            self.rest.extend_from_slice(bytes);
            if is_empty {
                return Ok(());
            }
        }
    }
}

/// The identification of a message. It is written in printable ASCII, 6 bits per character, which every
/// server and every log passes unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Below 4096.
    pub sender: usize,
    /// Counts the messages of a sender from 0, without gaps; below 2^36.
    pub sequence: u64,
}

/// The size in bytes of a stamp and of the time after it.
pub const STAMP: usize = 8 + 8;

impl Stamp {
    /// Writes the stamp and a time, in microseconds, into the first bytes of a message.
    pub fn write(self, micros: u64, message: &mut [u8]) {
        write_bits((self.sender as u64) << 36 | self.sequence, &mut message[..8]);
        write_bits(micros, &mut message[8..STAMP]);
    }

    /// The stamp of a message; it is at least [`STAMP`] bytes long.
    pub fn read(message: &[u8]) -> Self {
        let bits = read_bits(message);
        Self { sender: (bits >> 36) as usize, sequence: bits & 0xf_ffff_ffff }
    }

    /// The time after the stamp, in microseconds.
    pub fn micros(message: &[u8]) -> u64 {
        read_bits(&message[8..])
    }
}

fn write_bits(bits: u64, bytes: &mut [u8]) {
    for (place, byte) in bytes.iter_mut().rev().enumerate() {
        *byte = b'0' + (bits >> (6 * place) & 0x3f) as u8;
    }
}

/// Joins eight times 6 bits in three steps, because it runs for every delivery.
fn read_bits(bytes: &[u8]) -> u64 {
    let eight = bytes.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let six = eight.wrapping_sub(0x3030_3030_3030_3030) & 0x3f3f_3f3f_3f3f_3f3f;
    let twelve = (six & 0x003f_003f_003f_003f) | (six & 0x3f00_3f00_3f00_3f00) >> 2;
    let twenty_four = (twelve & 0x0000_0fff_0000_0fff) | (twelve & 0x0fff_0000_0fff_0000) >> 4;
    (twenty_four & 0xff_ffff) | (twenty_four >> 32) << 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamp_is_read_as_it_was_written() {
        let mut message = [0; 64];
        for stamp in [
            Stamp { sender: 0, sequence: 0 },
            Stamp { sender: 4095, sequence: 0xf_ffff_ffff },
            Stamp { sender: 9, sequence: 123_456_789 },
        ] {
            stamp.write(987_654_321, &mut message);
            assert_eq!(Stamp::read(&message), stamp);
            assert_eq!(Stamp::micros(&message), 987_654_321);
        }
    }

    #[test]
    fn frames_are_split_for_every_division_into_reads() {
        let payloads = [vec![b'a'; 5], vec![b'b'; 300], vec![b'c'; 70_000]];
        let mut wire = Vec::new();
        payloads.iter().for_each(|payload| frame(BINARY, NO_KEY, payload, &mut wire));
        let mut reader = FrameReader::default();
        let mut scratch = vec![0; 1 << 20];
        let mut lengths = Vec::new();
        for mut chunk in wire.chunks(777) {
            let result =
                reader.read(&mut chunk, &mut scratch, |_, payload| lengths.push(payload.len()));
            assert!(result.is_ok());
        }
        assert_eq!(lengths, [5, 300, 70_000]);
    }
}
