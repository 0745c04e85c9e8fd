//! What a conversation gives back: its memory before a long wait, and all but that for another client.

use super::{Conversation, Kept, Phase};
use crate::wire::head::HeadScan;
use crate::wire::persistence::Persistence;

impl Conversation {
    /// Gives back the memory that is not in use, before a long wait.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.room(16 * 1024).extend_from_slice(b"GET / HT");
    /// conversation.pack(); // The client is slow; eight bytes are kept, and not sixteen thousand.
    /// conversation.receive(b"TP/1.0\r\n\r\n");
    /// conversation.turn();
    /// assert_eq!(conversation.request().path(), "/");
    /// ```
    pub fn pack(&mut self) {
        self.input.drain(..self.consumed);
        self.consumed = 0;
        self.input.shrink_to_fit();
        self.output.shrink_to_fit();
        if self.request.body.is_empty() {
            self.request.body = Default::default();
        }
    }

    /// Gives back what its buffers hold beyond `bytes` each, after [`Conversation::restart`].
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.room(1024 * 1024);
    /// conversation.restart();
    /// conversation.shrink_to(16 * 1024);
    /// assert!(conversation.room(0).capacity() <= 16 * 1024);
    /// ```
    pub fn shrink_to(&mut self, bytes: usize) {
        // Not cut to size: a small piece at the start of a large one keeps the allocator from giving back what is beside it.
        for buffer in [&mut self.input, &mut self.output] {
            if buffer.capacity() > bytes {
                *buffer = Vec::new();
            }
        }
        if self.request.body.capacity() > bytes {
            self.request.body = Default::default();
        }
    }

    /// Goes back to the very beginning, for another client, and keeps the memory.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"GET /half a requ");
    /// conversation.restart();
    /// assert!(conversation.is_between_requests());
    /// assert_eq!(conversation.turn(), Turn::NeedBytes);
    /// ```
    pub fn restart(&mut self) {
        self.phase = Phase::Head(HeadScan::default());
        self.input.clear();
        self.consumed = 0;
        self.ended = false;
        self.output.clear();
        self.sent = 0;
        self.request.body.clear();
        self.refused_line.clear();
        self.request.destination = None;
        self.body_received = 0;
        self.persistence = Persistence::Default;
        self.unread = false;
        self.last = false;
        self.begun = None;
        self.cut_short = false;
        if let Some(kept) = &mut self.kept {
            **kept = Kept::default();
        }
    }
}
