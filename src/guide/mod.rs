//! How to write a server with this crate: a short book, a page for each chapter. Every example runs.
//!
//! | chapter | what it is about |
//! |---|---|
//! | [Routes](routes) | which function answers which path and method |
//! | [Requests](requests) | what a client says: path, query, fields, cookies, body |
//! | [Responses](responses) | what it is told: text, pages, files, JSON, errors |
//! | [Middleware](middleware) | what happens around every answer; a line for each in a log |
//! | [State](state) | what handlers share |
//! | [Streaming](streaming) | bodies that are not in memory, both ways, and server-sent events |
//! | [Tests](tests) | a router is a function, and needs no socket |
//! | [Shutdown and signals](shutdown) | how a server comes to its end |
//! | [Limits and memory](limits) | what a client may cost |
//! | [Behind a proxy](proxy) | TLS, and who the client is |
//!
//! Who has never seen HTTP without a library begins with the repository's `examples`, which lead from a socket to here.

pub mod limits;
pub mod middleware;
pub mod proxy;
pub mod requests;
pub mod responses;
pub mod routes;
pub mod shutdown;
pub mod state;
pub mod streaming;
pub mod tests;
