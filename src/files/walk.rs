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

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::CWD;

    use super::*;
    use crate::files::root::{Opened, Root};

    /// `www` with links of every kind, beside an `outside` that holds a secret.
    fn tree() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let www = directory.path().join("www");
        fs::create_dir_all(www.join("a/b")).unwrap();
        fs::create_dir(directory.path().join("outside")).unwrap();
        fs::write(directory.path().join("outside/secret"), "secret").unwrap();
        fs::write(www.join("a/b/c"), "inside").unwrap();
        rustix::fs::mkfifoat(CWD, www.join("pipe"), rustix::fs::Mode::RWXU).unwrap();
        symlink("a/b", www.join("down")).unwrap();
        symlink("../down/../b/c", www.join("a/winding")).unwrap();
        symlink("..", www.join("a/parent")).unwrap();
        symlink(www.join("a/b/c"), www.join("absolute")).unwrap();
        symlink(www.join("../outside"), www.join("sly")).unwrap();
        symlink("../outside", www.join("out")).unwrap();
        symlink("out/secret", www.join("a/chain")).unwrap();
        symlink("../a/../../www/a/b/c", www.join("a/around")).unwrap();
        symlink("/etc", www.join("etc")).unwrap();
        symlink("loop", www.join("loop")).unwrap();
        directory
    }

    fn outcome(root: &Root, path: &str) -> &'static str {
        match root.find(&CString::new(path).unwrap()) {
            Ok(Opened::File(..)) => "file",
            Ok(Opened::Directory(_)) => "directory",
            Err(Failure::Missing) => "missing",
            Err(Failure::Escape(_)) => "escape",
            Err(Failure::NotRegular) => "not regular",
            Err(_) => "failure",
        }
    }

    #[test]
    fn both_ways_of_opening_agree() {
        let directory = tree();
        let www = directory.path().join("www");
        let by_kernel = Root::open(&www, false).unwrap();
        let by_hand = Root::open(&www, false).unwrap().without_openat2();
        for (path, expected) in [
            (".", "directory"),
            ("a", "directory"),
            ("a/b/c", "file"),
            ("a/b/c/d", "missing"),
            ("a/x", "missing"),
            ("down", "directory"),
            ("down/c", "file"),
            ("a/winding", "file"),
            ("a/parent", "directory"),
            ("a/parent/a/parent/down/c", "file"),
            ("absolute", "file"),
            ("sly/secret", "escape"),
            ("out", "escape"),
            ("out/secret", "escape"),
            ("a/chain", "missing"),
            ("a/around", "escape"),
            ("etc/passwd", "escape"),
            ("loop", "missing"),
            ("pipe", "not regular"),
        ] {
            assert_eq!(outcome(&by_kernel, path), expected, "{path} by the kernel");
            assert_eq!(outcome(&by_hand, path), expected, "{path} by hand");
        }
    }

    #[test]
    fn the_link_that_leads_out_is_named() {
        let directory = tree();
        let root = Root::open(&directory.path().join("www"), false).unwrap();
        symlink("../out", directory.path().join("www/a/hop")).unwrap();
        match root.find(c"a/hop/secret") {
            Err(Failure::Escape(link)) => assert_eq!(link.to_str(), Some("out")),
            found => panic!("{found:?}"),
        }
    }

    #[test]
    fn no_step_follows_a_link() {
        let directory = tree();
        let www = fs::File::open(directory.path().join("www")).unwrap();
        for name in ["down", "out", "absolute"] {
            for flags in [OFlags::RDONLY, STEP] {
                let opened = step(www.as_fd(), name.as_bytes(), flags);
                assert!(matches!(opened, Err(Failure::Missing)), "{name}");
            }
        }
    }

    #[test]
    fn a_link_swapped_during_the_walk_leaks_nothing() {
        let directory = tree();
        let www = directory.path().join("www");
        fs::write(www.join("a/b/secret"), "inside").unwrap();
        let root = Root::open(&www, false).unwrap().without_openat2();
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0.. {
                    let target = ["../outside", "a/b"][round % 2];
                    symlink(target, www.join("next")).unwrap();
                    fs::rename(www.join("next"), www.join("down")).unwrap();
                    if is_over.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                }
            });
            for _ in 0..10_000 {
                if let Ok(Opened::File(file, _)) = root.find(c"down/secret") {
                    assert_eq!(std::io::read_to_string(file).unwrap(), "inside");
                }
            }
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
