//! Event streams by the thousand: threads, memory, processor time with nothing sent, and how late a broadcast arrives.
//!
//!     cargo bench --bench streams [-- CLIENTS [IDLE_SECONDS [BROADCASTS]]]      # 10000 20 20, which take half a minute
//!
//! The server is a process of its own, so that its memory is its own. Both need a descriptor for each client
//! (`ulimit -n`). A latency is the time from the beginning of the request that has the event sent to the moment when a
//! client has read the event; one thread reads for all clients, so a part of it is the reader's.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use sockeye::{Broadcast, Config, Router, Server};

/// An event that has not come to all within this time is lost.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"));
    if env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    let mut number = |usual: usize| numbers.next().map_or(Ok(usual), |text| text.parse());
    let (clients, idle_seconds, broadcasts) = (number(10_000)?, number(20)?, number(20)?);
    let server = Process::start()?;
    let mut clients = open(&server, clients)?;
    idle(
        &server,
        &mut clients,
        Duration::from_secs(idle_seconds as u64),
    )?;
    tell(&server, &mut clients, broadcasts)
}

/// The server: `/events`, and `/send` for an event of eight bytes to all.
fn serve() -> Result<(), Box<dyn Error>> {
    let config = Config {
        connections_max: 60_000,
        ..Config::default()
    };
    let server = Server::bind("127.0.0.1:0")?.with_config(config);
    println!("{}", server.local_addrs()[0]);
    let feed = Broadcast::default();
    let streams = feed.clone();
    let router = Router::new()
        .get("/events", move |_| streams.subscribe())
        .post("/send", move |request| {
            feed.send(request.text()).to_string()
        });
    server.serve(router)?;
    Ok(())
}

fn open(server: &Process, count: usize) -> Result<Clients, Box<dyn Error>> {
    // What the first answer takes is not the streams'.
    Speaker::connect(server)?.say("warm")?;
    let (bytes, cpu, start) = (server.resident_bytes()?, server.cpu()?, Instant::now());
    let clients = Clients::connect(server.address, count)?;
    println!(
        "{count} streams opened in {:.1} s with {:.0} ms of CPU: {} threads, {:.1} MB ({:.1} MB without them)",
        start.elapsed().as_secs_f64(),
        (server.cpu()? - cpu).as_secs_f64() * 1e3,
        server.threads()?,
        server.resident_bytes()? / 1e6,
        bytes / 1e6,
    );
    Ok(clients)
}

fn idle(server: &Process, clients: &mut Clients, time: Duration) -> Result<(), Box<dyn Error>> {
    let (cpu, start) = (server.cpu()?, Instant::now());
    let mut heartbeats = 0;
    while start.elapsed() < time {
        clients.read(Duration::from_millis(100), |_| heartbeats += 1)?;
    }
    let percent = (server.cpu()? - cpu).as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    println!("nothing sent for {time:?}: {heartbeats} heartbeats, {percent:.2} % of a core");
    Ok(())
}

fn tell(server: &Process, clients: &mut Clients, broadcasts: usize) -> Result<(), Box<dyn Error>> {
    let (mut late, mut last) = (Vec::new(), Vec::new());
    let mut speaker = Speaker::connect(server)?;
    let cpu = server.cpu()?;
    for number in 0..broadcasts {
        let event = format!("event {number:08}");
        let (start, mut times) = (Instant::now(), Vec::new());
        speaker.ask(&event)?;
        while times.len() < clients.streams.len() {
            clients.read(PATIENCE, |bytes| {
                if bytes
                    .windows(event.len())
                    .any(|part| part == event.as_bytes())
                {
                    times.push(start.elapsed());
                }
            })?;
            if start.elapsed() > PATIENCE {
                return Err(format!("the event came to {} clients only", times.len()).into());
            }
        }
        speaker.hear()?;
        last.extend(times.last().copied());
        late.append(&mut times);
    }
    let each = (server.cpu()? - cpu).as_secs_f64() * 1e6 / late.len().max(1) as f64;
    println!(
        "{broadcasts} broadcasts: p50 {:.1} ms, p99 {:.1} ms; the last client {:.1} ms (median), {:.1} ms (worst)",
        at(&mut late, 50),
        at(&mut late, 99),
        at(&mut last, 50),
        at(&mut last, 100),
    );
    println!(
        "{each:.1} µs of CPU for each client; {} threads, {:.1} MB",
        server.threads()?,
        server.resident_bytes()? / 1e6
    );
    Ok(())
}

/// A percentile, in milliseconds.
fn at(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let time = times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
    time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

/// The server, ended when it is dropped.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start() -> Result<Process, Box<dyn Error>> {
        let mut command = Command::new(env::current_exe()?);
        let mut child = command.arg("serve").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("it is piped")).read_line(&mut line)?;
        let address = line.trim().parse()?;
        Ok(Process { child, address })
    }

    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }

    fn resident_bytes(&self) -> Result<f64, Box<dyn Error>> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kibibytes.ok_or("no VmRSS")?.parse::<f64>()? * 1024.0)
    }

    fn threads(&self) -> io::Result<usize> {
        Ok(fs::read_dir(self.proc("task"))?.count())
    }

    /// What its threads have had of the processor.
    fn cpu(&self) -> Result<Duration, Box<dyn Error>> {
        let mut sum = 0;
        for task in fs::read_dir(self.proc("task"))? {
            let times = fs::read_to_string(task?.path().join("schedstat"))?;
            sum += times.split(' ').next().ok_or("no times")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(sum))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Who has an event sent.
struct Speaker(TcpStream);

impl Speaker {
    fn connect(server: &Process) -> io::Result<Speaker> {
        TcpStream::connect(server.address).map(Speaker)
    }

    fn say(&mut self, event: &str) -> io::Result<()> {
        self.ask(event)?;
        self.hear()
    }

    fn ask(&mut self, event: &str) -> io::Result<()> {
        let length = event.len();
        let request =
            format!("POST /send HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{event}");
        self.0.write_all(request.as_bytes())
    }

    fn hear(&mut self) -> io::Result<()> {
        let mut answer = [0; 4096];
        let count = self.0.read(&mut answer)?;
        assert!(answer[..count].starts_with(b"HTTP/1.1 200 "));
        Ok(())
    }
}

/// Those who listen.
struct Clients {
    streams: Vec<TcpStream>,
    list: OwnedFd,
}

impl Clients {
    fn connect(address: SocketAddr, count: usize) -> Result<Clients, Box<dyn Error>> {
        let list = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut streams = Vec::with_capacity(count);
        for number in 0..count {
            let mut stream = TcpStream::connect(address)?;
            stream.write_all(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")?;
            stream.set_nonblocking(true)?;
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&list, &stream, data, epoll::EventFlags::IN)?;
            streams.push(stream);
        }
        let mut clients = Clients { streams, list };
        let (mut heads, start) = (0, Instant::now());
        while heads < count {
            clients.read(PATIENCE, |bytes| {
                heads += usize::from(bytes.starts_with(b"HTTP/1.1 200 "))
            })?;
            if start.elapsed() > PATIENCE {
                return Err(format!("only {heads} streams were opened").into());
            }
        }
        Ok(clients)
    }

    /// Reads from some that have something.
    fn read(
        &mut self,
        patience: Duration,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), Box<dyn Error>> {
        let mut events = Vec::with_capacity(256);
        let patience = Timespec::try_from(patience)?;
        epoll::wait(&self.list, spare_capacity(&mut events), Some(&patience))?;
        let mut bytes = [0; 4096];
        for event in events {
            let number = event.data.u64() as usize;
            match self.streams[number].read(&mut bytes)? {
                0 => return Err("the server has closed a stream".into()),
                count => take(&bytes[..count]),
            }
        }
        Ok(())
    }
}
