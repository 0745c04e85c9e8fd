//! What a directory holds that can be asked for.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType, Stat};
use rustix::io::retry_on_intr;

use super::listing::Entry;
use super::root::{Failure, Root, is_servable};
use super::safe_path::SafePath;

/// More than this nobody reads, and reading is bounded: so many names are read, in the directory's own order.
const NAMES_MAX: usize = 10_000;

/// The entries of an open directory, and whether there are more: regular files and directories, and links as far as
/// they lead to such inside the root. Names that begin with a dot only if `hidden`.
pub(super) fn entries(
    root: &Root,
    path: &SafePath,
    handle: OwnedFd,
    hidden: bool,
) -> Result<(Vec<Entry>, bool), Failure> {
    let mut directory = Dir::new(handle)?;
    let mut names: Vec<CString> = Vec::new();
    let mut is_cut = false;
    while let Some(entry) = directory.read() {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") || (name.to_bytes()[0] == b'.' && !hidden) {
            continue;
        }
        if names.len() == NAMES_MAX {
            is_cut = true;
            break;
        }
        names.push(name.to_owned());
    }
    let handle = directory.fd()?;
    let look = |name: &CStr| -> Option<Stat> {
        // What vanished meanwhile is not listed.
        let stat = retry_on_intr(|| rustix::fs::statat(handle, name, AtFlags::SYMLINK_NOFOLLOW));
        match stat.ok()? {
            stat if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => {
                root.look_through(&path.entry(name))
            }
            stat => Some(stat),
        }
    };
    let entries = names
        .into_iter()
        .filter_map(|name| {
            let stat = look(&name).filter(is_servable)?;
            Some(Entry {
                name: name.into_bytes(),
                is_directory: FileType::from_raw_mode(stat.st_mode) == FileType::Directory,
                size: stat.st_size as u64,
                modified: stat.st_mtime,
            })
        })
        .collect();
    Ok((entries, is_cut))
}
