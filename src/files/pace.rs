//! At most once a second, by whichever thread comes first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const INTERVAL_MILLIS: u64 = 1000;

#[derive(Debug)]
pub(super) struct Pace {
    made: Instant,
    /// When it was last due, in milliseconds; counted so that the first question finds it due.
    last: AtomicU64,
}

impl Pace {
    pub(super) fn new() -> Pace {
        Pace {
            made: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// A number that is another one after each time it was due.
    pub(super) fn count(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// Whether a second has passed since somebody was told so.
    pub(super) fn is_due(&self) -> bool {
        let now = self.made.elapsed().as_millis() as u64 + INTERVAL_MILLIS;
        let last = self.last.load(Ordering::Relaxed);
        now.saturating_sub(last) >= INTERVAL_MILLIS
            && self
                .last
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}
