//! The request target (RFC 9112 §3.2): what the client asks for, in its four forms.
//!
//! The target is kept as it came and only cut into its parts; nothing is decoded or tidied here, so that every
//! reader of a path decodes it once and from the same bytes.

use std::fmt;
use std::ops::Range;

use http::Method;

/// What a request asks for: a path, perhaps a query, perhaps the server's name.
///
/// ```
/// use sockeye::Request;
///
/// let request = Request::get("http://example.test/a%20b?q=1");
/// let target = request.target();
/// assert_eq!((target.path(), target.query()), ("/a%20b", Some("q=1")));
/// assert_eq!(target.authority(), Some("example.test"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    raw: String,
    authority: Option<Range<usize>>,
    path: Range<usize>,
    query: Option<Range<usize>>,
}

/// Why bytes are not a request target.
///
/// ```
/// use sockeye::Method;
/// use sockeye::message::{Target, TargetError};
///
/// let wrong = |target: &[u8]| Target::parse(target, &Method::GET).err();
/// assert_eq!(wrong(b"/a b"), Some(TargetError::ForbiddenByte));
/// assert_eq!(wrong(b"index.html"), Some(TargetError::WrongForm));
/// assert_eq!(wrong(b"http://a,b/"), Some(TargetError::BadAuthority));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetError {
    /// A control character, blank, non-ASCII byte or one of `" < > #` (and `\` in a path), which must be escaped.
    ForbiddenByte,
    /// None of the four forms, or a form that this method may not use.
    WrongForm,
    /// The authority is not `host` or `host:port` by RFC 3986 §3.2.
    BadAuthority,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TargetError::ForbiddenByte => {
                "the request target holds a character that must be percent-encoded"
            }
            TargetError::WrongForm => {
                "the request target must be a path that begins with a slash, or an http URL"
            }
            TargetError::BadAuthority => "the host in the request target is malformed",
        })
    }
}

impl std::error::Error for TargetError {}

impl Default for Target {
    /// The root path.
    fn default() -> Target {
        Target {
            raw: "/".to_owned(),
            authority: None,
            path: 0..1,
            query: None,
        }
    }
}

impl Target {
    /// Reads a target as the request line has it; which forms are allowed depends on the method.
    ///
    /// ```
    /// use sockeye::Method;
    /// use sockeye::message::Target;
    ///
    /// // The asterisk form is for OPTIONS, and the authority form for CONNECT.
    /// assert_eq!(Target::parse(b"*", &Method::OPTIONS)?.path(), "*");
    /// assert!(Target::parse(b"*", &Method::GET).is_err());
    /// assert_eq!(Target::parse(b"example.test:443", &Method::CONNECT)?.authority(), Some("example.test:443"));
    /// # Ok::<(), sockeye::message::TargetError>(())
    /// ```
    pub fn parse(bytes: &[u8], method: &Method) -> Result<Target, TargetError> {
        let mut target = Target::default();
        let text = std::str::from_utf8(bytes).map_err(|_| TargetError::ForbiddenByte)?;
        target.assign(text, method)?;
        Ok(target)
    }

    /// Like [`Target::parse`], into the memory that is already there. After an error the value is unspecified.
    pub(crate) fn assign(&mut self, text: &str, method: &Method) -> Result<(), TargetError> {
        // One pass finds what is in it; most often nothing needs a second one.
        let kinds = text
            .bytes()
            .fold(0, |kinds, byte| kinds | KINDS[byte as usize]);
        if kinds & FORBIDDEN != 0 {
            return Err(TargetError::ForbiddenByte);
        }
        self.raw.clear();
        self.raw.push_str(text);
        self.authority = None;
        self.query = None;
        if *method == Method::CONNECT {
            self.path = 0..0;
            self.authority = Some(0..text.len());
            let with_port = text
                .rsplit_once(':')
                .is_some_and(|(_, port)| !port.is_empty());
            return if with_port && is_authority(text.as_bytes()) {
                Ok(())
            } else {
                Err(TargetError::WrongForm)
            };
        }
        if text == "*" && *method == Method::OPTIONS {
            self.path = 0..1;
            return Ok(());
        }
        let start = if text.starts_with('/') {
            0
        } else {
            self.assign_authority(text)?
        };
        let end = match kinds & QUERY {
            0 => text.len(),
            _ => text.find('?').unwrap_or(text.len()),
        };
        self.path = start..end;
        self.query = (end < text.len()).then_some(end + 1..text.len());
        if kinds & BACKSLASH != 0 && text[start..end].contains('\\') {
            return Err(TargetError::ForbiddenByte);
        }
        Ok(())
    }

    /// Takes the authority off an absolute-form target and returns where its path begins.
    fn assign_authority(&mut self, text: &str) -> Result<usize, TargetError> {
        let scheme = ["http://", "https://"]
            .into_iter()
            .find(|scheme| {
                text.get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            })
            .ok_or(TargetError::WrongForm)?;
        let start = scheme.len();
        let end = text[start..]
            .find(['/', '?'])
            .map_or(text.len(), |at| start + at);
        if !is_authority(&text.as_bytes()[start..end]) {
            return Err(TargetError::BadAuthority);
        }
        self.authority = Some(start..end);
        Ok(end)
    }

    /// The target exactly as the client wrote it.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("HTTP://example.test?q");
    /// assert_eq!(request.target().as_str(), "HTTP://example.test?q");
    /// assert_eq!(request.target().path(), "/");
    /// ```
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// The path, still percent-encoded: begins with `/`, or is `*` or (for CONNECT) empty.
    pub fn path(&self) -> &str {
        match &self.raw[self.path.clone()] {
            "" if self
                .authority
                .as_ref()
                .is_some_and(|authority| authority.start > 0) =>
            {
                "/"
            }
            path => path,
        }
    }

    /// What stands behind the first `?`, still percent-encoded, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.query.clone().map(|range| &self.raw[range])
    }

    /// The host, and port if given, of an absolute-form or authority-form target.
    pub fn authority(&self) -> Option<&str> {
        self.authority.clone().map(|range| &self.raw[range])
    }
}

const FORBIDDEN: u8 = 1;
const QUERY: u8 = 2;
const BACKSLASH: u8 = 4;

/// What each byte of a target is. Allowed is what RFC 3986 allows, and besides what browsers leave unescaped in a
/// query: `[ ] ^ { | }`, the backtick and `\`.
const KINDS: [u8; 256] = {
    let mut table = [FORBIDDEN; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = match byte {
            b'"' | b'<' | b'>' | b'#' => FORBIDDEN,
            b'?' => QUERY,
            b'\\' => BACKSLASH,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// `reg-name` of RFC 3986 without escapes: unreserved, and sub-delims but the comma (two hosts in one).
const NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'')
            || matches!(byte, b'(' | b')' | b'*' | b'+' | b';' | b'=');
        byte += 1;
    }
    table
};

/// Whether `text` is `host [":" port]` (RFC 3986 §3.2.2, RFC 9110 §7.2), with a host that is not empty.
pub(crate) fn is_authority(text: &[u8]) -> bool {
    let (host_is_valid, port) = match text.strip_prefix(b"[") {
        Some(rest) => {
            let Some(end) = rest.iter().position(|&byte| byte == b']') else {
                return false;
            };
            let literal = &rest[..end];
            (
                is_ipv6(literal) || is_future_address(literal),
                &rest[end + 1..],
            )
        }
        None => {
            // Short as hosts are, a plain loop is the fastest search.
            let colon = text.iter().position(|&byte| byte == b':');
            let end = colon.unwrap_or(text.len());
            (is_registered_name(&text[..end]), &text[end..])
        }
    };
    host_is_valid && is_port(port)
}

fn is_ipv6(literal: &[u8]) -> bool {
    std::str::from_utf8(literal).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}

/// `IPvFuture` of RFC 3986 §3.2.2: `v`, hex digits, a dot, and what its version makes of the rest.
fn is_future_address(literal: &[u8]) -> bool {
    let Some((b'v' | b'V', rest)) = literal.split_first() else {
        return false;
    };
    let Some(dot) = rest.iter().position(|&byte| byte == b'.') else {
        return false;
    };
    let (version, address) = (&rest[..dot], &rest[dot + 1..]);
    let is_address_byte = |&byte: &u8| byte == b':' || NAME_BYTES[byte as usize];
    !version.is_empty()
        && version.iter().all(u8::is_ascii_hexdigit)
        && !address.is_empty()
        && address.iter().all(is_address_byte)
}

/// Whether `text` is nothing, or a colon and a port. RFC 3986 lets the digits be none.
fn is_port(text: &[u8]) -> bool {
    let Some((b':', digits)) = text.split_first() else {
        return text.is_empty();
    };
    let mut port: u32 = 0;
    digits.iter().all(|byte| {
        port = port * 10 + u32::from(byte.wrapping_sub(b'0'));
        byte.is_ascii_digit() && port <= u32::from(u16::MAX)
    })
}

/// `reg-name` of RFC 3986, not empty, its escapes whole.
fn is_registered_name(name: &[u8]) -> bool {
    let is_valid = |(at, &byte): (usize, &u8)| {
        NAME_BYTES[byte as usize]
            || byte == b'%'
                && matches!(name.get(at + 1..at + 3), Some(digits) if digits.iter().all(u8::is_ascii_hexdigit))
    };
    !name.is_empty() && name.iter().enumerate().all(is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Target, TargetError> {
        Target::parse(text.as_bytes(), &Method::GET)
    }

    #[test]
    fn a_target_is_cut_into_its_parts() {
        let table = [
            ("/", None, "/", None),
            ("/a/b?c=d?e", None, "/a/b", Some("c=d?e")),
            ("/?", None, "/", Some("")),
            ("//host/x", None, "//host/x", None),
            ("http://a.test:80/x?y", Some("a.test:80"), "/x", Some("y")),
            ("HTTP://a.test", Some("a.test"), "/", None),
            ("http://[::1]:8080?q", Some("[::1]:8080"), "/", Some("q")),
            ("http://[v1f.a:b]/", Some("[v1f.a:b]"), "/", None),
            ("/?a=\\|^{}`", None, "/", Some("a=\\|^{}`")),
        ];
        for (text, authority, path, query) in table {
            let target = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (
                    target.authority(),
                    target.path(),
                    target.query(),
                    target.as_str()
                ),
                (authority, path, query, text)
            );
        }
    }

    #[test]
    fn an_invalid_target_is_refused() {
        for text in [
            "",
            "a",
            "*",
            "ftp://a/",
            "http:///x",
            "http://a b/",
            "/a#b",
            "/a\"",
            "/\\a",
            "/é",
            "/\u{7f}",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        for text in [
            "http://u@h/",
            "http://h:99999/",
            "http://h:+1/",
            "http://[::1/",
            "http://[]/",
            "http://[v1.]/",
            "http://[v.a]/",
            "http://a,b/",
            "http://h%2/",
        ] {
            assert_eq!(parse(text), Err(TargetError::BadAuthority), "{text:?}");
        }
        // A `Host` may hold any byte above 0x7F.
        for text in ["é", "[é]", "[é1.a]", "[v1.é]"] {
            assert!(!is_authority(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn the_star_is_for_options_and_the_authority_for_connect() {
        assert!(Target::parse(b"*", &Method::OPTIONS).is_ok());
        assert!(Target::parse(b"a.test:443", &Method::CONNECT).is_ok());
        assert!(Target::parse(b"/", &Method::CONNECT).is_err());
        assert!(Target::parse(b"a.test:443", &Method::OPTIONS).is_err());
    }
}
