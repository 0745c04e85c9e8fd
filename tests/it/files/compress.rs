//! Text that is compressed by the server itself.

use std::fs;
use std::io::Read;
use std::time::{Duration, UNIX_EPOCH};

use sockeye::files::StaticFiles;
use sockeye::message::{Method, Request};

use super::site::{Answer, Site, ask, get, settle};
use crate::support::until;

const EVERYTHING: &str = "gzip, deflate, br, zstd";

/// Text that a better encoder makes smaller.
pub(super) fn prose(bytes: usize) -> String {
    let words = [
        "salmon", "river", "stone", "upstream", "sea", "leaps", "the", "cold", "home",
    ];
    let mut state = 7u32;
    let mut text = String::new();
    while text.len() < bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text += words[(state >> 24) as usize % words.len()];
        text += if state >> 13 & 15 == 0 { ".\n" } else { " " };
    }
    text.truncate(bytes);
    text
}

pub(super) fn compressing(site: &Site) -> StaticFiles {
    site.files_with(|config| config.compress = true)
}

pub(super) fn accepting(url: &str, codings: &str) -> Request {
    Request::get(url).with_header("Accept-Encoding", codings)
}

pub(super) fn ask_for(files: &StaticFiles, url: &str, codings: &str) -> Answer {
    ask(files, &accepting(url, codings))
}

pub(super) fn decoded(answer: &Answer) -> String {
    let mut text = String::new();
    let mut body = &answer.body[..];
    let read = match answer.field("Content-Encoding") {
        "" => body.read_to_string(&mut text),
        "gzip" => flate2::read::MultiGzDecoder::new(body).read_to_string(&mut text),
        "br" => brotli::Decompressor::new(body, 4096).read_to_string(&mut text),
        #[cfg(feature = "zstd")]
        "zstd" => zstd::stream::read::Decoder::new(body)
            .unwrap()
            .read_to_string(&mut text),
        other => panic!("nobody asked for {other}"),
    };
    read.unwrap();
    text
}

/// Asks until the best there is has taken the place of what was made in haste.
pub(super) fn best(files: &StaticFiles, url: &str, coding: &str) -> Answer {
    let hasty = ask_for(files, url, coding);
    let tag = hasty.field("ETag");
    until("it is made better", || {
        ask_for(files, url, coding).field("ETag") != tag
    });
    ask_for(files, url, coding)
}

#[test]
fn a_client_gets_text_in_the_coding_it_asks_for() {
    let text = prose(20_000);
    let site = Site::with("a.txt", &text);
    settle();
    let files = compressing(&site);
    for (codings, coding) in [
        ("br", "br"),
        ("zstd", if cfg!(feature = "zstd") { "zstd" } else { "" }),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        (EVERYTHING, "br"),
        ("*", "br"),
        ("br;q=0.1, gzip", "gzip"),
        ("gzip;q=0.5, *;q=0", "gzip"),
        ("identity;q=0, gzip;q=0.001", "gzip"),
        ("identity, gzip;q=0.9", ""),
        ("identity;q=0", ""),
        ("br;q=0", ""),
        ("*;q=0", ""),
        ("deflate", ""),
        ("", ""),
    ] {
        for _ in 0..2 {
            let answer = ask_for(&files, "/a.txt", codings);
            assert_eq!(answer.status, 200, "{codings}");
            assert_eq!(answer.field("Content-Encoding"), coding, "{codings}");
            assert_eq!(answer.field("Vary"), "Accept-Encoding", "{codings}");
            let media_type = answer.field("Content-Type");
            assert_eq!(media_type, "text/plain; charset=utf-8", "{codings}");
            assert!(decoded(&answer) == text, "{codings}");
            assert_eq!(answer.body.len() < text.len() / 2, !coding.is_empty());
        }
    }
    let answer = get(&files, "/a.txt");
    assert_eq!(answer.field("Content-Encoding"), "");
    assert_eq!(answer.field("Vary"), "Accept-Encoding");
    let usual = site.files();
    let answer = ask_for(&usual, "/a.txt", EVERYTHING);
    assert_eq!(
        (answer.field("Content-Encoding"), answer.field("Vary")),
        ("", "")
    );
}

#[test]
fn large_and_small_files_and_indexes_and_clean_urls_are_compressed_at_their_first_request() {
    let site = Site::new();
    for name in [
        "d/index.html",
        "about.html",
        "a.js",
        "a.svg",
        "a.json",
        "a.wasm",
        "README",
    ] {
        site.write(name, prose(600));
    }
    site.write("large.css", prose(300_000));
    site.write("largest.css", prose(4 << 20));
    settle();
    let files = site.files_with(|config| {
        config.compress = true;
        config.clean_urls = true;
    });
    for url in [
        "/d/",
        "/about",
        "/a.js",
        "/a.svg",
        "/a.json",
        "/a.wasm",
        "/README",
        "/large.css",
        "/largest.css",
    ] {
        let answer = ask_for(&files, url, "gzip");
        assert_eq!(answer.field("Content-Encoding"), "gzip", "{url}");
        assert!(decoded(&answer) == get(&files, url).text(), "{url}");
    }
}

#[test]
fn what_does_not_pay_is_sent_as_it_is() {
    let mut state = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(50_000)
    .collect();
    let site = Site::new();
    for name in [
        "a.png", "a.jpg", "a.mp4", "a.zip", "a.pdf", "a.woff2", "a.gz", "a.bin",
    ] {
        site.write(name, prose(5000));
    }
    site.write("small.txt", prose(511));
    site.write("empty.txt", "");
    site.write("huge.txt", prose((4 << 20) + 1));
    site.write("packed.js.gz", prose(5000));
    site.write("noise.txt", &noise);
    settle();
    let files = site.files_with(|config| {
        config.compress = true;
        // Somebody who says in a field of his own that it is compressed.
        config.media_types = vec![("gz".to_owned(), "text/javascript".to_owned())];
    });
    for url in [
        "/a.png",
        "/a.jpg",
        "/a.mp4",
        "/a.zip",
        "/a.pdf",
        "/a.woff2",
        "/a.gz",
        "/a.bin",
        "/small.txt",
        "/empty.txt",
        "/huge.txt",
        "/packed.js.gz",
    ] {
        for _ in 0..2 {
            let answer = ask_for(&files, url, EVERYTHING);
            let fields = (answer.field("Content-Encoding"), answer.field("Vary"));
            assert_eq!((answer.status, fields), (200, ("", "")), "{url}");
        }
    }
    // What it is shows only when it has been tried, so its answers say that they might depend.
    for codings in ["br", "gzip", "zstd", "br", EVERYTHING] {
        let answer = ask_for(&files, "/noise.txt", codings);
        let fields = (answer.field("Content-Encoding"), answer.field("Vary"));
        assert_eq!(fields, ("", "Accept-Encoding"), "{codings}");
        assert!(answer.body == noise);
    }
    let listing = ask_for(&files, "/", EVERYTHING);
    assert_eq!(listing.field("Content-Encoding"), "");
}

#[test]
fn tags_and_preconditions_are_those_of_what_is_sent() {
    let site = Site::with("a.txt", prose(20_000));
    site.date("a.txt", UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    settle();
    let files = compressing(&site);
    best(&files, "/a.txt", "br");
    best(&files, "/a.txt", "gzip");
    let tags = ["br", "gzip", "identity"]
        .map(|coding| ask_for(&files, "/a.txt", coding).field("ETag").to_owned());
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
    assert!(tags.iter().all(|tag| tag.starts_with('"')), "{tags:?}");

    let head = Request::new(Method::HEAD, "/a.txt").with_header("Accept-Encoding", "br");
    let (head, got) = (ask(&files, &head), ask_for(&files, "/a.txt", "br"));
    assert_eq!(head.response.headers(), got.response.headers());
    assert_eq!(got.field("Last-Modified"), "Sun, 09 Sep 2001 01:46:40 GMT");
    assert_eq!(got.field("Accept-Ranges"), "");

    let with = |field: &str, value: &str| {
        ask(&files, &accepting("/a.txt", "br").with_header(field, value))
    };
    let same = with("If-None-Match", &tags[0]);
    assert_eq!((same.status, same.field("ETag")), (304, &tags[0][..]));
    assert_eq!(same.field("Vary"), "Accept-Encoding");
    assert_eq!(with("If-None-Match", &tags[1]).status, 200);
    assert_eq!(with("If-None-Match", &tags[2]).status, 200);
    assert_eq!(
        with("If-Modified-Since", got.field("Last-Modified")).status,
        304
    );
    assert_eq!(with("If-Match", &tags[0]).status, 200);
    let failed = with("If-Match", &tags[2]);
    assert_eq!(failed.status, 412);
    let vary: Vec<_> = failed.response.headers().elements("Vary").collect();
    assert!(vary.contains(&&b"Accept-Encoding"[..]));
}

#[test]
fn a_range_is_of_the_file_as_it_is_and_never_of_another_representation() {
    let text = prose(20_000);
    let site = Site::with("a.txt", &text);
    site.date("a.txt", UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    settle();
    let files = compressing(&site);
    let compressed = ask_for(&files, "/a.txt", "br").field("ETag").to_owned();
    let plain = get(&files, "/a.txt");
    let part = accepting("/a.txt", "br").with_header("Range", "bytes=5-9");
    let answer = ask(&files, &part.clone());
    assert_eq!((answer.status, answer.text()), (206, &text[5..10]));
    assert_eq!(answer.field("Content-Encoding"), "");
    assert_eq!(answer.field("Vary"), "Accept-Encoding");
    assert_eq!(answer.field("ETag"), plain.field("ETag"));
    for (value, status) in [
        (plain.field("ETag"), 206),
        (&compressed, 200),
        // Two representations have it, so it is weak (RFC 9110 §8.8.1).
        (plain.field("Last-Modified"), 200),
    ] {
        let answer = ask(&files, &part.clone().with_header("If-Range", value));
        assert_eq!(answer.status, status, "{value}");
        assert_eq!(answer.field("Content-Encoding"), "", "{value}");
    }
    let beyond = accepting("/a.txt", "br").with_header("Range", "bytes=20000-");
    let answer = ask(&files, &beyond);
    assert_eq!(
        (answer.status, answer.field("Content-Range")),
        (416, "bytes */20000")
    );
    let vary: Vec<_> = answer.response.headers().elements("Vary").collect();
    assert!(vary.contains(&&b"Accept-Encoding"[..]));
}

#[test]
fn the_best_takes_the_place_of_what_was_made_in_haste_and_has_a_tag_of_its_own() {
    let text = prose(30_000);
    let site = Site::with("a.txt", &text);
    settle();
    let files = compressing(&site);
    for coding in ["br", "gzip"] {
        let hasty = ask_for(&files, "/a.txt", coding);
        let best = best(&files, "/a.txt", coding);
        assert_eq!(best.field("Content-Encoding"), coding);
        assert!(best.body.len() < hasty.body.len(), "{coding}");
        assert!(decoded(&best) == text && decoded(&hasty) == text);
        let known = accepting("/a.txt", coding).with_header("If-None-Match", hasty.field("ETag"));
        assert_eq!(ask(&files, &known).status, 200, "{coding}");
        let known = accepting("/a.txt", coding).with_header("If-None-Match", best.field("ETag"));
        assert_eq!(ask(&files, &known).status, 304, "{coding}");
    }
}

#[test]
fn siblings_are_sent_before_anything_is_compressed() {
    let site = Site::with("a.js", prose(5000));
    site.write("a.js.gz", "as gz");
    settle();
    let files = compressing(&site);
    for _ in 0..2 {
        assert_eq!(ask_for(&files, "/a.js", EVERYTHING).text(), "as gz");
        assert_eq!(ask_for(&files, "/a.js", "gzip").text(), "as gz");
        let answer = ask_for(&files, "/a.js", "br, gzip;q=0");
        assert_eq!(answer.field("Content-Encoding"), "br");
        assert_eq!(decoded(&answer), get(&files, "/a.js").text());
    }
    fs::remove_file(site.path("a.js.gz")).unwrap();
    let answer = ask_for(&files, "/a.js", "gzip");
    assert_eq!(decoded(&answer), get(&files, "/a.js").text());
}

#[test]
fn a_file_that_has_just_been_written_says_too_that_its_answer_may_depend() {
    let site = Site::with("a.txt", prose(100_000));
    let files = compressing(&site);
    for coding in ["br", "identity"] {
        assert_eq!(
            ask_for(&files, "/a.txt", coding).field("Vary"),
            "Accept-Encoding"
        );
    }
    settle();
    assert_eq!(
        ask_for(&files, "/a.txt", "br").field("Content-Encoding"),
        "br"
    );
}
