//! What passes between a conversation and the server that drives it.

use bytes::Bytes;

use super::persistence::Persistence;
use super::refusal::Refusal;
use crate::message::{FileSlice, StatusCode, Stream};

/// How large a request may be.
///
/// ```
/// use sockeye::wire::{Conversation, Limits, Refusal, Turn};
///
/// let limits = Limits { head_bytes_max: 1024, ..Limits::default() };
/// let mut conversation = Conversation::new(limits);
/// conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: ");
/// conversation.receive(&[b'x'; 2000]);
/// assert_eq!(conversation.turn(), Turn::Refuse(Refusal::HeadTooLarge)); // 431
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The request line, in bytes without its CRLF; a longer one is answered 414.
    pub request_line_bytes_max: usize,
    /// The whole head, in bytes; a longer one is answered 431.
    pub head_bytes_max: usize,
    /// A body that a handler wants as a whole, or as an [`Upload`](crate::Upload) without a limit of its own, in bytes; a
    /// larger one is answered 413. A body that is sent back while it comes has no limit.
    pub body_bytes_max: usize,
}

impl Limits {
    /// How many fields a head may have; more are answered 431.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Refusal, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n");
    /// conversation.receive("X: y\r\n".repeat(Limits::FIELDS_MAX).as_bytes());
    /// conversation.receive(b"\r\n");
    /// assert_eq!(conversation.turn(), Turn::Refuse(Refusal::HeadTooLarge));
    /// ```
    pub const FIELDS_MAX: usize = 100;

    /// How much is kept of a request line that is not understood, for the log.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(&[b'?'; 5000]);
    /// conversation.receive(b"\r\n\r\n");
    /// assert!(matches!(conversation.turn(), Turn::Refuse(_)));
    /// let line = conversation.request_line_as_received().expect("it is not understood");
    /// assert_eq!(line.len(), Limits::REQUEST_LINE_BYTES_KEPT_MAX);
    /// ```
    pub const REQUEST_LINE_BYTES_KEPT_MAX: usize = 1024;
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            request_line_bytes_max: 8 * 1024,
            head_bytes_max: 32 * 1024,
            body_bytes_max: 1024 * 1024,
        }
    }
}

/// What must happen next.
///
/// ```
/// use sockeye::wire::{Conversation, Limits, Refusal, Turn};
///
/// let turn_after = |bytes: &[u8]| {
///     let mut conversation = Conversation::new(Limits::default());
///     conversation.receive(bytes);
///     conversation.turn()
/// };
/// assert_eq!(turn_after(b"GET / HTTP/1.1\r\n"), Turn::NeedBytes);
/// assert_eq!(turn_after(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Turn::Head);
/// assert_eq!(turn_after(b"GET / HTTP/1.1\r\n\r\n"), Turn::Refuse(Refusal::HostMissing));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Send what is in the output, read from the client, then ask again.
    NeedBytes,
    /// The head is complete: [`answer`](super::Conversation::answer) from it, or [`collect_body`](super::Conversation::collect_body).
    Head,
    /// More of the body is in the request, which an [`Upload`](crate::Upload) is to have: give it that, then call
    /// [`body_taken`](super::Conversation::body_taken); or [`answer`](super::Conversation::answer).
    Body,
    /// The whole request is ready: [`answer`](super::Conversation::answer) it.
    Answer,
    /// [`answer`](super::Conversation::answer) with [`Refusal::response`]; the connection will close.
    Refuse(Refusal),
    /// The head of an answer is in the output and its body follows: send the output and what is in
    /// [`payload`](super::Conversation::payload), then call [`delivered`](super::Conversation::delivered).
    Deliver,
    /// An answer is in the output whole; the next request follows, after what is left of this one.
    Answered,
    /// The connection closes once the output is sent.
    Close,
}

/// What of an answer's body is not in the output and is to be sent after it. Who sends a part of it takes that part off.
///
/// ```
/// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
/// # use sockeye::Response;
/// # use sockeye::wire::{Conversation, Limits};
/// # let mut conversation = Conversation::new(Limits::default());
/// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// # conversation.turn();
/// use sockeye::wire::Payload;
///
/// conversation.answer(Response::stream(&b"salmon"[..]), DATE);
/// let Payload::Stream { stream, chunked } = conversation.payload() else {
///     panic!("it is a stream");
/// };
/// assert!(stream.length.is_none() && *chunked);
/// ```
#[derive(Debug, Default)]
pub enum Payload {
    /// Nothing, or nothing more.
    #[default]
    None,
    /// These bytes.
    Bytes(Bytes),
    /// This piece of a file.
    File(FileSlice),
    /// What this reader yields, in chunks if `chunked`, else as it is. With a length of 0 it is only to be dropped.
    Stream {
        /// The source.
        stream: Stream,
        /// Whether to frame what it yields as chunks.
        chunked: bool,
    },
}

/// What has been sent of an answer.
///
/// ```
/// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
/// # use sockeye::Response;
/// # use sockeye::wire::{Conversation, Limits};
/// # let mut conversation = Conversation::new(Limits::default());
/// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// # conversation.turn();
/// conversation.answer(Response::text("hello"), DATE);
/// conversation.sent(conversation.output().len());
/// let sent = conversation.take_finished().expect("all is sent");
/// assert_eq!((sent.status.as_u16(), sent.body_bytes, sent.refusal), (200, 5, None));
/// assert!(sent.persistence.is_kept());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its status.
    pub status: StatusCode,
    /// Bytes behind its head, with the framing of chunks.
    pub body_bytes: u64,
    /// Why the request was refused, if it was.
    pub refusal: Option<Refusal>,
    /// What becomes of the connection.
    pub persistence: Persistence,
}
