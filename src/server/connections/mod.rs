//! The table of all connections: a slot for each, with the time until which it may wait.
//!
//! A thread takes a connection's [`Lease`] before it uses the connection; the slot's [`SlotState`] decides which thread
//! may, and no thread waits for one. The lock in the slot is proof for the compiler: it is always free for the lease's
//! holder. A connection at rest is in one of the kernel's ready lists, with what it waits for.

mod lease;

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::server::alarm::Alarm;
use crate::server::connection::Connection;
use crate::server::event::{Event, SLOTS_MAX, Source, Token};
use crate::server::ready_lists::ReadyLists;
use crate::server::slot_state::SlotState;
use crate::server::timeouts::after;
use crate::sync::unpoisoned;

pub(in crate::server) use lease::Lease;

/// The memory of one slot, in bytes.
pub(in crate::server) const SLOT_BYTES: usize = size_of::<Slot>() + size_of::<u32>();

// Before it is compared with others, a connection has had this long to move something, or to be sent something.
const COMPARED_AFTER: Duration = Duration::from_secs(5);

// How many of those that wait to be woken one newcomer has looked at.
const LOOKS_MAX: usize = 256;

// A connection that moves more than this in a second keeps its slot, even when no slot is free for a new one.
const KEPT_BYTES_A_SECOND: u64 = 1024;

/// All connections there are.
#[derive(Debug)]
pub(in crate::server) struct Connections {
    slots: Box<[Slot]>,
    free: Mutex<Vec<u32>>,
    /// The kernel's ready lists.
    lists: ReadyLists,
    taken: AtomicUsize,
    /// Where the next look at some of the slots begins.
    looked_from: AtomicUsize,
    began: Instant,
    /// The earliest time at which a connection is due, until a look at the table finds a later one.
    next_timer: AtomicU64,
    alarm: Arc<Alarm>,
}

#[derive(Debug)]
struct Slot {
    state: SlotState,
    /// A [`Due`], written by the holder of the lease.
    due: AtomicU64,
    /// How many bytes the current request has moved, and since when, in seconds since the table was made. Of one that waits
    /// to be woken only the time counts.
    moved_since: AtomicU32,
    moved_bytes: AtomicU32,
    connection: Mutex<Option<Connection>>,
}

/// A deadline in one word: milliseconds since the table was made, and the kind of wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u64);

/// What ends when a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Kind {
    /// Between requests: no request may ever come, and the connection may be closed at any time.
    Idle = 1,
    /// The client must send or take something.
    Timeout = 2,
    /// A time at which the connection wants to be woken.
    Timer = 3,
}

impl Due {
    const NEVER: Due = Due(0);

    fn new(kind: Kind, millis: u64) -> Due {
        Due(millis << 2 | kind as u64)
    }

    fn is(self, kind: Kind) -> bool {
        self.0 & 3 == kind as u64
    }

    fn kind(self) -> Option<Kind> {
        let kinds = [Kind::Idle, Kind::Timeout, Kind::Timer];
        kinds.into_iter().find(|&kind| self.is(kind))
    }

    fn millis(self) -> Option<u64> {
        (self != Due::NEVER).then_some(self.0 >> 2)
    }
}

impl Slot {
    fn due(&self) -> Due {
        Due(self.due.load(Ordering::Relaxed))
    }
}

impl Connections {
    pub(in crate::server) fn new(
        slots: usize,
        lists: usize,
        alarm: Arc<Alarm>,
    ) -> io::Result<Connections> {
        let slots = slots.min(SLOTS_MAX);
        Ok(Connections {
            slots: (0..slots)
                .map(|_| Slot {
                    state: SlotState::new(),
                    due: AtomicU64::new(0),
                    moved_since: AtomicU32::new(0),
                    moved_bytes: AtomicU32::new(0),
                    connection: Mutex::new(None),
                })
                .collect(),
            free: Mutex::new((0..slots as u32).rev().collect()),
            lists: ReadyLists::new(lists)?,
            taken: AtomicUsize::new(0),
            looked_from: AtomicUsize::new(0),
            began: Instant::now(),
            next_timer: AtomicU64::new(u64::MAX),
            alarm,
        })
    }

    /// The kernel's ready lists.
    pub(in crate::server) fn lists(&self) -> &ReadyLists {
        &self.lists
    }

    /// Gives a connection a slot, and the caller its lease; gives it back if there is no slot.
    pub(in crate::server) fn insert(
        &self,
        connection: Connection,
    ) -> Result<Lease<'_>, Connection> {
        let Some(slot) = unpoisoned(self.free.lock()).pop() else {
            return Err(connection);
        };
        self.taken.fetch_add(1, Ordering::Relaxed);
        let generation = self.slots[slot as usize].state.occupy();
        let mut lease = self.lease(Token { slot, generation });
        *lease.guard = Some(connection);
        Ok(lease)
    }

    /// The lease of the connection that `event` is about, with its readiness noted. `None` if the connection is gone,
    /// or if another thread drives it, which finds the readiness when it releases it.
    pub(in crate::server) fn acquire(&self, event: Event) -> Option<Lease<'_>> {
        let Source::Connection(token) = event.source() else {
            return None;
        };
        let slot = self.slots.get(token.slot as usize)?;
        let is_ours = event.is_leased() || slot.state.acquire(token.generation, event.readiness());
        if !is_ours {
            return None;
        }
        let mut lease = self.lease(token);
        if !event.is_leased() {
            slot.due.store(Due::NEVER.0, Ordering::Relaxed);
            lease.socket.note(event.readiness());
        }
        Some(lease)
    }

    /// Has the body of the connection of `token` asked once more, if it waits to be woken or is being asked now.
    pub(in crate::server) fn wake(&self, token: Token) {
        if let Some(slot) = self.slots.get(token.slot as usize) {
            self.wake_slot(slot, token.slot as usize, Some(token.generation));
        }
    }

    /// Has all bodies asked once more that wait to be woken, or are being asked now.
    pub(in crate::server) fn wake_all(&self) {
        for (index, slot) in self.slots.iter().enumerate() {
            self.wake_slot(slot, index, None);
        }
    }

    fn wake_slot(&self, slot: &Slot, index: usize, generation: Option<u32>) {
        // The worker that drives it finds this when it releases it. At rest it may wait for its client, and then there
        // is no body to ask. If another has just taken it, it is driven now.
        while !slot.state.leave_pending(generation) && slot.due().is(Kind::Timer) {
            if let Some(lease) = self.at_rest(index, |due| due.is(Kind::Timer)) {
                return lease.hand_over();
            }
        }
    }

    fn lease(&self, token: Token) -> Lease<'_> {
        let slot = &self.slots[token.slot as usize];
        Lease {
            connections: self,
            slot,
            token,
            guard: unpoisoned(slot.connection.lock()),
        }
    }

    /// How many connections there are.
    pub(in crate::server) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// How many connections are not idle.
    pub(in crate::server) fn active(&self) -> usize {
        let idle = self.slots.iter().filter(|slot| slot.due().is(Kind::Idle));
        self.taken().saturating_sub(idle.count())
    }

    /// When the next wait is over.
    pub(in crate::server) fn next_due(&self) -> Option<Instant> {
        // A deadline that is set later wakes the monitor.
        fence(Ordering::SeqCst);
        let first = self
            .slots
            .iter()
            .filter_map(|slot| slot.due().millis())
            .min()?;
        Some(self.instant(first))
    }

    /// When the next connection wants to be woken, if one has asked since the last [`Connections::overdue`].
    pub(in crate::server) fn next_timer(&self) -> Option<Instant> {
        let millis = self.next_timer.load(Ordering::SeqCst);
        (millis != u64::MAX).then(|| self.instant(millis))
    }

    /// The leases of all that have waited until `now`, with what they waited for.
    pub(in crate::server) fn overdue(
        &self,
        now: Instant,
    ) -> impl Iterator<Item = (Lease<'_>, Kind)> {
        let now = self.millis(now);
        self.next_timer.store(u64::MAX, Ordering::SeqCst);
        self.slots
            .iter()
            .enumerate()
            .filter_map(move |(index, slot)| {
                let is_over = |due: Due| due.millis().is_some_and(|millis| millis <= now);
                let due = slot.due();
                if due.is(Kind::Timer) && !is_over(due) {
                    self.next_timer.fetch_min(due.0 >> 2, Ordering::SeqCst);
                }
                let lease = self.at_rest(index, is_over)?;
                // Read again under the lease, so it cannot change meanwhile.
                let kind = slot.due().kind().expect("a wait that is over has a kind");
                Some((lease, kind))
            })
    }

    /// The leases of all that are idle.
    pub(in crate::server) fn idle(&self) -> impl Iterator<Item = Lease<'_>> {
        (0..self.slots.len()).filter_map(|index| self.at_rest(index, |due| due.is(Kind::Idle)))
    }

    /// The leases of all connections at rest.
    pub(in crate::server) fn at_rest_all(&self) -> impl Iterator<Item = Lease<'_>> {
        (0..self.slots.len()).filter_map(|index| self.at_rest(index, |_| true))
    }

    /// The lease of one that waits to be woken although its answer has not begun, or although its client has ended and most
    /// likely reads nothing any more. Not all are looked at: each look is a system call, and newcomers may be many.
    pub(in crate::server) fn hardly_awaited(&self) -> Option<Lease<'_>> {
        let slots = self.slots.len();
        let first = self.looked_from.fetch_add(LOOKS_MAX, Ordering::Relaxed);
        (0..slots.min(LOOKS_MAX)).find_map(|number| {
            let index = first.wrapping_add(number) % slots;
            let lease = self.at_rest(index, |due| due.is(Kind::Timer))?;
            match lease.held_back.is_some() || lease.socket.is_at_end() {
                true => Some(lease),
                false => {
                    lease.let_be();
                    None
                }
            }
        })
    }

    /// The lease of the one that has been idle longest. `None` if no connection is idle.
    pub(in crate::server) fn idle_longest(&self) -> Option<Lease<'_>> {
        self.first_at_rest(Kind::Idle, |slot| Some(slot.due()))
    }

    /// The lease of the one that moves least, among those that wait for their client and move hardly anything.
    pub(in crate::server) fn slowest(&self, now: Instant) -> Option<Lease<'_>> {
        let now = now.saturating_duration_since(self.began).as_secs() as u32;
        let rate = |slot: &Slot| {
            let seconds = now.saturating_sub(slot.moved_since.load(Ordering::Relaxed));
            let bytes = u64::from(slot.moved_bytes.load(Ordering::Relaxed));
            (seconds >= COMPARED_AFTER.as_secs() as u32).then(|| bytes / u64::from(seconds))
        };
        let low = |rate: &u64| *rate <= KEPT_BYTES_A_SECOND;
        self.first_at_rest(Kind::Timeout, |slot| rate(slot).filter(low))
    }

    /// The lease of the one whose answer has been under way longest, among those that wait to be woken: that costs their
    /// clients nothing, and may go on for ever.
    pub(in crate::server) fn longest_under_way(&self, now: Instant) -> Option<Lease<'_>> {
        let now = now.saturating_duration_since(self.began).as_secs();
        let latest = now.checked_sub(COMPARED_AFTER.as_secs())? as u32;
        self.first_at_rest(Kind::Timer, |slot| {
            let since = slot.moved_since.load(Ordering::Relaxed);
            (since < latest).then_some(since)
        })
    }

    /// The lease of the first in the order of `key`, among those that have one and wait for `kind`. One that another thread
    /// has just taken is passed over, not waited for: that thread may not run for a while.
    fn first_at_rest<K: Copy + Ord>(
        &self,
        kind: Kind,
        key: impl Fn(&Slot) -> Option<K>,
    ) -> Option<Lease<'_>> {
        let mut passed = None;
        loop {
            let waiting = self.slots.iter().enumerate();
            let first = waiting
                .filter(|(_, slot)| slot.due().is(kind))
                .filter_map(|(index, slot)| Some((key(slot)?, index)))
                .filter(|first| passed.is_none_or(|passed| *first > passed))
                .min()?;
            if let Some(lease) = self.at_rest(first.1, |due| due.is(kind)) {
                return Some(lease);
            }
            passed = Some(first);
        }
    }

    /// The lease of the connection in a slot, if it is at rest and waits as `is_meant` says.
    fn at_rest(&self, index: usize, is_meant: impl Fn(Due) -> bool) -> Option<Lease<'_>> {
        let slot = &self.slots[index];
        if !is_meant(slot.due()) {
            return None;
        }
        let generation = slot.state.acquire_at_rest()?;
        let lease = self.lease(Token {
            slot: index as u32,
            generation,
        });
        // It may be another connection, or another wait of this one.
        match is_meant(slot.due()) {
            true => Some(lease),
            false => {
                lease.let_be();
                None
            }
        }
    }

    /// Milliseconds since the table was made.
    pub(in crate::server) fn millis(&self, instant: Instant) -> u64 {
        instant.saturating_duration_since(self.began).as_millis() as u64
    }

    fn instant(&self, millis: u64) -> Instant {
        after(self.began, Duration::from_millis(millis))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::server::timeouts::Deadline;

    #[test]
    fn an_idle_connection_whose_thread_does_not_run_is_passed_over_not_waited_for() {
        let connections = Connections::new(2, 1, Arc::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let now = Instant::now();
        let _clients = [1, 2].map(|seconds| {
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let connection = Connection::new(listener.accept().unwrap().0, None);
            let deadline = Deadline {
                kind: Kind::Idle,
                at: now + Duration::from_secs(seconds),
            };
            let lease = connections.insert(connection).unwrap();
            assert!(lease.release(deadline, now).is_ok());
            client
        });
        let slot = |lease: Option<Lease<'_>>| lease.map(|lease| lease.token().slot);
        // As another thread leaves it that has taken it and does nothing yet.
        connections.slots[0].state.acquire_at_rest().unwrap();
        assert_eq!(slot(connections.idle_longest()), Some(1));
        assert_eq!(slot(connections.idle_longest()), None);
    }
}
