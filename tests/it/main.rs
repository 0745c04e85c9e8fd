//! Everything that is tested from outside, in one binary: a module for each room of the house.

mod cli;
mod conformance;
mod echo;
mod files;
mod patience;
mod router;
mod server;
mod stalls;
mod support;
mod tidy;
