//! What is written about the house is true: the map in `src/lib.rs`, the files and tests that the documents name, and
//! the flags in the README.

#[cfg(feature = "cli")]
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::PARTS;
use super::house::House;

/// The rows of the map, `part → part, part`, from top to bottom.
fn map(library: &str) -> Vec<(String, BTreeSet<String>)> {
    let rows = library
        .lines()
        .filter_map(|line| line.strip_prefix("//! ")?.split_once('→'));
    let row = |(part, named): (&str, &str)| {
        let named = named.split(',').map(|name| name.trim().to_owned());
        (part.trim().to_owned(), named.collect())
    };
    rows.map(row).collect()
}

/// What of the map is not so.
fn errors(
    rows: &[(String, BTreeSet<String>)],
    named_by: impl Fn(&str) -> BTreeSet<String>,
) -> Vec<String> {
    let mut errors = Vec::new();
    for (at, (part, drawn)) in rows.iter().enumerate() {
        let named = named_by(part);
        if *drawn != named {
            let named = Vec::from_iter(named).join(", ");
            errors.push(format!("`{part}` names {named}; draw `{part} → {named}`"));
        }
        for name in drawn {
            let above = rows[..=at].iter().any(|(other, _)| other == name);
            if above {
                errors.push(format!("the arrow `{part} → {name}` does not point down"));
            }
        }
    }
    errors
}

#[test]
fn the_map_in_the_library_shows_the_arrows_that_there_are() {
    let house = House::read();
    let library = &house.files["src/lib.rs"];
    let rows = map(library);
    let mut wrong = errors(&rows, |part| house.named_by(part));
    for part in PARTS.iter().map(|part| part.name).chain(["main"]) {
        let is_drawn = rows.iter().any(|(drawn, _)| drawn == part);
        if !is_drawn && !house.named_by(part).is_empty() && part != "confine" {
            wrong.push(format!("`{part}` has no row"));
        }
        if !library.contains(&format!("`{part}`")) {
            wrong.push(format!("`{part}` is not described"));
        }
    }
    assert!(wrong.is_empty(), "src/lib.rs:\n{}\n", wrong.join("\n"));
}

#[test]
fn a_wrong_map_is_found() {
    let rows = map("//! ```text\n//! a → b, c\n//! b → c\n//! c → a\n//! ```\n");
    let named_by = |part: &str| -> BTreeSet<String> {
        let named: &[&str] = match part {
            "a" => &["c"],
            "b" => &["c"],
            _ => &["a"],
        };
        named.iter().map(|&name| name.to_owned()).collect()
    };
    assert_eq!(
        errors(&rows, named_by),
        [
            "`a` names c; draw `a → c`",
            "the arrow `c → a` does not point down"
        ]
    );
}

const DOCUMENTS: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
];

/// What stands between backticks in a document.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    // Code blocks are fenced by three, between which there is nothing or a word.
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| !text.contains('\n'))
}

#[test]
fn the_files_and_the_tests_that_the_documents_name_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let house = House::read();
    let is_path = |text: &&str| {
        ["src/", "tests/", "benches/", "examples/", ".ci/"]
            .iter()
            .any(|folder| text.starts_with(folder))
    };
    let is_fact = |text: &&str| {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_…".contains(c);
        text.matches('_').count() >= 3 && text.chars().all(is_word)
    };
    let (mut paths, mut facts) = (0, 0);
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        for path in quoted(&text).filter(is_path) {
            let path = path.split([' ', '*']).next().unwrap_or(path);
            assert!(root.join(path).exists(), "{document}: there is no {path}");
            paths += 1;
        }
        for fact in quoted(&text).filter(is_fact) {
            let name = match fact.strip_suffix('…') {
                Some(start) => format!("fn {start}"),
                None => format!("fn {fact}("),
            };
            let is_there = house.files.values().any(|file| file.contains(&name));
            assert!(is_there, "{document}: there is no test `{fact}`");
            facts += 1;
        }
    }
    assert!(paths > 20 && facts > 10, "{paths} paths, {facts} tests");
}

/// The flags of a text whose lines have them where `cell` says, and each one's default if it has one.
#[cfg(feature = "cli")]
type Flags = BTreeMap<String, Option<String>>;

/// `-p, --port <N>  The port [default: 8080, …]` in the help.
#[cfg(feature = "cli")]
fn flags_of_help(help: &str) -> Flags {
    let lines = help.lines().map(str::trim_start);
    let flags = lines.filter(|line| line.starts_with('-')).map(|line| {
        let (flag, words) = line.split_once("  ").unwrap_or((line, ""));
        let default = words
            .split_once("[default: ")
            .and_then(|(_, rest)| rest.split_once(']'));
        (names(flag), default.map(|(default, _)| default.to_owned()))
    });
    flags
        .filter(|(name, _)| !["-h --help", "-V --version"].contains(&name.as_str()))
        .collect()
}

/// `| `-p`, `--port N` | 8080, … | the port |` in the README.
#[cfg(feature = "cli")]
fn flags_of_readme(readme: &str) -> Flags {
    let rows = readme.lines().filter(|line| line.starts_with("| `-"));
    let flags = rows.map(|row| {
        let mut cells = row
            .trim_matches('|')
            .split(" | ")
            .map(|cell| cell.replace('`', ""));
        let flag = cells.next().unwrap_or_default();
        let default = cells
            .next()
            .filter(|default| !default.trim_matches(['|', ' ']).is_empty());
        (names(&flag), default)
    });
    flags.collect()
}

/// `-p, --port N` → `-p --port`.
#[cfg(feature = "cli")]
fn names(flag: &str) -> String {
    let names = flag.trim().split(", ").filter(|name| name.starts_with('-'));
    let name = |name: &str| {
        name.split([' ', '[', '=', '<'])
            .next()
            .unwrap_or(name)
            .to_owned()
    };
    names.map(name).collect::<Vec<_>>().join(" ")
}

#[cfg(feature = "cli")]
#[test]
fn the_flags_in_the_readme_are_those_of_the_help() {
    let root = env!("CARGO_MANIFEST_DIR");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_sockeye"))
        .arg("--help")
        .output();
    let (help, readme) = (
        flags_of_help(&String::from_utf8(help.unwrap().stdout).unwrap()),
        flags_of_readme(&readme),
    );
    assert!(help.len() > 10, "{help:?}");
    assert!(
        help.keys().eq(readme.keys()),
        "help: {:?}\nREADME: {:?}",
        help.keys(),
        readme.keys()
    );
    for (flag, default) in &help {
        let (Some(default), Some(written)) = (default, &readme[flag]) else {
            assert_eq!(
                default, &None,
                "{flag} has a default that the README does not name"
            );
            continue;
        };
        assert!(
            written.trim().starts_with(default),
            "{flag}: {default:?} or {written:?}?"
        );
    }
}
