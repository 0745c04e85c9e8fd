//! Several ranges as one body (RFC 9110 §14.6), read piece by piece, its length known beforehand.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

use super::description::Description;
use super::representation::Content;
use crate::message::{FileSlice, Stream};

/// A reader of the parts with their heads.
struct Multipart {
    content: Content,
    /// What was promised of a file that is read while it is sent.
    promised: Option<FileSlice>,
    pieces: VecDeque<Piece>,
}

enum Piece {
    Text(VecDeque<u8>),
    Bytes(Range<u64>),
}

/// The parts as a body. The boundary is random, so that it cannot have been written into the file.
pub(super) fn stream(
    content: Content,
    description: &Description,
    parts: Vec<Range<u64>>,
    boundary: &str,
) -> Stream {
    let size = description.length;
    let media_type = description
        .fields
        .get("Content-Type")
        .expect("every file has one");
    let mut pieces = VecDeque::new();
    let mut length = 0;
    let mut line_end = "";
    for part in parts {
        let head = format!(
            "{line_end}--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {}\r\n\r\n",
            content_range(&part, size)
        );
        line_end = "\r\n";
        length += head.len() as u64 + part.end - part.start;
        pieces.push_back(Piece::Text(head.into_bytes().into()));
        pieces.push_back(Piece::Bytes(part));
    }
    let end = format!("\r\n--{boundary}--\r\n");
    length += end.len() as u64;
    pieces.push_back(Piece::Text(end.into_bytes().into()));
    Stream {
        reader: Box::new(Multipart {
            promised: match &content {
                Content::Memory(_) => None,
                Content::File(file) => Some(description.slice(file, 0..size)),
            },
            content,
            pieces,
        }),
        length: Some(length),
    }
}

/// The value of `Content-Range` for a part that is not empty.
pub(super) fn content_range(part: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end - 1)
}

impl Read for Multipart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let Some(piece) = self.pieces.front_mut() else {
            return Ok(0);
        };
        let (count, is_over) = match piece {
            Piece::Text(text) => {
                let count = text.read(buffer)?;
                (count, text.is_empty())
            }
            Piece::Bytes(range) => {
                let wanted = (range.end - range.start).min(buffer.len() as u64) as usize;
                let count = self.content.read_at(&mut buffer[..wanted], range.start)?;
                range.start += count as u64;
                if count == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                (count, range.start == range.end)
            }
        };
        if is_over {
            self.pieces.pop_front();
            self.verify()?;
        }
        Ok(count)
    }
}

impl Multipart {
    /// Whether the file still holds what was promised; asked before the end of each part is given out.
    fn verify(&self) -> io::Result<()> {
        match &self.promised {
            Some(promised) if !promised.is_as_promised()? => {
                Err(io::Error::other("the file changed while it was sent"))
            }
            _ => Ok(()),
        }
    }
}
