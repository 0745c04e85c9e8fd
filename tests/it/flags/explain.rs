//! `--explain`: what travelled, and why.

use std::process::Stdio;

use rustix::process::Signal;

use super::{place, refused};
use crate::program::Program;
use crate::support::Client;

/// A program that explains, with these arguments too.
fn explaining(public: &std::path::Path, arguments: &[&str]) -> Program {
    let arguments = [&["--explain"], arguments].concat();
    Program::start_with(public, &arguments, |command| {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
    })
}

/// The blocks of all that was said, in order.
fn blocks(program: Program) -> Vec<String> {
    program.signal(Signal::TERM);
    let said = program.wait().1;
    let blocks = said.split("\n\n").map(|block| {
        let start = block.find("# from ").unwrap_or(block.len());
        block[start..].to_owned()
    });
    blocks.filter(|block| !block.is_empty()).collect()
}

/// What was said of these requests, each on a connection of its own; the last to be answered may be the first to be told.
fn told(public: &std::path::Path, arguments: &[&str], requests: &[&str]) -> Vec<String> {
    let program = explaining(public, arguments);
    for request in requests {
        let mut client = program.connect();
        client.say(request.replace('\n', "\r\n"));
        client.hear();
    }
    let blocks = blocks(program);
    assert_eq!(blocks.len(), requests.len(), "{blocks:?}");
    blocks
}

#[test]
fn what_travels_is_shown_with_the_reason_of_the_status_and_of_what_becomes_of_the_connection() {
    let place = place(&[("a.txt", "0123456789")]);
    let public = place.path().join("public");
    let request =
        "GET /a.txt HTTP/1.1\nHost: localhost\nrange: bytes=0-1\nX-A:  b\nCookie: id=7\n\n";
    let block = told(&public, &[], &[request]).remove(0);
    let sent = "> GET /a.txt HTTP/1.1\n> Host: localhost\n> range: bytes=0-1\n> X-A:  b\n> Cookie: (masked)\n>\n\
                < HTTP/1.1 206 Partial Content   # one satisfiable range, RFC 9110 §15.3.7\n< Date: ";
    assert!(block.contains(sent), "{block}");
    assert!(
        block.contains("\n< Content-Range: bytes 0-1/10\n"),
        "{block}"
    );
    assert!(block.contains("\n<\n# sent 2 B of body, "), "{block}");
    let end = "\n# connection kept: HTTP/1.1 and no \"close\"";
    assert!(block.ends_with(end), "{block}");
}

/// A request's first words, one more field, and its status with the reason.
#[rustfmt::skip]
const REASONS: [(&str, &str, &str); 15] = [
    ("GET /a.txt", "Range: bytes=20-", "416 Range Not Satisfiable   # no byte of the file is in the range, RFC 9110 §15.5.17"),
    ("GET /a.txt", "Range: bytes=0-1,4-5", "206 Partial Content   # several satisfiable ranges, RFC 9110 §14.6"),
    ("GET /a.txt", "Range: bytes=0-8,0-8", "200 OK   # the ranges together are more than the file"),
    ("GET /a.txt", "Range: lines=1", "200 OK   # Range is malformed, not in bytes, or asks for too many parts"),
    ("GET /a.txt", "Range: bytes=0-1\nIf-Range: \"x\"", "200 OK   # If-Range names another state of the file, RFC 9110 §13.1.5"),
    ("GET /a.txt", "If-None-Match: *", "304 Not Modified   # If-None-Match names this ETag, RFC 9110 §13.1.2"),
    ("GET /a.txt", "If-None-Match: \"x\"", "200 OK   # If-None-Match does not name this ETag, RFC 9110 §13.1.2"),
    ("GET /a.txt", "If-Match: \"x\"", "412 Precondition Failed   # If-Match does not name this ETag, RFC 9110 §13.1.1"),
    ("GET /a.txt", "If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT", "412 Precondition Failed   # modified since If-Unmodified-Since, RFC 9110 §13.1.4"),
    ("GET /a.txt", "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT", "200 OK   # modified since If-Modified-Since, or its date proves nothing, RFC 9110 §13.1.3"),
    ("GET /A.txt", "A: b", "404 Not Found   # there is nothing here; there is `/a.txt`: letter case"),
    ("DELETE /a.txt", "A: b", "405 Method Not Allowed   # files can only be read: with GET or HEAD"),
    ("GET /d", "A: b", "308 Permanent Redirect   # a directory's URL ends in a slash, where relative links start, RFC 9110 §15.4.9"),
    ("GET /a%zz", "A: b", "400 Bad Request   # a percent sign in the path must be followed by two hexadecimal digits"),
    ("GET /a.txt", "A: b", "200 OK\n"),
];

#[test]
fn every_status_of_a_file_has_its_reason() {
    let place = place(&[("a.txt", "0123456789"), ("d/b.txt", "")]);
    let public = place.path().join("public");
    let requests =
        REASONS.map(|(line, field, _)| format!("{line} HTTP/1.1\nHost: localhost\n{field}\n\n"));
    let requests = requests.each_ref().map(String::as_str);
    let blocks = told(&public, &[], &requests);
    for (line, field, said) in REASONS {
        let field = field.replace('\n', "\n> ");
        let asked =
            format!("> {line} HTTP/1.1\n> Host: localhost\n> {field}\n>\n< HTTP/1.1 {said}");
        let is_told = blocks.iter().any(|block| block.contains(&asked));
        assert!(is_told, "{asked}\n{}", blocks.join("\n\n"));
    }
}

#[test]
fn a_refused_request_is_shown_as_it_came_with_the_sentence_that_refuses_it() {
    let place = place(&[]);
    let request = "GET / HTTP/1.1\nHost : localhost\nAuthorization : Basic c2VjcmV0\n\n";
    let block = told(&place.path().join("public"), &[], &[request]).remove(0);
    assert!(
        block.contains("\n> Host : localhost\n> Authorization : (masked)\n>\n"),
        "{block}"
    );
    assert!(
        block.contains("\n< HTTP/1.1 400 Bad Request   # a header field is a name, a colon"),
        "{block}"
    );
    let end =
        "\n# connection closed: where the next request begins is unknown after one that is refused";
    assert!(block.ends_with(end), "{block}");
}

#[test]
fn a_coding_is_explained_and_so_is_a_body_that_was_waited_for() {
    let place = place(&[("a.js", "aaaa"), ("a.js.gz", "gz")]);
    let requests = [
        "GET /a.js HTTP/1.1\nHost: localhost\nAccept-Encoding: gzip\nConnection: close\n\n",
        "GET /a.js HTTP/1.0\n\n",
        "POST /echo HTTP/1.1\nHost: localhost\nExpect: 100-continue\nContent-Length: 5\nConnection: close\n\nhello",
    ];
    let program = explaining(&place.path().join("public"), &[]);
    for request in requests {
        let mut client = program.connect();
        client.say(request.replace('\n', "\r\n"));
        client.hear_to_end();
    }
    let blocks = blocks(program);
    for (at, parts) in [
        &["\n< Content-Encoding: gzip   # Accept-Encoding takes it, RFC 9110 §12.5.3\n"][..],
        &[
            "\n< Vary: Accept-Encoding   # not encoded: Accept-Encoding takes no coding that is here, RFC 9110 §12.5.3\n",
            "\n# connection closed: HTTP/1.0 and no \"keep-alive\"",
        ],
        &[
            "\n>\n< HTTP/1.1 100 Continue   # the body is wanted, RFC 9110 §10.1.1\n<\n# received 5 B of body\n< HTTP/1.1 200 OK\n",
            "\n# connection closed: the client says \"close\"",
        ],
    ]
    .iter()
    .enumerate()
    {
        for part in *parts {
            assert!(blocks[at].contains(part), "{}", blocks[at]);
        }
    }
}

#[test]
fn blocks_of_clients_that_ask_at_once_do_not_mix() {
    let place = place(&[("a.txt", "a")]);
    let program = explaining(&place.path().join("public"), &["--threads", "4"]);
    let mut clients: Vec<Client> = (0..20).map(|_| program.connect()).collect();
    for round in 0..5 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.say(format!("GET /a.txt?{round}-{number} HTTP/1.1\r\nHost: localhost\r\nX-Number: {round}-{number}\r\n\r\n"));
        }
        for client in &mut clients {
            assert_eq!(client.hear().status, 200);
        }
    }
    drop(clients);
    let blocks = blocks(program);
    assert_eq!(blocks.len(), 100);
    for block in blocks {
        let number = block.split("?").nth(1).unwrap().split(' ').next().unwrap();
        let lines = format!(
            "?{number} HTTP/1.1\n> Host: localhost\n> X-Number: {number}\n>\n< HTTP/1.1 200 OK\n"
        );
        assert!(block.contains(&lines), "{block}");
        assert_eq!(block.matches("HTTP/1.1").count(), 3, "{block}");
    }
}

#[test]
fn an_explanation_takes_the_place_of_lines_unless_those_were_asked_for() {
    let place = place(&[("a.txt", "a")]);
    let public = place.path().join("public");
    let log = place.path().join("access.log");
    let request = "GET /a.txt HTTP/1.1\nHost: localhost\n\n";
    assert!(!told(&public, &[], &[request])[0].contains("200 GET /a.txt"));
    let program = explaining(&public, &[]);
    assert_eq!(program.ask("GET /a.txt").status, 200);
    program.signal(Signal::TERM);
    let said = program.wait().1;
    assert!(said.ends_with("stopped after 1 answer, 1 B\n"), "{said}");
    let program = explaining(&public, &["--log-file", log.to_str().unwrap()]);
    assert_eq!(program.ask("GET /a.txt").status, 200);
    assert_eq!(blocks(program).len(), 1);
    let line = std::fs::read_to_string(log).unwrap();
    assert!(
        line.ends_with("\"GET /a.txt HTTP/1.1\" 200 1 \"-\" \"-\"\n"),
        "{line}"
    );
    assert!(refused(&["--explain", "-q"]).contains("cannot be used with"));
}
