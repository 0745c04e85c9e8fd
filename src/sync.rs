//! Locks that outlive a panic, and a rate limit for messages.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LockResult, PoisonError};
use std::time::Instant;

/// What was locked, also after a panic of another thread that held it: nothing that is locked in this crate is left half
/// changed by one. For every result of a `Mutex`, an `RwLock` and a `Condvar`.
pub(crate) fn unpoisoned<T>(locked: LockResult<T>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}

/// Admits at most one call a second, of whatever thread comes first.
#[derive(Debug)]
pub(crate) struct RateLimit {
    made: Instant,
    /// When a call was last admitted, in milliseconds; counted so that the first call is.
    last: AtomicU64,
}

impl RateLimit {
    const INTERVAL_MILLIS: u64 = 1000;

    pub(crate) fn new() -> RateLimit {
        RateLimit {
            made: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// Whether a second has passed since a call was last admitted; if so, this one is.
    pub(crate) fn admits(&self) -> bool {
        let now = self.made.elapsed().as_millis() as u64 + RateLimit::INTERVAL_MILLIS;
        let last = self.last.load(Ordering::Relaxed);
        now.saturating_sub(last) >= RateLimit::INTERVAL_MILLIS
            && self
                .last
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// A number that changes with each call that is admitted.
    pub(crate) fn generation(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_lock_outlives_the_panic_of_who_held_it() {
        let mutex = Mutex::new(1);
        let panicked = std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _guard = mutex.lock();
                std::panic::resume_unwind(Box::new("on purpose"));
            });
            holder.join().is_err()
        });
        assert!(panicked && mutex.is_poisoned());
        assert_eq!(*unpoisoned(mutex.lock()), 1);
    }

    #[test]
    fn of_calls_at_once_the_first_is_admitted() {
        let limit = RateLimit::new();
        let before = limit.generation();
        assert!(limit.admits() && !limit.admits());
        assert_ne!(limit.generation(), before);
    }
}
