//! What a listing's URL asks for: `?sort=size&order=desc&q=report&format=json`. What is unknown is ignored.

use percent_encoding::percent_decode_str;

use crate::message::{Request, prefers_json};
use crate::tree::encode;

/// What the entries are ordered by; directories come before files in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Size,
    Modified,
}

/// What a listing is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Html,
    Json,
    /// One name a line.
    Text,
}

/// What was asked for, completed.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) column: Column,
    pub(super) descending: bool,
    pub(super) format: Format,
    /// Only names that contain this, letter case of ASCII aside.
    pub(super) filter: Vec<u8>,
}

impl Query {
    pub(super) fn of(request: &Request) -> Query {
        let mut query = Query {
            column: Column::Name,
            descending: false,
            format: match prefers_json(request.headers()) {
                true => Format::Json,
                false => Format::Html,
            },
            filter: Vec::new(),
        };
        for pair in request.target().query().unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("sort", "name")) => query.column = Column::Name,
                Some(("sort", "size")) => query.column = Column::Size,
                Some(("sort", "mtime")) => query.column = Column::Modified,
                Some(("order", order)) => query.descending = order == "desc",
                Some(("format", "html")) => query.format = Format::Html,
                Some(("format", "json")) => query.format = Format::Json,
                Some(("format", "text")) => query.format = Format::Text,
                // A form writes blanks as plus signs.
                Some(("q", filter)) => {
                    query.filter = percent_decode_str(&filter.replace('+', " ")).collect();
                }
                _ => {}
            }
        }
        query
    }

    /// Whether a name is asked for.
    pub(super) fn selects(&self, name: &[u8]) -> bool {
        let length = self.filter.len();
        length == 0
            || name
                .windows(length)
                .any(|part| part.eq_ignore_ascii_case(&self.filter))
    }

    /// The link that sorts by `column`: the other way round if the entries are sorted by it now. In HTML.
    pub(super) fn link(&self, column: Column) -> String {
        let mut link = String::from(match column {
            Column::Name => "?sort=name",
            Column::Size => "?sort=size",
            Column::Modified => "?sort=mtime",
        });
        if column == self.column && !self.descending {
            link.push_str("&amp;order=desc");
        }
        if !self.filter.is_empty() {
            link.push_str("&amp;q=");
            link.extend(encode(&self.filter));
        }
        link
    }

    /// The value of `aria-sort` for a column.
    pub(super) fn direction(&self, column: Column) -> &'static str {
        match (column == self.column, self.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }
}
