//! Which URL means which file, and which means none.

use std::time::{Duration, UNIX_EPOCH};

use sockeye::message::{Method, Request};

use super::site::{Site, ask, get};

#[test]
fn a_file_is_answered_with_all_that_is_known_of_it() {
    let site = Site::with("a.css", "body{}");
    site.date("a.css", UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    let answer = get(&site.files(), "/a.css");
    assert_eq!((answer.status, answer.text()), (200, "body{}"));
    let names: Vec<_> = answer
        .response
        .headers()
        .iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "Content-Type",
            "Last-Modified",
            "ETag",
            "Accept-Ranges",
            "Cache-Control",
            "X-Content-Type-Options"
        ]
    );
    assert_eq!(answer.field("Content-Type"), "text/css; charset=utf-8");
    assert_eq!(answer.field("Cache-Control"), "no-cache");
}

#[test]
fn head_is_answered_like_get() {
    let site = Site::with("a.txt", "hello");
    site.date("a.txt", UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    let files = site.files();
    let head = ask(&files, &Request::new(Method::HEAD, "/a.txt"));
    let got = get(&files, "/a.txt");
    assert_eq!(head.response.headers(), got.response.headers());
    assert_eq!((head.status, head.body), (got.status, got.body));
}

#[test]
fn only_reading_is_allowed() {
    let site = Site::with("a.txt", "hello");
    let files = site.files();
    let options = ask(&files, &Request::new(Method::OPTIONS, "/nothing"));
    assert_eq!(
        (options.status, options.field("Allow")),
        (204, "GET, HEAD, OPTIONS")
    );
    for method in [
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::TRACE,
    ] {
        let answer = ask(&files, &Request::new(method, "/a.txt"));
        assert_eq!(
            (answer.status, answer.field("Allow")),
            (405, "GET, HEAD, OPTIONS")
        );
    }
}

#[test]
fn a_directory_is_answered_with_its_index() {
    let site = Site::with("index.html", "root");
    site.write("docs/index.html", "docs");
    let files = site.files();
    for (url, text) in [
        ("/", "root"),
        ("/docs/", "docs"),
        ("//docs//", "docs"),
        ("/x/../docs/", "docs"),
        ("/docs/?q", "docs"),
    ] {
        assert_eq!(get(&files, url).text(), text, "{url}");
    }
    assert_eq!(
        get(&files, "/docs/").field("Content-Type"),
        "text/html; charset=utf-8"
    );
}

#[test]
fn a_directory_without_its_slash_is_sent_to_it() {
    let site = Site::new();
    site.write("docs/a b/index.html", "x");
    site.write("evil.example/index.html", "x");
    let files = site.files();
    for (url, location) in [
        ("/docs", "/docs/"),
        ("/docs?a=b&c=%0d%0a/..", "/docs/?a=b&c=%0d%0a/.."),
        ("/docs?", "/docs/?"),
        ("/docs/a%20b", "/docs/a%20b/"),
        ("/docs/../docs/%61%20b", "/docs/a%20b/"),
        ("//evil.example", "/evil.example/"),
        ("//evil.example/../evil.example", "/evil.example/"),
    ] {
        let answer = get(&files, url);
        assert_eq!(
            (answer.status, answer.field("Location")),
            (308, location),
            "{url}"
        );
        assert_eq!(answer.field("X-Content-Type-Options"), "nosniff");
    }
}

#[test]
fn what_is_not_there_is_a_404() {
    let site = Site::with("a.txt", "hello");
    site.write(".env", "secret");
    site.write(".git/config", "secret");
    site.write("sub/.env", "secret");
    let files = site.files();
    let long = format!("/{}", "a".repeat(300));
    let deep = "/a".repeat(3000);
    for url in [
        "/b.txt",
        "/a.txt/",
        "/a.txt/b",
        "/A.TXT",
        "/.env",
        "/%2eenv",
        "/.git",
        "/.git/",
        "/.git/config",
        "/sub/.env",
        &long,
        &deep,
        "/%FF",
        "/a.txt%0A",
        "/a.txt%20",
        "/sub/..a",
    ] {
        let answer = get(&files, url);
        assert_eq!(answer.status, 404, "{url}");
        assert_eq!(answer.text(), "404 Not Found: there is nothing here\n");
    }
}

#[test]
fn what_is_no_path_is_a_400() {
    let site = Site::with("a.txt", "hello");
    let files = site.files();
    for url in [
        "/%",
        "/%2",
        "/%zz",
        "/a%00.txt",
        "/..%2fa.txt",
        "/%2e%2e/a.txt",
        "/../a.txt",
        "/..%5ca",
        "/%5c%5chost%5ca",
    ] {
        assert_eq!(get(&files, url).status, 400, "{url}");
    }
}

#[test]
fn well_known_is_served_and_the_rest_if_asked_for() {
    let site = Site::with(".well-known/security.txt", "mail us");
    site.write(".env", "shown");
    assert_eq!(
        get(&site.files(), "/.well-known/security.txt").text(),
        "mail us"
    );
    assert_eq!(
        get(&site.files_with(|config| config.hidden = true), "/.env").text(),
        "shown"
    );
}

#[test]
fn a_directory_that_is_gone_is_a_503_and_comes_back() {
    let site = Site::with("a.txt", "old");
    let files = site.settled_files();
    assert_eq!(get(&files, "/a.txt").text(), "old");
    std::fs::remove_dir_all(site.path("")).unwrap();
    let answer = get(&files, "/a.txt");
    assert_eq!((answer.status, answer.field("Retry-After")), (503, "1"));
    site.write("a.txt", "new");
    while get(&files, "/a.txt").status != 200 {
        std::thread::yield_now();
    }
    assert_eq!(get(&files, "/a.txt").text(), "new");
}

#[test]
fn a_directory_that_is_replaced_is_noticed() {
    let site = Site::with("one/a.txt", "one");
    site.write("two/a.txt", "two");
    std::os::unix::fs::symlink("one", site.path("current")).unwrap();
    let files = sockeye::files::StaticFiles::new(site.path("current")).unwrap();
    assert_eq!(get(&files, "/a.txt").text(), "one");
    std::os::unix::fs::symlink("two", site.path("next")).unwrap();
    std::fs::rename(site.path("next"), site.path("current")).unwrap();
    while get(&files, "/a.txt").text() != "two" {
        std::thread::yield_now();
    }
}
