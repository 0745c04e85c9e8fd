//! What bytes travel on: a TCP socket that never waits.
//!
//! All of it that depends on what lies between the kernel and HTTP is here. A socket that encrypts would know itself
//! what is left to read although the kernel has given all, and when it has to write in order to read.

use std::fs::File;
use std::io::{self, IoSlice};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use nix::libc;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::GetStruct;
use rustix::buffer::spare_capacity;
use rustix::io::retry_on_intr;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

use super::event::Readiness;

/// The beginning of `struct tcp_info` of tcp(7) as words of eight bytes.
#[derive(Debug, Clone, Copy)]
struct TcpInfo;

nix::getsockopt_impl!(
    TcpInfo,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    [u64; 16],
    GetStruct<[u64; 16]>
);

/// Where `tcpi_bytes_acked` stands among them, since Linux 4.1.
const BYTES_ACKNOWLEDGED: usize = 15;

/// Where `tcpi_snd_mss` stands, in the lower half.
const SEGMENT_BYTES: usize = 2;

/// A client's end of a connection. What would have to wait is `None`, or [`Received::Nothing`].
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    /// Something may be there to be read: the kernel has reported it, and not all of it has been read since.
    is_readable: bool,
    /// The client's end is behind what is there to be read.
    has_ended: bool,
    is_gone: bool,
    written: u64,
}

/// What the client's kernel has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Bytes in all.
    pub(super) bytes: u64,
    /// Bytes that a reader may take without its kernel saying so: it waits for room for a full segment, which has 64
    /// KiB on loopback (RFC 9293 §3.8.6.2.2).
    pub(super) step: u32,
}

/// What a read has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    /// So many bytes.
    Bytes(usize),
    /// The client will send nothing more.
    End,
    /// Nothing for now.
    Nothing,
}

impl Socket {
    /// A new client's, which most often has sent something already.
    pub(super) fn new(stream: TcpStream) -> Socket {
        Socket {
            stream,
            is_readable: true,
            has_ended: false,
            is_gone: false,
            written: 0,
        }
    }

    /// The kernel has reported this.
    pub(super) fn note(&mut self, readiness: Readiness) {
        self.is_readable |= readiness.is_readable;
        self.has_ended |= readiness.has_ended;
        self.is_gone |= readiness.is_gone;
    }

    /// Whether the client has reset the connection, so that nothing reaches it any more.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Whether it is worth reading.
    pub(super) fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Bytes written so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// What has reached the client's kernel, as far as can be known.
    pub(super) fn taken(&self) -> Taken {
        let unknown = Taken {
            bytes: self.written,
            step: 0,
        };
        getsockopt(&self.stream, TcpInfo).map_or(unknown, |words| Taken {
            bytes: words[BYTES_ACKNOWLEDGED],
            step: words[SEGMENT_BYTES] as u32,
        })
    }

    /// Reads once, to the end of `into` and no further than its capacity.
    pub(super) fn read(&mut self, into: &mut Vec<u8>) -> io::Result<Received> {
        let room = into.capacity() - into.len();
        match retry_on_intr(|| rustix::io::read(&self.stream, spare_capacity(into))) {
            Ok(0) => Ok(Received::End),
            Ok(bytes) => {
                // Less than there was room for is all there is, unless the end is known to be behind it.
                self.is_readable = bytes == room || self.has_ended;
                Ok(Received::Bytes(bytes))
            }
            Err(rustix::io::Errno::AGAIN) => {
                self.is_readable = false;
                Ok(Received::Nothing)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there is something to read right now, if only an end; notes it.
    pub(super) fn look_for_input(&mut self) -> bool {
        self.is_readable |= self.has_input();
        self.is_readable
    }

    /// Whether the client has ended and there is nothing left to read.
    pub(super) fn is_at_end(&self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        matches!(
            rustix::net::recv(&self.stream, &mut [0; 1], flags),
            Ok((0, _))
        )
    }

    /// Ends the connection in both directions; the kernel reports it.
    pub(super) fn shutdown(&mut self) {
        // It may be gone already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn has_input(&self) -> bool {
        let peeked = rustix::net::recv(
            &self.stream,
            &mut [0; 1],
            RecvFlags::PEEK | RecvFlags::DONTWAIT,
        );
        !matches!(peeked, Err(rustix::io::Errno::AGAIN))
    }

    /// Writes once, from all pieces together; `more`: the caller writes again at once. `None`: there is no room.
    pub(super) fn write(
        &mut self,
        pieces: &[IoSlice<'_>],
        more: bool,
    ) -> io::Result<Option<usize>> {
        let flags = match more {
            true => SendFlags::NOSIGNAL | SendFlags::MORE,
            false => SendFlags::NOSIGNAL,
        };
        let sent = match pieces {
            [piece] => retry_on_intr(|| rustix::net::send(&self.stream, piece, flags)),
            _ => retry_on_intr(|| {
                let mut control = SendAncillaryBuffer::default();
                rustix::net::sendmsg(&self.stream, pieces, &mut control, flags)
            }),
        };
        self.note_written(sent)
    }

    /// Sends up to `count` bytes of `file` from `offset`, without copying them through our memory. `None`: there is no
    /// room.
    pub(super) fn send_file(
        &mut self,
        file: &File,
        mut offset: u64,
        count: usize,
    ) -> io::Result<Option<usize>> {
        let sent =
            retry_on_intr(|| rustix::fs::sendfile(&self.stream, file, Some(&mut offset), count));
        self.note_written(sent)
    }

    /// Tells the client that nothing more will come.
    pub(super) fn shutdown_write(&mut self) {
        // The client may be gone already; then there is nothing to shut down.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The processor that handled the client's last packet.
    pub(super) fn processor(&self) -> u32 {
        // What is not known counts as one that the machine does not have.
        rustix::net::sockopt::socket_incoming_cpu(&self.stream).unwrap_or(u32::MAX)
    }

    fn note_written(&mut self, sent: rustix::io::Result<usize>) -> io::Result<Option<usize>> {
        match sent {
            Ok(bytes) => {
                self.written += bytes as u64;
                Ok(Some(bytes))
            }
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
