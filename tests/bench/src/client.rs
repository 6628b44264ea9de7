//! The client's side of a connection, with no more than a load needs.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// In place of a path: no WebSocket, but a server that returns what it gets.
pub const PLAIN: &str = "plain TCP";

/// What every server here says first on `/chat`.
const WELCOME: &[u8] = b"\x81\x1aWelcome to Corvusoft Chat!";

/// How long one connection waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A masking key is to be random for the sake of proxies; for the server any key is the same work.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Masks nothing: for what comes back from a server that knows no frames.
pub const NO_KEY: [u8; 4] = [0; 4];

/// Connects and upgrades. On `/chat` the welcome is read; nothing else has come then.
///
/// # Errors
/// What is wrong with the connection, or with the answer.
pub fn join(address: SocketAddr, path: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    if path == PLAIN {
        return Ok(stream);
    }
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?; // in one packet, as every real client sends it
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
    io::Error::other(format!("an unexpected answer: {}", shown.escape_ascii()))
}

/// Appends a whole masked frame.
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

/// Masks the beginning of a payload, or all of it.
pub fn mask(key: [u8; 4], payload: &mut [u8]) {
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(octet, key)| *octet ^= key);
}

/// Opcode and payload of the first whole frame in `octets`, and what lies behind it. Masked payload
/// stays masked: it comes back from a server that only returns bytes.
pub fn first_frame(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[first, second], rest) = octets.split_first_chunk()?;
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

/// Takes a stream of frames apart.
#[derive(Default)]
pub struct Inbox {
    /// The beginning of a frame that has not come whole.
    rest: Vec<u8>,
}

impl Inbox {
    /// Reads all that is there from a socket that does not wait, and gives each whole frame.
    ///
    /// # Errors
    /// The connection ended or broke.
    pub fn read(
        &mut self,
        stream: &mut impl Read,
        scratch: &mut [u8],
        mut each: impl FnMut(u8, &[u8]),
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
            let is_all = kept + length < scratch.len();
            let mut octets = &scratch[..kept + length];
            while let Some((opcode, payload, rest)) = first_frame(octets) {
                each(opcode, payload);
                octets = rest;
            }
            self.rest.clear();
            self.rest.extend_from_slice(octets);
            if is_all {
                return Ok(());
            }
        }
    }
}

/// What a message carries, in characters that every server passes on and every log prints as they are:
/// 6 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Below 4096.
    pub sender: usize,
    /// From 0, without gaps, for each sender; below 2^36.
    pub sequence: u64,
}

/// Octets of a stamp and of the time behind it.
pub const STAMP: usize = 8 + 8;

impl Stamp {
    /// Writes the stamp and a time, in microseconds, into the first octets of a message.
    pub fn write(self, micros: u64, message: &mut [u8]) {
        write_bits((self.sender as u64) << 36 | self.sequence, &mut message[..8]);
        write_bits(micros, &mut message[8..STAMP]);
    }

    /// The stamp of a message; it is at least [`STAMP`] octets long.
    pub fn read(message: &[u8]) -> Self {
        let bits = read_bits(message);
        Self { sender: (bits >> 36) as usize, sequence: bits & 0xf_ffff_ffff }
    }

    /// The time behind it.
    pub fn micros(message: &[u8]) -> u64 {
        read_bits(&message[8..])
    }
}

fn write_bits(bits: u64, octets: &mut [u8]) {
    for (place, octet) in octets.iter_mut().rev().enumerate() {
        *octet = b'0' + (bits >> (6 * place) & 0x3f) as u8;
    }
}

/// Eight times 6 bits, two, four and eight at a time: this is done for every delivery.
fn read_bits(octets: &[u8]) -> u64 {
    let eight = octets.first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets));
    let six = eight.wrapping_sub(0x3030_3030_3030_3030) & 0x3f3f_3f3f_3f3f_3f3f;
    let twelve = (six & 0x003f_003f_003f_003f) | (six & 0x3f00_3f00_3f00_3f00) >> 2;
    let twenty_four = (twelve & 0x0000_0fff_0000_0fff) | (twelve & 0x0fff_0000_0fff_0000) >> 4;
    (twenty_four & 0xff_ffff) | (twenty_four >> 32) << 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
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
    fn frames_are_taken_apart_wherever_the_stream_is_cut() {
        let payloads = [vec![b'a'; 5], vec![b'b'; 300], vec![b'c'; 70_000]];
        let mut wire = Vec::new();
        payloads.iter().for_each(|payload| frame(BINARY, NO_KEY, payload, &mut wire));
        let mut inbox = Inbox::default();
        let mut scratch = vec![0; 1 << 20];
        let mut lengths = Vec::new();
        for mut chunk in wire.chunks(777) {
            let ended =
                inbox.read(&mut chunk, &mut scratch, |_, payload| lengths.push(payload.len()));
            assert!(ended.is_ok());
        }
        assert_eq!(lengths, [5, 300, 70_000]);
    }
}
