//! One client: reads, asks the conversation whose turn it is, calls the handler, writes.
//!
//! A connection is a value that can be set down: it borrows nothing and remembers everything, so any thread can
//! pick it up where another parked it. While it is idle it owns no buffer at all.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::deadlines::{Parked, Patience, Pause};
use super::desk::Desk;
use super::send::{Delivery, Sent, send_output};
use super::transport::{Metered, Transport};
use crate::access_log::{self, Record};
use crate::message::{Method, Request, Response, StatusCode};
use crate::wire::{Conversation, Limits, Turn};

// Room for one read. A browser's head has about 700 bytes; uploads fill it.
const READ_BYTES: usize = 64 * 1024;

// What pipelined answers may gather before they are sent.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

// How many full reads one turn may do before others get theirs.
const READS_MAX: usize = 4;

// What a client may still say after the last answer before we stop listening. Most clients send all of a body before
// they look for the answer, and a reset in the middle of it would be all they see.
const DRAIN_BYTES_MAX: u64 = 64 * 1024 * 1024;

// How long we listen for the end of what the client says after the last answer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What one connection may hold at most, in bytes: a read on top of half a head or body, and the output with the answer
/// that filled it.
pub(super) fn connection_bytes(limits: &Limits) -> usize {
    limits.head_bytes_max.max(limits.body_bytes_max) + READ_BYTES + 2 * OUTPUT_BYTES_MAX
}

/// What the drive of a connection ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing can be done until the client does something.
    Park(Parked),
    /// The connection is over.
    Close,
}

/// One client's connection.
#[derive(Debug)]
pub(super) struct Connection<T> {
    transport: Metered<T>,
    peer: Option<SocketAddr>,
    /// Only while there is half a request or half an answer.
    conversation: Option<Box<Conversation>>,
    answering: Option<Box<Answering>>,
    /// Once the last answer has been sent: what may still be heard, and until when.
    draining: Option<(u64, Instant)>,
    patience: Patience,
}

/// An answer that has begun and is not complete.
#[derive(Debug)]
struct Answering {
    status: StatusCode,
    since: Instant,
    /// `None` while the request's own body is sent back.
    delivery: Option<Delivery>,
}

impl<T: Transport> Connection<T> {
    pub(super) fn new(transport: T, peer: Option<SocketAddr>) -> Connection<T> {
        Connection {
            transport: Metered {
                transport,
                written: 0,
            },
            peer,
            conversation: None,
            answering: None,
            draining: None,
            patience: Patience::default(),
        }
    }

    pub(super) fn transport(&self) -> &T {
        &self.transport.transport
    }

    /// Does all that can be done now without waiting for the client. `has_ended`: it will say nothing more than what
    /// is there to be read.
    pub(super) fn drive(&mut self, has_ended: bool, desk: &mut Desk<'_>) -> Next {
        self.with_conversation(desk, |connection, conversation, desk| {
            if connection.draining.is_some() {
                return connection.drain(conversation);
            }
            connection
                .converse(has_ended, conversation, desk)
                .unwrap_or(Next::Close)
        })
    }

    /// The client has been waited for too long: says 408 where there is something to say, else closes.
    pub(super) fn time_out(&mut self, desk: &mut Desk<'_>) -> Next {
        if self.draining.is_some() || self.conversation.is_none() {
            return Next::Close;
        }
        self.with_conversation(desk, |connection, conversation, desk| {
            if conversation.time_out() {
                connection
                    .converse(false, conversation, desk)
                    .unwrap_or(Next::Close)
            } else {
                Next::Close
            }
        })
    }

    /// There is no place for this client: tells it so, as far as that goes without waiting.
    pub(super) fn turn_away(&mut self, desk: &mut Desk<'_>) {
        let mut conversation = desk.lend(self.peer);
        conversation.turn_away(desk.clock.date(desk.now));
        // It may have hung up already, and it is closed next in any case.
        let _ = send_output(&mut self.transport, &mut conversation, false);
        self.transport.shutdown_write();
        // Its request, if it is there already: left unread it would make the close a reset, and the answer be lost.
        let _ = self.transport.read(conversation.room(READ_BYTES));
        desk.give_back(conversation);
    }

    /// Lends a conversation for as long as `work` takes, and keeps it only if it has something to remember.
    fn with_conversation(
        &mut self,
        desk: &mut Desk<'_>,
        work: impl FnOnce(&mut Self, &mut Conversation, &mut Desk<'_>) -> Next,
    ) -> Next {
        let mut conversation = match self.conversation.take() {
            Some(conversation) => conversation,
            None => desk.lend(self.peer),
        };
        if desk.is_closing {
            conversation.end_after_answer();
        }
        let next = work(self, &mut conversation, desk);
        if next == Next::Close || self.draining.is_some() || conversation.is_between_requests() {
            desk.give_back(conversation);
        } else {
            conversation.pack();
            self.conversation = Some(conversation);
        }
        next
    }

    /// Reads, answers and writes in turn, until the client must do something or others are due.
    fn converse(
        &mut self,
        has_ended: bool,
        conversation: &mut Conversation,
        desk: &mut Desk<'_>,
    ) -> io::Result<Next> {
        let mut reads = 0;
        let mut is_drained = false;
        loop {
            let turn = match self.is_delivering() {
                true => None,
                false => self.take_turns(conversation, desk),
            };
            match self.send(conversation, desk)? {
                Sent::All => {}
                Sent::Share => return Ok(self.park_for_write(Pause::Yield, desk)),
                Sent::Blocked => return Ok(self.park_for_write(Pause::Blocked, desk)),
            }
            match turn {
                Some(Turn::Close) => return Ok(self.close(conversation, desk)),
                Some(_) if is_drained => {
                    return Ok(self.park_for_read(Pause::Unheard, conversation, desk));
                }
                Some(_) if reads == READS_MAX => {
                    return Ok(self.park_for_read(Pause::Yield, conversation, desk));
                }
                Some(_) => {
                    is_drained = self.read(has_ended, conversation)?;
                    reads += 1;
                }
                // Others may have waited while this client's answers went out.
                None if conversation.has_input() => {
                    return Ok(self.park_for_write(Pause::Yield, desk));
                }
                None => {}
            }
        }
    }

    /// Answers what can be answered from what has been heard. `None` if something is to be sent before the next turn.
    fn take_turns(&mut self, conversation: &mut Conversation, desk: &mut Desk<'_>) -> Option<Turn> {
        while !self.is_delivering() && conversation.output().len() < OUTPUT_BYTES_MAX {
            match conversation.turn() {
                Turn::Head => match ask(conversation, |head| desk.handler.handle_head(head)) {
                    Some(response) => self.answer(response, conversation, desk),
                    None => conversation.decline(),
                },
                Turn::Answer => {
                    let response = ask(conversation, |request| Some(desk.handler.handle(request)));
                    self.answer(response.expect("it was asked for one"), conversation, desk);
                }
                Turn::Refuse(refusal) => {
                    let response = refusal.response(conversation.request().headers());
                    self.answer(response, conversation, desk);
                }
                Turn::Relayed(bytes) => self.complete(bytes, conversation),
                turn @ (Turn::NeedBytes | Turn::Close) => return Some(turn),
            }
        }
        None
    }

    fn answer(&mut self, response: Response, conversation: &mut Conversation, desk: &mut Desk<'_>) {
        self.patience.note_answer();
        let status = response.status();
        let is_head = conversation.request().method() == Method::HEAD;
        let bytes = response.body().length().filter(|_| !is_head).unwrap_or(0);
        // Not the time the drive began: a file changed since then must not be younger than its answer, and the waits
        // that follow begin now, however long the handler took.
        let since = mem::replace(&mut desk.now, Instant::now());
        let date = desk.clock.date(desk.now);
        let payload = conversation.answer(response, date);
        let delivery = Delivery::new(payload);
        let is_complete = delivery.is_none() && !conversation.is_relaying();
        let answering = Answering {
            status,
            since,
            delivery,
        };
        if is_complete {
            record(&answering, bytes, self.peer, conversation);
        } else {
            self.answering = Some(Box::new(answering));
        }
    }

    /// An answer that took more than one step is complete, with so many bytes of body.
    fn complete(&mut self, bytes: u64, conversation: &Conversation) {
        if let Some(answering) = self.answering.take() {
            record(&answering, bytes, self.peer, conversation);
        }
    }

    fn is_delivering(&self) -> bool {
        self.answering
            .as_ref()
            .is_some_and(|answering| answering.delivery.is_some())
    }

    /// Sends what there is to send, as far as is fair and the client takes it.
    fn send(&mut self, conversation: &mut Conversation, desk: &mut Desk<'_>) -> io::Result<Sent> {
        let delivery = self
            .answering
            .as_mut()
            .and_then(|answering| answering.delivery.as_mut());
        let Some(delivery) = delivery else {
            return send_output(&mut self.transport, conversation, false);
        };
        let sent = delivery.advance(&mut self.transport, conversation, &mut desk.scratch)?;
        if sent == Sent::All {
            let bytes = delivery.bytes();
            self.complete(bytes, conversation);
            conversation.delivered();
        }
        Ok(sent)
    }

    /// Reads once; whether that was all there is for now. If less came than there was room for it was, unless the end
    /// is known to be behind it.
    fn read(&mut self, has_ended: bool, conversation: &mut Conversation) -> io::Result<bool> {
        let room = conversation.room(READ_BYTES);
        match self.transport.read(room) {
            Ok(0) => {
                conversation.receive_end();
                Ok(false)
            }
            Ok(_) => Ok(room.len() < room.capacity() && !has_ended),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn park_for_write(&mut self, pause: Pause, desk: &Desk<'_>) -> Next {
        let until = self
            .patience
            .until_taken(self.transport.written, desk.now, desk.config);
        Next::Park(Parked {
            until,
            pause,
            is_idle: false,
        })
    }

    fn park_for_read(
        &mut self,
        pause: Pause,
        conversation: &Conversation,
        desk: &Desk<'_>,
    ) -> Next {
        Next::Park(Parked {
            until: self
                .patience
                .until_heard(conversation, desk.now, desk.config),
            pause,
            is_idle: conversation.is_between_requests(),
        })
    }

    /// Closes so that the client hears the answer: while it is still talking, a plain close would reset the
    /// connection and may throw away what it has not read yet (RFC 9112 §9.6).
    fn close(&mut self, conversation: &mut Conversation, desk: &Desk<'_>) -> Next {
        if !conversation.leaves_input_unread() {
            return Next::Close;
        }
        self.transport.shutdown_write();
        self.draining = Some((DRAIN_BYTES_MAX, desk.now + DRAIN_TIMEOUT));
        self.drain(conversation)
    }

    fn drain(&mut self, conversation: &mut Conversation) -> Next {
        let Some((mut left, until)) = self.draining else {
            return Next::Close;
        };
        let mut pause = Pause::Yield;
        for _ in 0..READS_MAX {
            conversation.restart();
            match self.transport.read(conversation.room(READ_BYTES)) {
                Ok(bytes) if bytes > 0 && bytes as u64 <= left => left -= bytes as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    pause = Pause::Unheard;
                    break;
                }
                _ => return Next::Close,
            }
        }
        self.draining = Some((left, until));
        Next::Park(Parked {
            until,
            pause,
            is_idle: false,
        })
    }
}

/// Asks a handler about the request in hand. One that panics has answered 500, and the connection closes after it.
fn ask(
    conversation: &mut Conversation,
    handler: impl FnOnce(&Request) -> Option<Response>,
) -> Option<Response> {
    let request = conversation.request();
    // A handler is shared and has only `&self`: what it left half done is its own to guard.
    match catch_unwind(AssertUnwindSafe(|| handler(request))) {
        Ok(response) => response,
        Err(_) => {
            let sentence = "something went wrong here; it is not the request's fault";
            let response = Response::problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                sentence,
                request.headers(),
            );
            conversation.end_after_answer();
            Some(response)
        }
    }
}

fn record(
    answering: &Answering,
    bytes: u64,
    peer: Option<SocketAddr>,
    conversation: &Conversation,
) {
    let request = conversation.request();
    access_log::record(&Record {
        status: answering.status.as_u16(),
        method: request.method().as_str(),
        target: request.target().as_str(),
        bytes,
        since: answering.since,
        peer,
    });
}
