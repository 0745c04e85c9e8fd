//! The seam between the server and everything that answers.

use std::io;
use std::sync::Arc;

use crate::message::{Destination, Goal, IntoResponse, Request, Response, Upload};

/// Someone who answers requests.
///
/// A handler is shared by all threads and may block: a thread that stays too long in one is replaced while it does.
/// It cannot fail: what went wrong is a response too. If it panics, the client gets a 500 and the server goes on.
///
/// Any function from a request to something that becomes a response ([`IntoResponse`]) is a handler, and so is an `Arc`
/// of one. A type implements all three methods: none has a default, so that a handler around another one cannot forget
/// to pass one of them on. A [middleware](crate::middleware) is a function and passes them on by itself.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use sockeye::{Handler, Request, Response};
///
/// struct Counter(AtomicU64);
///
/// impl Handler for Counter {
///     fn handle(&self, _request: &Request) -> Response {
///         let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
///         Response::text(format!("{count}\n"))
///     }
///
///     // The head is enough: no need to wait for a body.
///     fn handle_head(&self, head: &Request) -> Option<Response> {
///         Some(self.handle(head))
///     }
///
///     // The server's own errors are sent as they are.
///     fn complete(&self, _request: &Request, response: Response) -> Response {
///         response
///     }
/// }
///
/// let counter = Counter(AtomicU64::new(0));
/// assert_eq!(counter.handle(&Request::get("/")).into_text()?, "1\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Answers a whole request, body included.
    fn handle(&self, request: &Request) -> Response;

    /// Answers from the head alone, before any of the body has been read, or declines.
    ///
    /// The server calls it first for every request. A 405 is sent from here before the upload, and a response with
    /// [`Body::Incoming`](crate::message::Body::Incoming) streams the request's body back. A handler that wants the body
    /// returns `None`.
    fn handle_head(&self, head: &Request) -> Option<Response>;

    /// Adds to an error that the server makes itself, for a request that is malformed, too large or too slow, or a
    /// handler that panicked, the fields that every response has: without those of CORS, say, a page cannot read it. Of
    /// a malformed request only the part before the fault may be known.
    ///
    /// A handler that adds nothing returns `response`; one around another handler passes it on.
    fn complete(&self, request: &Request, response: Response) -> Response;
}

impl<F, R> Handler for F
where
    F: Fn(&Request) -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    fn handle(&self, request: &Request) -> Response {
        self(request).into_response()
    }

    fn handle_head(&self, _head: &Request) -> Option<Response> {
        None
    }

    fn complete(&self, _request: &Request, response: Response) -> Response {
        response
    }
}

impl Handler for Box<dyn Handler> {
    fn handle(&self, request: &Request) -> Response {
        (**self).handle(request)
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        (**self).handle_head(head)
    }

    fn complete(&self, request: &Request, response: Response) -> Response {
        (**self).complete(request, response)
    }
}

impl<H: Handler + ?Sized> Handler for Arc<H> {
    fn handle(&self, request: &Request) -> Response {
        (**self).handle(request)
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        (**self).handle_head(head)
    }

    fn complete(&self, request: &Request, response: Response) -> Response {
        (**self).complete(request, response)
    }
}

/// A function that says where the body of each request goes, as a handler.
pub(crate) struct Uploads<F>(pub(crate) F);

impl<F> Handler for Uploads<F>
where
    F: Fn(&Request) -> io::Result<Upload> + Send + Sync + 'static,
{
    fn handle(&self, request: &Request) -> Response {
        let destination = request.destination.as_ref();
        match destination.map_or(Goal::Memory, Destination::take) {
            Goal::Upload(upload) => upload.finish(),
            // A request made by hand, one without a body, or one of somebody who has not asked about the head.
            Goal::Memory => match (self.0)(request) {
                Ok(upload) => upload.receive(request.body()),
                Err(error) => error.into_response(),
            },
            Goal::Taken => {
                io::Error::other("an upload is asked for a second answer").into_response()
            }
        }
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        let destination = head.destination.as_ref()?;
        match (self.0)(head) {
            Ok(upload) => destination.set(upload),
            Err(error) => Some(error.into_response()),
        }
    }

    fn complete(&self, _request: &Request, response: Response) -> Response {
        response
    }
}
