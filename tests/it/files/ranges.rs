//! Parts of files.

use sockeye::files::StaticFiles;
use sockeye::message::{Method, Request};

use super::site::{Answer, Site, ask, get};

/// One file small enough for memory, one that is not; both begin with the ten digits.
fn site() -> (Site, StaticFiles) {
    let site = Site::with("small.txt", "0123456789".repeat(10));
    site.write("large.txt", "0123456789".repeat(20_000));
    let files = site.settled_files();
    (site, files)
}

fn part(files: &StaticFiles, url: &str, range: &str) -> Answer {
    ask(files, &Request::get(url).with_header("Range", range))
}

#[test]
fn a_range_is_sent_with_its_place() {
    let (_site, files) = site();
    for (url, size) in [("/small.txt", 100), ("/large.txt", 200_000)] {
        let answer = part(&files, url, "bytes=8-11");
        assert_eq!((answer.status, answer.text()), (206, "8901"));
        assert_eq!(answer.field("Content-Range"), format!("bytes 8-11/{size}"));
        assert_eq!(answer.field("ETag"), get(&files, url).field("ETag"));
        let last = part(&files, url, &format!("bytes={}-99999999", size - 2));
        assert_eq!(last.text(), "89");
    }
}

#[test]
fn a_range_past_the_end_is_a_416_with_the_size() {
    let (_site, files) = site();
    let answer = part(&files, "/small.txt", "bytes=100-");
    assert_eq!(
        (answer.status, answer.field("Content-Range")),
        (416, "bytes */100")
    );
    assert_eq!(answer.field("Accept-Ranges"), "bytes");
    assert!(answer.text().starts_with("416 "));
}

#[test]
fn several_ranges_come_as_parts_with_heads() {
    let (_site, files) = site();
    for url in ["/small.txt", "/large.txt"] {
        let size = get(&files, url).body.len();
        let answer = part(&files, url, "bytes=0-1,-3");
        assert_eq!(answer.status, 206);
        assert!(answer.response.headers().get("Content-Range").is_none());
        let boundary = answer
            .field("Content-Type")
            .strip_prefix("multipart/byteranges; boundary=")
            .unwrap();
        let expected = format!(
            "--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/{size}\r\n\r\n01\r\n\
             --{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes {}-{}/{size}\r\n\r\n789\r\n\
             --{boundary}--\r\n",
            size - 3,
            size - 1
        );
        assert_eq!(answer.text(), expected);
    }
}

#[test]
fn ranges_that_touch_are_one() {
    let (_site, files) = site();
    let answer = part(&files, "/small.txt", "bytes=0-3,4-5");
    assert_eq!((answer.status, answer.text()), (206, "012345"));
    assert_eq!(answer.field("Content-Range"), "bytes 0-5/100");
}

#[test]
fn ranges_never_make_an_answer_larger() {
    let (_site, files) = site();
    for range in [
        "bytes=0-,0-,0-".to_owned(),
        format!("bytes={}", vec!["0-0"; 17].join(",")),
    ] {
        let answer = part(&files, "/large.txt", &range);
        assert_eq!((answer.status, answer.body.len()), (200, 200_000));
    }
}

#[test]
fn a_range_is_for_get_and_said_once() {
    let (_site, files) = site();
    let head = Request::new(Method::HEAD, "/small.txt").with_header("Range", "bytes=0-1");
    assert_eq!(ask(&files, &head).status, 200);
    let twice = Request::get("/small.txt")
        .with_header("Range", "bytes=0-1")
        .with_header("Range", "bytes=0-1");
    assert_eq!(ask(&files, &twice).status, 200);
}

#[test]
fn an_unsatisfiable_range_of_an_unmodified_file_is_a_304() {
    let (_site, files) = site();
    let tag = get(&files, "/small.txt").field("ETag").to_owned();
    let request = Request::get("/small.txt")
        .with_header("Range", "bytes=999-")
        .with_header("If-None-Match", &tag);
    assert_eq!(ask(&files, &request).status, 304);
}

#[test]
fn a_file_that_changes_under_its_parts_breaks_the_answer_off() {
    use sockeye::{Handler, message::Body};
    let (site, files) = site();
    let request = Request::get("/large.txt").with_header("Range", "bytes=0-1,199990-");
    let (_, _, body) = files.handle(&request).into_parts();
    let Body::Stream(mut stream) = body else {
        panic!("parts are streamed")
    };
    std::fs::File::options()
        .write(true)
        .open(site.path("large.txt"))
        .unwrap()
        .set_len(50_000)
        .unwrap();
    assert!(std::io::copy(&mut stream, &mut std::io::sink()).is_err());
}
