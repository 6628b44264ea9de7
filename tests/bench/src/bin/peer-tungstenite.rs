//! Peer server: tungstenite, one thread per connection, one locked map of writers.
//!
//! The naive form of a threaded chat: the thread that receives a text writes it to every member, one
//! flush each.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::StatusCode;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

const WELCOME: &str = "Welcome to Corvusoft Chat!";
const MESSAGE_MAX: usize = 17 << 20;

/// Every read clears the whole buffer: the default of 128 KiB makes small reads slow, and each of
/// thousands of clients would hold it.
const READ_BUFFER: usize = 32 << 10;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    eprintln!("listening on http://{}/", listener.local_addr()?);
    let room = Arc::new(Room::default());
    for id in 0.. {
        let (stream, _) = listener.accept()?;
        let room = Arc::clone(&room);
        thread::Builder::new().stack_size(128 << 10).spawn(move || {
            let _ = serve(stream, &room, id); // a failed connection only ends this thread
        })?;
    }
    Ok(())
}

fn serve(stream: TcpStream, room: &Room, id: u64) -> Result<(), Box<dyn std::error::Error>> {
    stream.set_nodelay(true)?;
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the library's signature")]
    let choose = |request: &Request, response: Response| {
        path = request.uri().path().to_owned();
        if path == "/chat" || path == "/echo" {
            return Ok(response);
        }
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = StatusCode::NOT_FOUND;
        Err(refusal)
    };
    let socket = tungstenite::accept_hdr_with_config(stream, choose, Some(config()));
    let mut socket = socket.map_err(|error| error.to_string())?; // the error itself holds `path`
    if path == "/chat" {
        let reader_stream = ReadOnly(socket.get_ref().try_clone()?);
        let reader = WebSocket::from_raw_socket(reader_stream, Role::Server, Some(config()));
        let mut members = room.members(); // no message is sent between the welcome and joining
        socket.send(WELCOME.into())?;
        members.insert(id, socket);
        drop(members);
        let result = chat(reader, room, id);
        room.members().remove(&id);
        return Ok(result?);
    }
    loop {
        let message = socket.read()?;
        if message.is_text() || message.is_binary() {
            socket.send(message)?;
        }
    }
}

fn chat(mut reader: WebSocket<ReadOnly>, room: &Room, id: u64) -> tungstenite::Result<()> {
    loop {
        match reader.read()? {
            text @ Message::Text(_) => {
                room.members().retain(|_, member| member.send(text.clone()).is_ok());
            }
            Message::Ping(payload) => room.send_to(id, Message::Pong(payload))?,
            Message::Close(frame) => return room.send_to(id, Message::Close(frame)),
            Message::Binary(_) => {
                let reason = "text only".into();
                let close = CloseFrame { code: CloseCode::Unsupported, reason };
                room.send_to(id, Message::Close(Some(close)))?;
                room.members().remove(&id);
                while reader.read().is_ok() {} // until the close of the client is received
            }
            Message::Pong(_) | Message::Frame(_) => (),
        }
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX))
}

/// The writers of all members. A thread writes only while it holds the lock, so all members receive the
/// texts in the same order.
#[derive(Default)]
struct Room(Mutex<HashMap<u64, WebSocket<TcpStream>>>);

impl Room {
    fn members(&self) -> MutexGuard<'_, HashMap<u64, WebSocket<TcpStream>>> {
        self.0.lock().expect("no thread panics while it holds the room")
    }

    fn send_to(&self, id: u64, message: Message) -> tungstenite::Result<()> {
        self.members().get_mut(&id).map_or(Ok(()), |member| member.send(message))
    }
}

/// The stream of a member for reading only. It discards the pongs that the library writes, because they
/// could be written inside a frame of another thread; the room sends the pongs instead.
struct ReadOnly(TcpStream);

impl Read for ReadOnly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for ReadOnly {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
