//! `/echo`: says back what it was told; the smallest real handler.
//!
//! What it says is the client's own, so it is never to be run, stored or guessed at: `no-store`, `nosniff`, and a
//! sandbox that lets no script in it act for this site.

use crate::handler::Handler;
use crate::message::{Body, Method, Request, Response, StatusCode};

const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

// What proves who a client is does not belong on a screen or into a bug report.
const MASKED: [&str; 3] = ["Cookie", "Authorization", "Proxy-Authorization"];

/// GET and HEAD get the request as the server saw it; POST, PUT, PATCH and DELETE get their body back while they
/// send it, of whatever size.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

impl Handler for Echo {
    fn handle(&self, request: &Request) -> Response {
        match *request.method() {
            Method::GET | Method::HEAD => unlike_ours(Response::text(as_seen(request))),
            Method::OPTIONS => {
                unlike_ours(Response::new(StatusCode::NO_CONTENT)).with_header("Allow", ALLOW)
            }
            Method::TRACE | Method::CONNECT => {
                let sentence = "this method is not served here";
                let refusal =
                    Response::problem(StatusCode::METHOD_NOT_ALLOWED, sentence, request.headers());
                refusal.with_header("Allow", ALLOW)
            }
            _ => give_back(request),
        }
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        Some(self.handle(head))
    }
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

/// Request line, fields and blank line, as they came but for the secrets.
fn as_seen(request: &Request) -> Vec<u8> {
    let (method, target) = (request.method().as_str(), request.target().as_str());
    let mut seen = format!("{method} {target} {}\r\n", request.version().as_str()).into_bytes();
    for (name, value) in request.headers().iter() {
        let is_masked = MASKED
            .iter()
            .any(|masked| masked.eq_ignore_ascii_case(name));
        seen.extend_from_slice(name.as_bytes());
        seen.extend_from_slice(b": ");
        seen.extend_from_slice(if is_masked { b"(masked)" } else { value });
        seen.extend_from_slice(b"\r\n");
    }
    seen.extend_from_slice(b"\r\n");
    seen
}
