//! What time it is, asked once a dispatch.

use std::time::{Duration, Instant, SystemTime};

use httpdate::HttpDate;

// Fri, 31 Dec 9999 23:59:59 GMT, in seconds since 1970.
const LAST_SECOND: u64 = 253_402_300_799;

/// A thread's clock: the value of `Date`, made once a second.
#[derive(Debug)]
pub(super) struct Clock {
    date: String,
    valid_until: Option<Instant>,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock {
            date: String::new(),
            valid_until: None,
        }
    }

    /// The HTTP-date of the second that `now` lies in.
    pub(super) fn date(&mut self, now: Instant) -> &str {
        if self.valid_until.is_none_or(|end| now >= end) {
            let since_1970 = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            self.date = http_date(since_1970);
            let next_second =
                Duration::from_nanos(u64::from(1_000_000_000 - since_1970.subsec_nanos()));
            self.valid_until = Some(now + next_second);
        }
        &self.date
    }
}

/// The HTTP-date of a time since 1970. A clock before that (no battery, before it is set) reads as 1970, and one beyond
/// the four digits that a year has as their last second: a wrong clock must not stop the server.
fn http_date(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs().min(LAST_SECOND);
    HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_past_the_year_9999_stands_at_its_last_second() {
        let last = "Fri, 31 Dec 9999 23:59:59 GMT";
        for (seconds, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (253_402_300_798, "Fri, 31 Dec 9999 23:59:58 GMT"),
            (253_402_300_799, last),
            (253_402_300_800, last),
            (i64::MAX as u64, last),
        ] {
            assert_eq!(http_date(Duration::from_secs(seconds)), date);
        }
    }
}
