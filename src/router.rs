//! Picks a handler by method and path; says 404, 405 and what is allowed.

use percent_encoding::percent_decode_str;

use crate::handler::Handler;
use crate::message::{Method, Request, Response, StatusCode};
use crate::middleware::{Next, Wrap};

// What `OPTIONS *` says, which asks about the server as a whole.
const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Handlers by path, and one for everything else.
///
/// Paths are compared whole, once decoded. A handler for GET answers HEAD too. The first route that fits is asked.
#[derive(Default)]
pub struct Router {
    routes: Vec<Route>,
    fallback: Option<Box<dyn Handler>>,
}

struct Route {
    path: String,
    /// `None` is every method: the handler says itself which it does not allow.
    method: Option<Method>,
    handler: Box<dyn Handler>,
}

/// Who answers a request, or why nobody does.
enum Found<'a> {
    Handler(&'a dyn Handler),
    /// There are routes for the path, with these methods.
    OtherMethods(String),
    Server,
    Nothing,
}

impl Router {
    /// A router that answers 404 to everything.
    pub fn new() -> Router {
        Router::default()
    }

    /// Sends requests for exactly `path`, with `method`, to `handler`.
    pub fn route(mut self, method: Method, path: &str, handler: impl Handler) -> Router {
        self.routes.push(Route {
            path: path.to_owned(),
            method: Some(method),
            handler: Box::new(handler),
        });
        self
    }

    /// Sends GET and HEAD requests for exactly `path` to `handler`.
    pub fn get(self, path: &str, handler: impl Handler) -> Router {
        self.route(Method::GET, path, handler)
    }

    /// Sends POST requests for exactly `path` to `handler`.
    pub fn post(self, path: &str, handler: impl Handler) -> Router {
        self.route(Method::POST, path, handler)
    }

    /// Sends all requests for exactly `path` to `handler`, whatever their method.
    pub fn any(mut self, path: &str, handler: impl Handler) -> Router {
        self.routes.push(Route {
            path: path.to_owned(),
            method: None,
            handler: Box::new(handler),
        });
        self
    }

    /// Sends all other requests to `handler`.
    pub fn fallback(mut self, handler: impl Handler) -> Router {
        self.fallback = Some(Box::new(handler));
        self
    }

    /// Puts a [middleware](crate::middleware) around all of the router: its routes, its fallback, and its 404 and 405.
    pub fn wrap<F>(self, function: F) -> Wrap<F, Router>
    where
        F: Fn(&Request, Next<'_>) -> Response + Send + Sync + 'static,
    {
        Wrap::new(function, self)
    }

    fn find(&self, request: &Request) -> Found<'_> {
        let path = request.target().path();
        if path == "*" {
            return Found::Server;
        }
        let mut others: Vec<&str> = Vec::new();
        let is_escaped = memchr::memchr(b'%', path.as_bytes()).is_some();
        let fits = |route: &&Route| {
            route.path == path || is_escaped && percent_decode_str(path).eq(route.path.bytes())
        };
        for route in self.routes.iter().filter(fits) {
            match &route.method {
                None => return Found::Handler(&*route.handler),
                Some(method) if is_served_by(request.method(), method) => {
                    return Found::Handler(&*route.handler);
                }
                Some(Method::GET) => others.extend(["GET", "HEAD"]),
                Some(method) => others.push(method.as_str()),
            }
        }
        match &self.fallback {
            _ if !others.is_empty() => Found::OtherMethods(others.join(", ") + ", OPTIONS"),
            Some(handler) => Found::Handler(&**handler),
            None => Found::Nothing,
        }
    }
}

fn is_served_by(asked: &Method, offered: &Method) -> bool {
    asked == offered || asked == Method::HEAD && offered == Method::GET
}

impl Handler for Router {
    fn handle(&self, request: &Request) -> Response {
        match self.find(request) {
            Found::Handler(handler) => handler.handle(request),
            found => refuse(found, request),
        }
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        match self.find(head) {
            Found::Handler(handler) => handler.handle_head(head),
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
        Found::Nothing | Found::Handler(_) => Response::problem(
            StatusCode::NOT_FOUND,
            "there is nothing here",
            request.headers(),
        ),
    }
}

fn not_served(request: &Request, allow: &str) -> Response {
    let sentence = "this method is not served here";
    Response::problem(StatusCode::METHOD_NOT_ALLOWED, sentence, request.headers())
        .with_header("Allow", allow)
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let routes = self.routes.iter().map(|route| (&route.method, &route.path));
        f.debug_list().entries(routes).finish()
    }
}
