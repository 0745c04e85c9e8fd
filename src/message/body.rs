//! What a response carries.

use bytes::Bytes;

use super::{FileSlice, Stream};

/// The body of a response.
///
/// ```
/// use sockeye::Body;
///
/// let text = Body::from("hello");
/// assert_eq!(text.length(), Some(5));
/// assert_eq!(text.into_bytes()?, b"hello");
/// assert_eq!(Body::Empty.length(), Some(0));
/// assert_eq!(Body::Incoming.length(), None); // Whatever the request's is.
/// # Ok::<(), std::io::Error>(())
/// ```
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
