//! The right to do something with a connection, and how it is given up.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Connections, Due, Kind, Slot};
use crate::server::connection::Connection;
use crate::server::event::{Event, Source, Token};
use crate::server::poller::Interest;
use crate::server::timeouts::{Deadline, after};
use crate::sync::unpoisoned;

// For a connection that is left to the workers. They set another deadline when they come to it.
const LEFT_TIMEOUT: Duration = Duration::from_secs(10);

// How often a connection waits before it may be moved to another ready list: clients' threads and the kernel's queues move
// too, and to ask costs a system call.
const WAITS_PER_LIST: u8 = 64;

/// The right to use a connection; one thread has it at a time.
///
/// It is given up with [`Lease::release`], [`Lease::keep`] or [`Lease::end`].
#[derive(Debug)]
pub(in crate::server) struct Lease<'a> {
    pub(super) connections: &'a Connections,
    pub(super) slot: &'a Slot,
    pub(super) token: Token,
    pub(super) guard: MutexGuard<'a, Option<Connection>>,
}

impl<'a> Lease<'a> {
    /// What the poller gives back for this connection.
    pub(in crate::server) fn token(&self) -> Token {
        self.token
    }

    /// Lets the connection rest until `deadline`. If readiness was left meanwhile it is noted, and the lease comes
    /// back.
    pub(in crate::server) fn release(
        self,
        deadline: Deadline,
        now: Instant,
    ) -> Result<(), Lease<'a>> {
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
            let since = connections.millis(self.began.unwrap_or(now)) / 1000;
            slot.moved_since.store(since as u32, Ordering::Relaxed);
            connections
                .next_timer
                .fetch_min(due.0 >> 2, Ordering::SeqCst);
        }
        self.let_go()
    }

    pub(super) fn let_go(self) -> Result<(), Lease<'a>> {
        let Lease {
            connections,
            slot,
            token,
            guard,
        } = self;
        let millis = slot.due().millis();
        // Before the state becomes free, so that the next holder does not wait.
        drop(guard);
        let Some(readiness) = slot.state.release() else {
            if let Some(millis) = millis {
                connections.alarm.wake_before(millis);
            }
            return Ok(());
        };
        let mut lease = connections.lease(token);
        lease.socket.note(readiness);
        Err(lease)
    }

    /// Lets go of a connection that goes on waiting as before.
    pub(in crate::server) fn let_be(self) {
        if let Err(lease) = self.let_go() {
            lease.hand_over();
        }
    }

    /// Has the kernel report the connection for `interest`; `again`: also if it is ready now and has been
    /// reported before.
    pub(in crate::server) fn arm(&mut self, interest: Interest, again: bool) -> io::Result<()> {
        let source = Source::Connection(self.token);
        self.waits = self.waits.wrapping_add(1);
        if self.interest.is_none() || self.waits.is_multiple_of(WAITS_PER_LIST) {
            self.choose_list()?;
        }
        let list = &self.connections.lists[self.list as usize];
        match self.interest {
            None => list.add(&self.socket, source, interest)?,
            Some(armed) if armed == interest && !again => {}
            Some(_) => list.rearm(&self.socket, source, interest)?,
        }
        // Not before: what is in no list is to be added the next time.
        self.interest = Some(interest);
        Ok(())
    }

    /// Moves the connection to the ready list that is nearest to its client now.
    fn choose_list(&mut self) -> io::Result<()> {
        let lists = &self.connections.lists;
        let nearest = lists.nearest(&self.socket) as u32;
        if self.interest.is_some() && self.list != nearest {
            lists[self.list as usize].remove(&self.socket)?;
            self.interest = None;
        }
        self.list = nearest;
        Ok(())
    }

    /// Has a worker drive the connection.
    pub(in crate::server) fn hand_over(mut self) {
        loop {
            // There is nearly always room to write, so that it is reported at once. Without, it could not go on either.
            let is_armed = self.arm(Interest::Write, true).is_ok();
            let now = Instant::now();
            let timeout = if is_armed {
                LEFT_TIMEOUT
            } else {
                Duration::ZERO
            };
            match self.release(Deadline::timeout(after(now, timeout)), now) {
                Ok(()) => return,
                Err(lease) => self = lease,
            }
        }
    }

    /// Keeps the connection leased, for the worker that takes the returned event from the ready queue.
    pub(in crate::server) fn keep(self) -> Event {
        Event::of(Source::Connection(self.token)).leased()
    }

    /// Ends the connection and frees its slot. What is returned still has to be dropped, which closes the socket.
    pub(in crate::server) fn end(mut self) -> Option<Connection> {
        let connections = self.connections;
        self.slot.due.store(Due::NEVER.0, Ordering::Relaxed);
        let connection = self.guard.take();
        let (slot, index) = (self.slot, self.token.slot);
        drop(self);
        slot.state.vacate();
        unpoisoned(connections.free.lock()).push(index);
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
