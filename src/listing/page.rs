//! A listing as bytes: HTML from a template, JSON, or one name a line. Pure: the caller passes what is there.
//!
//! Names may hold anything, so every one is escaped where it is shown and percent-encoded where it is linked, its
//! colons and slashes too, so that `javascript:x` stays a file.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::query::{Column, Format, Query};
use crate::text::{LOOK, Template, Utc, decimal, printable, push_html, push_json, size};
use crate::tree::{SafePath, encode, is_path_elsewhere};

/// The page's script, whose digest is in its policy.
pub(super) const SCRIPT: &str = include_str!("listing.js");

/// One thing in a directory that can be asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) is_directory: bool,
    /// Its size in bytes and its modification time in seconds since 1970, where they were asked for.
    pub(super) state: Option<(u64, i64)>,
}

/// What has been listed so far.
#[derive(Debug, Default)]
pub(super) struct Sum {
    directories: u64,
    files: u64,
    bytes: u64,
}

struct Templates {
    head: Template,
    up: Template,
    row: Template,
    unlinked: Template,
    readme: Template,
    foot: Template,
    end: Template,
}

static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| {
    let text = include_str!("listing.html");
    // From one comment to the next.
    let section = |name: &str| {
        let (_, section) = text
            .split_once(&format!("<!-- {name} -->\n"))
            .expect("the template has the section");
        Template::new(section.split("<!-- ").next().unwrap_or(section))
    };
    Templates {
        head: Template::new(text.split("<!-- ").next().unwrap_or(text)),
        up: section("up"),
        row: section("row"),
        unlinked: section("unlinked"),
        readme: section("readme"),
        foot: section("foot"),
        end: section("end"),
    }
});

// What has an icon of its own, by extension.
const PICTURES: &[&str] = &["png", "jpg", "jpeg", "gif", "webp", "avif", "svg"];
const MEDIA: &[&str] = &[
    "mp4", "webm", "mkv", "mov", "mp3", "m4a", "flac", "ogg", "opus", "wav",
];

/// What stands before the entries.
pub(super) fn push_head(out: &mut Vec<u8>, path: &SafePath, query: &Query) {
    match query.format {
        Format::Html => {}
        Format::Json => return out.extend_from_slice(b"["),
        Format::Text => return,
    }
    let mut put = |out: &mut Vec<u8>, hole: &str| match hole {
        "title" => push_title(out, path),
        "look" => out.extend_from_slice(LOOK.as_bytes()),
        "crumbs" => push_crumbs(out, path),
        "filter" => push_html(out, &text_of(&query.filter), false),
        _ => {
            let column = match hole
                .split(' ')
                .find(|word| !matches!(*word, "by" | "order"))
            {
                Some("size") => Column::Size,
                Some("time") => Column::Modified,
                _ => Column::Name,
            };
            match hole.starts_with("by ") {
                true => out.extend_from_slice(query.link(column).as_bytes()),
                false => out.extend_from_slice(query.direction(column).as_bytes()),
            }
        }
    };
    TEMPLATES.head.fill(out, &mut put);
    if path.names().next().is_some() {
        TEMPLATES.up.fill(out, |_, _| {});
    }
}

/// One more entry.
pub(super) fn push_entry(out: &mut Vec<u8>, entry: Entry<'_>, format: Format, sum: &mut Sum) {
    match entry.is_directory {
        true => sum.directories += 1,
        false => {
            sum.files += 1;
            sum.bytes += entry.state.map_or(0, |(size, _)| size);
        }
    }
    match format {
        Format::Html => push_row(out, &entry),
        Format::Json => {
            let separator: &[u8] = match sum.directories + sum.files {
                1 => b"\n",
                _ => b",\n",
            };
            out.extend_from_slice(separator);
            push_object(out, &entry);
        }
        Format::Text => {
            out.extend_from_slice(printable(&text_of(entry.name)).as_bytes());
            out.extend_from_slice(slash(&entry));
            out.push(b'\n');
        }
    }
}

/// What stands behind the entries: their number and size, and the beginning of its README.
pub(super) fn push_foot(
    out: &mut Vec<u8>,
    format: Format,
    sum: &Sum,
    is_unsorted: bool,
    readme: Option<(&[u8], &[u8])>,
) {
    match format {
        Format::Html => {}
        Format::Json => return out.extend_from_slice(b"\n]\n"),
        Format::Text => return,
    }
    let (name, text) = readme.unwrap_or_default();
    let template = match readme {
        Some(_) => &TEMPLATES.readme,
        None => &TEMPLATES.foot,
    };
    template.fill(out, |out, hole| match hole {
        "name" => push_html(out, &text_of(name), false),
        "text" => push_html(out, &text_of(text).replace('\r', ""), true),
        _ => push_sum(out, sum, is_unsorted),
    });
    TEMPLATES
        .end
        .fill(out, |out, _| out.extend_from_slice(SCRIPT.as_bytes()));
}

fn push_title(out: &mut Vec<u8>, path: &SafePath) {
    out.push(b'/');
    for name in path.names() {
        push_html(out, &text_of(name), false);
        out.push(b'/');
    }
}

/// Each directory from the root down, linked.
fn push_crumbs(out: &mut Vec<u8>, path: &SafePath) {
    let names: Vec<&[u8]> = path.names().collect();
    for depth in 0..=names.len() {
        out.extend_from_slice(b"<a href=\"");
        match names.len() - depth {
            0 => out.extend_from_slice(b"./\" aria-current=\"page"),
            steps => out.extend_from_slice("../".repeat(steps).as_bytes()),
        }
        out.extend_from_slice(b"\"><bdi>");
        if let Some(above) = depth.checked_sub(1) {
            push_html(out, &text_of(names[above]), false);
        }
        out.extend_from_slice(b"</bdi>/</a>");
    }
}

/// The class of what has an icon of its own.
fn kind(entry: &Entry<'_>) -> &'static str {
    let extension = entry.name.rsplit(|&byte| byte == b'.').next();
    let is_one_of = |extensions: &[&str]| {
        let mut extensions = extensions.iter();
        extension
            .is_some_and(|ours| extensions.any(|one| ours.eq_ignore_ascii_case(one.as_bytes())))
    };
    match entry.is_directory {
        false if is_one_of(PICTURES) => " class=image",
        false if is_one_of(MEDIA) => " class=media",
        _ => "",
    }
}

fn push_row(out: &mut Vec<u8>, entry: &Entry<'_>) {
    // These are the names that no URL may carry; see there.
    let template = match is_path_elsewhere(entry.name) {
        true => &TEMPLATES.unlinked,
        false => &TEMPLATES.row,
    };
    let (bytes, modified) = entry.state.unwrap_or_default();
    let time = Utc::new(modified);
    template.fill(out, |out, hole| match hole {
        "kind" => out.extend_from_slice(kind(entry).as_bytes()),
        "link" => push_link(out, entry),
        "name" => {
            push_html(out, &text_of(entry.name), false);
            out.extend_from_slice(slash(entry));
        }
        "size" if entry.is_directory => {}
        "size" => out.extend_from_slice(size(bytes).as_bytes()),
        "stamp" => {
            time.iter().for_each(|time| push_time(out, time));
        }
        _ => time.iter().for_each(|time| {
            let time = time.as_str();
            for part in [&time[..10], " ", &time[11..16]] {
                out.extend_from_slice(part.as_bytes());
            }
        }),
    });
}

/// A program that reads links (httpdirfs) takes only those for entries that begin with a letter, a digit or an escape.
fn push_link(out: &mut Vec<u8>, entry: &Entry<'_>) {
    let (first, rest) = entry.name.split_at(1);
    match first {
        [b'-' | b'.' | b'_' | b'~'] => {
            out.extend_from_slice(format!("%{:02X}", first[0]).as_bytes());
            push_encoded(out, rest);
        }
        _ => push_encoded(out, entry.name),
    }
    out.extend_from_slice(slash(entry));
}

fn push_encoded(out: &mut Vec<u8>, name: &[u8]) {
    for piece in encode(name) {
        out.extend_from_slice(piece.as_bytes());
    }
}

fn push_object(out: &mut Vec<u8>, entry: &Entry<'_>) {
    out.extend_from_slice(b"{\"name\":");
    push_json(out, &text_of(entry.name));
    let (bytes, modified) = entry.state.unwrap_or_default();
    if entry.is_directory {
        out.extend_from_slice(b",\"type\":\"directory\"");
    } else {
        out.extend_from_slice(b",\"type\":\"file\",\"size\":");
        out.extend_from_slice(decimal(bytes).as_bytes());
    }
    if let Some(time) = Utc::new(modified) {
        out.extend_from_slice(b",\"mtime\":\"");
        push_time(out, &time);
        out.push(b'"');
    }
    if !is_path_elsewhere(entry.name) {
        out.extend_from_slice(b",\"url\":\"");
        push_link(out, entry);
        out.push(b'"');
    }
    out.push(b'}');
}

/// `1 directory, 2 files, 1.2 kB`
fn push_sum(out: &mut Vec<u8>, sum: &Sum, is_unsorted: bool) {
    let counts = [
        (sum.directories, "1 directory", "directories"),
        (sum.files, "1 file", "files"),
    ];
    let mut separator: &[u8] = b"";
    for (count, one, many) in counts.into_iter().filter(|(count, ..)| *count > 0) {
        out.extend_from_slice(separator);
        if count == 1 {
            out.extend_from_slice(one.as_bytes());
        } else {
            out.extend_from_slice(decimal(count).as_bytes());
            out.push(b' ');
            out.extend_from_slice(many.as_bytes());
        }
        separator = b", ";
    }
    if sum.files > 0 {
        out.extend_from_slice(separator);
        out.extend_from_slice(size(sum.bytes).as_bytes());
    } else if sum.directories == 0 {
        out.extend_from_slice(b"Nothing here.");
    }
    if is_unsorted {
        out.extend_from_slice(b". Too many names to sort, here or in other listings at the same time: they stand as the directory has them.");
    }
}

/// As RFC 3339 writes it.
fn push_time(out: &mut Vec<u8>, time: &Utc) {
    out.extend_from_slice(time.as_str().as_bytes());
    out.push(b'Z');
}

fn slash(entry: &Entry<'_>) -> &'static [u8] {
    if entry.is_directory { b"/" } else { b"" }
}

fn text_of(name: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(name)
}
