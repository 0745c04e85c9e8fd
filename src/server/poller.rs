//! The ready list: epoll in a few safe verbs.
//!
//! The kernel's list is the only queue there is. A connection is put on it once and reported at every change
//! (edge-triggered), which saves a system call for each request; a listener is reported once, so that one client wakes one
//! thread, and then armed again.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

const LISTENER: EventFlags = EventFlags::IN.union(EventFlags::ONESHOT);

/// Which changes of a connection are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    /// There is more to read.
    Read,
    /// There is more to read, or room to write again. A socket has room from the start, so to ask for this without
    /// need costs an event.
    Both,
}

impl Interest {
    fn flags(self) -> EventFlags {
        let read = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        match self {
            Interest::Read => read,
            Interest::Both => read | EventFlags::OUT,
        }
    }
}

/// What happened to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ready {
    /// What the source was added with.
    pub(super) token: u64,
    /// The client will say nothing more, or is gone: what it said before is to be read to its end.
    pub(super) has_ended: bool,
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

    /// Adds a connection, to be reported at every change; `token` comes back with it.
    pub(super) fn add(&self, source: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(
            &self.epoll,
            source,
            EventData::new_u64(token),
            interest.flags(),
        )?)
    }

    /// Reports a connection once more if it is ready now, behind those that wait already, and from now on at every
    /// change.
    pub(super) fn requeue(
        &self,
        source: impl AsFd,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        Ok(epoll::modify(
            &self.epoll,
            source,
            EventData::new_u64(token),
            interest.flags(),
        )?)
    }

    /// Adds a listener, to be reported once.
    pub(super) fn add_listener(&self, source: impl AsFd, token: u64) -> io::Result<()> {
        Ok(epoll::add(
            &self.epoll,
            source,
            EventData::new_u64(token),
            LISTENER,
        )?)
    }

    /// Has a listener reported once more; if somebody waits there already, at once.
    pub(super) fn rearm_listener(&self, source: impl AsFd, token: u64) -> io::Result<()> {
        Ok(epoll::modify(
            &self.epoll,
            source,
            EventData::new_u64(token),
            LISTENER,
        )?)
    }

    /// Adds the bell that ends it all, which everybody hears.
    pub(super) fn add_bell(&self, source: impl AsFd, token: u64) -> io::Result<()> {
        Ok(epoll::add(
            &self.epoll,
            source,
            EventData::new_u64(token),
            EventFlags::IN,
        )?)
    }

    /// Takes a source off the list. One that is closed leaves by itself.
    pub(super) fn forget(&self, source: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, source)?)
    }

    /// Waits for one event, however long.
    ///
    /// One at a time: work that is ready stays where an idle thread can take it.
    pub(super) fn wait(&self) -> io::Result<Ready> {
        let mut room = [MaybeUninit::uninit(); 1];
        loop {
            match epoll::wait(&self.epoll, &mut room[..], None) {
                Ok((&mut [event], _)) => return Ok(ready(event)),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn ready(event: Event) -> Ready {
    // The fields of a packed struct are copied out.
    let (data, flags) = (event.data, event.flags);
    Ready {
        token: data.u64(),
        has_ended: flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR),
    }
}
