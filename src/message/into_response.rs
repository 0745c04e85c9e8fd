//! What a handler may return instead of a whole response.

use std::borrow::Cow;
use std::error::Error;
use std::io;

use bytes::Bytes;
use http::StatusCode;
use rustix::io::Errno;

use super::Response;

/// Something that becomes a response.
///
/// | value | response |
/// |---|---|
/// | `&'static str`, `String`, `Cow<'static, str>` | 200, `text/plain; charset=utf-8` |
/// | `Vec<u8>`, `Bytes` | 200, `application/octet-stream` |
/// | [`StatusCode`] | this status, no body |
/// | `(StatusCode, T)` | what `T` becomes, with this status |
/// | `Result<T, E>` | what `T` or `E` becomes |
/// | [`io::Error`] | 500; 507 if there is no space, 503 if there are no descriptors; the log has the error, the client does not |
/// | `Box<dyn Error>` | what an [`io::Error`] or a `JsonError` in it becomes; 500 and a line in the log for any other |
/// | [`Response`] | itself |
///
/// ```
/// use sockeye::{IntoResponse, Request, Response, Router, StatusCode};
///
/// /// What may go wrong here, and what the client reads of it.
/// enum Problem {
///     NoNumber,
///     Zero,
/// }
///
/// impl IntoResponse for Problem {
///     fn into_response(self) -> Response {
///         let sentence = match self {
///             Problem::NoNumber => "that is no number\n",
///             Problem::Zero => "nothing can be divided by zero\n",
///         };
///         (StatusCode::BAD_REQUEST, sentence).into_response()
///     }
/// }
///
/// fn divide(request: &Request) -> Result<String, Problem> {
///     let number = |name| request.param(name).parse::<i64>().map_err(|_| Problem::NoNumber);
///     let (a, b) = (number("a")?, number("b")?);
///     a.checked_div(b).map(|quotient| format!("{quotient}\n")).ok_or(Problem::Zero)
/// }
///
/// # use sockeye::Handler;
/// let router = Router::new().get("/divide/{a}/{b}", divide);
/// assert_eq!(router.handle(&Request::get("/divide/6/2")).into_text()?, "3\n");
/// assert_eq!(router.handle(&Request::get("/divide/6/0")).status(), StatusCode::BAD_REQUEST);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// With `Box<dyn Error>` every `?` works in a handler. What is the client's fault is said to be so before:
///
/// ```
/// use std::error::Error;
///
/// use sockeye::{Handler, Request, Router, StatusCode};
///
/// let router = Router::new().get("/lines/{file}", |request| -> Result<String, Box<dyn Error>> {
///     let text = std::fs::read_to_string(format!("/var/lib/fish/{}.txt", request.param("file")))?;
///     Ok(format!("{} lines\n", text.lines().count()))
/// });
/// assert_eq!(router.handle(&Request::get("/lines/no")).status(), StatusCode::INTERNAL_SERVER_ERROR);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not become a response",
    label = "returns `{Self}`",
    note = "what becomes a response: text, a `StatusCode`, `(StatusCode, text)`, a `Response`, a `Result` of two of these",
    note = "an error becomes one by `map_err`, such as `.map_err(|_| (StatusCode::BAD_REQUEST, \"a number, please\\n\"))?`, or as `Box<dyn Error>`"
)]
pub trait IntoResponse {
    /// The response.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for Cow<'static, str> {
    fn into_response(self) -> Response {
        match self {
            Cow::Borrowed(text) => text.into_response(),
            Cow::Owned(text) => text.into_response(),
        }
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Response {
        Response::new(StatusCode::OK)
            .with_header("Content-Type", "application/octet-stream")
            .with_body(self)
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        Bytes::from(self).into_response()
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        Response::new(self)
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        self.1.into_response().with_status(self.0)
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

impl IntoResponse for io::Error {
    fn into_response(self) -> Response {
        tracing::error!(target: "sockeye", "a request cannot be answered: {self}");
        // No descriptors are left, in this process or in the system.
        let numbers = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
        match numbers.contains(&self.raw_os_error()) {
            true => Response::text("the server is out of resources; try again in a moment\n")
                .with_status(StatusCode::SERVICE_UNAVAILABLE)
                .with_header("Retry-After", "1"),
            false => Response::failure(self.kind()),
        }
    }
}

impl IntoResponse for Box<dyn Error + Send + Sync> {
    fn into_response(self) -> Response {
        let error: Box<dyn Error> = self;
        error.into_response()
    }
}

impl IntoResponse for Box<dyn Error> {
    fn into_response(self) -> Response {
        #[cfg(feature = "json")]
        let this = match self.downcast::<super::JsonError>() {
            Ok(error) => return error.into_response(),
            Err(this) => this,
        };
        #[cfg(not(feature = "json"))]
        let this = self;
        match this.downcast::<io::Error>() {
            Ok(error) => error.into_response(),
            Err(error) => io::Error::other(error.to_string()).into_response(),
        }
    }
}

impl Response {
    /// What the client is told of an error here.
    pub(crate) fn failure(kind: io::ErrorKind) -> Response {
        let (status, sentence) = match kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
                StatusCode::INSUFFICIENT_STORAGE,
                "there is no space left here\n",
            ),
            _ => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "something went wrong here; it is not the request's fault\n",
            ),
        };
        Response::text(sentence).with_status(status)
    }
}
