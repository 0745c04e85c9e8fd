//! What a conversation owes its client beyond single requests, whole and byte by byte.

use std::io;

use super::*;
use crate::message::{Body, Destination, Goal, StatusCode, Upload};

/// Says `bytes` in pieces of `step` to a handler that asks for the whole request at `/collect`, sends the body back
/// at `/echo`, writes it to an upload of at most 10 bytes at `/upload`, mistakenly does so with a 204 at `/wrong`, and else answers 404 from the head.
fn output(bytes: &[u8], step: usize) -> String {
    let mut conversation = Conversation::new(Limits::default());
    let mut output = Vec::new();
    let mut pieces = bytes.chunks(step);
    loop {
        let turn = conversation.turn();
        output.extend_from_slice(conversation.output());
        conversation.sent(conversation.output().len());
        let response = match turn {
            Turn::NeedBytes => match pieces.next() {
                Some(piece) => {
                    conversation.receive(piece);
                    continue;
                }
                None => return text(output, "open"),
            },
            Turn::Close => return text(output, "closed"),
            Turn::Answered => continue,
            Turn::Deliver => unreachable!("all is in the output"),
            Turn::Refuse(refusal) => refusal.response(conversation.request()),
            Turn::Body => {
                let request = conversation.request();
                let upload = request.destination.as_ref().expect("it was chosen");
                assert!(!request.body().is_empty());
                upload.write(request.body()).expect("memory takes all");
                conversation.body_taken();
                continue;
            }
            Turn::Answer => match conversation
                .request()
                .destination
                .as_ref()
                .map(Destination::take)
            {
                Some(Goal::Upload(upload)) => upload.finish(),
                _ => Response::text("collected"),
            },
            Turn::Head => match conversation.request().target().path() {
                "/collect" => {
                    conversation.collect_body();
                    continue;
                }
                "/upload" => {
                    if let Some(destination) = &conversation.request().destination {
                        let upload =
                            Upload::new(Vec::new(), |bytes: Vec<u8>| Response::text(bytes));
                        assert!(destination.set(upload.with_bytes_max(10)).is_none());
                    }
                    conversation.collect_body();
                    continue;
                }
                "/echo" => Response::new(StatusCode::OK).with_body(Body::Incoming),
                "/wrong" => Response::new(StatusCode::NO_CONTENT).with_body(Body::Incoming),
                _ => Response::new(StatusCode::NOT_FOUND),
            },
        };
        conversation.answer(response, "now");
    }
}

fn text(output: Vec<u8>, end: &str) -> String {
    String::from_utf8(output).expect("we say text") + end
}

/// The same whole and byte by byte.
#[track_caller]
fn assert_output(bytes: impl AsRef<[u8]>, expected: &[&str]) {
    let bytes = bytes.as_ref();
    for step in [bytes.len(), 1] {
        let output = output(bytes, step);
        let mut rest = output.as_str();
        for part in expected {
            let Some((_, after)) = rest.split_once(part) else {
                panic!("no {part:?} by {step} in {output}");
            };
            rest = after;
        }
    }
}

#[test]
fn a_lone_cr_is_called_by_its_name() {
    for head in [
        "GET / HTTP/1.1\rHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
        "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost\r: a\r\n\r\n",
    ] {
        assert_output(head, &["400 Bad", "lines must end in CRLF", "closed"]);
    }
    for chunks in [
        "5\rhello",
        "5;a=\"\rb\"\r\nhello",
        "5\r\nhello\r0",
        "5\r\nhello\n0",
    ] {
        let head = "POST /collect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_output(
            format!("{head}{chunks}"),
            &["400 Bad", "lines must end in CRLF", "closed"],
        );
    }
}

#[test]
fn a_request_line_that_is_none_is_answered_before_its_head_ends() {
    assert_output("GET /\r\n", &["400 Bad", "closed"]);
    assert_output("GET / HTTP/2.0\r\n", &["505 ", "closed"]);
}

#[test]
fn a_refused_head_request_gets_no_body() {
    for rest in [
        "\n",
        " HTTP/1.1\r\n\r\n",
        " HTTP/9.1\r\n",
        " HTTP/1.1\r\nA b\r\n\r\n",
    ] {
        assert_output(
            format!("\r\nHEAD /{rest}"),
            &["Content-Length: ", "\r\n\r\nclosed"],
        );
    }
}

#[test]
fn what_must_be_400_is_not_501_or_417() {
    for head in [
        "BREW / HTTP/1.1\r\n\r\n",
        "BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: x\r\n\r\n",
    ] {
        assert_output(head, &["400 Bad", "closed"]);
    }
    assert_output("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", &["501 Not", "closed"]);
    assert_output("get / HTTP/1.1\r\nHost: a\r\n\r\n", &["501 Not", "closed"]);
}

#[test]
fn an_expectation_is_met_the_same_whether_the_body_is_here_or_not() {
    let post = |target: &str, expect: &str, body: &str| {
        let length = body.len();
        let expect = format!("Host: a\r\nExpect: {expect}\r\nContent-Length: {length}");
        format!("POST {target} HTTP/1.1\r\n{expect}\r\n\r\n{body}")
    };
    for target in ["/collect", "/echo", "/upload"] {
        let expected = ["100 Continue\r\n\r\nHTTP/1.1 200 OK", "open"];
        assert_output(post(target, "100-Continue", "hi"), &expected);
        // With no body to wait for, or nothing expected, no 100 is sent.
        for (expect, body) in [("100-continue", ""), ("", "hi")] {
            let request = post(target, expect, body);
            assert_eq!(
                output(&request.into_bytes(), 1)
                    .matches("HTTP/1.1 ")
                    .count(),
                1
            );
        }
    }
    assert_output(
        post("/nothing", "100-continue", "hi"),
        &["404 ", "Connection: close", "closed"],
    );
}

#[test]
fn a_rest_is_read_if_it_is_small_however_much_of_it_is_here() {
    let post = |length: usize| {
        let head = "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: ";
        format!("{head}{length}\r\n\r\n{}", "x".repeat(length))
    };
    let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_output(post(65_536) + next, &["404 ", "404 ", "open"]);
    assert_output(
        post(65_537) + next,
        &["404 ", "Connection: close", "closed"],
    );
}

#[test]
fn a_body_is_never_sent_back_where_none_can_be() {
    let post = "POST /wrong HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    assert_output(
        post.repeat(2),
        &["204 ", "\r\n\r\nHTTP/1.1 204 ", "\r\n\r\nopen"],
    );
}

/// What is known of a request after its refusal, or after its client is gone: method, target, line as received.
fn understood(bytes: impl AsRef<[u8]>) -> (String, String, Option<String>) {
    let mut conversation = Conversation::new(Limits::default());
    conversation.receive(b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(conversation.turn(), Turn::Head);
    conversation.answer(Response::new(StatusCode::OK), "now");
    assert_eq!(conversation.turn(), Turn::Answered);
    conversation.receive(bytes.as_ref());
    if conversation.turn() == Turn::NeedBytes {
        conversation.receive_end();
        assert_eq!(conversation.turn(), Turn::Close);
    }
    let line = conversation.request_line_as_received();
    let line = line.map(|line| line.escape_ascii().to_string());
    let request = conversation.request();
    let target = request.target().as_str().to_owned();
    (request.method().to_string(), target, line)
}

#[test]
fn a_refused_head_is_known_as_far_as_it_is_understood() {
    for (head, method, target) in [
        ("DELETE /a.txt HTTP/1.1\r\nA b\r\n\r\n", "DELETE", "/a.txt"),
        ("BREW /pot HTTP/1.1\r\nA\x07: b\r\n\r\n", "BREW", "/pot"),
        ("HEAD /a HTTP/1.1\r\nHost: a\n", "HEAD", "/a"),
        ("PUT /half HTTP/1.0\r\nHos", "PUT", "/half"),
    ] {
        let expected = (method.to_owned(), target.to_owned(), None);
        assert_eq!(understood(head), expected);
    }
    let long = format!("/{}", "a".repeat(3_000));
    let head = format!("PUT {long} HTTP/1.1\r\nA b\r\n\r\n");
    assert_eq!(understood(head), ("PUT".to_owned(), long, None));
}

#[test]
fn a_request_line_that_is_not_understood_is_kept_as_received() {
    let long = "x".repeat(9_000);
    for (head, method, line) in [
        (
            "GET /a\u{e9} HTTP/1.1\r\n\r\n",
            "GET",
            r"GET /a\xc3\xa9 HTTP/1.1",
        ),
        (
            "DELETE /a b HTTP/1.1\r\n\r\n",
            "GET",
            "DELETE /a b HTTP/1.1",
        ),
        ("\r\nHEAD /\"\n", "HEAD", r#"HEAD /\""#),
        ("\x16\x03\x01\x02\r\n", "GET", r"\x16\x03\x01\x02"),
        ("PUT /ha", "GET", "PUT /ha"),
        (
            &format!("GET /{long}"),
            "GET",
            &format!("GET /{long}")[..1024],
        ),
    ] {
        let expected = (method.to_owned(), "/".to_owned(), Some(line.to_owned()));
        assert_eq!(understood(head), expected);
    }
}

#[test]
fn the_body_of_a_request_is_counted_as_it_comes_in() {
    for target in ["/collect", "/echo"] {
        let mut conversation = Conversation::new(Limits::default());
        let head = "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let bytes = format!("POST {target} {head}5\r\nhello\r\n7\r\nhal");
        conversation.receive(bytes.as_bytes());
        assert_eq!(conversation.turn(), Turn::Head);
        assert_eq!(conversation.body_bytes_received(), 0);
        match target {
            "/collect" => conversation.collect_body(),
            _ => {
                let response = Response::new(StatusCode::OK).with_body(Body::Incoming);
                conversation.answer(response, "now");
            }
        }
        assert_eq!(conversation.turn(), Turn::NeedBytes);
        conversation.receive_end();
        assert_eq!(conversation.turn(), Turn::Close);
        assert_eq!(conversation.body_bytes_received(), 8);
    }
}

#[test]
fn an_upload_has_its_body_in_order_and_no_more_than_it_takes() {
    let post = |fields: &str, body: &str| {
        format!("POST /upload HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{body}")
    };
    let chunked = |body| post("Transfer-Encoding: chunked", body);
    let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    for request in [
        post("Content-Length: 10", "helloworld"),
        chunked("5\r\nhello\r\n1;x=y\r\nw\r\n4\r\norld\r\n0\r\nA: b\r\n\r\n"),
    ] {
        assert_output(
            request.repeat(2) + next,
            &[
                "200 OK",
                "\r\n\r\nhelloworldHTTP/1.1 200 OK",
                "\r\n\r\nhelloworld",
                "404 ",
                "open",
            ],
        );
    }
    let too_large = ["413 ", "Connection: close", "closed"];
    assert_output(
        chunked("5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n"),
        &too_large,
    );
    let announced = post("Expect: 100-continue\r\nContent-Length: 11", "");
    assert_output(&announced, &too_large);
    assert!(!output(announced.as_bytes(), 1).contains("100 Continue"));
    assert_output(chunked("5\r\nhello\r\nx\r\n"), &["400 ", "closed"]);
}

#[test]
fn an_upload_that_is_waited_for_holds_no_piece_of_its_body() {
    let mut conversation = Conversation::new(Limits::default());
    conversation.receive(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    assert_eq!(conversation.turn(), Turn::Head);
    let destination = conversation.request().destination.as_ref();
    destination
        .expect("a body follows")
        .set(Upload::new(io::sink(), |_| "written"));
    conversation.collect_body();
    for _ in 0..10 {
        conversation.receive(&[b'x'; 9_000]);
        assert_eq!(conversation.turn(), Turn::Body);
        assert_eq!(conversation.request().body().len(), 9_000);
        conversation.body_taken();
        assert_eq!(conversation.turn(), Turn::NeedBytes);
    }
    assert_eq!(conversation.body_bytes_received(), 90_000);
    assert!(conversation.time_out());
    assert_eq!(conversation.turn(), Turn::Refuse(Refusal::Timeout));
}

#[test]
fn another_client_finds_nothing_of_the_heads_kept_before() {
    let mut conversation = Conversation::new(Limits::default());
    conversation.keep_heads();
    conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(conversation.turn(), Turn::Head);
    assert!(!conversation.kept().unwrap().request.is_empty());
    conversation.restart();
    assert_eq!(conversation.kept().unwrap().request.capacity(), 0);
}
