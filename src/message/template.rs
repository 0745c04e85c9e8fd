//! Pages are templates in files of their own: text with `{{name}}` where something is put in.

/// What all pages that we make ourselves have in common: colours, type, links, the keyboard's focus.
pub(crate) const LOOK: &str = include_str!("look.css");

/// A template, cut at its holes once.
#[derive(Debug)]
pub(crate) struct Template {
    start: &'static str,
    /// The name of each hole, and what stands behind it.
    holes: Vec<(&'static str, &'static str)>,
}

impl Template {
    /// # Panics
    ///
    /// If a hole has no end.
    pub(crate) fn new(text: &'static str) -> Template {
        let mut pieces = text.split("{{");
        let start = pieces.next().unwrap_or_default();
        let hole = |piece: &'static str| piece.split_once("}}").expect("a hole ends with `}}`");
        Template {
            start,
            holes: pieces.map(hole).collect(),
        }
    }

    /// Appends the template to `out`; `put` appends what belongs into the hole of a name.
    pub(crate) fn fill(&self, out: &mut Vec<u8>, mut put: impl FnMut(&mut Vec<u8>, &str)) {
        out.extend_from_slice(self.start.as_bytes());
        for (name, behind) in &self.holes {
            put(out, name);
            out.extend_from_slice(behind.as_bytes());
        }
    }
}

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
                push_escape(out, character);
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

/// Appends `text` for a terminal: what would steer it, or turn text around, is shown as an escape.
pub(crate) fn push_plain(out: &mut Vec<u8>, text: &str) {
    for character in text.chars() {
        if is_steering(character) {
            push_escape(out, character);
        } else {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

fn is_steering(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn push_escape(out: &mut Vec<u8>, character: char) {
    let number = u32::from(character);
    let escape = match number {
        ..0x100 => format!("\\x{number:02x}"),
        _ => format!("\\u{{{number:x}}}"),
    };
    out.extend_from_slice(escape.as_bytes());
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
    fn a_template_is_filled_in_order() {
        let mut out = Vec::new();
        Template::new("a {{b}}, {{c}}{{b}}.").fill(&mut out, |out, name| {
            out.extend_from_slice(name.to_uppercase().as_bytes());
        });
        assert_eq!(out, b"a B, CB.");
    }
}
