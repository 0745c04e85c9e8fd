//! A server of one's own for every test, and a client that says exactly what it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sockeye::Handler;
use sockeye::server::{Config, Server, Stopper, Summary};

/// No test waits longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of its own, stopped when it is dropped.
pub(crate) struct TestServer {
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<Summary>>,
}

impl TestServer {
    pub(crate) fn start(handler: impl Handler) -> TestServer {
        TestServer::with_config(Config::default(), handler)
    }

    pub(crate) fn with_config(mut config: Config, handler: impl Handler) -> TestServer {
        // CI runs the tests once more with other numbers, where a test does not say its own.
        if let Some(lists) = number_from_environment("SOCKEYE_TEST_READY_LISTS") {
            config.ready_lists = config.ready_lists.max(lists);
        }
        if config.active_threads == Config::default().active_threads
            && let Some(threads) = number_from_environment("SOCKEYE_TEST_ACTIVE_THREADS")
        {
            config.active_threads = threads;
        }
        let server = Server::bind("127.0.0.1:0")
            .expect("a free port")
            .with_config(config);
        let address = server.local_addrs()[0];
        let stopper = server.stopper();
        let thread = thread::spawn(move || server.serve(handler).expect("the server serves"));
        TestServer {
            address,
            stopper,
            thread: Some(thread),
        }
    }

    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Sends one request on a connection of its own and returns the answer.
    pub(crate) fn ask(&self, request: &str) -> Answer {
        self.connect().ask(request)
    }

    /// Waits until the server has ended by itself or because it was stopped.
    pub(crate) fn wait(mut self) -> Summary {
        let thread = self.thread.take().expect("it is taken once");
        thread.join().expect("the server does not panic")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stopper.stop();
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            // A test that fails for another reason should show that one.
            let _ = thread.join();
        }
    }
}

/// A client that says exactly what it is told to.
pub(crate) struct Client {
    stream: TcpStream,
    heard: Vec<u8>,
}

/// One answer, its body decoded.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let lines = self
            .head
            .split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        Client::from(TcpStream::connect(address).expect("the server listens"))
    }

    /// The client at this end of a connection.
    pub(crate) fn from(stream: TcpStream) -> Client {
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a timeout can be set");
        stream
            .set_write_timeout(Some(PATIENCE))
            .expect("a timeout can be set");
        Client {
            stream,
            heard: Vec::new(),
        }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Says `bytes`, which may break off anywhere.
    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the server listens");
    }

    /// Says a request line such as `GET /`, completed to a whole request, and returns the answer.
    pub(crate) fn ask(&mut self, request: &str) -> Answer {
        self.say(format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        if request.starts_with("HEAD ") {
            self.hear_head()
        } else {
            self.hear()
        }
    }

    /// Says nothing more, but goes on listening.
    pub(crate) fn end(&mut self) {
        self.stream
            .shutdown(std::net::Shutdown::Write)
            .expect("the connection is there");
    }

    /// Hears one answer without a body.
    pub(crate) fn hear_head(&mut self) -> Answer {
        let end = loop {
            match find(&self.heard, b"\r\n\r\n") {
                Some(at) => break at,
                None => assert!(
                    self.hear_more(),
                    "the connection closed in a head: {}",
                    self.so_far()
                ),
            }
        };
        let head: Vec<u8> = self.heard.drain(..end + 4).collect();
        let head = String::from_utf8(head[..end].to_vec()).expect("our heads are text");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Answer {
            status: status.unwrap_or_else(|| panic!("no status line: {head}")),
            head,
            body: Vec::new(),
        }
    }

    /// Hears one answer, body and all.
    pub(crate) fn hear(&mut self) -> Answer {
        let mut answer = self.hear_head();
        if matches!(answer.status, 100..200 | 204 | 304) {
            return answer;
        }
        answer.body = match answer
            .field("Content-Length")
            .map(|length| length.parse().expect("a number"))
        {
            Some(length) => self.hear_exactly(length),
            None if answer.field("Transfer-Encoding") == Some("chunked") => self.hear_chunks(),
            None => self.hear_to_end(),
        };
        answer
    }

    /// Hears everything until the server closes.
    pub(crate) fn hear_to_end(&mut self) -> Vec<u8> {
        while self.hear_more() {}
        std::mem::take(&mut self.heard)
    }

    /// Hears exactly `count` bytes.
    pub(crate) fn hear_exactly(&mut self, count: usize) -> Vec<u8> {
        while self.heard.len() < count {
            assert!(
                self.hear_more(),
                "the connection closed after {} of {count} bytes",
                self.heard.len()
            );
        }
        self.heard.drain(..count).collect()
    }

    /// Whether the server closes the connection without another word.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.heard.is_empty() && !self.hear_more()
    }

    fn hear_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let chunk = self.hear_chunk();
            if chunk.is_empty() {
                return body;
            }
            body.extend(chunk);
        }
    }

    /// Hears one chunk; the last is empty.
    pub(crate) fn hear_chunk(&mut self) -> Vec<u8> {
        let line = self.hear_line();
        let size =
            usize::from_str_radix(&line, 16).unwrap_or_else(|_| panic!("no chunk size: {line:?}"));
        let chunk = self.hear_exactly(size);
        assert_eq!(self.hear_line(), "");
        chunk
    }

    fn hear_line(&mut self) -> String {
        loop {
            if let Some(end) = find(&self.heard, b"\r\n") {
                let line: Vec<u8> = self.heard.drain(..end + 2).collect();
                return String::from_utf8(line[..end].to_vec()).expect("framing is text");
            }
            assert!(
                self.hear_more(),
                "the connection closed in a line: {}",
                self.so_far()
            );
        }
    }

    /// Reads once. `false` at the end, which a reset is too; a server that says nothing for too long fails the test.
    fn hear_more(&mut self) -> bool {
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece) {
            Ok(count) => {
                self.heard.extend_from_slice(&piece[..count]);
                count > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => true,
            Err(error) => panic!("{error} after {}", self.so_far()),
        }
    }

    fn so_far(&self) -> String {
        let end = &self.heard[self.heard.len().saturating_sub(1000)..];
        format!("{} bytes, … {}", self.heard.len(), end.escape_ascii())
    }
}

fn number_from_environment(name: &str) -> Option<usize> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}

/// Waits until `condition` holds; a test that waits too long fails with `what`.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited too long until {what}");
        thread::yield_now();
    }
}
