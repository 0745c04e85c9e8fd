//! Who works, who is in reserve, and whose run permit is given to another.
//!
//! There are as many run permits as the machine has cores, and more workers than permits. A worker with a permit handles
//! events; the others sleep in reserve. What may block (a handler, a file, a stream) is marked while it runs: a worker
//! that has been in one for some milliseconds loses its permit to one in reserve, and goes to the reserve itself when it comes
//! back. So a slow handler delays no other connection, and no code has to know beforehand what will be slow.

use std::sync::Arc;

use super::alarm::Alarm;
use super::atomics::{AtomicBool, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering};
use crate::sync::unpoisoned;

/// The worker is in something that may block.
const BLOCKING: u64 = 1;
/// The worker has a run permit.
const PERMITTED: u64 = 2;
/// One thing that may block; the bits above count them.
const STEP: u64 = 4;

/// A worker that is in the same thing in so many looks after the first loses its permit.
pub(super) const LOOKS_MAX: u32 = 3;

/// The workers of a server, by number.
#[derive(Debug)]
pub(super) struct WorkerPool {
    workers: Box<[WorkerState]>,
    /// Permits that no worker has.
    free: Mutex<Vec<usize>>,
    /// How many those were when they were last changed.
    free_count: AtomicUsize,
    permit_is_free: Condvar,
    is_stuck: AtomicBool,
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

/// What the monitor saw of each worker when it last looked, and in how many looks before.
#[derive(Debug, Default)]
pub(super) struct Seen(Vec<(u64, u32)>);

impl WorkerPool {
    pub(super) fn new(workers: usize, permits: usize, alarm: Arc<Alarm>) -> WorkerPool {
        WorkerPool {
            workers: (0..workers).map(|_| WorkerState::default()).collect(),
            free: Mutex::new((0..permits).collect()),
            free_count: AtomicUsize::new(permits),
            permit_is_free: Condvar::new(),
            is_stuck: AtomicBool::new(false),
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
        let mut free = self.free_permits();
        while free.is_empty() && !self.is_over() {
            free = unpoisoned(self.permit_is_free.wait(free));
        }
        let permit = free.pop().filter(|_| !self.is_over())?;
        let left = free.len();
        self.free_count.store(left, Ordering::Relaxed);
        let this = &self.workers[worker];
        this.permit.store(permit, Ordering::Relaxed);
        this.state.fetch_or(PERMITTED, Ordering::SeqCst);
        if left > 0 {
            // Nobody works with those; that this one should is for the monitor to say, which sleeps while nobody works.
            self.alarm.wake_if_asleep();
        }
        Some(permit)
    }

    /// Whether `worker` has a permit still, and there is more work.
    pub(super) fn has_permit(&self, worker: usize) -> bool {
        self.workers[worker].state.load(Ordering::SeqCst) & PERMITTED != 0 && !self.is_over()
    }

    /// Whether a worker is stuck in something that blocks, or there are none for all permits: what waits for them should be
    /// seen to by others.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
    }

    /// `worker` begins something that may block, and ends it when it drops what is returned.
    pub(super) fn begin_blocking(&self, worker: usize) -> Blocking<'_> {
        let state = &self.workers[worker].state;
        state.fetch_add(STEP + BLOCKING, Ordering::SeqCst);
        self.alarm.wake_if_asleep();
        Blocking(state)
    }

    /// Has every worker end, now or when it comes back.
    pub(super) fn dismiss(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        // A worker that is about to wait has the lock.
        drop(self.free_permits());
        self.permit_is_free.notify_all();
    }

    /// Whether there is no more work for anyone.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    fn free_permits(&self) -> MutexGuard<'_, Vec<usize>> {
        unpoisoned(self.free.lock())
    }
}

/// The monitor's side.
impl WorkerPool {
    /// One look at all workers: retakes the permits of those that have been in the same thing for [`LOOKS_MAX`] looks. Returns
    /// whether anybody has been or is in something that may block.
    pub(super) fn look(&self, seen: &mut Seen) -> bool {
        seen.0.resize(self.workers.len(), (0, 0));
        let (mut is_active, mut is_stuck, mut has_any_permit) = (false, false, false);
        for (worker, seen) in self.workers.iter().zip(&mut seen.0) {
            let mut state = worker.state.load(Ordering::SeqCst);
            let looks = if state == seen.0 { seen.1 + 1 } else { 0 };
            let may_block = state & BLOCKING != 0 && state & PERMITTED != 0;
            is_active |= looks == 0 || may_block;
            is_stuck |= looks > 0 && may_block;
            has_any_permit |= state & PERMITTED != 0;
            if looks >= LOOKS_MAX && may_block && self.retake(worker, state) {
                state &= !PERMITTED;
            }
            *seen = (state, looks);
        }
        // Permits that nobody comes for, while others work.
        is_stuck |= has_any_permit && self.free_count.load(Ordering::Relaxed) > 0;
        self.is_stuck.store(is_stuck, Ordering::Relaxed);
        is_active || is_stuck
    }

    /// Gives the permit of a worker to another, unless it has come back at this very moment from what it was in.
    fn retake(&self, worker: &WorkerState, state: u64) -> bool {
        // Before it loses the permit, since it may have another right after that.
        let permit = worker.permit.load(Ordering::Relaxed);
        let retaken = state & !PERMITTED;
        let exchange =
            worker
                .state
                .compare_exchange(state, retaken, Ordering::SeqCst, Ordering::SeqCst);
        if exchange.is_ok() {
            let mut free = self.free_permits();
            free.push(permit);
            self.free_count.store(free.len(), Ordering::Relaxed);
            drop(free);
            self.permit_is_free.notify_one();
        }
        exchange.is_ok()
    }

    /// Whether no worker has begun something that may block since the look that left `seen`.
    pub(super) fn is_as_seen(&self, seen: &Seen) -> bool {
        let states = self
            .workers
            .iter()
            .map(|worker| worker.state.load(Ordering::SeqCst));
        states.eq(seen.0.iter().map(|(state, _)| *state))
    }
}
