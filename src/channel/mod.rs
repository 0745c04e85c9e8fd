//! Bodies that any thread writes to, while no thread waits for them.
//!
//! A [`Sender`] puts messages into a bounded buffer and wakes the connection; the connection takes them when its client
//! does. Neither waits for the other: the sender learns that a buffer is full, and an empty one costs nothing.

mod broadcast;
mod event;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};

use crate::message::{BodySource, Response, Wake};
use crate::sync::unpoisoned;

pub use broadcast::Broadcast;
pub use event::{Event, EventSender, Events};

/// Writes to the body of one response, from any thread.
///
/// The body ends, once the client has taken what was sent, when the last clone is dropped.
///
/// ```
/// use sockeye::Response;
///
/// let (response, sender) = Response::channel(1024);
/// let other = sender.clone();
/// sender.try_send("from here, ")?;
/// std::thread::spawn(move || other.try_send("from there")).join().expect("it does not panic")?;
/// drop(sender);
/// assert_eq!(response.into_text()?, "from here, from there");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sender(Arc<Writing>);

/// Why a message was not taken.
///
/// ```
/// use sockeye::{Response, TrySendError};
///
/// let (response, sender) = Response::channel(100);
/// assert_eq!(sender.try_send("x".repeat(60)), Ok(()));
/// assert_eq!(sender.try_send("x".repeat(60)), Err(TrySendError::Full));
/// drop(response);
/// assert!(sender.is_closed());
/// assert_eq!(sender.try_send("x"), Err(TrySendError::Closed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrySendError {
    /// The client takes less than it is sent, and the buffer is full. There may be room later.
    Full,
    /// The body is over: the client has gone, the server stops, or the request was HEAD.
    Closed,
}

impl fmt::Display for TrySendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full => "the client takes less than it is sent",
            TrySendError::Closed => "the response is over",
        })
    }
}

impl std::error::Error for TrySendError {}

impl Response {
    /// 200 with a body that is written piece by piece through the [`Sender`], from any thread, and sent in chunks. It
    /// costs a connection and no thread, however long nothing is sent.
    ///
    /// Up to `buffer_bytes` wait for a client that is slow; a message counts with 32 bytes on top.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Response, Router};
    ///
    /// let router = Router::new().get("/progress", |_| {
    ///     let (response, sender) = Response::channel(64 * 1024);
    ///     std::thread::spawn(move || {
    ///         for percent in [0, 50, 100] {
    ///             if sender.try_send(format!("{percent} %\n")).is_err() {
    ///                 return; // The client has gone, or is too slow.
    ///             }
    ///         }
    ///     });
    ///     response
    /// });
    /// let response = router.handle(&Request::get("/progress"));
    /// assert_eq!(response.body().length(), None); // Until the sender is dropped.
    /// ```
    pub fn channel(buffer_bytes: usize) -> (Response, Sender) {
        let (source, sender) = channel(buffer_bytes, None);
        (Response::stream(source), sender)
    }
}

impl Sender {
    /// Sends `bytes`, without waiting.
    ///
    /// A message is taken as a whole or not at all. One that is larger than the buffer is taken when that is empty.
    ///
    /// That a client has gone shows when something is sent to it: the first message after that may still be taken.
    pub fn try_send(&self, bytes: impl Into<Bytes>) -> Result<(), TrySendError> {
        let bytes = bytes.into();
        let mut buffer = self.0.shared.lock();
        if buffer.is_closed {
            return Err(TrySendError::Closed);
        }
        if bytes.is_empty() {
            return Ok(()); // An empty chunk would end the body.
        }
        let needed = bytes.len().saturating_add(MESSAGE_BYTES);
        let is_full = buffer.bytes.saturating_add(needed) > self.0.shared.bytes_max;
        if is_full && !buffer.messages.is_empty() {
            return Err(TrySendError::Full);
        }
        buffer.bytes = buffer.bytes.saturating_add(needed);
        buffer.messages.push_back(bytes);
        wake(buffer);
        Ok(())
    }

    /// Whether nothing is taken any more.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let (response, sender) = Response::channel(1024);
    /// assert!(!sender.is_closed());
    /// drop(response); // As when the client has gone.
    /// assert!(sender.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.0.shared.lock().is_closed
    }
}

// What a message takes in the buffer beside its bytes, so that empty messages are counted too.
const MESSAGE_BYTES: usize = size_of::<Bytes>();

/// Both ends of a body; a `heartbeat` is sent whenever nothing else was for that long.
fn channel(buffer_bytes: usize, heartbeat: Option<(Duration, &'static str)>) -> (Source, Sender) {
    let shared = Arc::new(Shared {
        bytes_max: buffer_bytes,
        buffer: Mutex::default(),
    });
    let source = Source {
        shared: Arc::clone(&shared),
        heartbeat,
        due: None,
    };
    (source, Sender(Arc::new(Writing { shared })))
}

#[derive(Debug)]
struct Shared {
    bytes_max: usize,
    buffer: Mutex<Buffer>,
}

/// What has been sent and not been taken.
#[derive(Debug, Default)]
struct Buffer {
    messages: VecDeque<Bytes>,
    /// What they count.
    bytes: usize,
    /// There while the connection waits to be woken.
    waker: Option<Waker>,
    /// Nothing more is taken.
    is_closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        unpoisoned(self.buffer.lock())
    }
}

/// Wakes the connection, once the lock is free: it may be driven at once.
fn wake(mut buffer: MutexGuard<'_, Buffer>) {
    let waker = buffer.waker.take();
    drop(buffer);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// All clones of a [`Sender`] together.
#[derive(Debug)]
struct Writing {
    shared: Arc<Shared>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut buffer = self.shared.lock();
        buffer.is_closed = true;
        wake(buffer);
    }
}

/// The connection's end.
#[derive(Debug)]
struct Source {
    shared: Arc<Shared>,
    heartbeat: Option<(Duration, &'static str)>,
    /// When it is to be sent, if nothing else is before.
    due: Option<Instant>,
}

impl BodySource for Source {
    fn poll_read(&mut self, room: &mut [u8], wake: &mut Wake<'_>) -> Poll<io::Result<usize>> {
        let mut buffer = self.shared.lock();
        // What was taken is still sent, as whole messages.
        buffer.is_closed |= wake.is_closing();
        if buffer.messages.is_empty() && !buffer.is_closed {
            if let Some((interval, heartbeat)) = self.heartbeat {
                let now = Instant::now();
                let due = *self.due.get_or_insert_with(|| now + interval);
                if now < due {
                    wake.at(due);
                } else {
                    buffer
                        .messages
                        .push_back(Bytes::from_static(heartbeat.as_bytes()));
                    buffer.bytes += heartbeat.len() + MESSAGE_BYTES;
                }
            }
            if buffer.messages.is_empty() {
                buffer.waker = Some(wake.waker().clone());
                return Poll::Pending;
            }
        }
        self.due = None;
        Poll::Ready(Ok(buffer.take(room)))
    }
}

impl Buffer {
    /// Moves to `room` as much as it holds.
    fn take(&mut self, room: &mut [u8]) -> usize {
        let mut filled = 0;
        while let Some(message) = self.messages.front_mut()
            && filled < room.len()
        {
            let count = message.len().min(room.len() - filled);
            message.copy_to_slice(&mut room[filled..filled + count]);
            filled += count;
            self.bytes -= count;
            if message.is_empty() {
                self.messages.pop_front();
                self.bytes -= MESSAGE_BYTES;
            }
        }
        if self.messages.is_empty() {
            // While nothing is sent, nothing is kept.
            self.messages = VecDeque::new();
        }
        filled
    }
}

/// The connection is over.
impl Drop for Source {
    fn drop(&mut self) {
        let mut buffer = self.shared.lock();
        let messages = std::mem::take(&mut buffer.messages);
        buffer.is_closed = true;
        buffer.waker = None;
        drop(buffer);
        drop(messages);
    }
}
