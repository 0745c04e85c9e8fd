//! Puts the body of an answer on a socket, a fair slice at a time.
//!
//! A body is completed only if its source is still what was promised: a file is looked at again before its last
//! bytes go out, and if it has changed the connection is closed instead, so that the client can tell.

use std::io::{self, IoSlice};
use std::mem;
use std::task::Poll;
use std::time::Instant;

use bytes::Buf;
use rustix::buffer::spare_capacity;
use rustix::io::{pread, retry_on_intr};

use super::panics::survive;
use super::socket::Socket;
use crate::message::{FileSlice, Stream, Wake};
use crate::wire::{Conversation, Payload};

// What one dispatch sends. Larger slices let a download hold a thread while others wait; smaller ones cost throughput.
const SLICE_BYTES: u64 = 64 * 1024;

// What is held back of a large file until it has been looked at once more.
const TAIL_BYTES: u64 = 4 * 1024;

/// How far sending has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// All of it is sent.
    Done,
    /// A fair share. There is more, and others may have waited.
    Share,
    /// As much as the client takes for now.
    Blocked,
    /// As much as the source gives for now; when to ask it again, if it is known.
    Pending(Option<Instant>),
}

/// Sends the output of `conversation`, as far as the client takes it; `more`: more follows at once. Returns whether
/// that was all of it.
pub(super) fn send_output(
    socket: &mut Socket,
    conversation: &mut Conversation,
    more: bool,
) -> io::Result<bool> {
    while !conversation.output().is_empty() {
        match socket.write(&[IoSlice::new(conversation.output())], more)? {
            Some(bytes) => conversation.sent(bytes),
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Sends the output and the next share of the payload. `scratch` is any buffer.
pub(super) fn send_payload(
    socket: &mut Socket,
    conversation: &mut Conversation,
    wake: &mut Wake<'_>,
    scratch: &mut Vec<u8>,
) -> io::Result<Progress> {
    // What is used up is dropped last: it is a handler's, and may panic then.
    let mut used_up = Payload::None;
    let (output, payload) = conversation.output_and_payload();
    let progress = match payload {
        Payload::None => Progress::Done,
        Payload::Bytes(_) => return send_bytes(socket, conversation),
        // Nothing of it is wanted, and it is dropped behind the head.
        Payload::Stream { stream, .. } if stream.length == Some(0) => {
            if !send_output(socket, conversation, false)? {
                return Ok(Progress::Blocked);
            }
            used_up = mem::take(conversation.payload());
            Progress::Done
        }
        Payload::File(_) => send_file(socket, conversation)?,
        // What it gave before goes out first.
        Payload::Stream { .. } if !output.is_empty() => Progress::Share,
        Payload::Stream { stream, chunked } => match read_stream(stream, wake, scratch)? {
            Poll::Pending => Progress::Pending(wake.time()),
            Poll::Ready(piece) => {
                let (chunked, is_end) = (*chunked, piece.is_empty() || stream.length == Some(0));
                conversation.push_stream(piece, chunked);
                if is_end {
                    used_up = mem::take(conversation.payload());
                }
                if is_end {
                    Progress::Done
                } else {
                    Progress::Share
                }
            }
        },
    };
    let is_sent = progress != Progress::Blocked && send_output(socket, conversation, false)?;
    drop(used_up);
    Ok(if is_sent { progress } else { Progress::Blocked })
}

/// Sends the output and bytes after it in one write.
fn send_bytes(socket: &mut Socket, conversation: &mut Conversation) -> io::Result<Progress> {
    let (output, Payload::Bytes(bytes)) = conversation.output_and_payload() else {
        unreachable!("the payload is bytes");
    };
    let head = output.len();
    let share = &bytes[..bytes.len().min(4 * SLICE_BYTES as usize)];
    let written = match head {
        0 => socket.write(&[IoSlice::new(share)], false)?,
        _ => socket.write(&[IoSlice::new(output), IoSlice::new(share)], false)?,
    };
    let Some(written) = written else {
        return Ok(Progress::Blocked);
    };
    let of_body = written.saturating_sub(head);
    bytes.advance(of_body);
    let is_done = bytes.is_empty();
    conversation.sent(written - of_body);
    conversation.sent_directly(of_body as u64);
    Ok(if is_done {
        Progress::Done
    } else {
        Progress::Share
    })
}

/// Sends a share of a file. Its last bytes, or all of a small one, only go into the output, once it has been looked at
/// again.
fn send_file(socket: &mut Socket, conversation: &mut Conversation) -> io::Result<Progress> {
    let is_begun = conversation.output().is_empty();
    let Payload::File(slice) = conversation.payload() else {
        unreachable!("the payload is a file");
    };
    let mut slice = slice.clone();
    // A body this small is copied, so that the bytes that were read are sent: sendfile passes on pages, and
    // a file that is rewritten changes what is already on its way. Already a little above, a copy costs twice as much.
    let is_small = !is_begun && slice.length() <= SLICE_BYTES;
    if !is_small && slice.length() > TAIL_BYTES {
        if !send_output(socket, conversation, true)? {
            return Ok(Progress::Blocked);
        }
        let Some(bytes) = send_slice(&slice, socket, conversation)? else {
            return Ok(Progress::Blocked);
        };
        slice.range.start += bytes;
        let has_more = slice.length() > TAIL_BYTES;
        *conversation.payload() = Payload::File(slice.clone());
        if has_more {
            return Ok(Progress::Share);
        }
    }
    read_slice(&slice, slice.length(), conversation)?;
    if !slice.is_as_promised()? {
        return Err(io::Error::other("the file changed while it was sent"));
    }
    *conversation.payload() = Payload::None;
    Ok(Progress::Done)
}

/// Sends a share of a file, all but its tail at most, and returns how many bytes that was; `None` if the client takes
/// none.
fn send_slice(
    slice: &FileSlice,
    socket: &mut Socket,
    conversation: &mut Conversation,
) -> io::Result<Option<u64>> {
    let left = slice.length() - TAIL_BYTES;
    // Another dispatch for a small rest would cost more than the rest.
    let share = if left <= 2 * SLICE_BYTES {
        left
    } else {
        SLICE_BYTES
    };
    match socket.send_file(&slice.file, slice.range.start, share as usize) {
        Ok(Some(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(Some(bytes)) => {
            conversation.sent_directly(bytes as u64);
            Ok(Some(bytes as u64))
        }
        Ok(None) => Ok(None),
        // Some file systems cannot; the same bytes can be read and written.
        Err(error) if is_unsupported(&error) => {
            read_slice(slice, share, conversation)?;
            send_output(socket, conversation, true)?;
            Ok(Some(share))
        }
        Err(error) => Err(error),
    }
}

/// Reads exactly `count` bytes from the start of `slice` into the output; an early end is an error.
fn read_slice(slice: &FileSlice, count: u64, conversation: &mut Conversation) -> io::Result<()> {
    let count = count as usize;
    let output = conversation.output_room(count);
    let end = output.len() + count;
    let mut offset = slice.range.start;
    while output.len() < end {
        let read = retry_on_intr(|| pread(&slice.file, spare_capacity(output), offset))?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        offset += read as u64;
    }
    // The room may be larger than what was asked for, and what lies behind the slice is not ours to send.
    output.truncate(end);
    Ok(())
}

/// The next piece of a stream; empty at its end. A stream that breaks its promise of a length is an error.
fn read_stream<'a>(
    stream: &mut Stream,
    wake: &mut Wake<'_>,
    scratch: &'a mut Vec<u8>,
) -> io::Result<Poll<&'a [u8]>> {
    let wanted = stream.length.unwrap_or(u64::MAX).min(SLICE_BYTES) as usize;
    // Zeros, not what another client was sent: a reader may return more than it has filled.
    scratch.clear();
    scratch.resize(wanted, 0);
    let read = loop {
        // The reader is a handler's: one that panics has failed, and its answer is cut short like any that fails.
        let read = survive("a body is cut short", || {
            stream.reader.poll_read(scratch, wake)
        });
        match read {
            Some(Poll::Pending) => return Ok(Poll::Pending),
            Some(Poll::Ready(Err(error))) if error.kind() == io::ErrorKind::Interrupted => {}
            Some(Poll::Ready(read)) => break read?,
            None => return Err(io::Error::other("the body's reader panicked")),
        }
    };
    if read > wanted {
        return Err(io::Error::other(
            "the body's reader claims to have filled more than its buffer",
        ));
    }
    if let Some(left) = &mut stream.length {
        if read == 0 && *left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *left -= read as u64;
    }
    Ok(Poll::Ready(&scratch[..read]))
}

fn is_unsupported(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [
        Errno::INVAL,
        Errno::NOSYS,
        Errno::OVERFLOW,
        Errno::OPNOTSUPP,
    ]
    .iter()
    .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
