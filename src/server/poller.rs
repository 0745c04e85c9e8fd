//! The ready list: epoll in four safe verbs.
//!
//! The kernel's list is the only queue there is. A connection is armed for one event at a time, so that one thread
//! at most ever holds it; and so is a listener, so that one client wakes one thread.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    /// Bytes from the client, or its end.
    Read,
    /// Room for bytes to the client.
    Write,
}

impl Interest {
    fn flags(self) -> EventFlags {
        EventFlags::ONESHOT
            | match self {
                Interest::Read => EventFlags::IN,
                Interest::Write => EventFlags::OUT,
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

    /// Adds a connection or listener, armed for one event; `token` comes back with it.
    pub(super) fn add(&self, source: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(
            &self.epoll,
            source,
            EventData::new_u64(token),
            interest.flags(),
        )?)
    }

    /// Adds a source that stays armed: the bell that ends it all.
    pub(super) fn add_steady(&self, source: impl AsFd, token: u64) -> io::Result<()> {
        Ok(epoll::add(
            &self.epoll,
            source,
            EventData::new_u64(token),
            EventFlags::IN,
        )?)
    }

    /// Arms it for one more event; if it is ready already, the event comes at once.
    pub(super) fn rearm(
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

    /// Takes a source off the list. One that is closed leaves by itself.
    pub(super) fn forget(&self, source: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, source)?)
    }

    /// Waits for one event, however long, and returns its token.
    ///
    /// One at a time: work that is ready stays where an idle thread can take it.
    pub(super) fn wait(&self) -> io::Result<u64> {
        let mut room = [MaybeUninit::uninit(); 1];
        loop {
            match epoll::wait(&self.epoll, &mut room[..], None) {
                Ok((&mut [event], _)) => return Ok(token(event)),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn token(event: Event) -> u64 {
    // The fields of a packed struct are copied out.
    let data = event.data;
    data.u64()
}
