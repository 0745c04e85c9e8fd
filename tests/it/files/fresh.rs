//! What is remembered is never served for what is there.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use sockeye::message::Request;

use super::site::{Site, ask, get, settle};

/// Thousands of edits, as fast as they come, that keep name, size and date; every answer is for the latest bytes.
fn edits(site: &Site, size: usize, count: usize, mut edit: impl FnMut(&[u8])) {
    let files = site.files();
    let date = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let (mut tag, mut told) = (String::from("\"none\""), String::new());
    for round in 0..count {
        let bytes = format!("{round:08}").repeat(size / 8).into_bytes();
        edit(&bytes);
        site.date("a.txt", date);
        let by_tag = ask(
            &files,
            &Request::get("/a.txt").with_header("If-None-Match", &tag),
        );
        assert_eq!(by_tag.status, 200, "a false 304 by tag in round {round}");
        assert!(by_tag.body == bytes, "stale bytes in round {round}");
        if !told.is_empty() {
            let by_date = ask(
                &files,
                &Request::get("/a.txt").with_header("If-Modified-Since", &told),
            );
            assert_eq!(by_date.status, 200, "a false 304 by date in round {round}");
        }
        let again = get(&files, "/a.txt");
        assert!(again.body == bytes, "stale bytes in round {round}");
        if !again.field("ETag").is_empty() {
            tag = again.field("ETag").to_owned();
        }
        told = again.field("Last-Modified").to_owned();
        // Now and then it comes to rest and into memory.
        if round % 100 == 0 {
            settle();
            get(&files, "/a.txt");
        }
    }
}

#[test]
fn thousands_of_edits_in_place_are_all_seen() {
    let site = Site::with("a.txt", "");
    let path = site.path("a.txt");
    edits(&site, 64, 3000, |bytes| fs::write(&path, bytes).unwrap());
}

#[test]
fn thousands_of_replacements_are_all_seen() {
    let site = Site::new();
    let (path, next) = (site.path("a.txt"), site.path("next"));
    edits(&site, 64, 3000, |bytes| {
        fs::write(&next, bytes).unwrap();
        fs::rename(&next, &path).unwrap();
    });
}

#[test]
fn edits_of_a_large_file_are_all_seen() {
    let site = Site::with("a.txt", "");
    let path = site.path("a.txt");
    edits(&site, 160_000, 500, |bytes| {
        fs::write(&path, bytes).unwrap()
    });
}

#[test]
fn a_deleted_file_is_gone_at_once() {
    let site = Site::with("a.txt", "hello");
    let files = site.settled_files();
    assert_eq!(get(&files, "/a.txt").status, 200);
    fs::remove_file(site.path("a.txt")).unwrap();
    assert_eq!(get(&files, "/a.txt").status, 404);
    fs::create_dir(site.path("a.txt")).unwrap();
    assert_eq!(get(&files, "/a.txt").status, 308);
}

#[test]
fn what_comes_before_a_clean_urls_page_is_served_as_soon_as_it_is_there() {
    let site = Site::with("about.html", "<p>page");
    site.write("about.html.gz", "page, compressed");
    site.write("large.html", "<p>".repeat(50_000));
    settle();
    let files = site.files_with(|config| config.clean_urls = true);
    let request = |url| Request::get(url).with_header("Accept-Encoding", "gzip");
    for url in ["/about", "/large"] {
        let name = &url[1..];
        let page = || {
            for _ in 0..3 {
                assert_eq!(
                    get(&files, url).field("Content-Type"),
                    "text/html; charset=utf-8"
                );
                ask(&files, &request(url));
            }
        };
        page();
        // A directory does not.
        fs::create_dir(site.path(name)).unwrap();
        page();
        fs::remove_dir(site.path(name)).unwrap();
        page();
        site.write(name, "a file");
        for _ in 0..3 {
            assert_eq!(get(&files, url).text(), "a file", "{url}");
            assert_eq!(ask(&files, &request(url)).text(), "a file", "{url}");
            settle();
        }
        fs::remove_file(site.path(name)).unwrap();
        page();
        std::os::unix::fs::symlink("other.txt", site.path(name)).unwrap();
        page();
        site.write("other.txt", "another file");
        assert_eq!(get(&files, url).text(), "another file", "{url}");
        fs::remove_file(site.path("other.txt")).unwrap();
        fs::remove_file(site.path(name)).unwrap();
    }
}

#[test]
fn a_remembered_file_is_answered_like_a_new_one() {
    let site = Site::with("a.txt", "hello");
    site.write("large.bin", vec![3; 200_000]);
    site.write("index.html", "<p>hello");
    let files = site.settled_files();
    let without = site.files_with(|config| config.cache_bytes = 0);
    for url in ["/a.txt", "/", "/large.bin"] {
        let first = get(&files, url);
        for _ in 0..3 {
            let again = get(&files, url);
            assert_eq!(again.response.headers(), first.response.headers());
            assert_eq!(again.body, first.body);
        }
        assert_eq!(get(&without, url).body, first.body);
    }
}

#[test]
fn a_small_memory_serves_many_files() {
    let site = Site::new();
    for n in 0..500 {
        site.write(format!("{n}.txt"), format!("{n:05000}"));
    }
    settle();
    let files = site.files_with(|config| config.cache_bytes = 300_000);
    for n in (0..500).chain(0..500).chain((0..500).rev()) {
        assert_eq!(
            get(&files, &format!("/{n}.txt")).text(),
            format!("{n:05000}")
        );
    }
}

#[test]
fn readers_and_a_writer_agree_on_whole_states() {
    let site = Site::with("a.txt", "0".repeat(20_000));
    let files = site.files();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..300 {
                site.write("next", format!("{}", n % 10).repeat(20_000));
                fs::rename(site.path("next"), site.path("a.txt")).unwrap();
            }
            is_over.store(true, Ordering::Relaxed);
        });
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let answer = get(&files, "/a.txt");
                    assert_eq!((answer.status, answer.body.len()), (200, 20_000));
                    assert!(
                        answer.body.iter().all(|byte| *byte == answer.body[0]),
                        "two states in one answer"
                    );
                }
            });
        }
    });
}
