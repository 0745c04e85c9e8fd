//! Reads the body of a response back, whatever it is: for tests, and for middleware that rewrites what it is given.

use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use crate::message::{Body, FileSlice, Response, Stream, Wake};

impl Response {
    /// The body's bytes, read into memory; see [`Body::into_bytes`].
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let response = Response::stream(std::io::Cursor::new([1, 2, 3]));
    /// assert_eq!(response.into_bytes()?, [1, 2, 3]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_bytes(self) -> io::Result<Vec<u8>> {
        self.into_parts().2.into_bytes()
    }

    /// The body as text. Fails like [`Response::into_bytes`], and if it is not UTF-8.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Response, Router};
    ///
    /// let router = Router::new().get("/licence", |request| Response::file(request, "LICENSE-MIT"));
    /// let text = router.handle(&Request::get("/licence")).into_text()?;
    /// assert!(text.starts_with("MIT License"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_text(self) -> io::Result<String> {
        let bytes = self.into_bytes()?;
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// The body read as JSON. Fails like [`Response::into_bytes`], and if it is not such JSON.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// assert_eq!(Response::json([1, 2]).into_json::<Vec<u32>>()?, [1, 2]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn into_json<T: serde::de::DeserializeOwned>(self) -> io::Result<T> {
        Ok(serde_json::from_slice(&self.into_bytes()?)?)
    }
}

impl Body {
    /// The bytes, read into memory: of a file from the disk, of a stream until it ends.
    ///
    /// Fails if reading does, if there are fewer bytes than promised, and for [`Body::Incoming`], whose bytes the
    /// request has. A stream that has to wait for its next bytes is [`io::ErrorKind::WouldBlock`].
    pub fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self {
            Body::Empty => Ok(Vec::new()),
            Body::Bytes(bytes) => Ok(bytes.into()),
            Body::File(slice) => read_slice(&slice),
            Body::Stream(stream) => read_stream(stream),
            Body::Incoming | Body::IncomingRaw(_) => {
                Err(io::Error::other("the body is the request's own"))
            }
        }
    }
}

fn read_slice(slice: &FileSlice) -> io::Result<Vec<u8>> {
    let length = usize::try_from(slice.length()).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    slice.file.read_exact_at(&mut bytes, slice.range.start)?;
    Ok(bytes)
}

fn read_stream(mut stream: Stream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(length) = stream.length else {
        stream.read_to_end(&mut bytes)?;
        return Ok(bytes);
    };
    // As on the wire: what a source has beyond the length is not sent.
    stream.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("the stream has {} bytes instead of {length}", bytes.len()),
        )),
    }
}

/// As a handler's test reads it back. A source that has nothing to give yet is [`io::ErrorKind::WouldBlock`], unless it has
/// asked to be asked again at once.
impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let is_woken = Arc::new(IsWoken::default());
        let waker = Waker::from(Arc::clone(&is_woken));
        loop {
            match self.reader.poll_read(buffer, &mut Wake::new(&waker)) {
                Poll::Ready(read) => return read,
                Poll::Pending if is_woken.0.swap(false, Ordering::Relaxed) => {}
                Poll::Pending => return Err(io::ErrorKind::WouldBlock.into()),
            }
        }
    }
}

#[derive(Default)]
struct IsWoken(AtomicBool);

impl std::task::Wake for IsWoken {
    fn wake(self: Arc<IsWoken>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
