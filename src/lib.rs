//! A small HTTP/1.1 server built directly on TCP sockets: threads and the kernel's readiness list, no async runtime, no
//! framework, no `unsafe`.
//!
//! For a program that wants to be asked over HTTP and is written as programs are: functions that return, and may block.
//! It serves files with all that browsers ask for, bounds what any client may cost, and stops when it is told to.
//!
//! ```no_run
//! use sockeye::{Echo, Router, Server, StaticFiles};
//!
//! # fn main() -> std::io::Result<()> {
//! let router = Router::new()
//!     .get("/hello/{name}", |request| format!("Hello {}\n", request.param("name")))
//!     .any("/echo", Echo)
//!     .nest("/static", StaticFiles::new("public")?);
//! Server::bind("127.0.0.1:8080")?.serve(router)?;
//! # Ok(())
//! # }
//! ```
//!
//! The [`guide`] goes on from here, chapter by chapter: [routes](guide::routes), [requests](guide::requests),
//! [responses](guide::responses), [middleware](guide::middleware), [state](guide::state), [streaming](guide::streaming),
//! [tests](guide::tests), [shutdown and signals](guide::shutdown), [limits and memory](guide::limits), and a server
//! [behind a proxy](guide::proxy). The repository's `examples` lead from a socket to all this.
//!
//! | feature | adds |
//! |---|---|
//! | `json` | `Request::json` and `Response::json`, by `serde` |
//! | `compress` | `FilesConfig::compress`: gzip and brotli; on by default |
//! | `zstd` | zstd too, which takes a C compiler; on by default |
//!
//! # The map
//!
//! The server carries bytes, the wire understands them, the router chooses who answers, and files answer most
//! things. What they hand each other are messages.
//!
//! ```text
//! main       → access_log, by_hand, cli, echo, files, handler, middleware, router, server
//! guide
//! cli        → access_log, files, middleware, server, text
//! server     → access_log, handler, message, sync, wire
//! router     → handler, message, middleware
//! by_hand    → handler, message, middleware, text, wire
//! middleware → handler, message, sync
//! files      → handler, listing, message, sync, text, tree
//! listing    → message, text, tree
//! tree       → message, sync
//! echo       → handler, message, text
//! access_log → message, sync, text
//! handler    → message
//! channel    → message, sync
//! collect    → message
//! wire       → message, text
//! message    → text
//! sync
//! text
//! ```
//!
//! A part names only parts in rows below its own, and no others than these; `guide`, `sync` and `text` name none. `cli`
//! names rooms for the types and defaults of their settings, so that a flag stands in one place; what is made of the
//! settings is composed in `site` and `main`.
//!
//! | room | what it knows |
//! |---|---|
//! | [`message`] | the vocabulary: requests, responses, fields, bodies; plain values |
//! | [`wire`] | HTTP/1.1 as bytes: pure functions and one state machine |
//! | [`handler`] | the seam: who answers |
//! | [`server`] | sockets, threads and deadlines; carries bytes to a handler and back |
//! | [`middleware`] | handlers around handlers: checks before them, fields on every response |
//! | [`router`] | picks a handler by method and path |
//! | [`files`] | a directory as a handler |
//! | `listing` | the page of a directory without an index |
//! | `tree` | the file system beneath one directory, and no way out of it |
//! | [`echo`] | sends a request back |
//! | [`by_hand`] | a request written by hand, and what the server answers to its bytes: for teaching |
//! | [`channel`] | bodies that any thread writes to: slow streams and server-sent events |
//! | `collect` | reads a body back, for tests |
//! | [`access_log`] | one record per request, at its end, and the formats that turn it into a line |
//! | [`cli`] | arguments and messages for the person at the terminal |
//! | `text` | numbers, times, escapes and templates |
//! | `sync` | locks that outlive a panic, and a rate limit |
//!
//! The command adds three files of its own: `main`, which wires them all, `site`, which composes what is served, and
//! `confine`, which gives up the rights that a server of files does not need. `ARCHITECTURE.md` has the rest: the way
//! of a request, what may block, and where to change what.
//!
//! A test (`tests/it/tidy`) compares the map with what is imported, and keeps each part from the worlds that are not
//! its own.

#[cfg(not(target_os = "linux"))]
compile_error!("sockeye is for Linux: it is built on epoll, sendfile and openat2");

pub mod access_log;
pub mod by_hand;
pub mod channel;
#[cfg(feature = "cli")]
pub mod cli;
mod collect;
pub mod echo;
pub mod files;
pub mod guide;
pub mod handler;
mod listing;
pub mod message;
pub mod middleware;
pub mod router;
pub mod server;
mod sync;
mod text;
mod tree;
pub mod wire;

pub use channel::{Broadcast, Event, EventSender, Events, Sender, TrySendError};
pub use echo::Echo;
pub use files::{FilesConfig, StaticFiles};
pub use handler::Handler;
#[cfg(feature = "json")]
pub use message::JsonError;
pub use message::{
    Body, BodySource, Headers, IntoResponse, Method, Request, Response, StatusCode, Stream, Upload,
    Version, Wake,
};
pub use middleware::{Next, Wrap};
pub use router::Router;
pub use server::{BindError, Config, Server, Stopper, Summary};
