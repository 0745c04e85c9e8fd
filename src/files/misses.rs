//! Where nothing was a moment ago, so that requests that came together are looked up once.
//!
//! It holds for a request that was received before the look began: what was true at any time after that is true enough,
//! as it is for what the [cache](super::cache) remembers. No later request is answered from it.

use std::sync::Mutex;
use std::time::Instant;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::message::Request;
use crate::sync::unpoisoned;

/// How many paths are remembered.
const SLOTS: usize = 16;

/// A longer path is looked up every time.
const PATH_BYTES_MAX: usize = 256;

/// The last path of each slot at which there was nothing, still percent-encoded, and when the look at it began.
#[derive(Debug)]
pub(super) struct Misses {
    seed: u64,
    slots: [Mutex<(String, Option<Instant>)>; SLOTS],
}

impl Misses {
    /// Of no path yet. Without knowing `seed`, no client can choose a slot.
    pub(super) fn new(seed: u64) -> Misses {
        Misses {
            seed,
            slots: Default::default(),
        }
    }

    /// Whether nothing was at the path of `request` after it had been received.
    pub(super) fn is_known(&self, request: &Request) -> bool {
        let slot = unpoisoned(self.slot(request.path()).lock());
        // Made by hand, it came from nowhere and alone.
        let is_later = |received| slot.1.is_some_and(|looked| received < looked);
        request.received().is_some_and(is_later) && slot.0 == request.path()
    }

    /// Remembers that nothing was at `path` when it was looked for, from `began` on.
    pub(super) fn remember(&self, path: &str, began: Instant) {
        if path.len() > PATH_BYTES_MAX {
            return;
        }
        let mut slot = unpoisoned(self.slot(path).lock());
        slot.0.clear();
        slot.0.push_str(path);
        slot.1 = Some(began);
    }

    fn slot(&self, path: &str) -> &Mutex<(String, Option<Instant>)> {
        &self.slots[xxh3_64_with_seed(path.as_bytes(), self.seed) as usize % SLOTS]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_look_holds_for_what_was_received_before_it() {
        let misses = Misses::new(1);
        let looked = Instant::now() + Duration::from_secs(1);
        let asked = |path: &str, received| {
            let mut request = Request::get(path);
            request.received = received;
            misses.is_known(&request)
        };
        let before = Some(looked - Duration::from_nanos(1));
        assert!(!asked("/a", before));
        misses.remember("/a", looked);
        assert!(asked("/a", before) && !asked("/a", Some(looked)));
        assert!(!asked("/b", before) && !asked("/a", None));
        let long = format!("/{}", "a".repeat(PATH_BYTES_MAX));
        misses.remember(&long, looked);
        assert!(!asked(&long, before) && asked("/a", before));
    }
}
