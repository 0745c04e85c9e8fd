//! The process: its signals, its outputs, its descriptors, its rights.

use std::fs::{self, File, Permissions};
use std::io::{PipeWriter, Read, Write, pipe};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::TempDir;

use crate::program::{Program, command};
use crate::support::until;

fn site() -> TempDir {
    let site = tempfile::tempdir().unwrap();
    fs::set_permissions(site.path(), Permissions::from_mode(0o755)).unwrap();
    fs::write(site.path().join("a.txt"), "hello").unwrap();
    File::create(site.path().join("large"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    site
}

fn with_stderr_piped(command: &mut Command) {
    command.stdin(Stdio::null()).stderr(Stdio::piped());
}

#[test]
fn sigterm_and_sigint_stop_it_with_exit_0_and_a_line_that_counts() {
    for (signal, flags) in [(Signal::TERM, &[][..]), (Signal::INT, &["--explain"])] {
        let site = site();
        let program = Program::start_with(site.path(), flags, with_stderr_piped);
        let mut client = program.connect();
        assert_eq!(client.ask("GET /a.txt").text(), "hello");
        program.signal(signal);
        assert!(client.is_closed());
        let (code, said) = program.wait();
        assert_eq!(code, Some(0), "{signal:?}");
        assert!(said.ends_with("stopped after 1 answer, 5 B\n"), "{said}");
    }
}

#[test]
fn stopped_while_clients_come_and_go_it_complains_of_nothing() {
    let site = site();
    for _ in 0..8 {
        let program = Program::start_with(site.path(), &["--quiet"], with_stderr_piped);
        let address = program.address();
        let come_and_go = move || {
            while let Ok(mut stream) = TcpStream::connect(address) {
                let request = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
                // It may be stopped at any moment.
                let _ = stream.write_all(request);
                let _ = stream.read(&mut [0; 512]);
            }
        };
        let clients: Vec<_> = (0..4).map(|_| thread::spawn(come_and_go)).collect();
        until("they are served", || {
            program.ask("GET /a.txt").status == 200
        });
        program.signal(Signal::TERM);
        let (_, said) = program.wait();
        clients
            .into_iter()
            .for_each(|client| client.join().unwrap());
        assert!(!said.contains("cannot accept"), "{said}");
    }
}

#[test]
fn the_memory_that_it_takes_at_most_is_said_when_asked_for() {
    let site = site();
    for (arguments, is_said) in [
        (&["--max-connections", "100", "-v"][..], true),
        (&["--max-connections", "100"], false),
    ] {
        let program = Program::start_with(site.path(), arguments, with_stderr_piped);
        program.signal(Signal::TERM);
        let (code, said) = program.wait();
        assert_eq!(code, Some(0));
        let bound = "for each connection, of which there are 100\n";
        assert_eq!(said.contains(bound), is_said, "{said}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let site = site();
    let mut program = Program::start_with(site.path(), &["--grace", "3600"], with_stderr_piped);
    let mut stuck = program.connect();
    stuck.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stuck.hear_head();
    program.signal(Signal::TERM);
    until("nobody is let in", || {
        TcpStream::connect(program.address()).is_err()
    });
    let hint = "waiting for 1 answer to finish, 3600 s at most; again to stop at once\n";
    let heard = program.hear_until("at once\n");
    program.signal(Signal::INT);
    let (code, said) = program.wait();
    assert_eq!(code, Some(0));
    assert_eq!(heard.matches(hint).count(), 1, "{heard}");
    // Whoever knocked meanwhile may be among them.
    assert!(said.ends_with(" cut short\n"), "{said}");
}

#[test]
fn sighup_without_a_terminal_loses_nothing() {
    let site = site();
    let program = Program::start(site.path(), &[]);
    let mut client = program.connect();
    for _ in 0..20 {
        program.signal(Signal::HUP);
        assert_eq!(client.ask("GET /a.txt").text(), "hello");
        assert_eq!(program.ask("GET /a.txt").text(), "hello");
    }
}

#[test]
fn sighup_from_the_terminal_that_started_it_stops_it() {
    let site = site();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new())
        .unwrap()
        .into_string()
        .unwrap();
    let side = File::options().read(true).write(true).open(name).unwrap();
    let program = Program::start_with(site.path(), &[], |command| {
        command.stdin(side).stderr(Stdio::null());
    });
    assert_eq!(program.ask("GET /a.txt").text(), "hello");
    program.signal(Signal::HUP);
    assert_eq!(program.wait().0, Some(0));
}

#[test]
fn outputs_that_are_full_or_dead_or_stalled_change_nothing() {
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let dead = || Stdio::from(pipe().unwrap().1);
    // Nobody reads, and there is no room for one byte more.
    let (reader, mut writer) = pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'x'; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty()).unwrap();
    let stalled = |writer: &PipeWriter| Stdio::from(writer.try_clone().unwrap());
    for (stdout, stderr) in [
        (full(), full()),
        (dead(), dead()),
        (full(), stalled(&writer)),
        (stalled(&writer), stalled(&writer)),
    ] {
        let site = site();
        let port = free_port();
        let mut command = command(site.path(), &[]);
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let program = Program::start_on(command, port);
        until("it listens", || {
            TcpStream::connect(program.address()).is_ok()
        });
        let mut client = program.connect();
        for _ in 0..2000 {
            assert_eq!(client.ask("GET /a.txt").text(), "hello");
        }
        program.signal(Signal::TERM);
        assert_eq!(program.wait().0, Some(0));
    }
    drop(reader);
}

/// One that is not listened on now. The port of a client that is gone is not given out again for a while.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn without_descriptors_files_are_503_and_clients_wait_and_all_are_served_afterwards() {
    let site = site();
    let program = Program::start_with(site.path(), &["--cache-bytes", "0"], with_stderr_piped);
    let mut early = program.connect();
    assert_eq!(early.ask("GET /a.txt").text(), "hello");
    let mut busy = program.connect();
    busy.say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n1");
    busy.hear_head();
    program.limit_descriptors(0);
    let answer = early.ask("GET /a.txt");
    assert_eq!(
        (answer.status, answer.field("Retry-After").is_some()),
        (503, true)
    );
    let mut late: Vec<_> = (0..20).map(|_| program.connect()).collect();
    late.iter_mut()
        .for_each(|client| client.say("GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    // Who is idle gives way, though it is in vain here; a request that is under way goes on.
    assert!(early.is_closed());
    busy.say("2");
    assert_eq!(busy.hear_exactly(2), b"12");
    program.limit_descriptors(1000);
    late.iter_mut()
        .for_each(|client| assert_eq!(client.hear().text(), "hello"));
    program.signal(Signal::TERM);
    let (code, said) = program.wait();
    assert_eq!(code, Some(0));
    assert!(
        said.contains("cannot accept connections for now; raise the limit with ulimit -n"),
        "{said}"
    );
}

#[test]
fn a_page_that_rebinds_its_name_to_this_machine_reads_nothing() {
    let site = site();
    let program = Program::start(site.path(), &["--allow-host", "dev.test"]);
    for (host, status) in [
        ("localhost", 200),
        ("dev.test:80", 200),
        ("127.0.0.1", 200),
        ("evil.test", 421),
        ("192.0.2.7", 421),
        ("localhost.evil.test", 421),
    ] {
        let mut client = program.connect();
        client.say(format!("GET /a.txt HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        let answer = client.hear();
        assert_eq!(answer.status, status, "{host}");
        assert_eq!(answer.text() == "hello", status == 200, "{host}");
        assert_eq!(answer.field("Access-Control-Allow-Origin"), None);
    }
}

#[test]
fn it_gains_no_privileges() {
    let site = site();
    let program = Program::start(site.path(), &[]);
    assert_eq!(program.status("NoNewPrivs"), "1");
}

#[test]
fn with_verbose_it_says_what_it_may_read() {
    let parent = tempfile::tempdir().unwrap();
    let real = parent.path().canonicalize().unwrap();
    let root = real.join("releases/1/public");
    fs::create_dir_all(&root).unwrap();
    symlink("releases/1", real.join("current")).unwrap();
    let top = Path::new("/").to_owned();
    for (directory, flags, wall) in [
        (root.clone(), &[][..], root.parent().unwrap().to_owned()),
        (real.join("current/public"), &[], real.clone()),
        (root.clone(), &["--follow-symlinks"], top.clone()),
        (real.clone(), &[], real.parent().unwrap().to_owned()),
        (top.clone(), &[], top),
    ] {
        let flags = [flags, &["--verbose"]].concat();
        let program = Program::start_with(&directory, &flags, with_stderr_piped);
        program.signal(Signal::TERM);
        let (_, said) = program.wait();
        let is_said = said.contains(&format!("what lies in {wall:?}, "));
        assert!(is_said || !said.contains("(Landlock)"), "{wall:?}: {said}");
    }
}

#[test]
fn links_that_may_lead_out_lead_anywhere() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("parent/dist");
    fs::create_dir_all(&root).unwrap();
    fs::write(outer.path().join("far"), "far").unwrap();
    fs::write(outer.path().join("parent/near"), "near").unwrap();
    symlink(outer.path().join("far"), root.join("far")).unwrap();
    symlink("../../parent/near", root.join("near")).unwrap();
    let program = Program::start(&root, &["--follow-symlinks"]);
    assert_eq!(program.ask("GET /near").text(), "near");
    assert_eq!(program.ask("GET /far").text(), "far");
    let closed = Program::start(&root, &[]);
    assert_eq!(closed.ask("GET /far").status, 404);
}

#[test]
fn a_release_that_is_swapped_in_above_the_directory_is_served() {
    let parent = tempfile::tempdir().unwrap();
    let at = |name: &str| parent.path().join(name);
    for name in ["1", "2"] {
        fs::create_dir_all(at("releases").join(name).join("public")).unwrap();
        fs::write(at("releases").join(name).join("public/a.txt"), name).unwrap();
    }
    symlink("releases/1", at("current")).unwrap();
    let program = Program::start(&at("current/public"), &[]);
    assert_eq!(program.ask("GET /a.txt").text(), "1");
    symlink("releases/2", at("next")).unwrap();
    fs::rename(at("next"), at("current")).unwrap();
    until("the new release is served", || {
        let answer = program.ask("GET /a.txt");
        assert_eq!(answer.status, 200);
        answer.text() == "2"
    });
}

#[test]
fn a_directory_that_cannot_be_read_does_not_take_the_place_of_one_that_can() {
    let (near, far) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| near.path().join(name);
    // Deep enough that the directory where tests lie is not a place where the served one may be replaced.
    let elsewhere = far.path().join("2");
    fs::create_dir_all(at("site/1")).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    fs::write(at("site/1/a.txt"), "1").unwrap();
    fs::write(elsewhere.join("a.txt"), "2").unwrap();
    symlink("1", at("site/current")).unwrap();
    let program = Program::start_with(&at("site/current"), &[], with_stderr_piped);
    assert_eq!(program.ask("GET /a.txt").text(), "1");
    symlink(&elsewhere, at("site/next")).unwrap();
    fs::rename(at("site/next"), at("site/current")).unwrap();
    // Longer than it takes to be noticed.
    let start = std::time::Instant::now();
    let mut texts = Vec::new();
    while start.elapsed() < std::time::Duration::from_millis(2500) {
        let answer = program.ask("GET /a.txt");
        assert_eq!(answer.status, 200);
        texts.push(answer.text().to_owned());
    }
    program.signal(Signal::TERM);
    let (_, said) = program.wait();
    // Without Landlock it can be read, and is served.
    let is_kept = texts.iter().all(|text| text == "1");
    let is_told = said.matches("one that cannot be read").count() == 1;
    assert_eq!(is_kept, is_told, "{said}");
    assert!(is_kept || texts.last().unwrap() == "2");
}

#[test]
fn a_directory_that_is_replaced_or_swapped_by_its_link_is_served_anew() {
    let parent = tempfile::tempdir().unwrap();
    let at = |name: &str| parent.path().join(name);
    for (name, text) in [("one", "1"), ("two", "2")] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("index.html"), text).unwrap();
    }
    symlink(at("one"), at("current")).unwrap();
    let linked = Program::start(&at("current"), &[]);
    let plain = Program::start(&at("one"), &[]);
    assert_eq!(linked.ask("GET /").text(), "1");
    assert_eq!(plain.ask("GET /").text(), "1");

    symlink(at("two"), at("next")).unwrap();
    fs::rename(at("next"), at("current")).unwrap();
    until("the link's new directory is served", || {
        linked.ask("GET /").text() == "2"
    });

    fs::remove_dir_all(at("one")).unwrap();
    assert_eq!(plain.ask("GET /").status, 503);
    fs::create_dir(at("one")).unwrap();
    fs::write(at("one").join("index.html"), "anew").unwrap();
    until("the new directory is served", || {
        plain.ask("GET /").text() == "anew"
    });
}

#[test]
fn started_as_root_it_becomes_another_user() {
    let site = site();
    if !rustix::process::geteuid().is_root() {
        // It can only be refused then.
        let output = command(site.path(), &["--port", "0", "--user", "nobody"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        return;
    }
    let program = Program::start(site.path(), &["--user", "nobody"]);
    for name in ["Uid", "Gid"] {
        let ids = program.status(name);
        assert!(
            ids.split_whitespace().all(|id| id == "65534"),
            "{name}: {ids}"
        );
    }
    assert_eq!(program.status("CapEff"), "0000000000000000");
    assert_eq!(program.ask("GET /a.txt").text(), "hello");
    fs::write(site.path().join("private"), "secret").unwrap();
    fs::set_permissions(site.path().join("private"), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(program.ask("GET /private").status, 404);
}
