//! A slow handler that delays nobody else.
//!
//!     cargo run --example blocking_handler [PORT]
//!     curl http://127.0.0.1:8080/slow & curl http://127.0.0.1:8080/
//!
//! A handler may block: on a database, a lock, a file, another server. It is an ordinary function, and there is nothing
//! to await. The server has as many threads at work as the machine has cores; where one of them stays in a handler, one
//! from the reserve takes its place within milliseconds. `Config::threads` says how many there are in all, and so how
//! many handlers may block at the same time before others wait for them.

use std::error::Error;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use sockeye::{Router, Server};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    writeln!(io::stdout(), "listening on {}", server.local_addrs()[0])?;
    server.serve(router())?;
    Ok(())
}

fn router() -> Router {
    Router::new().get("/", |_| "at once\n").get("/slow", |_| {
        // In earnest: a query that takes its time.
        thread::sleep(Duration::from_secs(3));
        "after three seconds\n"
    })
}
