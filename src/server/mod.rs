//! Sockets and threads: carries bytes between clients and a [`Handler`].
//!
//! One ready list for all, no queue and no hand-off. A connection with nothing to say is parked in the kernel with a
//! deadline and costs no thread and no buffer; only bytes bring it to a thread, which reads, answers, writes, parks
//! it again and takes the next. Nothing here knows a file tree, a route or a media type.

mod acceptor;
mod clock;
mod connection;
mod crew;
mod deadlines;
mod desk;
mod listener;
mod parking;
mod poller;
mod send;
mod shared;
mod transport;
mod watchman;

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

pub use listener::BindError;

use crate::handler::Handler;
use crate::wire::Limits;
use acceptor::Acceptor;
use shared::Shared;

// A thread's stack as far as it is used, its conversation and its scratch buffer.
const THREAD_BYTES: usize = 256 * 1024;

/// What a server allows itself and its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Threads in all. So many handlers less `active_threads` may block without delaying anybody else.
    pub threads: usize,
    /// Threads that work at the same time; more than the machine has cores is slower.
    pub active_threads: usize,
    /// Connections at the same time; the one idle longest gives way to a new one.
    pub connections_max: usize,
    /// What a request may be.
    pub limits: Limits,
    /// From the first byte of a request (or from the connection's beginning to that) to the end of its head.
    pub head_timeout: Duration,
    /// From one piece of a request's body to the next.
    pub body_timeout: Duration,
    /// For how long a client may take nothing of an answer.
    pub write_timeout: Duration,
    /// From one answer to the next request.
    pub idle_timeout: Duration,
    /// How long answers may still take when the server is stopped.
    pub grace: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            threads: 32,
            active_threads: thread::available_parallelism().map_or(1, usize::from),
            connections_max: 10_000,
            limits: Limits::default(),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            grace: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// The memory that threads and places take, in bytes, however few clients there are.
    pub fn fixed_bytes(&self) -> usize {
        let threads = self.threads.max(self.active_threads + 1);
        threads * THREAD_BYTES + self.connections_max * parking::PLACE_BYTES
    }

    /// The memory that one connection may take at most besides, in bytes: what it has said and not been answered,
    /// and what it has been answered and not taken.
    pub fn connection_bytes(&self) -> usize {
        connection::connection_bytes(&self.limits)
    }

    fn shortest_timeout(&self) -> Duration {
        let timeouts = [
            self.head_timeout,
            self.body_timeout,
            self.write_timeout,
            self.idle_timeout,
        ];
        timeouts.into_iter().min().unwrap_or_default()
    }
}

/// How a server came to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Connections that were open when it was stopped and came to their own end.
    pub finished: usize,
    /// Connections that were cut because the grace period was over.
    pub cut: usize,
}

/// A server that listens and has not begun to serve.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    config: Config,
    stopper: Stopper,
}

impl Server {
    /// Listens on every address that `addresses` names. Port 0 lets the system choose one, the same for all.
    ///
    /// Clients may connect from now on; they are answered once [`Server::serve`] is called.
    pub fn bind(addresses: impl ToSocketAddrs) -> io::Result<Server> {
        let addresses: Vec<SocketAddr> = addresses.to_socket_addrs()?.collect();
        Server::bind_all(&addresses).map_err(|error| io::Error::new(error.source.kind(), error))
    }

    /// Like [`Server::bind`], and says which address it was that failed.
    pub fn bind_all(addresses: &[SocketAddr]) -> Result<Server, BindError> {
        Ok(Server {
            listeners: listener::bind(addresses)?,
            config: Config::default(),
            stopper: Stopper::default(),
        })
    }

    /// The same server with this configuration.
    pub fn with_config(mut self, config: Config) -> Server {
        self.config = config;
        self
    }

    /// Where it listens.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        let addresses = self.listeners.iter().map(TcpListener::local_addr);
        addresses.filter_map(Result::ok).collect()
    }

    /// What stops this server, from any thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves until it is stopped, then lets answers finish for the grace period.
    ///
    /// Fails if the machine gives it no threads or no descriptors to begin with; never later.
    pub fn serve(self, handler: impl Handler) -> io::Result<Summary> {
        let shared = Arc::new(Shared::new(self.config, Box::new(handler), self.listeners)?);
        shared.crew.enlist_watchman();
        self.stopper.watch_over(&shared);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(shared.at_work())
            .thread_name(|index| format!("sockeye-{index}"))
            .build()
            .map_err(io::Error::other)?;
        let crew = Arc::clone(&shared);
        pool.spawn_broadcast(move |member| {
            Acceptor::new(&crew).run(member.index());
            crew.go_home();
        });
        Ok(watchman::watch(&shared, &self.stopper))
    }
}

/// Stops a server.
#[derive(Debug, Clone, Default)]
pub struct Stopper {
    inner: Arc<StopperInner>,
}

#[derive(Debug, Default)]
struct StopperInner {
    state: AtomicU8,
    server: Mutex<Weak<Shared>>,
}

/// How urgently a server is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    WithGrace,
    Now,
}

impl Stopper {
    /// Stops the server: it accepts nobody, closes what is idle, and finishes what is being answered within the
    /// grace period. A second call ends it at once.
    pub fn stop(&self) {
        // Twice is all there is.
        let _ = self
            .inner
            .state
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |state| {
                (state < 2).then_some(state + 1)
            });
        let server = self
            .inner
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .upgrade();
        if let Some(server) = server {
            server.crew.wake_watchman();
        }
    }

    fn state(&self) -> Stop {
        match self.inner.state.load(Ordering::SeqCst) {
            0 => Stop::No,
            1 => Stop::WithGrace,
            _ => Stop::Now,
        }
    }

    fn watch_over(&self, shared: &Arc<Shared>) {
        *self
            .inner
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(shared);
    }
}
