//! HTTP/1.1 as bytes, from outside: what is generated is heard, and another server hears the same.

mod differential;
mod peer;
mod requests;

use crate::fuzz::bodies::{Manners, talk};
use proptest::prelude::*;
use sockeye::message::Version;
use sockeye::wire::{Conversation, Limits, Turn, write_chunk, write_last_chunk};

#[test]
fn a_quote_in_connection_hides_no_close() {
    for options in ["\"Keep-Alive, close", "a\"b, close, \"", "\", CLOSE"] {
        let said = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {options}\r\n\r\n");
        let talk = talk([said.repeat(2).as_bytes()], Manners::Collecting);
        assert_eq!(talk.heard.len(), 1, "{options}");
    }
}

/// A field line as it travels, the name, and the value that it means.
fn field() -> impl Strategy<Value = (String, String, String)> {
    let name = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}";
    // Any visible character, blanks only inside; empty too.
    let value = "([!-~¡-ÿ]([ \t!-~¡-ÿ]{0,20}[!-~¡-ÿ])?)?";
    let meant_for_us = [
        "host",
        "expect",
        "content-length",
        "transfer-encoding",
        "connection",
    ];
    (name, "[ \t]{0,2}", value, "[ \t]{0,2}")
        .prop_filter("a field without a meaning of its own", move |(name, ..)| {
            !meant_for_us.contains(&name.to_ascii_lowercase().as_str())
        })
        .prop_map(|(name, before, value, after)| {
            (format!("{name}:{before}{value}{after}\r\n"), name, value)
        })
}

proptest! {
    #[test]
    fn a_head_is_heard_as_it_was_said(
        method in "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE",
        path in "/[!$-.0-\\[\\]-z|~]{0,30}",
        query in proptest::option::of("[!$-;=?-~]{0,20}"),
        is_old in any::<bool>(),
        fields in proptest::collection::vec(field(), 0..20),
        piece in 1usize..200,
    ) {
        prop_assume!(!path.contains(['?', '<', '>', '#']));
        let target = query.as_ref().map_or(path.clone(), |query| format!("{path}?{query}"));
        let version = if is_old { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut said = format!("{method} {target} {version}\r\nHost: a.test:80\r\n");
        fields.iter().for_each(|(line, ..)| said.push_str(line));
        said.push_str("\r\n");

        let mut conversation = Conversation::new(Limits::default());
        for bytes in said.as_bytes().chunks(piece) {
            prop_assert_eq!(conversation.turn(), Turn::NeedBytes);
            conversation.receive(bytes);
        }
        prop_assert_eq!(conversation.turn(), Turn::Head);
        let request = conversation.request();
        prop_assert_eq!(request.method().as_str(), method);
        prop_assert_eq!(request.target().as_str(), &target);
        prop_assert_eq!(request.target().path(), &path);
        prop_assert_eq!(request.target().query(), query.as_deref());
        prop_assert_eq!(request.version() == Version::Http10, is_old);
        let heard = request.headers().iter().skip(1).map(|(name, value)| (name.to_owned(), value.to_vec()));
        let meant = fields.iter().map(|(_, name, value)| (name.clone(), value.as_bytes().to_vec()));
        prop_assert_eq!(heard.collect::<Vec<_>>(), meant.collect::<Vec<_>>());
    }

    #[test]
    fn a_chunked_body_is_what_was_put_into_chunks(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 0..12),
        behind in proptest::collection::vec(any::<u8>(), 0..20),
        piece in 1usize..900,
    ) {
        let mut said = b"PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        chunks.iter().for_each(|chunk| write_chunk(&mut said, chunk));
        write_last_chunk(&mut said);
        let end = said.len();
        said.extend_from_slice(&behind);

        let mut conversation = Conversation::new(Limits::default());
        let mut pieces = said.chunks(piece);
        let mut heard = 0;
        let turn = loop {
            match conversation.turn() {
                Turn::Head => conversation.collect_body(),
                Turn::NeedBytes => {
                    let bytes = pieces.next().expect("the body has an end");
                    heard += bytes.len();
                    conversation.receive(bytes);
                }
                turn => break turn,
            }
        };
        prop_assert_eq!(turn, Turn::Answer);
        prop_assert_eq!(conversation.request().body(), chunks.concat());
        // What lies behind the body is left for the next request.
        prop_assert_eq!(conversation.has_input(), heard > end);
    }
}
