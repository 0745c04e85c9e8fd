//! Whose turn is it: one client's side of HTTP/1.1, as a value.
//!
//! Bytes from the client go in, a [`Turn`] says what must happen next, bytes for the client come out. A
//! conversation never waits and never fails; what is wrong with a request is a turn too.
//!
//! ```text
//!            ┌───────────────────────────────── next request ────────────────────────────────┐
//!            ▼                                                                               │
//!   bytes ─▶ head ─▶ Turn::Head ─▶ decline() ─▶ collecting ─▶ Turn::Answer ─▶ answer() ─▶ delivered()
//!            │           └─────────── answer() from the head ───────────────────┘ │          │
//!            │                └────── answer(Incoming): relaying ─▶ Turn::Relayed ─┘      discarding
//!            └─▶ Turn::Refuse ─▶ answer() ─▶ Turn::Close
//! ```

use std::mem;

use bytes::Bytes;

use super::answer::{BodyFraming, Context, body_framing, write_head};
use super::body_reader::BodyReader;
use super::chunked::{Piece, write_chunk, write_last_chunk};
use super::framing::framing;
use super::head::{self, HeadScan};
use super::refusal::Refusal;
use crate::message::{
    Body, FileSlice, Headers, Method, Request, Response, StatusCode, Stream, Version,
};

/// How much a client may say at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The request line, in bytes without its CRLF; a longer one is answered 414.
    pub request_line_bytes_max: usize,
    /// The whole head, in bytes; a longer one is answered 431.
    pub head_bytes_max: usize,
    /// A body that a handler wants as a whole, in bytes; a larger one is answered 413. Streamed bodies have no limit.
    pub body_bytes_max: usize,
}

impl Limits {
    /// How many fields a head may have; more are answered 431.
    pub const FIELDS_MAX: usize = 100;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Send what is in the output, read from the client, then ask again.
    NeedBytes,
    /// The head is complete: [`Conversation::answer`] from it, or [`Conversation::decline`].
    Head,
    /// The whole request is ready: [`Conversation::answer`] it.
    Answer,
    /// [`Conversation::answer`] with [`Refusal::response`]; the connection will close.
    Refuse(Refusal),
    /// The body that was sent back as it came is complete, so many bytes.
    Relayed(u64),
    /// Nothing more will be said once the output is sent.
    Close,
}

/// What of an answer did not go into the output and is to be sent after it.
#[derive(Debug)]
pub enum Payload {
    /// Nothing: the answer is in the output, or will be relayed into it.
    None,
    /// These bytes.
    Bytes(Bytes),
    /// This piece of a file.
    File(FileSlice),
    /// What this reader yields, in chunks if `chunked`, else as it is.
    Stream {
        /// The source.
        stream: Stream,
        /// Whether to frame what it yields as chunks.
        chunked: bool,
    },
}

// Below this a copy is cheaper than a second buffer in the write.
const COPIED_BYTES_MAX: usize = 8 * 1024;

// What is read of a body nobody wants, to keep the connection; a larger rest costs more than a new connection.
const DISCARDED_BYTES_MAX: u64 = 64 * 1024;

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
    /// Whether the connection serves another request after this one.
    persists: bool,
    /// Whether a request was left before its end.
    unread: bool,
    /// Whether the server wants to close after the next answer.
    last: bool,
}

#[derive(Debug)]
enum Phase {
    Head(HeadScan),
    Asked(BodyReader),
    Collecting(BodyReader),
    Whole,
    Relaying(Relay),
    Delivering(Option<BodyReader>),
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
    relayed: u64,
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
            persists: true,
            unread: false,
            last: false,
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

    /// Sets who the requests come from.
    pub fn set_peer(&mut self, peer: Option<std::net::SocketAddr>) {
        self.request.peer = peer;
    }

    /// What is to be sent now.
    pub fn output(&self) -> &[u8] {
        &self.output[self.sent..]
    }

    /// The first `bytes` of the output have been sent.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
        }
    }

    /// What belongs behind the output, such as a piece of a file, goes to the end of this buffer, which has at least
    /// `bytes` of spare capacity.
    pub fn output_room(&mut self, bytes: usize) -> &mut Vec<u8> {
        self.output.reserve(bytes);
        &mut self.output
    }

    /// Puts a piece of a [`Payload::Stream`] into the output; an empty piece is its end.
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

    /// Whether the body of the request in hand is being sent back.
    pub fn is_relaying(&self) -> bool {
        matches!(self.phase, Phase::Relaying(_))
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

    /// Goes back to the very beginning, for another client, and keeps the memory.
    pub fn restart(&mut self) {
        self.phase = Phase::Head(HeadScan::default());
        self.input.clear();
        self.consumed = 0;
        self.ended = false;
        self.output.clear();
        self.sent = 0;
        self.persists = true;
        self.unread = false;
        self.last = false;
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
                Phase::Delivering(_) => {
                    panic!("what answer() returned is to be delivered before the next turn")
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
        if is_due {
            if self.awaits_head() {
                self.request.clear();
            }
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

    /// Answers the request in hand. To be said after [`Turn::Head`], [`Turn::Answer`] or [`Turn::Refuse`]; `date` is
    /// the value of `Date`, an HTTP-date.
    ///
    /// The head and a small body are in the output then. What is returned is to be sent after it, followed by
    /// [`Conversation::delivered`]; nothing else is to be said before.
    pub fn answer(&mut self, response: Response, date: &str) -> Payload {
        let rest = match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Asked(reader) => Some(reader),
            Phase::Whole => None,
            Phase::Refused(_) => {
                (self.persists, self.unread) = (false, true);
                None
            }
            _ => panic!("an answer is due only after Turn::Head, Turn::Answer or Turn::Refuse"),
        };
        self.persists &= !self.last;
        match (response.body(), rest) {
            (Body::Incoming, Some(reader)) if self.request.method != Method::HEAD => {
                self.continue_if_awaited();
                self.phase = Phase::Relaying(Relay {
                    length: reader.remaining(),
                    reader,
                    unsaid: Some((response, date.to_owned())),
                    relayed: 0,
                });
                Payload::None
            }
            (_, rest) => self.answer_now(response, rest, date),
        }
    }

    /// Says, without having heard anything, that there is no room for this client.
    pub fn turn_away(&mut self, date: &str) {
        let sentence = "this server has as many clients as it can take; try again in a moment";
        let response =
            Response::problem(StatusCode::SERVICE_UNAVAILABLE, sentence, &Headers::new())
                .with_header("Retry-After", "1");
        self.request.clear();
        self.persists = false;
        // The sentence is small, so it is all in the output.
        let _ = self.answer_now(response, None, date);
    }

    /// The payload of the last answer has been sent whole.
    pub fn delivered(&mut self) {
        if let Phase::Delivering(rest) = &mut self.phase {
            let rest = rest.take();
            self.finish(rest);
        }
    }

    fn answer_now(&mut self, response: Response, rest: Option<BodyReader>, date: &str) -> Payload {
        self.persists &= rest.as_ref().is_none_or(|reader| self.can_discard(reader));
        let length = match response.body() {
            Body::Incoming => Some(self.request.body.len() as u64),
            body => body.length(),
        };
        let context = Context {
            method: &self.request.method,
            version: self.request.version,
            persists: self.persists,
            date,
        };
        let framing = body_framing(response.status(), length, &context);
        self.persists &= framing != BodyFraming::UntilClose;
        write_head(&mut self.output, &response, length, &context);
        let payload = match response.into_parts().2 {
            _ if matches!(framing, BodyFraming::None | BodyFraming::Length(0)) => Payload::None,
            Body::Empty => Payload::None,
            Body::Incoming => Payload::Bytes(mem::take(&mut self.request.body).into()),
            Body::Bytes(bytes) if bytes.len() <= COPIED_BYTES_MAX => {
                self.output.extend_from_slice(&bytes);
                Payload::None
            }
            Body::Bytes(bytes) => Payload::Bytes(bytes),
            Body::File(slice) => Payload::File(slice),
            Body::Stream(stream) => Payload::Stream {
                stream,
                chunked: framing == BodyFraming::Chunked,
            },
        };
        match payload {
            Payload::None => self.finish(rest),
            _ => self.phase = Phase::Delivering(rest),
        }
        payload
    }

    /// An answer is complete: the next request, after what is left of this one, or the end.
    fn finish(&mut self, rest: Option<BodyReader>) {
        let rest = rest.filter(|reader| reader.remaining() != Some(0));
        self.unread |= rest.is_some() && !self.persists;
        self.phase = match rest {
            _ if !self.persists => Phase::Over,
            Some(reader) => Phase::Discarding(reader, DISCARDED_BYTES_MAX),
            None => Phase::Head(HeadScan::default()),
        };
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.phase = Phase::Refused(refusal);
    }

    fn read_head(&mut self) -> Option<Turn> {
        let Phase::Head(scan) = &mut self.phase else {
            return None;
        };
        let bytes = &self.input[self.consumed..];
        let found = match scan.find(bytes, &self.limits) {
            Ok(Some(found)) => found,
            Ok(None) if self.ended => {
                self.phase = Phase::Over;
                return None;
            }
            Ok(None) => return Some(Turn::NeedBytes),
            Err(refusal) => {
                self.request.clear();
                self.refuse(refusal);
                return None;
            }
        };
        self.phase = match read_request(&bytes[found.clone()], &mut self.request) {
            Ok(reader) => Phase::Asked(reader),
            Err(refusal) => Phase::Refused(refusal),
        };
        self.consumed += found.end;
        self.persists = persists(&self.request);
        None
    }

    fn collect(&mut self) -> Option<Turn> {
        let Phase::Collecting(reader) = &mut self.phase else {
            return None;
        };
        let bytes = &self.input[self.consumed..];
        match reader.next(bytes) {
            Ok(Piece::Data(range)) => {
                if self.request.body.len() + range.len() > self.limits.body_bytes_max {
                    self.refuse(Refusal::BodyTooLarge);
                    return None;
                }
                self.request.body.extend_from_slice(&bytes[range.clone()]);
                self.consumed += range.end;
            }
            Ok(Piece::NeedBytes(used)) => {
                self.consumed += used;
                return self.need_bytes();
            }
            Ok(Piece::End(used)) => {
                self.consumed += used;
                self.phase = Phase::Whole;
            }
            Err(refusal) => self.refuse(refusal),
        }
        None
    }

    fn relay(&mut self) -> Option<Turn> {
        let Phase::Relaying(relay) = &mut self.phase else {
            return None;
        };
        let bytes = &self.input[self.consumed..];
        match relay.reader.next(bytes) {
            Ok(Piece::Data(range)) => {
                let data = &bytes[range.clone()];
                relay.relayed += data.len() as u64;
                match (&relay.unsaid, relay.length) {
                    (Some(_), _) => self.request.body.extend_from_slice(data),
                    (None, Some(_)) => self.output.extend_from_slice(data),
                    (None, None) => write_chunk(&mut self.output, data),
                }
                self.consumed += range.end;
                None
            }
            Ok(Piece::NeedBytes(used)) => {
                self.consumed += used;
                let length = relay.length;
                if relay.relayed > 0 {
                    self.begin_relay(length);
                }
                self.need_bytes()
            }
            Ok(Piece::End(used)) => {
                self.consumed += used;
                let relayed = relay.relayed;
                let is_chunked = relay.unsaid.is_none() && relay.length.is_none();
                // All of it was at hand before a word was said, so its length can be said too.
                self.begin_relay(Some(relayed));
                if is_chunked {
                    write_last_chunk(&mut self.output);
                }
                self.finish(None);
                Some(Turn::Relayed(relayed))
            }
            Err(refusal) if relay.unsaid.is_some() => {
                self.refuse(refusal);
                None
            }
            // The answer has begun, so breaking it off is all that is left to say.
            Err(_) => self.hang_up(),
        }
    }

    /// Says the head of an answer that is relayed, and what has been gathered of its body, unless that was done.
    fn begin_relay(&mut self, length: Option<u64>) {
        let Phase::Relaying(relay) = &mut self.phase else {
            return;
        };
        let Some((response, date)) = relay.unsaid.take() else {
            return;
        };
        let context = Context {
            method: &self.request.method,
            version: self.request.version,
            persists: self.persists,
            date: &date,
        };
        write_head(&mut self.output, &response, length, &context);
        match length {
            Some(_) => self.output.extend_from_slice(&self.request.body),
            None => write_chunk(&mut self.output, &self.request.body),
        }
        self.request.body.clear();
    }

    fn discard(&mut self) -> Option<Turn> {
        let Phase::Discarding(reader, budget) = &mut self.phase else {
            return None;
        };
        match reader.next(&self.input[self.consumed..]) {
            Ok(Piece::Data(range)) => {
                self.consumed += range.end;
                match budget.checked_sub(range.len() as u64) {
                    Some(left) => *budget = left,
                    None => return self.hang_up(),
                }
                None
            }
            Ok(Piece::NeedBytes(used)) => {
                self.consumed += used;
                self.need_bytes()
            }
            Ok(Piece::End(used)) => {
                self.consumed += used;
                self.phase = Phase::Head(HeadScan::default());
                None
            }
            Err(_) => self.hang_up(),
        }
    }

    /// More bytes of a body, unless there will be none.
    fn need_bytes(&mut self) -> Option<Turn> {
        if self.ended {
            self.hang_up()
        } else {
            Some(Turn::NeedBytes)
        }
    }

    fn hang_up(&mut self) -> Option<Turn> {
        self.unread = true;
        self.phase = Phase::Over;
        None
    }

    /// Whether the rest of a body may be read and dropped so that the connection lives on.
    fn can_discard(&self, reader: &BodyReader) -> bool {
        let at_hand = (self.input.len() - self.consumed) as u64;
        match reader.remaining() {
            Some(0) => true,
            // The client may now send the body or not; nobody knows what its next bytes mean.
            _ if self.awaits_continue() => false,
            Some(length) => length <= at_hand.max(DISCARDED_BYTES_MAX),
            None => true,
        }
    }

    /// Whether the client holds its body back until it is told to go on (RFC 9110 §10.1.1).
    fn awaits_continue(&self) -> bool {
        self.request.version >= Version::Http11
            && self.request.headers.contains("Expect")
            && self.consumed == self.input.len()
    }

    fn continue_if_awaited(&mut self) {
        if self.awaits_continue() {
            self.output
                .extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }
}

/// Reads a complete head into `request` and decides how its body is framed. What was understood before something
/// was refused stays in `request`, since it decides how the refusal is said.
fn read_request(head: &[u8], request: &mut Request) -> Result<BodyReader, Refusal> {
    if let Err(refusal) = head::parse(head, request) {
        request.clear();
        if head.starts_with(b"HEAD ") {
            request.method = Method::HEAD;
        }
        return Err(refusal);
    }
    head::check(request)?;
    framing(request).map(BodyReader::new)
}

/// Whether the client of `request` wants the connection kept (RFC 9112 §9.3).
fn persists(request: &Request) -> bool {
    let says = |headers: &Headers, word: &str| {
        headers
            .elements("Connection")
            .any(|option| option.eq_ignore_ascii_case(word.as_bytes()))
    };
    // After CONNECT the client might take the connection for a tunnel.
    let may = request.method != Method::CONNECT && !says(&request.headers, "close");
    may && (request.version >= Version::Http11 || says(&request.headers, "keep-alive"))
}
