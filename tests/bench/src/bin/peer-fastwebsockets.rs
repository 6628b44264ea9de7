//! Peer server: fastwebsockets over hyper, one unbounded channel per client.
//!
//! Reading a frame cannot be cancelled, so each client has a task that reads and a task that writes.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use fastwebsockets::upgrade::{UpgradeFut, is_upgrade_request, upgrade};
use fastwebsockets::{
    FragmentCollectorRead, Frame, OpCode, Payload, WebSocketError, WebSocketWrite,
};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWrite, BufWriter};
use tokio::net::TcpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const WELCOME: &str = "Welcome to Corvusoft Chat!";
const MESSAGE_MAX: usize = 17 << 20;

/// The buffer size for the writes of a client.
const WRITE_BUFFER: usize = 64 << 10;
const BATCH_MAX: usize = 1024;

#[tokio::main]
async fn main() -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let listener = socket.listen(4096)?;
    eprintln!("listening on http://{}/", listener.local_addr()?);
    let room = Arc::new(Room::default());
    for id in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let room = Arc::clone(&room);
        let service = service_fn(move |request| handle_request(request, Arc::clone(&room), id));
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    }
    Ok(())
}

async fn handle_request(
    mut request: Request<Incoming>,
    room: Arc<Room>,
    id: u64,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let path = match request.uri().path() {
        "/chat" if is_upgrade_request(&request) => Path::Chat,
        "/echo" if is_upgrade_request(&request) => Path::Echo,
        _ => {
            let mut refusal = Response::default();
            *refusal.status_mut() = StatusCode::NOT_FOUND;
            return Ok(refusal);
        }
    };
    let (response, socket) = upgrade(&mut request)?;
    tokio::spawn(async move {
        let _ = run_session(socket, path, &room, id).await; // a failed connection only ends the session
        room.members().remove(&id);
    });
    Ok(response)
}

async fn run_session(
    socket: UpgradeFut,
    path: Path,
    room: &Room,
    id: u64,
) -> Result<(), WebSocketError> {
    let (mut reader, writer) = socket.await?.split(|stream| {
        let (read, write) = tokio::io::split(stream);
        (read, BufWriter::with_capacity(WRITE_BUFFER, write))
    });
    reader.set_max_message_size(MESSAGE_MAX + 1); // the library refuses a message of exactly the limit
    let mut reader = FragmentCollectorRead::new(reader);

    let (sender, outgoing) = unbounded_channel();
    tokio::spawn(write(writer, outgoing));
    if path == Path::Chat {
        let mut members = room.members(); // no message is sent between the welcome and joining
        let _ = sender.send(Outgoing::Shared(WELCOME.into()));
        members.insert(id, sender.clone());
    }
    let mut reply = |frame| {
        let sent = sender.send(Outgoing::Own(frame));
        async { sent }
    };
    loop {
        let frame: Frame<'static> = reader.read_frame(&mut reply).await?;
        match (frame.opcode, path) {
            (OpCode::Text, Path::Chat) => room.broadcast(&to_shared(frame.payload)),
            (OpCode::Binary, Path::Chat) => {
                room.members().remove(&id);
                let _ = sender.send(Outgoing::Own(Frame::close(1003, b"text only")));
            }
            (OpCode::Text | OpCode::Binary, Path::Echo) => {
                let _ = sender.send(Outgoing::Own(frame));
            }
            (OpCode::Close, _) => return Ok(()), // answered through `reply`
            (OpCode::Continuation | OpCode::Ping | OpCode::Pong, _) => (),
        }
    }
}

/// Sends all queued messages with one flush; ends when all senders are dropped.
async fn write<S: AsyncWrite + Unpin>(
    mut writer: WebSocketWrite<S>,
    mut outgoing: UnboundedReceiver<Outgoing>,
) -> Result<(), WebSocketError> {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while outgoing.recv_many(&mut batch, BATCH_MAX).await != 0 {
        for message in batch.drain(..) {
            match message {
                Outgoing::Shared(text) => {
                    writer.write_frame(Frame::text(Payload::Borrowed(&text))).await?;
                }
                Outgoing::Own(frame) => writer.write_frame(frame).await?,
            }
        }
        writer.flush().await?;
    }
    Ok(())
}

/// Makes a payload that many members share without a copy.
fn to_shared(payload: Payload<'_>) -> Bytes {
    match payload {
        Payload::Bytes(bytes) => bytes.freeze(),
        other => Vec::from(other).into(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Path {
    Chat,
    Echo,
}

enum Outgoing {
    /// A text that goes to every member.
    Shared(Bytes),
    /// An echo, a pong or a close.
    Own(Frame<'static>),
}

/// The channels of all members. A broadcast holds the lock, so all members receive the texts in the same
/// order.
#[derive(Default)]
struct Room(Mutex<HashMap<u64, UnboundedSender<Outgoing>>>);

impl Room {
    fn members(&self) -> MutexGuard<'_, HashMap<u64, UnboundedSender<Outgoing>>> {
        self.0.lock().expect("no task panics while it holds the room")
    }

    fn broadcast(&self, text: &Bytes) {
        for sender in self.members().values() {
            let _ = sender.send(Outgoing::Shared(text.clone())); // fails for a member that is leaving
        }
    }
}
