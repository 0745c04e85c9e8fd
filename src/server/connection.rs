//! One client's life: receive, ask the handler, respond, and so on until the end.
//!
//! ```text
//!   new ──▶ Idle ──▶ Active: receive a request, ask the handler, respond ──▶ Closing ──▶ gone
//!            ▲                            │
//!            └── all answered, all sent ──┘
//! ```
//!
//! A connection is a value that can be set down: it borrows nothing and remembers everything, so any worker can go on
//! where another left off. What it waits for when it is set down is a [`Wait`].

use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::context::Context;
use super::event::Token;
use super::exchange::{DISPATCH_READS_MAX, HEAD_READ_BYTES, OUTPUT_BYTES_MAX, READ_BYTES};
use super::poller::Interest;
use super::send::Progress;
use super::socket::{Received, Socket};
use super::timeouts::{Deadline, Moved, Timeouts};
use crate::message::Response;
use crate::wire::{Conversation, Limits};

// How many bytes a client may still send after the last answer before the connection is dropped. Most clients send all
// of a body before they look for the answer, and a reset in the middle of it would be all they see.
const DRAIN_BYTES_MAX: u64 = 64 * 1024 * 1024;

// How long the client's end is waited for after the last answer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What one connection may hold at most, in bytes: a read on top of half a head or body, the request made of it, and
/// the output with the answer that filled it.
pub(super) fn connection_bytes(limits: &Limits) -> usize {
    let received = limits.head_bytes_max.max(limits.body_bytes_max) + READ_BYTES;
    let request = 2 * limits.head_bytes_max + limits.body_bytes_max;
    received + request + 2 * OUTPUT_BYTES_MAX
}

/// What the drive of a connection ended with.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing can be done for now.
    Wait(Wait),
    /// The connection is over.
    Close,
}

/// What a connection waits for, and how long it may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) reason: Reason,
    pub(super) deadline: Deadline,
}

/// Why a connection is set down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The client must send something.
    Readable,
    /// The client must take something first.
    Writable,
    /// The body has nothing to give yet.
    Wakeable,
    /// It could go on at once, with reading or writing; other connections are dispatched first.
    Yield(Interest),
}

/// One client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: Socket,
    /// How often it has waited, modulo 256.
    pub(super) waits: u8,
    /// The number of the ready list that it is in.
    pub(super) list: u32,
    /// What the list reports of it, once it is in one.
    pub(super) interest: Option<Interest>,
    pub(super) peer: Option<SocketAddr>,
    state: State,
    pub(super) timeouts: Timeouts,
    /// When the first byte of the current request came, until it is recorded.
    pub(super) began: Option<Instant>,
    /// Its deadline passed while the rest of its request was received by the kernel but not read yet.
    pub(super) is_reprieved: bool,
    /// The answer to it, while that is held back, and until when.
    pub(super) held_back: Option<Box<(Response, Instant)>>,
}

#[derive(Debug)]
enum State {
    /// Between requests. It owns no buffer.
    Idle,
    /// Half a request is here, or half an answer is sent; the conversation knows how far it is.
    Active(Box<Conversation>),
    /// The last answer is sent. What the client still sends is read and dropped: so many bytes at most, and until then.
    Closing { bytes_left: u64, until: Instant },
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: Option<SocketAddr>) -> Connection {
        Connection {
            socket: Socket::new(stream),
            waits: 0,
            list: 0,
            interest: None,
            peer,
            state: State::Idle,
            timeouts: Timeouts::default(),
            is_reprieved: false,
            began: None,
            held_back: None,
        }
    }

    /// What the current request has moved.
    pub(super) fn moved(&self, now: Instant) -> Moved {
        self.timeouts.moved(&self.socket, now)
    }

    /// Receives what is there, if the connection waits for it. [`Connection::drive`] does the rest.
    pub(super) fn receive(&mut self, context: &mut Context<'_>) {
        if let State::Idle = self.state
            && self.socket.is_readable()
        {
            let mut conversation = context.conversation(self.peer);
            // An error comes again with the next read.
            let _ = self.read(&mut conversation, HEAD_READ_BYTES, context);
            self.state = State::Active(conversation);
        }
    }

    /// Does all that can be done now without waiting for the client.
    pub(super) fn drive(&mut self, token: Token, context: &mut Context<'_>) -> Next {
        self.timeouts.note_driven(context.now);
        let mut conversation = match mem::replace(&mut self.state, State::Idle) {
            State::Idle => context.conversation(self.peer),
            State::Active(conversation) => conversation,
            State::Closing { bytes_left, until } => return self.drain(bytes_left, until, context),
        };
        if context.is_closing {
            conversation.end_after_answer();
        }
        let next = self.converse(&mut conversation, token, context);
        let next = next.unwrap_or(Next::Close);
        self.set_down(conversation, next, context)
    }

    /// The client has been waited for too long. Whatever a handler or its body has part in is left to a worker.
    pub(super) fn time_out(&mut self, context: &mut Context<'_>) -> Next {
        let State::Active(conversation) = &mut self.state else {
            return Next::Close;
        };
        let is_blocked = self.interest == Some(Interest::Write);
        let (socket, now) = (&self.socket, context.now);
        let longer = is_blocked && self.timeouts.may_take_longer(socket, now, context.config);
        if longer || conversation.time_out() {
            // What could not be sent is tried again, in case that there is room and was not reported; or 408 is sent.
            return Next::Wait(self.wait_for_room(Reason::Yield(Interest::Write), context));
        }
        if conversation.has_stream() || self.held_back.is_some() {
            self.socket.shutdown();
            return Next::Wait(self.wait_for_room(Reason::Yield(Interest::End), context));
        }
        let State::Active(conversation) = mem::replace(&mut self.state, State::Idle) else {
            unreachable!("it is active");
        };
        self.set_down(conversation, Next::Close, context)
    }

    /// Whether the client is waited for although it has sent something. To be asked once for each request: who sends
    /// little by little would be waited for without end.
    pub(super) fn has_just_sent(&mut self) -> bool {
        let waits_for_bytes = self.interest == Some(Interest::Read);
        waits_for_bytes
            && !mem::replace(&mut self.is_reprieved, true)
            && self.socket.look_for_input()
    }

    /// There is no slot for this client: sends a 503, as far as that goes without waiting.
    pub(super) fn turn_away(mut self, context: &mut Context<'_>) {
        let mut conversation = context.conversation(self.peer);
        // An error comes again with the answer. Left unread, a request would make the close a reset, and the answer be lost.
        let _ = self.read(&mut conversation, READ_BYTES, context);
        conversation.turn_away();
        // What it does not take at once it does not get.
        let _ = self.converse(&mut conversation, Token::NONE, context);
        self.set_down(conversation, Next::Close, context);
    }

    /// Keeps the conversation if it has something to remember, and nothing else.
    fn set_down(
        &mut self,
        mut conversation: Box<Conversation>,
        next: Next,
        context: &mut Context<'_>,
    ) -> Next {
        let is_over = matches!(next, Next::Close) || matches!(self.state, State::Closing { .. });
        if is_over {
            self.record_cut(&mut conversation);
        }
        if is_over || conversation.is_between_requests() {
            context.give_back(conversation);
        } else {
            conversation.pack();
            self.state = State::Active(conversation);
        }
        next
    }

    pub(super) fn wait_for(&mut self, progress: Progress, context: &Context<'_>) -> Wait {
        match progress {
            Progress::Blocked => self.wait_for_room(Reason::Writable, context),
            Progress::Done | Progress::Share => {
                self.wait_for_room(Reason::Yield(Interest::Write), context)
            }
            // The client is not waited for, so it cannot be late.
            Progress::Pending(at) => Wait {
                reason: Reason::Wakeable,
                deadline: Deadline::timer(at, context.now),
            },
        }
    }

    pub(super) fn wait_for_room(&mut self, reason: Reason, context: &Context<'_>) -> Wait {
        let timeouts = &mut self.timeouts;
        Wait {
            reason,
            deadline: timeouts.for_sending(&self.socket, context.now, context.config),
        }
    }

    pub(super) fn wait_for_bytes(
        &mut self,
        conversation: &Conversation,
        context: &Context<'_>,
    ) -> Next {
        let reason = match self.socket.is_readable() {
            true => Reason::Yield(Interest::Read),
            false => Reason::Readable,
        };
        let timeouts = &mut self.timeouts;
        let deadline =
            timeouts.for_receiving(conversation, &self.socket, context.now, context.config);
        Next::Wait(Wait { reason, deadline })
    }

    /// Closes so that the client receives the answer: while it is still sending, a plain close would reset the
    /// connection and may throw away what it has not read yet (RFC 9112 §9.6).
    pub(super) fn close(&mut self, conversation: &Conversation, context: &mut Context<'_>) -> Next {
        if !conversation.leaves_input_unread() {
            return Next::Close;
        }
        self.socket.shutdown_write();
        self.drain(DRAIN_BYTES_MAX, context.now + DRAIN_TIMEOUT, context)
    }

    fn drain(&mut self, mut bytes_left: u64, until: Instant, context: &mut Context<'_>) -> Next {
        let mut reason = Reason::Yield(Interest::Read);
        for _ in 0..DISPATCH_READS_MAX {
            context.scratch.clear();
            context.scratch.reserve(READ_BYTES);
            match self.socket.read(&mut context.scratch) {
                Ok(Received::Bytes(bytes)) if bytes as u64 <= bytes_left => {
                    bytes_left -= bytes as u64;
                }
                Ok(Received::Nothing) => {
                    reason = Reason::Readable;
                    break;
                }
                _ => return Next::Close,
            }
        }
        self.state = State::Closing { bytes_left, until };
        Next::Wait(Wait {
            reason,
            deadline: Deadline::timeout(until),
        })
    }
}

/// A connection that is dropped cuts short what is under way.
impl Drop for Connection {
    fn drop(&mut self) {
        if let State::Active(mut conversation) = mem::replace(&mut self.state, State::Idle) {
            self.record_cut(&mut conversation);
        }
    }
}
