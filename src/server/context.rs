//! What a worker brings to the connections it drives: its buffers, the time, and what all share.

use std::net::SocketAddr;
use std::sync::Weak;
use std::time::Instant;

use super::Config;
use super::clock::Clock;
use super::connections::Connections;
use super::exchange::READ_BYTES;
use super::worker_pool::WorkerPool;
use crate::access_log;
use crate::handler::Handler;
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
    let spare = 2 * SPARE_BUFFER_BYTES_MAX + limits.head_bytes_max;
    STACK_BYTES
        + READ_BYTES
        + super::connection::connection_bytes(limits)
        + SPARE_CONVERSATIONS_MAX * spare
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
    #[expect(
        clippy::vec_box,
        reason = "they go to connections and come back as they are"
    )]
    spare: Vec<Box<Conversation>>,
    /// The worker whose context this is. The monitor has none, and does nothing that may block.
    worker: Option<(&'a WorkerPool, usize)>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        config: &'a Config,
        handler: &'a dyn Handler,
        connections: Weak<Connections>,
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
            spare: Vec::new(),
            worker,
        }
    }

    /// A fresh conversation, most often the one given back last, cleared.
    pub(super) fn conversation(&mut self, peer: Option<SocketAddr>) -> Box<Conversation> {
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
