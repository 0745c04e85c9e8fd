//! What the server says: answers, and how each is tied to what the client says next.

use std::mem;

use super::{Conversation, Phase, Relay};
use crate::message::{Body, Headers, Response, StatusCode, Version};
use crate::wire::answer::{BodyFraming, Context, body_framing, may_have_body, write_head};
use crate::wire::body_reader::BodyReader;
use crate::wire::chunked::write_chunk;
use crate::wire::head::HeadScan;
use crate::wire::turn::{Payload, Turn};

// Below this a copy is cheaper than a second buffer in the write.
const COPIED_BYTES_MAX: usize = 8 * 1024;

// What is read of a body nobody wants, to keep the connection; a larger rest costs more than a new connection.
const DISCARDED_BYTES_MAX: u64 = 64 * 1024;

impl Conversation {
    /// Answers the request in hand. To be said after `Turn::Head`, `Turn::Answer` or `Turn::Refuse`; `date` is
    /// the value of `Date`, an HTTP-date.
    ///
    /// The head and a small body are in the output then; what is not is said by [`Turn::Deliver`].
    ///
    /// [`Turn::Head`]: crate::wire::Turn::Head
    /// [`Turn::Answer`]: crate::wire::Turn::Answer
    /// [`Turn::Refuse`]: crate::wire::Turn::Refuse
    /// [`Turn::Deliver`]: crate::wire::Turn::Deliver
    pub fn answer(&mut self, response: Response, date: &str) {
        self.refusal = None;
        let rest = match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Asked(reader) => Some(reader),
            Phase::Whole => None,
            Phase::Refused(refusal) => {
                self.refusal = Some(refusal);
                (self.persists, self.unread) = (false, true);
                None
            }
            _ => panic!("an answer is due only after Turn::Head, Turn::Answer or Turn::Refuse"),
        };
        self.persists &= !self.last;
        (self.begun, self.body_sent) = (Some(response.status()), 0);
        match (response.body(), rest) {
            (Body::Incoming, Some(reader))
                if may_have_body(response.status(), &self.request.method) =>
            {
                if reader.remaining() != Some(0) {
                    self.continue_if_awaited();
                }
                self.phase = Phase::Relaying(Relay {
                    length: reader.remaining(),
                    reader,
                    unsaid: Some((response, date.to_owned())),
                });
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
        self.answer_now(response, None, date);
    }

    pub(super) fn answer_now(&mut self, response: Response, rest: Option<BodyReader>, date: &str) {
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
        self.head_unsent = self.output.len() - self.sent;
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
        self.phase = match payload {
            Payload::None => Phase::Answered(rest),
            payload => Phase::Delivering(payload, rest),
        };
    }

    /// Says the head of an answer that is relayed, and what has been gathered of its body, unless that was done.
    pub(super) fn begin_relay(&mut self, length: Option<u64>) {
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
        self.head_unsent = self.output.len() - self.sent;
        match length {
            Some(_) => self.output.extend_from_slice(&self.request.body),
            None => write_chunk(&mut self.output, &self.request.body),
        }
        self.request.body.clear();
    }

    pub(super) fn continue_if_awaited(&mut self) {
        if self.awaits_continue() {
            self.output
                .extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    /// Whether the client may hold its body back until it is told to go on (RFC 9110 §10.1.1). Whether some of the
    /// body is here already does not count: the answer would depend on how the network has cut the request.
    fn awaits_continue(&self) -> bool {
        self.request.version >= Version::Http11
            && self.request.headers.elements("Expect").next().is_some()
    }

    /// Whether the rest of a body may be read and dropped so that the connection lives on.
    pub(super) fn can_discard(&self, reader: &BodyReader) -> bool {
        match reader.remaining() {
            Some(0) => true,
            // The client may now send the body or not; nobody knows what its next bytes mean.
            _ if self.awaits_continue() => false,
            Some(length) => length <= DISCARDED_BYTES_MAX,
            None => true,
        }
    }

    /// The payload has been sent whole. To be said after [`Turn::Deliver`](crate::wire::Turn::Deliver).
    pub fn delivered(&mut self) {
        if let Phase::Delivering(_, rest) = &mut self.phase {
            self.phase = Phase::Answered(rest.take());
        }
    }

    /// An answer is complete: the next request, after what is left of this one, or the end.
    pub(super) fn finish(&mut self, rest: Option<BodyReader>) -> Turn {
        let rest = rest.filter(|reader| reader.remaining() != Some(0));
        self.unread |= rest.is_some() && !self.persists;
        self.phase = match rest {
            _ if !self.persists => Phase::Over,
            Some(reader) => Phase::Discarding(reader, DISCARDED_BYTES_MAX),
            None => Phase::Head(HeadScan::default()),
        };
        Turn::Answered
    }
}
