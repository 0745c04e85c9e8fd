//! Which files are served, and how.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use super::{HTML, get, place, refused, send, start};
use crate::program::Program;

#[test]
fn one_file_is_at_the_root_and_at_its_own_name() {
    let place = place(&[("a b.txt", "hello"), ("other.txt", "other")]);
    symlink("public/a b.txt", place.path().join("link.txt")).unwrap();
    for (name, url) in [("public/a b.txt", "/a%20b.txt"), ("link.txt", "/link.txt")] {
        let program = Program::start(&place.path().join(name), &[]);
        for path in ["/", url, &format!("{url}?v=1")] {
            let answer = get(&program, path, &[]);
            assert_eq!(
                (answer.status, answer.text()),
                (200, "hello"),
                "{name} {path}"
            );
            assert_eq!(
                answer.field("Content-Type"),
                Some("text/plain; charset=utf-8")
            );
        }
        for path in ["/other.txt", "/echo", "/a", "//other.txt"] {
            assert_eq!(get(&program, path, &[]).status, 404, "{name} {path}");
        }
    }
    fs::write(place.path().join(".env"), "dot").unwrap();
    let program = Program::start(&place.path().join(".env"), &[]);
    assert_eq!(
        get(&program, "/", &[]).text(),
        "dot",
        "a dotfile that was named is served"
    );
}

#[test]
fn spa_answers_a_navigation_with_the_application_and_nothing_else() {
    let place = place(&[
        ("index.html", "app"),
        ("other.html", "other"),
        ("a.js", "js"),
    ]);
    let program = start(&place, &["--spa"]);
    for (path, fields, status) in [
        ("/users/7", &[HTML][..], 200),
        (
            "/users/7?tab=1",
            &[("Sec-Fetch-Mode", "navigate"), ("Accept", "*/*")],
            200,
        ),
        ("/users/7", &[("Sec-Fetch-Mode", "cors"), HTML], 404),
        ("/users/7", &[("Accept", "*/*")], 404),
        ("/missing.js", &[HTML], 404),
        ("/missing.png", &[("Sec-Fetch-Mode", "no-cors")], 404),
    ] {
        let answer = get(&program, path, fields);
        assert_eq!(answer.status, status, "{path} {fields:?}");
        assert_eq!(answer.text() == "app", status == 200, "{path}");
        if status == 200 {
            assert_eq!(answer.field("Cache-Control"), Some("no-cache"));
        }
    }
    assert_eq!(get(&program, "/a.js", &[HTML]).text(), "js");
    let program = start(&place, &["--spa=other.html"]);
    assert_eq!(get(&program, "/users/7", &[HTML]).text(), "other");
    assert!(refused(&["--spa=../x"]).contains("expected a file beneath the directory"));
}

#[test]
fn a_page_for_spa_that_is_not_there_is_told_before_anything_is_served() {
    let place = place(&[("home.htm", "app"), ("docs/a.html", "a")]);
    let public = place.path().join("public");
    let root = public.to_str().unwrap();
    for page in ["nosuch.html", "docs"] {
        let said = refused(&[root, &format!("--spa={page}")]);
        assert!(
            said.contains(&format!("there is no file `{page}`")),
            "{said}"
        );
    }
    let said = refused(&[&format!("{root}/home.htm"), "--spa=index.html"]);
    assert!(said.contains("there is no file `index.html`"), "{said}");
    // Without a name it is the index, which a build may be making just now.
    let said = |arguments: &[&str]| {
        let program = Program::start_with(&public, arguments, |command| {
            command.stdin(Stdio::null()).stderr(Stdio::piped());
        });
        fs::write(public.join("index.html"), "built").unwrap();
        let page = get(&program, "/users/7", &[HTML]).text().to_owned();
        fs::remove_file(public.join("index.html")).unwrap();
        program.signal(rustix::process::Signal::TERM);
        (page, program.wait().1)
    };
    let (page, words) = said(&["--spa"]);
    assert_eq!(page, "built");
    assert!(
        words.contains("--spa: there is no `index.html` yet"),
        "{words}"
    );
    let (page, words) = said(&["--spa", "--index=home.htm"]);
    assert_eq!(page, "app");
    assert!(!words.contains("yet"), "{words}");
    let (page, _) = said(&["--spa=docs/a.html"]);
    assert_eq!(page, "a");
}

#[test]
fn a_page_that_is_taken_away_and_made_anew_stops_nothing() {
    let place = place(&[("app.html", "app")]);
    let program = start(&place, &["--spa=app.html"]);
    let public = place.path().join("public");
    assert_eq!(get(&program, "/users/7", &[HTML]).text(), "app");
    fs::remove_dir_all(&public).unwrap();
    fs::create_dir(&public).unwrap();
    crate::support::until("the page is gone", || {
        get(&program, "/users/7", &[HTML]).status == 404
    });
    fs::write(public.join("app.html"), "anew").unwrap();
    crate::support::until("the page is there again", || {
        get(&program, "/users/7", &[HTML]).text() == "anew"
    });
}

#[test]
fn clean_urls_serve_the_page_and_never_redirect() {
    let place = place(&[
        ("about.html", "about"),
        ("both.html", "page"),
        ("both/x", "x"),
        ("docs/a.html", "a"),
        ("v1.0.html", "v1"),
    ]);
    let program = start(&place, &["--clean-urls"]);
    for (path, text) in [
        ("/about", "about"),
        ("/about.html", "about"),
        ("/both", "page"),
        ("/docs/a", "a"),
        ("/v1.0", "v1"),
    ] {
        for _ in 0..2 {
            let answer = get(&program, path, &[]);
            assert_eq!((answer.status, answer.text()), (200, text), "{path}");
            assert_eq!(
                answer.field("Content-Type"),
                Some("text/html; charset=utf-8")
            );
        }
    }
    assert_eq!(get(&program, "/about/", &[]).status, 404);
    assert_eq!(get(&program, "/nothing", &[]).status, 404);
    assert_eq!(
        get(&program, "/docs", &[]).field("Location"),
        Some("/docs/")
    );
    assert_eq!(get(&start(&place, &[]), "/about", &[]).status, 404);
}

#[test]
fn another_index_and_no_listing() {
    let place = place(&[
        ("home.htm", "home"),
        ("index.html", "index"),
        ("docs/a", "a"),
    ]);
    let program = start(&place, &["--index", "home.htm", "--no-listing"]);
    assert_eq!(get(&program, "/", &[]).text(), "home");
    assert_eq!(get(&program, "/docs/", &[]).status, 404);
    assert_eq!(get(&program, "/docs/a", &[]).text(), "a");
    assert_eq!(get(&start(&place, &[]), "/docs/", &[]).status, 200);
    assert!(refused(&["--index", "a/b"]).contains("expected the name of a file"));
}

#[test]
fn without_echo_a_file_of_that_name_is_served() {
    let place = place(&[("echo", "a file")]);
    let echo = get(&start(&place, &[]), "/echo", &[]);
    assert!(echo.text().starts_with("GET /echo HTTP/1.1"));
    let program = start(&place, &["--no-echo"]);
    assert_eq!(get(&program, "/echo?status=418", &[]).text(), "a file");
}

#[test]
fn a_base_is_where_the_site_lives() {
    let place = place(&[("index.html", "home"), ("docs/a.txt", "a")]);
    let program = start(&place, &["--base", "/repo/"]);
    let url = format!("http://localhost:{}/repo/", program.address().port());
    assert_eq!(program.url(), url);
    assert_eq!(get(&program, "/repo/", &[]).text(), "home");
    assert_eq!(get(&program, "/repo/docs/a.txt?x", &[]).text(), "a");
    assert_eq!(
        get(&program, "/repo?x", &[]).field("Location"),
        Some("/repo/?x")
    );
    assert_eq!(
        get(&program, "/repo/docs?x", &[]).field("Location"),
        Some("/repo/docs/?x")
    );
    assert_eq!(
        send(&program, "POST /repo/echo", &[("Content-Length", "0")]).status,
        200
    );
    assert_eq!(get(&program, "/repo/../docs/a.txt", &[]).status, 400);
    for path in ["/", "/docs/a.txt", "/repository/", "/echo"] {
        let answer = get(&program, path, &[]);
        assert_eq!(answer.status, 404, "{path}");
        assert!(
            answer.text().contains("the site lives under `/repo/`"),
            "{}",
            answer.text()
        );
    }
    for path in ["/none", "/repo/none", "/repo/docs/none"] {
        let page = get(&program, path, &[HTML]);
        assert!(
            page.text().contains("<a href=\"/repo/\">Home</a>"),
            "{path}"
        );
    }
    // Whoever refuses knows the way home too: the guard, the parser, who asks for a password.
    let stranger = "GET /none HTTP/1.1\r\nHost: other.test\r\nAccept: text/html\r\n\r\n";
    let malformed =
        "GET /none HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nContent-Length: x\r\n\r\n";
    for (request, status) in [(stranger, 421), (malformed, 400)] {
        let mut client = program.connect();
        client.say(request);
        let page = client.hear();
        assert_eq!(page.status, status);
        let home = "<a href=\"/repo/\">Home</a>";
        assert!(page.text().contains(home), "{}", page.text());
    }
    let spa = start(&place, &["--base", "/repo/", "--spa"]);
    assert_eq!(get(&spa, "/repo/any/way", &[HTML]).text(), "home");
    assert!(refused(&["--base", "/a b/"]).contains("expected a path such as /repo/"));
}

#[test]
fn mime_says_what_kind_of_file_an_extension_is() {
    let place = place(&[("a.foo", "foo"), ("a.html", "html")]);
    let program = start(
        &place,
        &[
            "--mime",
            "foo=model/gltf+json",
            "--mime",
            ".HTML=text/x-html",
        ],
    );
    assert_eq!(
        get(&program, "/a.foo", &[]).field("Content-Type"),
        Some("model/gltf+json")
    );
    assert_eq!(
        get(&program, "/a.html", &[]).field("Content-Type"),
        Some("text/x-html; charset=utf-8")
    );
    assert!(refused(&["--mime", "foo"]).contains("such as foo=text/plain"));
}

#[test]
fn a_compressed_sibling_is_served_for_its_file_unless_no_siblings_says_otherwise() {
    let place = place(&[("app.js", "plain"), ("app.js.gz", "smaller")]);
    let takes_gzip = &[("Accept-Encoding", "gzip")];
    for (flags, text, coding) in [
        (&[][..], "smaller", Some("gzip")),
        (&["--no-siblings"], "plain", None),
    ] {
        let program = start(&place, flags);
        let answer = get(&program, "/app.js", takes_gzip);
        assert_eq!((answer.status, answer.text()), (200, text), "{flags:?}");
        assert_eq!(answer.field("Content-Encoding"), coding, "{flags:?}");
        let varies = coding.map(|_| "Accept-Encoding");
        assert_eq!(answer.field("Vary"), varies, "{flags:?}");
        assert_eq!(get(&program, "/app.js.gz", &[]).text(), "smaller");
    }
    let program = Program::start(&place.path().join("public/app.js"), &[]);
    let answer = get(&program, "/", takes_gzip);
    assert_eq!(
        answer.text(),
        "plain",
        "what lies beside one file is not served"
    );
}

#[cfg(feature = "compress")]
#[test]
fn compress_compresses_text_once_and_never_what_answers_a_request() {
    let text = "salmon river stone upstream sea ".repeat(3000);
    let place = place(&[("a.txt", &text)]);
    let takes_all = [("Accept-Encoding", "gzip, br, zstd")];
    let root = place.path().join("public");
    let program = Program::start_with(&root, &["--compress", "-v"], |command| {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
    });
    crate::support::until("the file is old enough to have a tag", || {
        get(&program, "/a.txt", &[]).field("ETag").is_some()
    });
    crate::program::crowd(100, |_| {
        let answer = get(&program, "/a.txt", &takes_all);
        assert_eq!(
            (answer.status, answer.field("Vary")),
            (200, Some("Accept-Encoding"))
        );
    });
    let answer = get(&program, "/a.txt", &takes_all);
    assert_eq!(answer.field("Content-Encoding"), Some("br"));
    assert!(answer.body.len() < text.len() / 10);
    // A page that repeats what it was asked, and secrets beside it, would tell them by its length.
    let echo = format!("/echo?{text:.600}").replace(' ', "+");
    for path in [&*echo, "/?q=a", "/no"] {
        let answer = get(&program, path, &takes_all);
        assert_eq!(answer.field("Content-Encoding"), None, "{path}");
    }
    program.signal(rustix::process::Signal::TERM);
    let (code, said) = program.wait();
    assert_eq!(code, Some(0));
    let hasty = said.matches("compressed \"a.txt\" as br, in haste").count();
    assert_eq!(hasty, 1, "{said}");
    assert!(said.matches("compressed ").count() <= 2, "{said}");
}
