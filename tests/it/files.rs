//! A directory as a handler: answers as plain values, no socket.

mod conditional;
mod containment;
mod digests;
mod fresh;
mod kinds;
mod listing;
mod paths;
mod properties;
mod ranges;
mod siblings;
mod single;
mod site;
