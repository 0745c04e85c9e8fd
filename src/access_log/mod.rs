//! One event per answer, through `tracing`, and the log that turns events into lines.
//!
//! Who serves says [`record`] and forgets about it: without a subscriber that costs a comparison. The subscriber that the
//! command installs ([`install`]) formats the line at once, on the thread that served, and leaves it in a bounded buffer
//! ([`Log`]); another thread writes. So no request waits for the log, whatever becomes of its output.

mod line;
mod log;
mod subscriber;

use std::net::SocketAddr;
use std::time::Instant;

pub use log::{Log, WAITING_BYTES_MAX};
pub use subscriber::{LogLevel, Settings, Subscriber, install};

/// The target of the events that [`record`] makes.
pub const TARGET: &str = "sockeye::access";

/// One answer, as it is remembered.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The status that was sent.
    pub status: u16,
    /// The request's method, or what stood in its place.
    pub method: &'a str,
    /// The request's target as the client wrote it; escaped when it is shown, not here.
    pub target: &'a str,
    /// How many bytes of body were sent.
    pub bytes: u64,
    /// When the request's head was complete; the clock is read again only if somebody listens.
    pub since: Instant,
    /// The client, where it is known.
    pub peer: Option<SocketAddr>,
}

/// Whether anybody listens, so that it matters when an answer is recorded.
pub fn is_listened_to() -> bool {
    tracing::event_enabled!(target: TARGET, tracing::Level::INFO)
}

/// Tells whoever listens about one answer; costs next to nothing when nobody does.
pub fn record(record: &Record<'_>) {
    tracing::event!(
        target: TARGET,
        tracing::Level::INFO,
        status = record.status,
        method = record.method,
        target = record.target,
        bytes = record.bytes,
        micros = u64::try_from(record.since.elapsed().as_micros()).unwrap_or(u64::MAX),
        peer = record.peer.map(tracing::field::display),
    );
}
