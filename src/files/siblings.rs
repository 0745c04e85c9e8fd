//! Files that lie beside another and hold its bytes compressed: `app.js.br`, `app.js.zst`, `app.js.gz`.
//!
//! Few directories have any. Whether one does is looked up once a second, by its names if its own times show that they
//! may have changed; only then is a file's own name tried with each suffix. The same look shows whether there are pipes
//! or devices, which must not be opened. So a sibling that is put in place is found within a second or so; one that is
//! gone or older than its file is never sent, since that is asked every time.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::hash::BuildHasherDefault;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::fs::{Dir, FileType};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::cache::{Entry, Hashed};
use super::compress::Text;
use super::description::Description;
use super::encoders::codings;
use super::encoding::{Coding, Codings, negotiate};
use super::representation::{Beginning, Content, Kind, Representation};
use super::{StaticFiles, validators};
use crate::message::{Fingerprint, Request};
use crate::sync::unpoisoned;
use crate::tree::{Failure, Opened, Root, fingerprint, fingerprint_of};

/// Of how many directories something is remembered. Beyond, all is forgotten and looked up again.
const DIRECTORIES_MAX: usize = 1024;

/// What all of it takes at most, with the table's spare room.
pub(super) const SIBLINGS_BYTES_MAX: usize = DIRECTORIES_MAX * 256;

/// What is known of directories.
#[derive(Debug)]
pub(super) struct Siblings {
    seed: u64,
    /// By the hashes of their paths.
    directories: Mutex<HashMap<u64, Known, BuildHasherDefault<Hashed>>>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    /// When it was looked up, by [`Root::second`].
    second: u64,
    /// The directory then, if a later change must show in it.
    fingerprint: Option<Fingerprint>,
    contents: Contents,
}

/// What is in a directory.
#[derive(Debug, Clone, Copy)]
struct Contents {
    has_siblings: bool,
    /// Whether it holds files, directories and links only.
    is_plain: bool,
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

    /// Opens a file and reads what it begins with.
    pub(super) fn open(&self, path: &CStr) -> Result<(Opened, Beginning), Failure> {
        let siblings = self.siblings.as_ref();
        let is_plain = siblings.is_some_and(|siblings| siblings.is_plain(&self.root, path));
        let at = validators::now();
        let mut bytes = Vec::new();
        let opened = self.root.find_and_read(path, is_plain, Some(&mut bytes))?;
        Ok((opened, Beginning { bytes, at }))
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
        let path = sibling_path(path, coding);
        if let Some(entry) = self.remembered(request, Some(coding))
            && entry.path == path
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
        let (Opened::File(file, fingerprint), start) = self.open(&path).ok()? else {
            return None;
        };
        let kind = Kind::Encoded(media_type, coding);
        let found = Representation::of(file, fingerprint, start, kind, self.terms()).ok()?;
        if !is_current(&found.description.fingerprint, &original.fingerprint) {
            return None;
        }
        if found.description.is_settled {
            let none = (Codings::default(), 0);
            let key = (request.path(), Some(coding));
            self.cache.insert(key, (&path, None), &found, none);
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
    /// Of no directory yet. Without knowing `seed`, no client can make paths collide.
    pub(super) fn new(seed: u64) -> Siblings {
        Siblings {
            seed,
            directories: Mutex::default(),
        }
    }

    /// In which codings the file at `path` lies beside itself.
    pub(super) fn of(&self, root: &Root, path: &CStr, file: &Fingerprint) -> Codings {
        if !self.contents(root, directory_of(path)).has_siblings {
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

    /// Whether the directory that `path` lies in is known to hold neither pipes nor devices, or did at most a second ago.
    pub(super) fn is_plain(&self, root: &Root, path: &CStr) -> bool {
        let known = self.known(directory_of(path));
        known.is_some_and(|known| known.second == root.second() && known.contents.is_plain)
    }

    fn contents(&self, root: &Root, directory: &[u8]) -> Contents {
        let second = root.second();
        let known = self.known(directory);
        if let Some(known) = known
            && known.second == second
        {
            return known.contents;
        }
        // What cannot be listed may still hold anything.
        let looked = look(root, directory, known).unwrap_or(Known {
            second,
            fingerprint: None,
            contents: Contents {
                has_siblings: true,
                is_plain: false,
            },
        });
        let mut directories = self.lock();
        if directories.len() >= DIRECTORIES_MAX {
            directories.clear();
        }
        directories.insert(self.key(directory), Known { second, ..looked });
        looked.contents
    }

    fn known(&self, directory: &[u8]) -> Option<Known> {
        self.lock().get(&self.key(directory)).copied()
    }

    fn key(&self, directory: &[u8]) -> u64 {
        xxh3_64_with_seed(directory, self.seed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Known, BuildHasherDefault<Hashed>>> {
        unpoisoned(self.directories.lock())
    }
}

/// The path of the directory that a path lies in.
fn directory_of(path: &CStr) -> &[u8] {
    let bytes = path.to_bytes();
    memchr::memrchr(b'/', bytes).map_or(b".", |slash| &bytes[..slash])
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
        contents: contents_of(handle)?,
    })
}

fn contents_of(handle: OwnedFd) -> Result<Contents, Failure> {
    let mut contents = Contents {
        has_siblings: false,
        is_plain: true,
    };
    let mut directory = Dir::new(handle)?;
    while let Some(entry) = directory.read() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let is_one = |coding: &Coding| name.ends_with(coding.suffix().as_bytes());
        contents.has_siblings |= Coding::ALL.iter().any(is_one);
        contents.is_plain &= matches!(
            entry.file_type(),
            FileType::RegularFile | FileType::Directory | FileType::Symlink
        );
        if contents.has_siblings && !contents.is_plain {
            break;
        }
    }
    Ok(contents)
}
