//! Picks a handler by method and path; says 404, 405 and what is allowed.
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
//! | `/{{literal}}` | `/{literal}`: braces that are no parameter |
//!
//! Plain text goes before parameters, in whatever order the routes were added. A path is decoded before it is compared;
//! a slash that came as `%2F` divides no segments, but is one in a parameter's value. Never make a file's name of a
//! parameter: it may be `..`, or hold slashes. [`StaticFiles`](crate::StaticFiles), nested, is safe.

mod pattern;

use std::collections::HashSet;
use std::fmt;

use crate::handler::Handler;
use crate::message::{IntoResponse, Method, Request, Response, StatusCode};
use crate::middleware::{Next, Wrap};
use pattern::Beginnings;

// What `OPTIONS *` says, which asks about the server as a whole.
const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Handlers by path, and one for everything else.
///
/// A handler for GET answers HEAD too, unless there is one for HEAD. [Patterns](crate::router#patterns) that cannot be
/// told apart are a fault of the program, which ends at the route that is added second, with a sentence.
#[derive(Default)]
pub struct Router {
    patterns: matchit::Router<usize>,
    routes: Vec<Route>,
    fallback: Option<Box<dyn Handler>>,
    beginnings: Beginnings,
}

/// Everything that answers for one pattern.
struct Route {
    pattern: String,
    methods: Vec<(Method, Endpoint)>,
    /// Whatever the method: the handler says itself which it does not allow.
    any: Option<Endpoint>,
    /// How many segments are taken off the path before the handler sees it.
    prefix_segments: usize,
}

struct Endpoint {
    handler: Box<dyn Handler>,
    /// It declines every head, so it need not be asked.
    wants_body: bool,
}

/// Who answers a request, or why nobody does.
enum Found<'a> {
    /// The request is the one that the handler is to see, where that is another.
    Endpoint(&'a Endpoint, Option<Box<Request>>),
    Fallback(&'a dyn Handler),
    /// The path is a route's, with these methods.
    OtherMethods(String),
    Server,
    Nothing,
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
    #[track_caller]
    pub fn get<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::GET, pattern, function)
    }

    /// Sends POST requests for paths like `pattern` to a function.
    #[track_caller]
    pub fn post<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::POST, pattern, function)
    }

    /// Sends PUT requests for paths like `pattern` to a function.
    #[track_caller]
    pub fn put<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::PUT, pattern, function)
    }

    /// Sends PATCH requests for paths like `pattern` to a function.
    #[track_caller]
    pub fn patch<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::PATCH, pattern, function)
    }

    /// Sends DELETE requests for paths like `pattern` to a function.
    #[track_caller]
    pub fn delete<F, R>(self, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(Method::DELETE, pattern, function)
    }

    /// Sends requests with `method` for paths like `pattern` to a function.
    #[track_caller]
    pub fn route<F, R>(mut self, method: Method, pattern: &str, function: F) -> Router
    where
        F: Fn(&Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        let endpoint = Endpoint {
            handler: Box::new(function),
            wants_body: true,
        };
        let route = self.route_mut(pattern);
        assert!(
            !route.methods.iter().any(|(other, _)| *other == method),
            "there are two routes for {method} `{pattern}`"
        );
        route.methods.push((method, endpoint));
        self
    }

    /// Sends all other requests for paths like `pattern` to a handler, whatever their method.
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
    /// ```no_run
    /// use sockeye::{Router, StaticFiles};
    ///
    /// let router = Router::new().nest("/static", StaticFiles::new("public")?);
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
    pub fn fallback(mut self, handler: impl Handler) -> Router {
        self.fallback = Some(Box::new(handler));
        self
    }

    /// Puts a [middleware](crate::middleware) around all of the router: its routes, its fallback, and its 404 and 405.
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

    fn find(&self, request: &Request) -> Found<'_> {
        let path = request.path();
        if path == "*" {
            return Found::Server;
        }
        let comparable = pattern::comparable(path);
        let matched = comparable
            .as_deref()
            .filter(|path| self.beginnings.may_fit(path))
            .and_then(|path| self.patterns.at(path).ok());
        let Some(matched) = matched else {
            return match &self.fallback {
                Some(handler) => Found::Fallback(&**handler),
                None => Found::Nothing,
            };
        };
        let route = &self.routes[*matched.value];
        let Some(endpoint) = route.endpoint(request.method()) else {
            return Found::OtherMethods(route.allow());
        };
        if matched.params.is_empty() && route.prefix_segments == 0 {
            return Found::Endpoint(endpoint, None);
        }
        let prefix_bytes = match route.prefix_segments {
            0 => 0,
            segments => pattern::bytes_of_segments(path, segments),
        };
        let params = matched
            .params
            .iter()
            .filter(|(name, _)| pattern::is_named(name));
        let params = params.map(|(name, value)| (name.to_owned(), pattern::decoded(value)));
        let seen = request.clone().with_route(prefix_bytes, params);
        Found::Endpoint(endpoint, Some(Box::new(seen)))
    }
}

impl Route {
    fn new(pattern: &str) -> Route {
        Route {
            pattern: pattern.to_owned(),
            methods: Vec::new(),
            any: None,
            prefix_segments: 0,
        }
    }

    fn endpoint(&self, asked: &Method) -> Option<&Endpoint> {
        let offered = |method: &Method| {
            let mut methods = self.methods.iter();
            methods.find_map(|(offered, endpoint)| (offered == method).then_some(endpoint))
        };
        offered(asked)
            .or_else(|| {
                (asked == Method::HEAD)
                    .then(|| offered(&Method::GET))
                    .flatten()
            })
            .or(self.any.as_ref())
    }

    /// What `Allow` says of it.
    fn allow(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for (method, _) in &self.methods {
            names.push(method.as_str());
            if method == Method::GET {
                names.push("HEAD");
            }
        }
        names.push("OPTIONS");
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(*name));
        names.join(", ")
    }
}

impl Endpoint {
    fn new(handler: impl Handler) -> Endpoint {
        Endpoint {
            handler: Box::new(handler),
            wants_body: false,
        }
    }
}

impl Handler for Router {
    fn handle(&self, request: &Request) -> Response {
        match self.find(request) {
            Found::Endpoint(endpoint, seen) => {
                endpoint.handler.handle(seen.as_deref().unwrap_or(request))
            }
            Found::Fallback(handler) => handler.handle(request),
            found => refuse(found, request),
        }
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        match self.find(head) {
            Found::Endpoint(endpoint, _) if endpoint.wants_body => None,
            Found::Endpoint(endpoint, seen) => endpoint
                .handler
                .handle_head(seen.as_deref().unwrap_or(head)),
            Found::Fallback(handler) => handler.handle_head(head),
            found => Some(refuse(found, head)),
        }
    }
}

/// The answer where no handler is asked.
fn refuse(found: Found<'_>, request: &Request) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    match found {
        Found::OtherMethods(allow) if is_options => {
            Response::new(StatusCode::NO_CONTENT).with_header("Allow", allow)
        }
        Found::OtherMethods(allow) => not_served(request, &allow),
        // It names no resource that could be missing.
        Found::Nothing if request.method() == Method::CONNECT => not_served(request, ALLOW),
        Found::Server => Response::new(StatusCode::NO_CONTENT).with_header("Allow", ALLOW),
        Found::Nothing | Found::Endpoint(..) | Found::Fallback(_) => {
            Response::problem(StatusCode::NOT_FOUND, "there is nothing here", request)
        }
    }
}

fn not_served(request: &Request, allow: &str) -> Response {
    let sentence = "this method is not served here";
    Response::problem(StatusCode::METHOD_NOT_ALLOWED, sentence, request).with_header("Allow", allow)
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.routes).finish()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods.iter().map(|(method, _)| method).collect();
        write!(f, "{} {methods:?}", self.pattern)
    }
}
