//! A request's body that is written somewhere while it comes, instead of being collected.

use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{IntoResponse, Response, StatusCode};

/// Where the body of a request goes while it comes, and what is answered at its end; [`Router::upload`] takes one for
/// each request.
///
/// Each piece that is received is written before more is received: whatever is slow to write holds its client back, and
/// nothing piles up. A write may block, as a handler may; between two pieces no thread waits, however slow the client is.
///
/// [`Router::upload`]: crate::Router::upload
///
/// ```
/// use std::io;
///
/// use sockeye::{Handler, Method, Request, Router, StatusCode, Upload};
/// use tempfile::NamedTempFile;
///
/// # let temporary = tempfile::tempdir()?;
/// # let directory = temporary.path().to_owned();
/// let router = Router::new().upload(Method::PUT, "/notes/{number}", move |request| {
///     let Ok(number) = request.param("number").parse::<u32>() else {
///         return Ok(Upload::refused((StatusCode::BAD_REQUEST, "notes have numbers\n")));
///     };
///     let path = directory.join(number.to_string());
///     let file = NamedTempFile::new_in(&directory)?;
///     Ok(Upload::new(file, |file| match file.persist(path) {
///         Ok(_) => Ok(StatusCode::CREATED),
///         Err(error) => Err(error.error),
///     }))
/// });
/// let response = router.handle(&Request::new(Method::PUT, "/notes/7").with_body("buy fish"));
/// assert_eq!(response.status(), StatusCode::CREATED);
/// # Ok::<(), io::Error>(())
/// ```
pub struct Upload {
    sink: Result<Box<dyn Sink>, Box<Response>>,
    bytes_max: Option<u64>,
}

/// A writer and what is done with it at the end.
trait Sink: Send {
    fn write(&mut self, piece: &[u8]) -> io::Result<()>;
    fn finish(self: Box<Self>) -> Response;
}

struct Into<W, F> {
    writer: W,
    finish: F,
}

impl<W, F, R> Sink for Into<W, F>
where
    W: Write + Send,
    F: FnOnce(W) -> R + Send,
    R: IntoResponse,
{
    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.writer.write_all(piece)
    }

    fn finish(mut self: Box<Self>) -> Response {
        match self.writer.flush() {
            Ok(()) => (self.finish)(self.writer).into_response(),
            Err(error) => error.into_response(),
        }
    }
}

impl Upload {
    /// Writes the body to `writer`, and answers what `finish` makes of it once all of the body is written and flushed.
    ///
    /// Where the body does not come to its end (the client breaks off, is too slow, or sends something malformed or
    /// more than is taken), where it cannot be written, or where the server stops, both are dropped, and `finish` is not
    /// called: what drops of itself, such as `tempfile::NamedTempFile`, leaves nothing behind.
    ///
    /// If writing fails the client gets the answer that the error becomes ([`IntoResponse`]).
    pub fn new<W, F, R>(writer: W, finish: F) -> Upload
    where
        W: Write + Send + 'static,
        F: FnOnce(W) -> R + Send + 'static,
        R: IntoResponse + 'static,
    {
        Upload {
            sink: Ok(Box::new(Into { writer, finish })),
            bytes_max: None,
        }
    }

    /// No upload but this answer, which the client gets before it has sent the body.
    pub fn refused(response: impl IntoResponse) -> Upload {
        Upload {
            sink: Err(Box::new(response.into_response())),
            bytes_max: None,
        }
    }

    /// The same, for a body of at most so many bytes; the client of a larger one gets a 413, before the upload where it
    /// says how large that is. Without it the limit is [`Limits::body_bytes_max`](crate::wire::Limits).
    ///
    /// ```
    /// use sockeye::{Handler, Method, Request, Router, StatusCode, Upload};
    ///
    /// let router = Router::new().upload(Method::PUT, "/avatar", |_| {
    ///     let upload = Upload::new(Vec::new(), |picture| format!("{} bytes\n", picture.len()));
    ///     Ok(upload.with_bytes_max(100_000))
    /// });
    /// let put = |size| Request::new(Method::PUT, "/avatar").with_body(vec![0; size]);
    /// assert_eq!(router.handle(&put(70_000)).into_text()?, "70000 bytes\n");
    /// assert_eq!(router.handle(&put(100_001)).status(), StatusCode::PAYLOAD_TOO_LARGE);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_bytes_max(self, bytes: u64) -> Upload {
        Upload {
            bytes_max: Some(bytes),
            ..self
        }
    }

    /// The answer, once all is written.
    pub(crate) fn finish(self) -> Response {
        self.sink
            .map_or_else(|refusal| *refusal, |sink| sink.finish())
    }

    /// The answer to all of the body at once.
    pub(crate) fn receive(mut self, body: &[u8]) -> Response {
        if self.bytes_max.is_some_and(|max| body.len() as u64 > max) {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        }
        match self.write(body) {
            Ok(()) => self.finish(),
            Err(error) => error.into_response(),
        }
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.sink {
            Ok(sink) => sink.write(piece),
            Err(_) => Ok(()),
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("bytes_max", &self.bytes_max)
            .finish_non_exhaustive()
    }
}

/// Where the body of a request goes that has not come yet. The request and its clones share it: whoever is asked about
/// the head may decide.
#[derive(Debug, Clone, Default)]
pub(crate) struct Destination(Arc<Mutex<Goal>>);

#[derive(Debug, Default)]
pub(crate) enum Goal {
    /// It is collected.
    #[default]
    Memory,
    /// It is written here, piece by piece.
    Upload(Upload),
    /// It was written, and somebody has taken the upload to answer.
    Taken,
}

impl Destination {
    /// Sends the body to `upload`; the answer, if that is refused.
    pub(crate) fn set(&self, upload: Upload) -> Option<Response> {
        if let Err(refusal) = upload.sink {
            return Some(*refusal);
        }
        *self.goal() = Goal::Upload(upload);
        None
    }

    /// The upload it goes to, which is then the caller's to finish or drop.
    pub(crate) fn take(&self) -> Goal {
        let mut goal = self.goal();
        match *goal {
            Goal::Memory => Goal::Memory,
            Goal::Upload(_) | Goal::Taken => mem::replace(&mut goal, Goal::Taken),
        }
    }

    /// Whether it goes to an upload; and how long that lets it be, if it says so.
    pub(crate) fn upload_bytes_max(&self) -> Option<Option<u64>> {
        match &*self.goal() {
            Goal::Upload(upload) => Some(upload.bytes_max),
            Goal::Memory | Goal::Taken => None,
        }
    }

    /// Writes a piece of the body to the upload.
    pub(crate) fn write(&self, piece: &[u8]) -> io::Result<()> {
        match &mut *self.goal() {
            Goal::Upload(upload) => upload.write(piece),
            Goal::Memory | Goal::Taken => Ok(()),
        }
    }

    fn goal(&self) -> MutexGuard<'_, Goal> {
        // A writer that has panicked is only dropped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
