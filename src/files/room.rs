//! A bound for bytes that many share: they take room until the last one lets go of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// The room for what is kept or still being sent.
#[derive(Debug)]
pub(super) struct Room {
    bytes_max: usize,
    taken: AtomicUsize,
}

impl Room {
    pub(super) fn new(bytes_max: usize) -> Arc<Room> {
        let taken = AtomicUsize::new(0);
        Arc::new(Room { bytes_max, taken })
    }

    /// Whether there are so many now.
    pub(super) fn has(&self, bytes: usize) -> bool {
        self.taken.load(Ordering::Relaxed) + bytes <= self.bytes_max
    }
}

/// Some of the room, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    room: Arc<Room>,
    bytes: usize,
}

impl Taken {
    /// As many bytes, if there are so many.
    pub(super) fn of(room: &Arc<Room>, bytes: usize) -> Option<Taken> {
        let with = |taken: usize| Some(taken + bytes).filter(|&taken| taken <= room.bytes_max);
        let taken = &room.taken;
        taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, with)
            .ok()?;
        Some(Taken {
            room: Arc::clone(room),
            bytes,
        })
    }

    fn shrink_to(&mut self, bytes: usize) {
        let rest = self.bytes - bytes;
        self.room.taken.fetch_sub(rest, Ordering::Relaxed);
        self.bytes = bytes;
    }

    /// `bytes` as bytes that take this much of the room as long as anybody has them.
    pub(super) fn keep(mut self, bytes: Vec<u8>) -> Bytes {
        self.shrink_to(bytes.len());
        let bytes = bytes.into_boxed_slice();
        let _taken = self;
        Bytes::from_owner(Held { bytes, _taken })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

struct Held {
    bytes: Box<[u8]>,
    _taken: Taken,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
