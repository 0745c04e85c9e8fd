//! Text that is compressed here: once for each content and coding, and kept while there is room.
//!
//! What is kept is found by the tag of the file as it is, which is the digest of its bytes. So what was made of one content
//! never stands for another, and files that are equal share it. Who asks first gets what little work makes. If that is
//! asked for again, one thread makes the best there is, which has a tag of its own and takes its place. Nobody waits for
//! that thread, every other goes before it, and it ends when it has nothing to do.
//!
//! Bounded are: what is kept, together with what clients still take; how many texts are compressed at a time, and how many
//! requests wait for one; and how many texts wait to be made better. Beyond, a file is sent as it is.

use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_128;

use super::cache::{Cache, Entry};
use super::description::Description;
use super::encoders::{Effort, SOURCE_BYTES_MAX, encode, step_back};
use super::encoding::{Coding, Codings};
use super::representation::{Content, Representation, read_on};
use super::room::{Room, Taken};
use super::validators::tag_of;
use crate::sync::unpoisoned;
use crate::tree::{Opened, Root};

/// Texts that are compressed in haste at a time.
const HASTY_MAX: usize = 2;
/// Requests that wait for one of these; each keeps a thread.
const WAITING_MAX: usize = 8;
/// Texts that wait to be made better, by their paths; the first of them is at work.
const QUEUED_MAX: usize = 64;

/// What is kept is at most this part of the room; the rest is for what clients still take though it is not kept any more.
const KEPT_SHARE: (usize, usize) = (3, 4);
/// The most that one text may take: half of the longest.
const KEPT_BYTES_MAX: usize = 2 << 20;

/// What compressing takes of memory at most besides what it keeps: the texts, the best of one until it is kept, and what
/// their encoders take.
pub(super) const WORK_BYTES_MAX: usize = HASTY_MAX
    * (SOURCE_BYTES_MAX as usize + Effort::Hasty.memory_bytes())
    + SOURCE_BYTES_MAX as usize
    + KEPT_BYTES_MAX
    + Effort::Best.memory_bytes();

/// Compresses what is asked for, and keeps it.
#[derive(Debug)]
pub(super) struct Compressor(Arc<Shared>);

/// A file as it is, where it lies, and the coding that a client wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) original: &'a Arc<Description>,
    pub(super) path: &'a CStr,
    pub(super) coding: Coding,
}

/// A [`Text`] that is to be made better.
#[derive(Debug, Clone)]
struct Job {
    original: Arc<Description>,
    path: CString,
    coding: Coding,
}

#[derive(Debug)]
struct Shared {
    root: Arc<Root>,
    kept: Cache,
    room: Arc<Room>,
    hasty: Mutex<Hasty>,
    /// Notified when one of `hasty` is done.
    done: Condvar,
    /// What is to be made better; while there is any, a thread is at the first.
    queue: Mutex<VecDeque<Job>>,
    is_over: AtomicBool,
}

/// What is compressed in haste.
#[derive(Debug, Default)]
struct Hasty {
    /// The tags and codings.
    texts: Vec<(String, Coding)>,
    /// How many requests wait for one of them.
    waiting: usize,
}

impl Compressor {
    /// Without knowing `seed`, no client can make tags collide.
    pub(super) fn new(root: Arc<Root>, bytes_max: usize, seed: u64) -> Compressor {
        let kept_bytes_max = bytes_max / KEPT_SHARE.1 * KEPT_SHARE.0;
        Compressor(Arc::new(Shared {
            root,
            kept: Cache::new(kept_bytes_max, KEPT_BYTES_MAX, 1, seed),
            room: Room::new(bytes_max),
            hasty: Mutex::default(),
            done: Condvar::new(),
            queue: Mutex::default(),
            is_over: AtomicBool::new(false),
        }))
    }

    /// The text compressed, unless that does not pay or there is too much to do. `content` is its file.
    pub(super) fn representation(
        &self,
        text: Text<'_>,
        content: impl FnOnce() -> Option<Content>,
    ) -> Option<Representation> {
        let shared = &self.0;
        let entry = match shared.find(text) {
            Some(entry) => {
                if entry.description.is_hasty {
                    self.improve(text, entry.bytes.as_ref().map_or(0, Bytes::len));
                }
                entry
            }
            None => shared.make(text, content)?,
        };
        // What does not pay is kept as nothing.
        let bytes = entry.bytes.clone().filter(|bytes| !bytes.is_empty())?;
        if !is_of(&entry.description, text.original) {
            return Some(shared.keep(text, bytes, entry.description.is_hasty));
        }
        Some(Representation {
            description: Arc::clone(&entry.description),
            content: Content::Memory(bytes),
        })
    }

    /// Has the text made better than in `hasty_bytes` some time, if there are not too many.
    fn improve(&self, text: Text<'_>, hasty_bytes: usize) {
        if !self.0.room.has(hasty_bytes) {
            return;
        }
        // Who cannot have the queue at once need not: it is asked again with the next request.
        let Ok(mut queue) = self.0.queue.try_lock() else {
            return;
        };
        if queue.len() == QUEUED_MAX || queue.iter().any(|job| job.text().is(text)) {
            return;
        }
        let job = Job {
            original: Arc::clone(text.original),
            path: text.path.to_owned(),
            coding: text.coding,
        };
        queue.push_back(job.clone());
        if queue.len() > 1 {
            return;
        }
        // Begun by a thread that answers, it has no more rights than that.
        let shared = Arc::clone(&self.0);
        let thread = thread::Builder::new().name("sockeye-compress".to_owned());
        if thread.spawn(move || shared.improve_all(job)).is_err() {
            queue.clear();
        }
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
        unpoisoned(self.0.queue.lock()).clear();
    }
}

impl Text<'_> {
    /// The tag of the file as it is: the digest of its bytes.
    fn tag(&self) -> &str {
        let tag = self.original.validators.tag.as_deref();
        tag.expect("only what has a digest is compressible")
    }

    fn length(&self) -> usize {
        self.original.length as usize
    }

    fn is(&self, other: Text<'_>) -> bool {
        self.coding == other.coding && self.tag() == other.tag()
    }
}

impl Job {
    fn text(&self) -> Text<'_> {
        Text {
            original: &self.original,
            path: &self.path,
            coding: self.coding,
        }
    }
}

/// Whether what is said of a compressed text is still what is said of its file.
fn is_of(compressed: &Description, original: &Description) -> bool {
    compressed.fingerprint == original.fingerprint
        && compressed.media_type() == original.media_type()
        && !compressed.has_come_of_age()
}

impl Shared {
    fn find(&self, text: Text<'_>) -> Option<Arc<Entry>> {
        self.kept.get(text.tag(), Some(text.coding))
    }

    /// Keeps what was made of a text in the place of what was; `bytes` are empty if it does not pay.
    fn keep(&self, text: Text<'_>, bytes: Bytes, is_hasty: bool) -> Representation {
        let compressed = Representation::compressed(text.original, bytes, text.coding, is_hasty);
        let url = (text.tag(), Some(text.coding));
        let siblings = (Codings::default(), 0);
        self.kept.insert(url, (c"", None), &compressed, siblings);
        compressed
    }

    /// Compresses a text in haste, or waits for whoever does.
    fn make(
        &self,
        text: Text<'_>,
        content: impl FnOnce() -> Option<Content>,
    ) -> Option<Arc<Entry>> {
        let _working = match self.begin(text)? {
            Begun::ByOther(entry) => return Some(entry),
            Begun::ByUs(working) => working,
        };
        let room = Taken::of(&self.room, text.length())?;
        let source = source(&content()?, text)?;
        // Less than an eighth is not worth it.
        let bytes_max = source.len() - source.len() / 8;
        let bytes = self.compress(&source, text, Effort::Hasty, bytes_max)?;
        let is_hasty = !bytes.is_empty();
        self.keep(text, room.keep(bytes), is_hasty);
        let entry = self.find(text);
        if entry.is_none() {
            // It does not fit. So that it is not tried again at once:
            self.keep(text, Bytes::new(), false);
        }
        entry
    }

    /// `None` if there is too much to do.
    fn begin(&self, text: Text<'_>) -> Option<Begun<'_>> {
        let mut hasty = unpoisoned(self.hasty.lock());
        loop {
            if let Some(entry) = self.find(text) {
                return Some(Begun::ByOther(entry));
            }
            let is_same =
                |(tag, coding): &(String, Coding)| *coding == text.coding && *tag == *text.tag();
            let is_begun = hasty.texts.iter().any(is_same);
            if !is_begun && hasty.texts.len() < HASTY_MAX {
                break;
            }
            if !is_begun || hasty.waiting == WAITING_MAX {
                return None;
            }
            hasty.waiting += 1;
            hasty = unpoisoned(self.done.wait(hasty));
            hasty.waiting -= 1;
        }
        let text = (text.tag().to_owned(), text.coding);
        hasty.texts.push(text.clone());
        Some(Begun::ByUs(Working { shared: self, text }))
    }

    /// The text in its coding; empty if that takes more than `bytes_max`, `None` if it is not wanted any more.
    fn compress(
        &self,
        source: &[u8],
        text: Text<'_>,
        effort: Effort,
        bytes_max: usize,
    ) -> Option<Vec<u8>> {
        let started = Instant::now();
        let bytes = encode(source, text.coding, effort, bytes_max, &self.is_over);
        if self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        let Some(bytes) = bytes else {
            return Some(Vec::new());
        };
        tracing::debug!(
            target: "sockeye",
            "compressed {:?} as {}, {}: {} bytes of {}, in {} ms",
            text.path, text.coding.name(), effort.name(), bytes.len(), source.len(), started.elapsed().as_millis(),
        );
        Some(bytes)
    }

    /// What the thread does, from its first text on.
    fn improve_all(&self, first: Job) {
        step_back();
        let mut next = Some(first);
        while let Some(job) = next {
            self.improve(job.text());
            let mut queue = unpoisoned(self.queue.lock());
            queue.pop_front();
            next = queue.front().cloned();
        }
    }

    /// Makes the best of a text, if it is still kept and its file still holds it. `None` is none of both.
    ///
    /// That takes no room until it is done, and what was made in haste is not held meanwhile: who waits for another text
    /// finds as much room as without this.
    fn improve(&self, text: Text<'_>) -> Option<()> {
        let hasty_bytes = self.find(text)?.bytes.as_ref()?.len();
        let Opened::File(file, _) = self.root.find(text.path).ok()? else {
            return None;
        };
        let source = source(&Content::File(Arc::new(file)), text)?;
        let best = self.compress(&source, text, Effort::Best, hasty_bytes.saturating_sub(1))?;
        let room = Taken::of(&self.room, best.len()).filter(|_| !best.is_empty());
        let bytes = match room {
            Some(room) => room.keep(best),
            // It is not tried again: it would be no smaller, or there is too little room to try in vain.
            None => self.find(text)?.bytes.clone()?,
        };
        self.keep(text, bytes, false);
        Some(())
    }
}

/// Whose turn it is to compress a text.
enum Begun<'a> {
    ByOther(Arc<Entry>),
    ByUs(Working<'a>),
}

/// A text that is being compressed; when this is dropped, whatever became of it, whoever waits goes on.
struct Working<'a> {
    shared: &'a Shared,
    text: (String, Coding),
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        unpoisoned(self.shared.hasty.lock())
            .texts
            .retain(|text| *text != self.text);
        self.shared.done.notify_all();
    }
}

/// The bytes of a text, if they are those that its tag is of.
fn source(content: &Content, text: Text<'_>) -> Option<Bytes> {
    let bytes = match content {
        Content::Memory(bytes) => bytes.clone(),
        Content::File(file) => {
            let mut bytes = Vec::new();
            read_on(file, &mut bytes, text.length()).ok()?;
            bytes.into()
        }
    };
    (tag_of(xxh3_128(&bytes)) == text.tag()).then_some(bytes)
}

#[cfg(all(test, feature = "compress"))]
mod tests;
