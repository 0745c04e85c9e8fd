//! A request: what a client said, once all of its head is there.

use std::net::SocketAddr;
use std::time::Instant;

use http::Method;

use super::{Headers, Target};

/// The protocol version a message speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0: one request a connection, unless the client asks for more.
    Http10,
    /// HTTP/1.1, and any later minor version, which is to be read as this one (RFC 9112 §2.3).
    Http11,
}

impl Version {
    /// As it stands in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}

/// One request. The body is there only when a handler is asked for a whole answer; see [`crate::Handler`].
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) version: Version,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) received: Option<Instant>,
}

impl Default for Request {
    fn default() -> Request {
        Request {
            method: Method::GET,
            target: Target::default(),
            version: Version::Http11,
            headers: Headers::new(),
            body: Vec::new(),
            peer: None,
            received: None,
        }
    }
}

impl Request {
    /// A request made by hand, as tests and benches want it: HTTP/1.1, no fields, no body.
    ///
    /// # Panics
    ///
    /// If `target` is no request target for this method.
    pub fn new(method: Method, target: &str) -> Request {
        let target = match Target::parse(target.as_bytes(), &method) {
            Ok(target) => target,
            Err(error) => panic!("{target:?}: {error}"),
        };
        Request {
            method,
            target,
            ..Request::default()
        }
    }

    /// `GET target`; panics like [`Request::new`].
    pub fn get(target: &str) -> Request {
        Request::new(Method::GET, target)
    }

    /// The same request with one more field.
    ///
    /// # Panics
    ///
    /// If it is no valid field.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Request {
        self.headers
            .append(name, value)
            .expect("a field made by hand is valid");
        self
    }

    /// The same request with this body.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }

    /// Forgets everything but the peer, and keeps the memory for the next request.
    pub(crate) fn clear(&mut self) {
        self.method = Method::GET;
        self.target
            .assign("/", &Method::GET)
            .expect("the root is a target");
        self.version = Version::Http11;
        self.headers.refill(b"", std::iter::empty());
        self.body.clear();
    }

    /// The method; case-sensitive.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What is asked for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The version the client speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The header fields, in the order they came.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The whole body; empty while only the head is known.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether there is a body: one that has come, or one that follows the head.
    ///
    /// How long it will be is the wire's business, which has already judged the fields that say so.
    pub fn has_body(&self) -> bool {
        !self.body.is_empty()
            || self.headers.contains("Transfer-Encoding")
            || self
                .headers
                .all("Content-Length")
                .any(|length| length != b"0")
    }

    /// The client's address, where there is a network.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// A time at which all of the request that was looked at had been received. What was true of the world later may be
    /// answered. `None` for a request made by hand.
    pub fn received(&self) -> Option<Instant> {
        self.received
    }

    /// The host the client means, with its port if it wrote one: the target's where it names one, else that of
    /// the `Host` field (RFC 9112 §3.2.2).
    pub fn authority(&self) -> Option<&str> {
        self.target.authority().or_else(|| self.headers.get("Host"))
    }
}
