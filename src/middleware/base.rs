//! A site that lives under a prefix, such as `/repo/`.

use std::str::FromStr;

use crate::handler::Handler;
use crate::message::{Request, Response, StatusCode};
use crate::middleware::{Next, Wrap};

/// A path that begins and ends with a slash.
///
/// ```
/// use sockeye::middleware::base::Base;
///
/// let base: Base = "docs/latest".parse()?;
/// assert_eq!(base.as_str(), "/docs/latest/");
/// assert!("..".parse::<Base>().is_err());
/// # Ok::<(), String>(())
/// ```
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

/// Serves `inside` under `base`, as a router would that nests it there. Elsewhere nothing is but a 404 that says where the
/// site lives.
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
    let Base(base) = base;
    let nest = move |request: &Request, next: Next<'_>| {
        let prefix = &base[..base.len() - 1];
        let rest = request.path().strip_prefix(prefix);
        let nested = |request: Request| request.with_route(prefix.len(), std::iter::empty());
        match rest {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                next.run(&nested(request.clone()))
            }
            None if request.path() == "*" => next.run(request),
            _ => {
                let sentence = format!("there is nothing here; the site lives under `{base}`");
                // The way home leads there.
                let home = request.with_path(&base).map(nested);
                let request = home.as_ref().unwrap_or(request);
                Response::problem(StatusCode::NOT_FOUND, sentence, request)
            }
        }
    };
    Wrap::new(nest, inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_sees_what_follows_the_base() {
        let inside = |request: &Request| {
            assert_eq!(request.prefix(), "/repo");
            Response::text(request.path().to_owned())
        };
        let site = under("repo".parse().unwrap(), inside);
        for (target, status, path) in [
            ("/repo/", 200, "/"),
            ("/repo/a/b?c=d", 200, "/a/b"),
            ("/repo//a", 200, "//a"),
            ("/repo", 200, "/"),
            ("/", 404, ""),
            ("/repository/", 404, ""),
            ("/a/repo/", 404, ""),
        ] {
            let request = Request::get(target).with_header("Accept", "text/html");
            let response = site.handle(&request);
            assert_eq!(response.status().as_u16(), status, "{target}");
            let text = response.into_text().unwrap();
            let leads_home = text.contains("<a href=\"/repo/\">");
            assert!(
                if status == 200 {
                    text == path
                } else {
                    leads_home
                },
                "{target}: {text}"
            );
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
