//! Opens a path with links in it, name by name.
//!
//! Every step is taken from the directory that the last one opened and follows no link, so nothing that is swapped
//! meanwhile can lead out. Links are read and resolved here: a relative one from where it stands, an absolute one if
//! it begins with a name of the root. What was opened beneath the root is all that can be returned, unless links may
//! lead out; and no link leads to a name that is hidden.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::root::Failure;
use super::status::identity_of;

/// As many links as Linux follows (path_resolution(7)).
const LINKS_MAX: usize = 40;

const STEP: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// What links may do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules {
    /// Lead out of the root.
    pub(crate) may_escape: bool,
    /// Lead to names that begin with a dot.
    pub(crate) may_reveal: bool,
}

/// Where the walk begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) root: BorrowedFd<'a>,
    /// The device and inode of the root.
    pub(super) identity: (u64, u64),
    /// The absolute names of the root.
    pub(super) names: &'a [PathBuf],
}

/// Where the walk is.
struct Walk<'a> {
    start: Start<'a>,
    rules: Rules,
    /// The directories walked through, each held open.
    behind: Vec<(OwnedFd, Vec<u8>)>,
    is_outside: bool,
    /// The last link.
    link: PathBuf,
}

/// Opens `path` beneath the root.
pub(super) fn open(
    start: Start<'_>,
    rules: Rules,
    path: &CStr,
    flags: OFlags,
) -> Result<OwnedFd, Failure> {
    let mut walk = Walk {
        start,
        rules,
        behind: Vec::new(),
        is_outside: false,
        link: PathBuf::new(),
    };
    // What is still to be walked, the next name last.
    let mut ahead = names(path.to_bytes());
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        if name == b".." {
            walk.climb()?;
            continue;
        }
        if walk.is_hidden(&name) {
            return Err(Failure::Missing);
        }
        match retry_on_intr(|| rustix::fs::readlinkat(walk.here(), &name[..], Vec::new())) {
            Ok(target) => {
                links += 1;
                if links > LINKS_MAX || is_magic(walk.here())? {
                    return Err(Failure::Missing);
                }
                ahead.extend(names(walk.follow(&name, target.to_bytes())?));
            }
            // No link.
            Err(Errno::INVAL) if ahead.is_empty() => return step(walk.here(), &name, flags),
            Err(Errno::INVAL) => walk.enter(step(walk.here(), &name, STEP)?, name)?,
            Err(errno) => return Err(errno.into()),
        }
    }
    step(walk.here(), b".", flags)
}

impl Walk<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        let last = self.behind.last();
        last.map_or(self.start.root, |(handle, _)| handle.as_fd())
    }

    fn enter(&mut self, handle: OwnedFd, name: Vec<u8>) -> Result<(), Failure> {
        if self.is_outside && identity_of(&handle)? == self.start.identity {
            self.is_outside = false;
            self.behind.clear();
        } else {
            self.behind.push((handle, name));
        }
        Ok(())
    }

    /// Only a link's text can lead there.
    fn climb(&mut self) -> Result<(), Failure> {
        if !self.is_outside && self.behind.pop().is_some() {
            return Ok(());
        }
        self.leave()?;
        let above = step(self.here(), b"..", STEP)?;
        self.behind.clear();
        self.enter(above, b"..".to_vec())
    }

    /// Takes a link, and returns what is to be walked from where that leads.
    fn follow<'t>(&mut self, name: &[u8], target: &'t [u8]) -> Result<&'t [u8], Failure> {
        self.link = path_of(&self.behind, name);
        if !target.starts_with(b"/") {
            return Ok(target);
        }
        if let Some(rest) = beneath(target, self.start.names) {
            self.is_outside = false;
            self.behind.clear();
            return Ok(rest);
        }
        self.leave()?;
        let top = retry_on_intr(|| rustix::fs::openat(CWD, c"/", STEP, Mode::empty()))?;
        self.behind.clear();
        self.enter(top, b"/".to_vec())?;
        Ok(target)
    }

    fn leave(&mut self) -> Result<(), Failure> {
        if !self.rules.may_escape {
            return Err(Failure::Escape(self.link.clone()));
        }
        self.is_outside = true;
        Ok(())
    }

    /// Whether the name is one that would not be served where it stands. Outside, nothing is hidden: the operator
    /// who lets links lead there has chosen where.
    fn is_hidden(&self, name: &[u8]) -> bool {
        let is_well_known = self.behind.is_empty() && name == b".well-known";
        name.starts_with(b".") && !self.rules.may_reveal && !self.is_outside && !is_well_known
    }
}

/// Whether links in this directory lead elsewhere than their text: `/proc/PID/root`, `/proc/PID/fd/3`.
fn is_magic(directory: BorrowedFd<'_>) -> Result<bool, Failure> {
    // The top of procfs has ordinary ones, such as `/proc/self`.
    const TOP_INODE: u64 = 1;
    let system = retry_on_intr(|| rustix::fs::fstatfs(directory))?;
    Ok(system.f_type == rustix::fs::PROC_SUPER_MAGIC && identity_of(directory)?.1 != TOP_INODE)
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

/// The part of an absolute path behind the root's name. It may still climb, which the walk will see.
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

    use super::*;
    use crate::tree::{Opened, Root};

    /// `www` with links of every kind, beside an `outside` that holds a secret.
    fn tree() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let www = directory.path().join("www");
        fs::create_dir_all(www.join("a/b")).unwrap();
        fs::create_dir(directory.path().join("outside")).unwrap();
        fs::write(directory.path().join("outside/secret"), "secret").unwrap();
        fs::write(www.join("a/b/c"), "inside").unwrap();
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
        for pipe in [www.join("pipe"), directory.path().join("outside/pipe")] {
            rustix::fs::mkfifoat(CWD, pipe, Mode::RWXU).unwrap();
        }
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
        let by_kernel = Root::open(&www, Rules::default()).unwrap();
        let by_hand = Root::open(&www, Rules::default()).unwrap();
        let by_hand = by_hand.without_openat2();
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
            // What is outside is not even looked at: looking may mount it, and hang.
            ("out/pipe", "escape"),
            ("out/gone", "escape"),
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
    fn with_links_that_may_lead_out_both_ways_agree_too() {
        let directory = tree();
        let www = directory.path().join("www");
        fs::create_dir(www.join(".git")).unwrap();
        fs::write(www.join(".git/config"), "secret").unwrap();
        symlink("/proc/self/root/etc", www.join("magic")).unwrap();
        symlink(format!("/proc/{}/cwd", std::process::id()), www.join("cwd")).unwrap();
        symlink("/proc/mounts", www.join("mounts")).unwrap();
        symlink("../www/.git", www.join("around")).unwrap();
        let open = Rules {
            may_escape: true,
            ..Rules::default()
        };
        let by_kernel = Root::open(&www, open).unwrap();
        let by_hand = Root::open(&www, open).unwrap().without_openat2();
        for (path, expected) in [
            ("a/b/c", "file"),
            ("down/c", "file"),
            ("a/parent/a/parent/down/c", "file"),
            ("absolute", "file"),
            ("sly/secret", "file"),
            ("out", "directory"),
            ("out/secret", "file"),
            ("out/pipe", "not regular"),
            ("out/gone", "missing"),
            ("a/chain", "missing"),
            ("a/around", "file"),
            ("etc/passwd", "file"),
            ("loop", "missing"),
            ("magic/passwd", "missing"),
            ("cwd", "missing"),
            ("around/config", "missing"),
        ] {
            assert_eq!(outcome(&by_kernel, path), expected, "{path} by the kernel");
            assert_eq!(outcome(&by_hand, path), expected, "{path} by hand");
        }
    }

    #[test]
    fn no_link_shows_what_is_hidden() {
        let directory = tree();
        let www = directory.path().join("www");
        fs::create_dir_all(www.join(".git/sub")).unwrap();
        fs::create_dir_all(www.join(".well-known/.x")).unwrap();
        fs::write(www.join(".git/config"), "secret").unwrap();
        fs::write(www.join(".well-known/a"), "open").unwrap();
        symlink(".git", www.join("pub")).unwrap();
        symlink(www.join(".git/config"), www.join("config")).unwrap();
        symlink("../.git/sub/../config", www.join("a/up")).unwrap();
        symlink(".well-known", www.join("known")).unwrap();
        for (may_reveal, shown) in [(false, "missing"), (true, "file")] {
            let rules = Rules {
                may_reveal,
                ..Rules::default()
            };
            let by_kernel = Root::open(&www, rules).unwrap();
            let by_hand = Root::open(&www, rules).unwrap().without_openat2();
            for root in [by_kernel, by_hand] {
                for path in ["pub/config", "config", "a/up"] {
                    assert_eq!(outcome(&root, path), shown, "{path}");
                }
                assert_eq!(outcome(&root, "known/a"), "file");
                let inner = if may_reveal { "directory" } else { "missing" };
                assert_eq!(outcome(&root, "known/.x"), inner);
            }
        }
    }

    #[test]
    fn the_link_that_leads_out_is_named() {
        let directory = tree();
        let root = Root::open(&directory.path().join("www"), Rules::default()).unwrap();
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
        let root = Root::open(&www, Rules::default()).unwrap();
        let root = root.without_openat2();
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
