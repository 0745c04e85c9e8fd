//! `/echo`: says back what it was told; the smallest real handler.
//!
//! What it says is the client's own, so it is never to be run, stored or guessed at: `no-store`, `nosniff`, and a
//! sandbox that lets no script in it act for this site.

mod shape;
mod show;

use crate::handler::Handler;
use crate::message::{Body, Method, Request, Response, StatusCode, prefers_json};

use shape::Shape;

const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// GET and HEAD get the request as the server saw it; POST, PUT, PATCH and DELETE get their body back while they
/// send it, of whatever size.
///
/// `Accept: application/json` makes it JSON, and `?raw` keeps the blanks around values as they came; what proves who a
/// client is (`Cookie`, `Authorization`) is masked in all of them. The query shapes the answer: `status=418` (200 to
/// 599), `delay=2s` (up to 60 s, for which no thread waits), `header=X-A:b` (up to eight; none by which a link could act
/// on this site, or on how the answer travels). What is malformed there is 400.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

impl Handler for Echo {
    fn handle(&self, request: &Request) -> Response {
        match *request.method() {
            Method::GET | Method::HEAD => shaped(request, show),
            Method::OPTIONS => {
                unlike_ours(Response::new(StatusCode::NO_CONTENT)).with_header("Allow", ALLOW)
            }
            Method::TRACE | Method::CONNECT => {
                let sentence = "this method is not served here";
                let refusal = Response::problem(StatusCode::METHOD_NOT_ALLOWED, sentence, request);
                refusal.with_header("Allow", ALLOW)
            }
            _ => shaped(request, give_back),
        }
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        Some(self.handle(head))
    }
}

/// The answer in the shape that is asked for, or what is wrong with that.
fn shaped(request: &Request, answer: impl Fn(&Request) -> Response) -> Response {
    match Shape::of(request) {
        Ok(shape) => shape.give(answer(request)),
        Err(sentence) => Response::problem(StatusCode::BAD_REQUEST, &sentence, request),
    }
}

/// The request itself, in the form that the client prefers.
fn show(request: &Request) -> Response {
    unlike_ours(match prefers_json(request.headers()) {
        true => Response::new(StatusCode::OK)
            .with_header("Content-Type", "application/json")
            .with_body(show::json(request)),
        false => Response::text(show::text(request, request.query("raw").is_some())),
    })
}

/// The body as it comes, called what the client calls it.
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
