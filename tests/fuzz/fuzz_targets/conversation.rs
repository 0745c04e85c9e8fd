//! One client's bytes, heard whole and in pieces.

#![no_main]

#[path = "../bodies/mod.rs"]
// Each target has a use for some of it.
#[allow(dead_code, unused_imports)]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::conversation(bytes));
