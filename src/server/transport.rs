//! What bytes travel on.
//!
//! A connection is driven over this, not over a socket: TCP now, TLS perhaps later, a script in tests.

use std::fs::File;
use std::io::{self, IoSlice};
use std::net::{Shutdown, TcpStream};

use rustix::buffer::spare_capacity;
use rustix::io::retry_on_intr;
use rustix::net::{SendAncillaryBuffer, SendFlags};

/// A byte stream in both directions that never waits: what would is [`io::ErrorKind::WouldBlock`].
pub(super) trait Transport {
    /// Reads once, to the end of `into` and no further than its capacity; 0 is the client's end.
    fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize>;

    /// Writes once, from all pieces together; `more` says that more follows at once.
    fn write(&mut self, pieces: &[IoSlice<'_>], more: bool) -> io::Result<usize>;

    /// Sends up to `count` bytes of `file` from `offset`, without copying them through our memory.
    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize>;

    /// Tells the client that nothing more will come.
    fn shutdown_write(&mut self);
}

impl Transport for TcpStream {
    fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        Ok(retry_on_intr(|| {
            rustix::io::read(&*self, spare_capacity(into))
        })?)
    }

    fn write(&mut self, pieces: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
        let flags = if more {
            SendFlags::NOSIGNAL | SendFlags::MORE
        } else {
            SendFlags::NOSIGNAL
        };
        let sent = match pieces {
            [piece] => retry_on_intr(|| rustix::net::send(&*self, piece, flags)),
            _ => retry_on_intr(|| {
                rustix::net::sendmsg(&*self, pieces, &mut SendAncillaryBuffer::default(), flags)
            }),
        };
        Ok(sent?)
    }

    fn send_file(&mut self, file: &File, mut offset: u64, count: usize) -> io::Result<usize> {
        Ok(retry_on_intr(|| {
            rustix::fs::sendfile(&*self, file, Some(&mut offset), count)
        })?)
    }

    fn shutdown_write(&mut self) {
        // The client may be gone already, and then there is nobody to tell.
        let _ = self.shutdown(Shutdown::Write);
    }
}

/// A transport that knows how many bytes it has taken, so that a client which takes none can be told from a slow one.
#[derive(Debug)]
pub(super) struct Metered<T> {
    pub(super) transport: T,
    /// Bytes written so far.
    pub(super) written: u64,
}

impl<T: Transport> Transport for Metered<T> {
    fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        self.transport.read(into)
    }

    fn write(&mut self, pieces: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
        let written = self.transport.write(pieces, more)?;
        self.written += written as u64;
        Ok(written)
    }

    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        let written = self.transport.send_file(file, offset, count)?;
        self.written += written as u64;
        Ok(written)
    }

    fn shutdown_write(&mut self) {
        self.transport.shutdown_write();
    }
}
