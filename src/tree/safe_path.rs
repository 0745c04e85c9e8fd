//! A URL's path, turned into a path that cannot climb out.
//!
//! It is decoded once, cut into names once, and its dot segments are resolved once; nothing behind this file decodes,
//! splits or joins what a client wrote. Pure: whether the file is there, and whether a link in it leads away, is the
//! root's business.

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// All but the unreserved characters of RFC 3986 §2.3: right in a path, in a `Location` and in an HTML attribute.
const NOT_IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A path relative to the root: no `..`, no empty name, no NUL, not absolute. The root itself is `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SafePath {
    relative: CString,
    names_directory: bool,
}

/// Why a URL's path is none of ours. A wrong spelling, never a matter of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathError {
    /// It does not begin with a slash.
    NotAbsolute,
    /// `%` without two hexadecimal digits behind it.
    MalformedEscape,
    /// An escaped NUL or slash, or a backslash where another system would take it for a separator.
    ForbiddenEscape,
    /// `..` more often than there are names to leave.
    AboveRoot,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PathError::NotAbsolute => "the path must begin with a slash",
            PathError::MalformedEscape => {
                "a percent sign in the path must be followed by two hexadecimal digits"
            }
            PathError::ForbiddenEscape => "the path holds an escape that no name may contain",
            PathError::AboveRoot => "the path leads above the root",
        })
    }
}

impl SafePath {
    /// Reads the path of a request target, still percent-encoded. Repeated slashes count once.
    pub(crate) fn from_url(path: &str) -> Result<SafePath, PathError> {
        let segments = path.strip_prefix('/').ok_or(PathError::NotAbsolute)?;
        // With the NUL that ends it this is the longest that it can be.
        let mut relative = Vec::with_capacity(path.len());
        let mut names_directory = true;
        for segment in segments.split('/') {
            let name = decode(segment)?;
            names_directory = true;
            match &name[..] {
                b"" | b"." => {}
                b".." if relative.is_empty() => return Err(PathError::AboveRoot),
                b".." => relative.truncate(memchr::memrchr(b'/', &relative).unwrap_or(0)),
                name => {
                    if !relative.is_empty() {
                        relative.push(b'/');
                    }
                    relative.extend_from_slice(name);
                    names_directory = false;
                }
            }
        }
        if relative.is_empty() {
            relative.push(b'.');
        }
        Ok(SafePath {
            relative: CString::new(relative).expect("a name with a NUL was refused"),
            names_directory,
        })
    }

    /// The path beneath the root, as the file system wants it.
    pub(crate) fn as_c_str(&self) -> &CStr {
        &self.relative
    }

    /// The same, for who keeps it.
    pub(crate) fn into_c_string(self) -> CString {
        self.relative
    }

    /// Whether the URL ends in a slash, and so can only mean a directory.
    pub(crate) fn names_directory(&self) -> bool {
        self.names_directory
    }

    /// Whether a name begins with a dot. `/.well-known/` is not hidden (RFC 8615), what hides in it is.
    pub(crate) fn is_hidden(&self) -> bool {
        let shown = self.names().next() == Some(b".well-known");
        self.names()
            .skip(usize::from(shown))
            .any(|name| name.first() == Some(&b'.'))
    }

    /// The names from the root down.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.relative
            .to_bytes()
            .split(|&byte| byte == b'/')
            .filter(|name| name != b".")
    }

    /// The path of an entry of this directory; `name` is one name as the file system gave it.
    pub(crate) fn entry(&self, name: &CStr) -> CString {
        let mut path = self.relative.to_bytes().to_vec();
        path.push(b'/');
        path.extend_from_slice(name.to_bytes());
        CString::new(path).expect("neither part holds a NUL")
    }

    /// The path of the page whose clean URL this is: the same and `.html`.
    pub(crate) fn page(&self) -> CString {
        let path = [self.relative.to_bytes(), b".html"].concat();
        CString::new(path).expect("neither part holds a NUL")
    }

    /// The one URL of this directory: path-absolute, ending in a slash, and since no name is empty and every odd
    /// character is escaped, without a second slash or backslash that would make it another host's.
    pub(crate) fn directory_url(&self) -> String {
        let mut url = String::from("/");
        for name in self.names() {
            url.extend(encode(name));
            url.push('/');
        }
        url
    }
}

/// One name as it stands in a URL.
pub(crate) fn encode(name: &[u8]) -> impl Iterator<Item = &str> {
    percent_encode(name, NOT_IN_NAMES)
}

fn decode(segment: &str) -> Result<Cow<'_, [u8]>, PathError> {
    let bytes = segment.as_bytes();
    let is_whole = |at: usize| matches!(bytes.get(at + 1..at + 3), Some(digits) if digits.iter().all(u8::is_ascii_hexdigit));
    if !memchr::memchr_iter(b'%', bytes).all(is_whole) {
        return Err(PathError::MalformedEscape);
    }
    let name: Cow<[u8]> = percent_decode_str(segment).into();
    if memchr::memchr2(0, b'/', &name).is_some() || is_path_elsewhere(&name) {
        return Err(PathError::ForbiddenEscape);
    }
    Ok(name)
}

/// Whether a name is a way out where backslashes separate: `..\a`, `\\host`, `c:\a`.
///
/// Here a backslash is a letter like any other, and a file called `a\b` can exist. But there is no honest use for
/// these, and they must not reach a file system that reads them otherwise, such as a mounted Windows share.
pub(crate) fn is_path_elsewhere(name: &[u8]) -> bool {
    if !name.contains(&b'\\') {
        return false;
    }
    let mut pieces = name.split(|&byte| byte == b'\\');
    let first = pieces.next().unwrap_or_default();
    (matches!(first, b"" | b"." | b".." | [_, b':'])
        || pieces.any(|piece| matches!(piece, b"." | b"..")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn relative(url: &str) -> Result<String, PathError> {
        SafePath::from_url(url).map(|path| String::from_utf8_lossy(path.relative.to_bytes()).into())
    }

    #[test]
    fn a_path_is_decoded_once_and_tidied() {
        for (url, path, names_directory) in [
            ("/", ".", true),
            ("//", ".", true),
            ("/a", "a", false),
            ("/a/", "a", true),
            ("//a///b", "a/b", false),
            ("/a/./b/../c", "a/c", false),
            ("/a/..", ".", true),
            ("/a/b/.", "a/b", true),
            ("/%61%2e%2E", "a..", false),
            ("/a/%2e%2e/b", "b", false),
            ("/%252e%252e/a", "%2e%2e/a", false),
            ("/a;b=c", "a;b=c", false),
            ("/a+b", "a+b", false),
            ("/...", "...", false),
            ("/a%5Cb", "a\\b", false),
            ("/a%5C", "a\\", false),
            ("/%E9", "\u{fffd}", false),
        ] {
            assert_eq!(relative(url).as_deref(), Ok(path), "{url}");
            let safe = SafePath::from_url(url).unwrap();
            assert_eq!(safe.names_directory(), names_directory, "{url}");
        }
    }

    #[test]
    fn an_invalid_path_is_refused() {
        for (url, error) in [
            ("", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
            ("a/b", PathError::NotAbsolute),
            ("/%", PathError::MalformedEscape),
            ("/%2", PathError::MalformedEscape),
            ("/%zz", PathError::MalformedEscape),
            ("/%+1", PathError::MalformedEscape),
            ("/a%00b", PathError::ForbiddenEscape),
            ("/a%2fb", PathError::ForbiddenEscape),
            ("/..%2f..%2fetc", PathError::ForbiddenEscape),
            ("/..%5c..%5cetc", PathError::ForbiddenEscape),
            ("/%5cevil.example", PathError::ForbiddenEscape),
            ("/a%5c..", PathError::ForbiddenEscape),
            ("/c:%5ca", PathError::ForbiddenEscape),
            ("/..", PathError::AboveRoot),
            ("/%2e%2E/etc/passwd", PathError::AboveRoot),
            ("/a/../../b", PathError::AboveRoot),
        ] {
            assert_eq!(relative(url), Err(error), "{url}");
        }
    }

    #[test]
    fn dotfiles_are_hidden_but_for_well_known() {
        for (url, is_hidden) in [
            ("/", false),
            ("/a/b.c", false),
            ("/.git/config", true),
            ("/a/.env", true),
            ("/%2egit", true),
            ("/.git/../a", false),
            ("/.well-known", false),
            ("/.well-known/security.txt", false),
            ("/.well-known/.env", true),
            ("/a/.well-known/b", true),
        ] {
            assert_eq!(
                SafePath::from_url(url).unwrap().is_hidden(),
                is_hidden,
                "{url}"
            );
        }
    }

    #[test]
    fn a_directorys_url_stays_on_this_host() {
        for (url, location) in [
            ("/", "/"),
            ("//evil.example", "/evil.example/"),
            (
                "//evil.example/%0d%0aX:%20y",
                "/evil.example/%0D%0AX%3A%20y/",
            ),
            ("/a/..//b", "/b/"),
            ("/%C3%A9", "/%C3%A9/"),
        ] {
            assert_eq!(SafePath::from_url(url).unwrap().directory_url(), location);
        }
    }

    proptest! {
        #[test]
        fn no_url_climbs_out(url in "(/|%2[eEfF]|%5[cC]|%00|\\.|[a-z%]|%[0-9a-f]{2}|\\PC){0,40}") {
            if let Ok(path) = SafePath::from_url(&format!("/{url}")) {
                let relative = path.as_c_str().to_bytes();
                prop_assert!(!relative.is_empty() && relative[0] != b'/');
                if relative != b"." {
                    for name in relative.split(|&byte| byte == b'/') {
                        prop_assert!(!matches!(name, b"" | b"." | b".."), "{name:?}");
                    }
                }
                let location = path.directory_url();
                prop_assert!(!location.starts_with("//") && !location.contains(['\\', '\r', '\n']));
                prop_assert_eq!(SafePath::from_url(&location).unwrap().relative, path.relative);
            }
        }
    }
}
