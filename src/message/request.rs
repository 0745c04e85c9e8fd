//! A request, once all of its head is received.

use std::net::SocketAddr;
use std::time::Instant;

use http::Method;

use super::collected::Collected;
use super::{Destination, Headers, Target};

/// The protocol version of a message.
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
///
/// A clone shares fields and body with the original, and costs little.
///
/// ```
/// use sockeye::Request;
///
/// let request = Request::get("/search?q=red+salmon&page=2").with_header("Cookie", "theme=dark; id=7");
/// assert_eq!(request.path(), "/search");
/// assert_eq!(request.query("q").as_deref(), Some("red salmon"));
/// assert_eq!(request.cookie("id"), Some("7"));
/// assert_eq!(request.headers().get("cookie"), Some("theme=dark; id=7"));
/// ```
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) version: Version,
    pub(crate) headers: Headers,
    pub(crate) body: Collected,
    /// There if the body has not come yet, or not to memory.
    pub(crate) destination: Option<Destination>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) received: Option<Instant>,
    route: Route,
}

/// What routers have found out about a request on its way to a handler.
#[derive(Debug, Clone, Default)]
struct Route {
    /// How many bytes of the path are prefixes under which handlers are nested.
    prefix_bytes: usize,
    /// Names and decoded values, the innermost router's last.
    params: Vec<(String, String)>,
}

impl Default for Request {
    fn default() -> Request {
        Request {
            method: Method::GET,
            target: Target::default(),
            version: Version::Http11,
            headers: Headers::new(),
            body: Collected::default(),
            destination: None,
            peer: None,
            received: None,
            route: Route::default(),
        }
    }
}

impl Request {
    /// A request made by hand, as tests and benches want it: HTTP/1.1, no fields, no body.
    ///
    /// # Panics
    ///
    /// If `target` is no request target for this method.
    ///
    /// ```
    /// use sockeye::{Method, Request};
    ///
    /// let request = Request::new(Method::PUT, "/notes/7").with_body("buy fish");
    /// assert_eq!((request.method(), request.body()), (&Method::PUT, &b"buy fish"[..]));
    /// ```
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

    /// `POST target`; panics like [`Request::new`].
    pub fn post(target: &str) -> Request {
        Request::new(Method::POST, target)
    }

    /// The same request with one more field.
    ///
    /// # Panics
    ///
    /// If the field is invalid.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Request {
        self.headers
            .append(name, value)
            .expect("a field made by hand is valid");
        self
    }

    /// The same request with this body.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into().into();
        self
    }

    /// The same request from a client at this address.
    pub fn with_peer(mut self, peer: SocketAddr) -> Request {
        self.peer = Some(peer);
        self
    }

    /// The same request as the handler of a route sees it: with so many more bytes of the path taken off as prefix, and
    /// these parameters besides those that are there.
    pub(crate) fn with_route(
        mut self,
        prefix_bytes: usize,
        params: impl Iterator<Item = (String, String)>,
    ) -> Request {
        self.route.prefix_bytes += prefix_bytes;
        self.route.params.extend(params);
        self
    }

    /// The same request for another path, and perhaps a query, of the handler that is asked: `path` follows the
    /// [prefix](Request::prefix), and what routers found out about the other path is forgotten. `None` if that is no path.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let asked = Request::get("/").with_header("Accept", "text/html");
    /// let page = asked.with_path("/index.html").expect("that is a path");
    /// assert_eq!((page.path(), page.headers().len()), ("/index.html", 1));
    /// ```
    pub fn with_path(&self, path: &str) -> Option<Request> {
        let target = format!("{}{path}", self.prefix());
        let target = Target::parse(target.as_bytes(), &Method::GET).ok()?;
        path.starts_with('/').then(|| Request {
            target,
            route: Route {
                prefix_bytes: self.route.prefix_bytes,
                params: Vec::new(),
            },
            ..self.clone()
        })
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
        self.destination = None;
    }

    /// The method; case-sensitive.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path as the client wrote it, percent-encoded, without the prefix under which this handler is
    /// [nested](crate::Router::nest). It begins with `/`, or is `*` or (for CONNECT) empty.
    pub fn path(&self) -> &str {
        let path = self.target.path();
        match self.route.prefix_bytes {
            0 => path,
            bytes if bytes == path.len() => "/",
            bytes => &path[bytes..],
        }
    }

    /// The beginning of the target's path that [`Request::path`] leaves out, as the client wrote it; empty where
    /// nothing is nested. A link to another path of the same handler begins with it.
    pub fn prefix(&self) -> &str {
        match self.route.prefix_bytes {
            0 => "",
            bytes => &self.target.path()[..bytes],
        }
    }

    /// The parameter of this name in the route's path, decoded: it may hold any character, slashes too.
    ///
    /// # Panics
    ///
    /// If the route that led here has no parameter of this name.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router};
    ///
    /// let router = Router::new().get("/users/{id}", |request| format!("user {}", request.param("id")));
    /// let response = router.handle(&Request::get("/users/a%20b"));
    /// assert_eq!(response.into_text()?, "user a b");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn param(&self, name: &str) -> &str {
        match self.params().find(|(other, _)| *other == name) {
            Some((_, value)) => value,
            None => panic!("the route of {} has no parameter `{name}`", self.path()),
        }
    }

    /// Names and decoded values of all parameters in the route's path, those of the innermost router first.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        let params = self.route.params.iter().rev();
        params.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What is asked for, as it came: path, query and perhaps the server's name.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The version of the request.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The header fields, in the order they came.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The whole body; empty while only the head is known, and if it went to an [`Upload`](crate::Upload).
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether there is a body: one that has come, or one that follows the head.
    ///
    /// Its length is decided in `wire`, by `Content-Length` and `Transfer-Encoding`.
    pub fn has_body(&self) -> bool {
        !self.body.is_empty()
            || self.headers.contains("Transfer-Encoding")
            || self
                .headers
                .all("Content-Length")
                .any(|length| length != b"0")
    }

    /// The client's address, where there is a network.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("/").with_peer("192.0.2.7:4711".parse()?);
    /// assert!(request.peer().is_some_and(|peer| !peer.ip().is_loopback()));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
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
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("/").with_header("Host", "example.test:8080");
    /// assert_eq!(request.authority(), Some("example.test:8080"));
    /// ```
    pub fn authority(&self) -> Option<&str> {
        self.target.authority().or_else(|| self.headers.get("Host"))
    }
}
