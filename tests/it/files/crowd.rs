//! What costs much keeps nobody waiting who asks for little, and what lacks descriptors leaves nothing out: over real
//! sockets.

use std::time::{Duration, Instant};

use super::site::Site;
use crate::support::{Client, TestServer};

// On an idle machine and optimized it is a tenth of this.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// The longest that one of so many newcomers waits for a small file.
fn worst_wait(server: &TestServer, newcomers: usize) -> Duration {
    let waits = (0..newcomers).map(|_| {
        let asked = Instant::now();
        assert_eq!(server.ask("GET /small.txt").text(), "small");
        asked.elapsed()
    });
    waits.max().expect("there are some")
}

#[test]
fn a_crowd_that_asks_for_large_listings_keeps_a_newcomer_from_nothing() {
    let site = Site::with("small.txt", "small");
    for n in 0..10_000 {
        site.write(format!("large/{n}"), "");
    }
    let server = TestServer::start(site.settled_files());
    let mut crowd: Vec<Client> = (0..80).map(|_| server.connect()).collect();
    for (n, client) in crowd.iter_mut().enumerate() {
        let method = ["HEAD", "GET"][n % 2];
        client.say(format!("{method} /large/ HTTP/1.1\r\nHost: a\r\n\r\n").repeat(100));
    }
    assert_eq!(crowd[0].hear_head().status, 200);
    let worst = worst_wait(&server, 20);
    assert!(worst < WAIT_MAX, "one waited for {worst:?}");
    // A listing of a newcomer's own begins as soon.
    let asked = Instant::now();
    let mut newcomer = server.connect();
    newcomer.say("GET /large/ HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(newcomer.hear_head().status, 200);
    let waited = asked.elapsed();
    assert!(waited < WAIT_MAX, "it waited for {waited:?}");
}

#[cfg(feature = "compress")]
#[test]
fn while_many_files_are_compressed_nobody_waits_for_that() {
    use super::compress::{compressing, prose};
    use super::site::settle;
    use crate::support::until;

    const TEXTS: usize = 20;
    let site = Site::with("small.txt", "small");
    for n in 0..TEXTS {
        site.write(format!("{n}.txt"), format!("{n} {}", prose(2 << 20)));
    }
    settle();
    let server = TestServer::start(compressing(&site));
    let request =
        |n: usize| format!("HEAD /{n}.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n");
    let tag = |n: usize| {
        let mut client = server.connect();
        client.say(request(n));
        let answer = client.hear_head();
        let is_compressed = answer.field("Content-Encoding") == Some("br");
        answer
            .field("ETag")
            .filter(|_| is_compressed)
            .map(str::to_owned)
    };
    // All of them are asked for at once: in haste first, and as often again until each waits to be made better.
    let mut crowd: Vec<Client> = (0..TEXTS).map(|_| server.connect()).collect();
    for (n, client) in crowd.iter_mut().enumerate() {
        client.say(request(n).repeat(20));
    }
    let worst = worst_wait(&server, 50);
    assert!(worst < WAIT_MAX, "in haste, one waited for {worst:?}");
    let mut hasty = None;
    until("every text is compressed in haste", || {
        hasty = (0..TEXTS).map(tag).collect::<Option<Vec<_>>>();
        hasty.is_some()
    });
    let worst = worst_wait(&server, 50);
    assert!(worst < WAIT_MAX, "at its best, one waited for {worst:?}");
    // The thread that makes them better was at work all the time, and still is.
    let last = TEXTS - 1;
    assert_eq!(tag(last), hasty.map(|mut tags| tags.swap_remove(last)));
}

#[cfg(feature = "cli")]
#[test]
fn without_descriptors_a_listing_leaves_nothing_out() {
    use std::fs;
    use std::os::unix::fs::symlink;

    use crate::program::Program;

    let site = Site::with("a.txt", "hello");
    let name = |n: usize| format!("{n:0>200}");
    fs::create_dir_all(site.path("links/many")).unwrap();
    for n in 0..5000 {
        let directory = if n < 20 { "links" } else { "links/many" };
        symlink(site.path("a.txt"), site.path(directory).join(name(n))).unwrap();
    }
    let program = Program::start(&site.path(""), &[]);
    let mut client = program.connect();
    assert_eq!(client.ask("GET /links/").status, 200);
    // The first that is short is the directory's own, the next that of a link in it.
    let mut statuses = Vec::new();
    for limit in 0..program.descriptors() as u64 + 10 {
        program.limit_descriptors(limit);
        let answer = client.ask("GET /links/");
        match answer.status {
            200 => assert!((0..20).all(|n| answer.text().contains(&name(n)))),
            status => assert_eq!(status, 503),
        }
        statuses.push(answer.status);
    }
    assert!(
        statuses[0] == 503 && statuses.ends_with(&[200]),
        "{statuses:?}"
    );
    // One that has begun can only be cut.
    client.say("GET /links/many/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(client.hear_head().status, 200);
    program.limit_descriptors(0);
    let body = client.hear_to_end();
    assert!(
        !body.ends_with(b"0\r\n\r\n"),
        "{} bytes seem whole",
        body.len()
    );
}
