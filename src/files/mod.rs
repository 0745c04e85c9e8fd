//! A directory as a handler.
//!
//! Two steps: what we *found* is decided before what we *say*. Files, directories and everything that is neither are
//! found by `root`, the only part that opens anything; what is said of them is in `answer`. A hit in the memory
//! of small files costs one question to the kernel, whether the file is still the same, and never skips it.

mod answer;
mod cache;
mod content_type;
mod digests;
mod encoding;
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
mod siblings;
mod single;
mod validators;
mod walk;

use std::ffi::{CStr, CString};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use cache::{Cache, Entry};
use digests::{DIGESTS_BYTES_MAX, Digests};
use encoding::{Coding, Codings, negotiate};
use pace::Pace;
use pages::{PAGES_BYTES_MAX, Pages};
use representation::{Content, Description, Kind, Representation, Terms};
use root::{Failure, Opened, Root};
use safe_path::{PathError, SafePath};
use siblings::{SIBLINGS_BYTES_MAX, Siblings};
use validators::Timestamp;
use walk::Rules;

use crate::Handler;
use crate::message::{Fingerprint, Method, Request, Response};

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
    /// `None` if they are not to be served.
    siblings: Option<Siblings>,
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
    /// Whether `app.js.br`, `app.js.zst` or `app.js.gz` is served for `app.js` to clients that take it so, where it is
    /// not older.
    pub siblings: bool,
}

impl Default for FilesConfig {
    fn default() -> FilesConfig {
        FilesConfig {
            hidden: false,
            follow_symlinks: false,
            cache_bytes: 32 * 1024 * 1024,
            siblings: true,
        }
    }
}

/// What stands behind a URL.
enum Found {
    /// A file as it is, where it lies, and in which codings it lies beside itself.
    File(Representation, CString, Codings),
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
        self.cache_bytes + DIGESTS_BYTES_MAX + SIBLINGS_BYTES_MAX + PAGES_BYTES_MAX
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
            siblings: config.siblings.then(Siblings::default),
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
        let seed = self.boundary_seed;
        if let Some((entry, content)) = self.remembered(request, None) {
            if !entry.siblings.is_empty()
                && let Some(found) =
                    self.variant(request, &entry.path, &entry.description, entry.siblings)
            {
                return answer::file(&found.description, found.content, request, seed);
            }
            return answer::file(&entry.description, content, request, seed);
        }
        match self.find(path) {
            Found::File(found, path, siblings) => {
                let variant = self.variant(request, &path, &found.description, siblings);
                let found = variant.unwrap_or(found);
                answer::file(&found.description, found.content, request, seed)
            }
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
    fn remembered(
        &self,
        request: &Request,
        coding: Option<Coding>,
    ) -> Option<(Arc<Entry>, Content)> {
        let entry = self.cache.get(request.path(), coding)?;
        if entry.description.has_come_of_age() {
            return None;
        }
        let content = match &entry.bytes {
            Some(bytes) => {
                let known = Some(entry.description.fingerprint);
                let is_same = || self.root.fingerprint(&entry.path) == known;
                let holds = self.cache.still_holds(&entry, request.received(), is_same);
                holds.then(|| Content::Memory(bytes.clone()))?
            }
            None => self.reopened(&entry)?,
        };
        (coding.is_some() || self.has_known_siblings(&entry)).then_some((entry, content))
    }

    /// Whether the siblings of a remembered file are still those remembered, which is looked up once a second.
    fn has_known_siblings(&self, entry: &Entry) -> bool {
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

    fn siblings_of(&self, path: &CStr, file: &Fingerprint) -> Codings {
        let siblings = self.siblings.as_ref();
        siblings.map_or(Codings::default(), |siblings| {
            siblings.of(&self.root, path, file)
        })
    }

    /// The file in the coding that the client likes best, unless that is the file as it is.
    fn variant(
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
        if let Some((entry, content)) = self.remembered(request, Some(coding))
            && siblings::is_current(&entry.description.fingerprint, &original.fingerprint)
            && entry.description.fields.get("Content-Type") == Some(media_type)
        {
            let description = Arc::clone(&entry.description);
            return Some(Representation {
                description,
                content,
            });
        }
        let path = siblings::sibling(path, coding);
        let Opened::File(file, fingerprint) = self.root.find(&path).ok()? else {
            return None;
        };
        let kind = Kind::Encoded(media_type, coding);
        let found = Representation::of(file, fingerprint, kind, self.terms()).ok()?;
        if !siblings::is_current(&found.description.fingerprint, &original.fingerprint) {
            return None;
        }
        if found.description.is_settled {
            let none = (Codings::default(), 0);
            let url = (request.path(), Some(coding));
            self.cache.insert(url, path, &found, none);
        }
        Some(found)
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            started: self.started(),
            digests: self.cache.is_on().then_some(&self.digests),
        }
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
        let second = self.root.second();
        let siblings = self.siblings_of(path, &fingerprint);
        let kind = Kind::Named(path.to_bytes(), siblings);
        let found = Representation::of(file, fingerprint, kind, self.terms())?;
        let path = CString::from(path);
        if found.description.is_settled {
            let siblings = (siblings, second);
            self.cache
                .insert((url, None), path.clone(), &found, siblings);
        }
        Ok(Found::File(found, path, siblings))
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
