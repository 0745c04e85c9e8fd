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

/// Fields that say how a file's bytes are to be read: those of an error's page are others.
const OF_CONTENT: [&str; 2] = ["Content-Encoding", "Content-Type"];

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
    fn is_for(&self, path: &str, response: &Response) -> bool {
        self.glob.as_ref().is_none_or(|glob| glob.matches(path)) && self.is_true_of(response)
    }

    /// Several parts of a file have a media type of their own, which says where each ends.
    fn is_true_of(&self, response: &Response) -> bool {
        let status = response.status();
        let media_type = response.headers().get("Content-Type");
        let is_of_parts = media_type.is_some_and(|it| it.starts_with("multipart/byteranges"));
        let is_error = status.is_client_error() || status.is_server_error();
        !is_one_of(&OF_CONTENT, &self.name) || !(is_error || is_of_parts)
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
/// `Content-Type` and `Content-Encoding` are of a file: errors, and several parts of a file in one answer, keep their own.
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
        for (rule, is_logged) in rules.iter().zip(&logged) {
            if rule.is_for(&path, &response) {
                rule.apply(is_logged, response.headers_mut());
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
    use crate::message::StatusCode;

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
    fn what_a_rule_says_of_a_files_content_is_not_said_of_an_error_or_of_several_parts() {
        let shown = |status: u16, media_type: &'static str| {
            let rules = ["Content-Type: a/b", "Content-Encoding: gzip", "X-A: 1"];
            let rules = rules.map(|rule| rule.parse().unwrap()).to_vec();
            let inside = move |_: &Request| {
                Response::new(StatusCode::from_u16(status).unwrap())
                    .with_header("Content-Type", media_type)
            };
            let response = with_headers(rules, inside).handle(&Request::get("/"));
            let value = |name| response.headers().get(name).unwrap_or("-").to_owned();
            ["Content-Type", "Content-Encoding", "X-A"].map(value)
        };
        for status in [404, 416, 502] {
            assert_eq!(shown(status, "text/html"), ["text/html", "-", "1"]);
        }
        let several = "multipart/byteranges; boundary=x";
        assert_eq!(shown(206, several), [several, "-", "1"]);
        for status in [200, 206, 304] {
            assert_eq!(shown(status, "text/html"), ["a/b", "gzip", "1"]);
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
