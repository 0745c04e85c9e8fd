//! The examples, running: each is started, talked to and stopped. `cargo test` builds them beside this binary.

mod http;

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use crate::support::{Answer, Client, PATIENCE};

/// Where the examples of this build are.
fn path(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test is a file");
    let profile = test.ancestors().nth(2).expect("it lies in PROFILE/deps");
    let path = profile.join("examples").join(name);
    assert!(
        path.exists(),
        "{} is not built; `cargo test` does it, or `cargo build --examples`",
        path.display()
    );
    path
}

/// A server among the examples, ended when it is dropped.
struct Example {
    child: Child,
    address: SocketAddr,
}

impl Example {
    /// Started on a free port, and has said which.
    fn start(name: &str, arguments: &[&str]) -> Example {
        let mut child = Command::new(path(name))
            .arg("0")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let stdout = child.stdout.as_mut().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where it listens");
        let address = line
            .trim_end()
            .strip_prefix("listening on ")
            .and_then(|address| address.parse().ok());
        let address: SocketAddr = address.unwrap_or_else(|| panic!("{name}: {line:?}"));
        assert!(address.ip().is_loopback());
        Example { child, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    /// Sends one request and returns the answer.
    fn ask(&self, request: &str) -> Answer {
        Client::connect(self.address).ask(request)
    }

    /// Sends one datagram and returns the answer.
    fn datagram(&self, text: &[u8]) -> String {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.send_to(text, self.address).expect("it is sent");
        let mut answer = vec![0; 65_535];
        let count = socket.recv(&mut answer).expect("an answer");
        String::from_utf8(answer[..count].to_vec()).expect("text")
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended already, which the test has noticed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs an example to its end with this on standard input.
fn run(name: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(path(name))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // One that ends before it reads is right to do so.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// What a client of the examples prints that succeeds.
fn printed(name: &str, arguments: &[&str], input: &str) -> String {
    let output = run(name, arguments, input);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

/// Sends all, then hears all.
fn exchange(mut stream: TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).expect("it listens");
    stream.shutdown(Shutdown::Write).expect("it is there");
    let mut heard = String::new();
    stream.read_to_string(&mut heard).expect("an answer");
    heard
}

/// Those that use sockets alone.
const BY_HAND: [&str; 7] = [
    "tcp_echo",
    "tcp_echo_threads",
    "tcp_hello",
    "udp_echo",
    "udp_hello",
    "udp_time",
    "http_by_hand",
];

/// Those that use the library.
const OF_THE_LIBRARY: [&str; 6] = [
    "hello",
    "static_site",
    "json_api",
    "blocking_handler",
    "events",
    "streaming_upload",
];

#[test]
fn tcp_echo_serves_one_client_after_the_other() {
    let server = Example::start("tcp_echo", &[]);
    let mut first = server.connect();
    let second = server.connect();
    first.write_all(b"one").unwrap();
    let mut heard = [0; 3];
    first.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"one");
    // The second is heard once the first has gone.
    (&second).write_all(b"two").unwrap();
    second.set_nonblocking(true).unwrap();
    assert!((&second).read(&mut heard).is_err());
    second.set_nonblocking(false).unwrap();
    drop(first);
    assert_eq!(exchange(second, ""), "two");
}

#[test]
fn tcp_echo_threads_serves_clients_at_the_same_time() {
    let server = Example::start("tcp_echo_threads", &[]);
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in clients.iter_mut().rev() {
        client.write_all(b"hello").unwrap();
        let mut heard = [0; 5];
        client.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
    }
}

#[test]
fn tcp_client_shows_what_an_echo_server_sends_back() {
    for name in ["tcp_echo", "tcp_echo_threads"] {
        let server = Example::start(name, &[]);
        let large = "0123456789abcdef".repeat(20_000);
        let address = server.address.to_string();
        assert_eq!(printed("tcp_client", &[&address], &large), large);
    }
}

#[test]
fn tcp_hello_greets_until_exit() {
    let server = Example::start("tcp_hello", &[]);
    let waiting = server.connect();
    assert_eq!(
        exchange(server.connect(), "Ada\r\nGrace Hopper\nexit\nBob\n"),
        "welcome\nHello Ada\nHello Grace Hopper\n"
    );
    assert_eq!(exchange(server.connect(), "Zoë"), "welcome\nHello Zoë\n");
    assert_eq!(exchange(waiting, ""), "welcome\n");
    let endless = exchange(server.connect(), &"x".repeat(1024));
    assert_eq!(endless, "welcome\na name has at most 1024 bytes\n");
}

#[test]
fn udp_echo_and_udp_client_understand_each_other() {
    let server = Example::start("udp_echo", &[]);
    let address = server.address.to_string();
    let lines = "hello\n\nwelt\n";
    assert_eq!(printed("udp_client", &[&address], lines), lines);
    let large = "x".repeat(65_000);
    assert_eq!(server.datagram(large.as_bytes()), large);
}

#[test]
fn udp_hello_greets_by_name() {
    let server = Example::start("udp_hello", &[]);
    assert_eq!(server.datagram(b"Ada"), "Hello Ada");
    assert_eq!(server.datagram(b"Grace\n"), "Hello Grace");
    assert!(server.datagram(b"\xff").starts_with("Hello "));
}

#[test]
fn udp_time_tells_the_time_in_any_format_and_survives_those_that_are_none() {
    let server = Example::start("udp_time", &[]);
    let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(shape(&server.datagram(b"")), "0000-00-00 00:00:00");
    assert_eq!(shape(&server.datagram(b"%H:%M\n")), "00:00");
    assert_eq!(server.datagram(b"no time"), "no time");
    let too_long = vec![b'a'; 257];
    let grows = "%200Y%c".repeat(30);
    for malformed in [
        &b"%"[..],
        b"%!",
        b"%Y%",
        b"%99999999999999999999d",
        b"\xff%Y",
        b"%::::z",
        &too_long,
        grows.as_bytes(),
    ] {
        let answer = server.datagram(malformed);
        assert!(
            answer.starts_with("error: ") || answer.len() <= 1024,
            "{answer}"
        );
        if malformed != grows.as_bytes() {
            assert!(answer.starts_with("error: "), "{answer}");
        }
    }
    assert_eq!(shape(&server.datagram(b"%Y")), "0000");
}

#[test]
fn a_port_that_is_taken_or_none_is_explained() {
    for name in BY_HAND.into_iter().chain(OF_THE_LIBRARY) {
        let is_by_hand = BY_HAND.contains(&name);
        let taken = match name.starts_with("udp") {
            true => {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                (socket.local_addr().unwrap().port(), None, Some(socket))
            }
            false => {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                (listener.local_addr().unwrap().port(), Some(listener), None)
            }
        };
        let (port, _listener, _socket) = taken;
        let output = run(name, &[&port.to_string()], "");
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(output.stdout.is_empty(), "{name}");
        let said = text(&output.stderr);
        // `Error` is what Rust says when `main` returns one.
        let who = if is_by_hand { name } else { "Error" };
        let expected = format!("{who}: cannot listen on ");
        assert!(said.starts_with(&expected), "{said}");
        assert!(said.contains(&port.to_string()), "{said}");
        assert!(said.contains("Address already in use"), "{said}");

        let output = run(name, &["hello"], "");
        assert_eq!(output.status.code(), Some(1), "{name}");
        let said = text(&output.stderr);
        let expected = match is_by_hand {
            true => format!("{name}: `hello` is no port; give a number up to 65535\n"),
            false => {
                "Error: cannot listen: \"127.0.0.1:hello\" names no address: invalid port value\n"
                    .to_owned()
            }
        };
        assert_eq!(said, expected, "{name}");
    }
}

#[test]
fn a_client_without_a_server_says_so() {
    // An address of this machine that no server and no other test uses.
    const NOBODY: &str = "127.77.0.1:9";
    for name in ["tcp_client", "http_client_by_hand"] {
        let output = run(name, &[NOBODY], "hello\n");
        assert_eq!(output.status.code(), Some(1), "{name}");
        let said = text(&output.stderr);
        assert!(said.contains("refused") && said.contains(NOBODY), "{said}");
    }
    for name in ["tcp_client", "http_client_by_hand", "udp_client"] {
        let said = run(name, &["127.0.0.1"], "hello\n").stderr;
        let expected = format!("{name}: say where to: {name} HOST:PORT");
        assert!(text(&said).starts_with(&expected), "{}", text(&said));
    }
    let said = run("udp_client", &[NOBODY], "hello\n").stderr;
    assert!(text(&said).contains("nobody listens"), "{}", text(&said));
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let said = run("udp_client", &[&address], "hello\n").stderr;
    assert!(text(&said).contains("no answer"), "{}", text(&said));
    for name in ["tcp_client", "udp_client", "http_client_by_hand"] {
        let output = run(name, &[], "");
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(text(&output.stderr).contains("HOST:PORT"), "{name}");
    }
}

#[test]
fn every_example_is_short_says_how_it_is_run_and_is_in_the_readme() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("it is there");
    let mut count = 0;
    for entry in std::fs::read_dir(root.join("examples")).expect("it is there") {
        let path = entry.expect("an example").path();
        let text = std::fs::read_to_string(&path).expect("it is text");
        let name = path.file_stem().expect("a name").to_str().expect("text");
        let lines = text.lines().count();
        assert!((20..=80).contains(&lines), "{name} has {lines} lines");
        assert!(
            text.contains(&format!("cargo run --example {name} ")),
            "{name}"
        );
        let told = [format!("| `{name}"), format!("` … `{name} ")];
        assert!(told.iter().any(|told| readme.contains(told)), "{name}");
        count += 1;
    }
    assert_eq!(count, 16);
}
