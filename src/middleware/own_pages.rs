//! The site's own error pages: the nearest `404.html` upwards of what is missing, and `50x.html` of what fails.

use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::handler::Handler;
use crate::message::{Method, Request, Response, StatusCode, accepts};
use crate::middleware::EveryError;
use crate::middleware::explain::EXPLAINED;

// How deep beneath the root a page is looked for.
const DEPTH_MAX: usize = 16;

// For so long it is remembered that there is no page: floods of errors do not look for it each time.
const ABSENT_MILLIS: u64 = 50;

// How many places are remembered to have none.
const ABSENT_MAX: usize = 256;

/// Lets the pages that `inside` has stand for its errors, with the error's status. Only clients that accept HTML
/// get them: for others a plain sentence is the better answer, and costs no look-up. So it is where a 404 is
/// [explained](super::explain) to who accepts anything and names no HTML, such as curl. A page that is put in place is
/// found within a twentieth of a second.
///
/// ```
/// use sockeye::middleware::own_pages::with_own_pages;
/// use sockeye::{Handler, Request, Response, Router};
///
/// let site = with_own_pages(Router::new().get("/404.html", |_| Response::html("gone fishing")));
/// let missing = site.handle(&Request::get("/x").with_header("Accept", "text/html"));
/// assert_eq!((missing.status().as_u16(), &*missing.into_text()?), (404, "gone fishing"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn with_own_pages<H: Handler>(inside: H) -> impl Handler {
    let absent = Absent::default();
    let dress = move |request: &Request, response: &mut Response, pages: &H| {
        let name = match response.status().as_u16() {
            404 => "404.html",
            500 | 502..=504 => "50x.html",
            _ => return,
        };
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let explanation = response.explanation();
        let is_explained = explanation.is_some_and(|sentence| sentence.starts_with(EXPLAINED));
        let pages_are = match is_explained {
            true => &["text/html"][..],
            false => &["text/html", "text/*", "*/*"],
        };
        if is_read
            && accepts(request.headers(), pages_are)
            && let Some(page) = page(name, request, pages, &absent)
        {
            put_in_place_of(response, page);
        }
    };
    EveryError::new(dress, inside)
}

fn page(name: &str, request: &Request, pages: &dyn Handler, absent: &Absent) -> Option<Response> {
    let path = request.path();
    let at = request.received().unwrap_or_else(Instant::now);
    let too_deep = path.matches('/').count().saturating_sub(DEPTH_MAX);
    for (slash, _) in path.rmatch_indices('/').skip(too_deep) {
        let place = (name, &path[..slash]);
        if absent.is_known(place, at) {
            continue;
        }
        // Without the conditions and ranges of this request, which are about something else.
        let asked = Request::default().with_path(&format!("{}/{name}", &path[..slash]))?;
        let found = pages
            .handle_head(&asked)
            .unwrap_or_else(|| pages.handle(&asked));
        if found.status() == StatusCode::OK {
            return Some(found);
        }
        absent.remember(place, at);
    }
    None
}

/// Where there was no page a moment ago. A place has one slot, and whatever hashes to the same takes it over.
#[derive(Debug)]
struct Absent {
    hasher: RandomState,
    made: Instant,
    slots: [AtomicU64; ABSENT_MAX],
}

impl Default for Absent {
    fn default() -> Absent {
        Absent {
            hasher: RandomState::new(),
            made: Instant::now(),
            slots: [const { AtomicU64::new(0) }; ABSENT_MAX],
        }
    }
}

impl Absent {
    fn is_known(&self, place: (&str, &str), at: Instant) -> bool {
        let (slot, value) = self.slot(place, at);
        slot.load(Ordering::Relaxed) == value
    }

    fn remember(&self, place: (&str, &str), at: Instant) {
        let (slot, value) = self.slot(place, at);
        slot.store(value, Ordering::Relaxed);
    }

    /// The slot of a place, and what is in it while the place is known to have no page: its hash, moved on with the time.
    fn slot(&self, place: (&str, &str), at: Instant) -> (&AtomicU64, u64) {
        let millis = at.saturating_duration_since(self.made).as_millis() as u64;
        let hash = self.hasher.hash_one(place);
        let slot = &self.slots[hash as usize % ABSENT_MAX];
        (slot, hash.wrapping_add(millis / ABSENT_MILLIS))
    }
}

/// Gives the error the page's fields and body. What says that it is the page's own answer, and may be kept, is left out.
fn put_in_place_of(response: &mut Response, page: Response) {
    let (_, mut headers, body) = page.into_parts();
    for name in ["ETag", "Last-Modified", "Accept-Ranges"] {
        headers.remove(name);
    }
    let valid = "it is a header field already";
    if let Some(value) = response.headers().get("Retry-After") {
        headers.append("Retry-After", value).expect(valid);
    }
    headers.append("Vary", "Accept").expect(valid);
    let error = mem::replace(response, Response::new(StatusCode::OK));
    *response = error.with_headers(headers).with_body(body);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::message::Body;

    fn is(response: &Response, body: &str) -> bool {
        matches!(response.body(), Body::Bytes(bytes) if bytes == body)
    }

    #[test]
    fn the_nearest_page_upwards_stands_for_the_error() {
        let inside = |request: &Request| match request.target().path() {
            "/404.html" => Response::html("outer").with_header("ETag", "\"a\""),
            "/a/404.html" => Response::html("inner"),
            "/50x.html" => Response::html("failed"),
            "/busy" => Response::new(StatusCode::SERVICE_UNAVAILABLE)
                .with_header("Retry-After", "1")
                .with_delay(Duration::from_secs(2)),
            _ => Response::problem(StatusCode::NOT_FOUND, "nothing", request),
        };
        let site = with_own_pages(inside);
        for (path, accept, status, body) in [
            ("/b", "text/html", 404, "outer"),
            ("/b/c/d", "*/*", 404, "outer"),
            ("/a/b/c", "text/html;q=0.9, image/png", 404, "inner"),
            ("/a/", "text/html", 404, "inner"),
            ("/busy", "text/html", 503, "failed"),
            ("/404.html", "text/html", 200, "outer"),
        ] {
            let request = Request::get(path)
                .with_header("Accept", accept)
                .with_header("Range", "bytes=0-0");
            let response = site.handle(&request);
            assert_eq!(response.status().as_u16(), status, "{path}");
            assert_eq!(response.headers().contains("Retry-After"), status == 503);
            assert_eq!(response.delay().as_secs() == 2, status == 503);
            assert_eq!(response.headers().contains("ETag"), status == 200);
            assert!(is(&response, body), "{path}");
        }
        for accept in ["application/json", "text/plain", "text/html;q=0"] {
            let response = site.handle(&Request::get("/b").with_header("Accept", accept));
            assert!(!is(&response, "outer"), "{accept}");
        }
        let deep = format!("{}b", "/a".repeat(2000));
        assert_eq!(
            site.handle(&Request::get(&deep).with_header("Accept", "*/*"))
                .status()
                .as_u16(),
            404
        );
    }

    #[test]
    fn that_there_is_no_page_is_remembered_for_a_moment() {
        let asked = std::sync::Arc::new(AtomicU64::new(0));
        let count = std::sync::Arc::clone(&asked);
        let site = with_own_pages(move |request: &Request| match request.target().path() {
            "/a/404.html" | "/404.html" if count.fetch_add(1, Ordering::Relaxed) == 3 => {
                Response::html("outer")
            }
            _ => Response::new(StatusCode::NOT_FOUND),
        });
        let start = Instant::now() + Duration::from_secs(1);
        let ask = |millis| {
            let mut request = Request::get("/a/b").with_header("Accept", "*/*");
            request.received = Some(start + Duration::from_millis(millis));
            (
                is(&site.handle(&request), "outer"),
                asked.load(Ordering::Relaxed),
            )
        };
        assert_eq!(ask(0), (false, 2));
        assert_eq!(ask(0), (false, 2));
        assert_eq!(ask(ABSENT_MILLIS), (true, 4));
    }
}
