//! Which thread may use a connection, in one atomic word for each slot.
//!
//! ```text
//!             occupy()                  acquire(), acquire_at_rest()
//!   free ─────────────────▶ driven ◀──────────────────────────────── at rest
//!    ▲                      │ │ ▲ │                                     ▲
//!    └────── vacate() ──────┘ │ │ └──────────── release() ──────────────┘
//!                             │ └── release(), if readiness is pending
//!                             └──── acquire() by another thread leaves pending readiness
//! ```
//!
//! No thread waits: readiness for a connection that another thread drives is left here, and that thread finds it when
//! it releases the connection. A connection that lives on is released in one way only, [`SlotState::release`].

use super::atomics::{AtomicU64, Ordering};
use super::event::{GENERATION_MAX, Readiness};

const OCCUPIED: u64 = 1;
const DRIVEN: u64 = 2;
const PENDING: u64 = 4;
const PENDING_READABLE: u64 = 8;
const PENDING_END: u64 = 16;
const PENDING_GONE: u64 = 32;
const ALL_PENDING: u64 = PENDING | PENDING_READABLE | PENDING_END | PENDING_GONE;
const GENERATION_SHIFT: u32 = 32;

/// The state of one slot.
#[derive(Debug)]
pub(super) struct SlotState(AtomicU64);

impl SlotState {
    /// A free slot.
    pub(super) fn new() -> SlotState {
        SlotState(AtomicU64::new(0))
    }

    /// Occupies the slot, which is free, for a new connection that the caller drives. Returns its generation.
    pub(super) fn occupy(&self) -> u32 {
        let before = self.0.fetch_or(OCCUPIED | DRIVEN, Ordering::SeqCst);
        assert!(before & OCCUPIED == 0, "only a free slot is occupied");
        generation(before)
    }

    /// Frees the slot, whose connection the caller drives; readiness that is pending goes with it.
    pub(super) fn vacate(&self) {
        let before = self.0.load(Ordering::SeqCst);
        let next = (generation(before) + 1) & GENERATION_MAX;
        self.0
            .swap(u64::from(next) << GENERATION_SHIFT, Ordering::SeqCst);
    }

    /// Takes the connection of this generation, to be driven, because of `readiness`. If another thread drives it, the
    /// readiness is left to that one. Returns whether the caller has the connection.
    pub(super) fn acquire(&self, wanted: u32, readiness: Readiness) -> bool {
        let mut before = self.0.load(Ordering::SeqCst);
        loop {
            if before & OCCUPIED == 0 || generation(before) != wanted {
                return false;
            }
            let is_driven = before & DRIVEN != 0;
            let after = match is_driven {
                true => before | pending(readiness),
                false => before | DRIVEN,
            };
            match self.exchange(before, after) {
                Ok(_) => return !is_driven,
                Err(now) => before = now,
            }
        }
    }

    /// Takes the lease of the connection in this slot, whichever it is, if it is at rest. Returns its generation.
    pub(super) fn acquire_at_rest(&self) -> Option<u32> {
        let before = self.0.load(Ordering::SeqCst);
        let is_at_rest = before & (OCCUPIED | DRIVEN) == OCCUPIED;
        let is_taken = is_at_rest && self.exchange(before, before | DRIVEN).is_ok();
        is_taken.then(|| generation(before))
    }

    /// Lets go of the connection, unless readiness is pending: that is returned then, and the caller still drives it.
    pub(super) fn release(&self) -> Option<Readiness> {
        let mut before = self.0.load(Ordering::SeqCst);
        loop {
            let after = match before & PENDING {
                0 => before & !DRIVEN,
                _ => before & !ALL_PENDING,
            };
            match self.exchange(before, after) {
                Ok(_) if before & PENDING == 0 => return None,
                Ok(_) => {
                    return Some(Readiness {
                        is_readable: before & PENDING_READABLE != 0,
                        has_ended: before & PENDING_END != 0,
                        is_gone: before & PENDING_GONE != 0,
                    });
                }
                Err(now) => before = now,
            }
        }
    }

    /// Has the thread that drives the connection (of this generation, if one is given) drive it once more. `false` if
    /// it is at rest; `true` also if it is gone.
    pub(super) fn leave_pending(&self, wanted: Option<u32>) -> bool {
        let mut before = self.0.load(Ordering::SeqCst);
        let is_meant = |state| wanted.is_none_or(|wanted| generation(state) == wanted);
        while is_meant(before) && before & DRIVEN != 0 {
            match self.exchange(before, before | PENDING) {
                Ok(_) => return true,
                Err(now) => before = now,
            }
        }
        before & OCCUPIED == 0 || !is_meant(before)
    }

    fn exchange(&self, before: u64, after: u64) -> Result<u64, u64> {
        self.0
            .compare_exchange(before, after, Ordering::SeqCst, Ordering::SeqCst)
    }
}

fn generation(state: u64) -> u32 {
    (state >> GENERATION_SHIFT) as u32
}

fn pending(readiness: Readiness) -> u64 {
    let bit = |is_set: bool, bit: u64| if is_set { bit } else { 0 };
    PENDING
        | bit(readiness.is_readable, PENDING_READABLE)
        | bit(readiness.has_ended, PENDING_END)
        | bit(readiness.is_gone, PENDING_GONE)
}
