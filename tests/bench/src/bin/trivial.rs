//! The trivial source: it writes prepared frames and does nothing else, so what a load generator
//! gets from it is what the generator can take.
//!
//! The text `blast MEMBERS` from any client starts it, once so many members are here.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

const WELCOME: &str = "Welcome to Corvusoft Chat!";
const PAYLOAD: usize = 64;
const FRAME: usize = 2 + PAYLOAD;

/// As many whole frames as 64 KiB hold.
const CHUNK: usize = (64 << 10) / FRAME * FRAME;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    eprintln!("listening on http://{}/", listener.local_addr()?);
    let room = Arc::new(Mutex::new(Room::default()));
    loop {
        let (stream, _) = listener.accept()?;
        let room = Arc::clone(&room);
        thread::Builder::new().stack_size(128 << 10).spawn(move || {
            let _ = serve(stream, &room); // a client that broke off is nobody's fault here
        })?;
    }
}

/// Who waits for the blast, and how many it takes to start it.
#[derive(Default)]
struct Room {
    members: Vec<TcpStream>,
    wanted: Option<usize>,
}

impl Room {
    fn blast_when_complete(&mut self) {
        if self.wanted.is_some_and(|wanted| wanted <= self.members.len()) {
            self.wanted = None;
            let members = std::mem::take(&mut self.members);
            thread::spawn(|| blast(members));
        }
    }
}

fn serve(stream: TcpStream, room: &Mutex<Room>) -> Result<(), Box<dyn std::error::Error>> {
    stream.set_nodelay(true)?;
    let writer = stream.try_clone()?;
    let mut socket = tungstenite::accept(stream)?;
    socket.send(WELCOME.into())?;
    let locked = || room.lock().expect("no thread panics while it holds the room");
    let mut joined = locked();
    joined.members.push(writer);
    joined.blast_when_complete();
    drop(joined);
    loop {
        let message = socket.read()?;
        if let Some(members) = message.to_text().ok().and_then(|text| text.strip_prefix("blast ")) {
            let mut room = locked();
            room.wanted = Some(members.parse()?);
            room.blast_when_complete();
        }
    }
}

/// The same chunks to all members in turn, until the last of them is gone.
fn blast(mut members: Vec<TcpStream>) {
    let mut chunk = vec![0; CHUNK];
    let mut sequence = 0;
    while !members.is_empty() {
        for frame in chunk.chunks_exact_mut(FRAME) {
            let (header, payload) = frame.split_at_mut(2);
            header.copy_from_slice(&[0b1_000_0001, 0b0_1000000]); // a final text of 64 octets
            fill(payload.try_into().expect("the rest of a frame"), sequence);
            sequence += 1;
        }
        members.retain_mut(|member| member.write_all(&chunk).is_ok());
    }
}

/// Two characters of sender, always 0; six of sequence number, 6 bits each, the highest first.
fn fill(payload: &mut [u8; PAYLOAD], sequence: u64) {
    *payload = [b'0'; PAYLOAD];
    for (place, character) in payload[2..8].iter_mut().rev().enumerate() {
        *character += (sequence >> (6 * place) & 0b11_1111) as u8;
    }
}
