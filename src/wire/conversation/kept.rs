//! What is kept of each exchange for whoever explains it; nothing, unless that is asked for.

use std::borrow::Cow;

use super::Conversation;

/// One request and its answer as they travelled, but for their bodies.
#[derive(Debug, Default)]
pub struct Kept {
    /// The request's head as received, as far as it was looked at.
    pub request: Vec<u8>,
    /// The heads that were sent: those of interim answers, then that of the answer.
    pub answer: Vec<u8>,
    /// Why the answer is what it is, where its handler says so.
    pub explanation: Option<Cow<'static, str>>,
}

impl Conversation {
    /// Keeps the heads of every exchange from now on, until the next one begins.
    pub fn keep_heads(&mut self) {
        self.kept = Some(Box::default());
    }

    /// What was kept of the current exchange.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_deref()
    }

    /// A request begins with this head, of which everything that is known was received.
    pub(super) fn keep_request(kept: &mut Option<Box<Kept>>, head: &[u8]) {
        if let Some(kept) = kept {
            kept.request.clear();
            kept.request.extend_from_slice(head);
            kept.answer.clear();
            kept.explanation = None;
        }
    }

    /// The output ends with a head that begins at `start`.
    pub(super) fn keep_answer(&mut self, start: usize) {
        if let Some(kept) = &mut self.kept {
            kept.answer.extend_from_slice(&self.output[start..]);
        }
    }
}
