//! The body of a request, once it is collected: cheap to clone, and its memory serves the next request.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

/// Bytes that a request and its clones share. None at all cost nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collected {
    bytes: Option<Arc<Vec<u8>>>,
}

impl Collected {
    pub(crate) fn extend_from_slice(&mut self, bytes: &[u8]) {
        Arc::make_mut(self.bytes.get_or_insert_default()).extend_from_slice(bytes);
    }

    /// Makes room for `bytes` more, and no more than those: what grows by doubling leaves pieces of every size behind.
    pub(crate) fn reserve_exact(&mut self, bytes: usize) {
        Arc::make_mut(self.bytes.get_or_insert_default()).reserve_exact(bytes);
    }

    /// How many bytes of memory it has.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.capacity())
    }

    /// Forgets the bytes, and keeps the memory unless a clone still needs it.
    pub(crate) fn clear(&mut self) {
        match self.bytes.as_mut().map(Arc::get_mut) {
            Some(Some(bytes)) => bytes.clear(),
            Some(None) => self.bytes = None,
            None => {}
        }
    }
}

impl Deref for Collected {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl From<Vec<u8>> for Collected {
    fn from(bytes: Vec<u8>) -> Collected {
        Collected {
            bytes: (!bytes.is_empty()).then(|| Arc::new(bytes)),
        }
    }
}

impl From<Collected> for Bytes {
    fn from(collected: Collected) -> Bytes {
        collected
            .bytes
            .map_or_else(Bytes::new, |bytes| Arc::unwrap_or_clone(bytes).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_keeps_its_bytes_and_memory_that_is_not_shared_is_kept() {
        let mut body = Collected::default();
        body.extend_from_slice(b"one");
        let memory = body.as_ptr();
        body.clear();
        body.extend_from_slice(b"two");
        assert_eq!(body.as_ptr(), memory);
        let clone = body.clone();
        assert_eq!(clone.as_ptr(), memory);
        body.clear();
        body.extend_from_slice(b"three");
        assert_eq!((&*clone, &*body), (&b"two"[..], &b"three"[..]));
    }
}
