//! A protocol of one datagram: a name is answered with `Hello <name>`.
//!
//!     cargo run --example udp_hello [PORT]
//!
//! Beside `tcp_hello`: no thread for each client and no end of a line, since a datagram is a message already. And no
//! `welcome`, since nobody is known before the first datagram.

use std::error::Error;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::process::ExitCode;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "udp_hello: {error}"); // Nobody reads it? Then nobody misses it.
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
    let socket = UdpSocket::bind(("127.0.0.1", port))
        .map_err(|error| format!("cannot listen on port {port}: {error}; 0 is any free port"))?;
    writeln!(io::stdout(), "listening on {}", socket.local_addr()?)?;

    // Longer names are cut off here: the rest of a datagram that does not fit is gone.
    let mut buffer = [0; 1024];
    loop {
        let (count, client) = socket.recv_from(&mut buffer)?;
        let name = String::from_utf8_lossy(&buffer[..count]);
        // Anyone can write any sender on a datagram. An answer that is hardly longer than the question is of no use to
        // those who let servers flood a third.
        if let Err(error) = socket.send_to(format!("Hello {}", name.trim()).as_bytes(), client) {
            writeln!(io::stderr(), "{client}: {error}")?;
        }
    }
}
