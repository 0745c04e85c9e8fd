//! What `curl -v` does: sends the lines of a request and shows what comes back, `>` for what goes and `<` for the
//! head of the answer.
//!
//!     cargo run --example http_client_by_hand HOST:PORT [PATH]

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::ExitCode;

fn main() -> ExitCode {
    match ask() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "http_client_by_hand: {error}"); // Nobody reads it? Then nobody misses it.
            ExitCode::FAILURE
        }
    }
}

fn ask() -> Result<(), Box<dyn Error>> {
    let address = std::env::args()
        .nth(1)
        .filter(|address| address.contains(':'))
        .ok_or("say where to: http_client_by_hand HOST:PORT [PATH], such as 127.0.0.1:8080 /")?;
    let path = std::env::args().nth(2).unwrap_or("/".to_owned());
    if !path.starts_with('/') || path.contains(|c: char| c.is_ascii_control() || c == ' ') {
        // A line's end in the path would be the end of the request line, and what follows a field of somebody's choice.
        return Err(format!("`{path}` is no path: it begins with / and has no blanks").into());
    }
    let mut server = TcpStream::connect(&address).map_err(|error| {
        format!("cannot connect to {address}: {error}; is the server running there?")
    })?;

    // `Host` says which site is meant: many live behind one address, and HTTP/1.1 demands it. `close` asks the server to
    // end the connection after its answer, so that the answer ends where the connection does.
    let lines = [
        format!("GET {path} HTTP/1.1"),
        format!("Host: {address}"),
        "User-Agent: by-hand".to_owned(),
        "Accept: */*".to_owned(),
        "Connection: close".to_owned(),
        String::new(),
    ];
    let mut out = io::stdout();
    for line in &lines {
        writeln!(out, "> {line}")?;
    }
    // In one write: small writes one after another make some servers wait for 40 ms.
    server.write_all((lines.join("\r\n") + "\r\n").as_bytes())?;

    let mut answer = BufReader::new(server);
    loop {
        let mut line = Vec::new();
        answer.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err("the server closed the connection before its answer was complete".into());
        }
        let line = line.trim_ascii_end();
        writeln!(out, "< {}", line.escape_ascii())?;
        if line.is_empty() {
            break;
        }
    }
    // The body, as it travels: with `Transfer-Encoding: chunked` one sees the sizes between the pieces.
    io::copy(&mut answer, &mut out)?;
    Ok(())
}
