#![no_main]

use std::sync::LazyLock;

#[path = "../bodies/mod.rs"]
#[allow(dead_code)]
mod bodies;

static GROUNDS: LazyLock<bodies::Grounds> = LazyLock::new(bodies::Grounds::new);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::safe_path(&GROUNDS, bytes));
