//! The response, once the outcome is decided.
//!
//! A client learns what is there and nothing else: what is missing, hidden, forbidden, no regular file or behind a
//! link that leads out is one and the same 404.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::description::Description;
use super::multipart::{self, content_range};
use super::preconditions::Verdict;
use super::range::{Selection, select};
use super::representation::Content;
use super::validators::{http_date, now};
use crate::message::{Body, Headers, Method, Request, Response, StatusCode};
use crate::tree::Failure;

const ALLOWED: &str = "GET, HEAD, OPTIONS";

/// 204 with what may be asked.
pub(super) fn options() -> Response {
    Response::new(StatusCode::NO_CONTENT).with_header("Allow", ALLOWED)
}

/// 405: a file can only be read.
pub(super) fn not_allowed(request: &Request) -> Response {
    let sentence = "files can only be read: with GET or HEAD";
    Response::problem(StatusCode::METHOD_NOT_ALLOWED, sentence, request)
        .with_header("Allow", ALLOWED)
}

/// 400: no path of ours.
pub(super) fn bad_path(sentence: String, request: &Request) -> Response {
    Response::problem(StatusCode::BAD_REQUEST, sentence, request)
}

/// 308 to the directory's own URL, the query kept as it came.
pub(super) fn redirect(directory_url: String, query: Option<&str>) -> Response {
    let location = match query {
        Some(query) => format!("{directory_url}?{query}"),
        None => directory_url,
    };
    Response::new(StatusCode::PERMANENT_REDIRECT)
        .with_header("Location", location)
        // The directory may become a file; a redirect kept forever would then be wrong forever.
        .with_header("Cache-Control", "no-cache")
        .with_header("X-Content-Type-Options", "nosniff")
        .with_explanation(
            "a directory's URL ends in a slash, where relative links start, RFC 9110 §15.4.9",
        )
}

/// Why there is nothing to send.
pub(super) fn failure(failure: &Failure, request: &Request) -> Response {
    let (status, sentence) = match failure {
        Failure::Missing | Failure::Denied | Failure::Escape(_) | Failure::NotRegular => {
            (StatusCode::NOT_FOUND, "there is nothing here")
        }
        Failure::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is out of resources; try again in a moment",
        ),
        Failure::RootGone => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the directory that is served here is away",
        ),
        Failure::Broken(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be read"),
    };
    let response = Response::problem(status, sentence, request);
    match failure {
        Failure::Busy | Failure::RootGone => response.with_header("Retry-After", "1"),
        _ => response,
    }
}

/// A file, or as much of it as the request wants: RFC 9110 §13.2.2 and §14.2.
pub(super) fn file(
    description: &Description,
    content: Content,
    request: &Request,
    boundary_seed: u64,
) -> Response {
    let (verdict, why) = description.validators.judge(request.headers());
    match verdict {
        Verdict::Failed => {
            let sentence = "this is not, or no longer, what you asked for";
            let status = StatusCode::PRECONDITION_FAILED;
            varied(Response::problem(status, sentence, request), description).explained(why)
        }
        Verdict::NotModified => Response::from_parts(
            StatusCode::NOT_MODIFIED,
            description.unmodified_fields().clone(),
            Body::Empty,
        )
        .explained(why),
        Verdict::Proceed => match selection(description, request) {
            Selection::Whole => whole(description, content).explained(why),
            Selection::Ignored(why) => whole(description, content).explained(Some(why)),
            Selection::Parts(parts) => partial(description, content, parts, boundary_seed),
            Selection::Unsatisfiable => {
                varied(unsatisfiable(description.length, request), description)
            }
        },
    }
}

/// An error about a file that depends on what the file's other answers depend on.
fn varied(response: Response, description: &Description) -> Response {
    match description.fields.get("Vary") {
        Some(fields) => response.with_header("Vary", fields),
        None => response,
    }
}

fn selection(description: &Description, request: &Request) -> Selection {
    let mut lines = request.headers().all("Range");
    match (lines.next(), lines.next()) {
        (None, _) => Selection::Whole,
        (Some(_), Some(_)) => Selection::Ignored("Range is there twice"),
        _ if *request.method() != Method::GET => {
            Selection::Ignored("Range is for GET, RFC 9110 §14.2")
        }
        _ if !description.validators.allow_range(request.headers(), now) => {
            Selection::Ignored("If-Range names another state of the file, RFC 9110 §13.1.5")
        }
        (Some(value), None) => select(value, description.length),
    }
}

fn whole(description: &Description, content: Content) -> Response {
    let size = description.length;
    let body = body(description, content, 0..size);
    Response::from_parts(StatusCode::OK, fields(description), body)
}

fn partial(
    description: &Description,
    content: Content,
    parts: Vec<Range<u64>>,
    boundary_seed: u64,
) -> Response {
    let valid = "made of letters and digits";
    let mut fields = fields(description);
    let mut why = "one satisfiable range, RFC 9110 §15.3.7";
    let body = if let [part] = &parts[..] {
        let place = content_range(part, description.length);
        fields.append("Content-Range", place).expect(valid);
        body(description, content, part.clone())
    } else {
        // The author of a file cannot know it: it depends on the file and on a secret of this process.
        let boundary = xxh3_128_with_seed(description.fields.as_lines(), boundary_seed);
        let boundary = format!("{boundary:032x}");
        let media_type = format!("multipart/byteranges; boundary={boundary}");
        fields.set("Content-Type", media_type).expect(valid);
        why = "several satisfiable ranges, RFC 9110 §14.6";
        multipart::stream(content, description, parts, &boundary).into()
    };
    Response::from_parts(StatusCode::PARTIAL_CONTENT, fields, body).with_explanation(why)
}

fn unsatisfiable(size: u64, request: &Request) -> Response {
    let sentence = "the file does not reach that far";
    Response::problem(StatusCode::RANGE_NOT_SATISFIABLE, sentence, request)
        .with_header("Accept-Ranges", "bytes")
        .with_header("Content-Range", format!("bytes */{size}"))
        .with_explanation("no byte of the file is in the range, RFC 9110 §15.5.17")
}

/// The fields of a 200, with the one that depends on the time of the answer.
fn fields(description: &Description) -> Headers {
    let mut fields = description.fields.clone();
    if description.is_undated
        && let Some(date) = description
            .validators
            .last_modified(now())
            .and_then(http_date)
    {
        fields
            .append("Last-Modified", date)
            .expect("a date is a valid value");
    }
    fields
}

fn body(description: &Description, content: Content, range: Range<u64>) -> Body {
    match content {
        // Not by `slice`, which shares the bytes: what is sent once and not kept has one owner.
        Content::Memory(bytes) if range == (0..bytes.len() as u64) => bytes.into(),
        Content::Memory(bytes) => bytes.slice(range.start as usize..range.end as usize).into(),
        Content::File(file) => description.slice(&file, range).into(),
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn system_errors_become_statuses() {
        for (errno, status) in [
            (Errno::NOENT, 404),
            (Errno::NOTDIR, 404),
            (Errno::LOOP, 404),
            (Errno::NAMETOOLONG, 404),
            (Errno::ACCESS, 404),
            (Errno::PERM, 404),
            (Errno::NXIO, 404),
            (Errno::MFILE, 503),
            (Errno::NFILE, 503),
            (Errno::NOMEM, 503),
            (Errno::AGAIN, 503),
            (Errno::IO, 500),
        ] {
            let response = failure(&errno.into(), &Request::get("/"));
            assert_eq!(response.status().as_u16(), status, "{errno:?}");
            assert_eq!(
                response.headers().get("Retry-After"),
                (status == 503).then_some("1")
            );
        }
    }
}
