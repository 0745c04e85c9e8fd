//! Requests made by a grammar: most parts valid, a few subtly broken.

use crate::fuzz::bodies::Random;

/// A pipeline of one to three requests.
pub(super) fn pipeline(random: &mut Random) -> Vec<u8> {
    // How often a part is odd: never, now and then, often.
    let oddity = [0, 30, 8][random.below(3)];
    let mut bytes = Vec::new();
    for _ in 0..1 + random.below(3) {
        request(random, oddity, &mut bytes);
    }
    if oddity > 0 && random.once_in(20) {
        bytes.truncate(random.below(bytes.len() + 1));
    }
    bytes
}

#[rustfmt::skip]
fn request(random: &mut Random, oddity: usize, out: &mut Vec<u8>) {
    let mut part = |usual: &[&'static str], odd: &[&'static str]| {
        let is_odd = oddity > 0 && random.once_in(oddity);
        let text = random.pick(if is_odd { odd } else { usual });
        out.extend_from_slice(text.as_bytes());
        text
    };
    part(&[""], &["\r\n", "\r\n\r\n", "\n", " ", "\r\n\r\n\r\n\r\n\r\n\r\n"]);
    part(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        &["get", "PROPFIND", "TRACE", "CONNECT", "", "G(T", "G\u{e9}T", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH"]);
    part(&[" "], &["  ", "\t", ""]);
    part(&["/", "/a", "/a/b?c=d", "/%20", "/?a=b?c", "//a", "/a|b", "/?{}", "/?x=[1]", "http://a.test", "http://a.test:80/x?y", "http://a.test?q"],
        &["", "*", "a", "a.test:80", "/a#b", "/a b", "/\\", "/\"", "/<>", "/\u{e9}", "/\u{7f}", "/^`{}", "ftp://a.test/", "http://", "http://u@a.test/", "http://a.test:99999/"]);
    part(&[" "], &["  ", "\t", ""]);
    part(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"],
        &["HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.10", "HTTP/01.1", "HTTP/1,1", "", "HTTP/1.1 "]);
    part(&["\r\n"], &["\n", "\r", "\r\r\n", " \r\n"]);
    part(&["Host: a\r\n"],
        &["", "Host: a\r\nHost: a\r\n", "Host: a\r\nhost: b\r\n", "Host:\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@a\r\n", "Host: a:x\r\n", "Host: a, b\r\n"]);
    for _ in 0..2 {
        part(&["", "", "Accept: */*\r\n", "X-A:b\r\n", "x-b: \t c d \t\r\n", "X-C:\r\n", "X-D: \u{e9}\r\n", "!#$%&'*+-.^_`|~: x\r\n"],
            &["X : a\r\n", " X: a\r\n", "X: a\r\n b\r\n", ": a\r\n", "X\r\n", "X: a\nY: b\r\n", "X: a\rb\r\n", "X: a\0b\r\n", "X: \u{1}\r\n", "X: a\u{7f}\r\n", "X(: a\r\n", "\u{e9}: a\r\n"]);
    }
    part(&[""], &["Connection: close\r\n", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n", "Expect: x\r\n", "Upgrade: h2c\r\nConnection: upgrade\r\n"]);
    let framing = part(&["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "content-length: 5\r\n", "TRANSFER-ENCODING:Chunked\r\n"],
        &["Content-Length: 0\r\n", "Content-Length: 05\r\n", "Content-Length: +5\r\n", "Content-Length: -5\r\n", "Content-Length: 5,5\r\n", "Content-Length: 5, 5\r\n",
            "Content-Length:\r\n", "Content-Length: 0x5\r\n", "Content-Length: 5 5\r\n", "Content-Length: 18446744073709551616\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding:\r\n", "Transfer-Encoding: ,chunked\r\n",
            "Transfer-Encoding: chunked;q=1\r\n", "Transfer-Encoding: \"chunked\"\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding : chunked\r\n", "Transfer-Encoding: \u{b}chunked\r\n"]);
    part(&["\r\n"], &["\n", "\r", "\r\n\r\n"]);
    if framing.to_ascii_lowercase().contains("chunked") {
        for _ in 0..2 {
            part(&["", "5\r\nhello\r\n", "A\r\n0123456789\r\n", "0005\r\nhello\r\n", "5;a=b\r\nhello\r\n", "5;a=\"b\"\r\nhello\r\n"],
                &["5 \r\nhello\r\n", " 5\r\nhello\r\n", "5\t;a\r\nhello\r\n", "5\nhello\r\n", "5\r\nhello\n", "5\r\nhello", "0x5\r\nhello\r\n", "+5\r\nhello\r\n",
                    "-5\r\nhello\r\n", "\r\n", "g\r\n", "5;a\nb\r\nhello\r\n", "5;a\rb\r\nhello\r\n", "5;\r\nhello\r\n", "5;a=\r\nhello\r\n", "5;a\u{1}\r\nhello\r\n", "5,a\r\nhello\r\n", "5_\r\nhello\r\n",
                    "4\r\nhello\r\n", "FFFFFFFFFFFFFFFF\r\nhello\r\n", "10000000000000005\r\nhello\r\n", "00000000000000005\r\nhello\r\n"]);
        }
        part(&["0\r\n\r\n", "0\r\n\r\n", "000\r\n\r\n", "0;a\r\n\r\n", "0\r\nT: u\r\n\r\n"],
            &["0\n\n", "0\r\n\n", "0\r\n", "\r\n", "0\r\nT : u\r\n\r\n", "0\r\n T: u\r\n\r\n", "0\r\nT\r\n\r\n", "0\r\nT: \u{1}\r\n\r\n", "0\r\nT: u\n\r\n", "0\r\nT: u\r\n v\r\n\r\n"]);
    } else if framing.contains('5') {
        part(&["hello"], &["hell", "hello\r\n", ""]);
    }
}
