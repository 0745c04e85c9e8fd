//! A server over UDP that sends back what it receives.
//!
//!     cargo run --example udp_echo [PORT]
//!
//! No connection, no `listen` and no `accept`: a datagram comes whole or not at all, says where it is from, and may be
//! lost, doubled or overtaken. One socket serves every client.

use std::error::Error;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::process::ExitCode;

// No datagram is longer.
const DATAGRAM_BYTES_MAX: usize = 65_535;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "udp_echo: {error}"); // Nobody reads it? Then nobody misses it.
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
    // UDP's ports are not TCP's: this one may run beside `tcp_echo` on the same number.
    let socket = UdpSocket::bind(("127.0.0.1", port))
        .map_err(|error| format!("cannot listen on port {port}: {error}; 0 is any free port"))?;
    writeln!(io::stdout(), "listening on {}", socket.local_addr()?)?;

    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        // What does not fit into the buffer would be cut off without a word.
        let (count, client) = socket.recv_from(&mut buffer)?;
        // To whom it may concern: nobody says whether it arrives.
        if let Err(error) = socket.send_to(&buffer[..count], client) {
            writeln!(io::stderr(), "{client}: {error}")?;
        }
    }
}
