//! What fields are made of (RFC 9110 §5.5 and §5.6): tokens, values, lists, weights.

use super::Headers;

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
    fn a_list_is_split_at_commas_outside_quotes() {
        let elements: Vec<_> = list_elements(b" a,, \"b,\\\"c\" ,d").collect();
        assert_eq!(elements, [&b"a"[..], b"\"b,\\\"c\"", b"d"]);
    }
}
