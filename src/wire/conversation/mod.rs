//! Whose turn is it: one client's side of HTTP/1.1, as a value.
//!
//! Bytes from the client go in, a [`Turn`] says what must happen next, bytes for the client come out. A
//! conversation never waits and never fails; what is wrong with a request is a turn too.
//!
//! ```text
//!            ┌──────────────────────────────────── next request ───────────────────────────────────┐
//!            ▼                                                                                     │
//!   bytes ─▶ head ─▶ Turn::Head ─▶ decline() ─▶ collecting ─▶ Turn::Answer ─▶ answer() ─▶ Turn::Answered ─▶ discarding
//!            │           └─────────── answer() from the head ───────────────────┘ │          │
//!            │                                                Turn::Deliver ◀─────┤          │
//!            │                └────── answer(Incoming): relaying ─────────────────┴──────────┘
//!            └─▶ Turn::Refuse ─▶ answer() ─▶ Turn::Answered ─▶ Turn::Close
//! ```

mod answering;
mod hearing;
#[cfg(test)]
mod tests;

use std::mem;
use std::net::SocketAddr;
use std::time::Instant;

use super::body_reader::BodyReader;
use super::chunked::{write_chunk, write_last_chunk};
use super::head::HeadScan;
use super::refusal::Refusal;
use super::turn::{Limits, Payload, Turn};
use crate::message::{Request, Response, StatusCode};

/// One client's conversation with the server: requests and answers, one after the other.
#[derive(Debug)]
pub struct Conversation {
    limits: Limits,
    phase: Phase,
    input: Vec<u8>,
    /// How much of the input is done with.
    consumed: usize,
    /// The client will say nothing more.
    ended: bool,
    output: Vec<u8>,
    /// How much of the output has been sent.
    sent: usize,
    request: Request,
    /// The first line of a request that was not understood; else empty.
    refused_line: Vec<u8>,
    /// How many bytes of the body of the request in hand have been received and used.
    body_received: u64,
    /// Whether the connection serves another request after this one.
    persists: bool,
    /// Whether a request was left before its end.
    unread: bool,
    /// Whether the server wants to close after the next answer.
    last: bool,
    /// The answer that was begun last, until it is taken.
    begun: Option<StatusCode>,
    /// What it refuses the request for.
    refusal: Option<Refusal>,
    /// Whether it was broken off, since the body that it sends back was.
    broken_off: bool,
    /// Bytes of the output up to the end of its head that have not been sent.
    head_unsent: usize,
    /// Bytes of its body that have been sent.
    body_sent: u64,
}

/// What has been sent of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its status.
    pub status: StatusCode,
    /// Bytes behind its head, with the framing of chunks.
    pub body_bytes: u64,
    /// Why the request was refused, if it was.
    pub refusal: Option<Refusal>,
}

#[derive(Debug)]
enum Phase {
    Head(HeadScan),
    Asked(BodyReader),
    Collecting(BodyReader),
    Whole,
    Relaying(Relay),
    /// What is left of the request's body waits behind the answer.
    Delivering(Payload, Option<BodyReader>),
    Answered(Option<BodyReader>),
    Discarding(BodyReader, u64),
    Refused(Refusal),
    Over,
}

/// A request's body on its way back.
#[derive(Debug)]
struct Relay {
    reader: BodyReader,
    /// Its length as announced; chunks if it was not.
    length: Option<u64>,
    /// The answer and its date, while its head is not yet said: until then a malformed body can still be refused.
    unsaid: Option<(Response, String)>,
}

impl Conversation {
    /// A conversation in which nothing has been said.
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
            persists: true,
            unread: false,
            last: false,
            begun: None,
            refusal: None,
            broken_off: false,
            head_unsent: 0,
            body_sent: 0,
        }
    }

    /// What the client said goes to the end of this buffer, which has at least `bytes` of spare capacity.
    pub fn room(&mut self, bytes: usize) -> &mut Vec<u8> {
        self.input.drain(..self.consumed);
        self.consumed = 0;
        self.input.reserve(bytes);
        &mut self.input
    }

    /// The client said `bytes`.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).extend_from_slice(bytes);
    }

    /// The client will say nothing more; it may still listen.
    pub fn receive_end(&mut self) {
        self.ended = true;
    }

    /// The request in hand; what is known of it after [`Turn::Refuse`].
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The request line as received, where it could not be understood; then [`Conversation::request`] says nothing of
    /// it but whether it is HEAD. Without its end, and at most [`Limits::REQUEST_LINE_BYTES_KEPT_MAX`] long.
    pub fn request_line_as_received(&self) -> Option<&[u8]> {
        Some(&self.refused_line[..]).filter(|line| !line.is_empty())
    }

    /// How many bytes of the body of the request in hand have been collected or sent back so far; what is discarded
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

    /// Sets a time at which all of the request in hand that has been looked at had been received.
    pub fn set_received(&mut self, received: Instant) {
        self.request.received = Some(received);
    }

    /// What is to be sent now.
    pub fn output(&self) -> &[u8] {
        &self.output[self.sent..]
    }

    /// The first `bytes` of the output have been sent.
    pub fn sent(&mut self, bytes: usize) {
        let of_head = bytes.min(self.head_unsent);
        self.head_unsent -= of_head;
        self.body_sent += (bytes - of_head) as u64;
        self.sent += bytes;
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
        }
    }

    /// So many bytes of the [`payload`](Conversation::payload) have been sent without passing through the output.
    pub fn sent_directly(&mut self, bytes: u64) {
        self.body_sent += bytes;
    }

    /// What has been sent of the answer that was begun last, if all of it has been; `None` also if that was asked before.
    pub fn take_finished(&mut self) -> Option<Sent> {
        let is_unfinished = matches!(self.phase, Phase::Delivering(..) | Phase::Relaying(_));
        match is_unfinished || self.broken_off || !self.output.is_empty() {
            true => None,
            false => self.take_sent(),
        }
    }

    /// What has been sent of the answer that was begun last; `None` if that was asked before, or none was begun. The
    /// answer with a body that is sent back begins with the first byte of that.
    pub fn take_sent(&mut self) -> Option<Sent> {
        let status = self.begun.take()?;
        if self.is_unsaid() {
            return None;
        }
        Some(Sent {
            status,
            body_bytes: self.body_sent,
            refusal: self.refusal,
        })
    }

    /// Whether an answer has been decided of which nothing is said before a body has begun to come in.
    fn is_unsaid(&self) -> bool {
        matches!(&self.phase, Phase::Relaying(relay) if relay.unsaid.is_some())
    }

    /// What is to be sent after the output, after [`Turn::Deliver`].
    pub fn payload(&mut self) -> &mut Payload {
        match &mut self.phase {
            Phase::Delivering(payload, _) => payload,
            _ => panic!("there is a payload only after Turn::Deliver"),
        }
    }

    /// The output and what is in the payload, to be sent together.
    pub fn output_and_payload(&mut self) -> (&[u8], &mut Payload) {
        match &mut self.phase {
            Phase::Delivering(payload, _) => (&self.output[self.sent..], payload),
            _ => panic!("there is a payload only after Turn::Deliver"),
        }
    }

    /// What belongs behind the output, such as a piece of a file, goes to the end of this buffer, which has at least
    /// `bytes` of spare capacity.
    pub fn output_room(&mut self, bytes: usize) -> &mut Vec<u8> {
        self.output.reserve(bytes);
        &mut self.output
    }

    /// Puts a piece of a [`Payload::Stream`](super::Payload::Stream) into the output; an empty piece is its end.
    pub fn push_stream(&mut self, piece: &[u8], chunked: bool) {
        match (chunked, piece.is_empty()) {
            (true, false) => write_chunk(&mut self.output, piece),
            (true, true) => write_last_chunk(&mut self.output),
            (false, _) => self.output.extend_from_slice(piece),
        }
    }

    /// Whether nothing has been said since the last answer, and nothing is left to send.
    pub fn is_between_requests(&self) -> bool {
        matches!(self.phase, Phase::Head(_))
            && self.consumed == self.input.len()
            && self.output.is_empty()
    }

    /// Whether something the client said has not been looked at.
    pub fn has_input(&self) -> bool {
        self.consumed < self.input.len()
    }

    /// Whether a head is awaited, as opposed to a body.
    pub fn awaits_head(&self) -> bool {
        matches!(self.phase, Phase::Head(_))
    }

    /// Whether the client may still be saying something that will not be read, so that the connection must be
    /// closed with care for it to hear the answer (RFC 9112 §9.6).
    pub fn leaves_input_unread(&self) -> bool {
        !self.ended && (self.unread || self.consumed < self.input.len())
    }

    /// Gives back the memory that is not in use, before a long wait.
    pub fn pack(&mut self) {
        self.input.drain(..self.consumed);
        self.consumed = 0;
        self.input.shrink_to_fit();
        self.output.shrink_to_fit();
    }

    /// Whether a reader's body is being sent.
    pub fn has_stream(&self) -> bool {
        matches!(self.phase, Phase::Delivering(Payload::Stream { .. }, _))
    }

    /// Gives back what its buffers hold beyond `bytes` each, after [`Conversation::restart`].
    pub fn shrink_to(&mut self, bytes: usize) {
        self.input.shrink_to(bytes);
        self.output.shrink_to(bytes);
        self.request.body.shrink_to(bytes);
    }

    /// Goes back to the very beginning, for another client, and keeps the memory.
    pub fn restart(&mut self) {
        self.phase = Phase::Head(HeadScan::default());
        self.input.clear();
        self.consumed = 0;
        self.ended = false;
        self.output.clear();
        self.sent = 0;
        self.refused_line.clear();
        self.body_received = 0;
        self.persists = true;
        self.unread = false;
        self.last = false;
        self.begun = None;
        self.broken_off = false;
    }

    /// The answer to the request in hand, or to the next one, is the last on this connection.
    pub fn end_after_answer(&mut self) {
        self.last = true;
    }

    /// What must happen next.
    pub fn turn(&mut self) -> Turn {
        loop {
            let step = match &mut self.phase {
                Phase::Head(_) => self.read_head(),
                Phase::Asked(_) => Some(Turn::Head),
                Phase::Collecting(_) => self.collect(),
                Phase::Whole => Some(Turn::Answer),
                Phase::Relaying(_) => self.relay(),
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

    /// The client has taken too long to finish its request. Whether there is something to say to it, with
    /// [`Turn::Refuse`]: not if it has said nothing, or if an answer has begun.
    pub fn time_out(&mut self) -> bool {
        let is_due = match &self.phase {
            Phase::Head(_) => self.consumed < self.input.len(),
            Phase::Collecting(_) => true,
            Phase::Relaying(relay) => relay.unsaid.is_some(),
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

    /// The handler wants the body before it answers. To be said after [`Turn::Head`].
    pub fn decline(&mut self) {
        let Phase::Asked(reader) = mem::replace(&mut self.phase, Phase::Whole) else {
            panic!("there is something to decline only after Turn::Head");
        };
        match reader.remaining() {
            Some(0) => {}
            Some(length) if length > self.limits.body_bytes_max as u64 => {
                self.refuse(Refusal::BodyTooLarge)
            }
            _ => {
                self.continue_if_awaited();
                self.phase = Phase::Collecting(reader);
            }
        }
    }
}
