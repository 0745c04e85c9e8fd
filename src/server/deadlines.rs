//! Who has waited too long: for a head, for a body, for a client to take bytes, between requests.

use std::time::{Duration, Instant};

use super::Config;
use crate::wire::Conversation;

/// How a connection is set down, and until when it may stay so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parked {
    pub(super) until: Instant,
    /// Why it cannot go on.
    pub(super) pause: Pause,
    /// Nothing is lost if the server closes it: it waits for a request that may never come.
    pub(super) is_idle: bool,
}

/// Why a connection is set down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    /// The client must say something.
    Unheard,
    /// The client must take something first.
    Blocked,
    /// It could go on at once; others have their turn first.
    Yield,
}

/// What is to be remembered of one client's pace.
#[derive(Debug, Default)]
pub(super) struct Patience {
    has_answered: bool,
    /// Since when the head that is awaited has been coming in. It has one deadline, however slowly it dribbles.
    head_since: Option<Instant>,
    /// Since when the client has taken nothing, and how many bytes it had taken then.
    blocked_since: Option<(Instant, u64)>,
}

impl Patience {
    /// A request has been answered, or its answer has begun.
    pub(super) fn note_answer(&mut self) {
        self.has_answered = true;
        self.head_since = None;
    }

    /// Until when a client that has taken `written` bytes so far must take another.
    pub(super) fn until_taken(&mut self, written: u64, now: Instant, config: &Config) -> Instant {
        let (since, _) = match self.blocked_since {
            Some(blocked) if blocked.1 == written => blocked,
            _ => *self.blocked_since.insert((now, written)),
        };
        after(since, config.write_timeout)
    }

    /// Until when a client must say what its `conversation` waits for.
    pub(super) fn until_heard(
        &mut self,
        conversation: &Conversation,
        now: Instant,
        config: &Config,
    ) -> Instant {
        let (since, wait) = if conversation.is_between_requests() && self.has_answered {
            (now, config.idle_timeout)
        } else if conversation.is_between_requests() {
            (now, config.head_timeout)
        } else if conversation.awaits_head() {
            (*self.head_since.get_or_insert(now), config.head_timeout)
        } else {
            (now, config.body_timeout)
        };
        after(since, wait)
    }
}

/// So long after `start`; a wait beyond what the clock can say is as good as a year.
pub(super) fn after(start: Instant, wait: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
    start + wait.min(YEAR)
}
