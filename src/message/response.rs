//! A response, and constructors for the common ones.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use super::{Body, BodySource, Headers, Stream};

/// What a handler answers: status, fields, body.
///
/// `Date`, `Content-Length`, `Transfer-Encoding` and `Connection` are not set here: they follow from the body and
/// the connection, and the wire writes them.
///
/// ```
/// use sockeye::{Response, StatusCode};
///
/// let response = Response::html("<h1>Gone fishing</h1>")
///     .with_status(StatusCode::SERVICE_UNAVAILABLE)
///     .with_header("Retry-After", "3600");
/// assert_eq!(response.headers().get("Content-Type"), Some("text/html; charset=utf-8"));
/// assert_eq!(response.into_text()?, "<h1>Gone fishing</h1>");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Response {
    status: StatusCode,
    headers: Headers,
    body: Body,
    delay: Duration,
    explanation: Option<Cow<'static, str>>,
}

impl Response {
    /// A response without fields and body.
    ///
    /// ```
    /// use sockeye::{Response, StatusCode};
    ///
    /// let gone = Response::new(StatusCode::GONE).with_header("Cache-Control", "max-age=3600");
    /// assert_eq!((gone.status().as_u16(), gone.body().length()), (410, Some(0)));
    /// ```
    pub fn new(status: StatusCode) -> Response {
        Response {
            status,
            headers: Headers::new(),
            body: Body::Empty,
            delay: Duration::ZERO,
            explanation: None,
        }
    }

    /// 200 with plain text.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let response = Response::text("hello\n");
    /// assert_eq!(response.headers().get("Content-Type"), Some("text/plain; charset=utf-8"));
    /// assert_eq!(response.into_text()?, "hello\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
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

    /// 303: what was asked for is found with GET at `location`, a path or a whole URL. After a form that was sent, the
    /// page that a reload may show again. For others, [`Response::with_status`]: 307 keeps the method, 308 is for ever.
    ///
    /// Bytes that may not stand in a URL are percent-encoded; what is encoded already stays so. A location that a
    /// client has chosen may lead anywhere: check it first.
    ///
    /// ```
    /// use sockeye::{Response, StatusCode};
    ///
    /// let response = Response::redirect("/users/Zo\u{eb}").with_status(StatusCode::PERMANENT_REDIRECT);
    /// assert_eq!(response.headers().get("Location"), Some("/users/Zo%C3%AB"));
    /// ```
    pub fn redirect(location: &str) -> Response {
        let mut encoded = String::with_capacity(location.len());
        for byte in location.bytes() {
            match byte {
                b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                    write!(encoded, "%{byte:02X}").expect("a string takes everything");
                }
                b'!'..=b'~' => encoded.push(char::from(byte)),
                _ => write!(encoded, "%{byte:02X}").expect("a string takes everything"),
            }
        }
        Response::new(StatusCode::SEE_OTHER).with_header("Location", encoded)
    }

    /// 200 with whatever `reader` yields, read and sent piece by piece, in chunks: of any length, and never in memory
    /// as a whole. Every `Read` is a source and may block; one that waits for long is better a [`BodySource`] that can
    /// be woken. If it fails, the connection is closed, so that the client can tell.
    ///
    /// Where the length is known, use [`Stream`].
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// use sockeye::Response;
    ///
    /// let numbers = std::io::Cursor::new("1,2,3\n").chain(std::io::repeat(b'.').take(3));
    /// let response = Response::stream(numbers).with_header("Content-Type", "text/csv");
    /// assert_eq!(response.into_text()?, "1,2,3\n...");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stream(reader: impl BodySource + 'static) -> Response {
        Response::new(StatusCode::OK).with_body(Stream {
            reader: Box::new(reader),
            length: None,
        })
    }

    /// The same response with this status.
    pub fn with_status(mut self, status: StatusCode) -> Response {
        self.status = status;
        self
    }

    /// The same response with one more field.
    ///
    /// # Panics
    ///
    /// If it is no valid field. What comes from a client and may hold anything goes through
    /// [`Headers::append`], which says so instead.
    ///
    /// ```
    /// use sockeye::{Response, StatusCode};
    ///
    /// let response = Response::new(StatusCode::NO_CONTENT)
    ///     .with_header("Set-Cookie", "id=7; HttpOnly")
    ///     .with_header("Set-Cookie", "theme=dark");
    /// assert_eq!(response.headers().all("Set-Cookie").count(), 2);
    /// ```
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Response {
        if let Err(error) = self.headers.append(name, value) {
            panic!("{name:?}: {error}");
        }
        self
    }

    /// The same response with these fields instead of its own.
    ///
    /// ```
    /// use sockeye::{Headers, Response};
    ///
    /// let response = Response::html("<svg/>").with_headers(Headers::new()).with_header("Content-Type", "image/svg+xml");
    /// assert_eq!(response.headers().len(), 1);
    /// ```
    pub fn with_headers(mut self, headers: Headers) -> Response {
        self.headers = headers;
        self
    }

    /// The same response with this body.
    ///
    /// ```
    /// use sockeye::{Response, StatusCode};
    ///
    /// let picture = Response::new(StatusCode::OK)
    ///     .with_header("Content-Type", "image/gif")
    ///     .with_body(&b"GIF89a"[..]);
    /// assert_eq!(picture.body().length(), Some(6));
    /// ```
    pub fn with_body(mut self, body: impl Into<Body>) -> Response {
        self.body = body.into();
        self
    }

    /// The same response, of which nothing is sent before `delay` has passed, some milliseconds more perhaps. No thread
    /// waits for it. A server that stops sends it at once.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use sockeye::Response;
    ///
    /// let slow = Response::text("at last\n").with_delay(Duration::from_secs(2));
    /// assert_eq!(slow.delay().as_secs(), 2);
    /// ```
    pub fn with_delay(mut self, delay: Duration) -> Response {
        self.delay = delay;
        self
    }

    /// How long it is held back.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// assert!(Response::text("at once\n").delay().is_zero());
    /// ```
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// The same response, which is what it is for this reason: a sentence for whoever looks on at the server, never sent.
    /// The command prints it with `--explain`.
    ///
    /// ```
    /// use sockeye::{Response, StatusCode};
    ///
    /// let response = Response::new(StatusCode::CONFLICT).with_explanation("the note was edited meanwhile");
    /// assert_eq!(response.explanation(), Some("the note was edited meanwhile"));
    /// ```
    pub fn with_explanation(mut self, sentence: impl Into<Cow<'static, str>>) -> Response {
        self.explanation = Some(sentence.into());
        self
    }

    /// The same, with an explanation of ours or none: on the way of every file, which it must not slow down.
    #[inline]
    pub(crate) fn explained(mut self, sentence: Option<&'static str>) -> Response {
        self.explanation = sentence.map(Cow::Borrowed);
        self
    }

    /// Why it is what it is, where that was said.
    ///
    /// ```
    /// use sockeye::{Request, Response, StatusCode};
    ///
    /// let missing = Response::problem(StatusCode::NOT_FOUND, "there is no such note", &Request::get("/notes/7"));
    /// assert_eq!(missing.explanation(), Some("there is no such note"));
    /// assert_eq!(Response::text("a note").explanation(), None);
    /// ```
    pub fn explanation(&self) -> Option<&str> {
        self.explanation.as_deref()
    }

    /// Takes the explanation away.
    pub(crate) fn take_explanation(&mut self) -> Option<Cow<'static, str>> {
        self.explanation.take()
    }

    /// The status.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Router};
    ///
    /// assert!(Router::new().handle(&Request::get("/")).status().is_client_error());
    /// ```
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The header fields.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let response = Response::redirect("/login");
    /// assert_eq!(response.headers().get("location"), Some("/login"));
    /// ```
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The header fields, to be changed.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let mut response = Response::html("<p>");
    /// response.headers_mut().remove("Content-Type");
    /// assert!(response.headers().is_empty());
    /// ```
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// The body.
    ///
    /// ```
    /// use sockeye::{Body, Response};
    ///
    /// assert!(matches!(Response::text("hello").body(), Body::Bytes(bytes) if bytes == "hello"));
    /// ```
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// A response put together again from its parts.
    ///
    /// ```
    /// use sockeye::{Body, Response};
    ///
    /// let (status, headers, body) = Response::text("hello").into_parts();
    /// assert_eq!(body.length(), Some(5));
    /// let empty = Response::from_parts(status, headers, Body::Empty);
    /// assert_eq!(empty.headers().get("Content-Type"), Some("text/plain; charset=utf-8"));
    /// ```
    pub fn from_parts(status: StatusCode, headers: Headers, body: impl Into<Body>) -> Response {
        Response {
            status,
            headers,
            body: body.into(),
            delay: Duration::ZERO,
            explanation: None,
        }
    }

    /// Status, fields and body, taken apart.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let (status, headers, body) = Response::html("<p>").into_parts();
    /// assert_eq!((status.as_u16(), headers.len(), body.into_bytes()?), (200, 1, b"<p>".to_vec()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_parts(self) -> (StatusCode, Headers, Body) {
        (self.status, self.headers, self.body)
    }
}
