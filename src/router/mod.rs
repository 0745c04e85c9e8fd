//! Picks a handler by method and path; answers 404, 405 and OPTIONS where there is none.
//!
//! ```
//! use sockeye::{Handler, Method, Request, Router, StatusCode};
//!
//! let api = Router::new()
//!     .get("/users/{id}", |request| format!("user {}", request.param("id")))
//!     .put("/users/{id}", |request| format!("{} bytes", request.body().len()));
//! let router = Router::new()
//!     .get("/", |_| "welcome")
//!     .get("/files/{*path}", |request| format!("file {}", request.param("path")))
//!     .nest("/api", api);
//!
//! let text = |target| router.handle(&Request::get(target)).into_text();
//! assert_eq!(text("/api/users/7")?, "user 7");
//! assert_eq!(text("/files/a/b.txt")?, "file a/b.txt");
//!
//! let refused = router.handle(&Request::new(Method::DELETE, "/api/users/7"));
//! assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
//! assert_eq!(refused.headers().get("Allow"), Some("GET, HEAD, PUT, OPTIONS"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Patterns
//!
//! | pattern | fits |
//! |---|---|
//! | `/about` | this path alone, not `/about/` |
//! | `/users/{id}` | one segment, not empty: `id` is its text |
//! | `/files/{name}.txt` | a part of a segment |
//! | `/static/{*path}` | all that follows, not empty, slashes included |
//! | `/{{literal}}` | `/{literal}`: literal braces |
//!
//! Plain text goes before parameters, in whatever order the routes were added. A path is decoded before it is compared;
//! a slash that came as `%2F` divides no segments, but is one in a parameter's value. Never make a file's name of a
//! parameter: it may be `..`, or hold slashes. [`StaticFiles`](crate::StaticFiles), nested, is safe.

mod dispatch;
mod pattern;
mod route;

use std::{fmt, io};

use crate::handler::{Handler, Uploads};
use crate::message::{IntoResponse, Method, Request, Upload};
use crate::middleware::{Next, Wrap};
use pattern::Beginnings;
use route::{Endpoint, Route};

/// Handlers by path, and one for everything else.
///
/// A handler for GET answers HEAD too, unless there is one for HEAD. [Patterns](crate::router#patterns) that cannot be
/// distinguished are a fault of the program, which panics at the route that is added second, with a sentence.
#[derive(Default)]
pub struct Router {
    patterns: matchit::Router<usize>,
    routes: Vec<Route>,
    fallback: Option<Endpoint>,
    beginnings: Beginnings,
}

impl Router {
    /// A router that answers 404 to everything.
    pub fn new() -> Router {
        Router::default()
    }

    /// Sends GET and HEAD requests for paths like `pattern` to a function.
    ///
    /// # Panics
    ///
    /// If the pattern is malformed, conflicts with another, or has this method already; so do all that add a route.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router};
    ///
    /// let router = Router::new().get("/rivers/{name}", |request| format!("the {}\n", request.param("name")));
    /// assert_eq!(router.handle(&Request::get("/rivers/Adams")).into_text()?, "the Adams\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn get<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::GET, pattern, function)
    }

    /// Sends POST requests for paths like `pattern` to a function.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Response, Router};
    ///
    /// // A form, and the page that a reload may show again.
    /// let router = Router::new().post("/fish", |_| Response::redirect("/fish/7"));
    /// assert_eq!(router.handle(&Request::post("/fish")).headers().get("Location"), Some("/fish/7"));
    /// ```
    #[track_caller]
    pub fn post<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::POST, pattern, function)
    }

    /// Sends PUT requests for paths like `pattern` to a function.
    ///
    /// ```
    /// use sockeye::{Handler, Method, Request, Router, StatusCode};
    ///
    /// let router = Router::new().put("/fish/{number}", |_| StatusCode::NO_CONTENT);
    /// let response = router.handle(&Request::new(Method::PUT, "/fish/7").with_body("salmon"));
    /// assert_eq!(response.status(), StatusCode::NO_CONTENT);
    /// ```
    #[track_caller]
    pub fn put<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::PUT, pattern, function)
    }

    /// Sends PATCH requests for paths like `pattern` to a function.
    ///
    /// ```
    /// use sockeye::{Handler, Method, Request, Router};
    ///
    /// let router = Router::new().patch("/fish/{number}", |request| format!("{:?}", request.form_pairs().next()));
    /// let request = Request::new(Method::PATCH, "/fish/7")
    ///     .with_header("Content-Type", "application/x-www-form-urlencoded")
    ///     .with_body("pounds=6");
    /// assert_eq!(router.handle(&request).into_text()?, r#"Some(("pounds", "6"))"#);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn patch<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::PATCH, pattern, function)
    }

    /// Sends DELETE requests for paths like `pattern` to a function.
    ///
    /// ```
    /// use sockeye::{Handler, Method, Request, Router, StatusCode};
    ///
    /// let router = Router::new()
    ///     .get("/fish/{number}", |_| "salmon\n")
    ///     .delete("/fish/{number}", |_| StatusCode::NO_CONTENT);
    /// let response = router.handle(&Request::new(Method::DELETE, "/fish/7"));
    /// assert_eq!(response.status(), StatusCode::NO_CONTENT);
    /// ```
    #[track_caller]
    pub fn delete<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::DELETE, pattern, function)
    }

    /// Sends requests with `method` for paths like `pattern` to a function.
    ///
    /// ```
    /// use sockeye::{Handler, Method, Request, Router};
    ///
    /// let router = Router::new().route(Method::OPTIONS, "/cache", |_| "what may be done here\n");
    /// let request = Request::new(Method::OPTIONS, "/cache");
    /// assert_eq!(router.handle(&request).into_text()?, "what may be done here\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn route<F, R>(self, method: Method, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        let endpoint = Endpoint {
            wants_body: true,
            ..Endpoint::new(function)
        };
        self.with_endpoint(method, pattern, endpoint)
    }

    /// Sends the bodies of requests with `method` for paths like `pattern` where a function says, while they come: see
    /// [`Upload`]. The function is asked about the head, before the client has sent more.
    ///
    /// A middleware around it is called with the head first and again when all of the body is written, as for any request
    /// [with a body](crate::middleware#twice-for-a-request-with-a-body).
    ///
    /// ```
    /// use sockeye::{Handler, Method, Request, Router, Upload};
    ///
    /// let router = Router::new().upload(Method::PUT, "/count", |_| {
    ///     // Anything that is `Write`: a file, a pipe, a digest.
    ///     Ok(Upload::new(Vec::new(), |bytes| format!("{} bytes\n", bytes.len())))
    /// });
    /// let request = Request::new(Method::PUT, "/count").with_body("salmon");
    /// assert_eq!(router.handle(&request).into_text()?, "6 bytes\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn upload<F>(self, method: Method, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> io::Result<Upload> + Send + Sync + 'static,
    {
        self.with_endpoint(method, pattern, Endpoint::new(Uploads(function)))
    }

    #[track_caller]
    fn with_endpoint(mut self, method: Method, pattern: &str, endpoint: Endpoint) -> Router {
        let route = self.route_mut(pattern);
        assert!(
            !route.methods.iter().any(|(other, _)| *other == method),
            "there are two routes for {method} `{pattern}`"
        );
        route.methods.push((method, endpoint));
        self
    }

    /// Sends all other requests for paths like `pattern` to a handler, whatever their method.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router};
    ///
    /// let router = Router::new()
    ///     .get("/fish", |_| "one\n")
    ///     .any("/fish", |request: &Request| format!("not {}\n", request.method()));
    /// assert_eq!(router.handle(&Request::get("/fish")).into_text()?, "one\n");
    /// assert_eq!(router.handle(&Request::post("/fish")).into_text()?, "not POST\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn any(mut self, pattern: &str, handler: impl Handler) -> Router {
        let route = self.route_mut(pattern);
        assert!(
            route.any.is_none(),
            "there are two handlers for `{pattern}`"
        );
        route.any = Some(Endpoint::new(handler));
        self
    }

    /// Sends all requests for `prefix` and for what lies under it to a handler, which sees the path without the prefix
    /// ([`Request::path`]): another router, or files.
    ///
    /// Routes of this router that lie under the prefix and begin with plain text there go before it. What the handler
    /// does not find is its 404; the fallback of this router is not asked.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router, StaticFiles};
    ///
    /// let router = Router::new().nest("/static", StaticFiles::new("public")?);
    /// let page = router.handle(&Request::get("/static/index.html"));
    /// assert_eq!(page.headers().get("Content-Type"), Some("text/html; charset=utf-8"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn nest(mut self, prefix: &str, handler: impl Handler) -> Router {
        let index = self.routes.len();
        let checked = pattern::checked(prefix);
        for pattern in pattern::patterns_under(&checked) {
            self.insert(pattern, prefix, index);
        }
        self.routes.push(Route {
            prefix_segments: pattern::segments(&checked),
            any: Some(Endpoint::new(handler)),
            ..Route::new(prefix)
        });
        self
    }

    /// Sends all other requests to a handler.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router, StatusCode};
    ///
    /// let router = Router::new()
    ///     .get("/", |_| "home\n")
    ///     .any("/all", |request: &Request| format!("{}\n", request.method()))
    ///     .fallback(|_: &Request| (StatusCode::NOT_FOUND, "lost?\n"));
    /// assert_eq!(router.handle(&Request::post("/all")).into_text()?, "POST\n");
    /// assert_eq!(router.handle(&Request::get("/x")).into_text()?, "lost?\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fallback(mut self, handler: impl Handler) -> Router {
        self.fallback = Some(Endpoint::new(handler));
        self
    }

    /// Puts a [middleware](crate::middleware) around all of the router: its routes, its fallback, and its 404 and 405.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router};
    ///
    /// let app = Router::new()
    ///     .get("/", |_| "home\n")
    ///     .wrap(|request, next| next.run(request).with_header("X-Frame-Options", "DENY"));
    /// assert!(app.handle(&Request::get("/")).headers().contains("X-Frame-Options"));
    /// ```
    pub fn wrap<F, R>(self, function: F) -> Wrap<F, Router>
    where
        F: Fn(&Request, Next<'_>) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        Wrap::new(function, self)
    }

    /// The route with this very pattern, which is a new one if need be.
    #[track_caller]
    fn route_mut(&mut self, pattern: &str) -> &mut Route {
        let found = self
            .routes
            .iter()
            .position(|route| route.pattern == pattern && route.prefix_segments == 0);
        let index = found.unwrap_or(self.routes.len());
        if found.is_none() {
            self.insert(pattern::checked(pattern), pattern, index);
            self.routes.push(Route::new(pattern));
        }
        &mut self.routes[index]
    }

    #[track_caller]
    fn insert(&mut self, checked: String, pattern: &str, index: usize) {
        self.beginnings.insert(&checked);
        match self.patterns.insert(checked, index) {
            Ok(()) => {}
            Err(matchit::InsertError::Conflict { with }) => panic!(
                "the route `{pattern}` cannot be told from `{}`; let one go, or give its parameters the same names",
                pattern::shown(&with)
            ),
            Err(error) => panic!("the route `{pattern}` is malformed: {error}"),
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.routes).finish()
    }
}
