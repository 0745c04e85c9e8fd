//! A web server with this library: two routes of one's own, and their test.
//!
//!     cargo run --example hello [PORT]
//!     curl http://127.0.0.1:8080/hello/Ada
//!     cargo test --example hello

use std::error::Error;
use std::io::{self, Write};

use sockeye::{Router, Server};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    // If another program listens there, `main` returns the error, which says so.
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    writeln!(io::stdout(), "listening on {}", server.local_addrs()[0])?;
    server.serve(router())?;
    Ok(())
}

fn router() -> Router {
    Router::new()
        .get("/", |_| "welcome\n")
        .get("/hello/{name}", |request| {
            format!("Hello {}\n", request.param("name"))
        })
}

#[cfg(test)]
mod tests {
    use sockeye::{Handler, Request};

    #[test]
    fn ada_is_greeted() {
        // No socket, no thread, no port: a router is a function from a request to a response.
        let response = super::router().handle(&Request::get("/hello/Ada"));
        assert_eq!(response.into_text().unwrap(), "Hello Ada\n");
    }
}
