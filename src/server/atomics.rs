//! The atomics of the parts that are checked as models: `tests/models` compiles them with those of a model checker instead.

pub(super) use std::sync::atomic::{AtomicU64, Ordering, fence};
