//! A site that lives under a prefix, such as `/repo/`.

use std::str::FromStr;

use crate::handler::Handler;
use crate::message::{Body, Request, Response, StatusCode};
use crate::middleware::{EveryError, Next, Wrap};

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

    /// `/repo/`, `/repo`, `repo` or `/a/b/`; of `/`, or nothing, a base that changes nothing.
    fn from_str(text: &str) -> Result<Base, String> {
        let names = text.trim_matches('/');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let is_name = |name: &str| {
            !name.is_empty() && !matches!(name, "." | "..") && name.chars().all(is_plain)
        };
        match names.split('/').all(is_name) {
            _ if names.is_empty() => Ok(Base("/".to_owned())),
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

    fn prefix(&self) -> &str {
        &self.0[..self.0.len() - 1]
    }

    fn nested(&self, request: Request) -> Request {
        request.with_route(self.prefix().len(), std::iter::empty())
    }

    /// The same request for the base itself, to which the way home from its errors leads.
    fn home(&self, request: &Request) -> Request {
        let home = request.with_path(&self.0).map(|home| self.nested(home));
        home.unwrap_or_else(|| request.clone())
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
    let nest = move |request: &Request, next: Next<'_>| {
        let rest = request.path().strip_prefix(base.prefix());
        match rest {
            _ if request.path() == "*" => next.run(request),
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                next.run(&base.nested(request.clone()))
            }
            _ => {
                let sentence = format!(
                    "there is nothing here; the site lives under `{}`",
                    base.as_str()
                );
                Response::problem(StatusCode::NOT_FOUND, sentence, &base.home(request))
            }
        }
    };
    Wrap::new(nest, inside)
}

/// Lets the way home from an error lead to `base` where `inside` did not know of it: from what a guard refuses, or the
/// server itself.
///
/// ```
/// use sockeye::middleware::base::leading_home;
/// use sockeye::{Handler, Request, Router};
///
/// let site = leading_home("/repo/".parse()?, Router::new());
/// let page = site.handle(&Request::get("/x").with_header("Accept", "text/html"));
/// assert!(page.into_text()?.contains("<a href=\"/repo/\">Home</a>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn leading_home(base: Base, inside: impl Handler) -> impl Handler {
    let lead = move |request: &Request, error: &mut Response, _: &_| {
        let Some(sentence) = error.explanation() else {
            return;
        };
        let problem = |request: &Request| {
            Response::problem(error.status(), sentence.to_owned(), request)
                .into_parts()
                .2
        };
        // A page of the site's own has ways of its own.
        if let (Body::Bytes(body), Body::Bytes(there)) = (error.body(), problem(request))
            && *body == there
        {
            let page = problem(&base.home(request));
            let status = error.status();
            let response = std::mem::replace(error, Response::new(status));
            *error = response.with_body(page);
        }
    };
    EveryError::new(lead, inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Method;

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
    fn the_root_is_a_base_that_changes_nothing() {
        let inside = |request: &Request| format!("{}{}", request.prefix(), request.path());
        for base in ["/", ""] {
            let base: Base = base.parse().unwrap();
            assert_eq!(base.as_str(), "/");
            let site = leading_home(base.clone(), under(base, inside));
            for path in ["/", "/a/b?c", "//a", "*"] {
                let method = if path == "*" {
                    Method::OPTIONS
                } else {
                    Method::GET
                };
                let request = Request::new(method, path);
                let text = site.handle(&request).into_text().unwrap();
                assert_eq!(text, request.target().path());
            }
        }
    }

    #[test]
    fn a_base_is_a_plain_path() {
        for (text, path) in [("/repo/", "/repo/"), ("a/b", "/a/b/"), ("/v1.0", "/v1.0/")] {
            assert_eq!(text.parse::<Base>().unwrap().as_str(), path);
        }
        for text in ["a//b", "../a", "a b", "http://a/", "%41", "a?b"] {
            assert!(text.parse::<Base>().is_err(), "{text}");
        }
    }
}
