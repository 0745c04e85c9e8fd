//! What is compressed is compressed once, never of another state of its file, and takes no more memory than was said.

use std::fs;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use sockeye::Handler;
use sockeye::files::{FilesConfig, StaticFiles};
use sockeye::message::{Body, Request};

use super::compress::{accepting, ask_for, best, compressing, decoded, prose};
use super::site::{Site, ask, settle};

/// The bytes of an answer as they are, so that one can see whether two answers share them.
fn bytes(files: &StaticFiles, request: &Request) -> Bytes {
    match files.handle(request).into_parts().2 {
        Body::Bytes(bytes) => bytes,
        other => panic!("no bytes: {other:?}"),
    }
}

#[test]
fn edits_are_all_seen_compressed_too() {
    let site = Site::new();
    let date = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let files = compressing(&site);
    let mut tag = "\"none\"".to_owned();
    for round in 0..400 {
        // The same size and date every time, in memory and from the file.
        let size = if round % 2 == 0 { 2000 } else { 70_000 };
        let text = format!("{round:08}").repeat(size / 8);
        site.write("a.txt", &text);
        site.date("a.txt", date);
        if round % 20 < 2 {
            settle();
        }
        let known = accepting("/a.txt", "br").with_header("If-None-Match", &tag);
        let answer = ask(&files, &known);
        assert_eq!(answer.status, 200, "a false 304 in round {round}");
        assert!(decoded(&answer) == text, "stale bytes in round {round}");
        let again = ask_for(&files, "/a.txt", "br");
        assert!(decoded(&again) == text, "stale bytes in round {round}");
        if !again.field("ETag").is_empty() {
            assert_ne!(again.field("ETag"), tag, "round {round}");
            tag = again.field("ETag").to_owned();
        }
    }
}

#[test]
fn what_is_said_of_the_file_is_said_of_its_compressed_form() {
    let site = Site::with("a.txt", prose(5000));
    site.date("a.txt", UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    settle();
    let files = compressing(&site);
    let first = best(&files, "/a.txt", "gzip");
    site.date("a.txt", UNIX_EPOCH + Duration::from_secs(1_000_000_001));
    settle();
    let touched = ask_for(&files, "/a.txt", "gzip");
    assert_eq!(touched.field("ETag"), first.field("ETag"));
    assert_eq!(
        touched.field("Last-Modified"),
        "Sun, 09 Sep 2001 01:46:41 GMT"
    );
    // The same bytes, and another name.
    fs::copy(site.path("a.txt"), site.path("b.html")).unwrap();
    settle();
    let other = ask_for(&files, "/b.html", "gzip");
    assert_eq!(other.field("Content-Type"), "text/html; charset=utf-8");
    assert_eq!(
        ask_for(&files, "/a.txt", "gzip").field("Content-Type"),
        "text/plain; charset=utf-8"
    );
}

#[test]
fn equal_contents_are_compressed_once() {
    let site = Site::with("a.txt", prose(5000));
    site.write("b/c.txt", prose(5000));
    settle();
    let files = compressing(&site);
    let first = bytes(&files, &accepting("/a.txt", "br"));
    let second = bytes(&files, &accepting("/b/c.txt", "br"));
    assert_eq!(first.as_ptr(), second.as_ptr());
}

#[test]
fn a_hundred_first_requests_at_once_compress_once() {
    let text = prose(3 << 20);
    let site = Site::with("a.txt", &text);
    settle();
    let files = Arc::new(compressing(&site));
    let start = Arc::new(Barrier::new(100));
    let threads: Vec<_> = std::iter::repeat_with(|| {
        let (files, start) = (Arc::clone(&files), Arc::clone(&start));
        thread::spawn(move || {
            start.wait();
            let response = files.handle(&accepting("/a.txt", "zstd, br"));
            let coding = response
                .headers()
                .get("Content-Encoding")
                .map(str::to_owned);
            assert_eq!(response.headers().get("Vary"), Some("Accept-Encoding"));
            (coding, response.into_parts().2)
        })
    })
    .take(100)
    .collect();
    let mut compressed = Vec::new();
    for thread in threads {
        match thread.join().unwrap() {
            (Some(_), Body::Bytes(bytes)) => compressed.push(bytes),
            // Who would have had to wait with too many others got it as it is.
            (None, body) => assert_eq!(body.length(), Some(text.len() as u64)),
            other => panic!("{other:?}"),
        }
    }
    // Some may have come so late that it was better already.
    compressed.sort_by_key(|bytes| bytes.as_ptr());
    compressed.dedup_by_key(|bytes| bytes.as_ptr());
    assert!((1..=2).contains(&compressed.len()), "{}", compressed.len());
}

#[test]
fn memory_is_bounded_whatever_is_asked_for_and_however_slowly_it_is_taken() {
    let site = Site::new();
    for n in 0..40 {
        site.write(format!("{n}.txt"), format!("{n}{}", prose(500_000)));
    }
    settle();
    let config = FilesConfig {
        compress: true,
        cache_bytes: 4 << 20,
        ..FilesConfig::default()
    };
    let files = StaticFiles::with_config(site.path(""), &config).unwrap();
    // Nobody lets go of what they have got: a slow reader each.
    let mut held = Vec::new();
    for round in 0..3 {
        for n in 0..40 {
            let request = accepting(&format!("/{n}.txt"), ["gzip", "br", "gzip"][round]);
            if let Body::Bytes(bytes) = files.handle(&request).into_parts().2 {
                held.push(bytes);
            }
        }
    }
    held.sort_by_key(|bytes| bytes.as_ptr());
    held.dedup_by_key(|bytes| bytes.as_ptr());
    let bytes: usize = held.iter().map(Bytes::len).sum();
    assert!(
        (500_000..=config.cache_bytes / 2).contains(&bytes),
        "{bytes}"
    );
    // When they have, there is room again.
    drop(held);
    for n in 0..40 {
        let answer = ask_for(&files, &format!("/{n}.txt"), "gzip");
        assert_eq!(answer.field("Content-Encoding"), "gzip", "{n}");
    }
}

#[test]
fn without_memory_to_keep_it_in_nothing_is_compressed() {
    let site = Site::with("a.txt", prose(5000));
    for cache_bytes in [0, 1000] {
        let config = FilesConfig {
            compress: true,
            cache_bytes,
            ..FilesConfig::default()
        };
        let error = StaticFiles::with_config(site.path(""), &config).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}
