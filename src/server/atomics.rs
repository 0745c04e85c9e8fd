//! The atomics and locks of the parts that are checked as models: `tests/models` compiles them with those of a model checker
//! instead.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
pub(super) use std::sync::{Condvar, Mutex, MutexGuard};
