//! Error answers a person can use: one plain sentence, in the form the client can read best.
//!
//! A sentence is always ours: no byte of the request, no path of the machine and no error of the system gets in.

use std::borrow::Cow;
use std::sync::LazyLock;

use bytes::Bytes;
use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Headers, Request, Response, list_elements, weight};
use crate::text::{LOOK, Template, push_html, push_json};

impl Response {
    /// An error response to `request` with `sentence`: a small page where its `Accept` field prefers HTML,
    /// `application/problem+json` (RFC 9457) where it prefers JSON, else one line of text. The page links to the root of
    /// the handler that was asked, and shows what stands between backticks as code; a path there that begins with a slash
    /// is a link, unless it is the one that was asked for. The sentence is the response's
    /// [explanation](Response::explanation) too.
    ///
    /// ```
    /// use sockeye::{Request, Response, StatusCode};
    ///
    /// let request = Request::get("/").with_header("Accept", "application/json");
    /// let problem = Response::problem(StatusCode::CONFLICT, "it was changed meanwhile", &request);
    /// assert_eq!(problem.headers().get("Content-Type"), Some("application/problem+json"));
    /// ```
    pub fn problem(
        status: StatusCode,
        sentence: impl Into<Cow<'static, str>>,
        request: &Request,
    ) -> Response {
        let sentence = sentence.into();
        let reason = status.canonical_reason().unwrap_or("Error");
        let code = status.as_str();
        let form = Form::preferred(request.headers());
        let body: Bytes = match form {
            Form::Text => [code, " ", reason, ": ", &sentence, "\n"].concat().into(),
            Form::Html => page(code, reason, &sentence, request).into(),
            Form::Json => json(code, reason, &sentence).into(),
        };
        Response::from_parts(status, FIELDS[form as usize].clone(), body).with_explanation(sentence)
    }
}

/// The fields of every error, by [`Form`].
static FIELDS: LazyLock<[Headers; 3]> = LazyLock::new(|| {
    let types = [
        "text/plain; charset=utf-8",
        "text/html; charset=utf-8",
        "application/problem+json",
    ];
    types.map(|media_type| {
        let fields = [
            ("Content-Type", media_type),
            ("X-Content-Type-Options", "nosniff"),
            ("Vary", "Accept"),
        ];
        let mut headers = Headers::new();
        for (name, value) in fields {
            headers.append(name, value).expect("they are valid");
        }
        headers
    })
});

/// Whether the client names JSON and likes nothing better.
pub(crate) fn prefers_json(headers: &Headers) -> bool {
    matches!(Form::preferred(headers), Form::Json)
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Html,
    Json,
}

/// What names a form in `Accept`.
const NAMES: [(&[&str], Form); 3] = [
    (&["text/html", "application/xhtml+xml"], Form::Html),
    (
        &[
            "application/problem+json",
            "application/json",
            "application/*",
        ],
        Form::Json,
    ),
    (&["text/plain", "text/*"], Form::Text),
];

impl Form {
    /// The form that the client likes best among those it names outright, the first of equals; `*/*` and silence
    /// mean text, which is what curl and a person with a terminal want.
    fn preferred(headers: &Headers) -> Form {
        let mut best = (0, Form::Text);
        for range in headers.all("Accept").flat_map(list_elements) {
            let mut parameters = range.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            let media_type = parameters.next().unwrap_or_default();
            let is = |name: &&str| media_type.eq_ignore_ascii_case(name.as_bytes());
            let named = NAMES.iter().find(|(names, _)| names.iter().any(is));
            let Some(&(_, form)) = named else { continue };
            let weight = parameters.find_map(weight).unwrap_or(1000);
            if weight > best.0 {
                best = (weight, form);
            }
        }
        best.1
    }
}

/// The members of RFC 9457.
fn json(status: &str, reason: &str, sentence: &str) -> Vec<u8> {
    let mut object = b"{\"type\":\"about:blank\",\"title\":".to_vec();
    push_json(&mut object, reason);
    object.extend_from_slice(format!(",\"status\":{status},\"detail\":").as_bytes());
    push_json(&mut object, sentence);
    object.extend_from_slice(b"}\n");
    object
}

/// The page, from a template in a file of its own.
fn page(status: &str, reason: &str, sentence: &str, request: &Request) -> Vec<u8> {
    static PAGE: LazyLock<Template> = LazyLock::new(|| Template::new(include_str!("problem.html")));
    let mut page = Vec::with_capacity(2048);
    PAGE.fill(&mut page, |page, name| match name {
        "look" => page.extend_from_slice(LOOK.as_bytes()),
        "status" => page.extend_from_slice(status.as_bytes()),
        "reason" => push_html(page, reason, false),
        "home" => push_html(page, request.prefix(), false),
        _ => push_sentence(page, sentence, request.target().path()),
    });
    page
}

/// What stands between two backticks is quoted, and leads to the path that it is, if that is not `asked`.
fn push_sentence(page: &mut Vec<u8>, sentence: &str, asked: &str) {
    let mut rest = sentence;
    while let Some((before, behind)) = rest.split_once('`')
        && let Some((quoted, after)) = behind.split_once('`')
    {
        push_html(page, before, false);
        let link = link(quoted, asked);
        if let Some(link) = &link {
            page.extend_from_slice(format!("<a href=\"{link}\">").as_bytes());
        }
        page.extend_from_slice(b"<code>");
        push_html(page, quoted, false);
        page.extend_from_slice(b"</code>");
        if link.is_some() {
            page.extend_from_slice(b"</a>");
        }
        rest = after;
    }
    push_html(page, rest, false);
}

/// Where a quoted path leads. Two slashes would begin the name of another host; a backslash is one to browsers, or
/// begins what stands for a character that is not shown.
fn link(quoted: &str, asked: &str) -> Option<String> {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.');
    let is_path = quoted.starts_with('/') && !quoted.starts_with("//") && !quoted.contains('\\');
    let is_asked = || percent_decode_str(asked).eq(quoted.bytes());
    (is_path && !is_asked()).then(|| utf8_percent_encode(quoted, KEPT).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: &str) -> String {
        let mut request = Request::get("/");
        if !accept.is_empty() {
            request = request.with_header("Accept", accept);
        }
        let response = Response::problem(StatusCode::NOT_FOUND, "there is nothing here", &request);
        response.headers().get("Content-Type").unwrap().to_owned()
    }

    #[test]
    fn the_client_chooses_the_form() {
        assert_eq!(form(""), "text/plain; charset=utf-8");
        assert_eq!(form("*/*"), "text/plain; charset=utf-8");
        assert_eq!(
            form("text/html,application/xhtml+xml,*/*;q=0.8"),
            "text/html; charset=utf-8"
        );
        assert_eq!(
            form("application/json, text/plain, */*"),
            "application/problem+json"
        );
        for json in [
            "text/html;q=0, application/problem+json",
            "text/html;q=0.1, application/json",
            "text/html;q=0.899,application/json;q=0.9",
            "text/html;q=lots, application/*;q=0.001",
        ] {
            assert_eq!(form(json), "application/problem+json", "{json}");
        }
        assert_eq!(
            form("application/json;q=0, */*"),
            "text/plain; charset=utf-8"
        );
    }

    #[test]
    fn a_backtick_that_quotes_nothing_is_shown() {
        for (sentence, shown) in [
            ("a`b", "a`b"),
            ("`a`b`", "<code>a</code>b`"),
            ("`<`` `", "<code>&lt;</code><code> </code>"),
        ] {
            let mut page = Vec::new();
            push_sentence(&mut page, sentence, "/");
            assert_eq!(String::from_utf8(page).unwrap(), shown);
        }
    }

    #[test]
    fn the_page_quotes_paths_and_leads_to_where_the_handler_is() {
        let request = Request::get("/a/b").with_header("Accept", "text/html");
        let request = request.with_route(2, std::iter::empty());
        let sentence = "there is `/a/<B>`; `--spa` would";
        let response = Response::problem(StatusCode::NOT_FOUND, sentence, &request);
        let page = response.into_text().unwrap();
        let shown = "<p>there is <a href=\"/a/%3CB%3E\"><code>/a/&lt;B&gt;</code></a>; <code>--spa</code> would</p>";
        assert!(page.contains(shown), "{page}");
        assert!(page.contains("<a href=\"/a/\">"), "{page}");
    }

    #[test]
    fn a_path_leads_to_itself_and_nowhere_else() {
        for (quoted, leads_to) in [
            ("/js/app.js", Some("/js/app.js")),
            ("/a b?#%.txt", Some("/a%20b%3F%23%25.txt")),
            ("/ä", Some("/%C3%A4")),
            ("/no one", None),
            ("//evil.test/", None),
            ("/\\evil.test/", None),
            ("/a\\u{a}b", None),
            ("javascript:x", None),
        ] {
            assert_eq!(link(quoted, "/no%20one").as_deref(), leads_to, "{quoted}");
        }
    }
}
