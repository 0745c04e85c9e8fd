//! What is kept of each exchange for whoever explains it; nothing, unless that is asked for.

use std::borrow::Cow;

use super::Conversation;

/// One request and its answer as they travelled, but for their bodies.
///
/// ```
/// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
/// use sockeye::Response;
/// use sockeye::wire::{Conversation, Limits};
///
/// let mut conversation = Conversation::new(Limits::default());
/// conversation.keep_heads();
/// conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// conversation.turn();
/// conversation.answer(Response::text("hello").with_explanation("a greeting"), DATE);
/// let kept = conversation.kept().expect("heads are kept");
/// assert_eq!(kept.request, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// assert!(kept.answer.starts_with(b"HTTP/1.1 200 OK\r\n") && kept.answer.ends_with(b"\r\n\r\n"));
/// assert_eq!(kept.explanation.as_deref(), Some("a greeting"));
/// ```
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
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// assert!(conversation.kept().is_none());
    /// conversation.keep_heads();
    /// assert!(conversation.kept().is_some());
    /// ```
    pub fn keep_heads(&mut self) {
        self.kept = Some(Box::default());
    }

    /// What was kept of the current exchange.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.keep_heads();
    /// conversation.receive(b"GET /\r\n\r\n"); // Malformed, and kept as it is.
    /// conversation.turn();
    /// assert_eq!(conversation.kept().expect("heads are kept").request, b"GET /\r\n\r\n");
    /// ```
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
