//! Header fields, kept as the very lines that travel.
//!
//! One buffer holds `Name: value CR LF` line after line, and spans locate each name and value: what came
//! from the wire is copied once, what goes to the wire is copied once, and nothing in between allocates. A line can
//! only get in here if it is a field by the grammar of RFC 9110 §5, so no handler can split a response.

use std::fmt;
use std::sync::Arc;

use super::syntax::{is_field_value, is_token, list_elements};

/// Ordered header fields; names are compared without regard to letter case.
///
/// Cloning costs a reference count; a clone that is changed afterwards gets its own copy. None at all cost nothing.
///
/// ```
/// use sockeye::Headers;
///
/// let mut headers = Headers::new();
/// headers.append("Vary", "Accept, Cookie")?;
/// headers.append("vary", "Origin")?;
/// assert_eq!((headers.len(), headers.elements("Vary").count()), (2, 3));
/// headers.set("Vary", "*")?;
/// assert_eq!(headers.get("vary"), Some("*"));
/// assert!(headers.append("X", "two\r\nlines").is_err());
/// # Ok::<(), sockeye::message::InvalidField>(())
/// ```
#[derive(Clone, Default)]
pub struct Headers {
    fields: Option<Arc<Fields>>,
}

#[derive(Clone, Default, PartialEq, Eq)]
struct Fields {
    lines: Vec<u8>,
    spans: Vec<Span>,
    /// One bit per shape of name: a clear bit proves that a field is absent without looking at any line.
    shapes: u64,
}

// What most answers of ours need, so that their fields are not moved as they grow.
const FIRST_LINES_BYTES: usize = 256;
const FIRST_SPANS: usize = 8;

const NO_FIELDS: &Fields = &Fields {
    lines: Vec::new(),
    spans: Vec::new(),
    shapes: 0,
};

/// Where one field's name and value lie within the lines.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) name_start: u32,
    pub(crate) name_end: u32,
    pub(crate) value_start: u32,
    pub(crate) value_end: u32,
}

/// A field that is invalid by RFC 9110 §5: its name is not a token, or its value holds CR, LF, NUL or another control
/// character.
///
/// ```
/// use sockeye::Headers;
/// use sockeye::message::InvalidField;
///
/// // What would be a second field, and a cookie, is none.
/// let location = "/\r\nSet-Cookie: id=7";
/// assert_eq!(Headers::new().append("Location", location), Err(InvalidField));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidField;

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name must be a token, and its value free of control characters")
    }
}

impl std::error::Error for InvalidField {}

impl Headers {
    /// No fields yet.
    pub fn new() -> Headers {
        Headers::default()
    }

    /// Adds a field after those that are there; the name travels as written.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        let value = value.as_ref();
        if !is_token(name.as_bytes()) || !is_field_value(value) {
            return Err(InvalidField);
        }
        let fields = self.fields_mut();
        if fields.lines.capacity() == 0 {
            fields.lines.reserve(FIRST_LINES_BYTES);
            fields.spans.reserve(FIRST_SPANS);
        }
        let name_start = fields.lines.len();
        fields.lines.extend_from_slice(name.as_bytes());
        fields.lines.extend_from_slice(b": ");
        let value_start = fields.lines.len();
        fields.lines.extend_from_slice(value);
        fields.spans.push(Span {
            name_start: name_start as u32,
            name_end: (name_start + name.len()) as u32,
            value_start: value_start as u32,
            value_end: (value_start + value.len()) as u32,
        });
        fields.lines.extend_from_slice(b"\r\n");
        fields.shapes |= shape(name.as_bytes());
        Ok(())
    }

    /// Puts one field in the place of all that have this name.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        if self.contains(name) {
            self.remove(name);
        }
        self.append(name, value)
    }

    /// Takes all fields of this name away.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let mut response = Response::text("hello").with_header("Vary", "Accept").with_header("vary", "Origin");
    /// response.headers_mut().remove("Vary");
    /// assert_eq!(response.headers().len(), 1); // Content-Type
    /// ```
    pub fn remove(&mut self, name: &str) {
        let mut kept = Headers::new();
        for (other, value) in self
            .iter()
            .filter(|(other, _)| !other.eq_ignore_ascii_case(name))
        {
            kept.append(other, value)
                .expect("it was a valid field before, so it is one now");
        }
        *self = kept;
    }

    /// The first value of this name, if it is there and is UTF-8.
    ///
    /// Where several lines or other bytes would change the meaning, ask [`Headers::all`].
    pub fn get(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.all(name).next()?).ok()
    }

    /// Whether a field of this name is there.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("/").with_header("DNT", "1");
    /// assert!(request.headers().contains("dnt"));
    /// ```
    #[inline]
    pub fn contains(&self, name: &str) -> bool {
        self.may_contain(name) && self.all(name).next().is_some()
    }

    /// The values of every line of this name, in order, as they travelled but for the blanks around them.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("/").with_header("Forwarded", "for=192.0.2.7").with_header("Forwarded", "for=_caf\u{e9}");
    /// let all: Vec<&[u8]> = request.headers().all("Forwarded").collect();
    /// assert_eq!(all, [&b"for=192.0.2.7"[..], "for=_caf\u{e9}".as_bytes()]);
    /// ```
    #[inline]
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.fields();
        let spans: &[Span] = match self.may_contain(name) {
            true => &fields.spans,
            false => &[],
        };
        spans
            .iter()
            .filter(|span| fields.name(span).eq_ignore_ascii_case(name.as_bytes()))
            .map(|span| fields.value(span))
    }

    /// The elements of a comma-separated list field over all its lines, without blanks and empty elements
    /// (RFC 9110 §5.6.1). A comma inside a quoted string separates nothing.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("/")
    ///     .with_header("If-None-Match", "\"a,b\", W/\"c\"")
    ///     .with_header("If-None-Match", "\"d\"");
    /// let tags: Vec<&[u8]> = request.headers().elements("If-None-Match").collect();
    /// assert_eq!(tags, [&b"\"a,b\""[..], b"W/\"c\"", b"\"d\""]);
    /// ```
    pub fn elements<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.all(name).flat_map(list_elements)
    }

    /// Names and values in order.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let response = Response::text("hello").with_header("ETag", "\"1\"");
    /// let names: Vec<&str> = response.headers().iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["Content-Type", "ETag"]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let fields = self.fields();
        fields.spans.iter().map(|span| {
            let name = std::str::from_utf8(fields.name(span)).expect("a token is ASCII");
            (name, fields.value(span))
        })
    }

    /// How many field lines there are.
    pub fn len(&self) -> usize {
        self.fields().spans.len()
    }

    /// Whether there are no fields.
    ///
    /// ```
    /// use sockeye::{Response, StatusCode};
    ///
    /// assert!(Response::new(StatusCode::NO_CONTENT).headers().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.fields().spans.is_empty()
    }

    /// The lines as they travel, each ending in CRLF, without the blank line after them.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("/").with_header("Host", "example.test").with_header("accept", "*/*");
    /// assert_eq!(request.headers().as_lines(), b"Host: example.test\r\naccept: */*\r\n");
    /// ```
    pub fn as_lines(&self) -> &[u8] {
        &self.fields().lines
    }

    /// Takes over field lines that the parser has already found to be valid. `spans` are relative to `lines`.
    pub(crate) fn refill(&mut self, lines: &[u8], spans: impl Iterator<Item = Span>) {
        let fields = self.fields_mut();
        fields.lines.clear();
        fields.lines.extend_from_slice(lines);
        fields.spans.clear();
        fields.shapes = 0;
        for span in spans {
            fields.shapes |= shape(&lines[span.name_start as usize..span.name_end as usize]);
            fields.spans.push(span);
        }
    }

    /// Whether a field of this name can be there at all; `false` for most fields that cannot.
    #[inline]
    fn may_contain(&self, name: &str) -> bool {
        self.fields().shapes & shape(name.as_bytes()) != 0
    }

    #[inline]
    fn fields(&self) -> &Fields {
        self.fields.as_deref().unwrap_or(NO_FIELDS)
    }

    fn fields_mut(&mut self) -> &mut Fields {
        Arc::make_mut(self.fields.get_or_insert_default())
    }
}

impl Fields {
    fn name(&self, span: &Span) -> &[u8] {
        &self.lines[span.name_start as usize..span.name_end as usize]
    }

    fn value(&self, span: &Span) -> &[u8] {
        &self.lines[span.value_start as usize..span.value_end as usize]
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Headers) -> bool {
        self.fields() == other.fields()
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lossy = |value| String::from_utf8_lossy(value).into_owned();
        f.debug_list()
            .entries(
                self.iter()
                    .map(|(name, value)| (name.to_owned(), lossy(value))),
            )
            .finish()
    }
}

/// One of 64 bits, from a name's length and its two ends, the same for all letter cases. A constant, where the name is.
/// By these factors no field of a file has the bit of one that the server writes itself, and none that browsers send has
/// that of another which is looked for.
#[inline]
fn shape(name: &[u8]) -> u64 {
    let (Some(first), Some(last)) = (name.first(), name.last()) else {
        return 0;
    };
    let mix = name.len() as u32 * 4 + u32::from(first | 0x20) * 5 + u32::from(last | 0x20) * 10;
    1 << (mix % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_letter_case_and_travel_as_written() {
        let mut headers = Headers::new();
        headers.append("ETag", "\"a\"").unwrap();
        headers.append("Vary", "Accept").unwrap();
        headers.append("vary", "Cookie").unwrap();
        assert_eq!(headers.get("etag"), Some("\"a\""));
        assert_eq!(headers.all("VARY").count(), 2);
        assert_eq!(
            headers.as_lines(),
            b"ETag: \"a\"\r\nVary: Accept\r\nvary: Cookie\r\n"
        );
        headers.set("Vary", "Origin").unwrap();
        assert_eq!(headers.as_lines(), b"ETag: \"a\"\r\nVary: Origin\r\n");
    }

    #[test]
    fn a_line_cannot_be_smuggled_in() {
        let mut headers = Headers::new();
        for (name, value) in [
            ("A", "b\r\nC: d"),
            ("A", "b\n"),
            ("A", "b\0"),
            ("A", " b"),
            ("A:", "b"),
            ("", "b"),
            ("A b", "c"),
        ] {
            assert_eq!(
                headers.append(name, value),
                Err(InvalidField),
                "{name:?}: {value:?}"
            );
        }
        assert!(headers.is_empty());
    }

    #[test]
    fn changing_a_clone_leaves_the_original_alone() {
        let mut original = Headers::new();
        original.append("A", "1").unwrap();
        let mut clone = original.clone();
        clone.append("B", "2").unwrap();
        assert_eq!((original.len(), clone.len()), (1, 2));
    }
}
