//! The kernel's ready list: epoll in a few safe verbs.
//!
//! A connection is put on the list once and reported when it becomes ready (edge-triggered), which saves a system call for
//! each request. What is reported follows what the connection waits for: bytes, or room, or neither. A listener is reported
//! once, so that one client wakes one thread, and then armed again.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;

use super::event::{Event, Readiness, Source};

/// How many events are taken from the kernel at once, at most.
pub(super) const EVENTS_MAX: usize = 16;

/// When a connection is reported. Its end by a reset always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    /// There is something to read, or the client has ended.
    Read,
    /// There is room to write.
    Write,
    /// Only its end.
    End,
}

impl Interest {
    fn flags(self) -> EventFlags {
        match self {
            Interest::Read => EventFlags::IN | EventFlags::RDHUP | EventFlags::ET,
            Interest::Write => EventFlags::OUT | EventFlags::ET,
            Interest::End => EventFlags::ET,
        }
    }
}

/// A list on which any number of threads may wait together.
#[derive(Debug)]
pub(super) struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    pub(super) fn new() -> io::Result<Poller> {
        Ok(Poller {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
        })
    }

    /// Adds a connection. It is reported at once if it is ready.
    pub(super) fn add(
        &self,
        socket: impl AsFd,
        source: Source,
        interest: Interest,
    ) -> io::Result<()> {
        self.insert(socket, source, interest.flags())
    }

    /// Changes what is reported of a connection. It is reported once more if it is ready, behind those that wait already.
    pub(super) fn rearm(
        &self,
        socket: impl AsFd,
        source: Source,
        interest: Interest,
    ) -> io::Result<()> {
        let data = EventData::new_u64(Event::of(source).to_bits());
        Ok(epoll::modify(&self.epoll, socket, data, interest.flags())?)
    }

    /// Adds a listener, to be reported once it is armed.
    pub(super) fn add_listener(&self, listener: impl AsFd, source: Source) -> io::Result<()> {
        self.insert(listener, source, EventFlags::ONESHOT)
    }

    /// Has a listener reported once; if a client waits there already, at once.
    pub(super) fn arm_listener(&self, listener: impl AsFd, source: Source) -> io::Result<()> {
        let data = EventData::new_u64(Event::of(source).to_bits());
        let flags = EventFlags::IN | EventFlags::ONESHOT;
        Ok(epoll::modify(&self.epoll, listener, data, flags)?)
    }

    /// Adds a signal.
    pub(super) fn add_signal(&self, signal: &Signal, source: Source) -> io::Result<()> {
        let flags = match signal.wakes {
            Wakes::One => EventFlags::IN | EventFlags::ET,
            Wakes::All => EventFlags::IN,
        };
        self.insert(&signal.eventfd, source, flags)
    }

    /// Takes a source off the list. One that is closed leaves by itself.
    pub(super) fn remove(&self, source: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, source)?)
    }

    /// Puts up to `max` events into `events`, in the order in which they came; without any it waits for one, for `timeout`
    /// at most.
    pub(super) fn wait(
        &self,
        events: &mut Vec<Event>,
        max: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let mut room = [MaybeUninit::uninit(); EVENTS_MAX];
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().cast_signed(),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        match epoll::wait(&self.epoll, &mut room[..max], timeout.as_ref()) {
            Ok((reported, _)) => events.extend(reported.iter().map(|event| {
                // The fields of a packed struct are copied out.
                let (data, flags) = (event.data, event.flags);
                Event::from_bits(data.u64()).with(readiness(flags))
            })),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn insert(&self, descriptor: impl AsFd, source: Source, flags: EventFlags) -> io::Result<()> {
        let data = EventData::new_u64(Event::of(source).to_bits());
        Ok(epoll::add(&self.epoll, descriptor, data, flags)?)
    }
}

fn readiness(flags: EventFlags) -> Readiness {
    let gone = EventFlags::HUP | EventFlags::ERR;
    let ends = EventFlags::RDHUP | gone;
    Readiness {
        is_readable: flags.intersects(EventFlags::IN | ends),
        has_ended: flags.intersects(ends),
        is_gone: flags.intersects(gone),
    }
}

/// Whom a signal wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wakes {
    One,
    All,
}

/// Wakes threads that wait on a [`Poller`].
#[derive(Debug)]
pub(super) struct Signal {
    eventfd: OwnedFd,
    wakes: Wakes,
}

impl Signal {
    /// Wakes one thread of each list, each time it is raised.
    pub(super) fn for_one() -> io::Result<Signal> {
        Signal::new(Wakes::One)
    }

    /// Wakes every thread, from the first time on.
    pub(super) fn for_all() -> io::Result<Signal> {
        Signal::new(Wakes::All)
    }

    fn new(wakes: Wakes) -> io::Result<Signal> {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Signal { eventfd, wakes })
    }

    pub(super) fn raise(&self) {
        // It fails only if it has been raised 2^64 times, and then every worker is awake.
        let _ = rustix::io::write(&self.eventfd, &1u64.to_ne_bytes());
    }
}
