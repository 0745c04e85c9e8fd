//! Apache's Common Log Format: `%h %l %u %t "%r" %>s %b`.
//!
//! `192.0.2.1 - - [21/Nov/2026:10:21:58 +0000] "GET /app.js HTTP/1.1" 200 1234`
//!
//! As Apache has it: the time is when the request began, no bytes of body are `-`, and so is what is not known. Times
//! are UTC.

use super::Record;
use super::escape::{TARGET_BYTES_MAX, address, quoted};
use super::time::common as time;
use crate::message::StatusCode;
use crate::text::decimal;

pub(super) fn write(line: &mut String, record: &Record<'_>) {
    match record.request.peer() {
        // A client of IPv4 at a socket that takes both is still one of IPv4.
        Some(peer) => address(line, peer.ip().to_canonical()),
        None => line.push('-'),
    }
    line.push_str(" - - [");
    time(line, record.began);
    line.push_str("] \"");
    request(line, record);
    line.push_str("\" ");
    line.push_str(record.status.as_ref().map_or("-", StatusCode::as_str));
    match record.sent_bytes {
        0 => line.push_str(" -"),
        bytes => {
            line.push(' ');
            line.push_str(decimal(bytes).as_str());
        }
    }
}

/// The request line.
fn request(line: &mut String, record: &Record<'_>) {
    match record.received_line {
        Some(b"") => line.push('-'),
        Some(received) => quoted(line, received, TARGET_BYTES_MAX),
        None => {
            let request = record.request;
            line.push_str(request.method().as_str());
            line.push(' ');
            let target = request.target().as_str();
            quoted(line, target.as_bytes(), TARGET_BYTES_MAX);
            line.push(' ');
            line.push_str(request.version().as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, examples};
    use super::*;
    use crate::message::{Method, Request};

    fn line(record: &Record<'_>) -> String {
        examples::line(Format::Common, record)
    }

    #[test]
    fn a_request_is_written_as_apache_writes_it() {
        const TIME: &str = "- - [21/Nov/2026:10:21:58 +0000]";
        for (peer, shown) in [
            ("192.0.2.1:1234", "192.0.2.1"),
            ("[2001:db8::1]:1234", "2001:db8::1"),
            ("[::ffff:192.0.2.1]:1234", "192.0.2.1"),
        ] {
            let request =
                examples::request(Method::GET, "/a?b=\\\"c".trim_end_matches("\\\"c"), peer);
            assert_eq!(
                line(&examples::record(&request)),
                format!("{shown} {TIME} \"GET /a?b= HTTP/1.1\" 200 1234\n")
            );
        }
        let request = Request::new(Method::HEAD, "/");
        let record = Record {
            sent_bytes: 0,
            is_cut: true,
            ..examples::record(&request)
        };
        assert_eq!(
            line(&record),
            format!("- {TIME} \"HEAD / HTTP/1.1\" 200 -\n")
        );
    }

    #[test]
    fn a_request_that_was_not_understood_is_its_first_line_escaped_as_apache_does() {
        let request = Request::get("/");
        for (received, status, shown) in [
            (
                &b"\x16\x03\x01\x00\xff"[..],
                Some(StatusCode::BAD_REQUEST),
                r#""\x16\x03\x01\x00\xff" 400"#,
            ),
            (
                b"GET /\"a\\b\" HTTP/1.1",
                Some(StatusCode::BAD_REQUEST),
                r#""GET /\"a\\b\" HTTP/1.1" 400"#,
            ),
            (b"GET /a\tb", None, r#""GET /a\tb" -"#),
            (b"", Some(StatusCode::REQUEST_TIMEOUT), r#""-" 408"#),
        ] {
            let record = Record {
                received_line: Some(received),
                status,
                ..examples::record(&request)
            };
            let line = line(&record);
            let rest = line.split_once("] ").map(|(_, rest)| rest);
            assert_eq!(rest, Some(&*format!("{shown} 1234\n")));
        }
    }
}
