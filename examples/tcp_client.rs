//! A client over TCP: connects, sends what it reads from standard input, prints what comes back.
//!
//!     echo hello | cargo run --example tcp_client HOST:PORT

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    match talk() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "tcp_client: {error}"); // Nobody reads it? Then nobody misses it.
            ExitCode::FAILURE
        }
    }
}

fn talk() -> Result<(), Box<dyn Error>> {
    let address = std::env::args()
        .nth(1)
        .filter(|address| address.contains(':'))
        .ok_or("say where to: tcp_client HOST:PORT, such as 127.0.0.1:9000")?;
    // A name is looked up, and each of its addresses is tried. "Connection refused": the machine is there and nothing
    // listens on that port.
    let mut server = TcpStream::connect(&address).map_err(|error| {
        format!("cannot connect to {address}: {error}; is the server running there?")
    })?;

    // A connection has two directions, and neither waits for the other: one thread sends, this one receives.
    let mut sending = server.try_clone()?;
    thread::spawn(move || {
        // An error is no news: the server has closed, which the receiving thread sees too.
        let _ = io::copy(&mut io::stdin(), &mut sending);
        // "I have said all", while the other direction stays open. Without it an echo server would wait for more.
        let _ = sending.shutdown(Shutdown::Write);
    });

    let mut buffer = [0; 4096];
    loop {
        let count = server.read(&mut buffer)?;
        if count == 0 {
            return Ok(()); // The server has said all. Dropping the socket closes it.
        }
        io::stdout().write_all(&buffer[..count])?;
        io::stdout().flush()?;
    }
}
