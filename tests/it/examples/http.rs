//! The examples that speak HTTP.

// Its own test is run with these.
#[allow(dead_code)]
#[path = "../../../examples/hello.rs"]
mod hello;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use rustix::process::Signal;

use super::{Example, exchange, printed, run, text};
use crate::support::{Client, until};

#[test]
fn http_by_hand_answers_200_at_the_root_and_404_elsewhere() {
    let server = Example::start("http_by_hand", &[]);
    let head = |status: &str, length: usize| {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )
    };
    let silent = server.connect();
    let hello = head("200 OK", 15) + "<h1>Hello</h1>\n";
    let fields = "HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(
        exchange(server.connect(), &format!("GET / {fields}")),
        hello
    );
    assert_eq!(
        exchange(server.connect(), &format!("HEAD / {fields}")),
        head("200 OK", 15)
    );
    let missing = head("404 Not Found", 22) + "<h1>Nothing here</h1>\n";
    assert_eq!(
        exchange(server.connect(), &format!("GET /x {fields}")),
        missing
    );
    let posted = format!("POST /form {fields}{}", "a=b&".repeat(10_000));
    assert_eq!(exchange(server.connect(), &posted), missing);
    assert!(exchange(server.connect(), "hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
    drop(silent);
}

#[test]
fn http_client_by_hand_shows_what_goes_and_what_comes() {
    let server = Example::start("http_by_hand", &[]);
    let address = server.address.to_string();
    let shown = printed("http_client_by_hand", &[&address, "/missing"], "");
    assert_eq!(
        shown,
        format!(
            "> GET /missing HTTP/1.1\n> Host: {address}\n> User-Agent: by-hand\n> Accept: */*\n\
             > Connection: close\n> \n< HTTP/1.1 404 Not Found\n\
             < Content-Type: text/html; charset=utf-8\n< Content-Length: 22\n\
             < Connection: close\n< \n<h1>Nothing here</h1>\n"
        )
    );
    let refused = run("http_client_by_hand", &[&address, "/\r\nX: y"], "");
    assert_eq!(refused.status.code(), Some(1));
}

#[test]
fn hello_greets_by_the_name_in_the_path() {
    let server = Example::start("hello", &[]);
    assert_eq!(server.ask("GET /").text(), "welcome\n");
    assert_eq!(server.ask("GET /hello/Ada").text(), "Hello Ada\n");
    assert_eq!(server.ask("GET /hello").status, 404);
}

#[test]
fn static_site_serves_a_directory_and_its_own_page_for_what_is_missing() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("a.txt"), "a\n").expect("a file");
    let server = Example::start("static_site", &[directory.path().to_str().expect("text")]);
    assert_eq!(server.ask("GET /a.txt").text(), "a\n");
    assert_eq!(server.ask("GET /health").text(), "well\n");
    assert!(server.ask("GET /").text().contains("a.txt"));
    let missing = server.ask("GET /b.txt");
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("Gone fishing"));
    let none = run("static_site", &["0", "/no/such/directory"], "");
    assert_eq!(none.status.code(), Some(1));
    let said = text(&none.stderr);
    assert!(
        said.contains("cannot read `/no/such/directory`: "),
        "{said}"
    );
}

#[test]
fn json_api_keeps_notes() {
    let server = Example::start("json_api", &[]);
    let post = |body: &str| {
        let mut client = Client::connect(server.address);
        client.say(format!(
            "POST /notes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        client.hear()
    };
    assert_eq!(server.ask("GET /notes").text(), "{}");
    let created = post(r#"{"text": "buy fish"}"#);
    assert_eq!(created.status, 201);
    assert_eq!(created.field("Location"), Some("/notes/1"));
    assert_eq!(
        post(r#"{"text": "eat"}"#).field("Location"),
        Some("/notes/2")
    );
    assert_eq!(server.ask("GET /notes/1").text(), r#"{"text":"buy fish"}"#);
    assert_eq!(
        server.ask("GET /notes").text(),
        r#"{"1":{"text":"buy fish"},"2":{"text":"eat"}}"#
    );
    let refused = post(r#"{"txt": "buy fish"}"#);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("missing field `text`"));
    for (request, status) in [
        ("GET /notes/3", 404),
        ("GET /notes/x", 404),
        ("DELETE /notes", 405),
    ] {
        assert_eq!(server.ask(request).status, status, "{request}");
    }
}

fn files_in(directory: &Path) -> usize {
    std::fs::read_dir(directory).expect("it is there").count()
}

/// An upload of ten bytes, of which five are there.
fn begin_upload(server: &Example, incoming: &Path) -> Client {
    let mut client = Client::connect(server.address);
    client.say("PUT /ten HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234");
    until("it has begun", || files_in(incoming) == 1);
    client
}

#[test]
fn streaming_upload_leaves_nothing_of_an_upload_that_its_own_end_breaks_off() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, incoming) = (directory.path(), directory.path().join(".incoming"));
    let start = || Example::start("streaming_upload", &[path.to_str().expect("text")]);
    let signal = |server: &Example, signal| {
        let process = rustix::process::Pid::from_child(&server.child);
        rustix::process::kill_process(process, signal).expect("it runs");
    };

    // Killed: what it leaves is gone once the next one starts.
    let server = start();
    let killed = begin_upload(&server, &incoming);
    drop(server);
    assert_eq!(files_in(&incoming), 1);
    let mut server = start();
    assert_eq!(files_in(&incoming), 0);
    drop(killed);

    // Ctrl-C: there is time to finish. A second one: there is none.
    let mut client = begin_upload(&server, &incoming);
    signal(&server, Signal::INT);
    until("nobody is let in", || {
        TcpStream::connect(server.address).is_err()
    });
    client.say("56789");
    assert_eq!(client.hear().status, 201);
    assert!(server.child.wait().expect("it ends").success());
    let saved = std::fs::read(path.join("ten")).expect("it is saved");
    assert_eq!((&saved[..], files_in(&incoming)), (&b"0123456789"[..], 0));

    let mut server = start();
    let _client = begin_upload(&server, &incoming);
    signal(&server, Signal::INT);
    until("nobody is let in", || {
        TcpStream::connect(server.address).is_err()
    });
    signal(&server, Signal::INT);
    assert!(server.child.wait().expect("it ends").success());
    assert_eq!(files_in(&incoming), 0);
}

#[test]
fn streaming_upload_refuses_a_directorys_name_before_the_body_and_a_second_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("text");
    std::fs::create_dir(directory.path().join("photos")).expect("a directory");
    let server = Example::start("streaming_upload", &[path]);
    let mut client = Client::connect(server.address);
    client.say("PUT /photos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n");
    let refused = client.hear();
    assert_eq!(
        (refused.status, refused.text()),
        (409, "a directory has this name\n")
    );
    let second = run("streaming_upload", &["0", path], "");
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another server saves in this directory"));
}

#[test]
fn streaming_upload_saves_whole_files_and_keeps_none_in_memory() {
    let directory = tempfile::tempdir().expect("a directory");
    let saved = directory.path().join("saved");
    let server = Example::start("streaming_upload", &[saved.to_str().expect("text")]);
    let put = |name: &str, length: usize| {
        let mut client = Client::connect(server.address);
        client.say(format!(
            "PUT /{name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        ));
        client
    };
    let begun = || files_in(&saved.join(".incoming"));
    const LENGTH: usize = 96 * 1024 * 1024;
    let mut large = put("large.bin", LENGTH);
    let mebibyte: Vec<u8> = (0..1024 * 1024).map(|at| at as u8).collect();
    for _ in 1..LENGTH / mebibyte.len() {
        large.say(&mebibyte);
    }
    assert_eq!(server.ask("GET /large.bin").status, 404);
    large.say(&mebibyte);
    assert_eq!(large.hear().status, 201);
    let file = std::fs::read(saved.join("large.bin")).expect("it is saved");
    assert!(file.len() == LENGTH && file.chunks(mebibyte.len()).all(|piece| piece == mebibyte));
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id()));
    let status = status.expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    assert!(
        peak.expect("the kernel counts") < LENGTH / 1024 / 2,
        "{peak:?} kB"
    );

    let mut broken = put("broken.bin", 10);
    broken.say("hello");
    until("it has begun", || begun() == 1);
    drop(broken);
    until("nothing is left of it", || begun() == 0);
    for name in ["..%2Fescaped", ".hidden", "..", "a%00b"] {
        let mut refused = put(name, 5);
        refused.say("hello");
        assert!(matches!(refused.hear().status, 400 | 405), "{name}");
    }
    let mut again = put("large.bin", 5);
    again.say("small");
    assert_eq!(again.hear().status, 204, "it replaces one");
    assert_eq!(server.ask("GET /large.bin").text(), "small");
    // `curl -C -`, and a page of a site that points its own name here.
    for (field, status) in [
        ("Content-Range: bytes 4-4/5", 400),
        ("Host: site.test", 421),
    ] {
        let host = match field.starts_with("Host") {
            true => "",
            false => "Host: localhost\r\n",
        };
        let mut refused = Client::connect(server.address);
        refused.say(format!(
            "PUT /large.bin HTTP/1.1\r\n{host}{field}\r\nContent-Length: 1\r\n\r\nl"
        ));
        assert_eq!(refused.hear().status, status, "{field}");
    }
    assert_eq!(server.ask("GET /large.bin").text(), "small");
    let mut refused = put(&"n".repeat(300), 5);
    refused.say("hello");
    assert_eq!(refused.hear().status, 400);
    assert!(server.ask("GET /").text().contains("large.bin"));
}

#[test]
fn blocking_handler_delays_nobody_else() {
    let server = Example::start("blocking_handler", &[]);
    // More than there are threads at work.
    let mut slow: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in &mut slow {
        let request = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n";
        client.write_all(request).expect("it listens");
    }
    assert_eq!(server.ask("GET /").text(), "at once\n");
    for client in &mut slow {
        client.set_nonblocking(true).expect("it can be set");
        let waits = client
            .read(&mut [0; 1])
            .expect_err("it is not answered yet");
        assert_eq!(waits.kind(), std::io::ErrorKind::WouldBlock);
        client.set_nonblocking(false).expect("it can be set");
    }
    let mut answered = Client::from(slow.pop().expect("there are 20"));
    assert_eq!(answered.hear().text(), "after three seconds\n");
}

#[test]
fn events_tell_the_time_and_what_somebody_says() {
    let server = Example::start("events", &[]);
    assert!(server.ask("GET /").text().contains("EventSource"));
    let mut clients: Vec<_> = (0..20).map(|_| Client::connect(server.address)).collect();
    for client in &mut clients {
        client.say("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(
            client.hear_head().field("Content-Type"),
            Some("text/event-stream")
        );
    }
    let mut speaker = Client::connect(server.address);
    speaker.say("POST /say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhello\nall");
    assert_eq!(speaker.hear().status, 204);
    for client in &mut clients {
        let mut heard = String::new();
        let said = "id: 1\ndata: hello\ndata: all\n\n";
        while !(heard.contains(said) && heard.contains("event: time\ndata: ")) {
            heard += text(&client.hear_chunk());
        }
    }
}
