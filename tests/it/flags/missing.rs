//! What a 404 says, and to whom.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use rustix::process::Signal;

use super::{HTML, get, place, start};
use crate::program::Program;

#[test]
fn a_404_explains_itself_in_the_form_that_the_client_reads_best() {
    let place = place(&[
        ("js/app.js", "js"),
        ("about.html", "about"),
        (".env", "secret"),
        ("a.txt", "a"),
        ("deep/down/logo.svg", "svg"),
    ]);
    fs::write(place.path().join("outside"), "outside").unwrap();
    symlink(
        place.path().join("outside"),
        place.path().join("public/link"),
    )
    .unwrap();
    let program = start(&place, &[]);
    for (path, sentence) in [
        ("/js/App.js", "there is `/js/app.js`: letter case"),
        ("/JS/APP.js", "there is `/js/app.js`: letter case"),
        (
            "/about",
            "there is `/about.html`; --clean-urls would serve it here",
        ),
        (
            "/.env",
            "`/.env` begins with a dot; --hidden would serve it",
        ),
        (
            "/link",
            "`/link` is a link that leads out; --follow-symlinks would serve it",
        ),
        (
            "/a.txt/",
            "`/a.txt` is a file; ask without the slash at the end",
        ),
        ("/logo.svg", "there is `/deep/down/logo.svg`"),
    ] {
        let text = get(&program, path, &[]);
        assert_eq!(text.status, 404);
        assert_eq!(
            text.text(),
            format!("404 Not Found: there is nothing here; {sentence}\n")
        );
        let page = get(&program, path, &[HTML]);
        let shown = page.text().replace("<code>", "`").replace("</code>", "`");
        // What is elsewhere is a link there.
        let link = sentence.split('`').nth(1).filter(|quoted| *quoted != path);
        let shown = link.map_or(shown.clone(), |link| {
            shown
                .replace(&format!("<a href=\"{link}\">"), "")
                .replace("`</a>", "`")
        });
        assert!(shown.contains(sentence), "{path}: {shown}");
        let links = page.text().matches("<a href").count();
        assert_eq!(links, 1 + usize::from(link.is_some()), "{path}: {shown}");
        let json = get(&program, path, &[("Accept", "application/json")]);
        assert_eq!(json.field("Content-Type"), Some("application/problem+json"));
        assert!(json.text().contains(sentence), "{path}");
        // Who comes from elsewhere learns nothing of it, and nothing at all.
        let stranger = get(&program, path, &[("X-Forwarded-For", "192.0.2.1")]);
        assert_eq!(
            stranger.text(),
            "404 Not Found: there is nothing here\n",
            "{path}"
        );
    }
    assert!(!get(&program, "/.none", &[]).text().contains("dot"));
}

#[test]
fn a_404_knows_where_the_site_lives_and_what_is_not_listed() {
    let place = place(&[("js/app.js", "js")]);
    let program = start(&place, &["--base", "/repo/", "--no-listing"]);
    assert!(
        get(&program, "/repo/js/App.js", &[])
            .text()
            .contains("there is `/repo/js/app.js`")
    );
    assert!(
        get(&program, "/repo/js/", &[])
            .text()
            .contains("has no index.html, and --no-listing lists nothing")
    );
}

#[test]
fn the_log_says_once_why_something_is_missing() {
    let place = place(&[("app.js", "js")]);
    let program = Program::start_with(&place.path().join("public"), &[], |command| {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
    });
    for _ in 0..3 {
        assert_eq!(get(&program, "/App.js", &[]).status, 404);
    }
    assert_eq!(get(&program, "/favicon.ico", &[]).status, 404);
    program.signal(Signal::TERM);
    let said = program.wait().1;
    assert!(
        said.contains("asked for and not here: /App.js (3 times)\n"),
        "{said}"
    );
    assert_eq!(
        said.matches("/App.js is not here: there is `/app.js`")
            .count(),
        1,
        "{said}"
    );
}

#[test]
fn the_sites_own_page_says_that_something_is_missing() {
    let place = place(&[
        ("404.html", "outer"),
        ("docs/404.html", "inner"),
        ("docs/a/b.txt", "b"),
    ]);
    let program = start(&place, &[]);
    for (path, accept, body) in [
        ("/none", "text/html", "outer"),
        ("/docs/a/none", "*/*", "inner"),
        ("/docs/a/none.js?x=1", "text/html", "inner"),
        ("/docsy", "text/html", "outer"),
    ] {
        let answer = get(&program, path, &[("Accept", accept)]);
        assert_eq!((answer.status, answer.text()), (404, body), "{path}");
        assert_eq!(
            answer.field("Content-Type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(
            (answer.field("ETag"), answer.field("Last-Modified")),
            (None, None)
        );
    }
    for fields in [&[][..], &[("Accept", "application/json")]] {
        assert!(
            get(&program, "/none", fields)
                .text()
                .contains("there is nothing here")
        );
    }
    assert_eq!(get(&program, "/docs/a/b.txt", &[HTML]).text(), "b");
}
