//! What a response carries.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

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
    /// The body of the request itself: sent back while it comes in if
    /// [`Handler::handle_head`](crate::Handler::handle_head) answers so, and once it is collected if
    /// [`Handler::handle`](crate::Handler::handle) does.
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

/// Where the bytes of a [`Stream`] come from.
///
/// Every [`Read`] is one, and may block: others are served meanwhile, as long as there are threads. A source that has to
/// wait for long, as for the next event, says so instead and costs no thread until it is woken.
pub trait BodySource: Send {
    /// Fills the beginning of `buffer` and says how many bytes that was; 0 is the end.
    ///
    /// [`Poll::Pending`]: there is nothing yet. It is asked again once the [`Waker`] of `wake` is woken, from any thread,
    /// or at the time that was set there. To be asked without need does no harm.
    fn poll_read(&mut self, buffer: &mut [u8], wake: &mut Wake<'_>) -> Poll<io::Result<usize>>;
}

impl<R: Read + Send> BodySource for R {
    fn poll_read(&mut self, buffer: &mut [u8], _: &mut Wake<'_>) -> Poll<io::Result<usize>> {
        Poll::Ready(self.read(buffer))
    }
}

/// What wakes a [`BodySource`] that has nothing to give yet.
#[derive(Debug)]
pub struct Wake<'a> {
    waker: &'a Waker,
    at: Option<Instant>,
    is_closing: bool,
}

impl<'a> Wake<'a> {
    /// With this waker and no time.
    pub fn new(waker: &'a Waker) -> Wake<'a> {
        Wake {
            waker,
            at: None,
            is_closing: false,
        }
    }

    /// The same, told whether the server is stopping.
    pub fn with_closing(self, is_closing: bool) -> Wake<'a> {
        Wake { is_closing, ..self }
    }

    /// Wakes the source's connection. It may be kept, cloned and woken at any time; when the connection is gone, it
    /// does nothing.
    pub fn waker(&self) -> &Waker {
        self.waker
    }

    /// Asks again at `instant` at the latest, some milliseconds later perhaps.
    pub fn at(&mut self, instant: Instant) {
        self.at = Some(self.at.map_or(instant, |at| at.min(instant)));
    }

    /// When the source is to be asked again, if it said so.
    pub fn time(&self) -> Option<Instant> {
        self.at
    }

    /// Whether the server is stopping. A source without an end of its own should end now; it is asked when it begins.
    pub fn is_closing(&self) -> bool {
        self.is_closing
    }
}

/// A body that is read piece by piece while it is sent.
///
/// If its source fails or panics, or ends before the length it promised, the connection is closed, so that the client can
/// tell. What it has beyond that length is not sent.
pub struct Stream {
    /// Where the bytes come from.
    pub reader: Box<dyn BodySource>,
    /// How many there will be, if that is known.
    pub length: Option<u64>,
}

/// As a handler's test reads it back. A source that has nothing to give yet is [`io::ErrorKind::WouldBlock`].
impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.reader.poll_read(buffer, &mut Wake::new(Waker::noop())) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
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
#[derive(Debug, Clone)]
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
