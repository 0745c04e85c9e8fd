//! # Responses
//!
//! Whatever is [`IntoResponse`](crate::IntoResponse) may be returned: text, a status, both, a `Result` of two such, or a
//! [`Response`](crate::Response) made to measure. `Date`, `Content-Length` and `Connection` are not said by a handler:
//! they follow from the body and the connection.
//!
//! ```
//! use sockeye::{Handler, Request, Response, Router, StatusCode};
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
//!
//! assert_eq!(router.handle(&Request::get("/number?n=21")).into_text()?, "42\n");
//! assert_eq!(router.handle(&Request::get("/number")).status(), StatusCode::BAD_REQUEST);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! ## Files
//!
//! [`Response::file`](crate::Response::file) is one file that the program has chosen, with ranges and validators; a
//! directory is [`StaticFiles`](crate::StaticFiles), [nested](super::routes) or as the fallback. Never make a file's path of
//! what a client says: it may say `../../etc/passwd`, and `StaticFiles` knows that.
//!
//! ## Errors
//!
//! [`Response::problem`](crate::Response::problem) is an error in the form that the client prefers: text, a page, or
//! `application/problem+json`. An [`io::Error`](std::io::Error) or a `Box<dyn Error>` is a 500 that tells the client
//! nothing; what went wrong is an event of `tracing`, as the server's own messages are. They go nowhere without a
//! subscriber, such as `tracing_subscriber::fmt::init()` of the crate of that name.
//!
//! ```
//! use sockeye::{Handler, Request, Response, Router, StatusCode};
//!
//! let router = Router::new().get("/notes/{number}", |request| {
//!     Response::problem(StatusCode::NOT_FOUND, "there is no such note", request)
//! });
//! let asked = Request::get("/notes/7").with_header("Accept", "application/json");
//! let problem = router.handle(&asked);
//! assert_eq!(problem.headers().get("Content-Type"), Some("application/problem+json"));
//! assert!(problem.into_text()?.contains(r#""detail":"there is no such note""#));
//! # Ok::<(), std::io::Error>(())
//! ```
