//! Everything that is tested from outside, in one binary: a module for each room of the house.

mod cli;
mod conformance;
mod echo;
mod examples;
mod fair;
mod files;
mod flags;
mod fuzz;
mod message;
mod middleware;
mod moving_files;
mod patience;
mod process;
mod program;
mod public_api;
mod router;
mod server;
mod soak;
mod stalls;
mod support;
mod tidy;
mod transcripts;
mod wakes;
mod wire;
