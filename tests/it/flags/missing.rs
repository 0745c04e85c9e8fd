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

/// What the command says on stderr about these requests, and at its end.
fn said_about(place: &tempfile::TempDir, flags: &[&str], paths: &[&str]) -> String {
    let program = Program::start_with(&place.path().join("public"), flags, |command| {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
    });
    for path in paths {
        assert_eq!(get(&program, path, &[]).status, 404, "{path}");
    }
    program.signal(Signal::TERM);
    program.wait().1
}

#[test]
fn a_link_that_leads_out_is_logged_once() {
    let place = place(&[]);
    fs::write(place.path().join("outside"), "outside").unwrap();
    for name in ["one", "two"] {
        symlink("../outside", place.path().join("public").join(name)).unwrap();
    }
    let said = said_about(&place, &["-q"], &["/one", "/two", "/one", "/two"]);
    for name in ["one", "two"] {
        let about = said.lines().filter(|line| {
            line.contains(name) && line.contains("--follow-symlinks would serve it")
        });
        assert_eq!(about.count(), 1, "{name}: {said}");
    }
}

#[test]
fn what_browsers_ask_for_by_themselves_is_no_noise_in_the_log_of_a_person() {
    let probes = [
        "/favicon.ico",
        "/apple-touch-icon.png",
        "/apple-touch-icon-120x120-precomposed.png",
        "/.well-known/appspecific/com.chrome.devtools.json",
        "/.well-known/traffic-advice",
    ];
    let missing = [&probes[..], &["/other.ico"]].concat();
    let said = said_about(&place(&[]), &[], &missing);
    for probe in probes {
        assert!(!said.contains(probe), "{probe}: {said}");
    }
    assert!(said.contains("404 GET /other.ico"), "{said}");
    assert!(
        said.contains("asked for and not here: /other.ico\n"),
        "{said}"
    );
    // Outside the base, where browsers look for it, too.
    let based = said_about(&place(&[]), &["--base=/repo/"], &probes);
    assert!(!based.contains("favicon"), "{based}");
    for format in ["common", "combined", "json"] {
        let said = said_about(&place(&[]), &["--log-format", format], &probes);
        for probe in probes {
            assert_eq!(said.matches(probe).count(), 1, "{format}: {said}");
        }
    }
    // One that is there is an answer like any other.
    let place = place(&[("favicon.ico", "icon")]);
    let program = Program::start_with(&place.path().join("public"), &[], |command| {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
    });
    assert_eq!(get(&program, "/favicon.ico", &[]).status, 200);
    program.signal(Signal::TERM);
    assert!(program.wait().1.contains("200 GET /favicon.ico"));
}

#[test]
fn beside_an_own_page_who_asks_for_no_page_is_told_why() {
    let place = place(&[("404.html", "the site's own"), ("js/app.js", "js")]);
    let program = start(&place, &[]);
    let elsewhere = ("X-Forwarded-For", "192.0.2.1");
    let any = ("Accept", "*/*");
    for (path, fields, own) in [
        ("/js/App.js", &[any][..], false),
        ("/js/App.js", &[HTML], true),
        ("/js/App.js", &[any, elsewhere], true),
        ("/none", &[any], true),
    ] {
        let answer = get(&program, path, fields);
        assert_eq!(answer.status, 404);
        assert_eq!(answer.text() == "the site's own", own, "{path} {fields:?}");
        assert_eq!(
            answer.text().contains("letter case"),
            !own,
            "{path} {fields:?}"
        );
        assert_eq!(answer.field("Vary"), Some("Accept"));
    }
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
