//! What belongs to a handler may panic, and harms its own answer only.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does `work`; `None` if it has panicked. The log has the panic's message from its hook, and `consequence` with it.
pub(super) fn survive<T>(consequence: &str, work: impl FnOnce() -> T) -> Option<T> {
    // What was left half done is dropped with its connection, or is a handler's own to guard.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(payload) => {
            // Dropped, because a client may cause as many as it likes; that may panic once more, and what is thrown
            // then is left alone.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                mem::forget(second);
            }
            tracing::error!(target: "sockeye", "after a panic {consequence}");
            None
        }
    }
}
