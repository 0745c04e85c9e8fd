//! Records for the tables of the formats.

use super::*;
use crate::message::Method;

/// 2026-11-21 10:21:58.123456 UTC.
fn began() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_256_518_123_456)
}

pub(super) fn request(method: Method, target: &str, peer: &str) -> Request {
    let mut request = Request::new(method, target);
    request.peer = Some(peer.parse().unwrap());
    request
}

pub(super) fn record(request: &Request) -> Record<'_> {
    Record {
        request,
        received_line: None,
        status: Some(StatusCode::OK),
        sent_bytes: 1_234,
        received_bytes: 0,
        began: began(),
        duration: Duration::from_micros(340),
        reason: None,
        is_cut: false,
        exchange: None,
    }
}

pub(super) fn line(format: Format, record: &Record<'_>) -> String {
    let mut line = String::new();
    format.write(&mut line, record, false);
    line
}

#[test]
fn a_line_of_any_format_is_bounded_printable_ascii() {
    let long = "\u{e9}\"\\".repeat(8_000);
    let request = request(
        Method::GET,
        &format!("/{}", "a".repeat(8_000)),
        "[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
    )
    .with_header("Referer", &long)
    .with_header("User-Agent", &long);
    let garbage: Vec<u8> = (0..=255).cycle().take(8_000).collect();
    for (_, format) in Format::ALL {
        for received_line in [None, Some(&garbage[..]), Some(b"")] {
            let mut line = String::new();
            let record = Record {
                received_line,
                status: None,
                sent_bytes: u64::MAX,
                received_bytes: u64::MAX,
                duration: Duration::MAX,
                reason: Some(
                    "every reason is a sentence of our own, about as long as this one is, or a bit longer",
                ),
                is_cut: true,
                ..record(&request)
            };
            format.write(&mut line, &record, true);
            assert!(line.len() <= LINE_BYTES_MAX, "{format:?}: {}", line.len());
            let text = line.strip_suffix('\n').unwrap().replace("\x1b[", "");
            assert!(
                text.bytes().all(|byte| matches!(byte, b' '..=b'~')),
                "{text}"
            );
        }
    }
}

#[test]
fn a_format_is_known_by_its_name() {
    for (name, format) in Format::ALL {
        assert_eq!(name.parse(), Ok(format));
    }
    assert!("xml".parse::<Format>().unwrap_err().contains("json"));
}
