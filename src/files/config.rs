//! What a [`StaticFiles`](super::StaticFiles) serves, and the memory that takes.

use super::compress::WORK_BYTES_MAX;
use super::digests::DIGESTS_BYTES_MAX;
use super::encoders::codings;
use super::siblings::SIBLINGS_BYTES_MAX;
use crate::listing;

/// Less memory than this to keep it in is not worth compressing for.
const COMPRESSED_BYTES_MIN: usize = 1 << 20;

/// What may be served, and how much of it is kept in memory.
///
/// ```
/// use sockeye::{FilesConfig, Handler, Request, StaticFiles, StatusCode};
///
/// let config = FilesConfig {
///     listing: false,
///     index: "lib.rs".to_owned(),
///     media_types: vec![("rs".to_owned(), "text/x-rust; charset=utf-8".to_owned())],
///     ..FilesConfig::default()
/// };
/// let files = StaticFiles::with_config("src", &config)?;
/// let index = files.handle(&Request::get("/"));
/// assert_eq!(index.headers().get("Content-Type"), Some("text/x-rust; charset=utf-8"));
/// assert_eq!(files.handle(&Request::get("/files/")).status(), StatusCode::NOT_FOUND);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FilesConfig {
    /// Whether names that begin with a dot are served and listed, be it through a link. `/.well-known/` is served
    /// anyway.
    pub hidden: bool,
    /// Whether symbolic links may lead out of the directory.
    pub follow_symlinks: bool,
    /// How many bytes of memory small files may take; 0 keeps none.
    pub cache_bytes: usize,
    /// Whether text is compressed for clients that take it so, where no sibling is sent. What is made is kept in half of
    /// [`FilesConfig::cache_bytes`], of which that takes a megabyte; and the crate's feature `compress`.
    pub compress: bool,
    /// Whether `app.js.br`, `app.js.zst` or `app.js.gz` is served for `app.js` to clients that take it so, where it is
    /// not older.
    pub siblings: bool,
    /// The file that stands for its directory; one name.
    pub index: String,
    /// Whether a directory without an index is listed; if not, it is 404.
    pub listing: bool,
    /// Whether `/about` is `about.html` where there is no file `about`.
    pub clean_urls: bool,
    /// Media types by extension (without the dot, in any letter case), before all others that are known.
    pub media_types: Vec<(String, String)>,
}

impl Default for FilesConfig {
    fn default() -> FilesConfig {
        FilesConfig {
            hidden: false,
            follow_symlinks: false,
            cache_bytes: 32 * 1024 * 1024,
            compress: false,
            siblings: true,
            index: "index.html".to_owned(),
            listing: true,
            clean_urls: false,
            media_types: Vec::new(),
        }
    }
}

impl FilesConfig {
    /// The memory that files, their digests and listings may take at most, in bytes, while any number of clients take
    /// them.
    ///
    /// ```
    /// use sockeye::FilesConfig;
    ///
    /// let small = FilesConfig { cache_bytes: 0, ..FilesConfig::default() };
    /// assert!(small.memory_bytes() < FilesConfig::default().memory_bytes());
    /// ```
    pub fn memory_bytes(&self) -> usize {
        let work = if self.compress { WORK_BYTES_MAX } else { 0 };
        self.cache_bytes + DIGESTS_BYTES_MAX + SIBLINGS_BYTES_MAX + listing::BYTES_MAX + work
    }

    /// Why text cannot be compressed though it shall be, and what to do.
    pub(crate) fn compress_error(&self) -> Option<(&'static str, &'static str)> {
        match self.compress {
            true if codings().is_empty() => Some((
                "this was built without compression",
                "build it with `--features compress`, or compress the files beforehand: app.js.gz is sent for app.js",
            )),
            true if self.cache_bytes < COMPRESSED_BYTES_MIN => Some((
                "there is no memory to keep in what is compressed",
                "let --cache-bytes be 1M at least",
            )),
            _ => None,
        }
    }
}
