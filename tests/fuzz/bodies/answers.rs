//! What a client makes of the bytes it gets; anything that is not well-formed HTTP is a panic.

use super::talk::{Talk, Way};

/// One answer, its body decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(crate) is_whole: bool,
}

/// Reads all answers of a talk, and holds them against what was heard.
pub(crate) fn answers(talk: &Talk) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut rest = &talk.output[..];
    let mut has_closed = false;
    while !rest.is_empty() {
        assert!(!has_closed, "something follows `Connection: close`");
        let (head, after) = split_once(rest, b"\r\n\r\n").expect("a head is said at once");
        let head = &*String::from_utf8_lossy(head);
        if head == "HTTP/1.1 100 Continue" {
            rest = after;
            continue;
        }
        let heard = talk
            .heard
            .get(answers.len())
            .expect("nobody answers what was not heard");
        let status = head[9..12].parse().expect("a status line");
        assert!(
            head.starts_with("HTTP/1.1 ") && head.contains("\r\nDate: "),
            "{head}"
        );
        assert!(!matches!(status, 100..=199 | 500 | 502..=504), "{head}");
        has_closed = head.contains("\r\nConnection: close");
        let is_bodiless = heard.method == "HEAD" || matches!(status, 204 | 304);
        let (body, after) = match is_bodiless {
            true => (Some(Vec::new()), after),
            false => body(head, after),
        };
        let broken = heard.way == Way::BrokenOff;
        assert!(
            body.is_some() || broken && after.is_empty(),
            "only a relay breaks off: {head}"
        );
        let is_whole = body.is_some();
        let body = body.unwrap_or_default();
        answers.push(Answer {
            status,
            body,
            is_whole,
        });
        rest = after;
    }
    let unanswered = talk.heard.len() - answers.len();
    let may_be = talk
        .heard
        .last()
        .is_some_and(|last| last.way == Way::BrokenOff);
    assert!(
        unanswered == 0 || unanswered == 1 && may_be,
        "every request is answered: {:?}",
        talk.heard
    );
    answers
}

/// The body that a head announces, and what follows it; `None` if it breaks off.
fn body<'a>(head: &str, after: &'a [u8]) -> (Option<Vec<u8>>, &'a [u8]) {
    let field = |name: &str| head.split("\r\n").find_map(|line| line.strip_prefix(name));
    match (field("Content-Length: "), field("Transfer-Encoding: ")) {
        (Some(length), None) => {
            let length: usize = length.parse().expect("a length");
            match after.split_at_checked(length) {
                Some((body, rest)) => (Some(body.to_vec()), rest),
                None => (None, b""),
            }
        }
        (None, Some("chunked")) => chunks(after),
        (None, None) => (Some(after.to_vec()), b""),
        both => panic!("{both:?}"),
    }
}

fn chunks(mut rest: &[u8]) -> (Option<Vec<u8>>, &[u8]) {
    let mut body = Vec::new();
    loop {
        let Some((size, after)) = split_once(rest, b"\r\n") else {
            return (None, b"");
        };
        let size =
            usize::from_str_radix(std::str::from_utf8(size).unwrap(), 16).expect("a chunk size");
        let Some((data, after)) = after.split_at_checked(size) else {
            return (None, b"");
        };
        body.extend_from_slice(data);
        rest = after.strip_prefix(b"\r\n").expect("a chunk ends in CRLF");
        if size == 0 {
            return (Some(body), rest);
        }
    }
}

fn split_once<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = bytes.windows(at.len()).position(|part| part == at)?;
    Some((&bytes[..found], &bytes[found + at.len()..]))
}
