//! What has become ready, in 64 bits: as the kernel gives it back, and as the ready queue holds it.
//!
//! ```text
//!   63        36 35       4 3           0
//!   ┌───────────┬──────────┬─────────────┐
//!   │generation │  index   │ flags       │
//!   └───────────┴──────────┴─────────────┘
//! ```

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A connection, by its slot.
    Connection(Token),
    /// The listener of this number, in the ready list of that number.
    Listener { number: usize, list: usize },
    /// There is something that other workers have not come to.
    Work,
    /// The server is at its end.
    Shutdown,
}

/// One connection among all that are and were in the same slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) slot: u32,
    /// 28 bits: it comes round again after 268 million connections in one slot.
    pub(super) generation: u32,
}

impl Token {
    /// No connection's.
    pub(super) const NONE: Token = Token {
        slot: u32::MAX,
        generation: 0,
    };
}

pub(super) const GENERATION_MAX: u32 = (1 << 28) - 1;

/// What may be done now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Readiness {
    /// There may be something to read.
    pub(super) is_readable: bool,
    /// The client will send nothing more: what it sent before is to be read to its end.
    pub(super) has_ended: bool,
    /// The connection is reset, in both directions.
    pub(super) is_gone: bool,
}

/// Something that has become ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event(u64);

const READABLE: u64 = 1;
const ENDED: u64 = 2;
const LEASED: u64 = 4;
const GONE: u64 = 8;

const INDEX_SHIFT: u32 = 4;
const GENERATION_SHIFT: u32 = 36;

// The highest indices are no slots.
const SHUTDOWN: u32 = u32::MAX;
const WORK: u32 = u32::MAX - 1;
const FIRST_LISTENER: u32 = u32::MAX - 0xFFFF;

/// How many slots there can be.
pub(super) const SLOTS_MAX: usize = FIRST_LISTENER as usize;

impl Event {
    /// Of this source, with no readiness.
    pub(super) fn of(source: Source) -> Event {
        let (index, generation) = match source {
            Source::Connection(token) => (token.slot, token.generation),
            Source::Listener { number, list } => (FIRST_LISTENER + number as u32, list as u32),
            Source::Work => (WORK, 0),
            Source::Shutdown => (SHUTDOWN, 0),
        };
        Event(u64::from(index) << INDEX_SHIFT | u64::from(generation) << GENERATION_SHIFT)
    }

    pub(super) fn from_bits(bits: u64) -> Event {
        Event(bits)
    }

    pub(super) fn to_bits(self) -> u64 {
        self.0
    }

    pub(super) fn with(self, readiness: Readiness) -> Event {
        let mut bits = self.0;
        bits |= if readiness.is_readable { READABLE } else { 0 };
        bits |= if readiness.has_ended { ENDED } else { 0 };
        bits |= if readiness.is_gone { GONE } else { 0 };
        Event(bits)
    }

    /// The same, and the worker that takes it from the queue has the connection's lease with it.
    pub(super) fn leased(self) -> Event {
        Event(self.0 | LEASED)
    }

    pub(super) fn is_leased(self) -> bool {
        self.0 & LEASED != 0
    }

    pub(super) fn readiness(self) -> Readiness {
        Readiness {
            is_readable: self.0 & READABLE != 0,
            has_ended: self.0 & ENDED != 0,
            is_gone: self.0 & GONE != 0,
        }
    }

    pub(super) fn source(self) -> Source {
        let index = (self.0 >> INDEX_SHIFT) as u32;
        let generation = (self.0 >> GENERATION_SHIFT) as u32;
        match index {
            SHUTDOWN => Source::Shutdown,
            WORK => Source::Work,
            FIRST_LISTENER.. => Source::Listener {
                number: (index - FIRST_LISTENER) as usize,
                list: generation as usize,
            },
            slot => Source::Connection(Token { slot, generation }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_the_bits_comes_out() {
        for source in [
            Source::Connection(Token {
                slot: 0,
                generation: 0,
            }),
            Source::Connection(Token {
                slot: 9_999,
                generation: GENERATION_MAX,
            }),
            Source::Connection(Token {
                slot: SLOTS_MAX as u32 - 1,
                generation: 7,
            }),
            Source::Listener { number: 0, list: 0 },
            Source::Listener {
                number: 1,
                list: 63,
            },
            Source::Work,
            Source::Shutdown,
        ] {
            for (is_readable, has_ended) in [(false, false), (true, false), (true, true)] {
                let readiness = Readiness {
                    is_readable,
                    has_ended,
                    is_gone: has_ended,
                };
                let event = Event::from_bits(Event::of(source).with(readiness).leased().to_bits());
                assert_eq!((event.source(), event.readiness()), (source, readiness));
                assert!(event.is_leased() && !Event::of(source).is_leased());
            }
        }
    }
}
