//! Request line and fields.
//!
//! The end of the head is found first, line by line and never from the start again; only then does httparse read
//! the whole head, once. httparse takes bare LF, empty lines and a loose target, so what smuggling lives on is
//! looked at here, strictly, before and after it.

use std::mem::MaybeUninit;

use httparse::{Error, Header};

use super::refusal::Refusal;
use super::turn::Limits;
use crate::message::{Method, Request, Span, Version, is_authority};

// The longest registered method has 17 bytes (UPDATEREDIRECTREF).
const METHOD_BYTES_MAX: usize = 32;

// RFC 9112 §2.2 wants at least one to be skipped: old clients send a stray one after a body.
const EMPTY_LINES_MAX: usize = 4;

/// How far the search for the end of a head has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HeadScan {
    empty_lines: usize,
    /// Where the request line begins, once the empty lines before it are behind us.
    start: usize,
    /// Where the line begins that is not complete yet.
    line: usize,
    /// Up to where that line has been searched for its end.
    seen: usize,
}

impl HeadScan {
    /// Looks on for the blank line in `bytes`, which begin as they did last time.
    ///
    /// Returns where the head lies, blank line included, once it is complete.
    pub(super) fn find(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Option<std::ops::Range<usize>>, Refusal> {
        while let Some(at) = memchr::memchr(b'\n', &bytes[self.seen..]) {
            let end = self.seen + at;
            self.check(bytes, end + 1, limits)?;
            let Some(line) = bytes[self.line..end].strip_suffix(b"\r") else {
                return Err(Refusal::BareLineEnd);
            };
            let is_first = self.line == self.start;
            let with_end = &bytes[self.line..=end];
            (self.line, self.seen) = (end + 1, end + 1);
            if !line.is_empty() {
                if is_first {
                    // At once: a client of HTTP/0.9 sends no more than this line, and waits.
                    version(line).map_err(|refusal| blame(with_end, refusal))?;
                }
                continue;
            }
            if !is_first {
                return Ok(Some(self.start..end + 1));
            }
            self.start = end + 1;
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES_MAX {
                return Err(Refusal::EmptyLines);
            }
        }
        self.seen = bytes.len();
        self.check(bytes, bytes.len(), limits)?;
        Ok(None)
    }

    /// Where the request line begins, as far as is known.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Holds what lies before `end` to the limits, so that the same byte breaks them however the input was cut.
    fn check(&self, bytes: &[u8], end: usize, limits: &Limits) -> Result<(), Refusal> {
        // A TLS record of type "handshake": a client that speaks another protocol should not wait for a timeout.
        if bytes.get(self.start) == Some(&0x16) {
            return Err(Refusal::Tls);
        }
        // Two more bytes for the CRLF.
        if self.line == self.start && end - self.start > limits.request_line_bytes_max + 2 {
            let has_method = bytes[self.start..]
                .iter()
                .take(METHOD_BYTES_MAX + 1)
                .any(|&byte| byte == b' ');
            return Err(if has_method {
                Refusal::TargetTooLong
            } else {
                Refusal::MethodTooLong
            });
        }
        if end - self.start > limits.head_bytes_max {
            return Err(Refusal::HeadTooLarge);
        }
        Ok(())
    }
}

/// Reads a complete head (as [`HeadScan::find`] found it) into `request`; its body becomes empty.
pub(super) fn parse(head: &[u8], request: &mut Request) -> Result<(), Refusal> {
    read(head, request).map_err(|refusal| blame(head, refusal))
}

/// `refusal`, unless a CR that stands alone in `bytes` explains it better.
fn blame(bytes: &[u8], refusal: Refusal) -> Refusal {
    let stands_alone = |at: usize| bytes.get(at + 1).is_some_and(|&next| next != b'\n');
    match refusal {
        Refusal::RequestLine | Refusal::Field
            if memchr::memchr_iter(b'\r', bytes).any(stands_alone) =>
        {
            Refusal::BareLineEnd
        }
        _ => refusal,
    }
}

/// Reads what can be understood of a head that is refused: its request line into `request`, which has no fields then.
///
/// `Some` if it could not be understood: the line as received, without its end and at most
/// [`Limits::REQUEST_LINE_BYTES_KEPT_MAX`] long. HEAD is known by its name alone, since an answer to it never has a body.
pub(super) fn read_refused<'a>(head: &'a [u8], request: &mut Request) -> Option<&'a [u8]> {
    let end = memchr::memchr2(b'\r', b'\n', head).unwrap_or(head.len());
    let line = &head[..end];
    request.clear();
    if read_request_line(line, request).is_some() {
        return None;
    }
    request.clear();
    if line.starts_with(b"HEAD ") {
        request.method = Method::HEAD;
    }
    Some(&line[..line.len().min(Limits::REQUEST_LINE_BYTES_KEPT_MAX)])
}

fn read_request_line(line: &[u8], request: &mut Request) -> Option<()> {
    let (version, minor_at) = version(line).ok()?;
    let method_end = memchr::memchr(b' ', line)?;
    let target = line.get(method_end + 1..minor_at - " HTTP/1.".len())?;
    let method = method(std::str::from_utf8(&line[..method_end]).ok()?).ok()?;
    let target = std::str::from_utf8(target).ok()?;
    request.target.assign(target, &method).ok()?;
    (request.method, request.version) = (method, version);
    Some(())
}

fn read(head: &[u8], request: &mut Request) -> Result<(), Refusal> {
    let line_end = memchr::memchr(b'\r', head).unwrap_or(head.len());
    let (version, minor_at) = version(&head[..line_end])?;
    let as_http11;
    // httparse knows the minor versions 0 and 1; RFC 9110 §2.5 has us read a later one as 1.
    let readable = match head[minor_at] {
        b'0' | b'1' => head,
        _ => {
            as_http11 = [&head[..minor_at], b"1", &head[minor_at + 1..]].concat();
            &as_http11[..]
        }
    };
    // Not filled before it is written: that would cost as much as reading a short head.
    let mut fields = [const { MaybeUninit::uninit() }; Limits::FIELDS_MAX];
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(readable, &mut fields) {
        Ok(httparse::Status::Complete(length)) if length == readable.len() => {}
        Ok(_) => return Err(Refusal::Field),
        Err(Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(Error::HeaderName | Error::HeaderValue | Error::NewLine) => return Err(Refusal::Field),
        Err(Error::Token | Error::Status | Error::Version) => return Err(Refusal::RequestLine),
    }
    request.version = version;
    request.method = method(
        parsed
            .method
            .expect("httparse completed, so the method is there"),
    )?;
    let target = parsed
        .path
        .expect("httparse completed, so the target is there");
    request
        .target
        .assign(target, &request.method)
        .map_err(Refusal::Target)?;
    // The lines begin behind the request line and end before the blank line.
    let lines = &readable[line_end + 2..readable.len() - 2];
    request
        .headers
        .refill(lines, parsed.headers.iter().map(|field| span(field, lines)));
    request.body.clear();
    Ok(())
}

/// The version at the end of a request line, and where its minor digit stands.
fn version(line: &[u8]) -> Result<(Version, usize), Refusal> {
    match line {
        [.., b' ', b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            match (major, minor) {
                (b'1', b'0') => Ok((Version::Http10, line.len() - 1)),
                (b'1', _) => Ok((Version::Http11, line.len() - 1)),
                _ => Err(Refusal::Version),
            }
        }
        _ => Err(Refusal::RequestLine),
    }
}

fn method(name: &str) -> Result<Method, Refusal> {
    if name.len() > METHOD_BYTES_MAX {
        return Err(Refusal::MethodTooLong);
    }
    Ok(match name {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "DELETE" => Method::DELETE,
        "OPTIONS" => Method::OPTIONS,
        "PATCH" => Method::PATCH,
        "TRACE" => Method::TRACE,
        "CONNECT" => Method::CONNECT,
        // Whether it is known is asked later: a request that must be answered 400 is not answered 501.
        _ => Method::from_bytes(name.as_bytes()).map_err(|_| Refusal::RequestLine)?,
    })
}

/// Where httparse found `field`, counted from the start of `lines`.
fn span(field: &Header<'_>, lines: &[u8]) -> Span {
    let offset = |part: *const u8| part.addr() - lines.as_ptr().addr();
    let name_start = offset(field.name.as_ptr());
    // An empty value may point anywhere; it lies behind the colon.
    let value_start = if field.value.is_empty() {
        name_start + field.name.len() + 1
    } else {
        offset(field.value.as_ptr())
    };
    Span {
        name_start: name_start as u32,
        name_end: (name_start + field.name.len()) as u32,
        value_start: value_start as u32,
        value_end: (value_start + field.value.len()) as u32,
    }
}

/// RFC 9112 §3.2: exactly one valid `Host` in HTTP/1.1, at most one in HTTP/1.0.
pub(super) fn check_host(request: &Request) -> Result<(), Refusal> {
    let mut hosts = request.headers.all("Host");
    let host = match hosts.next() {
        None if request.version == Version::Http10 => return Ok(()),
        None => return Err(Refusal::HostMissing),
        Some(host) => host,
    };
    if hosts.next().is_some() {
        return Err(Refusal::HostTwice);
    }
    match is_authority(host) {
        true => Ok(()),
        false => Err(Refusal::HostMalformed),
    }
}

/// RFC 9110 §9.1: those of RFC 9110 and PATCH, in these letters.
pub(super) fn check_method(request: &Request) -> Result<(), Refusal> {
    match request.method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE => Ok(()),
        Method::OPTIONS | Method::PATCH | Method::TRACE | Method::CONNECT => Ok(()),
        _ => Err(Refusal::UnknownMethod),
    }
}

/// RFC 9110 §10.1.1; HTTP/1.0 knows no expectations.
pub(super) fn check_expectation(request: &Request) -> Result<(), Refusal> {
    let is_known = |element: &[u8]| element.eq_ignore_ascii_case(b"100-continue");
    if request.version == Version::Http10 || request.headers.elements("Expect").all(is_known) {
        Ok(())
    } else {
        Err(Refusal::Expectation)
    }
}
