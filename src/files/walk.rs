//! Opens a path name by name, where the kernel cannot do it in one step.
//!
//! Every step is taken from the directory that the last one opened and follows no link, so nothing that is swapped
//! meanwhile can lead out. Links are read and resolved here: a relative one from where it stands, an absolute one if
//! it begins with a name of the root. What was opened beneath the root is all that can ever be returned.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::root::Failure;

/// As many links as Linux follows (path_resolution(7)).
const LINKS_MAX: usize = 40;

const STEP: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens `path` beneath `root`, whose own absolute names are `root_names`.
pub(super) fn open(
    root: BorrowedFd<'_>,
    root_names: &[PathBuf],
    path: &CStr,
    flags: OFlags,
) -> Result<OwnedFd, Failure> {
    // What is still to be walked, the next name last; and what was walked, each directory held open.
    let mut ahead = names(path.to_bytes());
    let mut behind: Vec<(OwnedFd, Vec<u8>)> = Vec::new();
    let mut links = 0;
    let mut link = PathBuf::new();
    while let Some(name) = ahead.pop() {
        if name == b".." {
            // Only a link can say so.
            behind.pop().ok_or_else(|| Failure::Escape(link.clone()))?;
            continue;
        }
        let here = behind.last().map_or(root, |(handle, _)| handle.as_fd());
        match retry_on_intr(|| rustix::fs::readlinkat(here, &name[..], Vec::new())) {
            Ok(target) => {
                links += 1;
                if links > LINKS_MAX {
                    return Err(Failure::Missing);
                }
                link = path_of(&behind, &name);
                let mut rest = target.to_bytes();
                if rest.starts_with(b"/") {
                    rest =
                        beneath(rest, root_names).ok_or_else(|| Failure::Escape(link.clone()))?;
                    behind.clear();
                }
                ahead.extend(names(rest));
            }
            // No link.
            Err(Errno::INVAL) if ahead.is_empty() => return step(here, &name, flags),
            Err(Errno::INVAL) => {
                let handle = step(here, &name, STEP)?;
                behind.push((handle, name));
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    let here = behind.last().map_or(root, |(handle, _)| handle.as_fd());
    step(here, b".", flags)
}

fn step(here: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> Result<OwnedFd, Failure> {
    let flags = flags | OFlags::NOFOLLOW;
    Ok(retry_on_intr(|| {
        rustix::fs::openat(here, name, flags, Mode::empty())
    })?)
}

/// The names of a path, the first one last.
fn names(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|&byte| byte == b'/')
        .rev()
        .filter(|name| !matches!(*name, b"" | b"."))
        .map(<[u8]>::to_vec)
        .collect()
}

/// What an absolute path says behind the root's name. It may still climb, which the walk will see.
fn beneath<'a>(path: &'a [u8], root_names: &[PathBuf]) -> Option<&'a [u8]> {
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    root_names
        .iter()
        .find_map(|root| path.strip_prefix(root).ok())
        .map(|rest| rest.as_os_str().as_bytes())
}

fn path_of(behind: &[(OwnedFd, Vec<u8>)], name: &[u8]) -> PathBuf {
    behind
        .iter()
        .map(|(_, name)| &name[..])
        .chain([name])
        .map(std::ffi::OsStr::from_bytes)
        .collect()
}
