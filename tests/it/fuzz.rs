//! Facts that hold for every input, tried on inputs made from what clients and attackers send.
//!
//! The facts are those of the fuzz targets in `tests/fuzz`; here a small mutator takes the fuzzer's place, the same
//! inputs every time. `SOCKEYE_FUZZ_INPUTS` says how many, `SOCKEYE_FUZZ_SEED` which.

#[path = "../fuzz/bodies/mod.rs"]
pub(super) mod bodies;
pub(super) mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bodies::{Grounds, Random};
use mutate::{CHUNKS, HEADS, PATHS, mutated};

const INPUTS: usize = 3_000;

#[test]
fn a_conversation_is_the_same_however_it_is_cut() {
    hold_for_mutations_of(HEADS, 1, bodies::conversation);
}

#[test]
fn decoding_chunks_undoes_encoding() {
    hold_for_mutations_of(CHUNKS, 2, bodies::chunked);
}

#[test]
fn no_path_leaves_the_root() {
    let grounds = Grounds::new();
    hold_for_mutations_of(PATHS, 3, |bytes| bodies::safe_path(&grounds, bytes));
}

fn hold_for_mutations_of(seeds: &[&[u8]], seed: u64, fact: impl Fn(&[u8])) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let inputs = number("SOCKEYE_FUZZ_INPUTS").unwrap_or(INPUTS as u64);
    let mut random = Random::new(seed + number("SOCKEYE_FUZZ_SEED").unwrap_or(0) * 1_000);
    let tried = |bytes: &[u8]| {
        if catch_unwind(AssertUnwindSafe(|| fact(bytes))).is_err() {
            panic!("it does not hold for b\"{}\"", bytes.escape_ascii());
        }
    };
    seeds.iter().for_each(|seed| tried(seed));
    for _ in 0..inputs {
        tried(&mutated(seeds, &mut random));
    }
}
