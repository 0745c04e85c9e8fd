//! A protocol of one's own: lines. The server says `welcome`, answers each name with `Hello <name>`, and ends the
//! connection on `exit`. A thread for each client.
//!
//!     cargo run --example tcp_hello [PORT]
//!
//! A protocol says where a message ends. Here that is the line's end; HTTP's head ends with an empty line.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

// A client that never ends its line must not fill the memory.
const LINE_BYTES_MAX: u64 = 1024;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "tcp_hello: {error}"); // Nobody reads it? Then nobody misses it.
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
        let (client, address) = listener.accept()?;
        thread::spawn(move || {
            if let Err(error) = greet(client) {
                // "Broken pipe": written to a client that is gone. That ends this thread and nothing else.
                let _ = writeln!(io::stderr(), "{address}: {error}");
            }
        });
    }
}

fn greet(client: TcpStream) -> io::Result<()> {
    // Reads in large pieces and hands out lines; what is behind a line stays in it for the next. A second `BufReader` on
    // the same socket would not see those bytes.
    let mut lines = BufReader::new(&client);
    writeln!(&client, "welcome")?;
    loop {
        let mut line = Vec::new();
        let count = lines
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if count == 0 {
            return Ok(());
        }
        if count as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
            return writeln!(&client, "a name has at most {LINE_BYTES_MAX} bytes");
        }
        // Bytes need not be text, and telnet ends its lines with CR LF.
        match String::from_utf8_lossy(&line).trim() {
            "exit" => return Ok(()),
            name => writeln!(&client, "Hello {name}")?,
        }
    }
}
