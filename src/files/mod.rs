//! A directory as a handler.
//!
//! Two steps: what is found is decided before what is answered. The directory's tree is the only part that opens
//! anything; what is answered is in `response`. A hit in the cache of small files costs one question to the kernel,
//! whether the file is still the same, and never skips it.

mod cache;
mod compress;
mod config;
mod content_type;
mod description;
mod digests;
mod encoders;
mod encoding;
mod explain;
mod misses;
mod multipart;
mod preconditions;
mod range;
mod representation;
mod response;
mod room;
mod siblings;
mod single;
mod validators;

use std::ffi::{CStr, CString};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use cache::{Cache, Entry};
use compress::Compressor;
use digests::Digests;
use encoding::{Coding, Codings};
use misses::Misses;
use representation::{Beginning, Content, Kind, Representation, Terms};
use siblings::Siblings;
use validators::Timestamp;

pub use config::FilesConfig;

use crate::Handler;
use crate::listing::{self, Budget, Directory};
use crate::message::{Method, Request, Response};
use crate::sync::RateLimit;
use crate::tree::{Failure, Opened, PathError, Root, Rules, SafePath};

/// What an entry of the cache may take: far more than the largest file that is kept.
const CACHED_BYTES_MAX: usize = 1 << 20;
/// While there is no room in the cache, one file of so many is taken in.
const NEWCOMERS: u64 = 8;

/// The files of a directory, and pages that list what has no `index.html`.
///
/// Nothing outside the directory is ever served, by no spelling of a path and through no link, unless that is allowed
/// by [`FilesConfig::follow_symlinks`]. Files may change at any time: every answer holds for the file as it is when it
/// is given, and no validator outlives the bytes it was made for.
///
/// ```
/// use sockeye::{Handler, Request, StaticFiles, StatusCode};
///
/// let files = StaticFiles::new("public")?;
/// let page = files.handle(&Request::get("/index.html"));
/// let tag = page.headers().get("ETag").expect("files have tags");
/// let again = files.handle(&Request::get("/index.html").with_header("If-None-Match", tag));
/// assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
/// assert!(files.handle(&Request::get("/../Cargo.toml")).status().is_client_error());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct StaticFiles {
    root: Arc<Root>,
    cache: Cache,
    misses: Misses,
    digests: Digests,
    /// `None` if they are not to be served.
    siblings: Option<Siblings>,
    compressor: Option<Compressor>,
    hidden: bool,
    index: CString,
    listing: bool,
    clean_urls: bool,
    media_types: Vec<(String, String)>,
    /// When the first answer, and so perhaps the first date, was given.
    first_answer: OnceLock<Timestamp>,
    boundary_seed: u64,
    complaints: RateLimit,
    /// The path that the last one was about.
    complained_of: Mutex<String>,
    listings: Arc<Budget>,
}

/// What stands behind a URL.
enum Found {
    /// A file as it is, where it lies, and in which codings it lies beside itself.
    File(Representation, CString, Codings),
    /// A directory without an index.
    Directory(SafePath, OwnedFd),
    /// A directory, asked for without the slash at its end.
    Elsewhere(SafePath),
    /// The URL is none of ours.
    BadPath(PathError),
    Nothing(Failure),
}

impl StaticFiles {
    /// Serves a directory as [`FilesConfig::default`] says. An error names it, and says why it cannot be read.
    ///
    /// ```
    /// use sockeye::{Handler, Request, StaticFiles};
    ///
    /// let files = StaticFiles::new("src")?;
    /// let begin = files.handle(&Request::get("/lib.rs").with_header("Range", "bytes=0-2"));
    /// assert_eq!(begin.into_text()?, "//!");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(root: impl AsRef<Path>) -> io::Result<StaticFiles> {
        StaticFiles::with_config(root, &FilesConfig::default())
    }

    /// Serves a directory.
    ///
    /// ```
    /// use sockeye::{FilesConfig, Handler, Request, StaticFiles};
    ///
    /// let config = FilesConfig { clean_urls: true, ..FilesConfig::default() };
    /// let files = StaticFiles::with_config("public", &config)?;
    /// assert!(files.handle(&Request::get("/index")).status().is_success()); // index.html
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_config(root: impl AsRef<Path>, config: &FilesConfig) -> io::Result<StaticFiles> {
        let rules = Rules {
            may_escape: config.follow_symlinks,
            may_reveal: config.hidden,
        };
        if let Some((error, hint)) = config.compress_error() {
            let error = format!("{error}; {hint}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        let root = root.as_ref();
        let opened = Root::open(root, rules).map_err(|error| {
            let sentence = format!("cannot read `{}`: {error}", root.display());
            io::Error::new(error.kind(), sentence)
        })?;
        let root = Arc::new(opened);
        let index = CString::new(config.index.as_str())?;
        let secrets = RandomState::new();
        let compressed_bytes = if config.compress {
            config.cache_bytes / 2
        } else {
            0
        };
        let compressor = config.compress.then(|| {
            let seed = secrets.hash_one("compressed");
            Compressor::new(Arc::clone(&root), compressed_bytes, seed)
        });
        let cache_bytes = config.cache_bytes - compressed_bytes;
        let seed = secrets.hash_one("cache");
        let cache = Cache::new(cache_bytes, CACHED_BYTES_MAX, NEWCOMERS, seed);
        Ok(StaticFiles {
            root,
            hidden: config.hidden,
            index,
            listing: config.listing,
            clean_urls: config.clean_urls,
            media_types: config.media_types.clone(),
            first_answer: OnceLock::new(),
            cache,
            misses: Misses::new(secrets.hash_one("misses")),
            digests: Digests::default(),
            siblings: config
                .siblings
                .then(|| Siblings::new(secrets.hash_one("siblings"))),
            compressor,
            boundary_seed: secrets.hash_one("boundary"),
            complaints: RateLimit::new(),
            complained_of: Mutex::default(),
            listings: Arc::default(),
        })
    }

    fn answer(&self, request: &Request) -> Response {
        match *request.method() {
            Method::GET | Method::HEAD => {}
            Method::OPTIONS => return response::options(),
            _ => return response::not_allowed(request),
        }
        self.started();
        let path = request.path();
        let query = request.target().query();
        if !request.prefix().is_empty() && request.target().path() == request.prefix() {
            // Nested, and asked for without the slash that a directory's URL ends in.
            return response::redirect(format!("{}/", request.prefix()), query);
        }
        let seed = self.boundary_seed;
        if let Some(entry) = self.remembered(request, None) {
            let content = || self.content(&entry);
            let file = (&*entry.path, &entry.description);
            if let Some(found) = self.variant(request, file, entry.siblings, content) {
                return response::file(&found.description, found.content, request, seed);
            }
            if let Some(content) = content() {
                return response::file(&entry.description, content, request, seed);
            }
        }
        if self.misses.is_known(request) {
            return response::failure(&Failure::Missing, request);
        }
        let began = Instant::now();
        match self.find(path) {
            Found::File(found, path, siblings) => {
                let content = || Some(found.content.clone());
                let file = (&*path, &found.description);
                let variant = self.variant(request, file, siblings, content);
                let found = variant.unwrap_or(found);
                response::file(&found.description, found.content, request, seed)
            }
            Found::Directory(path, handle) => {
                let directory = Directory::new(&self.root, path, handle, self.hidden);
                listing::answer(directory, &self.listings, request).unwrap_or_else(|failure| {
                    self.complain(request.path(), &failure);
                    response::failure(&failure, request)
                })
            }
            Found::Elsewhere(path) => {
                let location = request.prefix().to_owned() + &path.directory_url();
                response::redirect(location, query)
            }
            Found::BadPath(error) => response::bad_path(error.to_string(), request),
            Found::Nothing(failure) => {
                match failure {
                    Failure::Missing => self.misses.remember(path, began),
                    _ => self.complain(path, &failure),
                }
                response::failure(&failure, request)
            }
        }
    }

    /// When the first answer was begun. To be called before a file is opened: what is known of it is younger then.
    fn started(&self) -> Timestamp {
        *self.first_answer.get_or_init(validators::now)
    }

    /// What is known of a URL, if the file is still the one it is known of. Where that is not in memory and sent as it is,
    /// only [`StaticFiles::content`] shows whether it is.
    fn remembered(&self, request: &Request, coding: Option<Coding>) -> Option<Arc<Entry>> {
        let entry = self.cache.get(request.path(), coding)?;
        if entry.description.has_come_of_age() {
            return None;
        }
        // Of one that is not in memory and sent as it is, the look when it is opened says whether it is the same.
        let is_opened = entry.bytes.is_none() && (coding.is_some() || !entry.description.varies);
        let is_same = || self.is_in_place(&entry) && (is_opened || self.is_still(&entry));
        if !self.cache.still_holds(&entry, request.received(), is_same) {
            self.cache.forget(&entry);
            return None;
        }
        (coding.is_some() || self.has_known_siblings(&entry)).then_some(entry)
    }

    fn is_still(&self, entry: &Entry) -> bool {
        self.root
            .is_still(&entry.path, &entry.description.fingerprint)
    }

    /// Whether nothing has appeared that comes before it.
    fn is_in_place(&self, entry: &Entry) -> bool {
        let before = entry.instead_of.as_ref();
        before.is_none_or(|path| self.root.is_no_file(path))
    }

    /// The bytes of a file that is remembered, if it is still the one.
    fn content(&self, entry: &Entry) -> Option<Content> {
        if let Some(bytes) = &entry.bytes {
            return Some(Content::Memory(bytes.clone()));
        }
        match self.root.find(&entry.path) {
            Ok(Opened::File(file, fingerprint)) if fingerprint == entry.description.fingerprint => {
                Some(Content::File(Arc::new(file)))
            }
            _ => {
                self.cache.forget(entry);
                None
            }
        }
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            started: self.started(),
            digests: self.cache.is_on().then_some(&self.digests),
            media_types: &self.media_types,
            compresses: self.compressor.is_some(),
        }
    }

    /// What is at `raw_path`, a path as it came, still percent-encoded.
    fn find(&self, raw_path: &str) -> Found {
        let path = match SafePath::from_url(raw_path) {
            Ok(path) => path,
            Err(error) => return Found::BadPath(error),
        };
        if path.is_hidden() && !self.hidden {
            return Found::Nothing(Failure::Missing);
        }
        let found = if path.names_directory() {
            self.find_directory(raw_path, &path)
        } else {
            match self.open(path.as_c_str()) {
                Err(Failure::Missing) | Ok((Opened::Directory(_), _))
                    if self.clean_urls && self.has_page(&path) =>
                {
                    let page = path.page();
                    let opened = self.open(&page);
                    self.describe(raw_path, (page, Some(path.as_c_str())), opened)
                }
                Ok((Opened::Directory(_), _)) => Ok(Found::Elsewhere(path)),
                opened => self.describe(raw_path, (path.into_c_string(), None), opened),
            }
        };
        found.unwrap_or_else(Found::Nothing)
    }

    /// Whether there is a file for the clean URL that this is.
    fn has_page(&self, path: &SafePath) -> bool {
        matches!(self.root.find(&path.page()), Ok(Opened::File(..)))
    }

    /// The index, or if there is none the listing. A directory whose index may not be served is not listed either.
    fn find_directory(&self, raw_path: &str, path: &SafePath) -> Result<Found, Failure> {
        let index = path.entry(&self.index);
        match self.open(&index) {
            Err(Failure::Missing) | Ok((Opened::Directory(_), _)) => {}
            opened => return self.describe(raw_path, (index, None), opened),
        }
        match self.root.find(path.as_c_str())? {
            Opened::Directory(_) if !self.listing => Err(Failure::Missing),
            Opened::Directory(handle) => Ok(Found::Directory(path.clone(), handle)),
            // A file has no slash at its end.
            Opened::File(..) => Err(Failure::Missing),
        }
    }

    /// What is said of a file that was opened; remembered under `raw_path`, if it may be, as long as no file takes the place of
    /// what it stands for.
    fn describe(
        &self,
        raw_path: &str,
        (path, instead_of): (CString, Option<&CStr>),
        opened: Result<(Opened, Beginning), Failure>,
    ) -> Result<Found, Failure> {
        let (Opened::File(file, fingerprint), start) = opened? else {
            return Err(Failure::Missing);
        };
        let second = self.root.second();
        let siblings = self.siblings_of(&path, &fingerprint);
        let kind = Kind::Named(path.to_bytes(), siblings);
        let found = Representation::of(file, fingerprint, start, kind, self.terms())?;
        if found.description.is_settled {
            let paths = (&*path, instead_of);
            self.cache
                .insert((raw_path, None), paths, &found, (siblings, second));
        }
        Ok(Found::File(found, path, siblings))
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

    fn complete(&self, _: &Request, response: Response) -> Response {
        response
    }
}
