//! One JSON object per line, always with the same keys; what is not known or does not apply is `null`.
//!
//! | key | value |
//! |---|---|
//! | `time` | when the request began, RFC 3339 in UTC with microseconds |
//! | `peer` | address and port of the client |
//! | `method`, `target`, `version` | of the request, where its first line was understood |
//! | `line` | its first line as received, where it was not |
//! | `status` | a number |
//! | `sent`, `received` | bytes of body, either way |
//! | `micros` | how long it took |
//! | `referer`, `user_agent` | the fields |
//! | `reason` | why it was refused |
//! | `cut` | whether it broke off |
//!
//! What the server says of itself has `time`, `level` and `message`.

use std::time::SystemTime;

use std::net::{IpAddr, SocketAddr};

use super::Record;
use super::escape::{
    FIELD_BYTES_MAX, MESSAGE_BYTES_MAX, TARGET_BYTES_MAX, address, json_text, put,
};
use super::time::rfc3339;
use crate::text::decimal;

pub(super) fn write(line: &mut String, record: &Record<'_>) {
    let request = record.request;
    line.push_str("{\"time\":\"");
    rfc3339(line, record.began);
    line.push('"');
    line.push_str(",\"peer\":");
    match request.peer() {
        Some(SocketAddr::V4(peer)) => {
            line.push('"');
            address(line, IpAddr::V4(*peer.ip()));
            number(line, ":", peer.port().into());
            line.push('"');
        }
        Some(peer) => put(line, format_args!("\"{peer}\"")),
        None => line.push_str("null"),
    }
    let is_understood = record.received_line.is_none();
    let understood = |text| Some(text).filter(|_| is_understood).map(str::as_bytes);
    let method = understood(request.method().as_str());
    text(line, ",\"method\":", method, TARGET_BYTES_MAX);
    let target = understood(request.target().as_str());
    text(line, ",\"target\":", target, TARGET_BYTES_MAX);
    let version = understood(request.version().as_str());
    text(line, ",\"version\":", version, TARGET_BYTES_MAX);
    text(line, ",\"line\":", record.received_line, TARGET_BYTES_MAX);
    line.push_str(",\"status\":");
    line.push_str(
        record
            .status
            .as_ref()
            .map_or("null", |status| status.as_str()),
    );
    number(line, ",\"sent\":", record.sent_bytes);
    number(line, ",\"received\":", record.received_bytes);
    let micros = u64::try_from(record.duration.as_micros());
    number(line, ",\"micros\":", micros.unwrap_or(u64::MAX));
    let field = |name| request.headers().all(name).next();
    text(line, ",\"referer\":", field("Referer"), FIELD_BYTES_MAX);
    let user_agent = field("User-Agent");
    text(line, ",\"user_agent\":", user_agent, FIELD_BYTES_MAX);
    let reason = record.reason.map(str::as_bytes);
    text(line, ",\"reason\":", reason, FIELD_BYTES_MAX);
    line.push_str(if record.is_cut {
        ",\"cut\":true}"
    } else {
        ",\"cut\":false}"
    });
}

fn number(line: &mut String, key: &str, number: u64) {
    line.push_str(key);
    line.push_str(decimal(number).as_str());
}

/// Appends one of the server's own messages of `time`, without an end of the line.
pub(super) fn write_message(line: &mut String, time: SystemTime, level: &str, message: &str) {
    line.push_str("{\"time\":\"");
    rfc3339(line, time);
    put(line, format_args!("\",\"level\":\"{level}\""));
    let message = Some(message.as_bytes());
    text(line, ",\"message\":", message, MESSAGE_BYTES_MAX);
    line.push('}');
}

fn text(line: &mut String, key: &str, value: Option<&[u8]>, bytes_max: usize) {
    line.push_str(key);
    match value {
        Some(value) => {
            line.push('"');
            json_text(line, value, bytes_max);
            line.push('"');
        }
        None => line.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Format, examples};
    use super::*;
    use crate::message::{Method, Request, StatusCode};

    #[test]
    fn a_request_is_one_object_with_every_key() {
        let request = examples::request(Method::GET, "/a?b", "[2001:db8::1]:80")
            .with_header("User-Agent", b"caf\xc3\xa9 \"\\\t \xf0\x9f\x90\x9f\xff");
        assert_eq!(
            examples::line(Format::Json, &examples::record(&request)),
            concat!(
                r#"{"time":"2026-11-21T10:21:58.123456Z","peer":"[2001:db8::1]:80","method":"GET","target":"/a?b","#,
                r#""version":"HTTP/1.1","line":null,"status":200,"sent":1234,"received":0,"micros":340,"referer":null,"#,
                r#""user_agent":"caf\u00e9 \"\\\u0009 \ud83d\udc1f\ufffd","reason":null,"cut":false}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_was_not_understood_is_a_line_and_what_broke_off_has_no_status() {
        let request = Request::get("/");
        let record = Record {
            received_line: Some(b"\x16\x03"),
            status: Some(StatusCode::BAD_REQUEST),
            reason: Some("not HTTP"),
            ..examples::record(&request)
        };
        let line = examples::line(Format::Json, &record);
        let shown = r#""peer":null,"method":null,"target":null,"version":null,"line":"\u0016\u0003","status":400,"#;
        assert!(line.contains(shown), "{line}");
        assert!(line.contains(r#""reason":"not HTTP""#), "{line}");
        let record = Record {
            status: None,
            received_bytes: 7,
            duration: Duration::from_secs(3),
            is_cut: true,
            ..examples::record(&request)
        };
        let line = examples::line(Format::Json, &record);
        let shown = r#""status":null,"sent":1234,"received":7,"micros":3000000,"#;
        assert!(line.contains(shown), "{line}");
        assert!(line.ends_with("\"cut\":true}\n"), "{line}");
    }
}
