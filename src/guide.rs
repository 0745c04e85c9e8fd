//! How to write a server with this crate, chapter by chapter. Every example runs.
//!
//! 1. [Routes](#routes)
//! 2. [Requests](#requests)
//! 3. [Responses](#responses)
//! 4. [State](#state)
//! 5. [Middleware](#middleware)
//! 6. [Streaming](#streaming)
//! 7. [Tests](#tests)
//! 8. [Shutdown and signals](#shutdown-and-signals)
//! 9. [Limits and memory](#limits-and-memory)
//! 10. [Behind a proxy](#behind-a-proxy)
//!
//! # Routes
//!
//! A [`Router`](crate::Router) sends a request to a handler, by its path and its method. A handler is a function from a
//! request to something that becomes a response. It may block: it runs on a thread of its own for as long as it takes.
//!
//! ```
//! use sockeye::{Request, Router, StaticFiles};
//!
//! fn user(request: &Request) -> String {
//!     format!("user {}\n", request.param("id"))
//! }
//!
//! let api = Router::new()
//!     .get("/users/{id}", user)
//!     .delete("/users/{id}", |request| format!("{} is gone\n", request.param("id")));
//! let router = Router::new()
//!     .get("/", |_| "welcome\n")
//!     .nest("/api", api)
//!     .fallback(StaticFiles::new("public")?);
//! # use sockeye::Handler;
//! # assert_eq!(router.handle(&Request::get("/api/users/7")).into_text()?, "user 7\n");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! 404, 405 with `Allow`, `OPTIONS` and `HEAD` come by themselves. The [patterns](crate::router#patterns) are those of
//! `matchit`; two that cannot be told apart end the program where the second is added.
//!
//! The verbs ([`get`](crate::Router::get), [`post`](crate::Router::post), …) take functions, so that the closure needs no
//! types. Where any [`Handler`](crate::Handler) may stand ([`any`](crate::Router::any), [`nest`](crate::Router::nest),
//! [`fallback`](crate::Router::fallback)), a closure names its argument's type: `|request: &Request| …`.
//!
//! # Requests
//!
//! ```
//! use sockeye::Request;
//!
//! let request = Request::get("/search?q=red+salmon&page=2")
//!     .with_header("Accept-Language", "en")
//!     .with_header("Cookie", "theme=dark");
//! assert_eq!(request.method(), "GET");
//! assert_eq!(request.path(), "/search");
//! assert_eq!(request.query("q").as_deref(), Some("red salmon"));
//! assert_eq!(request.cookie("theme"), Some("dark"));
//! assert_eq!(request.headers().get("accept-language"), Some("en"));
//! // What is said more than once, or is no UTF-8, is asked for as bytes.
//! assert_eq!(request.headers().all("accept-language").count(), 1);
//! ```
//!
//! The body is collected before the handler is asked, up to [`Limits::body_bytes_max`](crate::wire::Limits), beyond
//! which the client gets a 413: [`Request::body`](crate::Request::body) are its bytes, [`text`](crate::Request::text) is
//! the same as text, [`form`](crate::Request::form) a value of a form, and with the feature `json` `request.json()` reads
//! JSON. What is larger is [written while it comes](#streaming).
//!
//! # Responses
//!
//! Whatever is [`IntoResponse`](crate::IntoResponse) may be returned: text, a status, both, a `Result` of two such, or a
//! [`Response`](crate::Response) made to measure. `Date`, `Content-Length` and `Connection` are not said by a handler:
//! they follow from the body and the connection.
//!
//! ```
//! use sockeye::{Request, Response, Router, StatusCode};
//!
//! let router = Router::new()
//!     .get("/text", |_| "text\n")
//!     .get("/page", |_| Response::html("<h1>A page</h1>"))
//!     .get("/tea", |_| (StatusCode::IM_A_TEAPOT, "short and stout\n"))
//!     .get("/old", |_| Response::redirect("/page").with_status(StatusCode::PERMANENT_REDIRECT))
//!     .get("/licence", |request| Response::file(request, "LICENSE-MIT"))
//!     .post("/login", |_| {
//!         Response::redirect("/").with_header("Set-Cookie", "id=7; HttpOnly; Secure; SameSite=Lax")
//!     })
//!     .get("/number", |request: &Request| {
//!         let number = request.query("n").and_then(|text| text.parse::<u32>().ok());
//!         let number = number.ok_or((StatusCode::BAD_REQUEST, "n must be a number\n"))?;
//!         Ok::<_, (StatusCode, &str)>(format!("{}\n", u64::from(number) * 2))
//!     });
//! # use sockeye::Handler;
//! # assert_eq!(router.handle(&Request::get("/number?n=21")).into_text()?, "42\n");
//! # assert_eq!(router.handle(&Request::get("/number")).status(), StatusCode::BAD_REQUEST);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! [`Response::problem`](crate::Response::problem) is an error in the form that the client prefers: text, a page, or
//! `application/problem+json`. An `io::Error` or a `Box<dyn Error>` is a 500 that tells the client nothing; what went wrong
//! is an event of `tracing`, as the server's own messages are. They go nowhere without a subscriber, such as
//! `tracing_subscriber::fmt::init()` of the crate of that name.
//!
//! # State
//!
//! A handler captures what it needs. What requests change is behind a lock or an atomic, for they run at the same time.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use sockeye::Router;
//!
//! let names: Arc<Mutex<Vec<String>>> = Arc::default();
//! let known = Arc::clone(&names);
//! let router = Router::new()
//!     .post("/names/{name}", move |request| {
//!         names.lock().unwrap().push(request.param("name").to_owned());
//!         "noted\n"
//!     })
//!     .get("/names", move |_| known.lock().unwrap().join("\n"));
//! # use sockeye::{Handler, Request};
//! # router.handle(&Request::post("/names/Ada"));
//! # assert_eq!(router.handle(&Request::get("/names")).into_text()?, "Ada");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Middleware
//!
//! A function around every answer: [`wrap`](crate::Router::wrap). A field for all, a password before all, how long it
//! took, a page for what is missing:
//!
//! ```
//! use std::time::Instant;
//!
//! use sockeye::{Next, Request, Response, Router, StatusCode};
//!
//! fn with_field(request: &Request, next: Next<'_>) -> Response {
//!     next.run(request).with_header("X-Frame-Options", "DENY")
//! }
//!
//! fn with_password(request: &Request, next: Next<'_>) -> Response {
//!     match request.headers().get("Authorization") {
//!         Some("Basic YWRhOmxvdmVsYWNl") => next.run(request),
//!         _ => Response::new(StatusCode::UNAUTHORIZED).with_header("WWW-Authenticate", "Basic"),
//!     }
//! }
//!
//! fn with_time(request: &Request, next: Next<'_>) -> Response {
//!     let start = Instant::now();
//!     let response = next.run(request);
//!     response.with_header("Server-Timing", format!("handler;dur={}", start.elapsed().as_millis()))
//! }
//!
//! fn with_own_404(request: &Request, next: Next<'_>) -> Response {
//!     match next.run(request) {
//!         response if response.status() == StatusCode::NOT_FOUND => {
//!             Response::html("<h1>Gone fishing</h1>").with_status(StatusCode::NOT_FOUND)
//!         }
//!         response => response,
//!     }
//! }
//!
//! let app = Router::new()
//!     .get("/", |_| "welcome\n")
//!     .wrap(with_own_404)
//!     .wrap(with_field)
//!     .wrap(with_password)
//!     .wrap(with_time);
//! # use sockeye::Handler;
//! # let asked = Request::get("/x").with_header("Authorization", "Basic YWRhOmxvdmVsYWNl");
//! # let response = app.handle(&asked);
//! # assert_eq!(response.headers().get("X-Frame-Options"), Some("DENY"));
//! # assert_eq!(response.status(), StatusCode::NOT_FOUND);
//! # assert_eq!(app.handle(&Request::get("/")).status(), StatusCode::UNAUTHORIZED);
//! ```
//!
//! The last one is the outermost. To wrap a part, nest it: `router.nest("/admin", admin.wrap(with_password))`; who
//! compares the path instead has to know that `/%61dmin` is `/admin` too. For a request with a body
//! [one thing more](crate::middleware#twice-for-a-request-with-a-body) is to be known. What the server refuses before it
//! understands it as a request (400, 408, 431) reaches no such function; a field for really every response is
//!
//! ```
//! use sockeye::middleware::EveryResponse;
//! use sockeye::Router;
//!
//! let router = Router::new().get("/", |_| "welcome\n");
//! let app = EveryResponse::new(|_, response| response.with_header("X-Frame-Options", "DENY"), router);
//! # use sockeye::{Handler, Request, Response, StatusCode};
//! # let refused = app.complete(&Request::get("/"), Response::new(StatusCode::BAD_REQUEST));
//! # assert!(refused.headers().contains("X-Frame-Options"));
//! ```
//!
//! # Streaming
//!
//! Out: [`Response::stream`](crate::Response::stream) sends what a reader yields, as it yields it; a file, a pipe from
//! another process, something computed. A client that is slow holds back the reader, and nothing is piled up. A reader
//! that blocks holds a thread; a [`BodySource`](crate::BodySource) that has nothing to give yet says so instead, costs no
//! thread, and is asked again once it is woken.
//!
//! What happens now and then is sent as events, which a browser hears with `new EventSource("/events")`. Each client costs
//! a connection and no thread; [`Response::events`](crate::Response::events) is one stream, a
//! [`Broadcast`](crate::Broadcast) the same for all who listen:
//!
//! ```
//! use sockeye::{Broadcast, Event, Router};
//!
//! let news = Broadcast::default();
//! let (streams, publisher) = (news.clone(), news);
//! let router = Router::new()
//!     .get("/events", move |_| streams.subscribe())
//!     .post("/news", move |request| {
//!         let event = Event::new(request.text()).with_name("news");
//!         format!("{} listen\n", publisher.send(event))
//!     });
//! # use sockeye::{Handler, Request};
//! # let mut stream = router.handle(&Request::get("/events"));
//! # let told = router.handle(&Request::post("/news").with_body("salmon"));
//! # assert_eq!(told.into_text()?, "1 listen\n");
//! # drop(router);
//! # assert_eq!(stream.into_text()?, "event: news\ndata: salmon\n\n");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Sending never waits: it says [`Full`](crate::TrySendError::Full) for a client that is slower than what it is sent, and
//! [`Closed`](crate::TrySendError::Closed) once it has gone or the server stops. A broadcast ends the stream of one that is
//! too slow; its browser comes back by itself, with the last id it heard in `Last-Event-ID`. A comment every 15 seconds
//! keeps silent streams alive ([`Events`](crate::Events)). A browser opens at most six connections to one origin with
//! HTTP/1.1, so a page has one stream, not one for each thing. Other streams that are written to piece by piece are a
//! [`Response::channel`](crate::Response::channel).
//!
//! In: an [`Upload`](crate::Upload) is written while the body comes, to a file or to anything that is
//! [`Write`](std::io::Write). Nothing is received while it writes, so that nothing piles up, and between two pieces no
//! thread waits. The function is asked about the head, so it may refuse before anything is sent:
//!
//! ```
//! use std::io;
//!
//! use sockeye::{Method, Router, StatusCode, Upload};
//! use tempfile::NamedTempFile;
//!
//! # let directory = tempfile::tempdir()?.keep();
//! let router = Router::new().upload(Method::PUT, "/photos/{number}", move |request| {
//!     let Ok(number) = request.param("number").parse::<u32>() else {
//!         return Ok(Upload::refused((StatusCode::NOT_FOUND, "photos have numbers\n")));
//!     };
//!     let path = directory.join(format!("{number}.jpg"));
//!     let file = NamedTempFile::new_in(&directory)?;
//!     let upload = Upload::new(file, |file| match file.persist(path) {
//!         Ok(_) => Ok(StatusCode::CREATED),
//!         Err(error) => Err(error.error),
//!     });
//!     Ok(upload.with_bytes_max(20 * 1024 * 1024))
//! });
//! # use sockeye::{Handler, Request};
//! # let put = Request::new(Method::PUT, "/photos/7").with_body("...");
//! # assert_eq!(router.handle(&put).status(), StatusCode::CREATED);
//! # Ok::<(), io::Error>(())
//! ```
//!
//! What is made for [`Read`](std::io::Read) has the body too, from a pipe, at the price of a thread for each upload. What
//! it has made of the body counts only at the end, for a client that breaks off ends the pipe as well:
//!
//! ```
//! use std::io::{self, BufRead, BufReader};
//!
//! use sockeye::{Method, Router, Upload};
//!
//! let router = Router::new().upload(Method::POST, "/lines", |_| {
//!     let (reader, writer) = io::pipe()?;
//!     let counting = std::thread::Builder::new().spawn(|| BufReader::new(reader).lines().count())?;
//!     Ok(Upload::new(writer, |writer| {
//!         drop(writer); // The reader hears the end.
//!         format!("{} lines\n", counting.join().expect("it does not panic"))
//!     }))
//! });
//! # use sockeye::{Handler, Request};
//! # let response = router.handle(&Request::post("/lines").with_body("one\ntwo\n"));
//! # assert_eq!(response.into_text()?, "2 lines\n");
//! # Ok::<(), io::Error>(())
//! ```
//!
//! In and out: a handler that answers from the head with [`Body::Incoming`](crate::Body::Incoming) sends the request's
//! body back while it comes, of any size; [`Echo`](crate::Echo) is the example.
//!
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
//!
//! # Shutdown and signals
//!
//! [`Server::serve`](crate::Server::serve) returns once a [`Stopper`](crate::Stopper) has stopped it: nobody is accepted
//! any more, idle connections close, answers that have begun finish within the grace period, and what is left then is
//! cut. The [`Summary`](crate::Summary) counts both. A second `stop` ends it at once. Which signals stop a program is the
//! program's affair; with `signal-hook`:
//!
//! ```no_run
//! use signal_hook::consts::{SIGINT, SIGTERM};
//! use signal_hook::iterator::Signals;
//! use sockeye::{Router, Server};
//!
//! let server = Server::bind("127.0.0.1:8080")?;
//! let stopper = server.stopper();
//! let mut signals = Signals::new([SIGINT, SIGTERM])?;
//! std::thread::spawn(move || signals.forever().for_each(|_| stopper.stop()));
//! let summary = server.serve(Router::new())?;
//! println!("{} finished, {} cut", summary.finished, summary.cut);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Limits and memory
//!
//! Every wait has a deadline and everything that grows a bound: [`Config`](crate::Config). Its defaults are for a server
//! that strangers reach.
//!
//! ```
//! use std::time::Duration;
//!
//! use sockeye::{Config, Server};
//!
//! let mut config = Config {
//!     head_timeout: Duration::from_secs(5),
//!     ..Config::default()
//! };
//! config.limits.body_bytes_max = 16 * 1024 * 1024;
//! let server = Server::bind("127.0.0.1:0")?.with_config(config.clone());
//! // At most, in bytes: this much whoever comes, and this much for each connection that is in the middle of something.
//! let bound = config.fixed_bytes() + config.connections_max * config.connection_bytes();
//! # assert!(bound > 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A connection that is idle takes no buffer and no thread. What a handler allocates is its own affair.
//!
//! When all [`connections_max`](crate::Config::connections_max) are taken, a newcomer gets the place of the one idle longest,
//! then of one that hardly moves, then of the stream or delayed answer that is oldest: a browser's `EventSource` comes back by
//! itself. So no stranger keeps others out for ever by listening; a program with more subscribers than that raises it.
//!
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
//! # let local = "127.0.0.1:5".parse().unwrap();
//! # let request = Request::get("/").with_peer(local).with_header("X-Forwarded-For", "::1, 192.0.2.7");
//! # assert_eq!(client(&request), Some("192.0.2.7".parse().unwrap()));
//! ```
//!
//! The proxy keeps connections open and uses them again: [`Config::idle_timeout`](crate::Config::idle_timeout) must be
//! longer than the proxy's own, or now and then a request meets a connection that has just been closed. And the server
//! listens on 127.0.0.1, so that nobody goes past the proxy.
