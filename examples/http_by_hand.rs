//! HTTP is text over TCP: a web server with nothing but a socket. It answers 200 at `/` and 404 elsewhere.
//!
//!     cargo run --example http_by_hand [PORT]
//!     curl -v http://127.0.0.1:8080/
//!
//! It closes the connection after each answer and knows no more of HTTP than a demonstration needs. What is missing, and
//! why it matters, fills the rest of this crate.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "http_by_hand: {error}"); // Nobody reads it? Then nobody misses it.
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    let port = match std::env::args().nth(1) {
        Some(text) => text
            .parse()
            .map_err(|_| format!("`{text}` is no port; give a number up to 65535"))?,
        None => 8080,
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .map_err(|error| format!("cannot listen on port {port}: {error}; 0 is any free port"))?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;

    loop {
        let (client, address) = listener.accept()?;
        // A browser opens connections that it may need later and says nothing on them: the others must not wait for it.
        thread::spawn(move || {
            if let Err(error) = answer(client) {
                let _ = writeln!(io::stderr(), "{address}: {error}");
            }
        });
    }
}

fn answer(mut client: TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    // The request line (`GET / HTTP/1.1`), header fields, an empty line.
    let mut lines = BufReader::new(&client).take(16 * 1024).lines();
    let request_line = lines.next().unwrap_or(Ok(String::new()))?;
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}

    let words: Vec<&str> = request_line.split(' ').collect();
    let (status, body) = match words[..] {
        ["GET" | "HEAD", "/", _] => ("200 OK", "<h1>Hello</h1>\n"),
        [_, _, "HTTP/1.0" | "HTTP/1.1"] => ("404 Not Found", "<h1>Nothing here</h1>\n"),
        _ => ("400 Bad Request", "<h1>That is not HTTP</h1>\n"),
    };
    // The status line, header fields, an empty line, the body. Lines end with CR LF. `Content-Length` counts the bytes
    // of the body: that is how the client knows where the answer ends.
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes())?;
    if words[0] != "HEAD" {
        client.write_all(body.as_bytes())?;
    }
    // A socket that is closed with bytes unread is reset, and a reset can destroy the answer on its way. So: say "that
    // was all", then listen to the end.
    client.shutdown(Shutdown::Write)?;
    io::copy(&mut client.take(1024 * 1024), &mut io::sink())?;
    Ok(())
}
