//! Puts the body of an answer on a transport, a fair slice at a time.
//!
//! A body is completed only if its source is still what was promised: a file is looked at again before its last
//! bytes go out, and if it has changed the connection is closed instead, so that the client can tell.

use std::io::{self, IoSlice};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Buf, Bytes};
use rustix::buffer::spare_capacity;
use rustix::io::{pread, retry_on_intr};

use super::transport::Transport;
use crate::message::{FileSlice, Fingerprint, Stream};
use crate::wire::{Conversation, Payload};

// What one turn sends. Larger slices let a download hold a thread while others wait; smaller ones cost throughput.
const SLICE_BYTES: u64 = 64 * 1024;

// What is held back of a large file until it has been looked at once more.
const TAIL_BYTES: u64 = 4 * 1024;

/// How a turn of sending ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// All of it.
    All,
    /// A fair share. There is more, and others may have waited.
    Share,
    /// As much as the client takes for now.
    Blocked,
}

/// The body of one answer on its way.
#[derive(Debug)]
pub(super) struct Delivery {
    source: Source,
    bytes: u64,
}

#[derive(Debug)]
enum Source {
    Bytes(Bytes),
    File {
        slice: FileSlice,
        can_sendfile: bool,
    },
    Stream {
        stream: Stream,
        chunked: bool,
    },
    /// The rest of the body is in the output.
    Exhausted,
}

/// Sends the output of `conversation`, as far as the client takes it; `more` says that more follows at once.
pub(super) fn send_output(
    transport: &mut impl Transport,
    conversation: &mut Conversation,
    more: bool,
) -> io::Result<Sent> {
    while !conversation.output().is_empty() {
        match unless_blocked(transport.write(&[IoSlice::new(conversation.output())], more))? {
            Some(bytes) => conversation.sent(bytes),
            None => return Ok(Sent::Blocked),
        }
    }
    Ok(Sent::All)
}

impl Delivery {
    /// `None` if there is nothing to deliver.
    pub(super) fn new(payload: Payload) -> Option<Delivery> {
        let source = match payload {
            Payload::None => return None,
            Payload::Bytes(bytes) => Source::Bytes(bytes),
            Payload::File(slice) => Source::File {
                slice,
                can_sendfile: true,
            },
            Payload::Stream { stream, chunked } => Source::Stream { stream, chunked },
        };
        Some(Delivery { source, bytes: 0 })
    }

    /// How many bytes of the body have been taken from their source.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends what is in the output and the next share of the body. `scratch` is any buffer.
    pub(super) fn advance(
        &mut self,
        transport: &mut impl Transport,
        conversation: &mut Conversation,
        scratch: &mut Vec<u8>,
    ) -> io::Result<Sent> {
        match &mut self.source {
            Source::Bytes(bytes) => {
                let before = bytes.len();
                let sent = send_bytes(bytes, transport, conversation)?;
                self.bytes += (before - bytes.len()) as u64;
                return Ok(sent);
            }
            Source::File {
                slice,
                can_sendfile,
            } => {
                let is_small = self.bytes == 0 && slice.length() <= SLICE_BYTES;
                if !is_small && slice.length() > TAIL_BYTES {
                    if send_output(transport, conversation, true)? == Sent::Blocked {
                        return Ok(Sent::Blocked);
                    }
                    let sent = send_slice(slice, can_sendfile, transport, conversation)?;
                    let Some(bytes) = sent else {
                        return Ok(Sent::Blocked);
                    };
                    slice.range.start += bytes;
                    self.bytes += bytes;
                    if slice.length() > TAIL_BYTES {
                        return Ok(Sent::Share);
                    }
                }
                self.bytes += slice.length();
                read_slice(slice, slice.length(), conversation)?;
                if !is_unchanged(slice)? {
                    return Err(io::Error::other("the file changed while it was sent"));
                }
                self.source = Source::Exhausted;
            }
            Source::Stream { stream, chunked } if conversation.output().is_empty() => {
                let piece = read_stream(stream, self.bytes, scratch)?;
                conversation.push_stream(piece, *chunked);
                self.bytes += piece.len() as u64;
                if piece.is_empty() || stream.length == Some(self.bytes) {
                    self.source = Source::Exhausted;
                }
            }
            Source::Stream { .. } | Source::Exhausted => {}
        }
        match send_output(transport, conversation, false)? {
            Sent::All if !matches!(self.source, Source::Exhausted) => Ok(Sent::Share),
            sent => Ok(sent),
        }
    }
}

/// Sends the output and `bytes` after it in one write, and takes off `bytes` what was sent.
fn send_bytes(
    bytes: &mut Bytes,
    transport: &mut impl Transport,
    conversation: &mut Conversation,
) -> io::Result<Sent> {
    let head = conversation.output().len();
    let share = &bytes[..bytes.len().min(4 * SLICE_BYTES as usize)];
    let written = match head {
        0 => transport.write(&[IoSlice::new(share)], false),
        _ => transport.write(
            &[IoSlice::new(conversation.output()), IoSlice::new(share)],
            false,
        ),
    };
    let Some(written) = unless_blocked(written)? else {
        return Ok(Sent::Blocked);
    };
    conversation.sent(written.min(head));
    bytes.advance(written.saturating_sub(head));
    Ok(if bytes.is_empty() {
        Sent::All
    } else {
        Sent::Share
    })
}

/// Sends a share of a file, all but its tail at most, and returns how many bytes that was; `None` if the client takes
/// none.
fn send_slice(
    slice: &FileSlice,
    can_sendfile: &mut bool,
    transport: &mut impl Transport,
    conversation: &mut Conversation,
) -> io::Result<Option<u64>> {
    let left = slice.length() - TAIL_BYTES;
    // Another turn for a small rest would cost more than the rest.
    let share = if left <= 2 * SLICE_BYTES {
        left
    } else {
        SLICE_BYTES
    };
    if *can_sendfile {
        match unless_blocked(transport.send_file(&slice.file, slice.range.start, share as usize)) {
            Ok(Some(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(sent) => return Ok(sent.map(|bytes| bytes as u64)),
            // Some file systems cannot; the same bytes can be read and written.
            Err(error) if is_unsupported(&error) => *can_sendfile = false,
            Err(error) => return Err(error),
        }
    }
    read_slice(slice, share, conversation)?;
    send_output(transport, conversation, true)?;
    Ok(Some(share))
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
    so_far: u64,
    scratch: &'a mut Vec<u8>,
) -> io::Result<&'a [u8]> {
    scratch.resize(SLICE_BYTES as usize, 0);
    let left = stream.length.map_or(u64::MAX, |length| length - so_far);
    let wanted = left.min(SLICE_BYTES) as usize;
    let read = loop {
        // The reader is a handler's: one that panics has failed, and its answer is cut short like any that fails.
        let read = || stream.reader.read(&mut scratch[..wanted]);
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(read) => break read?,
            Err(_) => return Err(io::Error::other("the body's reader panicked")),
        }
    };
    if read == 0 && stream.length.is_some() && left > 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(&scratch[..read])
}

/// Whether the file is still the one that the answer was decided for.
fn is_unchanged(slice: &FileSlice) -> io::Result<bool> {
    Ok(Fingerprint::from(&slice.file.metadata()?).has_same_bytes(&slice.fingerprint))
}

fn unless_blocked(written: io::Result<usize>) -> io::Result<Option<usize>> {
    match written {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
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
