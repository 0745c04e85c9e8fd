//! What the kernel says of a file or directory.

use std::os::fd::AsFd;

use rustix::fs::{FileType, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::root::Failure;
use crate::message::{Attributes, Fingerprint};

/// Whether this is something that may be opened at all.
pub(crate) fn is_servable(stat: &Stat) -> bool {
    matches!(
        FileType::from_raw_mode(stat.st_mode),
        FileType::RegularFile | FileType::Directory
    )
}

/// Whether this is a directory.
pub(crate) fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// What the file or directory behind a descriptor is now.
pub(crate) fn fingerprint_of(descriptor: impl AsFd) -> Result<Fingerprint, Failure> {
    Ok(fingerprint(&status(descriptor)?))
}

/// What a descriptor leads to.
pub(super) fn status(descriptor: impl AsFd) -> Result<Stat, Errno> {
    retry_on_intr(|| rustix::fs::fstat(&descriptor))
}

/// The fingerprint of what was looked at.
pub(crate) fn fingerprint(stat: &Stat) -> Fingerprint {
    Fingerprint {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: stat.st_size as u64,
        modified: (stat.st_mtime, stat.st_mtime_nsec as u32),
        changed: (stat.st_ctime, stat.st_ctime_nsec as u32),
        attributes: Attributes {
            links: stat.st_nlink,
            mode: stat.st_mode,
            owner: (stat.st_uid, stat.st_gid),
        },
    }
}

/// Whether what was looked at is in the state of `known`. Every request asks this, so nothing is built for it; and the
/// attributes are not compared: they do not change without the change time.
pub(super) fn is_state(stat: &Stat, known: &Fingerprint) -> bool {
    stat.st_ino == known.inode
        && stat.st_dev == known.device
        && stat.st_size as u64 == known.size
        && (stat.st_ctime, stat.st_ctime_nsec as u32) == known.changed
        && (stat.st_mtime, stat.st_mtime_nsec as u32) == known.modified
}

/// What tells one directory from another: its device and inode.
pub(super) fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

/// [`identity`] of what a descriptor leads to.
pub(super) fn identity_of(descriptor: impl AsFd) -> Result<(u64, u64), Errno> {
    Ok(identity(&status(descriptor)?))
}
