//! Requests written by hand: what the server says to their bytes, and who may bring them.

use std::net::SocketAddr;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use sockeye::by_hand::ByHand;
use sockeye::echo::Echo;
use sockeye::files::StaticFiles;
use sockeye::middleware::host_guard::{HostGuard, Hosts};
use sockeye::{Config, Handler, Method, Request, Response, Router};

#[derive(Debug, Deserialize)]
struct Said {
    exchanges: Vec<Exchange>,
    then: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Exchange {
    request: String,
    answer: String,
    why: Option<String>,
    connection: Option<String>,
}

fn site() -> Arc<dyn Handler> {
    let by_hand = Arc::new(ByHand::default());
    let router = Router::new()
        .any("/echo", Echo)
        .any("/echo/by-hand", Arc::clone(&by_hand))
        .get("/endless", |_: &Request| {
            Response::stream(std::io::repeat(b'x'))
        })
        .get("/zeros", |_: &Request| vec![0; 8 * 1024])
        .get("/endless-zeros", |_: &Request| {
            Response::stream(std::io::repeat(0))
        })
        .fallback(StaticFiles::new("public").unwrap());
    let site: Arc<dyn Handler> = Arc::new(HostGuard::new(Hosts::loopback(), router));
    by_hand.lead_to(&site);
    site
}

fn carrying(bytes: &str) -> Request {
    let bytes = utf8_percent_encode(bytes, NON_ALPHANUMERIC);
    Request::get(&format!("/echo/by-hand?request={bytes}"))
        .with_header("Host", "localhost:8080")
        .with_peer(SocketAddr::from(([127, 0, 0, 1], 50312)))
}

fn said(bytes: &str) -> Said {
    let response = site().handle(&carrying(bytes));
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers().get("Cache-Control"), Some("no-store"));
    let text = response.into_text().unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_request_is_answered_as_on_a_connection_with_the_reasons() {
    let said =
        said("GET /files/upstream/run.txt HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-1\r\n\r\n");
    let [exchange] = &said.exchanges[..] else {
        panic!("{said:?}");
    };
    assert!(
        exchange.request.ends_with("\r\nRange: bytes=0-1\r\n\r\n"),
        "{exchange:?}"
    );
    assert!(
        exchange
            .answer
            .starts_with("HTTP/1.1 206 Partial Content\r\nDate: "),
        "{exchange:?}"
    );
    let (head, body) = exchange.answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("\r\nContent-Length: 2\r\n") && body.len() == 2,
        "{exchange:?}"
    );
    assert_eq!(
        exchange.why.as_deref(),
        Some("one satisfiable range, RFC 9110 §15.3.7")
    );
    assert_eq!(
        exchange.connection.as_deref(),
        Some("connection kept: HTTP/1.1 and no \"close\"")
    );
    assert_eq!(said.then, None);
}

#[test]
fn what_is_malformed_is_refused_and_what_is_incomplete_is_waited_for() {
    const HEAD: &str = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
    for (bytes, answer, then) in [
        (
            "GET / HTTP/1.1\nHost: localhost\n\n",
            Some("HTTP/1.1 400 Bad"),
            Some("what follows is not read: the connection is closed"),
        ),
        (
            "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
            Some("HTTP/1.1 400 Bad"),
            None,
        ),
        (
            "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n",
            Some("HTTP/1.1 421 "),
            None,
        ),
        (
            "BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            Some("HTTP/1.1 501 "),
            None,
        ),
        (
            "GET / HTTP/1.1\r\nHost: localhost\r\n",
            None,
            Some("the server waits for the rest of the head, which a blank line ends"),
        ),
        ("", None, None),
        (
            &format!("{HEAD}Content-Length: 5\r\n\r\nhel"),
            Some("HTTP/1.1 200 OK"),
            Some("the server waits for the rest of the body"),
        ),
        (
            &format!("{HEAD}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
            Some("HTTP/1.1 100 Continue\r\n\r\n"),
            Some("the server waits for the rest of the body"),
        ),
        (
            "GET /echo HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
            Some("HTTP/1.1 200 OK"),
            Some("what follows is not read: the connection is closed"),
        ),
    ] {
        let said = said(bytes);
        let first = said.exchanges.first();
        let is_right = match (answer, first) {
            (Some(answer), Some(exchange)) => exchange.answer.starts_with(answer),
            (answer, exchange) => answer.is_none() && exchange.is_none(),
        };
        assert!(is_right && said.exchanges.len() <= 1, "{bytes}: {said:?}");
        assert_eq!(said.then.as_deref(), then, "{bytes}");
    }
}

#[test]
fn chunks_and_pipelined_requests_are_read_one_after_the_other() {
    let chunks = "POST /echo?raw HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let said = said(&format!(
        "{chunks}HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /no HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    ));
    let [echo, head, missing] = &said.exchanges[..] else {
        panic!("{said:?}");
    };
    assert!(echo.answer.ends_with(chunks), "{echo:?}");
    assert!(
        head.answer.ends_with("\r\n\r\n") && head.answer.starts_with("HTTP/1.1 200 OK"),
        "{head:?}"
    );
    assert!(
        missing.answer.contains("\r\nConnection: close\r\n"),
        "{missing:?}"
    );
    assert_eq!(
        missing.connection.as_deref(),
        Some("connection closed: the client says \"close\"")
    );
}

#[test]
fn what_is_shown_is_bounded() {
    let ask = "GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let said = said(&ask.repeat(3));
    assert_eq!(said.exchanges.len(), 1);
    assert!((30_000..40_000).contains(&said.exchanges[0].answer.len()));
    assert_eq!(
        said.then.as_deref(),
        Some("the rest of the answer is not shown")
    );
    let many = "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20);
    assert_eq!(self::said(&many).exchanges.len(), 8);
}

#[test]
fn only_this_servers_own_page_on_this_machine_may_bring_bytes() {
    let site = site();
    let status = |request: &Request| site.handle(request).status().as_u16();
    let get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(status(&carrying(get)), 200);
    for (name, value) in [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "none"),
    ] {
        assert_eq!(
            status(&carrying(get).with_header(name, value)),
            200,
            "{value}"
        );
    }
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("Via", "1.1 a"),
    ] {
        assert_eq!(
            status(&carrying(get).with_header(name, value)),
            403,
            "{value}"
        );
    }
    assert_eq!(
        status(&carrying(get).with_peer(SocketAddr::from(([192, 0, 2, 1], 1)))),
        403
    );
    let elsewhere = Request::get("/echo/by-hand").with_header("Host", "evil.test");
    let refused = site.handle_head(&elsewhere).unwrap();
    assert_eq!(refused.status(), 421);
    assert_eq!(
        status(&Request::get("/echo/by-hand").with_header("Host", "localhost")),
        403
    );
    let post = Request::new(Method::POST, "/echo/by-hand").with_header("Host", "localhost");
    assert_eq!(status(&post), 405);
    // Bytes by hand carry no others: that could go on for ever.
    let nested = "GET /echo/by-hand?request=GET%20/%20HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert!(
        said(nested).exchanges[0]
            .answer
            .starts_with("HTTP/1.1 403 ")
    );
}

#[test]
fn what_is_said_is_no_more_than_a_connection_may_hold() {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // As of the command, whose handlers collect no body.
    let mut config = Config::default();
    config.limits.body_bytes_max = 0;
    let most = config.connection_bytes();
    for bytes in [
        get("/zeros").repeat(8),
        get("/endless-zeros"),
        get("/zeros").repeat(3) + &get("/endless-zeros"),
    ] {
        let text = site().handle(&carrying(&bytes)).into_text().unwrap();
        assert!(text.len() < most, "{} of {most} bytes", text.len());
    }
}
