//! A server that only writes prepared frames, so a load generator that reads from it measures its own limit.
//!
//! The text `blast MEMBERS` from a client starts it as soon as this number of members is connected.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

const WELCOME: &str = "Welcome to Corvusoft Chat!";
const PAYLOAD: usize = 64;
const FRAME: usize = 2 + PAYLOAD;

/// The largest number of complete frames that fits in 64 KiB.
const CHUNK: usize = (64 << 10) / FRAME * FRAME;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    eprintln!("listening on http://{}/", listener.local_addr()?);
    let room = Arc::new(Mutex::new(Room::default()));
    loop {
        let (stream, _) = listener.accept()?;
        let room = Arc::clone(&room);
        thread::Builder::new().stack_size(128 << 10).spawn(move || {
            let _ = serve(stream, &room); // a failed connection only ends this thread
        })?;
    }
}

/// The waiting members, and the number of members that starts the sending.
#[derive(Default)]
struct Room {
    members: Vec<TcpStream>,
    start_count: Option<usize>,
}

impl Room {
    fn start_when_complete(&mut self) {
        if self.start_count.is_some_and(|start_count| start_count <= self.members.len()) {
            self.start_count = None;
            let members = std::mem::take(&mut self.members);
            thread::spawn(|| send_frames(members));
        }
    }
}

fn serve(stream: TcpStream, room: &Mutex<Room>) -> Result<(), Box<dyn std::error::Error>> {
    stream.set_nodelay(true)?;
    let writer = stream.try_clone()?;
    let mut socket = tungstenite::accept(stream)?;
    socket.send(WELCOME.into())?;
    let lock = || room.lock().expect("no thread panics while it holds the room");
    let mut joined = lock();
    joined.members.push(writer);
    joined.start_when_complete();
    drop(joined);
    loop {
        let message = socket.read()?;
        if let Some(members) = message.to_text().ok().and_then(|text| text.strip_prefix("blast ")) {
            let mut room = lock();
            room.start_count = Some(members.parse()?);
            room.start_when_complete();
        }
    }
}

/// Writes the same chunks to all members in turn, until all are disconnected.
fn send_frames(mut members: Vec<TcpStream>) {
    let mut chunk = vec![0; CHUNK];
    let mut sequence = 0;
    while !members.is_empty() {
        for frame in chunk.chunks_exact_mut(FRAME) {
            let (header, payload) = frame.split_at_mut(2);
            header.copy_from_slice(&[0b1_000_0001, 0b0_1000000]); // FIN, text, 64 bytes
            write_stamp(payload.try_into().expect("the chunk has frames of this size"), sequence);
            sequence += 1;
        }
        members.retain_mut(|member| member.write_all(&chunk).is_ok());
    }
}

/// Writes the stamp: two characters for the sender, always 0, and six for the sequence number, 6 bits
/// each, the highest first.
fn write_stamp(payload: &mut [u8; PAYLOAD], sequence: u64) {
    *payload = [b'0'; PAYLOAD];
    for (place, character) in payload[2..8].iter_mut().rev().enumerate() {
        *character += (sequence >> (6 * place) & 0b11_1111) as u8;
    }
}
