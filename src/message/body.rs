//! What a response carries.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use bytes::Bytes;

/// The body of a response.
#[derive(Debug, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes in memory: static, owned or shared.
    Bytes(Bytes),
    /// A piece of an open file, sent without passing through our memory.
    File(FileSlice),
    /// Whatever a reader yields, sent in chunks unless its length is known.
    Stream(Stream),
    /// The body of the request itself, sent back while it comes in. Only
    /// [`Handler::handle_head`](crate::Handler::handle_head) may answer so; later there is none left.
    Incoming,
}

impl Body {
    /// The length in bytes, where it is known before the end.
    pub fn length(&self) -> Option<u64> {
        match self {
            Body::Empty => Some(0),
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::File(slice) => Some(slice.length()),
            Body::Stream(stream) => stream.length,
            Body::Incoming => None,
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Body {
        Body::Bytes(bytes.into())
    }
}

impl From<FileSlice> for Body {
    fn from(slice: FileSlice) -> Body {
        Body::File(slice)
    }
}

impl From<Stream> for Body {
    fn from(stream: Stream) -> Body {
        Body::Stream(stream)
    }
}

/// A body that is read piece by piece while it is sent.
///
/// The reader may block. If it fails, or ends before or goes on after the length it promised, the connection is
/// closed, so that the client can tell.
pub struct Stream {
    /// Where the bytes come from.
    pub reader: Box<dyn Read + Send>,
    /// How many there will be, if that is known.
    pub length: Option<u64>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// A piece of an open file, with what the file was when the answer was decided.
///
/// Whoever sends it compares the file with [`FileSlice::fingerprint`] before the last byte goes out: a body is
/// completed only if the file is still the one that was promised.
#[derive(Debug)]
pub struct FileSlice {
    /// The open file.
    pub file: Arc<File>,
    /// Which bytes of it.
    pub range: Range<u64>,
    /// What it was when the answer was decided.
    pub fingerprint: Fingerprint,
}

impl FileSlice {
    /// The length in bytes.
    pub fn length(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// What tells one state of a file from another without reading it.
///
/// Two equal fingerprints mean equal bytes if the later one was taken more than the clock's granularity after
/// `changed`: no write can leave the change time alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The device the file lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its size in bytes.
    pub size: u64,
    /// The modification time, in seconds and nanoseconds since 1970; anyone may set it.
    pub modified: (i64, u32),
    /// The time of the last change of bytes or attributes; only the kernel sets it.
    pub changed: (i64, u32),
}

impl Fingerprint {
    /// Whether a file that is open all the while holds the same bytes, though its name, links or rights may have
    /// changed: those move the change time alone.
    pub fn has_same_bytes(&self, earlier: &Fingerprint) -> bool {
        let changed = earlier.changed;
        Fingerprint { changed, ..*self } == *earlier
    }
}

impl From<&Metadata> for Fingerprint {
    fn from(metadata: &Metadata) -> Fingerprint {
        Fingerprint {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec() as u32),
            changed: (metadata.ctime(), metadata.ctime_nsec() as u32),
        }
    }
}
