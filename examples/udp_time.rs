//! A time server: a datagram is a format in the manner of `strftime`, its answer the time in that format. An empty
//! one means `%Y-%m-%d %X`.
//!
//!     cargo run --example udp_time [PORT]
//!     echo 'day %j of %Y' | cargo run --example udp_client 127.0.0.1:9000

use std::error::Error;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::process::ExitCode;

use jiff::Zoned;
use jiff::fmt::strtime;

// The answer has to fit into a datagram too, and a short question must not make a long answer.
const FORMAT_BYTES_MAX: usize = 256;
const ANSWER_BYTES_MAX: usize = 1024;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "udp_time: {error}"); // Nobody reads it? Then nobody misses it.
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

    // One byte more than is allowed, so that a format that is too long can be told from one that just fits.
    let mut buffer = [0; FORMAT_BYTES_MAX + 1];
    loop {
        let (count, client) = socket.recv_from(&mut buffer)?;
        let answer = time(&buffer[..count], &Zoned::now())
            .unwrap_or_else(|complaint| format!("error: {complaint}"));
        if let Err(error) = socket.send_to(answer.as_bytes(), client) {
            writeln!(io::stderr(), "{client}: {error}")?;
        }
    }
}

/// The time in this format, or what is wrong with the format. What a client sends is never trusted to make sense: in
/// some languages and libraries a format that makes none is a crash, and one client ends the server for all.
fn time(format: &[u8], now: &Zoned) -> Result<String, String> {
    let format = match format.trim_ascii_end() {
        [] => b"%Y-%m-%d %X",
        format if format.len() > FORMAT_BYTES_MAX => {
            return Err(format!("a format has at most {FORMAT_BYTES_MAX} bytes"));
        }
        format => format,
    };
    match strtime::format(format, now) {
        Ok(time) if time.len() > ANSWER_BYTES_MAX => Err(format!(
            "the time has more than {ANSWER_BYTES_MAX} bytes in this format"
        )),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}
