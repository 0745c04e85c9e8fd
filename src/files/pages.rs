//! Listings on their way to clients, whose memory together is bounded, while they are made and afterwards.
//!
//! A listing of ten thousand names is more than a megabyte, and a client may take it as slowly as it likes: without a
//! bound a crowd of such clients would be given all the memory there is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytes::Bytes;

use super::root::Failure;

/// What all listings that have not been taken may hold together; room for twenty of the largest.
pub(super) const PAGES_BYTES_MAX: usize = 32 * 1024 * 1024;

// How many are made at the same time: one takes a few megabytes until it is text.
const MAKERS_MAX: usize = 4;

/// The listings that are made or on their way.
#[derive(Debug, Default)]
pub(super) struct Pages {
    held: Arc<AtomicUsize>,
    makers: Mutex<usize>,
    maker_left: Condvar,
}

/// The right to make a listing.
#[derive(Debug)]
pub(super) struct Making<'a>(&'a Pages);

struct Page {
    text: String,
    held: Arc<AtomicUsize>,
}

impl Pages {
    /// Waits until few enough others make a listing.
    pub(super) fn make(&self) -> Making<'_> {
        let makers = self.makers.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |makers: &mut usize| *makers == MAKERS_MAX;
        let mut makers = self
            .maker_left
            .wait_while(makers, is_full)
            .unwrap_or_else(PoisonError::into_inner);
        *makers += 1;
        Making(self)
    }

    /// The bytes of a page, counted until nobody holds them any more.
    pub(super) fn hold(&self, text: String) -> Result<Bytes, Failure> {
        let held = self.held.fetch_add(text.capacity(), Ordering::Relaxed) + text.capacity();
        let page = Page {
            text,
            held: Arc::clone(&self.held),
        };
        if held > PAGES_BYTES_MAX {
            return Err(Failure::Busy);
        }
        Ok(Bytes::from_owner(page))
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        *self.0.makers.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.maker_left.notify_one();
    }
}

impl AsRef<[u8]> for Page {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.held.fetch_sub(self.text.capacity(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listings_hold_is_bounded_and_given_back() {
        let pages = Pages::default();
        let page = || "x".repeat(PAGES_BYTES_MAX / 4);
        let held: Vec<_> = (0..4).map(|_| pages.hold(page()).unwrap()).collect();
        assert!(matches!(pages.hold(page()), Err(Failure::Busy)));
        drop(held);
        assert_eq!(pages.hold(page()).unwrap().len(), PAGES_BYTES_MAX / 4);
    }
}
