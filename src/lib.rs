//! A small HTTP/1.1 server built directly on TCP sockets.
pub mod handler;
pub mod message;
pub use handler::Handler;
pub mod access_log;
pub mod echo;
pub mod router;
pub mod server;
pub mod wire;
