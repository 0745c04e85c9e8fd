//! A path, and perhaps a range, asked of served files.

#![no_main]

use std::sync::LazyLock;

#[path = "../bodies/mod.rs"]
// Each target has a use for some of it.
#[allow(dead_code, unused_imports)]
mod bodies;

static GROUNDS: LazyLock<bodies::Grounds> = LazyLock::new(bodies::Grounds::new);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::safe_path(&GROUNDS, bytes));
