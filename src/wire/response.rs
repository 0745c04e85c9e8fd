//! A response's head as bytes, and how its body will be framed.
//!
//! The fields that follow from the body and the connection are written here and nowhere else: `Date`, `Content-Length`,
//! `Transfer-Encoding`, `Connection`. HEAD, 204, 205 and 304 are decided here once: they have no body, whatever
//! the handler gave.

use crate::message::{Headers, Method, Response, StatusCode, Version};
use crate::text::decimal;

/// How the body of a response travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// There is none.
    None,
    /// With `Content-Length`.
    Length(u64),
    /// In chunks.
    Chunked,
    /// Until the connection closes: what is left to HTTP/1.0 when the length is not known.
    UntilClose,
}

/// What a response head depends on besides the response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// The method of the request that is answered.
    pub(super) method: &'a Method,
    /// The version of the request that is answered.
    pub(super) version: Version,
    /// Whether the connection is to serve another request.
    pub(super) persists: bool,
    /// An HTTP-date, the value of `Date`.
    pub(super) date: &'a str,
}

/// Decides how `body` travels, by RFC 9112 §6.3 seen from the server.
pub(super) fn body_framing(
    status: StatusCode,
    length: Option<u64>,
    context: &Context<'_>,
) -> BodyFraming {
    match length {
        _ if !may_have_body(status, context.method) => BodyFraming::None,
        Some(length) => BodyFraming::Length(length),
        None if context.version >= Version::Http11 => BodyFraming::Chunked,
        None => BodyFraming::UntilClose,
    }
}

/// Whether a response with this status to this method may have a body.
pub(super) fn may_have_body(status: StatusCode, method: &Method) -> bool {
    !is_bodiless(status) && status != StatusCode::RESET_CONTENT && *method != Method::HEAD
}

/// Whether a response with this status never has a body (RFC 9110 §15.2, §15.3.5, §15.4.5).
fn is_bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) || status.is_informational()
}

/// Appends the status line and all fields of `response` to `out`, with the blank line.
///
/// `length` is that of its body, where it is known; a response to HEAD has it too.
pub(super) fn write_head(
    out: &mut Vec<u8>,
    response: &Response,
    length: Option<u64>,
    context: &Context<'_>,
) {
    let status = response.status();
    let framing = body_framing(status, length, context);
    write_status(out, status);
    out.extend_from_slice(b"Date: ");
    out.extend_from_slice(context.date.as_bytes());
    match response.headers().contains("Server") {
        false => out.extend_from_slice(b"\r\nServer: sockeye\r\n"),
        true => out.extend_from_slice(b"\r\n"),
    }
    match framing {
        BodyFraming::Length(length) => write_length(out, length),
        BodyFraming::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        // RFC 9110 §15.3.6: it says that it has none.
        BodyFraming::None if status == StatusCode::RESET_CONTENT => write_length(out, 0),
        // RFC 9110 §8.6: a response to HEAD may have the length; 204 must not and 304 need not be.
        BodyFraming::None if !is_bodiless(status) => length
            .into_iter()
            .for_each(|length| write_length(out, length)),
        BodyFraming::None | BodyFraming::UntilClose => {}
    }
    match (
        context.persists && framing != BodyFraming::UntilClose,
        context.version,
    ) {
        (false, _) => out.extend_from_slice(b"Connection: close\r\n"),
        (true, Version::Http10) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        (true, Version::Http11) => {}
    }
    write_fields(out, response.headers());
    out.extend_from_slice(b"\r\n");
}

fn write_status(out: &mut Vec<u8>, status: StatusCode) {
    // Nearly every answer is one of these two.
    match status {
        StatusCode::OK => out.extend_from_slice(b"HTTP/1.1 200 OK\r\n"),
        StatusCode::NOT_MODIFIED => out.extend_from_slice(b"HTTP/1.1 304 Not Modified\r\n"),
        _ => {
            out.extend_from_slice(b"HTTP/1.1 ");
            out.extend_from_slice(status.as_str().as_bytes());
            out.push(b' ');
            out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn write_length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"Content-Length: ");
    out.extend_from_slice(decimal(length).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The handler's fields, without those that the server writes.
fn write_fields(out: &mut Vec<u8>, headers: &Headers) {
    const OURS: [&str; 4] = ["Connection", "Content-Length", "Date", "Transfer-Encoding"];
    // Written out, each is a bit to look at, not a name.
    let [connection, length, date, coding] = OURS;
    if !(headers.contains(connection)
        || headers.contains(length)
        || headers.contains(date)
        || headers.contains(coding))
    {
        out.extend_from_slice(headers.as_lines());
        return;
    }
    for (name, value) in headers.iter() {
        if !OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }
}
