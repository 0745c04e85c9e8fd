//! Directories without an index, read as the clients read them that mount, mirror or show listings.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::time::{Duration, UNIX_EPOCH};

use percent_encoding::percent_decode_str;
use sockeye::Handler;
use sockeye::message::{Body, Request};

use super::site::{Answer, Site, ask, get};

/// Every link with its text, both as they stand in the page.
fn anchors(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("<a href=\"").skip(1).map(|rest| {
        let (link, rest) = rest.split_once('"').expect("an attribute ends");
        let (_, rest) = rest.split_once('>').expect("a tag ends");
        (link, rest.split_once("</a>").expect("a link ends").0)
    })
}

fn without_entities(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    })
}

fn decoded(link: &str) -> Vec<u8> {
    percent_decode_str(link).collect()
}

/// httpdirfs (`linkname_to_LinkType`): a link begins with a letter, a digit or `%`, and has a slash only at its end.
fn as_httpdirfs(page: &str) -> Vec<Vec<u8>> {
    let is_entry = |link: &&str| {
        link.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '%')
            && !link.trim_end_matches('/').contains('/')
            && !link.contains(['?', '#'])
    };
    let links = anchors(page).map(|(link, _)| link);
    let mut names: Vec<_> = links.filter(is_entry).map(decoded).collect();
    names.sort();
    names
}

/// Kodi (`CHTTPDirectory`): the text of a link is the decoded link, slashes at the end and blanks around it aside.
fn as_kodi(page: &str) -> Vec<Vec<u8>> {
    let is_entry = |(link, text): &(&str, &str)| {
        let text = without_entities(text.trim());
        let link = decoded(link.trim_start_matches('/').trim_end_matches('/'));
        link != b".." && !link.is_empty() && text.trim_end_matches('/').as_bytes() == link
    };
    let mut names: Vec<_> = anchors(page)
        .filter(is_entry)
        .map(|(link, _)| decoded(link))
        .collect();
    names.sort();
    names
}

/// The names that are linked, in the page's order.
fn links(page: &str) -> Vec<&str> {
    anchors(page)
        .map(|(link, _)| link)
        .filter(|link| !link.starts_with(['.', '?', '/']))
        .collect()
}

const PLAIN_NAMES: &[&str] = &[
    "a#b",
    "a?b",
    "100%",
    "%2e%2e",
    "a\"b",
    "a:b",
    "<b>",
    "a&amp;b",
    "a;b",
    "a\\b",
    "\"; \\",
    "a b",
    "é",
    "a'b",
    "a+b",
    "~",
    "-rf",
    "_under",
    "javascript:alert(1)",
    "http:",
    "שלום.txt",
];

/// Blanks, what is no text, and what would steer a terminal or turn text around.
const ODD_NAMES: &[&[u8]] = &[
    b" ",
    b"a\nb",
    b"\xff\xfe",
    b"\x1b[31m",
    "\u{202e}txt.exe".as_bytes(),
    "a\u{2066}b\u{2069}".as_bytes(),
];

#[test]
fn every_awkward_name_is_linked_so_that_the_link_works() {
    let site = Site::new();
    let names = PLAIN_NAMES.iter().map(|name| name.as_bytes());
    for (n, name) in names.chain(ODD_NAMES.iter().copied()).enumerate() {
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
    assert_eq!(
        found,
        (0..PLAIN_NAMES.len() + ODD_NAMES.len()).collect::<Vec<_>>()
    );
}

#[test]
fn clients_that_mount_or_show_listings_find_every_entry() {
    let site = Site::with("sub dir/a.txt", "");
    let mut names: Vec<Vec<u8>> = vec![b"sub dir/".to_vec()];
    for name in PLAIN_NAMES {
        site.write(name, "x");
        names.push(name.as_bytes().to_vec());
    }
    names.sort();
    let page = get(&site.files(), "/");
    assert_eq!(as_kodi(page.text()), names, "Kodi");
    assert_eq!(as_httpdirfs(page.text()), names, "httpdirfs");
    // In a directory below, what leads up is no entry either.
    let page = get(&site.files(), "/sub%20dir/");
    assert_eq!(as_kodi(page.text()), [b"a.txt"], "Kodi");
    assert_eq!(as_httpdirfs(page.text()), [b"a.txt"], "httpdirfs");
    for name in ODD_NAMES {
        site.write(OsStr::from_bytes(name), "x");
        names.push(name.to_vec());
    }
    names.sort();
    assert_eq!(
        as_httpdirfs(get(&site.files(), "/").text()),
        names,
        "httpdirfs"
    );
}

#[test]
fn what_would_steer_a_terminal_or_turn_text_around_is_shown_as_an_escape() {
    let site = Site::new();
    for name in ODD_NAMES {
        site.write(OsStr::from_bytes(name), "x");
    }
    let page = get(&site.files(), "/");
    for shown in [
        ">a\\x0ab<",
        ">\\x1b[31m<",
        ">\\u{202e}txt.exe<",
        ">a\\u{2066}b\\u{2069}<",
    ] {
        assert!(page.text().contains(shown), "{shown}\n{}", page.text());
    }
    let steers = |c: char| matches!(c, '\x1b' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!page.text().contains(steers));
    assert!(!get(&site.files(), "/?format=text").text().contains(steers));
}

#[test]
fn a_crowd_that_takes_large_listings_slowly_keeps_nobody_from_one() {
    let site = Site::new();
    for n in 0..2000 {
        site.write(format!("{n:0>200}"), "");
    }
    let files = site.files();
    let list = || {
        files
            .handle_head(&Request::get("/"))
            .expect("files answer from the head")
    };
    // Each of them has its head, and nobody takes a byte of the body.
    let crowd: Vec<_> = (0..100).map(|_| list()).collect();
    assert!(crowd.iter().all(|response| response.status() == 200));
    let newcomer = get(&files, "/");
    assert_eq!((newcomer.status, links(newcomer.text()).len()), (200, 2000));
    drop(crowd);
}

#[test]
fn a_large_listing_is_made_in_pieces() {
    let site = Site::new();
    for n in 0..5000 {
        site.write(format!("{n}.txt"), "");
    }
    let response = site.files().handle_head(&Request::get("/")).unwrap();
    let Body::Stream(mut stream) = response.into_parts().2 else {
        panic!("it is not kept as a whole");
    };
    let mut piece = vec![0; 64 * 1024];
    let first = stream.read(&mut piece).unwrap();
    assert!(first > 0);
    // What is removed before its piece is made is not listed, and what is left is.
    for n in (0..5000).filter(|n| n % 2 == 1) {
        std::fs::remove_file(site.path(format!("{n}.txt"))).unwrap();
    }
    let mut page = piece[..first].to_vec();
    stream.read_to_end(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains(">4998.txt<") && !page.contains(">4999.txt<"));
    assert!(page.ends_with("</html>\n"));
}

#[test]
fn a_listing_is_inert_and_never_stored_blindly() {
    let site = Site::with("sub/a.txt", "hello");
    let page = get(&site.files(), "/sub/");
    let policy = page.field("Content-Security-Policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    let scripts: Vec<_> = policy.split("script-src ").skip(1).collect();
    assert!(
        scripts.len() == 1 && scripts[0].starts_with("'sha256-"),
        "{policy}"
    );
    assert_eq!(page.field("X-Content-Type-Options"), "nosniff");
    assert_eq!(page.field("Cache-Control"), "no-cache");
    assert_eq!(page.field("Vary"), "Accept");
    assert_eq!((page.field("ETag"), page.field("Last-Modified")), ("", ""));
    assert!(page.text().contains("href=\"../\"") && page.text().contains("5 B"));
}

#[test]
fn dotfiles_and_pipes_and_links_that_lead_out_are_not_listed() {
    let site = Site::with("a.txt", "hello");
    site.write(".env", "secret");
    rustix::fs::mkfifoat(rustix::fs::CWD, site.path("pipe"), rustix::fs::Mode::RWXU).unwrap();
    symlink("a.txt", site.path("link")).unwrap();
    symlink("../outside", site.path("out")).unwrap();
    symlink("nowhere", site.path("dangling")).unwrap();
    assert_eq!(links(get(&site.files(), "/").text()), ["a.txt", "link"]);
    let shown = site.files_with(|config| config.hidden = true);
    assert_eq!(links(get(&shown, "/").text()), ["%2Eenv", "a.txt", "link"]);
}

#[test]
fn a_listing_has_every_name_however_many_there_are() {
    let site = Site::new();
    for n in 0..10_001 {
        site.write(format!("{n}"), "");
    }
    let page = get(&site.files(), "/");
    let expected: Vec<_> = (0..10_001).map(|n| n.to_string()).collect();
    assert_eq!(links(page.text()), expected);
    assert!(page.text().contains("10001 files"));
}

/// Three files and a directory, each first by another column.
fn sortable() -> Site {
    let site = Site::with("z/inner", "");
    for (name, size, day) in [("b2", 30, 1), ("b10", 10, 3), ("a", 20, 2)] {
        site.write(name, "x".repeat(size));
        site.date(name, UNIX_EPOCH + Duration::from_secs(day * 86_400));
    }
    site
}

#[test]
fn links_sort_by_each_column_both_ways_and_directories_stay_first() {
    let site = sortable();
    let files = site.files();
    for (query, names) in [
        ("", ["z/", "a", "b2", "b10"]),
        ("?sort=name&order=desc", ["z/", "b10", "b2", "a"]),
        ("?sort=size", ["z/", "b10", "a", "b2"]),
        ("?sort=size&order=desc", ["z/", "b2", "a", "b10"]),
        ("?sort=mtime", ["z/", "b2", "a", "b10"]),
        ("?order=desc&sort=mtime", ["z/", "b10", "a", "b2"]),
        ("?sort=nonsense&order=upwards&x", ["z/", "a", "b2", "b10"]),
    ] {
        let page = get(&files, &format!("/{query}"));
        assert_eq!(links(page.text()), names, "{query}");
    }
    let page = get(&files, "/?sort=size");
    let heads: Vec<_> = anchors(page.text()).map(|(link, _)| link).collect();
    assert!(heads.contains(&"?sort=size&amp;order=desc"), "{heads:?}");
    assert!(page.text().contains("aria-sort=\"ascending\""));
}

#[test]
fn a_filter_works_without_a_script_and_comes_back_as_text() {
    let site = sortable();
    let files = site.files();
    let page = get(&files, "/?q=B1&sort=size");
    assert_eq!(links(page.text()), ["b10"]);
    assert!(page.text().contains("value=\"B1\"") && page.text().contains("?sort=name&amp;q=B1"));
    let page = get(&files, "/?q=%22%3E%3Cscript%3E+%26");
    assert_eq!(links(page.text()), [""; 0]);
    assert!(
        page.text()
            .contains("value=\"&quot;&gt;&lt;script&gt; &amp;\"")
    );
}

#[test]
fn programs_get_json_and_shells_get_lines_if_they_ask() {
    let site = sortable();
    site.write("q\"\\\n.txt", "");
    site.date("q\"\\\n.txt", UNIX_EPOCH);
    let files = site.files();
    let is_json = |answer: &Answer| answer.field("Content-Type") == "application/json";
    let by_accept = |accept: &str| ask(&files, &Request::get("/").with_header("Accept", accept));
    let json = by_accept("application/json");
    assert!(is_json(&json));
    assert_eq!(json.field("Vary"), "Accept");
    let lines: Vec<_> = json.text().lines().collect();
    assert_eq!(lines[0], "[");
    assert!(
        lines[1].starts_with("{\"name\":\"z\",\"type\":\"directory\",\"mtime\":\""),
        "{}",
        lines[1]
    );
    assert!(lines[1].ends_with("Z\",\"url\":\"z/\"},"));
    assert_eq!(
        &lines[2..],
        [
            "{\"name\":\"a\",\"type\":\"file\",\"size\":20,\"mtime\":\"1970-01-03T00:00:00Z\",\"url\":\"a\"},",
            "{\"name\":\"b2\",\"type\":\"file\",\"size\":30,\"mtime\":\"1970-01-02T00:00:00Z\",\"url\":\"b2\"},",
            "{\"name\":\"b10\",\"type\":\"file\",\"size\":10,\"mtime\":\"1970-01-04T00:00:00Z\",\"url\":\"b10\"},",
            "{\"name\":\"q\\\"\\\\\\u000a.txt\",\"type\":\"file\",\"size\":0,\"mtime\":\"1970-01-01T00:00:00Z\",\
             \"url\":\"q%22%5C%0A.txt\"}",
            "]",
        ]
    );
    assert!(is_json(&get(&files, "/?format=json")));
    assert_eq!(get(&files, "/?format=json&q=nothing").text(), "[\n]\n");
    for accept in [
        "*/*",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "text/html, application/json;q=0.9",
    ] {
        assert!(!is_json(&by_accept(accept)), "{accept}");
    }
    let text = get(&files, "/?format=text&sort=name&order=desc");
    assert_eq!(text.field("Content-Type"), "text/plain; charset=utf-8");
    assert_eq!(text.text(), "z/\nq\"\\\\x0a.txt\nb10\nb2\na\n");
}

#[test]
fn count_sum_and_the_readme_stand_below() {
    let site = sortable();
    site.write("README.md", "# <b>\n\x1b[31m& so on\n");
    let page = get(&site.files(), "/");
    assert!(
        page.text().contains("1 directory, 4 files, 79 B"),
        "{}",
        page.text()
    );
    assert!(
        page.text()
            .contains("# &lt;b&gt;\n\\x1b[31m&amp; so on\n</pre>"),
        "{}",
        page.text()
    );
    let empty = get(&site.files(), "/?q=nothing");
    assert!(empty.text().contains("Nothing here."));
    // One that cannot be shown as text takes nothing else away.
    let site = Site::with("README.md/a", "");
    assert!(get(&site.files(), "/").text().ends_with("</html>\n"));
    let site = Site::with("readme.txt", "x".repeat(1_000_000));
    assert!(get(&site.files(), "/").text().len() < 100_000);
}
