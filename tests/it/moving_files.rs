//! Files that change while they are sent: the client gets exactly the promised bytes or a connection that closes.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use sockeye::files::StaticFiles;

use crate::support::TestServer;

// More than all buffers between a server and a client that does not read; and more than is digested.
const SIZE: usize = 40_000_000;

// More than the buffers too, but with a digest.
const DIGESTED: usize = 16_000_000;

/// Begins a download of a file of so many `a`s, does `what` to the file, and returns what the client was promised and
/// heard.
fn while_sent(size: usize, what: impl FnOnce(&Path)) -> (usize, Vec<u8>) {
    let site = tempfile::tempdir().unwrap();
    let path = site.path().join("file");
    fs::write(&path, vec![b'a'; size]).unwrap();
    settle();
    let server = TestServer::start(StaticFiles::new(site.path()).unwrap());
    let mut client = server.connect();
    client.say("GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let head = client.hear_head();
    assert_eq!(head.status, 200);
    what(&path);
    let promised = head.field("Content-Length").unwrap().parse().unwrap();
    let heard = client.hear_to_end();
    assert_eq!(server.ask("GET /nothing").status, 404);
    (promised, heard)
}

/// Waits until a digest may be remembered.
fn settle() {
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(30) {
        std::thread::yield_now();
    }
}

#[test]
fn one_that_is_cut_short_closes_the_connection() {
    for size in [DIGESTED, SIZE] {
        let (promised, heard) = while_sent(size, |path| {
            let file = File::options().write(true).open(path).unwrap();
            file.set_len(1000).unwrap();
        });
        assert_eq!(promised, size);
        // What was on its way may read as zeros: the kernel sends the file's own pages, and empties them.
        assert!(heard.len() < size, "it looks whole");
    }
}

#[test]
fn one_that_grows_arrives_as_long_as_was_promised() {
    for size in [DIGESTED, SIZE] {
        let (promised, heard) = while_sent(size, |path| {
            let mut file = File::options().append(true).open(path).unwrap();
            file.write_all(&[b'b'; 1_000_000]).unwrap();
        });
        assert_eq!((promised, heard.len()), (size, size));
        assert!(heard.iter().all(|&byte| byte == b'a'));
    }
}

#[test]
fn one_that_is_rewritten_is_never_completed_as_a_mixture() {
    let rewrite = |path: &Path, count: usize| {
        let mut file = File::options().write(true).open(path).unwrap();
        file.write_all(&vec![b'b'; count]).unwrap();
        file
    };
    for size in [DIGESTED, SIZE] {
        let (_, heard) = while_sent(size, |path| drop(rewrite(path, size)));
        assert!(heard.len() < size, "a mixture of two files looks whole");
        let (_, heard) = while_sent(size, |path| {
            let date = fs::metadata(path).unwrap().modified().unwrap();
            rewrite(path, size).set_modified(date).unwrap();
        });
        assert!(heard.len() < size, "its date was restored");
    }
    let (_, heard) = while_sent(DIGESTED, |path| drop(rewrite(path, DIGESTED + 1)));
    assert!(heard.len() < DIGESTED, "it grew besides");
}

#[test]
fn one_that_is_rewritten_with_the_same_bytes_is_completed() {
    let (_, heard) = while_sent(DIGESTED, |path| {
        let mut file = File::options().write(true).open(path).unwrap();
        file.write_all(&vec![b'a'; DIGESTED]).unwrap();
    });
    assert_eq!(heard.len(), DIGESTED);
}

#[test]
fn one_that_is_replaced_or_deleted_or_forbidden_is_sent_as_it_was() {
    for size in [DIGESTED, SIZE] {
        let replaced = while_sent(size, |path| {
            fs::write(path.with_extension("new"), vec![b'b'; size]).unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        });
        let deleted = while_sent(size, |path| fs::remove_file(path).unwrap());
        let forbidden = while_sent(size, |path| {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
        });
        for (promised, heard) in [replaced, deleted, forbidden] {
            assert_eq!((promised, heard.len()), (size, size));
            assert!(heard.iter().all(|&byte| byte == b'a'));
        }
    }
}

#[test]
fn what_is_small_arrives_as_it_was_if_it_is_rewritten_when_all_of_it_is_on_its_way() {
    // The kernel takes so much at once, for a client that does not read.
    const RANGE: usize = 64 * 1024;
    let site = tempfile::tempdir().unwrap();
    let path = site.path().join("file");
    for (size, range, length) in [
        (RANGE, "", RANGE),
        (100_000, "", 100_000),
        (112 * 1024, "", 112 * 1024),
        (3 * RANGE, "Range: bytes=70000-135535\r\n", RANGE),
    ] {
        for round in 0..10 {
            fs::write(&path, vec![b'a'; size]).unwrap();
            let date = fs::metadata(&path).unwrap().modified().unwrap();
            let server = TestServer::start(StaticFiles::new(site.path()).unwrap());
            let mut client = server.connect();
            client.say(format!(
                "GET /file HTTP/1.1\r\nHost: localhost\r\n{range}Connection: close\r\n\r\n"
            ));
            let head = client.hear_head();
            let promised = head.field("Content-Length");
            assert_eq!(promised, Some(&length.to_string()[..]), "{range}");
            let mut file = File::options().write(true).open(&path).unwrap();
            file.write_all(&vec![b'b'; size]).unwrap();
            // An edit that restores the date.
            file.set_modified(date).unwrap();
            let heard = client.hear_to_end();
            let is_old = heard.iter().all(|&byte| byte == b'a');
            assert!(heard.len() < length || is_old, "round {round} {range}");
        }
    }
}
