//! What must hold for every input: plain functions from bytes to a panic or none.
//!
//! The fuzz targets call them, and so does `tests/it/fuzz.rs`, where no fuzzer is needed.

mod answers;
mod grounds;
mod random;
mod talk;

pub(crate) use answers::{Answer, answers};
pub(crate) use grounds::{Grounds, safe_path};
pub(crate) use random::Random;
pub(crate) use talk::{Manners, Talk, Way, talk};

use sockeye::wire::{write_chunk, write_last_chunk};

/// A conversation never panics, ends when the client does, answers in well-formed HTTP, and hears the same requests
/// however its input is cut.
pub(crate) fn conversation(bytes: &[u8]) {
    let whole = talk([bytes], Manners::ByTarget);
    let bytewise = talk(bytes.chunks(1), Manners::ByTarget);
    agree(bytes, &whole, &bytewise);
    let collected = |pieces: Vec<&[u8]>| talk(pieces, Manners::Collecting).heard;
    assert_eq!(collected(vec![bytes]), collected(bytes.chunks(1).collect()));
    let mut random = Random::of(bytes);
    for _ in 0..2 {
        agree(
            bytes,
            &whole,
            &talk(cut(bytes, &mut random), Manners::ByTarget),
        );
    }
}

/// Decoding undoes encoding, both ways, and a malformed body is as malformed however it is cut.
pub(crate) fn chunked(bytes: &[u8]) {
    let mut random = Random::of(bytes);
    let mut dialog = post_chunked();
    for piece in cut(bytes, &mut random) {
        write_chunk(&mut dialog, piece);
    }
    write_last_chunk(&mut dialog);
    let head_length = post_chunked().len();
    for pieces in [
        cut(&dialog, &mut random),
        vec![&dialog],
        vec![&dialog[..head_length], &dialog[head_length..]],
    ] {
        let talk = talk(pieces, Manners::ByTarget);
        let answers = answers(&talk);
        assert_eq!(answers.len(), 1);
        assert_eq!((answers[0].status, answers[0].is_whole), (200, true));
        assert_eq!(answers[0].body, bytes, "what was sent comes back");
    }
    conversation(&[&post_chunked(), bytes].concat());
}

fn post_chunked() -> Vec<u8> {
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()
}

/// The input in pieces of up to 40 bytes, most of them short.
fn cut<'a>(mut bytes: &'a [u8], random: &mut Random) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let longest = [3, 9, 40][random.below(3)];
        let (piece, rest) = bytes.split_at((1 + random.below(longest)).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// Two talks about the same bytes tell the same story, but for what may depend on how much was at hand:
///
/// - A body that is sent back while it comes in, and turns out to be malformed or short: the answer has begun or not.
/// - An answer from the head to a client that awaits 100: its body was there already or not, and if not the
///   connection closes.
fn agree(bytes: &[u8], one: &Talk, other: &Talk) {
    let (one_said, other_said) = (answers(one), answers(other));
    let story = || {
        format!(
            "{:?}\n{one_said:?}\n{other_said:?}",
            bytes.escape_ascii().to_string()
        )
    };
    for (at, (a, b)) in one_said.iter().zip(&other_said).enumerate() {
        if a != b {
            let is_echo = one.heard[at].is_echo && other.heard[at].is_echo;
            assert!(
                is_echo && (is_broken(a) || is_broken(b)),
                "answer {at}: {}",
                story()
            );
            return;
        }
    }
    let common = one_said.len().min(other_said.len());
    if one_said.len() == other_said.len() {
        return;
    }
    let longer = if one_said.len() > common { one } else { other };
    let awaited = common > 0
        && longer.heard[common - 1].way == Way::Early
        && longer.heard[common - 1].expects;
    let echo_without_answer = longer.heard[common].is_echo && longer.heard.len() == common + 1;
    assert!(
        awaited || echo_without_answer,
        "one answers more: {}",
        story()
    );
}

fn is_broken(answer: &Answer) -> bool {
    !answer.is_whole || answer.status == 400
}
