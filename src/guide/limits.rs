//! # Limits and memory
//!
//! Every wait has a deadline and everything that grows a bound: [`Config`](crate::Config). Its defaults are for a server
//! that strangers reach.
//!
//! ```
//! use std::time::Duration;
//!
//! use sockeye::{Config, Server};
//!
//! let mut config = Config {
//!     connections_max: 1_000,
//!     head_timeout: Duration::from_secs(5),
//!     ..Config::default()
//! };
//! config.limits.body_bytes_max = 64 * 1024;
//! let server = Server::bind("127.0.0.1:0")?.with_config(config.clone());
//! // At most, in bytes: this much whoever comes, and this much for each connection that is in the middle of something.
//! let bound = config.fixed_bytes() + config.connections_max * config.connection_bytes();
//! assert!(bound < 1024 * 1024 * 1024);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A connection that is idle takes no buffer and no thread. A body that is collected counts twice, so what is large goes to
//! an [upload](super::streaming) instead. What a handler allocates is its own affair, and what files may take in memory is
//! [`FilesConfig::memory_bytes`](crate::FilesConfig::memory_bytes).
//!
//! ## What a client is told
//!
//! | what is too much | status |
//! |---|---|
//! | a request line beyond [`request_line_bytes_max`](crate::wire::Limits::request_line_bytes_max) | 414 |
//! | a head beyond [`head_bytes_max`](crate::wire::Limits::head_bytes_max), or of more than 100 fields | 431 |
//! | a body beyond [`body_bytes_max`](crate::wire::Limits::body_bytes_max), or an upload's own limit | 413 |
//! | a head or a body that takes too long | 408, or nothing where nothing came |
//! | one client more than there may be | a place, as below, or 503 |
//!
//! ## When all places are taken
//!
//! When all [`connections_max`](crate::Config::connections_max) are taken, a newcomer gets the place of the one idle longest,
//! then of one that hardly moves, then of the stream or delayed answer that is oldest: a browser's `EventSource` comes back by
//! itself. So no stranger keeps others out for ever by listening; a program with more subscribers than that raises it.
