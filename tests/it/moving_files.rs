//! Files that change while they are sent: the client gets exactly the promised bytes or a connection that closes.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use sockeye::files::StaticFiles;

use crate::support::TestServer;

// More than all buffers between a server and a client that does not read.
const SIZE: usize = 40_000_000;

/// Begins a download of a file of `a`s, does `what` to the file, and returns what the client was promised and heard.
fn while_sent(what: impl FnOnce(&Path)) -> (usize, Vec<u8>) {
    let site = tempfile::tempdir().unwrap();
    let path = site.path().join("file");
    fs::write(&path, vec![b'a'; SIZE]).unwrap();
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

#[test]
fn one_that_is_cut_short_closes_the_connection() {
    let (promised, heard) = while_sent(|path| {
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(1000)
            .unwrap();
    });
    assert_eq!(promised, SIZE);
    // What was on its way may read as zeros: the kernel sends the file's own pages, and empties them.
    assert!(heard.len() < SIZE, "it looks whole");
}

#[test]
fn one_that_grows_is_not_sent_beyond_what_was_promised() {
    let (promised, heard) = while_sent(|path| {
        let mut file = File::options().append(true).open(path).unwrap();
        file.write_all(&[b'b'; 1_000_000]).unwrap();
    });
    assert_eq!(promised, SIZE);
    assert!(heard.len() <= SIZE && heard.iter().all(|&byte| byte == b'a'));
}

#[test]
fn one_that_is_rewritten_is_never_completed_as_a_mixture() {
    let (_, heard) = while_sent(|path| {
        let mut file = File::options().write(true).open(path).unwrap();
        file.write_all(&vec![b'b'; SIZE]).unwrap();
    });
    assert!(heard.len() < SIZE, "a mixture of two files looks whole");
}

#[test]
fn one_that_is_replaced_or_deleted_or_forbidden_is_sent_as_it_was() {
    let replaced = while_sent(|path| {
        fs::write(path.with_extension("new"), vec![b'b'; SIZE]).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    });
    let deleted = while_sent(|path| fs::remove_file(path).unwrap());
    let forbidden = while_sent(|path| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    });
    for (promised, heard) in [replaced, deleted, forbidden] {
        assert_eq!((promised, heard.len()), (SIZE, SIZE));
        assert!(heard.iter().all(|&byte| byte == b'a'));
    }
}
