//! Nobody waits for somebody else, and nobody waits for ever.

use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use sockeye::echo::Echo;
use sockeye::message::{BodySource, Request, Response, StatusCode, Stream, Wake};
use sockeye::router::Router;
use sockeye::server::Config;

use crate::support::{Client, PATIENCE, TestServer};

/// A door that handlers wait at until it is opened.
#[derive(Clone, Default)]
pub(crate) struct Door(Arc<(Mutex<(bool, usize)>, Condvar)>);

impl Door {
    pub(crate) fn wait(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.1 += 1;
        changed.notify_all();
        while !state.0 {
            state = changed.wait(state).unwrap();
        }
    }

    /// Waits until `count` handlers stand before it.
    pub(crate) fn queue_of(&self, count: usize) {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap();
        let is_shorter = |state: &mut (bool, usize)| state.1 < count;
        let waited = changed.wait_timeout_while(state, PATIENCE, is_shorter);
        let (state, waited) = waited.unwrap();
        assert!(!waited.timed_out(), "{} of {count} handlers", state.1);
    }

    pub(crate) fn open(&self) {
        self.0.0.lock().unwrap().0 = true;
        self.0.1.notify_all();
    }
}

fn router(door: &Door) -> Router {
    let door = door.clone();
    Router::new()
        .get("/", |_: &Request| Response::text("hello\n"))
        .get("/large", |_: &Request| {
            Response::text(vec![b'x'; 50_000_000])
        })
        .post("/collect", |request: &Request| {
            Response::text(request.body().to_vec())
        })
        .any("/echo", Echo)
        .get("/door", move |_: &Request| {
            door.wait();
            Response::text("through\n")
        })
}

fn impatient() -> Config {
    let short = Duration::from_millis(100);
    let long = Duration::from_secs(60);
    Config {
        head_timeout: short,
        body_timeout: long,
        write_timeout: long,
        idle_timeout: long,
        ..Config::default()
    }
}

#[test]
fn a_request_is_answered_at_once_beside_silent_clients_half_heads_and_blocked_handlers() {
    let door = Door::default();
    let server = TestServer::start(router(&door));
    let silent: Vec<Client> = (0..200).map(|_| server.connect()).collect();
    let mut half: Vec<Client> = (0..50).map(|_| server.connect()).collect();
    half.iter_mut()
        .for_each(|client| client.say("GET / HTTP/1.1\r\nHost: a\r\nX-"));
    let mut blocked: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    blocked
        .iter_mut()
        .for_each(|client| client.say("GET /door HTTP/1.1\r\nHost: a\r\n\r\n"));
    door.queue_of(4);

    let begun = Instant::now();
    let mut worst = Duration::ZERO;
    for _ in 0..50 {
        let asked = Instant::now();
        assert_eq!(server.ask("GET /").text(), "hello\n");
        worst = worst.max(asked.elapsed());
    }
    // Far above what it takes and far below what any of them could cause by being waited for.
    assert!(
        worst < Duration::from_secs(1),
        "one of 50 took {worst:?}, all {:?}",
        begun.elapsed()
    );

    door.open();
    for client in &mut blocked {
        assert_eq!(client.hear().text(), "through\n");
    }
    for client in &mut half {
        client.say("A: b\r\n\r\n");
        assert_eq!(client.hear().text(), "hello\n");
    }
    drop(silent);
}

#[test]
fn handlers_may_block_as_many_as_there_are_threads_in_reserve() {
    let door = Door::default();
    let server = TestServer::start(router(&door));
    let config = Config::default();
    let count = config.threads - config.active_threads;
    let mut blocked: Vec<Client> = (0..count).map(|_| server.connect()).collect();
    blocked
        .iter_mut()
        .for_each(|client| client.say("GET /door HTTP/1.1\r\nHost: a\r\n\r\n"));
    door.queue_of(count);
    assert_eq!(server.ask("GET /").status, 200);
    door.open();
    blocked
        .iter_mut()
        .for_each(|client| assert_eq!(client.hear().status, 200));
}

#[test]
fn handlers_that_are_asked_at_once_occupy_every_thread() {
    // One client's event wakes one thread, and the others' may come while that one takes it: each round is a try.
    for _ in 0..10 {
        let door = Door::default();
        let config = Config {
            threads: 5,
            active_threads: 4,
            ready_lists: 1,
            ..Config::default()
        };
        let server = TestServer::with_config(config, router(&door));
        let mut clients: Vec<Client> = (0..16).map(|_| server.connect()).collect();
        for client in &mut clients {
            assert_eq!(client.ask("GET /").status, 200);
        }
        for client in &mut clients {
            client.say("GET /door HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        door.queue_of(5);
        door.open();
        for client in &mut clients {
            assert_eq!(client.hear().text(), "through\n");
        }
    }
}

#[test]
fn a_server_stops_although_handlers_block() {
    let door = Door::default();
    let config = Config {
        grace: Duration::from_millis(50),
        ..Config::default()
    };
    let server = TestServer::with_config(config, router(&door));
    let mut blocked: Vec<Client> = (0..8).map(|_| server.connect()).collect();
    blocked
        .iter_mut()
        .for_each(|client| client.say("GET /door HTTP/1.1\r\nHost: a\r\n\r\n"));
    door.queue_of(8);
    server.stopper().stop();
    assert_eq!(server.wait().cut, 8);
    door.open();
}

#[test]
fn a_server_stops_although_whoever_still_gets_in_is_answered_by_a_handler_that_blocks() {
    let door = Door::default();
    let config = Config {
        grace: Duration::from_millis(50),
        threads: 2,
        active_threads: 1,
        ..Config::default()
    };
    let server = TestServer::with_config(config, router(&door));
    let request = "GET /door HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut idle = server.connect();
    assert_eq!(idle.ask("GET /").status, 200);
    let mut blocked: Vec<Client> = (0..2).map(|_| server.connect()).collect();
    blocked.iter_mut().for_each(|client| client.say(request));
    door.queue_of(2);
    // Nobody is left to take these up: one is in its place, the other with the kernel.
    idle.say(request);
    let mut late = server.connect();
    late.say(request);
    server.stopper().stop();
    assert_eq!(server.wait().cut, 4);
    door.open();
}

#[test]
fn a_server_stops_although_the_stream_whose_place_a_late_client_wants_blocks_when_it_is_dropped() {
    struct Blocks(Door);
    impl BodySource for Blocks {
        fn poll_read(&mut self, _: &mut [u8], _: &mut Wake<'_>) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }
    impl Drop for Blocks {
        fn drop(&mut self) {
            self.0.wait();
        }
    }
    let door = Door::default();
    let config = Config {
        grace: Duration::from_millis(50),
        threads: 2,
        active_threads: 1,
        connections_max: 3,
        ..Config::default()
    };
    let behind = door.clone();
    let stream = move |_: &Request| {
        Response::new(StatusCode::OK).with_body(Stream {
            reader: Box::new(Blocks(behind.clone())),
            length: None,
        })
    };
    let server = TestServer::with_config(config, router(&door).get("/stream", stream));
    let mut streaming = server.connect();
    streaming.say("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    streaming.hear_head();
    let mut blocked: Vec<Client> = (0..2).map(|_| server.connect()).collect();
    blocked
        .iter_mut()
        .for_each(|client| client.say("GET /door HTTP/1.1\r\nHost: a\r\n\r\n"));
    door.queue_of(2);
    // Its client reads nothing more, so that it gives way to a newcomer; all workers are in the handler.
    streaming.end();
    let mut late = server.connect();
    late.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.stopper().stop();
    assert_eq!(server.wait().cut, 3);
    assert_eq!(late.hear().status, 503);
    door.open();
}

#[test]
fn half_a_head_is_answered_408_and_silence_is_closed_silently() {
    let server = TestServer::with_config(impatient(), router(&Door::default()));
    let mut silent = server.connect();
    let mut half = server.connect();
    half.say("GET / HTTP/1.1\r\nHo");
    let answer = half.hear();
    assert_eq!(
        (answer.status, answer.field("Connection")),
        (408, Some("close"))
    );
    half.end();
    assert!(half.is_closed());
    assert!(silent.is_closed());
}

#[test]
fn a_head_that_dribbles_has_no_more_time_than_one_that_stops() {
    let server = TestServer::with_config(impatient(), router(&Door::default()));
    let mut client = server.connect();
    let begun = Instant::now();
    client.say("GET / HTTP/1.1\r\nX: ");
    client
        .stream()
        .set_read_timeout(Some(Duration::from_millis(10)))
        .unwrap();
    let mut piece = [0; 16];
    // Until there is something to read, which is the 408.
    while std::io::Read::read(&mut client.stream(), &mut piece).is_err() {
        client.say("x");
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it may dribble for ever"
        );
    }
    assert_eq!(&piece[..12], b"HTTP/1.1 408");
}

#[test]
fn half_a_body_is_answered_408() {
    let config = Config {
        body_timeout: Duration::from_millis(100),
        ..Config::default()
    };
    let server = TestServer::with_config(config, router(&Door::default()));
    for head in [
        "Content-Length: 5\r\n\r\nhe",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
    ] {
        let mut client = server.connect();
        client.say(format!("POST /collect HTTP/1.1\r\nHost: a\r\n{head}"));
        assert_eq!(client.hear().status, 408, "{head}");
        let mut echo = server.connect();
        echo.say(format!("POST /echo HTTP/1.1\r\nHost: a\r\n{head}"));
        let heard = echo.hear_to_end();
        assert!(
            heard.starts_with(b"HTTP/1.1 200"),
            "its answer had begun, so it can only be broken off"
        );
    }
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let config = Config {
        idle_timeout: Duration::from_millis(100),
        ..Config::default()
    };
    let server = TestServer::with_config(config, router(&Door::default()));
    let mut client = server.connect();
    assert_eq!(client.ask("GET /").status, 200);
    assert!(client.is_closed());
}

#[test]
fn a_client_that_takes_nothing_is_cut_off_and_one_that_reads_slowly_is_not() {
    let config = Config {
        write_timeout: Duration::from_secs(1),
        ..Config::default()
    };
    let server = TestServer::with_config(config, router(&Door::default()));
    let mut slow = server.connect();
    let mut stuck = server.connect();
    let get = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    slow.say(get);
    stuck.say(get);
    slow.hear_head();
    let begun = Instant::now();
    for _ in 0..200 {
        // Far slower than it could be, but never without progress for long.
        let until = Instant::now() + Duration::from_millis(40);
        slow.hear_exactly(250_000);
        while Instant::now() < until {
            std::thread::yield_now();
        }
    }
    assert!(begun.elapsed() > Duration::from_secs(8));
    let head = stuck.hear_head();
    assert_eq!(head.status, 200);
    let heard = stuck.hear_to_end().len();
    assert!(
        heard < 50_000_000,
        "all {heard} bytes were sent to a client that did not read"
    );
}

#[test]
fn an_echo_whose_client_never_reads_is_ended() {
    let config = Config {
        write_timeout: Duration::from_millis(100),
        ..Config::default()
    };
    let server = TestServer::with_config(config, router(&Door::default()));
    let client = server.connect();
    let mut stream = client.stream();
    let piece = [b'x'; 64 * 1024];
    use std::io::Write;
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n")
        .unwrap();
    // The server stops reading once it cannot write, and then hangs up, which ends this.
    let sent = std::iter::from_fn(|| stream.write_all(&piece).ok())
        .take(100_000)
        .count();
    assert!(sent < 100_000);
}
