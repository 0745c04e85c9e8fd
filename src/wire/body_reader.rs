//! Takes the body of a request out of the bytes that carry it, whichever way it is framed.

use super::chunked::{Decoder, Piece};
use super::framing::Framing;
use super::refusal::Refusal;

/// How far the body of one request has been read.
#[derive(Debug, Clone)]
pub(super) enum BodyReader {
    /// So many bytes are still to come.
    Length(u64),
    /// The decoder knows.
    Chunked(Box<Decoder>),
}

impl BodyReader {
    pub(super) fn new(framing: Framing) -> BodyReader {
        match framing {
            Framing::Length(length) => BodyReader::Length(length),
            Framing::Chunked => BodyReader::Chunked(Box::default()),
        }
    }

    /// How many bytes are still to come, where the length is known.
    pub(super) fn remaining(&self) -> Option<u64> {
        match self {
            BodyReader::Length(remaining) => Some(*remaining),
            BodyReader::Chunked(_) => None,
        }
    }

    /// Looks at the next bytes; see [`Decoder::next`].
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Piece, Refusal> {
        match self {
            BodyReader::Length(0) => Ok(Piece::End(0)),
            BodyReader::Length(_) if bytes.is_empty() => Ok(Piece::NeedBytes(0)),
            BodyReader::Length(remaining) => {
                let length = (*remaining).min(bytes.len() as u64);
                *remaining -= length;
                Ok(Piece::Data(0..length as usize))
            }
            BodyReader::Chunked(decoder) => decoder.next(bytes),
        }
    }
}
