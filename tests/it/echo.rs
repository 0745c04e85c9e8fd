//! `/echo` says back what it was told, while it is told.

use std::time::{Duration, Instant};

use sockeye::echo::Echo;
use sockeye::router::Router;
use sockeye::server::Config;

use crate::support::{Client, TestServer};

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
    client.say("GET /echo?token=%20b HTTP/1.1\r\nHost: a\r\nX-ODD:  two  \r\ncookie: id=7\r\nAuthorization: Basic x\r\nx-api-key: x\r\n\r\n");
    let answer = client.hear();
    let expected = "GET /echo?token=%20b HTTP/1.1\r\nHost: a\r\nX-ODD: two\r\ncookie: (masked)\r\nAuthorization: (masked)\r\nx-api-key: (masked)\r\n\r\n";
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

#[test]
fn raw_keeps_the_blanks_around_values_and_masks_secrets_all_the_same() {
    let server = server();
    let mut client = server.connect();
    client.say(
        "GET /echo?raw HTTP/1.1\r\nHost:a\r\nX-ODD: \t two  \r\nCOOKIE:id=7 \r\nx-odd:\r\n\r\n",
    );
    let expected =
        "GET /echo?raw HTTP/1.1\r\nHost:a\r\nX-ODD: \t two  \r\nCOOKIE: (masked)\r\nx-odd:\r\n\r\n";
    assert_eq!(client.hear().text(), expected);
}

#[test]
fn a_client_that_prefers_json_gets_the_fields_in_order() {
    let server = server();
    let mut client = server.connect();
    client.say(b"GET /echo?a=%22 HTTP/1.0\r\nAccept: application/json\r\nX: a\"\\\t\xff\r\nx: 2\r\nAuthorization: b\r\n\r\n");
    let answer = client.hear();
    assert_eq!(answer.field("Content-Type"), Some("application/json"));
    let expected = r#"{"method":"GET","target":"/echo?a=%22","version":"HTTP/1.0","headers":[["Accept","application/json"],["X","a\"\\\u0009�"],["x","2"],["Authorization","(masked)"]]}"#;
    assert_eq!(answer.text().trim_end(), expected);
}

#[test]
fn the_query_says_status_and_fields() {
    let server = server();
    let answer =
        server.ask("GET /echo?status=418&header=X-A:b&header=X-A:%20c%20&header=Location:/x");
    assert_eq!(answer.status, 418);
    assert!(
        answer.head.contains("\r\nX-A: b\r\nX-A: c\r\nLocation: /x"),
        "{}",
        answer.head
    );
    let mut client = server.connect();
    client.say("POST /echo?status=599&header=ETag:%22a%22 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    let answer = client.hear();
    assert_eq!((answer.status, answer.text()), (599, "hi"));
    assert_eq!(answer.field("ETag"), Some("\"a\""));
    for status in [204, 304] {
        let answer = client.ask(&format!("GET /echo?status={status}"));
        assert_eq!(answer.status, status);
    }
    for method in ["GET", "HEAD"] {
        let answer = client.ask(&format!("{method} /echo?status=205"));
        assert_eq!(answer.status, 205);
        assert_eq!(answer.field("Content-Length"), Some("0"));
    }
    assert_eq!(client.ask("GET /echo").status, 200);
}

#[test]
fn what_is_malformed_or_would_act_on_this_site_is_refused() {
    let server = server();
    for query in [
        "status=199",
        "status=600",
        "status=x",
        "status=",
        "delay=61s",
        "delay=-1",
        "delay=nan",
        "delay=1e1",
        "delay=",
        "delay=9999999999999999999999999999999999s",
        "header=",
        "header=X-A",
        "header=X%20A:b",
        "header=X-A%20:b",
        "header=X:a%0D%0AY:b",
        "header=X:%00",
        "header=content-length:5",
        "header=Content-Type:text/html",
        "header=Transfer-Encoding:chunked",
        "header=Connection:close",
        "header=Date:x",
        "header=Set-Cookie:a=b",
        "header=Access-Control-Allow-Origin:*",
        "header=X-Accel-Redirect:/secret",
        "header=Location:https://other.example/",
        "header=Location://other.example/",
        "header=Location:/%5Cother.example/",
        // Browsers leave tabs out of a URL.
        "header=Location:/%09/other.example/",
        "header=NEL:{}",
        "header=Report-To:{}",
        "header=Reporting-Endpoints:a=%22/%22",
        "header=A:1&header=A:1&header=A:1&header=A:1&header=A:1&header=A:1&header=A:1&header=A:1&header=A:1",
    ] {
        let answer = server.ask(&format!("GET /echo?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(!answer.text().contains("other.example"));
    }
}

fn two_threads() -> TestServer {
    let config = Config {
        threads: 2,
        active_threads: 1,
        ..Config::default()
    };
    TestServer::with_config(config, Router::new().any("/echo", Echo))
}

#[test]
fn a_hundred_delayed_answers_hold_no_thread_and_their_heads_are_late_too() {
    let server = two_threads();
    let begun = Instant::now();
    let mut clients: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.say("POST /echo?delay=300ms HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    }
    assert_eq!(server.ask("GET /echo").status, 200);
    for client in &mut clients {
        assert_eq!(client.hear_head().status, 200);
        assert!(begun.elapsed() >= Duration::from_millis(300));
        assert_eq!(client.hear_exactly(2), b"hi");
    }
    // One after the other they would take thirty seconds.
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(clients[0].ask("GET /echo").status, 200);
}

#[test]
fn pipelined_answers_keep_their_order_and_the_first_does_not_wait_for_a_late_one() {
    let server = two_threads();
    let mut client = server.connect();
    let begun = Instant::now();
    let fields = "HTTP/1.1\r\nHost: a\r\n\r\n";
    client.say(format!(
        "GET /echo?1 {fields}GET /echo?2&delay=0.4 {fields}GET /echo?3 {fields}"
    ));
    assert!(client.hear().text().starts_with("GET /echo?1 "));
    assert!(begun.elapsed() < Duration::from_millis(400));
    assert!(client.hear().text().starts_with("GET /echo?2&"));
    assert!(begun.elapsed() >= Duration::from_millis(400));
    assert!(client.hear().text().starts_with("GET /echo?3 "));
}

#[test]
fn a_server_that_stops_waits_for_no_delay() {
    let server = two_threads();
    let mut client = server.connect();
    let fields = "HTTP/1.1\r\nHost: a\r\n\r\n";
    client.say(format!("GET /echo {fields}GET /echo?delay=60s {fields}"));
    // The second was read with the first.
    assert_eq!(client.hear().status, 200);
    server.stopper().stop();
    assert_eq!(client.hear().status, 200);
    assert!(client.is_closed());
    assert_eq!(server.wait().cut, 0);
}

#[test]
fn raw_gives_the_whole_request_back_as_it_travelled() {
    let server = server();
    for (request, shown) in [
        (
            "POST /echo?raw HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n002\r\nde\r\n0\r\nX-Sum:  5\r\n\r\n",
            None,
        ),
        (
            "PUT /echo?raw HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
            None,
        ),
        (
            "GET /echo?raw HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nAccept: application/json\r\n\r\nhi",
            None,
        ),
        ("DELETE /echo?raw HTTP/1.1\r\nHost: a\r\n\r\n", None),
        (
            "POST /echo?raw HTTP/1.1\r\nHost: a\r\ncookie:id=7\r\nContent-Length: 2\r\n\r\nhi",
            Some(
                "POST /echo?raw HTTP/1.1\r\nHost: a\r\ncookie: (masked)\r\nContent-Length: 2\r\n\r\nhi",
            ),
        ),
    ] {
        let mut client = server.connect();
        client.say(request);
        let answer = client.hear();
        assert_eq!(answer.text(), shown.unwrap_or(request));
        assert_eq!(
            answer.field("Content-Length"),
            Some(&*answer.text().len().to_string())
        );
        assert_eq!(
            answer.field("Content-Type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(answer.field("Content-Security-Policy"), Some("sandbox"));
        assert_eq!(
            client.ask("GET /echo").status,
            200,
            "the connection is kept"
        );
    }
}

#[test]
fn a_raw_body_comes_back_as_it_comes_however_it_is_cut() {
    let request = "POST /echo?raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A;x\r\n0123456789\r\n0\r\nT: u\r\n\r\n";
    let server = server();
    for step in [1, 2, 3, 5, 40, 90] {
        let mut client = server.connect();
        client.stream().set_nodelay(true).unwrap();
        for piece in request.as_bytes().chunks(step) {
            client.say(piece);
        }
        assert_eq!(client.hear().text(), request, "by {step}");
    }
    let mut client = server.connect();
    let (first, rest) = request.split_once("0A").unwrap();
    client.say(first);
    let begun = client.hear_head();
    assert_eq!(begun.field("Transfer-Encoding"), Some("chunked"));
    assert_eq!(client.hear_chunk(), first.as_bytes());
    client.say(format!("0A{rest}"));
    let mut heard = Vec::new();
    while heard.len() < 2 + rest.len() {
        heard.extend(client.hear_chunk());
    }
    assert_eq!(heard, format!("0A{rest}").as_bytes());
}

#[test]
fn a_raw_body_that_is_malformed_is_refused() {
    let server = server();
    let mut client = server.connect();
    client.say("POST /echo?raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
    let answer = client.hear();
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("the chunked body is malformed"),
        "{}",
        answer.text()
    );
}
