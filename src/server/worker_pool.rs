//! Who works, who is in reserve, and whose run permit is given to another.
//!
//! There are as many run permits as the machine has cores, and more workers than permits. Whoever has a permit handles
//! events; the others sleep in reserve. What may block (a handler, a file, a stream) is marked while it runs: a worker
//! that has been in one for some milliseconds loses its permit to one in reserve, and goes to the reserve itself when it comes
//! back. So a slow handler delays no other connection, and no code has to know beforehand what will be slow.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::alarm::Alarm;
use crate::sync::unpoisoned;

/// The worker is in something that may block.
const BLOCKING: u64 = 1;
/// The worker has a run permit.
const PERMITTED: u64 = 2;
/// One thing that may block; the bits above count them.
const STEP: u64 = 4;

/// The workers of a server, by number.
#[derive(Debug)]
pub(super) struct WorkerPool {
    workers: Box<[WorkerState]>,
    permits: Mutex<Permits>,
    permit_is_free: Condvar,
    /// How many permits are free while no worker is in reserve to take one.
    unclaimed_permits: AtomicUsize,
    is_over: AtomicBool,
    alarm: Arc<Alarm>,
}

/// A cache line each: workers count without disturbing one another.
#[derive(Debug, Default)]
#[repr(align(64))]
struct WorkerState {
    state: AtomicU64,
    permit: AtomicUsize,
}

/// A worker is in something that may block, until this is dropped.
#[derive(Debug)]
pub(super) struct Blocking<'a>(&'a AtomicU64);

impl Drop for Blocking<'_> {
    fn drop(&mut self) {
        self.0.fetch_and(!BLOCKING, Ordering::SeqCst);
    }
}

/// What the monitor saw of each worker when it last looked.
#[derive(Debug, Default)]
pub(super) struct Seen(Vec<u64>);

#[derive(Debug)]
struct Permits {
    free: VecDeque<usize>,
    in_reserve: usize,
}

impl WorkerPool {
    pub(super) fn new(workers: usize, permits: usize, alarm: Arc<Alarm>) -> WorkerPool {
        WorkerPool {
            workers: (0..workers).map(|_| WorkerState::default()).collect(),
            permits: Mutex::new(Permits {
                free: (0..permits).collect(),
                in_reserve: 0,
            }),
            permit_is_free: Condvar::new(),
            unclaimed_permits: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            alarm,
        }
    }

    /// How many workers there are.
    pub(super) fn workers(&self) -> usize {
        self.workers.len()
    }

    /// The permit of `worker`; without one it waits in reserve for one. `None` when there is no more work for anyone.
    pub(super) fn permit(&self, worker: usize) -> Option<usize> {
        if self.has_permit(worker) {
            return Some(self.workers[worker].permit.load(Ordering::Relaxed));
        }
        let mut permits = self.permits();
        permits.in_reserve += 1;
        while permits.free.is_empty() && !self.is_over() {
            permits = unpoisoned(self.permit_is_free.wait(permits));
        }
        permits.in_reserve -= 1;
        let permit = permits.free.pop_front().filter(|_| !self.is_over())?;
        self.give(worker, permit, &permits);
        Some(permit)
    }

    /// Whether `worker` has a permit still.
    pub(super) fn has_permit(&self, worker: usize) -> bool {
        self.workers[worker].state.load(Ordering::SeqCst) & PERMITTED != 0
    }

    /// Whether a permit is free: so many workers are blocked that none is in reserve.
    pub(super) fn is_short_of_workers(&self) -> bool {
        self.unclaimed_permits.load(Ordering::SeqCst) > 0
    }

    /// Exchanges the permit of `worker` for the one that has been free longest, so that each has its turn.
    pub(super) fn exchange_permit(&self, worker: usize) -> usize {
        let held = self.workers[worker].permit.load(Ordering::Relaxed);
        let mut permits = self.permits();
        permits.free.push_back(held);
        let permit = permits.free.pop_front().unwrap_or(held);
        self.give(worker, permit, &permits);
        permit
    }

    fn give(&self, worker: usize, permit: usize, permits: &Permits) {
        self.count_free(permits);
        self.workers[worker].permit.store(permit, Ordering::Relaxed);
        self.workers[worker]
            .state
            .fetch_or(PERMITTED, Ordering::SeqCst);
    }

    /// Those in reserve take as many as they are; the rest must be seen by those who work.
    fn count_free(&self, permits: &Permits) {
        let count = permits.free.len().saturating_sub(permits.in_reserve);
        self.unclaimed_permits.store(count, Ordering::SeqCst);
    }

    /// `worker` begins something that may block, and ends it when it drops what is returned.
    pub(super) fn begin_blocking(&self, worker: usize) -> Blocking<'_> {
        let state = &self.workers[worker].state;
        state.fetch_add(STEP + BLOCKING, Ordering::SeqCst);
        self.alarm.ring_if_asleep();
        Blocking(state)
    }

    /// Has everybody end, now or when they come back.
    pub(super) fn dismiss(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Whoever is about to wait has the lock.
        drop(self.permits());
        self.permit_is_free.notify_all();
    }

    /// Whether there is no more work for anyone.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    fn permits(&self) -> MutexGuard<'_, Permits> {
        unpoisoned(self.permits.lock())
    }
}

/// The monitor's side.
impl WorkerPool {
    /// One look at everybody: retakes the permits of those who have been in the same thing since the last look. Returns
    /// whether anybody has been or is in something that may block.
    pub(super) fn look(&self, seen: &mut Seen) -> bool {
        seen.0.resize(self.workers.len(), 0);
        let mut is_active = false;
        for (worker, seen) in self.workers.iter().zip(&mut seen.0) {
            let state = worker.state.load(Ordering::SeqCst);
            let is_same = state == *seen;
            *seen = state;
            let may_block = state & BLOCKING != 0 && state & PERMITTED != 0;
            is_active |= !is_same || may_block;
            if is_same && may_block {
                // Fails if it came back at this very moment.
                let retaken = state & !PERMITTED;
                let exchange = worker.state.compare_exchange(
                    state,
                    retaken,
                    Ordering::SeqCst,
                    Ordering::SeqCst,
                );
                if exchange.is_ok() {
                    *seen = retaken;
                    self.free(worker.permit.load(Ordering::Relaxed));
                }
            }
        }
        is_active
    }

    fn free(&self, permit: usize) {
        let mut permits = self.permits();
        permits.free.push_back(permit);
        self.count_free(&permits);
        drop(permits);
        self.permit_is_free.notify_one();
    }

    /// Whether no worker has begun something that may block since the look that left `seen`.
    pub(super) fn is_as_seen(&self, seen: &Seen) -> bool {
        let states = self
            .workers
            .iter()
            .map(|worker| worker.state.load(Ordering::SeqCst));
        states.eq(seen.0.iter().copied())
    }
}
