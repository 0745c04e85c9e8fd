//! What a handler's reader does harms its own answer only.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sockeye::message::{Body, Request, Response, StatusCode, Stream};
use sockeye::server::Config;

use crate::stalls::Door;
use crate::support::{TestServer, until};

/// A body whose reader says that it has filled more than it has.
struct Overstates {
    written: usize,
    said: usize,
    is_done: bool,
}

impl Read for Overstates {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(0);
        }
        let written = self.written.min(buffer.len());
        buffer[..written].fill(b'x');
        Ok(self.said)
    }
}

/// A body that panics when it is dropped.
struct PanicsLate(&'static [u8]);

impl Read for PanicsLate {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Drop for PanicsLate {
    fn drop(&mut self) {
        panic!("a test panics when it is dropped");
    }
}

#[test]
fn a_reader_that_lies_or_panics_harms_its_own_answer_only() {
    let server = TestServer::start(|request: &Request| {
        let overstates = |written, said, length| {
            let reader = Overstates {
                written,
                said,
                is_done: false,
            };
            let stream = Stream {
                reader: Box::new(reader),
                length,
            };
            Response::new(StatusCode::OK).with_body(Body::Stream(stream))
        };
        match request.target().path() {
            "/too-much" => overstates(5, 10_000_000, None),
            "/stale" => overstates(5, 1000, None),
            "/beyond" => overstates(5, 1000, Some(5)),
            "/late" => Response::new(StatusCode::OK).with_body(Body::Stream(Stream {
                reader: Box::new(PanicsLate(b"whole")),
                length: Some(5),
            })),
            "/secret" => Response::new(StatusCode::OK).with_body(Body::Stream(Stream {
                reader: Box::new(io::Cursor::new(vec![b's'; 100_000])),
                length: None,
            })),
            _ => Response::text("well\n"),
        }
    });
    for _ in 0..40 {
        assert_eq!(server.ask("GET /secret").body.len(), 100_000);
        let mut client = server.connect();
        client.say("GET /too-much HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(
            !client.hear_to_end().ends_with(b"0\r\n\r\n"),
            "no end may be pretended"
        );
        let stale = server.ask("GET /stale").body;
        assert!(!stale.contains(&b's'), "another client's bytes went out");
        let mut client = server.connect();
        client.say("GET /beyond HTTP/1.1\r\nHost: a\r\n\r\n");
        let heard = client.hear_to_end();
        assert!(
            !heard.ends_with(b"xxxxxs"),
            "more went out than was promised"
        );
        let mut client = server.connect();
        client.say("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(client.hear_to_end().ends_with(b"whole"));
    }
    assert_eq!(server.ask("GET /").text(), "well\n");
}

#[test]
fn the_head_of_an_answer_is_sent_although_its_unused_body_panics_when_it_is_dropped() {
    let server = TestServer::start(|request: &Request| {
        let body = |length| Stream {
            reader: Box::new(PanicsLate(b"unused")),
            length,
        };
        let response = Response::new(StatusCode::OK).with_header("X-Fish", "sockeye");
        match request.target().path() {
            "/known" => response.with_body(body(Some(6))),
            "/empty" => response.with_body(body(Some(0))),
            "/none" => response
                .with_status(StatusCode::NO_CONTENT)
                .with_body(body(None)),
            "/unknown" => response.with_body(body(None)),
            _ => Response::text("well\n"),
        }
    });
    for request in [
        "HEAD /known",
        "HEAD /unknown",
        "GET /none",
        "GET /empty",
        "HEAD /empty",
    ] {
        let mut client = server.connect();
        client.say(format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let heard = String::from_utf8(client.hear_to_end()).unwrap();
        assert!(
            heard.starts_with("HTTP/1.1 20") && heard.ends_with("X-Fish: sockeye\r\n\r\n"),
            "{request}: {heard:?}"
        );
    }
    assert_eq!(server.ask("GET /").text(), "well\n");
}

#[test]
fn an_unused_body_that_blocks_when_it_is_dropped_delays_nobody_else() {
    struct Blocks(Door);
    impl Read for Blocks {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
    }
    impl Drop for Blocks {
        fn drop(&mut self) {
            self.0.wait();
        }
    }
    let door = Door::default();
    let config = Config {
        threads: 3,
        active_threads: 1,
        ..Config::default()
    };
    let opened = door.clone();
    let server = TestServer::with_config(config, move |request: &Request| {
        match request.target().path() {
            "/blocks" => Response::new(StatusCode::OK).with_body(Stream {
                reader: Box::new(Blocks(door.clone())),
                length: None,
            }),
            _ => Response::text("well\n"),
        }
    });
    let mut client = server.connect();
    client.say("HEAD /blocks HTTP/1.1\r\nHost: a\r\n\r\n");
    opened.queue_of(1);
    assert_eq!(server.ask("GET /").text(), "well\n");
    assert_eq!(client.hear_head().status, 200);
    opened.open();
}

#[test]
fn an_interim_status_is_no_answer_and_becomes_500() {
    let server = TestServer::start(|request: &Request| match request.target().path() {
        "/interim" => Response::new(StatusCode::PROCESSING),
        _ => Response::text("well\n"),
    });
    assert_eq!(server.ask("GET /interim").status, 500);
    assert_eq!(server.ask("GET /").text(), "well\n");
}

/// A body without end that panics when it is dropped.
struct PanicsWhenCut;

impl Read for PanicsWhenCut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }
}

impl Drop for PanicsWhenCut {
    fn drop(&mut self) {
        panic!("a test panics when it is cut");
    }
}

#[test]
fn a_body_that_panics_when_its_client_is_cut_ends_nothing_else() {
    let config = Config {
        write_timeout: Duration::from_millis(100),
        grace: Duration::from_millis(50),
        ..Config::default()
    };
    let server =
        TestServer::with_config(config, |request: &Request| match request.target().path() {
            "/endless" => Response::new(StatusCode::OK).with_body(Body::Stream(Stream {
                reader: Box::new(PanicsWhenCut),
                length: None,
            })),
            _ => Response::text("well\n"),
        });
    let endless = || {
        let mut client = server.connect();
        client.say("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
        client.hear_head();
        client
    };
    // Cut by its timeout, and by the end of the server.
    let mut late = endless();
    std::thread::sleep(Duration::from_secs(8));
    late.hear_to_end();
    assert_eq!(server.ask("GET /").text(), "well\n");
    let _last = endless();
    server.stopper().stop();
    assert_eq!(server.wait().cut, 1);
}

/// Notes that it is dropped, and panics.
struct PanicsAtLast(Arc<AtomicBool>);

impl Drop for PanicsAtLast {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        panic!("a test panics when it is dropped");
    }
}

#[test]
fn a_handler_that_panics_when_it_is_dropped_ends_nothing_else() {
    // By the thread that has served, or by the one that was in the handler when the server ended.
    for is_asked in [false, true] {
        let (door, is_dropped) = (Door::default(), Arc::new(AtomicBool::new(false)));
        let config = Config {
            grace: Duration::ZERO,
            ..Config::default()
        };
        let (waits, panics) = (door.clone(), PanicsAtLast(Arc::clone(&is_dropped)));
        let server = TestServer::with_config(config, move |_: &Request| {
            let _ = &panics;
            waits.wait();
            Response::text("through\n")
        });
        let mut client = server.connect();
        if is_asked {
            client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            door.queue_of(1);
        }
        server.stopper().stop();
        assert_eq!(server.wait().cut, usize::from(is_asked));
        door.open();
        until("it is dropped", || is_dropped.load(Ordering::SeqCst));
    }
}
