//! Who is active, who is in reserve, and who must be replaced.
//!
//! There are as many seats as the machine has cores, and more members than seats. Whoever has a seat takes ready
//! connections; the others sleep. A member that is still in the same turn after a few milliseconds (its handler
//! blocks) loses its seat to one in reserve, and goes to the reserve itself when it comes back. So slow handlers
//! delay nobody else, and no code has to know beforehand what will be slow.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

/// The member is in a turn.
const BUSY: u64 = 1;
/// The member's seat has been given to another.
const LENT: u64 = 2;
/// One turn; the bits above count them.
const TURN: u64 = 4;

/// The members of a crew, by number.
#[derive(Debug)]
pub(super) struct Crew {
    members: Box<[Member]>,
    seats: Mutex<Seats>,
    seat_is_free: Condvar,
    watchman: OnceLock<Thread>,
    watchman_sleeps: AtomicBool,
}

/// A cache line each: members count their turns without disturbing one another.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Member {
    turn: AtomicU64,
}

#[derive(Debug)]
struct Seats {
    free: usize,
    is_over: bool,
}

impl Crew {
    pub(super) fn new(members: usize, seats: usize) -> Crew {
        Crew {
            members: (0..members).map(|_| Member::default()).collect(),
            seats: Mutex::new(Seats {
                free: seats,
                is_over: false,
            }),
            seat_is_free: Condvar::new(),
            watchman: OnceLock::new(),
            watchman_sleeps: AtomicBool::new(false),
        }
    }

    /// Waits in reserve until a seat is free, and takes it. `false` when there is no more work for anyone.
    pub(super) fn take_seat(&self) -> bool {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        while seats.free == 0 && !seats.is_over {
            seats = self
                .seat_is_free
                .wait(seats)
                .unwrap_or_else(PoisonError::into_inner);
        }
        seats.free = seats.free.saturating_sub(1);
        !seats.is_over
    }

    /// `member` begins a turn.
    pub(super) fn begin_turn(&self, member: usize) {
        self.members[member]
            .turn
            .fetch_add(TURN + BUSY, Ordering::SeqCst);
        if self.watchman_sleeps.load(Ordering::SeqCst) {
            self.wake_watchman();
        }
    }

    /// `member` ends its turn; whether it still has its seat.
    pub(super) fn end_turn(&self, member: usize) -> bool {
        let before = self.members[member]
            .turn
            .fetch_and(!(BUSY | LENT), Ordering::SeqCst);
        let is_seated = before & LENT == 0;
        if !is_seated && self.watchman_sleeps.load(Ordering::SeqCst) {
            // He does not wait for those he has replaced, but must hear of the deadlines they leave behind.
            self.wake_watchman();
        }
        is_seated
    }

    /// Rests for a moment. `false` when there is no more work for anyone.
    pub(super) fn rest(&self, moment: Duration) -> bool {
        thread::sleep(moment);
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        !seats.is_over
    }

    /// Sends everybody home, now or at the end of their turn.
    pub(super) fn dismiss(&self) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.is_over = true;
        drop(seats);
        self.seat_is_free.notify_all();
    }

    /// Makes the calling thread the watchman.
    pub(super) fn enlist_watchman(&self) {
        // A second call would be for the same thread: a crew has one server, and a server one watchman.
        let _ = self.watchman.set(thread::current());
    }

    /// Has the watchman look now.
    pub(super) fn wake_watchman(&self) {
        self.watchman_sleeps.store(false, Ordering::SeqCst);
        if let Some(watchman) = self.watchman.get() {
            watchman.unpark();
        }
    }

    /// One look at everybody, `seen` being what the last look saw: replaces those who are still in the same turn.
    /// Returns whether anybody has done or is doing something.
    pub(super) fn look(&self, seen: &mut Vec<u64>) -> bool {
        seen.resize(self.members.len(), 0);
        let mut is_active = false;
        for (member, seen) in self.members.iter().zip(seen) {
            let turn = member.turn.load(Ordering::SeqCst);
            let is_same = turn == *seen;
            *seen = turn;
            if turn & LENT != 0 && is_same {
                continue;
            }
            is_active |= !is_same || turn & BUSY != 0;
            if is_same && turn & BUSY != 0 {
                // Fails if the turn ended at this very moment, and then nobody needs replacing.
                let lent = member.turn.compare_exchange(
                    turn,
                    turn | LENT,
                    Ordering::SeqCst,
                    Ordering::SeqCst,
                );
                if lent.is_ok() {
                    *seen = turn | LENT;
                    self.free_a_seat();
                }
            }
        }
        is_active
    }

    /// Lets the watchman sleep until he is woken, for so long at most, unless somebody has begun a turn since the
    /// look that left `seen`.
    pub(super) fn sleep(&self, seen: &[u64], at_most: Option<Duration>) {
        self.watchman_sleeps.store(true, Ordering::SeqCst);
        let turns = self
            .members
            .iter()
            .map(|member| member.turn.load(Ordering::SeqCst));
        if turns.eq(seen.iter().copied()) {
            match at_most {
                Some(duration) => thread::park_timeout(duration),
                None => thread::park(),
            }
        }
        self.watchman_sleeps.store(false, Ordering::SeqCst);
    }

    fn free_a_seat(&self) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.free += 1;
        drop(seats);
        self.seat_is_free.notify_one();
    }
}
