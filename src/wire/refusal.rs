//! What can be wrong with a request, and the status for it.
//!
//! A refusal ends the connection: after a request that is not understood, the start of the next one is unknown. The
//! sentences are for people; they never repeat a byte of what the client sent.

use crate::message::{Request, Response, StatusCode, TargetError};

/// A request that no handler will see.
///
/// ```
/// use sockeye::wire::Refusal;
/// use sockeye::{Request, StatusCode};
///
/// let response = Refusal::HostMissing.response(&Request::get("/"));
/// assert_eq!(response.status(), StatusCode::BAD_REQUEST);
/// assert_eq!(response.into_text()?, "400 Bad Request: HTTP/1.1 requires a Host field\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A line that ends in a bare LF, or a CR that stands alone.
    BareLineEnd,
    /// More than a few empty lines where a request line should be.
    EmptyLines,
    /// The first byte of a TLS handshake.
    Tls,
    /// The request line is not `method SP target SP version`.
    RequestLine,
    /// The method is too long to be one.
    MethodTooLong,
    /// A method that this server does not know.
    UnknownMethod,
    /// The target is malformed, or not allowed for this method.
    Target(TargetError),
    /// The target, or the whole request line, is too long.
    TargetTooLong,
    /// A major version other than 1.
    Version,
    /// A field line that is malformed: a bad name, a blank before the colon, a folded line, a control character.
    Field,
    /// The head is too long or has too many fields.
    HeadTooLarge,
    /// HTTP/1.1 without `Host`.
    HostMissing,
    /// More than one `Host`, even if they are equal.
    HostTwice,
    /// A `Host` that is not a host and port.
    HostMalformed,
    /// More than one `Content-Length`, even if they are equal.
    LengthTwice,
    /// A `Content-Length` that is not just digits, or is beyond all sense.
    LengthMalformed,
    /// Both `Transfer-Encoding` and `Content-Length`.
    LengthAndCoding,
    /// `Transfer-Encoding` in HTTP/1.0, which does not have it.
    CodingInHttp10,
    /// A `Transfer-Encoding` whose meaning is not certain.
    CodingMalformed,
    /// A transfer coding other than `chunked`.
    UnknownCoding,
    /// A chunk's size line or end that is none, or too many bytes around the data.
    Chunk,
    /// A trailer section that is malformed or too long.
    Trailers,
    /// The body is larger than this server collects.
    BodyTooLarge,
    /// An `Expect` other than `100-continue`.
    Expectation,
    /// The rest of the head or body did not come in time.
    Timeout,
    /// There are as many connections as there may be.
    NoRoom,
}

impl Refusal {
    /// Its status.
    ///
    /// ```
    /// use sockeye::wire::Refusal;
    ///
    /// assert_eq!(Refusal::LengthAndCoding.status().as_u16(), 400);
    /// assert_eq!(Refusal::Timeout.status().as_u16(), 408);
    /// assert_eq!(Refusal::UnknownCoding.status().as_u16(), 501);
    /// ```
    pub fn status(self) -> StatusCode {
        match self {
            Refusal::UnknownMethod | Refusal::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Refusal::TargetTooLong => StatusCode::URI_TOO_LONG,
            Refusal::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Refusal::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Refusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Expectation => StatusCode::EXPECTATION_FAILED,
            Refusal::Timeout => StatusCode::REQUEST_TIMEOUT,
            Refusal::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// What is wrong, as one sentence without a full stop.
    ///
    /// ```
    /// use sockeye::wire::Refusal;
    ///
    /// assert_eq!(Refusal::BareLineEnd.sentence(), "lines must end in CRLF; with nc use -C");
    /// ```
    pub fn sentence(self) -> &'static str {
        match self {
            Refusal::BareLineEnd => "lines must end in CRLF; with nc use -C",
            Refusal::EmptyLines => "a request must begin with a request line, not with empty lines",
            Refusal::Tls => "this port speaks plain HTTP, not TLS; use http:// instead of https://",
            Refusal::RequestLine => {
                "a request line is a method, a target and a version with one space between them"
            }
            Refusal::MethodTooLong => "no method is that long",
            Refusal::UnknownMethod => "this method is not known here; methods are case-sensitive",
            Refusal::Target(TargetError::ForbiddenByte) => {
                "the request target holds a character that must be percent-encoded"
            }
            Refusal::Target(TargetError::WrongForm) => {
                "the request target must be a path that begins with a slash, or an http URL"
            }
            Refusal::Target(TargetError::BadAuthority) => {
                "the host in the request target is malformed"
            }
            Refusal::TargetTooLong => "the request line is too long",
            Refusal::Version => "only HTTP/1.0 and HTTP/1.1 are spoken here",
            Refusal::Field => {
                "a header field is a name, a colon and a value, on one line and without control characters"
            }
            Refusal::HeadTooLarge => "the request head is too large",
            Refusal::HostMissing => "HTTP/1.1 requires a Host field",
            Refusal::HostTwice => "there must be exactly one Host field",
            Refusal::HostMalformed => {
                "the Host field must be a host name or address with an optional port"
            }
            Refusal::LengthTwice => "there must be at most one Content-Length field",
            Refusal::LengthMalformed => {
                "Content-Length must be a number of bytes in decimal digits"
            }
            Refusal::LengthAndCoding => "Content-Length and Transfer-Encoding exclude each other",
            Refusal::CodingInHttp10 => "HTTP/1.0 has no Transfer-Encoding",
            Refusal::CodingMalformed => "Transfer-Encoding must be exactly chunked, once",
            Refusal::UnknownCoding => "no transfer coding but chunked is known here",
            Refusal::Chunk => "the chunked body is malformed",
            Refusal::Trailers => "the trailer section is malformed or too long",
            Refusal::BodyTooLarge => "the request body is larger than this server accepts",
            Refusal::Expectation => "the only expectation known here is 100-continue",
            Refusal::Timeout => "the rest of the request did not come in time",
            Refusal::NoRoom => {
                "this server has as many clients as it can take; try again in a moment"
            }
        }
    }

    /// The whole answer to `request`, as far as that is known.
    pub fn response(self, request: &Request) -> Response {
        let response = Response::problem(self.status(), self.sentence(), request);
        match self {
            Refusal::NoRoom => response.with_header("Retry-After", "1"),
            _ => response,
        }
    }
}
