//! One connection's side of HTTP/1.1, as a value: requests and responses, one after the other.
//!
//! Bytes from the client go in, a [`Turn`] is what must happen next, bytes for the client come out. A
//! conversation does no I/O and returns no errors: a malformed request is a turn, [`Turn::Refuse`].
//!
//! ```text
//!            ┌──────────────────────────────────── next request ───────────────────────────────────┐
//!            ▼                                                                                     │
//!   bytes ─▶ head ─▶ Turn::Head ─▶ collect_body() ─▶ collecting ─▶ Turn::Answer ─▶ answer() ─▶ Turn::Answered ─▶ discarding
//!            │           └─────────── answer() from the head ───────────────────┘ │          │
//!            │                                   ▲ ▼            Turn::Deliver ◀─────┤          │
//!            │                └────── answer(Incoming): echoing ──────────────────┴──────────┘
//!            └─▶ Turn::Refuse ─▶ answer() ─▶ Turn::Answered ─▶ Turn::Close
//! ```

mod end;
mod kept;
mod memory;
mod output;
mod receive;
mod respond;
mod state;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Instant;

use super::body_reader::BodyReader;
use super::head::HeadScan;
use super::persistence::Persistence;
use super::refusal::Refusal;
use super::turn::{Limits, Payload, Turn};
use crate::message::{Request, Response, StatusCode};
pub use kept::Kept;

/// One client's conversation with the server: requests and answers, one after the other.
///
/// ```
/// use sockeye::Response;
/// use sockeye::wire::{Conversation, Limits, Turn};
///
/// let mut conversation = Conversation::new(Limits::default());
/// conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// assert_eq!(conversation.turn(), Turn::Head);
/// conversation.answer(Response::text("hello"), "Sat, 21 Nov 2026 10:21:58 GMT");
/// assert_eq!(conversation.turn(), Turn::Answered);
/// assert!(conversation.output().ends_with(b"\r\n\r\nhello"));
/// ```
#[derive(Debug)]
pub struct Conversation {
    limits: Limits,
    phase: Phase,
    input: Vec<u8>,
    /// How many bytes at the start of the input have been read.
    consumed: usize,
    /// Whether the client has ended its side.
    ended: bool,
    output: Vec<u8>,
    /// How much of the output has been sent.
    sent: usize,
    request: Request,
    /// The first line of a request that was not understood; else empty.
    refused_line: Vec<u8>,
    /// How many bytes of the current request's body have been collected or echoed.
    body_received: u64,
    /// Whether the connection serves another request after this one.
    persistence: Persistence,
    /// Whether a request has not been read to its end.
    unread: bool,
    /// Whether the next answer is the last on this connection.
    last: bool,
    /// The status of the last answer, until it is taken.
    begun: Option<StatusCode>,
    /// Why that answer refuses its request, if it does.
    refusal: Option<Refusal>,
    /// Whether that answer ends early, because the body that it echoes did.
    cut_short: bool,
    /// Bytes of the output up to the end of its head that have not been sent.
    head_unsent: usize,
    /// Bytes of its body that have been sent.
    body_sent: u64,
    kept: Option<Box<Kept>>,
}

#[derive(Debug)]
enum Phase {
    Head(HeadScan),
    Asked(BodyReader),
    /// The body may have so many bytes.
    Collecting(BodyReader, u64),
    Whole,
    EchoingBody(BodyEcho),
    /// What is left of the request's body waits behind the answer.
    Delivering(Payload, Option<BodyReader>),
    Answered(Option<BodyReader>),
    Discarding(BodyReader, u64),
    Refused(Refusal),
    Over,
}

/// A request's body that is sent back as the response's.
#[derive(Debug)]
struct BodyEcho {
    reader: BodyReader,
    /// The response's length, where it is known; `None` is sent in chunks.
    length: Option<u64>,
    /// Whether the framing of chunks is sent back too.
    is_raw: bool,
    /// The response and its date while its head is not written: until then a malformed body can be refused.
    pending: Option<(Response, String)>,
}

impl Conversation {
    /// A conversation before its first byte.
    pub fn new(limits: Limits) -> Conversation {
        Conversation {
            limits,
            phase: Phase::Head(HeadScan::default()),
            input: Vec::new(),
            consumed: 0,
            ended: false,
            output: Vec::new(),
            sent: 0,
            request: Request::default(),
            refused_line: Vec::new(),
            body_received: 0,
            persistence: Persistence::Default,
            unread: false,
            last: false,
            begun: None,
            refusal: None,
            cut_short: false,
            head_unsent: 0,
            body_sent: 0,
            kept: None,
        }
    }

    /// The buffer that received bytes are appended to, with at least `bytes` of spare capacity.
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// # let mut socket = &b"GET / HTTP/1.0\r\n\r\n"[..];
    /// let mut conversation = Conversation::new(Limits::default());
    /// while conversation.turn() == Turn::NeedBytes {
    ///     let read = socket.by_ref().take(4096).read_to_end(conversation.room(4096))?;
    ///     assert_ne!(read, 0, "the client has gone");
    /// }
    /// assert_eq!(conversation.turn(), Turn::Head);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn room(&mut self, bytes: usize) -> &mut Vec<u8> {
        self.input.drain(..self.consumed);
        self.consumed = 0;
        self.input.reserve(bytes);
        &mut self.input
    }

    /// Appends `bytes` to what is received.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).extend_from_slice(bytes);
    }

    /// Records that the client has ended its side; it may still read.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"GET / HT");
    /// assert_eq!(conversation.turn(), Turn::NeedBytes);
    /// conversation.receive_end();
    /// assert_eq!(conversation.turn(), Turn::Close); // There is nobody to answer.
    /// ```
    pub fn receive_end(&mut self) {
        self.ended = true;
    }

    /// The current request; after [`Turn::Refuse`], as much of it as was understood.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"GET /search?q=salmon HTTP/1.1\r\nHost: a\r\n\r\n");
    /// assert_eq!(conversation.turn(), Turn::Head);
    /// assert_eq!(conversation.request().query("q").as_deref(), Some("salmon"));
    /// ```
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The request line as received, where it could not be understood; then [`Conversation::request`] holds nothing of
    /// it but whether it is HEAD. Without its end, and at most [`Limits::REQUEST_LINE_BYTES_KEPT_MAX`] long.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Refusal, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"hello?\r\n\r\n");
    /// assert_eq!(conversation.turn(), Turn::Refuse(Refusal::RequestLine));
    /// assert_eq!(conversation.request_line_as_received(), Some(&b"hello?"[..]));
    /// ```
    pub fn request_line_as_received(&self) -> Option<&[u8]> {
        Some(&self.refused_line[..]).filter(|line| !line.is_empty())
    }

    /// How many bytes of the body of the current request have been collected or sent back so far; what is discarded
    /// does not count.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsalmon");
    /// assert_eq!(conversation.turn(), Turn::Head);
    /// conversation.collect_body();
    /// assert_eq!(conversation.turn(), Turn::NeedBytes);
    /// assert_eq!(conversation.body_bytes_received(), 6);
    /// ```
    pub fn body_bytes_received(&self) -> u64 {
        self.body_received
    }

    /// Sets who the requests come from.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.set_peer(Some(([192, 0, 2, 7], 50312).into()));
    /// assert_eq!(conversation.request().peer().map(|peer| peer.port()), Some(50312));
    /// ```
    pub fn set_peer(&mut self, peer: Option<SocketAddr>) {
        self.request.peer = peer;
    }

    /// Sets a time at which all of the current request that has been looked at had been received.
    ///
    /// ```
    /// use std::time::Instant;
    ///
    /// use sockeye::wire::{Conversation, Limits};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// let now = Instant::now();
    /// conversation.set_received(now);
    /// assert_eq!(conversation.request().received(), Some(now));
    /// ```
    pub fn set_received(&mut self, received: Instant) {
        self.request.received = Some(received);
    }

    /// What must happen next.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// use sockeye::wire::{Conversation, Limits, Turn};
    /// use sockeye::{Handler, Router};
    ///
    /// /// Answers all that has come, as far as a handler can without more.
    /// fn drive(conversation: &mut Conversation, handler: &impl Handler) {
    ///     loop {
    ///         let response = match conversation.turn() {
    ///             Turn::Head => handler.handle_head(conversation.request()),
    ///             Turn::Answer => Some(handler.handle(conversation.request())),
    ///             Turn::Refuse(refusal) => Some(refusal.response(conversation.request())),
    ///             Turn::Answered => continue,
    ///             Turn::NeedBytes | Turn::Body | Turn::Deliver | Turn::Close => return,
    ///         };
    ///         match response {
    ///             Some(response) => conversation.answer(response, DATE),
    ///             None => conversation.collect_body(),
    ///         }
    ///     }
    /// }
    ///
    /// let router = Router::new().get("/", |_| "one\n").post("/", |request| request.body().to_vec());
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// conversation.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo");
    /// drive(&mut conversation, &router);
    /// let answers = String::from_utf8_lossy(conversation.output());
    /// assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2);
    /// assert!(answers.ends_with("two"));
    /// ```
    pub fn turn(&mut self) -> Turn {
        loop {
            let step = match &mut self.phase {
                Phase::Head(_) => self.read_head(),
                Phase::Asked(_) => Some(Turn::Head),
                Phase::Collecting(..) => self.collect(),
                Phase::Whole => Some(self.whole()),
                Phase::EchoingBody(_) => self.echo_body(),
                Phase::Discarding(..) => self.discard(),
                Phase::Refused(refusal) => Some(Turn::Refuse(*refusal)),
                Phase::Delivering(..) => Some(Turn::Deliver),
                Phase::Answered(rest) => {
                    let rest = rest.take();
                    Some(self.finish(rest))
                }
                Phase::Over => Some(Turn::Close),
            };
            if let Some(turn) = step {
                return turn;
            }
        }
    }
}
