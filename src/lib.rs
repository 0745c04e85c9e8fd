//! A small HTTP/1.1 server built directly on TCP sockets.
pub mod access_log;
pub mod cli;
pub mod handler;
pub mod message;
pub use handler::Handler;
