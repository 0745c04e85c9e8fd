//! When the monitor looks next, and what wakes it before.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// The monitor sleeps until it is woken.
const UNTIL_WOKEN: u64 = u64::MAX;
/// The monitor is awake.
const AWAKE: u64 = 0;

/// Wakes the monitor for a deadline that is before its next look.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    monitor: OnceLock<Thread>,
    /// When the monitor looks next, in milliseconds; or [`AWAKE`].
    set_for: AtomicU64,
}

impl Alarm {
    /// Makes the calling thread the monitor.
    pub(super) fn enlist_monitor(&self) {
        // A second call would be for the same thread: a server has one monitor.
        let _ = self.monitor.set(thread::current());
    }

    /// Has the monitor look now.
    pub(super) fn wake(&self) {
        self.set_for.store(AWAKE, Ordering::SeqCst);
        if let Some(monitor) = self.monitor.get() {
            monitor.unpark();
        }
    }

    /// Has the monitor look now if it would look after `millis`.
    pub(super) fn wake_before(&self, millis: u64) {
        if millis < self.set_for.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Has the monitor look now if it sleeps.
    pub(super) fn wake_if_asleep(&self) {
        if self.set_for.load(Ordering::SeqCst) != AWAKE {
            self.wake();
        }
    }

    /// Lets the monitor sleep until it is woken, or until what `next_look` returns: a time in milliseconds and how long
    /// it is till then, or nothing to wait for. `None` from it: there is something to do now.
    ///
    /// What becomes due while `next_look` runs wakes the monitor.
    pub(super) fn sleep(&self, next_look: impl FnOnce() -> Option<Option<(u64, Duration)>>) {
        self.set_for.store(UNTIL_WOKEN, Ordering::SeqCst);
        if let Some(next) = next_look() {
            let millis = next.map_or(UNTIL_WOKEN, |(millis, _)| millis.max(AWAKE + 1));
            let set = self.set_for.compare_exchange(
                UNTIL_WOKEN,
                millis,
                Ordering::SeqCst,
                Ordering::SeqCst,
            );
            match (set, next) {
                // It was woken meanwhile.
                (Err(_), _) => {}
                (Ok(_), Some((_, wait))) => thread::park_timeout(wait),
                (Ok(_), None) => thread::park(),
            }
        }
        self.set_for.store(AWAKE, Ordering::SeqCst);
    }
}
