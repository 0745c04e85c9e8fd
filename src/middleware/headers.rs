//! Fields that the operator wants with responses: `Name: value`, or `/assets/*=Name: value` for some paths.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use percent_encoding::percent_decode_str;
use wildmatch::WildMatch;

use crate::handler::Handler;
use crate::message::{Headers, Request, Response};
use crate::middleware::EveryResponse;

/// Fields that follow from the body and the connection, or that the server writes with every response.
const RESERVED: [&str; 9] = [
    "Connection",
    "Content-Length",
    "Date",
    "Keep-Alive",
    "Server",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

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
        if RESERVED
            .iter()
            .any(|reserved| reserved.eq_ignore_ascii_case(name))
        {
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
}

/// Adds the fields of `rules` to every response of `inside`. They replace fields of the same name, which is logged
/// once for each rule; only `Vary` is added to.
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
        let chosen = || {
            rules
                .iter()
                .zip(&logged)
                .filter(|(rule, _)| rule.matches(&path))
        };
        for (rule, is_logged) in
            chosen().filter(|(rule, _)| !rule.name.eq_ignore_ascii_case("Vary"))
        {
            replace(rule, is_logged, response.headers_mut());
        }
        for (rule, _) in chosen() {
            let valid = "it was checked when it was read";
            response
                .headers_mut()
                .append(&rule.name, &rule.value)
                .expect(valid);
        }
        response
    };
    EveryResponse::new(add, inside)
}

fn replace(rule: &Rule, is_logged: &AtomicBool, headers: &mut Headers) {
    let Some(ours) = headers.get(&rule.name).map(str::to_owned) else {
        return;
    };
    headers.remove(&rule.name);
    if ours != rule.value && !is_logged.swap(true, Ordering::Relaxed) {
        let Rule { name, value, .. } = rule;
        tracing::info!(target: "sockeye", "--header replaces `{name}: {ours}` by `{name}: {value}`");
    }
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
    fn a_rule_replaces_the_servers_field_and_several_of_one_name_stay() {
        let all = fields(
            &["cache-control: no-store", "X-A: 1", "X-A:2", "Vary: Cookie"],
            "/",
        );
        let expected = [
            ("Vary", "Accept"),
            ("cache-control", "no-store"),
            ("X-A", "1"),
            ("X-A", "2"),
            ("Vary", "Cookie"),
        ];
        // A later rule of one name must not take away an earlier one.
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
            "Server: other",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text:?}");
        }
    }
}
