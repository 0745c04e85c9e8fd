//! The repository as text: what a file names, what leads to it, and how long it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{EXCEPTIONS, FILE_LINES_MAX, FUNCTION_LINES_MAX, PARTS};

/// Every Rust file of the repository, by its path.
pub(super) struct House {
    pub(super) files: BTreeMap<String, String>,
    /// Names that the library re-exports at its root, and the part that each is from.
    root_names: BTreeMap<String, String>,
}

impl House {
    pub(super) fn read() -> House {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = BTreeMap::new();
        for folder in ["src", "tests", "benches", "examples"] {
            read_folder(root, &root.join(folder), &mut files);
        }
        assert!(files.contains_key("src/lib.rs"), "the library was found");
        House::of(files)
    }

    pub(super) fn of(files: BTreeMap<String, String>) -> House {
        let library = files.get("src/lib.rs").map_or("", String::as_str);
        let root_names = re_exports(library);
        House { files, root_names }
    }

    pub(super) fn files_under(&self, folder: &str) -> impl Iterator<Item = (&str, &str)> {
        let files = self
            .files
            .iter()
            .filter(move |(path, _)| path.starts_with(folder));
        files.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// What is wrong with a file of `src`, each with its line.
    pub(super) fn broken_walls(&self, path: &str, text: &str) -> Vec<String> {
        if matches!(path, "src/lib.rs" | "src/main.rs") || path.ends_with("/tests.rs") {
            return Vec::new();
        }
        let name = owner(path);
        let Some(part) = PARTS.iter().find(|part| part.name == name) else {
            return vec![format!(
                "{path}: `{name}` is in no row of the table of parts"
            )];
        };
        let mut broken = Vec::new();
        for (number, named) in names_of_the_crate(path, text) {
            let owner = self.root_names.get(&named).unwrap_or(&named);
            if owner != part.name && !part.may_name.contains(&owner.as_str()) {
                broken.push(format!(
                    "{path}:{number}: {} must not name {owner}",
                    part.name
                ));
            }
        }
        for (number, line) in code(text) {
            for needle in part.must_not_touch.iter().copied().flatten() {
                if line.contains(needle) && !EXCEPTIONS.contains(&(path, needle)) {
                    broken.push(format!(
                        "{path}:{number}: {} must not touch `{needle}`",
                        part.name
                    ));
                }
            }
        }
        broken
    }

    /// The parts that a part of the library names, or that the command's own files name, which are `main` together.
    pub(super) fn named_by(&self, part: &str) -> BTreeSet<String> {
        let mut named = BTreeSet::new();
        for (path, text) in self.files_under("src/") {
            let found = match owner(path) {
                "main" | "confine" | "site" if part == "main" => names_after("sockeye::", text),
                owner if owner == part && !path.ends_with("/tests.rs") => {
                    names_of_the_crate(path, text)
                }
                _ => continue,
            };
            let parts = found
                .into_iter()
                .map(|(_, name)| self.root_names.get(&name).cloned().unwrap_or(name));
            named.extend(parts);
        }
        named.remove(part);
        named
    }

    /// Follows `mod name;` from a file.
    pub(super) fn reach(&self, path: &str, reached: &mut BTreeSet<String>) {
        let Some(text) = self.files.get(path) else {
            return;
        };
        reached.insert(path.to_owned());
        let folder = match path.rsplit_once('/') {
            Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder,
            _ => path.trim_end_matches(".rs"),
        };
        for (_, line) in statements(text) {
            let declared = line
                .trim_end()
                .strip_suffix(';')
                .and_then(|line| line.split("mod ").nth(1));
            let Some(module) = declared.filter(|name| name.chars().all(is_word)) else {
                continue;
            };
            self.reach(&format!("{folder}/{module}.rs"), reached);
            self.reach(&format!("{folder}/{module}/mod.rs"), reached);
        }
    }
}

/// The part that a file of `src` belongs to.
fn owner(path: &str) -> &str {
    let path = path.trim_start_matches("src/");
    path.split(['/', '.']).next().unwrap_or(path)
}

fn read_folder(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            read_folder(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// The lines that are no comments, with their numbers.
pub(super) fn statements(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate();
    numbered.filter_map(|(index, line)| {
        let code = line.split(" // ").next().unwrap_or(line);
        (!code.trim_start().starts_with("//")).then_some((index + 1, code))
    })
}

/// The [`statements`] before the file's own tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let begins_tests = |text: &str| {
        let module = text.strip_prefix("#[cfg(test)]\nmod ");
        module.is_some_and(|module| {
            module
                .lines()
                .next()
                .is_some_and(|line| line.ends_with('{'))
        })
    };
    let mut starts = text.match_indices("#[cfg(test)]").map(|(at, _)| at);
    let end = starts.find(|at| begins_tests(&text[*at..]));
    statements(&text[..end.unwrap_or(text.len())])
}

/// Every name that a file takes from the crate's root: `crate::name`, `crate::{name, name::x}`, `super::super::name`.
fn names_of_the_crate(path: &str, text: &str) -> Vec<(usize, String)> {
    let depth = path.trim_end_matches("/mod.rs").matches('/').count();
    let supers = "super::".repeat(depth);
    let mut names = names_after("crate::", text);
    names.extend(names_after(&supers, text));
    names
}

/// Every name that follows `root`, and the line it stands in.
fn names_after(root: &str, text: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let lines: Vec<(usize, &str)> = code(text).collect();
    for (index, (number, line)) in lines.iter().enumerate() {
        for (at, _) in line.match_indices(root) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| is_word(c) || c == '$' || c == ':') {
                continue;
            }
            let rest = lines[index..]
                .iter()
                .map(|(_, line)| *line)
                .collect::<Vec<_>>()
                .join(" ");
            let found = first_segments(&rest[at + root.len()..]);
            names.extend(found.into_iter().map(|name| (*number, name)));
        }
    }
    names.retain(|(_, name)| name != "super");
    names
}

/// `a::b` → a; `{a::{b, c}, d}` → a, d.
fn first_segments(path: &str) -> Vec<String> {
    let word = |text: &str| {
        text.trim_start()
            .chars()
            .take_while(|c| is_word(*c))
            .collect::<String>()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![word(path)];
    };
    let mut names = vec![word(group)];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(word(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// `pub use part::{Name, Other};` → Name and Other are part's.
fn re_exports(library: &str) -> BTreeMap<String, String> {
    let text: String = code(library).map(|(_, line)| format!("{line} ")).collect();
    let uses = text
        .split("pub use ")
        .skip(1)
        .filter_map(|rest| rest.split(';').next()?.split_once("::"));
    let names = uses.flat_map(|(part, names)| {
        first_segments(names)
            .into_iter()
            .map(move |name| (name, part.to_owned()))
    });
    names.collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(super) fn too_long(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        found.push(format!(
            "{path}: {lines} lines; {FILE_LINES_MAX} are the limit"
        ));
    }
    // rustfmt puts a function's end under its beginning.
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let signature = line.trim_start();
        let indent = &line[..line.len() - signature.len()];
        let words: Vec<&str> = signature
            .split(' ')
            .take_while(|word| *word != "fn")
            .collect();
        let qualifiers = words
            .iter()
            .all(|word| word.starts_with("pub") || matches!(*word, "const" | "extern"));
        if !qualifiers || !signature.contains("fn ") {
            continue;
        }
        let end = format!("{indent}}}");
        let declared = |line: &&str| {
            line.starts_with(indent)
                && line.ends_with(';')
                && line[indent.len()..].starts_with([')', 'f'])
        };
        let body = lines[start..]
            .iter()
            .take_while(|line| **line != end && !declared(line));
        let length = body.count() + 1;
        if length > FUNCTION_LINES_MAX {
            found.push(format!(
                "{path}:{}: a function of {length} lines; {FUNCTION_LINES_MAX} are the limit",
                start + 1
            ));
        }
    }
    found
}
