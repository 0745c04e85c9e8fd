//! Fields that prove who somebody is: not for a screen, a log or a bug report.

use std::borrow::Cow;

const SECRET: [&str; 4] = [
    "Authorization",
    "Cookie",
    "Proxy-Authorization",
    "Set-Cookie",
];

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "(masked)";

/// Whether the values of fields of this name are secret.
pub(crate) fn is_secret(name: &[u8]) -> bool {
    SECRET
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
}

/// A field's line as it may be shown. Blanks around its name, which make it malformed, do not hide it.
pub(crate) fn masked(line: &[u8]) -> Cow<'_, [u8]> {
    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
    match is_secret(line[..colon].trim_ascii()) {
        true => [&line[..colon], b": ", MASK.as_bytes()].concat().into(),
        false => line.into(),
    }
}
