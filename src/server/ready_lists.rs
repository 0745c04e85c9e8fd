//! The kernel's ready lists, who waits on them, and which of them a connection is in.
//!
//! Each active thread has a list of its own, and waits there alone. A connection is in the list of the processor that
//! handles its packets, so that the thread which is woken for it mostly runs where its client does: no other processor has to
//! be interrupted, and what the two exchange stays in one cache.

use std::io;
use std::ops::Deref;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::event::Source;
use super::poller::{Poller, Signal};
use super::socket::Socket;
use crate::sync::unpoisoned;

/// All ready lists of a server, by number.
#[derive(Debug)]
pub(super) struct ReadyLists {
    lists: Box<[ReadyList]>,
    /// Processors that have handled packets, in the order of their first. Their numbers alone may all be even, say.
    processors: RwLock<Vec<u32>>,
}

/// A thread waits on a list.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The list of one active thread.
#[derive(Debug)]
pub(super) struct ReadyList {
    poller: Poller,
    /// Threads that wait on it, or are about to.
    waiting: AtomicUsize,
    /// Wakes one of them.
    wake: Signal,
}

impl ReadyLists {
    pub(super) fn new(count: usize) -> io::Result<ReadyLists> {
        let lists = (0..count.max(1)).map(|_| ReadyList::new());
        Ok(ReadyLists {
            lists: lists.collect::<io::Result<_>>()?,
            processors: RwLock::default(),
        })
    }

    /// The number of the list that is nearest to the client's packets now.
    pub(super) fn nearest(&self, socket: &Socket) -> usize {
        match self.lists.len() {
            1 => 0,
            count => self.rank(socket.processor()) % count,
        }
    }

    fn rank(&self, processor: u32) -> usize {
        let find = |known: &[u32]| known.iter().position(|&known| known == processor);
        let rank = find(&unpoisoned(self.processors.read()));
        rank.unwrap_or_else(|| {
            let mut known = unpoisoned(self.processors.write());
            find(&known).unwrap_or_else(|| {
                known.push(processor);
                known.len() - 1
            })
        })
    }

    /// Wakes a thread that waits, if there is one: on another list than number `list`, else on that.
    pub(super) fn wake_one(&self, list: usize) {
        let (before, from) = self.lists.split_at(list + 1);
        let mut lists = from.iter().chain(before);
        if let Some(list) = lists.find(|list| list.waiting.load(Ordering::SeqCst) > 0) {
            list.wake.raise();
        }
    }
}

impl Deref for ReadyLists {
    type Target = [ReadyList];

    fn deref(&self) -> &[ReadyList] {
        &self.lists
    }
}

impl ReadyList {
    fn new() -> io::Result<ReadyList> {
        let list = ReadyList {
            poller: Poller::new()?,
            waiting: AtomicUsize::new(0),
            wake: Signal::for_one()?,
        };
        list.poller.add_signal(&list.wake, Source::Work)?;
        Ok(list)
    }

    /// The calling thread is about to wait, until what is returned is dropped.
    ///
    /// A batch that was filled before this is seen by a look at the ready queue after it; who fills one later finds this thread
    /// with [`ReadyLists::wake_one`].
    pub(super) fn begin_wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(&self.waiting)
    }
}

impl Deref for ReadyList {
    type Target = Poller;

    fn deref(&self) -> &Poller {
        &self.poller
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_spread_over_the_lists_in_the_order_of_their_first_packets() {
        let lists = ReadyLists::new(2).unwrap();
        let ranks = [6, 2, 6, 4, 2].map(|processor| lists.rank(processor));
        assert_eq!(ranks, [0, 1, 0, 2, 1]);
    }
}
