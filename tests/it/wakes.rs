//! A body that has nothing to give yet costs no thread, and anything may wake it.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use sockeye::message::{Body, BodySource, Request, Response, StatusCode, Stream, Wake};
use sockeye::server::Config;

use crate::support::{Client, TestServer, until};

/// Lines that are published to all who listen.
#[derive(Clone, Default)]
struct Channel(Arc<Mutex<(String, Vec<Waker>)>>);

impl Channel {
    fn publish(&self, line: &str) {
        let mut state = self.0.lock().unwrap();
        state.0.push_str(line);
        let wakers = std::mem::take(&mut state.1);
        drop(state);
        wakers.iter().for_each(Waker::wake_by_ref);
    }

    fn listening(&self) -> usize {
        self.0.lock().unwrap().1.len()
    }

    fn listener(&self) -> Response {
        let reader = Box::new(Listener {
            channel: self.clone(),
            read: 0,
        });
        Response::new(StatusCode::OK).with_body(Body::Stream(Stream {
            reader,
            length: None,
        }))
    }
}

struct Listener {
    channel: Channel,
    read: usize,
}

impl BodySource for Listener {
    fn poll_read(&mut self, buffer: &mut [u8], wake: &mut Wake<'_>) -> Poll<io::Result<usize>> {
        let mut state = self.channel.0.lock().unwrap();
        let new = &state.0.as_bytes()[self.read..];
        if new.is_empty() && !wake.is_closing() {
            state.1.push(wake.waker().clone());
            return Poll::Pending;
        }
        let count = new.len().min(buffer.len());
        buffer[..count].copy_from_slice(&new[..count]);
        self.read += count;
        Poll::Ready(Ok(count))
    }
}

fn server(channel: &Channel, config: Config) -> TestServer {
    let channel = channel.clone();
    TestServer::with_config(config, move |request: &Request| {
        match request.target().path() {
            "/events" => channel.listener(),
            "/later" => Response::new(StatusCode::OK).with_body(Body::Stream(Stream {
                reader: Box::new(Later(None)),
                length: Some(5),
            })),
            _ => Response::text("at once\n"),
        }
    })
}

fn listen(server: &TestServer) -> Client {
    let mut client = server.connect();
    client.say("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    client.hear_head();
    client
}

fn two_threads() -> Config {
    Config {
        threads: 2,
        active_threads: 1,
        ..Config::default()
    }
}

#[test]
fn hundreds_of_event_streams_hold_no_thread_and_each_hears_each_event() {
    let channel = Channel::default();
    let server = server(&channel, two_threads());
    let mut clients: Vec<Client> = (0..300).map(|_| listen(&server)).collect();
    until("all listen", || channel.listening() == 300);
    assert_eq!(server.ask("GET /").text(), "at once\n");
    for line in ["one\n", "two\n"] {
        channel.publish(line);
        for client in &mut clients {
            assert_eq!(
                client.hear_exactly(9),
                format!("4\r\n{line}\r\n").as_bytes()
            );
        }
        until("all listen again", || channel.listening() == 300);
    }
}

#[test]
fn an_event_published_while_its_stream_is_being_set_down_is_not_lost() {
    let channel = Channel::default();
    let server = server(&channel, Config::default());
    let mut client = listen(&server);
    let publisher = {
        let channel = channel.clone();
        std::thread::spawn(move || (0..20_000).for_each(|n| channel.publish(&format!("{n:07}\n"))))
    };
    let mut heard = Vec::new();
    while heard.len() < 160_000 {
        heard.extend(client.hear_chunk());
    }
    publisher.join().unwrap();
    let expected: String = (0..20_000).map(|n| format!("{n:07}\n")).collect();
    assert_eq!(heard, expected.as_bytes());
}

#[test]
fn a_stream_whose_client_is_gone_is_dropped_and_waking_it_does_no_harm() {
    let channel = Channel::default();
    let server = server(&channel, two_threads());
    let client = listen(&server);
    until("it listens", || channel.listening() == 1);
    drop(client);
    // Nobody takes what is sent, so that the second write fails.
    until("the stream is gone", || {
        channel.publish("is anybody there?\n");
        Arc::strong_count(&channel.0) == 2
    });
    channel.publish("nobody\n");
    assert_eq!(server.ask("GET /").text(), "at once\n");
}

#[test]
fn a_server_that_is_stopped_lets_event_streams_end() {
    let channel = Channel::default();
    let server = server(&channel, Config::default());
    let mut client = listen(&server);
    until("it listens", || channel.listening() == 1);
    server.stopper().stop();
    assert_eq!(client.hear_exactly(5), b"0\r\n\r\n");
    assert!(client.is_closed());
    assert_eq!(server.wait().cut, 0);
}

/// Gives its bytes a tenth of a second after it is first asked.
struct Later(Option<Instant>);

impl BodySource for Later {
    fn poll_read(&mut self, buffer: &mut [u8], wake: &mut Wake<'_>) -> Poll<io::Result<usize>> {
        let due = *self
            .0
            .get_or_insert_with(|| Instant::now() + Duration::from_millis(100));
        if Instant::now() < due {
            wake.at(due);
            return Poll::Pending;
        }
        buffer[..5].copy_from_slice(b"later");
        Poll::Ready(Ok(5))
    }
}

#[test]
fn a_body_is_asked_again_at_its_time_without_a_thread_and_whatever_the_timeouts() {
    let timeout = Duration::from_millis(20);
    let config = Config {
        write_timeout: timeout,
        body_timeout: timeout,
        ..two_threads()
    };
    let server = server(&Channel::default(), config);
    let begun = Instant::now();
    let mut clients: Vec<Client> = (0..50).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.say("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    assert_eq!(server.ask("GET /").text(), "at once\n");
    for client in &mut clients {
        assert_eq!(client.hear().text(), "later");
    }
    // One after the other they would take five seconds.
    let taken = begun.elapsed();
    assert!(
        taken > Duration::from_millis(100) && taken < Duration::from_secs(3),
        "{taken:?}"
    );
}

/// A body that does what the test says.
struct Source<F>(F);

impl<F> BodySource for Source<F>
where
    F: FnMut(&mut [u8], &mut Wake<'_>) -> Poll<io::Result<usize>> + Send,
{
    fn poll_read(&mut self, buffer: &mut [u8], wake: &mut Wake<'_>) -> Poll<io::Result<usize>> {
        (self.0)(buffer, wake)
    }
}

fn streamed(reader: impl BodySource + 'static) -> Response {
    let reader = Box::new(reader);
    Response::new(StatusCode::OK).with_body(Body::Stream(Stream {
        reader,
        length: None,
    }))
}

#[test]
fn a_body_whose_time_is_over_already_is_asked_again_and_again() {
    let server = TestServer::start(|_: &Request| {
        let mut asked = 0;
        streamed(Source(move |buffer: &mut [u8], wake: &mut Wake<'_>| {
            asked += 1;
            if asked % 200 != 0 {
                wake.at(Instant::now() - Duration::from_millis(50));
                return Poll::Pending;
            }
            buffer[0] = b'x';
            Poll::Ready(Ok(usize::from(asked < 1000)))
        }))
    });
    let mut clients: Vec<Client> = (0..60).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for client in &mut clients {
        assert_eq!(client.hear().text(), "xxxx");
    }
}

#[test]
fn a_body_that_wakes_itself_lets_others_have_their_turn() {
    let server = TestServer::with_config(two_threads(), |request: &Request| {
        match request.target().path() {
            "/self" => streamed(Source(|_: &mut [u8], wake: &mut Wake<'_>| {
                wake.waker().wake_by_ref();
                Poll::Pending
            })),
            _ => Response::text("hello\n"),
        }
    });
    let mut busy = server.connect();
    busy.say("GET /self HTTP/1.1\r\nHost: a\r\n\r\n");
    busy.hear_head();
    let asked = Instant::now();
    assert_eq!(server.ask("GET /").text(), "hello\n");
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn a_client_that_resets_while_its_body_has_nothing_to_give_frees_its_slot() {
    let config = Config {
        connections_max: 20,
        ..Config::default()
    };
    let channel = Channel::default();
    let server = server(&channel, config);
    let clients: Vec<Client> = (0..20).map(|_| listen(&server)).collect();
    until("all listen", || channel.listening() == 20);
    for client in &clients {
        let socket = socket2::SockRef::from(client.stream());
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }
    drop(clients);
    until("there is a slot", || server.ask("GET /").status == 200);
    until("the bodies are gone", || Arc::strong_count(&channel.0) == 2);
}

#[test]
fn waking_a_body_whose_client_takes_nothing_does_not_put_its_timeout_off() {
    let config = Config {
        write_timeout: Duration::from_millis(200),
        ..Config::default()
    };
    let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
    let (of_body, alive) = (Arc::clone(&wakers), Arc::new(()));
    let in_body = Arc::clone(&alive);
    let server = TestServer::with_config(config, move |_: &Request| {
        let (wakers, alive) = (Arc::clone(&of_body), Arc::clone(&in_body));
        streamed(Source(move |buffer: &mut [u8], wake: &mut Wake<'_>| {
            let _alive = &alive;
            wakers.lock().unwrap().push(wake.waker().clone());
            Poll::Ready(Ok(buffer.len()))
        }))
    });
    let mut client = server.connect();
    client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.hear_head();
    until("it is cut, though it is woken all the time", || {
        let last = wakers.lock().unwrap().last().cloned();
        last.inspect(Waker::wake_by_ref);
        std::thread::sleep(Duration::from_millis(1));
        Arc::strong_count(&alive) == 2
    });
}

#[test]
fn the_oldest_stream_gives_way_before_a_newcomer_is_refused() {
    let channel = Channel::default();
    let config = Config {
        connections_max: 2,
        ..Config::default()
    };
    let server = server(&channel, config);
    let (mut older, mut newer) = (listen(&server), listen(&server));
    let began = Instant::now();
    assert_eq!(server.ask("GET /").status, 503, "they have just begun");
    until("one of them gives way", || {
        server.ask("GET /").status == 200
    });
    assert!(began.elapsed() > Duration::from_secs(4));
    channel.publish("one\n");
    assert_eq!(older.hear_to_end(), b"");
    assert_eq!(newer.hear_exactly(9), b"4\r\none\n\r\n");
    // It is idle connections that make room from now on.
    assert_eq!(server.ask("GET /").status, 200);
    channel.publish("two\n");
    assert_eq!(newer.hear_exactly(9), b"4\r\ntwo\n\r\n");
}
