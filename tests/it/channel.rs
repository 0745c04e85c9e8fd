//! Streams that are written to from any thread, and server-sent events.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake as TaskWake, Waker};
use std::time::{Duration, Instant};

use sockeye::{
    Body, Broadcast, Config, Event, EventSender, Events, Request, Response, Sender, Stream,
    TrySendError, Wake,
};

use crate::support::{Client, TestServer, until};

fn stream(response: Response) -> Stream {
    match response.into_parts().2 {
        Body::Stream(stream) => stream,
        body => panic!("{body:?}"),
    }
}

fn heard(stream: &mut Stream) -> String {
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes).expect("there is something");
    String::from_utf8(bytes[..count].to_vec()).expect("text")
}

#[test]
fn an_event_is_written_by_the_grammar_of_the_standard() {
    for (event, text) in [
        (Event::new("a"), "data: a\n\n"),
        (Event::new(""), "data: \n\n"),
        (Event::new(" a:b"), "data:  a:b\n\n"),
        (
            Event::new("a\r\nb\rc\nd"),
            "data: a\ndata: b\ndata: c\ndata: d\n\n",
        ),
        (Event::new("a\n"), "data: a\ndata: \n\n"),
        (Event::new("\n\r"), "data: \ndata: \ndata: \n\n"),
        (Event::new("id: 1\n\nx"), "data: id: 1\ndata: \ndata: x\n\n"),
        (Event::comment("a\nb"), ": a\n: b\n\n"),
        (Event::new("\u{85}é"), "data: \u{85}é\n\n"),
        (
            Event::new("a")
                .with_retry(Duration::from_millis(2500))
                .with_id("")
                .with_name("data: x"),
            "retry: 2500\nid: \nevent: data: x\ndata: a\n\n",
        ),
    ] {
        assert_eq!(event.as_str(), text);
    }
}

#[test]
fn an_id_or_a_name_that_would_be_another_field_is_refused() {
    for id in ["a\nb", "a\r", "\0"] {
        assert!(std::panic::catch_unwind(|| Event::new("").with_id(id)).is_err());
    }
    for name in ["a\ndata: b", "\r"] {
        assert!(std::panic::catch_unwind(|| Event::new("").with_name(name)).is_err());
    }
}

#[test]
fn a_stream_of_events_is_named_so_and_neither_stored_nor_gathered() {
    let (response, _) = Response::events();
    for (name, value) in [
        ("Content-Type", "text/event-stream"),
        ("Cache-Control", "no-store"),
        ("X-Accel-Buffering", "no"),
    ] {
        assert_eq!(response.headers().get(name), Some(value));
    }
}

#[test]
fn what_is_sent_is_heard_in_order_until_the_last_sender_is_gone() {
    let (response, sender) = Response::channel(1024);
    let other = sender.clone();
    assert_eq!(sender.try_send("a"), Ok(()));
    assert_eq!(other.try_send(""), Ok(()));
    assert_eq!(other.try_send("b"), Ok(()));
    let mut stream = stream(response);
    assert_eq!(heard(&mut stream), "ab");
    drop(sender);
    let error = stream.read(&mut [0; 9]).expect_err("more may come");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(other.try_send("c"), Ok(()));
    drop(other);
    assert_eq!(heard(&mut stream), "c");
    assert_eq!(heard(&mut stream), "");
}

#[test]
fn a_full_buffer_says_so_and_has_room_again_when_it_was_heard() {
    let (response, sender) = Response::channel(3 * (32 + 10));
    for _ in 0..3 {
        assert_eq!(sender.try_send("0123456789"), Ok(()));
    }
    assert_eq!(sender.try_send("x"), Err(TrySendError::Full));
    let mut stream = stream(response);
    let mut part = [0; 15];
    stream.read_exact(&mut part).unwrap();
    assert_eq!(&part, b"012345678901234");
    assert_eq!(sender.try_send("abc"), Ok(()));
    assert_eq!(heard(&mut stream), "567890123456789abc");
    // Larger than the buffer, but alone.
    let large = "x".repeat(4000);
    assert_eq!(sender.try_send(large.clone()), Ok(()));
    assert_eq!(sender.try_send("x"), Err(TrySendError::Full));
    assert_eq!(heard(&mut stream), large);
    drop(stream);
    assert_eq!(sender.try_send("x"), Err(TrySendError::Closed));
    assert!(sender.is_closed());
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(Mutex<usize>);

impl TaskWake for Count {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn silence_is_broken_by_a_comment_at_its_time_and_not_before() {
    let interval = Duration::from_millis(50);
    let events = Events {
        heartbeat: Some(interval),
        ..Events::default()
    };
    let (response, sender) = events.open();
    let mut stream = stream(response);
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut bytes = [0; 64];
    let begun = Instant::now();
    loop {
        let mut wake = Wake::new(&waker);
        match stream.reader.poll_read(&mut bytes, &mut wake) {
            Poll::Pending => {
                let due = wake.time().expect("it asks to be woken");
                assert!(due >= begun + interval && due <= Instant::now() + interval);
                while Instant::now() < due {
                    std::hint::spin_loop();
                }
            }
            Poll::Ready(read) => {
                assert_eq!(&bytes[..read.unwrap()], b":\n\n");
                break;
            }
        }
    }
    assert!(begun.elapsed() >= interval);
    let mut wake = Wake::new(&waker);
    assert!(stream.reader.poll_read(&mut bytes, &mut wake).is_pending());
    for text in ["a", "b"] {
        sender.try_send(text).unwrap();
    }
    assert_eq!(*count.0.lock().unwrap(), 1, "once for both");
    assert_eq!(heard(&mut stream), "data: a\n\ndata: b\n\n");
}

#[test]
fn a_server_that_stops_ends_streams_after_what_they_were_sent() {
    let (response, sender) = Response::channel(1024);
    let mut stream = stream(response);
    sender.try_send("last").unwrap();
    let mut bytes = [0; 64];
    for expected in [4, 0] {
        let mut wake = Wake::new(Waker::noop()).with_closing(true);
        match stream.reader.poll_read(&mut bytes, &mut wake) {
            Poll::Ready(Ok(count)) => assert_eq!(count, expected),
            other => panic!("{other:?}"),
        }
        assert_eq!(sender.try_send("x"), Err(TrySendError::Closed));
    }
}

#[test]
fn a_broadcast_ends_who_falls_behind_and_forgets_who_has_gone() {
    let broadcast = Broadcast::new(Events {
        buffer_bytes: 200,
        ..Events::default()
    });
    let mut quick = stream(broadcast.subscribe());
    let slow = broadcast.subscribe_with([Event::new("0")]);
    let gone = broadcast.subscribe();
    drop(gone);
    assert_eq!(broadcast.subscribers(), 2);
    let data = "x".repeat(50);
    assert_eq!(broadcast.send(data.as_str()), 2);
    heard(&mut quick);
    assert_eq!(broadcast.send(data.as_str()), 1);
    assert_eq!(
        slow.into_text().unwrap(),
        format!("data: 0\n\ndata: {data}\n\n")
    );
    assert_eq!(heard(&mut quick), format!("data: {data}\n\n"));
    drop(broadcast);
    assert_eq!(heard(&mut quick), "");
}

fn two_threads() -> Config {
    Config {
        threads: 2,
        active_threads: 1,
        ..Config::default()
    }
}

fn listen(server: &TestServer) -> Client {
    let mut client = server.connect();
    client.say("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        client.hear_head().field("Content-Type"),
        Some("text/event-stream")
    );
    client
}

#[test]
fn fifteen_hundred_streams_hold_no_thread_and_each_hears_each_event() {
    let broadcast = Broadcast::default();
    let streams = broadcast.clone();
    let server = TestServer::with_config(two_threads(), move |request: &Request| {
        match request.path() {
            "/events" => streams.subscribe(),
            _ => Response::text("at once\n"),
        }
    });
    // Two threads in all: had a stream one, the third would not begin.
    let mut clients: Vec<Client> = (0..1500).map(|_| listen(&server)).collect();
    assert_eq!(server.ask("GET /").text(), "at once\n");
    for data in ["one", "two", "three"] {
        assert_eq!(broadcast.send(data), 1500);
        for client in &mut clients {
            let event = format!("data: {data}\n\n");
            assert_eq!(client.hear_chunk(), event.as_bytes());
        }
    }
    drop(clients.split_off(10));
    until("those who have gone are forgotten", || {
        broadcast.send("who is there?") == 10
    });
    server.stopper().stop();
    for client in &mut clients {
        while !client.hear_chunk().is_empty() {}
        assert!(client.is_closed());
    }
    assert_eq!(server.wait().cut, 0);
    assert_eq!(broadcast.subscribers(), 0);
}

/// Hands each sender to the test.
fn lent() -> (TestServer, Arc<Mutex<Vec<EventSender>>>) {
    let senders: Arc<Mutex<Vec<EventSender>>> = Arc::default();
    let lent = Arc::clone(&senders);
    let events = Events {
        heartbeat: Some(Duration::from_millis(20)),
        ..Events::default()
    };
    let server = TestServer::start(move |_: &Request| {
        let (response, sender) = events.open();
        lent.lock().unwrap().push(sender);
        response
    });
    (server, senders)
}

#[test]
fn heartbeats_come_and_a_client_that_has_gone_is_noticed_by_them() {
    let (server, senders) = lent();
    let mut client = listen(&server);
    for _ in 0..3 {
        assert_eq!(client.hear_chunk(), b":\n\n");
    }
    let sender = senders.lock().unwrap().pop().expect("there is one");
    assert!(!sender.is_closed());
    drop(client);
    until("it is noticed", || sender.is_closed());
    assert_eq!(sender.try_send("a"), Err(TrySendError::Closed));
}

#[test]
fn a_client_that_reads_nothing_fills_its_buffer_and_no_memory() {
    let (server, senders) = lent();
    let client = listen(&server);
    let sender = senders.lock().unwrap().pop().expect("there is one");
    let data = "x".repeat(10_000);
    let end = Instant::now() + Duration::from_secs(10);
    while sender.try_send(data.as_str()) != Err(TrySendError::Full) {
        assert!(Instant::now() < end, "it is full at some time");
    }
    drop(client);
    until("the reset is noticed", || sender.is_closed());
}

#[test]
fn a_request_with_head_hears_the_fields_and_closes_the_stream() {
    let (server, senders) = lent();
    let answer = server.ask("HEAD /");
    assert_eq!(answer.field("Content-Type"), Some("text/event-stream"));
    until("it is closed", || senders.lock().unwrap()[0].is_closed());
}

#[test]
fn a_hundred_thousand_messages_from_four_threads_all_arrive() {
    let senders: Arc<Mutex<Vec<Sender>>> = Arc::default();
    let lent = Arc::clone(&senders);
    let server = TestServer::start(move |_: &Request| {
        let (response, sender) = Response::channel(4096);
        lent.lock().unwrap().push(sender);
        response
    });
    let mut client = server.connect();
    client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.hear_head();
    let sender = senders.lock().unwrap().pop().expect("there is one");
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for n in 0..25_000 {
                    let line = format!("{thread}:{n:05}\n");
                    while let Err(error) = sender.try_send(line.clone()) {
                        assert_eq!(error, TrySendError::Full);
                        std::thread::yield_now();
                    }
                }
            })
        })
        .collect();
    drop(sender);
    let mut heard = Vec::new();
    loop {
        let chunk = client.hear_chunk();
        if chunk.is_empty() {
            break;
        }
        heard.extend(chunk);
    }
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let heard = String::from_utf8(heard).unwrap();
    for thread in 0..4 {
        let prefix = format!("{thread}:");
        let lines = heard.lines().filter(|line| line.starts_with(&prefix));
        assert!(lines.eq((0..25_000).map(|n| format!("{prefix}{n:05}"))));
    }
}
