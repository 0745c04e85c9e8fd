//! Apache's combined format: the common one, then `"%{Referer}i" "%{User-agent}i"`.

use super::escape::{FIELD_BYTES_MAX, quoted};
use super::{Record, common};

pub(super) fn write(line: &mut String, record: &Record<'_>) {
    common::write(line, record);
    for name in ["Referer", "User-Agent"] {
        line.push_str(" \"");
        match record.request.headers().all(name).next() {
            Some(value) => quoted(line, value, FIELD_BYTES_MAX),
            None => line.push('-'),
        }
        line.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, examples};
    use crate::message::{Method, Request};

    fn line(request: &Request) -> String {
        examples::line(Format::Combined, &examples::record(request))
    }

    #[test]
    fn where_it_came_from_and_what_asked_follow_and_what_is_absent_is_a_dash() {
        let common = "192.0.2.1 - - [21/Nov/2026:10:21:58 +0000] \"GET / HTTP/1.1\" 200 1234";
        let request = examples::request(Method::GET, "/", "192.0.2.1:1234");
        assert_eq!(line(&request), format!("{common} \"-\" \"-\"\n"));
        let request = request
            .with_header("Referer", "http://a.test/?q=\"x\"")
            .with_header("User-Agent", b"Lynx\\2 \xe9\t(x)");
        assert_eq!(
            line(&request),
            format!(
                "{common} {}\n",
                r#""http://a.test/?q=\"x\"" "Lynx\\2 \xe9\t(x)""#
            )
        );
    }
}
