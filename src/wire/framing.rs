//! How long is this body?
//!
//! Every request-smuggling bug is two programs answering that question differently. So it is answered here only,
//! in the order of RFC 9112 §6.3, and when in doubt we refuse. Nothing else in the crate reads a
//! length from `Content-Length` or `Transfer-Encoding` of a request.

use super::refusal::Refusal;
use crate::message::{Request, Version, is_token, list_elements};

/// Where the body of a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes; most often none.
    Length(u64),
    /// After the last chunk and the trailers.
    Chunked,
}

/// Decides by the head alone (RFC 9112 §6.3; its numbers in the comments).
pub(super) fn framing(request: &Request) -> Result<Framing, Refusal> {
    // (1) and (2) are about responses. (3) and (4):
    let mut codings = request.headers.all("Transfer-Encoding");
    if let Some(coding) = codings.next() {
        if request.version == Version::Http10 {
            return Err(Refusal::CodingInHttp10);
        }
        if request.headers.contains("Content-Length") {
            return Err(Refusal::LengthAndCoding);
        }
        if codings.next().is_some() {
            return Err(Refusal::CodingMalformed);
        }
        return transfer_coding(coding);
    }
    // (5) and (6):
    let mut lengths = request.headers.all("Content-Length");
    match (lengths.next(), lengths.next()) {
        // (7)
        (None, _) => Ok(Framing::Length(0)),
        (Some(length), None) => content_length(length).map(Framing::Length),
        (Some(_), Some(_)) => Err(Refusal::LengthTwice),
    }
}

/// `chunked` and nothing else; a well-formed list that names another coding before it, or instead, is merely unknown.
fn transfer_coding(value: &[u8]) -> Result<Framing, Refusal> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(Framing::Chunked);
    }
    let codings: Vec<&[u8]> = list_elements(value).collect();
    let is_clear = !codings.is_empty() && codings.iter().all(|coding| is_token(coding));
    let chunked_at = codings
        .iter()
        .position(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    match chunked_at {
        // Twice, not last, or alone but with commas or blanks around it.
        Some(at) if at + 1 < codings.len() || codings.len() == 1 => Err(Refusal::CodingMalformed),
        _ if is_clear => Err(Refusal::UnknownCoding),
        _ => Err(Refusal::CodingMalformed),
    }
}

/// Digits only: `u64::from_str` would take a plus sign. 19 of them cannot overflow.
fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || value.len() > 19 {
        return Err(Refusal::LengthMalformed);
    }
    value.iter().try_fold(0, |length: u64, &byte| match byte {
        b'0'..=b'9' => Ok(length * 10 + u64::from(byte - b'0')),
        _ => Err(Refusal::LengthMalformed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing_of(fields: &[(&str, &str)]) -> Result<Framing, Refusal> {
        let request = Request::get("/");
        framing(&fields.iter().fold(request, |request, (name, value)| {
            request.with_header(name, value)
        }))
    }

    #[test]
    fn lengths_are_digits_and_stand_alone() {
        assert_eq!(framing_of(&[]), Ok(Framing::Length(0)));
        assert_eq!(
            framing_of(&[("Content-Length", "005")]),
            Ok(Framing::Length(5))
        );
        for bad in [
            "",
            "+5",
            "-1",
            "0x5",
            "5,5",
            "5 5",
            "5;",
            "٣",
            "99999999999999999999",
        ] {
            assert_eq!(
                framing_of(&[("Content-Length", bad)]),
                Err(Refusal::LengthMalformed),
                "{bad:?}"
            );
        }
        let twice = [("Content-Length", "5"), ("content-length", "5")];
        assert_eq!(framing_of(&twice), Err(Refusal::LengthTwice));
    }

    #[test]
    fn a_transfer_coding_is_chunked_or_nothing() {
        let coding = |value| framing_of(&[("Transfer-Encoding", value)]);
        assert_eq!(coding("chunked"), Ok(Framing::Chunked));
        assert_eq!(coding("Chunked"), Ok(Framing::Chunked));
        for bad in [
            "",
            ",",
            "chunked,",
            "chunked, chunked",
            "chunked, gzip",
            "chunked;q=1",
            "\"chunked\"",
            "a b",
        ] {
            assert_eq!(coding(bad), Err(Refusal::CodingMalformed), "{bad:?}");
        }
        for unknown in ["gzip", "gzip, chunked", "identity", "xchunked"] {
            assert_eq!(coding(unknown), Err(Refusal::UnknownCoding), "{unknown:?}");
        }
        let both = [("Content-Length", "5"), ("Transfer-Encoding", "chunked")];
        assert_eq!(framing_of(&both), Err(Refusal::LengthAndCoding));
    }
}
