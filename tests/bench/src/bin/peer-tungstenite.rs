//! Peer server: tungstenite, one thread per connection, one locked map of writers.
//!
//! The naive form of a threaded chat: whoever hears a text writes it to everyone, one flush each.

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

/// Every read clears as much memory as it may fill: the default of 128 KiB makes small reads dear,
/// and thousands of clients would each hold it.
const READ_BUFFER: usize = 32 << 10;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    eprintln!("listening on http://{}/", listener.local_addr()?);
    let room = Arc::new(Room::default());
    for id in 0.. {
        let (stream, _) = listener.accept()?;
        let room = Arc::clone(&room);
        thread::Builder::new().stack_size(128 << 10).spawn(move || {
            let _ = serve(stream, &room, id); // a client that broke off is nobody's fault here
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
        let listening = Listening(socket.get_ref().try_clone()?);
        let reader = WebSocket::from_raw_socket(listening, Role::Server, Some(config()));
        let mut members = room.members(); // nobody speaks between the welcome and the joining
        socket.send(WELCOME.into())?;
        members.insert(id, socket);
        drop(members);
        let parting = chat(reader, room, id);
        room.members().remove(&id);
        return Ok(parting?);
    }
    loop {
        let message = socket.read()?;
        if message.is_text() || message.is_binary() {
            socket.send(message)?;
        }
    }
}

fn chat(mut reader: WebSocket<Listening>, room: &Room, id: u64) -> tungstenite::Result<()> {
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
                while reader.read().is_ok() {} // until the client's close has come
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

/// The writers of all members; whoever holds the lock writes, so all see one order of texts.
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

/// A member's stream for reading only: the library's own pongs would cut into a text being written
/// by another thread, so they end here and the room sends them.
struct Listening(TcpStream);

impl Read for Listening {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Listening {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
