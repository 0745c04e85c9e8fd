//! What one line of the log looks like (pure).
//!
//! A line is printable ASCII and at most [`LINE_BYTES_MAX`] long, whatever a client sends: everything else is written
//! `\xHH`, so that nobody draws on our terminal or forges a line (CVE-2009-4487 is nginx's error log).

use std::fmt::{self, Write};

/// The longest line, its end included.
pub(super) const LINE_BYTES_MAX: usize = 2048;

/// What text may fill of a line; the rest is for status, size, time and the line's end.
const TEXT_BYTES_MAX: usize = LINE_BYTES_MAX - 64;

/// What a text that was too long ends with.
const CUT: &str = "...";

/// `200 `, in the colour of its class where there are colours.
pub(super) fn status(line: &mut String, status: u64, colour: bool) {
    if !colour {
        return put(line, format_args!("{status} "));
    }
    let code = match status {
        200..=299 => 32,
        300..=399 => 36,
        400..=499 => 33,
        _ => 31,
    };
    put(line, format_args!("\x1b[{code}m{status}\x1b[0m "));
}

/// Three digits or so and a unit: `0 B`, `999 B`, `1.2 kB`, `34 MB`; cut, not rounded, so that no size is overstated.
pub(super) fn size(line: &mut String, bytes: u64) {
    let (unit, name) = match bytes {
        0..1_000 => return put(line, format_args!("{bytes} B")),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        1_000_000_000..1_000_000_000_000 => (1_000_000_000, "GB"),
        _ => (1_000_000_000_000, "TB"),
    };
    let whole = bytes / unit;
    if whole < 10 {
        let tenth = bytes % unit / (unit / 10);
        put(line, format_args!("{whole}.{tenth} {name}"));
    } else {
        put(line, format_args!("{whole} {name}"));
    }
}

/// `0.02 ms`, `0.3 ms`, `12 ms`, `3.4 s`, `75 s`.
pub(super) fn time(line: &mut String, micros: u64) {
    let (millis, seconds) = (micros / 1_000, micros / 1_000_000);
    match micros {
        0..100 => put(line, format_args!("0.{:02} ms", micros / 10)),
        100..10_000 => put(line, format_args!("{millis}.{} ms", micros / 100 % 10)),
        10_000..1_000_000 => put(line, format_args!("{millis} ms")),
        1_000_000..10_000_000 => put(line, format_args!("{seconds}.{} s", millis / 100 % 10)),
        _ => put(line, format_args!("{seconds} s")),
    }
}

/// Writes our own words and numbers.
fn put(line: &mut String, arguments: fmt::Arguments<'_>) {
    line.write_fmt(arguments)
        .expect("a String takes everything");
}

/// Appends the text of a stranger: what is not printable ASCII is escaped, and the backslash too; what is too long is cut.
pub(super) fn escaped(line: &mut String, text: &str) {
    let room = (TEXT_BYTES_MAX - CUT.len()).saturating_sub(line.len());
    // Nearly every text is clean and short: look once, copy once.
    if text.len() <= room && text.bytes().all(is_plain) {
        return line.push_str(text);
    }
    for byte in text.bytes() {
        let width = if is_plain(byte) { 1 } else { r"\xHH".len() };
        if line.len() + width + CUT.len() > TEXT_BYTES_MAX {
            if line.len() + CUT.len() <= TEXT_BYTES_MAX {
                line.push_str(CUT);
            }
            return;
        }
        if width == 1 {
            line.push(char::from(byte));
        } else {
            put(line, format_args!("\\x{byte:02X}"));
        }
    }
}

/// A line as something to format values into; they arrive [`escaped`].
pub(super) struct Escaped<'a>(pub(super) &'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escaped(self.0, text);
        Ok(())
    }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut String)) -> String {
        let mut line = String::new();
        write(&mut line);
        line
    }

    #[test]
    fn sizes_are_short_and_never_overstated() {
        for (bytes, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_299, "1.2 kB"),
            (9_999, "9.9 kB"),
            (10_500, "10 kB"),
            (999_999, "999 kB"),
            (5_368_709_120, "5.3 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(written(|line| size(line, bytes)), shown);
        }
    }

    #[test]
    fn times_are_short_from_microseconds_to_hours() {
        for (micros, shown) in [
            (0, "0.00 ms"),
            (29, "0.02 ms"),
            (340, "0.3 ms"),
            (9_999, "9.9 ms"),
            (12_345, "12 ms"),
            (3_400_000, "3.4 s"),
            (7_200_000_000, "7200 s"),
        ] {
            assert_eq!(written(|line| time(line, micros)), shown);
        }
    }

    #[test]
    fn a_status_is_coloured_by_its_class_and_only_on_request() {
        assert_eq!(written(|line| status(line, 304, false)), "304 ");
        for (code, colour) in [(206, 32), (304, 36), (404, 33), (503, 31)] {
            let shown = format!("\x1b[{colour}m{code}\x1b[0m ");
            assert_eq!(written(|line| status(line, code, true)), shown);
        }
    }

    #[test]
    fn what_could_draw_on_a_terminal_or_forge_a_line_is_escaped() {
        for (text, shown) in [
            ("/a b?c=\"d\"", "/a b?c=\"d\""),
            ("/\n200 GET /forged", r"/\x0A200 GET /forged"),
            ("\x1b]0;title\x07\x7f", r"\x1B]0;title\x07\x7F"),
            ("\u{9b}2J", r"\xC2\x9B2J"),
            ("/café", r"/caf\xC3\xA9"),
            (r"\x41", r"\x5Cx41"),
        ] {
            assert_eq!(written(|line| escaped(line, text)), shown);
        }
    }

    #[test]
    fn a_text_is_cut_where_the_line_would_grow_too_long() {
        for text in ["a".repeat(5_000), "\x1b".repeat(5_000)] {
            let shown = written(|line| {
                for _ in 0..100 {
                    escaped(line, &text);
                    escaped(line, "and more");
                }
            });
            assert!(shown.len() <= TEXT_BYTES_MAX);
            assert!(shown.len() > TEXT_BYTES_MAX - 8);
            assert!(shown.trim_end_matches('.').len() < shown.len() - 2);
        }
    }
}
