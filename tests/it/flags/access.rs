//! Who is let in.

use std::fs;
use std::time::{Duration, Instant};

use super::{get, place, refused, run, send, start};

pub(super) fn hash_of(word: &str) -> String {
    let output = run(&["hash"], &format!("{word}\n"));
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

// "alice:secret", "alice:wrong", "bob:secret".
const RIGHT: (&str, &str) = ("Authorization", "Basic YWxpY2U6c2VjcmV0");
const WRONG: (&str, &str) = ("Authorization", "Basic YWxpY2U6d3Jvbmc=");
const BOB: (&str, &str) = ("Authorization", "Basic Ym9iOnNlY3JldA==");

#[test]
fn auth_lets_in_only_who_knows_a_password() {
    let place = place(&[("a.txt", "a")]);
    let user = format!("alice:{}", hash_of("secret"));
    let file = place.path().join("users");
    fs::write(&file, format!("# people\n\n{user}\n")).unwrap();
    for arguments in [["--auth", &user], ["--auth-file", file.to_str().unwrap()]] {
        let program = start(&place, &arguments);
        let answer = get(&program, "/a.txt", &[]);
        assert_eq!(
            (answer.status, answer.field("WWW-Authenticate").is_some()),
            (401, true)
        );
        assert!(!answer.text().contains("secret"));
        assert_eq!(get(&program, "/a.txt", &[WRONG]).status, 401);
        assert_eq!(get(&program, "/a.txt", &[BOB]).status, 401);
        assert_eq!(get(&program, "/a.txt", &[RIGHT]).text(), "a");
        assert_eq!(
            send(
                &program,
                "POST /echo",
                &[("Content-Length", "999999"), WRONG]
            )
            .status,
            401
        );
    }
    let cached = start(&place, &["--auth", &user, "--cache", "1h"]);
    assert_eq!(
        get(&cached, "/a.txt", &[RIGHT]).field("Cache-Control"),
        Some("private, max-age=3600")
    );
}

#[test]
fn several_wrong_passwords_a_second_wait_for_their_answer_and_the_right_one_does_not() {
    let place = place(&[("a.txt", "a")]);
    // Of "secret", with the least cost there is, so that the guesses come within a second.
    let user = "alice:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    let program = start(&place, &["--auth", user]);
    assert_eq!(get(&program, "/a.txt", &[RIGHT]).status, 200);
    // "alice:000" to "alice:049".
    let guess = |number: usize| {
        let mut client = program.connect();
        let (tens, ones) = (
            &"AEIMQ"[number / 10..][..1],
            &"wxyz012345"[number % 10..][..1],
        );
        client.say(format!(
            "GET /a.txt HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic YWxpY2U6MD{tens}{ones}\r\n\r\n"
        ));
        client
    };
    let began = Instant::now();
    let mut clients: Vec<_> = (0..10).map(guess).collect();
    let answers = clients.iter_mut().map(|client| client.hear().status);
    assert_eq!(answers.collect::<Vec<_>>(), [401; 10]);
    // Ten within a second are five too many, each of which takes a second to be forgiven.
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(3), "{waited:?}");

    let held: Vec<_> = (10..50).map(guess).collect();
    let again = Instant::now();
    assert_eq!(get(&program, "/a.txt", &[RIGHT]).text(), "a");
    let right = again.elapsed();
    let mut statuses: Vec<_> = held
        .into_iter()
        .map(|mut client| {
            let answer = client.hear();
            let told = answer.field("Retry-After");
            assert_eq!(told, (answer.status == 429).then_some("1"));
            answer.status
        })
        .collect();
    assert!(right < again.elapsed() / 2, "{right:?}");
    statuses.sort();
    assert_eq!((statuses[0], statuses[39]), (401, 429));
}

#[test]
fn a_password_on_the_command_line_is_refused_with_what_to_do() {
    let place = place(&[("users", "alice:secret\n")]);
    let said = refused(&["--auth", "alice:secret"]);
    assert!(said.contains("sockeye hash"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    for nobody in ["", " "] {
        assert!(refused(&["--auth", nobody]).contains("--auth names nobody"));
    }
    assert!(refused(&["--auth", "alice"]).contains("no terminal to ask for the password"));
    let public = place.path().join("public");
    let (public, users) = (public.to_str().unwrap(), public.join("users"));
    assert!(
        refused(&[public, "--auth-file", users.to_str().unwrap()])
            .contains("lies in the directory that is served")
    );
    let beside = place.path().join("beside");
    fs::write(&beside, "alice:secret\n").unwrap();
    let said = refused(&[public, "--auth-file", beside.to_str().unwrap()]);
    assert!(
        said.contains("line 1 of") && !said.contains("secret"),
        "{said}"
    );
    assert!(refused(&[public, "--auth-file", "/none"]).contains("cannot read `/none`"));
    assert_eq!(run(&["hash"], "\n").status.code(), Some(2));
}

#[test]
fn hosts_are_allowed_in_every_spelling_that_names_one() {
    let place = place(&[("a.txt", "a")]);
    let names = ["[::2]:8214", "wall.test:8214", ".dev.test", "[2001:db8::1]"];
    let arguments: Vec<&str> = names
        .iter()
        .flat_map(|name| ["--allow-host", name])
        .collect();
    let program = start(&place, &arguments);
    for (host, status) in [
        ("[::2]", 200),
        ("[::2]:1", 200),
        ("wall.test", 200),
        ("a.dev.test", 200),
        ("[2001:db8::1]:80", 200),
        ("[2001:db8::2]", 421),
        ("evil.test", 421),
    ] {
        let mut client = program.connect();
        client.say(format!("GET /a.txt HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(client.hear().status, status, "{host}");
    }
    for (name, sentence) in [
        ("http://x", "without http://"),
        ("a b", "expected a host"),
        ("", "--allow-host"),
    ] {
        let said = refused(&["--allow-host", name]);
        assert!(said.contains(sentence), "{name:?}: {said}");
    }
}
