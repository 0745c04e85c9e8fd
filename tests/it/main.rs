//! Everything that is tested from outside, in one binary: a module for each room of the house.

mod access_log;
mod cli;
mod conformance;
mod echo;
mod fair;
mod files;
mod fuzz;
mod moving_files;
mod patience;
mod process;
mod program;
mod router;
mod server;
mod soak;
mod stalls;
mod support;
mod tidy;
mod transcripts;
mod wakes;
mod wire;
