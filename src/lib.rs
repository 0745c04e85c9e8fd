//! A small HTTP/1.1 server built directly on TCP sockets.
pub mod files;
pub mod handler;
pub mod message;
pub use handler::Handler;
