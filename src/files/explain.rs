//! Why there is nothing at a path, for the person who serves.
//!
//! Other clients learn nothing of this: what is missing, hidden, forbidden or behind a link that leads out is one and
//! the same 404. The caller makes sure who reads it. Every look-up is bounded.

use std::ffi::{CStr, CString};

use rustix::fs::{Dir, FileType};

use super::StaticFiles;
use crate::sync::unpoisoned;
use crate::text::printable;
use crate::tree::SafePath;
use crate::tree::{Failure, Opened, is_directory};

/// How many names are read for one explanation.
const NAMES_MAX: usize = 2_000;

impl StaticFiles {
    /// Why `path`, still percent-encoded, is 404, and what would help; `None` if nothing is known. `base` is what
    /// stands before every path that a client sees, such as `/repo`.
    ///
    /// The sentence discloses what is there and hidden: it is for the operator, not for clients.
    ///
    /// ```
    /// use sockeye::StaticFiles;
    ///
    /// let files = StaticFiles::new("src")?;
    /// assert_eq!(files.explain("/Lib.rs", "").as_deref(), Some("there is `/lib.rs`: letter case"));
    /// assert_eq!(files.explain("/cellar.rs", ""), None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn explain(&self, path: &str, base: &str) -> Option<String> {
        let path = SafePath::from_url(path).ok()?;
        let shown = |names: &CStr| format!("`{base}/{}`", shown(names.to_bytes()));
        let asked = shown(path.as_c_str());
        if path.is_hidden() && !self.hidden {
            let is_there = self.root.find(path.as_c_str()).is_ok();
            return is_there.then(|| format!("{asked} begins with a dot; --hidden would serve it"));
        }
        match self.root.find(path.as_c_str()) {
            Ok(Opened::File(..)) if path.names_directory() => {
                return Some(format!(
                    "{asked} is a file; ask without the slash at the end"
                ));
            }
            Ok(Opened::Directory(_)) if !self.listing => {
                let index = self.index.to_string_lossy();
                return Some(format!(
                    "this directory has no {index}, and --no-listing lists nothing"
                ));
            }
            Ok(_) => return None,
            Err(Failure::Escape(_)) => {
                return Some(format!(
                    "{asked} is a link that leads out; --follow-symlinks would serve it"
                ));
            }
            Err(Failure::Denied) => return Some(format!("there is no permission to read {asked}")),
            Err(Failure::NotRegular) => return Some(format!("{asked} is no regular file")),
            Err(_) => {}
        }
        if !self.clean_urls && self.has_page(&path) {
            let page = shown(&path.page());
            return Some(format!("there is {page}; --clean-urls would serve it here"));
        }
        let mut left = NAMES_MAX;
        if let Some(found) = self.in_another_case(&path, &mut left) {
            return Some(format!("there is {}: letter case", shown(&found)));
        }
        let found = self.elsewhere(path.names().last()?, &mut left)?;
        Some(format!("there is {}", shown(&found)))
    }

    /// Logs for the operator what clients do not learn, about once a second.
    pub(super) fn complain(&self, raw_path: &str, failure: &Failure) {
        let complaint = match failure {
            // That the root is gone is logged where it is noticed, once.
            Failure::Missing | Failure::RootGone => return,
            Failure::Denied | Failure::Escape(_) | Failure::NotRegular
                if self.has_logged(raw_path) =>
            {
                return;
            }
            _ if !self.complaints.admits() => return,
            Failure::Denied => format!("no permission to read {raw_path:?}"),
            Failure::Escape(link) => format!(
                "the link {link:?} leads out of the served directory; --follow-symlinks would serve it"
            ),
            Failure::NotRegular => format!("{raw_path:?} is no regular file"),
            Failure::Busy => {
                format!(
                    "out of descriptors or memory at {raw_path:?}, or it changes too fast to be read"
                )
            }
            Failure::Broken(errno) => format!("cannot read {raw_path:?}: {errno}"),
        };
        *unpoisoned(self.complained_of.lock()) = raw_path.to_owned();
        tracing::warn!(target: "sockeye", "{complaint}");
    }

    /// Whether the last thing that was logged is why `path`, still percent-encoded, is 404.
    ///
    /// ```
    /// use std::os::unix::fs::symlink;
    ///
    /// use sockeye::{Handler, Request, StaticFiles};
    ///
    /// let directory = tempfile::tempdir()?;
    /// symlink("/etc/hostname", directory.path().join("out"))?;
    /// let files = StaticFiles::new(&directory)?;
    /// assert!(files.handle(&Request::get("/out")).status().is_client_error());
    /// assert!(files.has_logged("/out") && !files.has_logged("/elsewhere"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn has_logged(&self, path: &str) -> bool {
        *unpoisoned(self.complained_of.lock()) == path
    }

    /// The same path but for the case of letters.
    fn in_another_case(&self, path: &SafePath, left: &mut usize) -> Option<CString> {
        let mut found = Vec::new();
        for name in path.names() {
            let exact = join(&found, name)?;
            if self.root.find(&exact).is_ok() {
                found = exact.into_bytes();
                continue;
            }
            let wanted = folded(name);
            let names = self.names(&found, left);
            let (other, _) = names
                .into_iter()
                .find(|(other, _)| folded(other) == wanted)?;
            found = join(&found, &other)?.into_bytes();
        }
        let found = CString::new(found).ok()?;
        self.root.find(&found).is_ok().then_some(found)
    }

    /// A file or directory of this name, the nearest to the root.
    fn elsewhere(&self, name: &[u8], left: &mut usize) -> Option<CString> {
        let mut level = vec![Vec::new()];
        while !level.is_empty() {
            let mut next = Vec::new();
            for directory in level {
                for (other, kind) in self.names(&directory, left) {
                    if other != name && kind == FileType::RegularFile {
                        continue;
                    }
                    let path = join(&directory, &other)?;
                    match self.root.look_through(&path) {
                        Ok(_) if other == name => return Some(path),
                        Ok(stat) if is_directory(&stat) => next.push(path.into_bytes()),
                        _ => {}
                    }
                }
            }
            level = next;
        }
        None
    }

    /// The names in a directory that may be served, as long as there are some `left` to be read, and what the directory
    /// says they are.
    fn names(&self, directory: &[u8], left: &mut usize) -> Vec<(Vec<u8>, FileType)> {
        let path = CString::new(if directory.is_empty() {
            b"."
        } else {
            directory
        });
        let opened = path.ok().and_then(|path| self.root.find(&path).ok());
        let Some(Opened::Directory(handle)) = opened else {
            return Vec::new();
        };
        let Ok(mut entries) = Dir::new(handle) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        while *left > 0
            && let Some(Ok(entry)) = entries.read()
        {
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") && (self.hidden || name[0] != b'.') {
                *left -= 1;
                names.push((name.to_owned(), entry.file_type()));
            }
        }
        names
    }
}

fn join(directory: &[u8], name: &[u8]) -> Option<CString> {
    let path = match directory {
        [] => name.to_owned(),
        _ => [directory, b"/", name].concat(),
    };
    CString::new(path).ok()
}

fn folded(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_lowercase()
}

/// A path for people: names on a disk may hold anything.
fn shown(path: &[u8]) -> String {
    match path {
        b"." => String::new(),
        path => printable(&String::from_utf8_lossy(path)),
    }
}
