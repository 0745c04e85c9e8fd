//! A response, and short forms for those that are often said.

use bytes::Bytes;
use http::StatusCode;

use super::{Body, Headers};

/// What a handler answers: status, fields, body.
///
/// `Date`, `Content-Length`, `Transfer-Encoding` and `Connection` are not said here: they follow from the body and
/// the connection, and the wire writes them.
#[derive(Debug)]
pub struct Response {
    status: StatusCode,
    headers: Headers,
    body: Body,
}

impl Response {
    /// A response without fields and body.
    pub fn new(status: StatusCode) -> Response {
        Response {
            status,
            headers: Headers::new(),
            body: Body::Empty,
        }
    }

    /// 200 with plain text.
    pub fn text(text: impl Into<Bytes>) -> Response {
        Response::new(StatusCode::OK)
            .with_header("Content-Type", "text/plain; charset=utf-8")
            .with_body(text.into())
    }

    /// 200 with an HTML page.
    pub fn html(page: impl Into<Bytes>) -> Response {
        Response::new(StatusCode::OK)
            .with_header("Content-Type", "text/html; charset=utf-8")
            .with_body(page.into())
    }

    /// The same response with one more field.
    ///
    /// # Panics
    ///
    /// If it is no valid field. What comes from a client and may hold anything goes through
    /// [`Headers::append`], which says so instead.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Response {
        if let Err(error) = self.headers.append(name, value) {
            panic!("{name:?}: {error}");
        }
        self
    }

    /// The same response with these fields instead of its own.
    pub fn with_headers(mut self, headers: Headers) -> Response {
        self.headers = headers;
        self
    }

    /// The same response with this body.
    pub fn with_body(mut self, body: impl Into<Body>) -> Response {
        self.body = body.into();
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The header fields, to be changed.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// A response put together again from its parts.
    pub fn from_parts(status: StatusCode, headers: Headers, body: impl Into<Body>) -> Response {
        Response {
            status,
            headers,
            body: body.into(),
        }
    }

    /// Status, fields and body, taken apart.
    pub fn into_parts(self) -> (StatusCode, Headers, Body) {
        (self.status, self.headers, self.body)
    }
}
