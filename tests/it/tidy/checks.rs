//! The checks themselves, on houses that are broken everywhere.

use std::collections::BTreeSet;

use super::house::{House, too_long};

fn house(files: &[(&str, &str)]) -> House {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    House::of(files.iter().map(owned).collect())
}

#[test]
fn a_broken_wall_is_found_however_it_is_spelled() {
    let library = (
        "src/lib.rs",
        "pub mod wire;\npub use server::{Config, Server};\n",
    );
    for (path, text, broken) in [
        (
            "src/wire/head.rs",
            "//!\nuse crate::server::Config;\n",
            "src/wire/head.rs:2: wire must not name server",
        ),
        (
            "src/wire/head.rs",
            "use crate::{\n    message::X,\n    files::{a, b},\n};\n",
            "src/wire/head.rs:1: wire must not name files",
        ),
        (
            "src/wire/head.rs",
            "fn a(b: crate::Server) {}\n",
            "src/wire/head.rs:1: wire must not name server",
        ),
        (
            "src/wire/head.rs",
            "use super::super::cli;\n",
            "src/wire/head.rs:1: wire must not name cli",
        ),
        (
            "src/echo.rs",
            "use super::router::Router;\n",
            "src/echo.rs:1: echo must not name router",
        ),
        (
            "src/files/mod.rs",
            "let a = 1;\nprintln!(\"a\");\n",
            "src/files/mod.rs:2: files must not touch `println!`",
        ),
        (
            "src/message/file_slice.rs",
            "use std::fs::File;\nlet a = File::open(b);\n",
            "src/message/file_slice.rs:2: message must not touch `File::open`",
        ),
        (
            "src/wire/head.rs",
            "#[cfg(test)]\nmod tests;\nuse crate::server::Config;\n",
            "src/wire/head.rs:3: wire must not name server",
        ),
        (
            "src/cellar.rs",
            "",
            "src/cellar.rs: `cellar` is in no row of the table of parts",
        ),
    ] {
        let house = house(&[library, (path, text)]);
        assert_eq!(house.broken_walls(path, text), [broken], "{text}");
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    let text = "//! Not like crate::files, which calls println!.\nuse crate::message::Request; // std::fs\n\
                use super::head;\nuse $crate::files;\n#[cfg(test)]\nmod tests {\n    use crate::files::StaticFiles;\n}\n";
    assert!(
        house(&[])
            .broken_walls("src/wire/response.rs", text)
            .is_empty()
    );
}

#[test]
fn an_orphan_is_not_reached() {
    let house = house(&[
        ("src/lib.rs", "pub mod a;\n// mod e;\n"),
        ("src/a/mod.rs", "mod b;\n#[cfg(test)]\nmod c;\n"),
        ("src/a/b.rs", ""),
        ("src/a/c.rs", ""),
        ("src/d.rs", ""),
        ("src/e.rs", ""),
    ]);
    let mut reached = BTreeSet::new();
    house.reach("src/lib.rs", &mut reached);
    assert!(
        reached
            .iter()
            .eq(["src/a/b.rs", "src/a/c.rs", "src/a/mod.rs", "src/lib.rs"])
    );
}

#[test]
fn length_is_counted_for_files_and_functions() {
    let long = format!(
        "impl A {{\n    pub fn b() {{\n{}    }}\n}}\n",
        "        c();\n".repeat(69)
    );
    assert_eq!(
        too_long("a.rs", &long),
        ["a.rs:2: a function of 71 lines; 70 are the limit"]
    );
    let short = format!("trait A {{\n    fn b();\n}}\n{}", "// d\n".repeat(397));
    assert!(too_long("a.rs", &short).is_empty());
    assert_eq!(
        too_long("a.rs", &format!("{short}\n")),
        ["a.rs: 401 lines; 400 are the limit"]
    );
}
