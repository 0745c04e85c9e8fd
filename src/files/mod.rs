//! A directory as a handler.
//!
//! Two steps: what we *found* is decided before what we *say*. Files, directories and everything that is neither are
//! found by `root`, the only part that opens anything; what is said of them is in `answer`. A hit in the memory
//! of small files costs one question to the kernel, whether the file is still the same, and never skips it.

mod answer;
mod cache;
mod content_type;
mod digests;
mod entries;
mod listing;
mod multipart;
mod pace;
mod pages;
mod preconditions;
mod range;
mod representation;
mod root;
mod safe_path;
mod single;
mod validators;
mod walk;

use std::ffi::{CStr, CString};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use cache::{Cache, Entry};
use digests::{DIGESTS_BYTES_MAX, Digests};
use pace::Pace;
use pages::{PAGES_BYTES_MAX, Pages};
use representation::{Content, Representation, Terms};
use root::{Failure, Opened, Root};
use safe_path::{PathError, SafePath};
use validators::Timestamp;
use walk::Rules;

use crate::Handler;
use crate::message::{Method, Request, Response};

/// The files of a directory, and pages that list what has no `index.html`.
///
/// Nothing outside the directory is ever served, by no spelling of a path and through no link, unless that is allowed
/// by [`FilesConfig::follow_symlinks`]. Files may change at any time: every answer holds for the file as it is when it
/// is given, and no validator outlives the bytes it was made for.
#[derive(Debug)]
pub struct StaticFiles {
    root: Root,
    cache: Cache,
    digests: Digests,
    hidden: bool,
    /// When the first answer, and so perhaps the first date, was given.
    first_answer: OnceLock<Timestamp>,
    boundary_seed: u64,
    complaints: Pace,
    pages: Pages,
}

/// What may be served, and how much of it is kept in memory.
#[derive(Debug, Clone)]
pub struct FilesConfig {
    /// Whether names that begin with a dot are served and listed, be it through a link. `/.well-known/` is served anyway.
    pub hidden: bool,
    /// Whether symbolic links may lead out of the directory.
    pub follow_symlinks: bool,
    /// How many bytes of memory small files may take; 0 keeps none.
    pub cache_bytes: usize,
}

impl Default for FilesConfig {
    fn default() -> FilesConfig {
        FilesConfig {
            hidden: false,
            follow_symlinks: false,
            cache_bytes: 32 * 1024 * 1024,
        }
    }
}

/// What stands behind a URL.
enum Found {
    File(Representation),
    /// A directory's listing.
    Page(Bytes),
    /// A directory, asked for without the slash at its end.
    Elsewhere(SafePath),
    /// The URL is none of ours.
    BadPath(PathError),
    Nothing(Failure),
}

impl FilesConfig {
    /// The memory that files, their digests and listings may take at most, in bytes, while any number of clients take them.
    pub fn memory_bytes(&self) -> usize {
        self.cache_bytes + DIGESTS_BYTES_MAX + PAGES_BYTES_MAX
    }
}

impl StaticFiles {
    /// Serves a directory as [`FilesConfig::default`] says. An error says that it is no directory, or not to be had.
    pub fn new(root: impl AsRef<Path>) -> io::Result<StaticFiles> {
        StaticFiles::with_config(root, &FilesConfig::default())
    }

    /// Serves a directory.
    pub fn with_config(root: impl AsRef<Path>, config: &FilesConfig) -> io::Result<StaticFiles> {
        let rules = Rules {
            may_escape: config.follow_symlinks,
            may_reveal: config.hidden,
        };
        let root = Root::open(root.as_ref(), rules)?;
        let secrets = RandomState::new();
        let cache = Cache::new(config.cache_bytes, secrets.hash_one("cache"));
        Ok(StaticFiles {
            root,
            hidden: config.hidden,
            first_answer: OnceLock::new(),
            cache,
            digests: Digests::default(),
            boundary_seed: secrets.hash_one("boundary"),
            complaints: Pace::new(),
            pages: Pages::default(),
        })
    }

    fn answer(&self, request: &Request) -> Response {
        match *request.method() {
            Method::GET | Method::HEAD => {}
            Method::OPTIONS => return answer::options(),
            _ => return answer::not_allowed(request),
        }
        self.started();
        let path = request.path();
        let query = request.target().query();
        if !request.prefix().is_empty() && request.target().path() == request.prefix() {
            // Nested, and asked for without the slash that a directory's URL ends in.
            return answer::redirect(format!("{}/", request.prefix()), query);
        }
        if let Some((entry, content)) = self.remembered(path, request.received()) {
            return answer::file(&entry.description, content, request, self.boundary_seed);
        }
        match self.find(path) {
            Found::File(Representation {
                description,
                content,
            }) => answer::file(&description, content, request, self.boundary_seed),
            Found::Page(page) => answer::listing(page),
            Found::Elsewhere(path) => {
                let location = request.prefix().to_owned() + &path.directory_url();
                answer::redirect(location, query)
            }
            Found::BadPath(error) => answer::bad_path(&error.to_string(), request),
            Found::Nothing(failure) => {
                self.complain(path, &failure);
                answer::failure(&failure, request)
            }
        }
    }

    /// When the first answer was begun. To be called before a file is opened: what is known of it is younger then.
    fn started(&self) -> Timestamp {
        *self.first_answer.get_or_init(validators::now)
    }

    /// What is known of a URL, if the file is still the one it is known of.
    fn remembered(&self, url: &str, received: Option<Instant>) -> Option<(Arc<Entry>, Content)> {
        let entry = self.cache.get(url)?;
        if entry.description.has_come_of_age() {
            return None;
        }
        let content = match &entry.bytes {
            Some(bytes) => {
                let known = Some(entry.description.fingerprint);
                let is_same = || self.root.fingerprint(&entry.path) == known;
                let holds = self.cache.still_holds(&entry, received, is_same);
                holds.then(|| Content::Memory(bytes.clone()))?
            }
            None => self.reopened(&entry)?,
        };
        Some((entry, content))
    }

    fn reopened(&self, entry: &Entry) -> Option<Content> {
        match self.root.find(&entry.path).ok()? {
            Opened::File(file, fingerprint) if fingerprint == entry.description.fingerprint => {
                Some(Content::File(Arc::new(file)))
            }
            _ => None,
        }
    }

    fn find(&self, url: &str) -> Found {
        let path = match SafePath::from_url(url) {
            Ok(path) => path,
            Err(error) => return Found::BadPath(error),
        };
        if path.is_hidden() && !self.hidden {
            return Found::Nothing(Failure::Missing);
        }
        let found = if path.names_directory() {
            self.find_directory(url, &path)
        } else {
            match self.root.find(path.as_c_str()) {
                Ok(Opened::Directory(_)) => Ok(Found::Elsewhere(path)),
                opened => self.describe(url, path.as_c_str(), opened),
            }
        };
        found.unwrap_or_else(Found::Nothing)
    }

    /// The index, or if there is none the listing. An index that may not be served is no reason to list what is beside it.
    fn find_directory(&self, url: &str, path: &SafePath) -> Result<Found, Failure> {
        let index = path.entry(c"index.html");
        match self.root.find(&index) {
            Err(Failure::Missing) | Ok(Opened::Directory(_)) => {}
            opened => return self.describe(url, &index, opened),
        }
        match self.root.find(path.as_c_str())? {
            Opened::Directory(handle) => {
                let _making = self.pages.make();
                let (entries, is_cut) = entries::entries(&self.root, path, handle, self.hidden)?;
                let page = listing::page(path.names(), entries, is_cut);
                Ok(Found::Page(self.pages.hold(page)?))
            }
            // A file has no slash at its end.
            Opened::File(..) => Err(Failure::Missing),
        }
    }

    fn describe(
        &self,
        url: &str,
        path: &CStr,
        opened: Result<Opened, Failure>,
    ) -> Result<Found, Failure> {
        let Opened::File(file, fingerprint) = opened? else {
            return Err(Failure::Missing);
        };
        let terms = Terms {
            started: self.started(),
            digests: self.cache.is_on().then_some(&self.digests),
        };
        let found = Representation::of(file, fingerprint, path.to_bytes(), terms)?;
        if found.description.is_settled {
            self.cache.insert(url, CString::from(path), &found);
        }
        Ok(Found::File(found))
    }

    /// Tells the person who serves what a stranger is not told, about once a second.
    fn complain(&self, url: &str, failure: &Failure) {
        let complaint = match failure {
            // That the root is gone is said where it is noticed, once.
            Failure::Missing | Failure::RootGone => return,
            _ if !self.complaints.is_due() => return,
            Failure::Denied => format!("no permission to read {url:?}"),
            Failure::Escape(link) => format!(
                "the link {link:?} leads out of the served directory; --follow-symlinks would serve it"
            ),
            Failure::NotRegular => format!("{url:?} is no regular file"),
            Failure::Busy => {
                format!(
                    "out of descriptors or memory at {url:?}, or it changes too fast to be read"
                )
            }
            Failure::Broken(errno) => format!("cannot read {url:?}: {errno}"),
        };
        tracing::warn!(target: "sockeye", "{complaint}");
    }
}

/// Everything is answered from the head: a file never needs a request's body.
impl Handler for StaticFiles {
    fn handle(&self, request: &Request) -> Response {
        self.answer(request)
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        Some(self.answer(head))
    }
}
