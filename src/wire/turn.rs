//! What a conversation and its server say to each other.

use bytes::Bytes;

use super::refusal::Refusal;
use crate::message::{FileSlice, Stream};

/// How much a client may say at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The request line, in bytes without its CRLF; a longer one is answered 414.
    pub request_line_bytes_max: usize,
    /// The whole head, in bytes; a longer one is answered 431.
    pub head_bytes_max: usize,
    /// A body that a handler wants as a whole, in bytes; a larger one is answered 413. Streamed bodies have no limit.
    pub body_bytes_max: usize,
}

impl Limits {
    /// How many fields a head may have; more are answered 431.
    pub const FIELDS_MAX: usize = 100;
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            request_line_bytes_max: 8 * 1024,
            head_bytes_max: 32 * 1024,
            body_bytes_max: 1024 * 1024,
        }
    }
}

/// What must happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Send what is in the output, read from the client, then ask again.
    NeedBytes,
    /// The head is complete: `Conversation::answer` from it, or `Conversation::decline`.
    Head,
    /// The whole request is ready: `Conversation::answer` it.
    Answer,
    /// `Conversation::answer` with [`Refusal::response`]; the connection will close.
    Refuse(Refusal),
    /// The body that was sent back as it came is complete, so many bytes.
    Relayed(u64),
    /// Nothing more will be said once the output is sent.
    Close,
}

/// What of an answer did not go into the output and is to be sent after it.
#[derive(Debug)]
pub enum Payload {
    /// Nothing: the answer is in the output, or will be relayed into it.
    None,
    /// These bytes.
    Bytes(Bytes),
    /// This piece of a file.
    File(FileSlice),
    /// What this reader yields, in chunks if `chunked`, else as it is.
    Stream {
        /// The source.
        stream: Stream,
        /// Whether to frame what it yields as chunks.
        chunked: bool,
    },
}
