//! Baseline server: TCP echo without WebSocket, one thread per connection. It shows the cost of the
//! sockets alone.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

const READ_BUFFER: usize = 256 << 10;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    eprintln!("listening on http://{}/", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept()?;
        thread::Builder::new().stack_size(128 << 10).spawn(move || {
            let _ = echo(stream); // a failed connection only ends this thread
        })?;
    }
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; READ_BUFFER];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count])?,
        }
    }
}
