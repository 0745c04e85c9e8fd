//! Listening sockets: bind, listen, accept.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};

use nix::libc;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SetStruct;
use rustix::io::retry_on_intr;
use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::{Domain, Protocol, Socket, Type};

// A class of thirty that reloads at once, or ten thousand idle clients that return. The kernel caps it (somaxconn).
const BACKLOG: i32 = 4096;

// What the kernel may hold of an answer that has not left yet: enough to keep a fast line busy, and a bound for
// clients that stop reading (each would pin megabytes otherwise).
const UNSENT_BYTES_MAX: u32 = 128 * 1024;

// For how long the kernel holds back a client that has sent nothing. It is accepted together with its request then, and
// a thread is woken once and not twice; a client that stays silent is accepted when this time is over.
const DEFERRED_SECONDS: i32 = 1;

/// `TCP_DEFER_ACCEPT` of tcp(7). Where the kernel's queue of such clients is full it makes no difference (syncookies).
#[derive(Debug, Clone, Copy)]
struct DeferAccept;

nix::setsockopt_impl!(
    DeferAccept,
    libc::IPPROTO_TCP,
    libc::TCP_DEFER_ACCEPT,
    i32,
    SetStruct<i32>
);

/// Why a server cannot listen.
///
/// Its `Debug` is its sentence too: that is what Rust prints of an error with which `main` returns.
///
/// ```
/// use sockeye::Server;
///
/// let first = Server::bind("127.0.0.1:0")?;
/// let error = Server::bind(first.local_addrs()[0]).expect_err("it listens there already");
/// assert!(error.to_string().starts_with("cannot listen on 127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct BindError {
    /// The address that could not be listened on; `None` where what was asked for names no address.
    pub address: Option<SocketAddr>,
    /// The system's error.
    pub source: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "cannot listen on {address}: {}", self.source),
            None => write!(f, "cannot listen: {}", self.source),
        }
    }
}

impl fmt::Debug for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl From<BindError> for io::Error {
    fn from(error: BindError) -> io::Error {
        io::Error::new(error.source.kind(), error)
    }
}

/// The addresses that `asked` names: one at least.
pub(super) fn resolve(
    asked: impl ToSocketAddrs + fmt::Debug,
) -> Result<Vec<SocketAddr>, BindError> {
    let found = asked.to_socket_addrs().map(Vec::from_iter);
    let source = match found {
        Ok(addresses) if !addresses.is_empty() => return Ok(addresses),
        Ok(_) => io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{asked:?} names no address"),
        ),
        Err(error) => io::Error::new(error.kind(), format!("{asked:?} names no address: {error}")),
    };
    Err(BindError {
        address: None,
        source,
    })
}

/// Binds all of `addresses`, or none, and listens. Where several have port 0, the first gets any free one and the
/// others the same.
pub(super) fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut chosen_port = 0;
    for address in addresses {
        let mut address = *address;
        if address.port() == 0 {
            address.set_port(chosen_port);
        }
        let error = |source| BindError {
            address: Some(address),
            source,
        };
        let listener = listen(address).map_err(error)?;
        let local = listener.local_addr().map_err(error)?;
        chosen_port = local.port();
        listeners.push(listener);
    }
    Ok(listeners)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // The IPv4 side has a socket of its own.
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for old connections to time out.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit the first two. An answer is one write, so nothing is gained by waiting for more; and
    // neither is worth failing for, where a kernel or sandbox does not know it.
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
    let _ = setsockopt(&socket, DeferAccept, &DEFERRED_SECONDS);
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts one connection, which never waits.
pub(super) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, Option<SocketAddr>)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (socket, peer) = retry_on_intr(|| acceptfrom_with(listener, flags))?;
    Ok((socket.into(), peer.and_then(|peer| peer.try_into().ok())))
}

/// Whether accepting, which failed, fails again at once. It may not if there was no client, or if the one that was next
/// hung up or its network is down (accept(2)).
pub(super) fn is_lasting(error: &io::Error) -> bool {
    use rustix::io::Errno;
    ![
        Errno::AGAIN,
        Errno::CONNABORTED,
        Errno::PROTO,
        Errno::NOPROTOOPT,
        Errno::NETDOWN,
        Errno::NETUNREACH,
        Errno::HOSTDOWN,
        Errno::HOSTUNREACH,
        Errno::NONET,
    ]
    .iter()
    .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Whether there are no descriptors left, in this process or in the system.
pub(super) fn is_want_of_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
