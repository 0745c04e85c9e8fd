//! Every public item that a program can call is shown in an example that runs.
//!
//! An example of its own, or one of its type or its module that names it; so a type may show what belongs together at
//! once. Read from the sources, as the list of the public API is.

use std::collections::BTreeMap;
use std::path::Path;

use super::public_api::library;

/// What stands in an example where an item of this kind is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A struct, an enum or a trait: its name.
    Type,
    /// `name(…)`.
    Function,
    /// `.name(…)`, or in a trait that the example implements, `fn name(…)`.
    Method,
    /// `Type::name`: a constructor or a constant.
    Associated,
}

#[derive(Debug)]
struct Item<'a> {
    kind: Kind,
    name: &'a str,
    /// The type or trait that it belongs to.
    owner: Option<&'a str>,
    line: usize,
    examples: String,
}

#[test]
fn every_public_item_that_is_called_is_shown_in_an_example_that_runs() {
    let files = library(Path::new(env!("CARGO_MANIFEST_DIR")));
    let bare = bare(&files);
    let count: usize = files.values().map(|text| items(text).len()).sum();
    assert!(count > 200, "the sources were found");
    assert!(
        bare.is_empty(),
        "{} without an example of their own, and in none of their type or module:\n{}",
        bare.len(),
        bare.join("\n")
    );
}

#[test]
fn every_example_runs() {
    let files = library(Path::new(env!("CARGO_MANIFEST_DIR")));
    // The front page serves until somebody stops it.
    let others = files
        .iter()
        .filter(|(path, _)| !path.ends_with("/src/lib.rs"));
    let mut asleep = Vec::new();
    for (path, text) in others {
        for (index, line) in text.lines().enumerate() {
            let words = line.trim_start().trim_start_matches(['/', '!', ' ']);
            let language = words.strip_prefix("```").unwrap_or_default();
            // Compiled for itself, an example takes a second instead of a millisecond.
            if line.trim_start().starts_with("//") && !["", "text", "console"].contains(&language) {
                asleep.push(format!("{}:{} {language}", place(path), index + 1));
            }
        }
    }
    assert!(asleep.is_empty(), "\n{}", asleep.join("\n"));
}

#[test]
fn an_item_without_an_example_is_found() {
    let text = "\
/// A pond.
///
/// ```
/// let pond = Pond::new();
/// assert!(pond.is_empty());
/// ```
pub struct Pond;

impl Pond {
    /// No fish yet.
    pub fn new() -> Pond { Pond }

    /// Whether there are no fish.
    #[inline]
    pub fn is_empty(&self) -> bool { true }

    /// Adds one; `Pond::new()` has none.
    pub fn add(self) -> Pond { self }

    /// ```no_run
    /// pond.freeze();
    /// ```
    pub fn freeze(&self) {}

    /// ```
    /// pond.thaw();
    /// ```
    #[deprecated(
        since = \"1.2\"
    )]
    pub fn thaw(
        &self,
    ) {}

    /// How many there may be.
    pub const MAX: usize = 7;
}

impl FromStr for Pond {}

impl<F> Pond
where
    F: Fn(),
{
    /// Of `new` there is an example, and none of this.
    pub fn with(function: F) -> Pond { Pond }
}

/// ```text
/// is_lake()
/// ```
pub fn is_lake() {}

/// The room's example has it.
pub fn is_sea() {}
";
    let room = "//! ```\n//! assert!(!is_sea());\n//! ```\n";
    let files = [("/src/water/mod.rs", room), ("/src/water/pond.rs", text)];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let files = BTreeMap::from(files);
    let names: Vec<_> = bare(&files)
        .into_iter()
        .map(|line| {
            line.rsplit_once(' ')
                .expect("a place and a name")
                .1
                .to_owned()
        })
        .collect();
    assert_eq!(
        names,
        [
            "Pond::add",
            "Pond::freeze",
            "Pond::MAX",
            "Pond::parse",
            "Pond::with",
            "is_lake"
        ]
    );
}

/// The items that no example shows, each with its place.
fn bare(files: &BTreeMap<String, String>) -> Vec<String> {
    let items: Vec<(&str, Vec<Item>)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), items(text)))
        .collect();
    let types: BTreeMap<&str, &str> = items
        .iter()
        .flat_map(|(_, items)| items)
        .filter(|item| item.kind == Kind::Type)
        .map(|item| (item.name, item.examples.as_str()))
        .collect();
    let mut bare = Vec::new();
    for (path, items) in &items {
        let modules: String = modules(path)
            .filter_map(|module| files.get(&module))
            .map(|text| examples(text.lines().filter_map(|line| line.strip_prefix("//!"))))
            .collect();
        for item in items {
            let of_type = item.owner.and_then(|owner| types.get(owner)).unwrap_or(&"");
            let is_shown =
                !item.examples.is_empty() || is_named(item, of_type) || is_named(item, &modules);
            // What is implemented for a type that is not public is not public.
            let is_public = item.owner.is_none_or(|owner| types.contains_key(owner));
            if is_public && !is_shown {
                let owner = item
                    .owner
                    .map_or(String::new(), |owner| format!("{owner}::"));
                bare.push(format!(
                    "{}:{} {owner}{}",
                    place(path),
                    item.line,
                    item.name
                ));
            }
        }
    }
    bare
}

/// `…/src/message/body.rs` → `src/message/body.rs`.
fn place(path: &str) -> &str {
    path.rfind("/src/").map_or(path, |at| &path[at + 1..])
}

/// The file itself, and the `mod.rs` of every folder that it lies in.
fn modules(path: &str) -> impl Iterator<Item = String> {
    let source = path.rfind("/src/").map_or(0, |at| at + "/src".len());
    let folders = path.match_indices('/').map(|(at, _)| at);
    let around = folders.filter(move |at| *at > source);
    let around = around.map(|at| format!("{}/mod.rs", &path[..at]));
    around
        .filter(move |module| module != path)
        .chain([path.to_owned()])
}

/// Whether an example uses this item.
fn is_named(item: &Item, example: &str) -> bool {
    let name = item.name;
    match item.kind {
        Kind::Type => has_word(example, name),
        Kind::Function => has_word(example, &format!("{name}(")),
        Kind::Method => {
            [".", "fn "]
                .iter()
                .any(|before| example.contains(&format!("{before}{name}(")))
                || (name == "parse" && example.contains(".parse"))
        }
        Kind::Associated => {
            let owner = item.owner.expect("it belongs to a type");
            has_word(example, &format!("{owner}::{name}"))
        }
    }
}

/// Whether `text` has `word` and neither begins nor goes on within another.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && (word.ends_with('(') || !after.is_some_and(is_part))
    })
}

/// The public items of a file, each with the code of the examples in its own words.
fn items(text: &str) -> Vec<Item<'_>> {
    let lines: Vec<&str> = text
        .lines()
        .take_while(|line| *line != "mod tests {")
        .collect();
    let mut items = Vec::new();
    let mut owner = None;
    let mut is_in_trait = false;
    for (index, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        // Bounds on lines of their own belong to what stands above.
        let is_outermost = trimmed.len() == line.len() && !["", "where", "{"].contains(line);
        if is_outermost {
            owner = implementor(trimmed);
            is_in_trait = trimmed.starts_with("pub trait ");
            if is_in_trait {
                owner = trimmed["pub trait ".len()..]
                    .split(|c: char| !is_word(c))
                    .next();
            }
        }
        let (kind, name) = match item(trimmed, owner.is_some(), is_in_trait) {
            Some(item) => item,
            None => continue,
        };
        let is_type = kind == Kind::Type;
        // A receiver may stand on a line of its own.
        let signature = lines[index..lines.len().min(index + 2)].concat();
        let has_receiver = ["(self", "(mut self", "(&self", "(&mut self", "(    "]
            .iter()
            .any(|receiver| signature.contains(receiver) && signature.contains("self"));
        items.push(Item {
            kind: match kind {
                Kind::Associated if has_receiver => Kind::Method,
                kind => kind,
            },
            name,
            owner: owner.filter(|_| !is_type),
            line: index + 1,
            examples: examples(words_before(&lines[..index])),
        });
    }
    items
}

/// What a line declares for everybody; a method counts as associated until its receiver is seen.
fn item(line: &str, is_owned: bool, is_in_trait: bool) -> Option<(Kind, &str)> {
    let name = |text| first_word(text);
    if line.starts_with("impl FromStr for ") {
        return Some((Kind::Method, "parse"));
    }
    if is_in_trait && line.starts_with("fn ") {
        return Some((Kind::Associated, name(&line["fn ".len()..])));
    }
    let rest = line.strip_prefix("pub ")?;
    let (keyword, rest) = rest.split_once(' ')?;
    let function = if is_owned {
        Kind::Associated
    } else {
        Kind::Function
    };
    match keyword {
        "struct" | "enum" | "trait" => Some((Kind::Type, name(rest))),
        "fn" => Some((function, name(rest))),
        "const" if rest.starts_with("fn ") => Some((function, name(&rest["fn ".len()..]))),
        "const" if is_owned => Some((Kind::Associated, name(rest))),
        "const" => Some((Kind::Type, name(rest))),
        _ => None,
    }
}

/// `impl<T> Trait for Name<T> {` and `impl Name {` → Name.
fn implementor(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(_) => rest.split_once("> ").map_or(rest, |(_, rest)| rest),
        None => rest,
    };
    let name = rest.split_once(" for ").map_or(rest, |(_, name)| name);
    Some(first_word(name.trim_start()))
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !is_word(c)).next().unwrap_or(text)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The lines of the doc comment that ends above, attributes left out.
fn words_before<'a>(lines: &[&'a str]) -> impl Iterator<Item = &'a str> {
    let mut is_in_attribute = false;
    let is_above = |line: &&&str| {
        let line = line.trim_start();
        // An attribute on several lines is met from its end.
        is_in_attribute = line == ")]" || is_in_attribute && !line.starts_with("#[");
        is_in_attribute || line.starts_with("///") || line.starts_with("#[")
    };
    let above: Vec<&str> = lines.iter().rev().take_while(is_above).copied().collect();
    above
        .into_iter()
        .rev()
        .filter_map(|line| line.trim_start().strip_prefix("///"))
}

/// The code of all examples that run, hidden lines included.
fn examples<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut code = String::new();
    // Whether it stands in a fence, and if so, whether that runs.
    let mut fence = None;
    for line in words {
        match (line.trim_start().strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(language.is_empty()),
            (Some(_), Some(_)) => fence = None,
            (None, Some(true)) => code.extend([line, "\n"]),
            (None, _) => {}
        }
    }
    code
}
