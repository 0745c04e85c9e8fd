//! What all threads of a server share.

use std::io;
use std::iter;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::Config;
use super::alarm::Alarm;
use super::connections::{Connections, Lease};
use super::context::SpareConversations;
use super::event::Source;
use super::listener;
use super::panics::survive;
use super::poller::{Poller, Signal};
use super::ready_queue::ReadyQueue;
use super::worker_pool::WorkerPool;
use crate::handler::Handler;
use crate::sync::{RateLimit, unpoisoned};

// How long accepting pauses after descriptors or memory ran out.
const PAUSE: Duration = Duration::from_millis(100);

/// A server's state.
pub(super) struct Shared {
    pub(super) config: Config,
    /// There until this is dropped.
    handler: Option<Box<dyn Handler>>,
    pub(super) listeners: Vec<TcpListener>,
    pub(super) connections: Arc<Connections>,
    pub(super) queue: ReadyQueue,
    pub(super) spare: SpareConversations,
    pub(super) pool: WorkerPool,
    pub(super) alarm: Arc<Alarm>,
    /// Reports each list on which something becomes ready. Workers sleep here.
    pub(super) reported: Poller,
    /// Workers that sleep.
    pub(super) sleepers: AtomicUsize,
    /// Raised when there is work in the queue while a worker sleeps.
    pub(super) work: Signal,
    shutdown: Signal,
    /// Workers that have not ended.
    running: AtomicUsize,
    is_closing: AtomicBool,
    /// Whether accepting is paused. Held while the listeners are put on the lists or taken off them.
    is_paused: Mutex<bool>,
    /// Of the warnings that a fault may repeat.
    pub(super) warnings: RateLimit,
}

impl Shared {
    pub(super) fn new(
        config: Config,
        handler: Box<dyn Handler>,
        listeners: Vec<TcpListener>,
    ) -> io::Result<Shared> {
        let permits = config.active_threads.max(1);
        let workers = config.threads.max(permits + 1);
        let lists = config.ready_lists.clamp(1, permits);
        let alarm = Arc::new(Alarm::default());
        let connections = Connections::new(config.connections_max, lists, Arc::clone(&alarm))?;
        let shared = Shared {
            connections: Arc::new(connections),
            queue: ReadyQueue::new(permits),
            spare: SpareConversations::default(),
            pool: WorkerPool::new(workers, permits, Arc::clone(&alarm)),
            alarm,
            reported: Poller::new()?,
            sleepers: AtomicUsize::new(0),
            work: Signal::for_one()?,
            shutdown: Signal::for_all()?,
            running: AtomicUsize::new(workers),
            config,
            handler: Some(handler),
            listeners,
            is_closing: AtomicBool::new(false),
            is_paused: Mutex::new(true),
            warnings: RateLimit::new(),
        };
        for (number, list) in shared.lists().iter().enumerate() {
            shared.reported.add_list(list, Source::List(number))?;
        }
        shared.reported.add_signal(&shared.work, Source::Work)?;
        shared
            .reported
            .add_signal(&shared.shutdown, Source::Shutdown)?;
        shared.listen()?;
        Ok(shared)
    }

    /// Who answers.
    pub(super) fn handler(&self) -> &dyn Handler {
        let handler = self.handler.as_deref();
        handler.expect("it is there until the server is dropped")
    }

    /// The ready lists that connections and listeners are in.
    pub(super) fn lists(&self) -> &[Poller] {
        self.connections.lists()
    }

    /// Has a list reported once more, if anything is ready there.
    pub(super) fn report(&self, list: usize) {
        let source = Source::List(list);
        // It fails only for want of kernel memory; then the list is looked at by its own workers alone.
        let _ = self.reported.rearm_list(&self.lists()[list], source);
    }

    /// Has the lists report new clients.
    fn listen(&self) -> io::Result<()> {
        let mut is_paused = self.is_paused();
        for (number, listener) in self.listeners.iter().enumerate() {
            for (index, list) in self.lists().iter().enumerate() {
                let source = Source::Listener {
                    number,
                    list: index,
                };
                if let Err(error) = list.add_listener(listener, source) {
                    self.stop_listening();
                    return Err(error);
                }
            }
            let list = number % self.lists().len();
            let source = Source::Listener { number, list };
            // Not by `listen_on`, which pauses when it fails, and the pause is locked here.
            if let Err(error) = self.lists()[list].arm_listener(listener, source) {
                self.stop_listening();
                return Err(error);
            }
        }
        *is_paused = false;
        Ok(())
    }

    /// Has the lists report new clients again; if that fails, the pause goes on.
    pub(super) fn resume_accepting(&self) {
        if let Err(error) = self.listen() {
            self.warn_of_accepting(&error);
        }
    }

    /// Has a list report the next client of a listener: one list at a time and once, since otherwise nearly every new
    /// connection would wake a second thread for nothing.
    pub(super) fn listen_on(&self, number: usize, list: usize) {
        let list = list % self.lists().len();
        let source = Source::Listener { number, list };
        match self.lists()[list].arm_listener(&self.listeners[number], source) {
            // It is not on the list if the server is stopping, or accepting is paused.
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.pause_accepting(&error),
            _ => {}
        }
    }

    /// Has the lists report no new clients; those that connect wait in the kernel's queue.
    pub(super) fn stop_listening(&self) {
        for list in self.lists() {
            for listener in &self.listeners {
                // It is not on the list if accepting is paused.
                let _ = list.remove(listener);
            }
        }
    }

    /// Pauses accepting, such as when descriptors or memory have run out.
    pub(super) fn pause_accepting(&self, error: &io::Error) {
        let mut is_paused = self.is_paused();
        // When the server stops, nothing listens any more, and that is no failure.
        if !*is_paused && !self.is_closing() {
            *is_paused = true;
            self.stop_listening();
            self.warn_of_accepting(error);
            self.alarm.wake();
        }
    }

    /// When to accept again, if accepting is paused.
    pub(super) fn resume_at(&self, now: Instant) -> Option<Instant> {
        (*self.is_paused()).then(|| now + PAUSE)
    }

    fn is_paused(&self) -> MutexGuard<'_, bool> {
        unpoisoned(self.is_paused.lock())
    }

    fn warn_of_accepting(&self, error: &io::Error) {
        if self.warnings.admits() {
            let remedy = match listener::is_want_of_descriptors(error) {
                true => "; raise the limit with ulimit -n",
                false => "",
            };
            tracing::warn!(target: "sockeye", %error, "cannot accept connections for now{remedy}");
        }
    }

    /// Warns that a client was turned away for want of slots.
    pub(super) fn note_full(&self) {
        if self.warnings.admits() {
            let connections = self.config.connections_max;
            tracing::warn!(target: "sockeye", connections, "all connections are busy; see --max-connections");
        }
    }

    /// Whether the server is stopping.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// From now on every answer is the last on its connection.
    pub(super) fn begin_closing(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
    }

    /// How many workers have not ended.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// A worker has ended.
    pub(super) fn note_ended(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.alarm.wake();
    }

    /// The leases of all connections that no worker drives, once all workers end.
    pub(super) fn left_over(&self) -> impl Iterator<Item = Lease<'_>> {
        let queued = iter::from_fn(|| self.queue.take(0));
        let queued = queued.filter_map(|event| self.connections.acquire(event));
        self.connections.at_rest_all().chain(queued)
    }

    /// Has all workers end.
    pub(super) fn shut_down(&self) {
        self.pool.dismiss();
        self.shutdown.raise();
    }
}

/// The last thread of the pool may be who drops it, and a panic would end the process there.
impl Drop for Shared {
    fn drop(&mut self) {
        let handler = self.handler.take();
        survive("the server has ended", || drop(handler));
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
