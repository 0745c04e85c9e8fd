//! What every response says besides.

use std::process::Stdio;

use rustix::process::Signal;

use super::{HTML, get, place, refused, send, start, values};
use crate::program::Program;

#[test]
fn headers_are_said_with_every_response_refusals_included() {
    let place = place(&[("assets/a.js", "a"), ("b.js", "b")]);
    let rules = [
        "-H",
        "X-A: 1",
        "--header",
        "/assets/*=Cache-Control: max-age=60",
        "-H",
        "*.js=X-Js:",
    ];
    let program = Program::start_with(&place.path().join("public"), &rules, |command| {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
    });
    for _ in 0..2 {
        let answer = get(&program, "/assets/a.js", &[]);
        assert_eq!(answer.field("Cache-Control"), Some("max-age=60"));
        assert_eq!(
            (answer.field("X-A"), answer.field("X-Js")),
            (Some("1"), Some(""))
        );
    }
    let answer = get(&program, "/b.js", &[]);
    assert_eq!(
        (answer.field("Cache-Control"), answer.field("X-A")),
        (Some("no-cache"), Some("1"))
    );
    assert_eq!(get(&program, "/none", &[]).field("X-A"), Some("1"));
    assert_eq!(
        send(&program, "BREW /", &[]).field("X-A"),
        Some("1"),
        "501 is the server's own"
    );
    let mut client = program.connect();
    client.say("GET / HTTP/1.1\r\nNo Field\r\n\r\n");
    let answer = client.hear();
    assert_eq!((answer.status, answer.field("X-A")), (400, Some("1")));
    program.signal(Signal::TERM);
    let said = program.wait().1;
    assert_eq!(
        said.matches("--header replaces `Cache-Control: no-cache`")
            .count(),
        1,
        "{said}"
    );
    for rule in [
        "X-A",
        "X-A: 1\r\nX-B: 2",
        "Content-Length: 3",
        "/*=Transfer-Encoding: chunked",
        "Connection: close",
    ] {
        assert!(refused(&["-H", rule]).contains("--header"), "{rule}");
    }
}

#[test]
fn the_servers_own_name_can_be_another_and_is_said_once() {
    let place = place(&[("a.txt", "a")]);
    let program = Program::start_with(
        &place.path().join("public"),
        &["-H", "server: me"],
        |command| {
            command.stdin(Stdio::null()).stderr(Stdio::piped());
        },
    );
    for request in ["GET /a.txt", "GET /none", "BREW /"] {
        let answer = send(&program, request, &[]);
        assert_eq!(values(&answer, "Server"), ["me"], "{request}");
    }
    program.signal(Signal::TERM);
    let said = program.wait().1;
    let sentence = "--header replaces `server: sockeye` by `server: me`";
    assert_eq!(said.matches(sentence).count(), 1, "{said}");
    for rule in ["Date: now", "Proxy-Connection: close", "keep-alive: 5"] {
        assert!(
            refused(&["-H", rule]).contains("the server writes it"),
            "{rule}"
        );
    }
}

#[test]
fn of_two_headers_of_one_name_the_later_wins_unless_both_are_wanted() {
    let place = place(&[("a.txt", "a"), ("b/c.txt", "c")]);
    let rules = [
        ["-H", "X-A: 1"],
        ["-H", "x-a: 2"],
        ["-H", "/b/*=X-A: 3"],
        ["-H", "Set-Cookie: a=1"],
        ["-H", "Set-Cookie: b=2"],
        ["-H", "Link: </a.css>; rel=preload; as=style"],
        ["-H", "Link: </b.css>; rel=preload; as=style"],
        ["-H", "Vary: Cookie"],
        ["-H", "Vary: Origin"],
    ];
    let program = start(&place, rules.as_flattened());
    let answer = get(&program, "/a.txt", &[]);
    assert_eq!(values(&answer, "X-A"), ["2"]);
    assert_eq!(values(&get(&program, "/b/c.txt", &[]), "X-A"), ["3"]);
    assert_eq!(values(&answer, "Set-Cookie"), ["a=1", "b=2"]);
    assert_eq!(values(&answer, "Link").len(), 2);
    assert_eq!(values(&answer, "Vary"), ["Cookie", "Origin"]);
}

#[test]
fn cors_lets_pages_of_other_origins_read_errors_too() {
    let place = place(&[("a.txt", "a")]);
    let origin = ("Origin", "http://app.test");
    let all = start(&place, &["--cors"]);
    let one = start(
        &place,
        &["--cors=http://app.test,https://b.test", "--max-body", "1"],
    );
    for (program, allowed) in [(&all, "*"), (&one, "http://app.test")] {
        for (request, status) in [
            ("GET /a.txt", 200),
            ("GET /none", 404),
            ("POST /a.txt", 405),
            ("BREW /", 501),
        ] {
            let answer = send(program, request, &[origin]);
            assert_eq!(answer.status, status);
            assert_eq!(
                answer.field("Access-Control-Allow-Origin"),
                Some(allowed),
                "{request}"
            );
            assert_eq!(
                answer.field("Access-Control-Allow-Credentials").is_some(),
                allowed != "*",
                "{request}"
            );
        }
        let asked = [
            origin,
            ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", "x-a"),
            ("Access-Control-Request-Private-Network", "true"),
        ];
        let answer = send(program, "OPTIONS /a.txt", &asked);
        assert_eq!(answer.status, 204);
        for (name, value) in [
            ("Origin", allowed),
            ("Methods", "PUT"),
            ("Headers", "x-a"),
            ("Private-Network", "true"),
        ] {
            assert_eq!(
                answer.field(&format!("Access-Control-Allow-{name}")),
                Some(value)
            );
        }
    }
    let answer = get(&one, "/a.txt", &[("Origin", "http://other.test")]);
    assert_eq!(
        (
            answer.field("Access-Control-Allow-Origin"),
            answer.field("Vary")
        ),
        (None, Some("Origin"))
    );
    assert_eq!(
        get(&start(&place, &[]), "/a.txt", &[origin]).field("Access-Control-Allow-Origin"),
        None
    );
    assert!(refused(&["--cors=http://a.test/"]).contains("an origin without a path"));
}

#[test]
fn isolate_makes_pages_cross_origin_isolated() {
    let place = place(&[("index.html", "home")]);
    for (arguments, policy) in [
        (&["--isolate"][..], "same-origin"),
        (&["--isolate", "--cors"], "cross-origin"),
    ] {
        let answer = get(&start(&place, arguments), "/", &[]);
        assert_eq!(
            answer.field("Cross-Origin-Opener-Policy"),
            Some("same-origin")
        );
        assert_eq!(
            answer.field("Cross-Origin-Embedder-Policy"),
            Some("require-corp")
        );
        assert_eq!(answer.field("Cross-Origin-Resource-Policy"), Some(policy));
    }
}

#[test]
fn cache_says_how_long_files_are_kept() {
    let place = place(&[
        ("index.html", "home"),
        ("app.3f9a2b1c.js", "js"),
        ("a.css", "css"),
        ("docs/a", "a"),
    ]);
    for (policy, page, digest, other) in [
        ("no-cache", "no-cache", "no-cache", "no-cache"),
        ("off", "no-store", "no-store", "no-store"),
        (
            "auto",
            "no-cache",
            "public, max-age=31536000, immutable",
            "public, max-age=3600",
        ),
        (
            "2h",
            "public, max-age=7200",
            "public, max-age=7200",
            "public, max-age=7200",
        ),
    ] {
        let program = start(&place, &["--cache", policy]);
        for (path, value) in [
            ("/", page),
            ("/app.3f9a2b1c.js", digest),
            ("/a.css", other),
            ("/docs/", "no-cache"),
        ] {
            let answer = get(&program, path, &[]);
            assert_eq!(
                answer.field("Cache-Control"),
                Some(value),
                "{policy} {path}"
            );
            if let Some(tag) = answer.field("ETag") {
                let again = get(&program, path, &[("If-None-Match", tag)]);
                assert_eq!(
                    (again.status, again.field("Cache-Control")),
                    (304, Some(value)),
                    "{policy} {path}"
                );
            }
        }
        assert_eq!(get(&program, "/none.css", &[]).field("Cache-Control"), None);
    }
    assert!(refused(&["--cache", "forever"]).contains("expected no-cache, off, auto"));
}

#[test]
fn a_client_that_finds_no_room_can_read_why() {
    let place = place(&[("50x.html", "the site's own")]);
    let flags = [
        "--max-connections=1",
        "--cors=http://a.test",
        "-H",
        "X-A: 1",
    ];
    let program = start(&place, &flags);
    let mut uploading = program.connect();
    uploading.say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
    uploading.hear_head();
    let origin = ("Origin", "http://a.test");
    for (fields, body) in [
        (&[origin][..], "as many clients as it can take"),
        (&[origin, HTML], "the site's own"),
    ] {
        let answer = get(&program, "/none", fields);
        assert_eq!(
            (answer.status, answer.field("Retry-After")),
            (503, Some("1"))
        );
        assert_eq!(answer.field("Access-Control-Allow-Origin"), Some(origin.1));
        assert_eq!(answer.field("X-A"), Some("1"));
        assert!(answer.text().contains(body), "{}", answer.text());
    }
    uploading.say("cd");
    assert_eq!(uploading.hear_exactly(4), b"abcd");
}
