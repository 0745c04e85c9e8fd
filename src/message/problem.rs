//! Error answers a person can use: one plain sentence, in the form the client can read best.
//!
//! A sentence is always ours: no byte of the request, no path of the machine and no error of the system gets in.

use http::StatusCode;

use super::{Headers, Response, list_elements};

impl Response {
    /// An error answer that says `sentence`: a small page where the client (by its `Accept` field) prefers HTML,
    /// `application/problem+json` (RFC 9457) where it asks for JSON, else one line of text.
    pub fn problem(status: StatusCode, sentence: &str, client: &Headers) -> Response {
        let reason = status.canonical_reason().unwrap_or("Error");
        let (media_type, body) = match Form::preferred(client) {
            Form::Text => (
                "text/plain; charset=utf-8",
                format!("{} {reason}: {sentence}\n", status.as_u16()),
            ),
            Form::Html => (
                "text/html; charset=utf-8",
                page(status.as_u16(), reason, sentence),
            ),
            Form::Json => (
                "application/problem+json",
                format!(
                    "{{\"type\":\"about:blank\",\"title\":\"{reason}\",\"status\":{},\"detail\":\"{}\"}}\n",
                    status.as_u16(),
                    sentence.replace('\\', "\\\\").replace('"', "\\\"")
                ),
            ),
        };
        Response::new(status)
            .with_header("Content-Type", media_type)
            .with_header("X-Content-Type-Options", "nosniff")
            .with_header("Vary", "Accept")
            .with_body(body)
    }
}

enum Form {
    Text,
    Html,
    Json,
}

impl Form {
    /// The form that stands first among those the client names outright; `*/*` and silence mean text, which is
    /// what curl and a person with a terminal want.
    fn preferred(client: &Headers) -> Form {
        for range in client.all("Accept").flat_map(list_elements) {
            let mut parameters = range.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            let media_type = parameters.next().unwrap_or_default();
            let is_refused =
                parameters.any(|p| matches!(p, b"q=0" | b"q=0.0" | b"q=0.00" | b"q=0.000"));
            let is = |name: &str| !is_refused && media_type.eq_ignore_ascii_case(name.as_bytes());
            if is("text/html") || is("application/xhtml+xml") {
                return Form::Html;
            }
            if is("application/problem+json") || is("application/json") {
                return Form::Json;
            }
            if is("text/plain") || is("text/*") {
                return Form::Text;
            }
        }
        Form::Text
    }
}

fn page(status: u16, reason: &str, sentence: &str) -> String {
    let sentence = sentence
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{status} {reason}</title>\n\
         <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;\
         margin:15vh auto;padding:0 1rem}}h1{{font-weight:600}}</style>\n\
         <h1>{status} {reason}</h1>\n<p>{sentence}</p>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: &str) -> String {
        let mut client = Headers::new();
        if !accept.is_empty() {
            client.append("Accept", accept).unwrap();
        }
        let response = Response::problem(StatusCode::NOT_FOUND, "there is nothing here", &client);
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
        assert_eq!(
            form("text/html;q=0, application/problem+json"),
            "application/problem+json"
        );
    }
}
