//! What kind of bytes these are.
//!
//! By the name's extension, from `mime_guess`, with our corrections; where that is unknown, by a look at the
//! first bytes, which only ever yields "text" or "bytes": guessing more is how uploads turn into scripts.

use std::borrow::Cow;

/// How many of a file's first bytes are looked at.
pub(super) const SNIFFED: usize = 512;

/// Where `mime_guess` is silent, out of date, or takes source code for video.
#[rustfmt::skip]
const CORRECTIONS: &[(&[&str], &str)] = &[
    (&["mjs", "cjs"], "text/javascript"),
    (&["map"], "application/json"),
    (&["woff"], "font/woff"),
    (&["otf"], "font/otf"),
    (&["m3u8"], "application/vnd.apple.mpegurl"),
    (&["yaml", "yml"], "application/yaml"),
    (&["toml"], "application/toml"),
    (&["jsonl", "ndjson"], "application/x-ndjson"),
    (&["zst"], "application/zstd"),
    (&["ts", "mts", "cts", "tsx", "rs", "sh", "sql", "c", "h", "py", "go", "lock", "log"], "text/plain"),
];

/// The value of `Content-Type` for a file of this name that begins with `start`.
///
/// `others` are media types by extension that come before those that are known.
pub(super) fn content_type<'a>(
    name: &[u8],
    start: &[u8],
    others: &'a [(String, String)],
) -> Cow<'a, str> {
    let other = |extension: &str| {
        let mut others = others
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(extension));
        others.next().map(|(_, media_type)| media_type.as_str())
    };
    let known =
        extension(name).and_then(|extension| other(extension).or_else(|| by_extension(extension)));
    let media_type = known.unwrap_or(if looks_like_text(&start[..start.len().min(SNIFFED)]) {
        "text/plain"
    } else {
        "application/octet-stream"
    });
    match media_type {
        // Most text, without an allocation.
        "text/html" => "text/html; charset=utf-8".into(),
        "text/plain" => "text/plain; charset=utf-8".into(),
        "text/css" => "text/css; charset=utf-8".into(),
        "text/javascript" => "text/javascript; charset=utf-8".into(),
        text if text.starts_with("text/") && !text.contains(';') => {
            [text, "; charset=utf-8"].concat().into()
        }
        other => other.into(),
    }
}

/// What is worth compressing besides text.
#[rustfmt::skip]
const COMPRESSIBLE: &[&str] = &[
    "application/javascript", "application/json", "application/toml", "application/wasm", "application/x-javascript",
    "application/x-ndjson", "application/xml", "application/yaml", "font/otf", "font/ttf",
];

/// Whether bytes of this type mostly are much smaller compressed. Pictures, sound, video and archives are compressed already.
pub(super) fn is_compressible(media_type: &str) -> bool {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let mut suffixes = ["+json", "+xml"].iter();
    media_type.starts_with("text/")
        || suffixes.any(|suffix| media_type.ends_with(suffix))
        || COMPRESSIBLE.contains(&media_type)
}

fn extension(name: &[u8]) -> Option<&str> {
    let dot = memchr::memrchr(b'.', name).filter(|&dot| dot > 0)?;
    std::str::from_utf8(&name[dot + 1..]).ok()
}

fn by_extension(extension: &str) -> Option<&'static str> {
    CORRECTIONS
        .iter()
        .find(|(extensions, _)| extensions.iter().any(|e| e.eq_ignore_ascii_case(extension)))
        .map(|(_, media_type)| *media_type)
        .or_else(|| mime_guess::from_ext(extension).first_raw())
}

/// Whether the bytes are UTF-8 without NUL; a character may be cut off at their end.
fn looks_like_text(start: &[u8]) -> bool {
    !start.contains(&0)
        && match std::str::from_utf8(start) {
            Ok(_) => true,
            Err(error) => error.error_len().is_none(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("A.HTM", "text/html; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.MJS", "text/javascript; charset=utf-8"),
            ("a.cjs", "text/javascript; charset=utf-8"),
            ("a.js.map", "application/json"),
            ("a.json", "application/json"),
            ("a.wasm", "application/wasm"),
            ("a.svg", "image/svg+xml"),
            ("a.woff", "font/woff"),
            ("a.woff2", "font/woff2"),
            ("a.otf", "font/otf"),
            ("a.ts", "text/plain; charset=utf-8"),
            ("a.tsx", "text/plain; charset=utf-8"),
            ("a.rs", "text/plain; charset=utf-8"),
            ("a.md", "text/markdown; charset=utf-8"),
            ("a.mp4", "video/mp4"),
            ("a.avif", "image/avif"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.tar.gz", "application/gzip"),
            ("a.pdf", "application/pdf"),
        ] {
            assert_eq!(
                content_type(name.as_bytes(), b"\0", &[]),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn without_a_known_extension_the_first_bytes_decide() {
        let text = "text/plain; charset=utf-8";
        let bytes = "application/octet-stream";
        let cut = [&[b'a'; 511][..], "é".as_bytes()].concat();
        for (name, start, expected) in [
            (&b"README"[..], &b"hello"[..], text),
            (b"a.unheard-of", b"hello", text),
            (b"a.", b"<script>", text),
            (b".bashrc", b"alias", text),
            (b"a.\xff", b"hello", text),
            (b"empty", b"", text),
            (b"cut", &cut, text),
            (b"program", b"\x7fELF\0", bytes),
            (b"latin", b"caf\xe9 au lait", bytes),
        ] {
            assert_eq!(content_type(name, start, &[]), expected, "{name:?}");
        }
    }

    #[test]
    fn the_operators_types_come_first() {
        let others = [("FOO", "text/x-foo"), ("html", "text/html; charset=koi8-r")];
        let others =
            others.map(|(extension, media_type)| (extension.to_owned(), media_type.to_owned()));
        for (name, expected) in [
            ("a.foo", "text/x-foo; charset=utf-8"),
            ("a.html", "text/html; charset=koi8-r"),
            ("a.css", "text/css; charset=utf-8"),
        ] {
            assert_eq!(
                content_type(name.as_bytes(), b"", &others),
                expected,
                "{name}"
            );
        }
    }
}
