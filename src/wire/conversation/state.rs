//! Where a conversation stands, for who drives it and may have to close it.

use super::{Conversation, Phase};
use crate::wire::turn::Payload;

impl Conversation {
    /// Whether nothing has been received since the last answer, and nothing is left to send.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// assert!(conversation.is_between_requests()); // It may be closed without a word.
    /// conversation.receive(b"G");
    /// assert!(!conversation.is_between_requests());
    /// ```
    pub fn is_between_requests(&self) -> bool {
        matches!(self.phase, Phase::Head(_))
            && self.consumed == self.input.len()
            && self.output.is_empty()
    }

    /// Whether there is input that has not been read.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
    /// conversation.turn();
    /// assert!(conversation.has_input()); // The second one.
    /// ```
    pub fn has_input(&self) -> bool {
        self.consumed < self.input.len()
    }

    /// Whether a head is awaited, as opposed to a body.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// assert!(conversation.awaits_head());
    /// conversation.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
    /// assert_eq!(conversation.turn(), Turn::Head);
    /// conversation.collect_body();
    /// assert_eq!(conversation.turn(), Turn::NeedBytes);
    /// assert!(!conversation.awaits_head()); // Now it is the body.
    /// ```
    pub fn awaits_head(&self) -> bool {
        matches!(self.phase, Phase::Head(_))
    }

    /// Whether the client may still be sending what will not be read, so that the connection must be closed in stages
    /// for the answer to arrive (RFC 9112 §9.6).
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// use sockeye::Response;
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    /// assert_eq!(conversation.turn(), Turn::Head);
    /// conversation.answer(Response::text("no need for that"), DATE);
    /// assert_eq!((conversation.turn(), conversation.turn()), (Turn::Answered, Turn::Close));
    /// assert!(conversation.leaves_input_unread());
    /// ```
    pub fn leaves_input_unread(&self) -> bool {
        !self.ended && (self.unread || self.consumed < self.input.len())
    }

    /// Whether something of a handler's is in it, and is dropped with it: the reader of a body, or an upload.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// use sockeye::Response;
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// assert_eq!(conversation.turn(), Turn::Head);
    /// conversation.answer(Response::stream(std::io::empty()), DATE);
    /// assert!(conversation.has_stream());
    /// ```
    pub fn has_stream(&self) -> bool {
        self.upload_bytes_max().is_some()
            || matches!(self.phase, Phase::Delivering(Payload::Stream { .. }, _))
    }
}
