//! Fields that the operator wants with responses: `Name: value`, or `/assets/*=Name: value` for some paths.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use percent_encoding::percent_decode_str;
use wildmatch::WildMatch;

use crate::handler::Handler;
use crate::message::{Headers, Request, Response};
use crate::middleware::EveryResponse;

/// Fields that follow from the body, the connection and the time.
const RESERVED: [&str; 9] = [
    "Connection",
    "Content-Length",
    "Date",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// Fields that are added to those of their name: several lines are a list, or each is for itself.
const REPEATED: [&str; 4] = ["Link", "Server-Timing", "Set-Cookie", "Vary"];

/// One field, for all paths or for those that a glob matches.
///
/// ```
/// use sockeye::middleware::headers::Rule;
///
/// assert!("X-Frame-Options: DENY".parse::<Rule>().is_ok());
/// assert!("/assets/*=Cache-Control: max-age=3600".parse::<Rule>().is_ok());
/// assert!("Content-Length: 7".parse::<Rule>().is_err()); // It follows from the body.
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    glob: Option<WildMatch>,
    name: String,
    value: String,
}

impl FromStr for Rule {
    type Err = String;

    /// `Name: value`, or `GLOB=Name: value` where the glob begins with a slash or a star. In it a star stands for any
    /// characters, slashes included, and a question mark for one.
    fn from_str(text: &str) -> Result<Rule, String> {
        let (glob, field) = match text.split_once('=') {
            Some((glob, field)) if glob.starts_with(['/', '*']) => {
                (Some(WildMatch::new(glob)), field)
            }
            _ => (None, text),
        };
        let (name, value) = field
            .split_once(':')
            .ok_or("expected 'Name: value', or '/path/*=Name: value'")?;
        let (name, value) = (
            name.trim_matches([' ', '\t']),
            value.trim_matches([' ', '\t']),
        );
        if is_one_of(&RESERVED, name) {
            return Err(format!(
                "{name} follows from the message itself, and the server writes it"
            ));
        }
        Headers::new()
            .append(name, value)
            .map_err(|error| error.to_string())?;
        Ok(Rule {
            glob,
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl Rule {
    fn matches(&self, path: &str) -> bool {
        self.glob.as_ref().is_none_or(|glob| glob.matches(path))
    }

    fn apply(&self, is_logged: &AtomicBool, headers: &mut Headers) {
        let Rule { name, value, .. } = self;
        if !is_one_of(&REPEATED, name) {
            // The one that the server writes where there is none.
            let server = name.eq_ignore_ascii_case("Server").then_some("sockeye");
            let other = headers.get(name).or(server);
            if let Some(other) = other.filter(|other| other != value)
                && !is_logged.swap(true, Ordering::Relaxed)
            {
                tracing::info!(target: "sockeye", "--header replaces `{name}: {other}` by `{name}: {value}`");
            }
            headers.remove(name);
        }
        let valid = "it was checked when it was read";
        headers.append(name, value).expect(valid);
    }
}

/// Adds the fields of `rules` to every response of `inside`. Each replaces a field of the same name, of an earlier rule
/// too, which is logged once for each rule; only `Link`, `Server-Timing`, `Set-Cookie` and `Vary` are added to.
///
/// ```
/// use sockeye::middleware::headers::with_headers;
/// use sockeye::{Echo, Handler, Request};
///
/// let site = with_headers(vec!["/a/*=X-Frame-Options: DENY".parse()?], Echo);
/// assert!(site.handle(&Request::get("/a/b")).headers().contains("X-Frame-Options"));
/// assert!(!site.handle(&Request::get("/")).headers().contains("X-Frame-Options"));
/// # Ok::<(), String>(())
/// ```
pub fn with_headers(rules: Vec<Rule>, inside: impl Handler) -> impl Handler {
    let logged: Vec<AtomicBool> = rules.iter().map(|_| AtomicBool::new(false)).collect();
    let add = move |request: &Request, mut response: Response| {
        let path = percent_decode_str(request.target().path()).decode_utf8_lossy();
        let headers = response.headers_mut();
        for (rule, is_logged) in rules.iter().zip(&logged) {
            if rule.matches(&path) {
                rule.apply(is_logged, headers);
            }
        }
        response
    };
    EveryResponse::new(add, inside)
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(rules: &[&str], path: &str) -> Vec<(String, String)> {
        let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        let inside = |_: &Request| {
            Response::text("a")
                .with_header("Cache-Control", "no-cache")
                .with_header("Vary", "Accept")
        };
        let response = with_headers(rules, inside).handle(&Request::get(path));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let fields = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_owned(), text(value)));
        fields.filter(|(name, _)| name != "Content-Type").collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_rule_replaces_what_is_there_and_adds_to_lists() {
        let all = fields(
            &[
                "cache-control: no-store",
                "X-A: 1",
                "x-a:2",
                "Vary: Cookie",
                "Link: </a>",
                "Link: </b>",
                "/none=X-A: 3",
            ],
            "/",
        );
        let expected = [
            ("Vary", "Accept"),
            ("cache-control", "no-store"),
            ("x-a", "2"),
            ("Vary", "Cookie"),
            ("Link", "</a>"),
            ("Link", "</b>"),
        ];
        assert_eq!(all, pairs(&expected));
    }

    #[test]
    fn a_rule_with_a_glob_is_for_its_paths() {
        for (glob, path, matches) in [
            ("/assets/*", "/assets/a/b.js", true),
            ("/assets/*", "/assets", false),
            ("/assets/*", "/x/assets/a", false),
            ("*.js", "/a/b.js", true),
            ("/a b", "/a%20b", true),
            ("/?", "/a", true),
        ] {
            let found = fields(&[&format!("{glob}=X-A: b=c: d")], path);
            assert_eq!(
                found.contains(&("X-A".to_owned(), "b=c: d".to_owned())),
                matches,
                "{glob} {path}"
            );
        }
    }

    #[test]
    fn a_malformed_field_and_a_field_of_the_server_are_refused() {
        for text in [
            "",
            "X-A",
            ": a",
            "X A: b",
            "X-A: b\r\nX-B: c",
            "X-A: b\n",
            "X-A: b\0",
            "/a*=X-A",
            "content-length: 5",
            "Transfer-Encoding: chunked",
            "/*=Connection: close",
            "Date: now",
            "Proxy-Connection: close",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text:?}");
        }
    }
}
