//! Wall-clock time as the formats write it, in UTC (pure).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::text::{Utc, decimal};

/// `21/Nov/2026:10:21:58 +0000`, Apache's `%t` without its brackets.
pub(super) fn common(line: &mut String, time: SystemTime) {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let (time, _) = utc(time);
    let time = time.as_str();
    let (year, month, day, clock) = (&time[..4], &time[5..7], &time[8..10], &time[11..]);
    let at = month.parse().map_or(0, |month: usize| 3 * (month - 1));
    let month = &MONTHS[at..at + 3];
    for text in [day, "/", month, "/", year, ":", clock, " +0000"] {
        line.push_str(text);
    }
}

/// `2026-11-21T10:21:58.123456Z` (RFC 3339).
pub(super) fn rfc3339(line: &mut String, time: SystemTime) {
    let (time, micros) = utc(time);
    line.push_str(time.as_str());
    line.push('.');
    // Seven digits, of which the first is cut off.
    line.push_str(&decimal(1_000_000 + u64::from(micros)).as_str()[1..]);
    line.push('Z');
}

/// The second and the microseconds after it. A clock that is far off must not end a request: what has no four digits of a
/// year is the nearest that has.
fn utc(time: SystemTime) -> (Utc, u32) {
    const LAST: u64 = 253_402_300_799;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let second = Utc::new(since.as_secs().min(LAST) as i64);
    (
        second.expect("it is between 1970 and 9999"),
        since.subsec_micros(),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_from_1970_to_9999() {
        let at = |seconds, nanos| UNIX_EPOCH + Duration::new(seconds, nanos);
        for (time, in_common, in_rfc3339) in [
            (
                at(0, 0),
                "01/Jan/1970:00:00:00 +0000",
                "1970-01-01T00:00:00.000000Z",
            ),
            (
                at(951_827_696, 7_000),
                "29/Feb/2000:12:34:56 +0000",
                "2000-02-29T12:34:56.000007Z",
            ),
            (
                at(253_402_300_799, 0),
                "31/Dec/9999:23:59:59 +0000",
                "9999-12-31T23:59:59.000000Z",
            ),
            (
                at(300_000_000_000, 0),
                "31/Dec/9999:23:59:59 +0000",
                "9999-12-31T23:59:59.000000Z",
            ),
            (
                UNIX_EPOCH - Duration::from_secs(1),
                "01/Jan/1970:00:00:00 +0000",
                "1970-01-01T00:00:00.000000Z",
            ),
        ] {
            let mut line = String::new();
            common(&mut line, time);
            assert_eq!(line, in_common);
            line.clear();
            rfc3339(&mut line, time);
            assert_eq!(line, in_rfc3339);
        }
    }
}
