//! A body that comes from a reader, or from a source that can wait without a thread.

use std::fmt;
use std::io::{self, Read};
use std::task::{Poll, Waker};
use std::time::Instant;

/// Where the bytes of a [`Stream`] come from.
///
/// Every [`Read`] is one, and may block: others are served meanwhile, as long as there are threads. A source that has to
/// wait for long, as for the next event, says so instead and costs no thread until it is woken.
///
/// ```
/// use std::{io, task::Poll};
///
/// use sockeye::{BodySource, Response, Wake};
///
/// struct Ready(&'static [u8]);
///
/// impl BodySource for Ready {
///     fn poll_read(&mut self, buffer: &mut [u8], _wake: &mut Wake<'_>) -> Poll<io::Result<usize>> {
///         Poll::Ready(io::Read::read(&mut self.0, buffer))
///     }
/// }
/// assert_eq!(Response::stream(Ready(b"hello")).into_text()?, "hello");
/// # Ok::<(), io::Error>(())
/// ```
pub trait BodySource: Send {
    /// Fills the beginning of `buffer` and returns how many bytes that was; 0 is the end.
    ///
    /// [`Poll::Pending`]: there is nothing yet. It is asked again once the [`Waker`] of `wake` is woken, from any thread,
    /// or at the time that was set there. To be asked without need does no harm.
    fn poll_read(&mut self, buffer: &mut [u8], wake: &mut Wake<'_>) -> Poll<io::Result<usize>>;
}

impl<R: Read + Send> BodySource for R {
    fn poll_read(&mut self, buffer: &mut [u8], _: &mut Wake<'_>) -> Poll<io::Result<usize>> {
        Poll::Ready(self.read(buffer))
    }
}

/// What wakes a [`BodySource`] that has nothing to give yet.
///
/// ```
/// use std::task::Waker;
/// use std::time::{Duration, Instant};
///
/// use sockeye::Wake;
///
/// // As a source's own test gives it.
/// let mut wake = Wake::new(Waker::noop()).with_closing(false);
/// wake.at(Instant::now() + Duration::from_secs(1));
/// assert!(wake.time().is_some() && !wake.is_closing());
/// ```
#[derive(Debug)]
pub struct Wake<'a> {
    waker: &'a Waker,
    at: Option<Instant>,
    is_closing: bool,
}

impl<'a> Wake<'a> {
    /// With this waker and no time.
    pub fn new(waker: &'a Waker) -> Wake<'a> {
        Wake {
            waker,
            at: None,
            is_closing: false,
        }
    }

    /// The same, with whether the server is stopping.
    pub fn with_closing(self, is_closing: bool) -> Wake<'a> {
        Wake { is_closing, ..self }
    }

    /// Wakes the source's connection. It may be kept, cloned and woken at any time; when the connection is gone, it
    /// does nothing.
    ///
    /// ```
    /// use std::io;
    /// use std::sync::{Arc, Mutex};
    /// use std::task::{Poll, Waker};
    ///
    /// use sockeye::{BodySource, Wake};
    ///
    /// /// What another thread finds out, and who waits for it.
    /// #[derive(Clone, Default)]
    /// struct Answer(Arc<Mutex<(Option<&'static [u8]>, Option<Waker>)>>);
    ///
    /// impl BodySource for Answer {
    ///     fn poll_read(&mut self, buffer: &mut [u8], wake: &mut Wake<'_>) -> Poll<io::Result<usize>> {
    ///         let (found, waker) = &mut *self.0.lock().unwrap();
    ///         let Some(found) = found else {
    ///             *waker = Some(wake.waker().clone());
    ///             return Poll::Pending;
    ///         };
    ///         Poll::Ready(io::Read::read(found, buffer))
    ///     }
    /// }
    ///
    /// let answer = Answer::default();
    /// let mut source = answer.clone();
    /// let mut ask = || source.poll_read(&mut [0; 8], &mut Wake::new(Waker::noop()));
    /// assert!(ask().is_pending());
    /// let mut state = answer.0.lock().unwrap();
    /// state.0 = Some(b"42");
    /// state.1.take().expect("it waits").wake();
    /// drop(state);
    /// assert!(matches!(ask(), Poll::Ready(Ok(2))));
    /// ```
    pub fn waker(&self) -> &Waker {
        self.waker
    }

    /// Asks again at `instant` at the latest, some milliseconds later perhaps.
    pub fn at(&mut self, instant: Instant) {
        self.at = Some(self.at.map_or(instant, |at| at.min(instant)));
    }

    /// When the source is to be asked again, if it named a time.
    pub fn time(&self) -> Option<Instant> {
        self.at
    }

    /// Whether the server is stopping. A source without an end of its own should end now; it is asked when it begins.
    pub fn is_closing(&self) -> bool {
        self.is_closing
    }
}

/// A body that is read piece by piece while it is sent.
///
/// If its source fails or panics, or ends before the length it promised, the connection is closed, so that the client can
/// tell. What it has beyond that length is not sent.
///
/// ```
/// use sockeye::{Response, StatusCode, Stream};
///
/// let numbers = Stream { reader: Box::new(&b"1,2,3"[..]), length: Some(5) };
/// let response = Response::new(StatusCode::OK).with_body(numbers);
/// assert_eq!(response.body().length(), Some(5));
/// assert_eq!(response.into_text()?, "1,2,3");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Stream {
    /// Where the bytes come from.
    pub reader: Box<dyn BodySource>,
    /// How many there will be, if that is known.
    pub length: Option<u64>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
