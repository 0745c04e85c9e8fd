//! What time it is, asked once a turn.

use std::time::{Duration, Instant, SystemTime};

use httpdate::HttpDate;

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
            // A clock before 1970 (no battery, before it is set) reads as 1970; one after 9999 cannot be written.
            let since_1970 = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            self.date = HttpDate::from(SystemTime::UNIX_EPOCH + since_1970).to_string();
            let next_second =
                Duration::from_nanos(u64::from(1_000_000_000 - since_1970.subsec_nanos()));
            self.valid_until = Some(now + next_second);
        }
        &self.date
    }
}
