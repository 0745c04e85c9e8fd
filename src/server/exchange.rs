//! Requests and answers of one connection: receive, ask the handler, respond, in turn.

use std::io;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

use super::connection::{Connection, Next};
use super::context::Context;
use super::event::Token;
use super::panics::survive;
use super::send::{Progress, send_output, send_payload};
use super::socket::Received;
use super::timeouts::after;
use super::waker::waker_of;
use crate::access_log::{self, Exchange, Record};
use crate::message::{Destination, Request, Response, StatusCode, Wake};
use crate::wire::{Conversation, Payload, Sent, Turn};

// Room for the first read of a head. A browser's has about 700 bytes.
pub(super) const HEAD_READ_BYTES: usize = 16 * 1024;

// Room for each further read; uploads fill it.
pub(super) const READ_BYTES: usize = 64 * 1024;

// What pipelined answers may gather before they are sent.
pub(super) const OUTPUT_BYTES_MAX: usize = 64 * 1024;

// A dispatch ends after so many requests or this long, whichever is first, or after so many full reads; then others are
// due.
const DISPATCH_ANSWERS_MAX: usize = 64;
const DISPATCH_TIME_MAX: Duration = Duration::from_millis(1);
pub(super) const DISPATCH_READS_MAX: usize = 4;

/// How much one dispatch of a connection has done.
struct Share {
    ends: Instant,
    answers: usize,
    reads: usize,
}

impl Share {
    /// Whether others are due.
    fn is_used(&self, now: Instant) -> bool {
        self.answers >= DISPATCH_ANSWERS_MAX || self.answers > 0 && now >= self.ends
    }
}

impl Connection {
    /// Receives, asks the handler and responds, until the client must do something or others are due.
    pub(super) fn converse(
        &mut self,
        conversation: &mut Conversation,
        token: Token,
        context: &mut Context<'_>,
    ) -> io::Result<Next> {
        let mut share = Share {
            ends: context.now + DISPATCH_TIME_MAX,
            answers: 0,
            reads: 0,
        };
        // What was left the last time.
        let mut is_taken = self.flush(conversation)?;
        loop {
            if let Some(next) = self.before_going_on(is_taken, conversation, context)? {
                return Ok(next);
            }
            if conversation.awaits_head() && conversation.has_input() {
                let received = conversation.request().received();
                self.began.get_or_insert(received.unwrap_or(context.now));
            }
            match conversation.turn() {
                Turn::Head => match ask(conversation, context, Question::Head) {
                    Some(response) => self.answer(response, conversation, context),
                    None => conversation.collect_body(),
                },
                Turn::Body => self.write_to_upload(conversation, context),
                Turn::Answer => {
                    let response = ask(conversation, context, Question::Whole);
                    let response = response.expect("a whole request is always answered");
                    self.answer(response, conversation, context);
                }
                Turn::Refuse(refusal) => {
                    let request = conversation.request();
                    let answer = refused(request, context, || refusal.response(request));
                    self.answer(answer, conversation, context);
                }
                Turn::Deliver => match self.deliver(conversation, token, context)? {
                    Progress::Done => conversation.delivered(),
                    // What it waits for would not be taken.
                    Progress::Pending(_) if self.socket.is_gone() => return Ok(Next::Close),
                    progress => return Ok(Next::Wait(self.wait_for(progress, context))),
                },
                Turn::Answered => {
                    share.answers += 1;
                    let is_used = share.is_used(context.now);
                    let is_full = conversation.output().len() >= OUTPUT_BYTES_MAX;
                    // What is logged is what was sent, so it is sent first.
                    if is_used || is_full || access_log::is_listened_to() {
                        is_taken = self.flush(conversation)?;
                    }
                    if is_used && is_taken && conversation.has_input() {
                        return Ok(Next::Wait(self.wait_for(Progress::Share, context)));
                    }
                }
                Turn::NeedBytes => {
                    is_taken = self.flush(conversation)?;
                    if is_taken && !self.read_more(&mut share, conversation, context)? {
                        return Ok(self.wait_for_bytes(conversation, context));
                    }
                }
                Turn::Close => {
                    is_taken = self.flush(conversation)?;
                    if is_taken {
                        return Ok(self.close(conversation, context));
                    }
                }
            }
        }
    }

    /// Sends the output. Whether the client has taken all of it.
    fn flush(&mut self, conversation: &mut Conversation) -> io::Result<bool> {
        let is_taken = send_output(&mut self.socket, conversation, false)?;
        if is_taken && let Some(sent) = conversation.take_finished() {
            self.record(Some(sent), conversation, false);
        }
        Ok(is_taken)
    }

    /// Reads once more, if there is something to read and the dispatch has not had its share.
    fn read_more(
        &mut self,
        share: &mut Share,
        conversation: &mut Conversation,
        context: &mut Context<'_>,
    ) -> io::Result<bool> {
        let is_due = share.reads < DISPATCH_READS_MAX && !share.is_used(context.now);
        if !self.socket.is_readable() || !is_due {
            return Ok(false);
        }
        let is_head = conversation.awaits_head() && share.reads == 0;
        let room = if is_head { HEAD_READ_BYTES } else { READ_BYTES };
        self.read(conversation, room, context)?;
        share.reads += 1;
        Ok(true)
    }

    /// Has the upload write what is received of the body; answers, if it cannot.
    fn write_to_upload(&mut self, conversation: &mut Conversation, context: &mut Context<'_>) {
        let request = conversation.request();
        let write = || match &request.destination {
            Some(destination) => destination.write(request.body()),
            None => Ok(()),
        };
        let written = context.may_block(|_| survive("the request is answered 500", write));
        // It may have taken as long as a handler.
        context.now = Instant::now();
        let kind = match &written {
            Some(Ok(())) => return conversation.body_taken(),
            Some(Err(error)) => {
                tracing::error!(target: "sockeye", "an upload cannot be written: {error}");
                error.kind()
            }
            None => io::ErrorKind::Other,
        };
        let response = refused(request, context, || Response::failure(kind));
        if written.is_none() {
            conversation.end_after_answer();
        }
        self.answer(response, conversation, context);
    }

    fn answer(
        &mut self,
        response: Response,
        conversation: &mut Conversation,
        context: &mut Context<'_>,
    ) {
        self.timeouts.note_answer();
        self.is_reprieved = false;
        // A file changed since the request came must not be younger than its answer, and the waits that follow begin
        // now, however long the handler took.
        context.now = Instant::now();
        if !response.delay().is_zero() {
            let until = after(context.now, response.delay());
            self.held_back = Some(Box::new((response, until)));
            return;
        }
        conversation.answer(response, context.clock.date(context.now));
    }

    /// What is to be waited for: that the client takes what is there, then that an answer's time has come. If it has,
    /// it is answered.
    fn before_going_on(
        &mut self,
        is_taken: bool,
        conversation: &mut Conversation,
        context: &mut Context<'_>,
    ) -> io::Result<Option<Next>> {
        if is_taken && self.held_back.is_none() {
            return Ok(None);
        }
        // What was answered before goes out meanwhile.
        if !is_taken || !self.flush(conversation)? {
            return Ok(Some(Next::Wait(self.wait_for(Progress::Blocked, context))));
        }
        context.now = Instant::now();
        let is_due = |until: Instant| context.is_closing || context.now >= until;
        match self.held_back.take() {
            // It would not be taken.
            Some(_) if self.socket.is_gone() => Ok(Some(Next::Close)),
            Some(held_back) if !is_due(held_back.1) => {
                let progress = Progress::Pending(Some(held_back.1));
                self.held_back = Some(held_back);
                Ok(Some(Next::Wait(self.wait_for(progress, context))))
            }
            Some(held_back) => {
                conversation.answer(held_back.0, context.clock.date(context.now));
                Ok(None)
            }
            None => Ok(None),
        }
    }

    fn deliver(
        &mut self,
        conversation: &mut Conversation,
        token: Token,
        context: &mut Context<'_>,
    ) -> io::Result<Progress> {
        let waker = match conversation.payload() {
            Payload::Stream { .. } => waker_of(context, token),
            _ => Waker::noop().clone(),
        };
        let mut wake = Wake::new(&waker).with_closing(context.is_closing);
        let socket = &mut self.socket;
        let progress = context.may_block(|context| {
            send_payload(socket, conversation, &mut wake, &mut context.scratch)
        });
        // It may have taken as long as a handler.
        context.now = Instant::now();
        progress
    }

    pub(super) fn read(
        &mut self,
        conversation: &mut Conversation,
        room: usize,
        context: &mut Context<'_>,
    ) -> io::Result<()> {
        match self.socket.read(conversation.room(room))? {
            Received::Bytes(bytes) => self.timeouts.note_received(bytes),
            Received::End => conversation.receive_end(),
            Received::Nothing => {}
        }
        context.now = Instant::now();
        conversation.set_received(context.now);
        Ok(())
    }

    /// The connection is over: records the request that this cuts short, if there is one.
    pub(super) fn record_cut(&mut self, conversation: &mut Conversation) {
        let sent = conversation.take_sent();
        if sent.is_some() || self.began.is_some() {
            conversation.give_up();
            self.record(sent, conversation, true);
        }
    }

    /// Makes the record of the current request, at its end.
    fn record(&mut self, sent: Option<Sent>, conversation: &Conversation, is_cut: bool) {
        let began = self.began.take();
        if !access_log::is_listened_to() {
            return;
        }
        let duration = began.map_or(Duration::ZERO, |began| began.elapsed());
        let now = SystemTime::now();
        access_log::record(&Record {
            request: conversation.request(),
            received_line: conversation.request_line_as_received(),
            status: sent.map(|sent| sent.status),
            sent_bytes: sent.map_or(0, |sent| sent.body_bytes),
            received_bytes: conversation.body_bytes_received(),
            began: now.checked_sub(duration).unwrap_or(now),
            duration,
            reason: sent.and_then(|sent| Some(sent.refusal?.sentence())),
            is_cut,
            exchange: conversation.kept().map(|kept| Exchange {
                request: &kept.request,
                answer: &kept.answer,
                explanation: kept.explanation.as_deref(),
                connection: sent.map_or("", |sent| sent.persistence.sentence()),
            }),
        });
    }
}

/// What a handler is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Head,
    Whole,
}

/// Asks the handler about the current request. One that panics has answered 500, and the connection closes after it.
fn ask(
    conversation: &mut Conversation,
    context: &mut Context<'_>,
    question: Question,
) -> Option<Response> {
    let request = conversation.request();
    let asked = context.may_block(|context| {
        survive("the request is answered 500", || match question {
            Question::Head => context.handler.handle_head(request),
            Question::Whole => Some(context.handler.handle(request)),
        })
    });
    let status = asked.iter().flatten().map(Response::status).next();
    let interim = status.filter(StatusCode::is_informational);
    if let Some(status) = interim {
        // The client would wait for another, and take the answer to its next request for that.
        tracing::error!(target: "sockeye", "a handler answered {status}, which is no final status; the request is answered 500");
    }
    match asked {
        Some(response) if interim.is_none() => response,
        _ => {
            let response = refused(request, context, || failed(request));
            conversation.end_after_answer();
            Some(response)
        }
    }
}

/// A response of the server's own, completed by the handler; as it is, if the handler panics, or the monitor asks. The
/// upload that the body went to is given up first.
fn refused(
    request: &Request,
    context: &mut Context<'_>,
    response: impl Fn() -> Response,
) -> Response {
    if context.is_monitors() {
        return response();
    }
    let completed = context.may_block(|context| {
        survive("the error is sent as it is", || {
            drop(request.destination.as_ref().map(Destination::take));
            context.handler.complete(request, response())
        })
    });
    completed.unwrap_or_else(response)
}

fn failed(request: &Request) -> Response {
    let sentence = "something went wrong here; it is not the request's fault";
    Response::problem(StatusCode::INTERNAL_SERVER_ERROR, sentence, request)
}
