//! Requests that ask whether anything has changed.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sockeye::files::StaticFiles;
use sockeye::message::{Method, Request};

use super::site::{Site, ask, get, settle};

#[test]
fn a_304_carries_what_it_must_and_nothing_else() {
    let site = Site::with("a.txt", "hello");
    let files = site.settled_files();
    let tag = get(&files, "/a.txt").field("ETag").to_owned();
    for method in [Method::GET, Method::HEAD] {
        let answer = ask(
            &files,
            &Request::new(method, "/a.txt").with_header("If-None-Match", &tag),
        );
        assert_eq!((answer.status, answer.body.len()), (304, 0));
        let lines = format!("ETag: {tag}\r\nCache-Control: no-cache\r\n");
        assert_eq!(answer.response.headers().as_lines(), lines.as_bytes());
    }
}

#[test]
fn the_date_we_gave_is_good_for_a_304() {
    let site = Site::with("a.txt", "hello");
    site.date("a.txt", UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    let files = site.settled_files();
    let date = get(&files, "/a.txt").field("Last-Modified").to_owned();
    assert_eq!(date, "Sun, 09 Sep 2001 01:46:40 GMT");
    assert_eq!(
        ask(
            &files,
            &Request::get("/a.txt").with_header("If-Modified-Since", &date)
        )
        .status,
        304
    );
    assert_eq!(
        ask(
            &files,
            &Request::get("/a.txt")
                .with_header("If-Range", &date)
                .with_header("Range", "bytes=0-0")
        )
        .status,
        206
    );
    let stale = Request::get("/a.txt").with_header("If-Range", "Sun, 09 Sep 2001 01:46:39 GMT");
    assert_eq!(
        ask(&files, &stale.with_header("Range", "bytes=0-0")).status,
        200
    );
}

/// Waits until the second after the one that is now is well begun.
fn until_the_second_is_over() {
    let start = SystemTime::now();
    let second = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_secs();
    while second(SystemTime::now() - Duration::from_millis(30)) <= second(start) {
        std::thread::yield_now();
    }
}

#[test]
fn a_file_changed_since_the_server_started_gets_its_304_by_date() {
    let site = Site::with("a.txt", "before");
    site.write("large.bin", vec![1; 200_000]);
    let files = site.settled_files();
    get(&files, "/a.txt");
    site.write("a.txt", "after!");
    site.write("large.bin", vec![2; 200_000]);
    until_the_second_is_over();
    for url in ["/a.txt", "/large.bin"] {
        let date = get(&files, url).field("Last-Modified").to_owned();
        assert_ne!(date, "", "{url}");
        let request = Request::get(url).with_header("If-Modified-Since", &date);
        assert_eq!(ask(&files, &request).status, 304, "{url}");
    }
    // What changes from now on does so in another second.
    let date = get(&files, "/a.txt").field("Last-Modified").to_owned();
    site.write("a.txt", "after?");
    let request = Request::get("/a.txt").with_header("If-Modified-Since", &date);
    assert_eq!(ask(&files, &request).text(), "after?");
}

#[test]
fn a_file_put_in_place_with_an_older_date_gets_its_304_by_tag_and_after_a_restart_by_date() {
    let site = Site::with("a.txt", "one");
    let date = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    site.date("a.txt", date);
    let files = site.settled_files();
    // It may have been given out for other bytes, as here.
    let known = get(&files, "/a.txt").field("Last-Modified").to_owned();
    // As `rsync -a` does it.
    site.write("next", "two");
    site.date("next", date);
    fs::rename(site.path("next"), site.path("a.txt")).unwrap();
    let by_date = |files: &StaticFiles| {
        let request = Request::get("/a.txt").with_header("If-Modified-Since", &known);
        ask(files, &request)
    };
    for _ in 0..2 {
        assert_eq!(by_date(&files).text(), "two");
        let answer = get(&files, "/a.txt");
        assert_eq!(answer.field("Last-Modified"), known);
        let by_tag = Request::get("/a.txt").with_header("If-None-Match", answer.field("ETag"));
        assert_eq!(ask(&files, &by_tag).status, 304);
        settle();
    }
    let restarted = site.settled_files();
    assert_eq!(by_date(&restarted).status, 304);
}

#[test]
fn a_date_outlives_a_restart_until_the_file_changes() {
    let site = Site::new();
    let files = site.settled_files();
    get(&files, "/a.txt");
    site.write("a.txt", "one");
    until_the_second_is_over();
    let date = get(&files, "/a.txt").field("Last-Modified").to_owned();
    let modified = fs::metadata(site.path("a.txt")).unwrap().modified();
    // As `wget -N` and `apt-get update` ask.
    let request = Request::get("/a.txt").with_header("If-Modified-Since", &date);
    let restarted = site.settled_files();
    for files in [&files, &restarted] {
        assert_eq!(ask(files, &request).status, 304);
    }
    site.write("a.txt", "two");
    site.date("a.txt", modified.unwrap());
    for files in [&files, &restarted] {
        assert_eq!(ask(files, &request).text(), "two");
    }
}

#[test]
fn a_date_that_may_still_be_that_of_other_bytes_is_not_given_out() {
    let site = Site::new();
    let files = site.files();
    for round in 0..200 {
        let text = format!("{round:04}");
        site.write("a.txt", &text);
        let date = fs::metadata(site.path("a.txt"))
            .unwrap()
            .modified()
            .unwrap();
        let answer = get(&files, "/a.txt");
        assert_eq!(answer.text(), text);
        // Either there is none, or it is that of a second that was over when it was given.
        let is_over = SystemTime::now() >= date + Duration::from_secs(1);
        assert!(answer.field("Last-Modified").is_empty() || is_over);
    }
    until_the_second_is_over();
    // Neither the memory nor the moment of the first look keeps it back for longer.
    for _ in 0..2 {
        assert_ne!(get(&files, "/a.txt").field("Last-Modified"), "");
    }
}

#[test]
fn a_failed_precondition_is_a_412() {
    let site = Site::with("a.txt", "hello");
    let answer = ask(
        &site.files(),
        &Request::get("/a.txt").with_header("If-Match", "\"other\""),
    );
    assert_eq!(answer.status, 412);
    let date =
        Request::get("/a.txt").with_header("If-Unmodified-Since", "Sun, 09 Sep 2001 01:46:39 GMT");
    assert_eq!(ask(&site.files(), &date).status, 412);
}

#[test]
fn preconditions_are_only_for_what_is_there() {
    let site = Site::with("sub/a.txt", "hello");
    let files = site.files();
    for (url, status) in [
        ("/missing", 404),
        ("/sub", 308),
        ("/sub/", 200),
        ("/%", 400),
    ] {
        let request = Request::get(url)
            .with_header("If-Match", "\"x\"")
            .with_header("If-None-Match", "*");
        assert_eq!(ask(&files, &request).status, status, "{url}");
    }
}

#[test]
fn an_edit_that_keeps_size_and_date_is_seen() {
    let site = Site::with("a.txt", "aaaa");
    let date = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    site.date("a.txt", date);
    let files = site.settled_files();
    let before = get(&files, "/a.txt");
    site.write("a.txt", "bbbb");
    site.date("a.txt", date);
    for _ in 0..2 {
        let by_tag = Request::get("/a.txt").with_header("If-None-Match", before.field("ETag"));
        assert_eq!(ask(&files, &by_tag).text(), "bbbb");
        let by_date =
            Request::get("/a.txt").with_header("If-Modified-Since", before.field("Last-Modified"));
        assert_eq!(ask(&files, &by_date).text(), "bbbb");
        let part = Request::get("/a.txt").with_header("Range", "bytes=2-");
        let resumed = part.with_header("If-Range", before.field("Last-Modified"));
        assert_eq!(ask(&files, &resumed).text(), "bbbb");
        settle();
    }
}

#[test]
fn a_large_file_has_no_tag_until_its_clock_has_ticked() {
    let site = Site::with("a.bin", vec![1; 200_000]);
    let files = site.files();
    let written = SystemTime::now();
    let answer = get(&files, "/a.bin");
    // On a machine that stood still meanwhile there is nothing to see here.
    if written.elapsed().unwrap_or_default() < Duration::from_millis(5) {
        assert_eq!(
            (
                answer.status,
                answer.field("ETag"),
                answer.field("Last-Modified")
            ),
            (200, "", "")
        );
    }
    settle();
    let tag = get(&files, "/a.bin").field("ETag").to_owned();
    assert_eq!(
        ask(
            &files,
            &Request::get("/a.bin").with_header("If-None-Match", tag)
        )
        .status,
        304
    );
}
