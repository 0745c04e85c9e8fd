//! A request, once all of its head is received.

use std::net::SocketAddr;
use std::time::Instant;

use http::Method;

use super::collected::Collected;
use super::{Destination, Headers, Target, Version};

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
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::post("/fish").with_header("Content-Type", "text/plain").with_body("salmon");
    /// assert_eq!((request.method().as_str(), request.body()), ("POST", &b"salmon"[..]));
    /// ```
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
    ///
    /// ```
    /// use sockeye::{Handler, Method, Request, Router};
    ///
    /// let router = Router::new().put("/size", |request| request.body().len().to_string());
    /// let request = Request::new(Method::PUT, "/size").with_body(vec![0; 1000]);
    /// assert_eq!(router.handle(&request).into_text()?, "1000");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into().into();
        self
    }

    /// The same request from a client at this address.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router, StatusCode};
    ///
    /// let router = Router::new().get("/admin", |request| match request.peer() {
    ///     Some(peer) if peer.ip().is_loopback() => StatusCode::OK,
    ///     _ => StatusCode::FORBIDDEN,
    /// });
    /// let asked_from = |ip: [u8; 4]| router.handle(&Request::get("/admin").with_peer((ip, 50312).into()));
    /// assert_eq!(asked_from([127, 0, 0, 1]).status(), StatusCode::OK);
    /// assert_eq!(asked_from([192, 0, 2, 7]).status(), StatusCode::FORBIDDEN);
    /// ```
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
    ///
    /// ```
    /// use sockeye::{Method, Request};
    ///
    /// assert_eq!(Request::get("/").method(), Method::GET);
    /// assert!(!Request::post("/").method().is_idempotent());
    /// ```
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
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router};
    ///
    /// let blog = Router::new().get("/", |request| format!("<a href=\"{}/feed\">", request.prefix()));
    /// let site = Router::new().nest("/blog", blog);
    /// assert_eq!(site.handle(&Request::get("/blog")).into_text()?, "<a href=\"/blog/feed\">");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn prefix(&self) -> &str {
        match self.route.prefix_bytes {
            0 => "",
            bytes => &self.target.path()[..bytes],
        }
    }

    /// Whether browsers ask for this by themselves, so that it says nothing of a site that it is not there.
    pub(crate) fn is_probe(&self) -> bool {
        match self.target.path() {
            "/favicon.ico"
            | "/robots.txt"
            | "/.well-known/appspecific/com.chrome.devtools.json"
            | "/.well-known/traffic-advice" => true,
            path => path.starts_with("/apple-touch-icon") && path.ends_with(".png"),
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
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router};
    ///
    /// let router = Router::new().get("/{year}/{month}", |request| {
    ///     let params: Vec<_> = request.params().map(|(name, value)| format!("{name}={value}")).collect();
    ///     params.join(" ")
    /// });
    /// assert_eq!(router.handle(&Request::get("/2026/11")).into_text()?, "month=11 year=2026");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        let params = self.route.params.iter().rev();
        params.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What is asked for, as it came: path, query and perhaps the server's name.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("/a/../b?c=%20");
    /// assert_eq!(request.target().as_str(), "/a/../b?c=%20");
    /// ```
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The version of the request.
    ///
    /// ```
    /// use sockeye::{Request, Version};
    ///
    /// // A client of HTTP/1.0 gets a stream until the connection closes, and cannot tell whether that was its end.
    /// let can_stream = |request: &Request| request.version() >= Version::Http11;
    /// assert!(can_stream(&Request::get("/")));
    /// ```
    pub fn version(&self) -> Version {
        self.version
    }

    /// The header fields, in the order they came.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The whole body; empty while only the head is known, and if it went to an [`Upload`](crate::Upload).
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router, StatusCode};
    ///
    /// let router = Router::new().post("/", |request| match std::str::from_utf8(request.body()) {
    ///     Ok(text) => Ok(text.to_uppercase()),
    ///     Err(_) => Err(StatusCode::BAD_REQUEST),
    /// });
    /// assert_eq!(router.handle(&Request::post("/").with_body("hello")).into_text()?, "HELLO");
    /// assert_eq!(router.handle(&Request::post("/").with_body([0xff])).status(), StatusCode::BAD_REQUEST);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether there is a body: one that has come, or one that follows the head.
    ///
    /// Its length is decided in `wire`, by `Content-Length` and `Transfer-Encoding`.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let head = Request::post("/").with_header("Content-Length", "5"); // As Handler::handle_head sees it.
    /// assert!(head.has_body() && head.body().is_empty());
    /// assert!(!Request::get("/").has_body());
    /// ```
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
    ///
    /// ```
    /// use std::time::Instant;
    ///
    /// use sockeye::Request;
    ///
    /// // What was looked up after the request had come is no older than the question.
    /// let looked_up = Instant::now();
    /// let is_fresh = |request: &Request| request.received().is_some_and(|at| looked_up >= at);
    /// assert!(!is_fresh(&Request::get("/"))); // Made by hand, it never came.
    /// ```
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
