//! A small mutator: seeds, words that matter, and a few ways to spoil a text.

use super::bodies::Random;

/// Conversations to begin with, valid and hostile.
#[rustfmt::skip]
pub(crate) const HEADS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a?b=c HTTP/1.1\r\nHost: a:80\r\nAccept: text/html\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /mirror HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /mirror HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nT: u\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n1\r\nx\r\n000\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /mirror HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"PUT /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nPOST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nok",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive, close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nCONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nTLS",
    b"GET http://b:8080/x?y HTTP/1.1\r\nHost: a\r\n\r\nGET http://[::1] HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\nGET / HTTP/1.2\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\nX:\r\nY: \t z \t\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nCookie: a=b; c=d\r\nX-\xc3\xa9: \xff\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: \"Keep-Alive, close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: \xe9/x\r\nContent-Length: 3\r\n\r\nab",
];

/// Chunked bodies, whole and spoilt.
#[rustfmt::skip]
pub(crate) const CHUNKS: &[&[u8]] = &[
    b"",
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"5;a=b;c=\"d\\\"e\"\r\nhello\r\n00\r\nT: u\r\nV: w\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b"FFFFFFFFFFFFFFFF\r\nhello",
    b"10000000000000000\r\nhello",
    b"5\nhello\n0\n\n",
    b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    b"2\r\nab3\r\ncde\r\n0\r\n\r\n",
    b"0\r\nno colon\r\n\r\n",
    b"\r\n0\r\n\r\n",
];

/// Paths without their first slash, some with a `Range` behind a line feed.
#[rustfmt::skip]
pub(crate) const PATHS: &[&[u8]] = &[
    b"", b"a.txt", b"a/b/c", b"a/", b"a", b"index/", b"in", b"dir/b/c", b"up/canary", b"out/canary.txt", b"file",
    b"a/up/canary", b"absolute/canary.txt", b"root/etc/passwd", b"loop", b"dangling", b".env", b"index/.git/x",
    b"../canary", b"%2e%2e/canary", b"..%2fcanary", b"..%5ccanary", b"a/../../canary", b"%252e%252e/canary", b"a%5Cb",
    b"%C3%A9", b"%00", b"%", b"/a/b", b"//evil.test/..", b"a/b/c/", b"...", b"a/..b?../x", b"../www-outside/canary.txt",
    b"a.txt\nbytes=0-1", b"a.txt\nbytes=-2,0-0,4-", b"a/b/c\nbytes=9-", b"a\nbytes=0-0,0-0",
];

/// What parsers look for, and what they should not take for it.
#[rustfmt::skip]
const WORDS: &[&[u8]] = &[
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"\"", b"\\", b"/", b"..", b"%", b"%2e",
    b"%2F", b"%5c", b"%00", b"?", b"#", b"*", b"0", b"1", b"5", b"-", b"+", b"0x", b"\x7f", b"\x80", b"\xff", b"GET ",
    b"HEAD ", b"POST ", b"/echo", b"/early", b"/mirror", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/1.3\r\n", b"Host: a\r\n",
    b"Host: b", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length: 18446744073709551616\r\n",
    b"Transfer-Encoding: chunked\r\n", b"transfer-encoding:chunked\r\n", b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n",
    b"Expect: 100-continue\r\n", b"Expect: x\r\n", b" folded\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"chunked", b"canary",
    b"http://b", b"bytes=", b"www-outside", b"\nbytes=1-2,3-", b"hello",
];

/// A seed, or two joined, spoilt in a few places.
pub(crate) fn mutated(seeds: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.pick(seeds).to_vec();
    if random.once_in(3) {
        let other = random.pick(seeds);
        let at = random.below(bytes.len() + 1);
        let from = random.below(other.len() + 1);
        bytes.truncate(if random.once_in(2) { at } else { bytes.len() });
        bytes.extend_from_slice(&other[if random.once_in(2) { from } else { 0 }..]);
    }
    for _ in 0..random.below(4) {
        spoil(&mut bytes, random);
    }
    bytes
}

fn spoil(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + 1 + random.below(12)).min(bytes.len());
    match random.below(7) {
        0 | 1 => drop(bytes.splice(at..at, random.pick(WORDS).iter().copied())),
        2 => drop(bytes.splice(at..end, random.pick(WORDS).iter().copied())),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let piece = bytes[at..end].to_vec();
            let times = if random.once_in(20) {
                900
            } else {
                1 + random.below(4)
            };
            drop(bytes.splice(at..at, piece.repeat(times)));
        }
        5 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        6 if at < bytes.len() => bytes[at] = random.next() as u8,
        _ => {}
    }
}
