//! Everything that is tested from outside, in one binary: a module for each room of the house.

mod cli;
mod conformance;
mod echo;
mod files;
mod fuzz;
mod patience;
mod router;
mod server;
mod stalls;
mod support;
mod tidy;
mod transcripts;
mod wire;
