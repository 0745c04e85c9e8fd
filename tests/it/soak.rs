//! Thousands of connections of every kind leave nothing behind: no descriptor, no thread, no memory.

use std::fs;
use std::io;
use std::net::Shutdown;
use std::process::Command;
use std::sync::Barrier;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::SockRef;
use sockeye::server::Config;
use sockeye::{Method, Request, Response, Router, StatusCode, Upload};

use crate::program::{Program, crowd};
use crate::support::{Client, TestServer, until};

// Each thread is one client after the other.
const CLIENTS: usize = 4;

const MEMORY_MORE_MAX: usize = 1024;

#[test]
fn thousands_of_connections_of_every_kind_leave_nothing_behind() {
    let count: usize = match std::env::var("SOCKEYE_SOAK") {
        Ok(count) => count
            .parse()
            .expect("SOCKEYE_SOAK is a number of connections"),
        Err(_) => 4_000,
    };
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("small.txt"), "hello").unwrap();
    fs::write(site.path().join("large"), vec![b'x'; 8_000_000]).unwrap();
    fs::create_dir(site.path().join("list")).unwrap();
    let program = Program::start(site.path(), &["--quiet"]);
    let own_sockets = program.sockets();
    // Once it has answered, it has opened all that it keeps open.
    assert_eq!(program.ask("GET /small.txt").text(), "hello");
    until("that connection is over", || {
        program.sockets() == own_sockets
    });
    let own = (own_sockets, program.descriptors());
    // Every thread and every buffer has been used once.
    soak(&program, 2_000);
    let before = settled(&program, own);
    soak(&program, count);
    let after = settled(&program, own);
    assert_eq!(after.0, before.0, "threads");
    assert!(
        after.1 <= before.1 + MEMORY_MORE_MAX,
        "{count} connections left {} KiB behind ({} KiB before)",
        after.1 - before.1,
        before.1
    );
    assert_eq!(program.ask("GET /small.txt").text(), "hello");
}

/// Threads and KiB of memory, once nobody is connected and as many descriptors are open as at the beginning. One that
/// stays open is waited for in vain.
fn settled(program: &Program, own: (usize, usize)) -> (usize, usize) {
    until("all connections are over and all else is closed", || {
        (program.sockets(), program.descriptors()) == own
    });
    (program.threads(), program.memory())
}

fn soak(program: &Program, count: usize) {
    crowd(CLIENTS, |number| {
        for turn in (number..count).step_by(CLIENTS) {
            // Multiplied by an odd number, the kinds come in an order of their own for every client.
            visit(program.connect(), turn.wrapping_mul(7) / CLIENTS % 12);
        }
    });
}

/// One connection of the kind `kind`, to its end, which may be the client's alone.
fn visit(mut client: Client, kind: usize) {
    let head = "HTTP/1.1\r\nHost: localhost\r\n";
    match kind {
        0 => assert_eq!(client.ask("GET /small.txt").text(), "hello"),
        1 => (0..5).for_each(|_| assert_eq!(client.ask("HEAD /large").status, 200)),
        2 => drop(client),
        3 => client.say(format!("GET /small.txt {head}X-Half")),
        4 => {
            client.say(format!(
                "POST /echo {head}Content-Length: 100000\r\n\r\nhalf"
            ));
            reset(&client);
        }
        5 => {
            client.say(format!("GET /large {head}\r\n"));
            client.hear_head();
            reset(&client);
        }
        6 => client.say(format!("GET /large {head}\r\n")),
        7 => {
            client.say(format!("GET /small.txt {head}\r\n").repeat(20));
            (0..20).for_each(|_| assert_eq!(client.hear().text(), "hello"));
        }
        8 => {
            client.say("\x16\x03\x01\x02 no request at all\r\n\r\n");
            assert_eq!(client.hear().status, 400);
        }
        9 => {
            client.say(format!("GET /list/ {head}Connection: close\r\n\r\n"));
            client
                .stream()
                .shutdown(Shutdown::Write)
                .expect("it is open");
            assert_eq!(client.hear().status, 200);
        }
        10 => {
            client.say(format!(
                "POST /echo {head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            ));
            assert_eq!(client.hear().text(), "abc");
        }
        _ => {
            client.say(format!(
                "POST /small.txt {head}Content-Length: 5000000\r\n\r\nhello"
            ));
            assert_eq!(client.hear().status, 405);
        }
    }
}

/// The client's machine is gone at once: what it was sent is answered by a reset.
fn reset(client: &Client) {
    let socket = SockRef::from(client.stream());
    socket
        .set_linger(Some(Duration::ZERO))
        .expect("a TCP socket lingers");
}

/// Does the work of the test of this name in a process of its own, whose memory is counted or limited.
fn alone(name: &str, work: impl FnOnce()) {
    if std::env::var_os("SOCKEYE_TEST_ALONE").is_some() {
        return work();
    }
    let alone = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("soak::{name}"), "--nocapture"])
        .env("SOCKEYE_TEST_ALONE", "1")
        // What the server holds is counted, not what the allocator keeps of what it was given back.
        .env("MALLOC_ARENA_MAX", "1")
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .env("MALLOC_TRIM_THRESHOLD_", "131072")
        .output()
        .unwrap();
    let output = [alone.stdout, alone.stderr].concat();
    let output = String::from_utf8_lossy(&output);
    assert!(alone.status.success(), "{output}");
}

#[test]
fn collected_bodies_stay_within_the_memory_that_is_stated() {
    alone(
        "collected_bodies_stay_within_the_memory_that_is_stated",
        collect_bodies,
    );
}

#[test]
fn handlers_that_panic_leave_nothing_behind() {
    alone("handlers_that_panic_leave_nothing_behind", || {
        std::panic::set_hook(Box::new(|_| {}));
        let server = TestServer::start(|request: &Request| -> Response {
            panic!("nobody knows {}", request.path())
        });
        let request = format!("GET /{}", "x".repeat(4000));
        let ask = || assert_eq!(server.ask(&request).status, 500);
        (0..200).for_each(|_| ask());
        let before = own_memory();
        (0..2000).for_each(|_| ask());
        let more = own_memory().saturating_sub(before);
        assert!(more < 2000, "{more} KiB more");
    });
}

#[test]
fn a_body_that_is_only_announced_takes_little_memory() {
    alone("a_body_that_is_only_announced_takes_little_memory", || {
        const GIB: usize = 1 << 30;
        let mut config = Config::default();
        config.limits.body_bytes_max = 64 * GIB;
        let router = Router::new()
            .post("/collected", |request: &Request| {
                request.body().len().to_string()
            })
            .upload(Method::PUT, "/uploaded", |_| {
                Ok(Upload::new(io::sink(), |_| StatusCode::CREATED))
            });
        let server = TestServer::with_config(config, router);
        // Memory that is reserved and not used is counted here too.
        let limit = Rlimit {
            current: Some(8 * GIB as u64),
            ..getrlimit(Resource::As)
        };
        setrlimit(Resource::As, limit).unwrap();
        let mut waiting = Vec::new();
        for request in ["POST /collected", "PUT /uploaded"] {
            for _ in 0..20 {
                let mut client = server.connect();
                let length = 32 * GIB;
                client.say(format!(
                    "{request} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
                ));
                // From here on it is received.
                assert_eq!(client.hear_head().status, 100);
                client.say("x");
                waiting.push(client);
            }
        }
        let mut client = server.connect();
        client.say("POST /collected HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
        assert_eq!(client.hear().text(), "2");
    });
}

/// Uploads of nearly the largest size on 60 connections, to handlers that many threads wait in.
fn collect_bodies() {
    const CLIENTS: usize = 60;
    let config = Config {
        connections_max: CLIENTS,
        active_threads: 2,
        threads: 32,
        ..Config::default()
    };
    let stated = (config.fixed_bytes() + CLIENTS * config.connection_bytes()) / 1024;
    let inside = Barrier::new(20);
    let server = TestServer::with_config(config, move |request: &Request| {
        // Many at a time, so that every thread takes its turn.
        inside.wait();
        Response::text(request.body().len().to_string())
    });
    let body = vec![b'x'; 1_000_000];
    let before = own_memory();
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    let mut most = 0;
    for _ in 0..8 {
        for client in &mut clients {
            let length = body.len();
            client.say(format!(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
            ));
            client.say(&body[1..]);
        }
        clients.iter_mut().for_each(|client| client.say("x"));
        for client in &mut clients {
            assert_eq!(client.hear().text(), "1000000");
        }
        most = most.max(own_memory() - before);
    }
    assert!(most <= stated, "{most} KiB of the {stated} that are stated");
}

/// KiB of memory that only this process has.
fn own_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.unwrap().trim().parse().unwrap()
}
