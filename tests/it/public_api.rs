//! What the library promises to those who use it, as a list, so that it changes on purpose.
//!
//! `unreachable_pub` is denied, so what is called `pub` in the sources is public. Signatures are compared as they are
//! written; after a change that is meant, `SOCKEYE_BLESS=1 cargo test --test it public_api` writes the list anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

const LIST: &str = "tests/it/public_api.txt";

#[test]
fn the_public_api_is_as_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = library(root);
    let types: BTreeSet<&str> = files.values().flat_map(|text| public_types(text)).collect();
    let mut items: Vec<String> = files
        .iter()
        .flat_map(|(path, text)| {
            let items = items(text).filter(|item| is_of_public_type(item, &types));
            items.map(move |item| format!("{}: {item}", room(path)))
        })
        .collect();
    items.sort();
    assert!(items.len() > 100, "the sources were found");
    let found = items.join("\n") + "\n";
    let list = root.join(LIST);
    if env::var_os("SOCKEYE_BLESS").is_some() {
        fs::write(&list, &found).expect("the list can be written");
    }
    let listed = fs::read_to_string(&list).unwrap_or_default();
    let missing = |one: &str, other: &str, sign: &str| {
        let lines = one
            .lines()
            .filter(|line| !other.lines().any(|o| o == *line));
        lines
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    let changes = missing(&listed, &found, "-") + &missing(&found, &listed, "+");
    assert!(
        listed == found,
        "{LIST} says otherwise; `SOCKEYE_BLESS=1 cargo test --test it public_api` writes it anew\n{changes}"
    );
}

/// The sources of the library by their paths: everything but what the command alone uses.
pub(crate) fn library(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    read(&root.join("src"), &mut files);
    files.retain(|path, _| is_library(path));
    files
}

fn read(folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder of ours") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read(&path, files);
        } else {
            let text = fs::read_to_string(&path).expect("a source is text");
            files.insert(path.display().to_string(), text);
        }
    }
}

fn is_library(path: &str) -> bool {
    !["/src/main.rs", "/src/confine.rs", "/src/cli/"]
        .iter()
        .any(|part| path.contains(part))
}

/// `…/src/message/body.rs` → message.
fn room(path: &str) -> &str {
    let inner = path.rsplit_once("/src/").map_or(path, |(_, inner)| inner);
    let end = inner.find(['/', '.']).unwrap_or(inner.len());
    &inner[..end]
}

fn public_types(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let name = line
            .strip_prefix("pub struct ")
            .or_else(|| line.strip_prefix("pub enum "))?;
        name.split(|c: char| !c.is_alphanumeric()).next()
    })
}

/// Whether an item that implements a trait does so for everybody to see.
fn is_of_public_type(item: &str, types: &BTreeSet<&str>) -> bool {
    let Some((implemented, implementor)) = item
        .strip_prefix("impl")
        .and_then(|item| item.split_once(" for "))
    else {
        return true;
    };
    let name = implementor.split(|c: char| !c.is_alphanumeric()).next();
    implemented.ends_with("Handler")
        || implemented.ends_with("IntoResponse")
        || name.is_some_and(|name| types.contains(name))
}

/// Public items and implemented traits, each with what it belongs to, on one line.
fn items(text: &str) -> impl Iterator<Item = String> {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let lines: Vec<&str> = code.lines().collect();
    let mut items = Vec::new();
    let mut owner = String::new();
    let mut is_public_trait = false;
    for (index, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let is_outermost = trimmed.len() == line.len();
        // Bounds on lines of their own belong to what stands above.
        if is_outermost && !["", "where", "{"].contains(&trimmed) {
            owner.clear();
            is_public_trait = trimmed.starts_with("pub trait ");
        }
        let is_impl = is_outermost && trimmed.starts_with("impl");
        let is_item = trimmed.starts_with("pub ");
        // What stands in a public trait or enum is public without a word.
        let is_method = is_public_trait && trimmed.starts_with("fn ");
        if !(is_impl || is_item || is_method) {
            continue;
        }
        let signature = signature(&lines[index..]);
        let is_struct = is_outermost && trimmed.starts_with("pub struct ");
        if is_impl || is_struct || (is_outermost && is_public_trait) {
            owner = signature.trim_start_matches("pub ").to_owned();
        }
        match is_impl {
            true if signature.contains(" for ") => items.push(signature),
            true => {}
            false if is_outermost || owner.is_empty() => items.push(signature),
            false => items.push(format!("{owner} :: {signature}")),
        }
    }
    items.into_iter()
}

/// From an item's first line to its body or end; of an enum, all of it.
fn signature(lines: &[&str]) -> String {
    let is_enum = lines[0].starts_with("pub enum ");
    let is_use = lines[0].trim_start().starts_with("pub use ");
    let mut words = Vec::new();
    for line in lines {
        let line = line.trim();
        if line.starts_with("//") || line.starts_with('#') {
            continue;
        }
        let ends = match (is_enum, is_use) {
            (true, _) => line == "}",
            (_, true) => line.ends_with(';'),
            _ => line.ends_with(['{', ';', ',', '}']) && !is_open(&words, line),
        };
        words.push(line.to_owned());
        if ends {
            break;
        }
    }
    let text = words.join(" ");
    let text = match is_enum || is_use {
        true => &text,
        false => text.trim_end_matches(['{', ';', ',']).trim_end(),
    };
    text.replace("( ", "(").replace(", )", ")").to_owned()
}

/// Whether a bracket is still open after these lines, or the bounds of a function go on.
fn is_open(words: &[String], line: &str) -> bool {
    let text = words.join(" ") + line;
    let depth = |open: char, close: char| {
        text.matches(open).count() as i64 - text.matches(close).count() as i64
    };
    depth('(', ')') > 0
        || (text.contains(" where") && line.ends_with(','))
        || (line.ends_with(',') && text.starts_with("pub fn"))
}
