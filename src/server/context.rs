//! What a worker brings to the connections it drives: its buffers, the time, and what all share.

use std::mem;
use std::net::SocketAddr;
use std::sync::{Mutex, Weak};
use std::time::Instant;

use super::Config;
use super::clock::Clock;
use super::connections::Connections;
use super::exchange::READ_BYTES;
use super::worker_pool::WorkerPool;
use crate::access_log;
use crate::handler::Handler;
use crate::sync::unpoisoned;
use crate::wire::{Conversation, Limits};

// A worker that reads a batch of events needs one for each.
const SPARE_CONVERSATIONS_MAX: usize = super::poller::EVENTS_MAX;

// What each buffer of a spare conversation keeps: a read of heads.
const SPARE_BUFFER_BYTES_MAX: usize = super::exchange::HEAD_READ_BYTES;

// A thread's stack as far as it is used.
const STACK_BYTES: usize = 128 * 1024;

/// The memory that one thread takes, in bytes: its stack, scratch, one conversation that may have grown, and the spare
/// ones, each with a buffer for input and one for output, and a request's head.
pub(super) fn context_bytes(limits: &Limits) -> usize {
    STACK_BYTES + READ_BYTES + super::connection::connection_bytes(limits) + spare_bytes(limits)
}

/// The memory that a full set of spare conversations takes, in bytes.
pub(super) fn spare_bytes(limits: &Limits) -> usize {
    SPARE_CONVERSATIONS_MAX * (2 * SPARE_BUFFER_BYTES_MAX + limits.head_bytes_max)
}

/// Spare conversations that any thread may take. A connection whose events are taken by one thread and handled by another
/// carries its conversation over, so the first runs short of them and the second has too many.
#[derive(Debug, Default)]
pub(super) struct SpareConversations(Mutex<Spare>);

// In boxes: they go to connections and come back as they are.
type Spare = Vec<Box<Conversation>>;

impl SpareConversations {
    /// Moves as many as there are into `spare`, which has none.
    fn refill(&self, spare: &mut Spare) {
        mem::swap(&mut *unpoisoned(self.0.lock()), spare);
    }

    /// Takes half of `spare`, which is full, if there is room.
    fn relieve(&self, spare: &mut Spare) {
        let mut shared = unpoisoned(self.0.lock());
        if shared.len() <= SPARE_CONVERSATIONS_MAX / 2 {
            shared.extend(spare.drain(SPARE_CONVERSATIONS_MAX / 2..));
        }
    }
}

/// One thread's context. Its buffers stay with it, so that in the steady state nothing is allocated.
pub(super) struct Context<'a> {
    pub(super) config: &'a Config,
    pub(super) handler: &'a dyn Handler,
    pub(super) connections: Weak<Connections>,
    pub(super) clock: Clock,
    /// The time, as it was a moment ago.
    pub(super) now: Instant,
    /// The server is stopping: answers are the last on their connection.
    pub(super) is_closing: bool,
    /// Scratch; its contents are undefined between calls.
    pub(super) scratch: Vec<u8>,
    spare: Spare,
    shared_spare: &'a SpareConversations,
    /// The worker whose context this is. The monitor has none, and does nothing that may block.
    worker: Option<(&'a WorkerPool, usize)>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        config: &'a Config,
        handler: &'a dyn Handler,
        connections: Weak<Connections>,
        shared_spare: &'a SpareConversations,
        worker: Option<(&'a WorkerPool, usize)>,
    ) -> Context<'a> {
        Context {
            config,
            handler,
            connections,
            clock: Clock::new(),
            now: Instant::now(),
            is_closing: false,
            scratch: Vec::new(),
            spare: Vec::with_capacity(SPARE_CONVERSATIONS_MAX),
            shared_spare,
            worker,
        }
    }

    /// A fresh conversation, most often the one given back last, cleared.
    pub(super) fn conversation(&mut self, peer: Option<SocketAddr>) -> Box<Conversation> {
        if self.spare.is_empty() {
            self.shared_spare.refill(&mut self.spare);
        }
        let spare = self.spare.pop();
        let mut conversation = spare.unwrap_or_else(|| {
            let mut new = Box::new(Conversation::new(self.config.limits));
            if access_log::explains() {
                new.keep_heads();
            }
            new
        });
        conversation.set_peer(peer);
        conversation
    }

    /// Takes a conversation back that has nothing to remember.
    pub(super) fn give_back(&mut self, mut conversation: Box<Conversation>) {
        // The file of an answer that was broken off is closed here, and its reader dropped, which may block.
        match conversation.has_stream() {
            true => self.may_block(|_| conversation.restart()),
            false => conversation.restart(),
        }
        // The first serves uploads and downloads too, and keeps what they need.
        if !self.spare.is_empty() {
            conversation.shrink_to(SPARE_BUFFER_BYTES_MAX);
        }
        if self.spare.len() == SPARE_CONVERSATIONS_MAX {
            self.shared_spare.relieve(&mut self.spare);
        }
        if self.spare.len() < SPARE_CONVERSATIONS_MAX {
            self.spare.push(conversation);
        }
    }

    /// Whether this is the monitor's, who asks no handler.
    pub(super) fn is_monitors(&self) -> bool {
        self.worker.is_none()
    }

    /// Does something that may block: another worker takes this one's place while it does.
    pub(super) fn may_block<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let _blocking = self
            .worker
            .map(|(pool, worker)| pool.begin_blocking(worker));
        work(self)
    }
}
