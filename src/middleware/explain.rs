//! A 404 that explains itself, to the person at this machine.
//!
//! A remote learns nothing: the request must come from this machine, under one of its loopback names, through no
//! proxy (whose clients all seem to come from this machine) and from no page of another site. What forwards bare bytes from
//! elsewhere, as `socat` does, gives no sign of itself: who names `localhost` through it is taken for this machine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::handler::Handler;
use crate::message::{Method, Request, Response, StatusCode, Version};
use crate::middleware::EveryError;
use crate::middleware::host_guard::is_loopback_name;
use crate::sync::unpoisoned;

// What the fields begin with in which proxies and tunnels name their client.
const FORWARDED: [&str; 6] = [
    "Forwarded",
    "Via",
    "X-Forwarded-",
    "X-Real-IP",
    "CF-Connecting-IP",
    "True-Client-IP",
];

/// What the sentence of a 404 begins with that is explained.
pub(super) const EXPLAINED: &str = "there is nothing here; ";

// How many look-ups there are in a second; they read directories.
const LOOKS_MAX: u32 = 20;

// How many paths are named at the end.
const SHOWN_MAX: usize = 5;

// A longer path is of no use to a reader.
const PATH_BYTES_MAX: usize = 200;

// How many paths are remembered.
const PATHS_MAX: usize = 256;

/// What was missing, for the person who serves; shared with the middleware that [`explained`] makes.
///
/// ```
/// use sockeye::middleware::explain::{Missing, explained};
/// use sockeye::{Handler, Request, Router};
///
/// let missing = Missing::default();
/// let site = explained(missing.clone(), |_, _| None, Router::new());
/// assert_eq!(missing.sentence(), None);
/// let asked = Request::get("/app.js").with_header("Host", "localhost").with_peer(([127, 0, 0, 1], 5).into());
/// site.handle(&asked);
/// assert_eq!(missing.sentence().as_deref(), Some("asked for and not here: /app.js"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Missing {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    paths: HashMap<String, Path>,
    looks: u32,
    since: Option<Instant>,
}

#[derive(Debug)]
struct Path {
    count: u64,
    explanation: Option<String>,
    at: Instant,
}

impl Missing {
    /// The paths that were asked for most and are not there, in one sentence; `None` if there are none.
    pub fn sentence(&self) -> Option<String> {
        let state = unpoisoned(self.state.lock());
        let mut paths: Vec<_> = state.paths.iter().collect();
        paths.sort_by(|(a, times), (b, others)| others.count.cmp(&times.count).then(a.cmp(b)));
        let shown = paths
            .iter()
            .take(SHOWN_MAX)
            .map(|(path, known)| match known.count {
                1 => (*path).clone(),
                count => format!("{path} ({count} times)"),
            });
        let shown = shown.collect::<Vec<_>>().join(", ");
        let more = match paths.len().saturating_sub(SHOWN_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!shown.is_empty()).then(|| format!("asked for and not here: {shown}{more}"))
    }

    /// The explanation for `path`, looked up at most once a second; and logged the first time, unless it was logged already.
    fn explanation(
        &self,
        (path, now): (&str, Instant),
        explain: impl Fn() -> Option<Explanation>,
    ) -> Option<String> {
        let mut state = unpoisoned(self.state.lock());
        let is_fresh = |at: Instant| now - at < Duration::from_secs(1);
        if let Some(known) = state.paths.get_mut(path) {
            known.count += 1;
            if is_fresh(known.at) {
                return known.explanation.clone();
            }
        }
        if !state.since.is_some_and(is_fresh) {
            (state.since, state.looks) = (Some(now), 0);
        }
        if state.looks == LOOKS_MAX {
            return None;
        }
        state.looks += 1;
        // Other requests do not wait while the disk is read.
        drop(state);
        let found = explain();
        let is_logged = found.as_ref().is_some_and(|found| found.is_logged);
        let explanation = found.map(|found| found.sentence);
        let mut state = unpoisoned(self.state.lock());
        let is_known = state.paths.contains_key(path);
        let is_new = !is_known && state.paths.len() < PATHS_MAX;
        if is_known || is_new {
            let known = state.paths.entry(path.to_owned()).or_insert(Path {
                count: 1,
                explanation: None,
                at: now,
            });
            (known.explanation, known.at) = (explanation.clone(), now);
        }
        if let Some(explanation) = explanation.as_ref().filter(|_| is_new && !is_logged) {
            tracing::info!(target: "sockeye", "{path} is not here: {explanation}");
        }
        explanation
    }
}

/// Why something is missing.
///
/// ```
/// use sockeye::middleware::explain::Explanation;
///
/// let explanation = Explanation::from("there is `/app.js`: letter case".to_owned());
/// assert!(!explanation.is_logged);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Why, and what would help.
    pub sentence: String,
    /// Whether the log says it already.
    pub is_logged: bool,
}

impl From<String> for Explanation {
    /// One that the log does not know.
    fn from(sentence: String) -> Explanation {
        Explanation {
            sentence,
            is_logged: false,
        }
    }
}

/// Lets the 404s of `inside` say what `explain` knows of their request's path and its prefix, which it may look up on the
/// disk.
///
/// ```
/// use sockeye::middleware::explain::{Missing, explained};
/// use sockeye::{Handler, Request, Router};
///
/// let explain = |path: &str, _: &str| path.ends_with(".JS").then(|| "letter case".to_owned().into());
/// let site = explained(Missing::default(), explain, Router::new());
/// let local = "127.0.0.1:5".parse().expect("an address");
/// let asked = Request::get("/app.JS").with_peer(local).with_header("Host", "localhost");
/// assert!(site.handle(&asked).into_text()?.contains("letter case"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn explained<H: Handler>(
    missing: Missing,
    explain: impl Fn(&str, &str) -> Option<Explanation> + Send + Sync + 'static,
    inside: H,
) -> impl Handler {
    let add = move |request: &Request, response: &mut Response, _: &H| {
        let path = request.target().path();
        if response.status() != StatusCode::NOT_FOUND
            || path.len() > PATH_BYTES_MAX
            || !is_from_this_machine(request)
            || request.is_probe()
        {
            return;
        }
        let explain = || explain(request.path(), request.prefix());
        let now = request.received().unwrap_or_else(Instant::now);
        if let Some(explanation) = missing.explanation((path, now), explain) {
            let sentence = format!("{EXPLAINED}{explanation}");
            *response = Response::problem(StatusCode::NOT_FOUND, sentence, request);
        }
    };
    EveryError::new(add, inside)
}

/// Whether it comes from this machine, under one of its loopback names, through no proxy and from no page of another site.
///
/// Most proxies name their client in a field. nginx with nothing but `proxy_pass` sends none, puts the address it connects
/// to in `Host`, and speaks HTTP/1.0, which browsers and curl do not.
pub(crate) fn is_from_this_machine(request: &Request) -> bool {
    let headers = request.headers();
    let is_forwarded = |name: &str| {
        FORWARDED.iter().any(|begin| {
            let start = name.get(..begin.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(begin))
        })
    };
    matches!(*request.method(), Method::GET | Method::HEAD)
        && request.version() == Version::Http11
        && request
            .peer()
            .is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && request.authority().is_some_and(is_loopback_name)
        && headers.get("Sec-Fetch-Site") != Some("cross-site")
        && !headers.iter().any(|(name, _)| is_forwarded(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Body;

    fn site(missing: &Missing) -> impl Handler {
        let inside =
            |request: &Request| Response::problem(StatusCode::NOT_FOUND, "nothing", request);
        let explain =
            |path: &str, _: &str| (path != "/unknown").then(|| format!("why {path}").into());
        explained(missing.clone(), explain, inside)
    }

    fn local(path: &str) -> Request {
        let mut request = Request::get(path).with_header("Host", "localhost:80");
        request.peer = Some(([127, 0, 0, 1], 1).into());
        request
    }

    fn is_explained(site: &impl Handler, request: &Request) -> bool {
        let response = site.handle(request);
        matches!(response.body(), Body::Bytes(bytes) if bytes.windows(3).any(|three| three == b"why"))
    }

    #[test]
    fn only_a_request_from_this_machine_is_explained() {
        let missing = Missing::default();
        let site = site(&missing);
        assert!(is_explained(&site, &local("/a")));
        assert!(!is_explained(&site, &local("/unknown")));
        assert!(!is_explained(&site, &local("/favicon.ico")));
        for (name, value) in [
            ("Sec-Fetch-Site", "cross-site"),
            ("X-Forwarded-For", "192.0.2.1"),
            ("Via", "1.1 a"),
            ("x-forwarded-proto", "https"),
            ("True-Client-IP", "192.0.2.1"),
        ] {
            assert!(
                !is_explained(&site, &local("/a").with_header(name, value)),
                "{name}"
            );
        }
        let mut remote = local("/a");
        remote.peer = Some(([192, 0, 2, 1], 1).into());
        assert!(!is_explained(&site, &remote));
        let mut bare_nginx = local("/a").with_header("Connection", "close");
        bare_nginx.version = Version::Http10;
        assert!(!is_explained(&site, &bare_nginx));
        let mut other_name = Request::get("/a").with_header("Host", "dev.test");
        other_name.peer = Some(([127, 0, 0, 1], 1).into());
        assert!(!is_explained(&site, &other_name));
        is_explained(&site, &local("/a"));
        let sentence = "asked for and not here: /a (2 times), /unknown";
        assert_eq!(missing.sentence().as_deref(), Some(sentence));
    }

    #[test]
    fn there_are_only_so_many_look_ups_at_once() {
        let missing = Missing::default();
        let site = site(&missing);
        let told = (0..100)
            .filter(|number| is_explained(&site, &local(&format!("/{number}"))))
            .count();
        assert!((20..100).contains(&told), "{told}");
        assert!(missing.sentence().unwrap().ends_with(" more"));
    }
}
