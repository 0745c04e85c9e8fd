//! Files that lie beside another and hold its bytes compressed: `app.js.br`, `app.js.zst`, `app.js.gz`.
//!
//! Few directories have any. Whether one does is looked up once a second, by its names if its own times say that they
//! may have changed; only then is a file's own name tried with each suffix. So a sibling that is put in place is found
//! within a second or so; one that is gone or older than its file is never sent, since that is asked every time.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::hash::{BuildHasher, RandomState};
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::fs::{Dir, FileType};

use super::cache::Entry;
use super::compress::Text;
use super::encoders::codings;
use super::encoding::{Coding, Codings, negotiate};
use super::representation::{Content, Description, Kind, Representation};
use super::{StaticFiles, validators};
use crate::message::{Fingerprint, Request};
use crate::sync::unpoisoned;
use crate::tree::{Failure, Opened, Root, fingerprint, fingerprint_of};

/// Of how many directories something is remembered. Beyond, all is forgotten and looked up again.
const DIRECTORIES_MAX: usize = 1024;

/// What all of it takes at most, with the table's spare room.
pub(super) const SIBLINGS_BYTES_MAX: usize = DIRECTORIES_MAX * 256;

/// What is known of directories.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    secret: RandomState,
    /// By the hashes of their paths.
    directories: Mutex<HashMap<u64, Known>>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    /// When it was looked up, by [`Root::second`].
    second: u64,
    /// The directory then, if a later change must show in it.
    fingerprint: Option<Fingerprint>,
    has_siblings: bool,
}

impl StaticFiles {
    /// Whether the siblings of a remembered file are still those remembered, which is looked up once a second.
    pub(super) fn has_known_siblings(&self, entry: &Entry) -> bool {
        let second = self.root.second();
        if self.siblings.is_none() || entry.second.load(Ordering::Relaxed) == second {
            return true;
        }
        let siblings = self.siblings_of(&entry.path, &entry.description.fingerprint);
        let is_same = siblings == entry.siblings;
        if is_same {
            entry.second.store(second, Ordering::Relaxed);
        }
        is_same
    }

    pub(super) fn siblings_of(&self, path: &CStr, file: &Fingerprint) -> Codings {
        let siblings = self.siblings.as_ref();
        siblings.map_or(Codings::default(), |siblings| {
            siblings.of(&self.root, path, file)
        })
    }

    /// The file in the coding that the client likes best, unless that is the file as it is: a sibling, or if it takes none
    /// that there is, compressed here.
    pub(super) fn variant(
        &self,
        request: &Request,
        (path, original): (&CStr, &Arc<Description>),
        siblings: Codings,
        content: impl FnOnce() -> Option<Content>,
    ) -> Option<Representation> {
        if !original.varies {
            return None;
        }
        let sibling = self.sibling_for(request, path, original, siblings);
        let compressor = self.compressor.as_ref();
        let Some(compressor) = compressor.filter(|_| sibling.is_none()) else {
            return sibling;
        };
        // Ranges are those of the file as it is.
        if !original.is_compressible || request.headers().contains("Range") {
            return None;
        }
        let coding = negotiate(request.headers(), codings())?;
        let text = Text {
            original,
            path,
            coding,
        };
        compressor.representation(text, content)
    }

    /// The sibling in the coding that the client likes best, unless that is the file as it is.
    fn sibling_for(
        &self,
        request: &Request,
        path: &CStr,
        original: &Description,
        mut siblings: Codings,
    ) -> Option<Representation> {
        while let Some(coding) = negotiate(request.headers(), siblings) {
            let sibling = self.sibling(request, path, original, coding);
            if sibling.is_some() {
                return sibling;
            }
            siblings = siblings.without(coding);
        }
        None
    }

    /// The sibling in this coding, if it is there and not older than the file.
    fn sibling(
        &self,
        request: &Request,
        path: &CStr,
        original: &Description,
        coding: Coding,
    ) -> Option<Representation> {
        let media_type = original.fields.get("Content-Type")?;
        if let Some(entry) = self.remembered(request, Some(coding))
            && is_current(&entry.description.fingerprint, &original.fingerprint)
            && entry.description.fields.get("Content-Type") == Some(media_type)
            && let Some(content) = self.content(&entry)
        {
            let description = Arc::clone(&entry.description);
            return Some(Representation {
                description,
                content,
            });
        }
        let path = sibling_path(path, coding);
        let Opened::File(file, fingerprint) = self.root.find(&path).ok()? else {
            return None;
        };
        let kind = Kind::Encoded(media_type, coding);
        let found = Representation::of(file, fingerprint, kind, self.terms()).ok()?;
        if !is_current(&found.description.fingerprint, &original.fingerprint) {
            return None;
        }
        if found.description.is_settled {
            let none = (Codings::default(), 0);
            let key = (request.path(), Some(coding));
            self.cache.insert(key, path, &found, none);
        }
        Some(found)
    }
}

/// The path of a file's sibling.
fn sibling_path(path: &CStr, coding: Coding) -> CString {
    let path = [path.to_bytes(), coding.suffix().as_bytes()].concat();
    CString::new(path).expect("neither part holds a NUL")
}

/// Whether a sibling may be sent for its file.
fn is_current(sibling: &Fingerprint, file: &Fingerprint) -> bool {
    sibling.modified >= file.modified && sibling.size > 0
}

impl Siblings {
    /// In which codings the file at `path` lies beside itself.
    pub(super) fn of(&self, root: &Root, path: &CStr, file: &Fingerprint) -> Codings {
        let bytes = path.to_bytes();
        let directory = match memchr::memrchr(b'/', bytes) {
            Some(slash) => &bytes[..slash],
            None => b".",
        };
        if !self.has_siblings(root, directory) {
            return Codings::default();
        }
        let is_there = |&coding: &Coding| {
            root.look_through(&sibling_path(path, coding))
                .is_ok_and(|stat| {
                    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
                        && is_current(&fingerprint(&stat), file)
                })
        };
        let there = Coding::ALL.into_iter().filter(is_there);
        there.fold(Codings::default(), Codings::with)
    }

    fn has_siblings(&self, root: &Root, directory: &[u8]) -> bool {
        let second = root.second();
        let key = self.secret.hash_one(directory);
        let known = self.lock().get(&key).copied();
        if let Some(known) = known
            && known.second == second
        {
            return known.has_siblings;
        }
        // What cannot be listed may still hold some.
        let looked = look(root, directory, known).unwrap_or(Known {
            second,
            fingerprint: None,
            has_siblings: true,
        });
        let mut directories = self.lock();
        if directories.len() >= DIRECTORIES_MAX {
            directories.clear();
        }
        let has_siblings = looked.has_siblings;
        directories.insert(key, Known { second, ..looked });
        has_siblings
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Known>> {
        unpoisoned(self.directories.lock())
    }
}

fn look(root: &Root, directory: &[u8], known: Option<Known>) -> Result<Known, Failure> {
    let path = CString::new(directory).expect("it is part of a path");
    let Opened::Directory(handle) = root.find(&path)? else {
        return Err(Failure::Missing);
    };
    let now = validators::now();
    let fingerprint = fingerprint_of(&handle)?;
    if let Some(known) = known
        && known.fingerprint == Some(fingerprint)
    {
        return Ok(known);
    }
    let is_settled = validators::is_settled(fingerprint.changed, now);
    Ok(Known {
        second: 0,
        fingerprint: is_settled.then_some(fingerprint),
        has_siblings: holds_siblings(handle)?,
    })
}

fn holds_siblings(handle: OwnedFd) -> Result<bool, Failure> {
    let mut directory = Dir::new(handle)?;
    while let Some(entry) = directory.read() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let is_one = |coding: &Coding| name.ends_with(coding.suffix().as_bytes());
        if Coding::ALL.iter().any(is_one) {
            return Ok(true);
        }
    }
    Ok(false)
}
