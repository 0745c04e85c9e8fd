//! Responses: how each is written, and what follows it on the connection.

use std::mem;

use super::{BodyEcho, Conversation, Phase};
use crate::message::{Body, Response, Version};
use crate::wire::body_reader::BodyReader;
use crate::wire::chunked::write_chunk;
use crate::wire::head::HeadScan;
use crate::wire::persistence::Persistence;
use crate::wire::response::{BodyFraming, Context, body_framing, may_have_body, write_head};
use crate::wire::turn::{Payload, Turn};

// Below this a copy is cheaper than a second buffer in the write.
const COPIED_BYTES_MAX: usize = 8 * 1024;

// How much of an unwanted body is read to keep the connection; a larger rest costs more than a new connection.
const DISCARDED_BYTES_MAX: u64 = 64 * 1024;

impl Conversation {
    /// Answers the current request, after `Turn::Head`, `Turn::Body`, `Turn::Answer` or `Turn::Refuse`; `date` is the value of
    /// `Date`, an HTTP-date.
    ///
    /// The head and a small body are in the output afterwards; [`Turn::Deliver`] follows for a larger one.
    ///
    /// [`Turn::Head`]: crate::wire::Turn::Head
    /// [`Turn::Answer`]: crate::wire::Turn::Answer
    /// [`Turn::Refuse`]: crate::wire::Turn::Refuse
    /// [`Turn::Deliver`]: crate::wire::Turn::Deliver
    ///
    /// ```
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// conversation.answer(Response::text("hello").with_header("ETag", "\"1\""), "Sat, 21 Nov 2026 10:21:58 GMT");
    /// let answer = String::from_utf8_lossy(conversation.output());
    /// assert!(answer.starts_with("HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 10:21:58 GMT\r\n"));
    /// assert!(answer.contains("Content-Length: 5\r\n") && answer.contains("ETag: \"1\"\r\n"));
    /// ```
    pub fn answer(&mut self, mut response: Response, date: &str) {
        self.refusal = None;
        if let Some(kept) = &mut self.kept {
            kept.explanation = response.take_explanation();
        }
        let rest = match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Asked(reader) | Phase::Collecting(reader, _) => Some(reader),
            Phase::Whole => None,
            Phase::Refused(refusal) => {
                self.refusal = Some(refusal);
                (self.persistence, self.unread) = (Persistence::Refused, true);
                None
            }
            _ => panic!("an answer is due only after Turn::Head, Turn::Answer or Turn::Refuse"),
        };
        self.persistence = self.persistence.unless(self.last, Persistence::Last);
        (self.begun, self.body_sent) = (Some(response.status()), 0);
        match (response.body(), rest) {
            (Body::Incoming | Body::IncomingRaw(_), Some(reader))
                if may_have_body(response.status(), &self.request.method) =>
            {
                let is_raw = matches!(response.body(), Body::IncomingRaw(_));
                if let Body::IncomingRaw(before) = response.body() {
                    self.request.body.extend_from_slice(before);
                }
                let before = self.request.body.len() as u64;
                if reader.remaining() != Some(0) {
                    self.continue_if_awaited();
                }
                self.phase = Phase::EchoingBody(BodyEcho {
                    length: reader
                        .remaining()
                        .map(|length| before.saturating_add(length)),
                    is_raw,
                    reader,
                    pending: Some((response, date.to_owned())),
                });
            }
            (_, rest) => self.answer_now(response, rest, date),
        }
    }

    pub(super) fn answer_now(&mut self, response: Response, rest: Option<BodyReader>, date: &str) {
        let is_unread = rest
            .as_ref()
            .is_some_and(|reader| !self.can_discard(reader));
        self.persistence = self.persistence.unless(is_unread, Persistence::Unread);
        let length = match response.body() {
            Body::Incoming => Some(self.request.body.len() as u64),
            Body::IncomingRaw(before) => Some((before.len() + self.request.body.len()) as u64),
            body => body.length(),
        };
        let context = Context {
            method: &self.request.method,
            version: self.request.version,
            persists: self.persistence.is_kept(),
            date,
        };
        let framing = body_framing(response.status(), length, &context);
        let ends_body = framing == BodyFraming::UntilClose;
        self.persistence = self.persistence.unless(ends_body, Persistence::UntilClose);
        let start = self.output.len();
        write_head(&mut self.output, &response, length, &context);
        self.keep_answer(start);
        self.head_unsent = self.output.len() - self.sent;
        let is_unused = matches!(framing, BodyFraming::None | BodyFraming::Length(0));
        let payload = match response.into_parts().2 {
            // It is a handler's, and is dropped where that may block or panic.
            Body::Stream(mut stream) if is_unused => {
                stream.length = Some(0);
                let chunked = false;
                Payload::Stream { stream, chunked }
            }
            _ if is_unused => Payload::None,
            Body::Empty => Payload::None,
            Body::Incoming => Payload::Bytes(mem::take(&mut self.request.body).into()),
            Body::IncomingRaw(before) => {
                Payload::Bytes([&before, &self.request.body[..]].concat().into())
            }
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
        self.phase = match payload {
            Payload::None => Phase::Answered(rest),
            payload => Phase::Delivering(payload, rest),
        };
    }

    /// Writes the head of a body echo and what has been received of its body, unless the head is written already.
    pub(super) fn begin_echo(&mut self, length: Option<u64>) {
        let Phase::EchoingBody(echo) = &mut self.phase else {
            return;
        };
        let Some((response, date)) = echo.pending.take() else {
            return;
        };
        let context = Context {
            method: &self.request.method,
            version: self.request.version,
            persists: self.persistence.is_kept(),
            date: &date,
        };
        let start = self.output.len();
        write_head(&mut self.output, &response, length, &context);
        self.keep_answer(start);
        self.head_unsent = self.output.len() - self.sent;
        match length {
            Some(_) => self.output.extend_from_slice(&self.request.body),
            None => write_chunk(&mut self.output, &self.request.body),
        }
        self.request.body.clear();
    }

    pub(super) fn continue_if_awaited(&mut self) {
        if self.awaits_continue() {
            let start = self.output.len();
            self.output
                .extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            self.keep_answer(start);
        }
    }

    /// Whether the client may hold its body back until it gets a 100 (RFC 9110 §10.1.1). Whether some of the
    /// body is here already does not count: the answer would depend on how the network has cut the request.
    fn awaits_continue(&self) -> bool {
        self.request.version >= Version::Http11
            && self.request.headers.elements("Expect").next().is_some()
    }

    /// Whether the rest of a body may be read and dropped so that the connection lives on.
    pub(super) fn can_discard(&self, reader: &BodyReader) -> bool {
        match reader.remaining() {
            Some(0) => true,
            // The client may send the body or not, so the meaning of its next bytes is unknown.
            _ if self.awaits_continue() => false,
            Some(length) => length <= DISCARDED_BYTES_MAX,
            None => true,
        }
    }

    /// Records that the payload has been sent whole, after [`Turn::Deliver`](crate::wire::Turn::Deliver).
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits, Turn};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// use sockeye::wire::Payload;
    ///
    /// conversation.answer(Response::text(vec![b'.'; 100_000]), DATE);
    /// assert_eq!(conversation.turn(), Turn::Deliver);
    /// *conversation.payload() = Payload::None; // Once it is sent.
    /// conversation.delivered();
    /// assert_eq!(conversation.turn(), Turn::Answered);
    /// ```
    pub fn delivered(&mut self) {
        if let Phase::Delivering(_, rest) = &mut self.phase {
            self.phase = Phase::Answered(rest.take());
        }
    }

    /// Ends an answer: what is left of its request is discarded, or the connection is over.
    pub(super) fn finish(&mut self, rest: Option<BodyReader>) -> Turn {
        let rest = rest.filter(|reader| reader.remaining() != Some(0));
        self.unread |= rest.is_some() && !self.persistence.is_kept();
        self.phase = match rest {
            _ if !self.persistence.is_kept() => Phase::Over,
            Some(reader) => Phase::Discarding(reader, DISCARDED_BYTES_MAX),
            None => Phase::Head(HeadScan::default()),
        };
        Turn::Answered
    }
}
