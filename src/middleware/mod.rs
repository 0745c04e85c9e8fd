//! Handlers around handlers.
//!
//! A middleware is a function of a request and of [`Next`], the handler inside it. It may answer by itself, change the
//! request on the way in, or change the response on the way out:
//!
//! ```
//! use sockeye::{Handler, Request, Response, Router, StatusCode};
//!
//! let app = Router::new()
//!     .get("/", |_| "hello\n")
//!     .wrap(|request, next| next.run(request).with_header("X-Frame-Options", "DENY"))
//!     .wrap(|request, next| match request.headers().get("X-Key") {
//!         Some("secret") => next.run(request),
//!         _ => Response::new(StatusCode::FORBIDDEN),
//!     });
//! assert_eq!(app.handle(&Request::get("/")).status(), StatusCode::FORBIDDEN);
//! let let_in = app.handle(&Request::get("/").with_header("X-Key", "secret"));
//! assert_eq!(let_in.headers().get("X-Frame-Options"), Some("DENY"));
//! ```
//!
//! The last one is the outermost: it sees the request first and the response last.
//!
//! # Twice for a request with a body
//!
//! A handler is asked two questions ([`Handler`]): from the head alone, and, if it declines, again with the body. A
//! middleware answers both with the same function. For a request without a body it is called once. For one with a
//! body it is called from the head, so that it can refuse before the upload; if the handler inside declines,
//! [`Next::run`] returns *100 Continue* there, what the function makes of it is dropped, and it is called again with
//! the whole request. What must happen once for each request is done where the status is not informational:
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use sockeye::{Handler, Next, Request, Response, Router};
//!
//! static ANSWERS: AtomicU64 = AtomicU64::new(0);
//!
//! fn count(request: &Request, next: Next<'_>) -> Response {
//!     let response = next.run(request);
//!     if !response.status().is_informational() {
//!         ANSWERS.fetch_add(1, Ordering::Relaxed);
//!     }
//!     response
//! }
//!
//! let app = Router::new().post("/", |_| "noted\n").wrap(count);
//! let request = Request::post("/").with_body("salmon");
//! assert!(app.handle_head(&request).is_none()); // As the server asks it.
//! app.handle(&request);
//! assert_eq!(ANSWERS.load(Ordering::Relaxed), 1);
//! ```

#[cfg(feature = "auth")]
pub mod auth;
pub mod base;
pub mod cache_control;
pub mod cors;
pub mod explain;
#[cfg(feature = "cli")]
pub mod headers;
pub mod host_guard;
pub mod isolate;
pub mod own_pages;
pub mod single_file;
pub mod spa;

use std::cell::Cell;

use crate::handler::Handler;
use crate::message::{IntoResponse, Request, Response, StatusCode};

/// A handler with a function around it; [`Router::wrap`](crate::router::Router::wrap) makes one.
///
/// ```
/// use sockeye::{Echo, Handler, Next, Request, StatusCode, Wrap};
///
/// let no_robots = |request: &Request, next: Next<'_>| match request.headers().get("User-Agent") {
///     Some("robot") => Err(StatusCode::FORBIDDEN),
///     _ => Ok(next.run(request)),
/// };
/// let app = Wrap::new(no_robots, Echo);
/// let robot = Request::get("/").with_header("User-Agent", "robot");
/// assert_eq!(app.handle(&robot).status(), StatusCode::FORBIDDEN);
/// ```
#[derive(Debug, Clone)]
pub struct Wrap<F, H> {
    function: F,
    inside: H,
}

impl<F, H> Wrap<F, H> {
    /// Puts `function` around `inside`.
    pub fn new<R>(function: F, inside: H) -> Wrap<F, H>
    where
        F: Fn(&Request, Next<'_>) -> R + Send + Sync + 'static,
        R: IntoResponse,
        H: Handler,
    {
        Wrap { function, inside }
    }

    /// Puts another function around this one.
    pub fn wrap<G, R>(self, function: G) -> Wrap<G, Wrap<F, H>>
    where
        Wrap<F, H>: Handler,
        G: Fn(&Request, Next<'_>) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        Wrap::new(function, self)
    }
}

impl<F, R, H> Handler for Wrap<F, H>
where
    F: Fn(&Request, Next<'_>) -> R + Send + Sync + 'static,
    R: IntoResponse,
    H: Handler,
{
    fn handle(&self, request: &Request) -> Response {
        let declined = Cell::new(false);
        let next = Next {
            inside: &self.inside,
            question: Question::Whole,
            declined: &declined,
        };
        (self.function)(request, next).into_response()
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        let declined = Cell::new(false);
        let next = Next {
            inside: &self.inside,
            // Without a body the head is all there is, and one call is enough.
            question: match head.has_body() {
                true => Question::Head,
                false => Question::Both,
            },
            declined: &declined,
        };
        let response = (self.function)(head, next);
        (!declined.get()).then(|| response.into_response())
    }

    fn complete(&self, request: &Request, response: Response) -> Response {
        self.inside.complete(request, response)
    }
}

/// A handler whose every response passes through a function, those included that the server makes itself
/// ([`Handler::complete`]). For what responses say besides: a middleware that only changes responses is best one of these.
///
/// ```
/// use sockeye::middleware::EveryResponse;
/// use sockeye::{Handler, Request, Router};
///
/// let app = EveryResponse::new(
///     |_, response| response.with_header("X-Frame-Options", "DENY"),
///     Router::new().get("/", |_| "home\n"),
/// );
/// assert!(app.handle(&Request::get("/x")).headers().contains("X-Frame-Options"));
/// ```
#[derive(Debug, Clone)]
pub struct EveryResponse<F, H> {
    function: F,
    inside: H,
}

impl<F, H> EveryResponse<F, H>
where
    F: Fn(&Request, Response) -> Response + Send + Sync + 'static,
    H: Handler,
{
    /// Lets the responses of `inside` pass through `function`.
    pub fn new(function: F, inside: H) -> EveryResponse<F, H> {
        EveryResponse { function, inside }
    }
}

impl<F, H> Handler for EveryResponse<F, H>
where
    F: Fn(&Request, Response) -> Response + Send + Sync + 'static,
    H: Handler,
{
    fn handle(&self, request: &Request) -> Response {
        (self.function)(request, self.inside.handle(request))
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        let response = self.inside.handle_head(head)?;
        Some((self.function)(head, response))
    }

    fn complete(&self, request: &Request, response: Response) -> Response {
        (self.function)(request, self.inside.complete(request, response))
    }
}

/// A handler whose errors, responses of a 4xx or 5xx status, pass through a function, which may change them and ask the
/// handler inside about another request. Whatever is no error passes by, at the price of a look at its status.
///
/// ```
/// use sockeye::middleware::EveryError;
/// use sockeye::{Handler, Request, Response, Router};
///
/// let own = |_: &Request, error: &mut Response, _: &Router| {
///     *error = Response::new(error.status()).with_body("gone fishing\n");
/// };
/// let app = EveryError::new(own, Router::new().get("/", |_| "home\n"));
/// assert_eq!(app.handle(&Request::get("/x")).into_text()?, "gone fishing\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct EveryError<F, H> {
    function: F,
    inside: H,
}

impl<F, H> EveryError<F, H>
where
    F: Fn(&Request, &mut Response, &H) + Send + Sync + 'static,
    H: Handler,
{
    /// Shows the errors of `inside` to `function`.
    pub fn new(function: F, inside: H) -> EveryError<F, H> {
        EveryError { function, inside }
    }

    // In place, so that no response is moved: most are not errors.
    fn look_at(&self, request: &Request, response: &mut Response) {
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            (self.function)(request, response, &self.inside);
        }
    }
}

impl<F, H> Handler for EveryError<F, H>
where
    F: Fn(&Request, &mut Response, &H) + Send + Sync + 'static,
    H: Handler,
{
    fn handle(&self, request: &Request) -> Response {
        let mut response = self.inside.handle(request);
        self.look_at(request, &mut response);
        response
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        let mut answered = self.inside.handle_head(head);
        if let Some(response) = &mut answered {
            self.look_at(head, response);
        }
        answered
    }

    fn complete(&self, request: &Request, response: Response) -> Response {
        let mut response = self.inside.complete(request, response);
        self.look_at(request, &mut response);
        response
    }
}

/// The handler inside a middleware. It may be asked more than once, about other requests too.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    inside: &'a dyn Handler,
    question: Question,
    declined: &'a Cell<bool>,
}

/// Which of its two questions the handler inside is asked.
#[derive(Debug, Clone, Copy)]
enum Question {
    Head,
    Whole,
    /// From the head, and if it declines, as a whole at once.
    Both,
}

impl Next<'_> {
    /// Asks the handler inside.
    ///
    /// The status *100 Continue* means that it wants the body, which has not been read yet: what the middleware returns
    /// then is dropped, and the middleware is called again with the whole request.
    pub fn run(self, request: &Request) -> Response {
        let answered = match self.question {
            Question::Whole => None,
            Question::Head | Question::Both => self.inside.handle_head(request),
        };
        match (answered, self.question) {
            (Some(response), _) => response,
            (None, Question::Whole | Question::Both) => self.inside.handle(request),
            (None, Question::Head) => {
                self.declined.set(true);
                Response::new(StatusCode::CONTINUE)
            }
        }
    }
}

impl std::fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Next")
            .field("question", &self.question)
            .finish_non_exhaustive()
    }
}
