//! The doors: they open, somebody comes in, they close.

use std::fs;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use std::{panic, thread};

use super::heartbeat::Heartbeat;
use super::inspect::Inspection;
use super::limits::{
    ACCEPT_PAUSE, CLOSE_TIMEOUT, DESCRIPTORS_RESERVED, LOG_FLUSH_TIMEOUT, SHUTDOWN_TIMEOUT,
    STOP_ROUND,
};
use super::log::{Event, Log, Peer};
use super::reject::{Rejected, Rejector};
use super::{
    CountGuard, Options, Server, broadcast, close_for_shutdown, session, spawn_essential,
    thread_pool,
};
use crate::sys;
use crate::wire::refusal::Refusal;

/// Serves until a signal says stop. Returns when every member has left, or been given its time.
///
/// # Errors
/// A sentence: an address that cannot be listened on, or a system without threads to spare.
pub fn serve(options: Options) -> Result<(), String> {
    let listeners: Vec<TcpListener> =
        options.bind.iter().map(|address| listen(*address)).collect::<Result<_, _>>()?;
    let signals = sys::stop_signals().map_err(|error| format!("cannot hear signals: {error}"))?;
    let no_thread = |error| format!("cannot start a thread: {error}");
    let log = Log::start(options.log_format, options.verbosity).map_err(no_thread)?;
    let server = Server::new(options, log);
    install_panic_hook(server);
    warn_descriptor_limit(server);
    start(server, listeners).map_err(no_thread)?;
    wait_for_stop(server, signals);
    Ok(())
}

fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "cannot listen on {address}: another program does; stop it, or choose another port \
             with --bind"
        ),
        io::ErrorKind::PermissionDenied => {
            format!("cannot listen on {address}: ports below 1024 need privileges")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("cannot listen on {address}: this machine does not have that address")
        }
        _ => format!("cannot listen on {address}: {error}"),
    })
}

/// All threads that are there from the beginning.
fn start(server: &'static Server, listeners: Vec<TcpListener>) -> io::Result<()> {
    let Server { options, log, metrics, chat, echo, inspect_queue, .. } = server;
    broadcast::start(server)?;
    Heartbeat { rooms: [chat, echo, &inspect_queue.room], limits: options.limits, log }.start()?;
    if options.inspection != Inspection::Off {
        inspect_queue.start(metrics)?;
        log.log(None, Event::Warning(options.inspection.advice()));
    }
    let rejector: &Rejector = Box::leak(Box::default());
    spawn_essential("rejector", || rejector.run())?;
    for listener in listeners {
        let address = listener.local_addr()?;
        spawn_essential("listener", move || accept(server, &listener, rejector))?;
        log.log(None, Event::Listening(address));
    }
    Ok(())
}

/// Lets in whoever comes, one after another.
fn accept(server: &'static Server, listener: &TcpListener, rejector: &Rejector) -> ! {
    let mut is_failing = false;
    loop {
        match listener.accept() {
            Ok((stream, address)) => {
                is_failing = false;
                start_connection(server, stream, address, rejector);
            }
            Err(error) if concerns_one_client(&error) => (),
            Err(error) => {
                // Out of descriptors or memory: told once, tried again without spinning.
                if !is_failing {
                    is_failing = true;
                    let what = format!("cannot accept connections: {error}");
                    server.log.log(None, Event::Failed(&what));
                }
                thread::sleep(ACCEPT_PAUSE);
            }
        }
    }
}

fn concerns_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | WouldBlock)
}

/// A thread for the client, or a word why not.
fn start_connection(
    server: &'static Server,
    stream: TcpStream,
    address: SocketAddr,
    rejector: &Rejector,
) {
    static IDS: AtomicU64 = AtomicU64::new(1);
    let peer = Peer { id: IDS.fetch_add(1, Ordering::Relaxed), address };
    server.metrics.connections.add(1);
    let stream = Arc::new(stream);
    let theirs = Arc::clone(&stream);
    let refusal = match CountGuard::below(server.options.limits.max_connections, &server.open) {
        _ if server.is_stopping() => Refusal::Stopping,
        None => Refusal::Full,
        Some(place) => {
            let body = move || {
                let _place = place;
                session::serve(server, peer, theirs);
            };
            let Err(error) = thread_pool::spawn(peer, "client", body) else { return };
            let what = format!("cannot start a thread: {error}");
            server.log.log(Some(peer), Event::Failed(&what));
            Refusal::Full
        }
    };
    server.metrics.refuse(refusal);
    server.log.log(Some(peer), Event::Refused(refusal, ""));
    rejector.call(Rejected { stream, refusal, until: Instant::now() + CLOSE_TIMEOUT });
}

/// A panic is one line in the log, and the end of one thread.
fn install_panic_hook(server: &'static Server) {
    panic::set_hook(Box::new(|panic| {
        server.metrics.panics.add(1);
        let what = panic.payload_as_str().unwrap_or("no message").replace('\n', " ");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = format!("{what}, in thread {}, {place}", thread_pool::duty());
        server.log.log(None, Event::Panicked(&what));
        server.log.flush(LOG_FLUSH_TIMEOUT); // it may be the last
    }));
}

/// One descriptor a connection: says so when there are fewer.
fn warn_descriptor_limit(server: &Server) {
    let wanted = server.options.limits.max_connections.saturating_add(DESCRIPTORS_RESERVED);
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = limit.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    if let Some(soft) = soft
        && soft < wanted
    {
        let lower = match soft.saturating_sub(DESCRIPTORS_RESERVED) {
            0 => String::new(),
            fewer => format!(", or lower --max-connections to {fewer}"),
        };
        let advice = format!(
            "only {soft} descriptors for --max-connections {}: raise the limit to {wanted} \
             (`ulimit -n {wanted}`, or LimitNOFILE={wanted} in a systemd unit){lower}",
            server.options.limits.max_connections,
        );
        server.log.log(None, Event::Warning(&advice));
    }
}

/// The first signal says goodbye to everyone; the second ends it all.
fn wait_for_stop(server: &'static Server, mut signals: UnixStream) {
    let mut octet = [0];
    while let Err(error) = signals.read_exact(&mut octet) {
        if error.kind() != io::ErrorKind::Interrupted {
            break; // cannot be: the other end is never closed
        }
    }
    server.is_stopping.store(true, Ordering::SeqCst);
    let upgraded = || server.upgraded.load(Ordering::SeqCst);
    server.log.log(None, Event::Stopping(upgraded()));
    server.broadcast_queue.wait_until_delivered(server.broadcast_queue.last_enqueued());
    let mut members = Vec::new();
    for room in [&server.chat, &server.echo, &server.inspect_queue.room] {
        room.snapshot(&mut members);
        members.iter().for_each(close_for_shutdown);
    }

    let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
    let _ = signals.set_read_timeout(Some(STOP_ROUND)); // else the first read waits
    while 0 < upgraded() && Instant::now() < deadline {
        if matches!(signals.read(&mut octet), Ok(1..)) {
            server.log.flush(LOG_FLUSH_TIMEOUT);
            process::exit(1);
        }
    }
    server.log.log(None, Event::Stopped(upgraded()));
    server.log.flush(LOG_FLUSH_TIMEOUT);
}

#[cfg(test)]
mod tests {
    use super::super::log::{Format, Verbosity};
    use super::*;
    use std::io::Write;
    use std::time::Duration;

    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    fn server() -> (&'static Server, SocketAddr) {
        let options = Options { welcome: "hi".to_owned(), ..Options::default() };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(options, Log::start(Format::Text, Verbosity::Quiet).unwrap());
        start(server, vec![listener]).unwrap();
        (server, address)
    }

    fn enter(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(REQUEST.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(&[0x81, 2, b'h', b'i']) {
            let mut octet = [0];
            stream.read_exact(&mut octet).unwrap();
            head.push(octet[0]);
        }
        stream
    }

    /// Text frames with a key of zeros, so that the payload can be read here.
    fn say(stream: &mut TcpStream, text: &str) {
        let length = u8::try_from(text.len()).unwrap();
        stream.write_all(&[0x81, 0x80 | length, 0, 0, 0, 0]).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn hostile_row_26_a_panic_ends_its_own_connection_alone() {
        let (server, address) = server();
        let (mut victim, mut honest) = (enter(address), enter(address));
        let usual_hook = panic::take_hook();
        install_panic_hook(server);
        say(&mut victim, "panic");
        let mut last_words = Vec::new();
        victim.read_to_end(&mut last_words).unwrap();
        panic::set_hook(usual_hook);
        assert_eq!(last_words[0], 0x88);
        assert_eq!(last_words[2..4], 1011u16.to_be_bytes());
        victim.write_all(&[0xaa; 64]).unwrap(); // the end is that of one direction: no reset answers
        assert!(victim.take_error().unwrap().is_none());
        assert_eq!(server.metrics.panics.get(), 1);
        drop(victim);
        let deadline = Instant::now() + Duration::from_secs(10);
        while server.open.load(Ordering::SeqCst) != 1 || server.upgraded.load(Ordering::SeqCst) != 1
        {
            assert!(Instant::now() < deadline, "its places are free again");
            thread::yield_now();
        }
        let mut members = Vec::new();
        server.chat.snapshot(&mut members);
        assert_eq!(members.len(), 1, "who is still in the room");

        say(&mut honest, "still here");
        let mut heard = [0; 12];
        honest.read_exact(&mut heard).unwrap();
        assert_eq!(heard, *b"\x81\x0astill here");
        let mut newcomer = enter(address);
        say(&mut newcomer, "me too");
        honest.read_exact(&mut heard[..8]).unwrap();
        assert_eq!(heard[..8], *b"\x81\x06me too");
    }
}
