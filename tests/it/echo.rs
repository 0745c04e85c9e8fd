//! `/echo` says back what it was told, while it is told.

use sockeye::echo::Echo;
use sockeye::router::Router;

use crate::support::TestServer;

fn server() -> TestServer {
    TestServer::start(Router::new().any("/echo", Echo))
}

#[test]
fn a_body_comes_back_with_its_type_and_length() {
    let server = server();
    let mut client = server.connect();
    client.say(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 5\r\n\r\n",
    );
    client.say(b"\0\r\n\xff!");
    let answer = client.hear();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, &b"\0\r\n\xff!"[..])
    );
    assert_eq!(answer.field("Content-Type"), Some("image/png"));
    assert_eq!(answer.field("Content-Length"), Some("5"));
    for (name, value) in [
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "sandbox"),
    ] {
        assert_eq!(answer.field(name), Some(value));
    }
}

#[test]
fn an_empty_body_comes_back_empty() {
    let server = server();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let answer = server.ask(&format!("{method} /echo"));
        assert_eq!(
            (answer.status, answer.field("Content-Length")),
            (200, Some("0")),
            "{method}"
        );
    }
}

#[test]
fn chunks_at_hand_come_back_with_a_length_and_streamed_ones_as_chunks() {
    let server = server();
    let mut client = server.connect();
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.say(format!("{head}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
    let answer = client.hear();
    assert_eq!(
        (answer.field("Content-Length"), answer.text()),
        (Some("5"), "abcde")
    );

    client.say(format!("{head}3\r\nabc\r\n"));
    let begun = client.hear_head();
    assert_eq!(begun.field("Transfer-Encoding"), Some("chunked"));
    assert_eq!(client.hear_exactly(8), b"3\r\nabc\r\n");
    client.say("2\r\nde\r\n");
    assert_eq!(client.hear_exactly(7), b"2\r\nde\r\n");
    client.say("0\r\n\r\n");
    assert_eq!(client.hear_exactly(5), b"0\r\n\r\n");
    assert_eq!(client.ask("GET /echo").status, 200);
}

#[test]
fn a_body_of_known_length_is_streamed_with_that_length() {
    let server = server();
    let mut client = server.connect();
    client.say("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    let begun = client.hear_head();
    assert_eq!(
        (begun.status, begun.field("Content-Length")),
        (200, Some("6"))
    );
    assert_eq!(client.hear_exactly(3), b"abc");
    client.say("def");
    assert_eq!(client.hear_exactly(3), b"def");
}

#[test]
fn sixteen_megabytes_come_back_the_same_while_they_are_sent() {
    let server = server();
    let body: Vec<u8> = (0..16 * 1024 * 1024u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut client = server.connect();
    let mut sender = client.stream().try_clone().unwrap();
    let sent = body.clone();
    let sending = std::thread::spawn(move || {
        use std::io::Write;
        write!(
            sender,
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
            sent.len()
        )
        .unwrap();
        sender.write_all(&sent).unwrap();
    });
    let answer = client.hear();
    sending.join().unwrap();
    assert!(
        answer.body == body,
        "{} bytes came back, and not the same",
        answer.body.len()
    );
}

#[test]
fn the_body_is_asked_for_when_the_client_waits_to_be_asked() {
    let server = server();
    let mut client = server.connect();
    client
        .say("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.hear_head().status, 100);
    client.say("hi");
    assert_eq!(client.hear().text(), "hi");
}

#[test]
fn get_shows_the_request_as_it_came_with_its_secrets_masked() {
    let server = server();
    let mut client = server.connect();
    client.say("GET /echo?a=%20b HTTP/1.1\r\nHost: a\r\nX-ODD:  two  \r\ncookie: id=7\r\nAuthorization: Basic x\r\n\r\n");
    let answer = client.hear();
    let expected = "GET /echo?a=%20b HTTP/1.1\r\nHost: a\r\nX-ODD: two\r\ncookie: (masked)\r\nAuthorization: (masked)\r\n\r\n";
    assert_eq!(answer.text(), expected);
    assert_eq!(
        answer.field("Content-Type"),
        Some("text/plain; charset=utf-8")
    );
}

#[test]
fn options_and_methods_that_are_never_served_say_what_is_allowed() {
    let server = server();
    assert_eq!(server.ask("OPTIONS /echo").status, 204);
    let trace = server.ask("TRACE /echo");
    assert_eq!(trace.status, 405);
    assert!(
        trace
            .field("Allow")
            .is_some_and(|allow| allow.contains("POST") && !allow.contains("TRACE"))
    );
}
