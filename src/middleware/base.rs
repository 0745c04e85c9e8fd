//! A site that lives under a prefix, such as `/repo/`.

use std::str::FromStr;

use crate::handler::Handler;
use crate::message::{Request, Response, StatusCode};
use crate::middleware::{Next, Wrap};

/// A path that begins and ends with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(String);

impl FromStr for Base {
    type Err = String;

    /// `/repo/`, `/repo`, `repo` or `/a/b/`.
    fn from_str(text: &str) -> Result<Base, String> {
        let names = text.trim_matches('/');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let is_name = |name: &str| {
            !name.is_empty() && !matches!(name, "." | "..") && name.chars().all(is_plain)
        };
        match names.split('/').all(is_name) {
            true => Ok(Base(format!("/{names}/"))),
            false => {
                Err("expected a path such as /repo/, of letters, digits and - . _ ~".to_owned())
            }
        }
    }
}

impl Base {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Serves `inside` under `base`: it sees paths without it, and where it redirects to is put under it. Elsewhere nothing
/// is but a 404 that says where the site lives.
///
/// ```
/// use sockeye::middleware::base::under;
/// use sockeye::{Handler, Request, Router};
///
/// let site = under("/repo/".parse()?, Router::new().get("/", |_| "home\n"));
/// assert_eq!(site.handle(&Request::get("/repo/")).into_text()?, "home\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn under(base: Base, inside: impl Handler) -> impl Handler {
    let rebase = move |request: &Request, next: Next<'_>| {
        let Base(base) = &base;
        let target = request.target();
        let query = target
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        if target.path() == "*" {
            return next.run(request);
        }
        if target.path() == base.trim_end_matches('/') {
            return Response::new(StatusCode::PERMANENT_REDIRECT)
                .with_header("Location", format!("{base}{query}"))
                .with_header("Cache-Control", "no-cache");
        }
        let rest = target.path().strip_prefix(base.as_str());
        let inner = rest.and_then(|rest| request.with_path(&format!("/{rest}{query}")));
        match inner {
            Some(inner) => relocated(base, next.run(&inner)),
            None => {
                let sentence = format!("there is nothing here; the site lives under {base}");
                Response::problem(StatusCode::NOT_FOUND, sentence, request.headers())
            }
        }
    };
    Wrap::new(rebase, inside)
}

fn relocated(base: &str, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Some(path) = headers
        .get("Location")
        .and_then(|location| location.strip_prefix('/'))
    {
        let location = format!("{base}{path}");
        headers
            .set("Location", location)
            .expect("both parts were valid");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_the_base_is_cut_off_and_put_before_redirects() {
        let inside = |request: &Request| {
            Response::text("").with_header("Location", request.target().as_str())
        };
        let site = under("repo".parse().unwrap(), inside);
        for (target, status, location) in [
            ("/repo/", 200, Some("/repo/")),
            ("/repo/a/b?c=d", 200, Some("/repo/a/b?c=d")),
            ("/repo//a", 200, Some("/repo//a")),
            ("/repo", 308, Some("/repo/")),
            ("/repo?a", 308, Some("/repo/?a")),
            ("/", 404, None),
            ("/repository/", 404, None),
            ("/a/repo/", 404, None),
        ] {
            let response = site.handle(&Request::get(target));
            let found = (
                response.status().as_u16(),
                response.headers().get("Location"),
            );
            assert_eq!(found, (status, location), "{target}");
        }
    }

    #[test]
    fn a_base_is_a_plain_path() {
        for (text, path) in [("/repo/", "/repo/"), ("a/b", "/a/b/"), ("/v1.0", "/v1.0/")] {
            assert_eq!(text.parse::<Base>().unwrap().as_str(), path);
        }
        for text in ["", "/", "a//b", "../a", "a b", "http://a/", "%41", "a?b"] {
            assert!(text.parse::<Base>().is_err(), "{text}");
        }
    }
}
