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
    /// These bytes, and behind them the body of the request as it travels: with the framing of its chunks and its
    /// trailers. Only from [`Handler::handle_head`](crate::Handler::handle_head); once the body is collected, how it
    /// travelled is forgotten.
    IncomingRaw(Bytes),
}

impl Body {
    /// The length in bytes, where it is known before the end.
    pub fn length(&self) -> Option<u64> {
        match self {
            Body::Empty => Some(0),
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::File(slice) => Some(slice.length()),
            Body::Stream(stream) => stream.length,
            Body::Incoming | Body::IncomingRaw(_) => None,
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
///
/// ```
/// use std::{io, task::Poll};
///
/// use sockeye::{BodySource, Response, Wake};
///
/// struct Ready(&'static [u8]);
///
/// impl BodySource for Ready {
///     fn poll_read(&mut self, buffer: &mut [u8], _wake: &mut Wake<'_>) -> Poll<io::Result<usize>> {
///         Poll::Ready(io::Read::read(&mut self.0, buffer))
///     }
/// }
/// assert_eq!(Response::stream(Ready(b"hello")).into_text()?, "hello");
/// # Ok::<(), io::Error>(())
/// ```
pub trait BodySource: Send {
    /// Fills the beginning of `buffer` and returns how many bytes that was; 0 is the end.
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
///
/// ```
/// use std::task::Waker;
/// use std::time::{Duration, Instant};
///
/// use sockeye::Wake;
///
/// // As a source's own test gives it.
/// let mut wake = Wake::new(Waker::noop()).with_closing(false);
/// wake.at(Instant::now() + Duration::from_secs(1));
/// assert!(wake.time().is_some() && !wake.is_closing());
/// ```
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

    /// The same, with whether the server is stopping.
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

    /// When the source is to be asked again, if it named a time.
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
///
/// ```
/// use sockeye::{Response, StatusCode, Stream};
///
/// let numbers = Stream { reader: Box::new(&b"1,2,3"[..]), length: Some(5) };
/// let response = Response::new(StatusCode::OK).with_body(numbers);
/// assert_eq!(response.body().length(), Some(5));
/// assert_eq!(response.into_text()?, "1,2,3");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Stream {
    /// Where the bytes come from.
    pub reader: Box<dyn BodySource>,
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
/// The server asks [`FileSlice::is_as_promised`] before the last byte goes out: a body is completed only if its
/// bytes are still those that were promised.
#[derive(Debug, Clone)]
pub struct FileSlice {
    /// The open file.
    pub file: Arc<File>,
    /// Which bytes of it.
    pub range: Range<u64>,
    /// What it was when the answer was decided.
    pub fingerprint: Fingerprint,
    /// Knows more of the file than its fingerprint; is asked where that has changed.
    pub witness: Option<Arc<dyn Witness>>,
}

/// Knows whether a file still holds the bytes that were promised, though its fingerprint has changed.
pub trait Witness: fmt::Debug + Send + Sync {
    /// Whether it does. May read the file.
    ///
    /// # Errors
    ///
    /// That the file cannot be read.
    fn has_promised_bytes(&self, file: &File) -> io::Result<bool>;
}

impl FileSlice {
    /// The length in bytes.
    pub fn length(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Whether the file still holds what was promised of it: nothing changed, or what changed has left those bytes
    /// alone, as the witness knows, or as the fingerprints tell (see [`Fingerprint::has_kept_bytes`]).
    ///
    /// # Errors
    ///
    /// That the file cannot be looked at.
    pub fn is_as_promised(&self) -> io::Result<bool> {
        let now = Fingerprint::from(&self.file.metadata()?);
        match &self.witness {
            _ if now == self.fingerprint => Ok(true),
            Some(witness) => witness.has_promised_bytes(&self.file),
            None => Ok(now.has_kept_bytes(&self.fingerprint)),
        }
    }
}

/// What distinguishes one state of a file from another without reading it.
///
/// Two equal fingerprints mean equal bytes if the later one was taken more than the clock's granularity after
/// `changed`: no write can leave the change time alone.
///
/// ```
/// use sockeye::message::Fingerprint;
///
/// let file = tempfile::tempfile()?;
/// let before = Fingerprint::from(&file.metadata()?);
/// file.set_len(10)?;
/// let after = Fingerprint::from(&file.metadata()?);
/// assert!(before != after && after.has_kept_bytes(&before)); // It has only grown.
/// # Ok::<(), std::io::Error>(())
/// ```
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
    /// What else moves the change time: how many names it has, and who may do what with it.
    pub attributes: Attributes,
}

/// What may change of a file while its bytes do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// How many names the file has.
    pub links: u64,
    /// Its type and permissions.
    pub mode: u32,
    /// Its user and group.
    pub owner: (u32, u32),
}

impl Fingerprint {
    /// Whether a file that is open all the while still begins with the bytes it had: it has only grown, or its change
    /// time has moved as far as its attributes explain. An edit that restores the modification time is not taken for
    /// that, and neither is a rename that leaves everything but the name; whether a file that has grown was also
    /// rewritten, no fingerprint shows.
    pub fn has_kept_bytes(&self, earlier: &Fingerprint) -> bool {
        let is_same_file = (self.device, self.inode) == (earlier.device, earlier.inode);
        let has_grown = self.size > earlier.size;
        let is_explained = (self.size, self.modified) == (earlier.size, earlier.modified)
            && (self.changed == earlier.changed || self.attributes != earlier.attributes);
        is_same_file && (has_grown || is_explained)
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
            attributes: Attributes {
                links: metadata.nlink(),
                mode: metadata.mode(),
                owner: (metadata.uid(), metadata.gid()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_changes_of_the_fingerprint_change_the_bytes() {
        let before = Fingerprint {
            device: 1,
            inode: 2,
            size: 3,
            modified: (4, 5),
            changed: (6, 7),
            attributes: Attributes {
                links: 1,
                mode: 0o644,
                owner: (8, 9),
            },
        };
        let changed = Fingerprint {
            changed: (6, 8),
            ..before
        };
        let with = |links, mode, owner| Fingerprint {
            attributes: Attributes { links, mode, owner },
            ..changed
        };
        for (now, is_kept, what) in [
            (before, true, "nothing"),
            (changed, false, "an edit that restored the date"),
            (with(0, 0o644, (8, 9)), true, "deleted or replaced"),
            (with(1, 0o000, (8, 9)), true, "forbidden"),
            (with(1, 0o644, (8, 0)), true, "given away"),
            (
                Fingerprint {
                    modified: (4, 6),
                    ..changed
                },
                false,
                "rewritten",
            ),
            (
                Fingerprint {
                    modified: (4, 6),
                    ..with(0, 0o644, (8, 9))
                },
                false,
                "rewritten and deleted",
            ),
            (Fingerprint { size: 2, ..changed }, false, "truncated"),
            (
                Fingerprint {
                    size: 4,
                    modified: (4, 6),
                    ..changed
                },
                true,
                "appended to",
            ),
            (
                Fingerprint {
                    size: 4,
                    inode: 3,
                    ..changed
                },
                false,
                "another file",
            ),
        ] {
            assert_eq!(now.has_kept_bytes(&before), is_kept, "{what}");
        }
    }
}
