//! One event per answer, through tracing.

use std::net::SocketAddr;
use std::time::Instant;

/// What is to be known of one answer.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The status.
    pub status: u16,
    /// The method.
    pub method: &'a str,
    /// The target.
    pub target: &'a str,
    /// Bytes of body.
    pub bytes: u64,
    /// Since when.
    pub since: Instant,
    /// The client.
    pub peer: Option<SocketAddr>,
}

/// Emits the event.
pub fn record(record: &Record<'_>) {
    tracing::info!(
        target: "sockeye::access",
        status = record.status,
        method = record.method,
        path = record.target,
        bytes = record.bytes,
        micros = record.since.elapsed().as_micros() as u64,
    );
}
