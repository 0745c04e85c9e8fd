//! Ends that a conversation does not come to by itself: a stop, no room, no time, a client that has gone.

use super::{Conversation, Phase};
use crate::wire::refusal::Refusal;
use crate::wire::turn::Turn;

impl Conversation {
    /// The answer to the current request, or to the next one, is the last on this connection.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// use sockeye::Response;
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.end_after_answer();
    /// conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// assert_eq!(conversation.turn(), Turn::Head);
    /// conversation.answer(Response::text("goodbye"), DATE);
    /// assert_eq!((conversation.turn(), conversation.turn()), (Turn::Answered, Turn::Close));
    /// assert!(String::from_utf8_lossy(conversation.output()).contains("Connection: close\r\n"));
    /// ```
    pub fn end_after_answer(&mut self) {
        self.last = true;
    }

    /// Refuses a client that has no slot, by [`Turn::Refuse`], whatever was received of its request.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Refusal, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.turn_away();
    /// assert_eq!(conversation.turn(), Turn::Refuse(Refusal::NoRoom)); // 503
    /// ```
    pub fn turn_away(&mut self) {
        if matches!(self.turn(), Turn::Head | Turn::NeedBytes) {
            self.forget_request();
            self.refuse(Refusal::NoRoom);
        }
    }

    /// Ends the wait for a request that takes too long. Returns whether it is answered, by [`Turn::Refuse`]: not if
    /// nothing was received of it, or if an answer has begun.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Refusal, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// assert!(!conversation.time_out()); // It said nothing, so nothing is said.
    /// conversation.receive(b"GET / HT");
    /// assert!(conversation.time_out());
    /// assert_eq!(conversation.turn(), Turn::Refuse(Refusal::Timeout)); // 408
    /// ```
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

    /// The connection is over. If half a head is there, what is understood of it is in [`Conversation::request`] and
    /// [`Conversation::request_line_as_received`] afterwards.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"GET /slow HTTP/1.1\r\nHo");
    /// conversation.turn();
    /// conversation.give_up();
    /// assert_eq!(conversation.request().path(), "/slow"); // For the log.
    /// ```
    pub fn give_up(&mut self) {
        if self.has_input() {
            self.forget_request();
        }
    }
}
