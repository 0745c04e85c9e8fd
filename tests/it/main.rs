//! What sockeye promises, as tests: one binary, one module for each room of the house.

mod echo;
mod router;
mod server;
mod stalls;
mod support;
