//! Escapes text from clients (pure).
//!
//! What gets into a line is printable ASCII and bounded, whatever a client sends: so no client can draw on a terminal
//! or forge a line (CVE-2009-4487 is nginx's error log). Each format has its own way to write what is not; what is too
//! long ends with `...`.

use std::fmt::{self, Write};
use std::net::IpAddr;

use crate::text::decimal;

/// What a target, or a first line that is none, may fill of a line.
pub(super) const TARGET_BYTES_MAX: usize = 2048;

/// What a field may fill of a line. With two of them, and what is ours, a line stays within its limit.
pub(super) const FIELD_BYTES_MAX: usize = 750;

/// What a message of the server itself may fill.
pub(super) const MESSAGE_BYTES_MAX: usize = 2048;

/// What a text that was too long ends with.
const CUT: &str = "...";

/// Writes text of this crate, and numbers.
pub(super) fn put(line: &mut String, arguments: fmt::Arguments<'_>) {
    line.write_fmt(arguments)
        .expect("a String takes everything");
}

/// Writes an address. One of IPv4 is written digit by digit: formatting it would cost as much as half a line.
pub(super) fn address(line: &mut String, ip: IpAddr) {
    let IpAddr::V4(ip) = ip else {
        return put(line, format_args!("{ip}"));
    };
    for (at, octet) in ip.octets().into_iter().enumerate() {
        line.push_str(if at > 0 { "." } else { "" });
        line.push_str(decimal(octet.into()).as_str());
    }
}

/// Appends `text`, `bytes_max` at most; what is not printable ASCII, and the backslash, is `\xHH`.
pub(super) fn plain(line: &mut String, text: &[u8], bytes_max: usize) {
    escaped(
        line,
        text,
        bytes_max,
        |byte| byte != b'\\',
        |byte, line| {
            put(line, format_args!("\\x{byte:02X}"));
        },
    );
}

/// The same for the inside of quotes, as Apache's `ap_escape_logitem` writes it.
pub(super) fn quoted(line: &mut String, text: &[u8], bytes_max: usize) {
    let is_plain = |byte| (byte != b'\\') & (byte != b'"');
    escaped(line, text, bytes_max, is_plain, |byte, line| match byte {
        b'\\' => line.push_str("\\\\"),
        b'"' => line.push_str("\\\""),
        b'\n' => line.push_str("\\n"),
        b'\r' => line.push_str("\\r"),
        b'\t' => line.push_str("\\t"),
        0x08 => line.push_str("\\b"),
        0x0b => line.push_str("\\v"),
        byte => put(line, format_args!("\\x{byte:02x}")),
    });
}

fn escaped(
    line: &mut String,
    text: &[u8],
    bytes_max: usize,
    is_plain: impl Fn(u8) -> bool,
    escape: impl Fn(u8, &mut String),
) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') & is_plain(byte);
    // Nearly every text is clean and short: look once, copy once.
    if push_clean(line, text, bytes_max, is_plain) {
        return;
    }
    let end = line.len() + bytes_max;
    for &byte in text {
        let before = line.len();
        match is_plain(byte) {
            true => line.push(char::from(byte)),
            false => escape(byte, line),
        }
        if line.len() + CUT.len() > end {
            line.truncate(before);
            line.push_str(CUT);
            return;
        }
    }
}

/// Appends `text` to the inside of a JSON string, `bytes_max` at most; what is not printable ASCII is `\uXXXX`, and
/// what is not UTF-8 is U+FFFD.
pub(super) fn json_text(line: &mut String, text: &[u8], bytes_max: usize) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') & (byte != b'\\') & (byte != b'"');
    if push_clean(line, text, bytes_max, is_plain) {
        return;
    }
    let end = line.len() + bytes_max;
    let chars = text.utf8_chunks().flat_map(|chunk| {
        let invalid = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        chunk.valid().chars().chain(invalid)
    });
    for c in chars {
        let before = line.len();
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            ' '..='~' => line.push(c),
            _ => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| put(line, format_args!("\\u{unit:04x}"))),
        }
        if line.len() + CUT.len() > end {
            line.truncate(before);
            line.push_str(CUT);
            return;
        }
    }
}

/// Appends `text` as it is if that will do.
fn push_clean(
    line: &mut String,
    text: &[u8],
    bytes_max: usize,
    is_plain: impl Fn(u8) -> bool,
) -> bool {
    // Without an early end, which the compiler makes several bytes at once of.
    let is_clean = text
        .iter()
        .fold(true, |so_far, &byte| so_far & is_plain(byte));
    match std::str::from_utf8(text) {
        Ok(clean) if is_clean && text.len() <= bytes_max => {
            line.push_str(clean);
            true
        }
        _ => false,
    }
}

/// A message of the server itself, to format values into; they arrive escaped as by [`plain`], and all together within
/// [`MESSAGE_BYTES_MAX`].
pub(super) struct Message<'a>(pub(super) &'a mut String);

impl Write for Message<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MESSAGE_BYTES_MAX.saturating_sub(self.0.len());
        if room >= CUT.len() {
            plain(self.0, text.as_bytes(), room);
        }
        Ok(())
    }
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
    fn what_could_draw_on_a_terminal_or_forge_a_line_is_escaped() {
        for (text, in_plain, in_quotes, in_json) in [
            ("/a b?c='d'", "/a b?c='d'", "/a b?c='d'", "/a b?c='d'"),
            ("\"", "\"", r#"\""#, r#"\""#),
            (
                "/\n200 GET /",
                r"/\x0A200 GET /",
                r"/\n200 GET /",
                r"/\u000a200 GET /",
            ),
            (
                "\x1b]0;t\x07\x7f",
                r"\x1B]0;t\x07\x7F",
                r"\x1b]0;t\x07\x7f",
                r"\u001b]0;t\u0007\u007f",
            ),
            ("\u{9b}2J", r"\xC2\x9B2J", r"\xc2\x9b2J", r"\u009b2J"),
            ("/café", r"/caf\xC3\xA9", r"/caf\xc3\xa9", r"/caf\u00e9"),
            (r"\x41", r"\x5Cx41", r"\\x41", r"\\x41"),
        ] {
            assert_eq!(written(|line| plain(line, text.as_bytes(), 99)), in_plain);
            assert_eq!(written(|line| quoted(line, text.as_bytes(), 99)), in_quotes);
            assert_eq!(
                written(|line| json_text(line, text.as_bytes(), 99)),
                in_json
            );
        }
        assert_eq!(
            written(|line| json_text(line, b"a\xff\xfeb\xc3", 99)),
            r"a\ufffd\ufffdb\ufffd"
        );
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_with_a_mark_and_never_within_an_escape() {
        for (text, in_plain, in_quotes, in_json) in [
            ("0123456789", "0123456789", "0123456789", "0123456789"),
            ("0123456789a", "0123456...", "0123456...", "0123456..."),
            ("01234\n6789", r"01234...", r"01234\n...", r"01234..."),
            ("\x1b\x1b\x1b", r"\x1B...", r"\x1b...", r"\u001b..."),
        ] {
            assert_eq!(written(|line| plain(line, text.as_bytes(), 10)), in_plain);
            assert_eq!(written(|line| quoted(line, text.as_bytes(), 10)), in_quotes);
            assert_eq!(
                written(|line| json_text(line, text.as_bytes(), 10)),
                in_json
            );
        }
    }

    #[test]
    fn a_message_is_bounded_however_many_values_it_has() {
        for text in ["a".repeat(5_000), "\x1b".repeat(5_000)] {
            let shown = written(|line| {
                for _ in 0..100 {
                    write!(Message(line), "{text} and more").unwrap();
                }
            });
            assert!(shown.len() <= MESSAGE_BYTES_MAX);
            assert!(shown.ends_with(CUT));
        }
    }
}
