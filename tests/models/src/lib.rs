//! Every interleaving of a few threads over one slot's state, over the ready queue and over the run permits.
//!
//! The files are those of the server; only `atomics`, where their atomics and locks come from, is another.
#![cfg(test)]

#[path = "../../../src/server/event.rs"]
#[allow(dead_code)]
mod event;
#[path = "../../../src/server/ready_queue.rs"]
#[allow(dead_code)]
mod ready_queue;
#[path = "../../../src/server/slot_state.rs"]
#[allow(dead_code)]
mod slot_state;
#[path = "../../../src/sync.rs"]
#[allow(dead_code)]
mod sync;
#[path = "../../../src/server/worker_pool.rs"]
#[allow(dead_code)]
mod worker_pool;

mod atomics {
    pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
    pub(super) use loom::sync::{Condvar, Mutex, MutexGuard};
}

/// The monitor is awake.
mod alarm {
    #[derive(Debug, Default)]
    pub(super) struct Alarm;

    impl Alarm {
        pub(super) fn wake_if_asleep(&self) {}
    }
}

mod poller {
    pub(super) const EVENTS_MAX: usize = 2;
}

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use event::{Event, Readiness, Source, Token};
use ready_queue::ReadyQueue;
use slot_state::SlotState;
use worker_pool::{Seen, WorkerPool};

const READABLE: Readiness = Readiness {
    is_readable: true,
    has_ended: false,
    is_gone: false,
};

/// Every interleaving in which threads are preempted three times at most, which is where such faults lie.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// A slot with what is to be handled of its connection, and who drives it.
struct Slot {
    state: SlotState,
    /// What has arrived and not been handled.
    arrived: AtomicUsize,
    drivers: AtomicUsize,
}

impl Slot {
    fn occupied_and_at_rest() -> (Slot, u32) {
        let slot = Slot {
            state: SlotState::new(),
            arrived: AtomicUsize::new(0),
            drivers: AtomicUsize::new(0),
        };
        let generation = slot.state.occupy();
        assert_eq!(slot.state.release(), None);
        (slot, generation)
    }

    fn begin(&self) {
        assert_eq!(self.drivers.fetch_add(1, Ordering::SeqCst), 0, "two drive");
    }

    fn end(&self) {
        self.drivers.fetch_sub(1, Ordering::SeqCst);
    }

    /// Something arrives, and its event reaches a worker.
    fn arrive(&self, generation: u32) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        if self.state.acquire(generation, READABLE) {
            self.drive();
        }
    }

    /// Handles what has arrived, until nothing has come meanwhile.
    fn drive(&self) {
        loop {
            self.begin();
            self.arrived.store(0, Ordering::SeqCst);
            self.end();
            if self.state.release().is_none() {
                return;
            }
        }
    }
}

#[test]
fn nothing_that_arrives_is_left_and_nobody_drives_beside_another() {
    check(|| {
        let (slot, generation) = Slot::occupied_and_at_rest();
        let slot = Arc::new(slot);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let slot = Arc::clone(&slot);
                thread::spawn(move || slot.arrive(generation))
            })
            .collect();
        // The monitor looks at whoever is at rest, finds that it is not overdue, and lets go like everybody else.
        if slot.state.acquire_at_rest().is_some() {
            slot.begin();
            slot.end();
            if slot.state.release().is_some() {
                slot.drive();
            }
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(slot.arrived.load(Ordering::SeqCst), 0, "something was left");
        assert!(slot.state.acquire_at_rest().is_some(), "it is at rest");
    });
}

#[test]
fn who_comes_for_a_connection_that_is_gone_does_not_get_the_next_one() {
    check(|| {
        let (slot, old) = Slot::occupied_and_at_rest();
        let slot = Arc::new(slot);
        let late = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                if slot.state.acquire(old, READABLE) {
                    slot.drive();
                }
            })
        };
        // It is ended and another one takes its slot.
        if slot.state.acquire_at_rest().is_some() {
            slot.begin();
            slot.state.vacate();
            let new = slot.state.occupy();
            assert_ne!(new, old);
            slot.end();
            let pending = slot.state.release();
            assert_eq!(
                pending, None,
                "readiness of the old one reached the new one"
            );
            late.join().unwrap();
        } else {
            late.join().unwrap();
        }
    });
}

fn event(slot: u32) -> Event {
    Event::of(Source::Connection(Token {
        slot,
        generation: 0,
    }))
}

#[test]
fn every_event_of_a_batch_is_taken_once_across_fillings() {
    check(|| {
        let queue = Arc::new(ReadyQueue::new(1));
        let taken = Arc::new([
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        ]);
        let take = |queue: &ReadyQueue, taken: &[AtomicUsize; 3]| {
            let Some(event) = queue.take(0) else {
                return false;
            };
            let Source::Connection(token) = event.source() else {
                panic!("it was never put in");
            };
            taken[token.slot as usize].fetch_add(1, Ordering::SeqCst);
            true
        };
        queue.fill(0, &[event(0), event(1)]);
        let thief = {
            let (queue, taken) = (Arc::clone(&queue), Arc::clone(&taken));
            thread::spawn(move || {
                take(&queue, &taken);
                take(&queue, &taken);
            })
        };
        // The owner fills it again when it is empty.
        while take(&queue, &taken) {}
        queue.fill(0, &[event(2)]);
        while take(&queue, &taken) {}
        thief.join().unwrap();
        while take(&queue, &taken) {}
        for count in taken.iter() {
            assert_eq!(count.load(Ordering::SeqCst), 1);
        }
    });
}

#[test]
fn whoever_goes_to_sleep_has_seen_the_batch_or_is_seen() {
    check(|| {
        let queue = Arc::new(ReadyQueue::new(2));
        let sleepers = Arc::new(AtomicUsize::new(0));
        let is_woken = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (queue, sleepers) = (Arc::clone(&queue), Arc::clone(&sleepers));
            let is_woken = Arc::clone(&is_woken);
            thread::spawn(move || {
                queue.fill(0, &[event(0), event(1)]);
                if sleepers.load(Ordering::SeqCst) > 0 {
                    is_woken.store(1, Ordering::SeqCst);
                }
            })
        };
        sleepers.fetch_add(1, Ordering::SeqCst);
        let has_seen = queue.take_or_sleep(1).is_some();
        worker.join().unwrap();
        assert!(
            has_seen || is_woken.load(Ordering::SeqCst) == 1,
            "it sleeps beside work"
        );
    });
}

#[test]
fn a_wake_reaches_whoever_drives_or_finds_the_connection_at_rest() {
    check(|| {
        let (slot, generation) = Slot::occupied_and_at_rest();
        assert!(slot.state.acquire(generation, READABLE));
        let slot = Arc::new(slot);
        let driver = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                slot.arrived.store(0, Ordering::SeqCst);
                if slot.state.release().is_some() {
                    slot.drive();
                }
            })
        };
        slot.arrived.fetch_add(1, Ordering::SeqCst);
        if !slot.state.leave_pending(Some(generation)) && slot.state.acquire_at_rest().is_some() {
            slot.drive();
        }
        driver.join().unwrap();
        assert_eq!(slot.arrived.load(Ordering::SeqCst), 0, "something was left");
    });
}

#[test]
fn no_two_workers_have_one_permit() {
    check(|| {
        // What marks a worker as blocking borrows the pool, and goes to a thread.
        let pool: &'static WorkerPool =
            Box::leak(Box::new(WorkerPool::new(2, 2, Default::default())));
        let mut seen = Seen::default();
        let blocking = [0, 1].map(|worker| {
            pool.permit(worker).expect("there is one for each");
            pool.begin_blocking(worker)
        });
        pool.look(&mut seen);
        let mut worker = 0;
        let workers = blocking.map(|blocking| {
            let number = worker;
            worker += 1;
            thread::spawn(move || {
                drop(blocking);
                pool.permit(number).expect("there is one for each")
            })
        });
        // It retakes the permits of those that are not back yet.
        pool.look(&mut seen);
        let [one, other] = workers.map(|worker| worker.join().unwrap());
        assert_ne!(one, other);
    });
}
