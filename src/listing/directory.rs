//! An open directory, and what of it can be asked for: regular files and directories, and links as far as they lead to
//! such where links may lead. Names that begin with a dot only if the server shows them.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, RawDir, SeekFrom, Stat};
use rustix::io::{Errno, retry_on_intr};

use crate::tree::SafePath;
use crate::tree::{Failure, Opened, Root, is_servable};

#[derive(Debug)]
pub(crate) struct Directory {
    root: Arc<Root>,
    path: SafePath,
    handle: OwnedFd,
    hidden: bool,
}

/// The type of an entry, as far as the directory itself holds it.
pub(super) enum Kind {
    File,
    Directory,
    /// A link, or a file system that does not tell.
    Unknown,
}

impl Directory {
    pub(crate) fn new(
        root: &Arc<Root>,
        path: SafePath,
        handle: OwnedFd,
        hidden: bool,
    ) -> Directory {
        Directory {
            root: Arc::clone(root),
            path,
            handle,
            hidden,
        }
    }

    pub(super) fn path(&self) -> &SafePath {
        &self.path
    }

    /// Reads on into `buffer` and passes on each of the names found there; `false` at the directory's end.
    pub(super) fn read(
        &self,
        buffer: &mut [MaybeUninit<u8>],
        mut tell: impl FnMut(&CStr, Kind) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        let mut entries = RawDir::new(&self.handle, buffer);
        let mut is_first = true;
        while is_first || !entries.is_buffer_empty() {
            let entry = match entries.next() {
                None => return Ok(!is_first),
                Some(Err(Errno::INTR)) => continue,
                Some(entry) => entry?,
            };
            is_first = false;
            let kind = match entry.file_type() {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Directory,
                FileType::Symlink | FileType::Unknown => Kind::Unknown,
                _ => continue,
            };
            let name = entry.file_name();
            if name.to_bytes().starts_with(b".")
                && (!self.hidden || matches!(name.to_bytes(), b"." | b".."))
            {
                continue;
            }
            tell(name, kind)?;
        }
        Ok(true)
    }

    /// Lets [`Directory::read`] begin anew.
    pub(super) fn rewind(&self) -> Result<(), Failure> {
        rustix::fs::seek(&self.handle, SeekFrom::Start(0))?;
        Ok(())
    }

    /// What an entry is now. `None` if it has vanished or cannot be asked for; an error if that is unknown, because
    /// a listing that leaves out what is there would be wrong.
    pub(super) fn look(&self, name: &CStr) -> Result<Option<Stat>, Failure> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let stat = retry_on_intr(|| rustix::fs::statat(&self.handle, name, flags));
        let stat = match stat.map_err(Failure::from) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => {
                self.root.look_through(&self.path.entry(name))
            }
            stat => stat,
        };
        match stat {
            Ok(stat) => Ok(Some(stat).filter(is_servable)),
            Err(failure @ (Failure::Busy | Failure::RootGone)) => Err(failure),
            Err(_) => Ok(None),
        }
    }

    /// The first `bytes_max` bytes of a file in it, and whether there are more.
    pub(super) fn beginning(&self, name: &CStr, bytes_max: usize) -> Option<(Vec<u8>, bool)> {
        let Ok(Opened::File(file, fingerprint)) = self.root.find(&self.path.entry(name)) else {
            return None;
        };
        let mut bytes = vec![0; bytes_max.min(usize::try_from(fingerprint.size).ok()?)];
        let read = retry_on_intr(|| rustix::io::pread(&file, &mut bytes[..], 0)).ok()?;
        bytes.truncate(read);
        Some((bytes, fingerprint.size > read as u64))
    }
}
