//! The digests of large files, by what the file is and not by the URL that leads to it.
//!
//! A digest costs milliseconds, and a file has any number of spellings: `/a`, `//a`, `/b/../a`, links. So a digest is
//! remembered under the file's fingerprint and made once, however many requests wait for it.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};

use crate::message::Fingerprint;
use crate::sync::unpoisoned;

/// How many are remembered; the oldest gives way.
const DIGESTS_MAX: usize = 4096;

/// What all of them take at most: two fingerprints, a slot and the table's spare room for each.
pub(super) const DIGESTS_BYTES_MAX: usize = DIGESTS_MAX * 384;

#[derive(Debug, Default)]
pub(super) struct Digests {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    slots: HashMap<Fingerprint, Slot>,
    /// The keys of `slots`, the oldest first.
    order: VecDeque<Fingerprint>,
}

/// Locked while its digest is made, so that others who ask for the same one wait for it.
type Slot = Arc<Mutex<Option<u128>>>;

impl Digests {
    /// The digest of the file with this fingerprint, from `make` unless it is known. What `make` does not know is
    /// not remembered, and every thread that waited for it tries for itself.
    pub(super) fn of(
        &self,
        fingerprint: &Fingerprint,
        make: impl FnOnce() -> io::Result<Option<u128>>,
    ) -> io::Result<Option<u128>> {
        let slot = self.slot(fingerprint);
        let mut digest = unpoisoned(slot.lock());
        if digest.is_none() {
            *digest = make()?;
        }
        Ok(*digest)
    }

    fn slot(&self, fingerprint: &Fingerprint) -> Slot {
        let mut known = unpoisoned(self.known.lock());
        if let Some(slot) = known.slots.get(fingerprint) {
            return Arc::clone(slot);
        }
        if known.order.len() == DIGESTS_MAX
            && let Some(oldest) = known.order.pop_front()
        {
            known.slots.remove(&oldest);
        }
        known.order.push_back(*fingerprint);
        Arc::clone(known.slots.entry(*fingerprint).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Attributes;

    fn file(inode: u64) -> Fingerprint {
        Fingerprint {
            device: 1,
            inode,
            size: 2,
            modified: (3, 4),
            changed: (5, 6),
            attributes: Attributes::default(),
        }
    }

    #[test]
    fn as_many_are_remembered_as_there_is_room_for() {
        let digests = Digests::default();
        for inode in 0..DIGESTS_MAX as u64 + 10 {
            let digest = digests.of(&file(inode), || Ok(Some(inode.into())));
            assert_eq!(digest.unwrap(), Some(inode.into()));
        }
        let forgotten = digests.of(&file(0), || Ok(None)).unwrap();
        let kept = digests.of(&file(100), || Ok(None)).unwrap();
        assert_eq!((forgotten, kept), (None, Some(100)));
        assert_eq!(unpoisoned(digests.known.lock()).slots.len(), DIGESTS_MAX);
    }

    #[test]
    fn what_fails_is_tried_again() {
        let digests = Digests::default();
        assert!(
            digests
                .of(&file(1), || Err(io::ErrorKind::Other.into()))
                .is_err()
        );
        assert_eq!(digests.of(&file(1), || Ok(None)).unwrap(), None);
        assert_eq!(digests.of(&file(1), || Ok(Some(7))).unwrap(), Some(7));
        assert_eq!(
            digests.of(&file(1), || panic!("it is known")).unwrap(),
            Some(7)
        );
    }
}
