//! Which client is too slow: for a head, for a body, for a client to take an answer, between requests.

use std::time::{Duration, Instant};

use super::Config;
use super::connections::Kind;
use super::socket::{Socket, Taken};
use crate::wire::Conversation;

// A body that has used up its timeout in waits goes on for a second for each of these. mod_reqtimeout's default.
const BODY_BYTES_A_SECOND: u32 = 500;

// A client that takes this much of an answer in a second is not cut, though its kernel may be silent beyond the write
// timeout.
const TAKEN_BYTES_A_SECOND: u32 = 10_000;

// How much of the write timeout may pass between two looks at what the client has acknowledged.
const LOOKS: u32 = 4;

/// When a wait ends, and what is due then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadline {
    pub(super) kind: Kind,
    pub(super) at: Instant,
}

/// What the current request has moved, in both directions, since it was first waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub(super) since: Instant,
    pub(super) bytes: u64,
}

/// How long one client is waited for.
#[derive(Debug, Default)]
pub(super) struct Timeouts {
    has_answered: bool,
    /// Only while there is half a request or half an answer.
    pace: Option<Box<Pace>>,
}

/// How fast a client sends a request and takes the answer.
#[derive(Debug)]
struct Pace {
    began: Instant,
    received: u64,
    /// Bytes written to the client before.
    written_before: u64,
    /// Since when the head that is awaited has been coming in. It has one deadline, however slowly it dribbles.
    head_since: Option<Instant>,
    /// For how long the client has been waited for in the request's body, but for the wait that began last.
    body_waited: Duration,
    body_awaited_since: Option<Instant>,
    /// Since when the client has taken nothing, and the bytes written when that began.
    taken_nothing: Option<(Instant, u64)>,
    /// What the client had acknowledged when that was last asked.
    taken: Option<(Taken, Instant)>,
}

impl Timeouts {
    /// A request has been answered, or its answer has begun.
    pub(super) fn note_answer(&mut self) {
        self.has_answered = true;
        if let Some(pace) = &mut self.pace {
            pace.head_since = None;
            pace.taken_nothing = None;
        }
    }

    /// Bytes have been received.
    pub(super) fn note_received(&mut self, bytes: usize) {
        if let Some(pace) = &mut self.pace {
            pace.received += bytes as u64;
        }
    }

    /// The connection is driven, so the server is not waiting for the client.
    pub(super) fn note_driven(&mut self, now: Instant) {
        if let Some(pace) = &mut self.pace
            && let Some(since) = pace.body_awaited_since.take()
        {
            pace.body_waited += now.saturating_duration_since(since);
        }
    }

    /// What the current request has moved.
    pub(super) fn moved(&self, socket: &Socket, now: Instant) -> Moved {
        match &self.pace {
            Some(pace) => Moved {
                since: pace.began,
                bytes: pace.received + socket.written().saturating_sub(pace.written_before),
            },
            None => Moved {
                since: now,
                bytes: 0,
            },
        }
    }

    /// For how long a client may go on sending what its `conversation` waits for.
    pub(super) fn for_receiving(
        &mut self,
        conversation: &Conversation,
        socket: &Socket,
        now: Instant,
        config: &Config,
    ) -> Deadline {
        if conversation.is_between_requests() {
            self.pace = None;
            let wait = match self.has_answered {
                true => config.idle_timeout,
                false => config.head_timeout,
            };
            return Deadline {
                kind: Kind::Idle,
                at: after(now, wait),
            };
        }
        let pace = self.pace(socket, now);
        let at = if conversation.awaits_head() {
            pace.body_waited = Duration::ZERO;
            let since = *pace.head_since.get_or_insert(now);
            after(since, config.head_timeout)
        } else {
            pace.body_awaited_since = Some(now);
            let earned = Duration::from_secs(pace.received) / BODY_BYTES_A_SECOND;
            let allowed = config.body_timeout.saturating_add(earned);
            let left = allowed.saturating_sub(pace.body_waited);
            after(now, left.min(config.body_timeout))
        };
        Deadline::timeout(at)
    }

    /// When to look whether a client has taken something of an answer.
    pub(super) fn for_sending(
        &mut self,
        socket: &Socket,
        now: Instant,
        config: &Config,
    ) -> Deadline {
        let interval = config.write_timeout / LOOKS;
        let pace = self.pace(socket, now);
        let written = socket.written();
        if pace
            .taken_nothing
            .is_none_or(|(_, before)| before != written)
        {
            pace.taken_nothing = Some((now, written));
        }
        // Asking is a system call, and a slow reader blocks often.
        let asked = pace.taken.map(|(_, at)| at);
        if asked.is_none_or(|at| now.saturating_duration_since(at) >= interval) {
            pace.look(socket, now);
        }
        Deadline::timeout(pace.client_deadline(now, config).min(after(now, interval)))
    }

    /// Whether a client that has been waited for may still take its time.
    pub(super) fn may_take_longer(
        &mut self,
        socket: &Socket,
        now: Instant,
        config: &Config,
    ) -> bool {
        let pace = self.pace(socket, now);
        pace.look(socket, now);
        now < pace.client_deadline(now, config)
    }

    fn pace(&mut self, socket: &Socket, now: Instant) -> &mut Pace {
        self.pace.get_or_insert_with(|| {
            Box::new(Pace {
                began: now,
                received: 0,
                written_before: socket.written(),
                head_since: None,
                body_waited: Duration::ZERO,
                body_awaited_since: None,
                taken_nothing: None,
                taken: None,
            })
        })
    }
}

impl Pace {
    /// Asks what the client has acknowledged.
    fn look(&mut self, socket: &Socket, now: Instant) {
        let taken = socket.taken();
        if self
            .taken
            .is_some_and(|(before, _)| taken.bytes > before.bytes)
        {
            self.taken_nothing = Some((now, socket.written()));
        }
        self.taken = Some((taken, now));
    }

    /// When a client that takes nothing from now on is cut.
    fn client_deadline(&self, now: Instant, config: &Config) -> Instant {
        let since = self.taken_nothing.map_or(now, |(since, _)| since);
        let step = self.taken.map_or(0, |(taken, _)| taken.step);
        let visible_after = Duration::from_secs(step.into()) / TAKEN_BYTES_A_SECOND;
        after(since, config.write_timeout.max(visible_after))
    }
}

impl Deadline {
    /// The wait for the client ends at this time.
    pub(super) fn timeout(at: Instant) -> Deadline {
        Deadline {
            kind: Kind::Timeout,
            at,
        }
    }

    /// The connection is to be woken at this time, if at all.
    pub(super) fn timer(at: Option<Instant>, now: Instant) -> Deadline {
        Deadline {
            kind: Kind::Timer,
            at: at.unwrap_or_else(|| after(now, Duration::MAX)),
        }
    }
}

/// So long after `start`; a wait beyond the clock's range is a year.
pub(super) fn after(start: Instant, wait: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
    start + wait.min(YEAR)
}
