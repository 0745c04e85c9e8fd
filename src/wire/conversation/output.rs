//! What is to be sent, and the account of what was.

use super::{Conversation, Phase};
use crate::wire::chunked::{write_chunk, write_last_chunk};
use crate::wire::turn::{Payload, Sent};

impl Conversation {
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

    /// What has been sent of the answer that was begun last, if all of it has been; `None` also if that was asked
    /// before.
    pub fn take_finished(&mut self) -> Option<Sent> {
        let is_unfinished = matches!(self.phase, Phase::Delivering(..) | Phase::EchoingBody(_));
        match is_unfinished || self.cut_short || !self.output.is_empty() {
            true => None,
            false => self.take_sent(),
        }
    }

    /// What has been sent of the last answer; `None` if it was taken before, or there is none. A body echo counts from
    /// the first byte of its body.
    pub fn take_sent(&mut self) -> Option<Sent> {
        let status = self.begun.take()?;
        if self.has_pending_echo() {
            return None;
        }
        Some(Sent {
            status,
            body_bytes: self.body_sent,
            refusal: self.refusal,
            persistence: self.persistence,
        })
    }

    /// Whether the last answer is a body echo whose head is not written.
    pub(super) fn has_pending_echo(&self) -> bool {
        matches!(&self.phase, Phase::EchoingBody(echo) if echo.pending.is_some())
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
}
