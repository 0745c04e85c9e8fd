//! What all threads of a crew share.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};

use super::Config;
use super::crew::Crew;
use super::listener;
use super::parking::Parking;
use super::poller::Poller;
use crate::handler::Handler;

/// The token of the bell that sends everybody home.
pub(super) const END_TOKEN: u64 = u64::MAX;

// Places have indices far below this.
const FIRST_LISTENER_TOKEN: u64 = u64::MAX << 8;

// How long nobody accepts after descriptors or memory ran out.
const PAUSE: Duration = Duration::from_millis(100);

// The same complaint is made at most so often.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(1);

/// One crew's state. Crews that serve side by side have the handler and the listeners in common.
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) listeners: Arc<[TcpListener]>,
    pub(super) poller: Poller,
    pub(super) parking: Parking,
    pub(super) crew: Crew,
    /// Members that have not gone home.
    at_work: AtomicUsize,
    bell: OwnedFd,
    began: Instant,
    is_closing: AtomicBool,
    /// Whether nobody is accepted for a moment. Held while the listeners are put on the list or taken off it.
    is_paused: Mutex<bool>,
    /// When the last complaint was made, in milliseconds since `began`.
    complained: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        config: Config,
        handler: Arc<dyn Handler>,
        listeners: Arc<[TcpListener]>,
    ) -> io::Result<Shared> {
        let poller = Poller::new()?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        poller.add_bell(&bell, END_TOKEN)?;
        let members = config.threads.max(config.active_threads + 1);
        let shared = Shared {
            parking: Parking::new(config.connections_max),
            crew: Crew::new(members, config.active_threads),
            at_work: AtomicUsize::new(members),
            config,
            handler,
            listeners,
            poller,
            bell,
            began: Instant::now(),
            is_closing: AtomicBool::new(false),
            is_paused: Mutex::new(true),
            complained: AtomicU64::new(0),
        };
        shared.listen()?;
        Ok(shared)
    }

    /// Has the poller tell of new clients.
    pub(super) fn listen(&self) -> io::Result<()> {
        let mut is_paused = self.is_paused();
        for (index, listener) in self.listeners.iter().enumerate() {
            let token = FIRST_LISTENER_TOKEN + index as u64;
            if let Err(error) = self.poller.add_listener(listener, token) {
                self.stop_listening();
                return Err(error);
            }
        }
        *is_paused = false;
        Ok(())
    }

    /// Has the poller tell of new clients again; if that fails, the pause goes on.
    pub(super) fn resume_accepting(&self) {
        if let Err(error) = self.listen() {
            self.complain_of_accepting(&error);
        }
    }

    /// Has the poller tell of the next client of a listener. Were it told of all of them all the time, nearly every new
    /// connection would wake a second thread for nothing.
    pub(super) fn listen_on(&self, index: usize) {
        let token = FIRST_LISTENER_TOKEN + index as u64;
        match self.poller.rearm_listener(&self.listeners[index], token) {
            // It is not on the list if the server is stopping, or accepting is paused.
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.pause_accepting(&error),
            _ => {}
        }
    }

    /// Has the poller tell of no new clients; those that knock wait with the kernel.
    pub(super) fn stop_listening(&self) {
        for listener in self.listeners.iter() {
            // It is not on the list if accepting is paused.
            let _ = self.poller.forget(listener);
        }
    }

    /// Accepts nobody for a moment: there are no descriptors, say, or no memory for one more.
    pub(super) fn pause_accepting(&self, error: &io::Error) {
        let mut is_paused = self.is_paused();
        if !*is_paused {
            *is_paused = true;
            self.stop_listening();
            self.complain_of_accepting(error);
            self.crew.wake_watchman();
        }
    }

    /// When to accept again, if accepting is paused.
    pub(super) fn resume_at(&self, now: Instant) -> Option<Instant> {
        (*self.is_paused()).then(|| now + PAUSE)
    }

    fn is_paused(&self) -> MutexGuard<'_, bool> {
        self.is_paused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn complain_of_accepting(&self, error: &io::Error) {
        self.complain(|| {
            let remedy = match listener::is_want_of_descriptors(error) {
                true => "; raise the limit with ulimit -n",
                false => "",
            };
            tracing::warn!(target: "sockeye", %error, "cannot accept connections for now{remedy}");
        });
    }

    /// Complains that a client was turned away for want of places.
    pub(super) fn note_full(&self) {
        self.complain(|| {
            let connections = self.config.connections_max;
            tracing::warn!(target: "sockeye", connections, "all connections are busy; see --max-connections");
        });
    }

    /// Makes a complaint, unless one has been made a moment ago.
    pub(super) fn complain(&self, complaint: impl FnOnce()) {
        if self.may_complain() {
            complaint();
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

    /// How many members have not gone home.
    pub(super) fn at_work(&self) -> usize {
        self.at_work.load(Ordering::SeqCst)
    }

    /// A member has gone home.
    pub(super) fn go_home(&self) {
        self.at_work.fetch_sub(1, Ordering::SeqCst);
        self.crew.wake_watchman();
    }

    /// Sends all members home.
    pub(super) fn ring_the_bell(&self) {
        self.crew.dismiss();
        // It can only fail if it has been rung before.
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    fn may_complain(&self) -> bool {
        let now = self.began.elapsed().as_millis() as u64 + 1;
        let last = self.complained.load(Ordering::Relaxed);
        (last == 0 || now - last >= COMPLAINT_INTERVAL.as_millis() as u64)
            && self
                .complained
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// Which listener `token` stands for, if it does for one.
pub(super) fn listener_index(token: u64) -> Option<usize> {
    (FIRST_LISTENER_TOKEN..END_TOKEN)
        .contains(&token)
        .then(|| (token - FIRST_LISTENER_TOKEN) as usize)
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
