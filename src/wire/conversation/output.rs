//! What is to be sent, and the account of what was.

use super::{Conversation, Phase};
use crate::wire::chunked::{write_chunk, write_last_chunk};
use crate::wire::turn::{Payload, Sent};

impl Conversation {
    /// What is to be sent now.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// conversation.answer(Response::text("hello"), DATE);
    /// let mut socket = Vec::new(); // Anything that is `Write`.
    /// let written = std::io::Write::write(&mut socket, conversation.output())?;
    /// conversation.sent(written);
    /// assert!(conversation.output().is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn output(&self) -> &[u8] {
        &self.output[self.sent..]
    }

    /// The first `bytes` of the output have been sent.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// conversation.answer(Response::text("hello"), DATE);
    /// let length = conversation.output().len();
    /// conversation.sent(length - 2);
    /// assert_eq!(conversation.output(), b"lo");
    /// ```
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
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// use sockeye::wire::Payload;
    ///
    /// conversation.answer(Response::text(vec![b'.'; 100_000]), DATE);
    /// conversation.sent(conversation.output().len());
    /// if let Payload::Bytes(bytes) = conversation.payload() {
    ///     let written = bytes.split_to(60_000).len(); // As much as the socket took.
    ///     conversation.sent_directly(written as u64);
    /// }
    /// assert_eq!(conversation.take_sent().map(|sent| sent.body_bytes), Some(60_000));
    /// ```
    pub fn sent_directly(&mut self, bytes: u64) {
        self.body_sent += bytes;
    }

    /// What has been sent of the answer that was begun last, if all of it has been; `None` also if that was asked
    /// before.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// conversation.answer(Response::text("hello"), DATE);
    /// assert_eq!(conversation.take_finished(), None);
    /// conversation.sent(conversation.output().len());
    /// let sent = conversation.take_finished().expect("all is sent");
    /// assert_eq!((sent.status.as_u16(), sent.body_bytes), (200, 5));
    /// ```
    pub fn take_finished(&mut self) -> Option<Sent> {
        let is_unfinished = matches!(self.phase, Phase::Delivering(..) | Phase::EchoingBody(_));
        match is_unfinished || self.cut_short || !self.output.is_empty() {
            true => None,
            false => self.take_sent(),
        }
    }

    /// What has been sent of the last answer; `None` if it was taken before, or there is none. A body echo counts from
    /// the first byte of its body.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// conversation.answer(Response::text("hello"), DATE);
    /// conversation.sent(conversation.output().len() - 2); // The client has gone.
    /// assert_eq!(conversation.take_sent().map(|sent| sent.body_bytes), Some(3));
    /// assert_eq!(conversation.take_sent(), None);
    /// ```
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

    /// What is to be sent after the output, after [`Turn::Deliver`](crate::wire::Turn::Deliver).
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
    /// assert!(matches!(conversation.payload(), Payload::Bytes(bytes) if bytes.len() == 100_000));
    /// ```
    pub fn payload(&mut self) -> &mut Payload {
        match &mut self.phase {
            Phase::Delivering(payload, _) => payload,
            _ => panic!("there is a payload only after Turn::Deliver"),
        }
    }

    /// The output and what is in the payload, to be sent together.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits, Turn};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// use std::io::{IoSlice, Write};
    ///
    /// use sockeye::wire::Payload;
    ///
    /// conversation.answer(Response::text(vec![b'.'; 100_000]), DATE);
    /// assert_eq!(conversation.turn(), Turn::Deliver);
    /// let (head, Payload::Bytes(body)) = conversation.output_and_payload() else {
    ///     panic!("the body is in memory");
    /// };
    /// let mut socket = Vec::new();
    /// let written = socket.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])?; // One system call.
    /// assert_eq!(written, head.len() + 100_000);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn output_and_payload(&mut self) -> (&[u8], &mut Payload) {
        match &mut self.phase {
            Phase::Delivering(payload, _) => (&self.output[self.sent..], payload),
            _ => panic!("there is a payload only after Turn::Deliver"),
        }
    }

    /// What belongs behind the output, such as a piece of a file, goes to the end of this buffer, which has at least
    /// `bytes` of spare capacity.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// conversation.answer(Response::text("hello"), DATE);
    /// conversation.output_room(7).extend_from_slice(b", world");
    /// assert!(conversation.output().ends_with(b"hello, world"));
    /// ```
    pub fn output_room(&mut self, bytes: usize) -> &mut Vec<u8> {
        self.output.reserve(bytes);
        &mut self.output
    }

    /// Puts a piece of a [`Payload::Stream`](super::Payload::Stream) into the output; an empty piece is its end.
    ///
    /// ```
    /// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
    /// # use sockeye::Response;
    /// # use sockeye::wire::{Conversation, Limits, Turn};
    /// # let mut conversation = Conversation::new(Limits::default());
    /// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    /// # conversation.turn();
    /// use std::io::Read;
    ///
    /// use sockeye::wire::Payload;
    ///
    /// conversation.answer(Response::stream(&b"salmon"[..]), DATE);
    /// assert_eq!(conversation.turn(), Turn::Deliver);
    /// let Payload::Stream { stream, chunked } = conversation.payload() else { panic!("a stream") };
    /// let (mut piece, chunked) = ([0; 6], *chunked);
    /// stream.read_exact(&mut piece)?;
    /// conversation.push_stream(&piece, chunked);
    /// conversation.push_stream(b"", chunked);
    /// assert!(conversation.output().ends_with(b"\r\n\r\n6\r\nsalmon\r\n0\r\n\r\n"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn push_stream(&mut self, piece: &[u8], chunked: bool) {
        match (chunked, piece.is_empty()) {
            (true, false) => write_chunk(&mut self.output, piece),
            (true, true) => write_last_chunk(&mut self.output),
            (false, _) => self.output.extend_from_slice(piece),
        }
    }
}
