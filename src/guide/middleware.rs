//! # Middleware
//!
//! A function around every answer: [`wrap`](crate::Router::wrap). A field for all, a password before all, how long it
//! took, a page for what is missing:
//!
//! ```
//! use std::time::Instant;
//!
//! use sockeye::{Handler, Next, Request, Response, Router, StatusCode};
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
//!
//! assert_eq!(app.handle(&Request::get("/")).status(), StatusCode::UNAUTHORIZED);
//! let missing = app.handle(&Request::get("/x").with_header("Authorization", "Basic YWRhOmxvdmVsYWNl"));
//! assert_eq!(missing.status(), StatusCode::NOT_FOUND);
//! assert_eq!(missing.headers().get("X-Frame-Options"), Some("DENY"));
//! ```
//!
//! The last one is the outermost. To wrap a part, nest it: `router.nest("/admin", admin.wrap(with_password))`; who
//! compares the path instead has to know that `/%61dmin` is `/admin` too. For a request with a body
//! [one thing more](crate::middleware#twice-for-a-request-with-a-body) is to be known.
//!
//! ## Every response
//!
//! What the server refuses before it understands it as a request (400, 408, 431) reaches no such function. A field for
//! really every response is an [`EveryResponse`](crate::middleware::EveryResponse):
//!
//! ```
//! use sockeye::middleware::EveryResponse;
//! use sockeye::{Handler, Request, Response, Router, StatusCode};
//!
//! let router = Router::new().get("/", |_| "welcome\n");
//! let app = EveryResponse::new(|_, response| response.with_header("X-Frame-Options", "DENY"), router);
//! // As the server asks it about a refusal of its own.
//! let refused = app.complete(&Request::get("/"), Response::new(StatusCode::BAD_REQUEST));
//! assert!(refused.headers().contains("X-Frame-Options"));
//! ```
//!
//! ## What is there already
//!
//! | module | what it does |
//! |---|---|
//! | [`cors`](crate::middleware::cors) | lets pages of other origins read what is served |
//! | [`host_guard`](crate::middleware::host_guard) | answers only requests for names that are this server's: against DNS rebinding |
//! | [`cache_control`](crate::middleware::cache_control) | says how long files may be kept |
//! | [`own_pages`](crate::middleware::own_pages) | a site's own `404.html` and `50x.html` |
//! | [`spa`](crate::middleware::spa) | one page for all addresses of an application |
//! | [`base`](crate::middleware::base) | a site under a prefix |
//! | [`isolate`](crate::middleware::isolate) | pages that have threads |
//! | `auth`, with the feature `auth` | names and passwords, checked against bcrypt hashes |
//!
//! ## A line for each request
//!
//! What was really sent, and what was refused before there was a request, only the server knows. It says so at the end of
//! each, as an event of `tracing` or to the [access log](crate::access_log) of this crate, whose writing holds up no request.
