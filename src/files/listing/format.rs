//! Sizes and times for people and programs. A row costs about as much as they do, so they are written by hand.

/// `999 B`, `1.2 kB`, `5.4 GB`.
pub(super) fn push_size(out: &mut Vec<u8>, bytes: u64) {
    if bytes < 1000 {
        push_number(out, bytes);
        out.extend_from_slice(b" B");
        return;
    }
    // 999.95 is where one decimal would round up to four digits.
    let bytes = u128::from(bytes);
    let mut unit = 1000;
    let mut units = ["kB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut name = units.next().unwrap_or_default();
    while bytes >= unit / 20 * 19_999
        && let Some(next) = units.next()
    {
        (unit, name) = (unit * 1000, next);
    }
    let tenths = (bytes * 10 + unit / 2) / unit;
    push_number(out, (tenths / 10) as u64);
    out.extend_from_slice(&[b'.', b'0' + (tenths % 10) as u8, b' ']);
    out.extend_from_slice(name.as_bytes());
}

/// A number in decimal.
pub(super) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A time in UTC, `2026-11-21T08:00:00`; `None` where the year would not have four digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time([u8; 19]);

impl Time {
    /// Of seconds since 1970.
    pub(super) fn new(seconds: i64) -> Option<Time> {
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
        Some(Time(text))
    }

    /// `2026-11-21T08:00:00Z`
    pub(super) fn push_for_programs(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
        out.push(b'Z');
    }

    /// `2026-11-21 08:00`
    pub(super) fn push_for_people(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0[..10]);
        out.push(b' ');
        out.extend_from_slice(&self.0[11..16]);
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

/// A string in JSON, with its quotes.
pub(super) fn push_json(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..b' ' => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sizes_and_times_are_for_people() {
        for (bytes, size) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1234, "1.2 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (5_368_709_120, "5.4 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(written(|out| push_size(out, bytes)), size);
        }
        let time = |seconds| {
            Time::new(seconds)
                .map_or_else(String::new, |time| written(|out| time.push_for_people(out)))
        };
        for (seconds, text) in [
            (0, "1970-01-01 00:00"),
            (-1, "1969-12-31 23:59"),
            (951_782_399, "2000-02-28 23:59"),
            (951_782_400, "2000-02-29 00:00"),
            (1_795_248_000, "2026-11-21 08:00"),
            (253_402_300_799, "9999-12-31 23:59"),
            (253_402_300_800, ""),
            (i64::MIN, ""),
            (i64::MAX, ""),
        ] {
            assert_eq!(time(seconds), text, "{seconds}");
        }
        let time = Time::new(1_795_248_001).unwrap();
        assert_eq!(
            written(|out| time.push_for_programs(out)),
            "2026-11-21T08:00:01Z"
        );
    }
}
