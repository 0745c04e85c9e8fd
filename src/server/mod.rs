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

// From reports on epoll, not from measurements of ours.
const CORES_PER_CREW: usize = 8;

// A thread's stack as far as it is used, its conversation and its scratch buffer.
const THREAD_BYTES: usize = 256 * 1024;

/// What a server allows itself and its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Threads in all. So many handlers less `active_threads` may block without delaying anybody else.
    pub threads: usize,
    /// Threads that work at the same time; more than the machine has cores is slower.
    pub active_threads: usize,
    /// How many crews share the threads and connections, each with a ready list of its own. One list is best for a few
    /// cores; past about eight its lock is what they wait for.
    pub crews: usize,
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
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Config {
            threads: cores + 30,
            active_threads: cores,
            crews: cores.div_ceil(CORES_PER_CREW),
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

    /// What one of the crews gets of all this.
    fn of_one_crew(&self) -> Config {
        let crews = self.crews.max(1);
        Config {
            threads: self.threads.div_ceil(crews),
            active_threads: self.active_threads.div_ceil(crews).max(1),
            crews: 1,
            connections_max: self.connections_max.div_ceil(crews),
            ..self.clone()
        }
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
        let handler: Arc<dyn Handler> = Arc::new(handler);
        let listeners: Arc<[TcpListener]> = self.listeners.into();
        let config = self.config.of_one_crew();
        let crews = (0..self.config.crews.max(1))
            .map(|_| {
                Shared::new(config.clone(), Arc::clone(&handler), Arc::clone(&listeners))
                    .map(Arc::new)
            })
            .collect::<io::Result<Vec<_>>>()?;
        self.stopper.watch_over(&crews);
        let serve = |crew: &Arc<Shared>| {
            let served = serve_with(crew, &self.stopper);
            if served.is_err() {
                self.stopper.stop_now();
            }
            served
        };
        let (first, others) = crews.split_first().expect("there is one crew at least");
        thread::scope(|scope| {
            let others = others
                .iter()
                .map(|crew| thread::Builder::new().spawn_scoped(scope, || serve(crew)))
                .collect::<io::Result<Vec<_>>>()
                .inspect_err(|_| self.stopper.stop_now())?;
            let mut summary = serve(first)?;
            for other in others {
                let Summary { finished, cut } = other
                    .join()
                    .map_err(|_| io::Error::other("a watchman panicked"))??;
                summary.finished += finished;
                summary.cut += cut;
            }
            Ok(summary)
        })
    }
}

/// Serves with one crew, the calling thread being its watchman.
fn serve_with(crew: &Arc<Shared>, stopper: &Stopper) -> io::Result<Summary> {
    crew.crew.enlist_watchman();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(crew.at_work())
        .thread_name(|index| format!("sockeye-{index}"))
        .build()
        .map_err(io::Error::other)?;
    let shared = Arc::clone(crew);
    pool.spawn_broadcast(move |member| {
        Acceptor::new(&shared).run(member.index());
        shared.go_home();
    });
    Ok(watchman::watch(crew, stopper))
}

/// Stops a server.
#[derive(Debug, Clone, Default)]
pub struct Stopper {
    inner: Arc<StopperInner>,
}

#[derive(Debug, Default)]
struct StopperInner {
    state: AtomicU8,
    crews: Mutex<Vec<Weak<Shared>>>,
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
        let crews = self
            .inner
            .crews
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for crew in crews.iter().filter_map(Weak::upgrade) {
            crew.crew.wake_watchman();
        }
    }

    fn stop_now(&self) {
        self.stop();
        self.stop();
    }

    fn state(&self) -> Stop {
        match self.inner.state.load(Ordering::SeqCst) {
            0 => Stop::No,
            1 => Stop::WithGrace,
            _ => Stop::Now,
        }
    }

    fn watch_over(&self, crews: &[Arc<Shared>]) {
        *self
            .inner
            .crews
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = crews.iter().map(Arc::downgrade).collect();
    }
}
