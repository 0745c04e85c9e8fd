//! The names of a directory in the order in which they are listed, in little memory: they lie behind each other, and
//! what is compared first of each lies beside its place.
//!
//! Clients may take a listing as slowly as they like, and its names are kept until then. What all of them keep is
//! bounded; a listing that finds no room left, or is too long by itself, is given in the directory's own order, which
//! takes no memory at all.

use std::cmp::Ordering;
use std::ffi::CStr;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering as Memory};

use super::directory::{Directory, Kind};
use super::query::{Column, Query};
use crate::tree::{Failure, is_directory};

/// What the names of all listings on their way may take together, in bytes.
pub(crate) const BYTES_MAX: usize = 32 * 1024 * 1024;

// What one of them may take: about 150,000 names.
const LISTING_BYTES_MAX: usize = 8 * 1024 * 1024;

// What is read of a directory in one step, about 250 names: others wait for as long.
const READ_BYTES: usize = 8 * 1024;

/// What listings may take of the machine together.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// The memory for names that is taken, in bytes.
    bytes: AtomicUsize,
}

/// A share of a budget, given back when it is dropped.
#[derive(Debug)]
struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

/// Names in order; each is given once.
#[derive(Debug)]
pub(super) struct Names {
    /// All names, each with a NUL at its end.
    text: Vec<u8>,
    places: Vec<Place>,
    next: usize,
    /// How often the directory was read for them.
    reads: usize,
    share: Share,
}

/// How far a listing is with its names.
#[derive(Debug)]
pub(super) enum Stage {
    /// Not all of them are read.
    Reading(Names),
    /// All of them are, and are in order.
    Sorted(Names),
    /// There is no room for them: they are given as the directory has them.
    Unsorted,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    /// What is compared first; where two are equal the names are looked at.
    key: u128,
    start: u32,
    is_directory: bool,
}

impl Names {
    /// None yet.
    pub(super) fn new(budget: &Arc<Budget>) -> Names {
        Names {
            text: Vec::new(),
            places: Vec::new(),
            next: 0,
            reads: 0,
            share: Share {
                budget: Arc::clone(budget),
                bytes: 0,
            },
        }
    }

    /// Reads on, once; sorts them at the directory's end.
    pub(super) fn read_on(
        mut self,
        directory: &Directory,
        query: &Query,
    ) -> Result<Stage, Failure> {
        let mut buffer = Vec::with_capacity(READ_BYTES);
        let has_more = directory.read(buffer.spare_capacity_mut(), |name, kind| {
            if query.selects(name.to_bytes())
                && let Some((key, is_directory)) = place(directory, query.column, name, kind)?
            {
                let start = self.text.len() as u32;
                self.text.extend_from_slice(name.to_bytes_with_nul());
                self.places.push(Place {
                    key,
                    start,
                    is_directory,
                });
            }
            Ok(())
        })?;
        if !has_more {
            let mut places = mem::take(&mut self.places);
            places.sort_unstable_by(|a, b| self.order(a, b, query.descending));
            self.places = places;
            return Ok(Stage::Sorted(self));
        }
        // One more read may double both; and what a filter leaves out has been read too.
        self.reads += 1;
        let bytes = self.text.capacity() + self.places.capacity() * size_of::<Place>();
        if self.share.grow(bytes.max(self.reads * READ_BYTES)) {
            return Ok(Stage::Reading(self));
        }
        directory.rewind()?;
        Ok(Stage::Unsorted)
    }

    /// The next name, and whether it was a directory's.
    pub(super) fn next(&mut self) -> Option<(&CStr, bool)> {
        let place = *self.places.get(self.next)?;
        self.next += 1;
        Some((self.name(&place), place.is_directory))
    }

    fn name(&self, place: &Place) -> &CStr {
        let text = &self.text[place.start as usize..];
        CStr::from_bytes_until_nul(text).expect("every name has a NUL at its end")
    }

    /// Directories first; then by key, and by name as people count: letter case aside, numbers by value.
    fn order(&self, a: &Place, b: &Place, descending: bool) -> Ordering {
        let by_name = || {
            let (a, b) = (self.name(a).to_bytes(), self.name(b).to_bytes());
            Tokens(a).cmp(Tokens(b)).then_with(|| a.cmp(b))
        };
        let order = a.key.cmp(&b.key).then_with(by_name);
        let order = if descending { order.reverse() } else { order };
        b.is_directory.cmp(&a.is_directory).then(order)
    }
}

/// What an entry is sorted by, and whether it is a directory; `None` if it cannot be asked for.
fn place(
    directory: &Directory,
    column: Column,
    name: &CStr,
    kind: Kind,
) -> Result<Option<(u128, bool)>, Failure> {
    let key = name_key(name.to_bytes());
    Ok(match (column, kind) {
        (Column::Name, Kind::File) => Some((key, false)),
        (Column::Name, Kind::Directory) => Some((key, true)),
        _ => directory.look(name)?.map(|stat| {
            let is_directory = is_directory(&stat);
            let key = match column {
                Column::Name => key,
                // A directory's own size does not depend on its content.
                Column::Size if is_directory => 0,
                Column::Size => stat.st_size as u128,
                // In the order of signed numbers.
                Column::Modified => {
                    let nanoseconds = i128::from(stat.st_mtime) * 1_000_000_000;
                    (nanoseconds + i128::from(stat.st_mtime_nsec)) as u128 ^ (1 << 127)
                }
            };
            (key, is_directory)
        }),
    })
}

/// The beginning of a name so that keys are in the order of [`Tokens`], as far as 16 bytes tell.
fn name_key(name: &[u8]) -> u128 {
    let mut key = [0; 16];
    let mut at = 0;
    let mut push = |byte| {
        if let Some(place) = key.get_mut(at) {
            *place = byte;
            at += 1;
        }
        at < 16
    };
    for token in Tokens(name) {
        let has_room = match token {
            Token::Letter(letter) => push(letter),
            // No name holds a NUL, so that numbers come before letters.
            Token::Number(length, digits) => {
                push(0) && push(length as u8) && digits.iter().all(|&digit| push(digit))
            }
        };
        if !has_room {
            break;
        }
    }
    u128::from_be_bytes(key)
}

/// A name cut into numbers and other bytes.
struct Tokens<'a>(&'a [u8]);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    /// Its digits without leading zeros: of two numbers, the one with more of them is larger.
    Number(usize, &'a [u8]),
    Letter(u8),
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let (&first, rest) = self.0.split_first()?;
        if !first.is_ascii_digit() {
            self.0 = rest;
            return Some(Token::Letter(first.to_ascii_lowercase()));
        }
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        let (token, rest) = self.0.split_at(self.0.iter().take_while(is_digit).count());
        self.0 = rest;
        let zeros = token.iter().take_while(|&&byte| byte == b'0').count();
        Some(Token::Number(token.len() - zeros, &token[zeros..]))
    }
}

#[cfg(test)]
impl Budget {
    /// As if others had taken all of it.
    pub(super) fn used_up() -> Budget {
        Budget {
            bytes: AtomicUsize::new(BYTES_MAX),
        }
    }
}

impl Share {
    /// Takes so much that the share has `bytes`; `false` if that is more than there is for one listing, or left.
    fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let taken = self.budget.bytes.fetch_add(more, Memory::Relaxed) + more;
        self.bytes += more;
        self.bytes <= LISTING_BYTES_MAX && taken <= BYTES_MAX
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.bytes.fetch_sub(self.bytes, Memory::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_tokens(a: &[u8], b: &[u8]) -> Ordering {
        Tokens(a).cmp(Tokens(b)).then_with(|| a.cmp(b))
    }

    #[test]
    fn letter_case_does_not_count_and_numbers_do() {
        let mut names = [
            "b10", "B9", "b09", "a", "b9x", "é", "_", "2", "10", "1a", "!",
        ];
        names.sort_by(|a, b| by_tokens(a.as_bytes(), b.as_bytes()));
        assert_eq!(
            names,
            [
                "1a", "2", "10", "!", "_", "a", "B9", "b09", "b9x", "b10", "é"
            ]
        );
    }

    #[test]
    fn what_names_take_is_bounded_and_given_back() {
        let budget = Arc::new(Budget::default());
        let share = || Share {
            budget: Arc::clone(&budget),
            bytes: 0,
        };
        assert!(!share().grow(LISTING_BYTES_MAX + 1));
        let mut shares: Vec<_> = (0..4).map(|_| share()).collect();
        assert!(shares.iter_mut().all(|share| share.grow(LISTING_BYTES_MAX)));
        assert!(!share().grow(1));
        shares.pop();
        assert!(share().grow(1));
    }

    proptest! {
        #[test]
        fn keys_never_contradict_the_names(a in "[aB0-1_]{0,24}", b in "[aB0-1_]{0,24}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let order = name_key(a).cmp(&name_key(b));
            prop_assert!(order == Ordering::Equal || order == Tokens(a).cmp(Tokens(b)));
        }
    }
}
