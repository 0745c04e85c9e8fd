//! Which content coding a client wants (RFC 9110 §12.5.3). Pure.

use crate::message::{Headers, list_elements, weight as parameter_weight};

/// A content coding that a representation may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Zstd,
    Gzip,
}

impl Coding {
    /// All of them; where a client likes several equally, the first is taken.
    pub(super) const ALL: [Coding; 3] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];

    /// The name in `Content-Encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
            Coding::Gzip => "gzip",
        }
    }

    /// What a file's name ends with if its bytes are in this coding.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Zstd => ".zst",
            Coding::Gzip => ".gz",
        }
    }

    fn is_named(self, name: &[u8]) -> bool {
        let is_old_name = || self == Coding::Gzip && name.eq_ignore_ascii_case(b"x-gzip");
        name.eq_ignore_ascii_case(self.name().as_bytes()) || is_old_name()
    }
}

/// A set of codings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Codings(u8);

impl Codings {
    pub(super) fn with(self, coding: Coding) -> Codings {
        Codings(self.0 | 1 << coding as u8)
    }

    pub(super) fn without(self, coding: Coding) -> Codings {
        Codings(self.0 & !(1 << coding as u8))
    }

    pub(super) fn contains(self, coding: Coding) -> bool {
        self.0 & 1 << coding as u8 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The coding of `available` that the client likes best; `None` is the file as it is, which a client that refuses
/// everything gets too.
pub(super) fn negotiate(headers: &Headers, available: Codings) -> Option<Coding> {
    if available.is_empty() {
        return None;
    }
    // The weights of all codings, then of `*` and of `identity`, in thousandths; of several for one name the first counts.
    let mut weights = [None; Coding::ALL.len() + 2];
    const ANY: usize = Coding::ALL.len();
    const IDENTITY: usize = ANY + 1;
    for line in headers.all("Accept-Encoding") {
        for element in list_elements(line) {
            let end = memchr::memchr(b';', element).unwrap_or(element.len());
            let name = element[..end].trim_ascii();
            let place = match name {
                b"*" => ANY,
                _ if name.eq_ignore_ascii_case(b"identity") => IDENTITY,
                _ => match Coding::ALL.iter().position(|coding| coding.is_named(name)) {
                    Some(place) => place,
                    None => continue,
                },
            };
            weights[place].get_or_insert_with(|| parameter_of(&element[end..]));
        }
    }
    let identity = weights[IDENTITY].or(weights[ANY]);
    // Without the field anything would do; what is not asked for is not given.
    let mut best = (None, 0);
    for (place, coding) in Coding::ALL.into_iter().enumerate() {
        let weight = weights[place].or(weights[ANY]).unwrap_or(0);
        // The file as it is must be named to be liked better: that it is acceptable does not tell its weight.
        let is_liked = weight > best.1 && identity.is_none_or(|identity| weight >= identity);
        if available.contains(coding) && is_liked {
            best = (Some(coding), weight);
        }
    }
    best.0
}

/// The weight in what follows a name: `;q=0.5`, or nothing. What is malformed is not wanted.
fn parameter_of(rest: &[u8]) -> u16 {
    let parameter = rest.get(1..).map(|rest| {
        let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        rest[..end].trim_ascii()
    });
    parameter.map_or(1000, |parameter| parameter_weight(parameter).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(lines: &[&str], available: Codings) -> Option<&'static str> {
        let mut headers = Headers::new();
        for line in lines {
            headers.append("Accept-Encoding", line).unwrap();
        }
        negotiate(&headers, available).map(Coding::name)
    }

    fn all() -> Codings {
        Coding::ALL
            .into_iter()
            .fold(Codings::default(), Codings::with)
    }

    #[test]
    fn the_client_chooses_and_among_equals_the_smallest_is_sent() {
        for (lines, chosen) in [
            (&[][..], None),
            (&[""], None),
            (&["gzip"], Some("gzip")),
            (&["x-gzip"], Some("gzip")),
            (&["GZip"], Some("gzip")),
            (&["gzip, deflate, br, zstd"], Some("br")),
            (&["gzip, zstd"], Some("zstd")),
            (&["gzip", "br"], Some("br")),
            (&["br;q=0.5, gzip"], Some("gzip")),
            (&["br;q=0.001"], Some("br")),
            (&["br;q=0, gzip;q=0.000"], None),
            (&["br ; Q=0.9 , gzip;q=1.0"], Some("gzip")),
            (&["*"], Some("br")),
            (&["*;q=0"], None),
            (&["br;q=0, *"], Some("zstd")),
            (&["gzip, *;q=0"], Some("gzip")),
            (&["gzip;q=0.5, *;q=0.7"], Some("br")),
            (&["identity"], None),
            (&["identity, gzip"], Some("gzip")),
            (&["identity, gzip;q=0.9"], None),
            (&["identity;q=0.5, gzip;q=0.9"], Some("gzip")),
            (&["identity;q=0"], None),
            (&["identity;q=0, gzip;q=0.1"], Some("gzip")),
            (&["deflate, compress"], None),
            (&["brr, xgzip, gzi"], None),
            (&["br;q=2"], None),
            (&["br;q=1.001"], None),
            (&["br;q=0.1234"], None),
            (&["br;q=-1"], None),
            (&["br;x=1"], None),
            (&["br;q="], None),
        ] {
            assert_eq!(wanted(lines, all()), chosen, "{lines:?}");
        }
    }

    #[test]
    fn only_what_there_is_can_be_chosen() {
        let gzip = Codings::default().with(Coding::Gzip);
        assert_eq!(wanted(&["br, gzip;q=0.1"], gzip), Some("gzip"));
        assert_eq!(wanted(&["br, zstd"], gzip), None);
        assert_eq!(wanted(&["gzip;q=0.5, *;q=0.7"], gzip), None);
        assert_eq!(wanted(&["gzip"], gzip.without(Coding::Gzip)), None);
    }

    proptest! {
        #[test]
        fn no_value_panics_and_nothing_refused_is_sent(value in "[ -~]{0,60}") {
            wanted(&[value.trim()], all());
            let refusing = format!("br;q=0, zstd;q=0, gzip;q=0, {}", value.trim());
            prop_assert_eq!(wanted(&[refusing.trim()], all()), None);
        }
    }
}
