//! Functions around handlers: what they see, how often they are asked, and that nothing goes past them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sockeye::Handler;
use sockeye::echo::Echo;
use sockeye::message::{Request, Response, StatusCode};
use sockeye::middleware::Next;
use sockeye::middleware::cors::with_cors;
use sockeye::router::Router;

use crate::support::TestServer;

fn router() -> Router {
    Router::new()
        .get("/hello", |_: &Request| Response::text("hello"))
        .post("/length", |request: &Request| {
            Response::text(request.body().len().to_string())
        })
        .any("/echo", Echo)
}

fn with_key(request: &Request, next: Next<'_>) -> Response {
    match request.headers().get("X-Key") {
        Some("secret") => next.run(request),
        _ => Response::new(StatusCode::FORBIDDEN),
    }
}

#[test]
fn a_field_is_added_to_answers_and_refusals_alike() {
    let app = router().wrap(|request, next| next.run(request).with_header("X-Seen", "yes"));
    let server = TestServer::start(app);
    for (request, status) in [
        ("GET /hello", 200),
        ("HEAD /hello", 200),
        ("GET /echo", 200),
        ("GET /nothing", 404),
        ("DELETE /hello", 405),
        ("OPTIONS /hello", 204),
        ("OPTIONS *", 204),
    ] {
        let answer = server.ask(request);
        assert_eq!(
            (answer.status, answer.field("X-Seen")),
            (status, Some("yes")),
            "{request}"
        );
    }
}

#[test]
fn nothing_inside_is_reached_past_a_middleware_that_refuses() {
    let app = router().wrap(with_key);
    for (request, status) in [
        (Request::get("/hello"), 403),
        (Request::get("/nothing"), 403),
        (Request::get("/hello").with_header("X-Key", "secret"), 200),
    ] {
        assert_eq!(app.handle(&request).status().as_u16(), status);
        let from_the_head = app.handle_head(&request).map(|found| found.status());
        assert_eq!(from_the_head.map(|status| status.as_u16()), Some(status));
    }
}

#[test]
fn a_refusal_of_the_server_is_completed_by_what_is_around_the_route() {
    let length = |request: &Request| request.body().len().to_string();
    let everyone = || vec!["*".parse().unwrap()];
    let api = with_cors(everyone(), Router::new().post("/length", length));
    let app = Router::new()
        .post("/length", length)
        .nest("/api", api)
        .any("/panics", with_cors(everyone(), panics));
    let server = TestServer::start(app);
    let post = |path: &str, bytes: usize| {
        let mut client = server.connect();
        client.say(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://page.test\r\nContent-Length: {bytes}\r\n\r\n"
        ));
        let answer = client.hear();
        let allowed = answer.field("Access-Control-Allow-Origin");
        (answer.status, allowed.map(str::to_owned))
    };
    let all = Some("*".to_owned());
    assert_eq!(post("/api/length", 1 << 40), (413, all.clone()));
    assert_eq!(post("/length", 1 << 40), (413, None));
    assert_eq!(post("/panics", 0), (500, all));
}

fn panics(_: &Request) -> Response {
    panic!("this handler always panics")
}

#[test]
fn a_refusal_comes_before_the_upload() {
    let server = TestServer::start(router().wrap(with_key));
    let mut client = server.connect();
    let head =
        "POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n";
    client.say(format!("{head}\r\n"));
    assert_eq!(client.hear().status, 403);

    let mut client = server.connect();
    client.say(format!("{head}X-Key: secret\r\n\r\n"));
    assert_eq!(client.hear().status, 100);
    client.say("12345");
    assert_eq!(client.hear().text(), "5");
}

#[test]
fn a_body_streams_back_through_a_middleware() {
    let app = router().wrap(|request, next| next.run(request).with_header("X-Seen", "yes"));
    let server = TestServer::start(app);
    let mut client = server.connect();
    client.say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc");
    let answer = client.hear_head();
    assert_eq!(answer.field("X-Seen"), Some("yes"));
    assert_eq!(client.hear_exactly(3), b"abc");
    client.say("def");
    assert_eq!(client.hear_exactly(3), b"def");
}

#[test]
fn it_is_called_once_and_for_a_body_that_is_wanted_twice_with_100_the_first_time() {
    let calls = Arc::new(AtomicUsize::new(0));
    let finals = Arc::new(AtomicUsize::new(0));
    let app = router().wrap({
        let (calls, finals) = (Arc::clone(&calls), Arc::clone(&finals));
        move |request: &Request, next: Next<'_>| {
            let response = next.run(request);
            calls.fetch_add(1, Ordering::SeqCst);
            match response.status() {
                // Dropped, whatever it is made into.
                StatusCode::CONTINUE => Response::text("never seen"),
                _ => {
                    finals.fetch_add(1, Ordering::SeqCst);
                    response
                }
            }
        }
    });
    let server = TestServer::start(app);
    let counts = || {
        (
            calls.swap(0, Ordering::SeqCst),
            finals.swap(0, Ordering::SeqCst),
        )
    };
    for (request, body, expected) in [
        ("GET /hello HTTP/1.1\r\n", "hello", (1, 1)),
        ("POST /length HTTP/1.1\r\n", "0", (1, 1)),
        (
            "POST /length HTTP/1.1\r\nContent-Length: 0\r\n",
            "0",
            (1, 1),
        ),
        (
            "POST /length HTTP/1.1\r\nContent-Length: 3\r\n",
            "3",
            (2, 1),
        ),
        (
            "POST /length HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
            "3",
            (2, 1),
        ),
        (
            "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n",
            "abc",
            (1, 1),
        ),
    ] {
        let mut client = server.connect();
        client.say(format!("{request}Host: localhost\r\n\r\n"));
        if request.contains("chunked") {
            client.say("3\r\nabc\r\n0\r\n\r\n");
        } else if request.contains(": 3") {
            client.say("abc");
        }
        assert_eq!(client.hear().text(), body, "{request}");
        assert_eq!(counts(), expected, "{request}");
    }
}

#[test]
fn the_last_one_is_the_outermost() {
    let mark = |name: &'static str| {
        move |request: &Request, next: Next<'_>| {
            let seen = request.clone().with_header("X-In", name);
            next.run(&seen).with_header("X-Out", name)
        }
    };
    let app = Router::new()
        .get("/", |request: &Request| {
            let ways: Vec<_> = request.headers().elements("X-In").collect();
            Response::text(ways.join(&b' '))
        })
        .wrap(mark("a"))
        .wrap(mark("b"));
    let (_, headers, body) = app.handle(&Request::get("/")).into_parts();
    assert_eq!(headers.elements("X-Out").collect::<Vec<_>>(), [b"a", b"b"]);
    assert!(matches!(body, sockeye::message::Body::Bytes(bytes) if bytes == "b a"));
}
