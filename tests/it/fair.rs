//! Who waits costs nothing, and who works lets others have their turn.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use socket2::{Domain, Socket, Type};
use sockeye::message::{Request, Response};
use sockeye::middleware::auth::{User, authenticated};
use sockeye::router::Router;
use sockeye::server::Config;

use crate::program::{Program, crowd};
use crate::support::{Client, PATIENCE, TestServer, until};

/// How much processor time the server uses while `stuck` waits for a second. The server ends the second: it closes a
/// connection that is idle for so long.
fn spent_while(program: &Program, stuck: impl FnOnce() -> Vec<Client>) -> Duration {
    let stuck = stuck();
    let mut idle = program.connect();
    assert_eq!(idle.ask("GET /small.txt").status, 200);
    let before = program.processor_time();
    assert!(idle.is_closed());
    let spent = program.processor_time() - before;
    drop(stuck);
    spent
}

#[test]
fn a_client_that_does_not_take_its_answer_costs_no_processor_time() {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("small.txt"), "hello").unwrap();
    fs::write(site.path().join("large"), vec![b'x'; 30_000_000]).unwrap();
    let program = Program::start(site.path(), &["--idle-timeout", "1", "--quiet"]);
    let get = "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let download = |count: usize| {
        let mut client = program.connect();
        client.say(get.repeat(count));
        client.hear_head();
        client
    };
    let half_closed = || {
        let mut client = download(1);
        client.end();
        vec![client]
    };
    let pipelining = || vec![download(3)];
    let echoing = || {
        let mut client = program.connect();
        client.say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n");
        let mut stream = client.stream();
        stream.set_nonblocking(true).unwrap();
        // As much as fits between us.
        let piece = [b'x'; 64 * 1024];
        let mut refused_at = None;
        until("no more fits", || match stream.write(&piece) {
            Ok(_) => {
                refused_at = None;
                false
            }
            Err(_) => {
                refused_at.get_or_insert_with(Instant::now).elapsed() > Duration::from_millis(100)
            }
        });
        vec![client]
    };
    let taking_a_little = || {
        let mut client = download(2);
        client.hear_exactly(64 * 1024);
        client.end();
        vec![client]
    };
    let cases: [(&str, &dyn Fn() -> Vec<Client>); 4] = [
        ("half-closed", &half_closed),
        ("pipelining", &pipelining),
        ("echoing", &echoing),
        ("taking a little", &taking_a_little),
    ];
    for (name, stuck) in cases {
        let spent = spent_while(&program, stuck);
        assert!(
            spent < Duration::from_millis(100),
            "{name}: {spent:?} of a second"
        );
    }
}

#[test]
fn a_blocked_client_that_is_gone_frees_its_slot_at_once() {
    let config = Config {
        write_timeout: Duration::from_secs(3600),
        connections_max: 1,
        ..Config::default()
    };
    let server =
        TestServer::with_config(config, |_: &Request| Response::text(vec![b'x'; 30_000_000]));
    for _ in 0..3 {
        let mut client = None;
        until("there is a slot", || {
            let mut new = server.connect();
            new.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            let is_let_in = new.hear_head().status == 200;
            client = Some(new);
            is_let_in
        });
    }
}

/// Uses the processor for so long.
fn work(duration: Duration) -> Response {
    let end = Instant::now() + duration;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
    Response::text("worked\n")
}

#[test]
fn a_newcomer_has_its_turn_among_clients_that_pipeline_costly_requests() {
    let server = TestServer::start(
        Router::new()
            .get("/costly", |_: &Request| work(Duration::from_millis(2)))
            .get("/", |_: &Request| Response::text("hello\n")),
    );
    let mut busy: Vec<Client> = (0..20).map(|_| server.connect()).collect();
    for client in &mut busy {
        client.say("GET /costly HTTP/1.1\r\nHost: a\r\n\r\n".repeat(200));
    }
    for client in &mut busy {
        assert_eq!(client.hear().text(), "worked\n");
    }
    // Some eight seconds of work are left, on as many threads as there are cores.
    let asked = Instant::now();
    assert_eq!(server.ask("GET /").text(), "hello\n");
    let waited = asked.elapsed();
    assert!(waited < Duration::from_secs(1), "it waited for {waited:?}");
}

#[test]
fn a_flood_of_wrong_passwords_keeps_nobody_else_waiting() {
    let users = vec![User::with_password("ada", "lovelace").unwrap()];
    // Fewer threads than there are guesses: most of these must not hold one.
    let config = Config {
        threads: 14 + Config::default().active_threads,
        ..Config::default()
    };
    let inside = |_: &Request| Response::text("in\n");
    let server = TestServer::with_config(config, authenticated(users, inside));
    let guess = |password: &str| {
        let words = BASE64_STANDARD.encode(format!("ada:{password}"));
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {words}\r\nConnection: close\r\n\r\n"
        )
    };
    let address = server.connect().stream().peer_addr().unwrap();
    let ask = |from: [u8; 4], request: &str| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        let mut client = Client::from(socket.into());
        client.say(request);
        client.hear().status
    };
    let right = guess("lovelace");
    assert_eq!(ask([127, 0, 0, 1], &right), 200);
    let (guesses, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for number in 1..=40 {
            let (ask, guess, guesses, is_over) = (&ask, &guess, &guesses, &is_over);
            // Each from an address of its own, so that none is told to wait.
            scope.spawn(move || {
                let began = Instant::now();
                for round in 0.. {
                    if is_over.load(Ordering::Relaxed) || began.elapsed() > PATIENCE {
                        break;
                    }
                    let wrong = guess(&format!("{number} {round}"));
                    assert_ne!(ask([127, 1, 0, number], &wrong), 200);
                    guesses.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let nobody = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let mut worst = Duration::ZERO;
        for round in 1..=10 {
            until("the flood goes on", || {
                guesses.load(Ordering::Relaxed) >= round * 20
            });
            for (request, status) in [(nobody, 401), (&right, 200)] {
                let asked = Instant::now();
                assert_eq!(ask([127, 0, 0, 1], request), status);
                worst = worst.max(asked.elapsed());
            }
        }
        is_over.store(true, Ordering::Relaxed);
        let bound = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 500 });
        assert!(worst < bound, "somebody waited for {worst:?}");
    });
}

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
fn the_slots_are_one_table_and_nobody_is_refused_while_somebody_is_idle() {
    for ready_lists in [1, 2] {
        let config = Config {
            connections_max: 50,
            active_threads: 2,
            ready_lists,
            ..Config::default()
        };
        let server = TestServer::with_config(config, |_: &Request| Response::text("hello\n"));
        // Each leaves its connection open behind it, so that all slots are taken by idle ones at any time.
        crowd(4, |_| {
            let mut open = Vec::new();
            for _ in 0..500 {
                let mut client = server.connect();
                assert_eq!(client.ask("GET /").status, 200);
                open.push(client);
                if open.len() > 20 {
                    open.remove(0);
                }
            }
        });
    }
}

#[test]
fn where_descriptors_run_out_whoever_is_idle_gives_way_to_newcomers() {
    let site = tempfile::tempdir().unwrap();
    let program = Program::start(site.path(), &["--idle-timeout", "3600"]);
    let mut idle: Vec<_> = (0..20).map(|_| program.connect()).collect();
    idle.iter_mut()
        .for_each(|client| assert_eq!(client.ask("POST /echo").status, 200));
    program.limit_descriptors(program.descriptors() as u64);
    let mut late: Vec<_> = (0..5).map(|_| program.connect()).collect();
    for client in &mut late {
        assert_eq!(client.ask("POST /echo").status, 200);
    }
    // Those that were idle longest, and no more than it takes.
    assert!(idle[0].is_closed());
    assert_eq!(idle[15].ask("POST /echo").status, 200);
}
