//! What `curl -v` shows, seen from the server and with reasons: a block of lines for each request.
//!
//! ```text
//! # from 127.0.0.1:50312
//! > GET /run.csv HTTP/1.1
//! > Host: localhost:8080
//! > Range: bytes=0-1
//! >
//! < HTTP/1.1 206 Partial Content   # one satisfiable range, RFC 9110 §15.3.7
//! < Content-Length: 2
//! <
//! # sent 2 B of body, 0.3 ms after the request began
//! # connection kept: HTTP/1.1 and no "close"
//! ```
//!
//! Heads are shown as they travelled, but for what is secret, what is not printable ASCII, and what is too long. Whatever
//! follows `#` is ours.

use std::borrow::Cow;

use super::escape::{FIELD_BYTES_MAX, TARGET_BYTES_MAX, plain, put};
use super::pretty::time;
use super::{Exchange, Record};
use crate::message::{MASK, masked};
use crate::text::size;

/// What one head may fill; a longer one is cut between two lines.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Appends the block, which ends in a blank line.
pub(super) fn write(block: &mut String, record: &Record<'_>, exchange: &Exchange<'_>) {
    if let Some(peer) = record.request.peer() {
        put(block, format_args!("# from {peer}\n"));
    }
    head(block, '>', exchange.request, |_| None);
    let (interim, answer) = exchange.answer.split_at(interim_bytes(exchange.answer));
    head(block, '<', interim, |line| {
        let is_status = line.starts_with(b"HTTP/1.1 ");
        is_status.then_some("the body is wanted, RFC 9110 §10.1.1")
    });
    if record.received_bytes > 0 {
        block.push_str("# received ");
        block.push_str(size(record.received_bytes).as_str());
        block.push_str(" of body\n");
    }
    let coding = coding(answer);
    head(block, '<', answer, |line| match coding {
        _ if line.starts_with(b"HTTP/1.1 ") => exchange.explanation,
        Some((deciding, reason)) if is_field(line, deciding) => Some(reason),
        _ => None,
    });
    block.push_str("# sent ");
    block.push_str(size(record.sent_bytes).as_str());
    block.push_str(" of body, ");
    time(block, record.duration);
    block.push_str(" after the request began\n# ");
    block.push_str(match (record.status, record.is_cut) {
        (None, _) => "connection over before there was an answer",
        (_, true) => "connection over before all of the answer was sent",
        _ => exchange.connection,
    });
    block.push_str("\n\n");
}

/// The length of the `100 Continue` before the final response. It asks for the body, which comes between the two.
fn interim_bytes(answer: &[u8]) -> usize {
    const END: &[u8] = b"\r\n\r\n";
    let end = answer.windows(END.len()).position(|bytes| bytes == END);
    let is_interim = answer.starts_with(b"HTTP/1.1 100 ");
    end.filter(|_| is_interim).map_or(0, |end| end + END.len())
}

/// A head as it travelled, a line for each of its lines, with a comment where there is one.
fn head<'a>(
    block: &mut String,
    mark: char,
    head: &[u8],
    comment: impl Fn(&[u8]) -> Option<&'a str>,
) {
    let end = block.len() + HEAD_BYTES_MAX;
    let mut bytes_max = TARGET_BYTES_MAX;
    let (mut is_secret, mut is_ended) = (false, true);
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        if block.len() > end {
            block.push_str("# and more\n");
            return;
        }
        // The rest of a secret: of a line that is folded, or that ends in a bare LF.
        is_secret &= !is_ended || line.starts_with(b" ") || line.starts_with(b"\t");
        let shown = match is_secret {
            true => MASK.as_bytes().into(),
            // A line end that is none is shown.
            false => masked(line.strip_suffix(b"\r\n").unwrap_or(line)),
        };
        is_secret |= matches!(shown, Cow::Owned(_));
        is_ended = line.ends_with(b"\r\n");
        block.push(mark);
        if !shown.is_empty() {
            block.push(' ');
            plain(block, &shown, bytes_max);
        }
        if let Some(comment) = comment(line) {
            block.push_str("   # ");
            // The only sign beyond ASCII that our sentences have.
            for (at, words) in comment.split('§').enumerate() {
                block.push_str(if at > 0 { "§" } else { "" });
                plain(block, words.as_bytes(), FIELD_BYTES_MAX);
            }
        }
        block.push('\n');
        bytes_max = FIELD_BYTES_MAX;
    }
}

/// The field of a successful answer that tells how its content coding was chosen, and what there is to say of it: `Vary`
/// names what the choice depends on (RFC 9110 §12.5.5).
fn coding(answer: &[u8]) -> Option<(&'static str, &'static str)> {
    let mut lines = answer.split(|&byte| byte == b'\n');
    let fields = |name| lines.clone().filter(move |line| is_field(line, name));
    let varies = fields("Vary").any(|line| {
        line.to_ascii_lowercase()
            .windows(b"accept-encoding".len())
            .any(|word| word == b"accept-encoding")
    });
    let is_encoded = fields("Content-Encoding").next().is_some();
    let is_success = lines.any(|line| line.starts_with(b"HTTP/1.1 2"));
    match (varies && is_success, is_encoded) {
        (true, true) => Some((
            "Content-Encoding",
            "Accept-Encoding takes it, RFC 9110 §12.5.3",
        )),
        (true, false) => Some((
            "Vary",
            "not encoded: Accept-Encoding takes no coding that is here, RFC 9110 §12.5.3",
        )),
        (false, _) => None,
    }
}

fn is_field(line: &[u8], name: &str) -> bool {
    let start = line.get(..name.len() + 1);
    start.is_some_and(|start| {
        start.ends_with(b":") && start[..name.len()].eq_ignore_ascii_case(name.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;
    use crate::message::{Method, Request};

    fn block(record: &Record<'_>, exchange: &Exchange<'_>) -> String {
        let mut block = String::new();
        write(&mut block, record, exchange);
        block
    }

    const EXCHANGE: Exchange<'_> = Exchange {
        request: b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        answer: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        explanation: None,
        connection: "connection kept: HTTP/1.1 and no \"close\"",
    };

    #[test]
    fn a_block_shows_both_heads_and_says_why() {
        let request = examples::request(Method::GET, "/a", "127.0.0.1:50312");
        let record = examples::record(&request);
        let exchange = Exchange {
            request: b"GET /a HTTP/1.1\r\nHost: a\r\nrange:  bytes=0-1\r\n\r\n",
            answer: b"HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\nVary: Origin, accept-encoding\r\n\r\n",
            explanation: Some("one satisfiable range, RFC 9110 §15.3.7"),
            ..EXCHANGE
        };
        assert_eq!(
            block(&record, &exchange),
            "# from 127.0.0.1:50312\n> GET /a HTTP/1.1\n> Host: a\n> range:  bytes=0-1\n>\n\
             < HTTP/1.1 206 Partial Content   # one satisfiable range, RFC 9110 §15.3.7\n\
             < Content-Encoding: gzip   # Accept-Encoding takes it, RFC 9110 §12.5.3\n\
             < Vary: Origin, accept-encoding\n<\n\
             # sent 1.2 kB of body, 0.3 ms after the request began\n\
             # connection kept: HTTP/1.1 and no \"close\"\n\n"
        );
    }

    #[test]
    fn a_body_that_was_asked_for_comes_after_the_100_and_before_the_answer() {
        let request = Request::get("/a");
        let record = Record {
            received_bytes: 5,
            ..examples::record(&request)
        };
        let exchange = Exchange {
            answer: b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            ..EXCHANGE
        };
        let block = block(&record, &exchange);
        assert!(
            block.contains(
                ">\n< HTTP/1.1 100 Continue   # the body is wanted, RFC 9110 §10.1.1\n<\n\
                 # received 5 B of body\n< HTTP/1.1 200 OK\n< Content-Length: 2\n<\n"
            ),
            "{block}"
        );
    }

    #[test]
    fn a_coding_that_was_not_chosen_is_told_from_one_that_is_not_there() {
        let request = Request::get("/a");
        for (answer, said) in [
            (
                &b"HTTP/1.1 200 OK\r\nVary: Accept-Encoding\r\n\r\n"[..],
                true,
            ),
            (
                b"HTTP/1.1 304 Not Modified\r\nVary: Accept-Encoding\r\n\r\n",
                false,
            ),
            (b"HTTP/1.1 200 OK\r\nVary: Accept\r\n\r\n", false),
        ] {
            let exchange = Exchange { answer, ..EXCHANGE };
            let block = block(&examples::record(&request), &exchange);
            assert_eq!(block.contains("# not encoded"), said, "{block}");
        }
    }

    #[test]
    fn secrets_are_masked_and_nothing_draws_on_a_terminal_or_forges_a_line() {
        let request = Request::get("/a");
        let exchange = Exchange {
            request: b"GET /\x1b[2J HTTP/1.1\r\nauthorization : Basic c2VjcmV0\r\nCookie:secret\r\nA: \xe9\n< forged\r\n",
            answer: b"HTTP/1.1 400 Bad Request\r\nSet-Cookie: secret\r\nX-Auth-Token: secret\r\n\r\n",
            explanation: Some("why\n# forged \x1b[2J"),
            ..EXCHANGE
        };
        let block = block(&examples::record(&request), &exchange);
        assert!(
            !block.contains("secret") && !block.contains("c2VjcmV0"),
            "{block}"
        );
        assert!(
            block.contains(
                "\n> authorization : (masked)\n> Cookie: (masked)\n> A: \\xE9\\x0A\n> < forged\n"
            ),
            "{block}"
        );
        assert!(
            block.contains("Request   # why\\x0A# forged \\x1B[2J\n"),
            "{block}"
        );
    }

    #[test]
    fn a_secret_is_masked_in_a_malformed_head_too() {
        for lines in [
            "Authorization: Basic\r\n secret",
            "Cookie:\n\tsecret\r\n\tsecret",
            "Cookie: a\nsecret",
            "A: b\rAuthorization: secret",
            "\0Authorization: secret",
            "\"Cookie\": secret",
            "Authorization\x0b: secret",
            "Authorization\u{a0}: secret",
            "Authorization Basic secret",
            "My Cookie: secret",
        ] {
            let head = format!("GET / HTTP/1.1\r\n{lines}\r\nB: shown\r\n\r\n");
            let exchange = Exchange {
                request: head.as_bytes(),
                ..EXCHANGE
            };
            let block = block(&examples::record(&Request::get("/a")), &exchange);
            assert!(!block.contains("secret"), "{block}");
            assert!(block.contains("\n> B: shown\n"), "{block}");
        }
    }

    #[test]
    fn a_block_is_bounded() {
        let request = Request::get("/a");
        let long = "\x1b: \x1b\r\n".repeat(8_000);
        let exchange = Exchange {
            request: long.as_bytes(),
            answer: long.as_bytes(),
            ..EXCHANGE
        };
        let block = block(&examples::record(&request), &exchange);
        assert!(block.len() < 3 * HEAD_BYTES_MAX, "{}", block.len());
        assert_eq!(block.matches("\n# and more\n").count(), 2);
    }

    #[test]
    fn what_became_of_a_connection_that_broke_off_is_said() {
        let request = Request::get("/a");
        let cut = Record {
            is_cut: true,
            ..examples::record(&request)
        };
        assert!(
            block(&cut, &EXCHANGE)
                .ends_with("\n# connection over before all of the answer was sent\n\n")
        );
        let unanswered = Record {
            status: None,
            ..cut
        };
        let exchange = Exchange {
            answer: b"",
            ..EXCHANGE
        };
        assert!(
            block(&unanswered, &exchange)
                .ends_with("\n# connection over before there was an answer\n\n")
        );
    }
}
