//! # Requests
//!
//! A [`Request`](crate::Request) has what came over the wire, and words for what is asked of it most often:
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
//! // What may be said more than once, or be no UTF-8, is asked for as bytes.
//! assert_eq!(request.headers().all("accept-language").count(), 1);
//! ```
//!
//! [`path`](crate::Request::path) is still percent-encoded, so that nobody decodes it twice; a
//! [parameter](crate::Request::param), a [query](crate::Request::query) and a [form](crate::Request::form) are
//! decoded. [`target`](crate::Request::target) is what the client wrote, [`peer`](crate::Request::peer) its address.
//!
//! ## The body
//!
//! It is collected before the handler is asked, up to [`Limits::body_bytes_max`](crate::wire::Limits), beyond which the
//! client gets a 413. [`body`](crate::Request::body) are its bytes, [`text`](crate::Request::text) is the same as text, and
//! [`form`](crate::Request::form) a value of a form. What is larger is [written while it comes](super::streaming).
//!
//! ```
//! use sockeye::{Handler, Request, Router, StatusCode};
//!
//! let router = Router::new().post("/catch", |request| {
//!     match request.form("pounds").map(|pounds| pounds.parse::<f64>()) {
//!         Some(Ok(pounds)) => Ok(format!("{:.1} kg\n", pounds * 0.4536)),
//!         _ => Err((StatusCode::BAD_REQUEST, "how many pounds?\n")),
//!     }
//! });
//! let form = Request::post("/catch").with_header("Content-Type", "application/x-www-form-urlencoded");
//! assert_eq!(router.handle(&form.clone().with_body("pounds=6.5")).into_text()?, "2.9 kg\n");
//! assert_eq!(router.handle(&form.with_body("kilos=3")).status(), StatusCode::BAD_REQUEST);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! ## JSON
//!
//! With the feature `json` a body is read into any type that `serde` can make. What is no such JSON is a 400, what is not
//! called JSON a 415, both with a sentence:
//!
//! ```
//! use sockeye::{Handler, JsonError, Method, Request, Response, Router, StatusCode};
//!
//! #[derive(serde::Deserialize, serde::Serialize)]
//! struct Fish {
//!     name: String,
//! }
//!
//! fn rename(request: &Request) -> Result<Response, JsonError> {
//!     let fish: Fish = request.json()?;
//!     Ok(Response::json(Fish { name: fish.name.to_uppercase() }))
//! }
//!
//! let router = Router::new().put("/fish", rename);
//! let request = Request::new(Method::PUT, "/fish").with_header("Content-Type", "application/json");
//! let renamed = router.handle(&request.clone().with_body(r#"{"name": "sockeye"}"#));
//! assert_eq!(renamed.into_text()?, r#"{"name":"SOCKEYE"}"#);
//! assert_eq!(router.handle(&request.with_body("{}")).status(), StatusCode::BAD_REQUEST);
//! # Ok::<(), std::io::Error>(())
//! ```
