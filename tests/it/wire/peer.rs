//! What hyper understands of the same bytes.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use hyper::body::{Body, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};

/// A request as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) fields: usize,
    pub(super) body: Vec<u8>,
}

/// Every request that came whole, and whether something after it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opinion {
    pub(super) requests: Vec<Seen>,
    pub(super) refuses: bool,
}

/// What hyper makes of everything that a client says before it ends.
pub(super) fn opinion(bytes: &[u8]) -> Opinion {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let output = Rc::new(RefCell::new(Vec::new()));
    let has_bad_body = Rc::new(Cell::new(false));
    let (heard, bad_body) = (Rc::clone(&seen), Rc::clone(&has_bad_body));
    let service = service_fn(move |request: Request<Incoming>| {
        let (heard, bad_body) = (Rc::clone(&heard), Rc::clone(&bad_body));
        async move {
            let (head, body) = request.into_parts();
            match collect(body).await {
                Ok(body) => heard.borrow_mut().push(Seen {
                    method: head.method.to_string(),
                    target: head.uri.to_string(),
                    fields: head.headers.len(),
                    body,
                }),
                Err(error) => bad_body.set(!is_cut_short(&error)),
            }
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    });
    let wire = Wire {
        input: bytes.to_vec(),
        at: 0,
        output: Rc::clone(&output),
    };
    let mut connection = pin!(
        http1::Builder::new()
            .half_close(true)
            .serve_connection(wire, service)
    );
    let mut context = Context::from_waker(Waker::noop());
    // Everything is ready at once, so what is not done after many polls never will be.
    let end = (0..1000).find_map(|_| match connection.as_mut().poll(&mut context) {
        Poll::Ready(end) => Some(end),
        Poll::Pending => None,
    });
    let end = end.expect("hyper comes to an end");
    let says_so = String::from_utf8_lossy(&output.borrow()).contains("HTTP/1.1 4");
    let has_failed = end.is_err_and(|error| !is_cut_short(&error));
    Opinion {
        requests: seen.take(),
        refuses: says_so || has_failed || has_bad_body.get(),
    }
}

/// Whether nothing was wrong but that the client ended too early.
fn is_cut_short(error: &hyper::Error) -> bool {
    let source =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    error.is_incomplete_message()
        || source.is_some_and(|source| source.kind() == io::ErrorKind::UnexpectedEof)
}

async fn collect(mut body: Incoming) -> hyper::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

/// All the input at once, and room for every output.
struct Wire {
    input: Vec<u8>,
    at: usize,
    output: Rc<RefCell<Vec<u8>>>,
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut room: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let length = room.remaining().min(self.input.len() - self.at);
        room.put_slice(&self.input[self.at..self.at + length]);
        self.at += length;
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.output.borrow_mut().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
