//! Cross-origin resource sharing (the Fetch standard, §3.2): lets pages of other origins read what is served here.

use std::str::FromStr;

use crate::handler::Handler;
use crate::message::{Method, Request, Response, StatusCode};
use crate::middleware::{EveryResponse, Next, Wrap};

// What a page may read besides the fields that the standard lists: those that our responses carry.
const EXPOSED: &str = "Accept-Ranges, Allow, Content-Encoding, Content-Length, Content-Range, Date, ETag, Location, Retry-After";

// What is asked anew after ten minutes may have changed by then.
const MAX_AGE: &str = "600";

/// An origin whose pages may read.
///
/// ```
/// use sockeye::middleware::cors::Origin;
///
/// assert_eq!("*".parse(), Ok(Origin::Any));
/// let shop: Origin = "HTTPS://Shop.example:443".parse()?;
/// assert_eq!(shop, Origin::Exactly("https://shop.example".to_owned())); // As browsers write it.
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Every origin, but without credentials.
    Any,
    /// This one, as browsers write it, with credentials too.
    Exactly(String),
}

impl FromStr for Origin {
    type Err = String;

    /// `*`, or an origin such as `https://example.com` or `http://localhost:5173`.
    fn from_str(text: &str) -> Result<Origin, String> {
        if text == "*" {
            return Ok(Origin::Any);
        }
        let text = text.to_ascii_lowercase();
        let (scheme, host) = text.split_once("://").unwrap_or(("", &text));
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if !is_scheme || host.is_empty() || !host.chars().all(is_host) {
            return Err("expected an origin without a path, such as https://example.com or http://localhost:5173".to_owned());
        }
        // Browsers leave the port out where it is the scheme's own.
        let text = match (scheme, host.rsplit_once(':')) {
            ("http", Some((host, "80"))) | ("https", Some((host, "443"))) => {
                format!("{scheme}://{host}")
            }
            _ => text,
        };
        Ok(Origin::Exactly(text))
    }
}

/// Lets pages of `origins` read every response of `inside`, errors and refusals included, and answers their preflights.
///
/// ```
/// use sockeye::middleware::cors::with_cors;
/// use sockeye::{Echo, Handler, Request};
///
/// let app = with_cors(vec!["https://example.com".parse()?], Echo);
/// let answer = app.handle(&Request::get("/").with_header("Origin", "https://example.com"));
/// assert!(answer.headers().contains("Access-Control-Allow-Origin"));
/// # Ok::<(), String>(())
/// ```
pub fn with_cors(origins: Vec<Origin>, inside: impl Handler) -> impl Handler {
    let any = origins.contains(&Origin::Any);
    let allow = move |request: &Request, response: Response| match allowed(&origins, request) {
        _ if any => expose(response.with_header("Access-Control-Allow-Origin", "*")),
        Some(origin) => {
            let response = response
                .with_header("Access-Control-Allow-Origin", origin)
                .with_header("Access-Control-Allow-Credentials", "true")
                .with_header("Vary", "Origin");
            expose(response)
        }
        // A cache must not give this to an origin that may read.
        None => response.with_header("Vary", "Origin"),
    };
    EveryResponse::new(allow, Wrap::new(preflight, inside))
}

fn allowed<'a>(origins: &'a [Origin], request: &Request) -> Option<&'a str> {
    let asking = request.headers().get("Origin")?;
    origins.iter().find_map(|origin| match origin {
        Origin::Exactly(origin) if origin == asking => Some(origin.as_str()),
        _ => None,
    })
}

fn expose(response: Response) -> Response {
    match response.headers().contains("Access-Control-Allow-Methods") {
        true => response,
        false => response.with_header("Access-Control-Expose-Headers", EXPOSED),
    }
}

/// A browser asks whether it may: it may what it asks for, if its origin may anything. Whether there is such a method
/// or resource, the request itself will tell.
fn preflight(request: &Request, next: Next<'_>) -> Response {
    let headers = request.headers();
    let (Some(method), true) = (
        headers.get("Access-Control-Request-Method"),
        headers.contains("Origin"),
    ) else {
        return next.run(request);
    };
    if *request.method() != Method::OPTIONS {
        return next.run(request);
    }
    let mut response = Response::new(StatusCode::NO_CONTENT)
        .with_header("Access-Control-Allow-Methods", method)
        .with_header("Access-Control-Max-Age", MAX_AGE)
        .with_header(
            "Vary",
            "Access-Control-Request-Method, Access-Control-Request-Headers",
        );
    if let Some(names) = headers.get("Access-Control-Request-Headers") {
        response = response.with_header("Access-Control-Allow-Headers", names);
    }
    // A page of a public site asks for a machine of the private network (wicg.github.io/private-network-access).
    if headers.get("Access-Control-Request-Private-Network") == Some("true") {
        response = response.with_header("Access-Control-Allow-Private-Network", "true");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(origins: &[&str], request: Request) -> Response {
        let origins = origins
            .iter()
            .map(|origin| origin.parse().unwrap())
            .collect();
        with_cors(origins, |_: &Request| Response::text("a")).handle(&request)
    }

    fn field<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response.headers().get(&format!("Access-Control-{name}"))
    }

    #[test]
    fn every_origin_may_read_without_credentials_or_those_that_are_named_with_them() {
        let from = |origin: &str| Request::get("/").with_header("Origin", origin);
        let response = ask(&["*"], from("http://a.test"));
        assert_eq!(
            (
                field(&response, "Allow-Origin"),
                field(&response, "Allow-Credentials")
            ),
            (Some("*"), None)
        );
        assert_eq!(response.headers().get("Vary"), None);

        let named = ["http://a.test", "https://B.test:443"];
        for (origin, allowed) in [
            ("http://a.test", true),
            ("https://b.test", true),
            ("http://b.test", false),
            ("null", false),
        ] {
            let response = ask(&named, from(origin));
            assert_eq!(
                field(&response, "Allow-Origin"),
                allowed.then_some(origin),
                "{origin}"
            );
            assert_eq!(
                field(&response, "Allow-Credentials"),
                allowed.then_some("true"),
                "{origin}"
            );
            assert_eq!(response.headers().get("Vary"), Some("Origin"), "{origin}");
        }
        assert_eq!(
            ask(&named, Request::get("/")).headers().get("Vary"),
            Some("Origin")
        );
    }

    #[test]
    fn a_preflight_is_answered_with_what_it_asks_for() {
        let request = Request::new(Method::OPTIONS, "/a")
            .with_header("Origin", "http://a.test")
            .with_header("Access-Control-Request-Method", "PUT")
            .with_header("Access-Control-Request-Headers", "x-a,x-b")
            .with_header("Access-Control-Request-Private-Network", "true");
        for (origins, allowed) in [
            (["*"], Some("*")),
            (["http://a.test"], Some("http://a.test")),
            (["http://b.test"], None),
        ] {
            let response = ask(&origins, request.clone());
            assert_eq!(response.status(), StatusCode::NO_CONTENT);
            assert_eq!(field(&response, "Allow-Origin"), allowed);
            assert_eq!(field(&response, "Allow-Methods"), Some("PUT"));
            assert_eq!(field(&response, "Allow-Headers"), Some("x-a,x-b"));
            assert_eq!(field(&response, "Allow-Private-Network"), Some("true"));
        }
        let plain = Request::new(Method::OPTIONS, "/a").with_header("Origin", "http://a.test");
        assert_eq!(ask(&["*"], plain).status(), StatusCode::OK);
    }

    #[test]
    fn an_origin_has_no_path() {
        for text in [
            "",
            "a.test",
            "http://a.test/",
            "http://",
            "://a",
            "http://a b",
            "http://u@a",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
