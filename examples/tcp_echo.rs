//! A server over TCP that sends back what it receives, one client at a time.
//!
//!     cargo run --example tcp_echo [PORT]
//!
//! A server makes four system calls before it hears a word: `socket` and `bind` (to an address), `listen` (clients may
//! connect from now on, the kernel lets them wait), `accept` (the next of them, as a socket of its own). The first
//! three are `TcpListener::bind`.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "tcp_echo: {error}"); // Nobody reads it? Then nobody misses it.
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
    // "Address in use": another program listens on this port, perhaps an earlier run of this one. Connections of a run
    // that has ended block the port for a minute too (TIME_WAIT), unless the socket option SO_REUSEADDR says that they
    // need not; on Unix, `bind` sets it. Two listeners at once are refused with it as well.
    let listener = TcpListener::bind(("127.0.0.1", port))
        .map_err(|error| format!("cannot listen on port {port}: {error}; 0 is any free port"))?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;

    loop {
        let (client, address) = listener.accept()?;
        // Whatever happens to one client is no reason to leave the others alone.
        if let Err(error) = echo(client) {
            writeln!(io::stderr(), "{address}: {error}")?;
        }
    }
}

/// Sends back what comes, until the client has said all. Meanwhile the other clients wait.
fn echo(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        // TCP carries a stream of bytes, not messages: one `read` may return half of what the client wrote at once, or
        // several writes together. 0 bytes are the end: the client has closed its side.
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        // `write` may take only some of the bytes; `write_all` goes on until it has taken all. "Broken pipe" or
        // "connection reset" here: the client is gone.
        client.write_all(&buffer[..count])?;
    }
}
