//! Where connections stay: each in a place of its own, with the time until which it may wait.
//!
//! A place is locked while a thread drives its connection. Nobody waits for that lock: who comes with news for a
//! connection that is being driven leaves them at the place, and whoever drives it takes them up before going away.

use std::net::TcpStream;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::deadlines::Parked;
use super::poller::{Interest, Ready};

/// All connections there are.
#[derive(Debug)]
pub(super) struct Parking {
    slots: Box<[Slot]>,
    free: Mutex<Vec<usize>>,
    taken: AtomicUsize,
    began: Instant,
}

#[derive(Debug, Default)]
struct Slot {
    /// Milliseconds until which the connection may wait, doubled, plus one if it is idle; 0 while nothing waits.
    until: AtomicU64,
    /// What was heard of the connection while somebody else drove it.
    news: AtomicU8,
    place: Mutex<Place>,
}

/// Something can be read or written.
const NEWS: u8 = 1;
/// The client will say nothing more.
const NEWS_OF_END: u8 = 2;

/// The memory of one place, in bytes.
pub(super) const PLACE_BYTES: usize = size_of::<Slot>() + size_of::<usize>();

/// A connection's place.
#[derive(Debug, Default)]
pub(super) struct Place {
    index: usize,
    pub(super) connection: Option<Connection<TcpStream>>,
    /// What the poller tells of it, if it has heard of it.
    pub(super) interest: Option<Interest>,
}

impl Place {
    /// What the poller gives back for this connection.
    pub(super) fn token(&self) -> u64 {
        self.index as u64
    }
}

impl Parking {
    pub(super) fn new(places: usize) -> Parking {
        Parking {
            slots: (0..places).map(|_| Slot::default()).collect(),
            free: Mutex::new((0..places).rev().collect()),
            taken: AtomicUsize::new(0),
            began: Instant::now(),
        }
    }

    /// A free place, for a connection to be put there at once; `None` if all are taken.
    pub(super) fn vacancy(&self) -> Option<MutexGuard<'_, Place>> {
        let index = lock(&self.free).pop()?;
        self.taken.fetch_add(1, Ordering::Relaxed);
        let slot = &self.slots[index];
        let mut place = lock(&slot.place);
        place.index = index;
        place.interest = None;
        // What was heard of the last one here.
        slot.news.store(0, Ordering::SeqCst);
        Some(place)
    }

    /// The place that `ready` means, to be driven, and whether the client has ended. `None` if its connection is gone, or
    /// if somebody drives it, who will look at the news then.
    ///
    /// The connection may be a later one in the same place. To drive it for nothing does no harm.
    pub(super) fn take_up(&self, ready: Ready) -> Option<(MutexGuard<'_, Place>, bool)> {
        let slot = self.slots.get(ready.token as usize)?;
        let news = if ready.has_ended {
            NEWS | NEWS_OF_END
        } else {
            NEWS
        };
        slot.news.fetch_or(news, Ordering::SeqCst);
        take_up_news(slot)
    }

    /// The place that `token` means, if there are news that nobody has taken up. To be asked by everybody who has let a
    /// place go.
    pub(super) fn take_up_again(&self, token: u64) -> Option<(MutexGuard<'_, Place>, bool)> {
        let slot = self.slots.get(token as usize)?;
        // Either we see the news here, or whoever left them sees that the place is free.
        fence(Ordering::SeqCst);
        match slot.news.load(Ordering::SeqCst) {
            0 => None,
            _ => take_up_news(slot),
        }
    }

    /// Notes how long the connection in `place` may wait.
    pub(super) fn park(&self, place: &Place, parked: &Parked) {
        let millis = parked
            .until
            .saturating_duration_since(self.began)
            .as_millis() as u64;
        let until = (millis + 1) << 1 | u64::from(parked.is_idle);
        self.slots[place.index]
            .until
            .store(until, Ordering::Relaxed);
    }

    /// Ends the connection in `place` and frees the place.
    pub(super) fn leave(&self, mut place: MutexGuard<'_, Place>) {
        self.slots[place.index].until.store(0, Ordering::Relaxed);
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
        let place = try_lock(&slot.place)?;
        if !waits() || place.connection.is_none() {
            return None;
        }
        slot.until.store(0, Ordering::Relaxed);
        Some(place)
    }
}

fn take_up_news(slot: &Slot) -> Option<(MutexGuard<'_, Place>, bool)> {
    fence(Ordering::SeqCst);
    let place = try_lock(&slot.place)?;
    let news = slot.news.swap(0, Ordering::SeqCst);
    place.connection.as_ref()?;
    slot.until.store(0, Ordering::Relaxed);
    Some((place, news & NEWS_OF_END != 0))
}

/// A panic elsewhere leaves nothing half done that these locks guard.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
