//! What a strict suite asks over a socket and no other room shows.

use std::io::Write;

use sockeye::echo::Echo;
use sockeye::files::StaticFiles;
use sockeye::middleware::host_guard::{HostGuard, Hosts};
use sockeye::router::Router;

use crate::support::TestServer;

fn echo() -> TestServer {
    TestServer::start(Router::new().any("/echo", Echo))
}

#[test]
fn nobody_is_told_to_continue_with_a_body_that_there_is_not() {
    let server = echo();
    for fields in [
        "Expect: 100-continue\r\n",
        "Expect: 100-continue\r\nContent-Length: 0\r\n",
    ] {
        let mut client = server.connect();
        client.say(format!(
            "POST /echo HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
        ));
        assert_eq!(client.hear().status, 200, "{fields}");
    }
}

#[test]
fn an_empty_expectation_expects_nothing() {
    let server = echo();
    let mut client = server.connect();
    // Both heads arrive together, so a 100 for the second would be sent with the first answer.
    client.say(
        "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n\
         POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect:\r\nContent-Length: 5\r\n\r\n",
    );
    assert_eq!(client.hear().status, 200);
    client.say("hello");
    assert_eq!(client.hear().text(), "hello");
}

#[test]
fn a_form_feed_is_no_blank_around_a_trailer() {
    let server = echo();
    for trailer in ["X: \u{c}", "X:\u{c}y", "X: y\u{b}"] {
        let mut client = server.connect();
        client.say("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.say(format!("0\r\n{trailer}\r\n\r\n"));
        assert_eq!(client.hear().status, 400, "{trailer:?}");
    }
}

#[test]
fn a_tunnel_to_anywhere_is_not_allowed_rather_than_misdirected() {
    let site = tempfile::tempdir().expect("a directory");
    let files = StaticFiles::new(site.path()).expect("it can be served");
    let server = TestServer::start(HostGuard::new(Hosts::loopback(), files));
    let mut client = server.connect();
    client.say("CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n");
    let answer = client.hear();
    assert_eq!(answer.status, 405);
    assert_eq!(answer.field("Allow"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn a_client_that_sends_all_of_a_refused_body_first_hears_the_refusal() {
    let server = TestServer::start(Router::new());
    let mut client = server.connect();
    let length = 16 * 1024 * 1024;
    client.say(format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
    ));
    // No reset while it sends.
    let body = vec![b'x'; length];
    client
        .stream()
        .write_all(&body)
        .expect("all of it is taken");
    let answer = client.hear();
    assert_eq!(
        (answer.status, answer.field("Connection")),
        (404, Some("close"))
    );
    assert!(client.is_closed());
}
