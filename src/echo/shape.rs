//! The answer as the query wishes it: `?status=418&delay=2s&header=X-A:b`.
//!
//! A link on any page may ask for this, so nothing can be asked for that acts on this site, on a proxy before it,
//! or on how the answer travels.

use std::time::Duration;

use crate::message::{Headers, Request, Response, StatusCode};
use crate::text::duration;

const DELAY_MAX: Duration = Duration::from_secs(60);
const FIELDS_MAX: usize = 8;

/// Fields that are the server's own, or an order to a browser or a proxy; an end of `-` means all that begin so.
const REFUSED: [&str; 26] = [
    "Date",
    "Content-",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "Proxy-",
    "TE",
    "Trailer",
    "Upgrade",
    "Set-Cookie",
    "Set-Cookie2",
    "Clear-Site-Data",
    "Access-Control-",
    "Cross-Origin-",
    "Service-Worker-",
    "Strict-Transport-Security",
    "WWW-Authenticate",
    "Refresh",
    "Link",
    "Alt-Svc",
    "NEL",
    "Report-To",
    "Reporting-Endpoints",
    "X-Accel-",
    "X-Sendfile",
    "X-Reproxy-",
];

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Shape {
    status: Option<StatusCode>,
    delay: Duration,
    headers: Headers,
}

impl Shape {
    /// What the query asks for, or a sentence about what is wrong with it.
    pub(super) fn of(request: &Request) -> Result<Shape, String> {
        let mut shape = Shape::default();
        if request.target().query().is_none() {
            return Ok(shape);
        }
        for (name, value) in request.query_pairs() {
            match &*name {
                "status" => shape.status = Some(status(&value)?),
                "delay" => shape.delay = delay(&value)?,
                "header" => shape.add(&value)?,
                _ => {}
            }
        }
        Ok(shape)
    }

    /// The response in this shape.
    pub(super) fn give(self, mut response: Response) -> Response {
        for (name, value) in self.headers.iter() {
            let fields = response.headers_mut();
            fields.append(name, value).expect("it was one before");
        }
        let status = self.status.unwrap_or(response.status());
        response.with_status(status).with_delay(self.delay)
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text
            .split_once(':')
            .ok_or("`header` is a name, a colon and a value, such as X-A:b")?;
        let value = value.trim_matches([' ', '\t']);
        let is_refused = REFUSED.iter().any(|refused| {
            let start = name.get(..refused.len());
            let begins = start.is_some_and(|start| start.eq_ignore_ascii_case(refused));
            begins && (refused.ends_with('-') || name.len() == refused.len())
        });
        if is_refused {
            return Err(format!("`{name}` is not to be asked for"));
        }
        // Browsers take a backslash for a slash, and leave tabs out.
        let leads_away =
            !value.starts_with('/') || value.starts_with("//") || value.contains(['\\', '\t']);
        if name.eq_ignore_ascii_case("Location") && leads_away {
            return Err("`Location` leads to a path on this host, such as /files/".to_owned());
        }
        if self.headers.len() == FIELDS_MAX {
            return Err(format!("at most {FIELDS_MAX} fields can be asked for"));
        }
        let added = self.headers.append(name, value);
        added.map_err(|error| error.to_string())
    }
}

fn status(text: &str) -> Result<StatusCode, String> {
    let status = text
        .parse()
        .ok()
        .filter(|number| (200..600).contains(number));
    let status = status.and_then(|number: u16| StatusCode::from_u16(number).ok());
    status.ok_or_else(|| "`status` is a number from 200 to 599".to_owned())
}

/// `2s`, `0.5s`, `250ms`, or seconds without a unit.
fn delay(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1e-3),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let delay = duration(digits, unit).filter(|delay| *delay <= DELAY_MAX);
    delay.ok_or_else(|| "`delay` is a time of at most 60s, such as 2s or 250ms".to_owned())
}
