//! Everything that is tested from outside, in one binary: a module for each room of the house. What needs the command
//! needs the feature `cli`.

#[cfg(feature = "cli")]
mod access_log;
mod by_hand;
mod channel;
#[cfg(feature = "cli")]
mod cli;
mod conformance;
mod doc_examples;
mod echo;
mod examples;
#[cfg(feature = "cli")]
mod fair;
mod files;
#[cfg(feature = "cli")]
mod flags;
mod fuzz;
mod message;
mod middleware;
mod moving_files;
mod pages;
mod patience;
#[cfg(feature = "cli")]
mod process;
mod processors;
#[cfg(feature = "cli")]
mod program;
mod public_api;
mod readers;
mod router;
mod server;
#[cfg(feature = "cli")]
mod soak;
mod stalls;
mod support;
#[cfg(feature = "cli")]
mod threads;
mod tidy;
mod transcripts;
mod uploads;
mod wakes;
mod wire;
