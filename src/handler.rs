//! The seam between the server and everything that answers.

use std::sync::Arc;

use crate::message::{IntoResponse, Request, Response};

/// Someone who answers requests.
///
/// A handler is shared by all threads and may block: a thread that stays too long in one is replaced while it does.
/// It cannot fail, since it has nobody to complain to; what went wrong is an answer too. If it panics, the client
/// gets a 500 and the server lives on.
///
/// Any function from a request to something that becomes a response ([`IntoResponse`]) is a handler, and so is an `Arc`
/// of one. A type of one's own answers both questions; one that stands before another handler forwards both,
/// or is a [middleware](crate::middleware), which does so by itself.
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
    /// It is asked first for every request. Here a 405 is said before the upload, and a response with
    /// [`Body::Incoming`](crate::message::Body::Incoming) streams the request's body back. A handler that wants the body
    /// returns `None`.
    fn handle_head(&self, head: &Request) -> Option<Response>;

    /// Completes a response that the server makes itself: a request that is malformed, too large or too slow, a handler
    /// that panicked. Of a malformed request only the part before the fault may be known.
    ///
    /// This is not the place to refuse anything, only to say what every response says, such as the fields of CORS,
    /// without which a page cannot read why it was refused.
    fn refuse(&self, _request: &Request, response: Response) -> Response {
        response
    }
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
}

impl Handler for Box<dyn Handler> {
    fn handle(&self, request: &Request) -> Response {
        (**self).handle(request)
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        (**self).handle_head(head)
    }

    fn refuse(&self, request: &Request, response: Response) -> Response {
        (**self).refuse(request, response)
    }
}

impl<H: Handler + ?Sized> Handler for Arc<H> {
    fn handle(&self, request: &Request) -> Response {
        (**self).handle(request)
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        (**self).handle_head(head)
    }

    fn refuse(&self, request: &Request, response: Response) -> Response {
        (**self).refuse(request, response)
    }
}
