//! # Behind a proxy
//!
//! TLS and HTTP/2 are the work of a proxy in front of this server: nginx, caddy, a load balancer. Three things
//! change. [`Request::peer`](crate::Request::peer) is the proxy; who the client is, the proxy says in a field, and only
//! the proxy may be believed:
//!
//! ```
//! use std::net::IpAddr;
//!
//! use sockeye::Request;
//!
//! /// The client's address. The last element of `X-Forwarded-For` is our proxy's; those before it are anyone's.
//! fn client(request: &Request) -> Option<IpAddr> {
//!     let peer = request.peer()?.ip();
//!     if !peer.is_loopback() {
//!         return Some(peer);
//!     }
//!     let last = request.headers().elements("X-Forwarded-For").last()?;
//!     std::str::from_utf8(last).ok()?.parse().ok()
//! }
//!
//! let request = Request::get("/")
//!     .with_peer(([127, 0, 0, 1], 50312).into())
//!     .with_header("X-Forwarded-For", "::1, 192.0.2.7");
//! assert_eq!(client(&request), Some([192, 0, 2, 7].into()));
//! ```
//!
//! The proxy keeps connections open and uses them again, so [`Config::idle_timeout`](crate::Config::idle_timeout) must be
//! longer than the proxy's own, or now and then a request meets a connection that has just been closed. And the server
//! listens on 127.0.0.1, so that nobody goes past the proxy:
//!
//! ```
//! use std::time::Duration;
//!
//! use sockeye::{Config, Server};
//!
//! // nginx keeps a connection that is idle for 60 s.
//! let config = Config { idle_timeout: Duration::from_secs(75), ..Config::default() };
//! let server = Server::bind("127.0.0.1:0")?.with_config(config);
//! assert!(server.local_addrs()[0].ip().is_loopback());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! For nginx, in a `server` block. Without the first two lines it opens a connection for every request; without the last
//! one it gathers the pieces of a stream until they fill a page, except those of events, which ask it not to:
//!
//! ```text
//! proxy_http_version 1.1;
//! proxy_set_header Connection "";
//! proxy_set_header Host $host;
//! proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
//! proxy_pass http://sockeye;      # upstream sockeye { server 127.0.0.1:8080; keepalive 32; }
//! proxy_buffering off;
//! ```
