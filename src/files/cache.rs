//! Small files in memory, and the fields of larger ones; bounded, and never stale.
//!
//! What is found under a path is only a memory: it counts if the file's fingerprint, asked anew for every request, is
//! the remembered one, and only what was settled when it was read is taken in (see [`validators`](super::validators)).
//! So nothing here expires and nothing is invalidated; what is not asked for any more gives way to what is. While there
//! is no room, most of what is new is not taken in: of many files that are asked for once each, hardly any is worth that.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Instant;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::description::Description;
use super::encoding::{Coding, Codings};
use super::representation::{Content, Representation};
use crate::sync::unpoisoned;

/// Enough that threads seldom meet.
const SHARDS_MAX: usize = 16;

/// What an entry takes besides its texts: the structures, their spans and the allocator's rounding.
const ENTRY_BYTES: usize = 1024;

/// What is remembered under one path of a request, as it came, still percent-encoded.
#[derive(Debug)]
pub(super) struct Entry {
    raw_path: Box<str>,
    /// In which coding; `None` is the file as it is.
    coding: Option<Coding>,
    /// The codings that lie beside the file.
    pub(super) siblings: Codings,
    /// When those were looked for, by [`Root::second`](crate::tree::Root::second).
    pub(super) second: AtomicU64,
    /// Where the file lies beneath the root.
    pub(super) path: CString,
    /// The path whose place it takes while there is no file.
    pub(super) instead_of: Option<CString>,
    pub(super) description: Arc<Description>,
    /// Its bytes, if they are few.
    pub(super) bytes: Option<Bytes>,
    /// When it was last seen to be the file it is known of, in nanoseconds since the cache was made.
    verified: AtomicU64,
    cost: usize,
}

#[derive(Debug)]
pub(super) struct Cache {
    shards: Box<[RwLock<Shard>]>,
    shard_bytes_max: usize,
    newcomers: u64,
    seed: u64,
    made: Instant,
}

impl Cache {
    /// Room for about `bytes_max`; 0 remembers nothing. An entry may take `entry_bytes_max`, or all where that is less.
    /// While there is no room, one of `newcomers` is taken in. Without knowing `seed`, no client can make paths collide.
    pub(super) fn new(
        bytes_max: usize,
        entry_bytes_max: usize,
        newcomers: u64,
        seed: u64,
    ) -> Cache {
        let count = (bytes_max / entry_bytes_max).clamp(1, SHARDS_MAX);
        Cache {
            shards: (0..count).map(|_| RwLock::default()).collect(),
            shard_bytes_max: bytes_max / count,
            newcomers,
            seed,
            made: Instant::now(),
        }
    }

    /// Whether anything can be remembered at all.
    pub(super) fn is_on(&self) -> bool {
        self.shard_bytes_max > 0
    }

    /// What is remembered; whether it still holds is for the caller to ask.
    pub(super) fn get(&self, raw_path: &str, coding: Option<Coding>) -> Option<Arc<Entry>> {
        let hash = self.hash(raw_path, coding);
        let shard = unpoisoned(self.shard(hash).read());
        let slot = &shard.slots[*shard.places.get(&hash)?];
        if *slot.entry.raw_path != *raw_path || slot.entry.coding != coding {
            return None;
        }
        // Not written if it is so already, so that readers do not take the line from each other.
        if !slot.is_used.load(Ordering::Relaxed) {
            slot.is_used.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(&slot.entry))
    }

    /// Whether `entry` still holds: either `is_same` is true now, or it was since the request was received. An answer
    /// that was true at any time after that is true enough, and requests that came together are asked for once.
    pub(super) fn still_holds(
        &self,
        entry: &Entry,
        received: Option<Instant>,
        is_same: impl FnOnce() -> bool,
    ) -> bool {
        let nanos = |at: Instant| at.saturating_duration_since(self.made).as_nanos() as u64;
        // Made by hand, it came from nowhere and alone.
        let Some(received) = received else {
            return is_same();
        };
        if nanos(received) < entry.verified.load(Ordering::Acquire) {
            return true;
        }
        let now = nanos(Instant::now());
        let holds = is_same();
        if holds {
            entry.verified.fetch_max(now, Ordering::Release);
        }
        holds
    }

    /// Forgets what does not hold any more, so that it is not asked for again.
    pub(super) fn forget(&self, entry: &Entry) {
        let hash = self.hash(&entry.raw_path, entry.coding);
        unpoisoned(self.shard(hash).write()).remove(hash);
    }

    /// Remembers a settled representation in the place of what was known of `raw_path` in this coding.
    pub(super) fn insert(
        &self,
        (raw_path, coding): (&str, Option<Coding>),
        (path, instead_of): (&CStr, Option<&CStr>),
        found: &Representation,
        (siblings, second): (Codings, u64),
    ) {
        let bytes = match &found.content {
            Content::Memory(bytes) => Some(bytes.clone()),
            Content::File(_) => None,
        };
        let description = &found.description;
        let cost = ENTRY_BYTES
            + bytes.as_ref().map_or(0, Bytes::len)
            + raw_path.len()
            + path.count_bytes()
            + instead_of.map_or(0, CStr::count_bytes)
            // Some of them stand in a 304 too.
            + 2 * description.fields.as_lines().len();
        if cost > self.shard_bytes_max {
            return;
        }
        let hash = self.hash(raw_path, coding);
        let mut shard = unpoisoned(self.shard(hash).write());
        if !shard.admits(hash, cost, self.shard_bytes_max, self.newcomers) {
            return;
        }
        let entry = Arc::new(Entry {
            raw_path: raw_path.into(),
            coding,
            siblings,
            second: AtomicU64::new(second),
            path: path.to_owned(),
            instead_of: instead_of.map(CStr::to_owned),
            description: Arc::clone(description),
            bytes,
            verified: AtomicU64::new(0),
            cost,
        });
        shard.remove(hash);
        while shard.bytes + cost > self.shard_bytes_max {
            shard.evict();
        }
        shard.push(hash, entry);
    }

    fn hash(&self, raw_path: &str, coding: Option<Coding>) -> u64 {
        let seed = self.seed ^ coding.map_or(0, |coding| coding as u64 + 1);
        xxh3_64_with_seed(raw_path.as_bytes(), seed)
    }

    fn shard(&self, hash: u64) -> &RwLock<Shard> {
        // Bits from the middle: the map takes its own from both ends.
        &self.shards[(hash >> 24) as usize % self.shards.len()]
    }
}

/// A part of the entries, in the ring of the CLOCK algorithm: an entry that was used since its last turn is spared
/// once. Finding room costs the same however many there are.
#[derive(Debug, Default)]
struct Shard {
    places: HashMap<u64, usize, BuildHasherDefault<Hashed>>,
    slots: Vec<Slot>,
    hand: usize,
    bytes: usize,
    /// How many have come while there was no room.
    newcomers: u64,
}

#[derive(Debug)]
struct Slot {
    hash: u64,
    entry: Arc<Entry>,
    is_used: AtomicBool,
}

impl Shard {
    /// Whether an entry is taken in: if it has a place already, if there is room, or now and then.
    fn admits(&mut self, hash: u64, cost: usize, bytes_max: usize, newcomers: u64) -> bool {
        if self.places.contains_key(&hash) || self.bytes + cost <= bytes_max {
            return true;
        }
        self.newcomers += 1;
        self.newcomers.is_multiple_of(newcomers)
    }

    fn push(&mut self, hash: u64, entry: Arc<Entry>) {
        self.bytes += entry.cost;
        self.places.insert(hash, self.slots.len());
        self.slots.push(Slot {
            hash,
            entry,
            is_used: AtomicBool::new(false),
        });
    }

    fn remove(&mut self, hash: u64) {
        let Some(place) = self.places.remove(&hash) else {
            return;
        };
        self.bytes -= self.slots.swap_remove(place).entry.cost;
        if let Some(moved) = self.slots.get(place) {
            self.places.insert(moved.hash, place);
        }
    }

    fn evict(&mut self) {
        loop {
            if self.hand >= self.slots.len() {
                self.hand = 0;
            }
            let slot = &mut self.slots[self.hand];
            let (hash, was_used) = (slot.hash, std::mem::take(slot.is_used.get_mut()));
            // Also past a place that the newest entry takes over.
            self.hand += 1;
            if !was_used {
                return self.remove(hash);
            }
        }
    }
}

/// The keys are hashes already.
#[derive(Debug, Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are u64");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::representation::{Beginning, Kind, Terms};
    use crate::tree::Rules;
    use crate::tree::{Opened, Root};

    const MIB: usize = 1024 * 1024;

    /// A representation of `size` bytes.
    fn found(size: usize) -> Representation {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a"), vec![b'a'; size]).unwrap();
        let root = Root::open(directory.path(), Rules::default()).unwrap();
        let Ok(Opened::File(file, fingerprint)) = root.find(c"a") else {
            panic!("it was just written");
        };
        let terms = Terms {
            started: (0, 0),
            digests: None,
            media_types: &[],
            compresses: false,
        };
        let kind = Kind::Named(b"a", Codings::default());
        Representation::of(file, fingerprint, Beginning::default(), kind, terms).unwrap()
    }

    fn insert(cache: &Cache, raw_path: &str, found: &Representation) {
        let siblings = (Codings::default(), 0);
        cache.insert((raw_path, None), (c"a", None), found, siblings);
    }

    fn bytes(cache: &Cache) -> usize {
        cache
            .shards
            .iter()
            .map(|shard| shard.read().unwrap().bytes)
            .sum()
    }

    #[test]
    fn memory_is_bounded_however_much_is_served() {
        let cache = Cache::new(4 * 1024 * 1024, MIB, 8, 1);
        let found = found(10_000);
        let is_known = |n| cache.get(&format!("/{n}"), None).is_some();
        for n in 0..100_000 {
            insert(&cache, &format!("/{n}"), &found);
        }
        assert!(
            (3_500_000..=4 * 1024 * 1024).contains(&bytes(&cache)),
            "{}",
            bytes(&cache)
        );
        assert!((0..1000).all(|n| !is_known(n)) && (99_000..100_000).any(is_known));
    }

    #[test]
    fn what_is_asked_for_once_hardly_replaces_anything_and_what_is_asked_for_often_gets_in() {
        let cache = Cache::new(1024 * 1024, MIB, 8, 1);
        let found = found(1000);
        (0..1000).for_each(|n| insert(&cache, &format!("/{n}"), &found));
        let known = (0..1000).filter(|n| cache.get(&format!("/{n}"), None).is_some());
        let before = known.count();
        let is_kept = |n: &usize| cache.get(&format!("/{n}"), None).is_some();
        (1000..1000 + before).for_each(|n| insert(&cache, &format!("/{n}"), &found));
        assert!((0..1000).filter(is_kept).count() > before * 3 / 4);
        assert!((0..8).any(|_| {
            insert(&cache, "/often", &found);
            cache.get("/often", None).is_some()
        }));
    }

    #[test]
    fn what_is_asked_for_stays() {
        let cache = Cache::new(1024 * 1024, MIB, 8, 1);
        let found = found(1000);
        insert(&cache, "/hot", &found);
        for n in 0..10_000 {
            insert(&cache, &format!("/{n}"), &found);
            assert!(cache.get("/hot", None).is_some(), "gone after {n}");
        }
    }

    #[test]
    fn the_same_url_is_remembered_once() {
        let cache = Cache::new(1024 * 1024, MIB, 8, 1);
        for size in [10, 20, 30] {
            insert(&cache, "/a", &found(size));
        }
        assert_eq!(
            cache.get("/a", None).unwrap().bytes.as_ref().unwrap().len(),
            30
        );
        assert!(bytes(&cache) < 2 * ENTRY_BYTES);
    }

    #[test]
    fn without_room_nothing_is_remembered() {
        let cache = Cache::new(0, MIB, 8, 1);
        insert(&cache, "/a", &found(10));
        assert!(cache.get("/a", None).is_none() && !cache.is_on());
    }
}
