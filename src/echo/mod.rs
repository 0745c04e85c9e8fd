//! `/echo`: sends the request back; the smallest real handler.
//!
//! The response is the client's own content, so it must not be run, stored or sniffed: `no-store`, `nosniff`, and a
//! sandbox that lets no script in it act for this site.

mod shape;
mod show;

use crate::handler::Handler;
use crate::message::{Body, Method, Request, Response, StatusCode, prefers_json};

use shape::Shape;

const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// GET and HEAD get the request as the server saw it, as JSON by `Accept: application/json`; POST, PUT, PATCH and DELETE
/// get their body back while they send it, of whatever size.
///
/// With `?raw`, each gets its whole request as it travelled: the blanks around values, and the body with the framing of
/// its chunks and its trailers, while it comes. (A later minor version than 1.1 is shown as 1.1, as which it was read.)
/// Fields whose name says that they are secret (`Authorization`, `Cookie`, `X-Api-Key`, `X-Auth-Token`, …) are masked in
/// all of them; the request line, with its query, and a body are shown as they came. The query shapes the answer: `status=418` (200 to
/// 599), `delay=2s` (up to 60 s, for which no thread waits), `header=X-A:b` (up to eight; none by which a link could act
/// on this site, or on how the answer travels). What is malformed there is 400.
///
/// ```
/// use sockeye::{Echo, Handler, Request};
///
/// let shown = Echo.handle(&Request::get("/echo").with_header("X-Fish", "sockeye"));
/// assert!(shown.into_text()?.contains("X-Fish: sockeye"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

impl Handler for Echo {
    fn handle(&self, request: &Request) -> Response {
        match *request.method() {
            Method::OPTIONS => {
                unlike_ours(Response::new(StatusCode::NO_CONTENT)).with_header("Allow", ALLOW)
            }
            Method::TRACE | Method::CONNECT => {
                let sentence = "this method is not served here";
                let refusal = Response::problem(StatusCode::METHOD_NOT_ALLOWED, sentence, request);
                refusal.with_header("Allow", ALLOW)
            }
            Method::GET | Method::HEAD => shaped(request, show),
            _ if request.query("raw").is_some() => shaped(request, show),
            _ => shaped(request, give_back),
        }
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        Some(self.handle(head))
    }

    fn complete(&self, _: &Request, response: Response) -> Response {
        response
    }
}

/// The answer in the shape that is asked for, or what is wrong with that.
fn shaped(request: &Request, answer: impl Fn(&Request) -> Response) -> Response {
    match Shape::of(request) {
        Ok(shape) => shape.give(answer(request)),
        Err(sentence) => Response::problem(StatusCode::BAD_REQUEST, sentence, request),
    }
}

/// The request itself, in the form that the client prefers.
fn show(request: &Request) -> Response {
    let is_raw = request.query("raw").is_some();
    let has_body = request.has_body() && *request.method() != Method::HEAD;
    unlike_ours(match prefers_json(request.headers()) {
        _ if is_raw && has_body => {
            Response::text("").with_body(Body::IncomingRaw(show::text(request, true).into()))
        }
        true => Response::new(StatusCode::OK)
            .with_header("Content-Type", "application/json")
            .with_body(show::json(request)),
        false => Response::text(show::text(request, is_raw)),
    })
}

/// The body as it comes, of the media type that the client gives it.
fn give_back(request: &Request) -> Response {
    let mut response = unlike_ours(Response::new(StatusCode::OK)).with_body(Body::Incoming);
    let media_type = request.headers().all("Content-Type").next();
    let media_type = media_type.unwrap_or(b"application/octet-stream");
    response
        .headers_mut()
        .append("Content-Type", media_type)
        .expect("what came as a field's value can go as one");
    response
}

fn unlike_ours(response: Response) -> Response {
    response
        .with_header("Cache-Control", "no-store")
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Content-Security-Policy", "sandbox")
}
