//! Single-page applications: a browser that navigates to a path without a file gets the application's page.

use crate::handler::Handler;
use crate::message::{Method, Request, StatusCode, accepts};
use crate::middleware::{Next, Wrap};

/// Answers a navigation to what `inside` does not have with the page at `path`. A missing script or picture stays missing:
/// HTML in its place would only hide that.
///
/// ```
/// use sockeye::middleware::spa::single_page;
/// use sockeye::{Handler, Request, Response, Router};
///
/// let site = Router::new().get("/index.html", |_| Response::html("the app"));
/// let site = single_page("/index.html".to_owned(), site);
/// let page = site.handle(&Request::get("/settings").with_header("Accept", "text/html"));
/// assert_eq!(page.into_text()?, "the app");
/// # Ok::<(), std::io::Error>(())
/// ```
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

/// Whether a browser navigates to a page, by `Sec-Fetch-Mode`, or where there is none (older browsers, and plain
/// addresses such as `http://192.0.2.7/`), `Accept`. What has an extension is a file.
fn is_navigation(request: &Request) -> bool {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let name = request.path().rsplit('/').next().unwrap_or_default();
    let is_wanted = match request.headers().get("Sec-Fetch-Mode") {
        Some(mode) => mode == "navigate",
        None => accepts(request.headers(), &["text/html"]),
    };
    is_read && !name.contains('.') && is_wanted
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
            ("/users/7", ("Accept", "text/html;q=0"), 404),
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
