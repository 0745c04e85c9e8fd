//! Seconds and bytes as people write them (pure).

use std::time::Duration;

use crate::text::duration;

/// About 116 days; keeps sums of times from overflowing.
const WAIT_MAX: Duration = Duration::from_secs(10_000_000);

/// More than any machine has; keeps sums of sizes from overflowing.
const BYTES_MAX: usize = 1 << 50;

/// Seconds with an optional fraction, `10` or `0.5` or `0.5s`; zero included.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let digits = text.strip_suffix('s').unwrap_or(text);
    duration(digits, 1.0)
        .filter(|wait| *wait <= WAIT_MAX)
        .ok_or_else(|| "expected seconds, such as 10 or 0.5".to_owned())
}

/// As [`seconds`], but more than 0: a wait of no time is not a time-out.
pub(super) fn some_seconds(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("must be more than 0 seconds".to_owned()),
        wait => Ok(wait),
    }
}

/// Bytes, `65536` or `64k`, `32M`, `1G`, also as `64KiB` or `64kB`; every unit is a power of 1024.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err("expected bytes, such as 65536, 64k, 32M or 1G".to_owned()),
    };
    let count = digits.parse::<usize>().ok();
    count
        .and_then(|count| count.checked_mul(1 << shift))
        .filter(|count| *count <= BYTES_MAX)
        .ok_or_else(|| "expected bytes, such as 65536, 64k, 32M or 1G".to_owned())
}

/// As [`bytes`] reads them.
pub(super) fn plain_bytes(bytes: usize) -> String {
    let units = [(30, "G"), (20, "M"), (10, "k")];
    let whole = units
        .iter()
        .find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    whole.map_or(bytes.to_string(), |(shift, unit)| {
        format!("{}{unit}", bytes >> shift)
    })
}

/// As [`seconds`] reads them.
pub(super) fn plain_seconds(wait: Duration) -> String {
    wait.as_secs_f64().to_string()
}

/// A whole number from 1 to `max`.
pub(super) fn count(max: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| match text.parse() {
        Ok(count) if (1..=max).contains(&count) => Ok(count),
        _ => Err(format!("expected a whole number from 1 to {max}")),
    }
}

/// What the variable of a flag without a value says: whether it is set. Empty is not set.
pub(super) fn switch(variable: &str) -> impl Fn(&str) -> Result<bool, String> + Clone + use<> {
    let variable = variable.to_owned();
    move |text| match text.to_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "" | "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => Err(format!(
            "the variable {variable} is true or false, yes or no, on or off, 1 or 0"
        )),
    }
}

/// Bytes for people: `64 KiB`, `1.5 MiB`; the shortest that is not wrong by more than it shows.
pub(super) fn shown_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut size = bytes;
    while size >= 10 * 1024 && unit + 1 < UNITS.len() || size >= 1024 && size.is_multiple_of(1024) {
        size /= 1024;
        unit += 1;
    }
    format!("{size} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_or_fractions_and_nothing_else() {
        for (text, millis) in [
            ("10", 10_000),
            ("0.5", 500),
            ("2s", 2_000),
            ("0", 0),
            (".25", 250),
        ] {
            assert_eq!(seconds(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "s",
            ".",
            "-1",
            "+1",
            "1e3",
            "inf",
            "NaN",
            "1m",
            "1 s",
            "99999999999",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert!(some_seconds("0").is_err());
        assert!(some_seconds("0.000001").is_ok());
    }

    #[test]
    fn bytes_come_with_the_usual_suffixes() {
        for (text, count) in [
            ("0", 0),
            ("65536", 65_536),
            ("64k", 65_536),
            ("64KiB", 65_536),
            ("32M", 33_554_432),
            ("1gb", 1_073_741_824),
        ] {
            assert_eq!(bytes(text), Ok(count), "{text}");
        }
        for text in [
            "",
            "k",
            "-1",
            "+1",
            "1.5M",
            "1x",
            "1 M",
            "9999999G",
            "99999999999G",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_default_is_shown_as_it_is_read() {
        for (count, text) in [
            (0, "0"),
            (1_000, "1000"),
            (65_536, "64k"),
            (32 << 20, "32M"),
            (3 << 30, "3G"),
        ] {
            assert_eq!(
                (plain_bytes(count).as_str(), bytes(text)),
                (text, Ok(count))
            );
        }
        for (wait, text) in [
            (Duration::from_secs(10), "10"),
            (Duration::from_millis(500), "0.5"),
        ] {
            assert_eq!(
                (plain_seconds(wait).as_str(), seconds(text)),
                (text, Ok(wait))
            );
        }
    }

    #[test]
    fn shown_bytes_are_short() {
        for (count, shown) in [
            (0, "0 B"),
            (1_000, "1000 B"),
            (1 << 20, "1 MiB"),
            (32 << 20, "32 MiB"),
            (24 * 1024 * 1024 + 5, "24 MiB"),
            (215_000_000, "205 MiB"),
        ] {
            assert_eq!(shown_bytes(count), shown);
        }
    }
}
