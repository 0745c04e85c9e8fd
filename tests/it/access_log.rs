//! The log of the running command: one line per request, at its end, that tells what became of it.

use std::fs::{self, File};
use std::process::Stdio;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::program::Program;

/// A server of one small and one large file, its log piped.
fn start() -> (TempDir, Program) {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("a.txt"), "hello").unwrap();
    let large = File::create(site.path().join("large")).unwrap();
    large.set_len(1 << 30).unwrap();
    let program = Program::start_with(site.path(), &["--grace", "1"], |command| {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
    });
    (site, program)
}

/// The lines about requests, once the server has stopped.
fn lines(program: Program) -> Vec<String> {
    program.signal(Signal::TERM);
    let (code, said) = program.wait();
    assert_eq!(code, Some(0));
    let lines = said.lines().filter(|line| !line.starts_with("sockeye: "));
    lines.map(str::to_owned).collect()
}

/// The one line that begins and ends so.
#[track_caller]
fn assert_line(lines: &[String], begin: &str, end: &str) {
    let is_it = |line: &&String| line.starts_with(begin) && line.ends_with(end);
    let found = lines.iter().filter(is_it).count();
    assert_eq!(found, 1, "{begin:?} … {end:?} in {lines:#?}");
}

#[test]
fn every_answer_leaves_a_line_however_the_requests_came() {
    let (_site, program) = start();
    let mut client = program.connect();
    assert_eq!(client.ask("GET /a.txt?q").text(), "hello");
    client.say("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(3));
    client.say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nback");
    (0..4).for_each(|_| drop(client.hear()));
    drop(client);
    let lines = lines(program);
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert!(lines[0].starts_with("200 GET /a.txt?q 5 B "));
    assert!(
        lines[1..4]
            .iter()
            .all(|line| line.starts_with("404 GET /1 "))
    );
    assert_line(&lines, "200 POST /echo 4 B ", "ms, received 4 B");
}

#[test]
fn a_transfer_that_the_client_breaks_off_leaves_a_line_with_a_mark() {
    let (_site, program) = start();
    let mut download = program.connect();
    download.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    download.hear_head();
    download.hear_exactly(100_000);
    drop(download);
    let mut echo = program.connect();
    echo.say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhello");
    echo.hear_head();
    assert_eq!(echo.hear_exactly(5), b"hello");
    drop(echo);
    let mut malformed = program.connect();
    malformed.say(
        "POST /echo?m HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
    );
    malformed.hear_head();
    malformed.say("x\r\n");
    malformed.hear_to_end();
    let mut silent = program.connect();
    silent.say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n");
    silent.end();
    assert!(silent.is_closed());
    let mut half = program.connect();
    half.say("GET /half HTTP/1.1\r\nHos");
    half.end();
    assert!(half.is_closed());
    drop(program.connect());
    let lines = lines(program);
    assert_line(&lines, "200 GET /large ", ", cut short");
    assert_line(&lines, "200 POST /echo 5 B ", ", received 5 B, cut short");
    assert_line(&lines, "--- POST /echo 0 B ", "ms, cut short");
    assert_line(&lines, "--- GET /half 0 B ", "ms, cut short");
    assert_line(&lines, "200 POST /echo?m ", ", received 2 B, cut short");
    assert_eq!(lines.len(), 5, "{lines:#?}");
    let sent = lines.iter().find(|line| line.contains("/large")).unwrap();
    assert!(!sent.contains("GB"), "not all of it went: {sent}");
}

#[test]
fn what_is_still_under_way_when_the_server_stops_is_cut_short() {
    let (_site, program) = start();
    let mut download = program.connect();
    download.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    download.hear_head();
    let lines = lines(program);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_line(&lines, "200 GET /large ", ", cut short");
}

#[test]
fn a_refused_request_is_named_as_it_came_and_has_a_reason() {
    let (_site, program) = start();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"garbage\r\n",
        "GET /a\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n".as_bytes(),
        b"DELETE /a.txt HTTP/1.1\r\nHost: localhost\r\nno field\r\n\r\n",
        b"BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\x1b[2J HTTP/1.1\r\n\r\n",
        b"GET /twice HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    ] {
        let mut client = program.connect();
        client.say(bytes);
        client.hear_to_end();
    }
    let lines = lines(program);
    assert_eq!(lines.len(), 7, "{lines:#?}");
    for (begin, end) in [
        (
            "400 \\x16\\x03\\x01\\x02\\x00\\x01\\x00 ",
            "use http:// instead of https://",
        ),
        ("400 garbage ", "with one space between them"),
        ("400 GET /a\\xC3\\xA9 HTTP/1.1 ", "must be percent-encoded"),
        (
            "400 DELETE /a.txt ",
            "on one line and without control characters",
        ),
        ("501 BREW /pot ", "methods are case-sensitive"),
        ("400 GET /\\x1B[2J HTTP/1.1 ", "with one space between them"),
        ("400 GET /twice ", "exactly one Host field"),
    ] {
        assert_line(&lines, begin, end);
    }
}
