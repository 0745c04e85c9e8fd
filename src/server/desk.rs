//! What a thread brings to the connections it drives: its buffers, the time, and what all share.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Config;
use super::clock::Clock;
use crate::handler::Handler;
use crate::wire::Conversation;

/// One thread's desk. Its buffers stay with it, so that in the steady state nothing is allocated.
pub(super) struct Desk<'a> {
    pub(super) config: &'a Config,
    pub(super) handler: &'a dyn Handler,
    pub(super) clock: Clock,
    /// When the drive began.
    pub(super) now: Instant,
    /// The server is stopping: answers are the last on their connection.
    pub(super) is_closing: bool,
    spare: Option<Box<Conversation>>,
    /// Any buffer, for as long as nobody else needs it.
    pub(super) scratch: Vec<u8>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(config: &'a Config, handler: &'a dyn Handler) -> Desk<'a> {
        Desk {
            config,
            handler,
            clock: Clock::new(),
            now: Instant::now(),
            is_closing: false,
            spare: None,
            scratch: Vec::new(),
        }
    }

    /// A conversation in which nothing has been said, most often the one given back last.
    pub(super) fn lend(&mut self, peer: Option<SocketAddr>) -> Box<Conversation> {
        let mut conversation = self
            .spare
            .take()
            .unwrap_or_else(|| Box::new(Conversation::new(self.config.limits)));
        conversation.restart();
        conversation.set_peer(peer);
        conversation
    }

    /// Takes a conversation back that has nothing to remember.
    pub(super) fn give_back(&mut self, conversation: Box<Conversation>) {
        self.spare = Some(conversation);
    }
}

/// So long after `start`; a wait beyond what the clock can say is as good as a year.
pub(super) fn after(start: Instant, wait: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
    start + wait.min(YEAR)
}
