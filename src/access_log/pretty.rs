//! `200 GET /app.js 1.2 kB 0.3 ms`: one short line for a person who watches.
//!
//! What is out of the ordinary follows: `, received 5.0 MB` for an upload, `, cut short`, and `: ` with the reason of a
//! refusal. A request that ended before there was an answer has `---` for a status.

use std::time::Duration;

use super::Record;
use super::escape::{TARGET_BYTES_MAX, plain, put};
use crate::message::StatusCode;
use crate::text::size;

/// Whether it tells nothing to who watches: that there is none of what browsers ask for by themselves.
pub(super) fn is_noise(record: &Record<'_>) -> bool {
    record.status == Some(StatusCode::NOT_FOUND) && record.request.is_probe()
}

pub(super) fn write(line: &mut String, record: &Record<'_>, colour: bool) {
    status(line, record.status, colour);
    match record.received_line {
        Some(received) => plain(line, received, TARGET_BYTES_MAX),
        None => {
            line.push_str(record.request.method().as_str());
            line.push(' ');
            let target = record.request.target().as_str();
            plain(line, target.as_bytes(), TARGET_BYTES_MAX);
        }
    }
    line.push(' ');
    line.push_str(size(record.sent_bytes).as_str());
    line.push(' ');
    time(line, record.duration);
    if record.received_bytes > 0 {
        line.push_str(", received ");
        line.push_str(size(record.received_bytes).as_str());
    }
    if record.is_cut {
        line.push_str(", cut short");
    }
    if let Some(reason) = record.reason {
        put(line, format_args!(": {reason}"));
    }
}

/// `200 `, in the colour of its class where there are colours.
fn status(line: &mut String, status: Option<StatusCode>, colour: bool) {
    let code = match status.map_or(0, |status| status.as_u16()) {
        200..=299 => 32,
        300..=399 => 36,
        400..=499 => 33,
        _ => 31,
    };
    let text = status.as_ref().map_or("---", StatusCode::as_str);
    match colour {
        true => put(line, format_args!("\x1b[{code}m{text}\x1b[0m ")),
        false => {
            line.push_str(text);
            line.push(' ');
        }
    }
}

/// `0.02 ms`, `0.3 ms`, `12 ms`, `3.4 s`, `75 s`.
pub(super) fn time(line: &mut String, duration: Duration) {
    let (micros, seconds) = (duration.as_micros(), duration.as_secs());
    let millis = micros / 1_000;
    match micros {
        0..100 => put(line, format_args!("0.{:02} ms", micros / 10)),
        100..10_000 => put(line, format_args!("{millis}.{} ms", micros / 100 % 10)),
        10_000..1_000_000 => put(line, format_args!("{millis} ms")),
        1_000_000..10_000_000 => put(line, format_args!("{seconds}.{} s", millis / 100 % 10)),
        _ => put(line, format_args!("{seconds} s")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, examples};
    use super::*;
    use crate::message::{Method, Request};

    fn line(record: &Record<'_>) -> String {
        examples::line(Format::Pretty, record)
    }

    fn written(write: impl FnOnce(&mut String)) -> String {
        let mut line = String::new();
        write(&mut line);
        line
    }

    #[test]
    fn what_is_out_of_the_ordinary_follows_the_short_line() {
        let get = Request::get("/app.js?v=1");
        let ordinary = examples::record(&get);
        assert_eq!(line(&ordinary), "200 GET /app.js?v=1 1.2 kB 0.3 ms\n");
        let cut = Record {
            is_cut: true,
            ..ordinary
        };
        assert_eq!(line(&cut), "200 GET /app.js?v=1 1.2 kB 0.3 ms, cut short\n");
        let post = Request::new(Method::POST, "/upload");
        let upload = Record {
            status: None,
            sent_bytes: 0,
            received_bytes: 5_000_000,
            is_cut: true,
            ..examples::record(&post)
        };
        assert_eq!(
            line(&upload),
            "--- POST /upload 0 B 0.3 ms, received 5.0 MB, cut short\n"
        );
        let root = Request::get("/");
        let refused = Record {
            received_line: Some(b"GET /a\xc3\xa9 HTTP/1.1"),
            status: Some(StatusCode::BAD_REQUEST),
            reason: Some("it is malformed"),
            ..examples::record(&root)
        };
        assert_eq!(
            line(&refused),
            "400 GET /a\\xC3\\xA9 HTTP/1.1 1.2 kB 0.3 ms: it is malformed\n"
        );
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
            assert_eq!(
                written(|line| time(line, Duration::from_micros(micros))),
                shown
            );
        }
    }

    #[test]
    fn a_status_is_coloured_by_its_class_and_only_on_request() {
        let shown = |code: u16, colour| {
            let code = StatusCode::from_u16(code).unwrap();
            written(|line| status(line, Some(code), colour))
        };
        assert_eq!(shown(304, false), "304 ");
        for (code, colour) in [(206, 32), (304, 36), (404, 33), (503, 31)] {
            assert_eq!(shown(code, true), format!("\x1b[{colour}m{code}\x1b[0m "));
        }
    }
}
