//! Events that have been taken from the kernel and not been handled yet.
//!
//! A batch belongs to a run permit, not to a thread: the permit's holder fills it when it is empty and takes from it
//! first; a worker that has nothing to do takes from the others'. So no event waits behind a handler that blocks.

use std::array;

use super::atomics::{AtomicU64, Ordering, fence};
use super::event::Event;
use super::poller::EVENTS_MAX;

/// A batch for every run permit.
#[derive(Debug)]
pub(super) struct ReadyQueue {
    batches: Box<[Batch]>,
}

impl ReadyQueue {
    pub(super) fn new(permits: usize) -> ReadyQueue {
        ReadyQueue {
            batches: (0..permits).map(|_| Batch::new()).collect(),
        }
    }

    /// An event of `permit`'s own batch.
    pub(super) fn take_own(&self, permit: usize) -> Option<Event> {
        self.batches[permit].take()
    }

    /// An event of `permit`'s own batch, else of any other.
    pub(super) fn take(&self, permit: usize) -> Option<Event> {
        let (before, from) = self.batches.split_at(permit);
        let batches = from.iter().chain(before);
        batches.into_iter().find_map(Batch::take)
    }

    /// Fills `permit`'s batch, which is empty. To be called by its holder alone.
    ///
    /// A look for sleepers afterwards sees every worker that does not see the batch, see [`ReadyQueue::take_or_sleep`].
    pub(super) fn fill(&self, permit: usize, events: &[Event]) {
        self.batches[permit].fill(events);
        fence(Ordering::SeqCst);
    }

    /// Like [`ReadyQueue::take`], for a worker that counts as a sleeper already: a batch that it does not see here was filled
    /// by a worker that sees it among the sleepers.
    pub(super) fn take_or_sleep(&self, permit: usize) -> Option<Event> {
        fence(Ordering::SeqCst);
        self.take(permit)
    }
}

/// Cache lines of its own, so that taking from one batch does not slow the use of another.
#[derive(Debug)]
#[repr(align(128))]
struct Batch {
    cursor: AtomicU64,
    events: [AtomicU64; EVENTS_MAX],
}

/// Where a batch is taken from next, its end, and which filling of the batch that is.
#[derive(Clone, Copy)]
struct Cursor(u64);

impl Cursor {
    fn next(self) -> usize {
        (self.0 & 0xFF) as usize
    }

    fn end(self) -> usize {
        (self.0 >> 8 & 0xFF) as usize
    }

    /// At the beginning of the next filling, of `count` events.
    fn refilled(self, count: usize) -> Cursor {
        Cursor((self.0 >> 16).wrapping_add(1) << 16 | (count as u64) << 8)
    }
}

impl Batch {
    fn new() -> Batch {
        Batch {
            cursor: AtomicU64::new(0),
            events: array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    fn take(&self) -> Option<Event> {
        let mut cursor = Cursor(self.cursor.load(Ordering::SeqCst));
        while cursor.next() < cursor.end() {
            let bits = self.events[cursor.next()].load(Ordering::Relaxed);
            // Fails if another worker took it, or if the batch was emptied and filled anew.
            match self.cursor.compare_exchange(
                cursor.0,
                cursor.0 + 1,
                Ordering::SeqCst,
                Ordering::SeqCst,
            ) {
                Ok(_) => return Some(Event::from_bits(bits)),
                Err(now) => cursor = Cursor(now),
            }
        }
        None
    }

    fn fill(&self, events: &[Event]) {
        let cursor = Cursor(self.cursor.load(Ordering::SeqCst));
        assert!(
            cursor.next() == cursor.end(),
            "a batch is filled when it is empty"
        );
        for (slot, event) in self.events.iter().zip(events) {
            slot.store(event.to_bits(), Ordering::Relaxed);
        }
        self.cursor
            .store(cursor.refilled(events.len()).0, Ordering::SeqCst);
    }
}
