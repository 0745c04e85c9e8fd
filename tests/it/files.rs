//! A directory as a handler: answers as plain values, and over sockets where it matters who else asks.

#[cfg(feature = "compress")]
mod compress;
#[cfg(feature = "compress")]
mod compress_once;
mod conditional;
mod containment;
mod crowd;
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
