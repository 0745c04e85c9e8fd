//! Which threads work, and for whom.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use sockeye::message::{Request, Response};
use sockeye::router::Router;
use sockeye::server::Config;

use crate::fair::work;
use crate::program::crowd;
use crate::support::{Client, PATIENCE, TestServer, until};

#[test]
fn no_more_threads_work_than_are_allowed_while_no_handler_blocks() {
    let at_work = Arc::new(AtomicUsize::new(0));
    let (beyond, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (at_work, Arc::clone(&beyond), Arc::clone(&all));
    let config = Config {
        active_threads: 2,
        ..Config::default()
    };
    let server = TestServer::with_config(config, move |_: &Request| {
        let (at_work, beyond, all) = &counters;
        let others = at_work.fetch_add(1, Ordering::SeqCst);
        beyond.fetch_add(usize::from(others >= 2), Ordering::SeqCst);
        all.fetch_add(1, Ordering::SeqCst);
        let response = work(Duration::from_micros(20));
        at_work.fetch_sub(1, Ordering::SeqCst);
        response
    });
    crowd(4, |_| {
        let mut clients: Vec<Client> = (0..8).map(|_| server.connect()).collect();
        for _ in 0..100 {
            for client in &mut clients {
                client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            }
            for client in &mut clients {
                assert_eq!(client.hear().status, 200);
            }
        }
    });
    // A thread that waits for a processor for long, because other programs have them all, is taken for blocked.
    let (beyond, all) = (beyond.load(Ordering::SeqCst), all.load(Ordering::SeqCst));
    assert!(
        beyond * 20 < all,
        "{beyond} of {all} answers were made beside two others"
    );
}

/// A door that handlers wait at until it is opened, and how many do.
#[derive(Clone, Default)]
struct Door(Arc<(Mutex<(bool, usize)>, Condvar)>);

impl Door {
    fn wait(&self) {
        let mut state = self.0.0.lock().unwrap();
        state.1 += 1;
        drop(self.0.1.wait_while(state, |state| !state.0).unwrap());
    }

    fn waiting(&self) -> usize {
        self.0.0.lock().unwrap().1
    }

    fn open(&self) {
        self.0.0.lock().unwrap().0 = true;
        self.0.1.notify_all();
    }
}

#[test]
fn the_reserve_is_one_however_many_ready_lists_there_are() {
    // With all threads but one blocked, that one serves both lists.
    for (threads, blocked) in [(32, 24), (4, 3)] {
        let door = Door::default();
        let inner = door.clone();
        let config = Config {
            threads,
            active_threads: 2,
            ready_lists: 2,
            ..Config::default()
        };
        let router = Router::new()
            .get("/door", move |_: &Request| {
                inner.wait();
                Response::text("through\n")
            })
            .get("/", |_: &Request| Response::text("hello\n"));
        let server = TestServer::with_config(config, router);
        let mut others: Vec<Client> = (0..20).map(|_| server.connect()).collect();
        others
            .iter_mut()
            .for_each(|client| assert_eq!(client.ask("GET /").status, 200));
        let mut waiting: Vec<Client> = (0..blocked).map(|_| server.connect()).collect();
        waiting
            .iter_mut()
            .for_each(|client| client.say("GET /door HTTP/1.1\r\nHost: a\r\n\r\n"));
        until("they are blocked", || door.waiting() == blocked);
        for _ in 0..3 {
            for client in &mut others {
                assert_eq!(client.ask("GET /").text(), "hello\n");
            }
            assert_eq!(server.ask("GET /").text(), "hello\n");
        }
        door.open();
        waiting
            .iter_mut()
            .for_each(|client| assert_eq!(client.hear().text(), "through\n"));
    }
}

#[test]
fn a_thread_that_comes_back_when_all_are_blocked_sees_to_every_ready_list() {
    // Which list the thread has that comes back differs from one server to the next.
    for round in 0..16 {
        let inside = Arc::new(AtomicUsize::new(0));
        let (let_out, gate) = mpsc::channel::<()>();
        let (count, gate) = (Arc::clone(&inside), Mutex::new(gate));
        let config = Config {
            threads: 3,
            active_threads: 2,
            ready_lists: 2,
            ..Config::default()
        };
        let router = Router::new()
            .get("/gate", move |_: &Request| {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = gate.lock().unwrap().recv();
                Response::text("through\n")
            })
            .get("/", |_: &Request| Response::text("hello\n"));
        let server = TestServer::with_config(config, router);
        // The monitor sleeps until the first of these has waited too long.
        let mut idle: Vec<Client> = (0..2).map(|_| server.connect()).collect();
        for client in &mut idle {
            assert_eq!(client.ask("GET /").status, 200);
        }
        let mut blocked: Vec<Client> = (0..3).map(|_| server.connect()).collect();
        for (number, client) in blocked.iter_mut().enumerate() {
            assert_eq!(client.ask("GET /").status, 200);
            client.say("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n");
            until("it is blocked", || {
                inside.load(Ordering::SeqCst) == number + 1
            });
        }
        // Its list is its processor's, or the next in turn.
        let mut late = match round % 2 {
            0 => idle.pop().unwrap(),
            _ => server.connect(),
        };
        late.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let wait = Some(Duration::from_millis(50));
        late.stream().set_read_timeout(wait).unwrap();
        assert!(late.stream().peek(&mut [0]).is_err(), "nobody is there");
        late.stream().set_read_timeout(Some(PATIENCE)).unwrap();
        let asked = Instant::now();
        let_out.send(()).unwrap();
        assert_eq!(late.hear().text(), "hello\n");
        let waited = asked.elapsed();
        assert!(waited < Duration::from_secs(1), "it waited for {waited:?}");
    }
}

#[test]
fn a_thread_that_is_left_alone_sees_to_every_ready_list_however_busy_the_others_are() {
    // Which list the thread has that is left differs from one server to the next.
    for round in 0..6 {
        let door = Door::default();
        let inner = door.clone();
        let config = Config {
            threads: 4,
            active_threads: 3,
            ready_lists: 3,
            ..Config::default()
        };
        let router = Router::new()
            .get("/door", move |_: &Request| {
                inner.wait();
                Response::text("through\n")
            })
            .get("/costly", |_: &Request| work(Duration::from_millis(2)))
            .get("/", |_: &Request| Response::text("hello\n"));
        let server = TestServer::with_config(config, router);
        let mut blocked: Vec<Client> = (0..3).map(|_| server.connect()).collect();
        for (number, client) in blocked.iter_mut().enumerate() {
            assert_eq!(client.ask("GET /").status, 200);
            client.say("GET /door HTTP/1.1\r\nHost: a\r\n\r\n");
            until("it is blocked", || door.waiting() == number + 1);
        }
        let mut busy: Vec<Client> = (0..40).map(|_| server.connect()).collect();
        for client in &mut busy {
            assert_eq!(client.ask("GET /").status, 200);
        }
        for client in &mut busy {
            client.say("GET /costly HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50));
        }
        // Some four seconds of work. Each newcomer is expected in another list than the one before.
        for _ in 0..3 {
            let asked = Instant::now();
            assert_eq!(server.ask("GET /").text(), "hello\n");
            let waited = asked.elapsed();
            let most = Duration::from_secs(1);
            assert!(waited < most, "round {round}: it waited for {waited:?}");
        }
        door.open();
    }
}

#[test]
fn what_one_thread_has_taken_is_shared_although_no_handler_blocks() {
    let config = Config {
        // The suite runs with one active thread too, where a test has the default.
        active_threads: Config::default().active_threads + 1,
        ready_lists: 1,
        ..Config::default()
    };
    let threads = Arc::new(Mutex::new(HashSet::new()));
    let seen = Arc::clone(&threads);
    // Shorter than what is taken for blocked.
    let server = TestServer::with_config(config, move |_: &Request| {
        seen.lock().unwrap().insert(thread::current().id());
        work(Duration::from_millis(1))
    });
    let mut clients: Vec<Client> = (0..8).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.ask("GET /").status, 200);
    }
    // One may be taken up before the others are there: each round is a try.
    let shared = (0..50).filter(|_| {
        threads.lock().unwrap().clear();
        for client in &mut clients {
            client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.hear().text(), "worked\n");
        }
        threads.lock().unwrap().len() > 1
    });
    let shared = shared.count();
    assert!(shared > 30, "{shared} of 50 times");
}
