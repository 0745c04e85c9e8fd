//! For how long caches may keep files without asking.

use std::str::FromStr;

use crate::handler::Handler;
use crate::message::{Request, Response, StatusCode};
use crate::middleware::EveryResponse;

// A year, which is what the standard calls forever.
const FOREVER: u32 = 31_536_000;

/// The value of `Cache-Control` for files.
///
/// ```
/// use sockeye::middleware::cache_control::CachePolicy;
///
/// assert_eq!("auto".parse(), Ok(CachePolicy::Auto));
/// assert_eq!("10m".parse(), Ok(CachePolicy::Seconds(600)));
/// assert_eq!(CachePolicy::default(), CachePolicy::NoCache);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CachePolicy {
    /// Caches keep files and ask each time whether they are still the same.
    #[default]
    NoCache,
    /// Caches keep nothing.
    Off,
    /// Names with a digest of their content are kept forever, pages are asked about, the rest is kept for an hour.
    Auto,
    /// Everything is kept for so many seconds.
    Seconds(u32),
}

impl FromStr for CachePolicy {
    type Err = String;

    /// `no-cache`, `off`, `auto`, or a time such as `3600`, `90s`, `10m`, `1h`, `7d`.
    fn from_str(text: &str) -> Result<CachePolicy, String> {
        match text {
            "no-cache" => return Ok(CachePolicy::NoCache),
            "off" => return Ok(CachePolicy::Off),
            "auto" => return Ok(CachePolicy::Auto),
            _ => {}
        }
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor = match &text[digits.len()..] {
            "" | "s" => Some(1),
            "m" => Some(60),
            "h" => Some(3600),
            "d" => Some(86_400),
            _ => None,
        };
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = digits.parse::<u32>().ok().filter(|_| is_number);
        let seconds = seconds
            .zip(factor)
            .and_then(|(count, factor)| count.checked_mul(factor));
        seconds
            .filter(|seconds| *seconds <= FOREVER)
            .map(CachePolicy::Seconds)
            .ok_or(
                "expected no-cache, off, auto, or a time up to 365d such as 3600, 10m, 1h or 7d"
                    .to_owned(),
            )
    }
}

/// Says `policy` of the files that `inside` serves. `private`: only to the cache of the one who asked.
///
/// ```
/// use sockeye::middleware::cache_control::with_cache_policy;
/// use sockeye::{Handler, Request, StaticFiles};
///
/// let site = with_cache_policy("1h".parse()?, false, StaticFiles::new("src")?);
/// let file = site.handle(&Request::get("/lib.rs"));
/// assert_eq!(file.headers().get("Cache-Control"), Some("public, max-age=3600"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn with_cache_policy(policy: CachePolicy, private: bool, inside: impl Handler) -> impl Handler {
    let scope = if private { "private" } else { "public" };
    let change = move |request: &Request, mut response: Response| {
        if is_file(&response) {
            let value = match (policy, kind(request.target().path())) {
                (CachePolicy::NoCache, _) | (CachePolicy::Auto, Kind::Page) => return response,
                (CachePolicy::Off, _) => "no-store".to_owned(),
                (CachePolicy::Auto, Kind::Digest) => {
                    format!("{scope}, max-age={FOREVER}, immutable")
                }
                (CachePolicy::Auto, Kind::Other) => format!("{scope}, max-age=3600"),
                (CachePolicy::Seconds(seconds), _) => format!("{scope}, max-age={seconds}"),
            };
            let valid = "made of words and digits of ours";
            response
                .headers_mut()
                .set("Cache-Control", value)
                .expect(valid);
        }
        response
    };
    EveryResponse::new(change, inside)
}

/// Listings, redirects and errors have no validators, or no status of success.
fn is_file(response: &Response) -> bool {
    let (status, headers) = (response.status(), response.headers());
    let has_content = matches!(
        status,
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
    );
    has_content && (headers.contains("ETag") || headers.contains("Last-Modified"))
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// HTML, and what has no extension: an index, or a page under a clean URL.
    Page,
    /// Its name changes with its content.
    Digest,
    Other,
}

fn kind(path: &str) -> Kind {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return Kind::Page;
    };
    let stem = match extension {
        "html" | "htm" | "xhtml" => return Kind::Page,
        // `app.3f9a2b1c.js.map` belongs to `app.3f9a2b1c.js`.
        "map" | "gz" | "br" | "zst" => stem.rsplit_once('.').map_or(stem, |(stem, _)| stem),
        _ => stem,
    };
    if has_digest(stem) {
        Kind::Digest
    } else {
        Kind::Other
    }
}

/// Whether a name ends in a content hash: webpack's hexadecimal digits after a dot or hyphen, or the eight characters
/// of base64url that Vite and esbuild put behind a hyphen. A word or a date is none: what is kept forever by mistake
/// stays wrong for a year, what is missed is asked for once an hour.
fn has_digest(stem: &str) -> bool {
    // `main.8d2f0a7b.chunk`: webpack's own words may follow.
    if stem.split(['.', '-']).skip(1).any(is_hexadecimal_digest) {
        return true;
    }
    let Some((rest, tail)) = stem
        .len()
        .checked_sub(8)
        .and_then(|at| stem.split_at_checked(at))
    else {
        return false;
    };
    let kind_of = |byte: u8| match byte {
        b'a'..=b'z' => Some('a'),
        b'A'..=b'Z' => Some('A'),
        b'0'..=b'9' => Some('0'),
        b'-' | b'_' => Some('-'),
        _ => None,
    };
    let Some(kinds) = tail.bytes().map(kind_of).collect::<Option<Vec<char>>>() else {
        return false;
    };
    // In words and numbers the kinds of characters change rarely: `Regular1` twice, `IMG12345` once.
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    rest.ends_with(['-', '.']) && changes >= 3
}

fn is_hexadecimal_digest(part: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| part.as_bytes().iter().any(kind);
    part.len() >= 8
        && part
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_hash_is_not_a_word_a_date_or_a_version() {
        for (path, expected) in [
            ("/app.3f9a2b1c.js", Kind::Digest),
            (
                "/static/js/main.8d2f0a7b4c1e9f3a5d60.chunk.js",
                Kind::Digest,
            ),
            ("/static/js/main.8d2f0a7b4c1e9f3a5d60.js", Kind::Digest),
            ("/static/js/main.8d2f0a7b.js.map", Kind::Digest),
            ("/assets/index-BxK3f9_a.js", Kind::Digest),
            ("/assets/index-B-K3f9xA.css", Kind::Digest),
            ("/assets/index-DiwrgTda.css", Kind::Digest),
            ("/assets/logo-3f9a2b1c.svg", Kind::Digest),
            ("/3f9a2b1c.js", Kind::Other),
            ("/my-document.js", Kind::Other),
            ("/font-Regular1.woff2", Kind::Other),
            ("/photo-IMG12345.jpg", Kind::Other),
            ("/log-20261121.txt", Kind::Other),
            ("/jquery-3.7.1.min.js", Kind::Other),
            ("/a.css", Kind::Other),
            ("/é-12345678é.js", Kind::Other),
            ("/", Kind::Page),
            ("/about", Kind::Page),
            ("/a.3f9a2b1c.html", Kind::Page),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }

    #[test]
    fn a_policy_is_a_word_or_a_time() {
        for (text, policy) in [
            ("no-cache", Some(CachePolicy::NoCache)),
            ("off", Some(CachePolicy::Off)),
            ("auto", Some(CachePolicy::Auto)),
            ("0", Some(CachePolicy::Seconds(0))),
            ("90s", Some(CachePolicy::Seconds(90))),
            ("10m", Some(CachePolicy::Seconds(600))),
            ("7d", Some(CachePolicy::Seconds(604_800))),
            ("366d", None),
            ("99999999d", None),
            ("-1", None),
            ("+1", None),
            ("1w", None),
            ("", None),
            ("h", None),
        ] {
            assert_eq!(text.parse::<CachePolicy>().ok(), policy, "{text}");
        }
    }
}
