//! Times as text: seconds in UTC, and durations.

use std::time::Duration;

/// So many units of so many seconds, in plain decimal: `10`, `0.5`. `None` if it is not, or longer than a [`Duration`].
pub(crate) fn duration(text: &str, unit_seconds: f64) -> Option<Duration> {
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let number = text.parse().ok().filter(|_| text.bytes().all(is_plain));
    Duration::try_from_secs_f64(number.map(|number: f64| number * unit_seconds)?).ok()
}

/// A second in UTC, `2026-11-21T08:00:00`, of a year with four digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Utc([u8; 19]);

impl Utc {
    /// Of seconds since 1970; `None` where the year would not have four digits.
    pub(crate) fn new(seconds: i64) -> Option<Utc> {
        let (year, month, day) = civil(seconds.div_euclid(86_400));
        if !(1000..=9999).contains(&year) {
            return None;
        }
        let second = seconds.rem_euclid(86_400);
        let mut text = *b"0000-00-00T00:00:00";
        let parts = [
            (0, year / 100),
            (2, year % 100),
            (5, month),
            (8, day),
            (11, second / 3600),
            (14, second / 60 % 60),
            (17, second % 60),
        ];
        for (at, number) in parts {
            text[at] += (number / 10) as u8;
            text[at + 1] += (number % 10) as u8;
        }
        Some(Utc(text))
    }

    /// `2026-11-21T08:00:00`
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("it is ASCII")
    }
}

/// Year, month and day of a number of days since 1970, by Howard Hinnant's `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, Some("1970-01-01T00:00:00")),
            (-1, Some("1969-12-31T23:59:59")),
            (951_782_399, Some("2000-02-28T23:59:59")),
            (951_782_400, Some("2000-02-29T00:00:00")),
            (1_795_248_001, Some("2026-11-21T08:00:01")),
            (253_402_300_799, Some("9999-12-31T23:59:59")),
            (253_402_300_800, None),
            (i64::MIN, None),
            (i64::MAX, None),
        ] {
            let time = Utc::new(seconds);
            assert_eq!(time.as_ref().map(Utc::as_str), text, "{seconds}");
        }
    }
}
