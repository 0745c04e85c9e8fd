//! Bodies that are written somewhere while they come.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use sockeye::middleware::EveryResponse;
use sockeye::server::Config;
use sockeye::{Handler, Method, Request, Response, Router, StatusCode, Upload};

use crate::support::{Client, TestServer, until};

/// Where uploads are written in these tests, and what became of them.
#[derive(Clone, Default)]
struct Store(Arc<(Mutex<Stored>, Condvar)>);

#[derive(Default)]
struct Stored {
    /// What was written, each piece by itself.
    pieces: Vec<Vec<u8>>,
    /// Writers that were dropped.
    dropped: usize,
    /// Whether writes wait.
    is_shut: bool,
    waiting: usize,
}

impl Store {
    fn with<T>(&self, look: impl FnOnce(&mut Stored) -> T) -> T {
        let result = look(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
        result
    }

    fn written(&self) -> usize {
        self.with(|stored| stored.pieces.iter().map(Vec::len).sum())
    }

    fn dropped(&self) -> usize {
        self.with(|stored| stored.dropped)
    }
}

/// Writes into a store; what the first byte says may go wrong does.
struct Writer(Store);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match bytes[0] {
            b'!' => panic!("a test wants this"),
            b'?' => return Err(io::ErrorKind::StorageFull.into()),
            b'*' => return Err(io::Error::other("secret")),
            _ => {}
        }
        let mut stored = self.0.0.0.lock().unwrap();
        stored.waiting += 1;
        while stored.is_shut {
            stored = self.0.0.1.wait(stored).unwrap();
        }
        stored.waiting -= 1;
        stored.pieces.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.with(|stored| stored.dropped += 1);
    }
}

fn router(store: &Store) -> Router {
    let store = store.clone();
    Router::new()
        .get("/", |_| "hello\n")
        .upload(Method::PUT, "/files/{name}", move |request| {
            let name = request.param("name").to_owned();
            if name == "forbidden" {
                return Ok(Upload::refused((StatusCode::FORBIDDEN, "not this one\n")));
            }
            if name == "unreadable" {
                return Err(io::Error::other("secret"));
            }
            assert_ne!(name, "broken", "a test wants this");
            let written = store.clone();
            let upload = Upload::new(Writer(store.clone()), move |_writer| {
                assert_ne!(name, "last", "a test wants this");
                format!("{name}: {} bytes\n", written.written())
            });
            Ok(upload.with_bytes_max(5_000_000))
        })
}

fn put(name: &str, length: usize) -> String {
    format!("PUT /files/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

#[test]
fn a_body_is_written_while_it_comes_and_never_kept_whole() {
    let store = Store::default();
    let server = TestServer::start(router(&store));
    let mut client = server.connect();
    // More than the server would collect.
    client.say(put("a", 3_000_000));
    for round in 1..=3 {
        client.say(vec![b'x'; 1_000_000]);
        until("it is written", || store.written() == round * 1_000_000);
    }
    assert_eq!(client.hear().text(), "a: 3000000 bytes\n");
    store.with(|stored| {
        assert!(stored.pieces.iter().all(|piece| piece.len() <= 128 * 1024));
        assert_eq!(stored.dropped, 1);
        stored.pieces.clear();
    });
    // The connection goes on, and bodies without a length or without a byte are bodies too.
    let chunked = "PUT /files/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.say(format!("{chunked}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"));
    assert_eq!(client.hear().text(), "b: 11 bytes\n");
    client.say(put("c", 0));
    assert_eq!(client.hear().text(), "c: 11 bytes\n");
    assert_eq!(client.ask("GET /").text(), "hello\n");
}

#[test]
fn slow_uploads_hold_no_thread() {
    let store = Store::default();
    let config = Config {
        threads: 2,
        active_threads: 1,
        ..Config::default()
    };
    let server = TestServer::with_config(config, router(&store));
    let mut clients: Vec<Client> = (0..300).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.say(put("a", 3) + "x");
    }
    until("all have begun", || store.written() == 300);
    assert_eq!(server.ask("GET /").text(), "hello\n");
    for round in 2..=3 {
        clients.iter_mut().for_each(|client| client.say("x"));
        until("all went on", || store.written() == round * 300);
    }
    for client in &mut clients {
        assert_eq!(client.hear().status, 200);
    }
}

#[test]
fn a_writer_that_blocks_holds_its_client_back_and_nobody_else() {
    let store = Store::default();
    let server = TestServer::start(router(&store));
    store.with(|stored| stored.is_shut = true);
    let mut clients: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.say(put("a", 2_000_000) + "x");
    }
    until("all are in a write", || {
        store.with(|stored| stored.waiting == 4)
    });
    assert_eq!(server.ask("GET /").text(), "hello\n");
    let sending: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            std::thread::spawn(move || {
                client.say(vec![b'x'; 1_999_999]);
                client.hear().status
            })
        })
        .collect();
    assert_eq!(server.ask("GET /").text(), "hello\n");
    assert_eq!(store.written(), 0);
    store.with(|stored| stored.is_shut = false);
    for client in sending {
        assert_eq!(client.join().unwrap(), 200);
    }
    assert_eq!(store.written(), 8_000_000);
}

#[test]
fn an_upload_that_is_refused_never_begins() {
    let store = Store::default();
    let server = TestServer::start(router(&store));
    for (name, length, status) in [
        ("forbidden", 5, 403),
        ("a", 5_000_001, 413),
        ("broken", 5, 500),
        ("unreadable", 5, 500),
    ] {
        let mut client = server.connect();
        let expect = "\r\nExpect: 100-continue\r\n\r\n";
        client.say(put(name, length).replace("\r\n\r\n", expect));
        assert_eq!(client.hear().status, status, "{name}");
        assert!(client.is_closed(), "{name}");
    }
    let mut client = server.connect();
    client.say(put("a", 5).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
    assert_eq!(client.hear().status, 100);
    assert_eq!(store.dropped(), 1);
    client.say("hello");
    assert_eq!(client.hear().text(), "a: 5 bytes\n");
}

#[test]
fn what_does_not_come_to_its_end_is_dropped() {
    let store = Store::default();
    let mut config = Config {
        body_timeout: Duration::from_millis(200),
        ..Config::default()
    };
    config.limits.body_bytes_max = 10;
    let server = TestServer::with_config(config, router(&store));
    let chunked = "PUT /files/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = |length: usize| format!("{length:x}\r\n{}\r\n", "x".repeat(length));
    for (ended, (body, status)) in [
        (format!("{chunked}5\r\nhello\r\nx\r\n"), 400),
        (format!("{chunked}5\r\nhello\r\n"), 408),
        (
            chunked.to_owned() + &chunk(4_000_000) + &chunk(2_000_000),
            413,
        ),
        (put("a", 5) + "!ello", 500),
        (put("a", 5) + "?ello", 507),
        (put("a", 5) + "*ello", 500),
        (put("last", 5) + "hello", 500),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = server.connect();
        client.say(&body);
        let answer = client.hear();
        assert_eq!(answer.status, status);
        assert!(!answer.text().contains("secret"));
        // Before its client hears of it.
        assert_eq!(store.dropped(), ended + 1, "{status}");
        if status != 507 && !body.contains('*') {
            assert!(client.is_closed(), "{status}");
        }
    }
    let mut client = server.connect();
    client.say(put("a", 10) + "hello");
    client.end();
    assert!(client.is_closed());
    until("it is dropped", || store.dropped() == 8);
    let mut client = server.connect();
    client.say(put("a", 10) + "hello");
    drop(client);
    until("it is dropped", || store.dropped() == 9);
    assert_eq!(server.ask("GET /").text(), "hello\n");
}

#[test]
fn what_a_failed_write_leaves_of_a_small_body_is_read() {
    let store = Store::default();
    let server = TestServer::start(router(&store));
    let mut client = server.connect();
    client.say(put("a", 10) + "?");
    assert_eq!(client.hear().status, 507);
    client.say("123456789GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.hear().text(), "hello\n");
}

#[test]
fn middleware_sees_the_answer_to_an_upload_and_refuses_it_before_it_begins() {
    let store = Store::default();
    let inside = router(&store).wrap(|request, next| {
        if request.headers().contains("X-Stranger") {
            return Response::new(StatusCode::UNAUTHORIZED);
        }
        let response = next.run(request);
        let status = response.status().as_u16();
        response.with_header("X-Status", status.to_string())
    });
    let every = EveryResponse::new(
        |_, response| response.with_header("X-Every", "1"),
        Router::new().nest("/api", inside),
    );
    let server = TestServer::start(every);
    let path = |request: String| request.replace("/files", "/api/files");
    let mut client = server.connect();
    client.say(path(put("a", 5)) + "hello");
    let answer = client.hear();
    assert_eq!(answer.text(), "a: 5 bytes\n");
    assert_eq!(answer.field("X-Status"), Some("200"));
    assert_eq!(answer.field("X-Every"), Some("1"));
    client.say(path(put("a", 5)) + "?ello");
    let answer = client.hear();
    assert_eq!((answer.status, answer.field("X-Every")), (507, Some("1")));
    let dropped = store.dropped();
    let mut client = server.connect();
    client.say(path(put("a", 5)).replace("Host: a", "Host: a\r\nX-Stranger: 1") + "hello");
    assert_eq!(client.hear().status, 401);
    assert_eq!(store.dropped(), dropped);
}

#[test]
fn an_upload_is_tested_without_a_socket() {
    let store = Store::default();
    let router = router(&store);
    let request = |name: &str| Request::new(Method::PUT, &format!("/files/{name}"));
    let response = router.handle(&request("a").with_body("hello"));
    assert_eq!(response.into_text().unwrap(), "a: 5 bytes\n");
    let wrapped = router.wrap(|request, next| next.run(request));
    let response = wrapped.handle(&request("b"));
    assert_eq!(response.into_text().unwrap(), "b: 5 bytes\n");
    let refused = wrapped.handle(&request("forbidden"));
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let too_large = wrapped.handle(&request("a").with_body(vec![b'x'; 5_000_001]));
    assert_eq!(too_large.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn a_server_that_stops_ends_an_upload_and_cuts_one_that_stands_still() {
    let store = Store::default();
    let config = Config {
        grace: Duration::from_millis(300),
        ..Config::default()
    };
    let server = TestServer::with_config(config, router(&store));
    let (mut going, mut standing) = (server.connect(), server.connect());
    for client in [&mut going, &mut standing] {
        client.say(put("a", 10) + "hello");
    }
    until("both have begun", || store.written() == 10);
    server.stopper().stop();
    going.say("world");
    assert_eq!(going.hear().text(), "a: 15 bytes\n");
    let summary = server.wait();
    assert_eq!((summary.finished, summary.cut), (1, 1));
    assert_eq!(store.dropped(), 2);
}
