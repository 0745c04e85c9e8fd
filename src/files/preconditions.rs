//! Does the client want the bytes at all? The preconditions of RFC 9110 §13, in the order of §13.2.2.
//!
//! Pure: what validators are worth is decided in [`validators`](super::validators); here they are only compared.

use super::validators::{Timestamp, Validators, parse_date};
use crate::message::Headers;

/// What the preconditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Proceed,
    NotModified,
    Failed,
}

impl Validators {
    /// Evaluates the preconditions in the order of RFC 9110 §13.2.2, for GET and HEAD; with the reason, if there are any.
    pub(super) fn judge(&self, headers: &Headers) -> (Verdict, Option<&'static str>) {
        // 1 and 2: is it still what the client takes it for?
        if headers.contains("If-Match") {
            if !self.is_named(headers, "If-Match", false) {
                let why = "If-Match does not name this ETag, RFC 9110 §13.1.1";
                return (Verdict::Failed, Some(why));
            }
        } else if let (Some(date), Some(modified)) =
            (date(headers, "If-Unmodified-Since"), self.modified)
            && modified > date
        {
            let why = "modified since If-Unmodified-Since, RFC 9110 §13.1.4";
            return (Verdict::Failed, Some(why));
        }
        // 3 and 4: has the client got it already?
        if headers.contains("If-None-Match") {
            return match self.is_named(headers, "If-None-Match", true) {
                true => (
                    Verdict::NotModified,
                    Some("If-None-Match names this ETag, RFC 9110 §13.1.2"),
                ),
                false => (
                    Verdict::Proceed,
                    Some("If-None-Match does not name this ETag, RFC 9110 §13.1.2"),
                ),
            };
        }
        match date(headers, "If-Modified-Since") {
            None => (Verdict::Proceed, None),
            Some(date) if self.is_unmodified_since(date) => (
                Verdict::NotModified,
                Some("not modified since If-Modified-Since, RFC 9110 §13.1.3"),
            ),
            Some(_) => (
                Verdict::Proceed,
                Some(
                    "modified since If-Modified-Since, or its date proves nothing, RFC 9110 §13.1.3",
                ),
            ),
        }
    }

    /// Step 5: whether the part asked for belongs to what the client has. Strong comparison only.
    pub(super) fn allow_range(&self, headers: &Headers, now: impl FnOnce() -> Timestamp) -> bool {
        let mut lines = headers.all("If-Range");
        match (lines.next(), lines.next()) {
            (None, _) => true,
            (Some(_), Some(_)) => false,
            (Some(value), None) if value.ends_with(b"\"") => {
                self.tag.as_ref().is_some_and(|tag| tag.as_bytes() == value)
            }
            // A date is strong only once its second is over (RFC 9110 §8.8.2.2), and if it is that of one representation alone
            // (§8.8.1).
            (Some(value), None) => parse_date(value).is_some_and(|date| {
                self.modified == Some(date)
                    && !self.is_date_shared
                    && date < now().0
                    && self.is_unmodified_since(date)
            }),
        }
    }

    /// Whether a list of tags names this state; `*` names any.
    fn is_named(&self, headers: &Headers, field: &str, weakly: bool) -> bool {
        headers.all(field).any(|list| {
            list == b"*"
                || self.tag.as_ref().is_some_and(|tag| {
                    tags(list)
                        .any(|(is_weak, other)| (weakly || !is_weak) && other == tag.as_bytes())
                })
        })
    }
}

/// The entity tags of a list (RFC 9110 §8.8.3) with whether they are weak, up to the first thing that is none. Not
/// split at commas like other lists: a tag may hold commas, and its backslashes escape nothing.
fn tags(mut list: &[u8]) -> impl Iterator<Item = (bool, &[u8])> {
    std::iter::from_fn(move || {
        let start = list
            .iter()
            .position(|byte| !matches!(byte, b',' | b' ' | b'\t'))?;
        list = &list[start..];
        let is_weak = list.starts_with(b"W/");
        let tag = list.strip_prefix(b"W/").unwrap_or(list);
        let end = memchr::memchr(b'"', tag.strip_prefix(b"\"")?)? + 2;
        list = &tag[end..];
        Some((is_weak, &tag[..end]))
    })
}

/// The date in a field that may be there once; anything else is to be ignored.
#[inline]
fn date(headers: &Headers, field: &str) -> Option<i64> {
    let mut lines = headers.all(field);
    let value = lines.next()?;
    parse_date(value).filter(|_| lines.next().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::files::validators::now;
    use crate::message::{Attributes, Fingerprint};

    /// Modified at 1000000000 s, changed at 1000000005 s, seen by a server that started at 1000000010 s.
    fn settled() -> Validators {
        Validators::new(
            Some("\"a,b\"".to_owned()),
            &state(1_000_000_000, 1_000_000_005),
            (1_000_000_010, 0),
        )
    }

    fn state(modified: i64, changed: i64) -> Fingerprint {
        Fingerprint {
            device: 1,
            inode: 2,
            size: 3,
            modified: (modified, 0),
            changed: (changed, 7),
            attributes: Attributes::default(),
        }
    }

    fn fields(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in lines {
            headers.append(name, value).unwrap();
        }
        headers
    }

    const SAME: &str = "Sun, 09 Sep 2001 01:46:40 GMT";
    const BEFORE: &str = "Sun, 09 Sep 2001 01:46:39 GMT";
    const LATER: &str = "Sun, 09 Sep 2001 01:46:50 GMT";

    #[test]
    fn preconditions_are_evaluated_in_order() {
        use Verdict::{Failed, NotModified, Proceed};
        for (lines, verdict) in [
            (&[][..], Proceed),
            (&[("If-Match", "\"a,b\"")], Proceed),
            (&[("If-Match", "\"x\", \"a,b\"")], Proceed),
            (&[("If-Match", "*")], Proceed),
            (&[("If-Match", "W/\"a,b\"")], Failed),
            (&[("If-Match", "\"x\"")], Failed),
            (&[("If-Match", "a,b")], Failed),
            (&[("If-Unmodified-Since", SAME)], Proceed),
            (&[("If-Unmodified-Since", BEFORE)], Failed),
            (&[("If-Unmodified-Since", "yesterday")], Proceed),
            (
                &[("If-Match", "\"a,b\""), ("If-Unmodified-Since", BEFORE)],
                Proceed,
            ),
            (&[("If-None-Match", "\"a,b\"")], NotModified),
            (&[("If-None-Match", "W/\"a,b\"")], NotModified),
            (
                &[("If-None-Match", "\"x\\\", ,W/\"y\"\t,\"a,b\"")],
                NotModified,
            ),
            (
                &[("If-None-Match", "\"x\""), ("If-None-Match", "\"a,b\"")],
                NotModified,
            ),
            (&[("If-None-Match", "*")], NotModified),
            (&[("If-None-Match", "\"a\"")], Proceed),
            (&[("If-None-Match", "\"A,B\"")], Proceed),
            (&[("If-None-Match", "\"x, \"a,b")], Proceed),
            (&[("If-Modified-Since", SAME)], NotModified),
            (&[("If-Modified-Since", LATER)], NotModified),
            (&[("If-Modified-Since", BEFORE)], Proceed),
            (
                &[("If-Modified-Since", "Sunday, 09-Sep-01 01:46:40 GMT")],
                NotModified,
            ),
            (
                &[("If-Modified-Since", "Sun Sep  9 01:46:40 2001")],
                NotModified,
            ),
            (
                &[("If-Modified-Since", "Mon, 09 Sep 2001 01:46:40 GMT")],
                Proceed,
            ),
            (&[("If-Modified-Since", "1000000000")], Proceed),
            (
                &[("If-Modified-Since", SAME), ("If-Modified-Since", SAME)],
                Proceed,
            ),
            (
                &[("If-None-Match", "\"x\""), ("If-Modified-Since", SAME)],
                Proceed,
            ),
            (
                &[("If-Match", "\"x\""), ("If-None-Match", "\"a,b\"")],
                Failed,
            ),
            (
                &[("If-Match", "\"a,b\""), ("If-None-Match", "\"a,b\"")],
                NotModified,
            ),
        ] {
            assert_eq!(settled().judge(&fields(lines)).0, verdict, "{lines:?}");
        }
    }

    #[test]
    fn a_date_is_believed_only_if_nothing_happened_since() {
        let judge = |changed, started, date| {
            let validators = Validators::new(None, &state(1_000_000_000, changed), (started, 0));
            validators.judge(&fields(&[("If-Modified-Since", date)])).0
        };
        // Set back after the server started, and not before the date was over.
        assert_eq!(judge(1_000_000_020, 1_000_000_010, SAME), Verdict::Proceed);
        assert_eq!(judge(1_000_000_020, 1_000_000_010, LATER), Verdict::Proceed);
        assert_eq!(judge(1_000_000_010, 1_000_000_010, LATER), Verdict::Proceed);
        // Changed in the very second of the date, which is given out only when it is over.
        assert_eq!(
            judge(1_000_000_000, 1_000_000_000, SAME),
            Verdict::NotModified
        );
        assert_eq!(judge(1_000_000_001, 1_000_000_000, SAME), Verdict::Proceed);
        // Changed before the date began, or before the server did.
        assert_eq!(
            judge(1_000_000_009, 1_000_000_000, LATER),
            Verdict::NotModified
        );
        assert_eq!(
            judge(1_000_000_020, 1_000_000_030, SAME),
            Verdict::NotModified
        );
    }

    #[test]
    fn a_range_goes_on_only_with_the_same_bytes() {
        let later = || (1_000_000_100, 0);
        for (value, allowed) in [
            ("\"a,b\"", true),
            ("W/\"a,b\"", false),
            ("\"x\"", false),
            ("*", false),
            (SAME, true),
            (BEFORE, false),
            (LATER, false),
            ("nonsense", false),
        ] {
            let request = fields(&[("If-Range", value)]);
            assert_eq!(settled().allow_range(&request, later), allowed, "{value}");
        }
        assert!(settled().allow_range(&fields(&[]), later));
        let at_once = || (1_000_000_000, 999);
        assert!(!settled().allow_range(&fields(&[("If-Range", SAME)]), at_once));
        let unknown = Validators::none();
        assert!(!unknown.allow_range(&fields(&[("If-Range", "\"a,b\"")]), later));
    }

    #[test]
    fn without_a_tag_only_the_star_matches() {
        let unknown = Validators::none();
        assert_eq!(
            unknown.judge(&fields(&[("If-None-Match", "\"\"")])).0,
            Verdict::Proceed
        );
        assert_eq!(
            unknown.judge(&fields(&[("If-None-Match", "*")])).0,
            Verdict::NotModified
        );
        assert_eq!(
            unknown.judge(&fields(&[("If-Match", "\"\"")])).0,
            Verdict::Failed
        );
        assert_eq!(
            unknown.judge(&fields(&[("If-Modified-Since", LATER)])).0,
            Verdict::Proceed
        );
    }

    proptest! {
        #[test]
        fn no_field_panics(value in "[ -~]{0,40}") {
            let lines = ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"];
            for name in lines {
                settled().judge(&fields(&[(name, value.trim())]));
            }
            settled().allow_range(&fields(&[("If-Range", value.trim())]), now);
        }
    }
}
