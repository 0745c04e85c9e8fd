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
