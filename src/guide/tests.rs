//! # Tests
//!
//! A router is a function from a request to a response: no socket, no port, no thread.
//!
//! ```
//! use sockeye::{Handler, Request, Router, StatusCode};
//!
//! let router = Router::new().post("/shout", |request| request.text().to_uppercase());
//! let response = router.handle(&Request::post("/shout").with_body("hello"));
//! assert_eq!(response.status(), StatusCode::OK);
//! assert_eq!(response.into_text()?, "HELLO");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! [`into_text`](crate::Response::into_text) and [`into_bytes`](crate::Response::into_bytes) read any body: bytes, files,
//! streams. What only sockets show is tested on port 0, which is any free one:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use sockeye::{Router, Server};
//!
//! let server = Server::bind("127.0.0.1:0")?;
//! let (address, stopper) = (server.local_addrs()[0], server.stopper());
//! let serving = std::thread::spawn(|| server.serve(Router::new().get("/", |_| "hello\n")));
//!
//! let mut client = TcpStream::connect(address)?;
//! client.write_all(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.ends_with("\r\n\r\nhello\n"));
//!
//! stopper.stop();
//! serving.join().expect("it does not panic")?;
//! # Ok::<(), std::io::Error>(())
//! ```
