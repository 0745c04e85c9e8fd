//! hyper and we read the same bytes: wherever we disagree about what a request is, the reason is written here.
//!
//! hyper finds heads with the same httparse, so what is compared is what each of us does around it: line ends,
//! targets, framing, chunks, and where one request ends and the next begins. In three matters we take more than
//! hyper; in all others we refuse, and nothing that both take is understood in two ways.

use std::collections::BTreeMap;

use sockeye::message::TargetError;
use sockeye::wire::Refusal;

use super::peer::{self, Opinion, Seen};
use super::requests;
use crate::fuzz::bodies::{Manners, Random, Way, talk};
use crate::fuzz::mutate::{HEADS, mutated};

const INPUTS: usize = 15_000;
const MUTATIONS: usize = 15_000;

const LATER_MINOR: &str = "HTTP/1.2 is read as 1.1 (RFC 9110 §2.5); hyper refuses it";
const CARET: &str = "browsers may leave carets and backticks unescaped, and to us they are letters; hyper refuses them";
const ESCAPED_HOST: &str =
    "a registered name may hold escapes (RFC 3986 §3.2.2); hyper refuses them";
const OPAQUE_OPTION: &str = "hyper sees no close in a Connection that is not text; we do";
const EARLY_REFUSAL: &str = "hyper refuses part of a head, we wait for its end; neither takes it";
const TIDIED: &str =
    "hyper writes the empty path of an absolute target as a slash; we keep what was said";

/// Why we refuse what hyper takes, or would still wait for.
fn why_stricter(refusal: Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::BareLineEnd => {
            "hyper takes a bare LF for a line end (RFC 9112 §2.2 allows it, smuggling lives on it)"
        }
        Refusal::EmptyLines => "hyper skips any number of empty lines before a request",
        Refusal::MethodTooLong => "hyper hands methods of any length on",
        Refusal::UnknownMethod => {
            "hyper hands unknown methods on, for an application to answer 501"
        }
        Refusal::Target(TargetError::ForbiddenByte) => {
            "hyper takes bytes in a target that RFC 3986 does not, and cuts a fragment off"
        }
        Refusal::Target(TargetError::WrongForm) => {
            "hyper leaves it to the application which form fits which method"
        }
        Refusal::Target(TargetError::BadAuthority) => {
            "hyper takes user names and absurd ports in an absolute target"
        }
        Refusal::HostMissing | Refusal::HostTwice | Refusal::HostMalformed => {
            "hyper leaves Host to the application (RFC 9112 §3.2)"
        }
        Refusal::LengthTwice => {
            "hyper takes equal lengths, said twice, as one (RFC 9112 §6.3 allows it)"
        }
        Refusal::LengthAndCoding => {
            "hyper lets Transfer-Encoding win over Content-Length (RFC 9112 §6.3 allows it)"
        }
        Refusal::CodingMalformed => "hyper looks only whether the last coding is chunked",
        Refusal::UnknownCoding => {
            "hyper hands codings before chunked on, for an application to decode"
        }
        Refusal::Chunk => {
            "hyper takes blanks after a chunk's size and anything but line ends in an extension"
        }
        Refusal::Trailers => "hyper looks at trailers only when all of them are there",
        Refusal::TargetTooLong => "our limit is 8 KiB",
        Refusal::BodyTooLarge => "hyper sets a body no limit, and waits for 10^18 bytes",
        Refusal::Expectation => "hyper leaves unknown expectations to the application",
        _ => return None,
    })
}

#[test]
fn every_disagreement_with_hyper_has_a_reason() {
    let mut random = Random::new(1);
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    for number in 0..INPUTS + MUTATIONS {
        let bytes = match number < INPUTS {
            true => requests::pipeline(&mut random),
            false => mutated(HEADS, &mut random),
        };
        match reason(&bytes) {
            Ok(reason) => *reasons.entry(reason.unwrap_or("none")).or_default() += 1,
            Err(story) => panic!("no reason for b\"{}\":\n{story}", bytes.escape_ascii()),
        }
    }
    assert!(
        reasons["none"] > (INPUTS + MUTATIONS) * 2 / 3,
        "{reasons:#?}"
    );
    // Nearly all that are written above are met; the rest are rare.
    assert!(reasons.len() > 18, "{reasons:#?}");
}

/// The reason for which we disagree about these bytes, if we do; an error tells of a disagreement without one.
fn reason(bytes: &[u8]) -> Result<Option<&'static str>, String> {
    let (ours, refusal) = our_opinion(bytes);
    let theirs = peer::opinion(bytes);
    if ours == theirs {
        return Ok(None);
    }
    let agreed = ours
        .requests
        .iter()
        .zip(&theirs.requests)
        .take_while(|(our, their)| our == their)
        .count();
    if has_opaque_option(bytes) {
        return Ok(Some(OPAQUE_OPTION));
    }
    let story = format!("{ours:#?}\n{refusal:?}\n{theirs:#?}");
    match (
        ours.requests.get(agreed),
        theirs.requests.get(agreed),
        refusal,
    ) {
        (Some(our), Some(_), _) if our.target != tidied(&our.target) => {
            let mut bytes = bytes.to_vec();
            replace(&mut bytes, &our.target, &tidied(&our.target));
            reason(&bytes).map(|reason| reason.or(Some(TIDIED)))
        }
        (None, _, Some(refusal)) if theirs.requests.len() > agreed || !theirs.refuses => {
            why_stricter(refusal).map(Some).ok_or(story)
        }
        (Some(_), None, _) if theirs.refuses => as_hyper_likes_it(bytes).map(Some).ok_or(story),
        (None, None, None) if theirs.refuses => {
            let (completed, refusal) = our_opinion(&[bytes, b"\r\n\r\n"].concat());
            let is_refused = completed.requests == ours.requests && refusal.is_some();
            match is_refused {
                true => Ok(Some(EARLY_REFUSAL)),
                false => as_hyper_likes_it(bytes).map(Some).ok_or(story),
            }
        }
        _ => Err(story),
    }
}

/// What we understand, in the same terms, and why we refuse what we refuse.
fn our_opinion(bytes: &[u8]) -> (Opinion, Option<Refusal>) {
    let mut requests = Vec::new();
    let mut refused = None;
    for heard in talk([bytes], Manners::Collecting).heard {
        match heard.way {
            Way::Refused(refusal) => refused = Some(refusal),
            _ => requests.push(Seen {
                method: heard.method,
                target: heard.target,
                fields: heard.fields,
                body: heard.body,
            }),
        }
    }
    let refuses = refused.is_some();
    (Opinion { requests, refuses }, refused)
}

/// An absolute target as hyper writes it.
fn tidied(target: &str) -> String {
    let Some((scheme, rest)) = target
        .split_once("://")
        .filter(|_| !target.starts_with('/'))
    else {
        return target.to_owned();
    };
    let scheme = scheme.to_ascii_lowercase();
    match rest.find(['/', '?']) {
        Some(at) if rest[at..].starts_with('?') => {
            format!("{scheme}://{}/{}", &rest[..at], &rest[at..])
        }
        Some(_) => format!("{scheme}://{rest}"),
        None => format!("{scheme}://{rest}/"),
    }
}

/// What hyper minds in these bytes, if without it there is nothing left to explain, or nothing new.
fn as_hyper_likes_it(bytes: &[u8]) -> Option<&'static str> {
    let minor = |digit: char| (format!("HTTP/1.{digit}"), "HTTP/1.1", LATER_MINOR);
    let bytes_disliked = [
        ("^", "~", CARET),
        ("`", "~", CARET),
        ("%", "p", ESCAPED_HOST),
    ];
    let mut disliked = ('2'..='9')
        .map(minor)
        .chain(bytes_disliked.map(|(old, new, why)| (old.to_owned(), new, why)));
    disliked.find_map(|(old, new, why)| {
        let mut liked = bytes.to_vec();
        replace(&mut liked, &old, new);
        (liked != bytes && reason(&liked).is_ok()).then_some(why)
    })
}

/// Whether all that hyper hears otherwise comes of a `Connection` with bytes that are no text.
fn has_opaque_option(bytes: &[u8]) -> bool {
    let as_text: Vec<u8> = bytes
        .iter()
        .map(|byte| if byte.is_ascii() { *byte } else { b'x' })
        .collect();
    as_text != bytes
        && bytes
            .windows(10)
            .any(|part| part.eq_ignore_ascii_case(b"connection"))
        && our_opinion(&as_text).0.requests.len() == our_opinion(bytes).0.requests.len()
        && reason(&as_text).is_ok()
}

fn replace(bytes: &mut Vec<u8>, old: &str, new: &str) {
    let mut from = 0;
    while let Some(at) = bytes[from..]
        .windows(old.len())
        .position(|part| part == old.as_bytes())
    {
        bytes.splice(from + at..from + at + old.len(), new.bytes());
        from += at + new.len();
    }
}
