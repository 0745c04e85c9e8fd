//! Paths and patterns in the one form in which they are compared.
//!
//! A path is decoded before it is compared, so that `/%68ello` is `/hello`. A slash that was written `%2F` does not
//! separate segments, and stays written so until a parameter is taken out; so does `%25`, to differ from a `%` that
//! begins such an escape.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The rest of a path under which a handler is nested. No pattern can hold this name.
const REST: &str = "\u{0}rest";

/// A path as it is compared. `None` if it is not UTF-8 once it is decoded: then no route fits.
pub(super) fn comparable(path: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'%', path.as_bytes()).is_none() {
        return Some(Cow::Borrowed(path));
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, escaped(after)) {
            (b'%', Some(b'/')) => decoded.extend_from_slice(b"%2F"),
            // An escape of nothing is a percent sign, as it would be to who decodes it.
            (b'%', None) => decoded.extend_from_slice(b"%25"),
            (b'%', Some(b'%')) => decoded.extend_from_slice(b"%25"),
            (b'%', Some(byte)) => decoded.push(byte),
            (byte, _) => decoded.push(*byte),
        }
        if *byte == b'%' && escaped(after).is_some() {
            rest = &after[2..];
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// The byte whose two hexadecimal digits come first.
fn escaped(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// The bytes after the first slash with which some pattern begins: most requests for a file fit none, and need no
/// search.
#[derive(Debug)]
pub(super) struct Beginnings([bool; 256]);

impl Default for Beginnings {
    fn default() -> Beginnings {
        Beginnings([false; 256])
    }
}

impl Beginnings {
    pub(super) fn insert(&mut self, checked: &str) {
        match checked.as_bytes() {
            [_, b'{', b'{', ..] => self.0[usize::from(b'{')] = true,
            [_, b'{', ..] => self.0 = [true; 256],
            [_, b'}', b'}', ..] => self.0[usize::from(b'}')] = true,
            bytes => self.0[usize::from(second(bytes))] = true,
        }
    }

    #[inline]
    pub(super) fn may_fit(&self, comparable: &str) -> bool {
        self.0[usize::from(second(comparable.as_bytes()))]
    }
}

/// The byte after the slash; 0 where there is none.
fn second(path: &[u8]) -> u8 {
    path.get(1).copied().unwrap_or_default()
}

/// A parameter's value, decoded all the way.
pub(super) fn decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

/// A route's pattern as paths are compared with it.
///
/// # Panics
///
/// If it does not begin with a slash, or has a parameter in another router's manner.
#[track_caller]
pub(super) fn checked(pattern: &str) -> String {
    assert!(
        pattern.starts_with('/'),
        "the route `{pattern}` must begin with a slash"
    );
    for segment in pattern.split('/') {
        let (old, new) = match segment.as_bytes() {
            [b':', ..] => (segment, format!("{{{}}}", &segment[1..])),
            [b'*', ..] => (segment, format!("{{*{}}}", &segment[1..])),
            _ => continue,
        };
        panic!(
            "the route `{pattern}` would match `{old}` to the letter; a parameter is written `{new}`"
        );
    }
    pattern.replace('%', "%25")
}

/// The patterns of everything under `prefix`: itself, with a slash, and whatever comes after that.
pub(super) fn patterns_under(prefix: &str) -> Vec<String> {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let mut patterns = vec![format!("{prefix}/"), format!("{prefix}/{{*{REST}}}")];
    if !prefix.is_empty() {
        patterns.push(prefix.to_owned());
    }
    patterns
}

/// Whether a parameter is the author's.
pub(super) fn is_named(name: &str) -> bool {
    name != REST
}

/// A checked pattern as its author wrote it.
pub(super) fn shown(checked: &str) -> String {
    let rest = format!("{{*{REST}}}");
    checked.replace(&rest, "").replace("%25", "%")
}

/// How many segments a prefix has.
pub(super) fn segments(prefix: &str) -> usize {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    prefix.matches('/').count()
}

/// How many bytes of `path` its first segments are.
pub(super) fn bytes_of_segments(path: &str, segments: usize) -> usize {
    let mut slashes = memchr::memchr_iter(b'/', path.as_bytes());
    slashes.nth(segments).unwrap_or(path.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_an_escaped_slash_does_not_separate_segments() {
        for (path, comparison, value) in [
            ("/a", "/a", "/a"),
            ("/%68i", "/hi", "/hi"),
            ("/caf%C3%A9", "/café", "/café"),
            ("/a%2Fb%2fc", "/a%2Fb%2Fc", "/a/b/c"),
            ("/100%25", "/100%25", "/100%"),
            ("/%252F", "/%252F", "/%2F"),
            ("/%", "/%25", "/%"),
            ("/%zz%4", "/%25zz%254", "/%zz%4"),
        ] {
            let compared = comparable(path).unwrap();
            assert_eq!(compared, comparison);
            assert_eq!(decoded(&compared), value);
        }
        assert_eq!(comparable("/%FF"), None);
    }

    #[test]
    fn a_prefix_is_as_long_as_its_segments_however_they_are_written() {
        for (path, count, bytes) in [
            ("/static/a", 1, 7),
            ("/static", 1, 7),
            ("/st%61tic/a/b", 1, 9),
            ("/a%2Fb/c", 1, 6),
            ("/a/b/", 2, 4),
            ("/a", 0, 0),
        ] {
            assert_eq!(bytes_of_segments(path, count), bytes, "{path}");
        }
        assert_eq!(
            (segments("/"), segments("/a/"), segments("/a/b")),
            (0, 1, 2)
        );
    }
}
