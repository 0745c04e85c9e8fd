//! The echo server again, with a thread for each client, so that none waits for another.
//!
//!     cargo run --example tcp_echo_threads [PORT]
//!
//! Good for hundreds of clients. Each thread costs its stack and the kernel's work to switch to it, and nothing bounds
//! their number here: for tens of thousands of clients a server lets the kernel watch the sockets (epoll), as the one in
//! this crate does.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "tcp_echo_threads: {error}"); // Nobody reads it? Then nobody misses it.
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    let port = match std::env::args().nth(1) {
        Some(text) => text
            .parse()
            .map_err(|_| format!("`{text}` is no port; give a number up to 65535"))?,
        None => 9000,
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .map_err(|error| format!("cannot listen on port {port}: {error}; 0 is any free port"))?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;

    loop {
        let accepted = listener.accept().and_then(|(client, address)| {
            // `Builder::spawn` returns an error where `thread::spawn` would panic: when there is no room for another.
            thread::Builder::new().spawn(move || match echo(client) {
                Ok(bytes) => writeln!(io::stderr(), "{address}: {bytes} bytes"),
                Err(error) => writeln!(io::stderr(), "{address}: {error}"),
            })
        });
        if let Err(error) = accepted {
            // Too many open files, say. It passes when some client goes; until then trying at full speed helps nobody.
            writeln!(io::stderr(), "a client cannot be served: {error}")?;
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Sends back what comes, until the client has said all; returns how many bytes that were.
fn echo(mut client: TcpStream) -> io::Result<u64> {
    let mut buffer = [0; 4096];
    let mut bytes = 0;
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(bytes);
        }
        client.write_all(&buffer[..count])?;
        bytes += count as u64;
    }
}
