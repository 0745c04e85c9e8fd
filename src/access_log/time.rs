//! Wall-clock time as the formats write it, in UTC (pure).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::HttpDate;

use super::escape::put;

/// `21/Nov/2026:10:21:58 +0000`, Apache's `%t` without its brackets.
pub(super) fn common(line: &mut String, time: SystemTime) {
    let parts = Parts::of(time);
    for text in [parts.day(), "/", parts.month(), "/", parts.year(), ":"] {
        line.push_str(text);
    }
    line.push_str(parts.clock());
    line.push_str(" +0000");
}

/// `2026-11-21T10:21:58.123456Z` (RFC 3339).
pub(super) fn rfc3339(line: &mut String, time: SystemTime) {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let parts = Parts::of(time);
    let month = MONTHS.find(parts.month()).map_or(0, |at| at / 3 + 1);
    let (year, day, clock) = (parts.year(), parts.day(), parts.clock());
    let micros = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.subsec_micros());
    put(
        line,
        format_args!("{year}-{month:02}-{day}T{clock}.{micros:06}Z"),
    );
}

/// An HTTP-date, `Sat, 21 Nov 2026 10:21:58 GMT`, to be cut into its parts.
struct Parts(String);

impl Parts {
    /// A clock that is far off must not end a request: what HTTP cannot write is the nearest it can.
    fn of(time: SystemTime) -> Parts {
        let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        Parts(HttpDate::from(time.clamp(UNIX_EPOCH, last)).to_string())
    }

    fn day(&self) -> &str {
        &self.0[5..7]
    }

    fn month(&self) -> &str {
        &self.0[8..11]
    }

    fn year(&self) -> &str {
        &self.0[12..16]
    }

    fn clock(&self) -> &str {
        &self.0[17..25]
    }
}

#[cfg(test)]
mod tests {
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
