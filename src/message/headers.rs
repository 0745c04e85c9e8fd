//! Header fields, kept as the very lines that travel.
//!
//! One buffer holds `Name: value CR LF` line after line, and spans locate each name and value: what came
//! from the wire is copied once, what goes to the wire is copied once, and nothing in between allocates. A line can
//! only get in here if it is a field by the grammar of RFC 9110 §5, so no handler can split a response.

use std::fmt;
use std::sync::Arc;

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
    #[inline]
    pub fn contains(&self, name: &str) -> bool {
        self.may_contain(name) && self.all(name).next().is_some()
    }

    /// The values of every line of this name, in order, as they travelled but for the blanks around them.
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
    pub fn elements<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.all(name).flat_map(list_elements)
    }

    /// Names and values in order.
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
    pub fn is_empty(&self) -> bool {
        self.fields().spans.is_empty()
    }

    /// The lines as they travel, each ending in CRLF, without the blank line after them.
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

/// Whether `bytes` is a token (RFC 9110 §5.6.2): what names and methods are made of.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| IN_TOKENS[usize::from(byte)])
}

// Each field that is added is looked at byte by byte.
const IN_TOKENS: [bool; 256] = {
    let mut table = [false; 256];
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    let mut byte = 0;
    while byte < 128 {
        table[byte] |= (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

/// Whether `bytes` may stand as a field's value (RFC 9110 §5.5): no control character but the tab, no blank at
/// either end. Bytes above 0x7F may.
pub(crate) fn is_field_value(bytes: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    !blank(bytes.first())
        && !blank(bytes.last())
        // Without a way out in the middle, several are compared at once.
        && bytes.iter().fold(true, |is_valid, &byte| {
            is_valid & ((byte == b'\t') | ((byte >= 0x20) & (byte != 0x7f)))
        })
}

/// The elements of one comma-separated list; see [`Headers::elements`].
pub(crate) fn list_elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    // Most lists quote nothing.
    let quotes = list.contains(&b'"');
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |&byte| {
        let separates = byte == b',' && !quoted;
        if !quotes {
            return separates;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        separates
    })
    .map(<[u8]>::trim_ascii)
    .filter(|element| !element.is_empty())
}

/// Whether `Accept` names one of `media_types`, which may be ranges, and does not exclude it by its weight.
pub(crate) fn accepts(headers: &Headers, media_types: &[&str]) -> bool {
    headers.elements("Accept").any(|range| {
        let mut parameters = range.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let asked = parameters.next().unwrap_or_default();
        let is_asked = |media_type: &&str| asked.eq_ignore_ascii_case(media_type.as_bytes());
        media_types.iter().any(is_asked) && parameters.find_map(weight) != Some(0)
    })
}

/// The weight `q=0.25` in thousandths (RFC 9110 §12.4.2), 0 if it is malformed; `None` if the parameter is another one.
pub(crate) fn weight(parameter: &[u8]) -> Option<u16> {
    let value = match parameter {
        [b'q' | b'Q', b'=', value @ ..] => value,
        _ => return None,
    };
    let (whole, digits) = match value {
        [whole] => (whole, &b""[..]),
        [whole, b'.', digits @ ..] => (whole, digits),
        _ => return Some(0),
    };
    if digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return Some(0);
    }
    let fraction = (0..3).fold(0, |sum, place| {
        sum * 10 + digits.get(place).map_or(0, |digit| u16::from(digit - b'0'))
    });
    match whole {
        b'0' => Some(fraction),
        b'1' if fraction == 0 => Some(1000),
        _ => Some(0),
    }
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
    fn a_list_is_split_at_commas_outside_quotes() {
        let elements: Vec<_> = list_elements(b" a,, \"b,\\\"c\" ,d").collect();
        assert_eq!(elements, [&b"a"[..], b"\"b,\\\"c\"", b"d"]);
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
