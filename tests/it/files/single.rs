//! One file that the program has chosen.

use std::os::unix::fs::symlink;

use sockeye::{Method, Request, Response};

use super::site::Site;

#[test]
fn a_file_is_answered_with_its_type_its_tag_and_ranges() {
    let site = Site::with(".hidden name%20.css", "0123456789");
    let path = site.path(".hidden name%20.css");
    let whole = Response::file(&Request::get("/anything?x"), &path);
    assert_eq!(whole.status(), 200);
    let media_type = whole.headers().get("Content-Type");
    assert_eq!(media_type, Some("text/css; charset=utf-8"));
    let tag = whole.headers().get("ETag").expect("a tag").to_owned();
    assert_eq!(whole.into_bytes().unwrap(), b"0123456789");

    let request = Request::get("/").with_header("If-None-Match", tag);
    assert_eq!(Response::file(&request, &path).status(), 304);
    let request = Request::get("/").with_header("Range", "bytes=2-4");
    let part = Response::file(&request, &path);
    assert_eq!(part.status(), 206);
    assert_eq!(part.into_bytes().unwrap(), b"234");
    // The answer to a form is no part of itself.
    let request = Request::post("/").with_header("Range", "bytes=2-4");
    assert_eq!(Response::file(&request, &path).status(), 200);
    let head = Response::file(&Request::new(Method::HEAD, "/"), &path);
    assert_eq!(head.status(), 200);
}

#[test]
fn a_link_is_followed_and_what_is_no_file_is_404() {
    let site = Site::with("a.txt", "a");
    symlink(site.outside("secret.txt"), site.path("link")).unwrap();
    std::fs::write(site.outside("secret.txt"), "chosen").unwrap();
    let answer = |name: &str| Response::file(&Request::get("/"), site.path(name));
    assert_eq!(answer("link").into_text().unwrap(), "chosen");
    std::fs::create_dir(site.path("folder")).unwrap();
    for name in [
        "missing",
        "folder",
        "folder/",
        "folder/..",
        "a.txt/b",
        "a\0b",
        "",
    ] {
        assert_eq!(answer(name).status(), 404, "{name:?}");
    }
    assert_eq!(Response::file(&Request::get("/"), "").status(), 404);
    assert_eq!(
        Response::file(&Request::get("/"), "/dev/null").status(),
        404
    );
}
