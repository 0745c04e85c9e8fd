//! A directory as a page. Pure: given entries, it returns text.
//!
//! Names are anybody's, so every one is escaped where it is shown and percent-encoded where it is linked, behind a
//! `./` that keeps `javascript:x` a file.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::safe_path::{encode, is_path_elsewhere};

/// One thing in a directory that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) is_directory: bool,
    /// In bytes.
    pub(super) size: u64,
    /// In seconds since 1970.
    pub(super) modified: i64,
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}\
h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}\
a{text-decoration:none}a:hover,a:focus{text-decoration:underline}\
table{width:100%;border-collapse:collapse}\
th{text-align:left;font-weight:600}th,td{padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8883}\
td:first-child{overflow-wrap:anywhere;white-space:pre-wrap}\
th+th,td+td{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
p{opacity:.7}";

/// The page of the directory whose names from the root down are given. `is_cut` says that there is more than this.
pub(super) fn page<'a>(
    names: impl Iterator<Item = &'a [u8]>,
    mut entries: Vec<Entry>,
    is_cut: bool,
) -> String {
    entries.sort_by(order);
    let names: Vec<String> = names.map(shown).collect();
    let title = names
        .iter()
        .fold("/".to_owned(), |path, name| path + name + "/");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{}</h1>\n\
         <table>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Size</th>\
         <th scope=\"col\">Modified (UTC)</th></tr></thead>\n<tbody>\n",
        breadcrumbs(&names)
    );
    if !names.is_empty() {
        page.push_str("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
    }
    for entry in &entries {
        push_row(&mut page, entry);
    }
    page.push_str("</tbody>\n</table>\n");
    if is_cut {
        let count = entries.len();
        writeln!(page, "<p>There is more: only {count} names were read.</p>").expect(TO_STRING);
    } else if entries.is_empty() {
        page.push_str("<p>Nothing here.</p>\n");
    }
    page.push_str("</html>\n");
    page
}

const TO_STRING: &str = "writing to a string cannot fail";

/// Each directory from the root down, linked.
fn breadcrumbs(names: &[String]) -> String {
    let mut crumbs = String::new();
    for depth in 0..=names.len() {
        let up = match names.len() - depth {
            0 => "./".to_owned(),
            steps => "../".repeat(steps),
        };
        let name = depth.checked_sub(1).map_or("", |above| &names[above]);
        write!(crumbs, "<a href=\"{up}\"><bdi>{name}</bdi>/</a>").expect(TO_STRING);
    }
    crumbs
}

fn push_row(page: &mut String, entry: &Entry) {
    let slash = if entry.is_directory { "/" } else { "" };
    let name = format!("<bdi>{}</bdi>{slash}", shown(&entry.name));
    let size = if entry.is_directory {
        String::new()
    } else {
        human_size(entry.size)
    };
    page.push_str("<tr><td>");
    // These are the names that no URL may carry; see there.
    if is_path_elsewhere(&entry.name) {
        page.push_str(&name);
    } else {
        page.push_str("<a href=\"./");
        page.extend(encode(&entry.name));
        write!(page, "{slash}\">{name}</a>").expect(TO_STRING);
    }
    writeln!(
        page,
        "</td><td>{size}</td><td>{}</td></tr>",
        human_time(entry.modified)
    )
    .expect(TO_STRING);
}

/// Directories first; then by name as people count: letter case aside, numbers by value.
fn order(a: &Entry, b: &Entry) -> Ordering {
    b.is_directory
        .cmp(&a.is_directory)
        .then_with(|| Tokens(&a.name).cmp(Tokens(&b.name)))
        .then_with(|| a.name.cmp(&b.name))
}

/// A name cut into numbers and other bytes.
struct Tokens<'a>(&'a [u8]);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    /// Its digits without leading zeros: of two numbers, the one with more of them is larger.
    Number(usize, &'a [u8]),
    Letter(u8),
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let digits = self
            .0
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (token, rest) = self.0.split_at_checked(digits.max(1))?;
        self.0 = rest;
        if digits == 0 {
            return Some(Token::Letter(token[0].to_ascii_lowercase()));
        }
        let zeros = token.iter().take_while(|&&byte| byte == b'0').count();
        Some(Token::Number(digits - zeros, &token[zeros..]))
    }
}

/// A name as text in HTML: what is no text, or would steer a terminal, is shown as U+FFFD.
fn shown(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for character in String::from_utf8_lossy(name).chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            _ if character.is_control() => text.push(char::REPLACEMENT_CHARACTER),
            _ => text.push(character),
        }
    }
    text
}

/// `999 B`, `1.2 kB`, `5.4 GB`.
fn human_size(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1000.0;
    let mut units = ["kB", "MB", "GB", "TB", "PB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    // 999.95 is where one decimal would round up to four digits.
    while size >= 999.95 {
        let Some(next) = units.next() else { break };
        (size, unit) = (size / 1000.0, next);
    }
    format!("{size:.1} {unit}")
}

/// `2026-11-21 08:00`, in UTC; nothing where the year would not have four digits.
fn human_time(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    if !(1000..=9999).contains(&year) {
        return String::new();
    }
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

/// Year, month and day of a number of days since 1970, by Howard Hinnant's `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &[u8], is_directory: bool) -> Entry {
        Entry {
            name: name.to_vec(),
            is_directory,
            size: 1234,
            modified: 1_000_000_000,
        }
    }

    #[test]
    fn directories_come_first_and_numbers_count() {
        let mut entries: Vec<_> = [
            "b10", "B9", "b09", "a", "Z", "b9x", "é", "_", "2", "10", "1a",
        ]
        .map(|name| entry(name.as_bytes(), name == "Z"))
        .into();
        entries.sort_by(order);
        let names: Vec<_> = entries
            .iter()
            .map(|e| String::from_utf8_lossy(&e.name))
            .collect();
        assert_eq!(
            names,
            [
                "Z", "1a", "2", "10", "_", "a", "B9", "b09", "b9x", "b10", "é"
            ]
        );
    }

    #[test]
    fn a_name_can_neither_break_out_nor_hide() {
        let page = page(
            [&b"<x>"[..]].into_iter(),
            vec![
                entry(b"\"><script>alert('1')</script>", false),
                entry(b"javascript:x", false),
                entry(b"a\n\x1b\xff&b", false),
            ],
            false,
        );
        assert!(
            !page.contains("<script") && !page.contains('\x1b'),
            "{page}"
        );
        assert!(page.contains("<title>/&lt;x&gt;/</title>"));
        assert!(page.contains("href=\"./javascript%3Ax\""));
        assert!(
            page.contains("href=\"./a%0A%1B%FF%26b\"><bdi>a\u{fffd}\u{fffd}\u{fffd}&amp;b</bdi>"),
            "{page}"
        );
    }

    #[test]
    fn sizes_and_times_are_for_people() {
        for (bytes, size) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1234, "1.2 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (5_368_709_120, "5.4 GB"),
            (u64::MAX, "18446.7 PB"),
        ] {
            assert_eq!(human_size(bytes), size);
        }
        for (seconds, time) in [
            (0, "1970-01-01 00:00"),
            (-1, "1969-12-31 23:59"),
            (951_782_399, "2000-02-28 23:59"),
            (951_782_400, "2000-02-29 00:00"),
            (1_795_248_000, "2026-11-21 08:00"),
            (253_402_300_799, "9999-12-31 23:59"),
            (253_402_300_800, ""),
            (i64::MIN, ""),
            (i64::MAX, ""),
        ] {
            assert_eq!(human_time(seconds), time, "{seconds}");
        }
    }
}
