//! Single-page applications: a page that a browser navigates to and that is no file is the application's to show.

use crate::handler::Handler;
use crate::message::{Headers, Method, Request, StatusCode};
use crate::middleware::{Next, Wrap};

/// Answers a navigation to what `inside` does not have with the page at `path`. A missing script or picture stays missing:
/// HTML in its place would only hide that.
pub fn single_page(path: String, inside: impl Handler) -> impl Handler {
    let fall_back = move |request: &Request, next: Next<'_>| {
        let response = next.run(request);
        if response.status() != StatusCode::NOT_FOUND || !is_navigation(request) {
            return response;
        }
        match request.with_path(&path).map(|page| next.run(&page)) {
            Some(page) if page.status() != StatusCode::NOT_FOUND => {
                // Who does not navigate is told otherwise.
                page.with_header("Vary", "Accept, Sec-Fetch-Mode")
            }
            _ => response,
        }
    };
    Wrap::new(fall_back, inside)
}

/// Whether a browser goes to a page: `Sec-Fetch-Mode` says so, or where there is none (older browsers, and plain
/// addresses such as `http://192.0.2.7/`), `Accept`. What has an extension is a file.
fn is_navigation(request: &Request) -> bool {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let name = request.path().rsplit('/').next().unwrap_or_default();
    let is_wanted = match request.headers().get("Sec-Fetch-Mode") {
        Some(mode) => mode == "navigate",
        None => accepts_html(request.headers()),
    };
    is_read && !name.contains('.') && is_wanted
}

fn accepts_html(headers: &Headers) -> bool {
    headers.elements("Accept").any(|range| {
        let media_type = range.split(|&byte| byte == b';').next().unwrap_or_default();
        media_type.trim_ascii().eq_ignore_ascii_case(b"text/html")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Response;

    #[test]
    fn only_a_navigation_to_what_is_not_there_gets_the_page() {
        let inside = |request: &Request| match request.target().path() {
            "/app.html" => Response::html("app"),
            "/there" => Response::text("there"),
            _ => Response::problem(StatusCode::NOT_FOUND, "there is nothing here", request),
        };
        let site = single_page("/app.html".to_owned(), inside);
        let html = ("Accept", "text/html,application/xhtml+xml;q=0.9");
        let any = ("Accept", "*/*");
        for (path, field, status) in [
            ("/users/7", html, 200),
            ("/users/7", ("Sec-Fetch-Mode", "navigate"), 200),
            ("/users/7", ("Sec-Fetch-Mode", "cors"), 404),
            ("/users/7", any, 404),
            ("/missing.js", html, 404),
            ("/there", html, 200),
        ] {
            let response = site.handle(&Request::get(path).with_header(field.0, field.1));
            assert_eq!(response.status().as_u16(), status, "{path} {field:?}");
            let is_app = status == 200 && path != "/there";
            let vary = response.headers().get("Vary");
            assert_eq!(vary == Some("Accept, Sec-Fetch-Mode"), is_app, "{path}");
        }
        let post = Request::new(Method::POST, "/users").with_header("Accept", "text/html");
        assert_eq!(site.handle(&post).status(), StatusCode::NOT_FOUND);
    }
}
