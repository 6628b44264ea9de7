//! Peer server: tokio-tungstenite, one task per connection, one unbounded channel per member.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

const WELCOME: &str = "Welcome to Corvusoft Chat!";
const MESSAGE_MAX: usize = 17 << 20;

/// Every read clears the whole buffer: the default of 128 KiB makes small reads slow, and each of
/// thousands of clients would hold it.
const READ_BUFFER: usize = 32 << 10;

/// The maximum number of messages that are sent with one flush.
const BATCH_MAX: usize = 1024;

type Socket = WebSocketStream<TcpStream>;

#[tokio::main]
async fn main() -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let listener = socket.listen(4096)?;
    eprintln!("listening on http://{}/", listener.local_addr()?);
    let room = Arc::new(Room::default());
    for id in 0.. {
        let (stream, _) = listener.accept().await?;
        let room = Arc::clone(&room);
        tokio::spawn(async move {
            let _ = serve(stream, &room, id).await; // a failed connection only ends this task
        });
    }
    Ok(())
}

async fn serve(stream: TcpStream, room: &Room, id: u64) -> tungstenite::Result<()> {
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
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    let socket = tokio_tungstenite::accept_hdr_async_with_config(stream, choose, Some(config));
    let mut socket = socket.await?;
    if path == "/echo" {
        return echo(socket).await;
    }
    let result = chat(&mut socket, room, id).await;
    room.members().remove(&id);
    result
}

async fn chat(socket: &mut Socket, room: &Room, id: u64) -> tungstenite::Result<()> {
    let (sender, mut outgoing) = unbounded_channel();
    let mut batch = Vec::with_capacity(BATCH_MAX);
    room.members().insert(id, sender); // before the welcome, so that no later message is missed
    socket.send(WELCOME.into()).await?;
    loop {
        // Both branches can be cancelled without loss, so one task reads and writes.
        tokio::select! {
            received = socket.next() => match received {
                None => return Ok(()),
                Some(Ok(text @ Message::Text(_))) => room.broadcast(&text),
                Some(Ok(Message::Binary(_))) => break,
                Some(other) => drop(other?), // the library answers pings and closes
            },
            _ = outgoing.recv_many(&mut batch, BATCH_MAX) => {
                for text in batch.drain(..) {
                    socket.feed(text).await?;
                }
                socket.flush().await?;
            }
        }
    }
    room.members().remove(&id);
    let close = CloseFrame { code: CloseCode::Unsupported, reason: "text only".into() };
    socket.close(Some(close)).await?;
    while let Some(Ok(_)) = socket.next().await {} // until the close of the client is received
    Ok(())
}

async fn echo(mut socket: Socket) -> tungstenite::Result<()> {
    while let Some(first) = socket.next().await {
        // All messages that are already received are answered with the same flush.
        let mut next = Some(first);
        while let Some(message) = next {
            let message = message?;
            if message.is_text() || message.is_binary() {
                socket.feed(message).await?;
            }
            next = socket.next().now_or_never().flatten();
        }
        socket.flush().await?;
    }
    Ok(())
}

/// The channels of all members. A broadcast holds the lock, so all members receive the texts in the same
/// order.
#[derive(Default)]
struct Room(Mutex<HashMap<u64, UnboundedSender<Message>>>);

impl Room {
    fn members(&self) -> MutexGuard<'_, HashMap<u64, UnboundedSender<Message>>> {
        self.0.lock().expect("no task panics while it holds the room")
    }

    fn broadcast(&self, text: &Message) {
        for sender in self.members().values() {
            let _ = sender.send(text.clone()); // fails for a member that is leaving
        }
    }
}
