//! The only place that opens files, and the kernel keeps it beneath the root.
//!
//! A directory handle and one `openat2` with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS` open a path in a single step,
//! so that nothing swapped in the meantime can lead out; a path with links in it is walked (see [`walk`]). Only regular
//! files and directories are opened: opening a device can do things, and opening a pipe wakes its writer. So what a path
//! leads to is looked at first, unless its directory is known to hold no such thing; if one was made there this very
//! second, it is opened without waiting and closed again. What the file is (its length, its dates) is asked of the
//! descriptor that will be sent, never of the path.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::{Errno, pread, retry_on_intr};

use super::status::{
    fingerprint, identity, identity_of, is_directory, is_servable, is_state, status,
};
use super::walk::{self, Rules, Start};
use crate::message::Fingerprint;
use crate::sync::{RateLimit, unpoisoned};

const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY);

const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);

/// What is read of a file before it is known how long it is: all of most.
const START_BYTES: usize = 32 * 1024;

/// How often to try again when something moved during a look-up (openat2(2), EAGAIN).
const TRIES_MAX: usize = 8;

/// The directory whose files are served.
#[derive(Debug)]
pub(crate) struct Root {
    /// Absolute, but with its links as given: a deployment that swaps a link is noticed.
    path: PathBuf,
    rules: Rules,
    has_openat2: bool,
    /// `None` while there is no such directory.
    directory: RwLock<Option<Arc<Directory>>>,
    /// Whether the first one could be read, and so every other must be.
    is_readable: bool,
    /// Whether it was logged that the directory that is there now cannot be read.
    is_refused: AtomicBool,
    looks: RateLimit,
}

#[derive(Debug)]
struct Directory {
    handle: OwnedFd,
    identity: (u64, u64),
    /// Names of the root that an absolute link may begin with.
    names: Vec<PathBuf>,
}

/// Something beneath the root, open for reading.
#[derive(Debug)]
pub(crate) enum Opened {
    File(File, Fingerprint),
    Directory(OwnedFd),
}

/// Why nothing was opened.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing there, or a path that means nothing: too long, a loop of links, a file where a directory should be.
    Missing,
    /// We have no right to it.
    Denied,
    /// This link leads out of the root.
    Escape(PathBuf),
    /// A pipe, a socket or a device.
    NotRegular,
    /// Out of descriptors or memory, or the tree changes faster than we can look.
    Busy,
    /// The root itself is gone.
    RootGone,
    /// The file system failed.
    Broken(Errno),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        match errno {
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::NAMETOOLONG
            | Errno::INVAL
            | Errno::ILSEQ
            | Errno::STALE => Failure::Missing,
            Errno::ACCESS | Errno::PERM => Failure::Denied,
            Errno::NXIO | Errno::NODEV => Failure::NotRegular,
            Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => Failure::Busy,
            errno => Failure::Broken(errno),
        }
    }
}

impl Root {
    /// Opens the root. Fails if it is missing or not a directory.
    pub(crate) fn open(path: &Path, rules: Rules) -> io::Result<Root> {
        let path = std::path::absolute(path)?;
        let directory = Directory::open(&path)?;
        Ok(Root {
            has_openat2: openat2_works(&directory),
            path,
            rules,
            is_readable: directory.is_readable(),
            is_refused: AtomicBool::new(false),
            directory: RwLock::new(Some(Arc::new(directory))),
            looks: RateLimit::new(),
        })
    }

    /// The same root on a system without `openat2`.
    #[cfg(test)]
    pub(crate) fn without_openat2(mut self) -> Root {
        self.has_openat2 = false;
        self
    }

    /// Opens a file or directory beneath the root; links are followed as long as they stay inside.
    pub(crate) fn find(&self, path: &CStr) -> Result<Opened, Failure> {
        self.find_and_read(path, false, None)
    }

    /// The same; and puts into `start` what the file begins with, read before the file is looked at. Where the directory
    /// `is_plain`, holding neither pipes nor devices, nothing is looked at before it is opened.
    pub(crate) fn find_and_read(
        &self,
        path: &CStr,
        is_plain: bool,
        mut start: Option<&mut Vec<u8>>,
    ) -> Result<Opened, Failure> {
        let directory = self.directory()?;
        match self.find_in(&directory, path, is_plain, start.as_deref_mut()) {
            Err(Failure::Missing) if directory.is_deleted() => {
                self.look_again();
                self.find_in(&*self.directory()?, path, is_plain, start)
            }
            found => found,
        }
    }

    /// Whether `path` is still what `known` was taken of, without opening it. The answer is whether what is remembered
    /// of it holds, and no more: the path may lead out, and then it is nothing that was ever taken inside.
    pub(crate) fn is_still(&self, path: &CStr, known: &Fingerprint) -> bool {
        let Ok(directory) = self.directory() else {
            return false;
        };
        let flags = AtFlags::NO_AUTOMOUNT;
        let stat = retry_on_intr(|| rustix::fs::statat(&directory.handle, path, flags));
        stat.is_ok_and(|stat| is_state(&stat, known))
    }

    /// Whether nothing is at `path`, or a directory. No link is followed: what it leads to is for [`Root::find`] to say.
    pub(crate) fn is_no_file(&self, path: &CStr) -> bool {
        let Ok(directory) = self.directory() else {
            return false;
        };
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        match retry_on_intr(|| rustix::fs::statat(&directory.handle, path, flags)) {
            Ok(stat) => is_directory(&stat),
            Err(errno) => matches!(Failure::from(errno), Failure::Missing),
        }
    }

    /// What a path leads to, as far as it stays where links may lead.
    pub(crate) fn look_through(&self, path: &CStr) -> Result<Stat, Failure> {
        self.look_in(&*self.directory()?, path)
    }

    // Not by `statat`: it would follow a link to wherever that leads, and mount what is mounted when somebody looks.
    fn look_in(&self, directory: &Directory, path: &CStr) -> Result<Stat, Failure> {
        // But a single name that is no link leads nowhere else, and takes one question.
        if !path.to_bytes().contains(&b'/') {
            let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
            let stat = retry_on_intr(|| rustix::fs::statat(&directory.handle, path, flags))?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
                return Ok(stat);
            }
        }
        let handle = self.open_beneath(directory, path, LOOK)?;
        Ok(status(&handle)?)
    }

    /// Which second it is, for what is looked up once a second while there are requests.
    pub(crate) fn second(&self) -> u64 {
        self.looks.generation()
    }

    fn find_in(
        &self,
        directory: &Directory,
        path: &CStr,
        is_plain: bool,
        start: Option<&mut Vec<u8>>,
    ) -> Result<Opened, Failure> {
        // Looked at before it is opened, because of pipes and devices; and again afterwards, because that is what
        // counts.
        if !is_plain && !is_servable(&self.look_in(directory, path)?) {
            return Err(Failure::NotRegular);
        }
        let handle = self.open_beneath(directory, path, READ)?;
        let read = match start {
            Some(start) => read_start(&handle).map(|bytes| *start = bytes),
            None => Ok(()),
        };
        if read == Err(Errno::ISDIR) {
            return Ok(Opened::Directory(handle));
        }
        let stat = status(&handle)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                read?;
                Ok(Opened::File(handle.into(), fingerprint(&stat)))
            }
            FileType::Directory => Ok(Opened::Directory(handle)),
            _ => Err(Failure::NotRegular),
        }
    }

    fn open_beneath(
        &self,
        directory: &Directory,
        path: &CStr,
        flags: OFlags,
    ) -> Result<OwnedFd, Failure> {
        match self.open_at_once(directory, path, flags) {
            Err(Errno::LOOP) => {
                let start = Start {
                    root: directory.handle.as_fd(),
                    identity: directory.identity,
                    names: &directory.names,
                };
                walk::open(start, self.rules, path, flags)
            }
            opened => Ok(opened?),
        }
    }

    /// Opens a path that has no links in it; one that has, or may have, is `LOOP`.
    fn open_at_once(
        &self,
        directory: &Directory,
        path: &CStr,
        flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        if !self.has_openat2 {
            return Err(Errno::LOOP);
        }
        let mut tries = 0..TRIES_MAX;
        loop {
            match openat2(directory, path, flags, BENEATH) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if tries.next().is_some() => {}
                opened => return opened,
            }
        }
    }

    /// The root as it is now, which is looked up again once a second.
    fn directory(&self) -> Result<Arc<Directory>, Failure> {
        if self.looks.admits() {
            self.look_again();
        }
        let directory = unpoisoned(self.directory.read()).clone();
        directory.ok_or(Failure::RootGone)
    }

    /// Takes the directory that now stands at the root's path, if it is another one.
    fn look_again(&self) {
        let held = unpoisoned(self.directory.read()).clone();
        let stat = retry_on_intr(|| rustix::fs::stat(&self.path));
        let is_same = match (&held, &stat) {
            (Some(held), Ok(stat)) => held.identity == identity(stat) && !held.is_deleted(),
            _ => false,
        };
        if is_same {
            return;
        }
        let opened = match Directory::open(&self.path) {
            Ok(directory) if self.is_readable && !directory.is_readable() => {
                if !self.is_refused.swap(true, Ordering::Relaxed) {
                    tracing::warn!(target: "sockeye", "the served directory was replaced by one that cannot be read; restart to serve it");
                }
                // The old one is served as long as there is one.
                match &held {
                    Some(held) if !held.is_deleted() => return,
                    _ => None,
                }
            }
            Ok(directory) => Some(Arc::new(directory)),
            // Only what is not there is gone: after privileges were dropped, what we hold may be all that we can have.
            Err(errno) if !matches!(Failure::from(errno), Failure::Missing) => return,
            Err(_) => None,
        };
        match (&held, &opened) {
            (_, Some(_)) => {
                tracing::info!(target: "sockeye", "the served directory was replaced; serving the new one")
            }
            (Some(_), None) => tracing::warn!(target: "sockeye", "the served directory is gone"),
            (None, None) => {}
        }
        if opened.is_some() {
            self.is_refused.store(false, Ordering::Relaxed);
        }
        *unpoisoned(self.directory.write()) = opened;
    }
}

impl Directory {
    fn open(path: &Path) -> Result<Directory, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = retry_on_intr(|| rustix::fs::openat(CWD, path, flags, Mode::empty()))?;
        let identity = identity_of(&handle)?;
        let mut names = vec![path.to_owned()];
        names.extend(path.canonicalize());
        Ok(Directory {
            handle,
            identity,
            names,
        })
    }

    /// Whether the process may read what is in it, which it may have given up.
    fn is_readable(&self) -> bool {
        let read = READ | OFlags::DIRECTORY;
        retry_on_intr(|| rustix::fs::openat(&self.handle, c".", read, Mode::empty())).is_ok()
    }

    fn is_deleted(&self) -> bool {
        status(&self.handle).is_ok_and(|stat| stat.st_nlink == 0)
    }
}

/// What a file begins with. Through room on the stack: how much there will be is not known yet.
fn read_start(file: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let mut room = [const { MaybeUninit::<u8>::uninit() }; START_BYTES];
    retry_on_intr(|| pread(file, &mut room[..], 0).map(|(bytes, _)| bytes.to_vec()))
}

fn openat2(
    directory: &Directory,
    path: &CStr,
    flags: OFlags,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    rustix::fs::openat2(&directory.handle, path, flags, Mode::empty(), resolve)
}

/// Old kernels do not have it, and some sandboxes (systemd's `RestrictSUIDSGID`) forbid it.
fn openat2_works(directory: &Directory) -> bool {
    openat2(directory, c".", LOOK, BENEATH).is_ok()
}
