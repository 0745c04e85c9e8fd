//! HTTP/1.1 as bytes: pure functions and one state machine.
//!
//! Nothing here knows what a socket, a file or a handler is. Bytes go into a [`Conversation`], its [`Turn`] is what
//! must happen next, and bytes come out; so everything about the protocol can be tested as a dialog of plain values.

mod body_reader;
mod chunked;
mod conversation;
mod framing;
mod head;
mod persistence;
mod refusal;
mod response;
mod turn;

pub use chunked::{write_chunk, write_last_chunk};
pub use conversation::{Conversation, Kept};
pub use persistence::Persistence;
pub use refusal::Refusal;
pub use turn::{Limits, Payload, Sent, Turn};
