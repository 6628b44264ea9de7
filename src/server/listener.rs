//! The start and the stop of the server: it listens, accepts connections and starts their threads, and shuts
//! down upon a signal.

use std::fs;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use std::{panic, thread};

use super::guard::CountGuard;
use super::heartbeat::Heartbeat;
use super::limits::{
    ACCEPT_PAUSE, DESCRIPTORS_RESERVED, LOG_FLUSH_TIMEOUT, SHUTDOWN_POLL, SHUTDOWN_TIMEOUT,
};
use super::log::{Log, LogEvent};
use super::options::ServeOptions;
use super::publisher::Publisher;
use super::reject::Rejector;
use super::session;
use super::spawn::spawn_essential;
use super::state::Server;
use super::thread_pool;
use crate::net::stream::Peer;
use crate::sys;
use crate::wire::refusal::Refusal;

/// Serves until a signal to stop is received and all members have left, or their time is over.
///
/// # Errors
/// The server cannot listen on an address, or the system refuses a thread or the signals. The error is a
/// sentence for the operator; `main` adds the exit status.
pub fn serve(options: ServeOptions) -> Result<(), String> {
    let listeners: Vec<TcpListener> =
        options.bind.iter().map(|address| listen(*address)).collect::<Result<_, _>>()?;
    let signals =
        sys::stop_signals().map_err(|error| format!("cannot receive signals: {error}"))?;
    let no_thread = |error| format!("cannot start a thread: {error}");
    let log = Log::start(options.log_format, options.verbosity).map_err(no_thread)?;
    let server = Server::new(options, log);
    install_panic_hook(server);
    warn_descriptor_limit(server);
    start(server, listeners).map_err(no_thread)?;
    wait_for_stop(server, signals);
    Ok(())
}

/// Listens on `address`. The error is a sentence that says what the operator can do.
fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there; stop it, or choose another port with --bind"
            }
            io::ErrorKind::PermissionDenied => "ports below 1024 need privileges",
            io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
            _ => &error.to_string(),
        };
        format!("cannot listen on {address}: {reason}")
    })
}

/// Starts the threads that run from start to end of the program, the listeners last.
///
/// # Errors
/// The system refuses a thread.
fn start(server: &'static Server, listeners: Vec<TcpListener>) -> io::Result<()> {
    let Server { options, log, .. } = server;
    spawn_essential("broadcaster", || server.broadcast_queue.run())?;
    spawn_essential("heartbeat", move || Heartbeat(server).run())?;
    if let Some(warning) = options.inspection.warning() {
        spawn_essential("publisher", move || Publisher::default().run(server))?;
        log.log(None, LogEvent::Warning(&warning));
    }
    let rejector: &Rejector = Box::leak(Box::new(Rejector::start()?));
    for listener in listeners {
        let address = listener.local_addr()?;
        spawn_essential("listener", move || accept(server, &listener, rejector))?;
        log.log(None, LogEvent::Listening(address));
    }
    Ok(())
}

/// The body of a listener thread: accepts connections, one after the other.
pub(super) fn accept(server: &'static Server, listener: &TcpListener, rejector: &Rejector) -> ! {
    let mut is_failing = false;
    loop {
        match listener.accept() {
            Ok((stream, address)) => {
                is_failing = false;
                let peer = Peer { id: next_id(), address };
                let stream = Arc::new(stream);
                if let Err(refusal) = start_connection(server, peer, &stream) {
                    server.metrics.refusal(refusal.code());
                    server.log.log(Some(peer), LogEvent::Refused(refusal, ""));
                    rejector.reject(stream, refusal);
                }
            }
            Err(error) if concerns_one_client(&error) => (),
            Err(error) => {
                // No descriptors or no memory: logged once, and tried again without spinning.
                if !is_failing {
                    is_failing = true;
                    let sentence = format!("cannot accept connections: {error}");
                    server.log.log(None, LogEvent::Failed(&sentence));
                }
                thread::sleep(ACCEPT_PAUSE);
            }
        }
    }
}

/// The number of the next connection, from 1.
fn next_id() -> u64 {
    static IDS: AtomicU64 = AtomicU64::new(1);
    IDS.fetch_add(1, Ordering::Relaxed)
}

/// Whether a failed accept concerns one client: the next accept can succeed at once.
fn concerns_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | WouldBlock)
}

/// Starts a thread for the client.
///
/// # Errors
/// [`Refusal::Stopping`], or [`Refusal::Full`] above `--max-connections` or without a thread or its memory.
pub(super) fn start_connection(
    server: &'static Server,
    peer: Peer,
    stream: &Arc<TcpStream>,
) -> Result<(), Refusal> {
    server.metrics.connections.add(1);
    let max_connections = server.options.limits.max_connections;
    let open = CountGuard::new(&server.open);
    if server.is_stopping() {
        return Err(Refusal::Stopping);
    }
    if max_connections < server.open.load(Ordering::SeqCst) {
        return Err(Refusal::Full);
    }
    let stream = Arc::clone(stream);
    let body = move || {
        let _open = open;
        session::serve(server, peer, stream);
    };
    thread_pool::spawn(peer, "client", body).map_err(|error| {
        let sentence = format!("cannot start a thread: {error}");
        server.log.log(Some(peer), LogEvent::Failed(&sentence));
        Refusal::Full
    })
}

/// A panic is one line in the log, and ends one thread.
fn install_panic_hook(server: &'static Server) {
    panic::set_hook(Box::new(|panic| {
        server.metrics.panics.add(1);
        let message = panic.payload_as_str().unwrap_or("no message").replace('\n', " ");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let sentence = format!("{message}, in thread {}, {place}", thread_pool::job_name());
        server.log.log(None, LogEvent::Panicked(&sentence));
        server.log.flush(LOG_FLUSH_TIMEOUT); // the program may end now
    }));
}

/// Warns if there are fewer descriptors than connections: each connection needs one.
fn warn_descriptor_limit(server: &Server) {
    let max_connections = server.options.limits.max_connections;
    let needed = max_connections.saturating_add(DESCRIPTORS_RESERVED);
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = limit.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    let Some(soft) = soft.filter(|soft| *soft < needed) else { return };
    let lower = match soft.saturating_sub(DESCRIPTORS_RESERVED) {
        0 => String::new(),
        fewer => format!(", or lower --max-connections to {fewer}"),
    };
    let warning = format!(
        "only {soft} descriptors for --max-connections {max_connections}: raise the limit to {needed} \
         (`ulimit -n {needed}`, or LimitNOFILE={needed} in a systemd unit){lower}"
    );
    server.log.log(None, LogEvent::Warning(&warning));
}

/// Waits for a signal, closes every member of the rooms, and waits for the answers. HTTP connections end with
/// the process. A second signal ends the program at once, with status 1.
pub(super) fn wait_for_stop(server: &'static Server, mut signals: UnixStream) {
    let mut signal = [0];
    let _ = signals.read_exact(&mut signal); // it does not fail: the other end is never closed
    server.stopping.store(true, Ordering::SeqCst);
    let upgraded = || server.upgraded.load(Ordering::SeqCst);
    server.log.log(None, LogEvent::Stopping(upgraded()));
    server.broadcast_queue.wait_until_delivered(server.broadcast_queue.last_enqueued());
    let mut members = Vec::new();
    for room in server.rooms {
        room.snapshot(&mut members);
        members.iter().for_each(|member| member.close_for_shutdown());
    }

    let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
    let _ = signals.set_read_timeout(Some(SHUTDOWN_POLL)); // without it the first read blocks
    while 0 < upgraded() && Instant::now() < deadline {
        if matches!(signals.read(&mut signal), Ok(1..)) {
            server.log.flush(LOG_FLUSH_TIMEOUT);
            process::exit(1);
        }
    }
    server.log.log(None, LogEvent::Stopped(upgraded()));
    server.log.flush(LOG_FLUSH_TIMEOUT);
}

#[cfg(test)]
mod tests {
    use super::super::http::HttpConnection;
    use super::super::log::{Format, Verbosity};
    use super::super::resource::Resource;
    use super::*;
    use std::io::Write;
    use std::time::Duration;

    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    fn server() -> (&'static Server, SocketAddr) {
        let options = ServeOptions { welcome: "hi".to_owned(), ..ServeOptions::default() };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(options, Log::start(Format::Text, Verbosity::Quiet).unwrap());
        start(server, vec![listener]).unwrap();
        (server, address)
    }

    /// Sends the request and reads up to the welcome.
    fn enter(mut stream: TcpStream) -> TcpStream {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(REQUEST.as_bytes()).unwrap();
        let mut received = Vec::new();
        while !received.ends_with(&[0x81, 2, b'h', b'i']) {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            received.push(byte[0]);
        }
        stream
    }

    fn connect(address: SocketAddr) -> TcpStream {
        enter(TcpStream::connect(address).unwrap())
    }

    /// A member whose thread panics when it has received bytes.
    fn connect_victim(server: &'static Server) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, address) = listener.accept().unwrap();
        let peer = Peer { id: next_id(), address };
        let stream = Arc::new(stream);
        let open = CountGuard::new(&server.open);
        let body = move || {
            let _open = open;
            let mut connection = HttpConnection::new(server, peer, Arc::clone(&stream));
            let upgrade = connection.run().unwrap();
            session::contain_panic(&stream, || {
                let session = session::open_session(Box::new(connection), upgrade).unwrap();
                let _ = (&*session.stream).read(&mut [0]);
                panic!("a member's message causes it")
            });
        };
        thread_pool::spawn(peer, "client", body).unwrap();
        enter(client)
    }

    /// Sends a text frame whose masking key is zero, so that the payload is readable here.
    fn send_text(stream: &mut TcpStream, text: &str) {
        let length = u8::try_from(text.len()).unwrap();
        stream.write_all(&[0x81, 0x80 | length, 0, 0, 0, 0]).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn hostile_row_26_a_panic_ends_its_own_connection_alone() {
        let (server, address) = server();
        let (mut victim, mut honest) = (connect_victim(server), connect(address));
        let usual_hook = panic::take_hook();
        install_panic_hook(server);
        send_text(&mut victim, "panic");
        let mut last_frame = Vec::new();
        victim.read_to_end(&mut last_frame).unwrap();
        panic::set_hook(usual_hook);
        assert_eq!(last_frame[0], 0x88);
        assert_eq!(last_frame[2..4], 1011u16.to_be_bytes());
        victim.write_all(&[0xaa; 64]).unwrap(); // only the server's direction is closed: no reset
        assert!(victim.take_error().unwrap().is_none());
        assert_eq!(server.metrics.panics.get(), 1);
        drop(victim);
        let deadline = Instant::now() + Duration::from_secs(10);
        while server.open.load(Ordering::SeqCst) != 1 || server.upgraded.load(Ordering::SeqCst) != 1
        {
            assert!(Instant::now() < deadline, "its counts are released");
            thread::yield_now();
        }
        let mut members = Vec::new();
        server.room(Resource::Chat).snapshot(&mut members);
        assert_eq!(members.len(), 1, "members in the room");

        send_text(&mut honest, "still here");
        let mut received = [0; 12];
        honest.read_exact(&mut received).unwrap();
        assert_eq!(received, *b"\x81\x0astill here");
        let mut newcomer = connect(address);
        send_text(&mut newcomer, "me too");
        honest.read_exact(&mut received[..8]).unwrap();
        assert_eq!(received[..8], *b"\x81\x06me too");
    }
}
