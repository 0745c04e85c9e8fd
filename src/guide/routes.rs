//! # Routes
//!
//! A [`Router`](crate::Router) sends a request to a handler, by its path and its method. A handler is a function from a
//! request to something that becomes a [response](super::responses). It may block: it runs on a thread of its own for as
//! long as it takes.
//!
//! ```
//! use sockeye::{Handler, Request, Router, StaticFiles};
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
//!
//! assert_eq!(router.handle(&Request::get("/api/users/7")).into_text()?, "user 7\n");
//! # assert_eq!(router.handle(&Request::get("/index.html")).status(), 200);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A path has segments and [patterns](crate::router#patterns) for them: `{id}` is one segment, `{*path}` all that follow.
//! What is written out goes before a parameter, in whatever order the routes are added. Two patterns that cannot be told
//! apart are a fault of the program, which ends where the second is added, with a sentence.
//!
//! ## What comes by itself
//!
//! HEAD is a GET whose body is not sent. A path without a route is 404, one without this method 405, which says in `Allow`
//! what there is, as OPTIONS does:
//!
//! ```
//! use sockeye::{Handler, Method, Request, Router, StatusCode};
//!
//! let router = Router::new().get("/fish", |_| "salmon\n").post("/fish", |_| StatusCode::CREATED);
//! let response = router.handle(&Request::new(Method::DELETE, "/fish"));
//! assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
//! assert_eq!(response.headers().get("Allow"), Some("GET, HEAD, POST, OPTIONS"));
//! ```
//!
//! ## Functions, and handlers of any kind
//!
//! The verbs ([`get`](crate::Router::get), [`post`](crate::Router::post), …) take functions, so that the closure needs no
//! types. Where any [`Handler`](crate::Handler) may stand ([`any`](crate::Router::any), [`nest`](crate::Router::nest),
//! [`fallback`](crate::Router::fallback)), a closure names its argument's type:
//!
//! ```
//! use sockeye::{Handler, Request, Router};
//!
//! let router = Router::new().any("/method", |request: &Request| format!("{}\n", request.method()));
//! assert_eq!(router.handle(&Request::post("/method")).into_text()?, "POST\n");
//! # Ok::<(), std::io::Error>(())
//! ```
