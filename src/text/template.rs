//! Templates of pages, each in a file of its own: text with `{{name}}` where something is put in.

/// The style that all pages of the server share: colours, type, links, the keyboard's focus.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_in_order() {
        let mut out = Vec::new();
        Template::new("a {{b}}, {{c}}{{b}}.").fill(&mut out, |out, name| {
            out.extend_from_slice(name.to_uppercase().as_bytes());
        });
        assert_eq!(out, b"a B, CB.");
    }
}
