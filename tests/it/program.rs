//! The command, running: what a test asks of the process rather than of its answers.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::param;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

use crate::support::{Answer, Client};

/// A running `sockeye`, killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    address: SocketAddr,
    /// What it says on stdout, where that is piped.
    url: String,
    // Open until the end: a reader that is gone would be a fault of its own.
    _stdout: Option<BufReader<ChildStdout>>,
}

impl Program {
    /// Serves `directory`, and has said where.
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Program {
        Program::start_with(directory, arguments, |command| {
            command.stdin(Stdio::null()).stderr(Stdio::null());
        })
    }

    /// The same with its inputs and outputs as `prepare` leaves them, but for stdout, which says where it is.
    pub(crate) fn start_with(
        directory: &Path,
        arguments: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Program {
        let mut command = command(directory, arguments);
        prepare(command.args(["--port", "0"]));
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut url = String::new();
        stdout.read_line(&mut url).expect("it says where it is");
        let port = url
            .rsplit(':')
            .next()
            .and_then(|rest| rest.split('/').next());
        let port = port
            .and_then(|port| port.parse().ok())
            .unwrap_or_else(|| panic!("no URL: {url:?}"));
        Program {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            url,
            _stdout: Some(stdout),
        }
    }

    /// The same on a port that is known beforehand, for a stdout that nobody can read.
    pub(crate) fn start_on(mut command: Command, port: u16) -> Program {
        Program {
            child: command
                .args(["--port", &port.to_string()])
                .spawn()
                .expect("it starts"),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            url: String::new(),
            _stdout: None,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> &str {
        self.url.trim_end()
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Sends one request on a connection of its own and returns the answer.
    pub(crate) fn ask(&self, request: &str) -> Answer {
        self.connect().ask(request)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// What it says on stderr, which is piped, up to the line that ends with `end`.
    pub(crate) fn hear_until(&mut self, end: &str) -> String {
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        let mut said = Vec::new();
        let mut byte = [0];
        while !said.ends_with(end.as_bytes()) {
            let count = stderr.read(&mut byte).expect("it can be read");
            assert!(count > 0, "it ended: {}", said.escape_ascii());
            said.push(byte[0]);
        }
        String::from_utf8(said).expect("it says text")
    }

    /// Waits for its end; the exit code, and all that it still said on stderr where that is piped.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said).expect("it says text");
        }
        (self.child.wait().expect("it is our child").code(), said)
    }

    /// Lets it have so many descriptors from now on.
    pub(crate) fn limit_descriptors(&self, count: u64) {
        let limit = Rlimit {
            current: Some(count),
            ..getrlimit(Resource::Nofile)
        };
        prlimit(Some(self.pid()), Resource::Nofile, limit).expect("it is our child");
    }

    pub(crate) fn descriptors(&self) -> usize {
        self.count("fd")
    }

    /// Descriptors that are sockets; those it listens on are.
    pub(crate) fn sockets(&self) -> usize {
        let path = format!("/proc/{}/fd", self.child.id());
        let entries = std::fs::read_dir(path).expect("it runs").flatten();
        let targets = entries.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        targets
            .filter(|target| {
                target
                    .as_os_str()
                    .as_encoded_bytes()
                    .starts_with(b"socket:")
            })
            .count()
    }

    pub(crate) fn threads(&self) -> usize {
        self.count("task")
    }

    /// The value of a line of its `/proc/…/status`.
    pub(crate) fn status(&self, name: &str) -> String {
        let path = format!("/proc/{}/status", self.child.id());
        let file = BufReader::new(File::open(path).expect("it runs"));
        let lines = file.lines().map(|line| line.expect("it is text"));
        let mut values = lines.filter_map(|line| {
            Some(
                line.strip_prefix(name)?
                    .strip_prefix(':')?
                    .trim()
                    .to_owned(),
            )
        });
        values.next().unwrap_or_else(|| panic!("no {name}"))
    }

    /// The processor time it has used.
    pub(crate) fn processor_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("it runs");
        let fields = stat.rsplit_once(')').expect("its name is in brackets").1;
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks
            .map(|ticks| ticks.parse::<u64>().expect("a number"))
            .sum();
        Duration::from_millis(ticks * 1000 / param::clock_ticks_per_second())
    }

    /// The memory it uses, in KiB.
    pub(crate) fn memory(&self) -> usize {
        let text = self.status("VmRSS");
        text.trim_end_matches(" kB")
            .parse()
            .expect("a number of kB")
    }

    fn count(&self, what: &str) -> usize {
        let path = format!("/proc/{}/{what}", self.child.id());
        std::fs::read_dir(path).expect("it runs").count()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended, as most tests want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command to serve `directory`, not started.
pub(crate) fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockeye"));
    command.arg(directory).args(arguments);
    // Whoever runs the tests may have them.
    command.env_remove("PORT").env_remove("HOST");
    command
}

/// Runs `work` on so many threads at once.
pub(crate) fn crowd(threads: usize, work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for number in 0..threads {
            let work = &work;
            scope.spawn(move || work(number));
        }
    });
}
