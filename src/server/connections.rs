//! The table of all connections: a slot for each, with the time until which it may wait.
//!
//! Whoever wants to do something with a connection takes its [`Lease`] first; who may is decided by the slot's
//! [`SlotState`], and never waited for. The lock in the slot is proof for the compiler: it is always free for the lease's
//! holder. A connection at rest is in one of the kernel's ready lists, with what it waits for.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::event::{Event, SLOTS_MAX, Source, Token};
use super::poller::{Interest, Poller};
use super::slot_state::SlotState;
use super::timeouts::{Deadline, after};

/// The memory of one slot, in bytes.
pub(super) const SLOT_BYTES: usize = size_of::<Slot>() + size_of::<u32>();

// Before it is compared with others, a connection has had this long to move something.
const COMPARED_AFTER: Duration = Duration::from_secs(5);

// Whoever moves more in a second than this keeps its slot, whoever else wants it.
const KEPT_BYTES_A_SECOND: u64 = 1024;

// For a connection that is left to the workers. They set another deadline when they come to it.
const LEFT_TIMEOUT: Duration = Duration::from_secs(10);

/// All connections there are.
#[derive(Debug)]
pub(super) struct Connections {
    slots: Box<[Slot]>,
    free: Mutex<Vec<u32>>,
    /// The kernel's ready lists.
    lists: Box<[Poller]>,
    taken: AtomicUsize,
    began: Instant,
    /// The earliest time at which a connection wants to be woken, as far as nobody has looked since.
    next_timer: AtomicU64,
}

#[derive(Debug)]
struct Slot {
    state: SlotState,
    /// A [`Due`], written by whoever has the lease.
    due: AtomicU64,
    /// Since when, in seconds since the table was made, the request in hand has moved how many bytes.
    moved_since: AtomicU32,
    moved_bytes: AtomicU32,
    connection: Mutex<Option<Connection>>,
}

/// A deadline in one word: milliseconds since the table was made, and the kind of wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u64);

/// What ends when a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The client's patience with us: it waits for a request that may never come, and may be closed at any time.
    Idle = 1,
    /// Our patience with the client.
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
    pub(super) fn new(slots: usize, lists: usize) -> io::Result<Connections> {
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
            lists: (0..lists.max(1))
                .map(|_| Poller::new())
                .collect::<io::Result<_>>()?,
            taken: AtomicUsize::new(0),
            began: Instant::now(),
            next_timer: AtomicU64::new(u64::MAX),
        })
    }

    /// The kernel's ready lists.
    pub(super) fn lists(&self) -> &[Poller] {
        &self.lists
    }

    /// Gives a connection a slot, and the caller its lease; gives it back if there is no slot.
    pub(super) fn insert(&self, connection: Connection) -> Result<Lease<'_>, Connection> {
        let Some(slot) = lock(&self.free).pop() else {
            return Err(connection);
        };
        self.taken.fetch_add(1, Ordering::Relaxed);
        let generation = self.slots[slot as usize].state.occupy();
        let mut lease = self.lease(Token { slot, generation });
        *lease.guard = Some(connection);
        Ok(lease)
    }

    /// The lease of the connection that `event` is about, with its readiness noted. `None` if the connection is gone, or
    /// if somebody drives it, who finds the readiness when letting go.
    pub(super) fn acquire(&self, event: Event) -> Option<Lease<'_>> {
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

    fn lease(&self, token: Token) -> Lease<'_> {
        let slot = &self.slots[token.slot as usize];
        Lease {
            connections: self,
            slot,
            token,
            guard: lock(&slot.connection),
        }
    }

    /// How many connections there are.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// When the next wait of a connection at rest is over.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let at_rest = self.slots.iter().filter(|slot| slot.state.is_at_rest());
        let first = at_rest.filter_map(|slot| slot.due().millis()).min()?;
        Some(self.instant(first))
    }

    /// When the next connection wants to be woken, if one said so since the last [`Connections::overdue`].
    pub(super) fn next_timer(&self) -> Option<Instant> {
        let millis = self.next_timer.load(Ordering::SeqCst);
        (millis != u64::MAX).then(|| self.instant(millis))
    }

    /// The leases of all that have waited until `now`, with what they waited for.
    pub(super) fn overdue(&self, now: Instant) -> impl Iterator<Item = (Lease<'_>, Kind)> {
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
                let kind = [Kind::Idle, Kind::Timeout, Kind::Timer];
                let kind = kind.into_iter().find(|&kind| due.is(kind))?;
                Some((lease, kind))
            })
    }

    /// The leases of all that are idle.
    pub(super) fn idle(&self) -> impl Iterator<Item = Lease<'_>> {
        (0..self.slots.len()).filter_map(|index| self.at_rest(index, |due| due.is(Kind::Idle)))
    }

    /// The leases of all that wait to be woken.
    pub(super) fn waiting_to_be_woken(&self) -> impl Iterator<Item = Lease<'_>> {
        (0..self.slots.len()).filter_map(|index| self.at_rest(index, |due| due.is(Kind::Timer)))
    }

    /// The lease of the one that has been idle longest. `None` if nobody is idle.
    pub(super) fn idle_longest(&self) -> Option<Lease<'_>> {
        loop {
            let idle = self.slots.iter().map(Slot::due).enumerate();
            let (index, due) = idle
                .filter(|(_, due)| due.is(Kind::Idle))
                .min_by_key(|&(_, due)| due)?;
            // Fails if it has become busy meanwhile, and then another one is next.
            if let Some(lease) = self.at_rest(index, |now| now == due) {
                return Some(lease);
            }
            std::hint::spin_loop();
        }
    }

    /// The lease of the one that moves least, among those that wait for their client and move hardly anything.
    pub(super) fn slowest(&self, now: Instant) -> Option<Lease<'_>> {
        let now = now.saturating_duration_since(self.began).as_secs() as u32;
        let rate = |slot: &Slot| {
            let seconds = now.saturating_sub(slot.moved_since.load(Ordering::Relaxed));
            let bytes = u64::from(slot.moved_bytes.load(Ordering::Relaxed));
            (seconds >= COMPARED_AFTER.as_secs() as u32).then(|| bytes / u64::from(seconds))
        };
        let waiting = self.slots.iter().enumerate();
        let (_, index) = waiting
            .filter(|(_, slot)| slot.due().is(Kind::Timeout))
            .filter_map(|(index, slot)| Some((rate(slot)?, index)))
            .filter(|&(rate, _)| rate <= KEPT_BYTES_A_SECOND)
            .min()?;
        self.at_rest(index, |due| due.is(Kind::Timeout))
    }

    /// The lease of the connection in a slot, if nobody drives it and it waits as `is_meant` says.
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
                if let Err(lease) = lease.let_go() {
                    lease.hand_over();
                }
                None
            }
        }
    }

    /// Milliseconds since the table was made.
    pub(super) fn millis(&self, instant: Instant) -> u64 {
        instant.saturating_duration_since(self.began).as_millis() as u64
    }

    fn instant(&self, millis: u64) -> Instant {
        after(self.began, Duration::from_millis(millis))
    }
}

/// The right to do something with a connection. Nobody else has it meanwhile.
///
/// It is given up with [`Lease::release`], [`Lease::keep`] or [`Lease::end`].
#[derive(Debug)]
pub(super) struct Lease<'a> {
    connections: &'a Connections,
    slot: &'a Slot,
    token: Token,
    guard: MutexGuard<'a, Option<Connection>>,
}

impl<'a> Lease<'a> {
    /// What the poller gives back for this connection.
    pub(super) fn token(&self) -> Token {
        self.token
    }

    /// Lets the connection rest until `deadline`. If readiness was left meanwhile it is noted, and the lease comes back.
    ///
    /// Otherwise returns when the monitor must look at the latest, in milliseconds of the table.
    pub(super) fn release(self, deadline: Deadline, now: Instant) -> Result<u64, Lease<'a>> {
        let connections = self.connections;
        // Rounded up: no wait ends before its time.
        let due = Due::new(deadline.kind, connections.millis(deadline.at) + 1);
        let slot = self.slot;
        slot.due.store(due.0, Ordering::Relaxed);
        if due.is(Kind::Timeout) {
            let moved = self.moved(now);
            let since = connections.millis(moved.since) / 1000;
            slot.moved_since.store(since as u32, Ordering::Relaxed);
            let bytes = u32::try_from(moved.bytes).unwrap_or(u32::MAX);
            slot.moved_bytes.store(bytes, Ordering::Relaxed);
        }
        if due.is(Kind::Timer) {
            connections
                .next_timer
                .fetch_min(due.0 >> 2, Ordering::SeqCst);
        }
        self.let_go().map(|()| due.0 >> 2)
    }

    fn let_go(self) -> Result<(), Lease<'a>> {
        let Lease {
            connections,
            slot,
            token,
            guard,
        } = self;
        // Before the state says that it is free, so that the next holder does not wait.
        drop(guard);
        let Some(readiness) = slot.state.release() else {
            return Ok(());
        };
        let mut lease = connections.lease(token);
        lease.socket.note(readiness);
        Err(lease)
    }

    /// Sees to it that the kernel reports the connection as `interest` says; `again`: also if it is ready now and has been
    /// reported before.
    pub(super) fn arm(&mut self, interest: Interest, again: bool) -> io::Result<()> {
        let source = Source::Connection(self.token);
        let list = &self.connections.lists[self.list];
        match self.interest.replace(interest) {
            None => list.add(&self.socket, source, interest),
            Some(armed) if armed == interest && !again => Ok(()),
            Some(_) => list.rearm(&self.socket, source, interest),
        }
    }

    /// Has a worker drive the connection.
    pub(super) fn hand_over(mut self) {
        loop {
            // There is nearly always room to write, so that it is reported at once. Without, it could not go on either.
            if self.arm(Interest::Write, true).is_err() {
                drop(self.end());
                return;
            }
            let now = Instant::now();
            match self.release(Deadline::timeout(after(now, LEFT_TIMEOUT)), now) {
                Ok(_) => return,
                Err(lease) => self = lease,
            }
        }
    }

    /// Keeps the connection leased, for whoever takes the event that is returned from the ready queue.
    pub(super) fn keep(self) -> Event {
        Event::of(Source::Connection(self.token)).leased()
    }

    /// Ends the connection and frees its slot. What is returned still has to be dropped, which closes the socket.
    pub(super) fn end(mut self) -> Option<Connection> {
        let connections = self.connections;
        self.slot.due.store(Due::NEVER.0, Ordering::Relaxed);
        let connection = self.guard.take();
        let (slot, index) = (self.slot, self.token.slot);
        drop(self);
        slot.state.vacate();
        lock(&connections.free).push(index);
        connections.taken.fetch_sub(1, Ordering::Relaxed);
        connection
    }
}

impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.guard
            .as_ref()
            .expect("an occupied slot has a connection")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.guard
            .as_mut()
            .expect("an occupied slot has a connection")
    }
}

/// A panic elsewhere leaves nothing half done that these locks guard.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
