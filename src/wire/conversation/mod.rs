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

mod kept;
mod memory;
mod output;
mod receive;
mod respond;
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
    pub fn receive_end(&mut self) {
        self.ended = true;
    }

    /// The current request; after [`Turn::Refuse`], as much of it as was understood.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The request line as received, where it could not be understood; then [`Conversation::request`] holds nothing of
    /// it but whether it is HEAD. Without its end, and at most [`Limits::REQUEST_LINE_BYTES_KEPT_MAX`] long.
    pub fn request_line_as_received(&self) -> Option<&[u8]> {
        Some(&self.refused_line[..]).filter(|line| !line.is_empty())
    }

    /// How many bytes of the body of the current request have been collected or sent back so far; what is discarded
    /// does not count.
    pub fn body_bytes_received(&self) -> u64 {
        self.body_received
    }

    /// The connection is over. If half a head is there, what is understood of it is in [`Conversation::request`] and
    /// [`Conversation::request_line_as_received`] afterwards.
    pub fn give_up(&mut self) {
        if self.has_input() {
            self.forget_request();
        }
    }

    /// Sets who the requests come from.
    pub fn set_peer(&mut self, peer: Option<SocketAddr>) {
        self.request.peer = peer;
    }

    /// Sets a time at which all of the current request that has been looked at had been received.
    pub fn set_received(&mut self, received: Instant) {
        self.request.received = Some(received);
    }

    /// Whether nothing has been received since the last answer, and nothing is left to send.
    pub fn is_between_requests(&self) -> bool {
        matches!(self.phase, Phase::Head(_))
            && self.consumed == self.input.len()
            && self.output.is_empty()
    }

    /// Whether there is input that has not been read.
    pub fn has_input(&self) -> bool {
        self.consumed < self.input.len()
    }

    /// Whether a head is awaited, as opposed to a body.
    pub fn awaits_head(&self) -> bool {
        matches!(self.phase, Phase::Head(_))
    }

    /// Whether the client may still be sending what will not be read, so that the connection must be closed in stages
    /// for the answer to arrive (RFC 9112 §9.6).
    pub fn leaves_input_unread(&self) -> bool {
        !self.ended && (self.unread || self.consumed < self.input.len())
    }

    /// Whether something of a handler's is in it, and is dropped with it: the reader of a body, or an upload.
    pub fn has_stream(&self) -> bool {
        self.upload_bytes_max().is_some()
            || matches!(self.phase, Phase::Delivering(Payload::Stream { .. }, _))
    }

    /// The answer to the current request, or to the next one, is the last on this connection.
    pub fn end_after_answer(&mut self) {
        self.last = true;
    }

    /// What must happen next.
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

    /// Refuses a client that has no slot, by [`Turn::Refuse`], whatever was received of its request.
    pub fn turn_away(&mut self) {
        if matches!(self.turn(), Turn::Head | Turn::NeedBytes) {
            self.forget_request();
            self.refuse(Refusal::NoRoom);
        }
    }

    /// Ends the wait for a request that takes too long. Returns whether it is answered, by [`Turn::Refuse`]: not if
    /// nothing was received of it, or if an answer has begun.
    pub fn time_out(&mut self) -> bool {
        let is_due = match &self.phase {
            Phase::Head(_) => self.consumed < self.input.len(),
            Phase::Collecting(..) => true,
            Phase::EchoingBody(echo) => echo.pending.is_some(),
            _ => false,
        };
        // A client that takes nothing will not take that either.
        let is_due = is_due && self.output.is_empty();
        if is_due {
            self.forget_request();
            self.refuse(Refusal::Timeout);
        }
        is_due
    }
}
