//! Connections: how long they live, who shares them, and how the server ends.

use std::io::{self, Read};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sockeye::handler::Handler;
use sockeye::message::{Body, Request, Response, StatusCode, Stream};
use sockeye::router::Router;
use sockeye::server::{Config, Server, Summary};

use crate::stalls::Door;
use crate::support::{Client, PATIENCE, TestServer, until};

fn hello() -> impl Handler {
    Router::new()
        .get("/", |_: &Request| Response::text("hello\n"))
        .get("/large", |_: &Request| {
            Response::text(vec![b'x'; 20_000_000])
        })
        .get("/panic", |_: &Request| -> Response {
            panic!("a test wants this")
        })
        .post("/collect", |request: &Request| {
            Response::text(request.body().to_vec())
        })
}

#[test]
fn what_cannot_be_listened_on_is_named_in_a_sentence() {
    let first = Server::bind("127.0.0.1:0").expect("a free port");
    let taken = first.local_addrs()[0];
    let error = Server::bind(taken).expect_err("it is taken");
    assert_eq!(error.address, Some(taken));
    let sentence = format!("cannot listen on {taken}: Address already in use");
    assert!(error.to_string().starts_with(&sentence), "{error}");
    // `main` prints what it returns by `Debug`.
    assert_eq!(format!("{error:?}"), error.to_string());
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::AddrInUse);
    for (asked, sentence) in [
        (
            Server::bind("127.0.0.1:x"),
            "cannot listen: \"127.0.0.1:x\" names no address: invalid port value",
        ),
        (Server::bind(&[][..]), "cannot listen: [] names no address"),
    ] {
        let error = asked.expect_err("it names none");
        assert_eq!(
            (error.to_string().as_str(), error.address),
            (sentence, None)
        );
    }
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let server = TestServer::start(hello());
    let mut client = server.connect();
    for _ in 0..3 {
        assert_eq!(client.ask("GET /").text(), "hello\n");
        assert_eq!(client.ask("HEAD /").field("Content-Length"), Some("6"));
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start(hello());
    let mut client = server.connect();
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let post = "POST /collect HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    client.say(format!("{get}{post}").repeat(500));
    for _ in 0..500 {
        assert_eq!(client.hear().text(), "hello\n");
        assert_eq!(client.hear().text(), "abc");
    }
}

#[test]
fn a_pipeline_of_large_answers_arrives_whole_at_a_client_that_reads_late() {
    let server = TestServer::start(hello());
    let mut client = server.connect();
    client.say("GET /large HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3));
    for _ in 0..3 {
        assert_eq!(client.hear().body.len(), 20_000_000);
    }
}

#[test]
fn a_connection_closes_when_the_client_wants_it_or_speaks_http_1_0() {
    let server = TestServer::start(hello());
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, CLOSE\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.say(request);
        let answer = client.hear();
        assert_eq!(
            (answer.status, answer.field("Connection")),
            (200, Some("close")),
            "{request}"
        );
        assert!(client.is_closed(), "{request}");
    }
    let mut client = server.connect();
    client.say("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    assert_eq!(client.hear().field("Connection"), Some("keep-alive"));
    assert_eq!(client.ask("GET /").status, 200);
}

#[test]
fn a_client_that_only_listens_after_its_request_is_answered() {
    let server = TestServer::start(hello());
    let mut client = server.connect();
    client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2));
    client.end();
    assert_eq!(client.hear().status, 200);
    assert_eq!(client.hear().status, 200);
    assert!(client.is_closed());
}

#[test]
fn a_refusal_is_heard_by_a_client_that_goes_on_sending() {
    let server = TestServer::start(hello());
    let mut client = server.connect();
    client.say("POST /collect HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
    client.say(vec![b'x'; 100_000]);
    assert_eq!(client.hear().status, 413);
    assert!(client.is_closed());
}

#[test]
fn a_panic_is_a_500_and_the_server_lives() {
    let server = TestServer::start(hello());
    for _ in 0..100 {
        assert_eq!(server.ask("GET /panic").status, 500);
    }
    assert_eq!(server.ask("GET /").status, 200);
}

#[test]
fn a_stream_is_sent_in_chunks_or_with_its_length_and_broken_off_if_it_fails() {
    fn stream(bytes: &'static [u8], length: Option<u64>) -> impl Handler {
        move |_: &Request| {
            let reader = Box::new(bytes);
            Response::new(StatusCode::OK).with_body(Body::Stream(Stream { reader, length }))
        }
    }
    let server = TestServer::start(
        Router::new()
            .any("/chunked", stream(b"hello", None))
            .any("/length", stream(b"hello", Some(5)))
            .any("/short", stream(b"hello", Some(9)))
            .any("/long", stream(b"hello", Some(3))),
    );
    let mut client = server.connect();
    assert_eq!(client.ask("GET /chunked").text(), "hello");
    assert_eq!(client.ask("GET /length").text(), "hello");
    assert_eq!(client.ask("GET /long").text(), "hel");
    client.say("GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.hear_head().field("Content-Length"), Some("9"));
    let heard = client.hear_to_end();
    assert_eq!(
        heard, b"hello",
        "the client can tell that four bytes are missing"
    );

    let mut old = server.connect();
    old.say("GET /chunked HTTP/1.0\r\n\r\n");
    let answer = old.hear();
    assert_eq!(
        (answer.text(), answer.field("Transfer-Encoding")),
        ("hello", None)
    );
}

#[test]
fn a_server_that_is_stopped_finishes_what_it_is_answering() {
    let server = TestServer::start(hello());
    let mut idle = server.connect();
    idle.ask("GET /");
    let mut downloading = server.connect();
    downloading.say("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    downloading.hear_head();
    server.stopper().stop();
    assert!(idle.is_closed());
    assert_eq!(downloading.hear_exactly(20_000_000).len(), 20_000_000);
    assert_eq!(
        server.wait(),
        Summary {
            finished: 2,
            cut: 0
        }
    );
}

#[test]
fn what_is_not_finished_after_the_grace_period_is_cut() {
    let config = Config {
        grace: Duration::from_millis(50),
        ..Config::default()
    };
    let server = TestServer::with_config(config, hello());
    let mut stuck = server.connect();
    stuck.say("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    stuck.hear_head();
    server.stopper().stop();
    assert_eq!(server.wait().cut, 1);
}

#[test]
fn a_second_stop_does_not_wait() {
    let config = Config {
        grace: Duration::from_secs(3600),
        ..Config::default()
    };
    let server = TestServer::with_config(config, hello());
    let mut stuck = server.connect();
    stuck.say("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    stuck.hear_head();
    server.stopper().stop();
    server.stopper().stop();
    assert_eq!(server.wait().cut, 1);
}

#[test]
fn a_body_whose_drop_blocks_does_not_keep_a_server_from_stopping() {
    struct Stuck(Door);
    impl Drop for Stuck {
        fn drop(&mut self) {
            self.0.wait();
        }
    }
    impl Read for Stuck {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            Ok(buffer.len())
        }
    }
    for delay in [Duration::ZERO, Duration::from_secs(3600)] {
        let door = Door::default();
        let inside = door.clone();
        let config = Config {
            grace: Duration::from_millis(50),
            ..Config::default()
        };
        let server = TestServer::with_config(config, move |_: &Request| {
            let reader = Box::new(Stuck(inside.clone()));
            let stream = Stream {
                reader,
                length: None,
            };
            Response::new(StatusCode::OK)
                .with_body(stream)
                .with_delay(delay)
        });
        let mut stuck = server.connect();
        stuck.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        if delay.is_zero() {
            stuck.hear_head();
        }
        server.stopper().stop();
        let (ended, end) = mpsc::channel();
        let waiting = thread::spawn(move || ended.send(server.wait()));
        let summary = end.recv_timeout(PATIENCE);
        door.open();
        assert!(summary.is_ok(), "delayed by {delay:?}");
        waiting.join().unwrap().unwrap();
    }
}

#[test]
fn a_request_that_is_there_when_the_server_stops_is_answered() {
    let server = TestServer::start(hello());
    let mut clients: Vec<_> = (0..50).map(|_| server.connect()).collect();
    are_answered_though_the_server_stops(server, &mut clients);
}

/// Asks on each connection, and stops the server before any answer is looked at.
fn are_answered_though_the_server_stops(server: TestServer, clients: &mut [Client]) {
    for client in &mut *clients {
        client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    server.stopper().stop();
    for client in clients {
        assert_eq!(client.hear().status, 200);
        assert!(client.is_closed());
    }
    assert_eq!(server.wait().cut, 0);
}

/// A client in the middle of a request: it has been told to go on and has not. While a place is still being cleared it
/// may be turned away, and comes again.
fn uploading(server: &TestServer) -> Client {
    let head =
        "POST /collect HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    let mut let_in = None;
    until("there is a place", || {
        let mut client = server.connect();
        client.say(head);
        let is_let_in = client.hear_head().status == 100;
        let_in = is_let_in.then_some(client);
        is_let_in
    });
    let_in.expect("it was let in")
}

#[test]
fn the_connection_idle_longest_gives_way_and_without_one_the_client_is_told() {
    let config = Config {
        connections_max: 2,
        ..Config::default()
    };
    let server = TestServer::with_config(config, hello());
    let mut first = server.connect();
    first.ask("GET /");
    let mut second = uploading(&server);
    until("the first gives way", || server.ask("GET /").status == 200);
    assert!(first.is_closed());

    let _third = uploading(&server);
    until("nobody is idle", || {
        let answer = server.ask("GET /");
        answer.status == 503 && answer.field("Retry-After") == Some("1")
    });
    second.say("ab");
    assert_eq!(second.hear().text(), "ab");
}

#[test]
fn an_answer_that_is_held_back_gives_way_to_a_newcomer() {
    let config = Config {
        connections_max: 300,
        ..Config::default()
    };
    let server = TestServer::with_config(config, |request: &Request| {
        let response = Response::text("hello\n");
        match request.target().path() {
            "/" => response,
            _ => response.with_delay(Duration::from_secs(3600)),
        }
    });
    let waiting: Vec<_> = (0..300)
        .map(|_| {
            let mut client = server.connect();
            client.say("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
            client
        })
        .collect();
    // The last of them may not have been read yet.
    until("there is room", || server.ask("GET /").status == 200);
    drop(waiting);
}

#[test]
fn ready_lists_side_by_side_serve_as_one_server() {
    let config = Config {
        ready_lists: 3,
        active_threads: 3,
        ..Config::default()
    };
    let server = TestServer::with_config(config, hello());
    let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for _ in 0..3 {
        for client in &mut clients {
            client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.hear().text(), "hello\n");
        }
    }
    let mut downloading = server.connect();
    downloading.say("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    downloading.hear_head();
    server.stopper().stop();
    assert_eq!(downloading.hear_exactly(20_000_000).len(), 20_000_000);
    assert!(clients.iter_mut().all(|client| client.is_closed()));
    let summary = server.wait();
    assert_eq!(
        summary,
        Summary {
            finished: 101,
            cut: 0
        }
    );
}

#[test]
fn a_request_on_an_idle_connection_that_is_there_when_the_server_stops_is_answered() {
    for _ in 0..20 {
        let server = TestServer::start(hello());
        let mut clients: Vec<_> = (0..50).map(|_| server.connect()).collect();
        for client in &mut clients {
            assert_eq!(client.ask("GET /").status, 200);
        }
        are_answered_though_the_server_stops(server, &mut clients);
    }
}
