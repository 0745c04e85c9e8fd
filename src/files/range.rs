//! Which bytes were asked for (RFC 9110 §14).
//!
//! Pure. A range can only make an answer smaller: ranges that overlap or touch are joined, and those that together
//! ask for more than the whole get the whole.

use std::ops::Range;

/// Apache allows 200; honest clients send a few. The quadratic joining below stays trivial.
const RANGES_MAX: usize = 16;

/// What to send of a representation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// All of it: no range was asked for.
    Whole,
    /// All of it, though a range was asked for: why.
    Ignored(&'static str),
    /// Some of it: one part or several, apart from each other, none of them empty.
    Parts(Vec<Range<u64>>),
    /// Nothing that was asked for is there.
    Unsatisfiable,
}

/// Reads the value of a `Range` field for a representation of `length` bytes.
pub(super) fn select(value: &[u8], length: u64) -> Selection {
    let Some(asked) = parse(value, length) else {
        return Selection::Ignored("Range is malformed, not in bytes, or asks for too many parts");
    };
    let total = asked
        .iter()
        .try_fold(0u64, |sum, range| sum.checked_add(range.end - range.start));
    match asked.len() {
        0 => Selection::Unsatisfiable,
        1 => Selection::Parts(asked),
        _ if total.is_none_or(|total| total > length) => {
            Selection::Ignored("the ranges together are more than the file")
        }
        _ => Selection::Parts(join(asked)),
    }
}

/// The satisfiable ranges in the order asked for, cut at the end, or `None` if the field is to be ignored.
fn parse(value: &[u8], length: u64) -> Option<Vec<Range<u64>>> {
    let (unit, list) = value.split_at_checked(b"bytes=".len())?;
    if !unit.eq_ignore_ascii_case(b"bytes=") {
        return None;
    }
    let specs = list
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|spec| !spec.is_empty());
    let mut count = 0;
    let mut ranges = Vec::new();
    for spec in specs {
        count += 1;
        if count > RANGES_MAX {
            return None;
        }
        let range = resolve(spec, length)?;
        if !range.is_empty() {
            ranges.push(range);
        }
    }
    (count > 0).then_some(ranges)
}

/// One `first-last`, `first-` or `-count`; empty if it asks for nothing that is there, `None` if it is malformed.
fn resolve(spec: &[u8], length: u64) -> Option<Range<u64>> {
    let dash = memchr::memchr(b'-', spec)?;
    match (&spec[..dash], &spec[dash + 1..]) {
        (b"", count) => Some(length.saturating_sub(number(count)?)..length),
        (first, b"") => Some(number(first)?.min(length)..length),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            Some(first.min(length)..last.saturating_add(1).min(length))
        }
    }
}

/// `1*DIGIT`; what no `u64` can hold is as good as the largest.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0u64, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    }))
}

/// Joins what overlaps or touches; the rest keeps the client's order (RFC 9110 §15.3.7.2).
fn join(asked: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut parts: Vec<Range<u64>> = Vec::new();
    for mut range in asked {
        let mut place = parts.len();
        while let Some(at) = parts
            .iter()
            .position(|part| part.start <= range.end && range.start <= part.end)
        {
            let part = parts.remove(at);
            range = part.start.min(range.start)..part.end.max(range.end);
            place = place.min(at);
        }
        parts.insert(place.min(parts.len()), range);
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(list: &[(u64, u64)]) -> Selection {
        Selection::Parts(list.iter().map(|&(start, end)| start..end).collect())
    }

    #[test]
    fn ranges_of_ten_bytes() {
        let unsatisfiable = || Selection::Unsatisfiable;
        let more = || Selection::Ignored("the ranges together are more than the file");
        for (value, selection) in [
            ("bytes=0-0", parts(&[(0, 1)])),
            ("bytes=0-", parts(&[(0, 10)])),
            ("bytes=2-5", parts(&[(2, 6)])),
            ("bytes=9-9", parts(&[(9, 10)])),
            ("bytes=8-99", parts(&[(8, 10)])),
            ("bytes=-3", parts(&[(7, 10)])),
            ("bytes=-99", parts(&[(0, 10)])),
            ("BYTES=1-1", parts(&[(1, 2)])),
            ("bytes=0-99999999999999999999999", parts(&[(0, 10)])),
            ("bytes=1-18446744073709551615", parts(&[(1, 10)])),
            ("bytes=-99999999999999999999999", parts(&[(0, 10)])),
            ("bytes=10-", unsatisfiable()),
            ("bytes=10-11", unsatisfiable()),
            ("bytes=-0", unsatisfiable()),
            ("bytes=99999999999999999999999-", unsatisfiable()),
            ("bytes=10-,20-30", unsatisfiable()),
            ("bytes=0-1,4-5", parts(&[(0, 2), (4, 6)])),
            ("bytes=8-9, 0-1", parts(&[(8, 10), (0, 2)])),
            ("bytes=,0-1 ,\t4-5,,", parts(&[(0, 2), (4, 6)])),
            ("bytes=0-1,2-3", parts(&[(0, 4)])),
            ("bytes=0-3,2-5", parts(&[(0, 6)])),
            ("bytes=0-0,4-4,1-3", parts(&[(0, 5)])),
            ("bytes=0-1,20-,-2", parts(&[(0, 2), (8, 10)])),
            ("bytes=0-,0-", more()),
            ("bytes=0-8,0-1", more()),
        ] {
            assert_eq!(select(value.as_bytes(), 10), selection, "{value}");
        }
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=a-b",
            "bytes=-",
            "bytes=1",
            "bytes=5-2",
            "bytes=+1-2",
            "bytes=1-+2",
            "bytes=0x1-2",
            "bytes=1 - 2",
            "bytes =0-1",
            "bytes: 0-1",
            "items=0-1",
            "bytes=0-1-2",
            "bytes=--1",
            "bytes=0-1;4-5",
            "bytes=0-1,x",
            "bytes=\u{661}-2",
        ] {
            let selection = select(value.as_bytes(), 10);
            assert!(matches!(selection, Selection::Ignored(_)), "{value}");
        }
    }

    #[test]
    fn an_empty_file_has_no_ranges() {
        for value in ["bytes=0-", "bytes=0-0", "bytes=-5"] {
            assert_eq!(
                select(value.as_bytes(), 0),
                Selection::Unsatisfiable,
                "{value}"
            );
        }
    }

    #[test]
    fn sixteen_ranges_are_served_and_a_seventeenth_gets_the_whole() {
        let list = |count: usize| {
            let specs: Vec<_> = (0..count).map(|n| format!("{0}-{0}", n * 2)).collect();
            format!("bytes={}", specs.join(","))
        };
        assert!(
            matches!(select(list(16).as_bytes(), 100), Selection::Parts(parts) if parts.len() == 16)
        );
        assert!(matches!(
            select(list(17).as_bytes(), 100),
            Selection::Ignored(_)
        ));
    }

    proptest! {
        #[test]
        fn parts_are_there_apart_and_no_more_than_the_whole(
            specs in proptest::collection::vec("[0-9]{0,3}-[0-9]{0,3}|[0-9]{20}-|-[0-9]{21}", 1..20),
            length in 0u64..1000,
        ) {
            if let Selection::Parts(parts) = select(format!("bytes={}", specs.join(",")).as_bytes(), length) {
                prop_assert!(parts.iter().all(|part| part.start < part.end && part.end <= length));
                prop_assert!(parts.iter().map(|part| part.end - part.start).sum::<u64>() <= length);
                for (n, a) in parts.iter().enumerate() {
                    prop_assert!(parts[n + 1..].iter().all(|b| a.end < b.start || b.end < a.start));
                }
            }
        }

        #[test]
        fn no_value_panics(value in proptest::collection::vec(any::<u8>(), 0..40), length: u64) {
            select(&value, length);
            select(&[b"bytes=", &value[..]].concat(), length);
        }
    }
}
