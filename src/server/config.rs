//! What a server allows itself and its clients, and the memory it adds up to.

use std::thread;
use std::time::Duration;

use super::{connection, connections, context};
use crate::wire::Limits;

/// What a server allows itself and its clients.
///
/// ```
/// use std::time::Duration;
///
/// use sockeye::Config;
///
/// let config = Config {
///     connections_max: 1_000,
///     idle_timeout: Duration::from_secs(5),
///     ..Config::default()
/// };
/// assert!(config.fixed_bytes() < Config::default().fixed_bytes());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Threads in all. So many handlers less `active_threads` may block without delaying others.
    pub threads: usize,
    /// Threads that work at the same time; more than the machine has cores is slower.
    pub active_threads: usize,
    /// How many ready lists of the kernel the connections are spread over, by the processor that handles a client's packets.
    /// With one for each active thread, a connection stays with one thread, most often on the core where its packets are; a
    /// thread that has nothing to do helps those that have too much.
    pub ready_lists: usize,
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
            ready_lists: cores,
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
    /// The memory that threads and slots take, in bytes, however few clients there are.
    pub fn fixed_bytes(&self) -> usize {
        let threads = self.threads.max(self.active_threads + 1);
        threads * context::context_bytes(&self.limits)
            + context::spare_bytes(&self.limits)
            + self.connections_max * connections::SLOT_BYTES
    }

    /// The memory that one connection may take at most besides, in bytes: requests that are not answered yet,
    /// and answers that the client has not taken yet.
    ///
    /// What the allocator keeps of memory that it was given back comes on top. With glibc and handlers that collect large
    /// bodies on many threads that may be as much again; `MALLOC_ARENA_MAX=1` and `MALLOC_MMAP_THRESHOLD_=65536` in the
    /// environment make it little.
    ///
    /// ```
    /// use sockeye::Config;
    ///
    /// let mut config = Config::default();
    /// config.limits.body_bytes_max = 100 * 1024 * 1024;
    /// // A body as it comes and as it is collected: for large ones there is `Upload`.
    /// assert!(config.connection_bytes() > 200 * 1024 * 1024);
    /// ```
    pub fn connection_bytes(&self) -> usize {
        connection::connection_bytes(&self.limits)
    }

    pub(super) fn shortest_timeout(&self) -> Duration {
        let timeouts = [
            self.head_timeout,
            self.body_timeout,
            self.write_timeout,
            self.idle_timeout,
        ];
        timeouts.into_iter().min().unwrap_or_default()
    }
}
