//! Compressed files that lie beside the one that is asked for.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use sockeye::files::StaticFiles;
use sockeye::message::{Method, Request};

use super::site::{Answer, Site, ask, get, settle};

const EVERYTHING: &str = "gzip, deflate, br, zstd";

/// `app.js` with a sibling of each kind; what they hold tells which was sent.
fn site() -> (Site, StaticFiles) {
    let site = Site::with("app.js", "let identity;");
    for suffix in ["br", "zst", "gz"] {
        site.write(format!("app.js.{suffix}"), format!("as {suffix}"));
    }
    let files = site.settled_files();
    (site, files)
}

fn accepting(url: &str, codings: &str) -> Request {
    Request::get(url).with_header("Accept-Encoding", codings)
}

fn ask_for(files: &StaticFiles, url: &str, codings: &str) -> Answer {
    ask(files, &accepting(url, codings))
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let start = SystemTime::now();
    while !condition() {
        let waited = start.elapsed().unwrap_or_default();
        assert!(waited < Duration::from_secs(10), "waited too long: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_client_gets_the_coding_it_asks_for_and_every_answer_says_that_it_depends() {
    let (site, files) = site();
    for (codings, text, coding) in [
        ("br", "as br", "br"),
        ("zstd", "as zst", "zstd"),
        ("gzip", "as gz", "gzip"),
        ("x-gzip", "as gz", "gzip"),
        (EVERYTHING, "as br", "br"),
        ("br;q=0.1, gzip", "as gz", "gzip"),
        ("*", "as br", "br"),
        ("identity", "let identity;", ""),
        ("deflate", "let identity;", ""),
        ("br;q=0", "let identity;", ""),
        ("identity;q=0, *;q=0", "let identity;", ""),
    ] {
        // The first time from the file, then from memory.
        for _ in 0..2 {
            let answer = ask_for(&files, "/app.js", codings);
            assert_eq!((answer.status, answer.text()), (200, text), "{codings}");
            assert_eq!(answer.field("Content-Encoding"), coding, "{codings}");
            assert_eq!(answer.field("Vary"), "Accept-Encoding", "{codings}");
            let media_type = answer.field("Content-Type");
            assert_eq!(media_type, "text/javascript; charset=utf-8", "{codings}");
        }
    }
    let plain = get(&files, "/app.js");
    assert_eq!(
        (plain.text(), plain.field("Vary")),
        ("let identity;", "Accept-Encoding")
    );
    let uncached = site.files_with(|config| config.cache_bytes = 0);
    assert_eq!(ask_for(&uncached, "/app.js", EVERYTHING).text(), "as br");
}

#[test]
fn tags_preconditions_and_ranges_are_those_of_what_is_sent() {
    let (_site, files) = site();
    let tags: Vec<_> = ["br", "zstd", "gzip", "identity"]
        .map(|coding| ask_for(&files, "/app.js", coding).field("ETag").to_owned())
        .to_vec();
    for (n, tag) in tags.iter().enumerate() {
        assert!(!tag.is_empty() && !tags[..n].contains(tag), "{tags:?}");
    }
    let head = Request::new(Method::HEAD, "/app.js").with_header("Accept-Encoding", "br");
    let (head, got) = (ask(&files, &head), ask_for(&files, "/app.js", "br"));
    assert_eq!(head.response.headers(), got.response.headers());

    let same = ask(
        &files,
        &accepting("/app.js", "br").with_header("If-None-Match", &tags[0]),
    );
    assert_eq!(same.status, 304);
    assert_eq!(
        (same.field("Vary"), same.field("ETag")),
        ("Accept-Encoding", &tags[0][..])
    );
    let other = ask(
        &files,
        &accepting("/app.js", "gzip").with_header("If-None-Match", &tags[0]),
    );
    assert_eq!((other.status, other.text()), (200, "as gz"));
    let failed = ask(
        &files,
        &accepting("/app.js", "br").with_header("If-Match", &tags[3]),
    );
    assert_eq!(failed.status, 412);
    let vary = |answer: &Answer| {
        let mut fields = answer.response.headers().elements("Vary");
        fields.any(|field| field == b"Accept-Encoding")
    };
    assert!(vary(&failed));

    let part = accepting("/app.js", "br").with_header("Range", "bytes=3-");
    let part = ask(&files, &part.with_header("If-Range", &tags[0]));
    assert_eq!((part.status, part.text()), (206, "br"));
    assert_eq!(part.field("Content-Range"), "bytes 3-4/5");
    assert_eq!(part.field("Content-Encoding"), "br");
    assert!(vary(&part));
    let beyond = ask(
        &files,
        &accepting("/app.js", "br").with_header("Range", "bytes=5-"),
    );
    assert_eq!(
        (beyond.status, beyond.field("Content-Range")),
        (416, "bytes */5")
    );
    assert!(vary(&beyond));
}

#[test]
fn a_sibling_that_is_older_or_gone_or_empty_is_not_sent() {
    let (site, files) = site();
    assert_eq!(ask_for(&files, "/app.js", "br, gzip;q=0.5").text(), "as br");
    fs::remove_file(site.path("app.js.br")).unwrap();
    assert_eq!(ask_for(&files, "/app.js", "br, gzip;q=0.5").text(), "as gz");
    site.write("app.js.gz", "");
    assert_eq!(
        ask_for(&files, "/app.js", "br, gzip;q=0.5").text(),
        "let identity;"
    );
    settle();
    site.write("app.js", "let edited;");
    for _ in 0..2 {
        assert_eq!(ask_for(&files, "/app.js", EVERYTHING).text(), "let edited;");
        settle();
    }
    // Of the same age is not older.
    let date = fs::metadata(site.path("app.js"))
        .unwrap()
        .modified()
        .unwrap();
    site.write("app.js.gz", "anew");
    site.date("app.js.gz", date);
    until("the sibling is found", || {
        ask_for(&files, "/app.js", EVERYTHING).text() == "anew"
    });
}

#[test]
fn a_sibling_that_is_put_in_place_later_is_found() {
    let site = Site::with("app.js", "let identity;");
    site.write("other.js", "let other;");
    let files = site.settled_files();
    let first = ask_for(&files, "/app.js", EVERYTHING);
    assert_eq!((first.text(), first.field("Vary")), ("let identity;", ""));
    site.write("app.js.gz", "as gz");
    until("every answer says that it depends", || {
        get(&files, "/app.js").field("Vary") == "Accept-Encoding"
    });
    assert_eq!(ask_for(&files, "/app.js", EVERYTHING).text(), "as gz");
    // What has none does not depend.
    assert_eq!(ask_for(&files, "/other.js", EVERYTHING).field("Vary"), "");
}

#[test]
fn an_index_and_a_large_file_and_one_without_extension_have_siblings() {
    let site = Site::with("sub/index.html", "<p>hello");
    site.write("sub/index.html.gz", "as gz");
    site.write("large.txt", vec![b'a'; 300_000]);
    site.write("large.txt.gz", vec![0; 200_000]);
    site.write("README", "text");
    site.write("README.gz", "\0\x01");
    let files = site.settled_files();
    for _ in 0..2 {
        let index = ask_for(&files, "/sub/", "gzip");
        assert_eq!(index.text(), "as gz");
        assert_eq!(index.field("Content-Type"), "text/html; charset=utf-8");
        let large = ask_for(&files, "/large.txt", "gzip");
        assert_eq!(
            (large.body.len(), large.field("Content-Encoding")),
            (200_000, "gzip")
        );
        let readme = ask_for(&files, "/README", "gzip");
        assert_eq!(readme.field("Content-Type"), "text/plain; charset=utf-8");
    }
}

#[test]
fn siblings_are_files_of_their_own_and_nothing_without_theirs() {
    let (site, files) = site();
    let own = ask_for(&files, "/app.js.gz", EVERYTHING);
    assert_eq!((own.text(), own.field("Content-Encoding")), ("as gz", ""));
    assert_eq!(own.field("Content-Type"), "application/gzip");
    assert!(get(&files, "/").text().contains("app.js.br"));
    fs::remove_file(site.path("app.js")).unwrap();
    assert_eq!(ask_for(&files, "/app.js", EVERYTHING).status, 404);
}

#[test]
fn a_sibling_that_leads_out_or_is_hidden_or_no_file_is_not_sent() {
    let site = Site::with("a.js", "let identity;");
    fs::write(site.outside("a.js.br"), "secret").unwrap();
    site.write(".hidden", "secret");
    symlink("../outside/a.js.br", site.path("a.js.br")).unwrap();
    symlink(".hidden", site.path("a.js.zst")).unwrap();
    fs::create_dir(site.path("a.js.gz")).unwrap();
    let files = site.settled_files();
    let answer = ask_for(&files, "/a.js", EVERYTHING);
    assert_eq!((answer.text(), answer.field("Vary")), ("let identity;", ""));
}

#[test]
fn switched_off_no_sibling_is_sent() {
    let (site, _) = site();
    let files = site.files_with(|config| config.siblings = false);
    for _ in 0..2 {
        let answer = ask_for(&files, "/app.js", EVERYTHING);
        assert_eq!((answer.text(), answer.field("Vary")), ("let identity;", ""));
    }
}

#[test]
fn a_clean_url_an_index_and_a_media_type_that_was_set_have_siblings_too() {
    let site = Site::with("about.html", "about");
    site.write("about.html.br", "about as br");
    site.write("d/home.htm", "home");
    site.write("d/home.htm.br", "home as br");
    site.write("a.foo", "foo");
    site.write("a.foo.br", "foo as br");
    settle();
    let files = site.files_with(|config| {
        config.clean_urls = true;
        config.index = "home.htm".to_owned();
        config.media_types = vec![("foo".to_owned(), "text/x-foo".to_owned())];
    });
    for (url, text, media_type) in [
        ("/about", "about as br", "text/html; charset=utf-8"),
        ("/d/", "home as br", "text/html; charset=utf-8"),
        ("/a.foo", "foo as br", "text/x-foo; charset=utf-8"),
    ] {
        // The first time from the file, then from memory.
        for _ in 0..2 {
            let answer = ask_for(&files, url, "br");
            assert_eq!(answer.text(), text, "{url}");
            assert_eq!(answer.field("Content-Type"), media_type, "{url}");
            assert_eq!(answer.field("Vary"), "Accept-Encoding", "{url}");
        }
    }
}
