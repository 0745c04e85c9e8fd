//! A directory as a web site, with a route beside it, a page of one's own for what is missing, and a line for each
//! request.
//!
//!     cargo run --example static_site [PORT] [DIRECTORY]
//!
//! Types, ranges, `ETag`, 304, redirects to a directory's slash and listings come with `StaticFiles`; nothing outside
//! the directory is ever served.

use std::error::Error;
use std::io::{self, Write};
use std::time::Instant;

use sockeye::{Handler, Next, Request, Response, Router, Server, StaticFiles, StatusCode};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let directory = std::env::args().nth(2).unwrap_or("public".to_owned());
    let site = site(&directory)?;
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    writeln!(io::stdout(), "listening on {}", server.local_addrs()[0])?;
    server.serve(site)?;
    Ok(())
}

fn site(directory: &str) -> io::Result<impl Handler> {
    let router = Router::new()
        .get("/health", |_| "well\n")
        .fallback(StaticFiles::new(directory)?);
    // The last one is the outermost: it measures the other too.
    Ok(router.wrap(own_404).wrap(log))
}

/// A page of our own in the place of a 404.
fn own_404(request: &Request, next: Next<'_>) -> Response {
    match next.run(request) {
        response if response.status() == StatusCode::NOT_FOUND => {
            Response::html("<h1>Gone fishing</h1>\n<p><a href=\"/\">Home</a></p>\n")
                .with_status(StatusCode::NOT_FOUND)
        }
        response => response,
    }
}

fn log(request: &Request, next: Next<'_>) -> Response {
    let start = Instant::now();
    let response = next.run(request);
    let (status, method, path) = (response.status(), request.method(), request.path());
    // A log that cannot be written is no reason to refuse the request.
    let _ = writeln!(
        io::stderr(),
        "{status} {method} {path} {:?}",
        start.elapsed()
    );
    response
}
