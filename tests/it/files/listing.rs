//! Directories without an index.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::site::{Site, get};

/// The links of a page, entities resolved.
fn links(page: &str) -> Vec<String> {
    let links = page
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    links
        .filter_map(|link| link.strip_prefix("./"))
        .filter(|link| !link.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_awkward_name_is_linked_so_that_the_link_works() {
    let names: Vec<&[u8]> = vec![
        b"a#b",
        b"a?b",
        b"100%",
        b"%2e%2e",
        b"a\"b",
        b"a:b",
        b"<b>",
        b"a&amp;b",
        b"a;b",
        b"a\\b",
        b"\"; \\",
        b"a b",
        b" ",
        "é".as_bytes(),
        b"a\nb",
        b"\xff\xfe",
        b"javascript:alert(1)",
        b"a'b",
        b"a+b",
        b"~",
        b"\x1b[31m",
        "\u{202e}txt".as_bytes(),
    ];
    let site = Site::new();
    for (n, name) in names.iter().enumerate() {
        site.write(OsStr::from_bytes(name), n.to_string());
    }
    let files = site.files();
    let page = get(&files, "/");
    assert_eq!(page.status, 200);
    let mut found: Vec<usize> = links(page.text())
        .iter()
        .map(|link| get(&files, &format!("/{link}")).text().parse().expect(link))
        .collect();
    found.sort_unstable();
    assert_eq!(found, (0..names.len()).collect::<Vec<_>>());
}

#[test]
fn a_listing_is_inert_and_never_stored_blindly() {
    let site = Site::with("sub/a.txt", "hello");
    let page = get(&site.files(), "/sub/");
    assert_eq!(
        page.field("Content-Security-Policy"),
        "default-src 'none'; style-src 'unsafe-inline'"
    );
    assert_eq!(page.field("X-Content-Type-Options"), "nosniff");
    assert_eq!(page.field("Cache-Control"), "no-cache");
    assert_eq!((page.field("ETag"), page.field("Last-Modified")), ("", ""));
    assert!(page.text().contains("href=\"../\"") && page.text().contains("5 B"));
}

#[test]
fn dotfiles_and_pipes_are_not_listed() {
    let site = Site::with("a.txt", "hello");
    site.write(".env", "secret");
    rustix::fs::mkfifoat(rustix::fs::CWD, site.path("pipe"), rustix::fs::Mode::RWXU).unwrap();
    std::os::unix::fs::symlink("a.txt", site.path("link")).unwrap();
    assert_eq!(links(get(&site.files(), "/").text()), ["a.txt", "link"]);
    let shown = site.files_with(|config| config.hidden = true);
    assert_eq!(links(get(&shown, "/").text()), [".env", "a.txt", "link"]);
}

#[test]
fn a_listing_is_cut_at_ten_thousand_names_and_says_so() {
    let site = Site::new();
    for n in 0..10_001 {
        site.write(format!("{n}"), "");
    }
    let page = get(&site.files(), "/");
    assert_eq!(links(page.text()).len(), 10_000);
    assert!(page.text().contains("only 10000 names were read"));
}
