//! Holds a dialog with a conversation, and compares what was heard with what should be.

use std::io::Read;
use std::mem;

use memchr::memmem;
use sockeye::Handler;
use sockeye::wire::{Conversation, Payload, Refusal, Turn};

use super::dialog::{Dialog, Piece, Step};

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// What the client heard, for each [`Step::Hear`], and what was refused.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) answers: Vec<Vec<u8>>,
    pub(super) refusals: Vec<Refusal>,
}

struct Player<'a> {
    conversation: Conversation,
    handler: &'a dyn Handler,
    closed: bool,
    finds_no_room: bool,
    /// Heard, but not yet listened to.
    output: Vec<u8>,
    heard: Heard,
}

/// Holds the dialog, with what the client says cut into pieces of `size` bytes.
pub(super) fn replay(dialog: &Dialog, size: usize, handler: &dyn Handler) -> Result<Heard, String> {
    let mut player = Player {
        conversation: Conversation::new(dialog.limits),
        handler,
        closed: false,
        finds_no_room: false,
        output: Vec::new(),
        heard: Heard::default(),
    };
    player.take_turns();
    let mut expects_close = false;
    for step in &dialog.steps {
        match step {
            Step::Say(bytes) => bytes.chunks(size).for_each(|piece| player.say(piece)),
            Step::CloseOneSide => player.end(),
            Step::FallSilent => player.fall_silent(),
            Step::FindNoRoom => player.finds_no_room = true,
            Step::Hear(_) => player
                .heard
                .answers
                .push(std::mem::take(&mut player.output)),
            Step::Closed | Step::Drained => expects_close = true,
        }
        if matches!(step, Step::Closed | Step::Drained) && !player.closed {
            let heard = shown(player.last_heard());
            return Err(format!("the connection lives on; heard: {heard}"));
        }
        if matches!(step, Step::Drained) && !player.conversation.leaves_input_unread() {
            return Err("the connection is closed at once, not drained".to_owned());
        }
    }
    if player.closed && !expects_close {
        return Err(format!(
            "the connection is closed; heard: {}",
            shown(player.last_heard())
        ));
    }
    if !player.output.is_empty() {
        return Err(format!("more was heard: {}", shown(&player.output)));
    }
    Ok(player.heard)
}

impl Player<'_> {
    fn say(&mut self, piece: &[u8]) {
        if !self.closed {
            self.conversation.receive(piece);
            if mem::take(&mut self.finds_no_room) {
                self.conversation.turn_away();
            }
            self.take_turns();
        }
    }

    fn end(&mut self) {
        if !self.closed {
            self.conversation.receive_end();
            self.take_turns();
        }
    }

    fn fall_silent(&mut self) {
        if self.conversation.time_out() {
            self.take_turns();
        } else {
            self.closed = true;
        }
    }

    fn take_turns(&mut self) {
        loop {
            match self.conversation.turn() {
                Turn::NeedBytes => break,
                Turn::Head => match self.handler.handle_head(self.conversation.request()) {
                    Some(response) => self.conversation.answer(response, DATE),
                    None => self.conversation.collect_body(),
                },
                Turn::Body => unreachable!("nobody here has uploads"),
                Turn::Answer => {
                    let response = self.handler.handle(self.conversation.request());
                    self.conversation.answer(response, DATE);
                }
                Turn::Refuse(refusal) => {
                    self.heard.refusals.push(refusal);
                    let response = refusal.response(self.conversation.request());
                    self.conversation.answer(response, DATE);
                }
                Turn::Deliver => self.deliver(),
                Turn::Answered => {}
                Turn::Close => {
                    self.closed = true;
                    break;
                }
            }
        }
        self.output.extend_from_slice(self.conversation.output());
        self.conversation.sent(self.conversation.output().len());
    }

    fn deliver(&mut self) {
        match mem::take(self.conversation.payload()) {
            Payload::None => {}
            Payload::Bytes(bytes) => {
                self.conversation
                    .output_room(bytes.len())
                    .extend_from_slice(&bytes);
            }
            Payload::Stream { stream, chunked } => {
                let length = stream.length.unwrap_or(u64::MAX);
                let mut stream = stream.take(length);
                let mut piece = [0; 8];
                loop {
                    let length = stream.read(&mut piece).expect("memory can be read");
                    self.conversation.push_stream(&piece[..length], chunked);
                    if length == 0 {
                        break;
                    }
                }
            }
            Payload::File(_) => unreachable!("no endpoint here has files"),
        }
        self.conversation.delivered();
    }

    fn last_heard(&self) -> &[u8] {
        match self.heard.answers.last() {
            Some(answer) if self.output.is_empty() => answer,
            _ => &self.output,
        }
    }
}

/// Whether the whole dialog went as it is written.
pub(super) fn compare(dialog: &Dialog, heard: &Heard) -> Result<(), String> {
    let expected = dialog.steps.iter().filter_map(|step| match step {
        Step::Hear(pieces) => Some(pieces),
        _ => None,
    });
    for (pieces, answer) in expected.zip(&heard.answers) {
        if !matches(pieces, answer) {
            let lines = pieces.iter().map(|piece| match piece {
                Piece::Exactly(bytes) => shown(bytes),
                Piece::Any => "…\n".to_owned(),
            });
            let lines: String = lines.collect();
            return Err(format!("expected:\n{lines}\nheard:\n{}", shown(answer)));
        }
    }
    Ok(())
}

/// Whether the client heard the same when what it said was cut.
pub(super) fn compare_cut(dialog: &Dialog, whole: &Heard, cut: &Heard) -> Result<(), String> {
    for (whole, cut) in whole.answers.iter().zip(&cut.answers) {
        let same = if dialog.as_it_comes {
            carried(whole) == carried(cut)
        } else {
            whole == cut
        };
        if !same {
            return Err(format!(
                "heard:\n{}\nbut whole:\n{}",
                shown(cut),
                shown(whole)
            ));
        }
    }
    Ok(())
}

fn matches(pieces: &[Piece], bytes: &[u8]) -> bool {
    match pieces {
        [] => bytes.is_empty(),
        [Piece::Exactly(exact), rest @ ..] => bytes
            .strip_prefix(exact.as_slice())
            .is_some_and(|after| matches(rest, after)),
        [Piece::Any, rest @ ..] => {
            let end = match memmem::find(bytes, b"\r\n\r\n") {
                _ if bytes.starts_with(b"\r\n") => 0,
                Some(blank) => blank + 2,
                None => bytes.len(),
            };
            (0..=end).any(|at| matches(rest, &bytes[at..]))
        }
    }
}

/// The answers without what depends on how much was at hand: their framing, and any `100 Continue`.
fn carried(mut bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(end) = memmem::find(bytes, b"\r\n\r\n") {
        let head = std::str::from_utf8(&bytes[..end]).expect("our heads are text");
        bytes = &bytes[end + 4..];
        if head.starts_with("HTTP/1.1 100 ") {
            continue;
        }
        let mut length = 0;
        let mut chunked = false;
        for line in head.lines() {
            if let Some(digits) = line.strip_prefix("Content-Length: ") {
                length = digits.parse().expect("a length is a number");
            } else if line == "Transfer-Encoding: chunked" {
                chunked = true;
            } else {
                all.extend_from_slice(line.as_bytes());
                all.push(b'\n');
            }
        }
        if chunked {
            bytes = take_chunks(bytes, &mut all);
        } else {
            let (body, rest) = bytes.split_at(bytes.len().min(length));
            all.extend_from_slice(body);
            bytes = rest;
        }
    }
    all.extend_from_slice(bytes);
    all
}

/// Moves the data of a chunked body over to `all`, as far as it goes, and returns what follows it.
fn take_chunks<'a>(mut bytes: &'a [u8], all: &mut Vec<u8>) -> &'a [u8] {
    while let Some(end) = memmem::find(bytes, b"\r\n") {
        let digits = std::str::from_utf8(&bytes[..end]).expect("a size is text");
        let size = usize::from_str_radix(digits, 16).expect("a size is a number");
        all.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 2 + size + 2..];
        if size == 0 {
            break;
        }
    }
    bytes
}

fn shown(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 4000;
    let bytes = &bytes[..bytes.len().min(SHOWN_MAX)];
    bytes.escape_ascii().to_string().replace("\\r\\n", "\n")
}
