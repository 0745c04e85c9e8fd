//! How many requests were answered, and with how much.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Record;
use crate::text::size;

/// Counts answers and the bytes of their bodies that the kernel took. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    counts: Arc<[AtomicU64; 2]>,
}

impl Totals {
    pub(super) fn count(&self, record: &Record<'_>) {
        if record.status.is_some() {
            let [answers, bytes] = &*self.counts;
            answers.fetch_add(1, Ordering::Relaxed);
            bytes.fetch_add(record.sent_bytes, Ordering::Relaxed);
        }
    }
}

/// `3 answers, 1.2 kB`.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [answers, bytes] = self
            .counts
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed));
        let size = size(bytes);
        let size = size.as_str();
        match answers {
            1 => write!(f, "1 answer, {size}"),
            _ => write!(f, "{answers} answers, {size}"),
        }
    }
}
