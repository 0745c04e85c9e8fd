//! Escapes text for HTML, for JSON and for a terminal.

/// Appends `text` as it stands in HTML, in attributes too. Control characters and those that turn the direction of
/// text around (U+202A–E, U+2066–9) are shown as escapes; with `lines`, tabs and line ends stay.
pub(crate) fn push_html(out: &mut Vec<u8>, text: &str, lines: bool) {
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        // The direction characters are the ones that begin with E2.
        let entity: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'"' => b"&quot;",
            b'\'' => b"&#39;",
            b'\n' | b'\t' if lines => continue,
            0..b' ' | 0x7f | 0xc2 | 0xe2 => {
                let character = text[at..].chars().next().unwrap_or_default();
                if !is_steering(character) {
                    continue;
                }
                out.extend_from_slice(&text.as_bytes()[done..at]);
                out.extend_from_slice(escape(character).as_bytes());
                done = at + character.len_utf8();
                continue;
            }
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[done..at]);
        out.extend_from_slice(entity);
        done = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[done..]);
}

/// `text` for a terminal: control characters, and those that change the direction of text, are shown as escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match is_steering(character) {
            true => out.push_str(&escape(character)),
            false => out.push(character),
        }
    }
    out
}

/// Appends `text` as a string in JSON, with its quotes. Control characters are escaped, C1 too: a terminal obeys those.
pub(crate) fn push_json(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let character = rest[at..].chars().next().unwrap_or_default();
        match character {
            '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
            _ => out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes()),
        }
        rest = &rest[at + character.len_utf8()..];
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// Whether a terminal or a browser obeys this character instead of showing it.
fn is_steering(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `\x1b` or `\u{202e}`.
fn escape(character: char) -> String {
    match u32::from(character) {
        number @ ..0x100 => format!("\\x{number:02x}"),
        number => format!("\\u{{{number:x}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        let mut out = Vec::new();
        push_html(&mut out, text, false);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_can_neither_break_out_of_a_page_nor_hide_in_it() {
        assert_eq!(html("plain é – 鮭 🐟"), "plain é – 鮭 🐟");
        assert_eq!(
            html("\"><script>alert('1')</script>"),
            "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"
        );
        assert_eq!(
            html("a\n\x1b\u{85}&\u{202e}b"),
            "a\\x0a\\x1b\\x85&amp;\\u{202e}b"
        );
    }

    #[test]
    fn a_terminal_shows_what_it_would_obey() {
        assert_eq!(
            printable("é 🐟\x1b[2J\u{85}\u{202e}"),
            "é 🐟\\x1b[2J\\x85\\u{202e}"
        );
    }

    #[test]
    fn a_json_string_holds_any_text() {
        for text in [
            "",
            "plain é 🐟",
            "\"",
            "a\\b",
            "\n\x1b\u{7f}\u{9b}x",
            "\u{2028}",
        ] {
            let mut out = Vec::new();
            push_json(&mut out, text);
            let json = String::from_utf8(out).unwrap();
            assert!(!json.chars().any(char::is_control), "{json}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
