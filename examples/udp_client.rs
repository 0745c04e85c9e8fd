//! A client over UDP: sends each line of standard input as a datagram and prints the answer to it.
//!
//!     echo hello | cargo run --example udp_client HOST:PORT
//!
//! An empty line is an empty datagram, which is one all the same.

use std::error::Error;
use std::io::{self, BufRead, ErrorKind, Write};
use std::net::{ToSocketAddrs, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match talk() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "udp_client: {error}"); // Nobody reads it? Then nobody misses it.
            ExitCode::FAILURE
        }
    }
}

fn talk() -> Result<(), Box<dyn Error>> {
    let name = std::env::args()
        .nth(1)
        .filter(|address| address.contains(':'))
        .ok_or("say where to: udp_client HOST:PORT, such as 127.0.0.1:9000")?;
    let server = name
        .to_socket_addrs()
        .map_err(|error| format!("cannot find {name}: {error}"))?
        .next()
        .ok_or("the name has no address")?;
    // Any free port of ours, in the family of the server's address.
    let any = if server.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(any)?;
    // Sends nothing. From now on the socket takes datagrams from this server alone, and hears when none listens there.
    socket.connect(server)?;
    // An answer may be lost. Who waits for ever, waits for ever.
    socket.set_read_timeout(Some(PATIENCE))?;

    let mut buffer = vec![0; 65_535];
    for line in io::stdin().lock().split(b'\n') {
        socket.send(&line?)?;
        let count = socket
            .recv(&mut buffer)
            .map_err(|error| match error.kind() {
                ErrorKind::ConnectionRefused => format!("nobody listens on {server}"),
                ErrorKind::WouldBlock => format!("no answer from {server} within {PATIENCE:?}"),
                _ => error.to_string(),
            })?;
        io::stdout().write_all(&buffer[..count])?;
        writeln!(io::stdout())?;
    }
    Ok(())
}
