//! ETag and Last-Modified, by which a client learns whether its copy is still good (RFC 9110 §8.8).
//!
//! A validator never vouches for bytes it does not know:
//!
//! - The tag is a digest of the bytes, so replicas agree and every edit changes it, even one that keeps size and dates.
//!   Beyond [`DIGESTED_MAX`] it is made of the inode, size and both times of the file, which no edit leaves alone.
//! - A digest is remembered only together with a change time that is older than the clock's granularity: only then
//!   must every later edit show in the change time. Until then a file is read anew, or has no tag.
//! - A date alone proves little, since anyone can set it back. It is believed only where the kernel's change time
//!   shows that nothing happened since that second began, or since before this server first gave out a date; or where
//!   the last change lies in that very second, for no date is given out before its second is over.
//!
//! Out of reach: a program that writes through a memory map (the kernel notes the change later), one whose single
//! write in place takes longer than [`TICK`], a file server whose clock disagrees with ours, and a date that an
//! earlier process gave out before an edit that set the date back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use xxhash_rust::xxh3::xxh3_128;

use crate::message::Fingerprint;

/// Up to here the tag is a digest: a few milliseconds of work for each state of a file.
pub(super) const DIGESTED_MAX: u64 = 16 * 1024 * 1024;

/// The kernel's coarse clock, which stamps files, ticks every 1 to 10 ms.
const TICK: Duration = Duration::from_millis(20);
/// FAT counts in two seconds, ext3 and HFS+ in one.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// HTTP dates end with the year 9999, and `httpdate` panics beyond.
const DATES_END: i64 = 253_402_300_800;

/// Seconds and nanoseconds since 1970.
pub(super) type Timestamp = (i64, u32);

/// The wall clock, in the file system's terms.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (since.as_secs() as i64, since.subsec_nanos())
}

/// Whether an edit made from `now` on must show in the change time of a file that has this one.
pub(super) fn is_settled(changed: Timestamp, now: Timestamp) -> bool {
    // A file system that keeps whole seconds has no nanoseconds to show.
    let tick = if changed.1 == 0 { COARSE_TICK } else { TICK };
    nanos(now) - nanos(changed) >= tick.as_nanos() as i128
}

/// Whether no edit made from `now` on can still be dated into the second of `modified`.
fn is_second_over(modified: Timestamp, now: Timestamp) -> bool {
    let next_second = (modified.0.saturating_add(1), u32::from(modified.1 != 0));
    is_settled(next_second, now)
}

fn nanos((seconds, nanos): Timestamp) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
}

/// The tag of these very bytes, by their 128-bit digest.
pub(super) fn tag_of(digest: u128) -> String {
    let digit = |four_bits: u8| b"0123456789abcdef"[usize::from(four_bits)];
    let mut tag = [b'"'; 34];
    for (pair, byte) in tag[1..33].chunks_exact_mut(2).zip(digest.to_be_bytes()) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    str::from_utf8(&tag).expect("it is ASCII").to_owned()
}

/// The tag of a file too large to be read for it. Hashed, so that inodes are not disclosed.
pub(super) fn tag_of_state(fingerprint: &Fingerprint) -> String {
    let Fingerprint {
        device: _,
        inode,
        size,
        modified,
        changed,
        attributes: _,
    } = fingerprint;
    tag_of(xxh3_128(
        format!("{inode} {size} {modified:?} {changed:?}").as_bytes(),
    ))
}

/// What is known of one state of a file.
#[derive(Debug, Clone)]
pub(super) struct Validators {
    /// The strong tag, quotes included.
    pub(super) tag: Option<String>,
    /// Seconds of the modification time, if it is one that can be sent.
    pub(super) modified: Option<i64>,
    modified_at: Timestamp,
    changed: Timestamp,
    /// Whether it has not changed since before the first date was given out.
    is_older_than_us: bool,
    /// Whether other representations may bear the same date.
    pub(super) is_date_shared: bool,
}

impl Validators {
    /// `started` is when the first date may have been given out.
    pub(super) fn new(
        tag: Option<String>,
        fingerprint: &Fingerprint,
        started: Timestamp,
    ) -> Validators {
        let modified = fingerprint.modified.0;
        Validators {
            tag,
            // Nix and reproducible images write 0 or 1 for "no date".
            modified: (2..DATES_END).contains(&modified).then_some(modified),
            modified_at: fingerprint.modified,
            changed: fingerprint.changed,
            is_older_than_us: is_settled(fingerprint.changed, started),
            is_date_shared: false,
        }
    }

    /// Of other bytes that this state of the file is sent as.
    pub(super) fn with_tag(&self, tag: String) -> Validators {
        Validators {
            tag: Some(tag),
            ..self.clone()
        }
    }

    /// Of bytes that were read, of a file whose dates tell nothing.
    pub(super) fn only(tag: String) -> Validators {
        Validators {
            tag: Some(tag),
            ..Validators::none()
        }
    }

    /// Of bytes that may change unnoticed: nothing vouches for them.
    pub(super) fn none() -> Validators {
        Validators {
            tag: None,
            modified: None,
            modified_at: (0, 0),
            changed: (i64::MAX, 0),
            is_older_than_us: false,
            is_date_shared: false,
        }
    }

    /// Whether a copy of this date is a copy of this state.
    pub(super) fn is_unmodified_since(&self, date: i64) -> bool {
        self.modified.is_some_and(|modified| {
            let is_that_second = modified == date && self.changed.0 == date;
            let is_older = is_settled(self.changed, (date, 0)) || self.is_older_than_us;
            modified <= date && (is_older || is_that_second)
        })
    }

    /// The value of `Last-Modified`, in seconds: never later than `now`, and none while the second of the modification
    /// lasts, since another state may yet bear the same date.
    pub(super) fn last_modified(&self, now: Timestamp) -> Option<i64> {
        let modified = self.modified.filter(|&seconds| seconds >= 0)?;
        if self.is_from_the_future(now) {
            return Some(now.0);
        }
        is_second_over(self.modified_at, now).then_some(modified)
    }

    /// Whether `Last-Modified` depends on the time of the answer.
    pub(super) fn is_undecided(&self, now: Timestamp) -> bool {
        self.modified.is_some() && !is_second_over(self.modified_at, now)
    }

    fn is_from_the_future(&self, now: Timestamp) -> bool {
        self.modified.is_some_and(|modified| modified > now.0)
    }
}

/// The seconds of an HTTP date in any of its three formats (RFC 9110 §5.6.7).
pub(super) fn parse_date(value: &[u8]) -> Option<i64> {
    let date = httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()?;
    let since = date.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs() as i64)
}

/// Seconds since 1970 as an HTTP date, if HTTP has one for them.
pub(super) fn http_date(seconds: i64) -> Option<String> {
    let seconds = u64::try_from(seconds)
        .ok()
        .filter(|_| seconds < DATES_END)?;
    Some(httpdate::fmt_http_date(
        UNIX_EPOCH + Duration::from_secs(seconds),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::Attributes;

    #[test]
    fn a_date_without_meaning_is_not_sent() {
        let now = (1_700_000_000, 0);
        for (modified, told) in [
            (i64::MIN, None),
            (-1, None),
            (0, None),
            (1, None),
            (2, Some(2)),
            (1_699_999_996, Some(1_699_999_996)),
            (1_699_999_999, None),
            (1_700_000_000, None),
            (1_700_000_001, Some(1_700_000_000)),
            (DATES_END - 1, Some(1_700_000_000)),
            (DATES_END, None),
            (i64::MAX, None),
        ] {
            let validators = Validators::new(None, &state(modified), now);
            assert_eq!(validators.last_modified(now), told, "{modified}");
        }
    }

    #[test]
    fn a_file_settles_when_its_clock_has_ticked() {
        let second = 1_000_000_000;
        for (changed, now, settled) in [
            ((second, 1), (second, 19_999_999), false),
            ((second, 1), (second, 20_000_001), true),
            ((second, 999_999_999), (second + 1, 0), false),
            ((second, 0), (second + 1, 999_999_999), false),
            ((second, 0), (second + 2, 0), true),
            ((second + 9, 1), (second, 0), false),
            ((i64::MAX, 1), (second, 0), false),
            ((i64::MIN, 1), (second, 0), true),
        ] {
            assert_eq!(is_settled(changed, now), settled, "{changed:?} {now:?}");
        }
    }

    #[test]
    fn a_date_is_sent_when_its_second_is_over() {
        let second = 1_700_000_000;
        for (modified, now, is_told) in [
            ((second, 5), (second, 6), false),
            ((second, 5), (second, 999_999_999), false),
            ((second, 5), (second + 1, 19_000_000), false),
            ((second, 5), (second + 1, 21_000_000), true),
            ((second, 999_999_999), (second + 1, 21_000_000), true),
            ((second, 0), (second + 2, 0), false),
            ((second, 0), (second + 3, 0), true),
        ] {
            let fingerprint = Fingerprint {
                modified,
                ..state(0)
            };
            let validators = Validators::new(None, &fingerprint, now);
            assert_eq!(
                validators.last_modified(now).is_some(),
                is_told,
                "{modified:?} {now:?}"
            );
            assert_eq!(
                validators.is_undecided(now),
                !is_told,
                "{modified:?} {now:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_date_comes_back(seconds in 0..DATES_END) {
            let date = http_date(seconds).unwrap();
            prop_assert_eq!(parse_date(date.as_bytes()), Some(seconds));
        }

        #[test]
        fn no_time_panics(seconds: i64, nanos: u32) {
            let _ = http_date(seconds);
            is_settled((seconds, nanos), now());
            is_second_over((seconds, nanos), now());
        }
    }

    fn state(modified: i64) -> Fingerprint {
        Fingerprint {
            device: 1,
            inode: 2,
            size: 3,
            modified: (modified, 0),
            changed: (0, 0),
            attributes: Attributes::default(),
        }
    }
}
