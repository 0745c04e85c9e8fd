//! Where connections stay: each in a place of its own, with the time until which it may wait.
//!
//! A place is locked while a thread drives its connection. Since a connection is armed for one event at a time
//! nobody waits for that lock, and the watchman, who only tries it, leaves those alone that are being driven.

use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::connection::{Connection, Parked};

/// All connections there are.
#[derive(Debug)]
pub(super) struct Parking {
    slots: Box<[Slot]>,
    free: Mutex<Vec<u32>>,
    taken: AtomicUsize,
    began: Instant,
}

#[derive(Debug, Default)]
struct Slot {
    /// Milliseconds until which the connection may wait, doubled, plus one if it is idle; 0 while nothing waits.
    until: AtomicU64,
    place: Mutex<Place>,
}

/// The memory of one place, in bytes.
pub(super) const PLACE_BYTES: usize = size_of::<Slot>() + size_of::<u32>();

/// A connection's place.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Which one after the other this place has had: an event for an earlier one means nothing to the next.
    generation: u32,
    index: u32,
    pub(super) connection: Option<Connection<Arc<TcpStream>>>,
    /// Whether the poller has heard of it.
    pub(super) is_listed: bool,
}

impl Place {
    /// What the poller gives back for this connection.
    pub(super) fn token(&self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }
}

impl Parking {
    pub(super) fn new(places: usize) -> Parking {
        Parking {
            slots: (0..places).map(|_| Slot::default()).collect(),
            free: Mutex::new((0..places as u32).rev().collect()),
            taken: AtomicUsize::new(0),
            began: Instant::now(),
        }
    }

    /// Gives a connection a place, or gives it back if there is none.
    pub(super) fn enter(
        &self,
        connection: Connection<Arc<TcpStream>>,
    ) -> Result<MutexGuard<'_, Place>, Connection<Arc<TcpStream>>> {
        let Some(index) = lock(&self.free).pop() else {
            return Err(connection);
        };
        self.taken.fetch_add(1, Ordering::Relaxed);
        let mut place = lock(&self.slots[index as usize].place);
        place.index = index;
        place.connection = Some(connection);
        place.is_listed = false;
        Ok(place)
    }

    /// The place that `token` means, unless its connection is gone; nobody waits there any more.
    pub(super) fn take_up(&self, token: u64) -> Option<MutexGuard<'_, Place>> {
        let slot = self.slots.get(token as u32 as usize)?;
        let place = lock(&slot.place);
        if place.connection.is_none() || place.token() != token {
            return None;
        }
        slot.until.store(0, Ordering::Relaxed);
        Some(place)
    }

    /// Notes how long the connection in `place` may wait.
    pub(super) fn park(&self, place: &Place, parked: &Parked) {
        let millis = parked
            .until
            .saturating_duration_since(self.began)
            .as_millis() as u64;
        let until = (millis + 1) << 1 | u64::from(parked.is_idle);
        self.slots[place.index as usize]
            .until
            .store(until, Ordering::Relaxed);
    }

    /// Ends the connection in `place` and frees the place.
    pub(super) fn leave(&self, mut place: MutexGuard<'_, Place>) {
        self.slots[place.index as usize]
            .until
            .store(0, Ordering::Relaxed);
        place.generation = place.generation.wrapping_add(1);
        let connection = place.connection.take();
        let index = place.index;
        drop(place);
        drop(connection);
        lock(&self.free).push(index);
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many connections there are.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// When the next one will have waited too long, if any waits.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let waits = self
            .slots
            .iter()
            .map(|slot| slot.until.load(Ordering::Relaxed));
        let first = waits.filter(|&until| until != 0).min()?;
        Some(self.began + Duration::from_millis(first >> 1))
    }

    /// The places of all who have waited until `now`.
    pub(super) fn overdue(&self, now: Instant) -> impl Iterator<Item = MutexGuard<'_, Place>> {
        let millis = now.saturating_duration_since(self.began).as_millis() as u64;
        self.parked(move |until| until >> 1 <= millis)
    }

    /// The places of all who are idle.
    pub(super) fn idle(&self) -> impl Iterator<Item = MutexGuard<'_, Place>> {
        self.parked(|until| until & 1 == 1)
    }

    /// The place of the one who has been idle longest.
    pub(super) fn oldest_idle(&self) -> Option<MutexGuard<'_, Place>> {
        let waits = self
            .slots
            .iter()
            .map(|slot| slot.until.load(Ordering::Relaxed))
            .enumerate();
        let (index, until) = waits
            .filter(|(_, until)| until & 1 == 1)
            .min_by_key(|&(_, until)| until)?;
        self.claim(&self.slots[index], |now| now == until)
    }

    fn parked(
        &self,
        is_meant: impl Fn(u64) -> bool,
    ) -> impl Iterator<Item = MutexGuard<'_, Place>> {
        self.slots
            .iter()
            .filter_map(move |slot| self.claim(slot, &is_meant))
    }

    /// Takes up the connection in `slot` if it still waits as `is_meant` says and nobody drives it.
    fn claim<'a>(
        &self,
        slot: &'a Slot,
        is_meant: impl Fn(u64) -> bool,
    ) -> Option<MutexGuard<'a, Place>> {
        let waits = || {
            let until = slot.until.load(Ordering::Relaxed);
            until != 0 && is_meant(until)
        };
        if !waits() {
            return None;
        }
        let place = match slot.place.try_lock() {
            Ok(place) => place,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if !waits() || place.connection.is_none() {
            return None;
        }
        slot.until.store(0, Ordering::Relaxed);
        Some(place)
    }
}

/// A panic elsewhere leaves nothing half done that these locks guard.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
