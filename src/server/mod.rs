//! Sockets and threads: carries bytes between clients and a [`Handler`].
//!
//! A connection at rest costs no thread and no buffer: it has a slot in the table (`connections`), a place in one of the
//! kernel's ready lists (`ready_lists`, `poller`) and a deadline. A worker (`worker`) takes a batch of events from its own
//! list; any worker that has nothing to do may take from the batch (`ready_queue`); it receives, asks the handler, responds
//! (`connection`), sets the connection down and takes the next event. As many work as have a run permit (`worker_pool`); the monitor (`monitor`) gives the
//! permits of those that block to others. Nothing here knows a file tree, a route or a media type.

mod alarm;
mod atomics;
mod clock;
mod config;
mod connection;
mod connections;
mod context;
mod event;
mod exchange;
mod listener;
mod monitor;
mod panics;
mod poller;
mod ready_lists;
mod ready_queue;
mod send;
mod shared;
mod slot_state;
mod socket;
mod timeouts;
mod waker;
mod worker;
mod worker_pool;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

pub use config::Config;
pub use listener::BindError;

use crate::handler::Handler;
use crate::sync::unpoisoned;
use shared::Shared;

/// How a server came to its end.
///
/// ```
/// use sockeye::{Router, Server};
///
/// let server = Server::bind("127.0.0.1:0")?;
/// server.stopper().stop();
/// let summary = server.serve(Router::new())?;
/// assert_eq!((summary.finished, summary.cut), (0, 0)); // Nobody came.
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Connections that were open when it was stopped and came to their own end.
    pub finished: usize,
    /// Connections that were cut because the grace period was over.
    pub cut: usize,
}

/// A server that listens and has not begun to serve.
///
/// ```
/// use sockeye::{Config, Router, Server};
///
/// let config = Config { connections_max: 100, ..Config::default() };
/// let server = Server::bind("127.0.0.1:0")?.with_config(config);
/// println!("listening on {}", server.local_addrs()[0]);
/// let stopper = server.stopper();
/// std::thread::spawn(move || stopper.stop());
/// let summary = server.serve(Router::new().get("/", |_| "hello\n"))?;
/// assert_eq!(summary.cut, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    config: Config,
    stopper: Stopper,
}

impl Server {
    /// Listens on every address that `addresses` names, or on none. Port 0 lets the system choose one, the same for all.
    ///
    /// Clients may connect from now on; they are answered once [`Server::serve`] is called.
    ///
    /// # Errors
    ///
    /// If an address cannot be listened on, which the error names, or if `addresses` names none.
    ///
    /// ```
    /// use sockeye::Server;
    ///
    /// let first = Server::bind("127.0.0.1:0")?;
    /// let error = Server::bind(first.local_addrs()[0]).expect_err("it listens there already");
    /// assert_eq!(error.address, Some(first.local_addrs()[0]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind(addresses: impl ToSocketAddrs + fmt::Debug) -> Result<Server, BindError> {
        Ok(Server {
            listeners: listener::bind(&listener::resolve(addresses)?)?,
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
        self.serve_and(handler, || {})
    }

    /// Like [`Server::serve`], and calls `ready` once clients are answered: on this thread, which must not wait there.
    ///
    /// ```
    /// use sockeye::{Router, Server};
    ///
    /// let server = Server::bind("127.0.0.1:0")?;
    /// let (address, stopper) = (server.local_addrs()[0], server.stopper());
    /// let ready = || {
    ///     println!("http://{address}/ answers");
    ///     stopper.stop(); // A program that serves goes on here.
    /// };
    /// server.serve_and(Router::new(), ready)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn serve_and(self, handler: impl Handler, ready: impl FnOnce()) -> io::Result<Summary> {
        let shared = Shared::new(self.config, Box::new(handler), self.listeners)?;
        let shared = Arc::new(shared);
        shared.alarm.enlist_monitor();
        self.stopper.watch_over(&shared);
        let workers = rayon::ThreadPoolBuilder::new()
            .num_threads(shared.pool.workers())
            .thread_name(|number| format!("sockeye-{number}"))
            .build()
            .map_err(io::Error::other)?;
        let of_workers = Arc::clone(&shared);
        workers.spawn_broadcast(move |thread| {
            worker::work(&of_workers, thread.index());
            of_workers.note_ended();
        });
        ready();
        Ok(monitor::monitor(&shared, &self.stopper))
    }
}

/// Stops a server.
///
/// ```
/// use std::thread;
///
/// use sockeye::{Router, Server};
///
/// let server = Server::bind("127.0.0.1:0")?;
/// let stopper = server.stopper();
/// assert_eq!(stopper.active(), 0);
/// let serving = thread::spawn(|| server.serve(Router::new().get("/", |_| "hello\n")));
/// stopper.stop(); // On a signal, say.
/// let summary = serving.join().expect("it does not panic")?;
/// assert_eq!(summary.cut, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
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
    /// Stops the server: it accepts no new connection, closes what is idle, and finishes what is being answered within
    /// the grace period. A second call ends it at once.
    pub fn stop(&self) {
        // Twice is all there is.
        let _ = self
            .inner
            .state
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |state| {
                (state < 2).then_some(state + 1)
            });
        if let Some(shared) = self.server().upgrade() {
            shared.alarm.wake();
        }
    }

    /// How many connections have a request or an answer under way.
    pub fn active(&self) -> usize {
        let server = self.server().upgrade();
        server.map_or(0, |shared| shared.connections.active())
    }

    fn state(&self) -> Stop {
        match self.inner.state.load(Ordering::SeqCst) {
            0 => Stop::No,
            1 => Stop::WithGrace,
            _ => Stop::Now,
        }
    }

    fn watch_over(&self, shared: &Arc<Shared>) {
        *self.server() = Arc::downgrade(shared);
    }

    fn server(&self) -> MutexGuard<'_, Weak<Shared>> {
        unpoisoned(self.inner.server.lock())
    }
}
