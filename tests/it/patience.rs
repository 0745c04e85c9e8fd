//! Deadlines and endings hold even when a handler takes its time or breaks.

use std::io::{self, Read};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sockeye::message::{Body, Request, Response, StatusCode, Stream};
use sockeye::server::Config;

use crate::support::{PATIENCE, TestServer, until};

/// Longer than the monitor lets a handler keep its run permit.
const SLOW: Duration = Duration::from_millis(60);

fn slow(_: &Request) -> Response {
    std::thread::sleep(SLOW);
    Response::text("at last\n")
}

#[test]
fn an_idle_connection_is_closed_in_time_after_a_slow_answer() {
    let config = Config {
        idle_timeout: Duration::from_millis(200),
        ..Config::default()
    };
    let server = TestServer::with_config(config, slow);
    let mut client = server.connect();
    assert_eq!(client.ask("GET /").status, 200);
    assert!(client.is_closed());
}

#[test]
fn the_time_between_requests_begins_with_the_answer_however_long_that_took() {
    let config = Config {
        idle_timeout: SLOW / 2,
        ..Config::default()
    };
    let server = TestServer::with_config(config.clone(), slow);
    let mut client = server.connect();
    assert_eq!(client.ask("GET /").status, 200);
    let answered = Instant::now();
    assert!(client.is_closed());
    // The server's clock began a little before ours.
    assert!(answered.elapsed() >= config.idle_timeout / 2);
}

#[test]
fn a_timeout_longer_than_any_clock_is_no_timeout() {
    let forever = Duration::MAX;
    let config = Config {
        head_timeout: forever,
        body_timeout: forever,
        write_timeout: forever,
        idle_timeout: forever,
        grace: forever,
        ..Config::default()
    };
    let server = TestServer::with_config(config, slow);
    let mut client = server.connect();
    client.say("GET / HTTP/1.1\r\n");
    client.say("Host: localhost\r\n\r\n");
    assert_eq!(client.hear().status, 200);
    assert_eq!(client.ask("GET /").status, 200);
    server.stopper().stop();
    assert_eq!(server.wait().cut, 0);
}

/// A body that breaks off with a panic after its first piece.
struct Breaks(bool);

impl Read for Breaks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!std::mem::replace(&mut self.0, true), "a test panics");
        buffer[..5].copy_from_slice(b"begun");
        Ok(5)
    }
}

#[test]
fn a_body_that_panics_ends_its_connection_and_no_other() {
    let server = TestServer::start(|request: &Request| match request.target().path() {
        "/breaks" => Response::new(StatusCode::OK).with_body(Body::Stream(Stream {
            reader: Box::new(Breaks(false)),
            length: None,
        })),
        _ => Response::text("well\n"),
    });
    let mut broken = server.connect();
    broken.say("GET /breaks HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let heard = broken.hear_to_end();
    assert!(
        heard.ends_with(b"5\r\nbegun\r\n"),
        "no end may be pretended"
    );
    assert_eq!(server.ask("GET /").text(), "well\n");
}

/// A gate that handlers wait at.
#[derive(Default)]
struct Gate {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Gate {
    fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        let waits = |state: &mut (usize, bool)| !state.1;
        drop(self.changed.wait_while(state, waits).unwrap());
    }

    fn waiting(&self) -> usize {
        self.state.lock().unwrap().0
    }

    fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

#[test]
fn a_second_stop_ends_the_server_whatever_its_handlers_and_its_queue_do() {
    let gate = Arc::new(Gate::default());
    let inner = Arc::clone(&gate);
    let config = Config {
        threads: 2,
        active_threads: 1,
        grace: Duration::from_secs(3600),
        ..Config::default()
    };
    let server = TestServer::with_config(config, move |_: &Request| {
        inner.wait();
        Response::text("let through\n")
    });
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut clients: Vec<_> = (0..2).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.say(request));
    until("all members are at the gate", || gate.waiting() == 2);
    // Nobody is left to accept these: they are in the queue when the server is stopped.
    let mut queued: Vec<_> = (0..3).map(|_| server.connect()).collect();
    queued.iter_mut().for_each(|client| client.say(request));
    // A server that waits for its handlers is let go in the end, and the test has failed.
    let (ended, has_ended) = std::sync::mpsc::channel::<()>();
    let opener = std::thread::spawn(move || {
        let is_late = has_ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
        gate.open();
        is_late
    });
    server.stopper().stop();
    server.stopper().stop();
    server.wait();
    drop(ended);
    assert!(!opener.join().expect("it does not panic"));
}

#[test]
fn whoever_waits_for_a_thread_when_the_server_ends_is_closed() {
    let (first, second) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
    let gates = (Arc::clone(&first), Arc::clone(&second));
    let config = Config {
        threads: 2,
        active_threads: 1,
        ..Config::default()
    };
    let server = TestServer::with_config(config, move |request: &Request| {
        match request.path() {
            "/" => {}
            "/first" => gates.0.wait(),
            _ => gates.1.wait(),
        }
        Response::text("let through\n")
    });
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut clients: Vec<_> = (0..8).map(|_| server.connect()).collect();
    clients
        .iter_mut()
        .for_each(|client| assert_eq!(client.ask("GET /").status, 200));
    let (early, late) = clients.split_at_mut(2);
    early
        .iter_mut()
        .for_each(|client| client.say(get("/first")));
    until("both threads are at the gate", || first.waiting() == 2);
    // All of these are taken from the kernel together, and two of them get a thread.
    late.iter_mut()
        .for_each(|client| client.say(get("/second")));
    first.open();
    until("both threads are at the gate", || second.waiting() == 2);
    server.stopper().stop();
    server.stopper().stop();
    server.wait();
    let (queued, asked): (Vec<_>, Vec<_>) = late.iter_mut().partition(|client| {
        let wait = Some(Duration::from_secs(2));
        client.stream().set_read_timeout(wait).unwrap();
        client.stream().peek(&mut [0]).is_ok()
    });
    second.open();
    assert_eq!((queued.len(), asked.len()), (4, 2));
}

/// A body that takes its time for each piece.
struct Unhurried(usize);

impl Read for Unhurried {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        std::thread::sleep(SLOW);
        let Some(left) = self.0.checked_sub(1) else {
            return Ok(0);
        };
        self.0 = left;
        buffer.fill(b'x');
        Ok(buffer.len())
    }
}

#[test]
fn a_body_that_takes_its_time_is_not_cut_for_it() {
    let config = Config {
        write_timeout: SLOW / 3,
        ..Config::default()
    };
    let server = TestServer::with_config(config, |_: &Request| {
        Response::new(StatusCode::OK).with_body(Body::Stream(Stream {
            reader: Box::new(Unhurried(5)),
            length: None,
        }))
    });
    let answer = server.ask("GET /");
    assert_eq!(answer.body.len(), 5 * 64 * 1024);
}

#[test]
fn a_body_that_dribbles_is_ended_though_no_gap_in_it_is_long() {
    let config = Config {
        body_timeout: Duration::from_millis(500),
        ..Config::default()
    };
    let server = TestServer::with_config(config, |request: &Request| {
        Response::text(format!("{} bytes\n", request.body().len()))
    });
    for head in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n",
    ] {
        let mut client = server.connect();
        let begun = Instant::now();
        client.say(head);
        let pause = Some(Duration::from_millis(100));
        client.stream().set_read_timeout(pause).unwrap();
        let mut piece = [0; 12];
        // Until there is something to read, which is the 408.
        while client.stream().read(&mut piece).is_err() {
            client.say("x");
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "it may dribble for ever"
            );
        }
        assert_eq!(&piece, b"HTTP/1.1 408");
    }
}

#[test]
fn a_client_that_reads_slowly_and_without_a_pause_is_not_cut() {
    let config = Config {
        write_timeout: Duration::from_millis(500),
        ..Config::default()
    };
    let server =
        TestServer::with_config(config, |_: &Request| Response::text(vec![b'x'; 30_000_000]));
    let mut client = server.connect();
    client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.hear_head();
    let begun = Instant::now();
    // 20 kB a second. What the client's kernel holds at first would last for some seconds if the connection were cut.
    for bytes in (0..200_000).step_by(2_000) {
        client.hear_exactly(2_000);
        let due = begun + Duration::from_millis(bytes / 20);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

#[test]
fn whoever_hardly_moves_gives_way_before_a_newcomer_is_refused() {
    let config = Config {
        connections_max: 2,
        body_timeout: Duration::from_secs(60),
        ..Config::default()
    };
    let server = TestServer::with_config(config, |request: &Request| {
        Response::text(format!("{} bytes\n", request.body().len()))
    });
    let mut stuck: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for client in &mut stuck {
        client.say(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
        );
        assert_eq!(client.hear_head().status, 100);
    }
    assert_eq!(server.ask("GET /").status, 503, "they have just begun");
    until("one of them gives way", || {
        server.ask("GET /").status == 200
    });
}

#[test]
fn a_request_that_has_come_while_all_threads_were_blocked_is_not_too_late() {
    let gate = Arc::new(Gate::default());
    let inner = Arc::clone(&gate);
    let config = Config {
        threads: 2,
        active_threads: 1,
        idle_timeout: Duration::from_millis(200),
        head_timeout: Duration::from_millis(200),
        ..Config::default()
    };
    let server = TestServer::with_config(config, move |request: &Request| {
        if request.target().path() == "/gate" {
            inner.wait();
        }
        Response::text("well\n")
    });
    let mut idle = server.connect();
    assert_eq!(idle.ask("GET /").text(), "well\n");
    let mut half = server.connect();
    half.say("GET / HTTP/1.1\r\n");
    let mut blocked: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for client in &mut blocked {
        client.say("GET /gate HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    until("all threads are blocked", || gate.waiting() == 2);
    idle.say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    half.say("Host: localhost\r\n\r\n");
    std::thread::sleep(Duration::from_millis(600));
    gate.open();
    assert_eq!(idle.hear().text(), "well\n");
    assert_eq!(half.hear().text(), "well\n");
}
