//! The chunked transfer coding (RFC 9112 §7.1), both ways.
//!
//! httparse reads the size, behind a strict look at the line: by itself it takes an empty size as zero, blanks
//! behind the size and line feeds inside extensions, and each of those has been a way to smuggle.

use std::ops::Range;

use super::refusal::Refusal;
use crate::message::{is_field_value, is_token};

const SIZE_DIGITS_MAX: usize = 16;
const SIZE_LINE_BYTES_MAX: usize = 4 * 1024;
const TRAILER_BYTES_MAX: usize = 8 * 1024;
const TRAILER_FIELDS_MAX: usize = 32;
// What goes around the data may be ten times the data, beyond a first allowance (CVE-2023-39326).
const OVERHEAD_FREE: u64 = 64 * 1024;
const OVERHEAD_FACTOR: u64 = 10;
// As much as hyper allows for all extensions of one body.
const EXTENSION_BYTES_MAX: u64 = 16 * 1024;

/// What a look at the next bytes of a body has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// These of the bytes are data; all before their end are done with.
    Data(Range<usize>),
    /// So many bytes are done with; what follows is not complete.
    NeedBytes(usize),
    /// The body ends after so many bytes.
    End(usize),
}

/// Takes a chunked body apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Decoder {
    state: State,
    data: u64,
    overhead: u64,
    extensions: u64,
    trailer_bytes: usize,
    trailer_fields: usize,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailers,
}

impl Decoder {
    /// Looks at the next bytes, of which everything reported before has been taken away.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Piece, Refusal> {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            match self.state {
                State::Size => {
                    let Some(line) = line(rest, SIZE_LINE_BYTES_MAX, Refusal::Chunk)? else {
                        return Ok(Piece::NeedBytes(at));
                    };
                    let size = self.size(line)?;
                    at += line.len() + 2;
                    self.state = if size == 0 {
                        State::Trailers
                    } else {
                        State::Data(size)
                    };
                }
                State::Data(_) if rest.is_empty() => return Ok(Piece::NeedBytes(at)),
                State::Data(size) => {
                    let length = size.min(rest.len() as u64);
                    self.data += length;
                    self.state = if length == size {
                        State::DataEnd
                    } else {
                        State::Data(size - length)
                    };
                    return Ok(Piece::Data(at..at + length as usize));
                }
                State::DataEnd => {
                    match rest {
                        [b'\r', b'\n', ..] => at += 2,
                        [] | [b'\r'] => return Ok(Piece::NeedBytes(at)),
                        [b'\r' | b'\n', ..] => return Err(Refusal::BareLineEnd),
                        _ => return Err(Refusal::Chunk),
                    }
                    self.state = State::Size;
                }
                State::Trailers => {
                    let room = TRAILER_BYTES_MAX - self.trailer_bytes;
                    let Some(line) = line(rest, room, Refusal::Trailers)? else {
                        return Ok(Piece::NeedBytes(at));
                    };
                    at += line.len() + 2;
                    if line.is_empty() {
                        return Ok(Piece::End(at));
                    }
                    self.trailer(line)?;
                }
            }
        }
    }

    /// Reads `size [extensions]`, and keeps account of what is not data.
    fn size(&mut self, line: &[u8]) -> Result<u64, Refusal> {
        let digits = line
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let extensions = &line[digits..];
        if digits == 0 || digits > SIZE_DIGITS_MAX || !are_extensions(extensions) {
            return Err(Refusal::Chunk);
        }
        self.extensions += extensions.len() as u64;
        self.overhead += line.len() as u64 + 4;
        if self.extensions > EXTENSION_BYTES_MAX
            || self.overhead > OVERHEAD_FREE + OVERHEAD_FACTOR * self.data
        {
            return Err(Refusal::Chunk);
        }
        let mut alone = [0; SIZE_DIGITS_MAX + 2];
        alone[..digits].copy_from_slice(&line[..digits]);
        alone[digits..digits + 2].copy_from_slice(b"\r\n");
        match httparse::parse_chunk_size(&alone[..digits + 2]) {
            Ok(httparse::Status::Complete((_, size))) => Ok(size),
            _ => Err(Refusal::Chunk),
        }
    }

    /// Holds a trailer to the grammar of a field, then drops it: no handler sees trailers.
    fn trailer(&mut self, line: &[u8]) -> Result<(), Refusal> {
        self.trailer_bytes += line.len() + 2;
        self.trailer_fields += 1;
        let colon = memchr::memchr(b':', line).ok_or(Refusal::Trailers)?;
        let is_field = is_token(&line[..colon]) && is_field_value(trim_blanks(&line[colon + 1..]));
        if is_field
            && self.trailer_fields <= TRAILER_FIELDS_MAX
            && self.trailer_bytes < TRAILER_BYTES_MAX
        {
            Ok(())
        } else {
            Err(Refusal::Trailers)
        }
    }
}

/// `trim_ascii` would take a form feed for a blank.
fn trim_blanks(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The first line of `bytes` without its CRLF, once it is complete; `fault` if it ends otherwise or is too long.
fn line(bytes: &[u8], bytes_max: usize, fault: Refusal) -> Result<Option<&[u8]>, Refusal> {
    let Some(end) = memchr::memchr2(b'\r', b'\n', &bytes[..bytes.len().min(bytes_max + 1)]) else {
        return if bytes.len() > bytes_max {
            Err(fault)
        } else {
            Ok(None)
        };
    };
    match &bytes[end..] {
        [b'\r', b'\n', ..] => Ok(Some(&bytes[..end])),
        [b'\r'] => Ok(None),
        _ => Err(Refusal::BareLineEnd),
    }
}

/// `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`, RFC 9112 §7.1.1.
fn are_extensions(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let Some(extension) = skip_blanks(rest).strip_prefix(b";") else {
            return false;
        };
        rest = skip_token(skip_blanks(extension));
        if rest.len() == skip_blanks(extension).len() {
            return false;
        }
        let Some(value) = skip_blanks(rest).strip_prefix(b"=") else {
            continue;
        };
        let value = skip_blanks(value);
        let after = match value.strip_prefix(b"\"") {
            Some(quoted) => skip_quoted(quoted),
            None => Some(skip_token(value)).filter(|after| after.len() < value.len()),
        };
        match after {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

fn skip_blanks(bytes: &[u8]) -> &[u8] {
    let blanks = bytes
        .iter()
        .take_while(|&&byte| byte == b' ' || byte == b'\t')
        .count();
    &bytes[blanks..]
}

fn skip_token(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().take_while(|&&byte| is_token(&[byte])).count();
    &bytes[length..]
}

/// What follows a quoted string whose opening quote has been taken, if it is one.
fn skip_quoted(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        rest = match rest {
            [b'"', after @ ..] => return Some(after),
            [b'\\', byte, after @ ..] | [byte, after @ ..]
                if *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f) =>
            {
                after
            }
            _ => return None,
        };
    }
}

/// Appends `data` to `out` as one chunk; nothing if it is empty, since that would end the body.
///
/// ```
/// use sockeye::wire::{write_chunk, write_last_chunk};
///
/// let mut body = Vec::new();
/// write_chunk(&mut body, b"hello");
/// write_last_chunk(&mut body);
/// assert_eq!(body, b"5\r\nhello\r\n0\r\n\r\n");
/// ```
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut shift = (usize::BITS - data.len().leading_zeros()).div_ceil(4) * 4;
    while shift > 0 {
        shift -= 4;
        out.push(DIGITS[(data.len() >> shift) & 15]);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Appends the end of a chunked body to `out`.
///
/// ```
/// use sockeye::wire::write_last_chunk;
///
/// let mut body = Vec::new();
/// write_last_chunk(&mut body);
/// assert_eq!(body, b"0\r\n\r\n"); // Of a body of no bytes at all.
/// ```
pub fn write_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `bytes` given in pieces of `step`; the data, and how many bytes lie behind the end.
    fn decode(bytes: &[u8], step: usize) -> Result<(Vec<u8>, Option<usize>), Refusal> {
        let (mut decoder, mut data) = (Decoder::default(), Vec::new());
        let (mut start, mut end) = (0, 0);
        loop {
            match decoder.next(&bytes[start..end])? {
                Piece::Data(range) => {
                    data.extend_from_slice(&bytes[start + range.start..start + range.end]);
                    start += range.end;
                }
                Piece::NeedBytes(used) if end < bytes.len() => {
                    start += used;
                    end = bytes.len().min(end + step);
                }
                Piece::NeedBytes(_) => return Ok((data, None)),
                Piece::End(used) => return Ok((data, Some(bytes.len() - start - used))),
            }
        }
    }

    #[test]
    fn a_body_is_the_same_however_it_is_cut() {
        let table: [(&[u8], &[u8], Option<usize>); 6] = [
            (b"5\r\nhello\r\n0\r\n\r\nGET", b"hello", Some(3)),
            (b"A\r\n0123456789\r\n00\r\n\r\n", b"0123456789", Some(0)),
            (
                b"1;a;b=c;d=\"e;\\\"f\" ; g = h\r\nx\r\n0;z\r\nT: u\r\n\r\n",
                b"x",
                Some(0),
            ),
            (b"0\r\nA: b\r\n\r\n", b"", Some(0)),
            (b"5\r\nhel", b"hel", None),
            (b"0\r\n", b"", None),
        ];
        for (bytes, data, rest) in table {
            for step in 1..=bytes.len() {
                let (got, left) = decode(bytes, step).unwrap();
                assert_eq!((got.as_slice(), left.is_some()), (data, rest.is_some()));
                // How much lies behind the end depends on how far the cut had come.
                assert!(step < bytes.len() || left == rest);
            }
        }
    }

    #[test]
    fn a_malformed_chunk_is_refused_however_it_is_cut() {
        let table: [&[u8]; 23] = [
            b"\r\n",
            b" 5\r\nhello",
            b"5 \r\nhello",
            b"0x5\r\nhello",
            b"+5\r\nhello",
            b"-1\r\n",
            b"5_0\r\n",
            b"g\r\n",
            b"5\nhello",
            b"5;\r\nhello",
            b"5;a\nb\r\nhello",
            b"5;a=\r\nhello",
            b"5;a=\"b\r\nhello",
            b"5;a\0\r\nhello",
            b"5\rhello",
            b"5\r\nhello5\r\n",
            b"5\r\nhello\n0\r\n\r\n",
            b"11111111111111111\r\n",
            b"0\r\nA b: c\r\n\r\n",
            b"0\r\n a: b\r\n\r\n",
            b"0\r\nno colon\r\n\r\n",
            b"0\r\nA: b\n\r\n",
            b"0\r\nA: \x0c\r\n\r\n",
        ];
        for bytes in table {
            for step in 1..=bytes.len() {
                assert!(
                    decode(bytes, step).is_err(),
                    "{:?} by {step}",
                    bytes.escape_ascii().to_string()
                );
            }
        }
    }

    #[test]
    fn what_goes_around_the_data_is_bounded() {
        let long_line = [&b"1;"[..], &[b'a'; SIZE_LINE_BYTES_MAX]].concat();
        assert_eq!(decode(&long_line, long_line.len()), Err(Refusal::Chunk));
        let extended = [b"1;", &[b'a'; 4000][..], b"\r\nx\r\n"].concat().repeat(5);
        assert_eq!(decode(&extended, extended.len()), Err(Refusal::Chunk));
        let padded = b"00000001\r\nx\r\n".repeat(100_000);
        assert_eq!(decode(&padded, 65_536), Err(Refusal::Chunk));
        let trailers = [b"0\r\n".to_vec(), b"a: b\r\n".repeat(33)].concat();
        assert_eq!(decode(&trailers, trailers.len()), Err(Refusal::Trailers));
        let one_byte_chunks = b"1\r\nx\r\n".repeat(100_000);
        assert_eq!(decode(&one_byte_chunks, 65_536).unwrap().0.len(), 100_000);
    }

    #[test]
    fn encoding_and_decoding_cancel_out() {
        for length in [1, 15, 16, 17, 255, 256, 4095, 65_536, 70_000] {
            let data = vec![b'x'; length];
            let mut coded = Vec::new();
            write_chunk(&mut coded, &data);
            write_last_chunk(&mut coded);
            assert_eq!(decode(&coded, 1000).unwrap(), (data, Some(0)));
        }
    }
}
