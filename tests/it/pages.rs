//! The pages that a person sees: what the server makes, and `public/`. They are small, of one look, and whole without a
//! script.

use std::fs;

use sockeye::files::StaticFiles;
use sockeye::{Handler, Request, Response, StatusCode};

/// More than a page has of markup and styles, scripts aside.
const BYTES_MAX: usize = 3_000;

/// What every stylesheet begins with.
const LOOK: &str = include_str!("../../src/text/look.css");

/// What stands between the first `before` and the next `behind`.
fn between<'a>(text: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(behind)?.0)
}

fn assert_is_small(name: &str, page: &str, styles: &str) {
    let script = between(page, "<script>", "</script>").map_or(0, str::len);
    let bytes = page.len() + styles.len() - script;
    assert!(
        bytes < BYTES_MAX,
        "{name} has {bytes} bytes of markup and styles"
    );
    assert!(
        styles.starts_with(LOOK) || page.contains(LOOK),
        "{name} looks different"
    );
    for part in ["<!doctype html>\n<html lang=\"en\">", "<main>", "<h1>"] {
        assert_eq!(page.matches(part).count(), 1, "{part} in {name}");
    }
    for part in ["name=\"viewport\"", "<title>"] {
        assert!(page.contains(part), "{part} in {name}");
    }
    assert!(
        page.find("<h1>") < page.find("<h2>").or(Some(page.len())),
        "{name} begins with a heading of the second level"
    );
}

#[test]
fn a_listing_is_small() {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir(site.path().join("a")).unwrap();
    fs::create_dir(site.path().join("b")).unwrap();
    fs::write(site.path().join("b/README"), "").unwrap();
    let files = StaticFiles::new(site.path()).unwrap();
    for path in ["/", "/a/", "/b/", "/b/?sort=size&order=desc"] {
        let page = files.handle(&Request::get(path)).into_text().unwrap();
        // What is listed is not the page's own.
        let own: String = page
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("<tr><td dir="))
            .collect();
        assert_is_small(path, &own, "");
    }
}

#[test]
fn a_page_about_an_error_is_small() {
    let request = Request::get("/").with_header("Accept", "text/html");
    for status in (400..600).filter_map(|code| StatusCode::from_u16(code).ok()) {
        let page = Response::problem(status, "", &request).into_text().unwrap();
        assert_is_small(status.as_str(), &page, "");
    }
}

/// Every `.html` in `public/`, not in its directories.
fn demo_pages() -> Vec<(String, String)> {
    let entries = fs::read_dir("public").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = names.filter(|name| name.ends_with(".html"));
    names
        .map(|name| (format!("public/{name}"), name))
        .map(|(path, name)| (name, fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn the_pages_of_the_demo_are_small() {
    let pages = demo_pages();
    assert!(pages.len() > 3, "{pages:?}");
    for (name, page) in &pages {
        let style = between(page, "<link rel=\"stylesheet\" href=\"", "\"").unwrap();
        let style = fs::read_to_string(format!("public/{style}")).unwrap();
        assert_is_small(name, page, &style);
        // In files of their own, so that a policy may forbid any other.
        for inline in ["<script>", "<style", " style=", " onclick="] {
            assert!(!page.contains(inline), "{inline} in {name}");
        }
    }
}

#[test]
fn every_page_of_the_demo_leads_to_every_other_and_nowhere_that_is_not() {
    let files = StaticFiles::new("public").unwrap();
    let pages = demo_pages();
    for (name, page) in &pages {
        let mut links = Vec::new();
        for attribute in ["href=\"", "src=\""] {
            links.extend(
                page.split(attribute)
                    .skip(1)
                    .filter_map(|rest| rest.split('"').next()),
            );
        }
        for link in &links {
            let status = match *link {
                "echo" => continue,
                "no-such-page" => 404,
                "files" => 308,
                _ => 200,
            };
            let path = format!("/{}", link.trim_start_matches("./"));
            let found = files.handle(&Request::get(&path)).status();
            assert_eq!(found, status, "{link} in {name}");
        }
        for (other, _) in &pages {
            let link = if other == "index.html" { "./" } else { other };
            assert!(links.contains(&link), "{name} does not lead to {other}");
        }
        let here = between(page, "aria-current=\"page\">", "</a>");
        assert!(here.is_some(), "{name} does not say which page it is");
    }
}
