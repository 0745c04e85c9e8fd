//! hyper and we read the same bytes: wherever we disagree about what a request is, the reason is written here.
//!
//! hyper finds heads with the same httparse, so what is compared is what each of us does around it: line ends,
//! targets, framing, chunks, and where one request ends and the next begins. In two matters we take more than
//! hyper; in all others we refuse, and nothing that both take is understood in two ways.

use std::collections::BTreeMap;

use sockeye::message::TargetError;
use sockeye::wire::Refusal;

use super::peer::{self, Opinion, Seen};
use super::requests;
use crate::fuzz::bodies::{Manners, Random, Way, talk};

const INPUTS: usize = 15_000;

const LATER_MINOR: &str = "HTTP/1.2 is read as 1.1 (RFC 9110 §2.5); hyper refuses it";
const CARET: &str = "browsers may leave carets and backticks unescaped, and to us they are letters; hyper refuses them";
const EARLY_REFUSAL: &str = "hyper refuses part of a head, we wait for its end; neither takes it";
const EMPTY_PATH: &str =
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
        Refusal::Expectation => "hyper leaves unknown expectations to the application",
        _ => return None,
    })
}

#[test]
fn every_disagreement_with_hyper_has_a_reason() {
    let mut random = Random::new(1);
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    for _ in 0..INPUTS {
        let bytes = requests::pipeline(&mut random);
        match reason(&bytes) {
            Ok(reason) => *reasons.entry(reason.unwrap_or("none")).or_default() += 1,
            Err(story) => panic!("no reason for b\"{}\":\n{story}", bytes.escape_ascii()),
        }
    }
    // All that are written above are met, and agreement is one more.
    assert_eq!(reasons.len(), 19, "{reasons:#?}");
    assert!(reasons["none"] > INPUTS * 2 / 3, "{reasons:#?}");
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
    let story = format!("{ours:#?}\n{refusal:?}\n{theirs:#?}");
    match (
        ours.requests.get(agreed),
        theirs.requests.get(agreed),
        refusal,
    ) {
        (Some(our), Some(_), _) if our.target != with_path(&our.target) => {
            let mut bytes = bytes.to_vec();
            replace(&mut bytes, &our.target, &with_path(&our.target));
            reason(&bytes).map(|reason| reason.or(Some(EMPTY_PATH)))
        }
        (None, _, Some(refusal)) if theirs.requests.len() > agreed || !theirs.refuses => {
            why_stricter(refusal).map(Some).ok_or(story)
        }
        (Some(_), None, _) if theirs.refuses => as_hyper_likes_it(bytes).map(Some).ok_or(story),
        (None, None, None) if theirs.refuses => {
            let (completed, refusal) = our_opinion(&[bytes, b"\r\n\r\n"].concat());
            let is_refused = completed.requests == ours.requests && refusal.is_some();
            is_refused.then_some(Some(EARLY_REFUSAL)).ok_or(story)
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

/// An absolute target with the path that it means.
fn with_path(target: &str) -> String {
    let authority = target.strip_prefix("http://").unwrap_or("/");
    match authority.find(['/', '?']) {
        Some(at) if authority[at..].starts_with('?') => {
            format!("http://{}/{}", &authority[..at], &authority[at..])
        }
        Some(_) => target.to_owned(),
        None => format!("{target}/"),
    }
}

/// What hyper minds in these bytes, if without it there is nothing left to explain, or nothing new.
fn as_hyper_likes_it(bytes: &[u8]) -> Option<&'static str> {
    let disliked = [
        ("HTTP/1.2", "HTTP/1.1", LATER_MINOR),
        ("HTTP/1.9", "HTTP/1.1", LATER_MINOR),
        ("^", "~", CARET),
        ("`", "~", CARET),
    ];
    disliked.into_iter().find_map(|(old, new, why)| {
        let mut liked = bytes.to_vec();
        replace(&mut liked, old, new);
        (liked != bytes && reason(&liked).is_ok()).then_some(why)
    })
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
