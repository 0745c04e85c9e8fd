//! What is received: heads, and bodies that are collected, echoed or discarded.

use std::mem;

use super::{BodyEcho, Conversation, Phase};
use crate::message::{Destination, Request};
use crate::wire::body_reader::BodyReader;
use crate::wire::chunked::{Piece, write_chunk, write_last_chunk};
use crate::wire::framing::{Framing, framing};
use crate::wire::head::{self, HeadScan};
use crate::wire::persistence::Persistence;
use crate::wire::refusal::Refusal;
use crate::wire::turn::Turn;

// A longer body takes its room as it comes, so that a length that is only announced takes little.
const RESERVED_BYTES_MAX: u64 = 1024 * 1024;

/// Each verb reads as far as its phase goes and returns the turn that is reached, or `None` if another phase has begun.
impl Conversation {
    pub(super) fn read_head(&mut self) -> Option<Turn> {
        let Phase::Head(scan) = &mut self.phase else {
            return None;
        };
        let bytes = &self.input[self.consumed..];
        let found = match scan.find(bytes, &self.limits) {
            Ok(Some(found)) => found,
            Ok(None) if self.ended => {
                self.give_up();
                self.phase = Phase::Over;
                return None;
            }
            Ok(None) => return Some(Turn::NeedBytes),
            Err(refusal) => {
                self.forget_request();
                self.refuse(refusal);
                return None;
            }
        };
        let head = &bytes[found.clone()];
        self.request.destination = None;
        Conversation::keep_request(&mut self.kept, head);
        self.phase = match head::parse(head, &mut self.request) {
            Ok(()) => match framing_of(&self.request) {
                Ok(framing) => {
                    let reader = BodyReader::new(framing);
                    if reader.remaining() != Some(0) {
                        self.request.destination = Some(Destination::default());
                    }
                    Phase::Asked(reader)
                }
                Err(refusal) => Phase::Refused(refusal),
            },
            Err(refusal) => {
                keep_line(head, &mut self.request, &mut self.refused_line);
                Phase::Refused(refusal)
            }
        };
        self.consumed += found.end;
        self.body_received = 0;
        self.persistence = Persistence::of(&self.request);
        None
    }

    pub(super) fn collect(&mut self) -> Option<Turn> {
        let Phase::Collecting(reader, bytes_max) = &mut self.phase else {
            return None;
        };
        let bytes = &self.input[self.consumed..];
        match reader.next(bytes) {
            Ok(Piece::Data(range)) => {
                if self.body_received + range.len() as u64 > *bytes_max {
                    self.refuse(Refusal::BodyTooLarge);
                    return None;
                }
                self.request.body.extend_from_slice(&bytes[range.clone()]);
                self.body_received += range.len() as u64;
                self.consumed += range.end;
            }
            Ok(Piece::NeedBytes(used)) => {
                self.consumed += used;
                return match self.has_piece() {
                    true => Some(Turn::Body),
                    false => self.need_bytes(),
                };
            }
            Ok(Piece::End(used)) => {
                self.consumed += used;
                self.phase = Phase::Whole;
            }
            Err(refusal) => self.refuse(refusal),
        }
        None
    }

    /// Receives the body before the request is answered, after [`Turn::Head`], within its limit; [`Turn::Answer`] follows.
    /// If the request's body goes to an upload, so does [`Turn::Body`] for each piece; else it is collected.
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Turn};
    ///
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    /// assert_eq!(conversation.turn(), Turn::Head);
    /// conversation.collect_body();
    /// conversation.receive(b"6\r\nsalmon\r\n0\r\n\r\n");
    /// assert_eq!(conversation.turn(), Turn::Answer);
    /// assert_eq!(conversation.request().body(), b"salmon");
    /// ```
    pub fn collect_body(&mut self) {
        let Phase::Asked(reader) = mem::replace(&mut self.phase, Phase::Whole) else {
            panic!("a body is collected only after Turn::Head");
        };
        let upload = self.upload_bytes_max();
        let bytes_max = upload
            .flatten()
            .unwrap_or(self.limits.body_bytes_max as u64);
        match reader.remaining() {
            Some(0) => {}
            Some(length) if length > bytes_max => self.refuse(Refusal::BodyTooLarge),
            length => {
                self.continue_if_awaited();
                if upload.is_none()
                    && let Some(length) = length
                {
                    self.request
                        .body
                        .reserve_exact(length.min(RESERVED_BYTES_MAX) as usize);
                }
                self.phase = Phase::Collecting(reader, bytes_max);
            }
        }
    }

    /// Records that the upload has the piece of its body that was in the request, after [`Turn::Body`].
    ///
    /// ```
    /// use sockeye::wire::{Conversation, Limits, Turn};
    /// use sockeye::{Handler, Method, Router, Upload};
    ///
    /// let router = Router::new().upload(Method::PUT, "/", |_| Ok(Upload::new(Vec::new(), |_| "saved\n")));
    /// let mut conversation = Conversation::new(Limits::default());
    /// conversation.receive(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsal");
    /// assert_eq!(conversation.turn(), Turn::Head);
    /// assert!(router.handle_head(conversation.request()).is_none()); // It chooses an upload.
    /// conversation.collect_body();
    /// assert_eq!(conversation.turn(), Turn::Body);
    /// assert_eq!(conversation.request().body(), b"sal"); // Given to the upload now.
    /// conversation.body_taken();
    /// conversation.receive(b"mon");
    /// assert_eq!(conversation.turn(), Turn::Body);
    /// assert_eq!(conversation.request().body(), b"mon");
    /// ```
    pub fn body_taken(&mut self) {
        self.request.body.clear();
    }

    /// Whether the body goes to an upload, and how long that lets it be.
    pub(super) fn upload_bytes_max(&self) -> Option<Option<u64>> {
        self.request.destination.as_ref()?.upload_bytes_max()
    }

    /// The last piece of an upload, then the answer.
    pub(super) fn whole(&self) -> Turn {
        match self.has_piece() {
            true => Turn::Body,
            false => Turn::Answer,
        }
    }

    /// Whether there is something for an upload.
    fn has_piece(&self) -> bool {
        !self.request.body.is_empty() && self.upload_bytes_max().is_some()
    }

    pub(super) fn echo_body(&mut self) -> Option<Turn> {
        let Phase::EchoingBody(echo) = &mut self.phase else {
            return None;
        };
        let bytes = &self.input[self.consumed..];
        match echo.reader.next(bytes) {
            Ok(Piece::Data(range)) => {
                self.body_received += range.len() as u64;
                self.consumed += range.end;
                let start = if echo.is_raw { 0 } else { range.start };
                echo.give_back(
                    &bytes[start..range.end],
                    &mut self.request,
                    &mut self.output,
                );
                None
            }
            Ok(Piece::NeedBytes(used)) => {
                self.consumed += used;
                let framing = if echo.is_raw { &bytes[..used] } else { b"" };
                echo.give_back(framing, &mut self.request, &mut self.output);
                let length = echo.length;
                if self.body_received > 0 {
                    self.begin_echo(length);
                }
                self.need_bytes()
            }
            Ok(Piece::End(used)) => {
                self.consumed += used;
                let framing = if echo.is_raw { &bytes[..used] } else { b"" };
                echo.give_back(framing, &mut self.request, &mut self.output);
                let is_chunked = echo.pending.is_none() && echo.length.is_none();
                // The body may have come whole before the head was written; then its length is known.
                let received = self.request.body.len() as u64;
                self.begin_echo(Some(received));
                if is_chunked {
                    write_last_chunk(&mut self.output);
                }
                self.phase = Phase::Answered(None);
                None
            }
            Err(refusal) if echo.pending.is_some() => {
                self.refuse(refusal);
                None
            }
            // The head is on its way, so closing early is the only way to report the error.
            Err(_) => self.hang_up(),
        }
    }

    pub(super) fn discard(&mut self) -> Option<Turn> {
        let Phase::Discarding(reader, budget) = &mut self.phase else {
            return None;
        };
        match reader.next(&self.input[self.consumed..]) {
            Ok(Piece::Data(range)) => {
                self.consumed += range.end;
                match budget.checked_sub(range.len() as u64) {
                    Some(left) => *budget = left,
                    None => return self.hang_up(),
                }
                None
            }
            Ok(Piece::NeedBytes(used)) => {
                self.consumed += used;
                self.need_bytes()
            }
            Ok(Piece::End(used)) => {
                self.consumed += used;
                self.phase = Phase::Head(HeadScan::default());
                None
            }
            Err(_) => self.hang_up(),
        }
    }

    /// Asks for more bytes of a body, or ends the conversation where none can follow.
    pub(super) fn need_bytes(&mut self) -> Option<Turn> {
        if self.ended {
            self.hang_up()
        } else {
            Some(Turn::NeedBytes)
        }
    }

    pub(super) fn hang_up(&mut self) -> Option<Turn> {
        if self.has_pending_echo() {
            self.begun = None;
        }
        self.cut_short = matches!(self.phase, Phase::EchoingBody(_));
        self.unread = true;
        self.phase = Phase::Over;
        None
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.phase = Phase::Refused(refusal);
    }

    /// Forgets the last request while the head of the next one is awaited or cannot be read, and keeps what is
    /// understood of that one.
    pub(super) fn forget_request(&mut self) {
        if let Phase::Head(scan) = &self.phase {
            let head = &self.input[self.consumed + scan.start()..];
            // No further than a line may go: what is understood of a longer one must not depend on how it was cut.
            Conversation::keep_request(&mut self.kept, head);
            let line_end = head.len().min(self.limits.request_line_bytes_max + 2);
            let head = &head[..line_end];
            keep_line(head, &mut self.request, &mut self.refused_line);
            self.body_received = 0;
        }
    }
}

impl BodyEcho {
    /// Sends `data` back: behind the head, or with it once that is written.
    fn give_back(&self, data: &[u8], request: &mut Request, output: &mut Vec<u8>) {
        match (&self.pending, self.length) {
            (Some(_), _) => request.body.extend_from_slice(data),
            (None, Some(_)) => output.extend_from_slice(data),
            (None, None) => write_chunk(output, data),
        }
    }
}

/// Keeps what is understood of a refused `head` in `request`, since the refusal's form depends on it, and its first
/// line as received in `line` where it is not.
fn keep_line(head: &[u8], request: &mut Request, line: &mut Vec<u8>) {
    line.clear();
    line.extend_from_slice(head::read_refused(head, request).unwrap_or_default());
}

/// Checks a head that could be read, and decides how the body is framed. What must be answered 400 comes before what
/// may be answered otherwise (RFC 9112 §3.2 and §6.3).
fn framing_of(request: &Request) -> Result<Framing, Refusal> {
    head::check_host(request)?;
    let framing = framing(request)?;
    head::check_method(request)?;
    head::check_expectation(request)?;
    Ok(framing)
}
