//! Which content coding a client wants (RFC 9110 §12.5.3). Pure.

use crate::message::{Headers, weight as parameter_weight};

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
        let is_old_name = self == Coding::Gzip && name.eq_ignore_ascii_case(b"x-gzip");
        is_old_name || name.eq_ignore_ascii_case(self.name().as_bytes())
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
    // Without the field anything would do; what is not asked for is not given.
    let mut best = None;
    let mut best_weight = 0;
    let any = |name: &[u8]| name == b"*";
    let identity = weight(headers, |name| name.eq_ignore_ascii_case(b"identity"))
        .or_else(|| weight(headers, any));
    for coding in Coding::ALL {
        if !available.contains(coding) {
            continue;
        }
        let weight = weight(headers, |name| coding.is_named(name))
            .or_else(|| weight(headers, any))
            .unwrap_or(0);
        // The file as it is must be named to be liked better: that it is acceptable does not tell its weight.
        if weight > best_weight && identity.is_none_or(|identity| weight >= identity) {
            best = Some(coding);
            best_weight = weight;
        }
    }
    best
}

/// The weight of the first element whose name is `is_wanted`, in thousandths.
fn weight(headers: &Headers, is_wanted: impl Fn(&[u8]) -> bool) -> Option<u16> {
    headers.elements("Accept-Encoding").find_map(|element| {
        let mut parts = element.split(|&byte| byte == b';');
        let name = parts.next().unwrap_or_default().trim_ascii();
        is_wanted(name).then(|| match parts.next() {
            None => 1000,
            Some(parameter) => parameter_weight(parameter.trim_ascii()).unwrap_or(0),
        })
    })
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
